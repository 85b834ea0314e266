"""Verifying: the mirror against itself, with a warm cache."""

import os
from pathlib import Path

from cost import Cost, command, measured, median
from index import names
from passes import sample
from setting import Setting, made_up, quoted, served, warm

LOOK_PROJECTS, LOOK_FILES = 5_000, 20  # so many each
LOOK_MOST = 2.0  # seconds


def verifying(setting: Setting) -> None:
    hashes(setting, sample(setting).parent)
    looks(setting)


def verify(setting: Setting, mirror: Path, *arguments: str) -> Cost:
    return measured(command(mirror, "http://127.0.0.1:1", "verify", *arguments, log_level="error"), setting.directory,
                    lambda: 0)


def hashes(setting: Setting, mirror: Path) -> None:
    """openssl is given the list of the files: it looks for nothing, and compares with nothing."""
    files = [path for path in (mirror / "web" / "packages").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    wanted = setting.new("wanted")
    wanted.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in files))
    warm(mirror / "web")
    cores = os.cpu_count() or 1
    setting.table.heading(f"verify: {len(files):,} files and .metadata, {size / 1e6:.0f} MB")
    each = -(-len(files) // (cores * 8))
    openssl, ours = setting.rounds(
        lambda: measured(["sh", "-c", f"xargs -0 -a {quoted(wanted)} -n {each} -P {cores} openssl dgst -sha256"],
                         setting.directory, lambda: 0),
        lambda: verify(setting, mirror))
    base = setting.table.line(f"openssl dgst -sha256, {cores} at a time", openssl)
    own = setting.table.line("pep381d verify", ours)
    setting.table.ratio(own, base)
    setting.table.goal("verify: wall, to openssl's over the same files", own.wall / base.wall, 1.0)


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
