#!/usr/bin/python3
"""The oracle itself: silent about an honest server, and not about one that lies."""
import os
import pathlib
import sys
import tempfile
import unittest
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import bounds, database, effect_log, fences, recompute  # noqa: E402
from support.api import Answer  # noqa: E402
from support.oracle import Oracle, Promise  # noqa: E402
from support.sightings import Sightings  # noqa: E402

HISTORY = [("created", None, "Open"), ("upload_completed", "Open", "Upload Complete"),
           ("claimed", "Upload Complete", "In Progress"),
           ("slice_reclaimed", None, None),
           ("finished", "In Progress", "Job Complete")]


class HandMadeServer:
    """Answers as a server would that ran one job: record 1 and 2 created, 3 failed."""

    def __init__(self):
        self.state = "Job Complete"
        self.outcomes = [("1", "created", "1", "41"), ("2", "created", "2", "50"),
                         ("3", "failed", "", "old")]
        self.history_lines = list(HISTORY)
        self.sums = {"sum.age": 91}
        self.average = Decimal("45.5")
        self.found = True
        self.dry_run = False

    def rows(self):
        return [{"_record": n, "_outcome": outcome, "_id": key, "id": key, "age": age}
                for n, outcome, key, age in self.outcomes]

    def job_path(self, resource, job, name):
        return f"/api/{resource}/jobs/{job}/{name}/"

    def call(self, method, path, **_):
        if path.startswith("/api/jobs/"):
            return _json('{"results": [{"job_id": "j", "resource": "people"}], "next": null}')
        if method == "HEAD":
            return Answer("ok", 200, {"upload-offset": "10"})
        names = ["_record", "_outcome", "_id", "id", "age"]
        lines = [",".join(row[name] for name in names) for row in self.rows()]
        return Answer("ok", 200, {}, "\n".join([",".join(names), *lines]).encode())

    def status(self, *_):
        if not self.found:
            return Answer("failed", 404)
        return _json(f'{{"job_id": "j", "job_type": "insert", "number": 1, "state": "{self.state}", '
                     '"total_items": 3, "created_count": 2, "updated_count": 0, "unchanged_count": 0, '
                     '"deleted_count": 0, "error_count": 1, "unprocessed_count": 0, '
                     f'"success_count": 2, "dry_run": {str(self.dry_run).lower()}, "verified": true}}')

    def history(self, *_):
        return [{"at": f"2024-01-15T10:30:0{n}Z", "event": event, "from": start, "to": end}
                for n, (event, start, end) in enumerate(self.history_lines)]

    def results(self, _resource, _job, outcome=None):
        wanted = {"succeeded": ("created",), "failed": ("failed",), "unprocessed": (),
                  None: ("created", "failed")}[outcome]
        return [row for row in self.rows() if row["_outcome"] in wanted]

    def ask_aggregates(self, *_):
        return _json('{"aggregate_results": {"count": 2, "sum.id": 3, "avg.id": 1.5, "min.id": 1, '
                     '"max.id": 2, "count_distinct.id": 2, "min.age": 41, "max.age": 50, '
                     f'"count_distinct.age": 2, "sum.age": {self.sums["sum.age"]}, '
                     f'"avg.age": {self.average}}}}}')


def _json(text):
    return Answer("ok", 200, {}, text.encode())


def an_empty_database(test):
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    return database.make(database.KIND, folder.name)


