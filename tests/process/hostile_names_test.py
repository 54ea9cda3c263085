#!/usr/bin/python3
"""2,000 hostile names, as tables, resources and fields, through everything that takes a name.

Fifty tables of forty fields, all of them named by tests/process/hostile_names.py. Each
goes through every operation, with its names in headers, keys, options, paths, aggregates and
configuration. Only the named table changes, and what is refused is refused by name.
TALLYMAN_SEED replays.
"""
import csv
import io
import json
import os
import pathlib
import random
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import hostile_names as hostile  # noqa: E402
from hostile_names import quoted  # noqa: E402
from support.api import quote  # noqa: E402
from support.database import KIND  # noqa: E402
from support.server import Server, toml_text, write_config  # noqa: E402

SEED = int(os.environ.get("TALLYMAN_SEED") or random.SystemRandom().randrange(1 << 32))
FIELDS = 40
TABLES = 50
OURS = ["_record", "_outcome", "_id", "_error_code", "_error_field", "_error"]
PLAIN = re.compile(r"[A-Za-z0-9_-]+")
MEMBERS = OURS + ["_original", "_original_base64", "_parent_record"]
MARK = "'); drop table victims; --"  # A value that looks like SQL.


class Table:
    """Its first field is the primary key, its second a unique one, its third a number."""

    def __init__(self, name, fields, number):
        self.name, self.fields = name, fields
        self.key, self.unique, self.number, *self.others = fields
        # A resource has a name that needs no care in a path; its table may have any.
        self.resource = name if PLAIN.fullmatch(name) else f"plain{number}"
        self.rows = {}

    def sql(self):
        columns = [f"{quoted(self.key)} integer primary key", f"{quoted(self.unique)} text not null "
                   "unique", f"{quoted(self.number)} integer"]
        columns += [f"{quoted(name)} text" for name in self.others]
        return f"create table {quoted(self.name)} ({', '.join(columns)});"

    def config(self):
        name = quoted(self.name) if KIND == "postgresql" else self.name
        return [f"table = {toml_text(name)}",
                f'fields.{toml_text(self.others[0])}.max_length = 60',
                f'aggregates.{toml_text(self.others[1])} = {{ type = "sum", '
                f'field = {toml_text(self.number)} }}']

    def record(self, number):
        return {name: number if name == self.key else f"u{number}" if name == self.unique
                else number * 10 if name == self.number else f"{number}{MARK}"
                for name in self.fields}


def csv_of(names, rows):
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([row[name] for name in names] for row in rows)
    return out.getvalue().encode()


