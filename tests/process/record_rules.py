"""The rules by which a record has its outcome, once more, and as plainly as they can be said.

    shop = Simulated(operation, rows, watched=True)
    shop.apply(record)      ("failed", "CHECK_VIOLATION", "") or ("created", "", "")

Nothing of the server stands here: docs/records.md does. Records are applied one at a time; of
several faults the first in the list of checks is told. Values are texts, None is NULL; a field
that is not in the record was not sent.
"""
import re

from support.database import KIND

# In the order of the columns. Every table of the test has these, and these rules.
FIELDS = ["id", "sku", "name", "n", "d", "kind", "zip", "note", "m", "shop"]
COLUMNS_SQL = """id integer primary key, sku text unique, name varchar(8), n integer,
    d decimal(5,2), kind text, zip text, note text not null, m integer check (m < 1000),
    shop integer references shops(id)"""
RULES = ['fields.kind.choices = ["a", "b"]', 'fields.zip.pattern = "[0-9]+"']
RECORD_BYTES_MAX = 1024
SHOPS = {"1", "2"}
SWALLOWED, RAISED, RAISED_AFTER = "13", "14", "15"
# Of a table that is watched; $ is the table.
_SQLITE_TRIGGERS = "".join(f"""
    create trigger $_{event}_13 before {event} on $ when {row}.n = {SWALLOWED} begin
      select raise(ignore); end;
    create trigger $_{event}_14 before {event} on $ when {row}.n = {RAISED} begin
      select raise(abort, 'refused'); end;
    create trigger $_{event}_15 after {event} on $ when {row}.n = {RAISED_AFTER} begin
      select raise(abort, 'refused late'); end;"""
                       for event, row in (("insert", "new"), ("update", "new"), ("delete", "old")))
_POSTGRES_TRIGGERS = """
    create function $_swallow() returns trigger language plpgsql as 'begin return null; end';
    create function $_refuse() returns trigger language plpgsql as
      'begin raise exception ''refused''; end';""" + "".join(f"""
    create trigger $_{event}_13 before {event} on $ for each row when ({row}.n = {SWALLOWED})
      execute function $_swallow();
    create trigger $_{event}_14 before {event} on $ for each row when ({row}.n = {RAISED})
      execute function $_refuse();
    create trigger $_{event}_15 after {event} on $ for each row when ({row}.n = {RAISED_AFTER})
      execute function $_refuse();"""
                       for event, row in (("insert", "new"), ("update", "new"), ("delete", "old")))
TRIGGERS_SQL = {"sqlite": _SQLITE_TRIGGERS, "postgresql": _POSTGRES_TRIGGERS}


def _integer(text):
    return None if re.fullmatch(r"-?\d+", text) else "INVALID_TYPE"


def _decimal(text):
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        return "INVALID_TYPE"
    whole, _, part = text.lstrip("-").partition(".")
    return "VALUE_OUT_OF_RANGE" if len(whole) > 3 or len(part) > 2 else None


CHECKS = {"id": _integer, "n": _integer, "m": _integer, "shop": _integer, "d": _decimal,
          "name": lambda text: "VALUE_TOO_LONG" if len(text) > 8 else None,
          "kind": lambda text: None if text in ("a", "b") else "INVALID_CHOICE",
          "zip": lambda text: None if re.fullmatch(r"[0-9]+", text) else "VALIDATION_FAILED"}


