#!/usr/bin/python3
"""While a job runs: what is committed can be read, other tables go on, memory stays small."""
import pathlib
import sqlite3
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import slow_server, start_slow_job  # noqa: E402
from support import bounds, oracle  # noqa: E402
from support.database import KIND  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

MEGABYTE = 1 << 20


class Running(unittest.TestCase):
    def setUp(self):
        # By one lane: what is committed is then the upload's beginning.
        self.server = slow_server({"lanes": 1} if KIND == "postgresql" else None,
                                  more_schema="create table others (id integer primary key);")
        self.addCleanup(self.server.close)
        self.server.start()
        self.api = self.server.api()

    def between_two_units(self, sql):
        """Runs it as soon as the lock is free; SQLite's is asked for without a pause."""
        if self.server.database.kind == "postgresql":  # A lock is waited for in a queue.
            self.server.execute(sql)
            return
        connection = self.server.connect(seconds=0)

        def got_the_lock():
            try:
                connection.execute(sql)
                return True
            except sqlite3.OperationalError as error:
                if "locked" in str(error):
                    return False
                raise
        wait_until(got_the_lock, f"another process can {sql}", pause=0)
        connection.close()

    def test_results_of_a_running_job_are_those_that_are_committed(self):
        job = start_slow_job(self.server, 10_000)
        for _ in range(3):
            before = self.api.status("items", job).json["processed_items"]
            rows = self.api.results("items", job, outcome="succeeded")
            in_table = self.server.rows("select count(*) from items")[0][0]
            self.assertGreaterEqual(len(rows), before)
            self.assertLessEqual(len(rows), in_table)
            self.assertEqual([int(row["_record"]) for row in rows], list(range(1, len(rows) + 1)))
        self.api.wait_for_end("items", job)

    def test_a_small_job_on_another_table_does_not_wait_for_a_large_one(self):
        large = start_slow_job(self.server, 20_000)
        small = self.api.run("insert", "others", b"id\n1\n")
        self.assertEqual(small["created_count"], 1)
        self.assertEqual(self.api.status("items", large).json["state"], "In Progress")
        self.api.wait_for_end("items", large)

    def test_what_an_ended_job_allows_a_running_one_does_not(self):
        job = start_slow_job(self.server, 10_000)
        for answer in (self.api.action("items", job, "retry"),
                       self.api.call("DELETE", self.api.job_path("items", job)),
                       self.api.put_data("items", job, 0, b"id\n"),
                       self.api.action("items", job, "complete"),
                       self.api.ask_aggregates("items", job, {"n": {"type": "count"}})):
            self.assertEqual((answer.status, answer.json.get("state")), (409, "In Progress"), answer)
        self.api.wait_for_end("items", job)

    def test_a_table_that_changes_in_mid_job_costs_no_record_silently(self):
        job = start_slow_job(self.server, 20_000)
        self.between_two_units("alter table items add column more text")
        status = self.api.wait_for_end("items", job)
        self.assertIn(status["state"], ("Job Complete", "Failed"), status)
        if status["state"] == "Failed":
            self.assertIn("items", status["message"])
        self.assertEqual(self.server.rows("select count(*) from items"),
                         [(status["created_count"],)])
        self.assertEqual(status["created_count"] + status["error_count"]
                         + status["unprocessed_count"], 20_000)
        self.assertEqual(oracle.check(self.server, ["items"]), [])

    def test_a_table_that_is_dropped_in_mid_job_fails_the_job_and_says_so(self):
        job = start_slow_job(self.server, 20_000)
        self.between_two_units("drop table items")
        status = self.api.wait_for_end("items", job)
        self.assertEqual(status["state"], "Failed", status)
        self.assertIn("items", status["message"])
        self.assertEqual(status["success_count"] + status["error_count"]
                         + status["unprocessed_count"], 20_000)
        self.assertEqual(self.api.run("insert", "others", b"id\n1\n")["created_count"], 1)


class Memory(unittest.TestCase):
    """The peak does not grow with the upload."""

    def peak(self, server):
        return bounds.look(server.process.pid)[0]

    def load(self, server, records):
        line = b"x" * 60_000 + b"\n"
        body = (b"note\n" if number < 0 else line for number in range(-1, records))
        answer = server.api(seconds=120).call("POST", "/api/wide/bulk/v2/", body,
                                              {"Content-Type": "text/csv"}, chunked=True)
        self.assertEqual(answer.status, 202, answer)
        status = server.api().wait_for_end("wide", answer.json["job_id"], 60)
        self.assertEqual(status["created_count"], records, status)
        rows = server.api(seconds=120).call(
            "GET", f"/api/wide/jobs/{status['job_id']}/results/")
        self.assertGreater(len(rows.body), records * 60_000)

    def test_the_peak_after_400_megabytes_is_that_after_200(self):
        size = (20 if bounds.SANITIZED else 200) * MEGABYTE
        with Server("create table wide (id integer primary key, note text);") as server:
            self.load(server, size // 60_000)
            first = self.peak(server)
            self.load(server, 2 * size // 60_000)
            second = self.peak(server)
        if bounds.SANITIZED:  # A sanitizer keeps what was freed: the way alone is checked.
            return
        self.assertLess(first, 300 * MEGABYTE)
        self.assertLess(second - first, 40 * MEGABYTE)


if __name__ == "__main__":
    unittest.main()
