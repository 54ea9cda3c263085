#!/usr/bin/python3
"""The server dies after its n-th change of the database or of a payload, n = 1, 2, 3 ...
until a run has no fault; after each, all goes on and comes to the same.

Every run is a job of three windows (small_jobs.py). TALLYMAN_CRASH_EVERY=1: every operation
and mode, and after every statement, also those that only read.
"""
import itertools
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from small_jobs import KINDS, SCHEMA, SETTINGS, TABLE, SmallJob, seed  # noqa: E402
from support import oracle  # noqa: E402
from support.database import KIND  # noqa: E402
from support.faults import FaultyServer  # noqa: E402
from support.oracle import Promise  # noqa: E402
from support.server import write_config  # noqa: E402
from support.wait import wait_until  # noqa: E402

EVERY = bool(os.environ.get("TALLYMAN_CRASH_EVERY"))
IN_EVERY_CHECK = ("insert", "upsert", "delete", "atomic", "atomic refused", "first of a key")
OF_DATABASE = ("statement" if EVERY else "change", "")
OF_PAYLOADS = (("write", "sync", "truncate", "rename", "create", "remove", "make folder"),
               "-tallyman/")
IN_SECOND_WINDOW = {"sqlite": ("SAVEPOINT tallyman_record", 3),
                    "postgresql": ("INSERT INTO tallyman.unit", 2)}[KIND]
POINTS_MAX = 2000  # A run that never ends without a fault would be a mistake of this test.


class CrashCase(unittest.TestCase):
    def setUp(self):
        self.server = FaultyServer(SCHEMA, settings=SETTINGS)
        self.addCleanup(self.server.close)
        seed(self.server)
        self.server.start()
        self.runs = itertools.count(1)
        self.promises = []
        self.crashed = 0

    def points(self, *places):
        """Yields what arms a crash after the 1st, 2nd ... call, until the body of the loop
        was run without one; the same for each of the places."""
        for kinds, text in places:
            for n in range(1, POINTS_MAX):
                yield lambda n=n, kinds=kinds, text=text: self.server.faults.arm(
                    kinds, n, "crash after", text)
                if not self.server.faults.fired:
                    break
                self.crashed += 1
            else:
                self.fail(f"{POINTS_MAX} runs, and each has a fault")

    def revived(self):
        """True where the server had died; after this it runs, and nothing is armed."""
        self.server.faults.disarm()
        if not self.server.faults.fired:
            return False
        self.server.process.wait(20)
        self.server.start()
        return True

    def check(self, crashes_min=0):
        self.assertGreaterEqual(self.crashed, crashes_min, "so few points were met")
        self.assertEqual(oracle.check(self.server, promises=self.promises), [])


class InMidJob(CrashCase):
    def come_to_the_same(self, kind):
        first = SmallJob(kind, next(self.runs))
        first.prepare(self.server)
        answer = first.submit(self.server.api())
        self.assertEqual(answer.status, 200, answer)
        self.promises.append(Promise(TABLE, answer.json["job_id"], "ended", answer.json))
        wanted = first.what_came_of_it(self.server, answer.json["job_id"])
        self.assertEqual(wanted["counts"]["total_items"], 6)
        for arm in self.points(OF_DATABASE, OF_PAYLOADS):
            job = SmallJob(kind, next(self.runs))
            job.prepare(self.server)
            arm()
            self.survive(job, wanted)
        self.check(crashes_min=40)

    def survive(self, job, wanted):
        answer = job.submit(self.server.api())
        where = f"run {job.run}, after {self.server.faults.what}"
        if not self.revived():
            self.assertEqual(answer.status, 200, f"{answer} {where}")
        went_on = self.end_of_what_was_complete(job, where)
        again = job.submit(self.server.api())
        self.assertEqual(again.status, 200, f"{again} {where}")
        ended = again.json["job_id"]
        if went_on:
            self.assertEqual(ended, went_on, f"one key, two jobs; {where}")
        if answer.kind == "ok":
            self.assertEqual(ended, answer.json["job_id"], where)
        self.assertEqual(job.what_came_of_it(self.server, ended), wanted, where)
        self.promises.append(Promise(TABLE, ended, "ended", again.json))

    def end_of_what_was_complete(self, job, where):
        """A job whose upload is complete goes on by itself: its id, once it has ended."""
        api = self.server.api()
        newest = api.call("GET", f"/api/{TABLE}/jobs/?limit=1").json["results"][0]
        history = api.history(TABLE, newest["job_id"])
        is_of_this_run = all(newest["job_id"] != promise.job for promise in self.promises)
        if not is_of_this_run or "upload_completed" not in [e["event"] for e in history]:
            return None
        try:
            api.wait_for_end(TABLE, newest["job_id"])
        except AssertionError as error:
            raise AssertionError(f"{error}; {where}") from None
        return newest["job_id"]


