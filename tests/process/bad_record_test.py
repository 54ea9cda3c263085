#!/usr/bin/python3
"""A bad record at every place of a window, of every kind, and with two faults at once.

Windows of 7: a fault (or two) stands at each single place, at two adjacent ones, at the first
and the last, at all. What should come of it is said by tests/process/record_rules.py. The fast
path and the general path must agree with it, in every outcome, code and field, and in the rows
that are left; so must the general path in windows of 1 (where a window has no places, and each
fault stands once). TALLYMAN_SEED replays.
"""
import itertools
import json
import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import record_rules as rules  # noqa: E402
from support.database import KIND  # noqa: E402
from support.server import Server  # noqa: E402

SEED = int(os.environ.get("TALLYMAN_SEED") or random.SystemRandom().randrange(1 << 32))
WINDOW = 7
SINGLE = [(place,) for place in range(WINDOW)]
PATTERNS = SINGLE + [(place, place + 1) for place in range(WINDOW - 1)] + [
    (0, WINDOW - 1), tuple(range(WINDOW)), (0, 2, 4, 6)]
CONFIGURATIONS = [("fast path, windows of 7", {"path": "auto", "window_records": WINDOW}),
                  ("general path, windows of 7", {"path": "general", "window_records": WINDOW}),
                  ("one record at a time", {"path": "general", "window_records": 1})]
if KIND == "postgresql":
    CONFIGURATIONS.insert(1, ("fast path, windows of 7, 2 lanes",
                              {"path": "auto", "window_records": WINDOW, "lanes": 2}))
TAKEN = "900001"
FIRST_CHILD = 500_001  # Rows from here on are referred to by others.

# name -> what it changes in a record. "!": the record cannot be read.
VALUES = {"type": {"n": "x"}, "range": {"d": "12345.00"}, "long": {"name": "x" * 9},
          "choice": {"kind": "z"}, "pattern": {"zip": "no"}, "null": {"note": None},
          "check": {"m": "1001"}, "reference": {"shop": "99"}, "taken": {"sku": "taken"}}
UNREADABLE = {"malformed": {"!": ("MALFORMED_RECORD", "")},
              "large": {"!": ("RECORD_TOO_LARGE", ""), "note": "x" * 2000}}
TRIGGERED = {"swallowed": {"n": rules.SWALLOWED}, "raised": {"n": rules.RAISED},
             "raised late": {"n": rules.RAISED_AFTER}}
UNKNOWN = {"unknown": {"!": ("UNKNOWN_FIELD", "colour"), "colour": "red"}}
GONE = object()  # The field is left out.


