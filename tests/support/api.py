"""Thin HTTP calls to a server, each classed as what its caller may conclude from it.

    api = Api(server.url, token)
    answer = api.call("GET", "/api/people/jobs/")
    answer.kind      "ok": 2xx.  "failed": the server said no, or was never reached.
                     "unknown": sent, and no whole answer came back; it may have happened.
    job = api.submit("insert", "people", b"id\\n1\\n").json["job_id"]

Numbers of JSON answers that have a point or an exponent are decimal.Decimal.
Threads: one Api a thread (copy()); it keeps one connection alive.
"""
import csv
import http.client
import io
import json
import time
import urllib.parse
from decimal import Decimal

from support.wait import PATIENCE, wait_until

METHODS = {"insert": "POST", "upsert": "PATCH", "update": "PATCH", "replace": "PUT",
           "delete": "DELETE"}
CONTENT_TYPES = {"csv": "text/csv", "ndjson": "application/x-ndjson",
                 "json": "application/json", "enveloped": "application/json"}
ENDED = ("Job Complete", "Failed", "Aborted")


class Answer:
    def __init__(self, kind, status=None, headers=None, body=b"", error=""):
        self.kind, self.status, self.body, self.error = kind, status, body, error
        self.headers = headers or {}

    @property
    def text(self):
        """Bytes of an upload that are not UTF-8 stand in the results as they are."""
        return self.body.decode("utf-8", "surrogateescape")

    @property
    def json(self):
        return json.loads(self.body, parse_float=Decimal)

    def header(self, name):
        return self.headers.get(name.lower())

    def __repr__(self):
        return f"<{self.kind} {self.status} {self.body[:600]!r} {self.error}>"


