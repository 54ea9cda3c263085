#!/usr/bin/python3
"""`kill -9` at random moments: nothing is lost, nothing happens twice, all goes on by itself.

200 kills in mid-job over all operations, 100 in mid-upload and between commit and reply.
TALLYMAN_SEED replays a run.
"""
import pathlib
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import counts, oracle  # noqa: E402
from support.api import ENDED  # noqa: E402
from support.database import KIND  # noqa: E402
from support.oracle import Promise  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402
from workload import KINDS, SCHEMA, TABLE, Workload  # noqa: E402

SEED = counts.seed()
IN_JOB = counts.shares(200, KINDS)
IN_UPLOAD = counts.shares(50, KINDS)
UNDER_ONE_KEY = counts.shares(50, KINDS)
SETTINGS = {"window_records": 10}  # 60 units a job.
# A SQLite file's next process knows that the one before is dead; a node of many waits for
# its lease to run out, and takes longer to begin a job.
SOONEST, BEGIN = 0.0005, 0.01  # Seconds within which a kill comes, at the least and at first.
LOOK_SECONDS = 0.003
if KIND == "postgresql":  # 8 slices a window.
    SETTINGS = {"window_records": 150, "lease_time": "300ms"}
    SOONEST, BEGIN = 0.05, 0.2
    LOOK_SECONDS = 0.03


