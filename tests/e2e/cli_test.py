#!/usr/bin/python3
"""The command line against a running server: what it prints, and what it ends with."""
import csv
import gzip
import json
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.case import ServerCase  # noqa: E402
from support.database import KIND  # noqa: E402
from support.server import Server, binary  # noqa: E402
from support.wait import wait_until  # noqa: E402

JOB = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.M)
WELL, RECORDS_FAILED, FAILED = 0, 1, 2


class CommandLine(ServerCase):
    schema = "create table people (id integer primary key, name text, age integer);"

    def setUp(self):
        super().setUp()
        self.wait_for_quiet()
        self.server.execute("delete from people")

    def environment(self):
        return {"TALLYMAN_URL": self.server.url, "TALLYMAN_TOKEN": self.server.token,
                "HOME": str(self.server.folder), "XDG_STATE_HOME": str(self.server.folder / "state"),
                "XDG_CACHE_HOME": str(self.server.folder / "cache")}

    def run_it(self, *arguments, code=WELL, stdin=None):
        made = self.server.command(*arguments, environment=self.environment(), stdin=stdin)
        self.assertEqual(made.returncode, code, f"{arguments}: {made}")
        return made

    def file(self, name, text):
        path = self.server.folder / name
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="utf-8")
        return path

    def load(self, text="name,age\nann,41\nbob,50\n", *arguments, name="people.csv", code=WELL):
        made = self.run_it("load", self.file(name, text), "--resource", "people", "--wait",
                           *arguments, code=code)
        found = JOB.search(made.stdout)
        return (found.group(0) if found else None), made

    # --- load ---------------------------------------------------------------------------

    def test_load_prints_the_job_and_ends_with_0_when_all_is_well(self):
        job, made = self.load()
        self.assertEqual(made.stdout.strip(), job)
        self.assertIn("2 created", made.stderr)
        self.assertEqual(self.api.status("people", job).json["state"], "Job Complete")

    def test_load_ends_with_1_when_records_failed_and_names_them(self):
        _, made = self.load("name,age\nann,41\nbob,old\n", code=RECORDS_FAILED)
        self.assertIn("INVALID_TYPE", made.stderr)
        self.assertIn("record 2", made.stderr)
        self.assertNotIn("old", made.stderr)

    def test_load_ends_with_2_when_the_job_or_the_call_failed(self):
        self.load("name,age\nann,old\n", "--max-errors", "0", code=FAILED)
        _, made = self.load("nam,age\nann,1\n", code=FAILED)
        self.assertIn('"name"', made.stderr)
        self.run_it("load", "missing.csv", "--resource", "people", code=FAILED)
        path = self.file("people.csv", "name\nx\n")
        made = self.run_it("load", path, "--resource", "peeple", code=FAILED)
        self.assertIn("peeple", made.stderr)

    def test_load_takes_every_format_and_operation(self):
        self.load('[{"id": 1, "name": "ann"}]', name="a.json")
        self.load('{"id": 1, "name": "eve"}\n{"id": 2, "name": "bob"}\n', "--operation", "upsert",
                  "--unique-fields", "id", name="a.ndjson")
        self.load(gzip.compress(b"id;name\n3;cem\n"), "--delimiter", ";", name="a.csv.gz")
        self.load("id,age\n1,7\n", "--operation", "update")
        self.load("id\n2\n", "--operation", "delete")
        self.assertEqual(self.server.rows("select * from people order by id"), [(1, "eve", 7), (3, "cem", None)])

    def test_load_reads_standard_input(self):
        self.run_it("load", "-", "--content-type", "csv", "--resource", "people", "--wait",
                    stdin="name\nann\n")
        self.assertEqual(self.server.rows("select name from people"), [("ann",)])

    def test_load_writes_the_results_into_a_file(self):
        path = self.server.folder / "results.csv"
        self.load("id,name\n1,ann\n1,bob\n", "--results", path, code=RECORDS_FAILED)
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["_outcome"] for row in rows], ["created", "failed"])

    def test_an_interrupted_load_goes_on_where_it_was_when_it_is_given_again(self):
        lines = "".join(f"{n},{'x' * 2000}\n" for n in range(1, 40_001))
        path = self.file("large.csv", "id,name\n" + lines)
        command = ["load", str(path), "--resource", "people", "--wait"]
        process = subprocess.Popen([binary(), *command], cwd=self.server.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={"PATH": "/usr/bin:/bin", **self.environment()})

        def arriving():
            opened = self.api.call("GET", "/api/people/jobs/?limit=1&state=Open").json["results"]
            if not opened:
                return process.poll() is not None
            job = opened[0]["job_id"]
            head = self.api.call("HEAD", self.api.job_path("people", job, "data"))
            return job if head.header("Upload-Offset") not in (None, "0") else None
        job = wait_until(arriving, "the upload is under way", pause=0.001)
        process.kill()
        process.wait()
        made = self.run_it(*command)
        self.assertEqual(self.server.rows("select count(*) from people"), [(40_000,)])
        if isinstance(job, str):
            self.assertEqual(made.stdout.strip(), job)

    # --- about jobs -----------------------------------------------------------------------

    def test_jobs_lists_the_newest_first(self):
        jobs = [self.load()[0] for _ in range(2)]
        listed = self.run_it("jobs", "--resource", "people", "--limit", "2").stdout
        self.assertEqual(JOB.findall(listed) or re.findall(r"[0-9a-f-]{36}", listed), jobs[::-1])
        lines = self.run_it("jobs", "--json", "--limit", "2").stdout.splitlines()
        self.assertEqual([json.loads(line)["job_id"] for line in lines], jobs[::-1])
        self.assertEqual(self.run_it("jobs", "--state", "Failed", "--json").stdout.count(jobs[0]), 0)

    def test_status_tells_state_and_history(self):
        job, _ = self.load()
        shown = self.run_it("status", job, "--history").stdout
        for word in ("Job Complete", "2 created", "upload_completed", "finished"):
            self.assertIn(word, shown)
        status = json.loads(self.run_it("status", job, "--json").stdout)
        self.assertEqual(status["created_count"], 2)
        self.assertEqual(self.run_it("status", job, "--wait", "--resource", "people").returncode, 0)

    def test_results_go_to_standard_output_in_any_format(self):
        job, _ = self.load("id,name\n1,ann\n1,bob\n", code=RECORDS_FAILED)
        shown = self.run_it("results", job, "--outcome", "failed").stdout
        self.assertEqual(len(shown.splitlines()), 2)
        lines = self.run_it("results", job, "--format", "ndjson").stdout.splitlines()
        self.assertEqual([json.loads(line)["_outcome"] for line in lines], ["created", "failed"])

    def test_aggregates_are_printed_as_json(self):
        job, _ = self.load()
        made = self.run_it("aggregates", job, "--sum", "age", "--count", "--group-by", "name")
        self.assertEqual(json.loads(made.stdout)["aggregate_results"],
                         {"count": {"ann": 1, "bob": 1}, "sum_age": {"ann": 41, "bob": 50}})
        self.run_it("aggregates", job, "--sum", "aeg", code=FAILED)

    def test_abort_ends_an_open_job(self):
        job = self.api.open_job("people", "insert").json["job_id"]
        self.assertIn("Aborted", self.run_it("abort", job).stderr)
        self.run_it("abort", job, code=FAILED)

    def test_retry_tries_what_failed_again(self):
        self.server.execute("insert into people (id) values (1)")
        job, _ = self.load("id,name\n1,ann\n2,bob\n", code=RECORDS_FAILED)
        self.server.execute("delete from people where id = 1")
        made = self.run_it("retry", job, "--wait")
        self.assertIn("1 created", made.stderr)
        self.assertEqual(self.server.rows("select name from people order by name"), [("ann",), ("bob",)])

    def test_an_unknown_job_or_a_wrong_token_ends_with_2_and_a_sentence(self):
        made = self.run_it("status", "01890a5d-ac96-774b-bcce-b302099a8057", code=FAILED)
        self.assertIn("01890a5d", made.stderr)
        made = self.run_it("jobs", "--token", "tly_wrong", code=FAILED)
        self.assertIn("token", made.stderr)
        made = self.run_it("jobs", "--url", "http://127.0.0.1:9", code=FAILED)
        self.assertIn("127.0.0.1:9", made.stderr)

    def test_a_command_that_cannot_be_read_says_what_would_be(self):
        for arguments in (("lod",), ("load",), ("status", "17"), ("jobs", "--state", "Done")):
            made = self.server.command(*arguments, environment=self.environment())
            self.assertNotEqual(made.returncode, 0, made)
            self.assertTrue(made.stderr, made)
        self.assertIn("load", self.run_it("--help").stdout)

    # --- tokens -----------------------------------------------------------------------------

    def test_tokens_are_made_listed_without_their_secret_and_revoked(self):
        database = self.server.database.url
        secret = self.server.make_token("cli", "me", ["people:read", "people:insert"])
        listed = self.run_it("token", "list", "--database", database).stdout
        self.assertIn("people:read", listed)
        self.assertNotIn(secret, listed)
        self.run_it("token", "create", "--database", database, "--name", "cli", "--owner", "me",
                    "--scope", "*", code=FAILED)
        self.run_it("token", "revoke", "cli", "--database", database)
        self.assertEqual(self.server.api(secret).call("GET", "/api/").status, 401)

    def test_a_secret_stands_nowhere_in_the_database(self):
        secret = self.server.make_token("hidden", "me", ["*"])
        for path in self.server.folder.glob("app.db*"):
            if path.is_dir():
                continue
            self.assertNotIn(secret.encode(), path.read_bytes(), path)


class Exposing(unittest.TestCase):
    def test_serve_needs_no_configuration_for_a_database_and_a_table(self):
        server = Server("create table people (id integer primary key)")
        url = "sqlite:app.db" if KIND == "sqlite" else server.database.url
        server.arguments = ["--database", url, "--expose", "people", "--listen", "127.0.0.1:0"]
        self.addCleanup(server.close)
        server.start()
        self.assertEqual(server.api().run("insert", "people", b"id\n1\n")["created_count"], 1)

    def test_a_configuration_with_mistakes_is_refused_naming_each(self):
        for settings, lines, words in (
                ({"window_record": 5}, ['operatons = ["insert"]'], ("window_record", "operatons")),
                ({}, ['fields.nam.choices = ["a"]'], ("nam", "name")),
                ({}, ['table = "peeple"'], ("peeple", "people"))):
            server = Server("create table people (id integer primary key, name text)",
                            {"people": lines}, settings, token=False)
            self.addCleanup(server.close)
            with self.assertRaisesRegex(AssertionError, "ended with 2"):
                server.start()
            for word in words:
                self.assertIn(word, server.log() + server.output())


if __name__ == "__main__":
    unittest.main()
