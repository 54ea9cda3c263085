#!/usr/bin/python3
"""`kill -9` at random moments: nothing is lost, nothing happens twice, all goes on by itself.

TALLYMAN_KILLS (default 5) is the number of kills for each operation; TALLYMAN_SEED replays.
"""
import os
import pathlib
import random
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import oracle  # noqa: E402
from support.api import ENDED  # noqa: E402
from support.oracle import Promise  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402
from workload import KINDS, SCHEMA, TABLE, Workload  # noqa: E402

KILLS = int(os.environ.get("TALLYMAN_KILLS") or 5)
SEED = int(os.environ.get("TALLYMAN_SEED") or time.time())
SETTINGS = {"window_records": 100}
COUNTERS = ("processed_items", "success_count", "error_count", "created_count", "updated_count")


class Survives(unittest.TestCase):
    """One server a test, killed again and again."""

    def setUp(self):
        self.chance = random.Random(f"{SEED} {self.id()}")
        self.work = Workload(self.chance)
        self.server = Server(SCHEMA, settings=SETTINGS)
        self.addCleanup(self.server.close)
        self.work.seed(self.server)
        self.server.start()
        self.promises = []
        self.longest_run = 0.3  # Seconds; measured by each job that is not killed.

    def kill_within(self, seconds):
        """SIGKILL at a random moment of the next `seconds`, and a new start."""
        moment = time.monotonic() + self.chance.random() * seconds
        while time.monotonic() < moment:
            time.sleep(0.0003)
        self.server.restart()

    def check(self):
        self.assertEqual(oracle.check(self.server, promises=self.promises), [], f"seed {SEED}")

    def wait_for_end(self, job, seconds=40):
        """The final status; on the way no counter falls and no ended state changes."""
        last = {}

        def look():
            answer = self.server.api().status(TABLE, job)
            self.assertNotEqual(answer.status, 404, f"job {job} is gone; seed {SEED}")
            if answer.kind != "ok":
                return None
            status = answer.json
            for counter in COUNTERS:
                self.assertGreaterEqual(status[counter], last.get(counter, 0),
                                        f"{counter} fell; seed {SEED}")
                last[counter] = status[counter]
            return status if status["state"] in ENDED else None
        status = wait_until(look, f"job {job} has ended (seed {SEED})", seconds)
        self.promises.append(Promise(TABLE, job, "ended", status))
        return status

    def judge(self, upload, status):
        self.assertEqual(status["state"], upload.ends_as, f"seed {SEED}: {status}")
        self.assertEqual(status["total_items"], upload.records)
        if upload.ends_as == "Failed":
            self.assertEqual(status["success_count"], 0, status)

    # --- in mid-job ---------------------------------------------------------------------

    def survive_in_mid_job(self, kind):
        for number in range(KILLS):
            upload = self.work.upload(kind)
            started = self.server.api().submit(upload.operation, TABLE, upload.body,
                                               **upload.options)
            self.assertEqual(started.status, 202, started)
            job = started.json["job_id"]
            self.promises.append(Promise(TABLE, job, "exists"))
            begin = time.monotonic()
            if number > 0 or KILLS == 1:  # The first one tells how long it takes.
                self.kill_within(self.longest_run)
            self.judge(upload, self.wait_for_end(job))
            if number == 0:
                self.longest_run = time.monotonic() - begin
        self.check()

    # --- in mid-upload ------------------------------------------------------------------

    def survive_in_mid_upload(self, kind):
        for _ in range(max(KILLS // 2, 1)):
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
        acknowledged = [0]

        def send():
            while acknowledged[0] < len(body):
                end = min(acknowledged[0] + self.work.chance.randrange(1, 4000), len(body))
                answer = api.put_data(TABLE, job, acknowledged[0], body[acknowledged[0]:end])
                if answer.kind != "ok":
                    return
                acknowledged[0] = int(answer.header("Upload-Offset"))
        sender = threading.Thread(target=send)
        sender.start()
        moment = time.monotonic() + random.Random(f"{SEED} {job}").random() * 0.15
        while sender.is_alive() and time.monotonic() < moment:
            time.sleep(0.0003)
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

    # --- the same key, the same job -----------------------------------------------------

    def survive_under_one_key(self, kind):
        for number in range(max(KILLS // 2, 1)):
            upload = self.work.upload(kind)
            headers = {"Idempotency-Key": f"{kind}-{number}"}
            jobs = set()
            killer = threading.Thread(target=self.kill_without_start)
            killer.start()
            first = self.server.api().submit(upload.operation, TABLE, upload.body,
                                             headers=headers, **upload.options)
            killer.join()
            self.server.start()
            if first.kind == "ok":
                jobs.add(first.json["job_id"])
            for _ in range(2):
                again = self.server.api().submit(upload.operation, TABLE, upload.body,
                                                 headers=headers, **upload.options)
                self.assertEqual(again.status, 202, f"{again} seed {SEED}")
                jobs.add(again.json["job_id"])
            self.assertEqual(len(jobs), 1, f"one key, several jobs; seed {SEED}")
            self.judge(upload, self.wait_for_end(jobs.pop()))
        self.check()

    def kill_without_start(self):
        moment = time.monotonic() + random.Random(f"{SEED} {self.work.made}").random() * 0.08
        while time.monotonic() < moment:
            time.sleep(0.0003)
        self.server.kill()


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
    print(f"seed {SEED}, {KILLS} kills", flush=True)
    unittest.main()
