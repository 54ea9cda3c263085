#!/usr/bin/python3
"""Leases of a fraction of a second, and a process that stands still for longer (SIGSTOP, then
SIGCONT, 20 times): nothing is lost and nothing is written twice."""
import pathlib
import random
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import slow_server, start_slow_job  # noqa: E402
from support import counts, oracle  # noqa: E402

SEED = counts.seed()
TIMES = counts.times(20)
LEASE_SECONDS = 0.1
RECORDS = 1500


class Leases(unittest.TestCase):
    def setUp(self):
        self.server = slow_server({"lease_time": "100ms", "window_records": 50, "workers": 3})
        self.addCleanup(self.server.close)
        self.server.start()
        self.api = self.server.api()

    def stand_still(self, chance):
        """The whole process, past the time of its leases."""
        self.server.process.send_signal(signal.SIGSTOP)
        # That this time passes is the fault.
        time.sleep(LEASE_SECONDS * (1.1 + chance.random()))
        self.server.process.send_signal(signal.SIGCONT)

    def test_a_process_that_stood_still_past_its_leases_writes_nothing_twice(self):
        chance = random.Random(SEED)
        for number in range(TIMES):
            job = start_slow_job(self.server, RECORDS, 1 + number * RECORDS,
                                 mode=chance.choice(("partial", "partial", "atomic")))
            self.stand_still(chance)
            status = self.api.wait_for_end("items", job, 120)
            self.assertEqual((status["state"], status["created_count"]),
                             ("Job Complete", RECORDS), f"seed {SEED}: {status}")
        written = self.server.rows("select count(*), count(distinct row_key) from effect_log "
                                   "where effect = 'insert'")
        self.assertEqual(written, [(TIMES * RECORDS, TIMES * RECORDS)], f"seed {SEED}")
        self.assertEqual(oracle.check(self.server), [], f"seed {SEED}")

    def test_a_lease_that_ran_out_again_and_again_in_one_job_loses_nothing(self):
        chance = random.Random(f"{SEED} again")
        job = start_slow_job(self.server, 4 * RECORDS)
        for _ in range(max(2, TIMES // 4)):
            self.stand_still(chance)
            self.api.status("items", job)
        status = self.api.wait_for_end("items", job, 120)
        self.assertEqual((status["state"], status["created_count"]),
                         ("Job Complete", 4 * RECORDS), f"seed {SEED}: {status}")
        self.assertEqual(oracle.check(self.server), [], f"seed {SEED}")


if __name__ == "__main__":
    print(f"seed {SEED}, {TIMES} times", flush=True)
    unittest.main()
