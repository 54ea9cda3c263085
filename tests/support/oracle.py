#!/usr/bin/python3
"""The oracle: does what the server says agree with what is in the database?

    python3 tests/support/oracle.py --url http://127.0.0.1:8080 --token tly_... \
        --database sqlite:app.db [--table people ...] [--stranger tly_...] [--pid 71] [--told FILE]

Uses HTTP and SQL only. Prints one line for each disagreement; exit code 1 where there is one.
A test calls check(server), which runs this program and adds what the test itself has seen.

    I1  every record number has exactly one result, and the counts are the results' counts
    I2  a result says success exactly when the effect is in the effect log, with that value
    I3  no effect is there twice
    I4  each history is a path of the transition table; an ended job does not change
        (in what a test saw of it, counters never fall either: sightings.py)
    I5  what was promised before a restart still holds (Promise, given by a test)
    I6  no unit is written for a job that has ended or that nobody has a lease on, and no effect
        outside of a unit (needs fences.py)
    I7  aggregates equal a recomputation with exact decimals
    I8  the effects on one key stand in the order of the jobs' submission, then of the records
    I9  the process has no more memory, file handles and threads than it may (bounds.py)
    I10 another owner's token is shown none of the jobs

I2, I3 and I8 need the effect log (effect_log.py) on the table. The resource has the table's name.
"""
import argparse
import collections
import dataclasses
import json
import pathlib
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import bounds, database as databases, effect_log, fences, recompute  # noqa: E402
from support.api import ENDED, Api, rows_of  # noqa: E402

TRANSITIONS = {
    ("Open", "upload_completed"): "Upload Complete",
    ("Open", "upload_refused"): "Aborted",
    ("Open", "upload_expired"): "Aborted",
    ("Open", "abort_requested"): "Aborted",
    ("Upload Complete", "abort_requested"): "Aborted",
    ("In Progress", "abort_requested"): "Aborted",
    ("Upload Complete", "claimed"): "In Progress",
    ("In Progress", "finished"): "Job Complete",
    ("Upload Complete", "gave_up"): "Failed",
    ("In Progress", "gave_up"): "Failed",
}
EFFECTS = {"created": "insert", "updated": "update", "deleted": "delete"}
ISOLATED = ("status", "history", "results")
SUCCESSES = ("created", "updated", "unchanged", "deleted")


@dataclass
class Promise:
    """What an answer said before a restart."""
    resource: str
    job: str
    what: str      # "exists", "ended" (value: its status), "offset" (value: bytes, at least),
                   # "deleted" (value: the keys that it may have written)
    value: object = None


