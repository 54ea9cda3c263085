"""Clients that are slow on purpose, thousands of them, in one process of their own.

    crowd = Crowd({"heads": 700, "bodies": 700}, requests)
    crowd.await_all_in()          every connection has said what it says at first, and the
                                  answers that nobody reads have begun
    crowd.await_all_out(20)       {"heads": {408: 700}, ...}: what each was told before its end

Asynchronous sockets in one epoll loop. Each connection sends one more byte a second, except
those that never read their answer; a status of 0 is an end without an answer.
"""
import collections
import multiprocessing
import os
import resource
import select
import socket
import time
import traceback

DESCRIPTORS_SPARE = 200
DRIP_SECONDS = 1.0
READ_BUFFER_BYTES = 4096


class Crowd:
    """`requests`: kind -> a list of first bytes, taken in turn. Kinds that begin with "readers"
    never read."""

    def __init__(self, address, counts, requests):
        self._ends, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_run, args=(address, counts, requests, theirs), daemon=True)
        self._process.start()

    def await_all_in(self, seconds=60):
        return self._receive(seconds, "all slow clients are connected")

    def await_all_out(self, seconds):
        """kind -> {status: how many}, when the server has ended every connection."""
        told = self._receive(seconds, "every slow client was cut")
        self._process.join()
        return told

    def _receive(self, seconds, what):
        if not self._ends.poll(seconds):
            self._process.kill()
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        told = self._ends.recv()
        if isinstance(told, str):
            raise AssertionError(told)
        return told


def allow_descriptors(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise AssertionError(f"{wanted} descriptors are needed; the system allows {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _run(address, counts, requests, ends):
    try:
        os.nice(1)
        allow_descriptors(sum(counts.values()) + DESCRIPTORS_SPARE)
        _Loop(address, counts, requests).run(ends)
    except BaseException:  # Whatever it was, the test is to show it.
        ends.send(traceback.format_exc())


class _Client:
    def __init__(self, address, kind, first):
        self.kind, self.left, self.received = kind, first, b""
        self.waits_for_answer = kind.startswith("readers")
        self.reads = not kind.startswith("readers")
        self.socket = socket.socket()
        if not self.reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BUFFER_BYTES)
        self.socket.connect(address)
        self.socket.setblocking(False)

    def send_some(self):
        if self.left:
            self.left = self.left[self.socket.send(self.left):]

    def status(self):
        return int(self.received[9:12]) if self.received.startswith(b"HTTP/1.1 ") else 0


class _Loop:
    def __init__(self, address, counts, requests):
        self.poll = select.epoll()
        self.clients, self.told = {}, {kind: collections.Counter() for kind in counts}
        for kind, count in counts.items():
            for number in range(count):
                client = _Client(address, kind, requests[kind][number % len(requests[kind])])
                self.clients[client.socket.fileno()] = client
                client.send_some()
                self.poll.register(client.socket.fileno(), self.interest(client))

    @staticmethod
    def interest(client):
        return (select.EPOLLRDHUP | (select.EPOLLOUT if client.left else 0)
                | (select.EPOLLIN if client.reads or client.waits_for_answer else 0))

    def run(self, ends):
        while any(client.left or client.waits_for_answer for client in self.clients.values()):
            self.events()
        ends.send(len(self.clients))
        next_drip = time.monotonic() + DRIP_SECONDS
        while self.clients:
            self.events()
            if time.monotonic() >= next_drip:
                self.drip()
                next_drip += DRIP_SECONDS
        ends.send({kind: dict(told) for kind, told in self.told.items()})

    def events(self):
        for number, event in self.poll.poll(0.05):
            client = self.clients[number]
            try:
                if event & select.EPOLLOUT:
                    client.send_some()
                    self.poll.modify(number, self.interest(client))
                if event & select.EPOLLIN and client.waits_for_answer:
                    client.waits_for_answer = False
                    self.poll.modify(number, self.interest(client))
                    continue
                if event & select.EPOLLIN and (piece := client.socket.recv(65_536)):
                    client.received += piece
                elif event & (select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLHUP
                              | select.EPOLLERR):
                    self.end(number)
            except BlockingIOError:
                pass
            except OSError:
                self.end(number)

    def drip(self):
        for number, client in list(self.clients.items()):
            if client.reads:
                try:
                    client.socket.send(b"x")
                except BlockingIOError:
                    pass
                except OSError:
                    self.end(number)

    def end(self, number):
        client = self.clients.pop(number)
        try:
            while client.reads and (piece := client.socket.recv(65_536)):
                client.received += piece
        except OSError:
            pass
        self.told[client.kind][client.status()] += 1
        self.poll.unregister(number)
        client.socket.close()
