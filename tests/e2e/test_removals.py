#!/usr/bin/env python3
"""What is removed is gone at a web server: page and direct URL of every file, soon, and back where it is reversible."""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

from world import DAEMON, HERE, Daemon, Mirror, SampleMaster, World, ask, main, until

sys.path.insert(0, str(HERE.parent / "torture"))
from web import WebServer  # noqa: E402

POLL = 2.0  # seconds
MARGIN = 2.0  # beyond it: what a removal may take to its 404


class Removals(World):
    """One daemon over all tests of the class would be quicker, and tell less: each has its own."""

    def setUp(self) -> None:
        super().setUp()
        self.sample: SampleMaster = self.master(30, 120)
        self.m: Mirror = self.mirror(self.sample.url)
        self.config: Path = self.directory / "c.conf"
        self.write("")
        self.assert_done(self.m.sync())
        server = WebServer(self.directory / "nginx", self.m.web)
        self.addCleanup(server.stop)
        self.web = server.url
        self.daemon = self.ends(Daemon([str(DAEMON), "--config", str(self.config), "run"]))
        self.daemon.line("serving", "it runs")

    def write(self, more: str) -> None:
        self.config.write_text(
            f"[mirror]\ndirectory = {self.m.directory}\n[master]\nurl = {self.sample.url}\npoll-interval = {POLL:.0f}s\n"
            f"[pages]\nroot-interval = 1h\n[listen]\naddress = 127.0.0.1:0\n{more}")

    def statuses(self, targets: List[str]) -> Dict[str, int]:
        return {target: ask(self.web, target).status for target in targets}

    def urls(self, project: str) -> Tuple[str, List[str]]:
        page = self.m.page(project) or {"files": []}
        return f"/simple/{project}/index.html", [
            "/" + file["url"].removeprefix("../../").partition("#")[0] for file in page["files"]]

    def victim(self) -> str:
        """A project with files that nothing else needs."""
        return next(name for name in self.sample.names()
                    if name not in ("requests", "urllib3", "idna", "certifi", "charset-normalizer")
                    and len(self.urls(name)[1]) >= 2)

    def becomes(self, targets: List[str], status: int, began: float, seconds: float) -> None:
        """At the web server, in time. Who waits longer than that is a slow machine's test, not a wrong program's."""
        until(lambda: set(self.statuses(targets).values()) == {status}, f"{status} for {targets}")
        took = time.monotonic() - began
        print(f"{status} after {took:.2f} s of {seconds:.0f}", end=" ", file=sys.stderr, flush=True)
        self.assertLess(took, seconds)

    def listed(self, project: str) -> bool:
        return f'href="{project}/"' in ask(self.web, "/simple/index.html").body.decode()

    def removals(self, *arguments: str) -> List[Dict[str, Any]]:
        return json.loads(self.m.do("status", "--removals", "--json", *arguments).output)

    def test_a_removed_project_is_404_within_a_poll(self) -> None:
        name = self.victim()
        page, files = self.urls(name)
        self.assertEqual(set(self.statuses([page, *files]).values()), {200})
        serial = self.sample.event("remove-project", name)["serial"]
        self.becomes([page, *files], 404, time.monotonic(), POLL + MARGIN)
        self.assertFalse(self.listed(name))
        record = self.removals(name)
        self.assertEqual([(line["kind"], line["serial"], line["said_by"]) for line in record],
                         [("removed", serial, "master")])
        self.assertEqual(sorted("/" + file for file in record[0]["files"]), sorted(files))
        self.assertEqual(self.removals("requests"), [])
        text = self.m.do("status", "--removals").output
        self.assertRegex(text, rf"(?m)^\S+Z removed {name} \(serial {serial}\), said by master: ")
        for file in files:
            self.assertIn("  " + file[1:], text.replace('"', ""))

    def test_a_takedown_needs_no_master_and_heeds_no_policy(self) -> None:
        name = self.victim()
        page, files = self.urls(name)
        self.sample.fault("/", "status", 503, times=-1)
        self.daemon.line("poll_failed", "the master is down")
        self.write(f"[deletes]\npolicy = keep\n[filter]\nblock = {name}\n")
        began = time.monotonic()
        self.daemon.send(signal.SIGHUP)
        self.becomes([page, *files], 404, began, MARGIN)
        self.assertFalse(self.listed(name))
        self.assertEqual([(line["kind"], line["said_by"]) for line in self.removals(name)],
                         [("blocked", "configuration")])

    def test_a_quarantine_takes_the_files_and_its_end_brings_them_back(self) -> None:
        name = self.victim()
        page, files = self.urls(name)
        self.sample.event("quarantine", name)
        self.becomes(files, 404, time.monotonic(), POLL + MARGIN)
        self.assertIn("quarantined", ask(self.web, page).body.decode())
        until(lambda: not self.listed(name), "it leaves the root index")
        self.sample.event("clear-quarantine", name)
        self.becomes([page, *files], 200, time.monotonic(), POLL + MARGIN)
        until(lambda: [line["kind"] for line in self.removals(name)] == ["cleared", "quarantined"], "the record")

    def test_a_quarantined_release_goes_at_once_and_comes_back(self) -> None:
        name = self.victim()
        page, files = self.urls(name)
        version = (self.m.page(name) or {})["versions"][0]
        self.sample.event("quarantine-release", name, version=version)
        left = [file for file in files if f"-{version}.tar" not in file and f"-{version}-" not in file]
        gone = [file for file in files if file not in left]
        self.assertTrue(gone)
        self.becomes(gone, 404, time.monotonic(), POLL + MARGIN)
        self.assertEqual(set(self.statuses([page, *left]).values()), {200})
        self.sample.event("clear-release-quarantine", name, version=version)
        self.becomes([page, *files], 200, time.monotonic(), POLL + MARGIN)

    def test_the_guard_holds_deletions_only_until_it_is_told(self) -> None:
        victims = [name for name in self.sample.names()
                   if name not in ("requests", "urllib3", "idna", "certifi", "charset-normalizer")][:12]
        self.sample.fault("method:changelog_last_serial", "status", 503, times=-1)  # all in one poll
        for name in victims:
            self.sample.event("remove-project", name)
        self.sample.event("new-release", "idna", version="77.0")
        self.sample.clear_faults()
        until(lambda: "77.0" in (self.m.page("idna") or {"versions": []})["versions"], "all else goes on")
        until(lambda: sum("held back" in project["cause"] for project in self.m.status()["failing"]) == 12,
              "twelve are held back")
        pages = [self.urls(name)[0] for name in victims]
        self.assertEqual(set(self.statuses(pages).values()), {200})
        self.assertEqual(self.removals(), [])
        self.assertIn("12", self.m.do("allow-deletions").output)
        self.becomes(pages, 404, time.monotonic(), POLL + MARGIN)
        self.assertTrue(all("allow-deletions" in line["cause"] for line in self.removals()))


if __name__ == "__main__":
    main()
