"""Fencing, seen from outside: what the server writes about itself, in one order with the
effects on the tables.

    install(database)       # once the server's own tables are there: Server.prepare()
    problems(database)      # ["I6 job number 3: ...", ...]

Triggers on the server's tables write into the effect log (effect_log.py), and what a worker
that was fenced off has written would stand in it: a unit after its job was aborted, a unit
that nobody held a lease for, effects that belong to no unit. SQLite has one writer, so the
log's order is the order of the transactions; on PostgreSQL each row names its transaction.
"""
import collections
import json

from support.effect_log import LOG

IN_PROGRESS = 2  # Of the job's state.
_SQLITE = f"""
create trigger tallyman_fence_unit after update on tallyman_unit begin
  insert into {LOG} (target, effect, row_key, row)
  select j.resource, 'unit', json_array(j.number), json_object(
    'window', new.window_number, 'state', j.state,
    'effects', iif(j.dry_run, 0, new.created + new.updated + new.deleted),
    'held', (select count(*) from tallyman_lease l where l.job = j.number
             and l.slice = new.slice and l.worker <> ''))
  from tallyman_job j where j.number = new.job;
end;
create trigger tallyman_fence_job after update of state on tallyman_job
when new.state <> old.state begin
  insert into {LOG} (target, effect, row_key, row) values
    (new.resource, 'state', json_array(new.number), json_object('state', new.state));
end;
"""
_POSTGRES = f"""
create function tallyman_fence_unit() returns trigger language plpgsql as $_$ begin
  insert into public.{LOG} (target, effect, row_key, row)
  select j.resource, 'unit', json_build_array(j.number), json_build_object(
    'window', new.window_number, 'state', j.state,
    'effects', case when j.dry_run then 0 else new.created + new.updated + new.deleted end,
    'held', (select count(*) from tallyman.lease l where l.job = j.number
             and l.slice = new.slice and l.worker is not null))
  from tallyman.job j where j.number = new.job;
  return null;
end $_$;
create trigger tallyman_fence_unit after update on tallyman.unit for each row
  execute function tallyman_fence_unit();
create function tallyman_fence_job() returns trigger language plpgsql as $_$ begin
  insert into public.{LOG} (target, effect, row_key, row) values
    (new.resource, 'state', json_build_array(new.number),
     json_build_object('state', new.state));
  return null;
end $_$;
create trigger tallyman_fence_job after update of state on tallyman.job for each row
  when (new.state <> old.state) execute function tallyman_fence_job();
"""


def install(database):
    database.execute(_POSTGRES if database.kind == "postgresql" else _SQLITE)


def are_installed(database):
    catalogue = ("select count(*) from pg_trigger where tgname = 'tallyman_fence_unit'"
                 if database.kind == "postgresql" else
                 "select count(*) from sqlite_master where type = 'trigger' "
                 "and name = 'tallyman_fence_unit'")
    return database.rows(catalogue)[0][0] == 1


def _logged(database):
    """The tables whose effects are logged."""
    if database.kind == "postgresql":
        rows = database.rows("select c.relname from pg_trigger t join pg_class c "
                             "on c.oid = t.tgrelid where t.tgname = c.relname || '_log_insert'")
    else:
        rows = database.rows("select tbl_name from sqlite_master where type = 'trigger' "
                             "and name = tbl_name || '_log_insert'")
    return {name for (name,) in rows}


def problems(database):
    """What the log says, transaction by transaction."""
    found = []
    rows = database.rows(f"select target, effect, row_key, row, writer from {LOG} order by n")
    logged = _logged(database)
    if database.kind == "sqlite":
        return _of_rows(rows, logged, "")
    for writer, theirs in _by_writer(rows).items():
        found += _of_rows(theirs, logged, f" of transaction {writer}")
    return found


def _by_writer(rows):
    of_writer = collections.defaultdict(list)
    for row in rows:
        of_writer[row[4]].append(row)
    return of_writer


def _of_rows(rows, logged, where):
    found = []
    happened, explained = collections.Counter(), collections.Counter()
    for table, kind, key, row, _ in rows:
        if kind == "unit":
            unit = json.loads(row)
            explained[table] += unit["effects"]
            found += _of_unit(json.loads(key)[0], unit)
        elif kind != "state":
            happened[table] += 1
        elif table in logged and not where:
            found += _of_effects(table, happened, explained, where)
    for table in sorted(logged):
        found += _of_effects(table, happened, explained, where)
    return found


def _of_unit(job, unit):
    where = f"I6 job number {job}: window {unit['window']} was written"
    if unit["state"] != IN_PROGRESS:
        yield f"{where} while the job was not In Progress (state {unit['state']})"
    elif unit["held"] != 1:
        yield f"{where} without a lease"


def _of_effects(table, happened, explained, where):
    """Between transactions every effect has its unit."""
    if happened[table] != explained[table]:
        yield (f"I6 {table}: {happened[table]} effects{where}, and the units tell of "
               f"{explained[table]}")
        happened[table] = explained[table]  # Told once.