class TheOracle(unittest.TestCase):
    def setUp(self):
        self.database = an_empty_database(self)
        self.database.create("create table people (id integer primary key, age integer)")
        effect_log.install(self.database, "people")
        self.server = HandMadeServer()

    def insert(self, *rows):
        for row in rows:
            self.database.rows("insert into people values (?, ?) returning id", row)

    def problems(self, promises=()):
        return Oracle(self.server, self.database, promises=promises).check()

    def test_is_silent_about_the_truth(self):
        self.insert((1, 41), (2, 50))
        self.assertEqual(self.problems(), [])

    def test_finds_a_lost_record(self):
        self.insert((1, 41))
        self.assertTrue(any(line.startswith("I2") for line in self.problems()))

    def test_finds_a_repeated_effect_that_the_rows_do_not_show(self):
        self.insert((1, 41), (2, 50))
        self.database.execute("update people set age = 50 where id = 2")
        self.assertTrue(any(line.startswith("I3") for line in self.problems()))

    def test_finds_a_value_that_was_not_sent(self):
        self.insert((1, 42), (2, 49))
        self.assertTrue(any("age was sent otherwise" in line for line in self.problems()))

    def test_finds_an_effect_of_a_failed_record(self):
        self.insert((1, 41), (2, 50), (3, 7))
        self.assertTrue(any(line.startswith("I3") for line in self.problems()))

    def test_finds_a_dry_run_that_wrote(self):
        self.insert((1, 41), (2, 50))
        self.server.dry_run = True
        self.assertEqual(len([line for line in self.problems() if line.startswith("I3")]), 2)

    def test_finds_a_record_without_a_result(self):
        self.insert((1, 41), (2, 50))
        del self.server.outcomes[2]
        self.assertTrue(any("missing [3]" in line for line in self.problems()))

    def test_finds_a_record_with_two_results(self):
        self.insert((1, 41), (2, 50))
        self.server.outcomes.append(("3", "failed", "", "old"))
        self.assertTrue(any("twice [3]" in line for line in self.problems()))

    def test_finds_a_history_that_skips_a_state(self):
        self.insert((1, 41), (2, 50))
        del self.server.history_lines[2]
        self.assertTrue(any(line.startswith("I4") for line in self.problems()))

    def test_finds_a_state_that_changed_after_the_end(self):
        self.insert((1, 41), (2, 50))
        self.server.history_lines.append(("abort_requested", "Job Complete", "Aborted"))
        self.assertTrue(any(line.startswith("I4") for line in self.problems()))

    def test_finds_a_sum_that_is_off_by_one(self):
        self.insert((1, 41), (2, 50))
        self.server.sums["sum.age"] = 92
        self.assertTrue(any("sum.age is 92" in line for line in self.problems()))

    def test_finds_a_promised_job_that_is_gone(self):
        self.insert((1, 41), (2, 50))
        self.assertEqual(self.problems([Promise("people", "j", "exists")]), [])
        lost = [Promise("people", "k", "exists")]
        honest = self.server.status
        self.server.status = lambda _, job: honest() if job == "j" else Answer("failed", 404)
        self.assertTrue(any(line.startswith("I5 job k") for line in self.problems(lost)))

    def test_finds_an_acknowledged_offset_that_fell(self):
        self.insert((1, 41), (2, 50))
        self.server.state = "Open"
        self.assertEqual(
            [line for line in self.problems([Promise("people", "j", "offset", 10)])
             if line.startswith("I5")], [])
        self.assertEqual(
            len([line for line in self.problems([Promise("people", "j", "offset", 11)])
                 if line.startswith("I5")]), 1)


    def test_finds_a_count_that_is_not_that_of_the_results(self):
        self.insert((1, 41), (2, 50))
        self.server.outcomes[2] = ("3", "unprocessed", "", "old")
        self.assertTrue(any("status says 1 failed" in line for line in self.problems()))

    def test_finds_a_control_list_that_lacks_a_record(self):
        self.insert((1, 41), (2, 50))
        self.server.results = lambda *_, outcome=None: []
        self.assertTrue(any("are not all results" in line for line in self.problems()))

    def test_finds_effects_out_of_the_order_of_the_records(self):
        self.server.outcomes = [("1", "created", "1", "41"), ("2", "deleted", "1", "41"),
                                ("3", "failed", "", "old")]
        self.insert((1, 41))
        self.database.execute("delete from people")
        self.assertFalse(any(line.startswith("I8") for line in self.problems()))
        self.server.outcomes = [("1", "deleted", "1", "41"), ("2", "created", "1", "41"),
                                ("3", "failed", "", "old")]
        self.assertTrue(any(line.startswith("I8") for line in self.problems()))

    def test_finds_a_history_whose_times_go_backwards(self):
        self.insert((1, 41), (2, 50))
        honest = self.server.history
        self.server.history = lambda *_: [
            {**entry, "at": f"2024-01-15T10:2{9 - n}:00Z"} for n, entry in enumerate(honest())]
        self.assertTrue(any("go backwards" in line for line in self.problems()))

    def test_finds_an_ended_job_that_was_told_otherwise(self):
        self.insert((1, 41), (2, 50))
        told = {"state": "Job Complete", "total_items": 3, "success_count": 2}
        self.assertEqual(self.problems([Promise("people", "j", "ended", told)]), [])
        told["success_count"] = 3
        self.assertEqual(self.problems([Promise("people", "j", "ended", told)]),
                         ["I5 job j: success_count was 3, now it is 2"])

    def test_finds_a_deleted_job_that_is_still_there_or_wrote_twice(self):
        self.insert((1, 41), (2, 50), (7, 1))
        gone = Promise("people", "k", "deleted", ["7"])
        honest = self.server.status
        self.server.status = lambda _, job: honest() if job == "j" else Answer("failed", 404)
        self.assertEqual(self.problems([gone]), [])
        self.database.execute(  # As a second insert of the same record would.
            "insert into effect_log (target, effect, row_key, row) select target, effect, "
            "row_key, row from effect_log where row_key = '[\"7\"]'")
        self.assertTrue(any(line.startswith("I3") for line in self.problems([gone])))
        self.server.status = honest
        self.assertTrue(any(line.startswith("I5") for line in self.problems([gone])))

    def test_finds_what_a_stranger_is_shown(self):
        self.insert((1, 41), (2, 50))
        stranger = HandMadeServer()
        stranger.call = lambda _, path: (_json('{"results": []}') if path.startswith("/api/jobs/")
                                         else Answer("failed", 404))
        self.assertEqual(Oracle(self.server, self.database, stranger=stranger).check(), [])
        blind = stranger.call
        stranger.call = lambda method, path: (Answer("ok", 200) if path.endswith("/results/")
                                              else blind(method, path))
        self.assertEqual(Oracle(self.server, self.database, stranger=stranger).check(),
                         ["I10 job j: another owner is answered 200 for its results"])
        stranger.call = lambda method, path: (
            _json('{"results": [{"job_id": "j"}]}') if path.startswith("/api/jobs/")
            else blind(method, path))
        self.assertEqual(Oracle(self.server, self.database, stranger=stranger).check(),
                         ["I10 job j: another owner's list shows it"])


