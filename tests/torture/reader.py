"""A reader of mirrors who trusts nobody: follows every link of every page, again and again, and hashes what comes.

A process of its own. On stdin: `read URL [ROUNDS]` begins, `stop` ends; then one JSON object on stdout says what was
found.
"""

import hashlib
import http.client
import itertools
import json
import select
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Set
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from invariants import is_whole_html, links_of_html, links_of_json  # noqa: E402
from tree import normalized, read_html  # noqa: E402

UNREADABLE = (ValueError, KeyError, TypeError)


class Stopped(Exception):
    """The word came to stop."""


class Reader:
    def __init__(self, url: str, all_around: bool) -> None:
        self.all_around = all_around  # before it stops
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        self.base = parts.path.rstrip("/") + "/"
        self.links = 0
        self.wrong: Set[str] = set()

    def get(self, path: str) -> Optional[bytes]:
        """What lies below web/ at `path`; nothing: 404. Any other answer is none: the disk is on its way out."""
        if not self.all_around and select.select([sys.stdin], [], [], 0)[0]:
            raise Stopped
        self.connection.request("GET", self.base + quote(path))
        answer = self.connection.getresponse()
        body = answer.read()  # raises where it is cut short
        if answer.status not in (200, 404):
            self.wrong.add(f"{path}: {answer.status}")
        return body if answer.status == 200 else None

    def look_around(self) -> None:
        for page in ("index.html", "index.v1_json"):
            for name in self.names(page) or []:
                self.follow(f"simple/{name}/{page}", name, page)

    def names(self, page: str) -> Optional[List[str]]:
        """Those that the root in this format lists; nothing: there is no such root."""
        root = self.get(f"simple/{page}")
        if root is None:
            return None
        try:
            if page.endswith("html"):
                text = whole_html(root)
                return [(attributes["href"] or "").rstrip("/") for attributes, _ in read_html(text).anchors]
            return [normalized(entry["name"]) for entry in json.loads(root)["projects"]]
        except UNREADABLE as error:
            self.wrong.add(f"simple/{page}: cannot be read: {error!r}")
            return None

    def links_of(self, path: str) -> Optional[Dict[str, Optional[str]]]:
        """The page's links; nothing: there is no such page."""
        page = self.get(path)
        if page is None:
            return None
        try:
            return links_of_html(whole_html(page)) if path.endswith("html") else links_of_json(page.decode())
        except UNREADABLE as error:
            self.wrong.add(f"{path}: cannot be read: {error!r}")
            return None

    def follow(self, path: str, name: str, page: str) -> None:
        links = self.links_of(path)
        if links is None:
            if self.stays(lambda: name in (self.names(page) or []), lambda: self.get(path) is not None):
                self.wrong.add(f"the root lists {name}, which has no {page}")
            return
        for link, digest in links.items():
            self.links += 1
            if not self.is_right(link, digest):
                if self.stays(lambda: (self.links_of(path) or {}).get(link) == digest,
                              lambda: self.is_right(link, digest)):
                    self.wrong.add(f"{path} links to {link}, which is not there, or not whole")

    def is_right(self, link: str, digest: Optional[str]) -> bool:
        body = self.get(link)
        algorithm, _, value = (digest or "").partition("=")
        return body is not None and hashlib.new(algorithm, body).hexdigest() == value

    def stays(self, named: Any, there: Any) -> bool:
        """A page that was read just before a removal names what is gone a moment later. So it is read again, twice:
        what is named before and after it was looked for in vain ought to be there."""
        return named() and not there() and named()


def whole_html(page: bytes) -> str:
    text = page.decode()
    if not is_whole_html(text):
        raise ValueError("cut short")
    return text


def read(url: str, rounds: Optional[int]) -> Dict[str, Any]:
    """Until anything comes on stdin, or so many times around."""
    reader = Reader(url, all_around=rounds is not None)
    try:
        for _ in itertools.count() if rounds is None else range(rounds):
            reader.look_around()
    except Stopped:
        pass
    except http.client.HTTPException as error:
        reader.wrong.add(f"an answer was cut short: {error!r}")
        select.select([sys.stdin], [], [])
    reader.connection.close()
    return {"links": reader.links, "wrong": sorted(reader.wrong)}


def main() -> None:
    # Not sys.stdin's own buffer, of which select knows nothing.
    order = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
    while True:
        words = order.readline().decode().split()
        if not words:
            return
        print(json.dumps(read(words[1], int(words[2]) if words[2:] else None)), flush=True)
        order.readline()


if __name__ == "__main__":
    main()
