#!/usr/bin/python3
"""Runs every scenario in every configuration, sent in every way.

    python3 tests/scenario/run.py [name ...]

One line for each scenario, and at the end "N passed, M failed". The run with windows of one
record on the general path is the oracle: every other one must end equal to it, and all of
them as the file says. TALLYMAN_TEST_DATABASE says on which database. TALLYMAN_SEED replays
the random cuts; TALLYMAN_SOAK=1 cuts each small upload in two at every byte as well.
"""
import concurrent.futures
import os
import pathlib
import random
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import scenario_run as ways  # noqa: E402
import scenario_text  # noqa: E402
from support import counts  # noqa: E402
from support.database import KIND  # noqa: E402
from support.server import Server  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
EVERY_BYTE_MAX = 160  # Bytes of an upload that is sent a byte a part.
# (path, window, lanes) where little time is: the oracle, and what differs from it the most.
FEW = (("general", 1, 1), ("auto", 2, 4), ("auto", 1000, 1))
# Where several lanes tell more than one of them does; a soak takes every combination.
SEVERAL_LANES = {2: (("auto", 2), ("auto", 1000)),
                 4: (("general", 2), ("general", 1000), ("auto", 1), ("auto", 2), ("auto", 1000))}
SOAK = bool(os.environ.get("TALLYMAN_SOAK"))
AT_ONCE = 2  # Servers.
RECORD_BYTES_MAX = 4096  # So that a record can be too large in a small file.
SEED = int(os.environ.get("TALLYMAN_SEED") or time.time())


def every_byte(body):
    return range(1, len(body)) if len(body) <= EVERY_BYTE_MAX else range(7, len(body), 7)


def two_random_places(body):
    return sorted(random.Random(SEED + len(body)).sample(range(1, max(len(body), 3)), 2)) \
        if len(body) > 3 else []


def configurations():
    """[(name, settings, [(way's name, way)])], the oracle first."""
    return several_lanes() if KIND == "postgresql" else one_lane()


def several_lanes():
    """How an upload is cut has nothing to do with the database: what one_lane() shows is not
    shown again."""
    three_parts = ("three parts", ways.staged(two_random_places))
    every = [(path, window, lanes)
             for lanes in (1, 2, 4) for path in ("general", "auto") for window in (1, 2, 1000)
             if SOAK or lanes == 1 or (path, window) in SEVERAL_LANES[lanes]]
    return [(f"{path} path, windows of {window}, lanes {lanes}",
             {"path": path, "window_records": window, "lanes": lanes,
              "record_bytes_max": RECORD_BYTES_MAX},
             [three_parts if (path, window) == ("auto", 1000) else ("plain", ways.plain)])
            for path, window, lanes in (FEW if counts.SCALE < 1 else every)]


def one_lane():
    plain = ("plain", ways.plain)
    sendings = {("general", 1): [plain],
                ("general", 2): [plain],
                ("general", 1000): [plain],
                ("auto", 1): [plain, ("chunks of 1", ways.chunked(1))],
                ("auto", 2): [plain, ("parts of 1", ways.staged(every_byte))],
                ("auto", 1000): [plain, ("three parts", ways.staged(two_random_places)),
                                 ("chunks of 3", ways.chunked(3))]}
    return [(f"{path} path, windows of {window}", {"path": path, "window_records": window,
                                                         "record_bytes_max": RECORD_BYTES_MAX}, ways_of)
            for (path, window), ways_of in sendings.items()
            if counts.SCALE >= 1 or (path, window) in [few[:2] for few in FEW]]


def cut_everywhere(scenario):
    """For a soak: a way for each place at which one upload can be cut in two."""
    longest = max((len(step.body) for step in scenario.steps), default=0)
    if longest > EVERY_BYTE_MAX:
        return []
    return [(f"cut at {place}", ways.staged(lambda body, place=place:
                                            [place] if place < len(body) else []))
            for place in range(1, longest)]


class Configuration:
    def __init__(self, name, settings, sendings, scenarios):
        self.name, self.scenarios = name, scenarios
        self.runs = {scenario.name: list(sendings) for scenario in scenarios}
        if SOAK and name.startswith("auto path, windows of 2"):
            for scenario in scenarios:
                self.runs[scenario.name] += cut_everywhere(scenario)
        schema, resources = [], {}
        for scenario in scenarios:
            for copy in range(len(self.runs[scenario.name])):
                schema.append((scenario, copy))
                resources.update(ways.resources(scenario, copy))
        self.server = Server("", resources, settings)
        self.server.execute("begin;\n" + "".join(
            ways.setup_sql(*made, self.server.database) for made in schema) + "commit;\n")
        self.server.start(seconds=60)

    def run(self):
        """[(scenario's name, run's name, problems, observation)]"""
        done = []
        api = self.server.api()
        for scenario in self.scenarios:
            for copy, (sending, way) in enumerate(self.runs[scenario.name]):
                name = f"{self.name}, {sending}"
                try:
                    run = ways.ScenarioRun(self.server, api, scenario, copy, way)
                    done.append((scenario.name, name, run.problems, run.observation))
                except Exception as error:  # One broken scenario must not hide the others.
                    done.append((scenario.name, name, [f"{type(error).__name__}: {error}"], None))
        self.server.close()
        return done


def judge(scenario, runs):
    """What is wrong with a scenario's runs; the first one is the oracle."""
    oracle = runs[0][3]
    problems = []
    for _, name, found, observation in runs:
        problems += [f"{name}: {problem}" for problem in found]
        if observation != oracle and observation is not None:
            problems.append(f"{name}: differs from the oracle: {_first_difference(oracle, observation)}")
    return problems


def _first_difference(one, other):
    for mine, its in zip(one or [], other):
        if mine != its:
            return f"{mine} became {its}"
    return f"{len(one or [])} observations became {len(other)}"


def main():
    wanted = sys.argv[1:]
    paths = sorted(FOLDER.glob("*.scenario"))
    scenarios = [scenario_text.parse(path.stem, path.read_text(encoding="utf-8"))
                 for path in paths if not wanted or path.stem in wanted]
    scenarios = [scenario for scenario in scenarios if scenario.only in (None, KIND)]
    if not scenarios:
        print("no scenario of that name")
        return 1
    return run_all(scenarios, configurations())


def run_all(scenarios, of_configurations):
    """Runs them and prints what came of it: the exit code."""
    print(f"{len(scenarios)} scenarios, seed {SEED}", flush=True)
    places, running = threading.Semaphore(AT_ONCE), []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for configuration in of_configurations:
            places.acquire()  # A server that only waits for its turn costs time, too.
            made = Configuration(*configuration, scenarios)
            running.append(pool.submit(made.run))
            running[-1].add_done_callback(lambda _: places.release())
    runs = [run for done in running for run in done.result()]
    failed = 0
    for scenario in scenarios:
        mine = [run for run in runs if run[0] == scenario.name]
        problems = judge(scenario, mine)
        failed += bool(problems)
        print(f"{'FAILED' if problems else 'passed'} {scenario.name}: {scenario.title} "
              f"({len(mine)} runs)")
        for problem in problems[:12]:
            print(f"    {problem}")
    print(f"{len(scenarios) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