class Simulated:
    """`key`: the field by which rows are looked up. `children`: ids that another table
    refers to. `columns`: the upload's, in its order."""

    def __init__(self, operation, rows, columns, key="id", watched=False, children=(),
                 on_duplicate="sequence"):
        self.operation, self.columns, self.key = operation, columns, key
        self.rows = {row["id"]: dict(row) for row in rows}
        self.skus = {row["sku"]: row["id"] for row in rows if row["sku"] is not None}
        self.watched, self.children = watched, set(children)
        self.on_duplicate, self.uses, self.used = on_duplicate, {}, {}

    def run(self, records):
        if self.on_duplicate != "sequence":
            for number, record in enumerate(records):
                if not self.unreadable(record) and not self.unbound(record):
                    self.uses.setdefault(record[self.key], []).append(number)
        return [self.apply(number, record) for number, record in enumerate(records)]

    def apply(self, number, record):
        for rule in (self.unreadable, self.unbound, lambda r: self.repeated(number, r)):
            if fault := rule(record):
                return ("failed", *fault)
        found = self.find(record)
        if found is None and self.operation in ("update", "replace", "delete"):
            return ("failed", "NOT_FOUND", self.key)
        outcome, fault = self.write(found, record)
        if fault:
            return ("failed", *fault)
        self.used[record.get(self.key)] = True
        return (outcome, "", "")

    # --- the list of checks, in order -----------------------------------------------------

    def unreadable(self, record):
        return record.get("!")

    def unbound(self, record):
        for field in self.columns:
            value = record.get(field)
            if value is not None and field in CHECKS and (code := CHECKS[field](value)):
                return (code, field)
        if self.operation in ("insert", "replace") and "note" not in record:
            return ("REQUIRED_FIELD_MISSING", "note")
        if self.operation in ("update", "replace", "delete") and record.get(self.key) is None:
            return ("REQUIRED_FIELD_MISSING", self.key)
        if "note" in record and record["note"] is None:
            return ("NOT_NULL_VIOLATION", "note")
        return None

    def repeated(self, number, record):
        uses = self.uses.get(record.get(self.key), [])
        if len(uses) < 2:
            return None
        fails = {"error": True, "last": number != uses[-1],
                 "first": self.used.get(record[self.key], False)}[self.on_duplicate]
        return ("DUPLICATE_IN_UPLOAD", self.key) if fails else None

    def find(self, record):
        if self.operation == "insert":
            return None
        value = record[self.key]
        found = self.skus.get(value) if self.key == "sku" else value
        return self.rows.get(found)

    def write(self, found, record):
        """(outcome, fault)"""
        if self.operation == "delete":
            return "deleted", self.delete(found)
        row = dict(found or dict.fromkeys(FIELDS))
        if self.operation == "replace":
            row.update(dict.fromkeys(field for field in FIELDS if field not in (self.key, "id")))
        row.update({field: record[field] for field in FIELDS if field in record})
        if found == row:
            return "unchanged", None
        if fault := self.judge(found, row):
            return None, fault
        if found:
            self.forget(found)
        self.rows[row["id"]] = row
        if row["sku"] is not None:
            self.skus[row["sku"]] = row["id"]
        return ("updated" if found else "created"), None

    def judge(self, found, row):
        if fault := self.before(row):
            return fault
        if row["m"] is not None and int(row["m"]) >= 1000:
            return ("CHECK_VIOLATION", "")
        taken = self.taken(found, row)
        late = ("DATABASE_ERROR", "") if self.watched and row["n"] == RAISED_AFTER else None
        if late and not taken and KIND == "sqlite":
            return late  # There a trigger that follows the statement is ahead of its references.
        if row["shop"] is not None and row["shop"] not in SHOPS:
            return ("FOREIGN_KEY_VIOLATION", "shop")
        return taken or late

    def before(self, row):
        """A trigger ahead of the statement acts ahead of its constraints."""
        if self.watched and row["n"] == SWALLOWED:
            return ("NOT_APPLIED", "")
        if self.watched and row["n"] == RAISED:
            return ("DATABASE_ERROR", "")
        return None

    def taken(self, found, row):
        if row["id"] in self.rows and (found is None or found["id"] != row["id"]):
            return ("DUPLICATE_VALUE", "id")
        other = self.skus.get(row["sku"])
        if row["sku"] is not None and other is not None and (not found or other != found["id"]):
            return ("DUPLICATE_VALUE", "sku")
        return None

    def delete(self, found):
        if fault := self.before(found):
            return fault
        is_late = self.watched and found["n"] == RAISED_AFTER
        is_parent = found["id"] in self.children
        if is_late and not (is_parent and KIND == "postgresql"):
            return ("DATABASE_ERROR", "")
        if is_parent:
            return ("FOREIGN_KEY_VIOLATION", "id")
        self.forget(found)
        return None

    def forget(self, row):
        del self.rows[row["id"]]
        if row["sku"] is not None:
            del self.skus[row["sku"]]
