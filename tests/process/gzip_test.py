#!/usr/bin/python3
"""Gzip that is a bomb, nested, cut off, damaged or in many members: accepted as what it holds,
or refused with nothing written, nothing left on disk and no memory taken."""
import gzip
import pathlib
import random
import socket
import sys
import threading
import unittest
import urllib.parse
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import gzip_bodies as bodies  # noqa: E402
from support.case import ServerCase  # noqa: E402
from support.process import peak_bytes  # noqa: E402
from support.wait import wait_until  # noqa: E402

MEGABYTE = 1 << 20
GZIP = {"Content-Encoding": "gzip"}
LINES = (b"a" * 1023 + b"\n") * 1024  # A mebibyte.
CSV = b"name\nann\nbob\ncarol\n"


class Gzip(ServerCase):
    schema = "create table people (id integer primary key, name text);"
    settings = None

    def setUp(self):
        super().setUp()
        self.server.execute("delete from people")

    def newest_job(self):
        listed = self.api.call("GET", "/api/jobs/?limit=1").json["results"]
        return listed[0] if listed else None

    def traces(self):
        """What a refused upload must leave as it was."""
        return (self.server.rows("select count(*) from people"), self.uploads(), self.newest_job())

    def uploads(self):
        """Every file of every upload that is still there."""
        return {str(path): path.stat().st_size
                for path in self.server.folder.glob("app.db-tallyman/**/*") if path.is_file()}

    def send(self, body, form="csv", headers=GZIP, **options):
        return self.api.submit("insert", "people", body, form,
                               {"Prefer": "wait=30", **headers}, **options)

    def refused(self, body, status, code=None, mentions=(), form="csv", headers=GZIP):
        before = self.traces()
        self.expect(self.send(body, form, headers), status, code, mentions)
        self.assert_nothing_came_of_it(before)

    def assert_nothing_came_of_it(self, before):
        rows, uploads, job = self.traces()
        self.assertEqual((rows, uploads), before[:2])
        self.assertTrue(job == before[2] or job["state"] == "Aborted", job)
        self.assertEqual(self.api.call("GET", "/healthz").status, 200)

    def accepted(self, body, records, headers=GZIP):
        answer = self.send(body, headers=headers)
        self.assertEqual((answer.status, answer.json.get("created_count")), (200, records), answer)


