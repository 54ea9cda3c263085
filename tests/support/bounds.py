"""What a process holds, read from /proc, against what it may hold.

    watch = Watch(pid, Limits(memory_bytes=300 << 20, files=200, threads=40))
    ...
    watch.problems()      # ["I9 process 71: 44 threads, 40 are allowed", ...]

A Watch looks several times a second in a thread of its own, until the process is gone.
Memory is the peak that the kernel keeps; file handles and threads are the most of any look.

Threads: problems() from any.
"""
import os
import pathlib
import threading
from dataclasses import dataclass

LOOK_SECONDS = 0.05
# What a process of this program has before anybody calls: see src/worker/worker.h and
# src/http/server.h. Each worker has a thread that reads ahead; the sweeper, the chores, the
# leases, the listener and main have one each.
OWN_THREADS = 12
OWN_FILES = 48   # Database, its log and readers, payloads, sockets that listen.
OWN_MEMORY = 96 << 20
# Sanitizers keep shadows and freed memory, and a thread of their own.
SANITIZED = bool(os.environ.get("TALLYMAN_SANITIZED"))


@dataclass
class Limits:
    memory_bytes: int
    files: int
    threads: int


def configured(settings, callers=24):
    """The limits that a server's settings imply: a window and the next one for each worker, a
    connection and a thread for each of the callers that there are at the same time."""
    workers = settings.get("workers", 2)
    window = 2 * (24 << 20)
    return Limits(memory_bytes=OWN_MEMORY + workers * window + callers * (2 << 20),
                  files=OWN_FILES + 4 * workers + 4 * callers,
                  threads=OWN_THREADS + 2 * workers + 2 * callers)


def look(pid):
    """(peak memory in bytes, file handles, threads), or None where the process is gone."""
    folder = pathlib.Path(f"/proc/{pid}")
    try:
        fields = dict(line.split(":", 1) for line in
                      (folder / "status").read_text(encoding="utf-8").splitlines())
        if "VmHWM" not in fields:  # It has ended and was not waited for.
            return None
        files = len(os.listdir(folder / "fd"))
    except OSError:
        return None
    return int(fields["VmHWM"].split()[0]) * 1024, files, int(fields["Threads"])


def problems_of(pid, limits, seen):
    memory, files, threads = seen
    found = []
    if memory > limits.memory_bytes and not SANITIZED:
        found.append(f"I9 process {pid}: {memory >> 20} MiB of memory, "
                     f"{limits.memory_bytes >> 20} MiB are allowed")
    if files > limits.files:
        found.append(f"I9 process {pid}: {files} file handles, {limits.files} are allowed")
    if threads > limits.threads:
        found.append(f"I9 process {pid}: {threads} threads, {limits.threads} are allowed")
    return found


class Watch:
    def __init__(self, pid, limits):
        self.pid, self.limits = pid, limits
        self.peak = (0, 0, 0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while self._look() and not self._over.wait(LOOK_SECONDS):
            pass

    def _look(self):
        seen = look(self.pid)
        if seen:
            self.peak = tuple(map(max, self.peak, seen))
        return seen is not None

    def end(self):
        """No more looks; to be called before the process is waited for."""
        self._over.set()

    def problems(self):
        self._look()
        return problems_of(self.pid, self.limits, self.peak)
