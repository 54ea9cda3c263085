#!/usr/bin/python3
"""What is done around a job on a disk that is full, fails, or takes half: retries, aborts,
removals, reading, starts and sweeps. Never a false success, and it goes on once the disk works.

Every call site once: the n-th call of a kind fails, n = 1, 2, 3 ... until a run has no fault.
TALLYMAN_DISK_FAULTS_EVERY=1 leaves none of the many writes of SQLite's log out.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from disk_case import (DATABASE, FEWER, LOG, PAYLOADS, DiskCase)  # noqa: E402
from small_jobs import SETTINGS, TABLE, SmallJob  # noqa: E402
from support.oracle import Promise  # noqa: E402
from support.wait import wait_until  # noqa: E402


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
