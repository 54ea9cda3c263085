#!/usr/bin/python3
"""What the system that this one replaces got wrong, each as a test of its own."""
import pathlib
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import effect_log  # noqa: E402
from support.case import ServerCase  # noqa: E402
from support.database import KIND  # noqa: E402

SLOW = {"sqlite": """create trigger {table}_takes_a_while after insert on {table} begin
  select count(*) from (with recursive c(x) as (select 1 union all select x + 1 from c
                        where x < 2000) select x from c); end;
""", "postgresql": """
create function take_a_while() returns trigger language plpgsql as $_$ begin
  perform count(*) from generate_series(1, 4000); return null; end $_$;
create trigger {table}_takes_a_while after insert on {table} for each row
  execute function take_a_while();
"""}[KIND]


class ReplacedSystem(ServerCase):
    schema = """
    create table people (id integer primary key, name text not null, age integer default 18);
    create table items (id integer primary key, sku text not null unique, n integer,
                        note text default 'none');
    create table stock (shop integer not null, sku text not null, n integer,
                        primary key (shop, sku));
    create table entries (id integer primary key, amount decimal(10,2));
    create table logged (id integer primary key, sku text not null unique, n integer);
    create table slow (id integer primary key, n integer);
    """ + SLOW.format(table="slow")
    settings = {"window_records": 100}

    def setUp(self):
        super().setUp()
        self.wait_for_quiet()
        self.server.execute("delete from people; delete from items; delete from stock; "
                            "delete from entries; delete from slow;")

    def test_update_jobs_update(self):
        self.server.execute("insert into people values (1, 'ann', 41), (2, 'bob', 50)")
        status = self.api.run("update", "people", b"id,age\n1,42\n2,51\n")
        self.assertEqual((status["state"], status["updated_count"]), ("Job Complete", 2))
        self.assertEqual(self.server.rows("select * from people"), [(1, "ann", 42), (2, "bob", 51)])

    def test_replace_jobs_replace(self):
        self.server.execute("insert into people values (1, 'ann', 41)")
        status = self.api.run("replace", "people", b"id,name\n1,eve\n")
        self.assertEqual((status["state"], status["updated_count"]), ("Job Complete", 1))
        self.assertEqual(self.server.rows("select * from people"), [(1, "eve", 18)])

    def test_every_url_that_is_advertised_is_there(self):
        started = self.api.submit("insert", "people", b"name\nann\n").json
        self.api.wait_for_end("people", started["job_id"])
        self.api.ask_aggregates("people", started["job_id"], {"n": {"type": "count"}})
        status = self.api.status("people", started["job_id"]).json
        opened = self.api.open_job("people", "insert").json
        listed = self.api.call("GET", "/api/people/jobs/?limit=1").json
        urls = []
        for answer in (started, status, opened, listed, *listed["results"]):
            urls += [url for name, url in answer.items()
                     if (name.endswith("_url") or name == "next") and url]
        self.assertGreaterEqual(len(urls), 6)
        for url in urls:
            method = "HEAD" if url.endswith("/data/") else "GET"
            answer = self.api.call(method, url)
            if url.endswith("/complete/"):
                self.assertEqual(answer.status, 405, url)  # There, for POST.
            elif url.startswith(opened["status_url"].rsplit("/status", 1)[0]):
                self.assertIn(answer.status, (200, 409), url)
            else:
                self.assertEqual(answer.status, 200, url)

    def test_an_unknown_job_is_404(self):
        for name in ("", "status", "history", "results", "aggregates", "events"):
            for job in ("01890a5d-ac96-774b-bcce-b302099a8057", "task-123", "1"):
                self.expect(self.api.call("GET", self.api.job_path("people", job, name)), 404)

    def test_a_job_stays_when_the_server_starts_anew(self):
        status = self.api.run("insert", "people", b"id,name\n1,ann\n1,bob\n")
        results = self.api.results("people", status["job_id"])
        self.server.restart()
        api = self.server.api()
        self.assertEqual(api.status("people", status["job_id"]).json, status)
        self.assertEqual(api.results("people", status["job_id"]), results)
        self.assertEqual(api.status("people", status["job_id"]).json["error_summary"],
                         {"DUPLICATE_VALUE": 1})

    def test_jobs_on_one_table_run_one_after_the_other(self):
        effect_log.install(self.server.database, "slow")
        self.addCleanup(effect_log.remove, self.server.database, "slow")
        bodies = [("id,n\n" + "".join(f"{job * 1000 + n},{job}\n" for n in range(400))).encode()
                  for job in range(4)]
        jobs = [self.api.submit("insert", "slow", body).json["job_id"] for body in bodies]
        for job in jobs:
            self.assertEqual(self.api.wait_for_end("slow", job)["created_count"], 400)
        order = [effect.row["n"] for effect in effect_log.effects(self.server.database, "slow")]
        self.assertEqual(order, sorted(order))
        ends = [self.api.status("slow", job).json["completed_at"] for job in jobs]
        self.assertEqual(ends, sorted(ends))

    def test_two_concurrent_upserts_of_500_keys_leave_500_rows(self):
        body = ("sku,n\n" + "".join(f"k{n},%d\n" for n in range(500)))
        jobs, ready = [], threading.Barrier(2)

        def upsert(number):
            api = self.server.api()
            ready.wait()
            jobs.append(api.submit("upsert", "items", (body.replace("%d", str(number))).encode(),
                                   unique_fields="sku").json["job_id"])
        threads = [threading.Thread(target=upsert, args=(number,)) for number in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = [self.api.wait_for_end("items", job) for job in jobs]
        self.assertEqual([status["state"] for status in ended], ["Job Complete"] * 2)
        self.assertEqual(sorted(status["created_count"] for status in ended), [0, 500])
        self.assertEqual(sorted(status["updated_count"] for status in ended), [0, 500])
        self.assertEqual(self.server.rows("select count(*), count(distinct n) from items"),
                         [(500, 1)])

    def test_a_job_that_is_taken_up_again_does_not_double_its_rows(self):
        body = ("n\n" + "".join(f"{n}\n" for n in range(3000))).encode()
        job = self.api.submit("insert", "slow", body).json["job_id"]
        self.server.restart()
        status = self.server.api().wait_for_end("slow", job, 60)
        self.assertEqual(status["created_count"], 3000)
        self.assertEqual(self.server.rows("select count(*), count(distinct n) from slow"),
                         [(3000, 3000)])

    def test_a_request_that_is_sent_again_does_not_double_its_rows(self):
        headers = {"Idempotency-Key": "once"}
        jobs = {self.api.submit("insert", "people", b"name\nann\n", headers=headers).json["job_id"]
                for _ in range(3)}
        self.assertEqual(len(jobs), 1)
        self.api.wait_for_end("people", jobs.pop())
        self.assertEqual(self.server.rows("select count(*) from people"), [(1,)])

    def test_progress_is_what_was_committed(self):
        body = ("n\n" + "".join(f"{n}\n" for n in range(3000))).encode()
        before = self.server.rows("select count(*) from slow")[0][0]
        seen, begin = [], time.monotonic()
        job = self.api.submit("insert", "slow", body).json["job_id"]
        while True:
            status = self.api.status("slow", job).json
            written = self.server.rows("select count(*) from slow")[0][0] - before
            self.assertLessEqual(status["processed_items"], written)
            self.assertAlmostEqual(float(status["percentage"]),
                                   100 * status["processed_items"] / 3000, delta=0.1)
            seen.append(status["processed_items"])
            if status["estimated_remaining"] is not None:  # By the rate that was measured.
                done = status["processed_items"]
                self.assertGreater(done, 0, "an estimate before anything was written")
                by_rate = (time.monotonic() - begin) * (3000 - done) / done
                self.assertLessEqual(status["estimated_remaining"], by_rate + 1)
            if status["state"] == "Job Complete":
                break
        self.assertEqual(seen, sorted(seen))
        self.assertGreater(len(set(seen)), 2, "no progress was seen on the way")
        self.assertEqual(status["estimated_remaining"], None)

    def test_one_duplicate_among_a_thousand_costs_that_one_record(self):
        skus = [f"s{n}" for n in range(1000)]
        skus[700] = "s3"
        body = ("sku,n\n" + "".join(f"{sku},{n}\n" for n, sku in enumerate(skus))).encode()
        status = self.api.run("insert", "items", body)
        self.assertEqual((status["state"], status["created_count"], status["error_count"]),
                         ("Job Complete", 999, 1))
        self.assertEqual([(error["record"], error["code"], error["field"])
                          for error in status["errors"]], [(701, "DUPLICATE_VALUE", "sku")])
        self.assertEqual(self.server.rows("select count(*) from items"), [(999,)])

    def test_a_record_with_half_a_key_is_an_error_and_is_not_applied(self):
        self.server.execute("insert into stock values (1, 'a', 10), (2, 'a', 20)")
        status = self.api.run("upsert", "stock", b'{"sku": "a", "n": 99}\n'
                              b'{"shop": 1, "sku": "a", "n": 11}\n', "ndjson",
                              unique_fields="shop,sku")
        self.assertEqual((status["error_count"], status["updated_count"]), (1, 1))
        self.assertEqual(self.server.rows("select * from stock order by shop"), [(1, "a", 11), (2, "a", 20)])

    def test_an_upsert_leaves_the_columns_alone_that_were_not_sent(self):
        self.server.execute("insert into items values (1, 'a', 1, 'mine')")
        self.api.run("upsert", "items", b"sku,n\na,2\n", unique_fields="sku")
        self.assertEqual(self.server.rows("select * from items"), [(1, "a", 2, "mine")])

    def test_a_delete_of_an_id_that_does_not_exist_is_not_a_success(self):
        self.server.execute("insert into people values (1, 'ann', 41)")
        status = self.api.run("delete", "people", b"[1, 2]", "json")
        self.assertEqual((status["deleted_count"], status["success_count"], status["error_count"]),
                         (1, 1, 1))
        self.assertEqual(status["error_summary"], {"NOT_FOUND": 1})

    def test_the_errors_of_a_completed_job_can_be_read(self):
        body = ("id,name\n" + "".join(f"{n % 7},x\n" for n in range(300))).encode()
        status = self.api.run("insert", "people", body)
        self.assertEqual(status["state"], "Job Complete")
        self.assertEqual(len(status["errors"]), 100)
        failed = self.api.results("people", status["job_id"], outcome="failed")
        self.assertEqual([int(row["_record"]) for row in failed], list(range(8, 301)))
        self.assertTrue(all(row["_error_code"] == "DUPLICATE_VALUE" and row["_error"]
                            and row["name"] == "x" for row in failed))

    def test_aggregates_are_refused_for_jobs_that_are_not_complete(self):
        failed = self.api.run("insert", "people", b"id,name\n1,ann\n1,bob\n2,cem\n", max_errors=0)
        self.assertEqual(failed["state"], "Failed")
        opened = self.api.open_job("people", "insert").json["job_id"]
        for job, state in ((failed["job_id"], "Failed"), (opened, "Open")):
            answer = self.api.ask_aggregates("people", job, {"n": {"type": "count"}})
            self.expect(answer, 409)
            self.assertEqual(answer.json["state"], state)

    def test_aggregates_are_over_the_rows_of_the_job_and_not_over_the_table(self):
        self.server.execute("insert into entries values (1, 1000.00), (2, 5.00), (3, 2000.00)")
        status = self.api.run("upsert", "entries", b"id,amount\n2,7.50\n3,2000.00\n9,0.25\n",
                              unique_fields="id")
        self.assertEqual((status["created_count"], status["updated_count"],
                          status["unchanged_count"]), (1, 1, 1))
        answer = self.api.ask_aggregates("entries", status["job_id"], {
            "sum": {"type": "sum", "field": "amount"}, "n": {"type": "count"}})
        self.assertEqual(answer.json["aggregate_results"]["n"], 3)
        self.assertEqual(str(answer.json["aggregate_results"]["sum"]), "2007.75")

    def test_a_second_request_for_aggregates_gets_its_own_answer(self):
        status = self.api.run("insert", "entries", b"amount\n1.50\n2.50\n")
        for kind, value in (("sum", "4"), ("max", "2.5"), ("sum", "4")):
            answer = self.api.ask_aggregates("entries", status["job_id"],
                                             {"x": {"type": kind, "field": "amount"}})
            self.assertEqual(float(answer.json["aggregate_results"]["x"]), float(value))

    def test_nobody_reads_the_job_of_somebody_else(self):
        status = self.api.run("insert", "people", b"name\nann\n")
        stranger = self.server.api(self.server.make_token("stranger", "stranger", ["*"]))
        for name in ("status", "results", "history", "aggregates", "events"):
            answer = stranger.call("GET", stranger.job_path("people", status["job_id"], name))
            self.expect(answer, 404)

    def test_unique_fields_are_names_and_match_no_row_that_was_not_named(self):
        self.server.execute("insert into items values (1, 'abc', 1, 'mine')")
        for name in ("sku__startswith", "sku__in", "SKU", "id__gt", "sku\"; --"):
            answer = self.api.submit("upsert", "items", b"sku,n\na,2\n", unique_fields=name)
            self.expect(answer, 400, mentions=[name])
        self.assertEqual(self.server.rows("select * from items"), [(1, "abc", 1, "mine")])


if __name__ == "__main__":
    unittest.main()
