#!/usr/bin/python3
"""A disk that is full, fails, or takes half: never a false success, nothing acknowledged is
lost, and once it works again everything goes on.

Every call site once: the n-th call of a kind fails, n = 1, 2, 3 ... until a run has no fault.
TALLYMAN_DISK_FAULTS_EVERY=1 leaves none of the many writes of SQLite's log out.
"""
import itertools
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from small_jobs import KINDS, SCHEMA, SETTINGS, TABLE, SmallJob, seed  # noqa: E402
from support import oracle  # noqa: E402
from support.api import ENDED  # noqa: E402
from support.faults import FaultyServer  # noqa: E402
from support.oracle import Promise  # noqa: E402
from support.wait import wait_until  # noqa: E402

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
        for _ in range(3):
            answer = call()
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


class OneRequest(DiskCase):
    """Upload, completion and job of one request; the client sends it again where it was
    refused."""

    def survive(self, kind, action, arm):
        job = SmallJob(kind, next(self.runs))
        job.prepare(self.server)
        arm()
        answer = self.persist(action, lambda: job.submit(self.api, wait=0), 202)
        return self.ends_like(kind, job, answer)

    def survive_each(self, kind, text, faults=FAULTS, step=1):
        self.reference(kind)
        retries = 0
        for kinds, action in faults:
            for arm in self.points(kinds, action, text, step=step):
                counted = self.survive(kind, action, arm)["retries"]
                # What only the job does, and cannot do without.
                if ".spool" in self.faults.what and action != "short" and "remove" not in kinds:
                    self.assertGreater(counted, 0, self.faults.what)
                retries += counted
        return retries

    def test_each_call_on_the_payload_of_an_upload(self):
        self.survive_each("insert", PAYLOADS)
        self.check(met_min=20)

    def test_each_call_on_the_scratch_files_of_an_atomic_job(self):
        self.assertGreater(self.survive_each("atomic", SCRATCH), 5)
        self.survive_each("atomic refused", SCRATCH)
        self.check(met_min=10)

    def test_each_call_on_the_key_table_of_on_duplicate(self):
        self.assertGreater(self.survive_each("first of a key", SCRATCH, FEWER), 5)
        self.check(met_min=10)

    def test_each_write_and_sync_of_the_databases_log(self):
        retries = self.survive_each("insert", LOG, ((("write",), "ENOSPC"), (("sync",), "EIO")),
                                    step=2)
        retries += self.survive_each("upsert", LOG, ((("write",), "EIO"), (("write",), "short")),
                                     step=7)
        self.assertGreater(retries, 20)
        self.check(met_min=40)

    def test_each_write_of_an_atomic_jobs_transaction(self):
        self.assertGreater(self.survive_each("atomic", LOG, (
            (("write",), "ENOSPC"), (("write",), "EIO"), (("sync",), "EIO")), step=8), 5)
        self.check(met_min=12)

    def test_each_read_of_a_job(self):
        for kind, text in (("insert", PAYLOADS), ("first of a key", PAYLOADS), ("upsert", LOG),
                           ("upsert", DATABASE)):
            self.reference(kind)
            for arm in self.points("read", "EIO", text):
                self.forget_pages()
                self.survive(kind, "EIO", arm)
        self.check(met_min=10)

    def test_a_disk_that_fills_up_anywhere_and_stays_full_until_there_is_room(self):
        self.reference("insert")
        retries = 0
        for n in range(1, POINTS_MAX, 1 if EVERY else 4):
            job = SmallJob("insert", next(self.runs))
            self.faults.arm(FULL, n, "short" if n % 2 else "ENOSPC", sticky=True)
            answer = self.persist("ENOSPC", lambda job=job: job.submit(self.api, wait=0), 202)
            self.stay_full_for_a_while(answer.json["job_id"])
            self.faults.disarm()
            retries += self.ends_like("insert", job, answer)["retries"]
            if not self.faults.fired:
                break
            self.met += 1
        self.assertGreater(retries, 20)
        self.check(met_min=15)

    def stay_full_for_a_while(self, job):
        """Until several attempts were in vain; all the while the job is there to be seen."""
        def tried():
            status = self.api.status(TABLE, job)
            self.assertEqual(status.status, 200, status)
            self.assertNotIn(status.json["state"], ("Failed", "Aborted"), status)
            self.assertFalse([e for e in status.json["errors"] if e["code"] == "DATABASE_ERROR"])
            return status.json["state"] in ENDED or self.faults.fired >= 3
        wait_until(tried, "the job has ended, or met the full disk a few times")

    def test_a_disk_that_fills_up_at_a_checkpoint_of_the_database(self):
        for kinds, action, n in ((("write",), "ENOSPC", 1), (("write",), "EIO", 2),
                                 (("write",), "short", 3), (("sync",), "EIO", 1)):
            self.faults.arm(kinds, n, action, DATABASE)
            wait_until(self.checkpoint, "the log was written back")
            self.met += self.faults.fired
            self.faults.disarm()
            self.checkpoint()
        self.check(met_min=4)

    def checkpoint(self):
        """A job of many windows, for the checkpoints at its commits."""
        run = next(self.runs)
        lines = [f"c{run}-{n},{'x' * 400}" for n in range(120)]
        answer = self.api.submit("insert", TABLE, "\n".join(["sku,note", *lines]).encode())
        self.assertEqual(answer.status, 202, f"{answer} {self.faults.what}")
        status = self.api.wait_for_end(TABLE, answer.json["job_id"])
        self.assertEqual(status["created_count"], 120, f"{status} {self.faults.what}")
        return self.faults.fired


