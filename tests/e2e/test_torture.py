#!/usr/bin/env python3
"""The short form of `make torture` (tests/torture/), and that what tortures would notice."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Dict, List, Tuple

from world import BUILD, HERE, World, clean_environment, finished, main

TORTURE = HERE.parent / "torture"
LIBRARY = BUILD / "faulty-calls.so"
sys.path.insert(0, str(TORTURE))
from web import Readers, WebServer  # noqa: E402


class Short(World):
    def torture(self, part: str, count: int, **settings: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-B", str(TORTURE / "torture.py")], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, timeout=300,
            env={**clean_environment(), "PARTS": part, "COUNT": str(count), "SEED": "1", "PEP381D_BUILD": str(BUILD),
                 "TMPDIR": str(self.directory), **settings})

    def counts(self, output: str) -> Dict[str, int]:
        """The last row, by the names of its columns."""
        lines = output.splitlines()
        titles = lines[1].split()
        cells = next(line for line in lines if line.startswith("all: together")).split()[-len(titles):]
        return {title: int(cell.replace(",", "").replace("-", "0")) for title, cell in zip(titles, cells)}

    def short(self, part: str, count: int, *reached: str) -> None:
        done = self.torture(part, count)
        self.assertEqual(done.returncode, 0, done.stdout[-5000:] + done.stderr[-3000:])
        omitted = re.search("NOT RUN: (.*)", done.stdout)
        if omitted:
            print(done.stdout, file=sys.stderr)
            self.skipTest(omitted.group(1))
        counts = self.counts(done.stdout)
        for column in (*reached, "passes", "links"):
            self.assertGreater(counts[column], 0, done.stdout)

    def test_killed_at_any_time_it_ends_equal(self) -> None:
        self.short("kills", 8, "kills")

    def test_killed_or_failed_at_a_call_it_ends_equal(self) -> None:
        self.short("calls", 6, "kills", "faults")

    def test_on_a_disk_that_fills_up_it_ends_equal(self) -> None:
        self.short("full", 15, "full")

    def test_on_a_disk_that_fills_up_the_daemon_waits(self) -> None:
        self.short("waits", 5, "full")

    def test_after_power_cuts_it_ends_equal(self) -> None:
        self.short("power", 24, "cuts")

    def test_a_disk_that_only_says_that_it_flushes_is_found_out(self) -> None:
        lying = f"env LD_PRELOAD={LIBRARY} 'FAULTY_CALL=lie+ 1'"
        done = self.torture("power", 60, TORTURE_UNDER=lying)
        if "NOT RUN" in done.stdout:
            self.skipTest(done.stdout)
        self.assertEqual(done.returncode, 1, done.stdout[-5000:] + done.stderr[-3000:])
        self.assertIn("VIOLATION power: ext4", done.stdout)


class Calls(World):
    """The library that is preloaded."""

    NAMES = {"pwrite64": "pwrite", "ftruncate64": "ftruncate", "open64": "openat", "open": "openat",
             "futimens": "utimensat", "fallocate64": "fallocate"}
    TRACED = ("rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,truncate,"
              "ftruncate,fsync,fdatasync,syncfs,sync,write,writev,pwrite64,pwritev,open,openat,creat,utimensat,"
              "fallocate,copy_file_range,sendfile,chmod,fchmod,fchmodat,mknod,mknodat")

    def test_it_sees_every_call_that_strace_sees(self) -> None:
        strace = shutil.which("strace")
        if strace is None:
            self.skipTest("strace is needed (.ci/setup test)")
        mirror = self.mirror(self.master(projects=6, files=15).url)
        trace, note = self.directory / "trace", self.directory / "note"
        done = finished([strace, "-f", "-y", "-e", "signal=none", "-e", f"trace={self.TRACED}", "-o", str(trace),
                         "-E", f"LD_PRELOAD={LIBRARY}", "-E", f"FAULTY_NOTE={note}", *mirror.command("sync")])
        if "ptrace" in done.errors.lower():
            self.skipTest(done.errors)
        self.assert_done(done)
        seen = Counter(self.NAMES.get(name, name) for name in note.read_text().split())
        self.assertEqual(seen, self.changes(trace.read_text(), str(mirror.directory)))

    def changes(self, trace: str, directory: str) -> "Counter[str]":
        """The calls that change files below the directory."""
        made: "Counter[str]" = Counter()
        for name, arguments in re.findall(r"^\d+ +(\w+)\((.*)$", trace, re.MULTILINE):
            if directory not in arguments or name.startswith("open") and "O_CREAT" not in arguments:
                continue
            made[self.NAMES.get(name, name)] += 1
        return made


class Reading(World):
    """The reader, over a tree of which something is wrong."""

    def setUp(self) -> None:
        super().setUp()
        if shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") is None:
            self.skipTest("nginx is needed (.ci/setup test)")
        self.m = self.mirror(self.master(projects=6, files=15).url)
        self.assert_done(self.m.sync())
        self.web = WebServer(self.directory / "nginx", self.directory)
        self.addCleanup(self.web.stop)
        self.reader = Readers()
        self.addCleanup(self.reader.end)

    def read(self) -> Tuple[int, List[str]]:
        """Once around, at the least."""
        self.reader.read(f"{self.web.url}/{self.m.directory.name}/web", rounds=1)
        return self.reader.stop()

    def file(self) -> Path:
        return self.m.web / next(path for path in self.m.files() if path.endswith(".whl"))

    def test_a_sound_tree_is_sound(self) -> None:
        links, wrong = self.read()
        self.assertEqual(wrong, [])
        self.assertGreaterEqual(links, 2 * len(self.m.files()), "both formats")

    def assert_found(self, path: Path) -> None:
        _, wrong = self.read()
        self.assertTrue(any(path.name in one for one in wrong), wrong)

    def test_a_missing_file_is_found(self) -> None:
        path = self.file()
        path.unlink()
        self.assert_found(path)

    def test_a_short_file_is_found(self) -> None:
        path = self.file()
        os.truncate(path, path.stat().st_size - 1)
        self.assert_found(path)

    def test_another_file_is_found(self) -> None:
        path = self.file()
        path.write_bytes(b"x" * path.stat().st_size)
        self.assert_found(path)

    def test_a_torn_page_is_found(self) -> None:
        for name in ("index.html", "index.v1_json"):
            path = self.m.web / "simple" / "idna" / name
            os.truncate(path, path.stat().st_size // 2)
            self.assert_found(path)

    def test_a_listed_project_without_its_page_is_found(self) -> None:
        path = self.m.web / "simple" / "idna" / "index.v1_json"
        path.unlink()
        self.assert_found(path)


if __name__ == "__main__":
    main()
