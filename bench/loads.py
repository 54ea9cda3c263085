"""How fast a million records go in, against what a user would do without us.

Each measurement is a function of a Scale that gives one Figure a round; figures of the same
name are put together by run.py. Ours is the time from the first byte sent to Job Complete,
with ids and outcomes recorded; the database is durable on both sides.
"""
from dataclasses import dataclass

import data
import machine
from figure import Figure


@dataclass
class Scale:
    records: int        # What is called a million below.
    large_records: int  # What is called ten million.


def our_load(operation, path, template=None, **options):
    """(seconds, peak memory) of a job on a server of its own."""
    with machine.bench_server(template) as server:
        seconds, _ = machine.load(server, operation, path, **options)
        return seconds, machine.peak_memory(server)


def against_hand_written(what, operation, path, template, goal, **options):
    seconds, memory = our_load(operation, path, template, **options)
    with machine.bench_database(template) as database:
        peer = machine.hand_written(operation, database, path)
    return Figure(what, seconds, "s", peer, "C program, 10,000 a transaction", goal,
                  memory=memory)


def insert(scale):
    path = data.insert_csv(scale.records)
    seconds, memory = our_load("insert", path)
    with machine.bench_database() as database:
        peer = machine.shell_import(database, path)
    return Figure("insert", seconds, "s", peer, "sqlite3 .import", 1.5, memory=memory)


def insert_by_hand(scale):
    return against_hand_written("insert, by hand", "insert", data.insert_csv(scale.records), None, None)


def full_table(scale):
    return machine.template_database(f"full-{scale.records}", data.insert_csv(scale.records))


def upsert(scale):
    template = machine.template_database(f"odd-{scale.records}", data.odd_csv(scale.records))
    return against_hand_written("upsert, half present", "upsert",
                                data.upsert_csv(scale.records), template, 1.0,
                                unique_fields="external_ref")


def update(scale):
    return against_hand_written("update by key", "update", data.update_csv(scale.records),
                                full_table(scale), 1.0)


def shuffled_update(scale):
    return against_hand_written("update by key, shuffled", "update",
                                data.shuffled_update_csv(scale.records), full_table(scale), 1.0)


def delete(scale):
    return against_hand_written("delete by key", "delete", data.delete_csv(scale.records),
                                full_table(scale), 1.0)


def against_clean_insert(what, goal, path, template=None):
    """Another upload of as many records, as a share of the clean CSV insert's rate."""
    def measure(scale):
        clean, _ = our_load("insert", data.insert_csv(scale.records))
        seconds, memory = our_load("insert", path(scale.records),
                                   template(scale) if template else None)
        return Figure(what, seconds, "s", clean, "our clean CSV insert", goal,
                      memory=memory)
    measure.__name__ = what
    return measure


bad_records = against_clean_insert("insert, 1 % bad", 0.8, data.bad_csv)
duplicates = against_clean_insert("insert, all duplicates", 0.5, data.insert_csv, full_table)
ndjson = against_clean_insert("insert from NDJSON", 0.9, data.insert_ndjson)
json_array = against_clean_insert("insert from a JSON array", 0.9, data.insert_json)
without_ids = against_clean_insert("insert, ids made by the table", None, data.without_ids_csv)


def large(scale):
    """Ten million into an empty table, against the last million of the same table; and the
    results of that job."""
    path = data.insert_csv(scale.large_records)
    with machine.bench_server() as server:
        seconds, status = machine.load(server, "insert", path)
        memory = machine.peak_memory(server)
        results_bytes, results_seconds = machine.download(
            server, f"/api/transactions/jobs/{status['job_id']}/results/")
        results_memory = machine.peak_memory(server)
    first = scale.large_records - scale.records
    template = machine.template_database(f"most-{scale.large_records}",
                                         data.insert_csv(first))
    last, _ = our_load("insert", data.insert_csv(scale.records, first + 1), template)
    return [Figure(f"insert of {scale.large_records:,}", scale.large_records / seconds / 1e3,
                   "k records/s", scale.records / last / 1e3,
                   f"the last {scale.records:,} of that table", 0.9, memory=memory),
            Figure("results of that job, streamed", results_bytes / results_seconds / 1e6, "MB/s",
                   goal=200, memory=results_memory)]


def growth(scale):
    """[(records, our seconds, .import's seconds)] for the picture of cost by size."""
    points = []
    size = max(scale.records // 1000, 100)
    while size <= scale.records:
        path = data.insert_csv(size)
        ours, memory = our_load("insert", path)
        with machine.bench_database() as database:
            peer = machine.shell_import(database, path)
        points.append({"records": size, "ours": ours, "import": peer, "memory": memory})
        size *= 10
    return points