class Upload:
    """One job's records and what should come of them. `faults` is one of the tables above;
    `form` csv or ndjson. `all_places`: two faults at once stand at each place of a window, not
    only at one."""

    def __init__(self, name, operation, faults, form="csv", key="id", watched=False, columns=None,
                 all_places=False, **options):
        self.all_places = all_places
        self.name, self.operation, self.faults, self.form = name, operation, faults, form
        self.key, self.watched, self.options = key, watched, options
        self.columns = columns or rules.FIELDS
        self.table = "t_" + name.replace(" ", "_")
        if operation == "upsert" or key != "id":
            self.options["unique_fields"] = key

    def build(self, chance, places=WINDOW):
        self.places = places
        kinds = [(name,) for name in self.faults]
        pairs = [pair for pair in itertools.combinations(self.faults, 2)
                 if not self.touches(pair[0]) & self.touches(pair[1])]
        if places == WINDOW:
            windows = [(kind, pattern) for kind in kinds for pattern in PATTERNS]
            windows += [(pair, pattern) for pair in pairs
                        for pattern in (SINGLE if self.all_places else [chance.choice(SINGLE)])]
        else:
            windows = [(kind, (0,)) for kind in kinds + pairs]
        chance.shuffle(windows)
        self.records, self.rows = [], [self.row(TAKEN, "taken")]
        for kind, pattern in windows:
            for _ in range(chance.choice((0, 0, 1))):  # Clean ones in between.
                self.add_window((), (), chance)
            self.add_window(kind, pattern, chance)
        simulated = rules.Simulated(
            self.operation, self.rows, self.columns, self.key, self.watched,
            [row["id"] for row in self.rows if int(row["id"]) >= FIRST_CHILD and row["id"] != TAKEN],
            self.options.get("on_duplicate", "sequence"))
        self.expected = simulated.run(self.records)
        self.left = simulated.rows
        return self

    def touches(self, fault):
        fields = set(self.faults[fault])
        return fields | {"id"} if "row" in fields else fields

    def row(self, number, sku):
        return {**dict.fromkeys(rules.FIELDS), "id": str(number), "sku": sku, "note": "here"}

    def add_window(self, kind, pattern, chance):
        base = len(self.records) + 1
        for place in range(self.places):
            number = base + place
            record = self.good(number)
            for name in kind if place in pattern else ():
                self.spoil(record, number, self.faults[name])
            self.records.append(record)
        # Whoever follows a bad record with its keys meets no trace of it.
        place = max(pattern, default=self.places) + 1
        if place < self.places and self.operation == "insert" and chance.random() < 0.5:
            bad, after = self.records[base + place - 2], self.records[base + place - 1]
            after.update({name: bad[name] for name in ("id", "sku") if bad.get(name) is not None})

    def good(self, number):
        if self.operation in ("update", "replace", "delete") or (
                self.operation == "upsert" and number % 2):
            self.rows.append(self.row(number, f"s{number}"))
        if self.operation == "delete":
            return {"id": str(number)}
        record = {"id": str(number), "sku": f"s{number}", "name": "abc", "n": str(number % 10),
                  "d": "1.50", "kind": "ab"[number % 2], "zip": "123", "note": "there", "m": "7",
                  "shop": "12"[number % 2]}
        return {field: record[field] for field in self.columns}

    def spoil(self, record, number, change):
        for field, value in change.items():
            if value is GONE:
                record.pop(field, None)
            elif field == "row":  # What must stand in the table for the fault to be one.
                self.rows[-1].update({name: text.replace("#", str(FIRST_CHILD + number))
                                      if isinstance(text, str) else text
                                      for name, text in value.items()})
                record["id"] = self.rows[-1]["id"]
            else:
                record[field] = value.replace("#", str(800_000_000 + number)) if isinstance(
                    value, str) else value

    # --- as bytes -------------------------------------------------------------------------

    def body(self):
        lines = [",".join(self.columns)] if self.form == "csv" else []
        for number, record in enumerate(self.records):
            lines.append((self.csv if self.form == "csv" else self.ndjson)(number, record))
        return "".join(line + "\n" for line in lines).encode()

    def csv(self, number, record):
        cells = [record.get(field) or "" for field in self.columns]
        if record.get("!", ("",))[0] == "MALFORMED_RECORD":
            cells = cells[:-1] if number % 2 and len(cells) > 1 else cells + ["more"]
        return ",".join(cells)

    def ndjson(self, number, record):
        sent = {field: int(value) if field in ("id", "n", "m", "shop") and value
                and value.isdigit() and number % 3 else value
                for field, value in record.items() if field != "!"}
        text = json.dumps(sent)
        return text[:-1] if record.get("!", ("",))[0] == "MALFORMED_RECORD" else text


def uploads():
    every = {**UNREADABLE, **VALUES}
    change = {**every, "missing": {"id": "#"}, "no key": {"id": None}}
    del change["taken"]
    deletes = {"malformed": UNREADABLE["malformed"],
               "large": {"!": ("RECORD_TOO_LARGE", ""), "id": "9" * 2000},
               "type": {"id": "x"}, "no key": {"id": None}, "missing": {"id": "#"},
               "child": {"row": {"id": "#", "sku": "c#"}}}
    triggered = {name: {"row": made} for name, made in TRIGGERED.items()}
    shuffled = ["shop", "note", "zip", "m", "kind", "d", "n", "name", "sku", "id"]
    return [
        Upload("insert", "insert", {**every, "id": {"id": TAKEN}}, all_places=True),
        Upload("insert columns shuffled", "insert", {**every, "id": {"id": TAKEN}},
               columns=shuffled),
        Upload("insert ndjson", "insert", {**every, **UNKNOWN, "left out": {"note": GONE}},
               form="ndjson"),
        Upload("insert watched", "insert", {**every, **TRIGGERED}, watched=True),
        Upload("update", "update", {**change, "taken": {"sku": "taken"}}),
        Upload("update watched", "update", {**change, **TRIGGERED}, watched=True, form="ndjson",
               all_places=True),
        Upload("upsert", "upsert", {**UNREADABLE, **VALUES, "id": {"id": TAKEN}}, key="sku",
               columns=[field for field in rules.FIELDS]),
        Upload("replace", "replace", {**change, "left out": {"note": GONE}}, form="ndjson",
               all_places=True),
        Upload("delete", "delete", deletes, columns=["id"], form="ndjson"),
        Upload("delete watched", "delete", {**deletes, **triggered}, columns=["id"],
               form="ndjson", watched=True),
        Upload("first", "insert", {**every, "again": {"id": "1"}}, on_duplicate="first"),
        Upload("last", "insert", {**every, "again": {"id": "1"}}, on_duplicate="last"),
        Upload("error", "insert", {**every, "again": {"id": "1"}}, on_duplicate="error"),
    ]


