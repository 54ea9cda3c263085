#!/usr/bin/python3
"""The REST face, sending in steps: parts, offsets, what a state allows, retries, retention."""
import gzip
import pathlib
import socket
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.case import ServerCase  # noqa: E402
from support.wait import wait_until  # noqa: E402

CSV = b"name,age\nann,41\nbob,50\n"


class InSteps(ServerCase):
    schema = "create table people (id integer primary key, name text, age integer);"

    def setUp(self):
        super().setUp()
        self.wait_for_quiet()
        self.server.execute("delete from people")

    def names(self):
        return [row[0] for row in self.server.rows("select name from people order by id")]

    def opened(self, **options):
        answer = self.api.open_job("people", "insert", **options)
        self.assertEqual(answer.status, 201, answer)
        return answer.json["job_id"]

    def test_an_upload_in_parts_cut_in_the_middle_of_a_cell(self):
        answer = self.api.open_job("people", "insert")
        self.assertEqual((answer.status, answer.json["state"]), (201, "Open"))
        job = answer.json["job_id"]
        self.assertEqual(answer.json["upload_url"], f"/api/people/jobs/{job}/data/")
        for start, end in ((0, 10), (10, 11), (11, len(CSV))):
            put = self.api.put_data("people", job, start, CSV[start:end])
            self.assertEqual((put.status, put.body, put.header("Upload-Offset")),
                             (204, b"", str(end)))
        completed = self.api.action("people", job, "complete")
        self.assertEqual((completed.status, completed.json["state"]), (202, "Upload Complete"))
        self.assertEqual(self.api.wait_for_end("people", job)["created_count"], 2)

    def test_a_wrong_offset_is_409_with_the_right_one_and_stores_nothing(self):
        job = self.opened()
        self.api.put_data("people", job, 0, CSV[:10])
        for wrong in (0, 9, 11, 1000):
            answer = self.api.put_data("people", job, wrong, CSV[10:])
            self.expect(answer, 409)
            self.assertEqual(answer.header("Upload-Offset"), "10")
        head = self.api.call("HEAD", self.api.job_path("people", job, "data"))
        self.assertEqual((head.status, head.header("Upload-Offset")), (200, "10"))

    def test_an_offset_that_is_missing_or_no_number_is_400(self):
        job = self.opened()
        path = self.api.job_path("people", job, "data")
        self.expect(self.api.call("PUT", path, CSV), 400, mentions=["Upload-Offset"])
        self.expect(self.api.call("PUT", path, CSV, {"Upload-Offset": "-1"}), 400)

    def test_the_same_key_opens_the_same_job(self):
        headers = {"Idempotency-Key": "opened"}
        first = self.api.open_job("people", "insert", headers=headers).json["job_id"]
        again = self.api.open_job("people", "insert", headers=headers).json["job_id"]
        self.assertEqual(first, again)
        self.expect(self.api.open_job("people", "delete", headers=headers), 409)

    def test_an_encoded_part_is_a_whole_stream_and_counts_decoded_bytes(self):
        job = self.opened()
        for start, end in ((0, 10), (10, len(CSV))):
            put = self.api.put_data("people", job, start, gzip.compress(CSV[start:end]),
                                    {"Content-Encoding": "gzip"})
            self.assertEqual(put.header("Upload-Offset"), str(end), put)
        broken = self.api.put_data("people", job, len(CSV), gzip.compress(b"x,1\n")[:-4],
                                   {"Content-Encoding": "gzip"})
        self.expect(broken, 422)
        self.api.action("people", job, "complete")
        self.assertEqual(self.api.wait_for_end("people", job)["created_count"], 2)

    def test_a_part_whose_connection_breaks_is_kept_up_to_an_offset(self):
        body = b"name,age\n" + b"ann,41\n" * 6000
        job = self.opened()
        host, port = urllib.parse.urlsplit(self.server.url).netloc.split(":")
        with socket.create_connection((host, int(port))) as raw:
            raw.sendall((f"PUT /api/people/jobs/{job}/data/ HTTP/1.1\r\nHost: x\r\n"
                         f"Authorization: Bearer {self.server.token}\r\nUpload-Offset: 0\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n").encode() + body[:30_001])

        def resumed():
            head = self.api.call("HEAD", self.api.job_path("people", job, "data"))
            offset = int(head.header("Upload-Offset"))
            self.assertIn(offset, range(0, 30_002))
            answer = self.api.put_data("people", job, offset, body[offset:])
            return answer.status == 204
        wait_until(resumed, "the part goes on")

        def completed():
            answer = self.api.action("people", job, "complete")
            if answer.status == 409:  # The broken part may come to the server only now.
                self.assertEqual(answer.json["code"], "UPLOAD_IN_PROGRESS", answer)
            return answer.kind == "ok"
        wait_until(completed, "the upload is complete")
        self.assertEqual(self.api.wait_for_end("people", job)["created_count"], 6000)

    def test_a_header_that_does_not_fit_leaves_the_job_open_at_offset_0(self):
        job = self.opened()
        answer = self.api.put_data("people", job, 0, b"nam,age\nx,1\n")
        self.expect(answer, 422, mentions=['"nam"', '"name"'])
        head = self.api.call("HEAD", self.api.job_path("people", job, "data"))
        self.assertEqual(head.header("Upload-Offset"), "0")
        self.assertEqual(self.api.status("people", job).json["state"], "Open")
        self.assertEqual(self.api.put_data("people", job, 0, CSV).status, 204)
        self.api.action("people", job, "complete")
        self.assertEqual(self.api.wait_for_end("people", job)["created_count"], 2)

    def test_a_refused_upload_in_one_request_is_an_aborted_job_with_its_reason(self):
        self.expect(self.api.submit("insert", "people", b"nam,age\nx,1\n"), 422)
        [last] = self.api.call("GET", "/api/people/jobs/?limit=1").json["results"]
        self.assertEqual(last["state"], "Aborted")
        self.assertIn("header line", last["message"])
        self.assertIn("upload_refused", [entry["event"] for entry in
                                         self.api.history("people", last["job_id"])])

    def test_a_request_for_a_job_that_cannot_be_is_400(self):
        for request, word in (({"operation": "merge", "content_type": "text/csv"}, "operation"),
                              ({"content_type": "text/csv"}, "operation"),
                              ({"operation": "insert"}, "content_type"),
                              ({"operation": "insert", "content_type": "image/png"}, "content_type"),
                              ({"operation": "insert", "content_type": "text/csv", "x": 1}, "x")):
            answer = self.api.call("POST", "/api/people/jobs/", request)
            self.expect(answer, 400, mentions=[word])
        for body in (b"", b"[]", b"{", b'{"operation": "insert"} x'):
            answer = self.api.call("POST", "/api/people/jobs/", body,
                                   {"Content-Type": "application/json"})
            self.expect(answer, 400)

    # --- what a state allows ----------------------------------------------------------------

    def refused_in_state(self, answer, state):
        self.expect(answer, 409, "INVALID_STATE")
        self.assertEqual(answer.json["state"], state)

    def test_actions_that_the_state_does_not_allow_are_409_with_the_state(self):
        done = self.api.run("insert", "people", CSV)["job_id"]
        for name in ("complete", "abort"):
            self.refused_in_state(self.api.action("people", done, name), "Job Complete")
        self.refused_in_state(self.api.put_data("people", done, 0, CSV), "Job Complete")
        opened = self.opened()
        self.refused_in_state(self.api.action("people", opened, "retry"), "Open")
        self.refused_in_state(self.api.call("DELETE", self.api.job_path("people", opened)), "Open")

    def test_an_abort_of_an_open_job_ends_it(self):
        job = self.opened()
        answer = self.api.action("people", job, "abort")
        self.assertEqual((answer.status, answer.json["state"]), (200, "Aborted"))
        self.refused_in_state(self.api.put_data("people", job, 0, CSV), "Aborted")
        self.refused_in_state(self.api.action("people", job, "retry"), "Aborted")

    def test_an_ended_job_can_be_deleted(self):
        job = self.api.run("insert", "people", CSV)["job_id"]
        path = self.api.job_path("people", job)
        self.assertEqual(self.api.call("DELETE", path).status, 204)
        self.expect(self.api.call("GET", path), 404)
        self.expect(self.api.call("DELETE", path), 404)
        self.assertEqual(self.names(), ["ann", "bob"])

    def test_a_retry_is_a_child_that_names_its_parent_and_their_records(self):
        status = self.api.run("insert", "people", b"id,name\n1,ann\nx,bob\n2,cem\ny,dan\n")
        answer = self.api.action("people", status["job_id"], "retry")
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual((answer.json["parent_id"], answer.json["superseded"]),
                         (status["job_id"], 0))
        child = self.api.wait_for_end("people", answer.json["job_id"])
        self.assertEqual((child["parent_id"], child["total_items"], child["error_count"]),
                         (status["job_id"], 2, 2))
        rows = self.api.results("people", child["job_id"])
        self.assertEqual([(row["_record"], row["_parent_record"], row["id"]) for row in rows],
                         [("1", "2", "x"), ("2", "4", "y")])

    def test_a_retry_of_a_failed_job_takes_what_was_unprocessed(self):
        body = b"id,name\n1,ann\n1,bob\n2,cem\n3,dan\n"
        status = self.api.run("insert", "people", body, max_errors=0)
        self.assertEqual((status["state"], status["unprocessed_count"]), ("Failed", 2))
        answer = self.api.action("people", status["job_id"], "retry")
        child = self.api.wait_for_end("people", answer.json["job_id"])
        self.assertEqual(child["total_items"], 3, child)


