#!/usr/bin/python3
"""The REST face, watching: status, lists, history, events, results, aggregates."""
import base64
import http.client
import json
import pathlib
import re
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.case import ServerCase  # noqa: E402
from support.wait import wait_until  # noqa: E402

TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"
UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


class Watching(ServerCase):
    schema = """
    create table transactions (id integer primary key, account integer, amount decimal(10,2),
                               category text, unique (account));
    create table others (id integer primary key, name text);
    create table lonely (name text);
    """
    resources = {"transactions": [
        'aggregates.category_aggregate_function.type = "count"',
        'aggregates.category_aggregate_function.group_by = "category"'],
        "others": None, "lonely": None}

    def setUp(self):
        super().setUp()
        self.wait_for_quiet()
        self.server.execute("delete from transactions; delete from others;")

    def job(self, body=b"amount,category\n100.50,Food\n75.25,Transportation\n", **options):
        return self.api.run("insert", "transactions", body, **options)

    def get(self, job, name, headers=None, **query):
        return self.api.call("GET", self.api.job_path("transactions", job, name), None, headers,
                             query)

    # --- status -------------------------------------------------------------------------

    def test_a_status_has_every_field_of_the_contract(self):
        status = self.job()
        job = status["job_id"]
        self.assertRegex(job, UUID7)
        for name in ("created_at", "updated_at", "completed_at"):
            self.assertRegex(status[name], TIME)
        expected = {
            "job_type": "insert", "state": "Job Complete", "total_items": 2, "processed_items": 2,
            "success_count": 2, "error_count": 0, "percentage": 100.0, "aggregates_ready": True,
            "aggregates_completed": False, "created_count": 2, "updated_count": 0,
            "deleted_count": 0, "unchanged_count": 0, "unprocessed_count": 0, "verified": True,
            "error_summary": {}, "errors": [], "estimated_remaining": None, "can_retry": False,
            "results_url": f"/api/transactions/jobs/{job}/results/"}
        self.assertEqual({name: status[name] for name in expected}, expected)
        self.assertIsInstance(status["message"], str)
        self.assertIsInstance(status["number"], int)
        self.assertIsInstance(status["retries"], int)

    def test_a_status_is_read_with_and_without_its_last_word_and_slash(self):
        job = self.job()["job_id"]
        first = self.get(job, "status").json
        for path in (f"/api/transactions/jobs/{job}/status", f"/api/transactions/jobs/{job}/",
                     f"/api/transactions/jobs/{job}"):
            self.assertEqual(self.api.call("GET", path).json, first)

    def test_a_job_of_no_records_is_at_100_percent(self):
        status = self.job(b"amount,category\n")
        self.assertEqual((status["total_items"], status["percentage"], status["state"]),
                         (0, 100, "Job Complete"))

    def test_errors_name_record_code_field_and_rule(self):
        status = self.job(b"id,amount\n1,1\nx,1\n1,2\n3,y\n")
        self.assertEqual(status["error_summary"], {"INVALID_TYPE": 2, "DUPLICATE_VALUE": 1})
        self.assertEqual([(error["record"], error["code"], error["field"])
                          for error in status["errors"]],
                         [(2, "INVALID_TYPE", "id"), (3, "DUPLICATE_VALUE", "id"),
                          (4, "INVALID_TYPE", "amount")])
        self.assertTrue(all(error["message"] for error in status["errors"]))
        self.assertTrue(status["can_retry"])

    def test_numbers_of_jobs_are_unique_and_grow(self):
        numbers = [self.job(b"amount\n1\n")["number"] for _ in range(3)]
        self.assertEqual(numbers, sorted(set(numbers)))

    # --- lists --------------------------------------------------------------------------

    def test_a_list_is_paged_newest_first(self):
        jobs = [self.job(b"amount\n1\n")["job_id"] for _ in range(5)]
        seen, path = [], "/api/transactions/jobs/?limit=2"
        while path and len(seen) < 5:
            page = self.api.call("GET", path).json
            self.assertLessEqual(len(page["results"]), 2)
            seen += [job["job_id"] for job in page["results"]]
            path = page["next"]
        self.assertEqual(seen[:5], jobs[::-1])

    def test_the_last_page_has_no_next(self):
        page = self.api.call("GET", "/api/jobs/?limit=1000").json
        self.assertIsNone(page["next"])

    def test_lists_are_filtered_by_state_and_operation_and_time(self):
        done = self.job(b"amount\n1\n")
        opened = self.api.open_job("transactions", "delete").json["job_id"]

        def listed(**query):
            answer = self.api.call("GET", "/api/transactions/jobs/", query={"limit": 1000, **query})
            return [job["job_id"] for job in answer.json["results"]]
        self.assertIn(opened, listed(state="Open"))
        self.assertNotIn(done["job_id"], listed(state="Open"))
        self.assertIn(done["job_id"], listed(state="Job Complete"))
        self.assertIn(opened, listed(operation="delete"))
        self.assertNotIn(opened, listed(operation="insert"))
        self.assertNotIn(done["job_id"], listed(created_after=done["completed_at"]))
        self.assertIn(opened, listed(created_after=done["created_at"]))
        self.assertNotIn(opened, listed(created_before=done["completed_at"]))

    def test_the_list_over_all_resources_names_the_resource(self):
        one = self.job(b"amount\n1\n")["job_id"]
        other = self.api.run("insert", "others", b"name\nx\n")["job_id"]
        listed = self.api.call("GET", "/api/jobs/?limit=2").json["results"]
        self.assertEqual([job["job_id"] for job in listed], [other, one])

    def test_parameters_of_a_list_that_cannot_be_read_are_400(self):
        for query in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"state": "Done"},
                      {"operation": "merge"}, {"created_after": "yesterday"}, {"cursor": "x"},
                      {"sort": "id"}):
            answer = self.api.call("GET", "/api/transactions/jobs/", query=query)
            self.expect(answer, 400, mentions=[next(iter(query))])

    # --- history and events ---------------------------------------------------------------

    def test_a_history_is_every_event_when_and_by_whom(self):
        job = self.job()["job_id"]
        history = self.api.history("transactions", job)
        self.assertEqual([entry["event"] for entry in history if entry["to"] and entry["from"]],
                         ["upload_completed", "claimed", "finished"])
        self.assertEqual(history[0]["event"], "created")
        self.assertTrue(all(re.match(TIME, entry["at"]) and entry["by"] for entry in history))
        self.assertEqual([entry["sequence"] for entry in history],
                         list(range(1, len(history) + 1)))

    def events(self, job, last_id=None, stop=lambda seen: False):
        """[(id, event, data)] up to the end of the stream, or until stop(them)."""
        host = urllib.parse.urlsplit(self.server.url).netloc
        connection = http.client.HTTPConnection(host, timeout=20)
        headers = {"Authorization": f"Bearer {self.server.token}"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        connection.request("GET", self.api.job_path("transactions", job, "events"), headers=headers)
        response = connection.getresponse()
        self.assertEqual(response.status, 200)
        self.assertTrue(response.getheader("Content-Type").startswith("text/event-stream"))
        seen, fields = [], {}
        for line in response:
            text = line.decode().rstrip("\r\n")
            name, _, value = text.partition(": ")
            if name:
                fields[name] = value
            elif not text and "event" in fields:
                seen.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
                fields = {}
                if stop(seen):
                    break
        connection.close()
        return seen

    def test_events_of_an_ended_job_tell_its_states_and_end(self):
        job = self.job()["job_id"]
        seen = self.events(job)
        self.assertEqual([data["state"] for _, event, data in seen if event == "state"],
                         ["Open", "Upload Complete", "In Progress", "Job Complete"])
        self.assertIn("progress", [event for _, event, _ in seen])

    def test_events_go_on_after_the_last_one_that_was_seen(self):
        job = self.job()["job_id"]
        seen = self.events(job)
        for place, (event_id, _, _) in enumerate(seen[:-1]):
            self.assertEqual(self.events(job, event_id), seen[place + 1:])

    def test_events_of_an_open_job_arrive_as_they_happen(self):
        job = self.api.open_job("transactions", "insert").json["job_id"]
        first = self.events(job, stop=lambda seen: len(seen) == 1)
        self.assertEqual(first[0][2]["state"], "Open")
        self.api.put_data("transactions", job, 0, b"amount\n1\n")
        begin = time.monotonic()
        self.api.action("transactions", job, "complete")
        rest = self.events(job, first[0][0])
        self.assertLess(time.monotonic() - begin, 10)
        self.assertEqual(rest[-1][2]["state"], "Job Complete")

    # --- results --------------------------------------------------------------------------

    def failing_job(self):
        return self.job(b'id,account,amount,category\n1,7,1.50,"=1+1"\n2,7,2,b\nx,8,3,"c,""d"\n')

    def test_csv_results_have_the_original_columns_and_text(self):
        job = self.failing_job()["job_id"]
        answer = self.get(job, "results")
        self.assertTrue(answer.header("Content-Type").startswith("text/csv"))
        header = answer.text.splitlines()[0]
        self.assertEqual(header, "_record,_outcome,_id,_error_code,_error_field,_error,"
                                 "id,account,amount,category")
        rows = self.api.results("transactions", job)
        self.assertEqual([(row["_record"], row["_outcome"], row["_id"], row["_error_code"],
                           row["_error_field"], row["amount"], row["category"]) for row in rows],
                         [("1", "created", "1", "", "", "1.50", "=1+1"),
                          ("2", "failed", "", "DUPLICATE_VALUE", "account", "2", "b"),
                          ("3", "failed", "", "INVALID_TYPE", "id", "3", 'c,"d')])

    def test_results_as_ndjson_and_json_say_the_same(self):
        job = self.failing_job()["job_id"]
        rows = self.api.results("transactions", job)
        lines = self.get(job, "results", format="ndjson")
        self.assertTrue(lines.header("Content-Type").startswith("application/x-ndjson"))
        ndjson = [json.loads(line) for line in lines.text.splitlines()]
        array = self.get(job, "results", {"Accept": "application/json"})
        self.assertEqual(array.json, ndjson)
        self.assertEqual([(str(one["_record"]), one["_outcome"], one["category"])
                          for one in ndjson],
                         [(row["_record"], row["_outcome"], row["category"]) for row in rows])

    def test_results_are_filtered_by_outcome(self):
        self.server.execute("insert into transactions (id, account, amount) values (1, 1, 5), "
                            "(2, 2, 5)")
        status = self.api.run("upsert", "transactions",
                              b"account,amount\n1,6\n2,5\n3,7\n4,x\n", unique_fields="account")
        job = status["job_id"]
        for outcome, records in (("updated", ["1"]), ("unchanged", ["2"]), ("created", ["3"]),
                                 ("failed", ["4"]), ("succeeded", ["1", "2", "3"]),
                                 ("unprocessed", []), ("deleted", [])):
            rows = self.api.results("transactions", job, outcome=outcome)
            self.assertEqual([row["_record"] for row in rows], records, outcome)
        self.expect(self.get(job, "results", outcome="good"), 400, mentions=["outcome"])

    def test_formulas_are_defused_on_request(self):
        job = self.failing_job()["job_id"]
        rows = self.api.results("transactions", job, safe="spreadsheet")
        self.assertEqual(rows[0]["category"], "'=1+1")
        self.assertEqual(rows[1]["category"], "b")

    def test_a_format_that_is_not_offered_is_406(self):
        job = self.failing_job()["job_id"]
        self.expect(self.get(job, "results", {"Accept": "image/png"}), 406)
        self.expect(self.get(job, "results", format="xml"), 406)

    def test_results_of_json_uploads_have_the_fields_and_the_original(self):
        body = b'{"account": 5, "amount": 1.50}\n{"acount": 6}\nnot json\n'
        status = self.api.run("insert", "transactions", body, "ndjson")
        answer = self.get(status["job_id"], "results")
        self.assertTrue(answer.text.splitlines()[0].endswith(
            "_error,id,account,amount,category,_original"))
        rows = self.api.results("transactions", status["job_id"])
        self.assertEqual([row["_original"] for row in rows], body.decode().splitlines())
        self.assertEqual((rows[0]["account"], rows[0]["amount"], rows[0]["category"]),
                         ("5", "1.50", ""))
        self.assertEqual((rows[2]["account"], rows[2]["_error_code"]), ("", "MALFORMED_RECORD"))

    def test_an_original_that_is_not_utf8_is_given_as_base64(self):
        record = b'{"category": "\xff"}'
        status = self.api.run("insert", "transactions", record + b"\n", "ndjson")
        [row] = [json.loads(line) for line in
                 self.get(status["job_id"], "results", format="ndjson").text.splitlines()]
        self.assertEqual(base64.b64decode(row["_original_base64"]), record)

    def test_results_of_a_table_without_a_primary_key_have_no_id(self):
        status = self.api.run("insert", "lonely", b"name\nann\n")
        [row] = self.api.results("lonely", status["job_id"])
        self.assertEqual((row["_outcome"], row["_id"]), ("created", ""))

    def test_results_of_an_open_job_are_409(self):
        job = self.api.open_job("transactions", "insert").json["job_id"]
        answer = self.get(job, "results")
        self.expect(answer, 409)
        self.assertEqual(answer.json["state"], "Open")

    # --- aggregates -------------------------------------------------------------------------

    def test_aggregates_of_the_example_are_exact(self):
        job = self.job()["job_id"]
        definitions = {
            "total_amount": {"type": "sum", "field": "amount"},
            "transaction_count": {"type": "count"},
            "average_amount": {"type": "avg", "field": "amount"},
            "category_breakdown": {"type": "custom", "function": "category_aggregate_function"}}
        answer = self.api.ask_aggregates("transactions", job, definitions)
        self.assertEqual(answer.status, 200)
        self.assertIn('"total_amount":175.75', answer.text.replace(" ", ""))
        self.assertIn('"average_amount":87.875', answer.text.replace(" ", ""))
        self.assertEqual(answer.json["aggregate_results"]["category_breakdown"],
                         {"Food": 1, "Transportation": 1})
        self.assertRegex(answer.json["as_of"], TIME)
        self.assertEqual(answer.json["changed_since"], False)
        self.assertEqual(self.api.aggregates("transactions", job).json["aggregate_results"],
                         answer.json["aggregate_results"])
        self.assertTrue(self.get(job, "status").json["aggregates_completed"])

    def test_aggregates_nobody_asked_for_are_404(self):
        job = self.job()["job_id"]
        self.expect(self.api.aggregates("transactions", job), 404, "AGGREGATES_NOT_REQUESTED")

    def test_a_later_job_on_the_table_is_told(self):
        job = self.job()["job_id"]
        self.job()
        answer = self.api.ask_aggregates("transactions", job, {"n": {"type": "count"}})
        self.assertEqual(answer.json["changed_since"], True)

    def test_a_definition_that_cannot_be_is_400_and_nothing_is_computed(self):
        job = self.job()["job_id"]
        for definition, word in (({"type": "sum", "field": "amuont"}, "amuont"),
                                 ({"type": "median", "field": "amount"}, "median"),
                                 ({"type": "custom", "function": "f"}, "f"),
                                 ({"type": "sum", "field": "category"}, "category"),
                                 ({"type": "count", "group_by": "catgory"}, "catgory"),
                                 ({"type": "sum"}, "field")):
            answer = self.api.ask_aggregates("transactions", job,
                                             {"good": {"type": "count"}, "bad": definition})
            self.expect(answer, 400, mentions=[word])
        self.expect(self.api.aggregates("transactions", job), 404, "AGGREGATES_NOT_REQUESTED")

    def test_aggregates_of_an_unverified_job_are_409(self):
        status = self.job(expect={"count": 3})
        self.assertEqual(status["verified"], False)
        answer = self.api.ask_aggregates("transactions", status["job_id"], {"n": {"type": "count"}})
        self.expect(answer, 409)

    # --- describing -------------------------------------------------------------------------

    def test_resources_are_listed(self):
        answer = self.api.call("GET", "/api/")
        self.assertEqual(answer.status, 200)
        for name in ("transactions", "others"):
            self.assertIn(f'"{name}"', answer.text)

    def test_a_schema_names_fields_keys_operations_and_aggregates(self):
        answer = self.api.call("GET", "/api/transactions/schema/")
        self.assertEqual(answer.status, 200)
        fields = {field["name"]: field for field in answer.json["fields"]}
        self.assertEqual(list(fields), ["id", "account", "amount", "category"])
        self.assertEqual([fields[name]["type"] for name in fields],
                         ["integer", "integer", "decimal", "text"])
        for word in ("account", "upsert", "category_aggregate_function"):
            self.assertIn(word, answer.text)

    def test_a_template_is_a_header_that_an_upload_may_have(self):
        answer = self.api.call("GET", "/api/transactions/template.csv")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.header("Content-Type").startswith("text/csv"))
        header = answer.text.splitlines()[0]
        self.assertEqual(set(header.split(",")), {"id", "account", "amount", "category"})
        self.assertEqual(self.job(answer.body)["state"], "Job Complete")

    def test_health_and_readiness_are_public(self):
        wait_until(lambda: self.api.call("GET", "/readyz").status == 200, "the server is ready")
        self.assertEqual(self.api.call("GET", "/healthz").status, 200)


if __name__ == "__main__":
    unittest.main()
