"""Waiting on conditions, with a deadline. No test waits for time to pass.

    status = wait_until(lambda: ended(job), "the job has ended", seconds=10)
"""
import time


def wait_until(condition, what, seconds=20.0, pause=0.01):
    """The first true value of condition(). AssertionError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        time.sleep(pause)
