#!/usr/bin/python3
"""No value of a record in any log, status, error, history, event, list or argument: in results,
and in the aggregates that were asked for, alone.

Every cell of every upload holds a canary of its own, so that what leaks says where it is from.
Each kind of job runs over them: every operation, format and mode, every kind of error, aborts,
retries, and triggers and constraints whose own messages quote what they were given.
"""
import csv
import gzip
import io
import itertools
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import process  # noqa: E402
from support.case import ServerCase  # noqa: E402

CANARY = re.compile(r"(?i)cnry\d+|77\d{5}(?!\d)")
COLUMNS = ["id", "sku", "n", "day", "kind", "shop", "d", "zip", "choice", "note", "body"]
SCHEMA = """
create table shops (id text primary key not null);
create table items (id integer primary key, sku varchar(14) unique, n integer, day date,
    kind text check (kind not like '%-checked'), shop text references shops(id), d decimal(9,2),
    zip text, choice text, note text, body blob);
create table quoting (id integer primary key, note text);
create table seen (note text);
create table indexed (id integer primary key, note text);
"""
TRIGGERS = {"sqlite": """
create index by_path on indexed (json_extract('{}', note));
create trigger refuses before insert on items when new.note like '%-raised' begin
  select raise(abort, 'refused'); end;
create trigger swallows before insert on items when new.note like '%-swallowed' begin
  select raise(ignore); end;
create trigger undoes before insert on items when new.note like '%-undone' begin
  select raise(rollback, 'rolled back'); end;
create trigger quotes before insert on quoting begin
  insert into seen values (json_extract('{}', new.note)); end;
""", "postgresql": """
create index by_path on indexed (((note || ']')::json ->> 0));
create function refuse() returns trigger language plpgsql as $_$ begin
  raise exception 'refused' using detail = new.note, hint = new.note; end $_$;
create function swallow() returns trigger language plpgsql as 'begin return null; end';
create function quote() returns trigger language plpgsql as $_$ begin
  raise warning 'seen %', new.note; insert into seen values (new.note::json ->> 0); return new;
  end $_$;
create trigger refuses before insert on items for each row
  when (new.note like '%-raised' or new.note like '%-undone') execute function refuse();
create trigger swallows before insert on items for each row when (new.note like '%-swallowed')
  execute function swallow();
create trigger quotes before insert on quoting for each row execute function quote();
"""}


class Canaries:
    """Values that are looked for, each of them once."""

    def __init__(self):
        self._numbers = itertools.count(10_000)

    def text(self, end=""):
        return f"cnry{next(self._numbers)}{end}"

    def number(self):
        return f"77{next(self._numbers)}"

    def record(self, **changes):
        made = {"id": self.number(), "sku": self.text(), "n": self.number(), "day": None,
                "kind": self.text(), "shop": None, "d": f"{self.number()}.25", "zip": self.number(),
                "choice": None, "note": self.text(), "body": None}
        return {**made, **changes}


