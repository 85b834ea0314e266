"""A made-up index, written as the static files that nginx serves: quick to make, with true digests."""

import hashlib
import itertools
import json
import math
import random
import re
import time
from pathlib import Path
from typing import Any, Dict, List

ALL_NAMES = 886_000  # PyPI's in 2026, those without a release too
SYLLABLES = ("py ma lo ra ti ne ko ser ver dat ab il en ct or ap ut net sql web lib log kit flow bot tor api cli grid "
             "mesh node form task scan mod cal der pan flask tree ing ter con pro ver x z io ml ai").split()


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names(count: int, seed: int = 1) -> List[str]:
    """Names as projects write themselves, in no order; as long as PyPI's: 13 characters on average, one in a hundred
    has 40."""
    chance = random.Random(seed)
    pick = chance.random
    words = ["".join(chance.choices(SYLLABLES, k=1 + number % 2)) for number in range(20_000)]
    found: Dict[str, str] = {}
    while len(found) < count:
        target = min(60, chance.lognormvariate(math.log(7.0), 0.7))
        mark = "-" if pick() < 0.75 else "_"
        name = words[int(pick() * len(words))]
        while len(name) < target:
            name += mark + words[int(pick() * len(words))]
        if pick() < 0.06:
            name = name.title()
        if len(name) < 3 or normalized(name) in found:
            name += str(int(pick() * 1_000))
        found.setdefault(normalized(name), name)
    return list(found.values())


def sizes(count: int, total: int, seed: int = 1) -> List[int]:
    """How many files each project has: most have few, few have many, together about `total`."""
    chance = random.Random(seed)
    shares = [chance.lognormvariate(0, 1.3) for _ in range(count)]
    part = (total - count) / sum(shares)
    return [1 + round(share * part) for share in shares]


class Project:
    def __init__(self, display: str, serial: int) -> None:
        self.display = display
        self.name = normalized(display)
        self.serial = serial
        self.files: List[Dict[str, Any]] = []


class Index:
    """Below `web`: simple/NAME/index.v1_json and packages/, as our own tree has them."""

    def __init__(self, web: Path) -> None:
        self.web = web
        self.projects: Dict[str, Project] = {}
        self.serial = 1_000_000
        self.marks = itertools.count()
        web.mkdir(parents=True)

    def add(self, display: str, files: int, size: int) -> Project:
        self.serial += 1
        project = Project(display, self.serial)
        for _ in range(files):
            self.put_file(project, size)
        self.projects[project.name] = project
        self.put_page(project)
        return project

    def change(self, project: Project, size: int) -> Dict[str, Any]:
        """A release more; its entry on the page."""
        self.serial += 1
        project.serial = self.serial
        entry = self.put_file(project, size)
        self.put_page(project)
        return entry

    def put_file(self, project: Project, size: int) -> Dict[str, Any]:
        name = f"{project.name.replace('-', '_')}-1.{len(project.files)}.tar.gz"
        body = (f"{name} of {project.serial}\n".encode() * (size // len(name) + 1))[:size]
        place = hashlib.blake2b(f"{name} {next(self.marks)}".encode(), digest_size=32).hexdigest()
        entry = self.entry(name, place, hashlib.sha256(body).hexdigest(), size)
        path = self.web / entry["url"][1:]
        path.parent.mkdir(parents=True)
        path.write_bytes(body)
        project.files.append(entry)
        return entry

    def list_files(self, project: Project, count: int) -> None:
        """Files that stand on the page alone, every other a wheel with metadata."""
        chance = random.Random(project.serial)
        for number in range(count):
            stem = f"{project.name.replace('-', '_')}-{number // 20}.{number // 2 % 10}.0"
            name = stem + ("-py3-none-any.whl" if number % 2 else ".tar.gz")
            place, sha256, metadata = (chance.randbytes(32).hex() for _ in range(3))
            entry = self.entry(name, place, sha256, chance.randrange(1_000, 10**7))
            if number % 2:
                entry["core-metadata"] = entry["data-dist-info-metadata"] = {"sha256": metadata}
            project.files.append(entry)
        self.put_page(project)

    def entry(self, name: str, place: str, sha256: str, size: int) -> Dict[str, Any]:
        second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_700_000_000 + next(self.marks)))
        return {"core-metadata": False, "data-dist-info-metadata": False, "filename": name,
                "hashes": {"sha256": sha256}, "provenance": None, "requires-python": ">=3.8", "size": size,
                "upload-time": second + ".123456Z",
                "url": f"/packages/{place[:2]}/{place[2:4]}/{place[4:]}/{name}", "yanked": False}

    def put_page(self, project: Project) -> None:
        versions = [entry["filename"].split("-")[1].replace(".tar.gz", "") for entry in project.files]
        page = {"alternate-locations": [], "files": project.files,
                "meta": {"_last-serial": project.serial, "api-version": "1.4"}, "name": project.name,
                "project-status": {"status": "active"}, "versions": list(dict.fromkeys(versions))}
        path = self.web / "simple" / project.name / "index.v1_json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(page, separators=(",", ":")), encoding="utf-8")

    def move_files(self, files_url: str) -> None:
        """The pages name this host for the files that they have."""
        for project in self.projects.values():
            for entry in project.files:
                entry["url"] = files_url + entry["url"]
            self.put_page(project)
