#!/usr/bin/python3
"""Another program holds SQLite's write lock, for less and for more than the server waits: the
job goes on, no record fails for it, and nobody is told "database is locked"."""
import pathlib
import random
import sqlite3
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import numbers, slow_server, start_slow_job  # noqa: E402
from support import counts, oracle  # noqa: E402
from support.wait import wait_until  # noqa: E402

SEED = counts.seed()
TIMES = counts.times(10)
WAIT_SECONDS = 0.25  # Of a request; one attempt of a worker waits for a fifth of it.
SETTINGS = {"writer_wait": "250ms", "window_records": 50}
RECORDS = 3000


def take_the_lock(connection):
    """Asks without a pause: between two units of a job the lock is free for microseconds."""
    def taken():
        try:
            connection.execute("begin immediate")
        except sqlite3.OperationalError:
            return False
        return True
    wait_until(taken, "another program has the lock", 60, pause=0)


class OtherPrograms(unittest.TestCase):
    def setUp(self):
        self.server = slow_server(SETTINGS, "create table others (n integer);")
        self.addCleanup(self.server.close)
        self.server.start()
        self.api = self.server.api()

    def hold_the_lock(self, until):
        """Takes the write lock in a thread; gives it back once `until` (an Event or seconds)
        is there."""
        locked = threading.Event()
        if isinstance(until, threading.Event):
            self.addCleanup(until.set)

        def hold():
            connection = self.server.connect(seconds=0)
            take_the_lock(connection)
            locked.set()
            if isinstance(until, threading.Event):
                until.wait(60)
            else:
                time.sleep(until)  # That the lock is held for so long is the fault.
            connection.execute("rollback")
            connection.close()
        thread = threading.Thread(target=hold)
        thread.start()
        locked.wait(60)
        return thread

    def say_nothing_of_locks(self, *texts):
        for text in (*texts, self.server.log()):
            self.assertNotIn("is locked", text, f"seed {SEED}")

    def test_locks_of_any_length_make_a_job_wait_and_fail_no_record(self):
        chance = random.Random(SEED)
        job = start_slow_job(self.server, RECORDS)
        submitted, refused = [], 0
        for number in range(TIMES):
            # Every other one outlasts what a request and an attempt of the worker wait.
            longest = 2.5 * WAIT_SECONDS if number % 2 else 0.8 * WAIT_SECONDS
            holder = self.hold_the_lock(longest * (0.4 + 0.6 * chance.random()))
            status = self.api.status("items", job)
            self.assertEqual(status.status, 200, status)
            answer = self.api.submit("insert", "items", numbers(3, 1_000_000 + 3 * number))
            self.say_nothing_of_locks(status.text, answer.text)
            if answer.status == 503:
                refused += 1
                self.assertGreater(int(answer.header("Retry-After")), 0)
            else:
                self.assertEqual(answer.status, 202, f"seed {SEED}: {answer}")
                submitted.append(answer.json["job_id"])
            holder.join()
        for one, records in [(job, RECORDS), *((other, 3) for other in submitted)]:
            status = self.api.wait_for_end("items", one, 120)
            self.assertEqual((status["state"], status["created_count"], status["error_count"]),
                             ("Job Complete", records, 0), f"seed {SEED}: {status}")
            self.say_nothing_of_locks(str(self.api.history("items", one)), str(status))
        print(f"{refused} of {TIMES} requests were told to come back", flush=True)
        self.assertEqual(self.server.rows("select count(*) from items"),
                         [(RECORDS + 3 * len(submitted),)])
        self.assertEqual(oracle.check(self.server), [], f"seed {SEED}")

    def test_what_was_waited_out_is_shown_as_retries(self):
        job = start_slow_job(self.server, RECORDS)
        released = threading.Event()
        holder = self.hold_the_lock(released)
        # More than one attempt of the worker fails meanwhile: its log tells.
        wait_until(lambda: self.server.log().count("attempt_failed") >= 2, "it has waited twice")
        released.set()
        holder.join()
        status = self.api.wait_for_end("items", job, 120)
        self.assertEqual((status["state"], status["created_count"]), ("Job Complete", RECORDS))
        self.assertGreaterEqual(status["retries"], 2)

    def test_a_status_is_read_while_another_program_holds_the_lock(self):
        job = start_slow_job(self.server, RECORDS)
        released = threading.Event()
        holder = self.hold_the_lock(released)
        for _ in range(20):
            self.assertEqual(self.api.status("items", job).status, 200)
        released.set()
        holder.join()
        self.api.wait_for_end("items", job, 120)

    def test_a_request_during_a_short_lock_is_answered_when_the_lock_is_gone(self):
        holder = self.hold_the_lock(0.5 * WAIT_SECONDS)
        answer = self.api.submit("insert", "items", numbers(3))
        holder.join()
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(self.api.wait_for_end("items", answer.json["job_id"])["created_count"],
                         3)

    def test_a_lock_held_too_long_is_503_and_says_when_to_come_back(self):
        released = threading.Event()
        holder = self.hold_the_lock(released)
        answers = [self.api.submit("insert", "items", numbers(3)),
                   self.api.open_job("items", "insert"),
                   self.api.submit("insert", "items", numbers(3), mode="atomic")]
        released.set()
        holder.join()
        for answer in answers:
            self.assertEqual(answer.status, 503, answer)
            self.assertGreater(int(answer.header("Retry-After")), 0)
            self.say_nothing_of_locks(answer.text)
        self.assertEqual(self.server.rows("select count(*) from items"), [(0,)])

    def test_a_lock_while_an_atomic_job_runs_fails_nothing(self):
        for number in range(2):
            body = numbers(600, 1 + number * 600)
            holder = self.hold_the_lock(1.2 * WAIT_SECONDS)
            answer = self.api.submit("insert", "items", body, mode="atomic")
            holder.join()
            if answer.status == 503:
                answer = self.api.submit("insert", "items", body, mode="atomic")
            status = self.api.wait_for_end("items", answer.json["job_id"], 120)
            self.assertEqual((status["state"], status["created_count"]), ("Job Complete", 600))
        self.assertEqual(oracle.check(self.server), [])

    def test_writers_of_another_program_and_a_job_go_on_side_by_side(self):
        job = start_slow_job(self.server, RECORDS)
        connection = self.server.connect(seconds=0)
        chance = random.Random(SEED)
        for number in range(30):
            take_the_lock(connection)
            connection.execute("insert into others values (?)", (number,))
            connection.execute(chance.choice(("commit", "rollback")))
        connection.close()
        status = self.api.wait_for_end("items", job, 120)
        self.assertEqual((status["state"], status["created_count"]), ("Job Complete", RECORDS))


if __name__ == "__main__":
    print(f"seed {SEED}, {TIMES} locks", flush=True)
    unittest.main()
