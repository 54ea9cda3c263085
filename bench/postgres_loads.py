"""How fast a million records go into PostgreSQL, against `psql \\copy` of the same CSV into the
same table, and against other peers.

Figures as in loads.py. \\copy of an insert is what the rates of upsert, update and delete are
told against as well: the same number of records, on one connection. `bench/postgres.py` says how
the server is tuned.
"""
import pathlib
import tempfile
import time

import data
import machine
import postgres
from figure import Figure

COPY = "psql \\copy"
MEMORY_MIB_MAX = 160


def empty():
    return postgres.template("empty", postgres.THREE_INDEXES)


def key_alone():
    return postgres.template("key alone", postgres.KEY_ALONE)


def full(scale):
    return postgres.template("full", postgres.THREE_INDEXES, data.insert_csv(scale.records))


def half(scale):
    return postgres.template("half", postgres.THREE_INDEXES, data.odd_csv(scale.records))


def our_load(template, operation, path, lanes=1, payload="disk", **options):
    """(seconds, peak memory) of a job."""
    with postgres.bench_server(template, lanes=lanes, payload=payload) as server:
        seconds, _ = machine.load(server, operation, path, **options)
        return seconds, machine.peak_memory(server)


def copy(template, path):
    """Seconds of \\copy."""
    with postgres.copy_of(template) as database:
        return postgres.copy(database, path)


def on_lanes(what, template, operation, path, peer, goals, **options):
    """A figure for one lane and one for two, beside the same peer's seconds."""
    figures = []
    for lanes, goal in zip((1, 2), goals):
        seconds, memory = our_load(template, operation, path, lanes, **options)
        lane = f"{lanes} lane{'s' if lanes > 1 else ''}"
        figures.append(Figure(f"PostgreSQL: {what}, {lane}", seconds, "s", peer, COPY, goal,
                              memory=memory))
    return figures


def postgres_insert(scale):
    path = data.without_ids_csv(scale.records)
    peer = copy(empty(), path)
    return (on_lanes("insert", empty(), "insert", path, peer, (0.95, 1.5))
            + on_lanes("insert, upload in the database", empty(), "insert", path, peer,
                       (0.85, 1.4), payload="database"))


def postgres_insert_key_alone(scale):
    path = data.without_ids_csv(scale.records)
    return on_lanes("insert, primary key alone", key_alone(), "insert", path,
                    copy(key_alone(), path), (1.2, 1.7))


def postgres_bare_copies(scale):
    """Two connections and nothing but COPY: what of two lanes the machine allows."""
    path = data.without_ids_csv(scale.records)
    figures = []
    with tempfile.TemporaryDirectory(dir=machine.RUNS) as folder:
        chunks = postgres.binary_chunks(full(scale), pathlib.Path(folder), scale.records)
        for name, template in (("three indexes", empty()), ("primary key alone", key_alone())):
            peer = copy(template, path)
            with postgres.copy_of(template) as database:
                seconds = postgres.bare_copies(database, chunks, 2)
            figures.append(Figure(f"PostgreSQL: bare COPY BINARY on 2 connections, {name}",
                                  seconds, "s", peer, COPY))
    return figures


def insert_by_copy(scale):
    """What every other operation's rate is a share of."""
    return copy(empty(), data.without_ids_csv(scale.records))


def postgres_upsert(scale):
    return on_lanes("upsert, half present", half(scale), "upsert", data.upsert_csv(scale.records),
                    insert_by_copy(scale), (0.45, 0.8), unique_fields="external_ref")


def postgres_update(scale):
    return on_lanes("update by key", full(scale), "update", data.update_csv(scale.records),
                    insert_by_copy(scale), (0.55, 0.95))


def postgres_delete(scale):
    return on_lanes("delete by key", full(scale), "delete", data.delete_csv(scale.records),
                    insert_by_copy(scale), (2.0, 3.5))


def postgres_bad_records(scale):
    """Of the clean run's rate."""
    clean, _ = our_load(empty(), "insert", data.insert_csv(scale.records))
    seconds, memory = our_load(empty(), "insert", data.bad_csv(scale.records))
    return Figure("PostgreSQL: insert, 1 % bad", seconds, "s", clean, "our clean insert", 0.75,
                  memory=memory)


def postgres_peers(scale):
    """The others that users have."""
    inserted = data.without_ids_csv(scale.records)
    ours, _ = our_load(empty(), "insert", inserted)
    with postgres.copy_of(empty()) as database:
        pgloader = postgres.pgloader(database, inserted)
    upserted = data.upsert_csv(scale.records)
    ours_upserted, _ = our_load(half(scale), "upsert", upserted, unique_fields="external_ref")
    with postgres.copy_of(half(scale)) as database:
        by_hand = postgres.copy_and_upsert(database, upserted)
    return [Figure("PostgreSQL: insert, 1 lane, beside pgloader", ours, "s", pgloader, "pgloader"),
            Figure("PostgreSQL: upsert, 1 lane, by hand", ours_upserted, "s", by_hand,
                   "COPY to a temporary table, INSERT ... ON CONFLICT")]


def postgres_large(scale):
    """Ten million into an empty table, against the last million of the same table; and how much
    memory that took."""
    seconds, memory = our_load(empty(), "insert", data.insert_csv(scale.large_records))
    first = scale.large_records - scale.records
    most = postgres.template("most", postgres.THREE_INDEXES, data.insert_csv(first))
    last, _ = our_load(most, "insert", data.insert_csv(scale.records, first + 1))
    return [Figure(f"PostgreSQL: insert of {scale.large_records:,}",
                   scale.large_records / seconds / 1e3, "k records/s", scale.records / last / 1e3,
                   f"the last {scale.records:,} of that table", 0.9, memory=memory),
            Figure("PostgreSQL: memory of that server", memory / 2**20, "MiB",
                   goal=MEMORY_MIB_MAX)]


def postgres_aggregates(scale):
    """Over all rows of a job, in a table of twice as many, beside the job itself."""
    definitions = {"count": {"type": "count"}, "sum": {"type": "sum", "field": "amount"},
                   "avg": {"type": "avg", "field": "amount"},
                   "groups": {"type": "sum", "field": "amount", "group_by": "category"}}
    path = data.insert_csv(scale.records, scale.records + 1)
    with postgres.bench_server(full(scale), lanes=1, payload="disk") as server:
        loaded, status = machine.load(server, "insert", path)
        begin = time.monotonic()
        answer = server.api(seconds=600).ask_aggregates("transactions", status["job_id"],
                                                        definitions)
        seconds = time.monotonic() - begin
        if answer.status != 200:
            raise AssertionError(f"aggregates: {answer}")
    return Figure("PostgreSQL: four aggregates over the job", seconds, "s", loaded, "the job", 5)


ALL = (postgres_insert, postgres_insert_key_alone, postgres_bare_copies, postgres_upsert,
       postgres_update, postgres_delete, postgres_bad_records, postgres_peers, postgres_large,
       postgres_aggregates)
