"""A proxy between a server and PostgreSQL that loses what it is told to lose.

    proxy = Proxy(database.url)
    server = Server(over=PostgresDatabase(proxy.url), ...)
    proxy.lose(COMMIT, nth=3, reply=True)  # the third COMMIT from now on is executed, its reply
                                           # is lost, and the connection breaks
    proxy.lose(COMMIT, nth=1, reply=False) # the next one never arrives
    proxy.lost                             # how often that was
    proxy.swallow()                        # from now on nothing goes through, in either way, and
                                           # nobody is told
    proxy.resume()                         # what was held back goes on

It understands as much of the frontend protocol (version 3, no encryption) as it takes to see
where a statement begins.

Threads: any. It runs in threads of its own, three a connection's pair.
"""
import pathlib
import re
import shutil
import socket
import tempfile
import threading
import urllib.parse

COMMIT = re.compile(rb"commit\b|end\b", re.I)
BLOCK_BYTES = 1 << 16


class Proxy:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        asked = dict(urllib.parse.parse_qsl(parts.query))
        self._target = f"{asked['host']}/.s.PGSQL.{asked.get('port', '5432')}"
        self._folder = tempfile.mkdtemp(prefix="tallyman-proxy-")
        self.url = f"postgresql://{parts.netloc}{parts.path}?host={self._folder}&port=5432"
        self._lock = threading.Lock()
        self._pattern, self._countdown, self._reply = None, 0, True
        self.seen = self.lost = 0
        self._open = threading.Event()
        self._open.set()
        self._pairs = set()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{self._folder}/.s.PGSQL.5432")
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, pattern, nth=1, reply=True):
        """Of the statements that begin with `pattern`: the nth, or its reply."""
        with self._lock:
            self._pattern, self._countdown, self._reply, self.seen = pattern, nth, reply, 0

    def count(self, pattern):
        self.lose(pattern, 0)

    def swallow(self):
        self._open.clear()

    def resume(self):
        self._open.set()

    def break_all(self):
        """Closes every connection that there is."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.close()

    def close(self):
        self._listener.close()
        self._open.set()
        self.break_all()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            _Pair(self, client, self._target)

    # --- what a pair asks -----------------------------------------------------------------

    def wait_while_swallowing(self):
        self._open.wait()

    def verdict(self, statement):
        """None, or "statement" or "reply": what of it is to be lost."""
        with self._lock:
            if not self._pattern or not self._pattern.match(statement):
                return None
            self.seen += 1
            if self.seen != self._countdown:
                return None
            self.lost += 1
            return "reply" if self._reply else "statement"

    def add(self, pair):
        with self._lock:
            self._pairs.add(pair)

    def remove(self, pair):
        with self._lock:
            self._pairs.discard(pair)


class _Pair:
    """A client's connection and the one to the database."""

    def __init__(self, proxy, client, target):
        self._proxy, self._client = proxy, client
        self._server = socket.socket(socket.AF_UNIX)
        try:
            self._server.connect(target)
        except OSError:  # The database is down; so is what stands for it.
            client.close()
            return
        self._loses_reply = threading.Event()
        proxy.add(self)
        for run in (self._forwards, self._backwards):
            threading.Thread(target=self._guarded, args=(run,), daemon=True).start()

    def _guarded(self, run):
        try:
            run()
        except OSError:
            pass
        self.close()

    def close(self):
        self._proxy.remove(self)
        for end in (self._client, self._server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _receive(self, size):
        held = bytearray()
        while len(held) < size:
            block = self._client.recv(size - len(held))
            if not block:
                raise OSError("the client is gone")
            held += block
        return bytes(held)

    def _send(self, block):
        self._proxy.wait_while_swallowing()
        self._server.sendall(block)

    def _forwards(self):
        """Message by message: a type and a length, but for the first, which has no type."""
        size = self._receive(4)
        self._send(size + self._receive(int.from_bytes(size, "big") - 4))
        while True:
            head = self._receive(5)
            message = head + self._receive(int.from_bytes(head[1:], "big") - 4)
            lost = self._proxy.verdict(_statement_of(message))
            if lost == "statement":
                return
            if lost == "reply":
                self._loses_reply.set()
            self._send(message)

    def _backwards(self):
        while True:
            block = self._server.recv(BLOCK_BYTES)
            self._proxy.wait_while_swallowing()
            if not block or (self._loses_reply.is_set() and b"COMMIT\0" in block):
                return
            self._client.sendall(block)


def _statement_of(message):
    """The SQL that a message of the client brings; empty where it brings none."""
    if message[:1] == b"Q":
        return message[5:]
    if message[:1] == b"P":  # The statement's name, then its text.
        return message[5:].partition(b"\0")[2]
    return b""
