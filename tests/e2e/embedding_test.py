#!/usr/bin/python3
"""The example program that embeds the server: its validator, its aggregate function and its
resource in code do what they say."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import database  # noqa: E402
from support.server import binary  # noqa: E402

PROGRAM = os.environ.get("TALLYMAN_EMBEDDED") or str(pathlib.Path(binary()).parent / "embedded")
ORDERS = b"customer,amount\nAda,10.00\nGrace,2.55\nAda,1.01\nAda,3\n"


class Embedding(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tallyman-embedding-")
        self.addCleanup(folder.cleanup)
        own = database.make(database.KIND, folder.name)
        own.create("create table orders (id integer primary key, customer text not null, "
                   "amount decimal(10,2) not null)")
        self.program = subprocess.Popen(
            [PROGRAM, own.url, "127.0.0.1:0"], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.stop)
        self.url = self.program.stdout.readline().removeprefix("listening on ").strip()
        self.token = re.search(r"tly_[\w-]+", self.program.stdout.readline())[0]

    def stop(self):
        if self.program.poll() is None:
            self.program.kill()
        self.program.wait(20)
        self.program.stdout.close()

    def call(self, method, path, body=None, **headers):
        request = urllib.request.Request(self.url + path, method=method, data=body, headers={
            "Authorization": f"Bearer {self.token}", **headers})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def test_validator_and_aggregate_are_the_programs_own(self):
        status, job = self.call("POST", "/api/orders/bulk/v2/", ORDERS,
                                **{"Content-Type": "text/csv", "Prefer": "wait=30"})
        self.assertEqual(status, 200, job)
        self.assertEqual(job["created_count"], 3)
        self.assertEqual(job["error_summary"], {"VALIDATION_FAILED": 1})
        self.assertEqual(job["errors"][0]["record"], 3)
        self.assertIn("must be in steps of 0.05", job["errors"][0]["message"])
        self.assertNotIn("1.01", json.dumps(job))

        status, answer = self.call(
            "POST", "/api/orders/bulk/v2/aggregates/",
            json.dumps({"job_id": job["job_id"], "aggregates": {
                "who": {"type": "custom", "function": "orders_by_customer"}}}).encode(),
            **{"Content-Type": "application/json"})
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["aggregate_results"], {"who": {"Ada": 2, "Grace": 1}})

    def test_only_the_operations_that_the_program_allows(self):
        status, answer = self.call("DELETE", "/api/orders/bulk/v2/", b"[1]",
                                   **{"Content-Type": "application/json"})
        self.assertGreaterEqual(status, 400, answer)
        self.assertIn("insert, upsert", answer["error"])

    def test_stops_when_it_is_told(self):
        self.program.send_signal(signal.SIGTERM)
        self.assertEqual(self.program.wait(15), 0)


if __name__ == "__main__":
    unittest.main()
