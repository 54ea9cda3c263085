#!/usr/bin/python3
"""Jobs of a parallel resource on the same keys, 500 rounds of 2 to 8 of them, every pair of
operations: for each key there is an order of the records (each job's in its own) that gives
every outcome and the end; nothing is lost, and nobody is told of a deadlock. TALLYMAN_SEED
replays a run."""
import collections
import itertools
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import counts, database  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

SEED = counts.seed()
ROUNDS = counts.times(500)
OPERATIONS = ("insert", "upsert", "update", "replace", "delete")
PAIRS = list(itertools.combinations_with_replacement(OPERATIONS, 2))
KEYS = 6
# By the primary key; by another key, where the primary key is made up.
SCHEMA = """
create table numbered (k integer primary key, a text, b text);
create table named (id integer primary key, k text not null unique, a text, b text);
"""
COLUMNS = {"insert": "kab", "upsert": "ka", "update": "kb", "replace": "ka", "delete": "k"}
PARALLEL = ["parallel = true"]


def applied(row, operation, record):
    """What one record makes of a row ((a, b), or None), and its outcome."""
    a, b = record.get("a"), record.get("b")
    if operation == "insert":
        return (row, "DUPLICATE_VALUE") if row else ((a, b), "created")
    if operation == "upsert" and row is None:
        return (a, None), "created"
    if row is None:
        return None, "NOT_FOUND"
    if operation == "delete":
        return None, "deleted"
    new = {"upsert": (a, row[1]), "update": (row[0], b), "replace": (a, None)}[operation]
    return new, "unchanged" if new == row else "updated"


def has_order(start, end, jobs):
    """`jobs`: of each the list of (operation, record, outcome) of one key, in its order."""
    seen = set()

    def search(places, row):
        if (places, row) in seen:
            return False
        seen.add((places, row))
        if all(place == len(job) for place, job in zip(places, jobs)):
            return row == end
        for i, place in enumerate(places):
            if place == len(jobs[i]):
                continue
            operation, record, outcome = jobs[i][place]
            new, said = applied(row, operation, record)
            if said == outcome and search((*places[:i], place + 1, *places[i + 1:]), new):
                return True
        return False
    return search((0,) * len(jobs), start)


class Oracle(unittest.TestCase):
    def test_knows_an_end_that_no_order_gives(self):
        upsert = [("upsert", {"a": "x"}, "created")]
        self.assertTrue(has_order(None, ("x", None), [upsert, [("delete", {}, "NOT_FOUND")]]))
        self.assertTrue(has_order(None, None, [upsert, [("delete", {}, "deleted")]]))
        self.assertFalse(has_order(None, ("x", None), [upsert, [("delete", {}, "deleted")]]))
        self.assertFalse(has_order(None, ("x", None), [upsert, upsert]))
        self.assertFalse(has_order(("y", None), ("y", None),
                                   [[("upsert", {"a": "x"}, "unchanged")]]))


