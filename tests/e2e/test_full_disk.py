#!/usr/bin/env python3
"""A full disk is a state, not a crash: nothing lost, nothing half-published, and it goes on by itself."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Dict, Set

from invariants import broken
from test_kill import file_counts, wanted_digests, whole_files
from world import Daemon, Mirror, SampleMaster, World, main, until

NO_LIMIT = {"mirror_min_free": "0", "mirror_min_free_inodes": "0", "pages_root_interval": "1s"}


class FullDisk(World):
    def disk(self, directory: Path, options: str) -> None:
        """A small file system of the test's own; tests in CI are root."""
        directory.mkdir(exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(directory)],
                                 capture_output=True, check=False)
        if mounted.returncode != 0 and os.geteuid() != 0:
            self.skipTest("mounting is for root")
        self.assertEqual(mounted.returncode, 0, mounted.stderr.decode(errors="replace"))
        self.addCleanup(subprocess.run, ["umount", "-l", str(directory)], check=False)

    def remount(self, directory: Path, options: str) -> None:
        subprocess.run(["mount", "-o", "remount," + options, str(directory)], check=True)

    def ballast(self, directory: Path, leave: int) -> Path:
        """A file that leaves so many bytes of its file system free."""
        path = directory / "ballast"
        about = os.statvfs(directory)
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, about.f_bavail * about.f_frsize - leave)
        return path

    def paused(self, daemon: Daemon) -> None:
        daemon.line("paused cause=", "it says that it pauses")

    def said(self, daemon: Daemon) -> int:
        return sum("paused cause=" in line for line in daemon.err.lines)

    def assert_goes_on(self, mirror: Mirror, master: SampleMaster, before: Dict[str, int], whole: Set[str]) -> None:
        until(lambda: mirror.last_modified() and not mirror.compare(master), "it ends equal")
        again = [path for path, count in file_counts(master).items()
                 if path in whole and count > before.get(path, 0)]
        self.assertEqual(again[:10], [], f"{len(again)} files had arrived and were fetched again")


class Filled(FullDisk):
    """There is no room at all, before anybody could know."""

    def follow(self, options: str, more: str) -> None:
        master = self.master(projects=30, files=300)
        wanted = wanted_digests(master)
        master.reset_counts()
        mirror = self.mirror(master.url, master_poll_interval="1s", **NO_LIMIT)
        self.disk(mirror.directory, options)
        daemon = self.run_daemon(mirror)
        self.paused(daemon)
        self.assertEqual(broken(mirror.web), [])
        self.assertIsNone(mirror.last_modified())
        before, whole = file_counts(master), whole_files(mirror, wanted)
        self.assertGreater(len(whole), 10, "it was full before anything had arrived")
        self.remount(mirror.directory, more)
        self.assert_goes_on(mirror, master, before, whole)
        self.assertTrue(daemon.running())
        daemon.send(signal.SIGTERM)
        self.assertEqual(daemon.wait(10), 0)
        self.assertEqual(broken(mirror.web), [])

    def test_in_bytes_the_daemon_waits_and_goes_on(self) -> None:
        self.follow("size=2m", "size=100m")

    def test_in_inodes_the_daemon_waits_and_goes_on(self) -> None:
        self.follow("size=100m,nr_inodes=300", "size=100m,nr_inodes=20000")

    def test_from_the_start_the_daemon_waits_and_goes_on(self) -> None:
        master = self.master(projects=10, files=40)
        mirror = self.mirror(master.url, **NO_LIMIT)
        self.disk(mirror.directory, "size=10m")
        ballast = self.ballast(mirror.directory, 0)
        daemon = self.run_daemon(mirror)
        self.paused(daemon)
        ballast.unlink()
        until(lambda: mirror.last_modified() and not mirror.compare(master), "it ends equal")

    def test_without_inodes_for_its_log_the_state_waits(self) -> None:
        master = self.master(projects=10, files=40)
        disk = self.directory / "small"
        mirror = self.mirror(master.url, state_file=str(disk / "state.db"), **NO_LIMIT)
        self.disk(disk, "size=20m,nr_inodes=40")
        self.assert_done(mirror.sync())
        for left in range(2):  # the log takes one, its index another
            for number in range(os.statvfs(disk).f_favail - left):
                (disk / f"{left}-{number}").touch()
            ended = mirror.sync()
            self.assert_ends(ended, 5, str(disk))
            self.assertIn("free some space", ended.last_line)
            daemon = self.run_daemon(mirror)
            self.paused(daemon)
            daemon.send(signal.SIGTERM)
            self.assertEqual(daemon.wait(10), 0)
            for path in disk.glob("[0-9]*"):
                path.unlink()
            self.assert_done(mirror.sync())

    def test_sigterm_ends_it_at_once(self) -> None:
        master = self.master(projects=30, files=300)
        mirror = self.mirror(master.url, **NO_LIMIT)
        self.disk(mirror.directory, "size=2m")
        daemon = self.run_daemon(mirror)
        self.paused(daemon)
        began = time.monotonic()
        daemon.send(signal.SIGTERM)
        self.assertEqual(daemon.wait(10), 0)
        self.assertLess(time.monotonic() - began, 5)

    def test_of_the_state_alone_the_daemon_waits_and_goes_on(self) -> None:
        master = self.master(projects=30, files=300)
        wanted = wanted_digests(master)
        disk = self.directory / "small"
        mirror = self.mirror(master.url, state_file=str(disk / "state.db"), master_poll_interval="1s", **NO_LIMIT)
        self.disk(disk, "size=20m")
        self.assert_done(mirror.sync(filter_projects="idna"))
        master.reset_counts()
        self.ballast(disk, 100_000)
        daemon = self.run_daemon(mirror)
        self.paused(daemon)
        self.assertEqual(broken(mirror.web), [])
        before, whole = file_counts(master), whole_files(mirror, wanted)
        (disk / "ballast").unlink()
        self.assert_goes_on(mirror, master, before, whole)

    def test_sync_ends_with_5_and_the_next_one_goes_on(self) -> None:
        master = self.master(projects=30, files=300)
        wanted = wanted_digests(master)
        master.reset_counts()
        mirror = self.mirror(master.url, **NO_LIMIT)
        self.disk(mirror.directory, "size=2m")
        result = mirror.sync()
        self.assert_ends(result, 5, str(mirror.directory))
        self.assertIn("free some space", result.last_line)
        self.assertEqual(broken(mirror.web), [])
        before, whole = file_counts(master), whole_files(mirror, wanted)
        self.remount(mirror.directory, "size=100m")
        self.assert_done(mirror.sync())
        self.assert_goes_on(mirror, master, before, whole)
        self.assertEqual(mirror.staged(), [])


