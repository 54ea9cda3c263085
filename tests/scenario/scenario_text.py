"""A scenario file as values.

    # half_bad.scenario: a bad record does not stop its neighbours
    table people (id integer primary key, age integer)   goes on to the closing bracket
    table odd as "we""ird" (…)                resource `odd`, table `we"ird`
    table lines as sales."Lines" (…)          the same in schema `sales`, which is made
    sql create unique index by_age$ on people (age)     `$` makes the name unique
    config people fields.age.min = "0"    a line of the resource's configuration
    before people                             rows that are there before
    7 70

    job insert people csv max_errors=1        operation, resource, form, options
    id,age
    1,41
    ----
    state Job Complete
    counts total=1 created=1                  those not named are 0
    results
    1 created id=1                            record outcome [CODE [field]] [id=…]
    rows people                               or: rows people (id, age)
    1 41

What is said of one database alone has its name before it, whatever line it is; a statement
goes on over lines that begin with two spaces. Tables are in the tests' dialect, which both
databases take (support/database.py).

    only postgresql enum is a type of its own           the other one runs nothing of the file
    sqlite: sql create trigger ...
    postgresql: sql create function log$() returns trigger language plpgsql as '
      begin insert into log values (new.id); return null; end';
      create trigger logs$ after insert on people for each row execute function log$()

Forms: csv, ndjson, json, enveloped. Values of options are URL-decoded (`%09` is a tab) and
have no space. The flag `escaped` after the form: in the body \\r \\n \\t \\\\ \\xNN are bytes,
\\{x*50} is fifty times x, and a backslash at the end of a line takes the line's end away.

Further expectations: `refused STATUS [CODE]` in place of state; `mentions word` (of the
refusal); `message word` (of the status); `verified false`; `superseded N`; `aggregates {json}`.
Further steps after the first job: `retry` (of the last job), `sql …`.

A cell of `rows`: NULL, a number, a bare word, x'hex', or a text in JSON quotes. Booleans are 1
and 0; a decimal has no zeros at its end.

An id that the database makes up is written as SQLite makes it: one more than the highest that
was there. What another database has made is renumbered so, row by row, before it is compared.
"""
import json
import re
import sys
import pathlib
import urllib.parse
from dataclasses import dataclass, field
from decimal import Decimal

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.database import KIND, KINDS  # noqa: E402

COUNTS = ("total", "created", "updated", "unchanged", "deleted", "failed", "unprocessed")
KEYWORDS = ("only", "table", "sql", "config", "before", "job", "retry", "state", "counts", "results",
            "rows", "refused", "mentions", "message", "verified", "superseded", "aggregates")
_BARE = re.compile(r"[A-Za-z_\u00a1-\U0010ffff][^\s\"]*\Z")


@dataclass
class Expectation:
    refused: tuple = None          # (status, code or None)
    may_be_refused: bool = False   # Whatever comes: of steps that nobody wrote down.
    mentions: list = field(default_factory=list)
    message: list = field(default_factory=list)
    state: str = None
    counts: dict = None
    results: list = None           # [(record, outcome, code, field, id or None)]
    rows: list = field(default_factory=list)  # [(table, columns, [line] or None: any)]
    verified: bool = None
    superseded: int = None
    aggregates: str = None


@dataclass
class Step:
    kind: str                      # job, retry, sql
    operation: str = ""
    resource: str = ""
    form: str = ""
    options: dict = field(default_factory=dict)
    body: bytes = b""
    sql: str = ""
    expected: Expectation = None


@dataclass
class Table:
    resource: str
    name: str
    definition: str
    schema: str = None
    config: list = field(default_factory=list)


@dataclass
class Scenario:
    name: str
    title: str = ""
    only: str = None               # The one database that it is about; None: any.
    tables: dict = field(default_factory=dict)
    setup: list = field(default_factory=list)  # SQL, in order; rows too
    steps: list = field(default_factory=list)


class BadScenario(Exception):
    pass


def cell_text(value):
    if value is None:
        return "NULL"
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value.normalize():f}"
    if isinstance(value, (int, float)):
        return repr(int(value) if isinstance(value, bool) else value)
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    value = str(value)
    if _BARE.match(value) and value != "NULL":
        return value
    return json.dumps(value, ensure_ascii=False)


def row_text(row):
    return " ".join(cell_text(value) for value in row)


def row_values(line):
    """The inverse of row_text."""
    values, rest = [], line
    while rest:
        if rest.startswith('"'):
            value, end = json.JSONDecoder().raw_decode(rest)
        else:
            end = len(rest.split(" ", 1)[0])
            word = rest[:end]
            value = _word_value(word)
        values.append(value)
        if end < len(rest) and rest[end] != " ":
            raise BadScenario(f"no space after a cell: {line}")
        rest = rest[end + 1:]
    return values


def _word_value(word):
    if word == "NULL":
        return None
    if word.startswith("x'"):
        return bytes.fromhex(word[2:-1])
    if _BARE.match(word):
        return word
    return int(word) if re.fullmatch(r"-?\d+", word) else float(word)


def parse(name, text, kind=KIND):
    return _Parser(name, text, kind).parse()


