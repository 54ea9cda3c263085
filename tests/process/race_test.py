#!/usr/bin/python3
"""Abort against finish against retry against delete, 2,000 times: every answer is one that some
order of them allows, and what is left is consistent. TALLYMAN_SEED replays a run."""
import collections
import http.client
import pathlib
import random
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import counts, effect_log, oracle  # noqa: E402
from support.api import Answer  # noqa: E402
from support.oracle import Promise  # noqa: E402
from support.server import Server  # noqa: E402

SEED = counts.seed()
TIMES = counts.times(2000)
TABLES = ("left", "right")  # Raced on at the same time, by a thread each.
RECORDS = 8                 # In windows of 2; one of them fails, so that there is one to retry.
SCHEMA = "".join(f'create table "{table}" (id integer primary key, n integer);'
                 for table in TABLES)
ALLOWED = {"abort": (200, 404, 409), "delete": (204, 409), "retry": (202, 404, 409)}
OWN_TABLES = ("job_event", "lease", "unit", "aggregate")


class Line:
    """A connection that is kept alive: asks now, hears later."""

    def __init__(self, server):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc,
                                                     timeout=60)
        self.headers = {"Authorization": f"Bearer {server.token}"}

    def ask(self, method, path):
        self.connection.request(method, path, headers=self.headers)

    def close(self):
        self.connection.close()

    def hear(self):
        response = self.connection.getresponse()
        return Answer("", response.status, {}, response.read())


class Racer(threading.Thread):
    """Races on one table, one after the other."""

    def __init__(self, server, table, times):
        super().__init__()
        self.api, self.table, self.times = server.api(), table, times
        self.chance = random.Random(f"{SEED} {table}")
        self.lines = {name: Line(server) for name in ALLOWED}
        self.delay = 0.004  # Seconds; follows how long a job takes.
        self.seen = collections.Counter()
        self.promises = []
        self.failure = None

    def run(self):
        try:
            for number in range(self.times):
                self.race(1 + number * RECORDS)
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error
        for line in (*self.lines.values(), self.api):
            line.close()

    def race(self, first):
        ids = list(range(first, first + RECORDS))
        lines = [f"{n},{'bad' if n == ids[5] else n}" for n in ids]
        job = self.api.submit("insert", self.table, ("id,n\n" + "\n".join(lines) + "\n").encode())
        assert job.status == 202, job
        job = job.json["job_id"]
        moment = time.monotonic() + self.chance.random() * self.delay
        while time.monotonic() < moment:
            pass
        path = self.api.job_path(self.table, job)
        asked = {"abort": ("POST", f"{path}abort/"), "delete": ("DELETE", path),
                 "retry": ("POST", f"{path}retry/")}
        order = self.chance.sample(sorted(asked), 3)
        for name in order:
            self.lines[name].ask(*asked[name])
        answers = {name: self.lines[name].hear() for name in order}
        self.judge(job, ids, answers)

    def judge(self, job, ids, answers):
        about = f"job {job}: {answers}"
        for name, answer in answers.items():
            self.seen[f"{name} {answer.status}"] += 1
            assert answer.status in ALLOWED[name], about
            if answer.status == 409:
                assert answer.json["code"] == "INVALID_STATE", about
        aborted, deleted = answers["abort"].status == 200, answers["delete"].status == 204
        assert deleted or 404 not in (answers["abort"].status, answers["retry"].status), about
        self.delay *= 1.05 if aborted else 0.95
        self.delay = min(max(self.delay, 0.001), 0.5)
        parent = None
        if deleted:
            assert self.api.status(self.table, job).status == 404, about
            self.promises.append(Promise(self.table, job, "deleted", [str(n) for n in ids]))
        else:
            parent = self.api.wait_for_end(self.table, job, 60)
            assert parent["state"] == ("Aborted" if aborted else "Job Complete"), about
        if answers["retry"].status == 202:
            self.judge_child(answers["retry"].json["job_id"], parent, about)

    def judge_child(self, job, parent, about):
        child = self.api.wait_for_end(self.table, job, 60)
        about = f"{about}; child {child}"
        if parent is None:  # Its records may be gone before they are copied.
            assert child["state"] in ("Job Complete", "Aborted"), about
            return
        assert child["state"] == "Job Complete", about
        assert child["total_items"] == parent["error_count"] + parent["unprocessed_count"], about
        assert (child["created_count"], child["error_count"]) == (
            child["total_items"] - 1, 1), about


class Racing(unittest.TestCase):
    def test_of_abort_finish_retry_and_delete_at_once_some_order_wins(self):
        server = Server(SCHEMA, settings={"window_records": 2})
        self.addCleanup(server.close)
        for table in TABLES:
            effect_log.install(server.database, table)
        server.prepare().start()
        racers = [Racer(server, table, (TIMES + 1) // len(TABLES)) for table in TABLES]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        for racer in racers:
            if racer.failure:
                raise AssertionError(f"seed {SEED}") from racer.failure
        seen = sum((racer.seen for racer in racers), collections.Counter())
        print(", ".join(f"{times} × {what}" for what, times in sorted(seen.items())), flush=True)
        if TIMES >= 500:  # Each of them must have won and lost.
            for what in ("abort 200", "abort 409", "delete 204", "delete 409", "retry 202",
                         "retry 409"):
                self.assertGreater(seen[what], 0, seen)
        for name in OWN_TABLES:  # Nothing is left of a job that is gone.
            own, jobs = server.database.own(name), server.database.own("job")
            left = server.rows(f"select count(*) from {own} where job not in "
                               f"(select number from {jobs})")
            self.assertEqual(left, [(0,)], own)
        promises = [promise for racer in racers for promise in racer.promises]
        self.assertEqual(oracle.check(server, promises=promises, without=("I7", "I10")), [],
                         f"seed {SEED}")
        # The tables are free for whoever comes next. (With an id of its own: those that a
        # database makes up may be taken by what was sent with one.)
        for table in TABLES:
            self.assertEqual(
                server.api().run("insert", table, b"id,n\n99999999,1\n")["created_count"], 1)


if __name__ == "__main__":
    print(f"seed {SEED}, {TIMES} races", flush=True)
    unittest.main()
