#!/usr/bin/python3
"""Jobs and other sessions that want the same rows of a PostgreSQL database: deadlocks, locks that
are held for long, jobs on the same keys. Nobody fails for it, tables that are free go on, and the
end is that of one job after the other. TALLYMAN_SEED replays a run."""
import itertools
import pathlib
import random
import sys
import threading
import time
import unittest

import psycopg2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import counts, effect_log, oracle  # noqa: E402
from support.database import private_server  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

SEED = counts.seed()
BATCHES = counts.times(480)   # Upserts of 500 of 5,000 keys, by 8 writers.
WRITERS = 8
KEYS, IN_BATCH = 5000, 500
HELD = counts.times(20)       # Locks of a foreign session.
SAME_KEYS = counts.times(500)  # Jobs on the same keys, 2 to 8 at once.
SCHEMA = """
create table items (id integer primary key, sku text not null unique, n integer,
                    amount decimal(10,2), note text);
create table others (id integer primary key, n integer);
"""


class Contention(unittest.TestCase):
    def setUp(self):
        self.chance = random.Random(f"{SEED} {self.id()}")
        self.server = Server(SCHEMA, settings={"window_records": 50, "lanes": 2, "workers": 4})
        self.addCleanup(self.server.close)
        self.connection = self.server.connect()
        self.addCleanup(self.connection.close)

    def start(self, rows):
        self.connection.executemany("insert into items (id, sku, n) values (?, ?, ?)",
                                    [(n, f"s{n}", n) for n in range(1, rows + 1)])
        self.server.database.go_on_after("items")
        for table in ("items", "others"):
            effect_log.install(self.server.database, table)
        self.server.prepare().start()
        self.api = self.server.api()

    def upsert(self, keys, tag):
        lines = ["sku,n,note"] + [f"s{key},{place},{tag}" for place, key in enumerate(keys)]
        return ("\n".join(lines) + "\n").encode()

    def untroubled(self, status, records, may_fail=()):
        self.assertEqual((status["state"], status["total_items"]), ("Job Complete", records),
                         f"seed {SEED}: {status}")
        self.assertLessEqual(set(status["error_summary"]), set(may_fail), f"seed {SEED}: {status}")

    # --- deadlocks ------------------------------------------------------------------------

    def test_a_storm_of_deadlocks_with_other_writers_surfaces_nowhere(self):
        """Half of the writers send jobs, half write as any program does: unsorted, and many
        rows in a transaction."""
        private_server().set(deadlock_timeout="'10ms'")
        self.addCleanup(private_server().set, deadlock_timeout="'1s'")
        self.server.settings["window_records"] = IN_BATCH  # A unit for each of the 8 slices.
        self.start(KEYS)
        over, deadlocks, foreign, jobs = threading.Event(), [], [], []
        strangers = [threading.Thread(target=self.write_unsorted,
                                      args=(n, over, deadlocks, foreign))
                     for n in range(WRITERS // 2)]
        for stranger in strangers:
            stranger.start()
        try:
            for number in range(BATCHES // WRITERS):
                started = []
                for writer in range(WRITERS):
                    keys = self.chance.sample(range(1, KEYS + 1), IN_BATCH)
                    answer = self.api.submit("upsert", "items", self.upsert(keys, f"j{number}"),
                                             unique_fields="sku")
                    self.assertEqual(answer.status, 202, answer)
                    started.append((writer, answer.json["job_id"]))
                for _, job in started:
                    status = self.api.wait_for_end("items", job, 120)
                    self.untroubled(status, IN_BATCH)
                    jobs.append(status["retries"])
        finally:
            over.set()
            for stranger in strangers:
                stranger.join()
        print(f"{sum(deadlocks)} deadlocks hit the other writers, {sum(jobs)} retries in "
              f"{len(jobs)} jobs", flush=True)
        self.assertNotIn("Z error ", self.server.log())
        self.connection.execute("delete from effect_log where writer = any (?)", (foreign,))
        self.assertEqual(oracle.check(self.server, ["items"]), [], f"seed {SEED}")

    def write_unsorted(self, number, over, deadlocks, foreign):
        chance = random.Random(f"{SEED} stranger {number}")
        connection = self.server.connect(seconds=60)
        while not over.is_set():
            connection.execute("begin")
            foreign += connection.execute("select pg_current_xact_id()::text").fetchone()
            try:
                for key in chance.sample(range(1, KEYS + 1), 20):
                    connection.execute("update items set amount = ? where id = ?", (key, key))
                connection.execute("commit")
            except psycopg2.errors.DeadlockDetected:
                connection.execute("rollback")
                deadlocks.append(1)
        connection.close()

    # --- locks that are held ----------------------------------------------------------------

    def test_a_lock_of_another_session_makes_its_job_wait_and_no_other(self):
        self.start(2000)
        holder = self.server.connect(seconds=60)
        self.addCleanup(holder.close)
        for number in range(HELD):
            lock = self.chance.choice((
                "lock table items in access exclusive mode", "lock table items in share mode",
                "select 1 from items where id % 97 = 5 for update",
                "delete from items where id = 1999"))
            holder.execute("begin")
            holder.execute(lock)
            keys = self.chance.sample(range(1, 2001), 300)
            waiting = self.api.submit("upsert", "items", self.upsert([*keys, 5, 1999], f"h{number}"),
                                      unique_fields="sku")
            self.assertEqual(waiting.status, 202, waiting)
            job = waiting.json["job_id"]
            free = self.api.run("insert", "others", f"n\n{number}\n".encode())
            self.untroubled(free, 1)
            moment = time.monotonic() + self.chance.random() * 1.5
            while time.monotonic() < moment:  # That the lock is held for so long is the fault.
                status = self.api.status("items", job)
                self.assertEqual(status.status, 200, status)
                self.assertIn(status.json["state"], ("Upload Complete", "In Progress"), status)
                time.sleep(0.02)
            holder.execute("rollback")
            self.untroubled(self.api.wait_for_end("items", job, 60), 302)
        self.assertEqual(oracle.check(self.server, ["items", "others"]), [], f"seed {SEED}")

    def test_a_lock_that_outlasts_every_wait_is_waited_for(self):
        """Longer than one attempt of a worker waits (5 s)."""
        self.start(200)
        holder = self.server.connect(seconds=60)
        self.addCleanup(holder.close)
        holder.execute("begin")
        holder.execute("select 1 from items where id = 100 for update")
        job = self.api.submit("upsert", "items", self.upsert(range(1, 201), "long"),
                              unique_fields="sku").json["job_id"]
        status = wait_until(lambda: self.tried_again(job), "the worker has tried again", 60)
        self.assertEqual(status["error_count"], 0, status)
        holder.execute("commit")
        self.untroubled(self.api.wait_for_end("items", job, 60), 200)
        self.assertEqual(oracle.check(self.server, ["items"]), [])

    def tried_again(self, job):
        status = self.api.status("items", job).json
        return status if status["retries"] > 0 else None

    # --- the same keys ------------------------------------------------------------------------

    def test_jobs_on_the_same_keys_end_as_one_after_the_other(self):
        """All pairs of operations; what the oracle holds each effect against is the order in
        which the jobs were submitted."""
        self.start(40)
        self.connection.execute("delete from items where id > 20")
        self.connection.execute("delete from effect_log")
        operations = ("insert", "upsert", "update", "replace", "delete")
        pairs = [(a, b) for a in operations for b in operations]
        started = []
        for number in itertools.count():
            if len(started) >= SAME_KEYS:
                break
            chosen = list(pairs[number % len(pairs)])
            chosen += self.chance.choices(operations, k=self.chance.randrange(0, 7))
            senders = [threading.Thread(target=self.send, args=(operation, f"r{number}-{place}",
                                                                started))
                       for place, operation in enumerate(chosen)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
        for job in started:
            self.assertEqual(self.api.wait_for_end("items", job, 120)["state"], "Job Complete")
        print(f"{len(started)} jobs", flush=True)
        self.assertEqual(oracle.check(self.server, ["items"], without=("I10",)), [], f"seed {SEED}")

    def send(self, operation, tag, started):
        chance = random.Random(f"{SEED} {tag}")
        keys = [chance.randrange(1, 41) for _ in range(60)]
        lines = {"delete": ["id"] + [f"{key}" for key in keys],
                 "replace": ["id,sku,n"] + [f"{key},s{key},{n}" for n, key in enumerate(keys)],
                 "update": ["id,n"] + [f"{key},{n}" for n, key in enumerate(keys)]}.get(
                     operation, ["id,sku,n"] + [f"{key},s{key},{n}" for n, key in enumerate(keys)])
        options = {"unique_fields": "sku"} if operation == "upsert" else {}
        api = self.server.api()
        answer = api.submit(operation, "items", ("\n".join(lines) + "\n").encode(), **options)
        api.close()
        if answer.status == 202:
            started.append(answer.json["job_id"])


if __name__ == "__main__":
    print(f"seed {SEED}, {BATCHES} upserts, {HELD} locks, {SAME_KEYS} jobs on the same keys", flush=True)
    unittest.main()