class _Parser:
    def __init__(self, name, text, kind):
        self.scenario, self.kind = Scenario(name), kind
        self.lines = _of_database(text.split("\n"), kind)
        self.place = 0

    def fail(self, text):
        raise BadScenario(f"{self.scenario.name}.scenario line {self.place}: {text}")

    def take(self):
        line = self.lines[self.place]
        self.place += 1
        return line

    def more(self):
        return self.place < len(self.lines)

    def block(self):
        """Lines up to an empty one or the next keyword."""
        taken = []
        while self.more():
            line = self.lines[self.place]
            if not line or line.split(" ", 1)[0] in KEYWORDS:
                break
            taken.append(self.take())
        return taken

    def parse(self):
        scenario = self.scenario
        while self.more():
            line = self.take()
            if not line.strip():
                continue
            if line.startswith("#"):
                scenario.title = scenario.title or line.split(":", 1)[-1].strip()
                continue
            word, _, rest = line.partition(" ")
            if word == "table":
                self.table(rest)
            elif word == "only":
                scenario.only, _, why = rest.partition(" ")
                if scenario.only not in KINDS or not why:
                    self.fail("only DATABASE, and why")
            elif word == "sql":
                self.sql(rest)
            elif word == "config":
                resource, _, toml = rest.partition(" ")
                scenario.tables[resource].config.append(toml)
            elif word == "before":
                self.rows_before(rest)
            elif word == "job":
                self.job(rest)
            elif word == "retry":
                self.steps_until_rule(Step("retry"))
            else:
                self.fail(f"not expected here: {line}")
        if not any(step.kind == "job" for step in scenario.steps):
            self.fail("no job")
        return scenario

    def sql(self, rest):
        while self.more() and self.lines[self.place].startswith("  "):
            rest += "\n" + self.take()
        if self.scenario.steps:
            self.scenario.steps.append(Step("sql", sql=rest))
        else:
            self.scenario.setup.append(rest)

    def table(self, rest):
        while rest.count("(") > rest.count(")"):
            rest += "\n" + self.take()
        resource, _, definition = rest.partition(" ")
        name = resource
        schema = None
        if definition.startswith("as "):
            found = re.match(r'as (?:(\w+)\.)?"((?:[^"]|"")*)" (.*)', definition, re.S)
            schema, name, definition = (found.group(1), found.group(2).replace('""', '"'),
                                        found.group(3))
        self.scenario.tables[resource] = Table(resource, name, definition, schema)

    def rows_before(self, resource):
        for line in self.block():
            values = ", ".join(_sql_literal(value, self.kind) for value in row_values(line))
            self.scenario.setup.append(f"insert into {resource} values ({values})")

    def job(self, rest):
        words = rest.split(" ")
        if len(words) < 3:
            self.fail("job OPERATION RESOURCE FORM")
        step = Step("job", words[0], words[1], words[2])
        escaped = "escaped" in words[3:]
        for word in words[3:]:
            if word != "escaped":
                key, _, value = word.partition("=")
                step.options[key] = urllib.parse.unquote(value)
        if step.resource not in self.scenario.tables:
            self.fail(f"no table {step.resource}")
        self.steps_until_rule(step, escaped)

    def steps_until_rule(self, step, escaped=False):
        body = []
        while True:
            if not self.more():
                self.fail("no ---- after the body")
            line = self.take()
            if line == "----":
                break
            body.append(line)
        text = "".join(line + "\n" for line in body)
        step.body = _unescaped(text) if escaped else text.encode()
        step.expected = self.expectation()
        self.scenario.steps.append(step)

    def expectation(self):
        expected = Expectation()
        while self.more():
            line = self.lines[self.place]
            word, _, rest = line.partition(" ")
            if line.strip() and word in ("job", "retry", "sql"):
                break
            self.place += 1
            if not line.strip() or line.startswith("#"):
                continue
            if word == "refused":
                status, _, code = rest.partition(" ")
                expected.refused = (int(status), code or None)
            elif word in ("mentions", "message"):
                getattr(expected, word).append(rest)
            elif word == "state":
                expected.state = rest
            elif word == "counts":
                expected.counts = self.counts(rest)
            elif word == "results":
                expected.results = [_result(line) for line in self.block()]
            elif word == "rows":
                found = re.fullmatch(r"(\w+)(?: \((.*)\))?", rest)
                expected.rows.append((found.group(1), found.group(2) or "*", self.block()))
            elif word == "verified":
                expected.verified = rest == "true"
            elif word == "superseded":
                expected.superseded = int(rest)
            elif word == "aggregates":
                expected.aggregates = rest
            else:
                self.fail(f"not an expectation: {line}")
        if not expected.refused and not expected.state:
            self.fail("neither state nor refused")
        return expected

    def counts(self, rest):
        found = dict(pair.split("=") for pair in rest.split())
        if set(found) - set(COUNTS):
            self.fail(f"counts are {', '.join(COUNTS)}")
        return {name: int(found.get(name, 0)) for name in COUNTS}


def _result(line):
    words, key = line.split(" "), None
    if words[-1].startswith("id="):
        key = words.pop()[3:]
    record, outcome, code, name = (words + ["", ""])[:4]
    return int(record), outcome, code, name, key


def _of_database(lines, kind):
    """The lines without those of the other database."""
    kept, taken = [], True
    for line in lines:
        owner = next((name for name in KINDS if line.startswith(f"{name}: ")), None)
        if not line.startswith("  ") or owner:
            taken = owner in (None, kind)
        if taken:
            kept.append(line.removeprefix(f"{kind}: "))
    return kept


def _sql_literal(value, kind):
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return f"x'{value.hex()}'" if kind == "sqlite" else f"'\\x{value.hex()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def _unescaped(text):
    def byte(found):
        escape = found.group(1)
        if escape.startswith(b"{"):
            return escape[1:2] * int(escape[3:-1])
        if escape.startswith(b"x"):
            return bytes([int(escape[1:], 16)])
        return {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\", b"\n": b""}[escape]
    return re.sub(rb"\\(\{.\*\d+\}|x[0-9a-fA-F]{2}|[rnt\\\n])", byte, text.encode())