class Fences(unittest.TestCase):
    """What stands in the server's own tables, as far as the triggers look at it."""

    def setUp(self):
        self.database = an_empty_database(self)
        job, lease, unit = (self.database.own(name) for name in ("job", "lease", "unit"))
        schema = "create schema tallyman;" if self.database.kind == "postgresql" else ""
        self.database.create(f"""{schema}
            create table people (id integer primary key, age integer);
            create table {job} (number integer primary key, resource text, state integer,
                                dry_run boolean);
            create table {lease} (job integer, slice integer, worker text);
            create table {unit} (job integer, window_number integer, slice integer,
                                 created integer, updated integer, deleted integer);
            insert into {job} values (1, 'people', 2, false);
            insert into {lease} values (1, 0, 'worker');""")
        effect_log.install(self.database, "people")
        fences.install(self.database)

    def change(self, table, assignment):
        self.database.execute(f"update {self.database.own(table)} set {assignment}")

    def write_unit(self, window, rows, told=None):
        unit = self.database.own("unit")
        self.database.execute(
            f"begin; insert into {unit} values (1, {window}, 0, 0, 0, 0);"
            + "insert into people (age) values (1);" * rows +
            f"update {unit} set created = {rows if told is None else told} "
            f"where window_number = {window}; commit")

    def problems(self):
        return fences.problems(self.database)

    def test_are_silent_about_units_of_a_job_that_goes_on(self):
        self.write_unit(0, 2)
        self.write_unit(1, 3)
        self.change("job", "state = 3")
        self.assertEqual(self.problems(), [])

    def test_show_a_unit_that_is_written_after_the_abort(self):
        self.change("job", "state = 5")
        self.write_unit(0, 2)
        self.assertEqual(self.problems(), ["I6 job number 1: window 0 was written while the job "
                                           "was not In Progress (state 5)"])

    def test_show_a_unit_that_nobody_held_a_lease_for(self):
        self.change("lease", "worker = null")
        self.write_unit(0, 2)
        self.assertEqual(self.problems(),
                         ["I6 job number 1: window 0 was written without a lease"])

    def test_show_effects_without_a_unit_and_units_without_effects(self):
        self.database.execute("insert into people (age) values (1)")
        self.change("job", "state = 3")
        self.assertRegex(self.problems()[0],
                         "I6 people: 1 effects.*, and the units tell of 0")
        self.change("job", "state = 2")
        self.write_unit(0, 1, told=3)
        self.assertRegex(self.problems()[1],
                         "I6 people: 1 effects.*, and the units tell of 3")
        self.assertEqual(len(self.problems()), 2)

    def test_a_dry_run_has_units_and_no_effects(self):
        self.change("job", "dry_run = true")
        self.write_unit(0, 0, told=3)
        self.assertEqual(self.problems(), [])


