#!/usr/bin/env python3
"""`pep381d sync`: one pass makes the tree equal to the master, and costs no more than what changed."""

import hashlib
import json
import re
import shutil
from typing import Any, Dict, List, Set

from compare import Master, Terms
from tree import normalized, snapshot
from world import JSON_TYPE, Mirror, SampleMaster, World, finished, main

LASTING = {"requests", "urllib3", "idna", "certifi", "charset-normalizer"}
NOTHING_NEW = {"POST changelog_last_serial": 1}
SMALL = {"projects": 40, "files": 160}


def pages_asked(counts: Dict[str, int]) -> Set[str]:
    """Normalized names of the projects whose pages were asked for."""
    found = (re.fullmatch(r"GET /simple/([^/]+)/", request) for request in counts)
    return {match.group(1) for match in found if match}


def files_asked(counts: Dict[str, int]) -> Dict[str, int]:
    """Paths below web/ that were asked for, and how often."""
    return {request[len("GET /"):]: count for request, count in counts.items()
            if request.startswith("GET /packages/")}


class FirstAndLaterPasses(World):
    def test_a_thousand_projects_and_two_hundred_events_end_equal_and_cost_what_changed(self) -> None:
        master = self.master(projects=1000, files=15000)
        master.event("role", "requests")  # so that the newest serial is one of a listed project
        mirror = self.mirror(master.url)
        first, peak = mirror.measured_sync()
        self.assert_done(first)
        self.assertLess(peak, 64 * 1024, "KiB of memory")
        self.assertEqual(mirror.staged(), [])
        self.assert_equal_trees(mirror, master)
        self.assert_one_request_where_nothing_is_new(mirror, master)
        self.assert_events_cost_what_they_touch(mirror, master)

    def assert_one_request_where_nothing_is_new(self, mirror: Mirror, master: SampleMaster) -> None:
        before = snapshot(mirror.web / "simple")
        master.reset_counts()
        self.assert_done(mirror.sync())
        self.assertEqual(master.settled_counts(), NOTHING_NEW)
        self.assertEqual(snapshot(mirror.web / "simple"), before)

    def assert_events_cost_what_they_touch(self, mirror: Mirror, master: SampleMaster) -> None:
        before = set(mirror.files())
        touched = {normalized(name) for name in master.random(count=200, seed=7)}
        master.reset_counts()
        self.assert_done(mirror.sync())
        counts = master.settled_counts()
        self.assertEqual(mirror.staged(), [])
        self.assert_equal_trees(mirror, master)
        self.assertLessEqual(pages_asked(counts), touched)
        fetched = files_asked(counts)
        self.assertEqual(set(fetched), set(mirror.files()) - before)
        self.assertEqual({path: count for path, count in fetched.items() if count > 1}, {})
        self.assertEqual(counts["POST changelog_last_serial"], 1)
        self.assertEqual(counts["POST changelog_since_serial"], 1)

    def test_projects_removed_before_the_first_pass_leave_nothing_behind(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())  # its list is older than the journal's last rows
        master.reset_counts()
        self.assert_done(mirror.sync())
        for name in pages_asked(master.settled_counts()):
            self.assertRegex(name, "withdrawn-sample")
        self.assert_equal_trees(mirror, master)
        master.reset_counts()
        self.assert_done(mirror.sync())
        self.assertEqual(master.settled_counts(), NOTHING_NEW)

    def test_each_kind_of_event_alone_is_followed(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        for action in ("new-project", "create", "new-release", "yank", "unyank", "quarantine-release",
                       "clear-release-quarantine", "remove-file", "remove-release", "quarantine",
                       "clear-quarantine", "role", "remove-project"):
            with self.subTest(action):
                project = None if action in ("new-project", "create") else "urllib3"
                master.event(action, project, reason="<b>ünsafe</b> & \"quoted\"\n\ttabbed")
                self.assert_done(mirror.sync())
                self.assert_equal_trees(mirror, master)
                self.assertEqual(mirror.staged(), [])

    def test_permissions_do_not_follow_the_umask(self) -> None:
        master = self.master(projects=10, files=40)
        mirror = self.mirror(master.url)
        self.assert_done(finished(mirror.command("sync"), umask=0o077))
        self.assert_equal_trees(mirror, master)

    def test_status_tells_what_the_mirror_holds(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, **{"master.contact": "operator@example.org"})
        self.assert_done(mirror.sync())
        status = mirror.status()
        files = [path for path in mirror.files() if not path.endswith(".metadata")]
        sizes = sum((mirror.web / path).stat().st_size for path in files)
        self.assertEqual((status["files"], status["bytes"]), (len(files), sizes))
        self.assertEqual((status["pending"], status["failed"], status["failing"]), (0, 0, []))
        self.assertEqual((status["coverage"], status["master"]), ("full", master.url))
        self.assertEqual(status["contact"], "operator@example.org")
        self.assertIsNone(status["last_error"])
        self.assertEqual(re.sub(r"[-Z]", "", status["last_modified"]) + "\n", mirror.last_modified())
        for key in ("serial", "last_poll", "version"):
            self.assertTrue(status[key], key)
        published = json.loads((mirror.web / "status/status.json").read_text())
        self.assertEqual(published["serial"], status["serial"])


class WhatTheMasterSays(World):
    def test_every_key_and_value_of_a_page_survives(self) -> None:
        master = self.master(projects=10, files=40)
        path = "/packages/aa/bb/" + "c" * 60 + "/idna-99.0-py3-none-any.whl"
        master.raw(path, b"a wheel's bytes")
        master.raw(path + ".metadata", b"Metadata-Version: 2.1\nName: idna\nVersion: 99.0\n")
        page = master.page("idna")
        page["files"].append(self.odd_file(master.files_url + path))
        page["versions"].append("99.0")
        page["project-status"]["reason"] = "because <of> & \"it\" 'all' ünïcode"
        page["x-unknown"] = {"list": [1, 2.5, -3e-7, None, True, "\u2028 \"\\ </script>"], "": {}, "deep": [[[{}]]]}
        page["meta"]["x-more"] = 12345678901234567890
        page["meta"]["_last-serial"] = master.event("role", "idna")["serial"]
        master.raw("/simple/idna/", json.dumps(page).encode(), JSON_TYPE,
                   header=[f"X-PyPI-Last-Serial: {page['meta']['_last-serial']}"])
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        self.assertIn("idna-99.0-py3-none-any.whl", mirror.filenames("idna"))
        self.assert_equal_trees(mirror, master)

    def odd_file(self, url: str) -> Dict[str, Any]:
        return {"filename": "idna-99.0-py3-none-any.whl", "url": url, "size": 15,
                "hashes": {"sha256": hashlib.sha256(b"a wheel's bytes").hexdigest(), "x-other": "kept"},
                "core-metadata": True, "data-dist-info-metadata": True,
                "provenance": "https://example.org/integrity/a?b=c&d=<e>", "gpg-sig": False,
                "requires-python": ">=3.7, <4", "yanked": "a reason with <, >, &, \", ' and ünicode",
                "upload-time": "2024-01-01T00:00:00Z", "x-new": {"a": [1, 1.0, 1e3, "1", None]}}

    def test_files_on_a_host_without_packages_in_its_paths_lie_under_their_digest(self) -> None:
        master = self.master(projects=10, files=40)
        master.raw("/elsewhere/odd-1.0.tar.gz", b"content")
        digest = hashlib.sha256(b"content").hexdigest()
        master.extra("idna", {"filename": "odd-1.0.tar.gz", "url": master.files_url + "/elsewhere/odd-1.0.tar.gz",
                              "size": 7, "hashes": {"sha256": digest}})
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        self.assertIn(f"packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/odd-1.0.tar.gz", mirror.files())
        self.assert_equal_trees(mirror, master)


class NamedProjects(World):
    def test_a_pass_over_named_projects_moves_neither_cursor_nor_last_modified(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        before = (mirror.status()["serial"], mirror.last_modified())
        for project in ("idna", "urllib3"):
            master.event("new-release", project, version="77.0")
        master.reset_counts()
        self.assert_done(mirror.sync("IDNA"))
        self.assertEqual(pages_asked(master.settled_counts()), {"idna"})
        self.assertEqual((mirror.status()["serial"], mirror.last_modified()), before)
        self.assertIn("77.0", (mirror.page("idna") or {})["versions"])
        self.assertNotIn("77.0", (mirror.page("urllib3") or {})["versions"])
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, master)

    def test_named_projects_of_an_empty_mirror_are_all_that_it_gets(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync("Requests", "idna"))
        self.assertIsNone(mirror.last_modified())
        pages = {path.name for path in (mirror.web / "simple").iterdir() if path.is_dir()}
        self.assertEqual(pages, {"requests", "idna"})
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, master)

    def test_a_named_project_that_the_master_lacks_is_told_by_the_exit_status(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        result = mirror.sync("no-such-project", "idna")
        self.assertEqual(result.status, 1)
        self.assertIn("no-such-project", result.last_line)
        self.assertLessEqual(len(result.last_line), 150)
        self.assert_equal_trees(mirror, master)


class Filters(World):
    def only(self, *names: str) -> Terms:
        return Terms(projects=set(names))

    def test_a_filtered_name_that_the_master_lacks_is_reported_and_is_no_failure(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        result = mirror.sync(filter_projects="requests IDNA no-such-name")
        self.assert_done(result)
        self.assertIn("no-such-name", result.errors)
        self.assert_equal_trees(mirror, master, self.only("requests", "idna"))
        self.assertEqual(mirror.do("status", "--json", filter_projects="requests idna").status, 0)

    def test_a_changed_filter_is_applied_to_the_mirror_that_exists(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        steps: List[Any] = [({"filter_projects": "requests idna"}, {"requests", "idna"}),
                            ({"filter_projects": "requests idna urllib3"}, {"requests", "idna", "urllib3"}),
                            ({"filter_projects": "requests urllib3 certifi"}, {"requests", "urllib3", "certifi"}),
                            ({"filter_projects": "*", "filter_block": "idna"}, set(self.all(master)) - {"idna"}),
                            ({}, set(self.all(master)))]
        for options, projects in steps:
            with self.subTest(options):
                self.assert_done(mirror.sync(**options))
                self.assert_equal_trees(mirror, master, Terms(projects=projects))
                master.reset_counts()
                self.assert_done(mirror.sync(**options))
                self.assertNotIn("POST list_packages_with_serial", master.settled_counts())

    def all(self, master: SampleMaster) -> List[str]:
        reader = Master(master.url)
        names = reader.all_names()
        reader.close()
        return names

    def test_events_of_projects_that_the_filter_leaves_out_cost_no_page(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, filter_projects="requests idna")
        self.assert_done(mirror.sync())
        master.event("new-release", "urllib3")
        master.reset_counts()
        self.assert_done(mirror.sync())
        self.assertEqual(pages_asked(master.settled_counts()) & LASTING, set())
        self.assert_equal_trees(mirror, master, self.only("requests", "idna"))

    def test_a_filter_that_drops_most_projects_is_held_back_by_the_guard(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        before = snapshot(mirror.web / "packages")
        result = mirror.sync(filter_projects="requests")
        self.assert_ends(result, 4)
        self.assertEqual(snapshot(mirror.web / "packages"), before)
        self.assert_done(mirror.do("allow-deletions"))
        self.assert_done(mirror.sync(filter_projects="requests"))
        self.assert_equal_trees(mirror, master, self.only("requests"))


class ChangedForms(World):
    def test_formats_are_changed_without_asking_the_master(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        master.event("role", "requests")
        self.assert_done(mirror.sync(pages_formats="html"))
        self.assert_equal_trees(mirror, master, Terms(json=False))
        for formats, terms in (("html json", Terms()), ("json", Terms(html=False)),
                               ("html", Terms(json=False)), ("json html", Terms())):
            with self.subTest(formats):
                master.reset_counts()
                self.assert_done(mirror.sync(pages_formats=formats))
                self.assertEqual(master.settled_counts(), NOTHING_NEW)
                self.assert_equal_trees(mirror, master, terms)

    def test_formats_are_changed_while_the_master_is_down(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, master_patience="1s")
        self.assert_done(mirror.sync(pages_formats="html"))
        self.assertIsNone(mirror.page("idna"))
        master.fault("/pypi", "status", 503, times=-1)
        self.assert_ends(mirror.sync(), 3)
        self.assertIsNotNone(mirror.page("idna"))

    def test_without_files_the_links_lead_to_the_master_and_back(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        for enabled in ("false", "true", "false"):
            with self.subTest(enabled):
                self.assert_done(mirror.sync(files_enabled=enabled))
                self.assertEqual(mirror.staged(), [])
                files = enabled == "true"
                self.assertEqual(bool(mirror.files()), files)
                # The master has the .metadata beside its own files, so either way of telling is true.
                found = mirror.compare(master, Terms(files=files, metadata=files))
                if not files:
                    found = [what for what in found if "metadata" not in what]
                self.assertEqual(found[:10], [], len(found))

    def test_metadata_is_dropped_and_taken_up_again(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        for wanted in ("false", "true"):
            with self.subTest(wanted):
                master.reset_counts()
                self.assert_done(mirror.sync(files_core_metadata=wanted))
                for path in files_asked(master.settled_counts()):
                    self.assertRegex(path, r"\.metadata$")
                self.assert_equal_trees(mirror, master, Terms(metadata=wanted == "true"))


class Deletions(World):
    def removed(self, master: SampleMaster, count: int) -> List[str]:
        names = [name for name in master.names() if name not in LASTING][:count]
        for name in names:
            master.event("remove-project", name)
        return names

    def test_too_many_removals_are_held_back_until_they_are_allowed(self) -> None:
        master = self.master(projects=60, files=300)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        before = snapshot(mirror.web)
        names = self.removed(master, 30)
        master.event("new-release", "idna", version="88.0")
        self.assert_ends(mirror.sync(), 4)
        self.assert_nothing_is_gone(mirror, before, names)
        self.assertIn("88.0", (mirror.page("idna") or {})["versions"], "the rest goes on")
        self.assert_ends(mirror.sync(), 4)
        self.assert_nothing_is_gone(mirror, before, names)
        self.assert_done(mirror.do("allow-deletions"))
        self.assert_nothing_is_gone(mirror, before, names)
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, master)
        self.assertEqual(mirror.staged(), [])

    def assert_nothing_is_gone(self, mirror: Mirror, before: Dict[str, Any], names: List[str]) -> None:
        now = snapshot(mirror.web)
        pages = {f"simple/{name}/index.html" for name in names}
        kept = {path for path in before if path.startswith("packages/") or path in pages}
        self.assertEqual(sorted(kept - now.keys()), [])
        listed = {normalized(one["name"]) for one in json.loads(
            (mirror.web / "simple/index.v1_json").read_text())["projects"]}
        self.assertEqual(set(names) - listed, set())

    def test_a_few_removals_are_followed_at_once(self) -> None:
        master = self.master(projects=60, files=300)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        self.removed(master, 10)
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, master)

    def test_allowed_once_is_not_allowed_again(self) -> None:
        master = self.master(projects=60, files=300)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        self.removed(master, 12)
        self.assert_ends(mirror.sync(), 4)
        self.assert_done(mirror.do("allow-deletions"))
        self.assert_done(mirror.sync())
        self.removed(master, 12)
        self.assert_ends(mirror.sync(), 4)

    def test_kept_projects_stay_with_their_pages_and_files(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, deletes_policy="keep")
        self.assert_done(mirror.sync())
        before = snapshot(mirror.web / "packages")
        name = self.removed(master, 1)[0]
        self.assert_done(mirror.sync())
        self.assertEqual(snapshot(mirror.web / "packages"), before)
        self.assertIsNotNone(mirror.page(name))

    def test_a_removal_is_believed_though_a_cache_still_serves_the_page(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        page = master.page("urllib3")
        master.event("remove-project", "urllib3")
        master.event("role", "idna")  # without it the list would tell no newer serial than the removal's
        master.raw("/simple/urllib3/", json.dumps(page).encode(), JSON_TYPE,
                   header=[f"X-PyPI-Last-Serial: {page['meta']['_last-serial']}"])
        self.assert_done(mirror.sync())
        self.assertIsNone(mirror.page("urllib3"))
        master.clear_raw()
        self.assert_equal_trees(mirror, master)

    def test_a_404_without_a_removal_event_deletes_nothing(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, master_patience="2s")
        self.assert_done(mirror.sync())
        before = snapshot(mirror.web / "packages")
        master.event("role", "idna")
        master.fault("/simple/idna/", "status", 404, times=-1)
        self.assert_ends(mirror.sync(), 1, "/simple/idna/")
        self.assertEqual(snapshot(mirror.web / "packages"), before)
        self.assertIsNotNone(mirror.page("idna"))

    def test_a_loss_that_no_event_explains_is_not_believed_at_once(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, master_patience="2s")
        self.assert_done(mirror.sync())
        before = mirror.filenames("idna")
        page = master.page("idna")
        page["files"].pop()
        page["meta"]["_last-serial"] = master.event("role", "idna")["serial"]
        master.raw("/simple/idna/", json.dumps(page).encode(), JSON_TYPE,
                   header=[f"X-PyPI-Last-Serial: {page['meta']['_last-serial']}"])
        self.assert_ends(mirror.sync(), 1, "/simple/idna/")
        self.assertEqual(mirror.filenames("idna"), before)
        master.clear_raw()
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, master)


class OtherFileSystems(World):
    def test_one_that_cannot_refuse_to_replace_is_as_good(self) -> None:
        """NFS, and ZFS before 2.2, know no RENAME_NOREPLACE."""
        strace = shutil.which("strace")
        if strace is None:
            self.skipTest("strace is needed (.ci/setup test)")
        master = self.master(projects=6, files=15)
        mirror = self.mirror(master.url)
        done = finished([strace, "-f", "-qq", "-o", str(self.directory / "trace"), "-e", "trace=renameat2",
                         "-e", "inject=renameat2:error=EINVAL", *mirror.command("sync")])
        if "ptrace" in done.errors.lower():
            self.skipTest(done.errors)
        self.assert_done(done)
        self.assertIn("RENAME_NOREPLACE) = -1 EINVAL", (self.directory / "trace").read_text())
        self.assert_equal_trees(mirror, master)


if __name__ == "__main__":
    main()
