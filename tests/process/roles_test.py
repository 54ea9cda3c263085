#!/usr/bin/python3
"""Jobs that act as somebody: PostgreSQL holds the application's row-level security and grants
against them, on both paths and on one lane and two. Of a role that is not to be had a caller is
told which one and what to do; nothing is lost."""
import itertools
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import database  # noqa: E402
from support.case import ServerCase  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

# Who connects owns the tables and is no member of "loner". Policies read a claim, and one the
# whole of a JSON text as PostgREST does.
SCHEMA = """
create table notes (id integer primary key, tenant text not null, body text);
create table plain (id integer primary key, tenant text, body text, secret text default 'own');
create table guarded (id integer primary key, owner_id text, parent bigint);
create table parents (id integer primary key, owner_id text);
alter table guarded add constraint guarded_parent foreign key (parent) references parents (id);
alter table notes enable row level security;
alter table parents enable row level security;
alter table guarded enable row level security;
create policy own_rows on notes using (tenant = current_setting('app.tenant', true))
  with check (tenant = current_setting('app.tenant', true));
create policy own_json on guarded
  using (owner_id = current_setting('request.jwt.claims', true)::json ->> 'sub');
create policy none on parents using (false);
grant select, insert, update, delete on notes, guarded to tenant;
grant select on plain to reader;
grant select, insert (id, body), update (body) on plain to some_columns;
grant select, insert, update, delete on plain to tenant;
"""
WAYS = tuple(itertools.product(("auto", "general"), (1, 2)))
ROLES = ("tenant", "reader", "some_columns", "loner")
# Whose statements were whose, for the fast path too: a trigger of no row.
WITNESS = """
create table witness (who text, claim text);
grant insert on witness to public;
create function note_who() returns trigger language plpgsql as $$ begin
  insert into witness values (current_user, current_setting('app.tenant', true));
  return null; end $$;
"""
WATCH = """create trigger who after insert or update or delete on plain
for each statement execute function note_who()"""


def make_roles():
    """Once for all databases of the private server."""
    server = database.private_server()
    have = server.sql("select rolname from pg_roles").split()
    for role in ROLES:
        if role not in have:
            server.sql(f"create role {role}")
        if role != "loner":
            server.sql(f"grant {role} to app")


def token_of(server, name, role, scopes=("*",), owner=None, **claims):
    extra = ["--role", role] if role else []
    for claim, value in claims.items():
        extra += ["--claim", f"{claim.replace('__', '.')}={value}"]
    return server.make_token(name, owner or name, list(scopes), *extra)


def server_of(case, settings=None):
    make_roles()
    server = Server(SCHEMA, None, settings, kind="postgresql")
    case.addCleanup(server.close)
    return server.start()


def csv_of(header, rows):
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""]).encode()


