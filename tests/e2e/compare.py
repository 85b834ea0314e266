#!/usr/bin/env python3
"""Compares a mirror's tree with its master over HTTP; it shares no code with the product.

    compare.py MASTER_URL MIRROR_DIRECTORY

prints each difference on a line of its own and ends with 1 where there is any. Both sides must be at rest.
"""

import argparse
import http.client
import json
import re
import sys
import threading
import xml.etree.ElementTree
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Collection, Dict, List, Optional, Tuple
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))
from tree import (Entry, HtmlPage, digests_of, normalized, path_below_packages, read_html,  # noqa: E402
                  read_xml, walk)

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HASHES_IN_ORDER = ("sha256", "sha512", "sha384", "blake2b", "md5")  # those that every client reads
ANCHOR_KEYS = {"data-requires-python", "data-yanked", "data-core-metadata",
               "data-dist-info-metadata", "data-provenance"}


@dataclass(frozen=True)
class Terms:
    """How the mirror was told to look."""

    html: bool = True
    json: bool = True
    files: bool = True                          # False: links to the master's own files
    metadata: bool = True
    signed: bool = False                        # whether the signatures are right is not looked at
    copied: bool = False                        # see copies.py
    projects: Optional[Collection[str]] = None  # normalized names that it is to carry; None: all
    without: Collection[str] = ()               # names of files that cannot be had


@dataclass
class Wanted:
    """One file that the mirror must hold below web/."""

    sha256: Optional[str] = None
    size: Optional[int] = None


@dataclass
class Project:
    """What the master says of one project."""

    name: str
    page: Optional[Dict[str, Any]]  # None: 404
    html: HtmlPage = field(default_factory=HtmlPage)

    @property
    def quarantined(self) -> bool:
        status = (self.page or {}).get("project-status") or {}
        return isinstance(status, dict) and status.get("status") == "quarantined"


class Master:
    """Reads a master over connections that stay open, one for each thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.secure = parts.scheme == "https"
        self.host = parts.netloc
        self.prefix = parts.path.rstrip("/")
        self.own = threading.local()
        self.opened: List[http.client.HTTPConnection] = []

    def close(self) -> None:
        for connection in self.opened:
            connection.close()

    def connection(self) -> http.client.HTTPConnection:
        if not hasattr(self.own, "connection"):
            kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
            self.own.connection = kind(self.host, timeout=60)
            self.opened.append(self.own.connection)
        return self.own.connection

    def get(self, path: str, accept: str) -> Tuple[int, bytes]:
        connection = self.connection()
        connection.request("GET", self.prefix + path, headers={
            "Accept": accept, "User-Agent": "pep381d-compare (tests of a mirror)"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def root(self) -> Dict[str, Any]:
        return json.loads(self.get("/simple/", JSON_TYPE)[1])

    def all_names(self) -> List[str]:
        """Normalized names of all projects, those in quarantine too, which the root does not list."""
        with xmlrpc.client.ServerProxy(self.url + "/pypi") as server:
            listed = server.list_packages_with_serial()
        return sorted({normalized(name) for name in listed})  # type: ignore[union-attr]

    def project(self, name: str) -> Project:
        status, body = self.get(f"/simple/{name}/", JSON_TYPE)
        if status == 404:
            return Project(name, None)
        html = self.get(f"/simple/{name}/", "text/html")[1].decode()
        return Project(name, json.loads(body), read_html(html))


def same(ours: Any, theirs: Any) -> bool:
    """Equal in value and in type, all the way down: 1 is neither true nor 1.0."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs


def short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "..."


def hash_to_show(file: Dict[str, Any]) -> str:
    for algorithm in HASHES_IN_ORDER:
        if algorithm in file["hashes"]:
            return f"{algorithm}={file['hashes'][algorithm]}"
    return ""