class Oracle:
    def __init__(self, api, database, tables=None, promises=(), stranger=None, without=()):
        """`stranger`: an Api with the token of an owner who has no job. `without`: rules that
        are not asked about ("I7", "I10": they cost requests for every job)."""
        self.api, self.database, self.stranger = api, database, stranger
        self.without = without
        self.tables, self.promises = tables, promises
        self.problems = []

    def check(self):
        """All disagreements, as sentences."""
        jobs = collections.defaultdict(list)
        for listed in self._jobs():
            resource, job = listed["resource"], listed["job_id"]
            if self.tables and resource not in self.tables:
                continue
            jobs[resource].append(self._check_job(resource, job))
        for resource, checked in jobs.items():
            if all(job["status"]["state"] in ENDED or job["status"]["state"] == "Open"
                   for job in checked):
                self._check_effects(resource, checked)
        for promise in self.promises:
            self._check_promise(promise)
        if fences.are_installed(self.database):
            self.problems += fences.problems(self.database)
        if self.stranger and "I10" not in self.without:
            self._check_isolation(jobs)
        return self.problems

    def _say(self, rule, job, text):
        self.problems.append(f"{rule} job {job}: {text}")

    def _jobs(self):
        path = "/api/jobs/?limit=1000"
        while path:
            page = self.api.call("GET", path).json
            for listed in page["results"]:
                if "resource" not in listed:  # The job's own URLs name it.
                    listed["resource"] = listed["results_url"].split("/")[2]
                yield listed
            path = page["next"]

    def _check_job(self, resource, job):
        status = self.api.status(resource, job).json
        history = self.api.history(resource, job)
        self._check_history(job, status, history)
        rows = []
        if status["state"] in ENDED and status.get("total_items") is not None:
            rows = self._results(resource, job)
            if rows is not None:
                self._check_conservation(resource, job, status, rows)
            if rows and "I7" not in self.without and status["state"] == "Job Complete":
                self._check_aggregates(resource, status, rows)
        submitted = [entry["at"] for entry in history if entry["event"] == "upload_completed"]
        return {"id": job, "status": status, "rows": rows or [],
                "submitted": submitted[0] if submitted else "", "expired": rows is None}

    def _results(self, resource, job):
        answer = self.api.call("GET", self.api.job_path(resource, job, "results"))
        return None if answer.status == 410 else rows_of(answer, job)

    def _check_history(self, job, status, history):
        state = "Open"
        for entry in history:
            if not entry.get("to") or entry["event"] == "created":
                continue
            wanted = TRANSITIONS.get((state, entry["event"]))
            if wanted != entry["to"]:
                self._say("I4", job, f"{entry['event']} led from {state} to {entry['to']}")
            state = entry["to"]
        if state != status["state"]:
            self._say("I4", job, f"the history ends in {state}, the status says {status['state']}")
        times = [entry["at"] for entry in history]
        if times != sorted(times):
            self._say("I4", job, "the history's times go backwards")

    def _check_conservation(self, resource, job, status, rows):
        numbers = [int(row["_record"]) for row in rows]
        if numbers != list(range(1, status["total_items"] + 1)):
            missing = sorted(set(range(1, status["total_items"] + 1)) - set(numbers))[:5]
            twice = [n for n, times in collections.Counter(numbers).items() if times > 1][:5]
            self._say("I1", job, f"{len(numbers)} results for {status['total_items']} records "
                                 f"(missing {missing}, twice {twice})")
        counted = collections.Counter(row["_outcome"] for row in rows)
        said = {"created": status["created_count"], "updated": status["updated_count"],
                "unchanged": status["unchanged_count"], "deleted": status["deleted_count"],
                "failed": status["error_count"], "unprocessed": status["unprocessed_count"]}
        for outcome, count in said.items():
            if counted[outcome] != count and not status.get("dry_run"):
                self._say("I1", job, f"status says {count} {outcome}, "
                                     f"the results hold {counted[outcome]}")
        parts = collections.Counter()
        for part in ("succeeded", "failed", "unprocessed"):
            parts.update(row["_record"] for row in self.api.results(resource, job, outcome=part))
        if parts != collections.Counter(row["_record"] for row in rows):
            self._say("I1", job, "succeeded + failed + unprocessed are not all results, once each")

    def _check_effects(self, resource, jobs):
        if not self._has_log(resource) or any(job["expired"] for job in jobs):
            return
        happened = collections.defaultdict(list)
        for effect in effect_log.effects(self.database, resource):
            happened[effect.key].append(effect)
        said = collections.defaultdict(list)
        for job in sorted(jobs, key=lambda job: (job["submitted"], job["status"]["number"])):
            if job["status"].get("dry_run"):
                continue
            for row in job["rows"]:
                if row["_outcome"] in EFFECTS:
                    said[effect_log.key_of_id(row["_id"])].append((job, row))
        of_deleted = {effect_log.key_of_id(key) for promise in self.promises
                      if (promise.resource, promise.what) == (resource, "deleted")
                      for key in promise.value}
        for key in said.keys() | happened.keys():
            if key in of_deleted:  # Who wrote it is not told any more.
                self._check_once(resource, key, happened[key])
            else:
                self._compare_key(resource, key, said[key], happened[key])

    def _check_once(self, resource, key, happened):
        kinds = [effect.kind for effect in happened]
        if kinds.count("insert") > kinds.count("delete") + 1:
            self._say("I3", "deleted", f"{resource} {key}: the effects were {kinds}")

    def _compare_key(self, resource, key, said, happened):
        told = [EFFECTS[row["_outcome"]] for _, row in said]
        done = [effect.kind for effect in happened]
        if told == done:
            for (job, row), effect in zip(said, happened):
                self._compare_values(job, row, effect)
            return
        where = f"{resource} {key}"
        who = said[-1][0]["id"] if said else "none"
        if sorted(told) == sorted(done):
            self._say("I8", who, f"{where}: results say {told}, the effects were {done}")
        elif len(done) > len(told):
            self._say("I3", who, f"{where}: results say {told}, the effects were {done}")
        else:
            self._say("I2", who, f"{where}: results say {told}, the effects were {done}")

    def _compare_values(self, job, row, effect):
        """What was sent for a record stands in the row that its effect left."""
        if effect.kind == "delete":
            return
        written = job["status"].get("update_fields") if effect.kind == "update" else None
        for name, sent in row.items():
            if name not in effect.row or not sent or (written and name not in written):
                continue
            if not _same(sent, effect.row[name]):
                self._say("I2", job["id"], f"record {row['_record']}: {name} was sent otherwise "
                                           "than it stands in the table")

    def _has_log(self, table):
        return effect_log.is_installed(self.database, table)

    def _check_aggregates(self, resource, status, rows):
        if status.get("dry_run") or not status["verified"]:
            return
        ids = {row["_id"] for row in rows if row["_outcome"] in SUCCESSES}
        deleted = status["job_type"] == "delete"
        wanted = recompute.standard(self.database, resource, ids, deleted)
        if not wanted:
            return
        answer = self.api.ask_aggregates(resource, status["job_id"],
                                         {name: spec for name, (spec, _) in wanted.items()})
        if answer.status != 200:
            self._say("I7", status["job_id"], f"aggregates answered {answer}")
            return
        found = answer.json["aggregate_results"]
        for name, (_, value) in wanted.items():
            if found.get(name) != value:
                self._say("I7", status["job_id"],
                          f"{name} is {found.get(name)}, recomputed it is {value}")

    def _check_promise(self, promise):
        answer = self.api.status(promise.resource, promise.job)
        if promise.what == "deleted":
            if answer.status != 404:
                self._say("I5", promise.job, f"it was deleted, and now: {answer}")
            return
        if answer.status != 200:
            self._say("I5", promise.job, f"it was promised, and now: {answer}")
            return
        status = answer.json
        if promise.what == "ended":
            for name, value in promise.value.items():
                if name in ("state", "total_items", "success_count", "error_count",
                            "unprocessed_count") and status[name] != value:
                    self._say("I5", promise.job, f"{name} was {value}, now it is {status[name]}")
        if promise.what == "offset" and status["state"] == "Open":
            head = self.api.call("HEAD", self.api.job_path(promise.resource, promise.job, "data"))
            now = int(head.header("Upload-Offset") or -1)
            if now < promise.value:
                self._say("I5", promise.job, f"{promise.value} bytes were acknowledged, "
                                             f"{now} are there")


    def _check_isolation(self, jobs):
        listed = self.stranger.call("GET", "/api/jobs/?limit=1000").json["results"]
        for job in listed:
            self._say("I10", job["job_id"], "another owner's list shows it")
        for resource, checked in jobs.items():
            for job in checked:
                for part in ISOLATED:
                    path = self.api.job_path(resource, job["id"], part)
                    answer = self.stranger.call("GET", path)
                    if answer.status != 404:
                        self._say("I10", job["id"], f"another owner is answered {answer.status} "
                                                    f"for its {part}")


