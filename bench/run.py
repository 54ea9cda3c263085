#!/usr/bin/python3
"""Measures and prints a table: what, ours, peer, ratio, the server's peak memory.

    python3 bench/run.py [--smoke] [--rounds N] [--only TEXT] [--write]

Each round runs ours and the peer one after the other, and the ratio is the median of the
rounds' ratios: these machines are shared, and only what is measured side by side compares.
The figures go to build/bench.json; --write makes docs/performance.md and its picture of them
(with `--only postgres`: that table alone).
--smoke: a thousandth of the size, one round, to see that everything runs.
"""
import argparse
import json
import sys

import loads
import machine
import postgres_loads
import report
import serving

FULL = loads.Scale(records=1_000_000, large_records=10_000_000)
SMOKE = loads.Scale(records=2_000, large_records=20_000)
ROUNDS = 3
# Rounds of what takes minutes and shows the same each time.
ONCE = (loads.large, serving.list_of_many, postgres_loads.postgres_large)
MEASUREMENTS = (
    loads.insert, loads.insert_by_hand, loads.upsert, loads.update, loads.shuffled_update,
    loads.delete, loads.without_ids, loads.bad_records, loads.duplicates, loads.ndjson,
    loads.json_array, loads.large, serving.parse, serving.upload, serving.upload_tls,
    serving.one_record, serving.status_while_running, serving.list_of_many,
    *postgres_loads.ALL)


def measure(measurement, scale, rounds):
    """The median figure of each name that the measurement gives."""
    by_name = {}
    for _ in range(1 if measurement in ONCE else rounds):
        found = measurement(scale)
        for figure in found if isinstance(found, list) else [found]:
            by_name.setdefault(figure.what, []).append(figure)
    return [median_of(figures) for figures in by_name.values()]


def median_of(figures):
    """The round whose ratio (or figure) is the middle one, with the highest memory of all."""
    ordered = sorted(figures, key=lambda it: it.ours if it.ratio is None else it.ratio)
    middle = ordered[len(ordered) // 2]
    memories = [it.memory for it in figures if it.memory is not None]
    middle.memory = max(memories) if memories else None
    middle.rounds = [it.ours if it.ratio is None else it.ratio for it in figures]
    return middle


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", help="measurements whose name holds this")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.write and arguments.only not in (None, "postgres"):
        parser.error("--write takes all figures of a database: leave --only away, or --only postgres")
    scale, rounds = (SMOKE, 1) if arguments.smoke else (FULL, arguments.rounds)

    print(report.heading(), flush=True)
    figures = []
    for measurement in MEASUREMENTS:
        name = getattr(measurement, "__name__", "")
        if arguments.only and arguments.only not in name:
            continue
        for figure in measure(measurement, scale, rounds):
            if arguments.smoke:
                figure.goal = figure.goal_ratio = None  # Of such sizes nothing is asked.
            figures.append(figure)
            print(report.line(figure), flush=True)
    growth = [] if arguments.only else loads.growth(scale)

    result = {"machine": machine.describe(), "scale": vars(scale), "rounds": rounds,
              "figures": [report.as_json(figure) for figure in figures], "growth": growth}
    path = machine.ROOT / "build" / "bench.json"
    path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(f"\n{path.relative_to(machine.ROOT)} holds the same as JSON")
    if arguments.write:
        report.write(result, machine.ROOT / "docs")
    missed = [figure.what for figure in figures if figure.met is False]
    if missed:
        print("below the goal: " + ", ".join(missed))


if __name__ == "__main__":
    sys.exit(main())
