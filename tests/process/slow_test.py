#!/usr/bin/python3
"""2,000 slow connections at once: a healthy client hardly notices, the slow ones are cut by the
configured times, and their threads and descriptors go with them."""
import pathlib
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_crowd import Crowd  # noqa: E402
from support import process  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

P99_MAX_SECONDS = 0.25
MEGABYTE = 1 << 20
SLOW_TIME = 12  # Seconds that the server gives a head, and a transfer that stands still.
OWNERS = 40
# Past this much of a body a request has a thread of its own; less waits without one.
THREAD_BYTES = 20_000
THREADS_MAX = 1024


class Slow(unittest.TestCase):
    settings = {"http.header_time": f"{SLOW_TIME}s", "http.body_idle_time": f"{SLOW_TIME}s",
                "http.thread_idle_time": "1s"}

    def setUp(self):
        self.server = Server("create table people (id integer primary key, name text);",
                             settings=self.settings)
        self.addCleanup(self.server.close)
        self.server.start()
        self.api = self.server.api()
        self.addCleanup(self.api.close)
        body = b"name\n" + (b"x" * 999 + b"\n") * 4000
        self.job = self.api.run("insert", "people", body)["job_id"]
        self.chief = self.server.make_token("chief", "chief", ["*", "admin"])
        tokens = [self.server.make_token(f"slow{number}", f"slow{number}", ["*"])
                  for number in range(OWNERS)]
        self.requests = {
            "heads": [b"G", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: "],
            "small bodies": [self.upload(token, 100) for token in tokens],
            "bodies": [self.upload(token, THREAD_BYTES) for token in tokens],
            "readers": [self.results()],
            "readers of many": [self.results() * 20]}
        self.pid = self.server.process.pid

    def upload(self, token, count):
        return ("POST /api/people/bulk/v2/ HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
                f"Authorization: Bearer {token}\r\nContent-Length: 1000000\r\n\r\nname\n"
                + "y" * count).encode()

    def results(self):
        return (f"GET /api/people/jobs/{self.job}/results/ HTTP/1.1\r\nHost: a\r\n"
                f"Authorization: Bearer {self.server.token}\r\n\r\n").encode()

    def crowd(self, **counts):
        where = urllib.parse.urlsplit(self.server.url)
        counts = {name.replace("_", " "): count for name, count in counts.items()}
        self.start = (self.descriptors(), process.threads(self.pid))
        crowd = Crowd((where.hostname, where.port), counts, self.requests)
        self.assertEqual(crowd.await_all_in(), sum(counts.values()))
        # 2,000 requests at once are a load like any other; what is measured begins after it.
        with_threads = sum(count for name, count in counts.items()
                           if name not in ("heads", "small bodies"))
        wait_until(lambda: process.threads(self.pid) >= min(with_threads, THREADS_MAX),
                   "every slow request is under way", seconds=30)
        return crowd

    def descriptors(self):
        """But for those of the database: SQLite keeps them for whoever reads next."""
        return sum("app.db" not in path or "app.db-tallyman/" in path
                   for path in process.descriptors(self.pid))

    def measure(self, requests):
        """Seconds of each of `requests` calls of a healthy client, sorted. Half of them on
        connections of their own; one in ten is an upload."""
        taken = []
        for number in range(requests):
            api = self.server.api() if number % 2 else self.api
            started = time.monotonic()
            if number % 10 == 0:
                answer = api.submit("insert", "people", b"name\nz\n")
            else:
                answer = api.status("people", self.job)
            taken.append(time.monotonic() - started)
            self.assertEqual(answer.kind, "ok", (number, taken[-1], answer))
            if number % 2:
                api.close()
        return sorted(taken)

    def assert_healthy(self, name, taken):
        p50, p99 = (taken[int(len(taken) * part)] for part in (0.5, 0.99))
        print(f"{name}: p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, "
              f"most {taken[-1] * 1000:.1f} ms of {len(taken)} requests; "
              f"{process.threads(self.pid)} threads, "
              f"{process.peak_bytes(self.pid) // MEGABYTE} MiB at most", flush=True)
        self.assertLess(p99, P99_MAX_SECONDS)

    def assert_all_is_returned(self):
        descriptors, threads = self.start
        self.api.close()
        wait_until(lambda: self.descriptors() <= descriptors, "the descriptors are closed")
        # Under traffic, too: the few threads that it needs are always the same ones.
        wait_until(lambda: self.measure(10) and process.threads(self.pid) <= threads + 8,
                   "the threads have ended")
        listed = self.api.copy(self.chief).call("GET", "/api/jobs/", query={"state": "Open"})
        self.assertEqual(listed.json["results"], [])

    def test_a_crowd_of_every_kind_of_slow_client(self):
        crowd = self.crowd(heads=700, small_bodies=400, bodies=300, readers=300,
                           readers_of_many=300)
        self.assert_healthy("2,000 slow clients", self.measure(400))
        self.assertGreaterEqual(process.threads(self.pid), 900, "they were there all the time")
        told = crowd.await_all_out(SLOW_TIME * 5)
        self.assertEqual(told["heads"], {408: 700})
        self.assertEqual(told["small bodies"], {408: 400})
        self.assertEqual(told["bodies"], {408: 300})
        self.assertEqual(sum(told["readers"].values()), 300)
        self.assertEqual(sum(told["readers of many"].values()), 300)
        self.assert_all_is_returned()

    def test_stalled_uploads_that_take_every_thread_give_way(self):
        crowd = self.crowd(bodies=2000)
        self.assert_healthy("2,000 stalled uploads", self.measure(500))
        told = crowd.await_all_out(SLOW_TIME * 5)
        self.assertEqual(sum(told["bodies"].values()), 2000)
        self.assertLessEqual(set(told["bodies"]), {0, 408, 503})
        self.assert_all_is_returned()


if __name__ == "__main__":
    unittest.main()