def path_of(file: Dict[str, Any]) -> Optional[str]:
    """Where design.md 1.3 puts a file, below web/."""
    path = path_below_packages(urlsplit(file["url"]).path)
    digest = file["hashes"].get("sha256")
    if path is None and digest:
        path = f"packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{file['filename']}"
    return path


def carries_metadata(file: Dict[str, Any], terms: Terms) -> bool:
    return terms.metadata and bool(file.get("core-metadata"))


def expected_file(file: Dict[str, Any], terms: Terms) -> Dict[str, Any]:
    """The file's entry as the mirror's JSON page must have it, its `url` aside."""
    entry = {key: value for key, value in file.items() if key not in ("data-dist-info-metadata", "url")}
    if "core-metadata" in entry and not carries_metadata(file, terms):
        entry["core-metadata"] = False
    return entry


def expected_attributes(file: Dict[str, Any], terms: Terms) -> Dict[str, Optional[str]]:
    """The attributes of the file's anchor, its `href` aside."""
    wanted: Dict[str, Optional[str]] = {}
    if file.get("requires-python"):
        wanted["data-requires-python"] = file["requires-python"]
    yanked = file.get("yanked", False)
    if yanked:
        wanted["data-yanked"] = yanked if isinstance(yanked, str) else ""
    if carries_metadata(file, terms):
        core = file["core-metadata"]
        shown = "sha256=" + core["sha256"] if isinstance(core, dict) and "sha256" in core else "true"
        wanted["data-core-metadata"] = wanted["data-dist-info-metadata"] = shown
    if (file.get("provenance") or "").startswith("https:"):  # PEP 740: nothing else is valid there
        wanted["data-provenance"] = file["provenance"]
    return wanted