class Survives(unittest.TestCase):
    """One server a test, killed again and again."""

    def setUp(self):
        self.chance = random.Random(f"{SEED} {self.id()}")
        self.work = Workload(self.chance)
        self.server = Server(SCHEMA, settings=SETTINGS)
        self.addCleanup(self.server.close)
        self.work.seed(self.server)
        self.server.prepare().start()
        self.promises = []
        self.delay = BEGIN  # Follows how long a job takes.

    def moment_within(self, seconds):
        """Lets a random part of the next `seconds` pass."""
        moment = time.monotonic() + self.chance.random() * seconds
        while time.monotonic() < moment:
            time.sleep(0.0003)

    def check(self):
        problems = oracle.check(self.server, promises=self.promises)
        self.assertEqual(problems, [], f"seed {SEED}")

    def wait_for_end(self, job, seconds=120):
        """The final status."""
        api = self.server.api()

        def look():
            answer = api.status(TABLE, job)
            self.assertNotEqual(answer.status, 404, f"job {job} is gone; seed {SEED}")
            if answer.kind != "ok" or answer.json["state"] not in ENDED:
                return None
            return answer.json
        status = wait_until(look, f"job {job} has ended (seed {SEED})", seconds, LOOK_SECONDS)
        api.close()
        self.promises.append(Promise(TABLE, job, "ended", status))
        return status

    def judge(self, upload, status):
        self.assertEqual(status["state"], upload.ends_as, f"seed {SEED}: {status}")
        self.assertEqual(status["total_items"], upload.records)
        if upload.ends_as == "Failed":
            self.assertEqual(status["success_count"], 0, status)

    # --- in mid-job ---------------------------------------------------------------------

    def survive_in_mid_job(self, kind):
        in_the_middle = 0
        for _ in range(IN_JOB[kind]):
            upload = self.work.upload(kind)
            started = self.server.api().submit(upload.operation, TABLE, upload.body,
                                               **upload.options)
            self.assertEqual(started.status, 202, started)
            job = started.json["job_id"]
            self.promises.append(Promise(TABLE, job, "exists"))
            self.moment_within(self.delay)
            self.server.restart()
            self.judge(upload, self.wait_for_end(job))
            events = {entry["event"] for entry in self.server.api().history(TABLE, job)}
            met = "slice_reclaimed" in events
            in_the_middle += met
            self.delay = min(max(self.delay * (1.25 if met else 0.8), SOONEST), 2)
        print(f"{kind}: {in_the_middle} of {IN_JOB[kind]} kills met the job in its middle",
              flush=True)
        if IN_JOB[kind] >= 20:
            self.assertGreater(in_the_middle, IN_JOB[kind] // 10)
        self.check()

    # --- in mid-upload ------------------------------------------------------------------

    def survive_in_mid_upload(self, kind):
        for _ in range(IN_UPLOAD[kind]):
            upload = self.work.upload(kind)
            opened = self.server.api().open_job(TABLE, upload.operation, **upload.options)
            self.assertEqual(opened.status, 201, opened)
            job = opened.json["job_id"]
            acknowledged = self.send_until_killed(job, upload.body)
            self.promises.append(Promise(TABLE, job, "offset", acknowledged))
            self.resume(job, upload.body, acknowledged)
            self.judge(upload, self.wait_for_end(job))
        self.check()

    def send_until_killed(self, job, body):
        """Sends parts of random length until the server dies: the last offset that it
        acknowledged."""
        api = self.server.api()
        part_bytes = [self.chance.randrange(1, 2000) for _ in range(64)]
        acknowledged = [0]

        def send():
            for length in part_bytes:
                end = min(acknowledged[0] + length, len(body))
                answer = api.put_data(TABLE, job, acknowledged[0], body[acknowledged[0]:end])
                if answer.kind != "ok":
                    return
                acknowledged[0] = int(answer.header("Upload-Offset"))
                if acknowledged[0] == len(body):
                    return
        sender = threading.Thread(target=send)
        sender.start()
        self.moment_within(0.03)
        self.server.kill()
        sender.join()
        self.server.start()
        return acknowledged[0]

    def resume(self, job, body, acknowledged):
        api = self.server.api()
        head = api.call("HEAD", api.job_path(TABLE, job, "data"))
        self.assertEqual(head.status, 200, head)
        offset = int(head.header("Upload-Offset"))
        self.assertGreaterEqual(offset, acknowledged, f"acknowledged bytes are gone; seed {SEED}")
        self.assertLessEqual(offset, len(body))
        if offset < len(body):
            answer = api.put_data(TABLE, job, offset, body[offset:])
            self.assertEqual(answer.status, 204, answer)
        self.assertEqual(api.action(TABLE, job, "complete").status, 202)

    # --- between commit and reply: the same key, the same job ---------------------------

    def survive_under_one_key(self, kind):
        for number in range(UNDER_ONE_KEY[kind]):
            upload = self.work.upload(kind)
            headers = {"Idempotency-Key": f"{kind}-{number}"}
            jobs = set()
            api = self.server.api()
            sender = threading.Thread(target=lambda: jobs.update(self.send(api, upload, headers)))
            sender.start()
            self.moment_within(0.02)
            self.server.kill()
            sender.join()
            self.server.start()
            for _ in range(2):
                again = self.send(self.server.api(), upload, headers)
                self.assertEqual(len(again), 1, f"no job under the key; seed {SEED}")
                jobs.update(again)
            self.assertEqual(len(jobs), 1, f"one key, several jobs; seed {SEED}")
            self.judge(upload, self.wait_for_end(jobs.pop()))
        self.check()

    def send(self, api, upload, headers):
        """The jobs that the answer names: one, or none where there was no answer."""
        answer = api.submit(upload.operation, TABLE, upload.body, headers=headers,
                            **upload.options)
        return {answer.json["job_id"]} if answer.kind == "ok" else set()


def _add_tests():
    names = {"survive_in_mid_job": "test_{}_killed_in_mid_job_goes_on_by_itself",
             "survive_in_mid_upload": "test_{}_killed_in_mid_upload_resumes_at_the_offset",
             "survive_under_one_key": "test_{}_sent_again_under_one_key_is_one_job"}
    for method, name in names.items():
        for kind in KINDS:
            def test(self, method=method, kind=kind):
                getattr(self, method)(kind)
            setattr(Survives, name.format(kind), test)


_add_tests()

if __name__ == "__main__":
    print(f"seed {SEED}, {sum(IN_JOB.values())} kills in mid-job, "
          f"{sum(IN_UPLOAD.values())} in mid-upload, {sum(UNDER_ONE_KEY.values())} before the "
          "reply", flush=True)
    unittest.main()