class Canary(ServerCase):
    schema = SCHEMA
    resources = {"shops": None, "quoting": None, "indexed": None, "items": [
        'fields.zip.pattern = "[0-9]+"', 'fields.choice.choices = ["a", "b"]']}
    settings = {"log_level": "debug", "record_bytes_max": 2048}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.execute(TRIGGERS[cls.server.database.kind])
        cls.make = Canaries()
        cls.jobs = []

    def tearDown(self):
        self.look_at_what_all_jobs_share()

    # --- what is sent ---------------------------------------------------------------------

    def faulty(self):
        """code -> a record that has it."""
        make, record = self.make, self.make.record
        taken = record()
        return [(None, taken), ("DUPLICATE_VALUE", record(sku=taken["sku"])),
                ("DUPLICATE_VALUE", record(id=taken["id"])),
                ("INVALID_TYPE", record(n=make.text())), ("INVALID_TYPE", record(day=make.text())),
                ("INVALID_TYPE", record(id=make.text())), ("INVALID_TYPE", record(d=make.text())),
                ("INVALID_TYPE", record(body=make.text())),
                ("VALUE_OUT_OF_RANGE", record(n="99999999999" + make.number() + "99999")),
                ("VALUE_OUT_OF_RANGE", record(d=make.number() + "99999.25")),
                ("VALUE_TOO_LONG", record(sku=make.text("-far-too-long"))),
                ("VALIDATION_FAILED", record(zip=make.text())),
                ("INVALID_CHOICE", record(choice=make.text())),
                ("CHECK_VIOLATION", record(kind=make.text("-checked"))),
                ("FOREIGN_KEY_VIOLATION", record(shop=make.text())),
                ("DATABASE_ERROR", record(note=make.text("-raised"))),
                ("DATABASE_ERROR", record(note=make.text("-undone"))),
                ("NOT_APPLIED", record(note=make.text("-swallowed"))),
                ("RECORD_TOO_LARGE", record(note=make.text() + "x" * 3000 + make.text()))]

    def csv(self, records, columns=None):
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns or COLUMNS)
        writer.writerows([record[name] for name in columns or COLUMNS] for record in records)
        return out.getvalue()

    def broken_csv(self):
        text = self.make.text
        return f'{text()},{text()}\n"{text()}"{text()}' + "," * 10 + f'\n"{text()}\n{text()}'

    def broken_json(self):
        text = self.make.text
        return [f'{{"note": {text()}}}', f'{{"note": "{text()}"', f'"{text()}"', "17" + text(),
                f'{{"colour": "{text()}"}}', f'{{"note": "{text()}", "note": "{text()}"}}',
                f'{{"note": {{"{text()}": "{text()}"}}}}', f'{{"n": ["{text()}"]}}',
                f'{{"note": "\\u00zz{text()}"}}', f'{{"note": "{text()}\x01"}}']

    # --- where is looked ------------------------------------------------------------------

    def assert_silent(self, where, text):
        found = CANARY.search(text)
        if found:
            self.fail(f"{where}: ...{text[max(found.start() - 200, 0):found.end() + 60]}")

    def told_about(self, resource, job, aggregates=False):
        """Everything that the server says of a job, but for its results and aggregates."""
        for name in ("", "status", "history", "events"):
            yield name or "job", self.api.call("GET", self.api.job_path(resource, job, name)).text
        for name in ("data", "results"):
            answer = self.api.call("HEAD", self.api.job_path(resource, job, name))
            yield f"headers of {name}", str(answer.headers)
        for name in ("complete", "abort", "retry", "nothing"):
            if name != "retry":
                yield name, self.api.action(resource, job, name).text
        yield "results", str(self.api.call("GET", self.api.job_path(resource, job, "results"))
                             .headers)
        if not aggregates:
            yield "aggregates", self.api.aggregates(resource, job).text

    def look(self, resource, job, aggregates=False):
        self.jobs.append(job)
        for where, text in self.told_about(resource, job, aggregates):
            self.assert_silent(f"{where} of a job", text.replace(job, "JOB"))

    def look_at_what_all_jobs_share(self):
        listed = self.api.call("GET", "/api/jobs/?limit=1000").text
        for job in self.jobs:
            listed = listed.replace(job, "JOB")
        self.assert_silent("list", re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", listed))
        for path in ("/api/", "/healthz", "/readyz", "/api/items/schema/", "/api/items/jobs/"):
            self.assert_silent(path, re.sub(r"[0-9a-f-]{36}|T[\d:.]+Z", "", self.api.call(
                "GET", path).text))
        self.assert_silent("log", re.sub(r"[0-9a-f-]{36}|T[\d:.]+Z", "", self.server.log()))
        self.assert_silent("output", self.server.output())
        pid = self.server.process.pid
        self.assert_silent("arguments", process.command_line(pid).decode())
        self.assert_silent("environment", process.environment(pid).decode(errors="replace"))
        names = [path.name for path in self.server.folder.rglob("*")]
        self.assert_silent("file names", re.sub(r"[0-9a-f-]{36}", "", " ".join(names)))
        self.assertNotIn(self.server.token, self.server.log())

    def run_job(self, operation, resource, body, form="csv", **options):
        """In one request: the answer must be as silent as all else."""
        answer = self.api.submit(operation, resource, body.encode(), form,
                                 {"Prefer": "wait=20"}, **options)
        self.assertIn(answer.status, (200, 202), answer)
        self.assert_silent("answer", re.sub(r"[0-9a-f-]{36}|T[\d:.]+Z", "", answer.text))
        job = answer.json["job_id"]
        status = self.api.wait_for_end(resource, job)
        self.look(resource, job, aggregates="aggregates" in options)
        return status

    # --- tests ----------------------------------------------------------------------------

    def test_every_error_in_every_format_and_mode(self):
        modes = [{}, {"mode": "atomic"}, {"dry_run": "true"}, {"max_errors": 3},
                 {"on_duplicate": "error"}, {"expect": {"count": 3, "sum.n": "1"}}]
        for form, options in itertools.product(("csv", "ndjson", "json"), modes):
            with self.subTest(form, **options):
                faulty = self.faulty()
                records = [record for _, record in faulty]
                if form == "csv":
                    body = self.csv(records) + self.broken_csv()
                elif form == "ndjson":
                    body = "\n".join([*map(json.dumps, records), *self.broken_json()])
                else:
                    balanced = [text for text in self.broken_json() if text.count("{") == text.count(
                        "}") and "\\u00zz" not in text]
                    body = "[" + ",\n".join([*map(json.dumps, records), *balanced]) + "]"
                status = self.run_job("insert", "items", body, form, **options)
                if not options:
                    wanted = {code for code, _ in faulty if code} | {"MALFORMED_RECORD"}
                    self.assertLessEqual(wanted, set(status["error_summary"]), status)
                    self.values_stand_in_the_results(status["job_id"], records)

    def values_stand_in_the_results(self, job, records):
        for form in ("csv", "ndjson", "json"):
            text = self.api.call("GET", self.api.job_path("items", job, "results"),
                                 query={"format": form}).text
            for record in records[:-1]:  # Of the one that is too large it is in base64.
                self.assertIn(record["note"], text)
        # What a result says beside the record is silent, too.
        for row in self.api.results("items", job):
            self.assert_silent("message", row["_error"] + row["_error_field"] + row["_error_code"])

    def test_every_operation(self):
        make = self.make
        records = [make.record() for _ in range(6)]
        self.run_job("insert", "items", self.csv(records))
        for operation, form in itertools.product(("upsert", "update", "replace"), ("csv", "ndjson")):
            changed = [{**record, "note": make.text(), "d": make.number() + ".25"}
                       for record in records] + [make.record(kind=make.text("-checked")),
                                                 make.record(n=make.text())]
            body = (self.csv(changed) if form == "csv" else
                    "\n".join(json.dumps(record) for record in changed))
            options = {"unique_fields": "sku"} if operation == "upsert" else {}
            status = self.run_job(operation, "items", body, form, **options)
            self.assertGreater(status["error_count"], 0)
            self.assertEqual(status["updated_count"], 6, status)
        keys = self.csv([*records, make.record()], ["sku"])
        status = self.run_job("delete", "items", keys, unique_fields="sku")
        self.assertEqual((status["deleted_count"], status["error_summary"]), (6, {"NOT_FOUND": 1}))

    def test_messages_of_the_database_that_quote_a_value(self):
        for resource in ("quoting", "indexed"):
            body = f"id,note\n1,{self.make.text('[')}\n2,{self.make.text(' x')}\n"
            status = self.run_job("insert", resource, body)
            self.assertEqual(status["error_count"], 2, status)
            for row in self.api.results(resource, status["job_id"]):
                self.assert_silent("message", row["_error"])

    def test_aggregates_hold_what_was_asked_for_and_nothing_else_does(self):
        records = [self.make.record() for _ in range(3)]
        wanted = {"most": {"type": "max", "field": "note"},
                  "groups": {"type": "count", "group_by": "note"}}
        status = self.run_job("insert", "items", self.csv(records), aggregates=wanted)
        got = self.api.aggregates("items", status["job_id"]).text
        for record in records:
            self.assertIn(record["note"], got)

    def test_retries_aborts_and_parts(self):
        records = [self.make.record(kind=self.make.text("-checked")) for _ in range(3)]
        status = self.run_job("insert", "items", self.csv(records))
        child = self.api.action("items", status["job_id"], "retry")
        self.assertEqual(child.status, 202, child)
        self.api.wait_for_end("items", child.json["job_id"])
        self.look("items", child.json["job_id"])
        job = self.api.open_job("items", "insert").json["job_id"]
        body = self.csv(records).encode()
        for part in (self.api.put_data("items", job, 0, body[:100]),
                     self.api.put_data("items", job, 17, body[100:]),
                     self.api.put_data("items", job, 100, gzip.compress(body[100:])[:-3],
                                       {"Content-Encoding": "gzip"})):
            self.assert_silent("part", part.text)
        self.assertEqual(self.api.action("items", job, "abort").status, 200)
        self.look("items", job)

    def test_uploads_that_are_refused(self):
        text = self.make.text
        bodies = [(f'[{{"id": "{text()}"}}', "json"), (f'{{"id": "{text()}"}} x', "json"),
                  (f'"{text()}"', "json"), (f'{{"data": [{{"note": "{text()}"', "json"),
                  (f"id,note\n{text()}\x00", "application/json")]
        for body, form in bodies:
            answer = self.api.submit("insert", "items", body.encode(), form)
            self.expect(answer, 422)
            self.assert_silent("error", answer.text)
            newest = self.api.call("GET", "/api/items/jobs/?limit=1").json["results"][0]
            self.look("items", newest["job_id"])

    def test_records_without_their_header_are_told_to_their_sender_alone(self):
        """The first record is then taken for the header: names of columns that are none."""
        record = self.make.record()
        answer = self.api.submit("insert", "items", self.csv([record, record]).split(
            "\n", 1)[1].encode())
        self.expect(answer, 422)
        newest = self.api.call("GET", "/api/items/jobs/?limit=1").json["results"][0]
        self.assertEqual(newest["state"], "Aborted")
        self.look("items", newest["job_id"])

    def test_tokens_are_not_logged(self):
        answer = self.api.call("GET", "/api/", headers={"Authorization": "Bearer tly_cnry55555"})
        self.assert_silent("error", answer.text)


if __name__ == "__main__":
    unittest.main()
