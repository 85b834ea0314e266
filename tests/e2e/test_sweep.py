#!/usr/bin/env python3
"""What the master's journal never says is found all the same: every page is asked for once in master.sweep-interval."""

import json
import signal
from typing import Any, Dict, List

from world import JSON_TYPE, Daemon, Mirror, SampleMaster, World, main, until


class Sweep(World):
    def setUp(self) -> None:
        super().setUp()
        self.sample: SampleMaster = self.master(40, 120)
        self.m: Mirror = self.mirror(self.sample.url, master_poll_interval="1h")

    def swept(self, interval: str) -> Daemon:
        self.sample.reset_counts()
        daemon = self.run_daemon(self.m, master_sweep_interval=interval)
        daemon.line("serving", "it runs")
        return daemon

    def sweep(self) -> Dict[str, Any]:
        sweep: Dict[str, Any] = self.m.status()["sweep"]
        return sweep

    def told_nothing(self) -> None:
        self.assertEqual(self.sample.counts().get("POST changelog_since_serial", 0), 0, "no journal told of it")

    def test_a_project_that_is_archived_and_one_that_is_not_any_more(self) -> None:
        self.assert_done(self.m.sync())
        self.swept("2s")
        for action, status in (("archive", "archived"), ("unarchive", "active")):
            self.sample.event(action, "idna")
            until(lambda: (self.m.page("idna") or {})["project-status"]["status"] == status, action)
        self.told_nothing()
        until(lambda: self.sweep()["last_whole"], "a whole round")
        self.assertRegex(self.m.do("status").output, r"(?m)^swept +\S+Z .*\d+ changed$")
        self.assertEqual(self.m.do("status", "--removals").output, "")

    def test_metadata_and_provenance_that_come_late(self) -> None:
        late = self.sample.page("idna")
        wheels = [entry for entry in late["files"] if entry["core-metadata"]]
        self.assertTrue(wheels)
        provenance = "https://master.example/integrity/idna"
        early = json.loads(json.dumps(late))
        for entry in early["files"]:
            entry["core-metadata"] = entry["data-dist-info-metadata"] = False
        for entry in late["files"]:
            entry["provenance"] = provenance
        self.show(early, "early")
        self.assert_done(self.m.sync())
        self.assertFalse([name for name in self.m.files() if name.endswith(".metadata") and "/idna-" in name])
        self.show(late, "late")
        self.swept("2s")
        until(lambda: all(entry["provenance"] == provenance for entry in self.entries()), "the late page")
        self.told_nothing()
        self.assertEqual(len([entry for entry in self.entries() if entry["core-metadata"]]), len(wheels))
        self.assertEqual(len([name for name in self.m.files() if name.endswith(".metadata") and "/idna-" in name]),
                         len(wheels))

    def show(self, page: Dict[str, Any], etag: str) -> None:
        self.sample.clear_raw()
        self.sample.raw("/simple/idna/", json.dumps(page).encode(), JSON_TYPE, header=[f'ETag: "{etag}"'])

    def entries(self) -> List[Dict[str, Any]]:
        return (self.m.page("idna") or {"files": []})["files"]

    def test_one_that_is_killed_goes_on_where_it_was(self) -> None:
        self.assert_done(self.m.sync())
        for number in (signal.SIGKILL, signal.SIGTERM):
            daemon = self.swept("20s")
            before = self.sweep()["asked"]
            until(lambda: self.sweep()["asked"] >= before + 4, "it has begun")
            daemon.send(number)
            daemon.wait()
        stopped = self.sweep()
        self.swept("20s")
        until(lambda: self.sweep()["asked"] >= stopped["asked"] + 4, "it goes on")
        self.assertEqual(self.sweep()["began"], stopped["began"])
        names = sorted(self.sample.names())
        again = [name for name in names[:stopped["asked"]] if f"GET /simple/{name}/" in self.sample.counts()]
        self.assertEqual(again, [])


if __name__ == "__main__":
    main()
