#!/usr/bin/env python3
"""pages.mode = copy: the master's own pages with its signatures (PEP 381), and what is never published."""

import os
import re
import shutil
import subprocess
import time
import unittest
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from test_eras import Page, normalized
from world import (DAEMON, Mirror, Process, SampleMaster, World, ask, clean_environment, finished, main, refused_port,
                   until)

OPENSSL = shutil.which("openssl", path=os.environ.get("PATH", "") + ":/usr/bin")
Pair = Tuple[bytes, Optional[bytes]]  # a page, and its signature


def displays_of(master: SampleMaster) -> Dict[str, str]:
    """How the projects of a master of that era write themselves, by normalized name."""
    anchors = Page(ask(master.url, "/simple/").body.decode()).anchors
    found = [(anchor["href"] or "").rstrip("/").rpartition("/")[2] for anchor in anchors]
    return {normalized(display): display for display in found}


def pages_of(master: SampleMaster) -> Dict[str, bytes]:
    return {name: ask(master.url, f"/simple/{display}/").body for name, display in displays_of(master).items()}


def pair_of(mirror: Mirror, name: str) -> Pair:
    signature = mirror.web / "serversig" / name
    return ((mirror.web / "simple" / name / "index.html").read_bytes(),
            signature.read_bytes() if signature.exists() else None)


def projects_of(mirror: Mirror) -> List[str]:
    return sorted(path.name for path in (mirror.web / "simple").iterdir() if path.is_dir())


