"""What was fetched from the sample master, and whether it was needed (design.md 2.4)."""

from collections import Counter
from typing import Dict, List, Set

from compare import path_of
from invariants import hashed
from world import Mirror, SampleMaster

Counts = Dict[str, int]


def wanted_digests(master: SampleMaster) -> Dict[str, str]:
    """Path below web/ of every file that a mirror of this master needs -> `sha256=hex`."""
    wanted: Dict[str, str] = {}
    for name in master.names():
        for file in master.page(name)["files"]:
            path = path_of(file) or ""
            wanted[path] = "sha256=" + file["hashes"]["sha256"]
            if file["core-metadata"]:
                wanted[path + ".metadata"] = "sha256=" + file["core-metadata"]["sha256"]
    return wanted


def file_counts(master: SampleMaster) -> Counts:
    """How often each file was asked for, by its path below web/."""
    return {request[len("GET /"):]: count for request, count in master.settled_counts().items()
            if request.startswith("GET /packages/")}


def whole_files(mirror: Mirror, wanted: Dict[str, str]) -> Set[str]:
    """Those of the wanted files whose last byte is on disk, in the tree or in staging/."""
    staging = mirror.directory / "staging"
    files = [path for path in staging.rglob("*") if path.is_file()] if staging.exists() else []
    forms = {digest.partition("=")[0] + "=" for digest in wanted.values()}
    staged = {hashed(path, form) for path in files for form in forms}
    times = Counter(wanted.values())  # wheels of one release may share their .metadata: which one lies there?
    return {path for path, digest in wanted.items()
            if hashed(mirror.web / path, digest) == digest or (digest in staged and times[digest] == 1)}


def fetched_again(before: Counts, whole: Set[str], now: Counts) -> List[str]:
    """`whole` are the files that were complete when the counts were `before`."""
    return [path for path, count in now.items() if path in whole and count > before.get(path, 0)]
