#!/usr/bin/env python3
"""`pep381d run`: the daemon follows its master, heeds its signals, and serves the tree."""

import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Tuple
from urllib.parse import urljoin

from compare import Terms
from world import (DAEMON, JSON_TYPE, Answer, Daemon, Mirror, SampleMaster, World, ask, finished, main, refused_port,
                   until)

HTML_TYPE = "application/vnd.pypi.simple.v1+html"
SMALL = {"projects": 30, "files": 120}
NOBODY = 65534


class Following(World):
    def daemon(self, **options: str) -> Tuple[SampleMaster, Mirror, Daemon]:
        """A daemon after its first pass."""
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, master_poll_interval="1s", pages_root_interval="1s", **options)
        daemon = self.run_daemon(mirror)
        until(mirror.last_modified, "the first pass")
        return master, mirror, daemon

    def serial_of(self, daemon: Daemon, project: str) -> int:
        found = ask(daemon.url, f"/simple/{project}/", {"Accept": JSON_TYPE})
        return json.loads(found.body)["meta"]["_last-serial"] if found.status == 200 else 0

    def test_events_are_followed_and_end_equal(self) -> None:
        master, mirror, daemon = self.daemon(deletes_grace="1s")
        serial = master.event("new-release", "idna")["serial"]
        until(lambda: self.serial_of(daemon, "idna") == serial, "the new release is served")
        master.random(count=20, seed=5)
        until(lambda: not mirror.compare(master), "the tree is equal to the master", 30)

    def test_a_removed_project_is_404_at_once_and_its_files_too(self) -> None:
        master, mirror, daemon = self.daemon()
        path = "/" + next(path for path in mirror.files() if "/urllib3-" in path)
        self.assertEqual(daemon.status_of(path), 200)
        master.event("remove-project", "urllib3")
        until(lambda: daemon.status_of("/simple/urllib3/") == 404, "the page is gone")
        until(lambda: daemon.status_of(path) == 404, "the file is gone")
        root = json.loads(ask(daemon.url, "/simple/", {"Accept": JSON_TYPE}).body)
        self.assertNotIn("urllib3", [entry["name"] for entry in root["projects"]])

    def test_a_removed_file_stays_for_the_grace_and_no_longer(self) -> None:
        master, mirror, daemon = self.daemon(deletes_grace="3s")
        gone = "/" + master.event("remove-file", "idna")["touched"][0].lstrip("/")
        until(lambda: gone.rpartition("/")[2] not in mirror.filenames("idna"), "the page drops it")
        self.assertEqual(daemon.status_of(gone), 200, "readers of the old page can still fetch it")
        until(lambda: daemon.status_of(gone) == 404, "the file goes", 30)

    def test_a_poll_that_finds_nothing_is_one_request_and_moves_last_modified(self) -> None:
        master, mirror, daemon = self.daemon()
        until(lambda: master.counts().get("POST changelog_last_serial", 0) >= 2, "it polls")
        master.reset_counts()
        before = mirror.last_modified()
        until(lambda: mirror.last_modified() != before, "last-modified moves on")
        until(lambda: master.counts().get("POST changelog_last_serial", 0) >= 2, "it polls on")
        self.assertEqual(set(master.counts()), {"POST changelog_last_serial"})

    def test_status_is_told_while_it_runs_and_to_other_users(self) -> None:
        _, mirror, daemon = self.daemon()
        self.assertGreater(mirror.status()["files"], 0)
        program = self.directory / "pep381d"
        program.write_bytes(DAEMON.read_bytes())
        program.chmod(0o755)
        if os.geteuid() == 0:
            told = finished([str(program), *mirror.command("status", "--json")[1:]], user=NOBODY, group=NOBODY)
            self.assert_done(told)
            self.assertGreater(json.loads(told.output)["files"], 0)
        self.assertEqual(daemon.status_of("/status/"), 200)
        self.assertGreater(json.loads(ask(daemon.url, "/status/status.json").body)["projects"], 0)