class Tenants(unittest.TestCase):
    """Two tenants, two tokens: each writes, reads and counts its own rows alone."""

    def start(self, path, lanes):
        self.server = server_of(self, {"path": path, "lanes": lanes, "workers": 2,
                                       "window_records": 3})
        self.apis = {name: self.server.api(token_of(self.server, name, "tenant",
                                                    app__tenant=name))
                     for name in ("north", "south")}

    def outcomes(self, api, operation, body, table="notes", **options):
        status = api.run(operation, table, body, **options)
        return status, [(row["_outcome"], row["_error_code"])
                        for row in api.results(table, status["job_id"])]

    def test_each_writes_its_own_rows_alone(self):
        for path, lanes in WAYS:
            with self.subTest(path=path, lanes=lanes):
                self.start(path, lanes)
                north, south = self.apis["north"], self.apis["south"]
                status, outcomes = self.outcomes(north, "insert", csv_of("id,tenant,body", [
                    (1, "north", "a"), (2, "south", "b"), (3, "north", "c"), (4, "south", "d"),
                    (5, "north", "e"), (1, "north", "again")]), aggregates={
                        "all": {"type": "count"}, "sum": {"type": "sum", "field": "id"}})
                self.assertEqual(outcomes, [
                    ("created", ""), ("failed", "PERMISSION_DENIED"), ("created", ""),
                    ("failed", "PERMISSION_DENIED"), ("created", ""),
                    ("failed", "DUPLICATE_VALUE")])
                self.assertTrue(status["verified"], status)
                self.assertIn("row-level security", status["errors"][0]["message"])
                found = north.aggregates("notes", status["job_id"]).json["aggregate_results"]
                self.assertEqual(found, {"all": 3, "sum": 9})
                self.assertEqual(self.outcomes(south, "insert", csv_of("id,tenant,body", [
                    (10, "south", "x"), (11, "north", "y")]))[1],
                    [("created", ""), ("failed", "PERMISSION_DENIED")])
                # A row that is not theirs is not there; a key of it is taken all the same.
                self.assertEqual(self.outcomes(south, "update", csv_of("id,body", [
                    (1, "stolen"), (10, "z")]))[1], [("failed", "NOT_FOUND"), ("updated", "")])
                self.assertEqual(self.outcomes(south, "upsert", csv_of("id,tenant,body", [
                    (1, "south", "stolen"), (10, "south", "z"), (12, "south", "n")]),
                    unique_fields="id")[1],
                    [("failed", "DUPLICATE_VALUE"), ("unchanged", ""), ("created", "")])
                self.assertEqual(self.outcomes(south, "delete", b"id\n1\n12\n")[1],
                                 [("failed", "NOT_FOUND"), ("deleted", "")])
                self.assertEqual(
                    self.server.rows("select id, tenant, body from notes order by id"),
                    [(1, "north", "a"), (3, "north", "c"), (5, "north", "e"), (10, "south", "z")])

    def test_whole_jobs_and_retries_act_as_their_maker(self):
        for path, lanes in WAYS:
            with self.subTest(path=path, lanes=lanes):
                self.start(path, lanes)
                north = self.apis["north"]
                body = csv_of("id,tenant,body", [(1, "north", "a"), (2, "south", "b")])
                status = north.run("insert", "notes", body, mode="atomic")
                self.assertEqual((status["state"], status["unprocessed_count"]), ("Failed", 1))
                status = north.run("insert", "notes", body, dry_run="true")
                self.assertEqual((status["created_count"], status["error_summary"]),
                                 (1, {"PERMISSION_DENIED": 1}))
                self.assertEqual(self.server.rows("select count(*) from notes"), [(0,)])
                status = north.run("insert", "notes", body)
                # Whoever retries it, and whatever became of the token: it is the same upload.
                self.server.command("token", "revoke", "north", "--database",
                                    self.server.database.url)
                chief = self.server.api(self.server.make_token("chief", "chief", ["*", "admin"]))
                retried = chief.action("notes", status["job_id"], "retry").json["job_id"]
                status = chief.wait_for_end("notes", retried)
                self.assertEqual(status["error_summary"], {"PERMISSION_DENIED": 1})
                self.assertEqual(chief.history("notes", retried)[0]["detail"], "as role tenant")
                asked = chief.ask_aggregates("notes", retried, {"n": {"type": "count"}})
                self.assertEqual(asked.json["aggregate_results"], {"n": 0})
                self.assertEqual(self.server.rows("select id, tenant from notes"), [(1, "north")])

    def test_a_claim_may_be_json_and_a_parent_out_of_sight(self):
        for path, lanes in WAYS:
            with self.subTest(path=path, lanes=lanes):
                self.start(path, lanes)
                self.server.execute("insert into parents values (1, 'nobody')")
                api = self.server.api(token_of(self.server, "json", "tenant",
                                               request__jwt__claims='{"sub": "me, \'myself\'"}'))
                me = "\"me, 'myself'\""
                self.assertEqual(self.outcomes(api, "insert", csv_of("id,owner_id,parent", [
                    (1, me, 1), (2, me, ""), (3, "you", ""), (4, me, 99)]), "guarded")[1],
                    [("created", ""), ("created", ""), ("failed", "PERMISSION_DENIED"),
                     ("failed", "FOREIGN_KEY_VIOLATION")])

    def test_what_is_under_no_policy_is_written_as_the_role_too(self):
        for path, lanes in WAYS:
            with self.subTest(path=path, lanes=lanes):
                self.start(path, lanes)
                self.server.execute(WITNESS + WATCH)
                body = csv_of("id,tenant,body", [(i, "n", "b") for i in range(20)])
                status, _ = self.outcomes(self.apis["north"], "insert", body, "plain")
                self.assertEqual((status["created_count"], status["verified"]), (20, True))
                self.outcomes(self.apis["south"], "upsert", body.replace(b",b\n", b",c\n"), "plain",
                              unique_fields="id")
                self.outcomes(self.apis["south"], "delete", b"id\n1\n", "plain")
                self.assertEqual(self.server.rows("select distinct who, claim from witness "
                                                  "order by claim"),
                                 [("tenant", "north"), ("tenant", "south")])


