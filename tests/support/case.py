"""ServerCase: a test class with one server for all of its tests.

    class Access(ServerCase):
        schema = "create table people (id integer primary key)"

        def test_a_job_of_another_owner_is_not_found(self): ...
"""
import unittest

from support.server import Server
from support.wait import wait_until


class ServerCase(unittest.TestCase):
    schema = ""
    resources = None
    settings = None
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(cls.schema, cls.resources, cls.settings)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def setUp(self):
        self.api = self.server.api()
        self.addCleanup(self.api.close)

    def wait_for_quiet(self):
        """Until no job of an earlier test writes any more."""
        for state in ("Upload Complete", "In Progress"):
            wait_until(lambda state=state: not self.api.call(
                "GET", "/api/jobs/", query={"state": state}).json["results"],
                       f"no job is {state}")

    def expect(self, answer, status, code=None, mentions=()):
        """Asserts the status, and of an error its shape, code and words."""
        self.assertEqual(answer.status, status, answer)
        if status >= 400:
            error = answer.json
            self.assertIsInstance(error.get("error"), str, answer)
            self.assertRegex(error.get("code", ""), r"^[A-Z][A-Z_]+$", answer)
            if code:
                self.assertEqual(error["code"], code, answer)
            for word in mentions:
                self.assertIn(str(word), error["error"], answer)
        return answer
