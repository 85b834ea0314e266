"""Verifying: the mirror against itself, with a warm cache."""

import math
import os
import random
from pathlib import Path

from cost import Cost, command, measured, median
from index import Index, names
from passes import sample
from setting import Setting, made_up, quoted, served, warm

LOOK_PROJECTS, LOOK_FILES = 5_000, 20  # so many each
LOOK_MOST = 2.0  # seconds
# PyPI's files: 1.7 MB on average (20 million, 35 TB), and most of them far smaller.
REAL_FILES, REAL_MEDIAN, REAL_MEAN, REAL_MOST = 800, 60_000, 1_700_000, 60_000_000  # bytes


def verifying(setting: Setting) -> None:
    hashes(setting, sample(setting).parent)
    hashes(setting, real_sizes(setting))
    looks(setting)


def real_sizes(setting: Setting) -> Path:
    chance = random.Random(7)
    width = math.sqrt(2 * math.log(REAL_MEAN / REAL_MEDIAN))
    index = Index(setting.new("index"))
    for name in names(REAL_FILES, 7):
        index.add(name, 1, min(REAL_MOST, round(chance.lognormvariate(math.log(REAL_MEDIAN), width))))
    mirror = setting.new("mirror")
    setting.sync(served(setting, index), mirror)
    return mirror


def verify(setting: Setting, mirror: Path, *arguments: str) -> Cost:
    return measured(command(mirror, "http://127.0.0.1:1", "verify", *arguments, log_level="error"), setting.directory,
                    lambda: 0)


def hashes(setting: Setting, mirror: Path) -> None:
    """openssl compares with nothing, and knows of no stray. Given the list of the files, it has not to find them
    either, which is half of the work where they are small: that is shown, and what hashing alone takes verify; the
    goal is beside find(1)."""
    packages = mirror / "web" / "packages"
    files = [path for path in packages.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    wanted = setting.new("wanted")
    wanted.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in files))
    warm(mirror / "web")
    cores = os.cpu_count() or 1
    setting.table.heading(f"verify: {len(files):,} files and .metadata, {size / 1e6:.0f} MB")
    hashing = f"xargs -0 -n {-(-len(files) // (cores * 8))} -P {cores} openssl dgst -sha256"
    listed, found, ours, unhashed = setting.rounds(
        lambda: measured(["sh", "-c", f"{hashing} < {quoted(wanted)}"], setting.directory, lambda: 0),
        lambda: measured(["sh", "-c", f"find {quoted(packages)} -type f -print0 | {hashing}"], setting.directory,
                         lambda: 0),
        lambda: verify(setting, mirror),
        lambda: verify(setting, mirror, "--no-hash"))
    given = setting.table.line(f"openssl dgst -sha256, {cores} at a time", listed)
    base = setting.table.line("find, and the same", found)
    own = setting.table.line("pep381d verify", ours)
    setting.table.ratio(own, base)
    setting.table.note(f"{own.wall / given.wall:.2f} of the time of openssl that is given the list; "
                       f"hashing alone, which is verify less verify --no-hash: "
                       f"{(own.wall - median(unhashed).wall) / given.wall:.2f}")
    setting.table.goal(f"verify of files of {size / len(files) / 1000:,.0f} KB on average: wall, to find and openssl",
                       own.wall / base.wall, 1.0)


def looks(setting: Setting) -> None:
    master = served(setting, made_up(setting, names(LOOK_PROJECTS, 9), lambda _: LOOK_FILES))
    mirror = setting.new("mirror")
    setting.sync(master, mirror)
    verify(setting, mirror, "--no-hash")  # which warms the cache
    setting.table.heading(f"verify --no-hash: {LOOK_PROJECTS:,} projects, {LOOK_PROJECTS * LOOK_FILES:,} files")
    costs = setting.rounds(lambda: verify(setting, mirror, "--no-hash"))[0]
    setting.table.line("pep381d verify --no-hash", costs)
    setting.table.goal(f"verify --no-hash of {LOOK_PROJECTS * LOOK_FILES:,} files: wall", median(costs).wall, LOOK_MOST,
                       "s")
