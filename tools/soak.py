#!/usr/bin/env python3
"""The fault tests in turn, again and again, with new seeds: for as long as it is told.

    tools/soak.py build/release/tallyman 60       # minutes
    tools/soak.py build/release/tallyman 60 25    # and 25 times the counts of a check at once

Stops at the first failure: prints the seed and the command that replays it, and keeps the
folder of the server (database, log, configuration). Each round runs every test five times as
often as a check does; at its end it tells how often each has run, beside the count that is
wanted before a release.
"""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCALE = 5
# file: (what it counts, in one check, before a release)
TESTS = {
    "process/kill_test.py": ("kills", 300, 6000),
    "process/abort_test.py": ("aborts", 200, 5000),
    "process/race_test.py": ("races", 2000, 100_000),
    "process/lease_test.py": ("stops past the lease", 20, 500),
    "process/stop_test.py": ("SIGTERMs", 10, 100),
    "process/lock_test.py": ("foreign locks", 10, 1000),
    "scenario/differential_test.py": ("differential runs", 1, 1),
}


def run(binary, test, seed, scale, folder):
    """True where it passed. What a failed one has left stays in `folder`."""
    folder.mkdir()
    given = {"TALLYMAN_BINARY": binary, "TALLYMAN_SEED": str(seed), "TALLYMAN_SCALE": str(scale)}
    command = [sys.executable, "-B", str(ROOT / "tests" / test)]
    print(f"{time.strftime('%H:%M:%S')} {test}, seed {seed}", flush=True)
    ran = subprocess.run(command, env={**os.environ, **given, "TALLYMAN_KEEP": "1",
                                       "TALLYMAN_TEST_FOLDER": str(folder),
                                       "PYTHONUNBUFFERED": "1"},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ran.returncode == 0:
        shutil.rmtree(folder)
        return True
    settings = " ".join(f"{name}={value}" for name, value in given.items())
    print(ran.stdout)
    print(f"failed: {test}, seed {seed}\nwhat it left: {folder}\nto replay it:\n"
          f"  {settings} python3 -B tests/{test}", flush=True)
    return False


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    scale = float(sys.argv[3]) if len(sys.argv) > 3 else SCALE
    end = time.monotonic() + 60 * minutes
    chance = random.SystemRandom()
    folder = pathlib.Path(os.environ.get("TALLYMAN_TEST_FOLDER") or "/dev/shm")
    folder = folder / f"tallyman-soak-{os.getpid()}"
    rounds = dict.fromkeys(TESTS, 0)
    while time.monotonic() < end:
        for test in TESTS:
            if time.monotonic() >= end:
                break
            if not run(binary, test, chance.randrange(1, 10 ** 9), scale, folder):
                return 1
            rounds[test] += scale
    print(f"nothing was found in {minutes:g} minutes:")
    for test, (what, once, wanted) in TESTS.items():
        print(f"  {round(rounds[test] * once):8} {what} (before a release {wanted})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
