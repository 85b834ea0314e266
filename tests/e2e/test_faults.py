#!/usr/bin/env python3
"""Every bad day of a master, one by one: what the mirror makes of it is a row of docs/faults.md.

`test_faults.py --write` renews the document; without it, what the document says is what is tested.
"""

import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Set, Tuple

from fault_document import compare, missing_tests, rewrite
from fault_rows import RELEASE, TABLES, Row, Scene, pages_of
from invariants import broken
from world import Mirror, Result, World, main

WRITE = "--write" in sys.argv
NEIGHBOUR = "urllib3"
WORKERS = 6  # a row waits more than it works


def held(mirror: Mirror) -> Set[str]:
    """What a fault may cost: pages and files."""
    pages = {f"simple/{path.parent.name}/" for path in (mirror.web / "simple").glob("*/index.html")}
    return pages | set(mirror.files())


def second(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp())


def plain(text: str, scene: Scene) -> str:
    """Without what differs from run to run."""
    text = text.replace(scene.mirror.settings["master.url"], "MASTER").replace(scene.master.files_url, "FILES")
    text = text.replace(scene.master.url, "MASTER")  # by http
    text = re.sub(r"//localhost:\d+", "//ELSEWHERE", text)
    text = re.sub(r"/packages/\S+/", "/packages/.../", text)
    # Whichever of the release's files is asked for first.
    text = re.sub(r"(/idna-66\.0)(-py3-none-any\.whl(\.metadata)?|\.tar\.gz): HTTP", r"\1...: HTTP", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "DIGEST", text)
    text = re.sub(r"(serial|journal|from|newest is) \d+", r"\1 N", text)
    text = re.sub(r"\d+ bytes (remaining|in \d+s|instead of)", r"N bytes \1", text)
    text = re.sub(r"(than the|of the) \d+ (bytes )?that (it|the page)", r"\1 N \2that \3", text)
    return text.replace("|", "\\|")


class Faults(World):
    def scene(self, row: Row) -> Scene:
        """After a first pass, and a release each of two projects; the faulty one's is the newer."""
        master = self.master(projects=row.projects, files=50)
        mirror = Mirror(Path(tempfile.mkdtemp(dir=self.directory)), master.url, master_patience="0s")
        self.assert_done(mirror.sync(master_patience="10s"))
        mirror.settings.update(row.settings)
        serials = {NEIGHBOUR: master.event("new-release", NEIGHBOUR, version=RELEASE)["serial"]}
        event = master.event("new-release", "idna", version=RELEASE)
        scene = Scene(master, mirror, event["touched"][0], {**serials, "idna": event["serial"]},
                      pages_of(master, "idna", NEIGHBOUR))
        while int(time.time()) <= second(mirror.status()["last_modified"]):
            time.sleep(0.02)  # last-modified tells seconds
        return scene

    def shows(self, scene: Scene, name: str) -> str:
        """Of the release: whole, part (all but a file), none."""
        page = scene.mirror.page(name)
        if page is None or RELEASE not in page["versions"]:
            return "none"
        wanted = {entry["filename"] for entry in scene.pages[name]["files"]}
        missing = wanted - {entry["filename"] for entry in page["files"]}
        return "part" if missing else "whole"

    def published(self, scene: Scene) -> str:
        both = (self.shows(scene, "idna"), self.shows(scene, NEIGHBOUR))
        return {("whole", "whole"): "all", ("part", "whole"): "all but the file", ("none", "whole"): "all but the project",
                ("none", "none"): "nothing", ("whole", "none"): "all but another project",
                ("none", "part"): "pages without new files", ("part", "part"): "pages without new files"}[both]

    def reported(self, scene: Scene, status: Dict[str, Any], result: Result, began: float) -> Tuple[str, str]:
        """The cause, and when it is tried again; `began`: the pass, as seconds of the epoch."""
        if result.status == 0:
            skipped = [f"left out: {item['name']}: {item['cause']}" for item in status["skipped"][:1]]
            return plain((skipped or [""])[0], scene), ""
        for item in status["failing"]:  # named by cause, attempts, next try, each of them
            self.assertTrue(item["cause"] and item["attempts"] > 0 and item["next_try"], item)
        if result.status == 3:
            return plain(status["last_error"], scene), "next poll"
        # The pass may take long on a busy machine.
        pause = max(second(item["next_try"]) for item in status["failing"]) - began
        late = pause > result.seconds + 60
        self.assertTrue(not late or 598 < pause < result.seconds + 602, pause)
        return plain(status["failing"][0]["cause"], scene), "after 10 min" if late else "back-off"

    def observe(self, row: Row) -> str:
        """The row of the document, and what holds on every bad day (design 2.1 to 2.7)."""
        scene = self.scene(row)
        mirror = scene.mirror
        before, stamp = held(mirror), mirror.last_modified()
        row.bring(scene)
        began = time.time()
        result = mirror.sync()
        status = mirror.status()
        self.assertEqual(broken(mirror.web), [])
        gone = before - held(mirror)
        self.assertTrue(not gone or row.removes, gone)
        published = self.published(scene)
        everybody = row.everybody or result.status == 3  # nobody knows what changed
        self.assertTrue(everybody or self.shows(scene, NEIGHBOUR) == "whole", "it holds up another project")
        moved = mirror.last_modified() != stamp
        self.assertTrue(moved or result.status > 0, "last-modified stands still")
        self.assertFalse(moved and (status["pending"] or "nothing" in published), "last-modified is ahead")
        self.assertEqual(status["failing"] != [], status["pending"] > 0, "what waits is named")
        cause, again = self.reported(scene, status, result, began)
        if result.status:
            self.assert_ends(result, result.status)
        else:
            self.assertEqual(mirror.staged(), [])
            scene.master.event("role", "idna")  # the page is as it should be again
        self.gets_well(row, scene)
        pages = sum(1 for path in gone if path.endswith("/"))
        deleted = f"{pages} pages, {len(gone) - pages} files" if gone else "nothing"
        return f"| {row.what} | {result.status} | {published} | {deleted} | {cause} | {again} |"

    def gets_well(self, row: Row, scene: Scene) -> None:
        scene.master.clear_faults()
        scene.master.clear_raw()
        scene.mirror.settings["master.url"] = scene.master.url
        scene.mirror.settings.pop("master.timeout", None)  # a busy machine is no fault
        result = scene.mirror.sync(master_patience="10s")
        if row.confirmed:
            self.assertEqual(result.status, 4, result.errors)
            self.assert_done(scene.mirror.do("allow-deletions"))
            result = scene.mirror.sync()
        self.assert_done(result)
        self.assert_equal_trees(scene.mirror, scene.master)

    def test_what_the_document_names_exists(self) -> None:
        self.assertEqual(missing_tests(), [])

    def test_what_the_document_says_is_what_happens(self) -> None:
        rows = [row for table in TABLES.values() for row in table]
        if len({row.what for row in rows}) < len(rows):
            self.fail("two rows have one name")
        with ThreadPoolExecutor(WORKERS) as pool:
            futures = [pool.submit(self.observe, row) for row in rows]
        for row, future in zip(rows, futures):
            with self.subTest(row.what):
                future.result()
        failed = [row.what for row, future in zip(rows, futures) if future.exception()]
        self.assertEqual(failed, [])
        lines = iter([future.result() for future in futures])
        tables = {title: [next(lines) for _ in table] for title, table in TABLES.items()}
        if WRITE:
            rewrite(tables)
        self.assertEqual(compare(tables), [])


if __name__ == "__main__":
    sys.argv = [word for word in sys.argv if word != "--write"]
    main()
