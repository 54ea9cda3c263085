#!/usr/bin/python3
"""The REST face, sending in one request: shapes, encodings, keys, and what is refused."""
import gzip
import http.client
import pathlib
import socket
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.case import ServerCase  # noqa: E402
from support.wait import wait_until  # noqa: E402

CSV = b"name,age\nann,41\nbob,50\n"
MESSAGES = {"insert": "create", "upsert": "upsert", "update": "update", "replace": "replace",
            "delete": "delete"}


class Sending(ServerCase):
    schema = "create table people (id integer primary key, name text, age integer);"
    resources = {"people": None, "readers": ['table = "people"', 'operations = ["insert"]']}
    settings = {"upload_bytes_max": "1MiB", "record_bytes_max": "64KiB", "atomic_records_max": 10,
                "expansion_ratio_max": 50}

    def setUp(self):
        super().setUp()
        self.wait_for_quiet()
        self.server.execute("delete from people")

    def names(self):
        return [row[0] for row in self.server.rows("select name from people order by name")]

    # --- in one request -----------------------------------------------------------------

    def test_a_start_is_answered_202_with_the_shape_of_the_contract(self):
        answer = self.api.submit("insert", "people", CSV)
        self.assertEqual(answer.status, 202)
        started = answer.json
        job = started["job_id"]
        self.assertEqual(started["message"], "Enhanced bulk create job started for 2 items")
        self.assertEqual(started["total_items"], 2)
        self.assertIsInstance(started["task_id"], str)
        self.assertEqual(started["status_url"], f"/api/people/jobs/{job}/status/")
        self.assertEqual(started["aggregates_url"], f"/api/people/jobs/{job}/aggregates/")

    def test_each_operation_says_its_own_word(self):
        for operation, word in MESSAGES.items():
            options = {"unique_fields": "id"} if operation == "upsert" else {}
            body = b"id\n" if operation == "delete" else b"id,name\n"
            started = self.api.submit(operation, "people", body, **options).json
            self.assertEqual(started["message"], f"Enhanced bulk {word} job started for 0 items")
            self.assertEqual("unique_fields" in started, operation == "upsert")
            status = self.api.wait_for_end("people", started["job_id"])
            self.assertEqual(status["job_type"], operation)

    def test_an_upsert_names_its_fields(self):
        started = self.api.submit("upsert", "people", b"id,name,age\n1,x,1\n", unique_fields="id",
                                  update_fields="name").json
        self.assertEqual((started["unique_fields"], started["update_fields"]), (["id"], ["name"]))

    def test_the_path_is_taken_without_its_last_slash(self):
        answer = self.api.call("POST", "/api/people/bulk/v2", CSV, {"Content-Type": "text/csv"})
        self.assertEqual(answer.status, 202)

    def test_prefer_wait_answers_with_the_status_of_the_ended_job(self):
        answer = self.api.submit("insert", "people", CSV, headers={"Prefer": "wait=20"})
        self.assertEqual(answer.status, 200)
        self.assertEqual((answer.json["state"], answer.json["created_count"]), ("Job Complete", 2))

    def test_a_content_type_may_have_parameters(self):
        answer = self.api.submit("insert", "people", CSV, "text/csv; charset=utf-8")
        self.assertEqual(answer.status, 202)

    def multipart(self, *parts):
        boundary = "b0undary"
        body = b"".join(b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), head.encode(), data)
                        for head, data in parts) + b"--%s--\r\n" % boundary.encode()
        return self.api.call("POST", "/api/people/bulk/v2/", body,
                             {"Content-Type": f"multipart/form-data; boundary={boundary}",
                              "Prefer": "wait=20"})

    def test_a_form_with_one_file_is_its_file(self):
        answer = self.multipart((
            'Content-Disposition: form-data; name="file"; filename="people.csv"\r\n'
            "Content-Type: text/csv", CSV))
        self.assertEqual((answer.status, answer.json["created_count"]), (200, 2), answer)
        self.assertEqual(self.names(), ["ann", "bob"])

    def test_a_form_without_a_file_is_422(self):
        self.expect(self.multipart(('Content-Disposition: form-data; name="dry_run"', b"true")), 422)

    # --- gzip ---------------------------------------------------------------------------

    def gzipped(self, body, **headers):
        return self.api.submit("insert", "people", body, headers={
            "Content-Encoding": "gzip", "Prefer": "wait=20", **headers})

    def test_a_gzipped_upload_is_what_it_holds(self):
        answer = self.gzipped(gzip.compress(CSV))
        self.assertEqual(answer.json["created_count"], 2, answer)

    def test_an_encoding_that_is_not_read_is_415(self):
        answer = self.api.submit("insert", "people", CSV, headers={"Content-Encoding": "br"})
        self.expect(answer, 415, mentions=["gzip"])

    # --- idempotency ----------------------------------------------------------------------

    def send(self, key, body=CSV, **options):
        return self.api.submit("insert", "people", body, headers={"Idempotency-Key": key}, **options)

    def test_the_same_key_and_body_is_the_same_job(self):
        first, second = self.send("a"), self.send("a")
        self.assertEqual((first.status, second.status), (202, 202))
        self.assertEqual(first.json["job_id"], second.json["job_id"])
        self.api.wait_for_end("people", first.json["job_id"])
        self.assertEqual(self.send("a").json["job_id"], first.json["job_id"])
        self.assertEqual(self.names(), ["ann", "bob"])

    def test_the_same_key_over_a_gzipped_body_is_the_same_job(self):
        first = self.send("zipped")
        again = self.api.submit("insert", "people", gzip.compress(CSV), headers={
            "Idempotency-Key": "zipped", "Content-Encoding": "gzip"})
        self.assertEqual(again.json["job_id"], first.json["job_id"])

    def test_the_same_key_with_another_body_or_option_is_409(self):
        self.send("b")
        self.expect(self.send("b", CSV + b"cem,7\n"), 409)
        self.expect(self.send("b", dry_run="true"), 409)

    def test_a_key_belongs_to_its_owner_and_resource(self):
        first = self.send("c").json["job_id"]
        other = self.api.copy(self.server.make_token("second", "second", ["*"]))
        theirs = other.submit("insert", "people", CSV, headers={"Idempotency-Key": "c"})
        elsewhere = self.api.submit("insert", "readers", CSV, headers={"Idempotency-Key": "c"})
        self.assertEqual(len({first, theirs.json["job_id"], elsewhere.json["job_id"]}), 3)

    def open_jobs(self):
        listed = self.api.call("GET", "/api/people/jobs/?state=Open&limit=1000").json["results"]
        return {job["job_id"] for job in listed}

    def begin_slowly(self, key, body):
        """A request whose body stops half-way, once its job is there: its connection."""
        slow = http.client.HTTPConnection(urllib.parse.urlsplit(self.server.url).netloc, timeout=20)
        slow.putrequest("POST", "/api/people/bulk/v2/")
        for name, value in (("Authorization", f"Bearer {self.server.token}"),
                            ("Content-Type", "text/csv"), ("Idempotency-Key", key),
                            ("Content-Length", str(len(body)))):
            slow.putheader(name, value)
        before = self.open_jobs()
        slow.endheaders(body[:30_000])
        wait_until(lambda: self.open_jobs() - before, "the first try is arriving")
        return slow

    def test_a_key_whose_upload_is_still_arriving_is_409_and_starts_anew_when_it_broke(self):
        body = b"name,age\n" + b"ann,41\n" * 6000  # More than the server waits for by itself.
        for attempt in range(5):
            key = f"slow {attempt}"
            slow = self.begin_slowly(key, body)
            answer = self.send(key, body)
            if answer.status == 409:
                break
            # It came between the making of the job and its first byte, and took it over.
            self.assertEqual(answer.status, 202, answer)
            slow.close()
            self.assertEqual(self.api.wait_for_end("people", answer.json["job_id"])["created_count"],
                             6000)
            self.server.execute("delete from people")
        self.expect(answer, 409)
        slow.close()

        def started():
            again = self.send(key, body)
            return again if again.status == 202 else None
        job = wait_until(started, "the broken try has given way").json["job_id"]
        self.assertEqual(self.api.wait_for_end("people", job)["created_count"], 6000)
        self.assertEqual(len(self.names()), 6000)

    # --- what is refused --------------------------------------------------------------------

    def test_an_unknown_resource_or_path_is_404(self):
        self.expect(self.api.submit("insert", "peeple", CSV), 404, mentions=["peeple"])
        for path in ("/api/people/bulk/v3/", "/api/people/", "/nothing", "/api/people/jobs/x/y/"):
            self.expect(self.api.call("GET", path), 404)

    def test_another_method_is_405_with_what_is_allowed(self):
        for method, path, allowed in (("GET", "/api/people/bulk/v2/", "POST"),
                                      ("DELETE", "/api/people/jobs/", "GET"),
                                      ("POST", "/healthz", "GET")):
            answer = self.api.call(method, path, b"")
            self.expect(answer, 405)
            self.assertIn(allowed, answer.header("Allow"))

    def test_a_body_without_a_length_is_411(self):
        answer = self.api.call("POST", "/api/people/bulk/v2/", None,
                               {"Content-Type": "text/csv", "Content-Length": ""})
        self.assertIn(answer.status, (400, 411))
        host, port = urllib.parse.urlsplit(self.server.url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall((f"POST /api/people/bulk/v2/ HTTP/1.1\r\nHost: {host}\r\n"
                         f"Authorization: Bearer {self.server.token}\r\n"
                         "Content-Type: text/csv\r\nConnection: close\r\n\r\n").encode())
            self.assertIn(b" 411 ", raw.recv(4096).split(b"\r\n")[0])

    def test_an_upload_over_the_limit_is_413(self):
        body = b"name\n" + b"a" * 1000 + b"\n"
        answer = self.api.submit("insert", "people", body + body[5:] * 1100)
        self.expect(answer, 413)
        chunks = (body for _ in range(1200))
        answer = self.api.call("POST", "/api/people/bulk/v2/", chunks,
                               {"Content-Type": "text/csv"}, chunked=True)
        self.assertEqual(answer.status, 413, answer)
        self.assertEqual(self.names(), [])

    def test_an_atomic_job_over_its_limit_is_413(self):
        ten, eleven = (b"name\n" + b"x\n" * n for n in (10, 11))
        self.assertEqual(self.api.run("insert", "people", ten, mode="atomic")["created_count"], 10)
        answer = self.api.submit("insert", "people", eleven, mode="atomic")
        self.expect(answer, 413, mentions=["10"])

    def test_a_content_type_that_is_not_read_is_415(self):
        for form in ("application/xml", "text/plain", "image/png", ""):
            answer = self.api.submit("insert", "people", CSV, form)
            self.expect(answer, 415)
        self.expect(self.api.submit("insert", "people", CSV, "text/csv; charset=latin1"), 415)

    def test_an_operation_that_the_resource_does_not_offer_is_403(self):
        answer = self.api.submit("delete", "readers", b"id\n1\n")
        self.expect(answer, 403, mentions=["delete", "insert"])


if __name__ == "__main__":
    unittest.main()
