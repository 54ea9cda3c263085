#!/usr/bin/python3
"""Stopping, starting twice, and other processes at the database."""
import http.client
import pathlib
import random
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import SLOW_SCHEMA, SLOW_SETTINGS, numbers, start_slow_job  # noqa: E402
from support import effect_log, oracle  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

STOP_SECONDS = 10  # limits::kDrainTime


class Stopping(unittest.TestCase):
    def setUp(self):
        self.server = Server(SLOW_SCHEMA, settings=SLOW_SETTINGS)
        self.addCleanup(self.server.close)
        connection = self.server.connect()
        effect_log.install(connection, "items")
        connection.close()
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

    def test_a_running_job_fails_nothing_when_the_server_is_stopped_and_goes_on_after_it(self):
        job = start_slow_job(self.server, records=20000)
        for _ in range(3):
            self.stop()
            self.server.start()
        status = self.server.api().wait_for_end("items", job, 60)
        self.assertEqual((status["state"], status["created_count"], status["error_count"]),
                         ("Job Complete", 20000, 0), status)
        self.assertEqual(oracle.check(self.server), [])

    def test_what_was_committed_before_a_stop_is_not_done_again(self):
        job = start_slow_job(self.server, records=20000)
        self.stop()
        before = self.server.rows("select count(*) from items")[0][0]
        self.assertGreater(before, 0)
        self.assertLess(before, 20000)
        self.server.start()
        self.server.api().wait_for_end("items", job, 60)
        self.assertEqual(self.server.rows("select count(*) from effect_log"), [(20000,)])

    def test_a_running_atomic_job_is_stopped_in_time_and_starts_over(self):
        api = self.server.api()
        job = api.submit("insert", "items", numbers(30000), mode="atomic").json["job_id"]
        wait_until(lambda: api.status("items", job).json["state"] == "In Progress",
                   "the atomic job is under way")
        self.stop()
        self.assertEqual(self.server.rows("select count(*) from items"), [(0,)])
        self.server.start()
        status = self.server.api().wait_for_end("items", job, 60)
        self.assertEqual((status["state"], status["created_count"]), ("Job Complete", 30000))

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


class StartingTwice(unittest.TestCase):
    def test_a_second_server_on_the_same_database_is_refused(self):
        with Server("create table items (id integer primary key)") as first:
            second = first.command("serve", "--config", "tallyman.toml")
            self.assertNotEqual(second.returncode, 0)
            self.assertIn("app.db", second.stderr + second.stdout)
            self.assertEqual(first.api().call("GET", "/healthz").status, 200)
            first.kill()
            first.start()
            self.assertEqual(first.api().call("GET", "/healthz").status, 200)


class OtherProcesses(unittest.TestCase):
    """Another process writes to the same database file."""

    def setUp(self):
        self.server = Server(SLOW_SCHEMA, settings=SLOW_SETTINGS)
        self.addCleanup(self.server.close)
        self.server.start()

    def hold_the_lock(self, seconds):
        """Takes the write lock; gives it back after `seconds`, from another thread."""
        locked = threading.Event()

        def hold():
            connection = self.server.connect(seconds=20)
            connection.execute("begin immediate")
            locked.set()
            time.sleep(seconds)
            connection.execute("rollback")
            connection.close()
        thread = threading.Thread(target=hold)
        thread.start()
        locked.wait(20)
        return thread

    def test_a_lock_held_by_another_process_makes_a_job_wait_and_fails_no_record(self):
        job = start_slow_job(self.server, records=4000)
        for _ in range(3):
            self.hold_the_lock(1.0).join()
        status = self.server.api().wait_for_end("items", job, 60)
        self.assertEqual((status["state"], status["created_count"], status["error_count"]),
                         ("Job Complete", 4000, 0), status)

    def test_a_status_is_read_while_another_process_holds_the_lock(self):
        job = start_slow_job(self.server, records=4000)
        holder = self.hold_the_lock(1.5)
        begin = time.monotonic()
        self.assertEqual(self.server.api().status("items", job).status, 200)
        self.assertLess(time.monotonic() - begin, 1)
        holder.join()
        self.server.api().wait_for_end("items", job, 60)

    def test_a_request_during_a_short_lock_is_answered_when_the_lock_is_gone(self):
        holder = self.hold_the_lock(1.0)
        answer = self.server.api().submit("insert", "items", numbers(3))
        holder.join()
        self.assertEqual(answer.status, 202, answer)
        status = self.server.api().wait_for_end("items", answer.json["job_id"])
        self.assertEqual(status["created_count"], 3)

    def test_a_lock_held_too_long_is_503_and_says_when_to_come_back(self):
        holder = self.hold_the_lock(7.0)  # limits::kWriterWait is 5 s.
        answer = self.server.api().submit("insert", "items", numbers(3))
        holder.join()
        self.assertEqual(answer.status, 503, answer)
        self.assertGreater(int(answer.header("Retry-After")), 0)
        self.assertNotIn("database is locked", answer.text)

    def test_writers_of_another_process_and_a_job_go_on_side_by_side(self):
        self.server.execute("create table others (n integer)")
        job = start_slow_job(self.server, records=4000)
        connection = self.server.connect(seconds=30)
        chance = random.Random(4)
        for number in range(30):
            connection.execute("begin immediate")
            connection.execute("insert into others values (?)", (number,))
            if chance.random() < 0.5:
                connection.execute("commit")
            else:
                connection.execute("rollback")
        connection.close()
        status = self.server.api().wait_for_end("items", job, 60)
        self.assertEqual((status["state"], status["created_count"]), ("Job Complete", 4000))


if __name__ == "__main__":
    unittest.main()
