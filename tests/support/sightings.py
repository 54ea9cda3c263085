"""What the status of each job was, look after look: counters never fall, an end stays.

    sightings = Sightings()
    api.sightings = sightings        # every status that the Api is answered is noted
    sightings.problems()             # ["I4 job ...: success_count fell from 7 to 5", ...]

Only looks that came one after the other are compared: a look is noted with the moments at
which it was asked and answered, and it bounds those that were asked after its answer.

Threads: any.
"""
import threading

COUNTERS = ("processed_items", "checked_items", "success_count", "error_count", "created_count",
            "updated_count", "unchanged_count", "deleted_count", "retries")
RANKS = {"Open": 0, "Upload Complete": 1, "In Progress": 2, "Job Complete": 3, "Failed": 3,
         "Aborted": 3}


class Sightings:
    def __init__(self):
        self._lock = threading.Lock()
        self._seen = {}   # job -> [(answered, floors, state), ...], each above the one before
        self._problems = []

    def note(self, job, asked, answered, status):
        with self._lock:
            seen = self._seen.setdefault(job, [])
            known = next((look for look in reversed(seen) if look[0] <= asked), None)
            floors = {name: status[name] for name in COUNTERS if status.get(name) is not None}
            if known:
                self._compare(job, known, floors, status["state"])
            seen.append((answered, floors, status["state"]))
            del seen[:-16]

    def _compare(self, job, known, floors, state):
        _, before, old_state = known
        for name, value in before.items():
            if name in floors and floors[name] < value:
                self._problems.append(f"I4 job {job}: {name} fell from {value} to {floors[name]}")
        ended = RANKS[old_state] == 3
        if RANKS[state] < RANKS[old_state] or (ended and state != old_state):
            self._problems.append(f"I4 job {job}: was {old_state}, then {state}")

    def problems(self):
        with self._lock:
            return list(self._problems)
