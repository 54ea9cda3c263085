#!/usr/bin/python3
"""SIGTERM at random moments, and a second server on the same file. TALLYMAN_SEED replays a
run."""
import http.client
import pathlib
import random
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import numbers, slow_server, start_slow_job  # noqa: E402
from support import counts, oracle  # noqa: E402
from support.database import KIND  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

SEED = counts.seed()
STOPS = counts.times(10)
STOP_SECONDS = 10  # limits::kDrainTime
RECORDS = 8_000


class Stopping(unittest.TestCase):
    def setUp(self):
        self.server = slow_server(more_schema="create table others (id integer primary key);")
        self.addCleanup(self.server.close)
        self.server.start()

    def stop(self):
        """SIGTERM; the seconds it took."""
        begin = time.monotonic()
        code = self.server.terminate(STOP_SECONDS + 2)
        taken = time.monotonic() - begin
        self.assertEqual(code, 0, self.server.log()[-2000:])
        self.assertLess(taken, STOP_SECONDS)
        return taken

    def test_an_idle_server_stops_at_once(self):
        self.assertLess(self.stop(), 3)

    def test_jobs_that_run_while_the_server_is_stopped_lose_and_fail_nothing(self):
        chance = random.Random(SEED)
        jobs = {}
        for number in range(STOPS):
            api = self.server.api()
            if not jobs or api.status("items", last).json["state"] == "Job Complete":
                last = start_slow_job(self.server, RECORDS, 1 + number * RECORDS)
                jobs[last] = ("items", RECORDS)
            other = api.submit("insert", "others", f"id\n{number}\n".encode())
            self.assertEqual(other.status, 202, other)
            jobs[other.json["job_id"]] = ("others", 1)
            moment = time.monotonic() + chance.random() * 0.1
            while time.monotonic() < moment:
                time.sleep(0.0003)
            self.stop()
            self.server.start()
        for job, (table, records) in jobs.items():
            status = self.server.api().wait_for_end(table, job, 120)
            self.assertEqual((status["state"], status["created_count"], status["error_count"]),
                             ("Job Complete", records, 0), f"seed {SEED}: {status}")
        self.assertEqual(oracle.check(self.server), [], f"seed {SEED}")

    def test_what_was_committed_before_a_stop_is_not_done_again(self):
        job = start_slow_job(self.server, RECORDS)
        self.stop()
        before = self.server.rows("select count(*) from items")[0][0]
        self.assertGreater(before, 0)
        self.assertLess(before, RECORDS)
        self.server.start()
        self.server.api().wait_for_end("items", job, 120)
        self.assertEqual(self.server.rows("select count(*) from effect_log "
                                          "where effect = 'insert'"), [(RECORDS,)])

    def test_a_running_atomic_job_is_stopped_in_time_and_starts_over(self):
        api = self.server.api()
        job = api.submit("insert", "items", numbers(15000), mode="atomic").json["job_id"]
        wait_until(lambda: api.status("items", job).json["state"] == "In Progress",
                   "the atomic job is under way")
        self.stop()
        self.assertEqual(self.server.rows("select count(*) from items"), [(0,)])
        self.server.start()
        status = self.server.api().wait_for_end("items", job, 60)
        self.assertEqual((status["state"], status["created_count"]), ("Job Complete", 15000))

    def test_a_slow_upload_and_an_open_event_stream_do_not_hold_up_the_stop(self):
        api = self.server.api()
        job = api.open_job("items", "insert").json["job_id"]
        host = urllib.parse.urlsplit(self.server.url).netloc
        uploading = http.client.HTTPConnection(host, timeout=30)
        uploading.putrequest("PUT", api.job_path("items", job, "data"))
        for name, value in (("Authorization", f"Bearer {self.server.token}"),
                            ("Upload-Offset", "0"), ("Content-Length", "100000")):
            uploading.putheader(name, value)
        uploading.endheaders(b"id,n\n" + b"1,1\n" * 10_000)
        self.addCleanup(uploading.close)
        watching = http.client.HTTPConnection(host, timeout=30)
        watching.request("GET", api.job_path("items", job, "events"),
                         headers={"Authorization": f"Bearer {self.server.token}"})
        self.addCleanup(watching.close)
        self.assertEqual(watching.getresponse().status, 200)
        self.stop()

    def test_an_upload_that_a_stop_cut_off_can_be_resumed(self):
        api = self.server.api()
        job = api.open_job("items", "insert").json["job_id"]
        body = numbers(50)
        self.assertEqual(api.put_data("items", job, 0, body[:100]).status, 204)
        self.stop()
        self.server.start()
        api = self.server.api()
        head = api.call("HEAD", api.job_path("items", job, "data"))
        self.assertEqual(head.header("Upload-Offset"), "100")
        self.assertEqual(api.put_data("items", job, 100, body[100:]).status, 204)
        self.assertEqual(api.action("items", job, "complete").status, 202)
        self.assertEqual(api.wait_for_end("items", job)["created_count"], 50)


@unittest.skipUnless(KIND == "sqlite", "any number of servers run over one PostgreSQL database")
class StartingTwice(unittest.TestCase):
    def test_a_second_server_on_the_same_database_is_refused(self):
        with Server("create table items (id integer primary key)") as first:
            second = first.command("serve", "--config", "tallyman.toml")
            self.assertNotEqual(second.returncode, 0)
            self.assertIn("app.db", second.stderr + second.stdout)
            self.assertIn(f"by process {first.process.pid}", second.stderr + second.stdout)
            self.assertEqual(first.api().call("GET", "/healthz").status, 200)
            first.kill()
            first.start()
            self.assertEqual(first.api().call("GET", "/healthz").status, 200)


if __name__ == "__main__":
    print(f"seed {SEED}, {STOPS} stops", flush=True)
    unittest.main()
