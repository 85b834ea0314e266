#!/usr/bin/env python3
"""Killed anywhere, what is published is true, and what was fetched is not fetched again (design.md 2.4)."""

import os
import random
import signal
from pathlib import Path
from typing import Set

from compare import Terms
from fetched import Counts, fetched_again, file_counts, wanted_digests, whole_files
from invariants import broken
from world import Daemon, Mirror, World, main, until

class Killed(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=120, files=1200)
        self.started.fault("/packages/", "delay", 15, times=-1)  # so that there is a half-way
        self.wanted = wanted_digests(self.started)
        self.started.reset_counts()

    def killed_after(self, mirror: Mirror, requests: int, **options: str) -> bool:
        """Starts a pass and kills it when the master has had so many requests; false: it ended before."""
        process = Daemon(mirror.command("sync", **options))
        try:
            until(lambda: not process.running() or sum(self.started.counts().values()) >= requests,
                  f"{requests} requests")
        finally:
            ended = not process.running()
            process.kill()
        return not ended

    def assert_true_and_unfinished(self, mirror: Mirror) -> None:
        self.assertEqual(broken(mirror.web)[:10], [])
        self.assertIsNone(mirror.last_modified())

    def assert_nothing_whole_was_fetched_again(self, before: Counts, whole: Set[str]) -> None:
        again = fetched_again(before, whole, file_counts(self.started))
        self.assertEqual(again[:10], [], f"{len(again)} files were complete and were fetched again")

    def test_a_first_pass_killed_again_and_again_ends_equal_and_fetches_nothing_whole_twice(self) -> None:
        for seed in (1, 2):
            with self.subTest(seed=seed):
                self.started.reset_counts()
                self.kill_and_go_on(self.mirror(self.started.url, f"m{seed}"), random.Random(seed))

    def kill_and_go_on(self, mirror: Mirror, chance: random.Random) -> None:
        total = len(self.wanted) + 120
        before: Counts = {}
        whole: Set[str] = set()
        kills = 0
        for point in sorted(chance.randrange(3, total) for _ in range(6)):
            if sum(self.started.counts().values()) >= point:
                continue
            self.assertTrue(self.killed_after(mirror, point), f"the pass ended before {point} requests")
            kills += 1
            self.assert_nothing_whole_was_fetched_again(before, whole)
            self.assert_true_and_unfinished(mirror)
            before, whole = file_counts(self.started), whole_files(mirror, self.wanted)
        self.assertGreaterEqual(kills, 3)
        self.assertGreater(len(whole), 50, "the kills came too early to show anything")
        self.assert_done(mirror.sync())
        self.assert_nothing_whole_was_fetched_again(before, whole)
        most = 1 + kills
        self.assertEqual([path for path, count in file_counts(self.started).items() if count > most], [])
        self.assertEqual(mirror.staged(), [])
        self.assert_equal_trees(mirror, self.started)

    def test_killed_while_events_are_followed_it_ends_equal(self) -> None:
        mirror = self.mirror(self.started.url, deletes_max_fraction="1")
        self.started.clear_faults()
        self.assert_done(mirror.sync())
        self.started.fault("/packages/", "delay", 30, times=-1)
        self.started.fault("/simple/", "delay", 30, times=-1)
        for seed in range(3):
            self.started.random(count=60, seed=seed)
            self.started.reset_counts()
            for point in random.Random(seed).sample(range(2, 40), 2):
                self.killed_after(mirror, point)
                self.assertEqual(broken(mirror.web)[:10], [])
        self.assert_done(mirror.sync())
        self.assertEqual(mirror.staged(), [])
        self.assert_equal_trees(mirror, self.started)

    def test_killed_while_formats_change_it_ends_equal(self) -> None:
        mirror = self.mirror(self.started.url)
        self.started.clear_faults()
        self.assert_done(mirror.sync(pages_formats="html"))
        for number in range(4):
            self.killed_while_pages_appear(mirror, 20 * number)
            self.assertEqual(broken(mirror.web)[:10], [])
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, self.started)

    def killed_while_pages_appear(self, mirror: Mirror, pages: int) -> None:
        process = Daemon(mirror.command("sync"))
        try:
            until(lambda: not process.running() or
                  len(list((mirror.web / "simple").glob("*/index.v1_json"))) > pages, f"{pages} pages")
        finally:
            process.kill()

    def test_the_daemon_killed_goes_on_where_it_was(self) -> None:
        mirror = self.mirror(self.started.url)
        daemon = self.run_daemon(mirror)
        until(lambda: sum(self.started.counts().values()) > 500, "500 requests")
        daemon.send(signal.SIGKILL)
        daemon.wait()
        self.assert_true_and_unfinished(mirror)
        before, whole = file_counts(self.started), whole_files(mirror, self.wanted)
        self.run_daemon(mirror)
        until(lambda: mirror.last_modified() is not None, "the first pass is complete")
        self.assert_nothing_whole_was_fetched_again(before, whole)
        self.assert_equal_trees(mirror, self.started)

    def test_a_large_file_is_fetched_on_from_where_the_kill_left_it_or_anew_but_ends_whole(self) -> None:
        mirror = self.mirror(self.started.url, filter_projects="idna")
        path = next(path for path in self.wanted if "/idna-" in path and path.endswith(".whl"))
        self.started.clear_faults()
        self.started.fault("/" + path + "$", "drip", 1, times=1)
        self.killed_after(mirror, 6)
        self.assert_true_and_unfinished(mirror)
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, self.started, Terms(projects={"idna"}))

    def test_rubbish_in_staging_is_never_published(self) -> None:
        mirror = self.mirror(self.started.url)
        self.killed_after(mirror, 300)
        staged = sorted(path for path in (mirror.directory / "staging").rglob("*") if path.is_file())
        self.assertTrue(staged, "the kill left nothing in staging/")
        for path in staged[::2]:
            self.spoil(path)
        self.assert_done(mirror.sync())
        self.assertEqual(mirror.staged(), [])
        self.assert_equal_trees(mirror, self.started)

    def spoil(self, path: Path) -> None:
        """Same size, other bytes: what a power cut leaves of a file."""
        size = os.path.getsize(path)
        path.write_bytes(b"\0" * size)


if __name__ == "__main__":
    main()
