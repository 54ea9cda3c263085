"""DiskCase: a test whose server meets a disk that is full, fails, or takes half.

    class Uploading(DiskCase):
        def test_each_sync(self):
            for arm in self.points(("sync",), "EIO", PAYLOADS):   # the 1st, the 2nd ...
                arm()
                self.persist("EIO", lambda: job.submit(self.api, wait=0), 202)

TALLYMAN_DISK_FAULTS_EVERY=1 leaves none of the many writes of SQLite's log out.
"""
import itertools
import os
import time
import unittest

from small_jobs import SCHEMA, SETTINGS, TABLE, SmallJob, seed
from support import oracle
from support.faults import FaultyServer
from support.oracle import Promise

EVERY = bool(os.environ.get("TALLYMAN_DISK_FAULTS_EVERY"))
PAYLOADS, SCRATCH, LOG, DATABASE = "-tallyman/", "/scratch/", "app.db-wal", "app.db$"
# What fails, and how. "short" is no failure: the rest is written by the next call.
FAULTS = ((("write",), "ENOSPC"), (("write",), "EIO"), (("write",), "short"), (("sync",), "EIO"),
          (("create", "make folder"), "ENOSPC"), (("create", "open"), "EIO"),
          (("rename",), "EIO"), (("truncate",), "EIO"), (("remove",), "EIO"))
# Where the same calls were met in another test already.
FEWER = FAULTS if EVERY else tuple(
    fault for fault in FAULTS if fault[0] != ("write",) or fault[1] == "ENOSPC")
FULL = ("write", "create", "make folder")  # What a full disk refuses.
POINTS_MAX = 2000


class DiskCase(unittest.TestCase):
    settings = SETTINGS

    def setUp(self):
        self.server = FaultyServer(SCHEMA + "create table others (n integer);",
                                   resources={TABLE: None}, settings=self.settings)
        self.addCleanup(self.server.close)
        self.faults = self.server.faults
        seed(self.server)
        self.server.start()
        self.api = self.server.api()
        self.runs = itertools.count(1)
        self.promises = []
        self.met = 0  # Faults that were reached.
        self.wanted = {}

    def points(self, kinds, action, text="", sticky=False, step=1):
        """Yields what arms the 1st, 2nd ... call as a fault, until the body of the loop was
        run without one."""
        for n in range(1, POINTS_MAX, 1 if EVERY else step):
            yield lambda n=n: self.faults.arm(kinds, n, action, text, sticky)
            self.faults.disarm()
            if not self.faults.fired:
                return
            self.met += 1
        self.fail(f"{POINTS_MAX} runs, and each has a fault")

    def forget_pages(self):
        """Whoever has pages of the database in memory must read them again."""
        self.server.execute("insert into others values (1)")

    def was_refused(self, answer, action):
        """False for a success; a failure must say what it is."""
        where = f"{action}: {self.faults.what}"
        if answer.kind == "ok":
            return False
        if answer.status is None:
            self.assertEqual(answer.kind, "unknown", f"{answer} {where}")
            return True
        self.assertEqual(answer.status, 507 if action in ("ENOSPC", "short") else 503,
                         f"{answer} {where}")
        if answer.status == 503:
            self.assertGreater(int(answer.header("Retry-After")), 0)
        return True

    def persist(self, action, call, status):
        """Asks until it is granted; what makes a full disk empty comes after the first no."""
        unknown = False
        for _ in range(3):
            answer = call()
            # What was never answered may be in the server still.
            while answer.status == 409 and answer.json["code"] == "UPLOAD_IN_PROGRESS" and unknown:
                time.sleep(0.01)
                answer = call()
            unknown = answer.kind == "unknown"
            if not self.was_refused(answer, action):
                self.assertEqual(answer.status, status, answer)
                return answer
            self.faults.disarm()
        self.fail(f"still refused, though the disk works again: {answer}")

    def reference(self, kind):
        """What comes of a job where nothing fails."""
        if kind not in self.wanted:
            job = SmallJob(kind, next(self.runs))
            job.prepare(self.server)
            answer = job.submit(self.api)
            self.assertEqual(answer.status, 200, answer)
            self.wanted[kind] = job.what_came_of_it(self.server, answer.json["job_id"])
        return self.wanted[kind]

    def ends_like(self, kind, job, answer):
        """The job of `answer` goes on by itself to the same end: its status."""
        wanted = self.reference(kind)
        ended = answer.json["job_id"]
        what = self.faults.what
        status = self.api.wait_for_end(TABLE, ended)
        self.faults.disarm()
        self.assertEqual(job.what_came_of_it(self.server, ended), wanted,
                         f"{what} {self.api.history(TABLE, ended)}")
        self.promises.append(Promise(TABLE, ended, "ended", status))
        return status

    def check(self, met_min):
        self.assertGreaterEqual(self.met, met_min, "so few faults were met")
        self.assertEqual(oracle.check(self.server, promises=self.promises), [])
        self.server.restart()
        self.assertEqual(oracle.check(self.server, promises=self.promises), [])