class FastPath(unittest.TestCase):
    def test_sets_and_copy_are_the_roles_too(self):
        """No trigger, no policy: what shows the role is that a right is taken away."""
        server = server_of(self, {"window_records": 1000, "lanes": 2})
        api = server.api(token_of(server, "north", "tenant"))
        body = csv_of("id,body", [(i, "b") for i in range(3000)])
        self.assertEqual(api.run("insert", "plain", body)["created_count"], 3000)
        server.execute("revoke insert on plain from tenant")
        answer = api.submit("insert", "plain", body)
        self.assertEqual((answer.status, answer.json["code"]), (403, "ROLE_NOT_ALLOWED"))


class Rights(ServerCase):
    """What a role lacks is said before a job is made, with the statement that grants it."""
    schema = SCHEMA

    @classmethod
    def setUpClass(cls):
        make_roles()
        cls.server = Server(SCHEMA, None, {"lanes": 2}, kind="postgresql")
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.tokens = {role: token_of(cls.server, role, role)
                      for role in ("reader", "some_columns", "tenant")}

    def test_a_role_without_insert(self):
        api = self.server.api(self.tokens["reader"])
        for operation, right in (("insert", "INSERT"), ("update", "UPDATE"), ("upsert", "INSERT"),
                                 ("replace", "UPDATE"), ("delete", "DELETE")):
            options = {"unique_fields": "id"} if operation == "upsert" else {}
            answer = api.submit(operation, "plain", b"id,body\n1,a\n", **options)
            self.expect(answer, 403, "ROLE_NOT_ALLOWED", ("reader", right, "plain", "GRANT"))
        self.expect(api.open_job("plain", "insert"), 403, "ROLE_NOT_ALLOWED")
        self.assertEqual(api.call("GET", "/api/plain/jobs/").json["results"], [])

    def test_a_role_with_some_columns(self):
        api = self.server.api(self.tokens["some_columns"])
        self.expect(api.submit("insert", "plain", b"id,secret\n1,mine\n"), 403,
                    "ROLE_NOT_ALLOWED", ("some_columns", 'INSERT ("secret")'))
        status = api.run("insert", "plain", b"id,body\n1,a\n2,b\n")
        self.assertEqual((status["created_count"], status["verified"]), (2, True))
        self.expect(api.submit("update", "plain", b"id,tenant\n1,x\n"), 403, "ROLE_NOT_ALLOWED",
                    ('UPDATE ("tenant")',))
        self.assertEqual(api.run("update", "plain", b"id,body\n1,aa\n2,b\n")["updated_count"], 1)
        # Of JSON each record has its own columns.
        status = api.run("insert", "plain", b'{"id": 3, "body": "c"}\n{"id": 4, "secret": "d"}\n',
                         form="ndjson")
        self.assertEqual((status["created_count"], status["error_summary"]),
                         (1, {"PERMISSION_DENIED": 1}))
        self.assertEqual(self.server.rows("select id, body, secret from plain order by id"),
                         [(1, "aa", "own"), (2, "b", "own"), (3, "c", "own")])

    def test_a_role_that_may_not_be_taken_on(self):
        database_url = self.server.database.url
        base = ["token", "create", "--database", database_url, "--owner", "o", "--scope", "*"]
        for name, extra, words in (
                ("a", ["--role", "loner"], ('"loner"', "GRANT")),
                ("b", ["--role", "nobody_at_all"], ('"nobody_at_all"', "CREATE ROLE")),
                ("c", ["--role", "none"], ("none",)),
                ("d", ["--claim", "search_path=x"], ("search_path",)),
                ("e", ["--claim", "app.a;drop table notes=x"], ("app.a;drop",)),
                ("f", ["--claim", "app.a"], ("NAME=VALUE",))):
            made = self.server.command(*base, "--name", name, *extra)
            self.assertNotEqual(made.returncode, 0, extra)
            for word in words:
                self.assertIn(word, made.stderr, extra)
        listed = self.server.command("token", "list", "--database", database_url).stdout
        self.assertRegex(listed, r"(?m)^tenant +tenant +tenant +never")