def unique_members(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise AssertionError(f"a member twice: {sorted(n for n in names if names.count(n) > 1)}")
    return dict(pairs)


class HostileNames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"TALLYMAN_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        names = hostile.generate(FIELDS * TABLES, chance)
        fields = names[:]
        chance.shuffle(fields)
        as_tables = [name for name in names
                     if not hostile.folded(name).startswith(("tallyman_", "sqlite_"))]
        cls.tables = [Table(as_tables[place], fields[place * FIELDS:(place + 1) * FIELDS], place)
                      for place in range(TABLES)]
        schema = "create table victims (id integer primary key); insert into victims values (1);"
        cls.server = Server(schema + "".join(table.sql() for table in cls.tables),
                            resources={table.resource: table.config() for table in cls.tables})
        cls.addClassCleanup(cls.server.close)
        cls.connection = cls.server.connect()  # One: each new one reads all of the schema.
        cls.addClassCleanup(cls.connection.close)
        cls.before = cls.catalogue()
        cls.server.start()
        cls.api = cls.server.api()
        cls.addClassCleanup(cls.api.close)

    @classmethod
    def catalogue(cls):
        if KIND == "postgresql":
            return cls.connection.execute(
                "select c.relkind, c.relname, a.attname, a.atttypid from pg_class c "
                "join pg_namespace n on n.oid = c.relnamespace "
                "left join pg_attribute a on a.attrelid = c.oid where n.nspname not in "
                "('pg_catalog', 'information_schema', 'pg_toast', 'tallyman') "
                "order by 1, 2, 3").fetchall()
        return cls.connection.execute(
            "select type, name, sql from sqlite_schema where tbl_name not like 'tallyman\\_%' "
            "escape '\\' and tbl_name <> 'sqlite_sequence' order by name").fetchall()

    def run_job(self, table, operation, body, form="csv", **options):
        """In steps: there lists of names are JSON, so that a name may hold a comma."""
        opened = self.api.open_job(table.resource, operation, form, **options)
        self.assertEqual(opened.status, 201, opened)
        job = opened.json["job_id"]
        self.assertEqual(self.api.put_data(table.resource, job, 0, body).status, 204)
        completed = self.api.call("POST", self.api.job_path(table.resource, job, "complete"),
                                  headers={"Prefer": "wait=30"})
        self.assertEqual(completed.status, 200, completed)
        return completed.json

    def assert_rows(self, table):
        columns = ", ".join(quoted(name) for name in table.fields)
        rows = self.connection.execute(f"select {columns} from {quoted(table.name)} "
                                       f"order by {quoted(table.key)}").fetchall()
        self.assertEqual(rows, [tuple(table.rows[key][name] for name in table.fields)
                                for key in sorted(table.rows)])

    def test_every_name_through_everything_that_takes_one(self):
        listed = [one["name"] for one in self.api.call("GET", "/api/").json["resources"]]
        self.assertEqual(sorted(listed), sorted(table.resource for table in self.tables))
        for table in self.tables:
            with self.subTest(table.name, resource=table.resource):
                self.describe(table)
                self.insert(table)
                self.upsert(table)
                self.update_and_replace(table)
                self.aggregate(table)
                self.fail_by_name(table)
                self.refuse_by_name(table)
                self.delete(table)
        for table in self.tables:  # Nobody touched another's.
            self.assert_rows(table)
        self.assertEqual(self.server.rows("select * from victims"), [(1,)])
        self.assertEqual(self.catalogue(), self.before)

    def describe(self, table):
        path = f"/api/{quote(table.resource)}"
        schema = self.api.call("GET", f"{path}/schema/").json
        self.assertEqual([field["name"] for field in schema["fields"]], table.fields)
        self.assertEqual([key["fields"] for key in schema["keys"]], [[table.key], [table.unique]])
        self.assertEqual(schema["aggregates"]["functions"], [table.others[1]])
        template = self.api.call("GET", f"{path}/template.csv").body.decode()
        self.assertEqual(next(csv.reader(io.StringIO(template, newline=""))), table.fields)

    def insert(self, table):
        records = [table.record(number) for number in (1, 2, 3)]
        status = self.run_job(table, "insert", csv_of(table.fields, records),
                              expect={"count": 3, f"sum.{table.number}": "60"})
        self.assertEqual((status["created_count"], status["verified"]), (3, True), status)
        table.rows = {record[table.key]: record for record in records}
        self.assert_rows(table)
        self.results(table, status["job_id"], records)
        body = json.dumps(table.record(4)).encode()
        status = self.run_job(table, "insert", body, "ndjson")
        self.assertEqual(status["created_count"], 1, status)
        table.rows[4] = table.record(4)
        self.results(table, status["job_id"], [table.record(4)])

    def results(self, table, job, records):
        path = self.api.job_path(table.resource, job, "results")
        text = self.api.call("GET", path, query={"format": "csv"}).text
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        self.assertEqual(header[:len(OURS) + FIELDS], OURS + table.fields)
        self.assertEqual([row[len(OURS):len(OURS) + FIELDS] for row in rows],
                         [[str(record[name]) for name in table.fields] for record in records])
        # Fields that are named like our own stand there twice, and as documented ours first.
        if set(table.fields) & set(MEMBERS):
            return
        for line in self.api.call("GET", path, query={"format": "ndjson"}).text.split("\n"):
            if line:
                json.loads(line, object_pairs_hook=unique_members)

    def upsert(self, table):
        sent = {table.unique: "u1", table.number: 77, table.others[0]: "new", table.others[1]: "no"}
        options = {"unique_fields": [table.unique],
                   "update_fields": [table.number, table.others[0]]}
        status = self.run_job(table, "upsert", csv_of(list(sent), [sent]), **options)
        self.assertEqual(status["updated_count"], 1, status)
        table.rows[1] = {**table.rows[1], table.number: 77, table.others[0]: "new"}
        if "," not in table.unique:
            sent[table.number] = 78
            answer = self.api.submit("upsert", table.resource, csv_of(list(sent), [sent]),
                                     headers={"Prefer": "wait=30"}, unique_fields=table.unique)
            self.assertEqual((answer.status, answer.json.get("updated_count")), (200, 1), answer)
            table.rows[1].update(sent)
        self.assert_rows(table)

    def update_and_replace(self, table):
        last = table.fields[-1]
        sent = {table.key: 2, last: MARK, table.others[2]: None}
        status = self.run_job(table, "update", json.dumps(sent).encode(), "ndjson",
                              on_duplicate="error")
        self.assertEqual(status["updated_count"], 1, status)
        table.rows[2].update(sent)
        sent = {**table.record(3), table.number: 5}
        for name in table.others[3:]:
            del sent[name]
        status = self.run_job(table, "replace", json.dumps(sent).encode(), "ndjson")
        self.assertEqual(status["updated_count"], 1, status)
        table.rows[3] = {**dict.fromkeys(table.fields), **sent}
        self.assert_rows(table)

    def aggregate(self, table):
        records = [table.record(number) for number in (11, 12)]
        job = self.run_job(table, "insert", csv_of(table.fields, records))["job_id"]
        table.rows.update({record[table.key]: record for record in records})
        wanted = {"sum " + table.name: {"type": "sum", "field": table.number},
                  table.number: {"type": "max", "field": table.others[0],
                                 "group_by": [table.unique, table.others[1]]},
                  "own": {"type": "custom", "function": table.others[1]}}
        answer = self.api.ask_aggregates(table.resource, job, wanted)
        self.assertEqual(answer.status, 200, answer)
        got = answer.json["aggregate_results"]
        self.assertEqual(got["sum " + table.name], 230)
        self.assertEqual(got["own"], 230)
        self.assertEqual(got[table.number], {
            record[table.unique]: {record[table.others[1]]: record[table.others[0]]}
            for record in records})

    def fail_by_name(self, table):
        """The error of a record names its field as it is."""
        wrong = {**table.record(21), table.number: MARK}
        taken = {**table.record(22), table.unique: "u1"}
        large = {**table.record(23), table.others[0]: "x" * 61}
        status = self.run_job(table, "insert", csv_of(table.fields, [wrong, taken, large]))
        self.assertEqual([(error["code"], error["field"]) for error in status["errors"]],
                         [("INVALID_TYPE", table.number), ("DUPLICATE_VALUE", table.unique),
                          ("VALUE_TOO_LONG", table.others[0])])
        for error in status["errors"]:
            self.assertNotIn(MARK, error["message"])
        self.assert_rows(table)

    def refuse_by_name(self, table):
        """What is not there is refused, and named, whatever it looks like."""
        def refused(answer, status, name):
            self.assertEqual(answer.status, status, answer)
            shown = answer.json["error"]
            # A long name, or one that would break a line, may be shown shorter.
            self.assertTrue(name in shown or len(name) > 60 or not name.isprintable(),
                            (name, shown))
        unknown = [table.unique + "__startswith", table.unique + '" or 1=1 --', table.number + " "]
        for name in unknown[self.tables.index(table) % 3:][:1]:
            if name in table.fields:
                continue
            refused(self.api.open_job(table.resource, "upsert", unique_fields=[name]), 400, name)
            refused(self.api.open_job(table.resource, "upsert", unique_fields=[table.unique],
                                      update_fields=[name]), 400, name)
            refused(self.api.submit("insert", table.resource, csv_of(
                [*table.fields, name], [{**table.record(31), name: "x"}])), 422, name)
            refused(self.api.open_job(table.resource, "insert", aggregates={
                "x": {"type": "count", "group_by": name}}), 400, name)
            refused(self.api.open_job(table.resource, "insert", aggregates={
                "x": {"type": "sum", "field": name}}), 400, name)
            refused(self.api.open_job(table.resource, "insert", aggregates={
                "x": {"type": "custom", "function": name}}), 400, name)
            status = self.run_job(table, "insert", json.dumps(
                {**table.record(31), name: 1}).encode(), "ndjson")
            self.assertEqual(status["error_summary"], {"UNKNOWN_FIELD": 1}, status)
        self.assertEqual(self.api.call("GET", f"/api/{quote(table.resource)}x/schema/").status, 404)
        self.assert_rows(table)

    def delete(self, table):
        status = self.run_job(table, "delete", json.dumps({table.unique: "u11"}).encode(), "ndjson",
                              unique_fields=[table.unique])
        self.assertEqual(status["deleted_count"], 1, status)
        status = self.run_job(table, "delete", csv_of([table.key], [{table.key: 12}]))
        self.assertEqual(status["deleted_count"], 1, status)
        del table.rows[11], table.rows[12]
        self.assert_rows(table)


class ResourceNames(unittest.TestCase):
    def test_a_resource_with_another_name_is_refused_with_its_line(self):
        names = [name for name in hostile.KNOWN if not PLAIN.fullmatch(name)]
        server = Server("create table t (id integer primary key)", token=False, resources={
            name: ['table = "t"'] for name in names})
        self.addCleanup(server.close)
        write_config(server.folder / "tallyman.toml", server.database.url, {}, server.resources)
        checked = server.command("check-config", "tallyman.toml")
        self.assertEqual(checked.returncode, 2)
        self.assertEqual(checked.stderr.count("cannot be the name of a resource"), len(names),
                         checked.stderr)


OWN = {"sqlite": ("tallyman_job", "TALLYMAN_JOB", "Tallyman_Token", "sqlite_schema",
                  "SQLITE_MASTER", "sqlite_sequence", "pragma_table_list"),
       "postgresql": ("tallyman.job", '"tallyman"."token"', "TALLYMAN.JOB", "pg_class",
                      "pg_catalog.pg_authid", "information_schema.tables")}
OF_THE_USER = {"sqlite": ("tallyman_job", "TALLYMAN_JOB", "Tallyman_Token"),
               "postgresql": ("tallyman.job", "tallyman.meta")}
SCHEMA_OF_OURS = {"sqlite": "", "postgresql": "create schema tallyman;"}


class OwnNames(unittest.TestCase):
    """Tables of the server's own, and of the database's, in any case."""

    def start(self, schema, table):
        server = Server(schema, resources={"x": [f"table = {toml_text(table)}"]}, token=False)
        self.addCleanup(server.close)
        try:
            server.start()
        except AssertionError as error:
            return server, str(error)
        return server, None

    def test_they_cannot_be_exposed(self):
        for table in OWN[KIND]:
            with self.subTest(table):
                schema = ("create table t (id integer primary key autoincrement)"
                          if KIND == "sqlite" else "create table t (id serial primary key)")
                _, refusal = self.start(schema, table)
                self.assertIsNotNone(refusal)
                self.assertIn(table.lower(), refusal.lower())

    def test_a_table_of_the_user_that_has_such_a_name_stops_the_start(self):
        for name in OF_THE_USER[KIND]:
            with self.subTest(name):
                server, refusal = self.start(
                    f"{SCHEMA_OF_OURS[KIND]} create table {name} (mine text); insert into {name} values ('kept');"
                    "create table t (id integer primary key)", "t")
                self.assertIsNotNone(refusal)
                self.assertIn(name.lower(), refusal.lower())
                self.assertEqual(server.rows(f"select * from {name}"), [("kept",)])


if __name__ == "__main__":
    unittest.main()
