#!/usr/bin/python3
"""Every limit of model/limits.h and http/limits.h from outside: at it, and one above.

EveryLimit, at the end, fails where a limit of either header has no test that names it."""
import gzip
import pathlib
import random
import re
import socket
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.api import Api  # noqa: E402
from support.case import ServerCase  # noqa: E402
from support.server import ROOT, Server, binary  # noqa: E402
from support.wait import wait_until  # noqa: E402

PEOPLE = "create table people (id integer primary key, name text, age integer)"
PATIENCE = 20  # Seconds for what the server should do at once, or after a limit of its own.


class Raw:
    """A connection that sends what it is told, and is closed with the test."""

    def __init__(self, case, source="127.0.0.1"):
        address = urllib.parse.urlsplit(case.server.url)
        self.host = address.netloc
        self.socket = socket.create_connection((address.hostname, address.port), PATIENCE,
                                               source_address=(source, 0))
        self.received = b""
        case.addCleanup(self.socket.close)

    def head(self, method, path, *lines):
        return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {self.host}", *lines, "", ""]
                           ).encode()

    def send(self, text):
        """False where the server has closed the connection."""
        try:
            self.socket.sendall(text)
            return True
        except OSError:
            return False

    def answer(self):
        """(status, headers, body) of the next answer; None where the connection ended."""
        while b"\r\n\r\n" not in self.received:
            if not self._receive():
                return None
        head, rest = self.received.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip()
                   for name, value in (line.split(":", 1) for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(rest) < length:
            if not self._receive():
                return None
            rest = self.received.split(b"\r\n\r\n", 1)[1]
        self.received = rest[length:]
        return int(lines[0].split()[1]), headers, rest[:length].decode()

    def ask(self, path="/healthz", *lines):
        self.send(self.head("GET", path, *lines))
        return self.answer()

    def ends(self):
        """The server closes the connection, and sends nothing more."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def readable(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1, socket.MSG_PEEK) is not None
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self.socket.settimeout(PATIENCE)

    def _receive(self):
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self.received += got
        return got


class LimitCase(ServerCase):
    schema = PEOPLE

    def refused(self, answer, status, *words):
        self.assertIsNotNone(answer, "the connection ended without an answer")
        self.assertEqual(answer[0], status, answer)
        for word in words:
            self.assertIn(str(word), answer[2])
        if status in (429, 503):
            self.assertGreaterEqual(int(answer[1]["retry-after"]), 1)

    def upload_head(self, raw, *lines, path="/api/people/bulk/v2/", method="POST"):
        return raw.head(method, path, f"Authorization: Bearer {self.server.token}",
                        "Content-Type: text/csv", *lines)

    def open_path(self, operation="insert"):
        job = self.expect(self.api.open_job("people", operation), 201).json["job_id"]
        return job, f"/api/people/jobs/{job}/data/"

    def offset(self, job):
        return int(self.api.call("HEAD", self.api.job_path("people", job, "data"))
                   .header("upload-offset"))


# --- Connections ------------------------------------------------------------------------


class Connections(LimitCase):
    settings = {"http.connections_max": 6, "http.connections_per_address_max": 4}

    def admitted(self, source):
        """A connection that is served, once those that were closed are known to be."""
        def served():
            raw = Raw(self, source)
            if (raw.ask() or (0,))[0] == 200:
                return raw
            raw.socket.close()
            return None
        return wait_until(served, f"{source} is let in", PATIENCE)

    def test_connections_max_and_connections_per_address_max(self):
        self.api.close()
        first = [self.admitted("127.0.0.1") for _ in range(4)]
        above = Raw(self)
        self.refused(above.answer(), 429, "TOO_MANY_CONNECTIONS", 4)
        self.assertTrue(above.ends())
        above.socket.close()
        other = [self.admitted("127.0.0.2") for _ in range(2)]
        above = Raw(self, "127.0.0.3")
        self.refused(above.answer(), 503, "OVERLOADED", 6)
        self.assertTrue(above.ends())
        for raw in (*first, *other):
            self.assertEqual(raw.ask()[0], 200, "those who are in stay in")
        above.socket.close()
        first.pop().socket.close()
        self.admitted("127.0.0.1")


class HeadsAndTimes(LimitCase):
    settings = {"http.header_bytes_max": 2048, "http.header_time": "200ms",
                "http.idle_time": "300ms", "http.body_idle_time": "300ms",
                "http.transfer_bytes_per_second_min": 2000}

    def test_header_bytes_max(self):
        raw = Raw(self)
        room = 2048 - len(raw.head("GET", "/healthz", "X: "))
        self.assertEqual(raw.ask("/healthz", "X: " + "x" * room)[0], 200)
        raw = Raw(self)
        self.refused(raw.ask("/healthz", "X: " + "x" * (room + 1)), 431, "HEADER_TOO_LARGE", 2048)
        self.assertTrue(raw.ends())

    def test_header_time_of_one_that_stops(self):
        raw = Raw(self)
        raw.send(b"GET /healthz HTTP/1.1\r\n")
        self.refused(raw.answer(), 408, "REQUEST_TIMEOUT", 200)
        self.assertTrue(raw.ends())

    def test_header_time_of_one_that_trickles(self):
        raw = Raw(self)
        for byte in raw.head("GET", "/healthz", "X: " + "x" * 1000):
            if raw.readable(0.01) or not raw.send(bytes([byte])):
                break
        self.refused(raw.answer(), 408, "REQUEST_TIMEOUT")

    def test_idle_time(self):
        self.assertTrue(Raw(self).ends(), "one that never asks")
        raw = Raw(self)
        self.assertEqual(raw.ask()[0], 200)
        self.assertTrue(raw.ends(), "one that asks no more")

    def test_body_idle_time_and_transfer_bytes_per_second_min(self):
        body = b"id,name\n" + b"1,ann\n" * 10_000
        for begun in (100, 30_000):  # Before it has a thread, and under way.
            for trickles in (False, True):
                with self.subTest(begun=begun, trickles=trickles):
                    job, path = self.open_path()
                    raw = Raw(self)
                    raw.send(self.upload_head(raw, "Upload-Offset: 0",
                                              f"Content-Length: {len(body)}", path=path,
                                              method="PUT") + body[:begun])
                    at = begun
                    # One byte in 10 ms is 100 bytes a second: never idle, but too slow.
                    while trickles and not raw.readable(0.01) and raw.send(body[at:at + 1]):
                        at += 1
                    self.refused(raw.answer(), 408, "REQUEST_TIMEOUT")
                    self.assertTrue(raw.ends())
                    # What came before is kept, and the upload goes on after it.
                    kept = wait_until(lambda job=job: self.api.put_data(
                        "people", job, self.offset(job), body[self.offset(job):]).status == 204,
                                      "the part has ended", PATIENCE)
                    self.assertTrue(kept)
                    self.assertEqual(self.offset(job), len(body))
                    self.api.action("people", job, "abort")


# --- What is read -----------------------------------------------------------------------


class Uploads(LimitCase):
    settings = {"upload_bytes_max": 100, "record_bytes_max": "1KiB", "record_cells_max": 3,
                "delete_keys_max": 3}
    AT = b"id,name\n" + b"1," + b"x" * 89 + b"\n"

    def test_upload_bytes_max_by_content_length_before_the_body_is_sent(self):
        self.assertEqual(len(self.AT), 100)
        raw = Raw(self)
        raw.send(self.upload_head(raw, "Content-Length: 101", "Expect: 100-continue"))
        self.refused(raw.answer(), 413, "upload_bytes_max", 100)
        self.expect(self.api.submit("insert", "people", self.AT), 202)

    def test_upload_bytes_max_of_a_chunked_body_as_soon_as_it_is_passed(self):
        raw = Raw(self)
        raw.send(self.upload_head(raw, "Transfer-Encoding: chunked"))
        raw.send(b"64\r\n" + self.AT + b"\r\n")
        self.assertFalse(raw.readable(0.05), "at the limit it waits for the end")
        raw.send(b"1\r\n2\r\n" + b"4000\r\n" + b"x" * 0x4000)
        self.refused(raw.answer(), 413, "upload_bytes_max", 100)
        answer = self.api.call("POST", "/api/people/bulk/v2/", iter([self.AT.replace(b"1,", b"2,")]),
                               {"Content-Type": "text/csv"}, chunked=True)
        self.expect(answer, 202)

    def test_upload_bytes_max_counts_what_gzip_stands_for(self):
        headers = {"Content-Encoding": "gzip"}
        at = gzip.compress(self.AT.replace(b"1,", b"3,"))
        self.expect(self.api.submit("insert", "people", at, headers=headers), 202)
        self.expect(self.api.submit("insert", "people", gzip.compress(self.AT + b"\n"),
                                    headers=headers), 413, mentions=("100",))

    def test_upload_bytes_max_counts_all_parts(self):
        job, _ = self.open_path()
        self.expect(self.api.put_data("people", job, 0, self.AT[:60]), 204)
        self.expect(self.api.put_data("people", job, 60, self.AT[60:] + b"\n"), 413)
        self.assertEqual(self.offset(job), 60)
        self.expect(self.api.put_data("people", job, 60, self.AT[60:]), 204)
        self.api.action("people", job, "abort")

    def test_record_cells_max(self):
        self.expect(self.api.submit("insert", "people", b"id,name,age\n50,a,1\n"), 202)
        for body in (b"id,name,age,\n", b"id,name,age," + b"," * 50):
            self.expect(self.api.submit("insert", "people", body), 422, "UNREADABLE",
                        ("record_cells_max", 3))

    def test_delete_keys_max(self):
        for body, form in ((b"[1,2,3]", "json"), (b"1\n2\n3\n", "ndjson"), (b"id\n1\n2\n3\n", "csv")):
            self.assertEqual(self.api.run("delete", "people", body, form)["total_items"], 3)
            above = body.replace(b"3", b"3,4") if form == "json" else body + b"4\n"
            self.expect(self.api.submit("delete", "people", above, form), 413, "TOO_MANY_KEYS",
                        ("delete_keys_max", 3))
        job, _ = self.open_path("delete")
        self.expect(self.api.put_data("people", job, 0, b"id\n1\n2\n3\n4\n"), 204)
        self.expect(self.api.action("people", job, "complete"), 413, "TOO_MANY_KEYS")
        self.assertEqual(self.api.status("people", job).json["state"], "Open")


class Records(LimitCase):
    settings = {"record_bytes_max": "1KiB"}

    def test_record_bytes_max(self):
        for form, begin, end in (("csv", b"id,name\n", b"\n"), ("ndjson", b"", b"\n"),
                                 ("json", b"[", b"]")):
            with self.subTest(form):
                empty = b"%d," if form == "csv" else b'{"id":%d,"name":""}'
                records = []
                for number, size in ((1, 1024), (2, 1025)):
                    record = empty % number
                    filled = b"x" * (size - len(record))
                    records.append(record + filled if form == "csv"
                                   else record[:-2] + filled + record[-2:])
                between = b"," if form == "json" else b"\n"
                status = self.api.run("insert", "people", begin + between.join(records) + end,
                                      form)
                self.assertEqual((status["created_count"], status["error_summary"]),
                                 (1, {"RECORD_TOO_LARGE": 1}))
                self.assertIn("record_bytes_max", status["errors"][0]["message"])
                self.server.execute("delete from people")


class Answers(LimitCase):
    def test_status_errors_max(self):
        for bad in (100, 101):
            body = b"id,name,age\n" + b"x,a,1\n" * bad
            status = self.api.run("insert", "people", body)
            self.assertEqual((status["error_count"], len(status["errors"])), (bad, 100))

    def test_aggregate_groups_max(self):
        limit = 100_000
        body = b"name,age\n" + b"".join(b"%d,%d\n" % (n, n % limit) for n in range(limit + 1))
        job = self.api.run("insert", "people", body, seconds=60)["job_id"]
        answer = self.api.ask_aggregates("people", job, {
            "at": {"type": "count", "group_by": "age"},
            "above": {"type": "count", "group_by": "name"}}).json
        self.assertEqual(len(answer["aggregate_results"]["at"]), limit)
        self.assertIn(str(limit), answer["aggregate_errors"]["above"])


class HostileRecords(LimitCase):
    """Records of as many cells as fit into one, and tables as wide as may be."""
    schema = PEOPLE + """; create table wide (id integer primary key, """ + ", ".join(
        f"c{n}" for n in range(1, 1600)) + ")"
    # Two windows and a piece, and what the process has anyway; of a sanitized one also what
    # it keeps of freed memory.
    MEMORY_KIB_MAX = (512 if "/asan/" in binary() else 160) << 10

    def peak_memory_kib(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1])

    def run_one(self, body, form, code):
        status = self.api.run("insert", "people", body, form)
        self.assertEqual(status["error_summary"], {code: 1}, status)
        self.assertEqual(status["created_count"], 1, "its neighbour is whole")

    def test_cells_by_the_million_cost_neither_memory_nor_neighbours(self):
        commas = b"," * ((1 << 20) - 10)
        self.expect(self.api.submit("insert", "people", b"id" + commas), 422, "UNREADABLE",
                    ("record_cells_max", 1600))
        self.run_one(b"id,name\n1,a\n2" + commas + b"\n", "csv", "MALFORMED_RECORD")
        many = b",".join(b'"k%d":1' % n for n in range(80_000))
        self.run_one(b'{"id":3}\n{"id":4,' + many + b"}\n", "ndjson", "UNKNOWN_FIELD")
        self.run_one(b'{"id":5}\n{"id":6' + b',"id":6' * 140_000 + b"}\n", "ndjson",
                     "MALFORMED_RECORD")
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            deep = opening * 100_000 + b"1" + closing * 100_000
            self.server.execute("delete from people")
            self.run_one(b'{"id":7}\n{"id":8,"name":' + deep + b"}\n", "ndjson",
                         "MALFORMED_RECORD")
        self.assertLess(self.peak_memory_kib(), self.MEMORY_KIB_MAX)

    def test_a_piece_of_tiny_records_of_a_wide_table_takes_little_memory(self):
        """Each of these 10,000 records of two bytes is read into 1,600 cells: 256 MB of
        them stand in 20 KB."""
        header = b"id," + b",".join(b"c%d" % n for n in range(1, 1600)) + b"\n"
        for form, begin in (("ndjson", b""), ("csv", header)):
            status = self.api.run("insert", "wide", begin + b"1\n" * 10_000, form)
            self.assertEqual(status["error_summary"], {"MALFORMED_RECORD": 10_000})
        self.assertLess(self.peak_memory_kib(), self.MEMORY_KIB_MAX)


class Expansion(LimitCase):
    # Judged past the first 16 MiB: lines of 8 KiB that compress a thousandfold, and the
    # same with some noise in them.
    def test_expansion_ratio_max(self):
        headers = {"Content-Encoding": "gzip"}
        line = b"1," + b"x" * 8000 + b"\n"
        bomb = gzip.compress(b"id,name\n" + line * 3000)
        self.assertGreater(24_000_000 / len(bomb), 200)
        self.expect(self.api.submit("insert", "people", bomb, headers=headers), 413, "TOO_LARGE",
                    ("200",))
        job, _ = self.open_path()
        self.expect(self.api.put_data("people", job, 0, bomb, headers), 413, "TOO_LARGE")
        self.assertEqual(self.offset(job), 0, "a stream is stored whole or not")
        noise = random.Random(7).randbytes(40 * 3000).hex().encode()
        lines = [b"1," + noise[i * 80:i * 80 + 80] + b"x" * 7920 + b"\n" for i in range(3000)]
        dense = gzip.compress(b"id,name\n" + b"".join(lines))
        self.assertLess(24_000_000 / len(dense), 200)
        self.expect(self.api.put_data("people", job, 0, dense, headers), 204)
        self.api.action("people", job, "abort")


class Fields(unittest.TestCase):
    def start(self, extra, **settings):
        server = Server(PEOPLE, {"people": extra}, settings)
        self.addCleanup(server.close)
        return server.start()

    def test_fields_max(self):
        self.assertEqual(len(self.start([], fields_max=3).api().call(
            "GET", "/api/people/schema/").json["fields"]), 3)
        self.start(['only = ["id", "age"]'], fields_max=2)
        with self.assertRaisesRegex(AssertionError, "3 fields; at most 2 .*fields_max.*only"):
            self.start([], fields_max=2)

    def test_fields_max_is_told_by_check_config(self):
        server = Server(PEOPLE, settings={"fields_max": 3})
        self.addCleanup(server.close)
        server.start()
        self.assertEqual(server.command("check-config", "tallyman.toml").returncode, 0)
        config = server.folder / "tallyman.toml"
        config.write_text(config.read_text().replace("fields_max = 3", "fields_max = 2"))
        checked = server.command("check-config", "tallyman.toml")
        self.assertNotEqual(checked.returncode, 0)
        self.assertRegex(checked.stdout + checked.stderr, r"tallyman.toml:\d+: .*fields_max")

    def test_a_table_of_more_columns_than_any_may_have(self):
        wide = "create table people (id integer primary key, " + ", ".join(
            f"c{n}" for n in range(1600)) + ")"
        server = Server(wide)
        self.addCleanup(server.close)
        with self.assertRaisesRegex(AssertionError, "1601 columns; the limit is 1600"):
            server.start()


# --- What one client may have -----------------------------------------------------------


class OpenJobs(LimitCase):
    settings = {"open_jobs_per_owner_max": 3}

    def test_open_jobs_per_owner_max(self):
        jobs = [self.open_path()[0] for _ in range(3)]
        for answer in (self.api.open_job("people", "insert"),
                       self.api.submit("insert", "people", b"id\n1\n")):
            self.expect(answer, 429, "TOO_MANY_OPEN_JOBS", ("open_jobs_per_owner_max", 3))
            self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        other = self.server.api(self.server.make_token("other", "other", ["*"]))
        self.expect(other.open_job("people", "insert"), 201)
        second = self.server.api(self.server.make_token("second", "tester", ["*"]))
        self.expect(second.open_job("people", "insert"), 429)
        self.server.restart()
        api = self.server.api()
        self.expect(api.open_job("people", "insert"), 429)
        for job in jobs:
            self.expect(api.action("people", job, "abort"), 200)
        self.expect(api.submit("insert", "people", b"id\n1\n"), 202)

    def test_of_many_that_race_as_many_get_in_as_there_are_places(self):
        token = self.server.make_token("racer", "racer", ["*"])
        statuses = []

        def race():
            api = self.server.api(token)
            for _ in range(3):
                statuses.append(api.open_job("people", "insert").status)
            api.close()
        threads = [threading.Thread(target=race) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((statuses.count(201), statuses.count(429)), (3, 15))


class StoredBytes(LimitCase):
    settings = {"stored_bytes_per_owner_max": 1000}

    def upload(self, size, first=0):
        return (b"id,name\n%d," % first).ljust(size - 1, b"x") + b"\n"

    def test_stored_bytes_per_owner_max(self):
        done = self.api.run("insert", "people", self.upload(400, 1))["job_id"]
        raw = Raw(self)
        raw.send(self.upload_head(raw, "Content-Length: 601", "Expect: 100-continue"))
        self.refused(raw.answer(), 413, "STORED_BYTES_EXCEEDED", "stored_bytes_per_owner_max",
                     1000, 400)
        answer = self.api.call("POST", "/api/people/bulk/v2/", iter([self.upload(601, 2)]),
                               {"Content-Type": "text/csv"}, chunked=True)
        self.expect(answer, 413, "STORED_BYTES_EXCEEDED")

        job, _ = self.open_path()
        whole = self.upload(600, 2)
        self.expect(self.api.put_data("people", job, 0, whole[:500]), 204)
        self.expect(self.api.put_data("people", job, 500, whole[500:] + b"\n"), 413,
                    "STORED_BYTES_EXCEEDED")
        self.assertEqual(self.offset(job), 500)
        self.server.restart()
        self.api = self.server.api()
        self.expect(self.api.submit("insert", "people", self.upload(101, 3)), 413)
        self.expect(self.api.put_data("people", job, 500, whole[500:] + b"\n"), 413)
        self.expect(self.api.put_data("people", job, 500, whole[500:]), 204)
        self.expect(self.api.action("people", job, "complete"), 202)
        self.expect(self.api.submit("insert", "people", b"id\n"), 413)
        other = self.server.api(self.server.make_token("other", "other", ["*"]))
        self.expect(other.submit("insert", "people", b"id\n9\n"), 202)

        self.expect(self.api.call("DELETE", self.api.job_path("people", done)), 204)
        self.expect(self.api.submit("insert", "people", self.upload(401, 3)), 413)
        self.expect(self.api.submit("insert", "people", self.upload(400, 3)), 202)


class Rates(LimitCase):
    settings = {"requests_per_second_per_token_max": 5, "refusals_per_second_per_address_max": 5}

    def until_refused(self, api, good):
        """The first answer that is not `good`; asserts how many came before it."""
        begun = time.monotonic()
        for count in range(1000):
            answer = api.call("GET", "/api/")
            if answer.status != good:
                # Five at once, and five for each second that went by.
                self.assertGreaterEqual(count, 5)
                self.assertLessEqual(count, 5 + 5 * (time.monotonic() - begun))
                return answer
        raise AssertionError("1000 requests and none too many")

    def test_requests_per_second_per_token_max(self):
        api = self.server.api(self.server.make_token("busy", "tester", ["*"]))
        refused = self.until_refused(api, 200)
        self.expect(refused, 429, "TOO_MANY_REQUESTS", ("requests_per_second_per_token_max", 5))
        self.assertEqual(refused.header("retry-after"), "1")
        for path in ("/healthz", "/readyz"):
            for _ in range(10):
                self.expect(api.call("GET", path), 200)
        other = self.server.api(self.server.make_token("calm", "tester", ["*"]))
        self.expect(other.call("GET", "/api/"), 200)
        wait_until(lambda: api.call("GET", "/api/").status == 200, "a second is over", PATIENCE)

    def test_refusals_per_second_per_address_max(self):
        wrong = Api(self.server.url, "tly_" + "x" * 43)
        self.addCleanup(wrong.close)
        refused = self.until_refused(wrong, 401)
        self.expect(refused, 429, "TOO_MANY_REQUESTS", ("refusals_per_second_per_address_max", 5))
        self.assertEqual(refused.header("retry-after"), "1")
        good = self.server.api(self.server.make_token("good", "tester", ["*"]))
        self.expect(good.call("GET", "/api/"), 200)
        wait_until(lambda: wrong.call("GET", "/api/").status == 401, "a second is over", PATIENCE)


# --- Is it all? -------------------------------------------------------------------------


class EveryLimit(unittest.TestCase):
    """Reads the two headers, the documents and the tests' sources."""
    # What is promised to have a limit, and the settings that are it.
    PROMISED = {
        "connections": "connections_max", "connections per address": "connections_per_address_max",
        "header size": "header_bytes_max", "header time": "header_time", "idle time": "idle_time",
        "minimum transfer rate": "transfer_bytes_per_second_min",
        "upload size": "upload_bytes_max", "expansion ratio": "expansion_ratio_max",
        "record size": "record_bytes_max", "cells in a record": "record_cells_max",
        "fields in a resource": "fields_max", "keys in a delete": "delete_keys_max",
        "open jobs per owner": "open_jobs_per_owner_max",
        "stored bytes per owner": "stored_bytes_per_owner_max",
        "requests per second per token": "requests_per_second_per_token_max"}

    @classmethod
    def setUpClass(cls):
        src = ROOT / "src"
        header = (src / "model" / "limits.h").read_text()
        connections = (src / "http" / "limits.h").read_text()
        constants = re.findall(r"^inline constexpr [\w:]+ (k\w+)", header, re.M)
        cls.limits = {cls.setting(name): name for name in constants}
        cls.connection_limits = re.findall(r"^  std::[\w:]+ (\w+)(?: =|;)", connections, re.M)
        cls.header = header
        cls.documents = (ROOT / "docs" / "configuration.md").read_text()
        cls.config = (src / "app" / "config.cc").read_text()
        cls.tests = {}
        for path in (*src.rglob("*_test.cc"), *src.rglob("*_conformance.h"),
                     *(ROOT / "tests").rglob("*_test.py")):
            text = path.read_text()
            if path.name == "limits_test.cc":  # A list of all values tries none of them.
                text = re.sub(r"TEST\(Limits, AreWhatIsPromised\).*?\n}\n", "", text, flags=re.S)
            if path == pathlib.Path(__file__).resolve():
                text = text.split("class EveryLimit")[0]
            cls.tests[path] = text

    @staticmethod
    def setting(constant):
        return re.sub(r"(?<!^)([A-Z])", r"_\1", constant[1:]).lower()

    def test_the_headers_are_read(self):
        self.assertGreater(len(self.limits), 30, self.limits)
        self.assertGreater(len(self.connection_limits), 10, self.connection_limits)

    def test_every_limit_has_a_test_that_names_it(self):
        for name in (*self.limits, *self.connection_limits):
            words = re.compile(rf"\b(test_)?({name}|{self.limits.get(name, name)})\b")
            self.assertTrue(any(words.search(text) for text in self.tests.values()),
                            f"{name}: no test names it")

    def test_what_is_promised_is_a_limit_a_setting_and_documented(self):
        for what, name in self.PROMISED.items():
            with self.subTest(what):
                self.assertIn(name, (*self.limits, *self.connection_limits))
                self.assertIn(f'"{name}"', self.config)
                self.assertRegex(self.documents, rf"(?m)^\|.*`{name}`.*\|.*\|.*\|")
                outside = self.tests[pathlib.Path(__file__).resolve()]
                self.assertRegex(outside, rf"def test_\w*{name}|settings = \{{[^}}]*{name}")

    def test_the_page_of_limits_names_those_of_connections(self):
        for name in self.connection_limits:
            self.assertRegex(self.header, rf"\b{name}\b", "model/limits.h points to it")

    def test_every_setting_that_is_a_limit_is_documented(self):
        for name in re.findall(r'\{"(\w+)",', self.config):
            self.assertIn(f"`{name}`", self.documents)


if __name__ == "__main__":
    unittest.main()
