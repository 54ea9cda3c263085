#!/usr/bin/python3
"""Requests that two programs might cut differently: tests/golden/requests.txt, over a socket.

Each goes out in one piece and byte by byte, with a marker request right behind. Where the
connection is kept the marker is answered next, and by nobody else's answer; where it is not,
never. The hidden requests within would each add a row: none does.
"""
import pathlib
import re
import socket
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.case import ServerCase  # noqa: E402
from support.server import ROOT  # noqa: E402

CORPUS = ROOT / "tests/golden/requests.txt"
BULK = "/api/people/bulk/v2/"
MARKER = "m4rker"
BYTE_BY_BYTE_MAX = 700
ESCAPES = {"r": b"\r", "n": b"\n", "0": b"\0", "t": b"\t", "s": b" ", "\\": b"\\"}


class Case:
    def __init__(self, name, expected, text):
        self.name, self.text = name, text
        *self.statuses, self.end = [word for word in expected.split() if word != "unprompted"]
        self.unprompted = expected.endswith("unprompted")

    def payload(self, macros):
        return unescaped(expanded(self.text, macros))


def read_corpus(text):
    cases = []
    for block in re.split(r"^== ", text, flags=re.M)[1:]:
        name, expected, *lines = [line for line in block.split("\n")
                                  if line and not line.startswith("# ")]
        cases.append(Case(name, expected.removeprefix("-> "), "".join(lines)))
    return cases


def expanded(text, macros):
    """{name}, {name#} (its length), {name#x} (in hexadecimal), {text*times}; inside out."""
    def one(found):
        inner = found.group(1)
        if repeated := re.fullmatch(r"(.*)\*(\d+)", inner):
            return repeated.group(1) * int(repeated.group(2))
        name, _, form = inner.partition("#")
        if "#" not in inner:
            return macros[name]
        return format(len(unescaped(expanded(macros[name], macros))), form or "d")
    while (text := re.sub(r"\{([^{}]*)\}", one, before := text)) != before:
        pass
    return text


def unescaped(text):
    def one(found):
        sign = found.group(1).decode()
        return bytes([int(sign[1:], 16)]) if sign[0] == "x" else ESCAPES[sign]
    return re.sub(rb"\\(x[0-9a-f]{2}|.)", one, text.encode())


def read_answers(received, method):
    """[(status, head, body)] of whole answers, and what is left over."""
    answers = []
    while True:
        head, found, rest = received.partition(b"\r\n\r\n")
        if not found:
            return answers, received
        status = int(head[9:12])
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        size = int(length.group(1)) if length and method != "HEAD" else 0
        if len(rest) < size:
            return answers, received
        answers.append((status, head.decode(), rest[:size].decode()))
        received, method = rest[size:], "GET"  # Only the first request of a case is a HEAD.


class Smuggling(ServerCase):
    schema = "create table people (id integer primary key, name text);"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cases = read_corpus(CORPUS.read_text(encoding="utf-8"))
        head = (f"POST {BULK} HTTP/1.1\\r\\nHost: a\\r\\nContent-Type: text/csv\\r\\n"
                f"Authorization: Bearer {cls.server.token}\\r\\n")
        cls.macros = {
            "bulk": BULK, "token": cls.server.token, "post": head,
            "chunks": head + "Transfer-Encoding: chunked\\r\\n\\r\\n",
            "get": "GET /healthz HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n",
            "hidden": head + "Content-Length: 12\\r\\n\\r\\nname\\nhidden\\n"}
        cls.marker = (f"GET /api/{MARKER}/schema/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                      f"Authorization: Bearer {cls.server.token}\r\n\r\n").encode()

    def exchange(self, payload, piece):
        """What the server sends until it ends the connection."""
        where = urllib.parse.urlsplit(self.server.url)
        received = b""
        with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(payload), piece):
                connection.sendall(payload[at:at + piece])
            try:
                while got := connection.recv(65_536):
                    received += got
            except ConnectionResetError:
                self.fail(f"the connection was reset after {received!r}")
            except TimeoutError:
                self.fail(f"the connection stays open after {received!r}")
        return received

    def check(self, case, piece):
        payload = case.payload(self.macros)
        received = self.exchange(payload + (b"" if case.unprompted else self.marker), piece)
        answers, left_over = read_answers(received, payload.split(b" ")[0].decode("latin-1"))
        if "100" not in case.statuses:  # Said or not, by whether the body was there already.
            answers = [answer for answer in answers if answer[0] != 100]
        told = [str(status) for status, _, _ in answers]
        wanted = case.statuses + (["404"] if case.end == "keep" else [])
        self.assertEqual((told, left_over), (wanted, b""), received[:2000])
        for status, head, body in answers[:len(case.statuses)]:
            self.assertNotIn(MARKER, body)
            if status >= 400 and body:
                self.assertRegex(body, r'^\{"error":".+","code":"[A-Z_]+"')
        if case.end == "keep":
            self.assertIn(MARKER, answers[-1][2])
        self.assertEqual("Connection: close" in answers[len(case.statuses) - 1][1],
                         case.end == "close", answers)

    def test_the_corpus(self):
        self.assertGreater(len(self.cases), 150)
        self.assertEqual(len({case.name for case in self.cases}), len(self.cases))
        accepted = 0
        for case in self.cases:
            size = len(case.payload(self.macros))
            for piece in (size + 4096, 1) if size <= BYTE_BY_BYTE_MAX else (size + 4096,):
                with self.subTest(case.name, piece=piece):
                    self.check(case, piece)
                accepted += case.statuses.count("202")
        self.wait_for_quiet()
        # Nothing was smuggled: as many jobs as were answered 202, and no hidden row.
        jobs = self.api.call("GET", "/api/jobs/?limit=1000").json["results"]
        self.assertEqual(sum(job["state"] == "Job Complete" for job in jobs), accepted)
        self.assertTrue(all(job["state"] in ("Job Complete", "Aborted") for job in jobs))
        self.assertEqual(self.server.rows("select * from people where name = 'hidden'"), [])
        self.assertEqual(self.api.call("GET", "/healthz").status, 200)
        self.assertIsNone(self.server.process.poll())


if __name__ == "__main__":
    unittest.main()
