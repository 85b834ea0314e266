#!/usr/bin/env python3
"""Mistakes of the operator and bad days of the master: said in one line, and nothing is lost or made up."""

import hashlib
import http.server
import os
import subprocess
import threading
import time
import xmlrpc.client
from pathlib import Path
from typing import Any, Dict, List, Optional

from compare import Terms
from invariants import broken
from tree import snapshot
from world import DAEMON, Mirror, Result, SampleMaster, World, finished, main, refused_port, until

NOBODY = 65534
SMALL = {"projects": 30, "files": 120}
LIST = "method:list_packages_with_serial"
CHANGELOG = "method:changelog_since_serial"


def answer(value: Any) -> str:
    """An XML-RPC answer as PyPI gives it."""
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True)


def fault(code: int, text: str) -> str:
    return xmlrpc.client.dumps(xmlrpc.client.Fault(code, text), methodresponse=True)


def listed(master: SampleMaster) -> Dict[str, int]:
    """The master's own list: display name -> serial."""
    with xmlrpc.client.ServerProxy(master.url + "/pypi") as server:
        return dict(server.list_packages_with_serial())  # type: ignore[arg-type]


class PlainServer(http.server.ThreadingHTTPServer):
    """A web server that is no PyPI: it lists the files of a directory."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Quiet)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def kill(self) -> None:
        self.shutdown()
        self.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class Configuration(World):
    """`check-config` and every other command refuse the same mistakes with exit 2."""

    # (the file, the line that is wrong, the key)
    FILES = [
        ("[mirror]\ndirectory = {d}\nfolder = x\n", 3, "mirror.folder"),
        ("[mirror]\ndirectory = {d}\n\n[nonsense]\nkey = 1\n", 4, "nonsense"),
        ("[mirror]\ndirectory = {d}\n[master]\npoll-interval = soon\n", 4, "master.poll-interval"),
        ("[mirror]\ndirectory = {d}\n[master]\nurl = pypi.org\n", 4, "master.url"),
        ("[mirror]\ndirectory = {d}\n[master]\nurl = ftp://pypi.org\n", 4, "master.url"),
        ("[mirror]\ndirectory = {d}\n[files]\nmax-requests = -1\n", 4, "files.max-requests"),
        ("[mirror]\ndirectory = {d}\n[files]\nmax-requests = many\n", 4, "files.max-requests"),
        ("[mirror]\ndirectory = {d}\n[files]\nenabled = perhaps\n", 4, "files.enabled"),
        ("[mirror]\ndirectory = {d}\n[files]\nrate-limit = 5 parsecs\n", 4, "files.rate-limit"),
        ("[mirror]\ndirectory = {d}\n[pages]\nformats = html xml\n", 4, "pages.formats"),
        ("[mirror]\ndirectory = {d}\n[filter]\nprojects = ../x\n", 4, "filter.projects"),
        ("[mirror]\ndirectory = {d}\n[deletes]\nmax-fraction = 5\n", 4, "deletes.max-fraction"),
        ("[mirror]\ndirectory = {d}\n[deletes]\npolicy = sometimes\n", 4, "deletes.policy"),
        ("[mirror]\ndirectory = {d}\n[listen]\naddress = nowhere\n", 4, "listen.address"),
        ("[mirror]\ndirectory = {d}\nthis is no setting\n", 3, ""),
    ]

    def config(self, text: str) -> Path:
        path = self.directory / "c.conf"
        path.write_text(text.replace("{d}", str(self.directory / "m")))
        return path

    def with_config(self, path: Path, *words: str) -> Result:
        return finished([str(DAEMON), "--config", str(path), *words])

    def test_each_mistake_in_the_file_is_named_with_file_line_and_key(self) -> None:
        (self.directory / "m").mkdir()
        for text, line, key in self.FILES:
            path = self.config(text)
            for command in ("check-config", "sync"):
                with self.subTest(text, command=command):
                    result = self.with_config(path, command)
                    self.assert_ends(result, 2, key)
                    self.assertIn(f"{path}:{line}", result.last_line)
        self.assertEqual(os.listdir(self.directory / "m"), [])

    def test_all_mistakes_are_told_at_once(self) -> None:
        path = self.config("[mirror]\nfolder = x\n[files]\nenabled = perhaps\n[pages]\nformats = xml\n")
        errors = self.with_config(path, "check-config").errors
        for key in ("mirror.folder", "files.enabled", "pages.formats", "mirror.directory"):
            self.assertIn(key, errors)

    def test_a_good_file_is_printed_back_with_all_its_values(self) -> None:
        path = self.config("# a comment\n[mirror]\ndirectory = {d}\n[filter]\nprojects = a b\nprojects = c\n"
                           "[master]\npoll-interval = 90s\n[filter]\nblock = d\n")
        result = self.with_config(path, "--master.max-requests", "3", "check-config")
        self.assert_done(result)
        again = self.directory / "again.conf"
        again.write_text(result.output)
        self.assertEqual(self.with_config(again, "check-config").output, result.output)
        self.assertRegex(result.output, r"(?m)^max-requests = 3$")
        for name in "abcd":
            self.assertRegex(result.output, rf"(?m)^(projects|block) = (.* )?{name}( |$)")

    def test_mistakes_on_the_command_line_are_named(self) -> None:
        (self.directory / "m").mkdir()
        there = ["--mirror.directory", str(self.directory / "m")]
        for words, names in (([*there, "--master.pol-interval", "5s", "sync"], "master.pol-interval"),
                             ([*there, "--master.poll-interval", "5 bananas", "sync"], "master.poll-interval"),
                             ([*there, "sing"], "sing"), (there, "command"), ([*there, "sync", "../x"], "../x"),
                             (["sync"], "mirror.directory"), ([*there, "run", "requests"], "requests"),
                             (["--config", "/no/such/file", *there, "sync"], "/no/such/file")):
            with self.subTest(words):
                config = [] if "--config" in words else ["--config", "/dev/null"]
                result = finished([str(DAEMON), *config, *words])
                self.assertEqual(result.status, 2, result.errors)
                self.assertIn(names, result.last_line)
                self.assertLessEqual(len(result.last_line), 150)
        self.assertEqual(os.listdir(self.directory / "m"), [])


class Directory(World):
    def test_a_missing_directory_is_not_made(self) -> None:
        mirror = Mirror(self.directory / "none", "http://127.0.0.1:9")
        for command in ("sync", "run"):
            result = mirror.do(command)
            self.assertIn(result.status, (2, 5), result.errors)
            self.assert_ends(result, result.status, str(mirror.directory))
            self.assertFalse(mirror.directory.exists())

    def test_a_file_in_the_place_of_a_directory_is_told(self) -> None:
        master = self.master(**SMALL)
        for name in ("", "web", "staging"):
            with self.subTest(name or "mirror.directory"):
                place = self.directory / ("m" + name)
                if name:
                    place.mkdir()
                (place / name if name else place).write_text("in the way")
                self.assert_ends(Mirror(place, master.url).sync(), 5, str(place))

    def test_a_directory_that_cannot_be_written_is_told(self) -> None:
        master = self.master(**SMALL)
        program = self.directory / "pep381d"  # the build directory may be nobody's to read
        program.write_bytes(DAEMON.read_bytes())
        program.chmod(0o755)
        mirror = self.mirror(master.url)
        mirror.directory.chmod(0o555)
        options: Dict[str, Any] = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
        result = finished([str(program), *mirror.command("sync")[1:]], **options)
        self.assert_ends(result, 5, str(mirror.directory))

    def test_a_full_disk_is_told_and_leaves_a_true_tree(self) -> None:
        master = self.master(projects=30, files=300)
        mirror = self.mirror(master.url)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(mirror.directory)],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", str(mirror.directory)], check=False)
        self.assert_ends(mirror.sync(), 5, str(mirror.directory))
        self.assertEqual(broken(mirror.web), [])
        self.assertIsNone(mirror.last_modified())
        subprocess.run(["mount", "-o", "remount,size=100m", str(mirror.directory)], check=True)
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, master)

    def test_a_second_instance_on_the_same_directory_is_refused(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        daemon = self.run_daemon(mirror)
        until(lambda: mirror.last_modified(), "the daemon's first pass")
        for command in ("sync", "run"):
            result = mirror.do(command)
            self.assertIn(result.status, (2, 5), result.errors)
            self.assert_ends(result, result.status, str(mirror.directory))
        self.assertTrue(daemon.running())

    def test_an_address_in_use_is_told(self) -> None:
        master = self.master(**SMALL)
        first = self.mirror(master.url, "m1")
        taken = self.run_daemon(first).url[len("http://"):]
        second = self.mirror(master.url, "m2", listen_address=taken)
        result = second.do("run")
        self.assertIn(result.status, (2, 5))
        self.assertIn(taken, result.last_line)
        self.assertLessEqual(len(result.last_line), 150)

    def test_a_damaged_state_is_told(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        (mirror.directory / "state.db").write_bytes(b"this is no database" * 500)
        for rest in mirror.directory.glob("state.db-*"):
            rest.unlink()
        self.assert_ends(mirror.sync(), 5, str(mirror.directory / "state.db"))


class MasterOfNoUse(World):
    """The poll fails: exit 3, and what is published stays as it is."""

    def fails(self, mirror: Mirror, master: str, names: str, **options: str) -> None:
        before = snapshot(mirror.web) if mirror.web.exists() else {}
        result = mirror.sync(master_url=master, master_patience="1s", **options)
        self.assert_ends(result, 3, names)
        after = snapshot(mirror.web)
        for published in ("status/status.json", "status/index.html"):
            before.pop(published, None)
            after.pop(published, None)
        self.assertEqual(after, before)

    def on_both(self, master: SampleMaster, url: Optional[str] = None, **options: str) -> None:
        """A mirror without anything, and one that had its first pass with the master when it was well."""
        self.fails(self.mirror(master.url, "empty"), url or master.url, url or master.url, **options)
        self.fails(self.well, url or master.url, url or master.url)

    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(**SMALL)
        self.well = self.mirror(self.started.url, "well", master_reconcile_interval="1ms")
        self.assert_done(self.well.sync())
        self.started.event("new-release", "idna")

    def tearDown(self) -> None:
        self.started.clear_faults()
        self.started.clear_raw()
        self.assert_done(self.well.sync())
        self.assert_equal_trees(self.well, self.started)

    def test_nobody_listens(self) -> None:
        holder, address = refused_port()
        with holder:
            self.on_both(self.started, "http://" + address)

    def test_no_such_host(self) -> None:
        self.on_both(self.started, "http://no-such-host.invalid")

    def test_a_plain_web_server(self) -> None:
        self.on_both(self.started, self.ends(PlainServer()).url)

    def test_html_in_the_place_of_xml(self) -> None:
        self.started.raw("/pypi", b"<!DOCTYPE html><html><body>We are down for maintenance.</body></html>", "text/html")
        self.on_both(self.started)

    def test_xml_that_is_no_answer(self) -> None:
        self.started.raw("/pypi", b"<?xml version='1.0'?><rss><channel/></rss>", "text/xml")
        self.on_both(self.started)

    def test_an_empty_body(self) -> None:
        self.started.raw("/pypi", b"", "text/xml")
        self.on_both(self.started)

    def test_an_answer_cut_short(self) -> None:
        for method in (LIST, "method:changelog_last_serial", CHANGELOG):
            self.started.fault(method, "cut", times=-1)
        self.on_both(self.started)

    def test_a_fault(self) -> None:
        self.started.raw("/pypi", fault(-32500, "ValueError: deprecated").encode(), "text/xml")
        self.on_both(self.started)

    def test_a_rate_limit(self) -> None:
        self.started.raw("/pypi", fault(-32500, "HTTPTooManyRequests: The action could not be performed because there "
                                        "were too many requests by the client. Limit may reset in 600 seconds."
                                        ).encode(), "text/xml")
        self.on_both(self.started)

    def test_errors_of_the_server(self) -> None:
        for status in (403, 404, 500, 503):
            with self.subTest(status):
                self.started.clear_faults()
                self.started.fault("/pypi", "status", status, times=-1)
                # A mirror that knows nothing of its master takes this for one without XML-RPC.
                known = {"master_protocol": "warehouse"} if status == 404 else {}
                self.on_both(self.started, **known)

    def test_an_empty_list(self) -> None:
        self.started.fault(LIST, "body", answer({}), times=-1)
        self.on_both_lists()

    def test_a_list_of_something_else(self) -> None:
        self.started.fault(LIST, "body", answer(["requests", "idna"]), times=-1)
        self.on_both_lists()

    def test_a_list_cut_short_within_its_xml(self) -> None:
        text = answer({name: 5 for name in self.started.names()})
        self.started.fault(LIST, "body", text[:len(text) // 2], times=-1)
        self.on_both_lists()

    def on_both_lists(self) -> None:
        """The changelog is well here, so what it tells is followed; but nothing may go."""
        self.fails(self.mirror(self.started.url, "empty"), self.started.url, self.started.url)
        before = snapshot(self.well.web / "packages")
        pages = sorted(path.name for path in (self.well.web / "simple").iterdir())
        self.assert_ends(self.well.sync(master_patience="1s"), 3, self.started.url)
        after = snapshot(self.well.web / "packages")
        self.assertEqual({path: after.get(path) for path in before}, before)
        self.assertEqual(sorted(path.name for path in (self.well.web / "simple").iterdir()), pages)

    def test_a_serial_that_runs_backwards(self) -> None:
        self.started.fault("method:changelog_last_serial", "body", answer(5), times=-1)
        before = snapshot(self.well.web / "packages")
        self.assert_ends(self.well.sync(master_patience="1s"), 3, self.started.url)
        self.assertEqual(snapshot(self.well.web / "packages"), before)

    def test_a_list_that_lost_most_of_its_names_deletes_nothing(self) -> None:
        self.assert_done(self.well.sync())
        newest = sorted(listed(self.started).items(), key=lambda entry: entry[1])[-2:]
        self.started.fault(LIST, "body", answer(dict(newest)), times=-1)
        before = snapshot(self.well.web / "packages")
        self.well.sync(master_patience="1s")
        self.assertEqual(snapshot(self.well.web / "packages"), before)


class BadItems(World):
    """What is wrong with one item is told of that item; the rest of the pass goes on."""

    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(**SMALL)
        self.m = self.mirror(self.started.url, master_patience="2s")

    def entry(self, name: str, body: bytes = b"content", **changes: Any) -> Dict[str, Any]:
        """A file that the master really serves, with what is to be wrong about it."""
        path = "/packages/ee/ff/" + "0" * 60 + "/good.tar.gz"
        self.started.raw(path, body)
        made = {"filename": name, "url": self.started.files_url + path, "size": len(body), "core-metadata": False,
                "hashes": {"sha256": hashlib.sha256(body).hexdigest()}, "requires-python": None,
                "upload-time": "2024-01-01T00:00:00Z", "yanked": False, "provenance": None}
        return {**made, **changes}

    def skipped(self, word: str) -> List[Dict[str, Any]]:
        return [item for item in self.m.status()["skipped"] if word in item["name"] + item["cause"]]

    def assert_rest_is_equal(self, *without: str) -> None:
        self.assert_equal_trees(self.m, self.started, Terms(without=set(without)))

    def refuses(self, what: str, entry: Dict[str, Any]) -> None:
        """Skipped for good: reported, not published, and no failure of the pass (design 2.6)."""
        with self.subTest(what):
            world = BadItems("refuses")
            world.setUp()
            try:
                world.assert_refused(entry)
            finally:
                world.doCleanups()

    def assert_refused(self, entry: Dict[str, Any]) -> None:
        if "url" not in entry:
            entry = {**self.entry(entry["filename"]), **entry}
        entry["url"] = entry["url"].replace("{files}", self.started.files_url)
        self.started.extra("idna", entry)
        self.assert_done(self.m.sync())
        self.assertEqual(len(self.m.status()["skipped"]), 1, self.m.status())
        self.assertEqual(self.m.status()["failing"], [])
        self.assert_rest_is_equal(entry["filename"])
        self.assertEqual(self.m.staged(), [])

    def test_illegal_file_names_are_skipped(self) -> None:
        for name in ("../x", "..", ".", "", "a/b-1.0.tar.gz", "/etc/passwd", "a\\..\\b-1.0.tar.gz", "a\0b-1.0.tar.gz",
                     "a\nb-1.0.tar.gz", "a\x7fb-1.0.tar.gz", "a\x1b[31mb-1.0.tar.gz", "a" * 300 + "-1.0.tar.gz",
                     "a" * 240 + "-1.0-py3-none-any.whl", "x" * 248 + ".zip"):
            changes = {"core-metadata": True} if name.endswith(".whl") else {}
            self.refuses(repr(name)[:40], {"filename": name, **changes})

    def test_urls_that_are_none_of_ours_are_skipped(self) -> None:
        digest = {"hashes": {"sha256": hashlib.sha256(b"content").hexdigest()}}
        for url in ("file:///etc/passwd", "ftp://127.0.0.1/packages/a-1.0.tar.gz", "javascript:alert(1)",
                    "gopher://127.0.0.1:70/packages/a-1.0.tar.gz", "data:text/plain,content", "", "http://"):
            self.refuses(url, {"filename": "a-1.0.tar.gz", "url": url, "size": 7, **digest})

    def test_urls_that_lead_out_of_packages_become_no_path(self) -> None:
        digest = {"hashes": {"sha256": hashlib.sha256(b"content").hexdigest()}}
        for path in ("/etc/a-1.0.tar.gz", "/a-1.0.tar.gz", "/packages/a\0b/a-1.0.tar.gz"):
            self.started.raw(path, b"content")
        for number, path in enumerate(("/packages/../../../etc/a-1.0.tar.gz", "/packages/a%00b/a-1.0.tar.gz",
                                       "/packages/%2e%2e/%2e%2e/%2e%2e/a-1.0.tar.gz", "/packages//a-1.0.tar.gz",
                                       "/packages/..%2f..%2fa-1.0.tar.gz", "/packages/" + "d/" * 3000 + "a-1.0.tar.gz")):
            self.started.extra("idna", {"filename": f"a-1.{number}.tar.gz", "size": 7, **digest,
                                        "url": self.started.files_url + path})
        result = self.m.sync()
        self.assertIn(result.status, (0, 1), result.errors)
        self.assertEqual(broken(self.m.web), [])
        self.assertEqual(sorted(os.listdir(self.directory)), ["m"])
        self.assertEqual(sorted(set(os.listdir(self.m.web)) - {"last-modified"}), ["packages", "simple", "status"])
        for path in self.m.files():
            self.assertNotRegex(path, r"/\.\.?/|\0|//|/a-1\.0\.tar\.gz/|(d/){10}")

    def test_entries_that_make_no_sense_are_skipped(self) -> None:
        for what, changes in (("a negative size", {"size": -5}), ("a size that is text", {"size": "7"}),
                              ("a digest that is none", {"hashes": {"sha256": "51f9ce90"}}),
                              ("digests that are a list", {"hashes": ["sha256"]})):
            self.refuses(what, {"filename": "a-1.0.tar.gz", **changes})

    def stays_queued(self, entry: Dict[str, Any], names: str) -> None:
        """Cannot be had now: the page appears without it, keeps its old serial, and the pass ends with 1."""
        self.started.extra("idna", entry)
        before = self.started.page("idna")["meta"]["_last-serial"]
        result = self.m.sync()
        self.assert_ends(result, 1, names)
        failing = self.m.status()["failing"]
        self.assertEqual([item["name"] for item in failing], ["idna"])
        self.assertIn("http", failing[0]["cause"])
        self.assertGreaterEqual(failing[0]["attempts"], 1)
        self.assertNotIn(entry["filename"], self.m.filenames("idna"))
        self.assertLess((self.m.page("idna") or {})["meta"]["_last-serial"], before)
        self.assertEqual(broken(self.m.web), [])
        self.assertEqual([path for path in self.m.files() if entry["filename"] in path], [])
        self.assertIsNone(self.m.last_modified())
        found = [what for what in self.m.compare(self.started, Terms(without={entry["filename"]}))
                 if not any(word in what for word in ("serial", "SERIAL", "last-modified"))]
        self.assertEqual(found, [], "the rest is there")

    def test_a_file_with_another_content_than_its_digest_is_not_published(self) -> None:
        wrong = {"sha256": hashlib.sha256(b"another").hexdigest()}
        self.stays_queued(self.entry("a-1.0.tar.gz", hashes=wrong), self.started.files_url)

    def test_a_file_longer_than_it_says_is_not_published(self) -> None:
        self.stays_queued(self.entry("a-1.0.tar.gz", size=3), self.started.files_url)

    def test_a_file_shorter_than_it_says_is_not_published(self) -> None:
        self.stays_queued(self.entry("a-1.0.tar.gz", size=70), self.started.files_url)

    def test_a_file_that_is_not_there_leaves_its_page_not_its_project(self) -> None:
        self.stays_queued(self.entry("a-1.0.tar.gz", url=self.started.files_url + "/packages/none/a-1.0.tar.gz"),
                          self.started.files_url)

    def test_a_metadata_that_is_not_there_leaves_the_wheel_without_it_or_off_the_page(self) -> None:
        entry = self.entry("a-1.0-py3-none-any.whl", **{"core-metadata": {"sha256": "0" * 64}})
        self.started.extra("idna", entry)
        self.assert_ends(self.m.sync(), 1, self.started.files_url)
        for file in (self.m.page("idna") or {})["files"]:
            if file["filename"] == entry["filename"]:
                self.assertIs(file["core-metadata"], False)
        self.assertEqual(broken(self.m.web), [])

    def test_a_file_of_a_server_in_trouble_comes_with_the_next_pass(self) -> None:
        path = next(file["url"] for file in self.started.page("idna")["files"])[len(self.started.files_url):]
        self.started.fault(path + "$", "status", 500, times=-1)
        self.assert_ends(self.m.sync(), 1, self.started.files_url)
        self.assertEqual(broken(self.m.web), [])
        self.started.clear_faults()
        self.assert_done(self.m.sync())
        self.assert_rest_is_equal()

    def test_files_that_go_wrong_once_are_tried_again_within_the_same_pass(self) -> None:
        paths = [file["url"][len(self.started.files_url):] for file in self.started.page("idna")["files"]]
        for path, kind in zip(paths, ("wrong-bytes", "cut", "status", "cut")):
            self.started.fault(path + "$", kind)
        self.assert_done(self.m.sync(master_patience="10s"))
        self.assert_rest_is_equal()

    def test_pages_that_go_wrong_once_are_tried_again_within_the_same_pass(self) -> None:
        self.started.fault("/simple/idna/", "status", 503)
        self.started.fault("/simple/requests/", "cut")
        self.started.fault("/simple/urllib3/", "body", "<html>no JSON</html>")
        self.assert_done(self.m.sync(master_patience="10s"))
        self.assert_rest_is_equal()

    def test_a_page_that_is_no_page_is_told_and_ours_stays(self) -> None:
        self.assert_done(self.m.sync())
        before = snapshot(self.m.web / "simple/idna")
        self.started.event("new-release", "idna")
        for body in ("", "{}", "[]", "null", '{"files":[]}', "<html></html>", '{"name":"idna","files":null}',
                     '{"meta":{"_last-serial":99999999},"name":"urllib3","files":[],"versions":[]}'):
            with self.subTest(body):
                self.started.clear_faults()
                self.started.fault("/simple/idna/", "body", body, times=-1)
                self.assert_ends(self.m.sync(master_patience="1s"), 1, "/simple/idna/")
                self.assertEqual(snapshot(self.m.web / "simple/idna"), before)
        self.started.clear_faults()
        self.assert_done(self.m.sync())
        self.assert_rest_is_equal()

    def test_illegal_project_names_are_reported_and_become_no_path(self) -> None:
        good = listed(self.started)
        bad = ["../x", "..", "a/b", "/etc", "-a", "a-", "", "a b", "ünïcode", "a" * 300, "user:someone", "a\nb"]
        self.started.fault(LIST, "body", answer({**good, **{name: 2 for name in bad}}))
        self.assert_done(self.m.sync())
        self.assert_rest_is_equal()
        told = {item["name"] for item in self.m.status()["skipped"]}
        self.assertIn("../x", told)
        self.assertGreaterEqual(len(told), len(bad) - 2, told)
        self.assertEqual(sorted(os.listdir(self.directory)), ["m"])

    def test_illegal_project_names_in_the_changelog_stop_nothing(self) -> None:
        self.assert_done(self.m.sync())
        newest = self.started.event("new-release", "idna")["serial"]
        rows = [[name, None, 1700000000, "create", newest - 1] for name in ("../x", "", "user:a", "a/b", "\u202eabc")]
        rows += [["idna", "1.0", 1700000000, "new release", newest], ["idna", None, 1700000000, "dance <wildly>", newest]]
        self.started.fault(CHANGELOG, "body", answer(rows))
        self.assert_done(self.m.sync())
        self.assert_rest_is_equal()

    def test_stale_pages_are_asked_again_and_end_fresh(self) -> None:
        self.assert_done(self.m.sync())
        for name in ("idna", "urllib3"):
            self.started.event("new-release", name)
        self.started.fault("/simple/urllib3/", "stale", times=2)
        self.started.reset_counts()
        self.assert_done(self.m.sync(master_patience="20s"))
        self.assertEqual(self.started.counts()["GET /simple/urllib3/"], 3)
        self.assert_rest_is_equal()

    def test_a_page_that_stays_stale_stays_queued_and_the_rest_goes_on(self) -> None:
        self.assert_done(self.m.sync())
        last_modified = self.m.last_modified()
        for name in ("idna", "urllib3"):
            self.started.event("new-release", name, version="66.0")
        self.started.fault("/simple/urllib3/", "stale", times=-1)
        time.sleep(1.1)  # last-modified tells seconds
        self.assert_ends(self.m.sync(), 1, "/simple/urllib3/")
        self.assertIn("66.0", (self.m.page("idna") or {})["versions"])
        self.assertEqual(self.m.last_modified(), last_modified)
        self.started.clear_faults()
        self.assert_done(self.m.sync())
        self.assert_rest_is_equal()

    def test_a_redirect_into_the_machine_is_not_followed_from_a_public_page(self) -> None:
        path = next(file["url"] for file in self.started.page("idna")["files"])[len(self.started.files_url):]
        self.started.fault(path + "$", "redirect", "file:///etc/passwd", times=-1)
        self.assert_ends(self.m.sync(), 1, self.started.files_url)
        self.assertEqual(broken(self.m.web), [])


class Patience(World):
    """Beyond its transfers a pass waits no longer than master.patience (design 1.1)."""

    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=10, files=40)
        self.m = self.mirror(self.started.url)
        self.assert_done(self.m.sync())

    def assert_waits(self, patience: float) -> None:
        result = self.m.sync(master_patience=f"{patience:.0f}s")
        self.assertIn(result.status, (1, 3), result.errors)
        self.assertLess(result.seconds, patience + 3)

    def test_a_master_that_asks_to_wait_long_is_not_waited_for(self) -> None:
        self.started.event("new-release", "idna")
        self.started.fault("/simple/idna/", "status", 503, times=-1, retry_after="600")
        self.assert_waits(3)

    def test_a_poll_that_fails_again_and_again_ends_in_time(self) -> None:
        self.started.fault("/pypi", "status", 503, times=-1)
        self.assert_waits(3)

    def test_pages_and_files_that_fail_for_ever_end_in_time(self) -> None:
        self.started.random(count=30, seed=3)
        self.started.fault("/simple/", "status", 502, times=-1)
        self.assert_waits(3)
        self.started.clear_faults()
        self.started.fault("/packages/", "status", 502, times=-1)
        self.assert_waits(3)

    def test_a_hanging_file_holds_up_nobody_and_is_given_up(self) -> None:
        touched = self.started.event("new-release", "idna")["touched"]
        self.started.event("new-release", "urllib3", version="66.0")
        self.started.fault(touched[0] + "$", "hang", times=-1)
        result = self.m.sync(master_patience="1s", master_timeout="2s")
        self.assert_ends(result, 1, self.started.files_url)
        self.assertLess(result.seconds, 12)
        self.assertIn("66.0", (self.m.page("urllib3") or {})["versions"])
        self.started.clear_faults()
        self.assert_done(self.m.sync())
        self.assert_equal_trees(self.m, self.started)


if __name__ == "__main__":
    main()
