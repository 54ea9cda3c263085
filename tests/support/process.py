"""What the kernel knows of a running process: memory, descriptors, threads.

    before = peak_bytes(server.process.pid)
"""
import os
import pathlib


def status_of(pid):
    """Name -> text, of /proc/<pid>/status."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def peak_bytes(pid):
    """The most memory that it has ever held (VmHWM)."""
    return int(status_of(pid)["VmHWM"].split()[0]) * 1024


def threads(pid):
    return int(status_of(pid)["Threads"])


def descriptors(pid):
    """What each open descriptor leads to: a path, or "socket:[17]"."""
    folder, found = f"/proc/{pid}/fd", []
    for number in os.listdir(folder):
        try:
            found.append(os.readlink(f"{folder}/{number}"))
        except FileNotFoundError:  # Closed meanwhile.
            pass
    return found


def command_line(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()


def environment(pid):
    return pathlib.Path(f"/proc/{pid}/environ").read_bytes()
