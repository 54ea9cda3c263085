#!/usr/bin/python3
"""No value of a record in any log, status, error, history or list: only in the results."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.case import ServerCase  # noqa: E402

CANARY = "c4n4ry"  # Stands in every value below.


class Canary(ServerCase):
    schema = """
    create table shops (id text primary key not null);
    create table items (id integer primary key, sku varchar(12) unique, n integer, day date,
                        kind text check (kind not like '%-checked'), shop text references shops(id),
                        d decimal(5,2), zip text, choice text, note text);
    create trigger refuses before insert on items when new.note like '%-raised' begin
      select raise(abort, 'refused'); end;
    """
    resources = {"shops": None, "items": [
        'fields.zip.pattern = "[0-9]+"', 'fields.choice.choices = ["a", "b"]']}
    settings = {"log_level": "debug"}

    RECORDS = [
        "sku,n,day,kind,shop,d,zip,choice,note",
        "c4n4ry,1,,,,,,,",                      # created
        "c4n4ry,2,,,,,,,",                      # DUPLICATE_VALUE
        "x1,c4n4ry,,,,,,,",                     # INVALID_TYPE
        "x2,,c4n4ry,,,,,,",
        "c4n4ry-far-too-long,,,,,,,,",          # VALUE_TOO_LONG
        "x3,,,c4n4ry-checked,,,,,",             # CHECK_VIOLATION
        "x4,,,,c4n4ry-shop,,,,",                # FOREIGN_KEY_VIOLATION
        "x5,,,,,c4n4ry,,,",
        "x6,,,,,,c4n4ry,,",                     # VALIDATION_FAILED
        "x7,,,,,,,c4n4ry,",                     # INVALID_CHOICE
        "x8,,,,,,,,c4n4ry-raised",              # DATABASE_ERROR
        "x9,c4n4ry",                            # MALFORMED_RECORD
        '"x10"c4n4ry,,,,,,,,',
    ]

    def assert_silent(self, where, text):
        place = text.find(CANARY)
        self.assertEqual(place, -1, f"{where}: ...{text[max(place - 200, 0):place + 60]}")

    def look_everywhere(self, resource, job):
        for name in ("status", "history"):
            self.assert_silent(name, self.api.call(
                "GET", self.api.job_path(resource, job, name)).text)
        self.assert_silent("events", self.api.call(
            "GET", self.api.job_path(resource, job, "events")).text)
        self.assert_silent("list", self.api.call("GET", f"/api/{resource}/jobs/").text)
        self.assert_silent("log", self.server.log())
        self.assert_silent("output", self.server.output())

    def test_the_values_of_a_csv(self):
        status = self.api.run("insert", "items", "\n".join(self.RECORDS).encode())
        self.assertEqual((status["created_count"], status["error_count"]), (1, 12), status)
        self.look_everywhere("items", status["job_id"])
        results = self.api.call("GET", self.api.job_path("items", status["job_id"], "results")).text
        self.assertGreaterEqual(results.count(CANARY), 12)

    def test_the_values_of_json_records(self):
        body = b'[{"n": "c4n4ry"}, {"c4n4ry": 1}, {"n": {"c4n4ry": 1}}, {"n": c4n4ry}, "c4n4ry"]'
        status = self.api.run("insert", "items", body, "json")
        self.assertEqual(status["error_count"], 5, status)
        log = self.server.log()
        # The unknown name of a field may be told to its sender, but not to the log.
        self.assert_silent("log", log)
        for error in status["errors"]:
            if error["code"] != "UNKNOWN_FIELD":
                self.assert_silent("error", str(error))

    def test_the_keys_of_updates_and_deletes(self):
        shops = b'id\nc4n4ry-1\nc4n4ry-2\n'
        self.api.run("insert", "shops", shops)
        status = self.api.run("insert", "shops", shops)
        self.assertEqual(status["error_summary"], {"DUPLICATE_VALUE": 2})
        self.look_everywhere("shops", status["job_id"])
        status = self.api.run("delete", "shops", b'["c4n4ry-1", "c4n4ry-3"]', "json")
        self.assertEqual((status["deleted_count"], status["error_count"]), (1, 1))
        self.look_everywhere("shops", status["job_id"])

    def test_uploads_that_are_refused(self):
        for body, form in ((b'[{"id": "c4n4ry"}', "json"), (b'{"id": "c4n4ry"} x', "json"),
                           (b'"c4n4ry"', "json")):
            answer = self.api.submit("insert", "items", body, form)
            self.expect(answer, 422)
            self.assert_silent("error", answer.text)
        self.assert_silent("log", self.server.log())

    def test_tokens_are_not_logged(self):
        self.api.call("GET", "/api/", headers={"Authorization": "Bearer tly_c4n4ry"})
        self.assert_silent("log", self.server.log())
        self.assertNotIn(self.server.token, self.server.log())


if __name__ == "__main__":
    unittest.main()
