"""The effect log: what really happened to a table, written by AFTER triggers.

    install(database, "people")      # after the rows that a test starts with
    effects(database, "people")      # [Effect("insert", ("1",), {"id": 1, "age": 41}), ...]

AFTER triggers leave the fast paths eligible, and they see a repeated effect of an
idempotent operation too, which the table's rows would not show. Each row of the log names the
transaction that wrote it, where the database has a name for it.
"""
import json
from dataclasses import dataclass
from decimal import Decimal

LOG = "effect_log"
_LOG_SQL = {
    "sqlite": f"create table if not exists {LOG} (n integer primary key, target text, "
              "effect text, row_key text, row text, writer text);",
    # Two may be made at the same time by nobody: a test's setup is of one thread.
    "postgresql": f"create table if not exists {LOG} (n bigserial primary key, target text, "
                  "effect text, row_key text, row text, "
                  "writer text default pg_current_xact_id()::text);"}


@dataclass
class Effect:
    kind: str   # insert, update, delete
    key: tuple  # The primary key's values as text; empty where the table has none.
    row: dict


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def _text(literal):
    return "'" + literal.replace("'", "''") + "'"


def columns_of(database, table):
    """[(name, declared type, place in the primary key or 0)], hidden ones left out."""
    if database.kind == "postgresql":
        return database.rows(
            "select a.attname, format_type(a.atttypid, a.atttypmod), "
            "coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0) "
            "from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary "
            "where a.attrelid = ?::regclass and a.attnum > 0 and not a.attisdropped "
            "order by a.attnum", (quoted(table),))
    rows = database.rows(f"pragma table_xinfo({quoted(table)})")
    return [(row[1], row[2], row[5]) for row in rows if row[6] != 1]


def key_columns(database, table):
    columns = [(place, name) for name, _, place in columns_of(database, table) if place]
    return [name for _, name in sorted(columns)]


def install(database, table):
    database.execute(sql(database, table))


def remove(database, table):
    """And with it the log, which is of all tables."""
    of = f" on {quoted(table)}" if database.kind == "postgresql" else ""
    database.execute("".join(f"drop trigger {quoted(f'{table}_log_{effect}')}{of};"
                             for effect in ("insert", "update", "delete")) + f"drop table {LOG};")


def sql(database, table):
    names = [name for name, _, _ in columns_of(database, table)]
    keys = key_columns(database, table)
    made = _postgres_trigger if database.kind == "postgresql" else _sqlite_trigger
    return _LOG_SQL[database.kind] + "\n".join(
        made(table, effect, row, names, keys)
        for effect, row in (("insert", "new"), ("update", "new"), ("delete", "old")))


def _sqlite_trigger(table, effect, row, names, keys):
    def value(name):
        cell = f"{row}.{quoted(name)}"
        return f"case typeof({cell}) when 'blob' then 'x' || hex({cell}) else {cell} end"
    key = ", ".join(f"cast({row}.{quoted(name)} as text)" for name in keys)
    cells = ", ".join(f"{_text(name)}, {value(name)}" for name in names)
    return (f"create trigger {quoted(f'{table}_log_{effect}')} after {effect} on {quoted(table)} "
            f"begin insert into {LOG} (target, effect, row_key, row) values "
            f"({_text(table)}, '{effect}', json_array({key}), json_object({cells})); end;")


def _postgres_trigger(table, effect, row, _, keys):
    key = ", ".join(f"{row}.{quoted(name)}::text" for name in keys)
    function = quoted(f"{table}_log_{effect}")
    return (f"create function {function}() returns trigger language plpgsql as $_$ begin "
            f"insert into {LOG} (target, effect, row_key, row) values ({_text(table)}, "
            f"'{effect}', json_build_array({key})::text, to_json({row})::text); "
            f"return null; end $_$; create trigger {function} after {effect} on {quoted(table)} "
            f"for each row execute function {function}();")


def is_installed(database, table):
    catalogue = ("select count(*) from pg_trigger where tgname = ?"
                 if database.kind == "postgresql" else
                 "select count(*) from sqlite_master where type = 'trigger' and name = ?")
    return database.rows(catalogue, (f"{table}_log_insert",))[0][0] == 1


def effects(database, table):
    rows = database.rows(
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
