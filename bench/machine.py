"""What is measured with: a server of its own on the real disk, peers as programs, and figures.

    with bench_server() as server:
        seconds = load(server, "insert", data.insert_csv(1_000_000))
        peak_memory(server)                       # bytes, since its start
    seconds = timed([sqlite3, ...])

Every time is wall-clock. Servers are started with their defaults.
"""
import contextlib
import http.client
import json
import os
import pathlib
import platform
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
RUNS = ROOT / "build" / "bench-run"  # On the disk, not in memory.
os.environ["TALLYMAN_TEST_FOLDER"] = str(RUNS)
from support.api import METHODS, Answer, Api  # noqa: E402
from support.server import Server  # noqa: E402
import data  # noqa: E402

CONTENT_TYPES = {".csv": "text/csv", ".ndjson": "application/x-ndjson",
                 ".json": "application/json"}
BLOCK_BYTES = 1 << 20


# --- Our side ---------------------------------------------------------------------------

@contextlib.contextmanager
def bench_server(template=None, tls=None):
    """A running server over a new database, or over a copy of `template`."""
    RUNS.mkdir(parents=True, exist_ok=True)
    server = Server("" if template else data.SCHEMA, resources={"transactions": None},
                    settings={"log_level": "warning"}, tls=tls)
    try:
        if template:
            copy_database(template, server.database.path)
        yield server.start()
    finally:
        server.close()


def load(server, operation, path, **options):
    """Sends a file as one job and waits: (seconds to the answer that the job has ended, its
    status)."""
    begin = time.monotonic()
    answer = send(server, METHODS[operation], "/api/transactions/bulk/v2/", path,
                  {"Content-Type": CONTENT_TYPES[path.suffix], "Prefer": "wait=60"}, options)
    status = answer.json
    while answer.status in (200, 202) and status.get("state") not in ("Job Complete", "Failed"):
        time.sleep(0.02)
        answer = server.api().status("transactions", status["job_id"])
        status = answer.json
    seconds = time.monotonic() - begin
    if status.get("state") != "Job Complete":
        raise AssertionError(f"the job did not complete: {answer}")
    return seconds, status


def send(server, method, path, file_path, headers=None, query=None):
    """A request whose body is a file, by sendfile where there is no TLS: what the sender
    costs is not what is measured."""
    address = urllib.parse.urlsplit(server.url)
    if query:
        path += "?" + urllib.parse.urlencode(query)
    connection = socket.create_connection((address.hostname, address.port), timeout=600)
    if address.scheme == "https":
        connection = _unchecked().wrap_socket(connection)
    head = [f"{method} {path} HTTP/1.1", f"Host: {address.netloc}",
            f"Authorization: Bearer {server.token}", "Connection: close",
            f"Content-Length: {os.path.getsize(file_path)}"]
    head += [f"{name}: {value}" for name, value in (headers or {}).items()]
    with connection, open(file_path, "rb") as file:
        connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        if address.scheme == "https":
            while block := file.read(BLOCK_BYTES):
                connection.sendall(block)
        else:
            connection.sendfile(file, count=None)
        received = b""
        while block := connection.recv(BLOCK_BYTES):
            received += block
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    found = dict(line.lower().split(": ", 1) for line in lines[1:])
    status = int(lines[0].split()[1])
    return Answer("ok" if status < 300 else "failed", status, found, body)


def _unchecked():
    """TLS with whoever answers: the certificate is one of our own."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def open_job(server):
    """The id of a new staged job of CSV to insert; over TLS too."""
    address = urllib.parse.urlsplit(server.url)
    connection = (http.client.HTTPSConnection(address.netloc, context=_unchecked())
                  if address.scheme == "https" else http.client.HTTPConnection(address.netloc))
    connection.request("POST", "/api/transactions/jobs/",
                       json.dumps({"operation": "insert", "content_type": "text/csv"}),
                       {"Authorization": f"Bearer {server.token}",
                        "Content-Type": "application/json"})
    job = json.loads(connection.getresponse().read())["job_id"]
    connection.close()
    return job


def download(server, path):
    """GETs it and throws it away: (bytes of the body, seconds)."""
    address = urllib.parse.urlsplit(server.url)
    begin = time.monotonic()
    connection = http.client.HTTPConnection(address.netloc, timeout=600)
    connection.request("GET", path, headers={"Authorization": f"Bearer {server.token}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise AssertionError(f"GET {path}: {answer.status}")
    block = memoryview(bytearray(BLOCK_BYTES))
    received = 0
    while count := answer.readinto(block):
        received += count
    return received, time.monotonic() - begin


def google_benchmark(program, names):
    """Bytes a second of the benchmarks whose names match, by name."""
    out = subprocess.run([str(ROOT / "build" / "bench" / program), "--benchmark_format=json",
                          f"--benchmark_filter={names}"], check=True, text=True,
                         capture_output=True).stdout
    return {run["name"]: run["bytes_per_second"] for run in json.loads(out)["benchmarks"]}


def peak_memory(server):
    """The most that the server has held resident since its start, in bytes."""
    text = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in text.splitlines()
                    if line.startswith("VmHWM")).split()[1]) * 1024


# --- The peers --------------------------------------------------------------------------

@contextlib.contextmanager
def bench_database(template=None):
    """A new database file, or a copy of one, in a folder that goes."""
    RUNS.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="peer-", dir=RUNS))
    try:
        path = folder / "app.db"
        if template:
            copy_database(template, path)
        else:
            shell(path, "pragma journal_mode = wal;" + data.SCHEMA)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_database(template, path):
    shutil.copyfile(template, path)
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def shell(database, script):
    """The sqlite3 shell."""
    subprocess.run(["sqlite3", "-bail", str(database)], input=script, text=True, check=True,
                   stdout=subprocess.DEVNULL)


def shell_import(database, path):
    """Seconds that the shell's .import of a CSV takes."""
    begin = time.monotonic()
    shell(database, f".mode csv\n.import --skip 1 {path} transactions\n")
    return time.monotonic() - begin


def hand_written(operation, database, path):
    """Seconds that the program hand_written.c takes."""
    begin = time.monotonic()
    subprocess.run([str(ROOT / "build" / "bench" / "hand_written"), operation, str(database),
                    str(path)], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def template_database(name, *imports):
    """A database file that holds the given CSV files' rows; made once."""
    path = data.FOLDER / f"{name}.db"
    if path.exists():
        return path
    data.FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    shell(unfinished, data.SCHEMA)
    for file in imports:
        shell_import(unfinished, file)
    unfinished.rename(path)
    return path


# --- Figures ----------------------------------------------------------------------------

def describe():
    """The machine and the commit that figures belong to."""
    processor = next((line.split(":", 1)[1].strip() for line in
                      pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                      if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, text=True,
                            capture_output=True, check=False).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"processor": processor, "cores": os.cpu_count(),
            "memory_gib": round(memory / 2**30), "kernel": platform.release(),
            "commit": commit, "date": time.strftime("%Y-%m-%d")}


def median(values):
    return statistics.median(values)


def quantile(values, share):
    """The smallest value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