class Vanishing(unittest.TestCase):
    """A role that goes while a job waits or runs."""

    def setUp(self):
        self.server = server_of(self, {"window_records": 10, "lanes": 1, "workers": 1})
        private = database.private_server()
        private.sql("create role passing; grant passing to app")
        self.private = private
        self.server.execute("grant select, insert, update on plain to passing")
        self.api = self.server.api(token_of(self.server, "p", "passing"))

    def tearDown(self):
        self.server.kill()
        name = re.search(r"@/(\w+)", self.server.database.url).group(1)
        self.private.sql("drop owned by passing; drop role passing", database=name)

    def wait_for_a_lock(self):
        wait_until(lambda: self.server.rows(
            "select 1 from pg_stat_activity where wait_event_type = 'Lock' "
            "and datname = current_database()"), "a unit waits for the stranger")

    def body(self, count):
        return csv_of("id,body", [(i, "b") for i in range(1, count + 1)])

    def test_in_mid_job_it_fails_with_the_reason_and_what_was_committed_stays(self):
        stranger = self.server.connect()
        stranger.execute("begin")
        stranger.execute("insert into plain (id) values (31)")  # A unit in the middle waits for it.
        job = self.api.submit("insert", "plain", self.body(60)).json["job_id"]
        self.wait_for_a_lock()
        self.private.sql("revoke passing from app")
        stranger.execute("rollback")
        status = self.api.wait_for_end("plain", job)
        self.assertEqual(status["state"], "Failed")
        for word in ("passing", "GRANT"):
            self.assertIn(word, status["message"])
        done = status["created_count"]
        self.assertEqual(status["unprocessed_count"], 60 - done)
        self.assertEqual(self.server.rows("select count(*) from plain"), [(done,)])
        answer = self.api.submit("insert", "plain", self.body(1))
        self.assertEqual((answer.status, answer.json["code"]), (403, "ROLE_NOT_AVAILABLE"))
        # Granted anew, a retry does the rest.
        self.private.sql("grant passing to app")
        child = self.api.action("plain", job, "retry").json["job_id"]
        self.assertEqual(self.api.wait_for_end("plain", child)["created_count"], 60 - done)

    def test_a_right_that_is_taken_away_in_mid_job(self):
        stranger = self.server.connect()
        stranger.execute("begin")
        stranger.execute("insert into plain (id) values (31)")
        job = self.api.submit("insert", "plain", self.body(60)).json["job_id"]
        self.wait_for_a_lock()
        self.server.execute("revoke insert on plain from passing")
        stranger.execute("rollback")
        status = self.api.wait_for_end("plain", job)
        self.assertEqual(status["state"], "Failed")
        self.assertIn("GRANT INSERT", status["message"])
        self.assertEqual(self.server.rows("select count(*) from plain"),
                         [(status["created_count"],)])


class Sqlite(unittest.TestCase):
    def test_there_are_no_roles(self):
        server = Server("create table plain (id integer primary key)", kind="sqlite")
        self.addCleanup(server.close)
        for extra in (["--role", "tenant"], ["--claim", "app.tenant=1"]):
            made = server.command("token", "create", "--database", server.database.url, "--name",
                                  "n", "--owner", "o", "--scope", "*", *extra)
            self.assertNotEqual(made.returncode, 0)
            self.assertIn("SQLite has no roles", made.stderr)


if __name__ == "__main__":
    unittest.main()
