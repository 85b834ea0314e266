#!/usr/bin/env python3
"""Unmodified pip installs from the mirror alone: by JSON and by HTML, with .metadata, wheels and sdists."""

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path
from typing import List, Optional, Tuple

from world import BUILD, Daemon, Mirror, World, ask, clean_environment, main

VENV = BUILD / "e2e-venv"
REQUESTS = {"requests", "urllib3", "idna", "certifi", "charset-normalizer"}


def pip_of_the_build() -> Path:
    """The pip of a virtual environment that is made once for each build directory."""
    pip = VENV / "bin" / "pip"
    if not (VENV / "ready").exists():
        shutil.rmtree(VENV, ignore_errors=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], env=clean_environment(),
                              capture_output=True, check=False)
        if made.returncode != 0:
            raise RuntimeError("python3 -m venv failed; Debian has it in python3-venv:\n" +
                               made.stdout.decode() + made.stderr.decode())
        (VENV / "ready").touch()
    return pip


def pip_version(pip: Path) -> Tuple[int, int]:
    text = subprocess.run([str(pip), "--version"], env=clean_environment(), capture_output=True,
                          check=True).stdout.decode()
    match = re.match(r"pip (\d+)\.(\d+)", text)
    assert match, text
    return int(match.group(1)), int(match.group(2))


class Witness(http.server.BaseHTTPRequestHandler):
    """Passes requests on to a mirror, and remembers them."""

    protocol_version = "HTTP/1.1"
    server: "WitnessServer"

    def do_GET(self) -> None:
        kept = {name: value for name, value in self.headers.items()
                if name.lower() not in ("host", "connection")}
        answer = ask(self.server.mirror, self.path, kept)
        self.server.seen.append((self.path, answer.headers.get("content-type", "")))
        self.send_response(answer.status)
        for name in ("content-type", "location", "etag"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def do_POST(self) -> None:
        """A mirror has none."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_error(405)

    def log_message(self, *_: object) -> None:
        pass


class WitnessServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, mirror: str) -> None:
        super().__init__(("127.0.0.1", 0), Witness)
        self.mirror = mirror
        self.seen: List[Tuple[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def kill(self) -> None:
        self.shutdown()
        self.server_close()

    def types_of(self, start: str) -> List[str]:
        return [kind for path, kind in self.seen if path.startswith(start)]

    def paths(self, ending: str) -> List[str]:
        return [urllib.parse.unquote(path) for path, _ in self.seen if path.endswith(ending)]


class WithPip(World):
    """A test that runs pip."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.pip = pip_of_the_build()
        cls.version = pip_version(cls.pip)

    def served(self, command: str = "serve", **options: str) -> Tuple[Mirror, Daemon]:
        master = self.master(projects=30, files=120)
        mirror = self.mirror(master.url, "m" + "".join(options.values()), **options)
        self.assert_done(mirror.sync())
        return mirror, self.run_daemon(mirror, command)

    def run_pip(self, url: str, *words: str) -> "subprocess.CompletedProcess[bytes]":
        environment = {**clean_environment(), "PIP_CONFIG_FILE": os.devnull, "HOME": str(self.directory)}
        command = [str(self.pip), "--disable-pip-version-check", "--no-cache-dir", *words,
                   "--index-url", url + "/simple/"]
        done = subprocess.run(command, env=environment, cwd=self.directory, capture_output=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode()[-3000:])
        return done

    def install(self, url: str, *words: str, into: Optional[str] = None) -> List[str]:
        """Normalized names of the projects that are there afterwards."""
        target = self.directory / (into or "site")
        self.run_pip(url, "install", "--target", str(target), *words)
        names = (re.match(r"(.+)-[^-]+\.dist-info$", path.name) for path in target.iterdir())
        return [re.sub(r"[-_.]+", "-", match.group(1)).lower() for match in names if match]


class Installing(WithPip):
    def test_a_project_and_its_dependencies_come_by_json_from_the_running_daemon(self) -> None:
        _, daemon = self.served("run")
        witness = self.ends(WitnessServer(daemon.url))
        self.assertEqual(set(self.install(witness.url, "requests")), REQUESTS)
        self.assertEqual(set(witness.types_of("/simple/requests/")), {"application/vnd.pypi.simple.v1+json"})

    def test_a_project_and_its_dependencies_come_by_html_from_an_html_only_mirror(self) -> None:
        mirror, daemon = self.served(pages_formats="html")
        self.assertFalse((mirror.web / "simple/requests/index.v1_json").exists())
        witness = self.ends(WitnessServer(daemon.url))
        self.assertEqual(set(self.install(witness.url, "requests")), REQUESTS)
        for kind in witness.types_of("/simple/"):
            self.assertRegex(kind, "html")

    def test_a_json_only_mirror_serves_pip_too(self) -> None:
        _, daemon = self.served(pages_formats="json")
        self.assertEqual(set(self.install(daemon.url, "requests")), REQUESTS)

    def test_metadata_spares_the_wheels_that_are_not_taken(self) -> None:
        formats = ["html"] if self.version < (23, 2) else ["html", "json"]  # what this pip reads it from
        for form in formats:
            with self.subTest(form):
                _, daemon = self.served(pages_formats=form)
                witness = self.ends(WitnessServer(daemon.url))
                self.run_pip(witness.url, "install", "--dry-run", "--ignore-installed", "requests")
                # pip 23.0 looks at a second version where a name has an underscore.
                asked = {path.rsplit("/", 1)[1].split("-")[0].replace("_", "-")
                         for path in witness.paths(".whl.metadata")}
                self.assertEqual(asked, REQUESTS, witness.seen)

    def test_without_metadata_whole_wheels_are_read(self) -> None:
        _, daemon = self.served(files_core_metadata="false")
        witness = self.ends(WitnessServer(daemon.url))
        self.assertEqual(set(self.install(witness.url, "requests")), REQUESTS)
        self.assertEqual(witness.paths(".metadata"), [])

    def test_an_sdist_is_built_and_installed(self) -> None:
        _, daemon = self.served()
        witness = self.ends(WitnessServer(daemon.url))
        self.assertEqual(self.install(witness.url, "--no-binary", ":all:", "idna"), ["idna"])
        self.assertEqual(len(witness.paths(".tar.gz")), 1)
        self.assertEqual(witness.paths(".whl"), [])

    def test_names_that_are_not_normalized_are_found(self) -> None:
        _, daemon = self.served()
        self.assertEqual(self.install(daemon.url, "Charset_Normalizer"), ["charset-normalizer"])

    def test_hashes_of_a_requirements_file_hold(self) -> None:
        mirror, daemon = self.served()
        file = [file for file in (mirror.page("idna") or {})["files"] if file["filename"].endswith(".whl")][-1]
        version = file["filename"].split("-")[1]
        listed = self.directory / "requirements.txt"
        listed.write_text(f"idna=={version} --hash=sha256:{file['hashes']['sha256']}\n")
        self.assertEqual(self.install(daemon.url, "--require-hashes", "-r", str(listed)), ["idna"])

    def test_a_yanked_release_is_not_chosen(self) -> None:
        master = self.master(projects=10, files=40)
        newest = master.event("new-release", "idna", version="55.0")
        self.assertTrue(newest["touched"])
        master.event("yank", "idna", version="55.0", reason="")
        for form in ("html", "json"):
            mirror = self.mirror(master.url, form, pages_formats=form)
            self.assert_done(mirror.sync())
            daemon = self.run_daemon(mirror, "serve")
            self.install(daemon.url, "idna", into=form)
            self.assertEqual(list((self.directory / form).glob("idna-55.0*")), [])


if __name__ == "__main__":
    main()
