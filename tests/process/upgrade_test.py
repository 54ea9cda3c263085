#!/usr/bin/python3
"""A database of an earlier version goes on under this program.

tests/golden/database_N.sql is what a program of version N left behind: .dump of its file,
with jobs of two owners (complete, expired, open, aborted). What is released never changes."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.server import ROOT, Server  # noqa: E402

LONG = {"results_retention": "36500d", "job_retention": "36500d", "open_time_max": "36500d"}


class Upgrade(unittest.TestCase):
    def start(self, schema, **more):
        server = Server(schema, {"people": None}, LONG, token=False, **more)
        self.addCleanup(server.close)
        server.start()
        return server

    def ours(self, server):
        return dict(server.rows("select name, sql from sqlite_schema where name like 'tallyman%'"))

    def test_from_version_1(self):
        golden = (ROOT / "tests" / "golden" / "database_1.sql").read_text()
        server = self.start(golden)
        fresh = self.start("create table people (id integer primary key, name text not null)")
        self.assertEqual(self.ours(server), self.ours(fresh), "the same tables as new ones")
        self.assertEqual(server.rows("select version from tallyman_meta"),
                         fresh.rows("select version from tallyman_meta"))
        self.assertEqual(server.rows("select * from tallyman_owner order by name"),
                         [("o'brien", 26 + 23), ("tester", 26)], "what has not expired")

        api = server.api(server.make_token("chief", "tester", ["*", "admin"]))
        jobs = api.call("GET", "/api/jobs/").json["results"]
        self.assertEqual([job["state"] for job in jobs],
                         ["Aborted", "Open", "Job Complete", "Job Complete", "Job Complete",
                          "Job Complete"])
        first, second = jobs[-1]["job_id"], jobs[-2]["job_id"]
        status = api.status("people", first).json
        self.assertEqual((status["created_count"], status["error_summary"]),
                         (2, {"INVALID_TYPE": 1}))
        self.assertEqual(api.call("DELETE", api.job_path("people", second)).status, 204)
        self.assertEqual(api.run("insert", "people", b"id,name\n40,hal\n")["created_count"], 1)
        self.assertEqual(server.rows("select * from tallyman_owner order by name"),
                         [("o'brien", 23), ("tester", 26 + 15)])

    def test_a_second_start_changes_nothing(self):
        golden = (ROOT / "tests" / "golden" / "database_1.sql").read_text()
        server = self.start(golden)
        before = self.ours(server), server.rows("select * from tallyman_owner order by name")
        server.restart()
        self.assertEqual((self.ours(server),
                          server.rows("select * from tallyman_owner order by name")), before)


if __name__ == "__main__":
    unittest.main()
