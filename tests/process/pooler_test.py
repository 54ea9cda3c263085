#!/usr/bin/python3
"""A pooler that gives each transaction another session stands between the nodes and PostgreSQL:
nobody is told of what the others do, and looks by himself; jobs run, and are handed on."""
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import counts, oracle  # noqa: E402
from support.pooler import Pooler  # noqa: E402
from support.server import Server  # noqa: E402
from workload import KINDS, SCHEMA, TABLE, Workload  # noqa: E402

SEED = counts.seed()
SETTINGS = {"window_records": 150, "lanes": 2, "lease_time": "500ms"}


class BehindAPooler(unittest.TestCase):
    def setUp(self):
        self.work = Workload(random.Random(SEED))
        self.front = Server(SCHEMA, settings={**SETTINGS, "workers": 0})
        self.addCleanup(self.front.close)
        self.work.seed(self.front)
        self.front.prepare()
        self.pooler = Pooler(self.front.database.url)
        self.addCleanup(self.pooler.close)
        self.front.reached_by = self.pooler.url
        self.front.start()
        self.workers = [self.node(), self.node()]

    def node(self):
        made = Server(over=self.front.database, resources=self.front.resources,
                      settings=SETTINGS, token=False, command="work")
        made.reached_by = self.pooler.url
        self.addCleanup(made.close)
        return made.start()

    def submit(self, upload):
        answer = self.front.api().submit(upload.operation, TABLE, upload.body, **upload.options)
        self.assertEqual(answer.status, 202, answer)
        return answer.json["job_id"]

    def judge(self, upload, job):
        status = self.front.api().wait_for_end(TABLE, job, 60)
        self.assertEqual(status["state"], upload.ends_as, f"seed {SEED}: {status}")
        self.assertEqual(status["total_items"], upload.records)

    def test_jobs_of_another_node_are_found_and_run(self):
        for kind in KINDS:
            upload = self.work.upload(kind)
            self.judge(upload, self.submit(upload))
        self.assertEqual(oracle.check(self.front), [], f"seed {SEED}")

    def test_a_node_that_dies_is_followed(self):
        uploads = [self.work.upload(kind) for kind in KINDS]
        jobs = [self.submit(upload) for upload in uploads]
        for worker in self.workers:
            worker.restart()
        for upload, job in zip(uploads, jobs):
            self.judge(upload, job)
        self.assertEqual(oracle.check(self.front), [], f"seed {SEED}")


if __name__ == "__main__":
    print(f"seed {SEED}", flush=True)
    unittest.main()
