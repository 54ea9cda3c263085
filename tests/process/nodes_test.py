#!/usr/bin/python3
"""Several nodes over one PostgreSQL database: one stands still, dies, is cut off, is told to
stop; the others go on with its slices, nothing happens twice, and nothing of it is missed.
TALLYMAN_SEED replays a run."""
import pathlib
import random
import signal
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from slow_table import SLOW_SETTINGS, numbers, slow_server  # noqa: E402
from support import counts, oracle  # noqa: E402
from support.proxy import Proxy  # noqa: E402
from support.server import Server  # noqa: E402
from support.wait import wait_until  # noqa: E402

SEED = counts.seed()
TIMES = counts.times(20)
LEASE_SECONDS = 0.3
SHORT_LEASES = {"lease_time": "300ms", "window_records": 150, "lanes": 2}
RECORDS = 3000
TAKEOVER_SECONDS = 15


class Nodes(unittest.TestCase):
    """`front` takes requests and does no work, `one` and `other` work."""

    def setUp(self):
        self.chance = random.Random(f"{SEED} {self.id()}")

    def cluster(self, settings=None, through=False):
        settings = {**SLOW_SETTINGS, **(settings or {})}
        self.front = slow_server({**settings, "workers": 0})
        self.addCleanup(self.front.close)
        self.front.start()
        self.api = self.front.api()
        self.proxy = Proxy(self.front.database.url) if through else None
        if through:
            self.addCleanup(self.proxy.close)
        self.one = self.node(settings, self.proxy and self.proxy.url)
        self.other = self.node(settings)
        self.first = 1

    def node(self, settings, reached_by=None):
        made = Server(over=self.front.database, resources=self.front.resources, settings=settings,
                      token=False, command="work")
        made.reached_by = reached_by
        self.addCleanup(made.close)
        return made

    def job(self, records=RECORDS, operation="insert", **options):
        answer = self.api.submit(operation, "items", numbers(records, self.first), **options)
        self.assertEqual(answer.status, 202, answer)
        self.first += records
        return answer.json["job_id"]

    def wait_until_it_moves(self, job):
        def moves():
            status = self.api.status("items", job).json
            return status["processed_items"] > 0 or status.get("checked_items", 0) > 0
        wait_until(moves, "the job is under way", pause=0.002)

    def complete(self, job, records=RECORDS, seconds=60):
        status = self.api.wait_for_end("items", job, seconds)
        self.assertEqual((status["state"], status["created_count"], status["error_count"]),
                         ("Job Complete", records, 0), f"seed {SEED}: {status}")
        return status

    def work_together(self, job):
        lease = self.front.database.own("lease")
        workers = set()

        def both():
            workers.update(name for (name,) in self.front.rows(
                f"select distinct worker from {lease} where worker is not null"))
            return len(workers) > 1 or self.api.status("items", job).json["state"] == "Job Complete"
        wait_until(both, "two workers hold slices of it, or it has ended", 60, 0.005)
        self.assertGreater(len(workers), 1, workers)

    def events(self, job):
        return [entry["event"] for entry in self.api.history("items", job)]

    def once(self):
        written = self.front.rows("select count(*), count(distinct row_key) from effect_log "
                                  "where effect = 'insert'")
        self.assertEqual(written, [(self.first - 1, self.first - 1)], f"seed {SEED}")
        self.assertEqual(oracle.check(self.front), [], f"seed {SEED}")

    # --- tests ----------------------------------------------------------------------------

    def test_a_node_without_workers_takes_jobs_and_one_without_http_runs_them(self):
        self.cluster()
        job = self.job()
        self.assertEqual(self.api.status("items", job).json["state"], "Upload Complete")
        self.one.start()
        self.complete(job)
        self.once()

    def test_one_large_job_is_worked_on_by_both_nodes(self):
        self.cluster({"window_records": 100, "lanes": 4, "workers": 1})
        self.one.start()
        self.other.start()
        job = self.job(12_000)
        self.work_together(job)
        self.complete(job, 12_000)
        self.once()

    def test_a_node_that_comes_late_is_given_slices_of_one_that_holds_them_all(self):
        self.cluster({"window_records": 100, "lanes": 2, "workers": 1})
        self.one.start()
        job = self.job(12_000, "upsert", unique_fields="id")  # In 16 slices.
        # Its one thread writes the first half of the slices, and then the other.
        wait_until(lambda: self.api.status("items", job).json["processed_items"] > 6_000,
                   "the last slices are under way", 60, 0.005)
        self.other.start()
        self.work_together(job)
        self.complete(job, 12_000)
        self.assertNotIn("slice_reclaimed", self.events(job))
        self.once()

    def test_a_node_that_stood_still_past_its_leases_writes_nothing_more(self):
        self.cluster(SHORT_LEASES)
        self.one.start()
        self.other.start()
        for _ in range(TIMES):
            job = self.job(mode=self.chance.choice(("partial", "partial", "atomic")))
            self.wait_until_it_moves(job)
            still = self.chance.choice((self.one, self.other))
            still.process.send_signal(signal.SIGSTOP)
            # That this time passes is the fault.
            time.sleep(LEASE_SECONDS * (1.1 + self.chance.random()))
            still.process.send_signal(signal.SIGCONT)
            self.complete(job)
        self.once()

    def test_a_node_that_is_killed_hands_its_slices_on(self):
        self.cluster(SHORT_LEASES)
        self.other.start()
        for _ in range(TIMES):
            self.one.start()
            job = self.job(mode=self.chance.choice(("partial", "partial", "atomic")))
            self.wait_until_it_moves(job)
            self.one.kill()
            self.complete(job)
        self.once()

    def test_a_node_that_is_told_to_stop_hands_its_slices_on_at_a_units_end(self):
        self.cluster()
        self.other.start()
        for _ in range(max(1, TIMES // 4)):
            self.one.start()
            job = self.job()
            self.wait_until_it_moves(job)
            self.assertEqual(self.one.terminate(12), 0, self.one.log()[-2000:])
            self.complete(job)
            self.assertNotIn("slice_reclaimed", self.events(job))
        self.once()

    def test_a_node_that_is_cut_off_is_followed_within_15_seconds(self):
        """With the leases that a server has by default. A proxy swallows all that it says and is
        told, and nobody closes anything."""
        self.cluster(through=True)
        self.one.start()
        job = self.job()
        self.wait_until_it_moves(job)
        self.proxy.swallow()
        self.other.start()
        wait_until(lambda: "slice_reclaimed" in self.events(job), "another node took over",
                   TAKEOVER_SECONDS, 0.05)
        self.complete(job)
        self.proxy.resume()
        # What it held back arrives now, and comes too late.
        job = self.job()
        self.complete(job)
        self.once()

    def test_an_atomic_job_of_a_node_that_is_cut_off_starts_over(self):
        # Every lease that runs out on a slow machine is a start from the first record.
        self.cluster({**SHORT_LEASES, "lease_time": "2s"}, through=True)
        self.one.start()
        job = self.job(20_000, mode="atomic")
        self.wait_until_it_moves(job)
        self.proxy.swallow()
        self.other.start()
        self.complete(job, 20_000)
        self.proxy.resume()
        self.complete(self.job())
        self.once()

    def test_changes_are_seen_through_every_node(self):
        self.cluster()
        second = Server(over=self.front.database, resources=self.front.resources,
                        settings={**SLOW_SETTINGS, "workers": 0}, token=False)
        self.addCleanup(second.close)
        second.start()
        api = second.api(self.front.token)
        opened = self.api.open_job("items", "insert").json["job_id"]
        body = numbers(100)
        self.first += 100
        self.assertEqual(api.put_data("items", opened, 0, body[:300]).status, 204)
        self.assertEqual(self.api.put_data("items", opened, 300, body[300:]).status, 204)
        self.assertEqual(api.action("items", opened, "complete").status, 202)
        self.one.start()
        self.complete(opened, 100)
        self.assertEqual(api.status("items", opened).json["state"], "Job Complete")
        self.assertEqual(len(api.results("items", opened)), 100)
        self.once()

    def test_a_folder_of_ones_own_is_no_place_for_two_nodes(self):
        """payload = "disk" is one node, or a folder that all of them share."""
        with tempfile.TemporaryDirectory() as shared, tempfile.TemporaryDirectory() as own:
            self.cluster({"payload": "disk", "payload_folder": shared})
            self.one.start()
            self.complete(self.job())
            self.other.settings["payload_folder"] = own
            self.other.start()
            self.assertNotEqual(self.other.process.wait(20), 0)
            self.assertIn("payload", self.other.log() + self.other.output())


class Starting(unittest.TestCase):
    def test_the_schema_is_made_once_by_many_that_start_at_once_and_a_newer_one_is_refused(self):
        first = Server("create table items (id integer primary key)", token=False)
        self.addCleanup(first.close)
        nodes = [first] + [Server(over=first.database, resources=first.resources, token=False)
                           for _ in range(3)]
        for node in nodes[1:]:
            self.addCleanup(node.close)
        made = [first.command("migrate", "--database", first.database.url) for _ in range(2)]
        self.assertEqual([one.returncode for one in made], [0, 0], made)
        for node in nodes:
            node.start()
            self.assertEqual(node.api("x").call("GET", "/healthz").status, 200)
            node.kill()
        meta = first.database.own("meta")
        version = first.rows(f"select version from {meta}")[0][0]
        first.execute(f"update {meta} set version = {version + 1}")
        for refused in (first.command("migrate", "--database", first.database.url),
                        first.command("serve", "--config", "tallyman.toml")):
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("newer", refused.stderr + refused.stdout)
        self.assertEqual(first.rows(f"select version from {meta}"), [(version + 1,)])


if __name__ == "__main__":
    print(f"seed {SEED}, {TIMES} times", flush=True)
    unittest.main()