class Comparison:
    """Collects differences between one mirror and one master."""

    def __init__(self, web: Path, terms: Terms) -> None:
        self.web = web
        self.terms = terms
        self.found: List[str] = []
        self.disk: Dict[str, Entry] = walk(web) if web.is_dir() else {}
        self.files: Dict[str, Wanted] = {}  # below packages/
        self.pages: Dict[str, None] = {}    # directories and files below simple/, in order

    def differ(self, what: str) -> None:
        self.found.append(what)

    def read(self, path: str) -> Optional[str]:
        """A page's text; a difference where it is not there or is not UTF-8."""
        self.pages[path] = None
        if path not in self.disk or not self.disk[path].is_regular:
            self.differ(f"{path}: is not there")
            return None
        try:
            return (self.web / path).read_bytes().decode()
        except FileNotFoundError:
            self.differ(f"{path}: went away while it was compared")
            return None
        except UnicodeDecodeError as error:
            self.differ(f"{path}: is not UTF-8: {error}")
            return None

    def equal(self, where: str, ours: Any, theirs: Any) -> None:
        if not same(ours, theirs):
            self.differ(f"{where}: is {short(ours)}, must be {short(theirs)}")

    def equal_keys(self, where: str, ours: Dict[str, Any], theirs: Dict[str, Any]) -> None:
        for key in sorted(ours.keys() | theirs.keys()):
            if key not in ours:
                self.differ(f"{where}: {key} is missing")
            elif key not in theirs:
                self.differ(f"{where}: {key} must not be there")
            else:
                self.equal(f"{where}: {key}", ours[key], theirs[key])

    # Pages.

    def read_json_page(self, path: str) -> Optional[Dict[str, Any]]:
        text = self.read(path)
        if text is None:
            return None
        try:
            page = json.loads(text)
        except ValueError as error:
            self.differ(f"{path}: is not JSON: {error}")
            return None
        if not isinstance(page, dict):
            self.differ(f"{path}: is no object")
            return None
        return page

    def read_html_page(self, directory: str) -> Optional[HtmlPage]:
        path = directory + "index.html"
        linked = directory + "index.v1_html"
        text = self.read(path)
        self.pages[linked] = None
        if text is None:
            return None
        if linked not in self.disk or self.disk[linked].inode != self.disk[path].inode:
            self.differ(f"{linked}: is no hard link of index.html")
        if not text.startswith("<!DOCTYPE html>"):
            self.differ(f"{path}: does not begin with <!DOCTYPE html>")
        page = read_html(text)
        try:
            strict = read_xml(text)
        except xml.etree.ElementTree.ParseError as error:
            self.differ(f"{path}: is no well-formed XML: {error}")
            return page
        if (page.anchors, page.metas, page.title) != (strict.anchors, strict.metas, strict.title):
            self.differ(f"{path}: reads differently as HTML and as XML")
        return page

    def metas(self, path: str, page: HtmlPage, wanted: Dict[str, str]) -> None:
        ours = {meta.get("name"): meta.get("content") for meta in page.metas if "name" in meta}
        self.equal(f"{path}: meta", ours, wanted)

    def href_matches(self, where: str, href: str, path: Optional[str], url: str, fragment: str) -> None:
        link, _, mark = href.partition("#")
        self.equal(f"{where}: fragment", mark, fragment)
        if not self.terms.files:
            self.equal(f"{where}: link", link, url)
        elif not link.startswith("../../packages/") or path_below_packages(link) != path:
            self.differ(f"{where}: link is {short(link)}, must lead to ../../{path}")

    def json_page(self, project: Project, files: List[Dict[str, Any]]) -> None:
        path = f"simple/{project.name}/index.v1_json"
        page = self.read_json_page(path)
        if page is None or project.page is None:
            return
        wanted = {key: value for key, value in project.page.items() if key != "files"}
        wanted["name"] = project.name
        self.equal(path, {key: value for key, value in page.items() if key != "files"}, wanted)
        entries = page.get("files")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self.differ(f"{path}: files is no list of objects")
            return
        self.equal(f"{path}: file names", [entry.get("filename") for entry in entries],
                   [file["filename"] for file in files])
        ours = {entry.get("filename"): entry for entry in entries}
        for file in files:
            if file["filename"] in ours:
                self.json_file(f"{path}: {file['filename']}", dict(ours[file["filename"]]), file)

    def json_file(self, where: str, entry: Dict[str, Any], file: Dict[str, Any]) -> None:
        self.href_matches(where, str(entry.pop("url", "")), path_of(file), file["url"], "")
        wanted = expected_file(file, self.terms)
        if "core-metadata" not in wanted and entry.get("core-metadata") is False:
            del entry["core-metadata"]  # said or not said, it is the same
        self.equal_keys(where, entry, wanted)

    def html_page(self, project: Project, files: List[Dict[str, Any]]) -> None:
        path = f"simple/{project.name}/index.html"
        page = self.read_html_page(f"simple/{project.name}/")
        if page is None or project.page is None:
            return
        wanted = {"pypi:repository-version": "1.4"}
        status = project.page.get("project-status", {})
        if "status" in status:
            wanted["pypi:project-status"] = status["status"]
        if status.get("reason"):
            wanted["pypi:project-status-reason"] = status["reason"]
        self.metas(path, page, wanted)
        self.equal(f"{path}: title", page.title, f"Links for {project.name}")
        self.equal(f"{path}: SERIAL", page.serial, project.page["meta"].get("_last-serial"))
        self.equal(f"{path}: anchors", [text for _, text in page.anchors],
                   [file["filename"] for file in files])
        ours = {text: attributes for attributes, text in page.anchors}
        for file in files:
            if file["filename"] in ours:
                self.anchor(f"{path}: {file['filename']}", dict(ours[file["filename"]]), file)
        self.same_as_their_html(path, ours, project)

    def anchor(self, where: str, attributes: Dict[str, Optional[str]], file: Dict[str, Any]) -> None:
        self.href_matches(where, attributes.pop("href", None) or "", path_of(file), file["url"],
                          hash_to_show(file))
        self.equal_keys(where, attributes, expected_attributes(file, self.terms))

    def same_as_their_html(self, path: str, ours: Dict[str, Dict[str, Optional[str]]],
                           project: Project) -> None:
        """What the master's own HTML says must survive too; it may list less than its JSON."""
        for attributes, text in project.html.anchors:
            if text in self.terms.without or text not in ours:
                continue
            for key in ANCHOR_KEYS & attributes.keys():
                if "metadata" in key and not self.terms.metadata:
                    continue
                if key == "data-provenance" and not (attributes[key] or "").startswith("https:"):
                    continue
                self.equal(f"{path}: {text}: {key}, beside the master's HTML", ours[text].get(key),
                           attributes[key])

    def project(self, project: Project) -> None:
        if project.page is None:
            return
        files = [file for file in project.page["files"] if file["filename"] not in self.terms.without]
        if project.quarantined:
            files = []
        if self.terms.json:
            self.json_page(project, files)
        if self.terms.html:
            self.html_page(project, files)
        self.pages[f"simple/{project.name}"] = None
        if self.terms.files:
            self.want_files(files)

    def want_files(self, files: List[Dict[str, Any]]) -> None:
        for file in files:
            path = path_of(file)
            if path is None:
                continue
            self.files[path] = Wanted(file["hashes"].get("sha256"), file.get("size"))
            if carries_metadata(file, self.terms):
                core = file["core-metadata"]
                self.files[path + ".metadata"] = Wanted(
                    core.get("sha256") if isinstance(core, dict) else None)

    # The root index.

    def root(self, root: Dict[str, Any], projects: Dict[str, Project]) -> None:
        listed = [entry for entry in root["projects"] if normalized(entry["name"]) in projects]
        if self.terms.json:
            page = self.read_json_page("simple/index.v1_json")
            if page is not None:
                self.root_json(page, root, listed)
        if self.terms.html:
            html = self.read_html_page("simple/")
            if html is not None:
                self.root_html(html, root, listed)

    def root_json(self, page: Dict[str, Any], root: Dict[str, Any], listed: List[Dict[str, Any]]) -> None:
        path = "simple/index.v1_json"
        meta = page.get("meta")
        if isinstance(meta, dict):
            self.root_serial(path, meta.get("_last-serial"), root["meta"]["_last-serial"], listed)
            meta = {**meta, "_last-serial": root["meta"]["_last-serial"]}
        self.equal(f"{path}: meta", meta, root["meta"])
        ours = page.get("projects")
        if not isinstance(ours, list) or not all(isinstance(one, dict) for one in ours):
            self.differ(f"{path}: projects is no list of objects")
            return
        self.in_order(path, [str(one.get("name")) for one in ours], [one["name"] for one in listed])
        by_name = {one.get("name"): one for one in ours}
        for one in listed:
            if one["name"] in by_name:
                self.equal(f"{path}: {one['name']}", by_name[one["name"]], one)

    def root_serial(self, path: str, ours: Any, theirs: int, listed: List[Dict[str, Any]]) -> None:
        """Ours may be of an earlier look, which found the same projects: events that change none move theirs."""
        least = max((one["_last-serial"] for one in listed), default=0)
        if type(ours) is not int or not least <= ours <= theirs:
            self.differ(f"{path}: serial is {short(ours)}, must be from {least} to {theirs}")

    def root_html(self, page: HtmlPage, root: Dict[str, Any], listed: List[Dict[str, Any]]) -> None:
        path = "simple/index.html"
        self.metas(path, page, {"pypi:repository-version": "1.4"})
        self.root_serial(path, page.serial, root["meta"]["_last-serial"], listed)
        self.in_order(path, [text for _, text in page.anchors], [one["name"] for one in listed])
        for attributes, text in page.anchors:
            self.equal(f"{path}: {text}", attributes, {"href": normalized(text) + "/"})

    def in_order(self, path: str, ours: List[str], theirs: List[str]) -> None:
        for name in sorted(set(theirs) - set(ours)):
            self.differ(f"{path}: {name} is missing")
        for name in sorted(set(ours) - set(theirs)):
            self.differ(f"{path}: {name} must not be listed")
        if sorted(ours) == sorted(theirs) and ours != theirs:
            self.differ(f"{path}: projects are not in order")
        elif len(ours) != len(set(ours)):
            self.differ(f"{path}: a project is listed twice")

    # The tree.

    def packages(self) -> None:
        present = [path for path in self.files if path in self.disk and self.disk[path].is_regular]
        digests = digests_of(self.web, present)
        for path, wanted in self.files.items():
            if path not in digests:
                self.differ(f"{path}: is not there")
                continue
            if wanted.size is not None:
                self.equal(f"{path}: size", self.disk[path].size, wanted.size)
            if wanted.sha256 is not None:
                self.equal(f"{path}: sha256", digests[path], wanted.sha256)

    def only_what_is_allowed(self) -> None:
        allowed = {"simple", "packages", "status", "status/index.html", "status/status.json", "status/changes",
                   "last-modified"} | self.pages.keys()
        if self.terms.signed:
            pages = {path.split("/")[1] for path in self.pages if path.count("/") == 2}
            signatures = {"serverkey", "serverkey.ed25519", "serversig"} | {
                f"serversig/{name}{suffix}" for name in pages for suffix in ("", ".ed25519")}
            for path in sorted(signatures - self.disk.keys()):
                self.differ(f"{path}: is not there")
            allowed |= signatures
        if self.terms.copied:
            allowed |= {"serversig"} | {path.replace("simple/", "serversig/") for path in self.pages}
        full = set()
        for path in self.disk:
            full.add(path.rpartition("/")[0])
        for path, entry in self.disk.items():
            inside = path.startswith("packages/")
            if entry.is_directory and path not in full and path != "packages":
                self.differ(f"{path}: is an empty directory")
            elif inside and entry.is_directory:
                continue
            elif inside and path not in self.files:
                self.differ(f"{path}: no page names it")
            elif not inside and path not in allowed:
                self.differ(f"{path}: must not be there")

    def permissions(self) -> None:
        for path, entry in self.disk.items():
            wanted = 0o755 if entry.is_directory else 0o644
            if entry.mode != wanted:
                self.differ(f"{path}: has mode {entry.mode:04o}, must have {wanted:04o}")
            if not entry.is_directory and not entry.is_regular:
                self.differ(f"{path}: is no regular file")

    def last_modified(self) -> None:
        text = self.read("last-modified")
        if text is not None and not re.fullmatch(r"\d{8}T\d\d:\d\d:\d\d\n", text):
            self.differ(f"last-modified: is {short(text)}")