def _add_tests():
    for kind in KINDS if EVERY else IN_EVERY_CHECK:
        name = f"test_{kind.replace(' ', '_')}_comes_to_the_same_after_a_crash_at_every_point"
        setattr(InMidJob, name, lambda self, kind=kind: self.come_to_the_same(kind))


_add_tests()


class AtItsStart(CrashCase):
    def start_until_it_lives(self, begin):
        """Starts that crash after the 1st, 2nd, 3rd ... change, until one does not: how many
        it took."""
        for n in range(1, POINTS_MAX):
            self.server.faults.arm("change", n, "crash after")
            self.server.spawn()
            if begin():
                self.server.faults.disarm()
                return n
            self.server.process.wait(20)
        self.fail(f"{POINTS_MAX} starts, and each crashed")

    def test_a_job_goes_on_though_its_server_dies_again_and_again(self):
        job = SmallJob("insert", next(self.runs))
        # In its second window.
        text, nth = IN_SECOND_WINDOW
        self.server.faults.arm("change", nth, "crash after", text)
        job.submit(self.server.api())
        self.assertTrue(self.server.faults.fired)
        self.server.process.wait(20)

        def job_has_ended():
            return self.server.process.poll() is not None or bool(self.server.rows(
                f"select 1 from {self.server.database.own('job')} where state >= 3"))

        def begin():
            wait_until(job_has_ended, "the job has ended, or the server")
            return self.server.process.poll() is None
        self.assertGreater(self.start_until_it_lives(begin), 10)
        self.server.restart()
        answer = job.submit(self.server.api())
        self.assertEqual(answer.json["state"], "Job Complete", answer)
        seen = job.what_came_of_it(self.server, answer.json["job_id"])
        other = SmallJob("insert", next(self.runs))
        whole = other.submit(self.server.api())
        self.assertEqual(seen, other.what_came_of_it(self.server, whole.json["job_id"]))
        self.check()

    def test_a_database_that_was_half_set_up_is_set_up_by_the_next_start(self):
        self.server.close()
        self.server = FaultyServer(SCHEMA, settings=SETTINGS, token=False)
        self.addCleanup(self.server.close)
        write_config(self.server.folder / "tallyman.toml", self.server.database.url, SETTINGS,
                     self.server.resources)

        def begin():
            wait_until(lambda: self.server.process.poll() is not None or "http" in
                       self.server.output(), "the server listens, or has ended")
            return self.server.process.poll() is None
        self.assertGreater(self.start_until_it_lives(begin), 10)
        self.server.token = self.server.make_token("tests", "tester", ["*"])
        self.server.restart()
        seed(self.server)
        answer = SmallJob("insert", next(self.runs)).submit(self.server.api())
        self.assertEqual(answer.json["state"], "Job Complete", answer)
        self.check()


