#!/usr/bin/python3
"""The oracle itself: silent about an honest server, and not about one that lies."""
import pathlib
import sqlite3
import sys
import unittest
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import effect_log, recompute  # noqa: E402
from support.api import Answer  # noqa: E402
from support.oracle import Oracle, Promise  # noqa: E402

HISTORY = [("created", None, "Open"), ("upload_completed", "Open", "Upload Complete"),
           ("claimed", "Upload Complete", "In Progress"),
           ("slice_reclaimed", None, None),
           ("finished", "In Progress", "Job Complete")]


class HandMadeServer:
    """Answers as a server would that ran one job: record 1 and 2 created, 3 failed."""

    def __init__(self):
        self.state = "Job Complete"
        self.outcomes = [("1", "created", "1", "41"), ("2", "created", "2", "50"),
                         ("3", "failed", "", "old")]
        self.history_lines = list(HISTORY)
        self.sums = {"sum.age": 91}
        self.average = Decimal("45.5")
        self.found = True
        self.dry_run = False

    def rows(self):
        return [{"_record": n, "_outcome": outcome, "_id": key, "id": key, "age": age}
                for n, outcome, key, age in self.outcomes]

    def job_path(self, resource, job, name):
        return f"/api/{resource}/jobs/{job}/{name}/"

    def call(self, method, path, **_):
        if path.startswith("/api/jobs/"):
            return _json('{"results": [{"job_id": "j", "resource": "people"}], "next": null}')
        if method == "HEAD":
            return Answer("ok", 200, {"upload-offset": "10"})
        return Answer("ok", 200)

    def status(self, *_):
        if not self.found:
            return Answer("failed", 404)
        return _json(f'{{"job_id": "j", "job_type": "insert", "number": 1, "state": "{self.state}", '
                     '"total_items": 3, "created_count": 2, "updated_count": 0, "unchanged_count": 0, '
                     '"deleted_count": 0, "error_count": 1, "unprocessed_count": 0, '
                     f'"success_count": 2, "dry_run": {str(self.dry_run).lower()}, "verified": true}}')

    def history(self, *_):
        return [{"at": f"2024-01-15T10:30:0{n}Z", "event": event, "from": start, "to": end}
                for n, (event, start, end) in enumerate(self.history_lines)]

    def results(self, _resource, _job, outcome=None):
        wanted = {"succeeded": ("created",), "failed": ("failed",), "unprocessed": (),
                  None: ("created", "failed")}[outcome]
        return [row for row in self.rows() if row["_outcome"] in wanted]

    def ask_aggregates(self, *_):
        return _json('{"aggregate_results": {"count": 2, "sum.id": 3, "avg.id": 1.5, "min.id": 1, '
                     '"max.id": 2, "count_distinct.id": 2, "min.age": 41, "max.age": 50, '
                     f'"count_distinct.age": 2, "sum.age": {self.sums["sum.age"]}, '
                     f'"avg.age": {self.average}}}}}')


def _json(text):
    return Answer("ok", 200, {}, text.encode())


class TheOracle(unittest.TestCase):
    def setUp(self):
        self.database = sqlite3.connect(":memory:")
        self.addCleanup(self.database.close)
        self.database.execute("create table people (id integer primary key, age integer)")
        effect_log.install(self.database, "people")
        self.server = HandMadeServer()

    def insert(self, *rows):
        self.database.executemany("insert into people values (?, ?)", rows)

    def problems(self, promises=()):
        return Oracle(self.server, self.database, promises=promises).check()

    def test_is_silent_about_the_truth(self):
        self.insert((1, 41), (2, 50))
        self.assertEqual(self.problems(), [])

    def test_finds_a_lost_record(self):
        self.insert((1, 41))
        self.assertTrue(any(line.startswith("I2") for line in self.problems()))

    def test_finds_a_repeated_effect_that_the_rows_do_not_show(self):
        self.insert((1, 41), (2, 50))
        self.database.execute("update people set age = 50 where id = 2")
        self.assertTrue(any(line.startswith("I3") for line in self.problems()))

    def test_finds_a_value_that_was_not_sent(self):
        self.insert((1, 42), (2, 49))
        self.assertTrue(any("age was sent otherwise" in line for line in self.problems()))

    def test_finds_an_effect_of_a_failed_record(self):
        self.insert((1, 41), (2, 50), (3, 7))
        self.assertTrue(any(line.startswith("I3") for line in self.problems()))

    def test_finds_a_dry_run_that_wrote(self):
        self.insert((1, 41), (2, 50))
        self.server.dry_run = True
        self.assertEqual(len([line for line in self.problems() if line.startswith("I3")]), 2)

    def test_finds_a_record_without_a_result(self):
        self.insert((1, 41), (2, 50))
        del self.server.outcomes[2]
        self.assertTrue(any("missing [3]" in line for line in self.problems()))

    def test_finds_a_record_with_two_results(self):
        self.insert((1, 41), (2, 50))
        self.server.outcomes.append(("3", "failed", "", "old"))
        self.assertTrue(any("twice [3]" in line for line in self.problems()))

    def test_finds_a_history_that_skips_a_state(self):
        self.insert((1, 41), (2, 50))
        del self.server.history_lines[2]
        self.assertTrue(any(line.startswith("I4") for line in self.problems()))

    def test_finds_a_state_that_changed_after_the_end(self):
        self.insert((1, 41), (2, 50))
        self.server.history_lines.append(("abort_requested", "Job Complete", "Aborted"))
        self.assertTrue(any(line.startswith("I4") for line in self.problems()))

    def test_finds_a_sum_that_is_off_by_one(self):
        self.insert((1, 41), (2, 50))
        self.server.sums["sum.age"] = 92
        self.assertTrue(any("sum.age is 92" in line for line in self.problems()))

    def test_finds_a_promised_job_that_is_gone(self):
        self.insert((1, 41), (2, 50))
        self.assertEqual(self.problems([Promise("people", "j", "exists")]), [])
        lost = [Promise("people", "k", "exists")]
        honest = self.server.status
        self.server.status = lambda _, job: honest() if job == "j" else Answer("failed", 404)
        self.assertTrue(any(line.startswith("I5 job k") for line in self.problems(lost)))

    def test_finds_an_acknowledged_offset_that_fell(self):
        self.insert((1, 41), (2, 50))
        self.server.state = "Open"
        self.assertEqual(
            [line for line in self.problems([Promise("people", "j", "offset", 10)])
             if line.startswith("I5")], [])
        self.assertEqual(
            len([line for line in self.problems([Promise("people", "j", "offset", 11)])
                 if line.startswith("I5")]), 1)


class Recomputing(unittest.TestCase):
    def test_reads_the_scale_of_a_declared_type(self):
        self.assertEqual([recompute.scale_of(text) for text in
                          ("integer", "BIGINT", "decimal(12,2)", "numeric( 5 )", "real", "text",
                           "point")], [0, 0, 2, 0, None, None, None])

    def test_takes_a_stored_real_for_the_decimal_that_it_stands_for(self):
        self.assertEqual(recompute.exact(0.1 + 0.2, 2), Decimal("0.30"))

    def test_rounds_an_average_half_to_even(self):
        self.assertEqual(recompute.average([Decimal(1), Decimal(0), Decimal(0)], 0),
                         Decimal("0.333333"))

    def test_reads_composite_ids(self):
        self.assertEqual(effect_log.key_of_id('[1,"a"]'), ("1", "a"))
        self.assertEqual(effect_log.key_of_id("17"), ("17",))


if __name__ == "__main__":
    unittest.main()
