#!/usr/bin/env python3
"""Signed pages (PEP 381): what `openssl` says of them, and what becomes of tampering, other keys and bad ones."""

import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path
from typing import Dict, List, Tuple

from compare import Terms
from world import DAEMON, Result, World, clean_environment, finished, main, until

OPENSSL = shutil.which("openssl", path=os.environ.get("PATH", "") + ":/usr/bin")


def openssl(*words: object) -> int:
    return subprocess.run([str(OPENSSL), *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True,
                          env=clean_environment(), check=False).returncode


def verify_page(*words: str) -> Result:
    return finished([str(DAEMON), "--config", "/dev/null", "verify-page", *words])


@unittest.skipUnless(OPENSSL, "openssl is needed (.ci/setup test)")
class Signatures(World):
    def setUp(self) -> None:
        super().setUp()
        self.started = self.master(projects=20, files=60)
        self.key = self.directory / "key"
        self.signed = self.mirror(self.started.url, signing_key=str(self.key))
        self.assert_done(self.signed.do("keygen"))

    def projects(self) -> List[str]:
        return sorted(path.name for path in (self.signed.web / "simple").iterdir() if path.is_dir())

    def signatures(self) -> Dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.signed.web / "serversig").iterdir()}

    def verified(self, project: str, keys: Path) -> Tuple[bool, bool]:
        """What the openssl command says of both signatures of a page, by the keys in this directory."""
        page = self.signed.web / "simple" / project / "index.html"
        signature = self.signed.web / "serversig" / project
        beside = signature.with_name(project + ".ed25519")
        return (openssl("dgst", "-sha1", "-verify", keys / "serverkey", "-signature", signature, page) == 0,
                openssl("pkeyutl", "-verify", "-pubin", "-inkey", keys / "serverkey.ed25519", "-rawin", "-in", page,
                        "-sigfile", beside) == 0)

    def assert_all_signed(self) -> None:
        """Every page, and nothing else."""
        projects = self.projects()
        self.assertEqual(sorted(self.signatures()), sorted(projects + [name + ".ed25519" for name in projects]))
        for project in projects:
            self.assertEqual(self.verified(project, self.signed.web), (True, True), project)
        self.assert_done(self.signed.do("verify"))

    def test_openssl_verifies_every_page(self) -> None:
        self.assert_done(self.signed.sync())
        self.assertGreater(len(self.projects()), 10)
        self.assert_all_signed()
        self.assertEqual((self.signed.web / "serverkey").read_bytes(), Path(f"{self.key}.pub").read_bytes())
        self.assertEqual(self.signed.staged(), [])
        self.assert_equal_trees(self.signed, self.started, Terms(signed=True))

    def test_the_commands_of_the_document_verify(self) -> None:
        self.assert_done(self.signed.sync())
        document = Path(__file__).resolve().parents[2] / "docs" / "signatures.md"
        shown = document.read_text(encoding="utf-8").split("## Verifying")[1]
        commands = [line.strip() for line in shown.splitlines() if line.startswith("    ")]
        self.assertGreater(len(commands), 8)
        server = self.run_daemon(self.signed, "serve").url
        elsewhere = self.directory / "elsewhere"
        elsewhere.mkdir()
        path = f"{DAEMON.parent}:{clean_environment()['PATH']}:/usr/bin"
        for command in commands:
            with self.subTest(command):
                done = subprocess.run(["sh", "-c", command.replace("https://mirror.example", server)], cwd=elsewhere,
                                      capture_output=True, env={**clean_environment(), "PATH": path}, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_keys_of_openssl_sign(self) -> None:
        for path in self.directory.glob("key*"):
            path.unlink()
        self.assertEqual(openssl("dsaparam", "-genkey", "-out", self.key, "2048"), 0)
        self.assertEqual(openssl("genpkey", "-algorithm", "ed25519", "-out", f"{self.key}.ed25519"), 0)
        for path in self.directory.glob("key*"):
            path.chmod(0o600)
        self.assert_done(self.signed.sync())
        self.assert_all_signed()

    def test_only_what_changed_is_signed_again(self) -> None:
        self.assert_done(self.signed.sync())
        before = self.signatures()
        changed = sorted(set(self.started.random(count=5, seed=3)))
        self.assert_done(self.signed.sync())
        after = self.signatures()
        differ = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        self.assertEqual(sorted(name for name in differ if "." not in name), changed)
        self.assert_all_signed()

    def test_what_is_tampered_with_is_found_and_mended(self) -> None:
        self.assert_done(self.signed.sync())
        page, other, missing = self.projects()[:3]
        keys = ["--key", f"{self.key}.pub"]
        server = self.run_daemon(self.signed, "serve")
        url = server.url + "/simple/%s/"
        for name in (page, other, missing):
            self.assert_done(verify_page(url % name, *keys))
        text = self.signed.web / "simple" / page / "index.html"
        altered = text.read_bytes().replace(b"<body>", b"<body><p>")
        text.unlink()
        text.write_bytes(altered)
        serversig = self.signed.web / "serversig"
        (serversig / other).write_bytes((serversig / page).read_bytes())
        (serversig / missing).unlink()
        self.assert_ends(verify_page(url % page, *keys), 1, f"/simple/{page}/: its DSA signature")
        self.assert_ends(verify_page(url % other, *keys), 1, f"/simple/{other}/: its DSA signature")
        self.assert_ends(verify_page(url % missing, *keys), 1, f"/serversig/{missing}: HTTP 404")
        told = self.signed.do("verify")
        self.assertEqual(told.status, 1)
        for line in (f"wrong_bytes web/simple/{page}/index.html: ", f"wrong_bytes web/serversig/{other}: ",
                     f"missing web/serversig/{missing}: "):
            self.assertIn(line, told.output)
        server.kill()
        self.assert_done(self.signed.do("verify", "--repair"))
        self.assert_all_signed()

    def test_a_page_of_a_stranger_is_checked_with_his_key(self) -> None:
        self.assert_done(self.signed.sync())
        url = self.run_daemon(self.signed, "serve").url + f"/simple/{self.projects()[0]}/"
        own = verify_page(url)
        self.assert_done(own)
        self.assertEqual(own.output.count("the key that the mirror itself shows"), 2, own.output)
        self.assert_done(verify_page(url, "--key", f"{self.key}.ed25519.pub"))
        self.assert_done(self.signed.do("keygen", signing_key=str(self.directory / "another")))
        for suffix in (".pub", ".ed25519.pub"):
            self.assert_ends(verify_page(url, "--key", f"{self.directory}/another{suffix}"), 1, "signature is not one")
        self.assert_ends(verify_page(url, "--key", str(self.key)), 2, "it is a private key")
        self.assert_ends(verify_page(self.started.url + "/simple/x/"), 1, "/serverkey: HTTP 404")
        missing = verify_page(url.replace(self.projects()[0], "no-such-project"))
        self.assert_ends(missing, 1, "/simple/no-such-project/: HTTP 404")
        self.assertIn("there is nothing to check", missing.errors)
        self.assert_ends(verify_page(url.replace("/simple/", "/elsewhere/")), 2, "no URL of a project's page")

    def test_a_redirect_to_the_page_is_no_signature(self) -> None:
        name = self.started.names()[0]
        self.started.raw("/serverkey", Path(f"{self.key}.pub").read_bytes(), "text/plain")
        self.started.raw(f"/serversig/{name}", b"", status=302, header=[f"Location: /simple/{name}/"])
        self.assert_ends(verify_page(self.started.url + f"/simple/{name}/"), 1, f"/serversig/{name}: it redirects to")

    def test_no_failure_tells_a_password(self) -> None:
        legacy = self.master(projects=8, files=20, era="pep381")
        page = "/simple/idna/"
        url = legacy.url.replace("://", "://user:secret@") + page
        for target, body, cause in (("/serversig/idna", b"", "no DSA signature came"),
                                    ("/serversig/idna/", b"<html></html>", "no DSA signature came"),
                                    ("/serverkey", b"<html></html>", "no public key"),
                                    (page, b"<html></html>", "signature is not one of this page")):
            legacy.raw(target, body, "text/html")
            result = verify_page(url)
            self.assert_ends(result, 1, cause)
            self.assertNotIn("secret", result.errors)
            legacy.clear_raw()

    def test_another_key_signs_everything_again(self) -> None:
        self.assert_done(self.signed.sync())
        shutil.copytree(self.signed.web, self.directory / "old")
        self.signed.settings["signing.key"] = str(self.directory / "next")
        self.assert_done(self.signed.do("keygen"))
        self.assert_done(self.signed.sync())
        self.assert_all_signed()
        for project in self.projects():
            self.assertEqual(self.verified(project, self.directory / "old"), (False, False))
        self.signed.settings["signing.key"] = ""
        self.assert_done(self.signed.sync())
        self.assertEqual(self.signatures() if (self.signed.web / "serversig").exists() else {}, {})
        self.assertFalse((self.signed.web / "serverkey").exists())
        self.assertFalse((self.signed.web / "serverkey.ed25519").exists())
        self.assert_done(self.signed.do("verify"))

    def test_a_running_daemon_takes_another_key(self) -> None:
        self.assert_done(self.signed.sync())
        daemon = self.run_daemon(self.signed)
        daemon.line("started", "it runs")
        (self.directory / "next").mkdir()
        self.assert_done(self.signed.do("keygen", signing_key=str(self.directory / "next" / "key")))
        for name in ("key.ed25519", "key"):
            (self.directory / "next" / name).rename(self.directory / name)
        wanted = (self.directory / "next" / "key.pub").read_bytes()
        self.key.chmod(0o644)
        daemon.send(signal.SIGHUP)
        daemon.line("config_refused .*others may read", "a key that others may read is refused")
        self.key.chmod(0o600)
        daemon.send(signal.SIGHUP)
        until(lambda: (self.signed.web / "serverkey").exists()
              and (self.signed.web / "serverkey").read_bytes() == wanted, "the new key is shown")
        daemon.send(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)
        self.assert_all_signed()

    def test_bad_keys_are_mistakes_and_change_nothing(self) -> None:
        self.assert_done(self.signed.sync())
        before = self.signatures()
        self.key.chmod(0o644)
        for command in ("sync", "run", "check-config"):
            self.assert_ends(self.signed.do(command), 2, f"signing.key: {self.key}: others may read")
        self.key.chmod(0o600)
        whole = self.key.read_bytes()
        for damage, cause in ((b"", "it is no private key"), (whole[:100], "it is no private key"),
                              (Path(f"{self.key}.ed25519").read_bytes(), "it is a key for Ed25519"),
                              (Path(f"{self.key}.pub").read_bytes(), "it is a public key")):
            self.key.write_bytes(damage)
            self.assert_ends(self.signed.sync(), 2, cause)
        self.key.unlink()
        self.assert_ends(self.signed.sync(), 2, "No such file or directory")
        self.assertEqual(self.signatures(), before)
        # Who needs no key is not kept from working.
        self.assert_done(self.signed.do("status"))
        self.assert_done(self.signed.do("verify"))

    def test_keygen_overwrites_nothing(self) -> None:
        before = {path.name: path.read_bytes() for path in self.directory.glob("key*")}
        self.assertEqual(sorted(before), ["key", "key.ed25519", "key.ed25519.pub", "key.pub"])
        self.assert_ends(self.signed.do("keygen"), 2, f"{self.key}: it is there already")
        (self.directory / "key.pub").unlink()
        self.assert_done(self.signed.do("keygen"))
        self.assertEqual({path.name: path.read_bytes() for path in self.directory.glob("key*")}, before)
        self.assert_ends(self.signed.do("keygen", signing_key=str(self.signed.web / "key")), 2, "published tree")


if __name__ == "__main__":
    main()
