#!/usr/bin/python3
"""The README's session with curl does what the README says."""
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.server import ROOT, binary  # noqa: E402

HEADING = "A session with curl"
ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")


def session():
    """The ```sh blocks under the heading, as one script."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = re.split(rf"(?m)^## {HEADING}$", text)[1]
    section = re.split(r"(?m)^## ", section)[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section, re.S))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tallyman-readme-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "bin").mkdir()
        (self.folder / "bin" / "tallyman").symlink_to(pathlib.Path(binary()).resolve())

    def test_the_session_with_curl_runs_to_its_end(self):
        script = ADDRESS.sub(f"127.0.0.1:{free_port()}", session())
        self.assertIn("curl", script)
        made = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "trap 'kill $!' EXIT\n" + script],
            cwd=self.folder, text=True, capture_output=True, timeout=60, check=False,
            env={**os.environ, "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
                 "HOME": str(self.folder)})
        said = f"{made.stdout}\n{made.stderr}"
        self.assertEqual(made.returncode, 0, said)
        self.assertNotIn('"error":', made.stdout)
        status = json.loads((self.folder / "status.json").read_text())
        self.assertEqual((status["created_count"], status["error_summary"]),
                         (2, {"VALUE_OUT_OF_RANGE": 1}), said)
        self.assertIn('"total":175.75', made.stdout.replace(" ", ""))
        database = sqlite3.connect(self.folder / "app.db")
        self.assertEqual(
            database.execute("select external_ref, amount from transactions "
                             "order by external_ref").fetchall(),
            [("A-1", 100.5), ("A-2", 75.25), ("A-4", 20)])
        database.close()


if __name__ == "__main__":
    unittest.main()