class BetweenCommitAndReply(CrashCase):
    """Each request dies at every point of its work; the client asks again."""

    def each_point(self):
        return self.points(("change", ""), OF_PAYLOADS)

    def open_job(self, kind="insert"):
        """A job that is Open, and its body."""
        small = SmallJob(kind, next(self.runs))
        opened = self.server.api().open_job(TABLE, small.operation, **small.options)
        self.assertEqual(opened.status, 201, opened)
        return small, opened.json["job_id"]

    def upload(self, small, job):
        answer = self.server.api().put_data(TABLE, job, 0, small.body)
        self.assertEqual(answer.status, 204, answer)

    def failed_job(self):
        """A job that has ended, and of which records can be retried."""
        small, job = self.open_job()
        self.upload(small, job)
        self.complete(job)
        return small, job

    def complete(self, job):
        answer = self.server.api().action(TABLE, job, "complete")
        if answer.status == 409:  # The first one was.
            self.assertEqual(answer.json["code"], "INVALID_STATE", answer)
        else:
            self.assertEqual(answer.status, 202, answer)
        status = self.server.api().wait_for_end(TABLE, job)
        self.assertEqual((status["state"], status["created_count"], status["error_count"]),
                         ("Job Complete", 4, 2), status)
        self.promises.append(Promise(TABLE, job, "ended", status))

    def test_a_job_that_is_created_again_under_its_key_is_the_same(self):
        for arm in self.each_point():
            key = {"Idempotency-Key": f"open-{next(self.runs)}"}
            before = self.jobs()
            arm()
            first = self.server.api().open_job(TABLE, "insert", headers=key)
            self.revived()
            again = self.server.api().open_job(TABLE, "insert", headers=key)
            self.assertEqual(again.status, 201, again)
            if first.kind == "ok":
                self.assertEqual(first.json["job_id"], again.json["job_id"])
            self.assertEqual(self.jobs(), before + 1)
        self.check(crashes_min=3)

    def jobs(self):
        return self.server.rows(f"select count(*) from {self.server.database.own('job')}")[0][0]

    def test_a_part_goes_on_at_the_acknowledged_offset(self):
        for arm in self.each_point():
            small, job = self.open_job()
            half = len(small.body) // 2
            answer = self.server.api().put_data(TABLE, job, 0, small.body[:half])
            self.assertEqual(answer.status, 204, answer)
            self.promises.append(Promise(TABLE, job, "offset", half))
            arm()
            answer = self.server.api().put_data(TABLE, job, half, small.body[half:])
            self.revived()
            head = self.server.api().call("HEAD", self.server.api().job_path(TABLE, job, "data"))
            offset = int(head.header("Upload-Offset"))
            self.assertIn(offset, (half, len(small.body)))
            if answer.kind == "ok":
                self.assertEqual(offset, len(small.body))
            if offset < len(small.body):
                answer = self.server.api().put_data(TABLE, job, offset, small.body[offset:])
                self.assertEqual(answer.status, 204, answer)
            self.complete(job)
        self.check(crashes_min=6)

    def test_an_upload_is_completed_once(self):
        for arm in self.each_point():
            small, job = self.open_job()
            self.upload(small, job)
            arm()
            self.server.api().action(TABLE, job, "complete")
            if not self.server.faults.fired:  # The job's own changes come after the answer.
                wait_until(lambda job=job: self.server.faults.fired or self.ended(job),
                           "the job has ended, or the server")
            self.revived()
            self.complete(job)
        self.check(crashes_min=6)

    def ended(self, job):
        answer = self.server.api().status(TABLE, job)
        return answer.kind == "ok" and answer.json["state"] == "Job Complete"

    def test_an_abort_is_done_or_is_done_by_the_next(self):
        for arm in self.each_point():
            small, job = self.open_job()
            self.upload(small, job)
            arm()
            first = self.server.api().action(TABLE, job, "abort")
            self.revived()
            again = self.server.api().action(TABLE, job, "abort")
            self.assertIn(again.status, (409,) if first.kind == "ok" else (200, 409), again)
            self.assertEqual(self.server.api().status(TABLE, job).json["state"], "Aborted")
            wait_until(lambda job=job: not list(self.server.folder.glob(f"*-tallyman/{job}*")),
                       "nothing of the upload is left")
        self.check(crashes_min=6)

    def test_a_retry_under_its_key_is_one_job(self):
        for arm in self.each_point():
            _, parent = self.failed_job()
            key = {"Idempotency-Key": f"retry-{parent}"}
            before = self.jobs()
            arm()
            first = self.retry(parent, key)
            if first.kind == "ok":  # Its copy and its windows come after the answer.
                child = first.json["job_id"]
                wait_until(lambda child=child: self.server.faults.fired or self.ended(child),
                           "the retry has ended, or the server")
            self.revived()
            again = self.retry(parent, key)
            self.assertEqual(again.status, 202, again)
            if first.kind == "ok":
                self.assertEqual(again.json["job_id"], first.json["job_id"])
            status = self.server.api().wait_for_end(TABLE, again.json["job_id"])
            self.assertEqual((status["state"], status["total_items"], status["error_count"]),
                             ("Job Complete", 2, 2), status)
            self.assertEqual(self.jobs(), before + 1)
        self.check(crashes_min=21)

    def retry(self, parent, key):
        api = self.server.api()
        return api.call("POST", api.job_path(TABLE, parent, "retry"), headers=key)

    def test_a_deleted_job_is_gone_or_goes_with_the_next(self):
        for arm in self.each_point():
            small, job = self.open_job()
            self.upload(small, job)
            self.assertEqual(self.server.api().action(TABLE, job, "abort").status, 200)
            api = self.server.api()
            arm()
            first = api.call("DELETE", api.job_path(TABLE, job))
            self.revived()
            again = self.server.api().call("DELETE", api.job_path(TABLE, job))
            self.assertIn(again.status, (404,) if first.kind == "ok" else (204, 404), again)
            wait_until(lambda job=job: not list(self.server.folder.glob(f"*-tallyman/{job}*")),
                       "nothing of the job is left")
        self.check(crashes_min=3)


if __name__ == "__main__":
    unittest.main()
