"""What a mirror that copies pages (pages.mode = copy) must be beside its master of PEP 381: the master's own bytes, with
signatures of them by its key. It shares no code with the product."""

import http.client
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, List, Optional
from urllib.parse import urlsplit

from compare import Comparison, Terms, Wanted
from invariants import hashed, links_of_html
from tree import normalized, read_html

OPENSSL = shutil.which("openssl", path=os.environ.get("PATH", "") + ":/usr/bin") or "openssl"


class Master:
    def __init__(self, url: str) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)

    def get(self, path: str) -> Optional[bytes]:
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        return body if answer.status == 200 else None

    def pages(self) -> Dict[str, bytes]:
        """By normalized name."""
        root = read_html((self.get("/simple/") or b"").decode())
        found = {(anchor["href"] or "").rstrip("/") for anchor, _ in root.anchors}
        return {normalized(name): self.get(f"/simple/{name}/") or b"" for name in sorted(found)}


def wanted_digests(url: str) -> Dict[str, str]:
    """Path below web/ of every file that a mirror of this master needs -> `md5=hex`."""
    return {path: digest or "" for page in Master(url).pages().values()
            for path, digest in links_of_html(page.decode()).items()}


class Copies(Comparison):
    def __init__(self, web: Path, terms: Terms, key: Optional[bytes], scratch: Path) -> None:
        super().__init__(web, terms)
        self.key = scratch / "key" if key else None
        if self.key and key:
            self.key.write_bytes(key)

    def copy(self, name: str, page: bytes) -> None:
        path = f"simple/{name}/index.html"
        self.pages[f"simple/{name}"] = None
        if self.terms.json:
            self.read(f"simple/{name}/index.v1_json")
        text = self.read(path)
        self.pages[path.replace("index.html", "index.v1_html")] = None
        if text is None:
            return
        if text.encode() != page:
            self.differ(f"{path}: is not the master's page")
        if self.key and not self.is_signed(name, self.key):
            self.differ(f"serversig/{name}: is no signature of the page by the master's key")
        for link, digest in links_of_html(page.decode()).items():
            self.files[link] = Wanted()
            if hashed(self.web / link, digest) != digest:
                self.differ(f"{link}: is not there, or not whole")

    def is_signed(self, name: str, key: Path) -> bool:
        return subprocess.run(
            [OPENSSL, "dgst", "-sha1", "-verify", str(key), "-signature", str(self.web / "serversig" / name),
             str(self.web / "simple" / name / "index.html")],
            stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0

    def root_names(self, names: List[str]) -> None:
        page = self.read_html_page("simple/")
        if page is not None:
            self.in_order("simple/index.html", [(anchor["href"] or "").rstrip("/") for anchor, _ in page.anchors],
                          names)
        if self.terms.json:
            self.read_json_page("simple/index.v1_json")


def compare_copies(url: str, directory: Path, terms: Terms) -> List[str]:
    """All differences; none: the mirror is the master's copy. Both sides must be at rest."""
    master = Master(url)
    pages = master.pages()
    key = master.get("/serverkey")
    master.connection.close()
    with tempfile.TemporaryDirectory() as scratch:
        copies = Copies(directory / "web", terms, key, Path(scratch))
        for name, page in pages.items():
            copies.copy(name, page)
    copies.root_names(sorted(pages))
    copies.last_modified()
    copies.only_what_is_allowed()
    copies.permissions()
    return copies.found
