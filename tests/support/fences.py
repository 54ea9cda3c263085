"""Fencing, seen from outside: what the server writes about itself, in one order with the
effects on the tables.

    install(connection)       # once the server's own tables are there: Server.prepare()
    problems(connection)      # ["I6 job number 3: ...", ...]

Triggers on the server's tables write into the effect log (effect_log.py). SQLite has one
writer, so the log's order is the order of the transactions, and what a worker that was
fenced off has written would stand in it: a unit after its job was aborted, a unit that
nobody held a lease for, effects that belong to no unit.
"""
import collections
import json

from support.effect_log import LOG

IN_PROGRESS = 2  # tallyman_job.state
TRIGGERS = f"""
create trigger tallyman_fence_unit after update on tallyman_unit begin
  insert into {LOG} (target, effect, row_key, row)
  select j.table_name, 'unit', json_array(j.number), json_object(
    'window', new.window_number, 'state', j.state,
    'effects', iif(j.dry_run, 0, new.created + new.updated + new.deleted),
    'held', (select count(*) from tallyman_lease l where l.job = j.number
             and l.slice = new.slice and l.worker <> ''))
  from tallyman_job j where j.number = new.job;
end;
create trigger tallyman_fence_job after update of state on tallyman_job
when new.state <> old.state begin
  insert into {LOG} (target, effect, row_key, row) values
    (new.table_name, 'state', json_array(new.number), json_object('state', new.state));
end;
"""


def install(connection):
    connection.executescript(TRIGGERS)


def are_installed(connection):
    return connection.execute("select count(*) from sqlite_master where type = 'trigger' "
                              "and name = 'tallyman_fence_unit'").fetchone()[0] == 1


def problems(connection):
    found = []
    logged = {name for (name,) in connection.execute(
        "select tbl_name from sqlite_master where type = 'trigger' and name = tbl_name || "
        "'_log_insert'")}
    happened, explained = collections.Counter(), collections.Counter()
    for table, kind, key, row in connection.execute(
            f"select target, effect, row_key, row from {LOG} order by n"):
        if kind == "unit":
            unit = json.loads(row)
            explained[table] += unit["effects"]
            found += _of_unit(json.loads(key)[0], unit)
        elif kind != "state":
            happened[table] += 1
        elif table in logged:
            found += _of_effects(table, happened, explained)
    for table in sorted(logged):
        found += _of_effects(table, happened, explained)
    return found


def _of_unit(job, unit):
    where = f"I6 job number {job}: window {unit['window']} was written"
    if unit["state"] != IN_PROGRESS:
        yield f"{where} while the job was not In Progress (state {unit['state']})"
    elif unit["held"] != 1:
        yield f"{where} without a lease"


def _of_effects(table, happened, explained):
    """Between transactions every effect has its unit."""
    if happened[table] != explained[table]:
        yield (f"I6 {table}: {happened[table]} effects, and the units tell of "
               f"{explained[table]}")
        happened[table] = explained[table]  # Told once.
