#!/usr/bin/env python3
"""The state: damage is told and deletes nothing, `adopt` begins anew, one process at a time, others may read."""

import os
import random
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any, Dict, List

from invariants import broken
from tree import snapshot
from world import DAEMON, Daemon, Mirror, Result, SampleMaster, World, finished, main, until

SMALL = {"projects": 20, "files": 80}
NOBODY = 65534


def state_of(mirror: Mirror) -> Path:
    return mirror.directory / "state.db"


def drop_state(mirror: Mirror) -> None:
    for path in mirror.directory.glob("state.db*"):
        path.unlink()


def fetched_files(master: SampleMaster) -> List[str]:
    return sorted(request for request in master.counts() if request.startswith("GET /packages/"))


class Whole(World):
    """A mirror after a whole pass."""

    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(**SMALL)
        self.m = self.mirror(self.started.url)
        self.assert_done(self.m.sync())
        self.started.reset_counts()

    def as_nobody(self, *words: str) -> Result:
        program = self.directory / "pep381d"
        if not program.exists():
            shutil.copy(DAEMON, program)
        who: Dict[str, Any] = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        return finished([str(program), *self.m.command(*words)[1:]], **who)


class Damage(Whole):
    def refuses(self, what: str) -> None:
        before = snapshot(self.m.web)
        for command in ("sync", "run", "status"):
            result = self.m.do(command)
            self.assert_ends(result, 5, str(state_of(self.m)))
            self.assertIn(what, result.last_line)
        self.assertEqual(snapshot(self.m.web), before)
        self.assertEqual(self.started.counts(), {})

    def test_an_empty_one(self) -> None:
        drop_state(self.m)
        state_of(self.m).touch()
        self.refuses("it is empty; run `pep381d adopt`")

    def test_one_that_is_no_database(self) -> None:
        state_of(self.m).write_bytes(b"this is no database" * 500)
        self.refuses("run `pep381d adopt`")

    def test_one_of_another_program(self) -> None:
        drop_state(self.m)
        with sqlite3.connect(state_of(self.m)) as database:
            database.execute("CREATE TABLE bookmarks(url)")
        database.close()
        self.refuses("another program")

    def test_one_of_a_newer_version(self) -> None:
        with sqlite3.connect(state_of(self.m)) as database:
            database.execute("PRAGMA user_version = 4711")
        database.close()
        self.refuses("newer pep381d")

    def test_a_directory(self) -> None:
        drop_state(self.m)
        state_of(self.m).mkdir()
        self.refuses("no file")

    def test_one_cut_short(self) -> None:
        with open(state_of(self.m), "r+b") as file:
            file.truncate(6000)
        self.refuses("run `pep381d adopt`")

    def test_one_that_may_not_be_written_or_read(self) -> None:
        for mode in (0o444, 0o000):
            for path in [self.m.directory, *self.m.directory.rglob("*")]:
                if os.geteuid() == 0:
                    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
            state_of(self.m).chmod(mode)
            self.assert_ends(self.as_nobody("sync"), 5, str(state_of(self.m)))
        self.assert_ends(self.as_nobody("status"), 5, str(state_of(self.m)))

    def test_one_that_may_not_be_written_can_be_used_once_it_may(self) -> None:
        """SQLite by itself leaves a log beside it that may not be written either."""
        for path in [self.m.directory, *self.m.directory.rglob("*")]:
            if os.geteuid() == 0:
                os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
        state_of(self.m).chmod(0o444)
        self.assert_ends(self.as_nobody("verify"), 5, str(state_of(self.m)))
        state_of(self.m).chmod(0o644)
        self.assert_done(self.as_nobody("verify"))

    def test_whatever_is_flipped_or_gone_nothing_is_deleted_and_nothing_crashes(self) -> None:
        self.started.random(count=5, seed=1)
        self.assert_done(self.m.sync(deletes_max_fraction="1"))
        good = state_of(self.m).read_bytes()
        rng = random.Random(1)
        before = snapshot(self.m.web / "packages")
        statuses: Dict[int, int] = {}
        for number in range(40):
            bad = bytearray(good)
            for _ in range(1 + rng.randrange(30)):
                bad[rng.randrange(len(bad))] = rng.randrange(256)
            if number % 4 == 1:
                del bad[rng.randrange(len(bad)):]
            if number % 4 == 2:
                page = 4096 * rng.randrange(1, len(bad) // 4096)
                bad[page:page + 4096] = bytes(4096)
            drop_state(self.m)
            state_of(self.m).write_bytes(bad)
            for command in ("status", "sync"):
                result = self.m.do(command, master_patience="0s")
                self.assertIn(result.status, (0, 1, 3, 4, 5), result.errors[-2000:])
                self.assertNotIn("defect", result.errors)
                statuses[result.status] = statuses.get(result.status, 0) + 1
            after = snapshot(self.m.web / "packages")
            self.assertEqual({path: after.get(path) for path in before}, before, f"damage number {number}")
            self.assertEqual(broken(self.m.web)[:3], [], f"damage number {number}")
        self.assertGreater(statuses.get(5, 0), 10, statuses)


class Adopt(Whole):
    def assert_takes_over(self, mirror: Mirror) -> None:
        self.started.reset_counts()
        self.assert_done(mirror.sync())
        self.assertEqual(fetched_files(self.started), [])
        self.assertGreater(self.started.counts().get("GET /simple/idna/", 0), 0)
        self.assert_equal_trees(mirror, self.started)

    def test_a_lost_state_is_rebuilt_without_fetching_a_file(self) -> None:
        drop_state(self.m)
        self.assert_done(self.m.do("adopt"))
        self.assert_takes_over(self.m)

    def test_a_damaged_state_is_set_aside(self) -> None:
        state_of(self.m).write_bytes(b"this is no database" * 500)
        told = self.m.do("adopt")
        self.assert_done(told)
        self.assertIn("state.db.damaged", told.output)
        self.assertTrue((self.m.directory / "state.db.damaged").exists())
        self.assert_takes_over(self.m)

    def test_a_state_that_is_whole_stays(self) -> None:
        before = state_of(self.m).read_bytes()
        self.assert_ends(self.m.do("adopt"), 5, str(state_of(self.m)))
        self.assertEqual(state_of(self.m).read_bytes(), before)

    def test_what_is_damaged_in_the_tree_is_fetched_and_strays_stay(self) -> None:
        drop_state(self.m)
        path = self.m.web / next(path for path in self.m.files() if path.endswith(".whl"))
        path.write_bytes(bytes(len(path.read_bytes())))
        stray = self.m.web / "packages/aa/stray.txt"
        stray.parent.mkdir(exist_ok=True)
        stray.write_text("mine")
        self.assert_done(self.m.do("adopt"))
        self.assert_done(self.m.sync())
        self.assertEqual(len(fetched_files(self.started)), 1)
        self.assertTrue(stray.exists())
        stray.unlink()
        self.assert_equal_trees(self.m, self.started)

    def put_back_an_older_one(self) -> None:
        copy = self.directory / "copy"
        copy.mkdir()
        for path in self.m.directory.glob("state.db*"):
            shutil.copy(path, copy)
        self.assert_done(self.m.sync(filter_block="idna"))
        drop_state(self.m)
        for path in copy.iterdir():
            shutil.copy(path, self.m.directory)

    def test_one_that_was_put_back_from_a_copy_is_not_believed(self) -> None:
        self.put_back_an_older_one()
        self.assert_ends(self.m.do("verify"), 5, "put back from a copy")
        self.assert_takes_back(self.m)

    def test_nor_by_a_repair_of_a_tree_that_is_not_all_there(self) -> None:
        self.put_back_an_older_one()
        shutil.rmtree(self.m.web / "simple")
        self.assert_ends(self.m.sync(), 5, "nothing is there")
        self.started.reset_counts()
        self.started.fault("/pypi", "status", 403, times=-1)
        before = snapshot(self.m.web / "packages")
        self.assert_ends(self.m.do("verify", "--repair"), 3, "403")
        self.assertEqual(snapshot(self.m.web / "packages"), before)
        self.started.clear_faults()
        self.assert_done(self.m.do("verify", "--repair"))
        self.assertTrue(all("idna" in path for path in fetched_files(self.started)), fetched_files(self.started))
        self.assert_equal_trees(self.m, self.started)

    def test_a_repair_that_could_not_read_all_says_so(self) -> None:
        self.put_back_an_older_one()
        self.started.fault("/simple/", "status", 429, times=1, retry_after="3")
        self.assert_ends(self.m.do("verify", "--repair", master_patience="2s"), 1, "were not reached")
        self.started.clear_faults()
        self.assert_done(self.m.do("verify", "--repair"))
        self.assert_equal_trees(self.m, self.started)

    def test_a_tree_that_was_put_back_from_a_copy_is_told_as_well(self) -> None:
        older = self.directory / "older"
        shutil.copytree(self.m.web, older)
        for name in ("idna", "requests", "idna"):
            self.assert_done(self.m.sync(filter_block=name))
        shutil.rmtree(self.m.web)
        older.rename(self.m.web)
        self.assert_ends(self.m.do("verify"), 5, "put back from a copy")
        self.assert_takes_back(self.m)

    def assert_takes_back(self, mirror: Mirror) -> None:
        self.started.reset_counts()
        told = mirror.sync()
        self.assert_done(told)
        self.assertIn("state_begins_anew", told.errors)
        self.assertTrue(all("idna" in path for path in fetched_files(self.started)), fetched_files(self.started))
        self.assert_equal_trees(mirror, self.started)

    def test_without_its_tree_nothing_is_published(self) -> None:
        for part in ("packages", "simple"):
            away = self.directory / part
            (self.m.web / part).rename(away)
            for command in ("sync", "run"):
                self.assert_ends(self.m.do(command), 5, f"web/{part}")
            self.assertFalse((self.m.web / part).exists())
            self.assertEqual(self.started.counts(), {})
            away.rename(self.m.web / part)
        self.assert_done(self.m.sync())
        shutil.rmtree(self.m.web)
        self.assert_done(self.m.do("verify", "--repair"))
        self.assert_equal_trees(self.m, self.started)

    def test_before_that_pass_nothing_is_removed_and_the_root_index_stays(self) -> None:
        drop_state(self.m)
        self.assert_done(self.m.do("adopt"))
        self.started.fault("/", "status", 503, times=-1)
        before = {path: snapshot(self.m.web / path) for path in ("packages", "simple")}
        daemon = self.run_daemon(self.m, master_poll_interval="1s")
        until(lambda: sum("poll_failed" in line for line in daemon.err.lines) >= 3, "it polls, and verifies")
        daemon.send(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        told = self.m.do("verify", "--repair")
        self.assertNotIn("stray", told.output)
        for path, files in before.items():
            self.assertEqual(snapshot(self.m.web / path), files)
        self.started.clear_faults()
        self.started.fault("/simple/idna/", "status", 404, times=1)
        for name in ("idna", "no-such-project"):
            self.assertEqual(self.m.do("sync", name).status, 1)
        self.assertEqual(snapshot(self.m.web / "packages"), before["packages"])
        self.assertIn("idna/index.html", snapshot(self.m.web / "simple"))
        self.assertIn('href="idna/"', (self.m.web / "simple/index.html").read_text())
        self.assert_takes_over(self.m)

    def test_the_tree_of_another_tool_is_taken_over_and_stays_as_it_is(self) -> None:
        other = self.directory / "bandersnatch"
        shutil.copytree(self.m.web, other / "web")
        before = snapshot(other)
        mirror = self.mirror(self.started.url, "taken")
        told = mirror.do("adopt", str(other))
        self.assert_done(told)
        self.assertRegex(told.output, r"^[1-9]\d* files taken over")
        self.assert_takes_over(mirror)
        self.assertEqual(snapshot(other), before)

    def test_a_pages_only_html_tree_is_taken_over_too(self) -> None:
        self.assert_done(self.m.sync(pages_formats="html"))
        drop_state(self.m)
        self.assert_done(self.m.do("adopt"))
        self.assert_takes_over(self.m)

    def test_a_directory_that_is_no_mirror_is_told(self) -> None:
        empty = self.directory / "empty"
        empty.mkdir()
        mirror = self.mirror(self.started.url, "other")
        self.assert_ends(mirror.do("adopt", str(empty)), 5, str(empty))
        self.assert_ends(mirror.do("adopt", str(mirror.web)), 5, str(mirror.web))


class OneAtATime(Whole):
    def daemon(self) -> Daemon:
        daemon = self.run_daemon(self.m)
        daemon.line("started ", "it runs")
        until(lambda: self.started.counts().get("POST changelog_last_serial", 0) > 0, "it polls")
        return daemon

    def test_beside_the_daemon_changes_are_refused_by_its_number_and_permissions_given(self) -> None:
        daemon = self.daemon()
        for words in (("sync",), ("run",), ("adopt",)):
            result = self.m.do(*words)
            self.assert_ends(result, 5, str(self.m.directory))
            self.assertIn(f"process {daemon.process.pid}", result.last_line)
        self.assertEqual(self.m.do("allow-deletions").output, "nothing is held back\n")
        self.assertTrue(daemon.running())

    def test_one_state_is_not_for_two_mirrors(self) -> None:
        daemon = self.daemon()
        second = self.mirror(self.started.url, "second", state_file=str(state_of(self.m)))
        result = second.sync()
        self.assert_ends(result, 5, str(state_of(self.m)))
        self.assertIn(f"process {daemon.process.pid}", result.last_line)

    def test_others_may_ask_for_the_status_beside_the_daemon_without_it_and_after_a_kill(self) -> None:
        self.assert_done(self.as_nobody("status", "--json"))
        old = os.umask(0o077)
        try:
            drop_state(self.m)
            (self.m.web / "last-modified").unlink()
            daemon = self.run_daemon(self.m)
        finally:
            os.umask(old)
        until(self.m.last_modified, "the first pass of a new state")
        for path in self.m.directory.glob("state.db*"):
            self.assertEqual(oct(path.stat().st_mode & 0o777), oct(0o644), path)
        self.assertGreaterEqual(len(list(self.m.directory.glob("state.db*"))), 3)
        self.assert_done(self.as_nobody("status", "--json"))
        daemon.send(signal.SIGKILL)
        daemon.wait()
        told = self.as_nobody("status", "--json")
        self.assert_done(told)
        self.assertEqual(told.output.count('"files":'), 1)


if __name__ == "__main__":
    main()
