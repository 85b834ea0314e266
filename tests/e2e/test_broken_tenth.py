#!/usr/bin/env python3
"""One project in ten is broken, in ten different ways: the others are complete after one pass, and each that is not
is named (design 2.7)."""

import json
import urllib.parse
from typing import Callable, Dict, List

from invariants import broken
from world import SampleMaster, World, main

PROJECTS, FILES = 300, 1200
PATIENCE = 4.0


def file_of(master: SampleMaster, project: str) -> str:
    """The path of its first file, to the letter."""
    return urllib.parse.urlsplit(master.page(project)["files"][0]["url"]).path + "$"


def with_wrong_hash(master: SampleMaster, project: str) -> None:
    page = master.page(project)
    page["files"][0]["hashes"] = {"sha256": "0" * 64}
    master.fault(f"/simple/{project}/", "body", json.dumps(page), times=-1)


def faulty_page(kind: str, value: object = None, **more: str) -> Callable[[SampleMaster, str], None]:
    return lambda master, project: master.fault(f"/simple/{project}/", kind, value, times=-1, **more)


def faulty_file(kind: str, value: object = None) -> Callable[[SampleMaster, str], None]:
    return lambda master, project: master.fault(file_of(master, project), kind, value, times=-1)


WAYS: Dict[str, Callable[[SampleMaster, str], None]] = {
    "its page is 500": faulty_page("status", 500),
    "its page is 503 for an hour": faulty_page("status", 503, retry_after="3600"),
    "its page is 404": faulty_page("status", 404),
    "its page hangs": faulty_page("hang"),
    "its page is cut off": faulty_page("cut"),
    "its page is for people": faulty_page("body", "<html></html>"),
    "a file hangs": faulty_file("hang"),
    "a file is 404": faulty_file("status", 404),
    "a file has other bytes": faulty_file("wrong-bytes"),
    "a file has another hash": with_wrong_hash,
}


def break_a_tenth(master: SampleMaster) -> Dict[str, str]:
    """Name -> way."""
    ways: Dict[str, str] = {}
    names: List[str] = [name for name in master.names() if master.page(name)["files"]]
    for number, name in enumerate(names[::10]):
        ways[name] = list(WAYS)[number % len(WAYS)]
        WAYS[ways[name]](master, name)
    return ways


class BrokenTenth(World):
    def test_the_rest_is_complete_after_one_pass_and_what_is_not_is_named(self) -> None:
        master = self.master(PROJECTS, FILES)
        healthy = self.mirror(master.url, "healthy").sync()
        self.assert_done(healthy)
        ways = break_a_tenth(master)
        self.assertEqual(set(ways.values()), set(WAYS))
        mirror = self.mirror(master.url, master_patience=f"{PATIENCE:.0f}s")
        result = mirror.sync()
        self.assert_ends(result, 1, "http://")
        self.assertEqual(broken(mirror.web), [])

        failing = {item["name"]: item for item in mirror.status()["failing"]}
        self.assertEqual(sorted(failing), sorted(ways))
        for name, item in failing.items():
            self.assertIn("http://", item["cause"], name)
            self.assertGreaterEqual(item["attempts"], 1, name)
            self.assertTrue(item["next_try"], name)
        for name in set(master.names()) - set(ways):
            wanted = [entry["filename"] for entry in master.page(name)["files"]]
            self.assertEqual(sorted(mirror.filenames(name)), sorted(wanted), name)
        # Loosely, on a machine that does other things too: it tells one wait from a wait for each.
        self.assertLess(result.seconds, 3 * healthy.seconds + PATIENCE + 3)

        master.clear_faults()
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, master)


if __name__ == "__main__":
    main()