class Api:
    def __init__(self, url, token=None, seconds=30):
        self._connection = None
        self.sightings = None  # Notes every status; see sightings.py.
        self.is_alive = lambda: True  # Of the server: whoever waits need not wait for a dead one.
        self.url, self.token, self.seconds = url.rstrip("/"), token, seconds
        self._host = urllib.parse.urlsplit(self.url).netloc

    def copy(self, token=None):
        other = Api(self.url, token or self.token, self.seconds)
        other.sightings, other.is_alive = self.sightings, self.is_alive
        return other

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def __del__(self):
        self.close()

    def call(self, method, path, body=None, headers=None, query=None, chunked=False):
        """`path` may be a whole path with a query. `body`: bytes, or an iterable of bytes
        with chunked=True; a dict or list is sent as JSON."""
        headers = dict(headers or {})
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body, default=str).encode()
            headers.setdefault("Content-Type", "application/json")
        if query:
            path += ("&" if "?" in path else "?") + urllib.parse.urlencode(query)
        fresh = self._connection is None
        answer = self._once(method, path, body, headers, chunked)
        if answer.kind != "ok" and answer.status is None:
            self.close()
            if not fresh and method in ("GET", "HEAD"):  # An idle connection was closed.
                answer = self._once(method, path, body, headers, chunked)
                if answer.status is None:
                    self.close()
        return answer

    def _once(self, method, path, body, headers, chunked):
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self._host,
                                                               timeout=self.seconds * PATIENCE)
                self._connection.connect()
        except OSError as error:
            self._connection = None
            return Answer("failed", error=f"not reached: {error}")
        sent_error = None
        try:
            try:
                self._connection.request(method, path, body=body, headers=headers,
                                         encode_chunked=chunked)
            except (BrokenPipeError, ConnectionResetError) as error:
                sent_error = error  # An early refusal may still lie in the socket.
                if self._connection.sock is None:
                    raise
            if sent_error is not None:
                response = http.client.HTTPResponse(self._connection.sock, method=method)
                response.begin()
                received = response.read()
                self.close()
            else:
                response = self._connection.getresponse()
                received = response.read()
        except (OSError, http.client.HTTPException) as error:
            return Answer("unknown", error=f"{type(error).__name__}: {sent_error or error}")
        found = {}
        for name, value in response.getheaders():
            found.setdefault(name.lower(), value)
        kind = "ok" if 200 <= response.status < 300 else "failed"
        return Answer(kind, response.status, found, received)

    # --- jobs -----------------------------------------------------------------------------

    def submit(self, operation, resource, body, form="csv", headers=None, **options):
        """A job in one request. Options whose value is a dict or list are sent as JSON."""
        headers = {"Content-Type": CONTENT_TYPES.get(form, form), **(headers or {})}
        query = {name: json.dumps(value, default=str) if isinstance(value, (dict, list)) else value
                 for name, value in options.items()}
        return self.call(METHODS[operation], f"/api/{quote(resource)}/bulk/v2/", body, headers,
                         query)

    def open_job(self, resource, operation, form="csv", headers=None, **options):
        request = {"operation": operation, "content_type": CONTENT_TYPES.get(form, form), **options}
        return self.call("POST", f"/api/{quote(resource)}/jobs/", request, headers)

    def put_data(self, resource, job, offset, body, headers=None):
        return self.call("PUT", self.job_path(resource, job, "data"), body,
                         {"Upload-Offset": str(offset), **(headers or {})})

    def action(self, resource, job, name):
        return self.call("POST", self.job_path(resource, job, name))

    def status(self, resource, job):
        asked = time.monotonic()
        answer = self.call("GET", self.job_path(resource, job, "status"))
        if self.sightings and answer.kind == "ok":
            self.sightings.note(job, asked, time.monotonic(), answer.json)
        return answer

    def history(self, resource, job):
        """The list of events, in order."""
        answer = self.call("GET", self.job_path(resource, job, "history")).json
        return answer["results"] if isinstance(answer, dict) else answer

    def results(self, resource, job, **query):
        """Rows of the CSV results (of a job with commas) as dicts, in order."""
        return rows_of(self.call("GET", self.job_path(resource, job, "results"), query=query), job)

    def aggregates(self, resource, job):
        return self.call("GET", self.job_path(resource, job, "aggregates"))

    def ask_aggregates(self, resource, job, definitions):
        """POSTs them and, where the answer is 202, GETs until they are there."""
        answer = self.call("POST", f"/api/{quote(resource)}/bulk/v2/aggregates/",
                           {"job_id": job, "aggregates": definitions})
        if answer.status != 202:
            return answer

        def ready():
            polled = self.aggregates(resource, job)
            return polled if polled.status != 202 else None
        return wait_until(ready, f"the aggregates of {job} are there")

    def wait_for_end(self, resource, job, seconds=30):
        """The status of the ended job."""
        seen = {}

        def ended():
            answer = self.status(resource, job)
            if answer.kind == "ok":
                seen.update(answer.json)
                return answer.json if answer.json["state"] in ENDED else None
            if answer.kind == "failed" and answer.status in (401, 403, 404, 410):
                raise AssertionError(f"status of {job}: {answer}")
            if answer.status is None and not self.is_alive():
                raise AssertionError(f"the server ended while job {job} ran")
            return None
        try:
            return wait_until(ended, "", seconds)
        except AssertionError as error:
            if "in vain" not in str(error):
                raise
            raise AssertionError(f"job {job} has not ended after {seconds} s: {seen}") from None

    def run(self, operation, resource, body, form="csv", seconds=30, **options):
        """A job in one request, to its end: the status."""
        answer = self.submit(operation, resource, body, form, **options)
        if answer.status not in (200, 202):
            raise AssertionError(f"{operation} into {resource}: {answer}")
        return self.wait_for_end(resource, answer.json["job_id"], seconds)

    def job_path(self, resource, job, name=""):
        return f"/api/{quote(resource)}/jobs/{job}/" + (f"{name}/" if name else "")


def rows_of(answer, job):
    """Of an answer that is the CSV results of a job."""
    if answer.status != 200:
        raise AssertionError(f"results of {job}: {answer}")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def quote(name):
    return urllib.parse.quote(name, safe="")
