"""A private PostgreSQL server in a temporary folder, reached by a Unix socket.

    with PostgresServer() as server:
        url = server.create_database()      # postgresql://app@/test_1?host=...

Run as a program it starts one, prints the URL of its superuser's database `postgres` on a
line, and stops it when its standard input ends: so a C++ test that dies takes it along.

The role that databases are made for, `app`, is no superuser.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SETTINGS = {
    "listen_addresses": "''",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "log_min_messages": "warning",
    "logging_collector": "off",
    "jit": "off",
    "autovacuum_naptime": "5s",
}


def programs():
    """The folder of initdb and postgres: the newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda path: int(path.parts[-3]))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed; ./dev deps installs it")
    return found[-1].parent


def as_its_user():
    """What a child does first: PostgreSQL refuses to run as root; and it ends with us."""
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG: an immediate shutdown.


class PostgresServer:
    """`durable`: fsync on, as in production; else faster, for what no power loss is part of."""

    def __init__(self, durable=False, port=None, **settings):
        self.folder = Path(tempfile.mkdtemp(prefix="tallyman-postgres-"))
        self.port = port or 5432
        self.settings = {**SETTINGS, "unix_socket_directories": f"'{self.folder}'",
                         "port": str(self.port), **settings}
        if port:
            self.settings["listen_addresses"] = "'127.0.0.1'"
        if not durable:
            self.settings |= {"fsync": "off", "full_page_writes": "off"}
        self.process = None
        self.databases = 0
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._initialize()
        self.start()
        self.sql("CREATE ROLE app LOGIN", database="postgres")

    def _initialize(self):
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "--auth=trust",
                  "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
        lines = "".join(f"{name} = {value}\n" for name, value in self.settings.items())
        with open(self.folder / "data" / "postgresql.conf", "a") as file:
            file.write(lines)

    def _run(self, program, *arguments):
        done = subprocess.run([programs() / program, *arguments], preexec_fn=as_its_user,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stdout.decode()}")

    def start(self):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(
                [programs() / "postgres", "-D", str(self.folder / "data")],
                preexec_fn=as_its_user, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            ready = subprocess.run([programs() / "pg_isready", "-q", "-h", str(self.folder),
                                    "-p", str(self.port)])
            if ready.returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("PostgreSQL did not start:\n" + self.log())

    def log(self):
        return (self.folder / "log").read_text()

    def url(self, database, role="app"):
        return f"postgresql://{role}@/{database}?host={self.folder}&port={self.port}"

    def sql(self, statements, database="postgres", role="postgres"):
        """Runs statements; returns the rows of the last one as lines of |-separated texts."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                               "-d", self.url(database, role)],
                              input=statements, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def create_database(self, template=None, strategy="file_copy"):
        """An empty database of the role `app`, or a copy of the one that is named; returns its
        URL for it. By "wal_log" the copy is as if it had just been written."""
        self.databases += 1
        name = f"test_{self.databases}"
        copied = f"TEMPLATE {template} STRATEGY {strategy}" if template else ""
        self.sql(f"CREATE DATABASE {name} OWNER app {copied}")
        return self.url(name)

    def set(self, **settings):
        """Changes settings that a reload is enough for, in every session."""
        for name, value in settings.items():
            self.sql(f"ALTER SYSTEM SET {name} = {value}")
        self.sql("SELECT pg_reload_conf()")

    def stop(self, how=signal.SIGQUIT):
        """SIGQUIT: at once, as in a crash; SIGINT: in good order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with PostgresServer() as server:
        print(server.url("postgres", role="postgres"), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
