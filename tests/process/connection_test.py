#!/usr/bin/python3
"""The connection to PostgreSQL breaks: killed again and again through whole jobs, at a COMMIT or
at its reply, with the server that is stopped in mid-job. All goes on by itself, nothing is lost,
nothing happens twice and no record fails for it. TALLYMAN_SEED replays a run."""
import itertools
import pathlib
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import small_jobs  # noqa: E402
from small_jobs import KINDS as SMALL_KINDS, SmallJob  # noqa: E402
from support import counts, oracle  # noqa: E402
from support.api import ENDED  # noqa: E402
from support.database import private_server  # noqa: E402
from support.oracle import Promise  # noqa: E402
from support.proxy import COMMIT, Proxy  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402
from workload import KINDS, SCHEMA, TABLE, Workload  # noqa: E402

SEED = counts.seed()
KILLED = counts.times(100)        # Jobs through which connections are killed.
LOST = counts.shares(300, SMALL_KINDS)   # COMMITs.
STOPPED = counts.times(20)        # Times that PostgreSQL is stopped.
SETTINGS = {"window_records": 150, "lanes": 2}  # Of 600 records, in 8 slices.
PAUSE_SECONDS = (0.05, 0.4)       # Between two kills; a job takes about half a second.


class Breaking(unittest.TestCase):
    """One server of ours a test."""

    def prepare(self, schema, settings, seed):
        self.chance = random.Random(f"{SEED} {self.id()}")
        self.promises = []
        self.server = Server(schema, settings=settings)
        self.addCleanup(self.server.close)
        seed(self.server)
        self.server.prepare().start()

    def submit(self, upload, key):
        """Sends it, again and again, until it is taken: the job."""
        def taken():
            answer = self.server.api().submit(upload.operation, TABLE, upload.body, headers={
                "Idempotency-Key": key}, **upload.options)
            self.assertNotIn(answer.status, (400, 401, 403, 404, 422), f"seed {SEED}: {answer}")
            return answer.json["job_id"] if answer.kind == "ok" else None
        return wait_until(taken, f"{key} is taken (seed {SEED})", 60)

    def wait_for_end(self, job, seconds=120):
        api = self.server.api()

        def look():
            answer = api.status(TABLE, job)
            self.assertNotEqual(answer.status, 404, f"job {job} is gone; seed {SEED}")
            return answer.json if answer.kind == "ok" and answer.json["state"] in ENDED else None
        status = wait_until(look, f"job {job} has ended (seed {SEED})", seconds, 0.02)
        self.promises.append(Promise(TABLE, job, "ended", status))
        return status

    def judge(self, upload, status):
        self.assertEqual(status["state"], upload.ends_as, f"seed {SEED}: {status}")
        self.assertEqual(status["total_items"], upload.records)

    def check(self):
        self.assertEqual(oracle.check(self.server, promises=self.promises), [], f"seed {SEED}")

    # --- killed through whole jobs --------------------------------------------------------

    def test_connections_are_killed_through_whole_jobs(self):
        work = Workload(random.Random(SEED))
        self.prepare(SCHEMA, SETTINGS, work.seed)
        retried = 0
        with Killer(self.server.database, self.chance) as killer:
            for number in range(KILLED):
                upload = work.upload(KINDS[number % len(KINDS)])
                killer.pause = 1
                status = self.wait_for_end(self.submit(upload, f"killed {number}"))
                self.judge(upload, status)
                retried += status["retries"] > 0
        print(f"{killer.kills} connections were killed in {KILLED} jobs, {retried} of them show "
              "that they tried again", flush=True)
        if KILLED >= 20:
            self.assertGreater(retried, 0)
        self.check()

    # --- at a COMMIT ----------------------------------------------------------------------

    def test_a_commit_whose_reply_is_lost_is_found_and_one_that_is_lost_is_made_again(self):
        self.prepare(small_jobs.SCHEMA, {**small_jobs.SETTINGS, "lanes": 2}, small_jobs.seed)
        self.server.kill()
        through = Proxy(self.server.database.url)
        self.addCleanup(through.close)
        self.server.reached_by = through.url
        self.server.start()
        self.runs = itertools.count(1)
        for kind, times in LOST.items():
            through.count(COMMIT)
            wanted = self.run_small(kind)  # As it is where nothing is lost.
            commits = through.seen
            for _ in range(times):
                through.lose(COMMIT, self.chance.randrange(1, commits + 1),
                             reply=self.chance.random() < 0.75)
                self.assertEqual(self.run_small(kind), wanted, f"seed {SEED}, {kind}")
            print(f"{kind}: {commits} commits a job, {through.lost} lost so far", flush=True)
        self.assertGreater(through.lost, sum(LOST.values()) // 2)
        through.count(COMMIT)
        self.check()

    def run_small(self, kind):
        """A small job, and what came of it."""
        job = SmallJob(kind, next(self.runs))
        job.prepare(self.server)
        status = self.wait_for_end(self.submit_small(job))
        return job.what_came_of_it(self.server, status["job_id"])

    def submit_small(self, job):
        def taken():
            answer = job.submit(self.server.api(), wait=None)
            self.assertIn(answer.status, (None, 200, 202, 409, 500, 503), f"seed {SEED}: {answer}")
            return answer.json["job_id"] if answer.kind == "ok" else None
        return wait_until(taken, f"run {job.run} is taken (seed {SEED})", 60)

    # --- with the server --------------------------------------------------------------------

    def test_postgresql_is_stopped_in_mid_job_and_started_again(self):
        work = Workload(random.Random(SEED))
        self.prepare(SCHEMA, SETTINGS, work.seed)
        for number in range(STOPPED):
            upload = work.upload(KINDS[number % len(KINDS)])
            job = self.submit(upload, f"stopped {number}")
            moment = time.monotonic() + self.chance.random() * 0.3
            while time.monotonic() < moment:
                time.sleep(0.001)
            private_server().stop()
            answer = self.server.api().call("GET", "/healthz")
            self.assertEqual(answer.status, 200, "the process lives without its database")
            answer = self.server.api().status(TABLE, job)
            self.assertIn(answer.status, (500, 503), answer)
            private_server().start()
            self.judge(upload, self.wait_for_end(job))
        self.check()


class Killer(threading.Thread):
    """Kills the server's connections, one or all at once, until it is told to stop.

    `pause` stretches the time from kill to kill, and grows with each, so that what is one
    transaction from end to end gets through on a machine of any speed."""

    def __init__(self, database, chance):
        super().__init__()
        self.database, self.chance, self.kills, self.pause = database, chance, 0, 1
        self._over = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def run(self):
        # By the owner of the connections, in one of its own that it spares.
        connection = self.database.connect()
        while not self._over.wait(self.chance.uniform(*PAUSE_SECONDS) * self.pause):
            self.pause *= 1.05
            most = self.chance.choice((1, 1, 100))
            killed = connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = "
                "current_database() and usename = current_user and pid <> pg_backend_pid() "
                f"order by random() limit {most}").fetchall()
            self.kills += len(killed)
        connection.close()


if __name__ == "__main__":
    print(f"seed {SEED}, {KILLED} jobs under kills, {sum(LOST.values())} lost commits, {STOPPED} stops",
          flush=True)
    unittest.main()