class BadRecords(unittest.TestCase):
    maxDiff = 3000

    @classmethod
    def setUpClass(cls):
        print(f"TALLYMAN_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        cls.by_window = {
            WINDOW: [upload.build(chance) for upload in uploads()],
            1: [upload.build(chance, places=2) for upload in uploads()]}
        for window, made in cls.by_window.items():
            print(f"{sum(len(upload.records) for upload in made)} records in windows of {window}",
                  flush=True)

    def prepare(self, made, settings):
        script = "create table shops (id integer primary key); insert into shops values (1), (2);"
        for upload in made:
            script += f"create table {upload.table} ({rules.COLUMNS_SQL});"
            script += (f"create table {upload.table}_child "
                       f"(id integer primary key, parent integer references {upload.table}(id));")
        tables = {upload.table: list(rules.RULES) for upload in made}
        server = Server(script, resources=tables,
                        settings={**settings, "record_bytes_max": rules.RECORD_BYTES_MAX})
        self.addCleanup(server.close)
        connection = server.connect()
        connection.execute("begin")
        for upload in made:
            connection.executemany(
                f"insert into {upload.table} values ({','.join('?' * len(rules.FIELDS))})",
                [[row[field] for field in rules.FIELDS] for row in upload.rows])
            connection.execute(f"insert into {upload.table}_child select id, id from "
                               f"{upload.table} where id between ? and 900000", (FIRST_CHILD,))
        connection.execute("commit")
        for upload in made:
            if upload.watched:
                connection.executescript(rules.TRIGGERS_SQL[KIND].replace("$", upload.table))
        connection.close()
        return server.start()

    def check(self, server, upload):
        api = server.api()
        status = api.run(upload.operation, upload.table, upload.body(), upload.form, seconds=60,
                         **upload.options)
        got = [(row["_outcome"], row["_error_code"], row["_error_field"])
               for row in api.results(upload.table, status["job_id"])]
        api.close()
        differ = [(number + 1, wanted, result, upload.records[number])
                  for number, (wanted, result) in enumerate(zip(upload.expected, got))
                  if wanted != result]
        self.assertEqual(differ[:4], [], f"{len(differ)} records of {len(got)}")
        self.assertEqual(len(got), len(upload.expected))
        rows = server.rows(f"select id, sku, note, m, shop from {upload.table} order by id")
        left = sorted((int(row["id"]), row["sku"], row["note"], *(
            None if row[name] is None else int(row[name]) for name in ("m", "shop")))
                      for row in upload.left.values())
        self.assertEqual([pair for pair in itertools.zip_longest(rows, left)
                          if pair[0] != pair[1]][:4], [])

    def test_every_fault_at_every_place_of_a_window(self):
        for name, settings in CONFIGURATIONS:
            made = self.by_window[settings["window_records"]]
            server = self.prepare(made, settings)
            for upload in made:
                with self.subTest(f"{name}, {upload.name}"):
                    self.check(server, upload)
            server.close()

    def test_every_code_that_this_database_can_give_is_among_them(self):
        told = {code for upload in self.by_window[WINDOW] for _, code, _ in upload.expected}
        documented = set()
        for line in (pathlib.Path(__file__).resolve().parents[2] / "docs/records.md").read_text(
                encoding="utf-8").splitlines():
            if line.startswith("| `") and "only on databases" not in line:
                documented.update(word for word in line.split("|")[1].replace("`", "").replace(
                    ",", " ").split())
        self.assertEqual(told - {""}, documented)


if __name__ == "__main__":
    unittest.main()
