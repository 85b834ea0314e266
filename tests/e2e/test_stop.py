#!/usr/bin/env python3
"""SIGTERM ends it within ten seconds whatever it is at, and what was finished is kept."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from typing import Callable

from invariants import broken
from world import Daemon, Mirror, World, main, until

SECONDS = 10.0


class Stop(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=100, files=800)
        self.m = self.mirror(self.started.url, deletes_max_fraction="1")

    def stops(self, process: Daemon, status: int) -> None:
        began = time.monotonic()
        process.send(signal.SIGTERM)
        self.assertEqual(process.wait(SECONDS + 20), status, process.err.lines[-3:])
        self.assertLess(time.monotonic() - began, SECONDS)
        self.assertEqual(broken(self.m.web)[:5], [])

    def ends_equal(self) -> None:
        self.started.clear_faults()
        self.assert_done(self.m.sync())
        self.assert_equal_trees(self.m, self.started)

    def requests(self, start: str) -> int:
        return sum(count for request, count in self.started.counts().items() if request.startswith(start))

    def at(self, command: str, reached: Callable[[], bool], status: int) -> None:
        process = self.run_daemon(self.m, command)
        until(reached, "it is in the midst of it")
        self.assertTrue(process.running())
        self.stops(process, status)
        self.ends_equal()

    def test_a_poll_that_hangs(self) -> None:
        self.started.fault("method:", "hang", times=-1)
        self.at("run", lambda: self.requests("POST ") > 0, 0)

    def test_a_list_that_drips(self) -> None:
        self.started.fault("method:list_packages_with_serial", "drip", 20, times=-1)
        self.at("run", lambda: self.requests("POST list") > 0, 0)

    def test_pages_that_hang(self) -> None:
        self.started.fault("/simple/", "hang", times=-1)
        self.at("run", lambda: self.requests("GET /simple/") >= 5, 0)

    def test_files_that_drip(self) -> None:
        self.started.fault("/packages/", "drip", 20, times=-1)
        self.at("run", lambda: self.requests("GET /packages/") >= 5, 0)

    def test_a_pass_in_full_flight(self) -> None:
        self.started.fault("/packages/", "delay", 10, times=-1)
        self.at("sync", lambda: self.requests("GET /packages/") > 300, 1)

    def test_pages_that_are_made_again(self) -> None:
        self.assert_done(self.m.sync(pages_formats="html"))
        mirror = Mirror(self.m.directory, self.started.url, pages_formats="json")
        process = self.run_daemon(mirror)
        until(lambda: list(self.m.web.glob("simple/*/index.v1_json")), "the first appears")
        began = time.monotonic()
        process.send(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0)
        self.assertLess(time.monotonic() - began, SECONDS)
        self.ends_equal()

    def verified(self) -> int:
        with closing(sqlite3.connect(self.m.directory / "state.db")) as state:
            return state.execute("SELECT count(*) FROM verified").fetchone()[0]

    def stops_verifying(self, *words: str) -> None:
        """One file takes minutes to hash; what was looked at beside it stays so."""
        self.assert_done(self.m.sync())
        long = next((self.m.web / "packages").rglob("*.metadata"))
        right = long.read_bytes()
        os.truncate(long, 1 << 40)
        process = self.ends(Daemon(self.m.command("verify", *words)))
        until(lambda: self.verified() > 90, "nearly all projects are verified")
        self.assertTrue(process.running())
        began = time.monotonic()
        process.send(signal.SIGTERM)
        self.assertEqual(process.wait(SECONDS + 20), 1, process.err.lines[-3:])
        self.assertLess(time.monotonic() - began, SECONDS)
        self.assertIn("stopped before the end", process.err.lines[-1])
        long.write_bytes(right)
        self.assertIn("verify_resumed", self.m.do("verify").errors)
        self.ends_equal()

    def test_verifying(self) -> None:
        self.stops_verifying()

    def test_repairing(self) -> None:
        self.stops_verifying("--repair")

    def test_many_removals_wait_for_the_next_start(self) -> None:
        """Nobody waits for the last of them."""
        self.assert_done(self.m.sync())
        daemon = self.run_daemon(self.m, filter_projects="idna", filter_block="requests")
        until(lambda: not (self.m.web / "simple/requests").exists(), "the first removal")
        self.stops(daemon, 0)
        self.ends_equal()


if __name__ == "__main__":
    main()
