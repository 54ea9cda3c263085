#!/usr/bin/python3
"""The README's session with curl does what the README says."""
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.server import ROOT, Server  # noqa: E402

HEADING = "A session with curl"


def session():
    """The ```sh blocks under the heading, as one script."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.split(rf"(?m)^#+ {HEADING}\s*$", text)[1]
    section = re.split(r"(?m)^#+ (?![^\n]*\n```)", section.split("\n## ")[0])[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.S))


class Readme(unittest.TestCase):
    """What the session starts from: a database with a table `transactions`, a server that
    exposes it, and TALLYMAN_URL and TALLYMAN_TOKEN."""

    def test_the_session_with_curl_runs_to_its_end(self):
        server = Server("create table transactions (id integer primary key, amount decimal(10,2), "
                        "description text, category text, transaction_date date);")
        self.addCleanup(server.close)
        server.start()
        script = session()
        self.assertIn("curl", script)
        script = re.sub(r"http://(127\.0\.0\.1|localhost):8080", server.url, script)
        made = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=server.folder, text=True,
            capture_output=True, timeout=60, check=False,
            env={"PATH": "/usr/bin:/bin", "HOME": str(server.folder), "TALLYMAN_URL": server.url,
                 "TALLYMAN_TOKEN": server.token})
        self.assertEqual(made.returncode, 0, f"{made.stdout}\n{made.stderr}")
        self.assertNotIn('"error"', made.stdout)
        self.assertIn('"job_id"', made.stdout)
        self.assertGreater(server.rows("select count(*) from transactions")[0][0], 0)


if __name__ == "__main__":
    unittest.main()
