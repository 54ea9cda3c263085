#!/usr/bin/python3
"""Random tables and random uploads: every faster way ends equal to one record at a time.

Nobody wrote down what should come of them: windows of one record on the general path are the
oracle, for every outcome, error, id, row and effect. Keys are drawn from a handful, so that
records meet rows and each other all the time. TALLYMAN_SEED replays, TALLYMAN_DIFFERENTIALS
(default 60) is how many.
"""
import json
import os
import random
import sys

import run
import scenario_run as ways
from scenario_text import Expectation, Scenario, Step, Table

COUNT = int(os.environ.get("TALLYMAN_DIFFERENTIALS") or 60)
WINDOWS = (1, 2, 3, 7, 1000)

# (definition, columns, unique keys, the key's columns); `n` and `sku` collide on purpose.
SHAPES = [
    ("(id integer primary key, sku text unique, n integer check (n < 8), note text default 'd')",
     ["id", "sku", "n", "note"], [["id"], ["sku"]], ["id"]),
    ("(id integer primary key, sku text not null unique, n integer not null default 3, note "
     "varchar(3))", ["id", "sku", "n", "note"], [["id"], ["sku"]], ["id"]),
    ("(sku text not null, n integer not null, id integer, note text, primary key (sku, n))",
     ["sku", "n", "id", "note"], [["sku", "n"]], ["sku", "n"]),
    ("(sku text primary key not null, id integer unique, n integer, note text) without rowid",
     ["sku", "id", "n", "note"], [["sku"], ["id"]], ["sku"]),
    ("(id integer primary key, sku text collate nocase unique, n decimal(4,1) unique, note text)",
     ["id", "sku", "n", "note"], [["id"], ["sku"], ["n"]], ["id"]),
    ("(id integer primary key, sku text, n integer references things(id), note text, "
     "unique (sku, n))", ["id", "sku", "n", "note"], [["id"], ["sku", "n"]], ["id"]),
    ("(id integer primary key, sku text unique, n integer references parents(id) on delete "
     "cascade, note text check (note <> 'bad'))", ["id", "sku", "n", "note"], [["id"], ["sku"]],
     ["id"]),
]
TRIGGERS = [
    "create trigger swallows$ before insert on things when new.n = 4 begin "
    "select raise(ignore); end",
    "create trigger refuses$ before update on things when new.n = 5 begin "
    "select raise(abort, 'five'); end",
    "create trigger undoes$ after insert on things when new.n = 6 begin "
    "select raise(rollback, 'six'); end",
    "create trigger keeps$ before delete on things when old.id = 2 begin "
    "select raise(ignore); end",
    "create trigger copies$ after insert on things begin "
    "insert into log values ('insert', new.sku, new.n); end",
    "create trigger notes$ after update on things begin "
    "insert into log values ('update', new.sku, new.n); end",
]
VALUES = {"id": ["1", "2", "3", "4", "5", "6", "", "x"],
          "sku": ["a", "b", "c", "A", "d", "", "e"],
          "n": ["1", "2", "3", "4", "5", "6", "9", "", "1.0", "two"],
          "note": ["u", "v", "bad", "long", "", "w"]}
BAD = {"x", "two", "long"}


class Generator:
    def __init__(self, chance):
        self.chance = chance

    def scenario(self, number):
        definition, self.columns, self.keys, self.primary = self.chance.choice(SHAPES)
        scenario = Scenario(f"d{number}")
        # The parents first: SQLite looks a reference up only when a row needs it.
        scenario.tables["parents"] = Table("parents", "parents", "(id integer primary key)")
        scenario.tables["things"] = Table("things", "things", definition)
        scenario.tables["log"] = Table("log", "log", "(what text, sku text, n integer)")
        scenario.setup = ["insert into parents values (1), (2), (3)"]
        scenario.setup += self.chance.sample(TRIGGERS, self.chance.randrange(3))
        scenario.steps = [self.step() for _ in range(3)]
        scenario.title = definition[:60] + ", " + ", ".join(
            f"{step.operation} {step.form} {step.options}" for step in scenario.steps)
        return scenario

    def step(self):
        operation = self.chance.choice(["insert", "insert", "upsert", "upsert", "update",
                                        "replace", "delete"])
        form = self.chance.choice(["csv", "ndjson"])
        key = self.chance.choice(self.keys) if operation != "update" else self.primary
        expected = Expectation(may_be_refused=True,
                               rows=[("things", "*", None), ("log", "*", None)])
        records = [self.record(key, form) for _ in range(self.chance.randrange(1, 16))]
        columns = [name for name in self.columns if name in key or self.chance.random() < 0.8]
        if operation == "delete":
            columns = key
        return Step("job", operation, "things", form, self.options(operation, key),
                    self.body(records, columns, form), expected=expected)

    def options(self, operation, key):
        options = {}
        if operation in ("upsert", "replace", "delete") and (operation == "upsert"
                                                             or key != self.primary):
            options["unique_fields"] = ",".join(key)
        if self.chance.random() < 0.25:
            options["on_duplicate"] = self.chance.choice(["first", "last", "error"])
        if self.chance.random() < 0.15:
            options["mode"] = "atomic"
        if self.chance.random() < 0.1:
            options["dry_run"] = "true"
        if self.chance.random() < 0.15:
            options["max_errors"] = str(self.chance.randrange(4))
        return options

    def record(self, key, form):
        record = {}
        for name in self.columns:
            value = self.chance.choice(VALUES[name])
            if value in BAD and self.chance.random() < 0.7:  # Bad ones are rare.
                value = self.chance.choice(VALUES[name])
            record[name] = value
        if form == "ndjson":
            for name in self.columns:
                if name not in key and self.chance.random() < 0.2:
                    del record[name]
        return record

    def body(self, records, columns, form):
        if form == "csv":
            lines = [",".join(columns)]
            lines += [",".join(record[name] for name in columns) for record in records]
            if len(columns) == 1:
                lines = [line for line in lines if line]
        else:
            lines = [json.dumps({name: self.json(name, record[name]) for name in columns
                                 if name in record}) for record in records]
        return "".join(line + "\n" for line in lines).encode()

    def json(self, name, text):
        if not text:
            return None
        if name in ("id", "n") and text.isdigit() and self.chance.random() < 0.7:
            return int(text)
        return text


def configurations():
    return [(f"{path} path, windows of {window}",
             {"path": path, "window_records": window}, [("plain", ways.plain)])
            for path in ("general", "auto") for window in WINDOWS]


if __name__ == "__main__":
    generator = Generator(random.Random(run.SEED))
    sys.exit(run.run_all([generator.scenario(number) for number in range(COUNT)],
                         configurations()))
