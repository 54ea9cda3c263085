"""The effect log: what really happened to a table, written by AFTER triggers.

    install(connection, "people")      # after the rows that a test starts with
    effects(connection, "people")      # [Effect("insert", "1", {"id": 1, "age": 41}), ...]

AFTER triggers leave the fast paths eligible, and they see a repeated effect of an
idempotent operation too, which the table's rows would not show.
"""
import json
from dataclasses import dataclass
from decimal import Decimal

LOG = "effect_log"


@dataclass
class Effect:
    kind: str   # insert, update, delete
    key: tuple  # The primary key's values as text; empty where the table has none.
    row: dict


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def columns_of(connection, table):
    """[(name, declared type, place in the primary key or 0)], hidden ones left out."""
    rows = connection.execute(f"pragma table_xinfo({quoted(table)})").fetchall()
    return [(row[1], row[2], row[5]) for row in rows if row[6] != 1]


def key_columns(connection, table):
    columns = [(place, name) for name, _, place in columns_of(connection, table) if place]
    return [name for _, name in sorted(columns)]


def install(connection, table):
    connection.executescript(sql(connection, table))


def sql(connection, table):
    names = [name for name, _, _ in columns_of(connection, table)]
    keys = key_columns(connection, table)

    def value(row, name):
        cell = f"{row}.{quoted(name)}"
        return f"case typeof({cell}) when 'blob' then 'x' || hex({cell}) else {cell} end"

    def text(literal):
        return "'" + literal.replace("'", "''") + "'"

    script = [f"create table if not exists {LOG} (n integer primary key, target text, "
              "effect text, row_key text, row text);"]
    for effect, row in (("insert", "new"), ("update", "new"), ("delete", "old")):
        key = ", ".join(f"cast({row}.{quoted(name)} as text)" for name in keys)
        cells = ", ".join(f"{text(name)}, {value(row, name)}" for name in names)
        script.append(
            f"create trigger {quoted(f'{table}_log_{effect}')} after {effect} on {quoted(table)} "
            f"begin insert into {LOG} (target, effect, row_key, row) values "
            f"({text(table)}, '{effect}', json_array({key}), json_object({cells})); end;")
    return "\n".join(script)


def effects(connection, table):
    rows = connection.execute(
        f"select effect, row_key, row from {LOG} where target = ? "
        "and effect in ('insert', 'update', 'delete') order by n", (table,))
    return [Effect(kind, tuple(json.loads(key)), json.loads(row, parse_float=Decimal))
            for kind, key, row in rows]


def key_of_id(text):
    """The key that a result's _id names: an array's members, or the text itself."""
    if text.startswith("["):
        members = json.loads(text, parse_float=str, parse_int=str)
        return tuple(member if isinstance(member, str) else json.dumps(member)
                     for member in members)
    return (text,)