class TooLittle(FullDisk):
    """Less is free than mirror.min-free."""

    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=30, files=120)
        self.m = self.mirror(self.started.url, mirror_min_free="8MiB", mirror_min_free_inodes="0",
                             master_poll_interval="1s", pages_root_interval="1s", deletes_grace="3s")
        self.disk(self.m.directory, "size=40m")

    def transfers(self) -> Set[str]:
        return {request for request in self.started.counts() if request.startswith("GET ")}

    def test_nothing_is_fetched_until_there_is_room(self) -> None:
        ballast = self.ballast(self.m.directory, 5 << 20)
        daemon = self.run_daemon(self.m)
        self.paused(daemon)
        until(lambda: self.m.status()["paused"], "status tells it")
        self.assertIn("min-free", self.m.status()["paused"])
        self.assertIn("min-free", self.m.do("status").output)
        self.assertEqual(self.started.counts(), {})
        ballast.unlink()
        until(self.m.last_modified, "it goes on by itself")
        until(lambda: not self.m.compare(self.started), "it ends equal")
        until(lambda: self.m.status()["paused"] is None, "status tells that too")
        self.assertEqual(self.said(daemon), 1, "it says it once")

    def test_journal_and_removals_go_on(self) -> None:
        daemon = self.run_daemon(self.m)
        until(self.m.last_modified, "the first pass")
        gone = self.started.event("remove-file", "idna")["touched"][0].lstrip("/")
        until(lambda: gone.rpartition("/")[2] not in self.m.filenames("idna"), "its page drops it")
        self.assertIn(gone, self.m.files())
        ballast = self.ballast(self.m.directory, 5 << 20)
        self.paused(daemon)
        until(lambda: gone not in self.m.files(), "the file is removed while it pauses")
        self.started.reset_counts()
        serial = self.started.event("new-release", "idna")["serial"]
        until(lambda: self.m.status()["serial"] == serial, "the journal is read while it pauses")
        until(lambda: '"paused":"' in (self.m.web / "status/status.json").read_text(), "the status page tells it")
        self.assertIn("until there is room", (self.m.web / "status/index.html").read_text())
        self.assertEqual(self.transfers(), set())
        ballast.unlink()
        until(lambda: not self.m.compare(self.started), "it ends equal")
        until(lambda: '"paused":null' in (self.m.web / "status/status.json").read_text(), "the status page is renewed")

    def test_what_the_master_removes_does_not_wait_for_room(self) -> None:
        daemon = self.run_daemon(self.m)
        until(self.m.last_modified, "the first pass")
        self.ballast(self.m.directory, 5 << 20)
        self.paused(daemon)
        self.started.event("new-release", "urllib3")
        fresh = self.started.event("new-release", "idna")["touched"]
        file = self.started.event("remove-file", "idna")["touched"][0].rpartition("/")[2]
        paths = [path for path in self.m.files() if "/urllib3-" in path]
        self.started.reset_counts()
        self.started.event("remove-project", "urllib3")
        until(lambda: daemon.status_of("/simple/urllib3/") == 404, "its page is gone")
        until(lambda: not set(paths) & set(self.m.files()), "its files are gone")
        until(lambda: file not in self.m.filenames("idna"), "a file is gone from a page")
        self.assertEqual(self.transfers() & {"GET " + path for path in fresh}, set())
        self.assertEqual(broken(self.m.web), [])
        self.assertIn("there is no room for it yet", self.m.do("status").output)
        (self.m.directory / "ballast").unlink()
        until(lambda: not self.m.compare(self.started), "it ends equal")

    def test_sync_ends_with_5_before_it_fetches_anything(self) -> None:
        ballast = self.ballast(self.m.directory, 5 << 20)
        result = self.m.sync()
        self.assert_ends(result, 5, str(self.m.directory))
        self.assertIn("free some space", result.last_line)
        self.assertEqual(self.started.counts(), {})
        ballast.unlink()
        self.assert_done(self.m.sync())
        self.assert_equal_trees(self.m, self.started)
        self.assertIsNone(self.m.status()["paused"])

    def test_the_disk_of_the_state_counts_too(self) -> None:
        disk = self.directory / "small"
        self.disk(disk, "size=4m")
        result = self.m.sync(state_file=str(disk / "state.db"))
        self.assert_ends(result, 5, str(disk))

    def test_sigterm_ends_it_at_once(self) -> None:
        self.ballast(self.m.directory, 5 << 20)
        daemon = self.run_daemon(self.m)
        self.paused(daemon)
        began = time.monotonic()
        daemon.send(signal.SIGTERM)
        self.assertEqual(daemon.wait(10), 0)
        self.assertLess(time.monotonic() - began, 5)


if __name__ == "__main__":
    main()
