"""Runs one scenario on one server, once, and says what came of it.

    run = ScenarioRun(server, api, scenario, copy="a", way=ways.plain)
    run.problems      sentences: what differs from the file, or from itself
    run.observation   what every other run of the scenario must be equal to

Every run has tables of its own (`people_half_bad_a`); their suffix is taken out of whatever
is compared. Beside what the file says, each run asserts what holds for any job: one result
for each record, counts equal to results, the uploaded text in the results.
"""
import collections
import csv
import io
import json
import re
from decimal import Decimal

from scenario_text import row_text
from support.api import CONTENT_TYPES, METHODS, quote
from support.database import KIND
from support.server import toml_text

COUNTED = {"total": "total_items", "created": "created_count", "updated": "updated_count",
           "unchanged": "unchanged_count", "deleted": "deleted_count", "failed": "error_count",
           "unprocessed": "unprocessed_count"}
UNREADABLE = ("MALFORMED_RECORD", "RECORD_TOO_LARGE")
JSON_OPTIONS = ("aggregates", "expect")
LIST_OPTIONS = ("unique_fields", "update_fields")
PLAIN_WORD = re.compile(r"\w+\Z")


def suffix(scenario, copy):
    return f"_{scenario.name}_{copy}"


def renamed(scenario, copy, sql):
    """SQL with the tables of this copy in place of the scenario's."""
    end = suffix(scenario, copy)
    for table in scenario.tables.values():
        physical = sql_name(table, end)
        sql = re.sub(rf"(?<![\w$]){re.escape(table.resource)}(?![\w$])",
                     lambda _, physical=physical: physical, sql)
    return sql.replace("$", end)


def sql_name(table, end):
    name = table.name + end
    physical = name if PLAIN_WORD.match(name) else '"' + name.replace('"', '""') + '"'
    return f"{table.schema}.{physical}" if table.schema else physical


def setup_sql(scenario, copy, database):
    statements = []
    for table in scenario.tables.values():
        if table.schema:
            statements.append(f"create schema if not exists {table.schema}")
        statements.append(database.translated(
            renamed(scenario, copy, f"create table {table.resource} ")
            + renamed(scenario, copy, table.definition)))
    statements += [renamed(scenario, copy, sql) for sql in scenario.setup]
    if database.kind == "postgresql":
        statements += [renamed(scenario, copy, _goes_on_after(table))
                       for table in scenario.tables.values() if makes_up_ids(table)]
    return ";\n".join(statements) + ";\n"


def makes_up_ids(table):
    return re.match(r"\(id (integer primary key|bigint generated \w+)", table.definition)


def _goes_on_after(table):
    """The sequence of a table's ids goes on after the rows that were there before."""
    sequence = f"pg_get_serial_sequence('{table.resource}', 'id')"
    return (f"select setval({sequence}, greatest(coalesce(max(id), 0) + 1, nextval({sequence})), "
            f"false) from {table.resource}")


def resources(scenario, copy):
    end = suffix(scenario, copy)
    named = sql_name if KIND == "postgresql" else lambda table, end: table.name + end
    return {table.resource + end: [f"table = {toml_text(named(table, end))}", *table.config]
            for table in scenario.tables.values()}


class MadeIds:
    """The ids that a table has made up, as they would be without gaps: a sequence gives numbers
    to records that fail, too, and to some that were only looked at."""

    def __init__(self, highest):
        self.highest, self.numbers = highest, {}

    def renumber(self, results, dry_run):
        """In the results of a job, in place."""
        numbers, highest = dict(self.numbers), self.highest
        for row in results:
            if row["_outcome"] == "created" and row["_id"] and not row.get("id"):
                highest += 1
                numbers[row["_id"]] = str(highest)
            row["_id"] = numbers.get(row["_id"], row["_id"])
        if not dry_run:
            self.numbers, self.highest = numbers, highest

    def in_rows(self, rows, columns):
        """Of a query for `columns`: the rows with the numbers."""
        if columns != "*" and not columns.startswith("id"):
            return rows
        return [(int(self.numbers.get(str(row[0]), row[0])), *row[1:]) for row in rows]