def cpu_seconds(process: Process) -> float:
    fields = Path(f"/proc/{process.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@unittest.skipUnless(OPENSSL, "openssl is needed (.ci/setup test)")
class CopyMode(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=20, files=60, era="pep381")
        self.copying = self.mirror(self.started.url, pages_mode="copy", master_patience="0s")

    def verifies(self, mirror: Mirror, name: str, key: bytes) -> bool:
        (self.directory / "key").write_bytes(key)
        return subprocess.run(
            [str(OPENSSL), "dgst", "-sha1", "-verify", str(self.directory / "key"), "-signature",
             str(mirror.web / "serversig" / name), str(mirror.web / "simple" / name / "index.html")],
            stdin=subprocess.DEVNULL, capture_output=True, env=clean_environment(), check=False).returncode == 0

    def assert_copied(self, signed: bool = True) -> None:
        """All pages are the master's, and each signature is one of its page by the master's key."""
        pages = pages_of(self.started)
        self.assertEqual(projects_of(self.copying), sorted(pages))
        key = ask(self.started.url, "/serverkey").body
        for name, page in pages.items():
            self.assertEqual(pair_of(self.copying, name)[0], page, name)
            alias = self.copying.web / "simple" / name / "index.v1_html"
            self.assertTrue(alias.samefile(alias.with_name("index.html")), name)
            self.assertEqual(signed and self.verifies(self.copying, name, key), signed, name)
        directory = self.copying.web / "serversig"
        found = sorted(path.name for path in directory.iterdir()) if directory.exists() else []
        self.assertEqual(found, sorted(pages) if signed else [])
        self.assertFalse((self.copying.web / "serverkey").exists())
        self.assertEqual(self.copying.staged(), [])
        self.assert_done(self.copying.do("verify"))

    def assert_stays(self, name: str, before: Pair, cause: str) -> None:
        """A pass that must not publish what the master has now."""
        result = self.copying.sync()
        self.assertEqual(result.status, 1, result.errors)
        failing = self.copying.status()["failing"]
        self.assertEqual([project["name"] for project in failing], [name])
        self.assertIn(cause, failing[0]["cause"])
        self.assertEqual(pair_of(self.copying, name), before)

    def changed(self, name: str = "idna") -> str:
        """The display name of a project of which there is something new."""
        self.started.event("new-release", name)
        return displays_of(self.started)[name]

    def test_pages_and_signatures_are_the_masters(self) -> None:
        self.assert_done(self.copying.sync())
        self.assert_copied()
        self.started.reset_counts()
        self.assert_done(self.copying.sync())
        self.assertEqual(self.started.settled_counts(), {"GET /last-modified": 1, "POST changelog": 1})
        self.started.random(count=12, seed=5)
        self.assert_done(self.copying.sync())
        self.assert_copied()

    def test_a_client_of_pep_381_verifies_it(self) -> None:
        self.assert_done(self.copying.sync())
        (self.directory / "serverkey").write_bytes(ask(self.started.url, "/serverkey").body)
        url = self.run_daemon(self.copying, "serve").url
        verify_page = [str(DAEMON), "--config", "/dev/null", "verify-page", f"{url}/simple/idna/"]
        self.assert_done(finished([*verify_page, "--key", str(self.directory / "serverkey")]))
        self.assert_ends(finished(verify_page), 1, "name its master's key with --key")

    def test_what_is_tampered_with_is_never_published(self) -> None:
        self.assert_done(self.copying.sync())
        display = self.changed()
        before = pair_of(self.copying, "idna")
        page, signature = f"/simple/{display}/", f"/serversig/{display}"
        no_signature = "it is no signature of the page"
        for match, kind, value, cause in (
                (page, "body", pages_of(self.started)["idna"].replace(b"<h1>", b"<h1> "), no_signature),
                (signature, "wrong-bytes", None, "signature"),
                (signature, "body", "<html><body>Sorry</body></html>", "no DSA signature came, but 31 bytes of"),
                (signature, "body", "", "no DSA signature came, but 0 bytes of"),
                (signature, "body", "x" * 100_000, "more than the 65536"),
                (signature, "redirect", f"/simple/{display}/", "and the master has a key"),
                (signature, "status", 404, "and the master has a key"),
                (signature, "status", 503, "HTTP 503"),
        ):
            with self.subTest(kind=kind, match=match):
                self.started.fault(match, kind, value, times=-1)
                self.assert_stays("idna", before, cause)
                self.started.clear_faults()
        self.assert_done(self.copying.sync())
        self.assertNotEqual(pair_of(self.copying, "idna")[0], before[0])
        self.assert_copied()

    def test_a_quarantine_is_believed_where_the_master_has_signed_it(self) -> None:
        """It takes all files away, at once."""
        self.assert_done(self.copying.sync())
        display = self.changed()
        before, files = pair_of(self.copying, "idna"), self.copying.files()
        quarantined = pages_of(self.started)["idna"].replace(
            b"<head>", b"<head><meta name='pypi:project-status' content='quarantined'/>")
        self.started.fault(f"/simple/{display}/", "body", quarantined, times=-1)
        self.assert_stays("idna", before, "it is no signature of the page")
        self.assertEqual(self.copying.files(), files)

    def test_a_quarantined_page_that_lists_files_is_not_shown(self) -> None:
        self.started.key("end")
        self.assert_done(self.copying.sync())
        display = self.changed()
        quarantined = pages_of(self.started)["idna"].replace(
            b"<head>", b"<head><meta name='pypi:project-status' content='quarantined'/>")
        self.started.fault(f"/simple/{display}/", "body", quarantined, times=-1)
        self.assert_done(self.copying.sync())
        page, signature = pair_of(self.copying, "idna")
        self.assertIn(b"quarantined", page)
        self.assertEqual(Page(page.decode()).links, {})
        self.assertIsNone(signature)
        self.assertEqual([path for path in self.copying.files() if "idna-" in path], [])
        self.assert_done(self.copying.do("verify"))
        shown = self.copying.page("idna")
        self.started.event("role", "idna")
        self.assert_done(self.copying.sync())
        self.assertEqual(self.copying.page("idna"), shown)  # serial and all
        self.started.clear_faults()
        self.changed()
        self.assert_done(self.copying.sync())
        self.assert_copied(signed=False)

    def test_a_page_that_changes_between_is_asked_for_again(self) -> None:
        self.assert_done(self.copying.sync())
        display = self.changed()
        self.started.fault(f"/serversig/{display}/", "stale")
        self.assert_done(self.copying.sync())
        self.assert_copied()

    def test_a_stale_page_is_known_by_its_signature(self) -> None:
        self.assert_done(self.copying.sync())
        display = self.changed()
        self.started.fault(f"/simple/{display}/", "stale")
        self.assert_done(self.copying.sync())
        self.assert_copied()

    def test_another_key_is_told_by_the_journal(self) -> None:
        self.assert_done(self.copying.sync())
        before = {name: pair_of(self.copying, name) for name in projects_of(self.copying)}
        self.started.key("rotate")
        self.assert_done(self.copying.sync())
        self.assert_copied()
        for name, (page, signature) in before.items():
            after = pair_of(self.copying, name)
            self.assertEqual(after[0], page)
            self.assertNotEqual(after[1], signature)

    def test_another_key_is_found_by_a_signature_that_fails(self) -> None:
        self.assert_done(self.copying.sync())
        self.started.key("change")
        self.changed()
        # What was never seen before is met by the old key first.
        self.started.event("new-project")
        self.assert_done(self.copying.sync(master_patience="20s"))
        self.assert_copied()

    def test_another_key_is_found_by_the_reconcile(self) -> None:
        self.assert_done(self.copying.sync())
        self.started.key("change")
        self.assert_done(self.copying.sync(master_reconcile_interval="1ms"))
        self.assert_copied()

    def test_who_waits_for_the_key_is_at_rest(self) -> None:
        holder, address = refused_port()
        self.addCleanup(holder.close)
        daemon = self.run_daemon(self.mirror(f"http://{address}", "waiting", pages_mode="copy",
                                             master_poll_interval="1s"))

        def polls(least: int) -> float:
            until(lambda: sum("poll_failed" in line for line in daemon.err.lines) >= least, f"{least} polls")
            return time.monotonic()

        began, before = polls(1), cpu_seconds(daemon)
        elapsed = polls(3) - began
        self.assertLess(cpu_seconds(daemon) - before, elapsed / 3)

    def test_a_master_without_signatures(self) -> None:
        self.started.key("end")
        self.assert_done(self.copying.sync())
        self.assert_copied(signed=False)
        asked = self.started.settled_counts()
        self.assertEqual([key for key in asked if "serversig" in key], [])

    def test_a_key_that_is_none(self) -> None:
        for body, kind, cause in ((b"<html><body>Welcome</body></html>", "text/html", "it is no public key in PEM"),
                                  (b"x" * 100_000, "text/plain", "more than the 65536"),
                                  (b"", "text/plain", "it is no public key in PEM")):
            with self.subTest(cause):
                self.started.raw("/serverkey", body, kind)
                result = self.copying.sync(filter_projects="idna")
                self.assertEqual(result.status, 1, result.errors)
                cause_told = self.copying.status()["failing"][0]["cause"]
                self.assertIn(cause, cause_told)
                self.assertIn("/serverkey", cause_told)
                self.assertFalse((self.copying.web / "simple" / "idna").exists())
        self.started.clear_raw()
        self.assert_done(self.copying.sync(filter_projects="idna"))
        # One that is known stays known.
        self.started.raw("/serverkey", b"<html></html>", "text/html")
        self.changed()
        self.assert_done(self.copying.sync(filter_projects="idna", master_reconcile_interval="1ms"))

    def test_a_page_waits_for_its_files(self) -> None:
        self.assert_done(self.copying.sync())
        self.changed()
        before = pair_of(self.copying, "idna")
        self.started.fault("/packages/", "status", 404, times=-1)
        self.assert_stays("idna", before, "HTTP 404")
        self.started.clear_faults()
        self.assert_done(self.copying.sync())
        self.assert_copied()

    def test_pages_that_cannot_be_copied_are_refused(self) -> None:
        self.started.key("end")
        self.assert_done(self.copying.sync())
        display = self.changed()
        before = pair_of(self.copying, "idna")
        page = pages_of(self.started)["idna"]
        for spoiled, cause in (
                (page.replace(b"../../packages", self.started.url.encode() + b"/packages"), "does not lead to ../../"),
                (page.replace(b"../../packages", b"/packages"), "does not lead to ../../"),
                (page.replace(b"../../packages", b"http://192.0.2.7/packages"), "does not lead to ../../"),
                (page.replace(b"<body>", b"<body><base href='../'>"), "<base href>"),
                (page.replace(b"</body>", b"<a href='../../packages/x/notes'>x</a></body>"),
                 "no file that is mirrored"),
        ):
            with self.subTest(cause):
                self.started.raw(f"/simple/{display}/", spoiled, "text/html")
                self.assert_stays("idna", before, cause)
                self.assertIn("pages.mode = regenerate", self.copying.status()["failing"][0]["cause"])
        self.started.clear_raw()
        self.assert_done(self.copying.sync())
        self.assert_copied(signed=False)

    def test_todays_pypi_is_refused(self) -> None:
        today = self.master(projects=8, files=20)
        mirror = self.mirror(today.url, "today", pages_mode="copy", master_patience="0s")
        result = mirror.sync()
        self.assertEqual(result.status, 1, result.errors)
        self.assertIn("set pages.mode = regenerate", mirror.status()["failing"][0]["cause"])
        # A page without links can be copied.
        for path in (mirror.web / "simple").glob("*/index.html"):
            self.assertNotIn(b"<a ", path.read_bytes())

    def test_the_mode_is_switched_both_ways(self) -> None:
        made = {"pages_mode": "regenerate"}
        self.assert_done(self.copying.sync(**made))
        ours = {name: pair_of(self.copying, name) for name in projects_of(self.copying)}
        self.assert_done(self.copying.do("verify", **made))
        self.assert_done(self.copying.sync())
        self.assert_copied()
        self.assert_done(self.copying.sync(**made))
        self.assert_done(self.copying.do("verify", **made))
        # Serials have moved on: those who mirror this mirror must see that pages changed.
        serial = re.compile(rb"<!--SERIAL \d+-->")
        for name, (page, signature) in ours.items():
            again = pair_of(self.copying, name)
            self.assertEqual(serial.sub(b"", again[0]), serial.sub(b"", page))
            self.assertEqual((signature, again[1]), (None, None))

    def test_a_copy_of_a_mirror_that_signs(self) -> None:
        """The chain: what our own mirror signs is copied by a second, with its signature."""
        signing = {"signing_key": str(self.directory / "own")}
        first = self.mirror(self.started.url, "first", **signing)
        self.assert_done(first.do("keygen"))
        self.assert_done(first.sync())
        second = self.mirror(self.run_daemon(first, "serve").url, "second", pages_mode="copy")
        self.assert_done(second.sync())
        key = (first.web / "serverkey").read_bytes()
        for name in projects_of(first):
            self.assertEqual(pair_of(second, name), pair_of(first, name))
            self.assertTrue(self.verifies(second, name, key), name)
        self.assertFalse((second.web / "serverkey").exists())
        self.assert_done(second.do("verify"))

    def test_a_copy_of_a_mirror_that_copies(self) -> None:
        """Its pages show no serial: without `serverkey` nothing tells how old they are."""
        self.assert_done(self.copying.sync())
        second = self.mirror(self.run_daemon(self.copying, "serve").url, "second", pages_mode="copy")
        self.assert_done(second.sync())
        for round_ in range(3):
            for name in projects_of(self.copying):
                self.assertEqual(pair_of(second, name), (pair_of(self.copying, name)[0], None), round_)
            self.assertEqual(second.page("idna"), self.copying.page("idna"))
            self.changed()
            self.assert_done(self.copying.sync())
            self.assert_done(second.sync())

    def test_verify_finds_and_repair_fetches_again(self) -> None:
        self.assert_done(self.copying.sync())
        page, other, missing = projects_of(self.copying)[:3]
        text = self.copying.web / "simple" / page / "index.html"
        altered = text.read_bytes().replace(b"<h1>", b"<h1> ")
        text.unlink()
        text.write_bytes(altered)
        serversig = self.copying.web / "serversig"
        (serversig / other).write_bytes((serversig / page).read_bytes())
        (serversig / missing).unlink()
        (self.copying.web / self.copying.files()[0]).write_bytes(b"damaged")
        told = self.copying.do("verify")
        self.assertEqual(told.status, 1)
        for line in (f"wrong_bytes web/simple/{page}/index.html: ", f"wrong_bytes web/serversig/{other}: ",
                     f"missing web/serversig/{missing}: ", "wrong_bytes web/packages/"):
            self.assertIn(line, told.output)
        self.assert_done(self.copying.do("verify", "--repair"))
        self.assert_copied()

    def test_removals_act_as_always(self) -> None:
        self.assert_done(self.copying.sync())
        removed = self.started.event("remove-project")["project"]
        self.assert_done(self.copying.sync())
        self.assertFalse((self.copying.web / "simple" / removed).exists())
        self.assertFalse((self.copying.web / "serversig" / removed).exists())
        self.assert_copied()
        self.assert_done(self.copying.sync(filter_block="idna"))
        self.assertFalse((self.copying.web / "serversig" / "idna").exists())

    def test_what_cannot_go_with_it_is_a_mistake(self) -> None:
        for key, value in (("signing.key", "/nowhere"), ("pages.formats", "json"), ("files.enabled", "false"),
                           ("files.core-metadata", "false"), ("deletes.policy", "keep")):
            self.copying.settings[key] = value
            result = self.copying.sync()
            del self.copying.settings[key]
            self.assertEqual(result.status, 2, result.errors)
            self.assertRegex(result.errors, rf"{key}: .*\(pages\.mode = copy\)")


if __name__ == "__main__":
    main()
