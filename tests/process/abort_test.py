#!/usr/bin/python3
"""Abort at a random moment, 200 times: it stops at once or after the unit under way, and what
was committed and the rest are the total. TALLYMAN_SEED replays a run."""
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import numbers, slow_server, start_slow_job  # noqa: E402
from support import counts, oracle  # noqa: E402

SEED = counts.seed()
TIMES = counts.times(200)
RECORDS = 600  # About 30 ms of work, in 30 units.
MODES = ("partial", "partial", "partial", "atomic")
STOP_SECONDS = 5


class Aborting(unittest.TestCase):
    def setUp(self):
        self.server = slow_server({"window_records": 20})
        self.addCleanup(self.server.close)
        self.server.start()
        self.api = self.server.api()

    def test_a_job_that_is_aborted_at_any_moment_stops_and_keeps_what_was_committed(self):
        chance = random.Random(SEED)
        aborted = committed = 0
        longest = 0.03
        for number in range(TIMES):
            body = numbers(RECORDS, 1 + number * RECORDS)
            job = self.api.submit("insert", "items", body,
                                  mode=chance.choice(MODES)).json["job_id"]
            begin = time.monotonic()
            moment = begin + chance.random() * longest
            while time.monotonic() < moment:
                time.sleep(0.0003)
            answer = self.api.action("items", job, "abort")
            answered = time.monotonic()
            if answer.status == 409:  # It was quicker.
                self.assertEqual(answer.json["state"], "Job Complete", f"seed {SEED}")
                longest = 0.9 * longest
                continue
            longest = max(longest, 0.01) * 1.02
            self.assertEqual((answer.status, answer.json["state"]), (200, "Aborted"), answer)
            self.assertLess(answered - moment, STOP_SECONDS, f"seed {SEED}")
            status = self.check_it_has_stopped(job)
            aborted += 1
            committed += 0 < status["success_count"] < RECORDS
        print(f"{aborted} of {TIMES} were aborted, {committed} of them in their middle",
              flush=True)
        self.assertGreater(aborted, 0)
        self.assertEqual(oracle.check(self.server), [], f"seed {SEED}")

    def check_it_has_stopped(self, job):
        """From the answer on nothing is written: the status is the last one."""
        status = self.api.status("items", job).json
        self.assertEqual(status["success_count"] + status["error_count"]
                         + status["unprocessed_count"], RECORDS, f"seed {SEED}: {status}")
        number = status["number"]
        units = self.server.rows("select coalesce(sum(created), 0) from "
                                 f"{self.server.database.own('unit')} where job = ?", (number,))
        self.assertEqual(units, [(status["success_count"],)], f"seed {SEED}")
        return status

    def test_an_atomic_job_leaves_nothing(self):
        job = self.api.submit("insert", "items", numbers(20000), mode="atomic").json["job_id"]
        answer = self.api.action("items", job, "abort")
        self.assertEqual(answer.status, 200, answer)
        status = self.api.wait_for_end("items", job, 5)
        self.assertEqual((status["state"], status["unprocessed_count"]), ("Aborted", 20000))
        # The next job of the table finds nothing of it.
        self.assertEqual(self.api.run("insert", "items", numbers(5))["created_count"], 5)
        self.assertEqual(self.server.rows("select count(*) from items"), [(5,)])
        self.assertEqual(oracle.check(self.server), [])

    def test_a_job_that_waits_for_its_turn_is_aborted_without_a_trace(self):
        first = start_slow_job(self.server, 6000)
        second = self.api.submit("insert", "items", numbers(10, 1_000_000)).json["job_id"]
        self.assertEqual(self.api.status("items", second).json["state"], "Upload Complete")
        self.assertEqual(self.api.action("items", second, "abort").status, 200)
        self.assertEqual(self.api.wait_for_end("items", first, 120)["created_count"], 6000)
        self.assertEqual(self.api.wait_for_end("items", second)["unprocessed_count"], 10)
        self.assertEqual(oracle.check(self.server), [])


if __name__ == "__main__":
    print(f"seed {SEED}, {TIMES} aborts", flush=True)
    unittest.main()