class Retention(ServerCase):
    """What is kept for how long, with times of a test."""
    schema = "create table people (id integer primary key, name text);"
    settings = {"results_retention": "1s", "open_time_max": "1s", "job_retention": "1h"}

    def test_results_are_410_after_their_retention_and_the_status_remains(self):
        status = self.api.run("insert", "people", b"id,name\n1,ann\nx,bob\n")
        job = status["job_id"]

        def expired():
            answer = self.api.call("GET", self.api.job_path("people", job, "results"))
            return answer if answer.status == 410 else None
        self.expect(wait_until(expired, "the results expire", 90, pause=0.1), 410,
                    "RESULTS_EXPIRED")
        after = self.api.status("people", job).json
        for name in ("state", "total_items", "success_count", "error_count", "verified"):
            self.assertEqual(after[name], status[name])
        self.assertTrue(self.api.history("people", job))

    def test_a_job_that_is_never_completed_is_aborted(self):
        job = self.api.open_job("people", "insert").json["job_id"]
        begin = time.monotonic()
        status = self.api.wait_for_end("people", job, 90)
        self.assertGreater(time.monotonic() - begin, 0.9)
        self.assertEqual(status["state"], "Aborted")
        self.assertIn("upload_expired", [entry["event"] for entry in
                                         self.api.history("people", job)])


if __name__ == "__main__":
    unittest.main()