class Parallel(unittest.TestCase):
    def start(self, settings):
        self.chance = random.Random(f"{SEED} {self.id()}")
        self.server = Server(SCHEMA, {"numbered": PARALLEL, "named": PARALLEL},
                             {"workers": 4, "window_records": 4, **settings})
        self.addCleanup(self.server.close)
        self.server.start()
        self.api = self.server.api()

    def key(self, table, number):
        return number if table == "numbered" else f"k{number}"

    def rows(self, table):
        return {k: (a, b) for k, a, b in self.server.rows(f"select k, a, b from {table}")}

    def records(self, table, operation, job):
        """Some of the keys, in any order, some of them twice."""
        keys = self.chance.choices(range(1, KEYS + 1), k=self.chance.randint(2, 2 * KEYS))
        return [{"k": self.key(table, key),
                 **{name: self.chance.choice((f"{job}.{place}", "same"))
                    for name in COLUMNS[operation][1:]}} for place, key in enumerate(keys)]

    def opened(self, table, operation, records):
        body = "\n".join([",".join(COLUMNS[operation])] + [
            ",".join(str(record[name]) for name in COLUMNS[operation]) for record in records])
        options = {"unique_fields": ["k"]} if operation != "insert" else {}
        job = self.api.open_job(table, operation, **options).json["job_id"]
        self.assertEqual(self.api.put_data(table, job, 0, f"{body}\n".encode()).status, 204)
        return job

    def round(self, table, operations):
        start = self.rows(table)
        made = [(operation, self.records(table, operation, i))
                for i, operation in enumerate(operations)]
        jobs = [self.opened(table, *one) for one in made]
        for job in jobs:
            self.assertEqual(self.api.action(table, job, "complete").status, 202)
        by_key = collections.defaultdict(list)
        for job, (operation, records) in zip(jobs, made):
            status = self.api.wait_for_end(table, job)
            self.assertEqual((status["state"], status["processed_items"], status["verified"]),
                             ("Job Complete", len(records), True), f"seed {SEED}: {status}")
            results = self.api.results(table, job)
            mine = collections.defaultdict(list)
            for record, result in zip(records, results, strict=True):
                outcome = result["_error_code"] or result["_outcome"]
                mine[record["k"]].append((operation, record, outcome))
            for key, steps in mine.items():
                by_key[key].append(steps)
        end = self.rows(table)
        for key in set(start) | set(end) | set(by_key):
            self.assertTrue(has_order(start.get(key), end.get(key), by_key[key]),
                            f"seed {SEED}: key {key}: {start.get(key)} to {end.get(key)} by "
                            f"{by_key[key]}")

    def rounds(self, settings, share):
        self.start(settings)
        for number in range(max(1, ROUNDS * share // 100)):
            pair = PAIRS[number % len(PAIRS)]
            more = self.chance.choices(OPERATIONS, k=self.chance.randint(0, 6))
            self.round(("numbered", "named")[number // len(PAIRS) % 2], [*pair, *more])

    def test_the_end_is_that_of_some_order_of_each_key(self):
        self.rounds({}, 60)

    def test_so_it_is_one_record_at_a_time(self):
        self.rounds({"path": "general"}, 20)

    def test_so_it_is_with_windows_that_hold_everything(self):
        self.rounds({"window_records": 1000}, 20)


@unittest.skipIf(database.KIND == "sqlite", "SQLite has one writer: units interleave")
class SideBySide(unittest.TestCase):
    def test_a_job_that_waits_for_a_stranger_holds_up_none_of_other_keys(self):
        server = Server(SCHEMA, {"numbered": PARALLEL}, {"workers": 4, "lanes": 1})
        self.addCleanup(server.close)
        server.start()
        api = server.api()
        api.run("insert", "numbered", b"k,a\n1,x\n")
        stranger = server.connect()
        stranger.execute("begin")
        stranger.execute("update numbered set a = 'held' where k = 1")
        first = api.submit("update", "numbered", b"k,a\n1,y\n").json["job_id"]
        wait_until(lambda: api.status("numbered", first).json["state"] == "In Progress",
                   "the first one is at its row")
        # Of so many keys not all are in the slice of the one that is held.
        others = [api.submit("upsert", "numbered", f"k,a\n{k},z\n".encode(),
                             unique_fields="k").json["job_id"] for k in range(2, 22)]
        wait_until(lambda: any(api.status("numbered", job).json["state"] == "Job Complete"
                               for job in others), "others are complete")
        self.assertEqual(api.status("numbered", first).json["state"], "In Progress")
        stranger.execute("rollback")
        self.assertEqual(api.wait_for_end("numbered", first)["updated_count"], 1)
        for job in others:
            self.assertEqual(api.wait_for_end("numbered", job)["created_count"], 1)


class Turns(unittest.TestCase):
    def test_a_job_that_is_not_parallel_waits_for_those_that_are(self):
        """Two resources of one table."""
        server = Server(SCHEMA, {"side": ["table = \"numbered\"", *PARALLEL],
                                 "alone": ["table = \"numbered\""]}, {"workers": 4})
        self.addCleanup(server.close)
        server.start()
        api = server.api()
        for number in range(20):
            jobs = [(name, api.submit("upsert", name, f"k,a\n1,{number}{place}\n".encode(),
                                      unique_fields="k").json["job_id"])
                    for place, name in enumerate(("side", "side", "alone", "side"))]
            for name, job in jobs:
                self.assertEqual(api.wait_for_end(name, job)["success_count"], 1)
            events = [[event["at"] for event in api.history(name, job)
                       if event["event"] in ("claimed", "finished")] for name, job in jobs]
            for before, after in ((0, 2), (1, 2), (2, 3)):
                self.assertLessEqual(events[before][1], events[after][0], events)
            self.assertEqual(server.rows("select a from numbered"), [(f"{number}3",)])


if __name__ == "__main__":
    unittest.main()