class Looks(unittest.TestCase):
    def look(self, sightings, asked, answered, state="In Progress", **counters):
        sightings.note("j", asked, answered, {"state": state, **counters})

    def test_counters_may_grow_and_states_go_on(self):
        seen = Sightings()
        self.look(seen, 0, 1, "Open", success_count=0)
        self.look(seen, 2, 3, success_count=5)
        self.look(seen, 4, 5, "Job Complete", success_count=5, error_count=1)
        self.assertEqual(seen.problems(), [])

    def test_a_counter_that_falls_is_told(self):
        seen = Sightings()
        self.look(seen, 0, 1, success_count=5)
        self.look(seen, 2, 3, success_count=4)
        self.assertEqual(seen.problems(), ["I4 job j: success_count fell from 5 to 4"])

    def test_an_end_that_changes_and_a_state_that_goes_back_are_told(self):
        seen = Sightings()
        self.look(seen, 0, 1, "Aborted")
        self.look(seen, 2, 3, "Job Complete")
        self.look(seen, 4, 5, "In Progress")
        self.assertEqual(seen.problems(), ["I4 job j: was Aborted, then Job Complete",
                                           "I4 job j: was Job Complete, then In Progress"])

    def test_looks_at_the_same_time_may_be_answered_in_any_order(self):
        seen = Sightings()
        self.look(seen, 0, 3, success_count=5)
        self.look(seen, 1, 4, success_count=4)
        self.assertEqual(seen.problems(), [])


class Bounds(unittest.TestCase):
    def test_memory_handles_and_threads_are_held_against_their_limits(self):
        limits = bounds.Limits(memory_bytes=100 << 20, files=10, threads=5)
        self.assertEqual(bounds.problems_of(1, limits, (100 << 20, 10, 5)), [])
        found = bounds.problems_of(1, limits, (101 << 20, 11, 6))
        self.assertEqual(found[-2:], ["I9 process 1: 11 file handles, 10 are allowed",
                                      "I9 process 1: 6 threads, 5 are allowed"])
        self.assertEqual(len(found), 2 if bounds.SANITIZED else 3)

    def test_a_process_is_looked_at(self):
        watch = bounds.Watch(os.getpid(), bounds.Limits(1 << 40, 1, 10_000))
        watch.end()
        with open(__file__, "rb"):
            self.assertTrue(any("file handles" in line for line in watch.problems()))
        self.assertIsNone(bounds.look(2 ** 22 + 1))


class Recomputing(unittest.TestCase):
    def test_reads_the_scale_of_a_declared_type(self):
        self.assertEqual([recompute.scale_of(text) for text in
                          ("integer", "BIGINT", "decimal(12,2)", "numeric( 5 )", "real", "text",
                           "point")], [0, 0, 2, 0, None, None, None])

    def test_takes_a_stored_real_for_the_decimal_that_it_stands_for(self):
        self.assertEqual(recompute.exact(0.1 + 0.2, 2), Decimal("0.30"))

    def test_rounds_an_average_half_to_even(self):
        self.assertEqual(recompute.average([Decimal(1), Decimal(0), Decimal(0)], 0),
                         Decimal("0.333333"))

    def test_reads_composite_ids(self):
        self.assertEqual(effect_log.key_of_id('[1,"a"]'), ("1", "a"))
        self.assertEqual(effect_log.key_of_id("17"), ("17",))


if __name__ == "__main__":
    unittest.main()
