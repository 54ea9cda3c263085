#!/usr/bin/python3
"""Every route × {no token, garbage, expired, revoked, other owner, lower scope}: nothing leaks.

The routes are those that the program itself lists (`tallyman routes`), so that a new one is
asked here without anybody having to think of it.
"""
import pathlib
import re
import socket
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import routes  # noqa: E402
from support.case import ServerCase  # noqa: E402
from support.server import ROOT, Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

UNKNOWN_JOB = "01890a5d-ac96-774b-bcce-b302099a8057"
PUBLIC = ("/healthz/", "/readyz/")
# Stand in what only "tester" may see.
SECRETS = ("0wner", "t0ken-name", "r0w-value", "idemp0tency")
MEGABYTE = 1 << 20


class Access(ServerCase):
    schema = """create table people (id integer primary key, name text);
                create table secrets (id integer primary key, name text);"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mine = cls.server.make_token("t0ken-name", "0wner", ["*"])
        api = cls.server.api(cls.mine)
        cls.job = api.run("insert", "people", b"id,name\n1,r0w-value\nx,r0w-value\n")["job_id"]
        api.ask_aggregates("people", cls.job, {"n": {"type": "count"}})
        cls.open = api.open_job("people", "insert",
                                headers={"Idempotency-Key": "idemp0tency"}).json["job_id"]
        api.close()
        cls.routes = routes.read(cls.server)

    def setUp(self):
        super().setUp()
        self.before = self.snapshot()

    def ask(self, route, token, job=None, resource="people", headers=None):
        if job is None:
            job = self.open if route.takes_open_job else self.job
        return route.ask(self.server.url, token, resource, job, headers)

    def assert_refused(self, route, answer, status, code=None):
        """An error with its shape, which tells nothing of what is there."""
        with self.subTest(str(route)):
            said = f"{answer[1]} {answer[2].decode()}"
            self.assertEqual(answer[0], status, said)
            if route.method != "HEAD":
                self.assertRegex(said, rf'"code":"{code or "[A-Z_]+"}"')
            for secret in SECRETS:
                self.assertNotIn(secret, said)

    def snapshot(self):
        api = self.server.api(self.mine)
        listed = api.call("GET", "/api/jobs/?limit=1000").json["results"]
        api.close()
        uploads = sorted(str(path) for path in self.server.folder.glob("app.db-tallyman/**/*"))
        return (self.server.rows("select * from people order by id"), listed, uploads)

    def assert_nothing_changed(self):
        self.assertEqual(self.snapshot(), self.before)

    # --- the list of routes ---------------------------------------------------------------

    def test_every_route_is_documented(self):
        documented = (ROOT / "docs/rest-api.md").read_text(encoding="utf-8")
        told = routes.listed(self.server)
        self.assertGreater(len(told), 20)
        for one in told:
            path = one["path"].replace("{resource}", "{r}").replace("{job}", "{id}")
            self.assertRegex(documented, re.escape(path.rstrip("/")) + r"[/`?]", one)

    def test_every_request_of_this_test_belongs_to_a_route(self):
        told = {(route.method, route.path) for route in self.routes}
        self.assertEqual(set(routes.REQUESTS) - told, set())

    # --- without a good token -------------------------------------------------------------

    def test_without_a_token_everything_but_health_is_401(self):
        for route in self.routes:
            answer = self.ask(route, None)
            if route.needs == "nothing":
                self.assertIn(route.path, PUBLIC)
                self.assertEqual(answer[0], 200)
                continue
            self.assert_refused(route, answer, 401, "UNAUTHENTICATED")
            self.assertIn("Bearer", dict(answer[1]).get("WWW-Authenticate", ""))
        self.assert_nothing_changed()

    def test_without_a_token_a_path_that_is_not_there_is_401_too(self):
        for method, path in (("GET", "/api/nothing/"), ("GET", "/"), ("PATCH", "/api/jobs/"),
                             ("GET", f"/api/people/jobs/{self.job}/nothing/")):
            nowhere = routes.Route(method, path, "token")
            self.assert_refused(nowhere, self.ask(nowhere, None), 401, "UNAUTHENTICATED")

    def test_what_is_no_token_is_401(self):
        garbage = ["tly_" + "x" * 43, "x", "", self.mine + "x", self.mine[:-1], self.mine.upper(),
                   self.mine + " " + self.mine, "'" + self.mine + "'", "tly_", "y" * 20_000,
                   "' or 1=1 --", "%", "tly_" + "\xff" * 43]
        for route in self.routes:
            if route.needs != "nothing":
                for token in garbage[:2] if route.has_job else garbage:
                    self.assert_refused(route, self.ask(route, token), 401, "UNAUTHENTICATED")
        first = self.routes[[route.needs for route in self.routes].index("token")]
        for header in ("", "Bearer", "Bearer ", self.mine, f"Basic {self.mine}",
                       f"Bearer,{self.mine}", f"Bearer: {self.mine}"):
            answer = self.ask(first, None, headers={"Authorization": header})
            self.assert_refused(first, answer, 401, "UNAUTHENTICATED")
        self.assert_nothing_changed()

    def test_of_two_authorization_headers_none_counts(self):
        for lines in ((self.mine, self.mine), (self.mine, "x"), ("x", self.mine)):
            head = "GET /api/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            head += "".join(f"Authorization: Bearer {token}\r\n" for token in lines)
            self.assertIn(b" 401 ", self.exchange(head + "\r\n")[:20])

    def test_an_expired_token_is_401(self):
        token = self.server.make_token("brief", "0wner", ["*"], "--expires", "50ms")
        listing = routes.Route("GET", "/api/", "token")
        wait_until(lambda: self.ask(listing, token)[0] == 401, "the token has expired")
        self.refused_everywhere(token)

    def test_a_revoked_token_is_401_at_once(self):
        token = self.server.make_token("revoked", "0wner", ["*"])
        self.assertEqual(self.ask(routes.Route("GET", "/api/", "token"), token)[0], 200)
        gone = self.server.command("token", "revoke", "revoked", "--database",
                                   self.server.database.url)
        self.assertEqual(gone.returncode, 0, gone)
        self.refused_everywhere(token)

    def refused_everywhere(self, token):
        for route in self.routes:
            if route.needs != "nothing":
                self.assert_refused(route, self.ask(route, token), 401, "UNAUTHENTICATED")
        self.assert_nothing_changed()

    # --- another owner --------------------------------------------------------------------

    def test_the_job_of_another_owner_looks_like_one_that_is_not_there(self):
        """Byte for byte: status, headers (but the date) and body; whatever scopes one has."""
        asked = 0
        for number, scopes in enumerate((["*"], ["people:read"], ["people:delete"])):
            token = self.server.make_token(f"other{number}", "other", scopes)
            for route in self.routes:
                if "{job}" not in route.path and scopes != ["*"]:
                    continue  # The job is named in the body: the scope is judged first.
                if not route.has_job:
                    continue
                for job in (self.job, self.open):
                    self.assert_looks_absent(route, token, job)
                    asked += 1
        self.assertGreater(asked, 60)
        self.assert_nothing_changed()

    def assert_looks_absent(self, route, token, job):
        theirs, none = self.ask(route, token, job), self.ask(route, token, UNKNOWN_JOB)
        self.assert_refused(route, theirs, 404)
        with self.subTest(str(route)):
            self.assertEqual((*theirs[:2], theirs[2].replace(job.encode(), b"J")),
                             (*none[:2], none[2].replace(UNKNOWN_JOB.encode(), b"J")))

    def test_a_job_of_another_owner_costs_the_database_what_an_unknown_one_costs(self):
        token = self.server.make_token("counter", "counter", ["*"])
        status = routes.Route("GET", "/api/{resource}/jobs/{job}/status/", "read")

        def reads(job):
            before = self.reads_of_the_server()
            for _ in range(50):
                self.assertEqual(self.ask(status, token, job)[0], 404)
            return self.reads_of_the_server() - before
        reads(UNKNOWN_JOB)
        theirs = none = 10**9
        for _ in range(10):  # Idle workers look around as well: the quietest of ten counts.
            theirs, none = min(theirs, reads(self.job)), min(none, reads(UNKNOWN_JOB))
            if abs(theirs - none) < 25:
                return
        self.fail(f"{theirs} and {none} system calls")

    def reads_of_the_server(self):
        text = pathlib.Path(f"/proc/{self.server.process.pid}/io").read_text(encoding="ascii")
        return int(dict(line.split(": ") for line in text.splitlines())["syscr"])

    def test_lists_hold_the_own_jobs_only(self):
        token = self.server.make_token("lister", "lister", ["*"])
        api = self.server.api(token)
        for path in ("/api/jobs/", "/api/people/jobs/"):
            self.assertEqual(api.call("GET", path).json["results"], [])
        mine = api.run("insert", "secrets", b"name\nx\n")["job_id"]
        for path in ("/api/jobs/", "/api/secrets/jobs/"):
            self.assertEqual([job["job_id"] for job in api.call("GET", path).json["results"]], [mine])
        # A place in a list that is another's tells nothing either.
        self.assertEqual(api.call("GET", "/api/jobs/?cursor=1000").status,
                         api.call("GET", "/api/jobs/?cursor=1").status)
        api.close()

    def test_a_key_of_another_owner_is_free(self):
        token = self.server.make_token("key", "key", ["*"])
        api = self.server.api(token)
        made = api.open_job("secrets", "insert", headers={"Idempotency-Key": "idemp0tency"})
        self.assertEqual(made.status, 201)
        self.assertNotEqual(made.json["job_id"], self.open)
        api.close()

    def test_an_admin_sees_the_jobs_of_every_owner(self):
        token = self.server.make_token("chief", "chief", ["*", "admin"])
        api = self.server.api(token)
        self.assertEqual(api.status("people", self.job).status, 200)
        listed = [job["job_id"] for job in api.call("GET", "/api/jobs/").json["results"]]
        self.assertIn(self.job, listed)
        api.close()

    # --- a lower scope --------------------------------------------------------------------

    def test_each_operation_needs_its_own_scope(self):
        asked = 0
        for missing in routes.OPERATIONS:
            scopes = [f"people:{name}" for name in (*routes.OPERATIONS, "read") if name != missing]
            token = self.server.make_token(f"all but {missing}", "0wner", scopes)
            for route in self.routes:
                if route.needs != "operation" or (route.operation or "insert") != missing:
                    continue  # Jobs of this test are inserts.
                answer = self.ask(route, token)
                self.assert_refused(route, answer, 403, "FORBIDDEN")
                if route.method != "HEAD":
                    self.assertIn(f"people:{missing}", answer[2].decode())
                asked += 1
        operations = sum(route.needs == "operation" for route in self.routes)
        self.assertEqual(asked, operations)
        self.assert_nothing_changed()

    def test_reading_alone_changes_nothing(self):
        token = self.server.make_token("reader", "0wner", ["people:read"])
        for route in self.routes:
            if route.needs == "operation":
                self.assert_refused(route, self.ask(route, token), 403, "FORBIDDEN")
        self.assert_nothing_changed()

    def test_reading_needs_the_scope_to_read(self):
        token = self.server.make_token(
            "writer", "0wner", [f"people:{name}" for name in routes.OPERATIONS])
        asked = [route for route in self.routes if route.needs == "read"]
        for route in asked:
            answer = self.ask(route, token)
            self.assert_refused(route, answer, 403, "FORBIDDEN")
        self.assertGreater(len(asked), 10)

    def test_a_resource_without_any_scope_looks_like_one_that_is_not_there(self):
        token = self.server.make_token("people only", "0wner", ["people:read", "people:insert"])
        for route in self.routes:
            if not route.has_resource:
                continue
            hidden = self.ask(route, token, resource="secrets")
            absent = self.ask(route, token, resource="n0thing")
            self.assert_refused(route, hidden, 404)
            with self.subTest(str(route)):
                self.assertEqual((*hidden[:2], hidden[2].replace(b"secrets", b"R")),
                                 (*absent[:2], absent[2].replace(b"n0thing", b"R")))
        self.assertNotIn(b"secrets", self.ask(routes.Route("GET", "/api/", "token"), token)[2])

    def test_a_job_is_looked_for_under_its_own_resource_alone(self):
        for route in self.routes:
            if not route.has_job:
                continue
            elsewhere = self.ask(route, self.mine, resource="secrets")
            job = self.open if route.takes_open_job else self.job
            none = self.ask(route, self.mine, UNKNOWN_JOB, "secrets")
            self.assert_refused(route, elsewhere, 404)
            self.assertEqual((*elsewhere[:2], elsewhere[2].replace(job.encode(), b"J")),
                             (*none[:2], none[2].replace(UNKNOWN_JOB.encode(), b"J")), str(route))
        self.assert_nothing_changed()

    def test_a_star_is_every_scope_of_every_resource_but_not_admin(self):
        token = self.server.make_token("star", "star", ["*"])
        api = self.server.api(token)
        self.assertEqual(api.status("people", self.job).status, 404)
        self.assertEqual(api.submit("insert", "secrets", b"name\nx\n").status, 202)
        api.close()

    # --- how a token comes ----------------------------------------------------------------

    def test_the_older_form_of_the_header_is_taken_too(self):
        answer = self.api.call("GET", "/api/", headers={"Authorization": f"Token {self.mine}"})
        self.assertEqual(answer.status, 200)

    def test_a_token_elsewhere_is_no_token(self):
        for route in (routes.Route("GET", "/api/", "token", query=f"?token={self.mine}"),
                      routes.Route("GET", "/api/", "token", query=f"?access_token={self.mine}"),
                      routes.Route("GET", "/api/", "token", headers={"Cookie": f"token={self.mine}"}),
                      routes.Route("GET", "/api/", "token", headers={"X-Auth-Token": self.mine})):
            self.assert_refused(route, self.ask(route, None), 401)

    # --- before the body ------------------------------------------------------------------

    def exchange(self, head, body=b""):
        """Sends, and reads until the server ends the connection."""
        where = urllib.parse.urlsplit(self.server.url)
        with socket.create_connection((where.hostname, where.port), timeout=20) as connection:
            connection.sendall(head.encode() + body)
            received = b""
            while piece := connection.recv(65_536):
                received += piece
            return received

    def test_no_body_is_read_for_a_request_that_is_refused(self):
        """The client waits for "100 Continue", or has sent a little of a body that never ends."""
        reader = self.server.make_token("only reads", "0wner", ["people:read"])
        stranger = self.server.make_token("stranger", "stranger", ["*"])
        elsewhere = self.server.make_token("elsewhere", "0wner", ["secrets:*"])
        uploads = [route for route in self.routes if route.uploads]
        self.assertGreater(len(uploads), 5)
        for route in uploads:
            refused = [(None, 401), ("tly_" + "x" * 43, 401), (reader, 403), (elsewhere, 404)]
            if route.has_job:
                refused.append((stranger, 404))
            for token, status in refused:
                for expects in (True, False):
                    with self.subTest(f"{route} {status} {expects}"):
                        received = self.exchange(self.head_of(route, token, expects),
                                                 b"" if expects else b"x" * 65_536)
                        self.assertRegex(received[:40], rf"^HTTP/1.1 {status} ".encode())
        self.assert_nothing_changed()

    def head_of(self, route, token, expects):
        lines = [f"{route.method} {route.target('people', self.open)} HTTP/1.1", "Host: a",
                 f"Content-Length: {1024 * MEGABYTE}"]
        lines += [f"{name}: {value}" for name, value in route.headers.items()]
        lines += [f"Authorization: Bearer {token}"] if token else []
        lines += ["Expect: 100-continue"] if expects else []
        return "\r\n".join(lines) + "\r\n\r\n"


class NoToken(unittest.TestCase):
    def test_a_server_without_any_token_prints_one_for_its_administrator_once(self):
        server = Server("create table people (id integer primary key)", token=False)
        self.addCleanup(server.close)
        server.start()
        found = wait_until(lambda: [word for word in server.output().split()
                                    if word.startswith("tly_")], "a token is printed")
        self.assertEqual(len(found), 1)
        self.assertEqual(server.api(found[0]).call("GET", "/api/").status, 200)
        server.terminate()
        server.start()
        self.assertNotIn("tly_", server.output())
        self.assertEqual(server.api(found[0]).call("GET", "/api/").status, 200)


if __name__ == "__main__":
    unittest.main()
