#!/usr/bin/env python3
"""`pep381d verify`: what is wrong is found and, when asked for, mended; nothing else is touched."""

import os
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Dict, List, Tuple

from invariants import broken
from tree import digest_of
from world import Daemon, Result, World, main, until


def told(result: Result) -> List[str]:
    """`flaw path` of each line, in order."""
    return sorted(line.split(": ")[0] for line in result.output.splitlines())


def contents(root: Path) -> Dict[str, Tuple[str, str]]:
    """All that lies below, with type and digest or target."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[str(path)] = ("link", os.readlink(path))
        else:
            found[str(path)] = ("directory", "") if path.is_dir() else ("file", digest_of(path) or "")
    return found


def replace(path: Path, data: bytes) -> None:
    """Another file in its place: hard links of the old one stay as they are."""
    path.unlink()
    path.write_bytes(data)


class Verified(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=60, files=300)
        self.one = self.mirror(self.started.url)
        self.assert_done(self.one.sync())

    def file(self, number: int, suffix: str = "") -> str:
        return [path for path in self.one.files() if path.endswith(suffix or (".whl", ".gz", ".zip"))][number]

    def damage_all(self) -> List[str]:
        """One of each kind; what is to be told of them."""
        web = self.one.web
        gone, short, rotten, folded, linked, beside = (
            self.file(5), self.file(10), self.file(15), self.file(20), self.file(25), self.file(0, ".metadata"))
        (web / gone).unlink()
        (web / short).write_bytes(b"short")
        (web / rotten).write_bytes(b"\0" * (web / rotten).stat().st_size)
        (web / folded).unlink()
        (web / folded / "below").mkdir(parents=True)
        (web / folded / "below" / "something").write_text("x")
        shutil.move(str(web / linked), str(self.directory / "elsewhere"))
        (web / linked).symlink_to(self.directory / "elsewhere")
        (web / beside).write_bytes(b"other")
        (web / "simple/idna/index.v1_json").unlink()
        replace(web / "simple/requests/index.html", b"<html>")
        replace(web / "simple/index.v1_json", b"{}")
        (web / "simple/nobody").mkdir()
        (web / "simple/nobody/index.html").write_text("x")
        (web / "packages/aa/bb").mkdir(parents=True, exist_ok=True)
        (web / "packages/aa/bb/stray-1.0.tar.gz").write_text("x")
        (web / "packages/usr").symlink_to("/usr")
        (web / "packages/zz/empty").mkdir(parents=True)
        (web / "robots.txt").write_text("x")
        (self.directory / "m/staging/arrival.7").write_text("x")
        return sorted([f"missing web/{gone}", f"wrong_size web/{short}", f"wrong_bytes web/{rotten}",
                       f"wrong_kind web/{folded}", f"stray web/{folded}/below/something",
                       f"wrong_kind web/{linked}", f"wrong_bytes web/{beside}",
                       "missing web/simple/idna/index.v1_json", "wrong_bytes web/simple/requests/index.html",
                       "wrong_bytes web/simple/index.v1_json", "stray web/simple/nobody/index.html",
                       "stray web/packages/aa/bb/stray-1.0.tar.gz", "wrong_kind web/packages/usr",
                       "stray web/packages/zz/empty", "foreign web/robots.txt", "leftover staging/arrival.7"])

    def test_a_mirror_in_order_is_said_to_be_so(self) -> None:
        for words in ([], ["--no-hash"], ["--repair"]):
            with self.subTest(words=words):
                result = self.one.do("verify", *words)
                self.assert_done(result)
                self.assertEqual(result.output, "")

    def test_each_fault_is_told_and_nothing_is_changed(self) -> None:
        expected = self.damage_all()
        before = contents(self.one.directory / "web")
        result = self.one.do("verify")
        self.assert_ends(result, 1, "verify --repair")
        emptied = [line for line in told(result) if line not in expected]
        # The directory of the file that somebody took away is empty now.
        self.assertTrue(all(line.startswith("stray web/packages/") for line in emptied), emptied)
        self.assertEqual([line for line in expected if line not in told(result)], [])
        self.assertEqual(contents(self.one.directory / "web"), before)
        self.assertIn("arrival.7", self.one.staged())

    def test_without_hashes_it_finds_all_but_other_bytes_of_the_same_size(self) -> None:
        path = self.file(15)
        (self.one.web / path).write_bytes(b"\0" * (self.one.web / path).stat().st_size)
        self.assert_done(self.one.do("verify", "--no-hash"))
        (self.one.web / path).write_bytes(b"short")
        result = self.one.do("verify", "--no-hash")
        self.assert_ends(result, 1)
        self.assertEqual(told(result), [f"wrong_size web/{path}"])

    def test_repair_ends_equal_to_the_master(self) -> None:
        self.damage_all()
        elsewhere = (self.directory / "elsewhere").read_bytes()
        usr = sorted(os.listdir("/usr"))
        result = self.one.do("verify", "--repair")
        self.assert_ends(result, 1, "web/packages/usr")
        self.assertIn("repaired", result.output)
        for path in ("packages/usr", "robots.txt"):  # an operator's: they were left alone
            (self.one.web / path).unlink()
        self.assert_equal_trees(self.one, self.started)
        self.assertEqual(self.one.staged(), [])
        self.assertEqual((self.directory / "elsewhere").read_bytes(), elsewhere)
        self.assertEqual(sorted(os.listdir("/usr")), usr)
        self.assertEqual(self.one.do("verify").output, "")

    def test_a_damaged_file_that_cannot_be_had_leaves_its_page(self) -> None:
        path = self.file(15)
        (self.one.web / path).write_bytes(b"other")
        self.started.fault("/" + path + "$", "status", 500, times=-1)
        result = self.one.do("verify", "--repair", master_patience="0s")
        self.assert_ends(result, 1)
        self.assertFalse((self.one.web / path).exists())
        self.assertEqual(broken(self.one.web)[:10], [])
        self.started.clear_faults()
        self.assert_done(self.one.sync())
        self.assert_equal_trees(self.one, self.started)

    def test_a_file_that_nobody_else_may_read_is_told_and_stays(self) -> None:
        path = self.file(15)
        (self.one.web / path).chmod(0o600)
        for words in ([], ["--repair"]):
            result = self.one.do("verify", *words)
            self.assert_ends(result, 1)
            self.assertEqual(told(result), [f"access web/{path}"])

    def test_killed_and_started_again_it_goes_on_where_it_was(self) -> None:
        # As a kill leaves it: the round has begun, and only one project is left.
        state = sqlite3.connect(self.one.directory / "state.db")
        began = 1_000
        with state:
            state.execute("INSERT OR REPLACE INTO notes VALUES('verify_began', ?)", (began,))
            state.execute("INSERT OR REPLACE INTO verified SELECT id, ? FROM projects WHERE name <> 'idna'",
                          (began + 1,))
        state.close()
        for project in ("idna", "requests"):
            replace(self.one.web / "simple" / project / "index.html", b"<html>")
        result = self.one.do("verify")
        self.assertIn("verify_resumed", result.errors)
        self.assertEqual(told(result), ["wrong_bytes web/simple/idna/index.html"])
        # The next round is a whole one.
        self.assertEqual(len(told(self.one.do("verify"))), 2)

    def test_killed_for_real_the_next_one_ends_the_round(self) -> None:
        process = Daemon(self.one.command("verify"))
        process.send(signal.SIGKILL)
        process.wait()
        self.assert_done(self.one.do("verify"))

    def test_beside_a_daemon_it_reads_only_and_repair_names_who_holds_the_lock(self) -> None:
        daemon = self.run_daemon(self.one, verify_interval="0")
        until(lambda: daemon.err.first("started"), "the daemon has started")
        self.assert_done(self.one.do("verify"))
        path = self.file(15)
        (self.one.web / path).write_bytes(b"other")
        result = self.one.do("verify")
        self.assert_ends(result, 1)
        self.assertEqual(told(result), [f"wrong_size web/{path}"])
        self.assert_ends(self.one.do("verify", "--repair"), 5, str(daemon.process.pid))

    def test_the_daemon_repairs_what_it_finds_by_and_by(self) -> None:
        path = self.file(15)
        right = (self.one.web / path).read_bytes()
        (self.one.web / path).write_bytes(b"\0" * len(right))
        daemon = self.run_daemon(self.one, verify_interval="2s")
        until(lambda: (self.one.web / path).exists() and (self.one.web / path).read_bytes() == right,
              "the file is whole again")
        self.assertTrue(daemon.err.first(r"damage_found .*" + path.rsplit("/", 1)[-1]))
        self.assertEqual(self.one.status()["damages"], 1)
        daemon.send(signal.SIGTERM)
        daemon.wait()
        self.assert_equal_trees(self.one, self.started)

    def test_an_option_that_it_does_not_know_is_a_mistake_in_usage(self) -> None:
        result = self.one.do("verify", "--rapair")
        self.assertEqual(result.status, 2)
        self.assertIn("--rapair", result.last_line)

    def test_without_a_state_it_ends_with_5_and_makes_none(self) -> None:
        other = self.mirror(self.started.url, "other")
        self.assert_ends(other.do("verify"), 5)
        self.assertEqual(os.listdir(other.directory), [])


if __name__ == "__main__":
    main()
