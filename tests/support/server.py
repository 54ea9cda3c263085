"""A server of its own for a test, in a temporary folder that goes with it.

    with Server(schema="create table people (id integer primary key, age integer)") as server:
        server.api().run("insert", "people", b"id,age\\n1,41\\n")
        server.rows("select * from people")

kill() is SIGKILL, terminate() is SIGTERM, start() after either resumes on the same folder.
The database is a SQLite file in the folder, or a database of a private PostgreSQL server
(database.py). The folder keeps app.db, tallyman.toml and the logs; TALLYMAN_KEEP=1 leaves it
behind. It lies in memory where there is room (a killed process loses nothing that way, and a
sync costs nothing); TALLYMAN_TEST_FOLDER puts it elsewhere.

Threads: start() in the main thread (the child dies with the thread that started it).
"""
import atexit
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

from support import bounds, database, fences
from support.api import Api
from support.sightings import Sightings
from support.wait import PATIENCE, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPERATIONS = ["insert", "upsert", "update", "replace", "delete"]
_ADDRESS = re.compile(rb"https?://[^\s\"']+:\d+")
_SANITIZER = re.compile(r"(ERROR|WARNING): (Address|Leak|Thread)Sanitizer|: runtime error: ")
_MEMORY = "/dev/shm"
_MEMORY_BYTES_MIN = 2 << 30
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def binary():
    """The program under test: $TALLYMAN_BINARY, or the release build."""
    return os.environ.get("TALLYMAN_BINARY") or str(ROOT / "build" / "release" / "tallyman")


def toml_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(toml_text(item) for item in value) + "]"
    escaped = "".join(c if c not in '"\\\x7f' and ord(c) >= 32 else
                      ("\\" + c if c in '"\\' else f"\\u{ord(c):04x}") for c in value)
    return f'"{escaped}"'


def write_config(path, url, settings, resources, tls=None):
    """`resources`: name -> list of TOML lines, or None for the table of that name."""
    lines = [f"database = {toml_text(url)}", 'listen = "127.0.0.1:0"']
    lines += [f"{name} = {toml_text(value)}" for name, value in settings.items()]
    for name, extra in resources.items():
        extra = extra or []
        lines += ["", f"[resources.{toml_text(name)}]"]
        if not any(line.startswith("table") for line in extra):
            lines.append(f"table = {toml_text(name)}")
        if not any(line.startswith("operations") for line in extra):
            lines.append(f"operations = {toml_text(OPERATIONS)}")
        lines += extra
    if tls:
        lines += ["", "[tls]"] + [f"{name} = {toml_text(value)}" for name, value in tls.items()]
    pathlib.Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


