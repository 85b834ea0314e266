#!/usr/bin/env python3
"""Large files that go on where they broke off, and files that come from alternates."""

import os
import random
import signal

from invariants import broken
from slow_host import SlowHost
from world import Daemon, Mirror, World, main, until

SIZE = 4 << 20


class LargeFiles(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=5, files=15)
        self.host = self.ends(SlowHost(random.Random(1).randbytes(SIZE)))
        self.started.extra("idna", self.host.entry())
        self.m = self.mirror(self.started.url, filter_projects="idna")

    def part(self) -> int:
        """How much of the large file lies in staging/."""
        sizes = [os.path.getsize(self.m.directory / "staging" / name) for name in self.m.staged()
                 if name.endswith(".part")]
        return max(sizes, default=0)

    def stopped_half_way(self, number: int) -> int:
        self.host.pause = 0.05
        process = self.ends(Daemon(self.m.command("sync")))
        until(lambda: self.part() > SIZE // 2, "half of the file")
        process.send(number)
        process.wait()
        until(lambda: self.host.asked, "the host notices")
        self.host.pause = 0.0
        self.assertEqual(broken(self.m.web), [])
        return self.part()

    def assert_goes_on(self, there: int) -> None:
        self.assert_done(self.m.sync())
        until(lambda: (there, SIZE - there) in self.host.asked, f"the rest from {there} on is sent")
        self.assertEqual((self.m.web / "packages/large/large-1.0.tar.gz").read_bytes(), self.host.content)
        self.assertIn("large-1.0.tar.gz", self.m.filenames("idna"))
        self.assertEqual(self.m.staged(), [])

    def test_after_a_kill_only_the_rest_is_fetched(self) -> None:
        self.assert_goes_on(self.stopped_half_way(signal.SIGKILL))

    def test_after_a_stop_only_the_rest_is_fetched(self) -> None:
        self.assert_goes_on(self.stopped_half_way(signal.SIGTERM))

    def test_a_part_that_nobody_wants_any_more_is_removed(self) -> None:
        self.assertGreater(self.stopped_half_way(signal.SIGKILL), 0)
        self.assert_done(self.m.sync(filter_projects="requests"))
        self.assertEqual(self.m.staged(), [])

    def test_a_part_with_other_bytes_is_dropped(self) -> None:
        self.stopped_half_way(signal.SIGKILL)
        name = next(name for name in self.m.staged() if name.endswith(".part"))
        path = self.m.directory / "staging" / name
        path.write_bytes(b"\0" * os.path.getsize(path))  # as a power cut leaves it
        self.assert_goes_on(0)


class FromAlternates(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=20, files=80)
        first = self.mirror(self.started.url, "first")
        self.assert_done(first.sync())
        self.near = self.run_daemon(first, "serve")
        self.url = self.near.url
        self.started.reset_counts()

    def files_of_master(self) -> int:
        return sum(1 for what in self.started.counts() if what.startswith("GET /packages/"))

    def second(self, *alternates: str) -> Mirror:
        return self.mirror(self.started.url, "second", files_alternates=" ".join(alternates))

    def test_a_mirror_fills_itself_from_another_one(self) -> None:
        mirror = self.second(self.url)
        self.assert_done(mirror.sync())
        self.assertEqual(self.files_of_master(), 0)
        self.assert_equal_trees(mirror, self.started)

    def test_what_the_other_one_lacks_comes_from_the_master(self) -> None:
        self.started.event("new-release", "idna", version="66.0")
        mirror = self.second(self.url)
        self.assert_done(mirror.sync())
        self.assertGreater(self.files_of_master(), 0)
        self.assertLess(self.files_of_master(), 10)
        self.assert_equal_trees(mirror, self.started)

    def test_one_that_is_not_there_costs_little(self) -> None:
        self.near.kill()
        mirror = self.second(self.url)
        result = mirror.sync()
        self.assert_done(result)
        self.assertIn("alternate_rests", result.errors)
        self.assert_equal_trees(mirror, self.started)


if __name__ == "__main__":
    main()
