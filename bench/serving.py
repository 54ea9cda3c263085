"""How the server answers: uploads to disk, one small job, status while a job runs, lists.

Figures as in loads.py. Where there is no fair peer the figure stands alone.
"""
import concurrent.futures
import subprocess
import time

import data
import machine
from figure import Figure

SMALL_JOBS = 300
LISTED_JOBS = 10_000
LIST_CALLS = 200
MILLISECONDS = 1e3


def upload(scale):
    """One part of a staged upload, from the first byte to the 204: split, indexed, on disk."""
    return _upload("upload to disk", data.insert_csv(scale.large_records), None)


def upload_tls(scale):
    certificate, key = _certificate()
    return _upload("upload to disk over TLS", data.insert_csv(scale.large_records),
                   {"certificate": str(certificate), "key": str(key)})


def _upload(what, path, tls):
    with machine.bench_server(tls=tls) as server:
        job = machine.open_job(server)
        begin = time.monotonic()
        answer = machine.send(server, "PUT", f"/api/transactions/jobs/{job}/data/", path,
                              {"Upload-Offset": "0", "Content-Type": "text/csv"})
        seconds = time.monotonic() - begin
        if answer.status != 204:
            raise AssertionError(f"upload: {answer}")
        memory = machine.peak_memory(server)
    size = path.stat().st_size
    return Figure(what, size / seconds / 1e6, "MB/s", size / _plain_copy(path) / 1e6,
                  "dd conv=fsync of the file", memory=memory)


def _plain_copy(path):
    copy = machine.RUNS / "copy"
    begin = time.monotonic()
    subprocess.run(["dd", f"if={path}", f"of={copy}", "bs=1M", "conv=fsync"], check=True,
                   stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - begin
    copy.unlink()
    return seconds


def _certificate():
    key, certificate = data.FOLDER / "server.key", data.FOLDER / "server.crt"
    if not certificate.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
                        "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)],
                       check=True, stderr=subprocess.DEVNULL)
    return certificate, key


def one_record(_):
    """One record from POST to Job Complete, with Prefer: wait."""
    times = []
    with machine.bench_server() as server:
        api = server.api()
        for number in range(1, SMALL_JOBS + 1):
            row = ",".join(data.record(number))
            body = f"{','.join(data.COLUMNS)}\n{row}\n".encode()
            begin = time.monotonic()
            answer = api.submit("insert", "transactions", body, headers={"Prefer": "wait=10"})
            times.append(time.monotonic() - begin)
            if answer.json.get("state") != "Job Complete":
                raise AssertionError(f"one record: {answer}")
    return [Figure("one record, POST to Job Complete, median",
                   machine.median(times) * MILLISECONDS, "ms", goal=10),
            Figure("one record, 99th percentile",
                   machine.quantile(times, 0.99) * MILLISECONDS, "ms")]


def status_while_running(scale):
    """Status answers, one after the other, while a job of a million records runs."""
    with machine.bench_server() as server:
        answer = machine.send(server, "POST", "/api/transactions/bulk/v2/",
                              data.insert_csv(scale.records), {"Content-Type": "text/csv"})
        times = _ask_until_ended(server.api(), answer.json["job_id"])
    return [Figure("status while a job runs, median", machine.median(times) * MILLISECONDS, "ms"),
            Figure("status while a job runs, 99th percentile",
                   machine.quantile(times, 0.99) * MILLISECONDS, "ms", goal=20)]


def _ask_until_ended(api, job):
    times = []
    while True:
        begin = time.monotonic()
        answer = api.status("transactions", job)
        times.append(time.monotonic() - begin)
        if answer.json["state"] == "Job Complete":
            return times
        time.sleep(0.002)


def list_of_many(scale):
    """The first page of a list of 10,000 ended jobs; and how many small jobs a second went in
    while it was made."""
    count = min(LISTED_JOBS, scale.records)
    with machine.bench_server() as server:
        begin = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda numbers: _small_jobs(server.api(), numbers),
                          [range(first, count + 1, 8) for first in range(1, 9)]))
        seconds = time.monotonic() - begin
        api = server.api()
        times = []
        for _ in range(LIST_CALLS):
            begin = time.monotonic()
            page = api.call("GET", "/api/transactions/jobs/")
            times.append(time.monotonic() - begin)
            assert len(page.json["results"]) == min(count, 100), page
    return [Figure(f"first page of {count:,} jobs, median",
                   machine.median(times) * MILLISECONDS, "ms", goal=10),
            Figure("jobs of one record, 8 clients", count / seconds, "jobs/s")]


def _small_jobs(api, numbers):
    for number in numbers:
        row = ",".join(data.record(number))
        answer = api.submit("insert", "transactions",
                            f"{','.join(data.COLUMNS)}\n{row}\n".encode(),
                            headers={"Prefer": "wait=10"})
        if answer.status != 200:
            raise AssertionError(f"small job: {answer}")


def parse(_):
    """CSV split and parsed on one core, against libcsv on the same bytes."""
    found = machine.google_benchmark("format_bench", "bench_split_and_read/csv_plain|libcsv")
    ours = next(v for name, v in found.items() if "bench_split_and_read" in name)
    peer = next(v for name, v in found.items() if "libcsv" in name)
    return Figure("CSV split and parsed, one core", ours / 1e6, "MB/s", peer / 1e6, "libcsv",
                  goal=1500)
