#!/usr/bin/env python3
"""The comparison finds each way in which a tree can be wrong."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

from compare import compare
from world import Mirror, SampleMaster, World, main

Damage = Callable[[Path], object]


def edit(path: Path, old: str, new: str) -> None:
    """Changes text in a page, under the same inode, so that hard links stay."""
    text = path.read_text()
    assert old in text, f"{path} has no {old}"
    path.write_text(text.replace(old, new, 1))


def edit_json(path: Path, change: Callable[[Dict[str, Any]], object]) -> None:
    page = json.loads(path.read_text())
    change(page)
    path.write_text(json.dumps(page, ensure_ascii=False))


def first_file(web: Path, project: str, ending: str) -> Path:
    page = json.loads((web / f"simple/{project}/index.v1_json").read_text())
    url = next(file["url"] for file in page["files"] if file["url"].endswith(ending))
    return web / url[len("../../"):]


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def unlink_and_copy(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o644)


JSON, HTML = "simple/idna/index.v1_json", "simple/idna/index.html"

# (what is done to the tree, a word of the difference that must be found)
DAMAGES: List[Tuple[str, Damage, str]] = [
    ("a byte of a file", lambda web: flip_a_byte(first_file(web, "idna", ".whl")), "sha256"),
    ("a file cut short", lambda web: os.truncate(first_file(web, "idna", ".whl"), 10), "size"),
    ("a missing file", lambda web: first_file(web, "idna", ".tar.gz").unlink(), "is not there"),
    ("a byte of a .metadata",
     lambda web: flip_a_byte(Path(str(first_file(web, "idna", ".whl")) + ".metadata")), "sha256"),
    ("a missing .metadata",
     lambda web: Path(str(first_file(web, "idna", ".whl")) + ".metadata").unlink(), "is not there"),
    ("a file that no page names",
     lambda web: (first_file(web, "idna", ".whl").parent / "more.whl").write_bytes(b"x"), "no page names it"),
    ("a .metadata of an sdist",
     lambda web: Path(str(first_file(web, "idna", ".tar.gz")) + ".metadata").write_bytes(b"x"), "no page names"),
    ("an empty directory", lambda web: (web / "packages/zz").mkdir(), "empty directory"),
    ("a stray file at the top", lambda web: (web / "state.db").write_bytes(b""), "must not be there"),
    ("a stray file in a page's directory",
     lambda web: (web / "simple/idna/index.json").write_bytes(b""), "must not be there"),
    ("a page of a project that is not",
     lambda web: subprocess.run(["cp", "-a", "idna", "idna2"], cwd=web / "simple", check=True),
     "idna2: must not be there"),
    ("a page that is missing",
     lambda web: (web / JSON).unlink(), "is not there"),
    ("a page that is no JSON", lambda web: os.truncate(web / JSON, 100), "is not JSON"),
    ("a page without one file",
     lambda web: edit_json(web / JSON, lambda page: page["files"].pop()), "file names"),
    ("a page without a version",
     lambda web: edit_json(web / JSON, lambda page: page["versions"].pop()), "index.v1_json"),
    ("a serial that is text",
     lambda web: edit_json(web / JSON, lambda page: page["meta"].update({"_last-serial": "1"})), "index.v1_json"),
    ("a size that is text",
     lambda web: edit_json(web / JSON, lambda page: page["files"][0].update(size="5")), "size"),
    ("a number for a truth value",
     lambda web: edit_json(web / JSON, lambda page: page["files"][0].update(yanked=0)), "yanked"),
    ("a key that is lost",
     lambda web: edit_json(web / JSON, lambda page: page["files"][0].pop("upload-time")), "upload-time is missing"),
    ("PyPI's mistyped key", lambda web: edit_json(
        web / JSON, lambda page: page["files"][0].update({"data-dist-info-metadata": False})), "must not be there"),
    ("a link to the master", lambda web: edit_json(
        web / JSON, lambda page: page["files"][0].update(url="https://files.example/packages/a.whl")), "link is"),
    ("a link into another directory", lambda web: edit(web / JSON, "../../packages/", "../packages/"), "link is"),
    ("HTML that is no XML", lambda web: edit(web / HTML, "<br/>", "<br>"), "well-formed"),
    ("no doctype", lambda web: edit(web / HTML, "<!DOCTYPE html>\n", ""), "DOCTYPE"),
    ("a wrong fragment", lambda web: edit(web / HTML, "#sha256=", "#sha256=0"), "fragment"),
    ("no requires-python", lambda web: edit(web / HTML, ' data-requires-python="&gt;=3.7"', ""),
     "data-requires-python is missing"),
    ("a yank that nobody made", lambda web: edit(web / HTML, "<a ", '<a data-yanked="" '),
     "data-yanked must not be there"),
    ("no core-metadata", lambda web: edit(web / HTML, "data-core-metadata", "data-core-metadat"),
     "data-core-metadata is missing"),
    ("another text of an anchor", lambda web: edit(web / HTML, "</a>", " </a>"), "anchors"),
    ("another repository version",
     lambda web: edit(web / HTML, 'content="1.4"', 'content="1.5"'), "meta"),
    ("another status", lambda web: edit(web / HTML, 'content="active"', 'content="archived"'), "meta"),
    ("a serial comment of before", lambda web: edit(web / HTML, "<!--SERIAL ", "<!--SERIAL 1"), "SERIAL"),
    ("v1_html as a copy", lambda web: unlink_and_copy(web / "simple/idna/index.v1_html"), "hard link"),
    ("a name that the root lacks",
     lambda web: edit_json(web / "simple/index.v1_json", lambda page: page["projects"].pop(3)), "is missing"),
    ("a name too many in the root", lambda web: edit_json(
        web / "simple/index.v1_json",
        lambda page: page["projects"].append({"name": "zzz", "_last-serial": 1})), "zzz must not be listed"),
    ("a root out of order", lambda web: edit_json(
        web / "simple/index.v1_json", lambda page: page["projects"].reverse()), "not in order"),
    ("a root serial of a project", lambda web: edit_json(
        web / "simple/index.v1_json", lambda page: page["projects"][0].update({"_last-serial": 1})), '"_last-serial": 1'),
    ("a root with normalized text",
     lambda web: edit(web / "simple/index.html", ">Charset_Normalizer<", ">charset-normalizer<"), "must not be listed"),
    ("a root with absolute links",
     lambda web: edit(web / "simple/index.html", 'href="idna/"', 'href="/simple/idna/"'), "index.html: idna"),
    ("a file that only root reads", lambda web: (web / HTML).chmod(0o600), "mode 0600"),
    ("a directory that only root enters", lambda web: (web / "simple/idna").chmod(0o700), "mode 0700"),
    ("last-modified with a Z",
     lambda web: (web / "last-modified").write_text("20261121T21:15:47Z\n"), "last-modified"),
    ("no last-modified", lambda web: (web / "last-modified").unlink(), "last-modified"),
]


class Comparison(World):
    def test_every_damage_to_a_tree_is_found_and_an_undamaged_one_is_equal(self) -> None:
        master = self.master(projects=30, files=120)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        self.assertEqual(compare(master.url, mirror.directory), [])
        for number, (what, damage, word) in enumerate(DAMAGES):
            with self.subTest(what):
                copy = self.damaged(mirror, number, damage)
                self.assert_names(compare(master.url, copy), word)

    def test_a_page_that_offers_files_of_a_quarantined_project_is_found(self) -> None:
        master = self.master(projects=30, files=120)
        mirror = self.mirror(master.url)
        self.assert_done(mirror.sync())
        master.event("quarantine", "idna")
        found = compare(master.url, mirror.directory)
        self.assert_names(found, "no page names it")
        self.assert_names(found, "idna must not be listed")
        self.assert_names(found, "simple/idna/index.html: anchors")

    def test_each_change_at_the_master_is_a_difference(self) -> None:
        for action in ("role", "yank", "new-release", "remove-file", "remove-release", "archive", "remove-project"):
            with self.subTest(action):
                master, mirror = self.synced()
                self.assertEqual(compare(master.url, mirror.directory), [])
                master.event(action, "urllib3")
                self.assert_names(compare(master.url, mirror.directory), "urllib3")

    def synced(self) -> Tuple[SampleMaster, Mirror]:
        master = self.master(projects=5, files=20)
        mirror = self.mirror(master.url, f"m{os.urandom(4).hex()}")
        self.assert_done(mirror.sync())
        return master, mirror

    def damaged(self, mirror: Mirror, number: int, damage: Damage) -> Path:
        """A copy with its hard links, so that only the damage differs."""
        copy = self.directory / f"damaged-{number}"
        subprocess.run(["cp", "-a", str(mirror.directory), str(copy)], check=True)
        damage(copy / "web")
        return copy

    def assert_names(self, found: List[str], word: str) -> None:
        self.assertTrue(any(word in difference for difference in found), f"{word}: not in {found[:10]}")


if __name__ == "__main__":
    main()
