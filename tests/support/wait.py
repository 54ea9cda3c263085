"""Waiting on conditions, with a deadline. No test waits for time to pass.

    status = wait_until(lambda: ended(job), "the job has ended", seconds=10)

TALLYMAN_PATIENCE multiplies every deadline: a sanitized program is many times slower.
"""
import os
import time

PATIENCE = float(os.environ.get("TALLYMAN_PATIENCE") or 1)


def wait_until(condition, what, seconds=20.0, pause=0.01):
    """The first true value of condition(). AssertionError naming `what` after `seconds`."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(pause)
