#!/usr/bin/python3
"""Uploads and requests that are out of all proportion, at the limits as they are delivered.

What is wrong with a record is its own outcome and leaves its neighbours alone; what is wrong
with an upload is refused; and the server goes on. (Small hostile uploads are scenarios.)
"""
import csv
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.case import ServerCase  # noqa: E402

RECORD_BYTES_MAX = 1 << 20
DEEP = 100_000
MANY = 100_000
csv.field_size_limit(16 << 20)  # Of Python's reader, for the results.


class Hostile(ServerCase):
    schema = "create table notes (id integer primary key, name text, body json);"
    resources = {"notes": None}

    def tearDown(self):
        """Whatever was sent, the next client is served."""
        status = self.api.run("upsert", "notes", b"id,name\n1,next\n", unique_fields="id")
        self.assertEqual((status["state"], status["error_count"]), ("Job Complete", 0), status)
        self.server.execute("delete from notes")

    def outcomes(self, body, form="csv"):
        """[(outcome, code)] of an insert, by record."""
        status = self.api.run("insert", "notes", body, form=form)
        self.assertEqual(status["state"], "Job Complete", status)
        self.assertTrue(status["verified"], status)
        results = self.api.results("notes", status["job_id"])
        return [(row["_outcome"], row["_error_code"]) for row in results]

    # --- Records: each fails alone ------------------------------------------------------

    def test_a_field_as_long_as_a_record_may_be_and_one_byte_longer(self):
        longest = b"x" * (RECORD_BYTES_MAX - len("1,"))
        self.assertEqual(
            self.outcomes(b"id,name\n1," + longest + b"\n2," + longest + b"x\n3,ann\n"),
            [("created", ""), ("failed", "RECORD_TOO_LARGE"), ("created", "")])
        self.assertEqual(self.server.rows("select length(name) from notes where id = 1"),
                         [(len(longest),)])

    def test_a_field_of_many_megabytes(self):
        self.assertEqual(
            self.outcomes(b"id,name\n1,ann\n2,\"" + b"x" * (9 << 20) + b"\"\n3,cem\n"),
            [("created", ""), ("failed", "RECORD_TOO_LARGE"), ("created", "")])

    def test_a_quote_that_is_never_closed_before_megabytes_of_records(self):
        records = b"".join(b"%d,name\n" % (i + 2) for i in range(MANY * 2))
        status = self.api.run("insert", "notes", b"id,name\n1,\"ann\n" + records)
        self.assertEqual((status["created_count"], status["error_summary"]),
                         (MANY * 2, {"RECORD_TOO_LARGE": 1}), status)

    def test_a_record_of_many_cells(self):
        outcomes = self.outcomes(b"id,name\n1,ann\n2" + b"," * MANY + b"\n3,cem\n")
        self.assertEqual([outcome for outcome, _ in outcomes], ["created", "failed", "created"])

    def test_records_that_are_nested_deep(self):
        deep = b"[" * DEEP + b"]" * DEEP
        objects = b'{"a":' * DEEP + b"1" + b"}" * DEEP
        lines = [b'{"id":1}', b'{"id":2,"body":' + deep + b"}", deep, objects,
                 b'{"id":5,"body":' + b"[" * DEEP + b"}", b'{"id":6}']
        expected = [("created", "")] + 4 * [("failed", "MALFORMED_RECORD")] + [("created", "")]
        self.assertEqual(self.outcomes(b"\n".join(lines), "ndjson"), expected)
        self.server.execute("delete from notes")
        del lines[4]  # Does not balance: no array would hold it.
        del expected[4]
        self.assertEqual(self.outcomes(b"[" + b",".join(lines) + b"]", "json"), expected)

    def test_a_record_of_many_keys(self):
        keys = b",".join(b'"k%d":1' % i for i in range(MANY // 2))
        self.assertEqual(self.outcomes(b'{"id":1}\n{' + keys + b'}\n{"id":3}', "ndjson"),
                         [("created", ""), ("failed", "UNKNOWN_FIELD"), ("created", "")])

    # --- Uploads: refused ---------------------------------------------------------------

    def refused(self, body, form, *mentions):
        self.expect(self.api.submit("insert", "notes", body, form), 422, mentions=mentions)
        self.assertEqual(self.server.rows("select count(*) from notes"), [(0,)])

    def test_a_header_of_many_columns(self):
        names = b",".join(b"c%d" % i for i in range(MANY))
        self.refused(b"id,name," + names + b"\n1,ann\n", "csv")

    def test_a_header_without_an_end(self):
        self.refused(b'id,"' + b"name\n" * (RECORD_BYTES_MAX // 4), "csv", "record_bytes_max")

    def test_arrays_that_open_and_never_close(self):
        self.refused(b"[" * (DEEP * 10), "json", "brackets")
        self.refused(b'{"a":' * DEEP, "json")

    def test_an_envelope_that_is_nested_deep(self):
        members = b'"unique_fields":' + b"[" * 20_000 + b"]" * 20_000
        for body in (b'{"data":[],' + members + b"}", b"{" + members + b',"data":[]}'):
            self.refused(body, "json", "data")

    # --- Small bodies -------------------------------------------------------------------

    def test_options_that_are_nested_deep(self):
        deep = b'{"a":' * DEEP + b"1" + b"}" * DEEP
        body = b'{"operation":"insert","content_type":"text/csv","expect":' + deep + b"}"
        for sent in (body, deep, b"[" * DEEP):
            self.expect(self.api.call("POST", "/api/notes/jobs/", sent,
                                      {"Content-Type": "application/json"}), 400)
        job = self.api.run("insert", "notes", b"id\n1\n")["job_id"]
        self.expect(self.api.call(
            "POST", "/api/notes/bulk/v2/aggregates/",
            b'{"job_id":"' + job.encode() + b'","aggregates":' + deep + b"}",
            {"Content-Type": "application/json"}), 400)


if __name__ == "__main__":
    unittest.main()