class ScenarioRun:
    def __init__(self, server, api, scenario, copy, way):
        self.server, self.api, self.scenario = server, api, scenario
        self.copy, self.way = copy, way
        self.end = suffix(scenario, copy)
        self.problems, self.observation = [], []
        self.last_job = None
        self.made = {table.resource: MadeIds(self.highest_id(table))
                     for table in scenario.tables.values()
                     if server.database.kind == "postgresql" and makes_up_ids(table)}
        for number, step in enumerate(scenario.steps, 1):
            self.number = number
            if step.kind == "sql":
                server.execute(renamed(scenario, copy, step.sql))
            else:
                self.do(step)

    def highest_id(self, table):
        return self.server.rows(renamed(self.scenario, self.copy, "select coalesce(max(id), 0) "
                                        f"from {table.resource}"))[0][0]

    def differ(self, what, expected, got):
        if expected != got:
            self.problems.append(f"step {self.number}: {what}: expected {expected}, got {got}")

    def plain(self, text):
        return text.replace(self.end, "")

    def do(self, step):
        if step.kind == "retry":
            answer = self.api.action(self.resource, self.last_job, "retry")
        else:
            self.resource = step.resource + self.end
            self.delimiter = step.options.get("delimiter", ",") if step.form == "csv" else ","
            answer = self.way(self.api, self.resource, step)
        if answer.kind != "ok":
            self.refused(step, answer)
            return
        started = answer.json
        if step.expected.refused:
            self.differ("answer", f"refused {step.expected.refused}", answer)
            return
        self.last_job = started["job_id"]
        if step.expected.superseded is not None:
            self.differ("superseded", step.expected.superseded, started.get("superseded"))
        self.ended(step, self.api.wait_for_end(self.resource, self.last_job))

    def refused(self, step, answer):
        expected = step.expected
        error = answer.json if answer.body.startswith(b"{") else {"error": "", "code": repr(answer)}
        self.observation.append(("refused", answer.status, error.get("code")))
        if expected.may_be_refused:
            self.rows(expected)
            return
        if not expected.refused:
            self.differ("answer", "a job", answer)
            return
        status, code = expected.refused
        self.differ("status", status, answer.status)
        if code:
            self.differ("code", code, error["code"])
        for word in expected.mentions:
            if word not in error["error"]:
                self.differ("error", f"a text with {word}", error["error"])
        self.rows(expected)

    def ended(self, step, status):
        expected = step.expected
        if expected.state and status["state"] != expected.state:
            self.differ("state", expected.state, status)
        if expected.counts is not None:
            self.differ("counts", expected.counts,
                        {name: status[field] for name, field in COUNTED.items()})
        for word in expected.message:
            if word not in status["message"]:
                self.differ("message", f"a text with {word}", status["message"])
        if status["state"] == "Job Complete" and not status.get("dry_run"):
            self.differ("verified", expected.verified is not False, status["verified"])
        answer = self.api.call("GET", self.api.job_path(self.resource, self.last_job, "results"))
        if answer.status != 200:
            self.differ("results", 200, answer)
            return
        rows = list(csv.DictReader(io.StringIO(answer.text, newline=""),
                                   delimiter=self.delimiter))
        text = answer.text
        made = self.made.get(self.plain(self.resource))
        if made:
            made.renumber(rows, status.get("dry_run"))
            text = json.dumps(rows)
        self.observation.append(("ended", status["state"], status["verified"], self.plain(text), {
            name: status[field] for name, field in COUNTED.items()},
            self.plain(json.dumps([status["errors"], status["error_summary"]], sort_keys=True))))
        self.results(expected, rows)
        self.agree(step, status, rows)
        if expected.aggregates is not None:
            self.aggregates(expected.aggregates)
        self.rows(expected)

    def results(self, expected, rows):
        if expected.results is None:
            return
        wanted, got = [], []
        for (record, outcome, code, name, key), row in zip(expected.results, rows):
            wanted.append((record, outcome, code, name, key))
            got.append((int(row["_record"]), row["_outcome"], row["_error_code"],
                        row["_error_field"].replace(" ", ""), row["_id"] if key else None))
        self.differ("number of results", len(expected.results), len(rows))
        for one, other in zip(wanted, got):
            self.differ("result", one, other)

    def agree(self, step, status, rows):
        """What holds for every job that has ended."""
        numbers = [int(row["_record"]) for row in rows]
        self.differ("record numbers", list(range(1, status["total_items"] + 1)), numbers)
        counted = collections.Counter(row["_outcome"] for row in rows)
        if not status.get("dry_run"):
            self.differ("counts against results", {
                name: status[field] for name, field in COUNTED.items() if name != "total"},
                {name: counted[name] for name in COUNTED if name != "total"})
        failed = [row for row in rows if row["_outcome"] == "failed"]
        self.differ("error_summary against results",
                    dict(collections.Counter(row["_error_code"] for row in failed)),
                    status["error_summary"])
        self.differ("errors against results", [
            (int(row["_record"]), row["_error_code"], row["_error_field"], row["_error"])
            for row in failed[:100]],
            [(error["record"], error["code"], error["field"] or "", error["message"])
             for error in status["errors"]])
        for row in rows:
            if (row["_outcome"] == "failed") != bool(row["_error_code"]):
                self.differ("a result", "an error code on failed ones only", row)
        if step.kind == "job" and step.form == "csv":
            self.original_text(step, rows)

    def original_text(self, step, rows):
        """The uploaded columns stand in the results with their original text."""
        try:
            sent = list(csv.reader(io.StringIO(step.body.decode("utf-8-sig"), newline=""),
                                   delimiter=self.delimiter, strict=True))
        except (ValueError, csv.Error):
            return
        sent = [cells for cells in sent if cells]
        if len(sent) != len(rows) + 1:
            return
        for row, cells in zip(rows, sent[1:]):
            if row["_error_code"] not in UNREADABLE:
                self.differ(f"text of record {row['_record']}", dict(zip(sent[0], cells)),
                            {name: row.get(name) for name in sent[0]})

    def aggregates(self, expected):
        answer = self.api.aggregates(self.resource, self.last_job)
        self.differ("aggregates status", 200, answer.status)
        if answer.status == 200:
            found = answer.json
            self.differ("aggregates", json.loads(expected, parse_float=Decimal),
                        found["aggregate_results"])
            self.observation.append(("aggregates", found["aggregate_results"]))

    def rows(self, expected):
        for resource, columns, lines in expected.rows:
            selected = renamed(self.scenario, self.copy, f"select {columns} from {resource}")
            found = self.server.rows(selected)
            if resource in self.made:
                found = self.made[resource].in_rows(found, columns)
            found = sorted(map(row_text, found))
            self.observation.append(("rows", resource, found))
            if lines is not None:
                self.differ(f"rows of {resource}", sorted(lines), found)


