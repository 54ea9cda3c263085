"""Every route of the program under test, as it tells them itself, ready to be asked.

    for route in routes.read(server):
        answer = route.ask(server.url, token, job=id)

A route that this file has no request for is still asked, with an empty body: what must be
refused whatever is sent (401, 404, 405) is asked of every route there is.
"""
import http.client
import json
import urllib.parse

CSV = "text/csv"
JSON = "application/json"
OPERATIONS = ("insert", "upsert", "update", "replace", "delete")


class Route:
    """`needs`: nothing, token, resource, read or operation. `operation`: which one, where the
    path alone says it."""

    def __init__(self, method, path, needs, operation=None, query="", headers=None, body=None,
                 takes_open_job=False):
        self.method, self.path, self.needs, self.operation = method, path, needs, operation
        self.query, self.headers, self.body = query, headers or {}, body
        self.takes_open_job = takes_open_job

    def __str__(self):
        return f"{self.method} {self.path}{self.query} {self.operation or ''}"

    @property
    def has_job(self):
        return "{job}" in self.path or "{job}" in (self.body or "")

    @property
    def has_resource(self):
        return "{resource}" in self.path

    @property
    def uploads(self):
        return self.headers.get("Content-Type") == CSV

    def target(self, resource, job):
        path = self.path.replace("{resource}", urllib.parse.quote(resource, safe=""))
        return path.replace("{job}", job) + self.query

    def ask(self, url, token, resource="people", job="", headers=None):
        """(status, headers without their date, body)."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=20)
        sent = dict(self.headers)
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        sent.update(headers or {})
        body = self.body.replace("{job}", job).encode() if self.body is not None else None
        try:
            connection.request(self.method, self.target(resource, job), body, sent)
            response = connection.getresponse()
            return (response.status,
                    [pair for pair in response.getheaders() if pair[0].lower() != "date"],
                    response.read())
        finally:
            connection.close()


def _create(operation):
    return {"operation": operation, "headers": {"Content-Type": JSON},
            "body": json.dumps({"operation": operation, "content_type": CSV})}


def _bulk(operation, query=""):
    return {"operation": operation, "query": query, "headers": {"Content-Type": CSV},
            "body": "id,name\n900,x\n" if operation != "delete" else "id\n900\n"}


# What is sent, for the routes whose meaning depends on it; several for one route are possible.
REQUESTS = {
    ("POST", "/api/{resource}/bulk/v2/"): [_bulk("insert")],
    ("PATCH", "/api/{resource}/bulk/v2/"): [_bulk("update"), _bulk("upsert", "?unique_fields=id")],
    ("PUT", "/api/{resource}/bulk/v2/"): [_bulk("replace")],
    ("DELETE", "/api/{resource}/bulk/v2/"): [_bulk("delete")],
    ("POST", "/api/{resource}/bulk/v2/aggregates/"): [
        {"headers": {"Content-Type": JSON},
         "body": '{"job_id": "{job}", "aggregates": {"n": {"type": "count"}}}'}],
    ("POST", "/api/{resource}/jobs/"): [_create(operation) for operation in OPERATIONS],
    ("PUT", "/api/{resource}/jobs/{job}/data/"): [
        {"takes_open_job": True, "body": "name\n",
         "headers": {"Content-Type": CSV, "Upload-Offset": "0"}}],
    ("HEAD", "/api/{resource}/jobs/{job}/data/"): [{"takes_open_job": True}],
    ("POST", "/api/{resource}/jobs/{job}/complete/"): [{"takes_open_job": True, "body": ""}],
    ("POST", "/api/{resource}/jobs/{job}/abort/"): [{"takes_open_job": True, "body": ""}],
}


def listed(server):
    """What `tallyman routes --json` prints."""
    told = server.command("routes", "--json")
    if told.returncode != 0:
        raise AssertionError(f"tallyman routes: {told}")
    return json.loads(told.stdout)


def read(server):
    routes = []
    for one in listed(server):
        methods = [one["method"]] + (["HEAD"] if one["method"] == "GET" else [])
        for method in methods:
            for request in REQUESTS.get((method, one["path"]), [{}]):
                routes.append(Route(method, one["path"], one["needs"], **request))
    return routes
