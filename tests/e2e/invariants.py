"""What holds for a tree at any moment, whatever was killed (design.md 2.1 and 2.2); read without the master."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Dict, List, Optional, Set, Tuple
from urllib.parse import unquote

from tree import digest_of, normalized, read_html

# path below web/ -> `sha256=` and hexadecimal, or another algorithm; empty: the page names none
Links = Dict[str, Optional[str]]


def hashed(path: Path, like: Optional[str]) -> Optional[str]:
    """The file's digest by the same algorithm, in the same form; nothing where there is no such file."""
    if like == "":
        return like if path.is_file() else None
    algorithm = (like or "").partition("=")[0]
    digest = digest_of(path, algorithm) if algorithm else None
    return f"{algorithm}={digest}" if digest else None


def is_whole_html(text: str) -> bool:
    """Ours end in a comment; masters of PEP 381 know neither that nor a document type."""
    return text.rstrip().endswith("-->" if text.startswith("<!DOCTYPE html>") else "</html>")


def links_of_json(text: str) -> Links:
    links: Links = {}
    for file in json.loads(text)["files"]:
        path = unquote(file["url"][len("../../"):])
        hashes = file["hashes"]
        algorithm = "sha256" if "sha256" in hashes else next(iter(hashes), "")
        links[path] = f"{algorithm}={hashes[algorithm]}" if algorithm else ""
        core = file.get("core-metadata")
        if core:
            links[path + ".metadata"] = "" if core is True else "sha256=" + core["sha256"]
    return links


def links_of_html(text: str) -> Links:
    links: Links = {}
    for attributes, _ in read_html(text).anchors:
        link, _, fragment = (attributes["href"] or "").partition("#")
        if not link.startswith("../../"):
            continue  # a copied page may lead to home pages
        path = unquote(link[len("../../"):])
        links[path] = fragment
        core = attributes.get("data-core-metadata")
        if core:
            links[path + ".metadata"] = "" if core == "true" else core
    return links


def pages(web: Path) -> Tuple[Set[Tuple[str, Optional[str]]], List[str]]:
    """All links of all pages, and what is wrong with the pages themselves. Two may name one path."""
    links: Set[Tuple[str, Optional[str]]] = set()
    wrong: List[str] = []
    for path in sorted((web / "simple").glob("*/index.*")):
        try:
            text = path.read_text()
            found = links_of_json(text) if path.suffix == ".v1_json" else links_of_html(text)
        except (ValueError, KeyError, TypeError) as error:
            wrong.append(f"{path.relative_to(web)}: cannot be read: {error!r}")
            continue
        if path.suffix != ".v1_json" and not is_whole_html(text):
            wrong.append(f"{path.relative_to(web)}: is cut short")
        links.update(found.items())
    return links, wrong


def root_names(web: Path) -> List[Tuple[str, str]]:
    """Each project that a root index leads to, and the name of the page of the same format."""
    names: List[Tuple[str, str]] = []
    html, structured = web / "simple/index.html", web / "simple/index.v1_json"
    if html.exists():
        names += [((attributes["href"] or "").rstrip("/"), html.name)
                  for attributes, _ in read_html(html.read_text()).anchors]
    if structured.exists():
        names += [(normalized(entry["name"]), structured.name)
                  for entry in json.loads(structured.read_text())["projects"]]
    return names


def broken(web: Path) -> List[str]:
    """Every link that does not lead to a whole file, and every listed project without its page."""
    if not web.is_dir():
        return []
    links, wrong = pages(web)
    with ThreadPoolExecutor(4) as pool:  # hashing releases the interpreter's lock
        digests = pool.map(lambda link: hashed(web / link[0], link[1]), links, chunksize=64)
        wrong += [f"{path}: a page links to it, and it is not whole" for (path, digest), found
                  in zip(links, digests) if found is None or found != digest]
    try:
        wrong += [f"the root lists {name}, which has no {page}" for name, page in root_names(web)
                  if not (web / "simple" / name / page).is_file()]
    except (ValueError, KeyError, TypeError) as error:
        wrong.append(f"simple/: the root cannot be read: {error!r}")
    stamp = web / "last-modified"
    if stamp.exists() and not re.fullmatch(r"\d{8}T\d\d:\d\d:\d\d\n", stamp.read_text()):
        wrong.append(f"last-modified is {stamp.read_text()!r}")
    return wrong