# --- ways to send an upload -----------------------------------------------------------------

def plain(api, resource, step):
    """One request, in one piece."""
    return _one_request(api, resource, step, step.body, chunked=False)


def chunked(size):
    """One request, cut into HTTP chunks of `size` bytes."""
    def send(api, resource, step):
        pieces = (step.body[at:at + size] for at in range(0, len(step.body), size))
        return _one_request(api, resource, step, pieces, chunked=True)
    return send


def staged(parts_of):
    """A job in steps; parts_of(body) gives the places where it is cut."""
    def send(api, resource, step):
        if step.form == "enveloped":  # Its options arrive with the body.
            return plain(api, resource, step)
        opened = api.open_job(resource, step.operation, step.form, **_typed(step.options))
        if opened.kind != "ok":
            return opened
        job = opened.json["job_id"]
        places = [0, *parts_of(step.body), len(step.body)]
        for start, end in zip(places, places[1:]):
            put = api.put_data(resource, job, start, step.body[start:end])
            if put.kind != "ok":
                return put
        return api.action(resource, job, "complete")
    return send


def _one_request(api, resource, step, body, chunked):
    path = f"/api/{quote(resource)}/bulk/v2/"
    headers = {"Content-Type": CONTENT_TYPES[step.form], "Prefer": "wait=20"}
    return api.call(METHODS[step.operation], path, body, headers, step.options, chunked)


def _typed(options):
    typed = {}
    for name, value in options.items():
        if name in JSON_OPTIONS:
            try:
                typed[name] = json.loads(value)
            except ValueError:
                typed[name] = value
        elif name in LIST_OPTIONS:
            typed[name] = value.split(",")
        elif value in ("true", "false"):
            typed[name] = value == "true"
        elif re.fullmatch(r"-?\d+", value):
            typed[name] = int(value)
        else:
            typed[name] = value
    return typed
