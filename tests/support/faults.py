"""Faults that a server meets: the n-th call of a kind fails, falls short, or is its last.

    server = FaultyServer(SCHEMA).start()
    server.faults.arm("sync", nth=3, action="EIO", text=".data")
    ...                                    # the third sync of a payload's bytes fails
    server.faults.fired                    # 1 where it was reached
    server.faults.arm(("write", "create"), nth=1, action="ENOSPC", sticky=True)   # a full disk
    server.faults.disarm()                 # there is room again
    server.faults.count("write")           # counts from now on; .reached tells

Kinds: those of KINDS below. Actions: the name of an errno, "short" (half of it is written;
with sticky=True the next one finds the disk full), "crash before", "crash after".

The faults come from tests/faults/fault_injection.cc, a library that is loaded into the very
program that is shipped (docs/decisions/008). They stay armed over a restart: disarm first,
or start with faults.
"""
import ctypes
import errno
import mmap
import os
import pathlib
import re
import subprocess

from support.server import Server, binary

KINDS = {name: 1 << place for place, name in enumerate(
    ("write", "sync", "truncate", "rename", "create", "open", "remove", "make folder", "read",
     "statement", "change"))}
_COUNT, _FAIL, _SHORT, _CRASH_BEFORE, _CRASH_AFTER = range(5)
_ACTIONS = {"count": _COUNT, "short": _SHORT, "crash before": _CRASH_BEFORE,
            "crash after": _CRASH_AFTER}
_SANITIZER = re.compile(r"lib[at]san\.so\S* => (\S+)")


class _Control(ctypes.Structure):
    """The same as in fault_injection.cc."""
    _fields_ = [("armed", ctypes.c_uint32), ("kinds", ctypes.c_uint32),
                ("action", ctypes.c_uint32), ("error_number", ctypes.c_int32),
                ("sticky", ctypes.c_uint32), ("logged", ctypes.c_uint32),
                ("nth", ctypes.c_uint64), ("reached", ctypes.c_uint64),
                ("fired", ctypes.c_uint64), ("text", ctypes.c_char * 192),
                ("what", ctypes.c_char * 512)]


def library():
    """Beside the program under test, or $TALLYMAN_FAULTS_LIBRARY."""
    path = os.environ.get("TALLYMAN_FAULTS_LIBRARY") or str(
        pathlib.Path(binary()).resolve().parent / "libtallyman_faults.so")
    if not os.path.exists(path):
        raise AssertionError(f"{path} is not there: build the target tallyman_faults")
    return path


def preload():
    """What LD_PRELOAD must hold: a sanitizer's runtime stays the first."""
    linked = subprocess.run(["ldd", binary()], capture_output=True, text=True, check=False).stdout
    return " ".join([*_SANITIZER.findall(linked), library()])


class Faults:
    def __init__(self, folder):
        """The files below `folder` are those that faults can meet."""
        self.path = pathlib.Path(folder) / "faults"
        self.log_path = pathlib.Path(folder) / "faults.log"
        with open(self.path, "wb+") as file:
            file.truncate(mmap.PAGESIZE)
            self._map = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        self._control = _Control.from_buffer(self._map)

    @property
    def environment(self):
        return {"LD_PRELOAD": preload(), "TALLYMAN_FAULTS": str(self.path)}

    def arm(self, kinds, nth, action, text="", sticky=False, logged=False):
        """From now on calls of `kinds` (one or several) are counted, and the nth is a fault.
        `text`: only of files (or statements) whose path (or SQL) holds it; "app.db$": ends so."""
        self.disarm()
        control = self._control
        control.kinds = sum(KINDS[kind] for kind in
                            ([kinds] if isinstance(kinds, str) else kinds))
        control.action = _ACTIONS.get(action, _FAIL)
        control.error_number = errno.ENOSPC if action not in vars(errno) else getattr(
            errno, action)
        control.nth, control.sticky, control.logged = nth, sticky, logged
        control.text, control.what = text.encode(), b""
        control.reached = control.fired = 0
        self.log_path.write_bytes(b"")
        control.armed = 1

    def count(self, kinds, text="", logged=False):
        self.arm(kinds, 0, "count", text, logged=logged)

    def disarm(self):
        self._control.armed = 0

    @property
    def reached(self):
        return self._control.reached

    @property
    def fired(self):
        return self._control.fired

    @property
    def what(self):
        """The call that was the nth: "pwrite64 /folder/app.db-wal"."""
        return self._control.what.decode(errors="replace")

    def calls(self):
        """Of logged=True: every call that was counted, in order."""
        return self.log_path.read_text(errors="replace").splitlines()


class FaultyServer(Server):
    """A Server with faults.arm(), at first with nothing armed."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.faults = Faults(self.folder)
        self.environment = {**self.faults.environment, "SQLITE_TMPDIR": str(self.folder)}
