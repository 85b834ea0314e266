"""What lies on disk below a mirror's web/, read without the product: the walk, hashes and links of pages."""

import contextlib
import hashlib
import html.parser
import os
import re
import stat
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Tuple
from urllib.parse import unquote

SERIAL_COMMENT = re.compile(r"</html>\s*<!--SERIAL (\d+)-->\s*\Z")


@dataclass(frozen=True)
class Entry:
    """One file or directory: what `lstat` says of it."""

    is_directory: bool
    is_regular: bool
    mode: int
    size: int
    inode: int


def walk(root: Path) -> Dict[str, Entry]:
    """Everything below `root` by its path relative to it; what goes away meanwhile is not there."""
    found: Dict[str, Entry] = {}
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with contextlib.suppress(FileNotFoundError), os.scandir(root / prefix) as entries:
            for entry in entries:
                path = prefix + entry.name
                try:
                    about = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                found[path] = Entry(stat.S_ISDIR(about.st_mode), stat.S_ISREG(about.st_mode),
                                    stat.S_IMODE(about.st_mode), about.st_size, about.st_ino)
                if stat.S_ISDIR(about.st_mode):
                    waiting.append(path + "/")
    return found


def digest_of(path: Path, algorithm: str = "sha256") -> Optional[str]:
    """The file's digest in hexadecimal; nothing where there is no such file."""
    digest = hashlib.new(algorithm)
    try:
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return digest.hexdigest()


def digests_of(root: Path, paths: Iterable[str]) -> Dict[str, Optional[str]]:
    """sha256 of many files; hashing releases the interpreter's lock, so threads pay off."""
    wanted = list(paths)
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(wanted, pool.map(lambda path: digest_of(root / path), wanted, chunksize=64)))


def snapshot(root: Path) -> Dict[str, Optional[str]]:
    """Every file below `root` with its sha256: two snapshots are equal where nothing changed."""
    return digests_of(root, (path for path, entry in walk(root).items() if entry.is_regular))


@dataclass
class HtmlPage:
    """What a reader of a simple page sees."""

    metas: List[Dict[str, Optional[str]]] = field(default_factory=list)
    anchors: List[Tuple[Dict[str, Optional[str]], str]] = field(default_factory=list)
    title: str = ""
    serial: Optional[int] = None


class PageParser(html.parser.HTMLParser):
    """As pip reads it; a bare attribute has no value and stays None."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = HtmlPage()
        self.open_tag = ""

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.open_tag = tag
        if tag == "meta":
            self.page.metas.append(dict(attrs))
        if tag == "a":
            self.page.anchors.append((dict(attrs), ""))

    def handle_startendtag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open_tag = ""

    def handle_endtag(self, tag: str) -> None:
        self.open_tag = ""

    def handle_data(self, data: str) -> None:
        if self.open_tag == "a":
            attributes, text = self.page.anchors[-1]
            self.page.anchors[-1] = (attributes, text + data)
        if self.open_tag == "title":
            self.page.title += data


def read_html(text: str) -> HtmlPage:
    """The page as a browser's parser takes it."""
    parser = PageParser()
    parser.feed(text)
    parser.close()
    serial = SERIAL_COMMENT.search(text)
    parser.page.serial = int(serial.group(1)) if serial else None
    return parser.page


def read_xml(text: str) -> HtmlPage:
    """The page as pep381client's parser takes it; raises ParseError where it is not well-formed."""
    root = xml.etree.ElementTree.fromstring(text)
    page = HtmlPage()
    page.metas = [dict(meta.attrib) for meta in root.iter("meta")]
    page.anchors = [(dict(a.attrib), "".join(a.itertext())) for a in root.iter("a")]
    page.title = "".join("".join(title.itertext()) for title in root.iter("title"))
    return page


def normalized(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def path_below_packages(url_path: str) -> Optional[str]:
    """`packages/...` out of a file's URL path (or a page's relative link), as it lies on disk."""
    at = url_path.find("/packages/")
    return unquote(url_path[at + 1:]) if at >= 0 else None
