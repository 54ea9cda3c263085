#!/usr/bin/python3
"""Abort at a random moment: it stops soon, and what was committed and the rest are the total."""
import os
import pathlib
import random
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import SLOW_SCHEMA, SLOW_SETTINGS, numbers, start_slow_job  # noqa: E402
from support import effect_log, oracle  # noqa: E402
from support.server import Server  # noqa: E402

SEED = int(os.environ.get("TALLYMAN_SEED") or time.time())
TIMES = int(os.environ.get("TALLYMAN_ABORTS") or 6)
RECORDS = 6000


class Aborting(unittest.TestCase):
    def setUp(self):
        self.server = Server(SLOW_SCHEMA, settings=SLOW_SETTINGS)
        self.addCleanup(self.server.close)
        connection = self.server.connect()
        effect_log.install(connection, "items")
        connection.close()
        self.server.start()
        self.api = self.server.api()

    def test_a_running_job_stops_and_keeps_what_was_committed(self):
        chance = random.Random(SEED)
        for number in range(TIMES):
            job = start_slow_job(self.server, RECORDS, first=1 + number * RECORDS)
            moment = time.monotonic() + chance.random() * 0.1
            while time.monotonic() < moment:
                time.sleep(0.0005)
            answer = self.api.action("items", job, "abort")
            if answer.status == 409:  # It was quicker.
                self.assertEqual(answer.json["state"], "Job Complete")
                continue
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.json["state"], "Aborted")
            status = self.api.wait_for_end("items", job, 5)
            self.assertEqual(status["success_count"] + status["error_count"]
                             + status["unprocessed_count"], RECORDS, status)
        self.assertEqual(oracle.check(self.server), [], f"seed {SEED}")

    def test_an_atomic_job_leaves_nothing(self):
        job = self.api.submit("insert", "items", numbers(20000), mode="atomic").json["job_id"]
        answer = self.api.action("items", job, "abort")
        self.assertEqual(answer.status, 200, answer)
        status = self.api.wait_for_end("items", job, 5)
        self.assertEqual((status["state"], status["unprocessed_count"]), ("Aborted", 20000))
        # The next job of the table finds nothing of it.
        self.assertEqual(self.api.run("insert", "items", numbers(5))["created_count"], 5)
        self.assertEqual(self.server.rows("select count(*) from items"), [(5,)])

    def test_a_job_that_waits_for_its_turn_is_aborted_without_a_trace(self):
        first = start_slow_job(self.server, RECORDS)
        second = self.api.submit("insert", "items", numbers(10, 1_000_000)).json["job_id"]
        self.assertEqual(self.api.status("items", second).json["state"], "Upload Complete")
        self.assertEqual(self.api.action("items", second, "abort").status, 200)
        self.assertEqual(self.api.wait_for_end("items", first)["created_count"], RECORDS)
        self.assertEqual(self.api.wait_for_end("items", second)["unprocessed_count"], 10)
        self.assertEqual(oracle.check(self.server), [])


if __name__ == "__main__":
    unittest.main()