def _same(sent, stored):
    if stored is None:
        return False
    if isinstance(stored, (int, Decimal)):
        try:
            return Decimal(sent) == stored
        except ArithmeticError:
            return sent.lower() in (("true", "t", "yes") if stored else ("false", "f", "no"))
    return sent == str(stored)


def check(server, tables=None, promises=(), token=None, without=()):
    """The problems of a running Server (support/server.py), each a sentence."""
    told = server.folder / "told.json"
    told.write_text(json.dumps([dataclasses.asdict(promise) for promise in promises],
                               default=str), encoding="utf-8")
    command = [sys.executable, "-B", __file__, "--url", server.url, "--token",
               token or server.token, "--database", server.database.url, "--told", str(told),
               "--stranger", server.stranger_token()]
    for table in tables or ():
        command += ["--table", table]
    for rule in without:
        command += ["--without", rule]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode not in (0, 1) or not ran.stdout:
        raise AssertionError(f"the oracle itself failed: {ran.stderr[-2000:]}")
    problems = [] if ran.returncode == 0 else ran.stdout.splitlines()
    return problems + server.sightings.problems() + server.bounds_problems()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--database", required=True)
    parser.add_argument("--table", action="append")
    parser.add_argument("--without", action="append", choices=("I7", "I10"))
    parser.add_argument("--stranger", help="a token of an owner without jobs")
    parser.add_argument("--pid", type=int, help="the server's process")
    parser.add_argument("--told", help="a file of promises, as JSON")
    arguments = parser.parse_args()
    database = databases.at(arguments.database)
    promises = []
    if arguments.told:
        told = json.loads(pathlib.Path(arguments.told).read_text(encoding="utf-8"))
        promises = [Promise(**promise) for promise in told]
    stranger = Api(arguments.url, arguments.stranger) if arguments.stranger else None
    problems = Oracle(Api(arguments.url, arguments.token), database, arguments.table, promises,
                      stranger, arguments.without or ()).check()
    if arguments.pid:
        problems += bounds.problems_of(arguments.pid, bounds.configured({}),
                                       bounds.look(arguments.pid) or (0, 0, 0))
    print("\n".join(problems) or "the oracle finds nothing")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
