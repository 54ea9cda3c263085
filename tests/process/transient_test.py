#!/usr/bin/python3
"""What PostgreSQL says where nobody is to blame, error by error: the job tries again, shows that
it did, and no record fails. And what changes under a running job: a precise outcome, always."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import numbers, slow_server, start_slow_job  # noqa: E402
from support import effect_log, oracle  # noqa: E402
from support.database import private_server  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

# serialization_failure, deadlock_detected, lock_not_available, query_canceled, admin_shutdown,
# crash_shutdown, cannot_connect_now, disk_full, out_of_memory, too_many_connections,
# read_only_sql_transaction, connection_exception and its kin, idle_in_transaction.
TRANSIENT = ("40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "53000", "53100",
             "53200", "53300", "25006", "08000", "08003", "08006", "08001", "08004", "25P03")
RECORDS, AT = 200, 117
SCHEMA = """
create table items (id integer primary key, n integer);
create table others (id integer primary key, n integer);
"""
# A sequence is not rolled back: so many times it fails, and then no more.
FAILS = """
create sequence failures;
create function fail_at_first() returns trigger language plpgsql as $_$ begin
  if nextval('failures') <= 2 then raise exception 'a fault' using errcode = '%s'; end if;
  return null;
end $_$;
create trigger fails after insert on items for each row when (new.n = %d)
  execute function fail_at_first();
