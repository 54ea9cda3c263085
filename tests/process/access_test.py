#!/usr/bin/python3
"""Every endpoint × {no token, unknown, expired, other owner, lower scope}: nothing leaks."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.api import Api  # noqa: E402
from support.case import ServerCase  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

UNKNOWN_JOB = "01890a5d-ac96-774b-bcce-b302099a8057"
PUBLIC = ("/healthz", "/readyz")
CSV = {"Content-Type": "text/csv"}

# (method, path, the scope it asks for, body). {job} ended, {open} takes data.
ROUTES = [
    ("GET", "/api/", None, None),
    ("GET", "/api/jobs/", None, None),
    ("GET", "/api/people/schema/", "any", None),
    ("GET", "/api/people/template.csv", "any", None),
    ("POST", "/api/people/bulk/v2/", "insert", b"name\nx\n"),
    ("PATCH", "/api/people/bulk/v2/?unique_fields=id", "upsert", b"id,name\n900,x\n"),
    ("PATCH", "/api/people/bulk/v2/", "update", b"id,name\n900,x\n"),
    ("PUT", "/api/people/bulk/v2/", "replace", b"id,name\n900,x\n"),
    ("DELETE", "/api/people/bulk/v2/", "delete", b"id\n900\n"),
    ("POST", "/api/people/bulk/v2/aggregates/", "read",
     {"job_id": "{job}", "aggregates": {"n": {"type": "count"}}}),
    ("GET", "/api/people/jobs/", "read", None),
    ("POST", "/api/people/jobs/", "insert", {"operation": "insert", "content_type": "text/csv"}),
    ("POST", "/api/people/jobs/", "delete", {"operation": "delete", "content_type": "text/csv"}),
    ("GET", "/api/people/jobs/{job}/", "read", None),
    ("GET", "/api/people/jobs/{job}/status/", "read", None),
    ("GET", "/api/people/jobs/{job}/history/", "read", None),
    ("GET", "/api/people/jobs/{job}/events/", "read", None),
    ("GET", "/api/people/jobs/{job}/results/", "read", None),
    ("GET", "/api/people/jobs/{job}/aggregates/", "read", None),
    ("PUT", "/api/people/jobs/{open}/data/", "insert", b"name\n"),
    ("HEAD", "/api/people/jobs/{open}/data/", "insert", None),
    ("POST", "/api/people/jobs/{open}/complete/", "insert", b""),
    ("POST", "/api/people/jobs/{open}/abort/", "insert", b""),
    ("POST", "/api/people/jobs/{job}/retry/", "insert", b""),
    ("DELETE", "/api/people/jobs/{job}/", "insert", None),
]
OPERATIONS = ("insert", "upsert", "update", "replace", "delete")


class Access(ServerCase):
    schema = """create table people (id integer primary key, name text);
                create table secrets (id integer primary key, name text);"""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        api = cls.server.api()
        cls.job = api.run("insert", "people", b"id,name\n1,ann\nx,bob\n")["job_id"]
        api.ask_aggregates("people", cls.job, {"n": {"type": "count"}})
        cls.open = api.open_job("people", "insert").json["job_id"]

    def ask(self, route, token, job=None, open_job=None):
        method, path, _, body = route
        path = path.replace("{job}", job or self.job).replace("{open}", open_job or self.open)
        api = Api(self.server.url, token)
        headers = {}
        if isinstance(body, dict):
            body = {name: value.replace("{job}", job or self.job) if isinstance(value, str)
                    else value for name, value in body.items()}
        elif body is not None:
            headers.update(CSV, **({"Upload-Offset": "0"} if "/data/" in path else {}))
        answer = api.call(method, path, body, headers)
        api.close()
        return answer

    def assert_error(self, route, answer, status, code=None):
        with self.subTest(f"{route[0]} {route[1]}"):
            if route[0] == "HEAD":
                self.assertEqual(answer.status, status)
            else:
                self.expect(answer, status, code)

    def snapshot(self):
        return (self.server.rows("select * from people order by id"),
                self.api.call("GET", "/api/jobs/?limit=1000").json["results"])

    def test_without_a_token_everything_but_health_is_401(self):
        before = self.snapshot()
        for route in ROUTES:
            answer = self.ask(route, None)
            self.assert_error(route, answer, 401)
            self.assertIn("Bearer", answer.header("WWW-Authenticate") or "")
        self.assertEqual(self.snapshot(), before)
        for path in PUBLIC:
            self.assertEqual(self.ask(("GET", path, None, None), None).status, 200)

    def test_an_unknown_token_is_401(self):
        for route in ROUTES:
            self.assert_error(route, self.ask(route, "tly_" + "x" * 43), 401)

    def test_an_expired_token_is_401(self):
        token = self.server.make_token("brief", "tester", ["*"], "--expires", "50ms")
        wait_until(lambda: self.ask(ROUTES[0], token).status == 401, "the token has expired")
        for route in ROUTES:
            self.assert_error(route, self.ask(route, token), 401)

    def test_a_revoked_token_is_401_at_once(self):
        token = self.server.make_token("revoked", "tester", ["*"])
        self.assertEqual(self.ask(ROUTES[0], token).status, 200)
        gone = self.server.command("token", "revoke", "revoked", "--database",
                                   f"sqlite:{self.server.database}")
        self.assertEqual(gone.returncode, 0, gone)
        self.assertEqual(self.ask(ROUTES[0], token).status, 401)

    def test_the_job_of_another_owner_looks_like_one_that_is_not_there(self):
        token = self.server.make_token("other", "other", ["*"])
        before = self.snapshot()
        for route in ROUTES:
            about_a_job = "{job}" in f"{route[1]}{route[3]}" or "{open}" in route[1]
            if not about_a_job:
                continue
            theirs = self.ask(route, token)
            none = self.ask(route, token, UNKNOWN_JOB, UNKNOWN_JOB)
            self.assert_error(route, theirs, 404)
            with self.subTest(f"{route[0]} {route[1]}"):
                said = theirs.text.replace(self.job, "JOB").replace(self.open, "JOB")
                self.assertEqual((theirs.status, said),
                                 (none.status, none.text.replace(UNKNOWN_JOB, "JOB")))
        self.assertEqual(self.snapshot(), before)

    def test_lists_hold_the_own_jobs_only(self):
        token = self.server.make_token("lister", "lister", ["*"])
        for path in ("/api/jobs/", "/api/people/jobs/"):
            self.assertEqual(self.api.copy(token).call("GET", path).json["results"], [])
        mine = self.server.api(token).run("insert", "people", b"name\nx\n")["job_id"]
        for path in ("/api/jobs/", "/api/people/jobs/"):
            listed = self.api.copy(token).call("GET", path).json["results"]
            self.assertEqual([job["job_id"] for job in listed], [mine])

    def test_an_admin_sees_the_jobs_of_every_owner(self):
        token = self.server.make_token("chief", "chief", ["*", "admin"])
        api = self.server.api(token)
        self.assertEqual(api.status("people", self.job).status, 200)
        listed = [job["job_id"] for job in api.call("GET", "/api/jobs/").json["results"]]
        self.assertIn(self.job, listed)

    def test_each_operation_needs_its_own_scope(self):
        for missing in OPERATIONS:
            scopes = [f"people:{name}" for name in (*OPERATIONS, "read") if name != missing]
            token = self.server.make_token(f"all but {missing}", f"without {missing}", scopes)
            for route in ROUTES:
                if route[2] == missing and "{" not in route[1]:
                    answer = self.ask(route, token)
                    self.assert_error(route, answer, 403)
                    self.assertIn(f"people:{missing}", answer.text)

    def test_what_is_done_to_a_job_needs_the_scope_of_its_operation(self):
        token = self.server.make_token("reader", "tester", ["people:read"])
        before = self.snapshot()
        for route in ROUTES:
            if route[2] in OPERATIONS:
                self.assert_error(route, self.ask(route, token), 403)
        self.assertEqual(self.snapshot(), before)

    def test_reading_needs_the_scope_to_read(self):
        token = self.server.make_token("writer", "tester", ["people:insert"])
        for route in ROUTES:
            if route[2] == "read":
                self.assert_error(route, self.ask(route, token), 403)

    def test_a_resource_without_any_scope_looks_like_one_that_is_not_there(self):
        token = self.server.make_token("people only", "tester", ["people:read", "people:insert"])
        for route in ROUTES:
            if "/people/" not in route[1]:
                continue
            hidden = (route[0], route[1].replace("/people/", "/secrets/"), route[2], route[3])
            absent = (route[0], route[1].replace("/people/", "/nothing/"), route[2], route[3])
            theirs, none = self.ask(hidden, token), self.ask(absent, token)
            self.assert_error(hidden, theirs, 404)
            self.assertEqual(theirs.text.replace("secrets", "R"),
                             none.text.replace("nothing", "R"), route)
        self.assertNotIn("secrets", self.ask(ROUTES[0], token).text)

    def test_a_star_is_every_scope_of_every_resource_but_not_admin(self):
        token = self.server.make_token("star", "star", ["*"])
        self.assertEqual(self.server.api(token).status("people", self.job).status, 404)
        self.assertEqual(self.server.api(token).submit("insert", "secrets", b"name\nx\n").status,
                         202)

    def test_the_older_form_of_the_header_is_taken_too(self):
        answer = self.api.call("GET", "/api/", headers={"Authorization": f"Token {self.server.token}"})
        self.assertEqual(answer.status, 200)

    def test_a_token_in_the_query_is_no_token(self):
        answer = self.ask(("GET", f"/api/?token={self.server.token}", None, None), None)
        self.assertEqual(answer.status, 401)


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
