#!/usr/bin/python3
"""Uploads and jobs on a disk that is full, fails, or takes half: never a false success, nothing
acknowledged is lost, and once it works again everything goes on.

Every call site once: the n-th call of a kind fails, n = 1, 2, 3 ... until a run has no fault.
TALLYMAN_DISK_FAULTS_EVERY=1 leaves none of the many writes of SQLite's log out.
"""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from disk_case import (DATABASE, EVERY, FAULTS, FEWER, FULL, LOG,
                       PAYLOADS, POINTS_MAX, SCRATCH, DiskCase)  # noqa: E402
from small_jobs import TABLE, SmallJob  # noqa: E402
from support.api import ENDED  # noqa: E402
from support.wait import wait_until  # noqa: E402


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
        self.assertGreater(retries, 5)  # How many depends on how long each was full.
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


if __name__ == "__main__":
    unittest.main()