class Bombs(Gzip):
    GROWTH_MAX = 48 * MEGABYTE

    def memory(self):
        return peak_bytes(self.server.process.pid)

    def test_a_megabyte_of_one_line_is_no_bomb(self):
        self.accepted(bodies.bomb(b"name\n", LINES, 1), 1024)

    def test_bombs_of_all_sizes_are_413_and_take_no_memory(self):
        self.accepted(bodies.bomb(b"name\n", LINES, 8), 8 * 1024)
        before = self.memory()
        for mebibytes in (17, 64, 256, 1024):
            self.refused(bodies.bomb(b"name\n", LINES, mebibytes), 413, "TOO_LARGE",
                         ["expansion_ratio_max", 200])
        self.assertLess(self.memory() - before, self.GROWTH_MAX)

    def test_bombs_of_all_formats_are_413(self):
        gibibyte = 1024
        blanks = b" " * MEGABYTE
        for form, head, block in (("csv", b"name\n", b"a" * MEGABYTE), ("csv", b"", b"\n" * MEGABYTE),
                                  ("csv", b'name\n"', b"\n" * MEGABYTE), ("csv", b"", b"," * MEGABYTE),
                                  ("ndjson", b"", blanks), ("ndjson", b"", b"[" * MEGABYTE),
                                  ("json", b"[", blanks), ("json", b"[", b"{}," * (MEGABYTE // 3)),
                                  ("json", b'[{"name": "', b"a" * MEGABYTE)):
            with self.subTest(form, head=head, block=block[:3]):
                before = self.traces()
                answer = self.send(bodies.bomb(head, block, gibibyte), form)
                self.assertIn(answer.status, (413, 422), answer)
                self.assert_nothing_came_of_it(before)

    def test_eight_bombs_at_once_take_no_memory(self):
        bomb = bodies.bomb(b"name\n", LINES, 1024)
        before, traces, answers = self.memory(), self.traces(), []

        def send():
            api = self.server.api()
            answers.append(api.submit("insert", "people", bomb, headers=GZIP).status)
            api.close()
        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [413] * 8)
        self.assertLess(self.memory() - before, 2 * self.GROWTH_MAX)
        self.assert_nothing_came_of_it(traces)

    def test_a_bomb_in_a_part_leaves_the_job_open_where_it_was(self):
        job = self.api.open_job("people", "insert").json["job_id"]
        self.assertEqual(self.api.put_data("people", job, 0, b"name\nfirst\n").status, 204)
        before = self.uploads()
        bomb = bodies.bomb(b"", LINES, 1024)
        self.expect(self.api.put_data("people", job, 11, bomb, GZIP), 413)
        path = self.api.job_path("people", job, "data")
        self.assertEqual(self.api.call("HEAD", path).header("Upload-Offset"), "11")
        self.assertEqual(self.uploads(), before)
        part = self.api.put_data("people", job, 11, gzip.compress(b"second\n"), GZIP)
        self.assertEqual((part.status, part.header("Upload-Offset")), (204, "18"))
        self.api.action("people", job, "complete")
        self.assertEqual(self.api.wait_for_end("people", job)["created_count"], 2)

    def test_a_bomb_within_a_bomb_is_only_bytes_that_are_no_csv(self):
        inner = gzip.compress(bodies.bomb(b"name\n", LINES, 64), 9)
        self.refused(gzip.compress(inner, 9), 422)

    def test_a_bomb_in_a_form_is_413(self):
        head = (b'--b\r\nContent-Disposition: form-data; name="f"; filename="p.csv"\r\n'
                b"Content-Type: text/csv\r\n\r\nname\n")
        self.refused(bodies.bomb(head, LINES, 1024), 413,
                     headers={**GZIP, "Content-Type": "multipart/form-data; boundary=b"})


class LooseLimits(Gzip):
    """A server that lets anything expand: the limit of an upload is still one."""
    settings = {"expansion_ratio_max": 5000, "upload_bytes_max": "64MiB"}

    def test_what_expands_past_the_largest_upload_is_413(self):
        self.accepted(bodies.bomb(b"name\n", LINES, 8), 8 * 1024)
        before = peak_bytes(self.server.process.pid)
        for mebibytes in (64, 1024):
            self.refused(bodies.bomb(b"name\n", LINES, mebibytes), 413, "TOO_LARGE",
                         ["upload_bytes_max", 64 * MEGABYTE])
        self.assertLess(peak_bytes(self.server.process.pid) - before, 48 * MEGABYTE)

    def test_one_record_of_60_megabytes_is_too_large_and_takes_no_memory(self):
        self.accepted(bodies.bomb(b"name\n", LINES, 8), 8 * 1024)
        before = peak_bytes(self.server.process.pid)
        answer = self.send(bodies.bomb(b"name\n", b"a" * MEGABYTE, 60))
        self.assertEqual((answer.status, answer.json["error_summary"]),
                         (200, {"RECORD_TOO_LARGE": 1}), answer)
        self.assertLess(peak_bytes(self.server.process.pid) - before, 48 * MEGABYTE)

    def test_what_never_expands_is_limited_too(self):
        """A header, or members, without an end: bytes come in, and none comes out."""
        names = bodies.header(bodies.NAME, b"x" * (67 * MEGABYTE))
        self.refused(names, 413, "TOO_LARGE", ["upload_bytes_max"])
        empty = bodies.member(b"")
        self.refused(empty * (67 * MEGABYTE // len(empty)), 413, "TOO_LARGE", ["upload_bytes_max"])


class Streams(Gzip):
    """Small ones, of every shape."""

    def test_members_one_after_the_other_are_one_upload(self):
        for cut in range(len(CSV) + 1):
            self.server.execute("delete from people")
            self.accepted(bodies.member(CSV[:cut]) + bodies.member(CSV[cut:]), 3)
            self.assertEqual(self.server.rows("select name from people order by id"),
                             [("ann",), ("bob",), ("carol",)])

    def test_a_member_for_each_byte(self):
        text = b"name\n" + b"x\n" * 500
        self.accepted(b"".join(bodies.member(text[at:at + 1]) for at in range(len(text))), 500)

    def test_empty_members_mean_nothing(self):
        empty = bodies.member(b"")
        self.accepted(empty * 3 + bodies.member(CSV) + empty * 3, 3)

    def test_every_optional_field_of_a_header(self):
        extra = b"\x05\0Xx\x01\0y"
        for flags, more in ((bodies.TEXT, b""), (bodies.EXTRA, extra), (bodies.NAME, b"people.csv\0"),
                            (bodies.COMMENT, b"none\0"),
                            (bodies.EXTRA | bodies.NAME | bodies.COMMENT, extra + b"a\0b\0")):
            self.accepted(bodies.member(CSV, flags, more), 3)
        start = bodies.header(bodies.HEADER_CRC)
        crc = (zlib.crc32(start) & 0xFFFF).to_bytes(2, "little")
        self.accepted(bodies.member(CSV, bodies.HEADER_CRC, crc), 3)
        self.refused(bodies.member(CSV, bodies.HEADER_CRC, b"\0\0"), 422)
        self.refused(bodies.member(CSV, 0x20), 422)

    def test_a_stream_that_is_cut_off_anywhere_is_422(self):
        whole = bodies.member(CSV)
        for cut in range(len(whole)):
            self.refused(whole[:cut], 422, "UNREADABLE")
        for cut in range(1, len(whole)):
            self.refused(whole + whole[:cut], 422, "UNREADABLE")

    def test_a_byte_that_was_changed_is_noticed_wherever_it_decides_anything(self):
        whole, chance = bodies.member(CSV), random.Random(1)
        for at in range(len(whole)):
            changed = bytearray(whole)
            changed[at] ^= 1 << chance.randrange(8)
            self.server.execute("delete from people")
            if bodies.decoded(bytes(changed)) == CSV:
                self.accepted(bytes(changed), 3)
            else:
                self.refused(bytes(changed), 422)

    def test_what_is_not_gzip_is_422(self):
        whole = bodies.member(CSV)
        for body in (CSV, b"", zlib.compress(CSV), whole[10:-8], b"\x1f\x8b", whole + b"rubbish",
                     whole + b"\0" * 512, whole[:-4] + bodies.trailer(0, 99)[4:],
                     whole[:-8] + bodies.trailer(0, len(CSV)), b"\x1f\x9d\x90" + whole[3:],
                     b"PK\x03\x04" + whole):
            self.refused(body, 422)

    def test_an_encoding_twice_is_not_read(self):
        twice = gzip.compress(gzip.compress(CSV))
        for value in ("gzip, gzip", "gzip,gzip", "gzip, identity", "identity, gzip", "deflate", ""):
            self.refused(twice, 415, headers={"Content-Encoding": value})
        self.refused(twice, 400, "INVALID_HEADER", ["Content-Encoding"],
                     headers={"Content-Encoding": "gzip", "content-encoding": "gzip"})

    def test_gzip_is_also_called_x_gzip_in_any_case(self):
        for value in ("x-gzip", "GZIP", "Gzip"):
            self.accepted(bodies.member(CSV), 3, headers={"Content-Encoding": value})

    def test_a_client_that_goes_away_in_the_middle_leaves_nothing(self):
        before = self.traces()
        where = urllib.parse.urlsplit(self.server.url)
        body = gzip.compress(b"name\n" + random.Random(1).randbytes(200_000).hex().encode())
        head = ("POST /api/people/bulk/v2/ HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
                f"Authorization: Bearer {self.server.token}\r\nContent-Encoding: gzip\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        with socket.create_connection((where.hostname, where.port)) as connection:
            connection.sendall(head.encode() + body[:-100])
            wait_until(lambda: self.uploads() != before[1], "the upload has begun")
        wait_until(lambda: self.newest_job()["state"] == "Aborted", "the job is Aborted")
        wait_until(lambda: self.uploads() == before[1], "its bytes are gone")
        self.assert_nothing_came_of_it(before)


del Gzip  # Only what is made of it has tests.


if __name__ == "__main__":
    unittest.main()
