"""A table on which every record takes a while, so that a test can meet a job in its middle.

    server = slow_server().start()
    job = start_slow_job(server, records=20000)      # In Progress when this returns
"""
from support import effect_log
from support.server import Server
from support.wait import wait_until

# The trigger counts for each record: about 50 microseconds.
SLOW_SCHEMA = "create table items (id integer primary key, n integer);"
SLOW_TRIGGER = {"sqlite": """
create trigger takes_a_while after insert on items begin
  select count(*) from (with recursive c(x) as (select 1 union all select x + 1 from c
                        where x < 400) select x from c);
end;
""", "postgresql": """
create function take_a_while() returns trigger language plpgsql as $_$ begin
  perform count(*) from generate_series(1, 400); return null;
end $_$;
create trigger takes_a_while after insert on items for each row execute function take_a_while();
"""}
SLOW_SETTINGS = {"window_records": 200}


def slow_server(settings=None, more_schema="", **named):
    """A server of such a table, with all that the oracle looks at; not started."""
    server = Server(SLOW_SCHEMA + more_schema, settings={**SLOW_SETTINGS, **(settings or {})},
                    **named)
    server.execute(SLOW_TRIGGER[server.database.kind])
    effect_log.install(server.database, "items")
    return server.prepare()


def numbers(records, first=1):
    """A CSV of ids from `first` on."""
    return ("id,n\n" + "".join(f"{n},{n}\n" for n in range(first, first + records))).encode()


def start_slow_job(server, records, first=1, **options):
    """A job whose first windows are committed, and which is far from its end."""
    api = server.api()
    answer = api.submit("insert", "items", numbers(records, first), **options)
    assert answer.status == 202, answer
    job = answer.json["job_id"]

    def moves():
        status = api.status("items", job).json
        assert status["state"] in ("Upload Complete", "In Progress"), f"too quick: {status}"
        return status["processed_items"] > 0 or status.get("checked_items", 0) > 0
    wait_until(moves, "the job is under way", pause=0.002)
    api.close()
    return job