def compare(master_url: str, directory: Path, terms: Terms = Terms()) -> List[str]:
    """All differences between the tree below `directory`/web and the master; none: they are equal."""
    master = Master(master_url)
    names = [name for name in master.all_names() if terms.projects is None or name in terms.projects]
    with ThreadPoolExecutor(6) as pool:
        projects = {project.name: project for project in pool.map(master.project, names)
                    if project.page is not None}
    comparison = Comparison(Path(directory) / "web", terms)
    for project in projects.values():
        comparison.project(project)
    comparison.root(master.root(), projects)
    master.close()
    comparison.packages()
    comparison.last_modified()
    comparison.only_what_is_allowed()
    comparison.permissions()
    return comparison.found


def main() -> int:
    parser = argparse.ArgumentParser(description="compares a mirror's tree with its master over HTTP")
    parser.add_argument("master", help="the master's base URL")
    parser.add_argument("directory", type=Path, help="mirror.directory, which holds web/")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="the projects that the mirror is to carry")
    parser.add_argument("--format", choices=("html", "json"), help="where pages.formats is one of them")
    options = parser.parse_args()
    only = None if options.only is None else {normalized(name) for name in options.only}
    terms = Terms(html=options.format != "json", json=options.format != "html", projects=only)
    found = compare(options.master, options.directory, terms)
    for difference in found:
        print(difference)
    print(f"{len(found)} differences" if found else "equal", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