class InSteps(DiskCase):
    """The client asks for the offset after each failure, and goes on from there."""

    def upload(self, job, action):
        """Opens, sends three parts, completes: the answer to the completion."""
        opened = self.persist(action, lambda: self.api.open_job(
            TABLE, job.operation, headers={"Idempotency-Key": f"run-{job.run}"}, **job.options),
                              201)
        number = opened.json["job_id"]
        ends = [len(job.body) // 3, len(job.body) * 2 // 3, len(job.body)]
        offset = 0
        while offset < len(job.body):
            end = min(e for e in ends if e > offset)
            answer = self.api.put_data(TABLE, number, offset, job.body[offset:end])
            if not self.was_refused(answer, action):
                self.assertEqual(int(answer.header("Upload-Offset")), end)
                offset = end
                continue
            self.faults.disarm()
            found = int(self.head(number, action).header("Upload-Offset"))
            self.assertIn(found, (offset, end), "acknowledged bytes are gone")
            offset = found
        return self.persist(action, lambda: self.completed(number), 202)

    def head(self, number, action):
        return self.persist(action, lambda: self.api.call(
            "HEAD", self.api.job_path(TABLE, number, "data")), 200)

    def completed(self, number):
        return self.api.action(TABLE, number, "complete")

    def test_each_call_on_the_payload_of_an_upload_in_parts(self):
        self.reference("insert")
        for kinds, action in FEWER:
            sticky = "sync" in kinds or action == "ENOSPC"
            for arm in self.points(kinds, action, PAYLOADS, sticky):
                job = SmallJob("insert", next(self.runs))
                arm()
                answer = self.upload(job, action)
                self.faults.disarm()  # What a job does on such a disk stands above.
                self.ends_like("insert", job, answer)
        self.check(met_min=40)

    def test_an_upload_on_a_disk_that_cannot_be_read(self):
        self.reference("insert")
        for arm in self.points("read", "EIO", PAYLOADS):
            job = SmallJob("insert", next(self.runs))
            arm()
            self.ends_like("insert", job, self.upload(job, "EIO"))
        self.check(met_min=5)

    def open_with_data(self):
        """A small job that is Open and has all of its data."""
        job = SmallJob("insert", next(self.runs))
        number = self.api.open_job(TABLE, job.operation).json["job_id"]
        self.assertEqual(self.api.put_data(TABLE, number, 0, job.body).status, 204)
        return job, number

    def test_a_failed_sync_is_not_believed_when_it_is_asked_again(self):
        """The kernel forgets the pages that it could not write: they are written anew."""
        self.reference("insert")
        for suffix in (".data", ".index", ".state-new"):
            job = SmallJob("insert", next(self.runs))
            number = self.api.open_job(TABLE, job.operation).json["job_id"]
            self.faults.arm(("sync", "write"), 0, "count", suffix, logged=True)
            self.api.put_data(TABLE, number, 0, job.body)
            syncs = [place for place, call in enumerate(self.faults.calls(), 1)
                     if call.startswith("fdatasync")]
            if not syncs:
                continue
            job = SmallJob("insert", next(self.runs))
            number = self.api.open_job(TABLE, job.operation).json["job_id"]
            self.faults.arm(("sync", "write"), syncs[0], "EIO", suffix, logged=True)
            self.assertTrue(self.was_refused(
                self.api.put_data(TABLE, number, 0, job.body), "EIO"), suffix)
            self.assertEqual(self.api.put_data(TABLE, number, 0, job.body).status, 204)
            after = [call.split()[0] for call in self.faults.calls()[syncs[0]:]]
            self.assertEqual(after[:2], ["pwrite", "fdatasync"], suffix)
            self.met += 1
        self.check(met_min=2)

    def test_what_a_folder_could_not_sync_is_not_acknowledged(self):
        """Neither now nor when it is asked again, as long as the folder cannot be synced."""
        self.reference("insert")
        for step in (self.completed, lambda number: self.api.put_data(TABLE, number, 80, b"x,")):
            for arm in self.points("sync", "EIO", "-tallyman$", sticky=True):
                job = SmallJob("insert", next(self.runs))
                number = self.api.open_job(TABLE, job.operation).json["job_id"]
                self.assertEqual(self.api.put_data(TABLE, number, 0, job.body[:80]).status, 204)
                arm()
                answer = step(number)
                if not self.faults.fired:
                    continue
                self.assertEqual(answer.status, 503, answer)
                for again in (lambda: self.completed(number), lambda: self.api.call(
                        "HEAD", self.api.job_path(TABLE, number, "data"))):
                    answer = again()
                    self.assertEqual(answer.status, 503, f"{answer} {self.faults.what}")
        self.check(met_min=4)


class Around(DiskCase):
    """What is done to a job, and what is read of it."""

    def call(self, method, number, name, **named):
        return self.api.call(method, self.api.job_path(TABLE, number, name), **named)

    def failed_job(self):
        answer = SmallJob("insert", next(self.runs)).submit(self.api)
        self.assertEqual(answer.status, 200, answer)
        return answer.json["job_id"]

    def test_each_call_of_a_retrys_copy(self):
        parent, retries = self.failed_job(), 0
        for kinds, action in FEWER:
            for text in (PAYLOADS, LOG):
                for arm in self.points(kinds, action, text, step=9 if text == LOG else 1):
                    key = {"Idempotency-Key": f"retry-{next(self.runs)}"}
                    arm()
                    answer = self.persist(action, lambda key=key: self.call(
                        "POST", parent, "retry", headers=key), 202)
                    status = self.api.wait_for_end(TABLE, answer.json["job_id"])
                    self.assertEqual((status["state"], status["total_items"],
                                      status["error_count"]), ("Job Complete", 2, 2),
                                     f"{status} {self.faults.what}")
                    retries += status["retries"]
        self.assertGreater(retries, 10)
        self.check(met_min=20)

    def test_each_call_of_an_abort_and_of_a_removal(self):
        for kinds, action in FEWER:
            for arm in self.points(kinds, action, step=3):
                job = SmallJob("insert", next(self.runs))
                number = self.api.open_job(TABLE, "insert").json["job_id"]
                self.api.put_data(TABLE, number, 0, job.body)
                arm()
                self.persist(action, lambda n=number: self.call("POST", n, "abort"), 200)
                self.assertEqual(self.api.status(TABLE, number).json["state"], "Aborted")
                self.persist(action, lambda n=number: self.call("DELETE", n, ""), 204)
                self.assertEqual(self.api.status(TABLE, number).status, 404)
        self.check(met_min=10)

    def read_through_faults(self, text, get):
        """Each read fails once: a whole and right answer, or an honest failure."""
        wanted = get()
        self.assertEqual(wanted.status, 200, wanted)
        failures = 0
        for arm in self.points("read", "EIO", text):
            self.forget_pages()
            arm()
            answer = get()
            if self.was_refused(answer, "EIO"):
                failures += 1
            else:
                self.assertEqual(answer.body, wanted.body, self.faults.what)
        return failures

    def test_results_of_a_disk_that_cannot_be_read(self):
        number = self.failed_job()
        body = b'{"sku": "j1", "n": 1}\n{"sku": "j1", "n": 2}\n{"n": "x"}\n'
        other = self.api.run("insert", TABLE, body, "ndjson")["job_id"]
        failures = 0
        for job in (number, other):
            for text in (PAYLOADS, LOG, DATABASE):
                failures += self.read_through_faults(
                    text, lambda job=job: self.call("GET", job, "results"))
        self.assertGreater(failures, 10)
        self.check(met_min=10)

    def test_answers_of_a_database_that_cannot_be_read(self):
        number = self.failed_job()
        failures = 0
        for path in (self.api.job_path(TABLE, number, "status"), f"/api/{TABLE}/schema/",
                     self.api.job_path(TABLE, number, "history"), f"/api/{TABLE}/jobs/?limit=1"):
            for text in (LOG, DATABASE):
                failures += self.read_through_faults(text, lambda path=path: self.api.call(
                    "GET", path))
        self.assertGreater(failures, 10)
        self.check(met_min=10)

    def test_files_that_cannot_be_opened(self):
        number = self.failed_job()
        for path in (self.api.job_path(TABLE, number, "status"),
                     self.api.job_path(TABLE, number, "results")):
            wanted = self.api.call("GET", path)
            for action in ("EIO", "EMFILE"):
                for arm in self.points(("open", "create"), action):
                    arm()
                    answer = self.api.call("GET", path)
                    if not self.was_refused(answer, action):
                        self.assertEqual(answer.body, wanted.body, self.faults.what)
        self.check(met_min=4)


class AtItsStart(DiskCase):
    def test_each_call_of_a_start(self):
        first = SmallJob("insert", next(self.runs))
        answer = first.submit(self.api)
        self.promises.append(Promise(TABLE, answer.json["job_id"], "ended", answer.json))
        for kinds, action in FEWER + ((("read",), "EIO"),):
            for arm in self.points(kinds, action, step=3 if "read" in kinds else 1):
                self.server.kill()
                arm()
                self.server.spawn()
                wait_until(lambda: self.server.process.poll() is not None or "http" in
                           self.server.output(), "the server listens, or has ended")
                self.faults.disarm()
                if self.server.process.poll() is not None:
                    self.assertGreater(self.server.process.returncode, 0, self.faults.what)
                    self.server.start()
        self.server.restart()
        self.check(met_min=10)


class Sweeping(DiskCase):
    settings = {**SETTINGS, "results_retention": "1s", "job_retention": "2s"}

    def test_what_could_not_be_removed_is_removed_by_a_later_sweep(self):
        for kinds, action, text in ((("remove",), "EIO", PAYLOADS), (("write",), "ENOSPC", LOG),
                                    (("sync",), "EIO", ""), (("read",), "EIO", LOG)):
            for n in (1, 4):
                for _ in range(2):
                    SmallJob("insert", next(self.runs)).submit(self.api)
                self.faults.arm(kinds, n, action, text)
                wait_until(lambda: self.faults.fired or self.is_swept(), "the sweeper met it")
                self.met += self.faults.fired
                self.faults.disarm()
        wait_until(self.is_swept, "all is swept")
        self.check(met_min=6)

    def is_swept(self):
        return not self.server.rows("select 1 from tallyman_job") and not list(
            self.server.folder.glob("*-tallyman/*.data"))


if __name__ == "__main__":
    unittest.main()
