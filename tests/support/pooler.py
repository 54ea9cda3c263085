"""PgBouncer before a database: each transaction gets whichever session is free.

    pooler = Pooler(database.url)
    server.reached_by = pooler.url

What holds for a session alone (LISTEN, SET, prepared statements) holds for no one behind it.
"""
import pathlib
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

from support.postgres import as_its_user
from support.wait import wait_until

PROGRAM = "/usr/sbin/pgbouncer"
PORT = 6432
SETTINGS = """[databases]
* = host={host} port={port}
[pgbouncer]
pool_mode = transaction
default_pool_size = 8
max_client_conn = 200
auth_type = trust
auth_file = {folder}/users
unix_socket_dir = {folder}
listen_port = {listen_port}
logfile = {folder}/log
"""


class Pooler:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        asked = dict(urllib.parse.parse_qsl(parts.query))
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="tallyman-pooler-"))
        (self._folder / "settings").write_text(SETTINGS.format(
            host=asked["host"], port=asked.get("port", "5432"), folder=self._folder,
            listen_port=PORT), encoding="ascii")
        (self._folder / "users").write_text(f'"{parts.username}" ""\n', encoding="utf-8")
        shutil.chown(self._folder, "postgres")
        self.url = (f"postgresql://{parts.netloc}{parts.path}?host={self._folder}&port={PORT}")
        # It refuses to run as root, as PostgreSQL does.
        self._process = subprocess.Popen([PROGRAM, "-q", str(self._folder / "settings")],
                                         preexec_fn=as_its_user, cwd=self._folder)
        wait_until((self._folder / f".s.PGSQL.{PORT}").exists, "the pooler listens")

    def close(self):
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
