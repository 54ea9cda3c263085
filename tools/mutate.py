#!/usr/bin/env python3
"""Does the suite see what it must? Plants known defects, one at a time, and runs their tests.

    python3 tools/mutate.py [TEXT]       # all defects, or those whose name holds TEXT

Works in a copy of the tree (build/mutation), so that nothing wrong can stay behind. Exit code
1 where a defect goes unseen, or does not fit the code any more.
"""
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "mutation"
BUILD = COPY / "build" / "release"
SECONDS_MAX = 300  # Of a test; with a defect it may hang.
sys.path.insert(0, str(ROOT / "tests" / "mutation"))
from defects import DEFECTS  # noqa: E402


def run(*command, **options):
    return subprocess.run(command, cwd=COPY, text=True, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def copy_tree():
    """Every file of the repository; those that are the same keep their time."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard"], cwd=ROOT, text=True, check=True,
                           capture_output=True).stdout.split("\0")
    for name in filter(None, names):
        source, copy = ROOT / name, COPY / name
        if not source.exists() or _same(source, copy):
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    # Real data for the tests was installed beside the tree.
    if not (COPY / "build" / "npm").exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        (COPY / "build" / "npm").symlink_to(ROOT / "build" / "npm")


def _same(source, copy):
    return copy.exists() and source.read_bytes() == copy.read_bytes()


def build(test):
    """Only what the test needs."""
    programs = [test] if test.endswith("_test") else ["tallyman", "tallyman_faults"]
    jobs = os.environ.get("JOBS") or str(os.cpu_count())
    return run("ninja", "-C", str(BUILD), "-j", jobs, *programs)


def command_of(test):
    """What ctest runs: (the command, its environment)."""
    told = json.loads(run("ctest", "--test-dir", str(BUILD), "-R", f"^{test}$",
                          "--show-only=json-v1").stdout)["tests"]
    if not told:
        raise SystemExit(f"there is no test {test}")
    settings = {it["name"]: it["value"] for it in told[0]["properties"]}
    return told[0]["command"], dict(it.split("=", 1) for it in settings.get("ENVIRONMENT", ()))


def passes(test):
    """None where it does not compile. Of `program:filter` what the filter chooses; of the
    outside tests a tenth of their repetitions."""
    test, _, chosen = test.partition(":")
    built = build(test)
    if built.returncode != 0:
        print(built.stdout[-1500:])
        return None
    command, settings = command_of(test)
    if chosen:
        command.append(f"--gtest_filter={chosen}" if test.endswith("_test") else chosen)
    try:
        tested = run(*command, timeout=SECONDS_MAX,
                     env={**os.environ, "TALLYMAN_SCALE": "0.1", **settings})
    except subprocess.TimeoutExpired:
        return False
    return tested.returncode == 0 and "0 tests from 0 test suites" not in tested.stdout


def is_seen(defect):
    """True where one of the tests fails with the defect in the code; None where it does not
    compile."""
    for test in defect.tests:
        passed = passes(test)
        if passed is None:
            return None
        if not passed:
            return True
    return False


def plant(defect):
    """"seen by the suite", or what is wrong."""
    path = COPY / defect.file
    right = path.read_text(encoding="utf-8")
    if right.count(defect.right) != 1:
        return f"its text stands {right.count(defect.right)} times in {defect.file}; write it anew"
    path.write_text(right.replace(defect.right, defect.wrong), encoding="utf-8")
    try:
        seen = is_seen(defect)
    finally:
        path.write_text(right, encoding="utf-8")
    if seen is None:
        return "does not compile; write it anew"
    return "" if seen else "no test sees it: " + ", ".join(defect.tests)


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    COPY.mkdir(parents=True, exist_ok=True)
    lock = open(COPY / "lock", "w", encoding="ascii")  # To the end of the process.
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{COPY} is in use by another run; two would plant into each other's code")
        return 1
    copy_tree()
    configured = run("cmake", "--preset", "release")
    if configured.returncode != 0:
        print(configured.stdout)
        return 1
    defects = [it for it in DEFECTS if wanted in it.name]
    for test in sorted({test for it in defects for test in it.tests}):
        if not passes(test):
            print(f"{test} fails without a defect; nothing can be learnt from it")
            return 1
    passed = failed = 0
    for defect in defects:
        problem = plant(defect)
        print(f"{'UNSEEN' if problem else 'seen':6} {defect.name}"
              + (f": {problem}" if problem else ""), flush=True)
        failed += bool(problem)
        passed += not problem
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