class Signals(World):
    def quiet(self) -> Tuple[SampleMaster, Mirror, Daemon]:
        """A daemon that would not poll again by itself while the test lasts."""
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, master_poll_interval="1h", pages_root_interval="1s")
        daemon = self.run_daemon(mirror)
        until(mirror.last_modified, "the first pass")
        return master, mirror, daemon

    def test_sigusr1_polls_now(self) -> None:
        master, mirror, daemon = self.quiet()
        master.event("new-release", "idna", version="44.0")
        daemon.send(signal.SIGUSR1)
        until(lambda: "44.0" in (mirror.page("idna") or {"versions": []})["versions"], "the release comes")

    def test_sighup_applies_a_changed_filter(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        config = self.directory / "c.conf"
        daemon = self.configured(mirror, config, "filter", "projects = requests idna")
        until(mirror.last_modified, "the first pass")
        self.assertIsNone(mirror.page("urllib3"))
        self.write(mirror, config, "filter", "projects = requests urllib3")
        daemon.send(signal.SIGHUP)
        until(lambda: mirror.page("urllib3") and not mirror.page("idna"), "the filter is applied")
        until(lambda: not mirror.compare(master, Terms(projects={"requests", "urllib3"})), "the tree is as wanted")
        self.assertTrue(daemon.running())

    def test_sighup_applies_changed_formats(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        config = self.directory / "c.conf"
        daemon = self.configured(mirror, config, "pages", "formats = html")
        until(mirror.last_modified, "the first pass")
        self.write(mirror, config, "pages", "formats = html json")
        daemon.send(signal.SIGHUP)
        until(lambda: not mirror.compare(master), "both formats are there")

    def test_sighup_with_a_mistake_in_the_file_changes_nothing(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url)
        config = self.directory / "c.conf"
        daemon = self.configured(mirror, config, "filter", "projects = requests idna")
        until(mirror.last_modified, "the first pass")
        self.write(mirror, config, "filter", "project = requests")
        daemon.send(signal.SIGHUP)
        daemon.line(r"filter\.project\b", "the mistake is told")
        master.event("new-release", "idna", version="43.0")
        until(lambda: "43.0" in (mirror.page("idna") or {"versions": []})["versions"], "it goes on as before")

    def write(self, mirror: Mirror, config: Path, section: str, line: str) -> None:
        config.write_text(
            f"[mirror]\ndirectory = {mirror.directory}\n[master]\nurl = {mirror.settings['master.url']}\n"
            f"poll-interval = 1s\n[listen]\naddress = 127.0.0.1:0\n[{section}]\n{line}\n")

    def configured(self, mirror: Mirror, config: Path, section: str, line: str) -> Daemon:
        self.write(mirror, config, section, line)
        return self.ends(Daemon([str(DAEMON), "--config", str(config), "run"]))

    def assert_ends_well(self, daemon: Daemon, number: int = signal.SIGTERM) -> None:
        began = time.monotonic()
        daemon.send(number)
        self.assertEqual(daemon.wait(30), 0, daemon.err.lines[-3:])
        self.assertLess(time.monotonic() - began, 10)

    def test_sigterm_at_rest_ends_with_0(self) -> None:
        _, _, daemon = self.quiet()
        self.assert_ends_well(daemon)

    def test_sigint_ends_it_too(self) -> None:
        _, _, daemon = self.quiet()
        self.assert_ends_well(daemon, signal.SIGINT)

    def test_sigterm_amid_hanging_transfers_ends_with_0_and_the_next_pass_goes_on(self) -> None:
        master = self.master(**SMALL)
        master.fault("/packages/", "hang", times=5)
        master.fault("/packages/", "delay", 200, times=-1)
        mirror = self.mirror(master.url)
        daemon = self.run_daemon(mirror)
        until(lambda: sum(master.counts().values()) > 40, "it is at work")
        self.assert_ends_well(daemon)
        self.assertIsNone(mirror.last_modified())
        master.clear_faults()
        self.assert_done(mirror.sync())
        self.assert_equal_trees(mirror, master)

    def test_sigterm_ends_sync_while_it_waits(self) -> None:
        for match in ("/simple/", "/pypi"):
            with self.subTest(match):
                master = self.master(**SMALL)
                master.fault(match, "status", 503, times=-1)
                mirror = self.mirror(master.url, "m" + match.strip("/"), master_patience="10min")
                daemon = self.ends(Daemon(mirror.command("sync")))
                until(lambda: sum(master.counts().values()) >= 2, "it is at work")
                began = time.monotonic()
                daemon.send(signal.SIGTERM)
                self.assertIn(daemon.wait(30), (0, 1, 3))
                self.assertLess(time.monotonic() - began, 10)

    def test_sigterm_while_the_master_is_down_ends_with_0(self) -> None:
        holder, address = refused_port()
        with holder:
            daemon = self.run_daemon(self.mirror("http://" + address))
            daemon.line("poll_failed", "it tells that the master is not there")
            self.assert_ends_well(daemon)


class MasterComesLater(World):
    def test_without_a_master_it_waits_serves_and_recovers(self) -> None:
        holder, address = refused_port()
        mirror = self.mirror("http://" + address, master_poll_interval="1s", pages_root_interval="1s")
        daemon = self.run_daemon(mirror)
        daemon.line("poll_failed", "it tells that the master is not there")
        self.assertTrue(daemon.running())
        self.assertEqual(daemon.status_of("/simple/requests/"), 404)
        holder.close()
        master = self.master(**SMALL, listen=address)
        until(mirror.last_modified, "the first pass")
        self.assert_equal_trees(mirror, master)

    def test_a_master_that_goes_away_and_comes_back_is_followed_again(self) -> None:
        master = self.master(**SMALL)
        mirror = self.mirror(master.url, master_poll_interval="1s", pages_root_interval="1s")
        daemon = self.run_daemon(mirror)
        until(mirror.last_modified, "the first pass")
        master.fault("/", "status", 503, times=-1)
        daemon.line("poll_failed", "it tells that the master is not well")
        self.assertEqual(daemon.status_of("/simple/requests/"), 200)
        master.event("new-release", "idna", version="42.0")
        self.assertTrue(until(lambda: mirror.status()["last_error"], "the trouble is told"))
        master.clear_faults()
        until(lambda: "42.0" in (mirror.page("idna") or {"versions": []})["versions"], "it follows again")
        until(lambda: mirror.status()["last_error"] is None, "the trouble is over")


class EmbeddedServer(World):
    daemon: Daemon
    mirror_: Mirror

    def setUp(self) -> None:
        super().setUp()
        master = self.master(projects=10, files=40)
        self.mirror_ = self.mirror(master.url)
        self.assert_done(self.mirror_.sync())
        self.daemon = self.run_daemon(self.mirror_, "serve")

    def ask(self, target: str, method: str = "GET", **headers: str) -> Answer:
        return ask(self.daemon.url, target, {name.replace("_", "-"): value for name, value in headers.items()}, method)

    def test_types_are_negotiated_as_pypi_does(self) -> None:
        table = [(None, "text/html"), ("*/*", "text/html"), ("text/html", "text/html"), (JSON_TYPE, JSON_TYPE),
                 (HTML_TYPE, HTML_TYPE), ("application/vnd.pypi.simple.latest+json", JSON_TYPE),
                 ("application/vnd.pypi.simple.latest+html", HTML_TYPE), ("image/png", "text/html"),
                 (f"{JSON_TYPE}, {HTML_TYPE}; q=0.1, text/html; q=0.01", JSON_TYPE),  # pip
                 (f"{JSON_TYPE}, {HTML_TYPE};q=0.2, text/html;q=0.01", JSON_TYPE),    # uv
                 (f"{JSON_TYPE}, */*;q=0.1", JSON_TYPE),                              # poetry
                 (f"{JSON_TYPE};q=0.1, text/html", "text/html"), (f"{JSON_TYPE};q=0, */*", "text/html")]
        for target in ("/simple/", "/simple/idna/"):
            for accept, wanted in table:
                with self.subTest(target, accept=accept):
                    found = self.ask(target, **({} if accept is None else {"Accept": accept}))
                    if found.status == 406 and accept == "image/png":
                        continue
                    self.assertEqual(found.status, 200)
                    self.assertEqual(found.headers["content-type"].partition(";")[0], wanted)
                    self.assertRegex(found.headers["vary"], "(?i)accept")
                    self.assert_is(found, wanted)

    def assert_is(self, found: Answer, kind: str) -> None:
        if kind == JSON_TYPE:
            self.assertEqual(found.headers["content-type"], JSON_TYPE, "without parameters")
            json.loads(found.body)
        else:
            self.assertTrue(found.body.startswith(b"<!DOCTYPE html>"))

    def test_the_format_parameter_wins_over_accept(self) -> None:
        for kind in (JSON_TYPE, HTML_TYPE):
            found = self.ask("/simple/idna/?format=" + kind.replace("+", "%2B"), Accept="text/html")
            self.assertEqual(found.headers["content-type"].partition(";")[0], kind)

    def test_pages_tell_serial_etag_and_caching(self) -> None:
        page = self.mirror_.page("idna") or {}
        for accept in (JSON_TYPE, "text/html"):
            found = self.ask("/simple/idna/", Accept=accept)
            self.assertEqual(found.headers["x-pypi-last-serial"], str(page["meta"]["_last-serial"]))
            self.assertIn("max-age=600", found.headers["cache-control"])
            again = self.ask("/simple/idna/", Accept=accept, If_None_Match=found.headers["etag"])
            self.assertEqual((again.status, again.body), (304, b""))
            self.assertEqual(again.headers["etag"], found.headers["etag"])
            other = self.ask("/simple/idna/", Accept=accept, If_None_Match='"another"')
            self.assertEqual(other.status, 200)
        both = {self.ask("/simple/idna/", Accept=accept).headers["etag"] for accept in (JSON_TYPE, "text/html")}
        self.assertEqual(len(both), 2, "each representation has a tag of its own")

    def test_what_pypi_redirects_is_redirected(self) -> None:
        for target, to in (("/simple", "/simple/"), ("/simple/idna", "/simple/idna/"), ("/simple/IDNA/", "/simple/idna/"),
                           ("/simple/Charset_Normalizer/", "/simple/charset-normalizer/"),
                           ("/simple/charset.normalizer", "/simple/charset-normalizer/")):
            with self.subTest(target):
                hops = 0
                while True:
                    found = self.ask(target)
                    if found.status == 200 or hops == 3:
                        break
                    self.assertEqual(found.status, 301)
                    there = urljoin(self.daemon.url + target, found.headers["location"])
                    self.assertTrue(there.startswith(self.daemon.url + "/"), there)
                    target, hops = there[len(self.daemon.url):], hops + 1
                self.assertEqual((found.status, target), (200, to))
                self.assertGreater(hops, 0)

    def test_what_is_not_carried_is_404_in_plain_text(self) -> None:
        for target in ("/simple/no-such-project/", "/packages/no/such/file.whl", "/nothing", "/serverkey", "/state.db"):
            found = self.ask(target, Accept=JSON_TYPE)
            self.assertEqual(found.status, 404, target)
            self.assertRegex(found.headers["content-type"], "^text/plain")

    def wheel(self) -> Tuple[str, bytes]:
        path = next(path for path in self.mirror_.files() if path.endswith(".whl"))
        return "/" + path, (self.mirror_.web / path).read_bytes()

    def test_files_are_served_whole_and_in_ranges(self) -> None:
        target, content = self.wheel()
        found = self.ask(target, Accept_Encoding="gzip")
        self.assertEqual((found.status, found.body), (200, content))
        self.assertNotIn("content-encoding", found.headers)
        self.assertEqual(found.headers["accept-ranges"], "bytes")
        self.assertIn("immutable", found.headers["cache-control"])
        size = len(content)
        for text, status, body in (("bytes=0-9", 206, content[:10]), ("bytes=10-", 206, content[10:]),
                                   ("bytes=-7", 206, content[-7:]), (f"bytes={size - 1}-{size + 9}", 206, content[-1:]),
                                   (f"bytes={size}-", 416, None), ("bytes=9-3", 200, content),
                                   ("lines=1-2", 200, content)):
            with self.subTest(text):
                part = self.ask(target, Range=text)
                self.assertEqual(part.status, status)
                if body is not None:
                    self.assertEqual(part.body, body)
        first = self.ask(target, Range="bytes=5-9")
        self.assertEqual(first.headers["content-range"], f"bytes 5-9/{size}")
        tag = found.headers["etag"]
        self.assertEqual(self.ask(target, Range="bytes=5-9", If_Range=tag).status, 206)
        self.assertEqual(self.ask(target, Range="bytes=5-9", If_Range='"old"').status, 200)
        self.assertEqual(self.ask(target, If_None_Match=tag).status, 304)

    def test_head_is_get_without_the_body(self) -> None:
        for target in ("/simple/", "/simple/idna/", "/last-modified", self.wheel()[0], self.wheel()[0] + ".metadata"):
            with self.subTest(target):
                whole, head = self.ask(target), self.ask(target, "HEAD")
                self.assertEqual((head.status, head.body), (200, b""))
                for name in ("content-length", "content-type", "etag"):
                    self.assertEqual(head.headers.get(name), whole.headers.get(name), name)
                self.assertEqual(int(head.headers["content-length"]), len(whole.body))

    def test_last_modified_is_short_and_plain_even_for_http_1_0(self) -> None:
        answer = self.raw(b"GET /last-modified HTTP/1.0\r\nHost: mirror\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertRegex(head, rb"^HTTP/1\.[01] 200")
        self.assertRegex(head.lower(), rb"content-type: text/plain")
        self.assertNotIn(b"chunked", head.lower())
        self.assertRegex(body, rb"^\d{8}T\d\d:\d\d:\d\d\n$")
        self.assertLess(len(answer), 1200)

    def raw(self, request: bytes) -> bytes:
        host, _, port = self.daemon.url[len("http://"):].partition(":")
        answer = b""
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(request)
            try:
                connection.shutdown(socket.SHUT_WR)
                while True:
                    piece = connection.recv(65536)
                    if not piece:
                        return answer
                    answer += piece
            except OSError:  # it hung up on us
                return answer

    def test_nothing_outside_the_tree_is_served(self) -> None:
        secret = b"SQLite format 3"
        (self.mirror_.directory / "secret").write_bytes(secret)
        os.symlink(self.mirror_.directory / "secret", self.mirror_.web / "packages" / "link")
        for target in ("/../state.db", "/../secret", "/simple/../../secret", "/%2e%2e/secret", "/..%2fsecret",
                       "/simple/..%2f..%2fsecret", "/packages/%2e%2e/%2e%2e/secret", "//secret", "/./../secret",
                       "/packages/..\\..\\secret", "/packages/%5c..%5c..%5csecret", "/..%00/secret", "/secret%00.html",
                       "/%c0%ae%c0%ae/secret", "/packages/link", "http://x/../secret", "/....//secret", "../secret",
                       "/staging/", "/packages/", "/packages", "/" + "a" * 9000):
            with self.subTest(target[:50]):
                answer = self.raw(f"GET {target} HTTP/1.1\r\nHost: mirror\r\nConnection: close\r\n\r\n".encode())
                self.assertNotIn(secret, answer)
                self.assertNotRegex(answer, rb"^HTTP/1\.[01] (200|5)")
        self.assertEqual(self.daemon.status_of("/simple/"), 200, "it lives")

    def test_requests_that_are_none_do_no_harm(self) -> None:
        for request in (b"", b"\r\n\r\n", b"GET\r\n\r\n", b"\0" * 1000, b"GET / HTTP/9.9\r\n\r\n",
                        b"GET /simple/ HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"DELETE /simple/ HTTP/1.1\r\nHost: x\r\n"
                        b"Connection: close\r\n\r\n", b"POST /simple/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                        b"Connection: close\r\n\r\nhello"):
            with self.subTest(request[:40]):
                answer = self.raw(request)
                self.assertNotRegex(answer, rb"^HTTP/1\.[01] (2|50[0-4])")
        self.assertEqual(self.daemon.status_of("/simple/"), 200, "it lives")


if __name__ == "__main__":
    main()
