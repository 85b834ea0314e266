#!/usr/bin/env python3
"""Masters of every era: a chain of sample master, mirror, mirror of that mirror, pip; and what each asks again."""

import hashlib
import html.parser
import re
import xmlrpc.client
from typing import Any, Dict, List, Optional, Tuple

import test_pip
from test_pip import WitnessServer
from world import Mirror, SampleMaster, ask, main

Links = Dict[str, Tuple[str, Optional[str]]]  # file name: digest, requires-python


class Page(html.parser.HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: List[Dict[str, Optional[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "a":
            self.anchors.append(dict(attrs))

    @property
    def links(self) -> Links:
        found = {}
        for anchor in self.anchors:
            url, _, digest = (anchor["href"] or "").partition("#")
            if digest:
                found[url.rpartition("/")[2]] = (digest, anchor.get("data-requires-python"))
        return found


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def links_of_master(master: SampleMaster) -> Dict[str, Links]:
    """What the master shows in HTML, by normalized name."""
    root = Page(ask(master.url, "/simple/").body.decode())
    found = {}
    for anchor in root.anchors:
        name = (anchor["href"] or "").rstrip("/").rpartition("/")[2]
        found[normalized(name)] = Page(ask(master.url, f"/simple/{name}/").body.decode()).links
    return found


def links_of(mirror: Mirror) -> Dict[str, Links]:
    root = Page((mirror.web / "simple/index.html").read_text())
    names = [(anchor["href"] or "").rstrip("/") for anchor in root.anchors]
    return {name: Page((mirror.web / "simple" / name / "index.html").read_text()).links for name in names}


def wrong_files(mirror: Mirror) -> List[str]:
    """Links of the mirror whose file is not there or not of the digest that they name."""
    wrong = []
    for page in sorted((mirror.web / "simple").glob("*/index.html")):
        for anchor in Page(page.read_text()).anchors:
            url, _, digest = (anchor["href"] or "").partition("#")
            algorithm, _, value = digest.partition("=")
            path = (page.parent / url.replace("%2B", "+")).resolve()
            if not path.is_file() or hashlib.new(algorithm, path.read_bytes()).hexdigest() != value:
                wrong.append(f"{page.parent.name}: {url}")
    return wrong


def tree(mirror: Mirror) -> Dict[str, bytes]:
    """Bytes by path: pages, root index and files; without what is quarantined, which no root index names."""
    listed = set(links_of(mirror))
    found = {}
    for part in ("simple", "packages"):
        for path in sorted((mirror.web / part).rglob("*")):
            name = path.relative_to(mirror.web)
            own_page = part == "simple" and len(name.parts) == 3
            if path.is_file() and (not own_page or name.parts[1] in listed):
                found[str(name)] = path.read_bytes()
    return found


class Era(test_pip.WithPip):
    def second_of(self, first: Mirror, name: str = "second") -> Tuple[Mirror, WitnessServer]:
        """A mirror of the mirror: it finds out by itself what that one speaks."""
        witness = self.ends(WitnessServer(self.run_daemon(first, "serve").url))
        return self.mirror(witness.url, name), witness

    def assert_same_trees(self, first: Mirror, second: Mirror) -> None:
        ours, theirs = tree(first), tree(second)
        self.assertEqual(sorted(ours), sorted(theirs))
        self.assertEqual([path for path in ours if ours[path] != theirs[path]], [])


class Chain(Era):
    def check_chain(self, era: str, quiet: Dict[str, int]) -> None:
        master = self.master(projects=25, files=80, era=era)
        first = self.mirror(master.url, "first")
        self.assert_done(first.sync())
        if era == "warehouse":
            self.assert_equal_trees(first, master)
        self.assertEqual(links_of(first), links_of_master(master))
        self.assertEqual(wrong_files(first), [])
        dated = ask(master.url, "/last-modified")
        if dated.status == 200:
            self.assertEqual(first.last_modified(), dated.body.decode())

        second, witness = self.second_of(first)
        self.assert_done(second.sync())
        self.assert_same_trees(first, second)
        self.assertEqual(second.last_modified(), first.last_modified())
        served = self.run_daemon(second, "serve")
        self.run_pip(served.url, "install", "--target", str(self.directory / "target"), "requests")
        self.assertTrue((self.directory / "target" / "requests").is_dir())

        # Nothing new: no page, no file, at either.
        master.reset_counts()
        witness.seen.clear()
        self.assert_done(first.sync())
        self.assert_done(second.sync())
        self.assertEqual(master.settled_counts(), quiet)
        self.assertEqual([path for path, _ in witness.seen], ["/last-modified", "/simple/"])

        # What is new comes through the chain, and costs what changed.
        names = {master.event("new-project")["project"]}
        if era != "simple":
            names.add(master.event("new-release", "idna")["project"])
        master.reset_counts()
        self.assert_done(first.sync())
        pages = [key for key in master.settled_counts() if key.startswith("GET /simple/")]
        self.assertEqual({normalized(key.split("/")[2]) for key in pages} - {""}, names)
        self.assertEqual(links_of(first), links_of_master(master))
        witness.seen.clear()
        self.assert_done(second.sync())
        self.assert_same_trees(first, second)
        self.assertEqual({path.split("/")[2] for path, _ in witness.seen if path.startswith("/simple/")} - {""},
                         names)

    def test_warehouse(self) -> None:
        self.check_chain("warehouse", {"POST changelog_last_serial": 1})

    def test_pep381(self) -> None:
        self.check_chain("pep381", {"GET /last-modified": 1, "POST changelog": 1})

    def test_simple(self) -> None:
        self.check_chain("simple", {"GET /last-modified": 1, "GET /simple/": 1})


class Pep381(Era):
    def test_removals_and_renames_are_as_the_journal_tells(self) -> None:
        master = self.master(projects=25, files=80, era="pep381")
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        removed = master.event("remove-project")["project"]
        release = master.event("remove-release")["project"]
        self.assert_done(mirror.sync())
        self.assertFalse((mirror.web / "simple" / removed).exists())
        self.assertTrue((mirror.web / "simple" / release).exists())
        self.assertEqual(links_of(mirror), links_of_master(master))
        self.assertEqual(wrong_files(mirror), [])
        files = {str(path.relative_to(mirror.web)) for path in (mirror.web / "packages").rglob("*") if path.is_file()}
        linked = {anchor["href"].partition("#")[0].replace("../../", "")
                  for page in (mirror.web / "simple").glob("*/index.html")
                  for anchor in Page(page.read_text()).anchors}
        self.assertEqual(files, linked)

    def test_another_spelling_is_gone(self) -> None:
        """A redirect leads to a project of a similar name: it is not followed."""
        master = self.master(projects=25, files=80, era="pep381")
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        page = ask(master.url, "/simple/REQUESTS/")
        self.assertEqual(page.status, 301)
        display = page.headers["location"].split("/")[-2]
        # As if it had been renamed since: the journal does not tell, so nothing goes at once.
        master.raw(f"/simple/{display}/", b"", status=301, header=[f"Location: {master.url}/simple/other/"])
        master.event("new-release", "requests")
        result = mirror.sync()
        self.assertEqual(result.status, 1, result.errors)
        self.assertIn("redirect to another name", mirror.status()["failing"][0]["cause"])
        self.assertTrue((mirror.web / "simple" / "requests").exists())

    def test_what_a_short_list_lacks_of_a_lost_states_tree_is_found_in_its_own_spelling(self) -> None:
        master = self.master(projects=30, files=60, era="pep381")
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        before = links_of(mirror)
        for path in mirror.directory.glob("state.db*"):
            path.unlink()
        names = xmlrpc.client.ServerProxy(master.url + "/pypi").list_packages()
        assert isinstance(names, list)
        cut = [name for name in names if normalized(name) != name][:5]
        self.assertEqual(len(cut), 5)
        short = xmlrpc.client.dumps(([name for name in names if name not in cut],), methodresponse=True)
        master.fault("method:list_packages", "body", short, times=-1)
        self.assert_done(mirror.sync())
        self.assertEqual(links_of(mirror), before)

    def test_files_without_a_digest_are_asked_for_by_their_etags(self) -> None:
        master = self.master(projects=25, files=80, era="pep381")
        page = ask(master.url, "/simple/idna/").body
        master.raw("/simple/idna/", re.sub(b"#md5=[0-9a-f]+", b"", page), "text/html")
        mirror = self.mirror(master.url, filter_projects="idna")
        self.assert_done(mirror.sync())
        files = {f"/{path.relative_to(mirror.web)}": path
                 for path in (mirror.web / "packages").rglob("*") if path.is_file()}
        self.assertGreater(len(files), 1)
        before = {path: path.stat().st_ino for path in files.values()}

        def asked_after_sync() -> List[str]:
            master.reset_counts()
            self.assert_done(mirror.sync())
            return sorted(key[4:] for key in master.settled_counts() if key.startswith("GET /packages/"))

        self.assertEqual(asked_after_sync(), [])
        master.event("new-release", "idna")
        self.assertEqual(asked_after_sync(), sorted(files))
        self.assertEqual({path: path.stat().st_ino for path in files.values()}, before)

        target = min(files)
        master.raw(target, b"other bytes", header=['ETag: "other"'])
        master.event("new-release", "idna")
        self.assertEqual(asked_after_sync(), sorted(files))
        self.assertEqual(files[target].read_bytes(), b"other bytes")
        self.assertEqual([target for target, path in files.items() if path.stat().st_ino != before[path]], [target])

    def test_faults_of_that_time_decide_nothing(self) -> None:
        master = self.master(projects=25, files=80, era="pep381")
        master.fault("method:changelog_last_serial", "status", 503, times=1)
        mirror = self.mirror(master.url, master_patience="0s")
        self.assert_ends(mirror.sync(), 3, master.url)
        self.assert_done(mirror.sync())
        self.assertEqual(links_of(mirror), links_of_master(master))


class Simple(Era):
    def test_a_page_that_changed_is_found_when_all_are_looked_at(self) -> None:
        master = self.master(projects=25, files=80, era="simple")
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        master.event("new-release", "idna")
        self.assert_done(mirror.sync())
        self.assertNotEqual(links_of(mirror), links_of_master(master))
        self.assert_done(mirror.sync(master_reconcile_interval="1ms"))
        self.assertEqual(links_of(mirror), links_of_master(master))

    def test_html_alone_is_enough(self) -> None:
        """A mirror that shows only HTML, as PEP 503 has it."""
        master = self.master(projects=25, files=80)
        first = self.mirror(master.url, "first", pages_formats="html")
        self.assert_done(first.sync())
        second, _ = self.second_of(first)
        self.assert_done(second.sync())
        self.assertEqual(links_of(second), links_of(first))
        self.assertEqual(wrong_files(second), [])

    def test_bad_html_changes_nothing(self) -> None:
        master = self.master(projects=25, files=80, era="simple")
        mirror = self.mirror(master.url, master_reconcile_interval="1ms", master_patience="0s")
        self.assert_done(mirror.sync())
        before = tree(mirror)
        html = "text/html"
        for body, cause in ((b"<html><body><h1>Links for idna</h1><a href=", "cut off"),
                            (b"<html><body>Sorry</body></html>", "does not say that it is a page of an index"),
                            (b"<html><base href='ftp://x/'><body>Links</body></html>", "base href")):
            master.raw("/simple/idna/", body, html)
            result = mirror.sync()
            self.assertEqual(result.status, 1, result.errors)
            self.assertIn(cause, mirror.status()["failing"][0]["cause"])
            self.assertEqual(tree(mirror), before)
        master.clear_raw()
        self.assert_done(mirror.sync())
        for body in (b"<html><body><a href='idna/'>idna</a>", b"<html><body>Sorry</body></html>"):
            master.raw("/simple/", body, html)
            self.assert_ends(mirror.sync(), 3, master.url)
            self.assertEqual(tree(mirror), before)

    def test_links_to_other_hosts(self) -> None:
        master = self.master(projects=25, files=80, era="simple")
        mirror = self.mirror(master.url, filter_projects="idna", master_reconcile_interval="1ms")
        master.raw("/simple/idna/", (
            "<html><head><title>Links for idna</title></head><body>"
            "<a href='http://192.0.2.1/idna-1.0.tar.gz'>no digest</a>"
            "<a href='https://example.org/about'>About</a></body></html>").encode(), "text/html")
        self.assert_done(mirror.sync())
        self.assertEqual(mirror.filenames("idna"), [])
        skipped = mirror.status()["skipped"]
        self.assertEqual(len(skipped), 1)
        self.assertIn("another host than its page, without a digest", skipped[0]["cause"])

    def test_nothing_of_the_three(self) -> None:
        master = self.master(projects=25, files=80, era="simple")
        master.raw("/simple/", b"<html><body>404</body></html>", "text/html", status=404)
        mirror = self.mirror(master.url, master_patience="0s")
        result = mirror.sync()
        self.assert_ends(result, 3, master.url)
        self.assertIn("/simple/: HTTP 404", result.errors)


if __name__ == "__main__":
    main()
