#!/usr/bin/python3
"""Real data from elsewhere: 170,000 cities as JSON, NDJSON and CSV, counted two ways."""
import collections
import csv
import io
import json
import pathlib
import sys
import unittest
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import cities  # noqa: E402
from support.case import ServerCase  # noqa: E402

KEY = "country,name,lat,lng"
TABLE = """create table {name} (id integer primary key, name text not null,
    lat decimal(8,5) not null, lng decimal(8,5) not null, country text not null,
    admin1 text, admin2 text, unique (country, name, lat, lng));"""
SECONDS = 120


def key_of(record):
    return (record["country"], record["name"], Decimal(record["lat"]), Decimal(record["lng"]))


class Cities(ServerCase):
    schema = "".join(TABLE.format(name=name) for name in ("cities", "as_ndjson", "as_csv", "a_few"))

    @classmethod
    def setUpClass(cls):
        cls.raw = cities.raw()
        cls.records = json.loads(cls.raw)
        cls.distinct = {}
        for record in cls.records:  # Where one key is there twice, the later record is the last.
            cls.distinct[key_of(record)] = record
        cls.ndjson = "\n".join(json.dumps(record) for record in cls.records).encode()
        text = io.StringIO()
        writer = csv.DictWriter(text, list(cls.records[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(cls.records)
        cls.csv = text.getvalue().encode()
        super().setUpClass()

    def upsert(self, table, body, form):
        status = self.api.run("upsert", table, body, form, SECONDS, unique_fields=KEY)
        self.assertEqual((status["state"], status["error_count"], status["total_items"]),
                         ("Job Complete", 0, len(self.records)), status)
        self.assertTrue(status["verified"])
        return status

    def test_the_same_cities_arrive_by_every_format_and_a_second_time_nothing_changes(self):
        bodies = {"cities": (self.raw, "json"), "as_ndjson": (self.ndjson, "ndjson"),
                  "as_csv": (self.csv, "csv")}
        jobs = {}
        for table, (body, form) in bodies.items():
            jobs[table] = self.upsert(table, body, form)
            self.assertEqual(jobs[table]["created_count"], len(self.distinct))
        columns = "country, name, lat, lng, admin1, admin2"
        for table in ("as_ndjson", "as_csv"):
            self.assertEqual(self.server.rows(
                f"select {columns} from cities except select {columns} from {table}"), [])
            self.assertEqual(self.server.rows(f"select count(*) from {table}"),
                             [(len(self.distinct),)])
        if len(self.distinct) == len(self.records):
            for body, form in bodies.values():
                again = self.upsert("cities", body, form)
                self.assertEqual(again["unchanged_count"], len(self.records), again)
        self.count_by_country(jobs["as_csv"]["job_id"])

    def count_by_country(self, job):
        expected = collections.Counter(key[0] for key in self.distinct)
        latitudes = sum((key[2] for key in self.distinct), Decimal(0))
        answer = self.api.ask_aggregates("as_csv", job, {
            "countries": {"type": "count", "group_by": "country"},
            "different": {"type": "count_distinct", "field": "country"},
            "latitudes": {"type": "sum", "field": "lat"},
            "north": {"type": "max", "field": "lat"}})
        self.assertEqual(answer.status, 200, answer)
        found = answer.json["aggregate_results"]
        self.assertEqual(found["countries"], dict(expected))
        self.assertEqual(found["different"], len(expected))
        self.assertEqual(found["latitudes"], latitudes)
        self.assertEqual(found["north"], max(key[2] for key in self.distinct))

    def test_an_insert_of_cities_that_are_there_fails_each_of_them(self):
        some = self.records[:500]
        body = json.dumps(some).encode()
        first = self.api.run("insert", "a_few", body, "json")
        second = self.api.run("insert", "a_few", body, "json")
        self.assertEqual(first["created_count"], len({key_of(record) for record in some}))
        self.assertEqual(second["error_summary"], {"DUPLICATE_VALUE": 500})


if __name__ == "__main__":
    unittest.main()
