"""How often a fault test repeats, and with which chance: from the environment.

    KILLS = times(200)            # at least 1
    SEED = seed()
    chance = random.Random(f"{SEED} {self.id()}")

TALLYMAN_SCALE  a factor on every count: below 1 under a sanitizer, above it in a soak
TALLYMAN_SEED   replays what a failed run has printed
"""
import os
import time

SCALE = float(os.environ.get("TALLYMAN_SCALE") or 1)


def times(every_check):
    """`every_check` is the count of a plain `./dev test`."""
    return max(1, round(every_check * SCALE))


def shares(total, among):
    """How many of times(total) each of `among` gets; every one at least 1."""
    count = times(total)
    return {name: max(1, (count + place) // len(among)) for place, name in enumerate(among)}


def seed():
    return int(os.environ.get("TALLYMAN_SEED") or time.time())