class Server:
    def __init__(self, schema="", resources=None, settings=None, arguments=None, token=True,
                 tls=None, kind=database.KIND, over=None, command="serve"):
        """`resources` defaults to every table of `schema`. `arguments` replaces
        `--config tallyman.toml`. `tls`: the settings of [tls]. `kind` of the database; `over`:
        a database that is there (a second node's). `command`: "work" is a node without HTTP.
        Nothing runs before start()."""
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tallyman-", dir=_place()))
        self.database = over or database.make(kind, self.folder)
        self.log_path = self.folder / "server.log"
        self.output_path = self.folder / "server.out"
        self.settings = dict(settings or {})
        self.tls = tls
        self.sightings = Sightings()  # By every Api of this server, whatever is killed.
        self.watches = []             # bounds.Watch of every process.
        self._stranger = None
        self.environment = {}  # Beside the test's own, for the server.
        self.reached_by = None  # The URL of a proxy before the database, for the server alone.
        self.process = None
        self.url = None
        self.token = None
        self._wants_token = token
        self.arguments = arguments
        self._command = command
        if schema:
            self.database.create(schema)
        if resources is None:
            resources = dict.fromkeys(self.database.tables())
        self.resources = resources
        atexit.register(self.close)

    # --- life ---------------------------------------------------------------------------

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def prepare(self):
        """Makes the server's own tables, and the triggers that show fencing on them. Needs the
        effect log."""
        self.token = self.make_token("tests", "tester", ["*"])
        fences.install(self.database)
        return self

    def start(self, seconds=20):
        write_config(self.folder / "tallyman.toml", self.reached_by or self.database.url,
                     self.settings, self.resources, self.tls)
        if self._wants_token and self.token is None:
            self.token = self.make_token("tests", "tester", ["*"])
        self.spawn()
        if self._command != "serve":
            return self
        address = wait_until(self._address, f"{binary()} names its address", seconds, 0.002)
        self.url = address.decode()
        return self

    def spawn(self):
        """Starts the process and does not wait for it."""
        arguments = self.arguments or ["--config", "tallyman.toml"]
        with open(self.output_path, "wb") as output, open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [binary(), self._command, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=output, stderr=log, preexec_fn=_die_with_parent(),
                env={**os.environ, **self.environment})
        self.watches.append(bounds.Watch(self.process.pid, bounds.configured(self.settings)))
        return self.process

    def _address(self):
        found = _ADDRESS.search(self.output_path.read_bytes())
        if found:
            return found.group(0)
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended with {self.process.returncode} at its start: "
                                 f"{self.output()}{self.log()[-2000:]}")
        return None

    def kill(self):
        if not self.process:
            return
        self.watches[-1].end()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        _check_sanitizers(self.log())

    def terminate(self, seconds=15):
        """SIGTERM; the exit code. AssertionError where it has not ended after `seconds`."""
        self.watches[-1].end()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server has not ended {seconds} s after SIGTERM") from None
        _check_sanitizers(self.log())
        return code

    def restart(self):
        self.kill()
        return self.start()

    def close(self):
        atexit.unregister(self.close)
        try:
            self.kill()
        finally:
            self._remove()

    def _remove(self):
        if not os.environ.get("TALLYMAN_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- ways in ------------------------------------------------------------------------

    def api(self, token=None, seconds=30):
        made = Api(self.url, token or self.token, seconds)
        made.sightings, made.is_alive = self.sightings, lambda: self.process.poll() is None
        return made

    def stranger_token(self):
        """A token of an owner who has no job."""
        if self._stranger is None:
            self._stranger = self.make_token("stranger", "stranger", ["*"])
        return self._stranger

    def bounds_problems(self):
        return [problem for watch in self.watches for problem in watch.problems()]

    def command(self, *arguments, environment=None, stdin=None, seconds=30):
        """Runs `tallyman arguments...` in the folder: a CompletedProcess with text."""
        made = subprocess.run([binary(), *map(str, arguments)], cwd=self.folder, text=True,
                              capture_output=True, input=stdin, timeout=seconds * PATIENCE,
                              check=False, env={**os.environ, **(environment or {})})
        _check_sanitizers(made.stderr)
        return made

    def make_token(self, name, owner, scopes, *extra):
        arguments = ["token", "create", "--database", self.database.url, "--name", name,
                     "--owner", owner]
        for scope in scopes:
            arguments += ["--scope", scope]
        made = self.command(*arguments, *extra)
        found = re.search(r"tly_\S+", made.stdout)
        if made.returncode != 0 or not found:
            raise AssertionError(f"token create: exit {made.returncode}: {made.stdout}{made.stderr}")
        return found.group(0)

    def connect(self, seconds=10):
        """A connection of the test's own; autocommit."""
        return self.database.connect(seconds)

    def execute(self, script):
        self.database.execute(script)

    def rows(self, query, parameters=()):
        return self.database.rows(query, parameters)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def output(self):
        return self.output_path.read_text(errors="replace") if self.output_path.exists() else ""


def _check_sanitizers(text):
    """What a sanitizer has found fails the test, whatever the process was ended for."""
    found = _SANITIZER.search(text)
    if found:
        raise AssertionError(f"a sanitizer reports:\n{text[found.start():][:6000]}")


def _place():
    """Where temporary folders go; None: the system's choice."""
    asked = os.environ.get("TALLYMAN_TEST_FOLDER")
    if asked or not os.access(_MEMORY, os.W_OK):
        return asked
    return _MEMORY if shutil.disk_usage(_MEMORY).free >= _MEMORY_BYTES_MIN else None


def _die_with_parent():
    """So that no server outlives a test that was killed."""
    if threading.current_thread() is not threading.main_thread():
        return None
    library = ctypes.CDLL(None)
    return lambda: library.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