"""


class Transient(unittest.TestCase):
    def setUp(self):
        self.server = Server(SCHEMA, settings={"window_records": 50, "lanes": 2})
        self.addCleanup(self.server.close)
        for table in ("items", "others"):
            effect_log.install(self.server.database, table)
        self.server.prepare().start()
        self.api = self.server.api()

    def tried_again_and_complete(self, status, records=RECORDS):
        self.assertEqual((status["state"], status["created_count"], status["error_count"]),
                         ("Job Complete", records, 0), status)
        self.assertGreater(status["retries"], 0, status)

    def test_every_error_that_is_nobodys_fault_is_tried_again(self):
        for code in TRANSIENT:
            for mode in ("partial", "atomic"):
                with self.subTest(code, mode=mode):
                    self.server.execute("drop trigger if exists fails on items; drop function if "
                                        "exists fail_at_first; drop sequence if exists failures;")
                    self.server.execute("delete from items; delete from effect_log;")
                    self.server.execute(FAILS % (code, AT))
                    status = self.api.run("insert", "items", numbers(RECORDS), mode=mode)
                    self.tried_again_and_complete(status)
                    self.assertEqual(self.server.rows("select count(*), count(distinct row_key) "
                                                      "from effect_log where effect = 'insert'"),
                                     [(RECORDS, RECORDS)])

    def test_an_error_that_is_a_records_fault_is_not_tried_again(self):
        self.server.execute(FAILS % ("P0001", AT))
        self.server.execute("create or replace function fail_at_first() returns trigger language "
                            "plpgsql as 'begin raise exception ''no''; end'")
        status = self.api.run("insert", "items", numbers(RECORDS))
        self.assertEqual((status["created_count"], status["error_summary"], status["retries"]),
                         (RECORDS - 1, {"DATABASE_ERROR": 1}, 0), status)

    def test_a_database_that_is_read_only_for_a_while_is_waited_for(self):
        """As after a failover, until the new primary is one."""
        name = self.server.rows("select current_database()")[0][0]
        self.addCleanup(self.break_connections)

        def read_only(whether):
            private_server().sql(f"alter database {name} set default_transaction_read_only = "
                                 f"{whether}")
            self.break_connections()
        self.server.execute("create table gate (n integer); insert into gate values (1)")
        job = self.job_that_stands_at_a_gate()
        read_only("on")
        # Its retries are stored once the database can be written.
        wait_until(lambda: self.server.log().count("read-only transaction") > 2,
                   "the job has tried again and again", 60)
        self.assertEqual(self.api.status("items", job).json["state"], "In Progress")
        read_only("off")
        self.tried_again_and_complete(self.api.wait_for_end("items", job, 60))

    def job_that_stands_at_a_gate(self):
        """A job whose second window waits for a lock, which goes when connections break."""
        self.server.execute("""
            create function wait_at_gate() returns trigger language plpgsql as $_$ begin
              perform 1 from gate for update; return null; end $_$;
            create trigger waits after insert on items for each row when (new.n = 117)
              execute function wait_at_gate();""")
        holder = self.server.connect()
        self.addCleanup(holder.close)
        holder.execute("begin")
        holder.execute("select 1 from gate for update")
        job = self.api.submit("insert", "items", numbers(RECORDS)).json["job_id"]
        wait_until(lambda: self.server.rows("select 1 from pg_stat_activity where "
                                            "wait_event_type = 'Lock'"), "the job waits")
        return job

    def break_connections(self):
        private_server().sql("select pg_terminate_backend(pid) from pg_stat_activity "
                             "where usename = 'app'")

    def test_a_role_that_may_have_no_more_connections_is_waited_for(self):
        self.addCleanup(private_server().sql, "alter role app connection limit -1")
        self.server.execute("create table gate (n integer); insert into gate values (1)")
        job = self.job_that_stands_at_a_gate()
        private_server().sql("alter role app connection limit 0")
        self.break_connections()
        answer = wait_until(lambda: self.refused(job), "the status is refused")
        self.assertEqual(answer.status, 503, answer)
        self.assertNotIn("app", answer.json["error"].split())
        private_server().sql("alter role app connection limit -1")
        self.tried_again_and_complete(self.api.wait_for_end("items", job, 60))

    def refused(self, job):
        answer = self.api.status("items", job)
        return answer if answer.kind == "failed" else None

    def test_a_statement_that_somebody_cancels_is_tried_again(self):
        self.server.execute("create table gate (n integer); insert into gate values (1)")
        job = self.job_that_stands_at_a_gate()
        self.server.rows("select pg_cancel_backend(pid) from pg_stat_activity where "
                         "wait_event_type = 'Lock'")
        wait_until(lambda: self.api.status("items", job).json["retries"] > 0,
                   "the job has tried again")
        self.break_connections()  # The holder's, too.
        self.tried_again_and_complete(self.api.wait_for_end("items", job, 60))


class UnderARunningJob(unittest.TestCase):
    """The table changes in mid-job."""

    CHANGES = {
        "a column more": "alter table items add more text",
        "a column more with a default": "alter table items add more integer not null default 7",
        "a column more that must be sent": "alter table items add more text not null default 'x'; "
                                           "alter table items alter more drop default",
        "a column less": "alter table items drop n",
        "another name of a column": "alter table items rename n to m",
        "another type": "alter table items alter n type text",
        "a narrower type": "alter table items alter n type smallint using 0",
        "a check": "alter table items add check (n < 3000) not valid",
        "a key": "alter table items add unique (n)",
        "an index less": "alter table items drop constraint items_pkey",
        "a trigger that raises": "create trigger more before insert on items for each row when "
                                 "(new.n % 1000 = 0) execute function refuse()",
        "a trigger that swallows": "create trigger more before insert on items for each row when "
                                   "(new.n % 1000 = 0) execute function swallow()",
        "another name": "alter table items rename to renamed",
        "no table": "drop table items",
        "row security": "alter table items enable row level security; "
                        "alter table items force row level security",
    }
    FUNCTIONS = """
    create function refuse() returns trigger language plpgsql as 'begin raise exception ''no''; end';
    create function swallow() returns trigger language plpgsql as 'begin return null; end';
    """

    def test_whatever_changes_every_record_has_its_outcome_and_it_is_the_truth(self):
        for name, sql in self.CHANGES.items():
            for lanes in (1, 2):
                with self.subTest(name, lanes=lanes):
                    self.change(name, sql, lanes)

    def change(self, name, sql, lanes):
        records = 6000
        server = slow_server({"lanes": lanes})
        self.addCleanup(server.close)
        server.execute(self.FUNCTIONS)
        server.start()
        job = start_slow_job(server, records)
        server.execute(sql)
        status = server.api().wait_for_end("items", job, 60)
        self.assertIn(status["state"], ("Job Complete", "Failed"), status)
        if status["state"] == "Failed":
            self.assertIn("items", status["message"])
        told = status["created_count"], status["error_count"], status["unprocessed_count"]
        self.assertEqual(sum(told), records, status)
        effects = server.rows("select count(*), count(distinct row_key) from effect_log "
                              "where effect = 'insert' and target <> ''")
        self.assertEqual(effects, [(told[0], told[0])], status)
        print(f"{name}, lanes {lanes}: {status['state']}, {told}, {status['error_summary']}, "
              f"{status['message']}", flush=True)
        if name in ("a trigger that raises", "a trigger that swallows", "a check", "a column more"):
            self.assertEqual(status["state"], "Job Complete", status)
        if "name" not in name and "no table" not in name and "index" not in name:
            self.assertEqual(oracle.check(server, ["items"], without=("I7",)), [])
        server.close()


if __name__ == "__main__":
    unittest.main()
