"""A disk that really fills up, in bytes and in inodes, and then gets room again."""

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, List

from disk import Disk, LoopDisk, MemoryDisk, hindrance
from ground import Ground
from life import Life, ending, rounds
from table import Row

PAGE = 4096
FULL = 5     # the exit status
ROUNDS = 6
NEEDS = ("mkfs.ext4", "mkfs.xfs", "fallocate")
MOST_BYTES, MOST_INODES = 4 << 20, 300  # what a pass over the small master needs, and some more


@dataclass
class Ballast:
    """What fills the disk up, beside the mirror, until it is taken away."""

    directory: Path

    def leave_bytes(self, room: int) -> None:
        free = os.statvfs(self.directory)
        size = max(0, free.f_bavail * free.f_frsize - room)
        subprocess.run(["fallocate", "-l", str(max(1, size)), str(self.directory / "bytes")], check=False,
                       capture_output=True)

    def leave_inodes(self, room: int) -> None:
        for number in range(max(0, os.statvfs(self.directory).f_favail - room)):
            (self.directory / str(number)).touch()

    def away(self) -> None:
        subprocess.run(["rm", "-rf", str(self.directory)], check=True)
        self.directory.mkdir()


@dataclass(frozen=True)
class Kind:
    name: str
    disk: Callable[[Path], Disk]
    inodes: bool


KINDS = (
    Kind("tmpfs, bytes", lambda place: MemoryDisk(place, "full", "size=16m"), False),
    Kind("tmpfs, inodes", lambda place: MemoryDisk(place, "full", "size=64m,nr_inodes=1500"), True),
    Kind("ext4, bytes", lambda place: LoopDisk(place, "full", "ext4", 24 << 20), False),
    Kind("ext4, inodes", lambda place: LoopDisk(place, "full", "ext4", 48 << 20, ["-N", "1500"]), True),
    Kind("xfs, bytes", lambda place: LoopDisk(place, "full", "xfs", 300 << 20), False),
)


class Cramped(Life):
    ballast: Ballast
    inodes: bool

    def fill(self, most: float = 1) -> str:
        """Leaves some room, at most that part of what a pass needs and some more."""
        if self.inodes:
            room = self.chance.randrange(int(MOST_INODES * most))
            self.ballast.leave_inodes(room)
            return f"{room} inodes left"
        room = self.chance.randrange(int(MOST_BYTES * most) // PAGE) * PAGE
        self.ballast.leave_bytes(room)
        return f"{room} bytes left"

    def passes(self, when: str) -> bool:
        """One while there is not enough room."""
        before = self.mirror.last_modified()
        with self.reading(when):
            result = self.mirror.sync(**self.options)
        self.row.full += result.status == FULL
        told = result.status != FULL or "space" in result.last_line or "full" in result.last_line
        return self.ended_well(result, when) and self.is_sound(when) and self.is_not_ahead(before, when) and self.well(
            when, [] if told else [f"it does not say that there is no room: {result.last_line}"])


BEFORE: List[Callable[[Cramped], None]] = [Cramped.changed, Cramped.empty, Cramped.other_formats]


def live(life: Cramped, turn: int) -> bool:
    life.chance.choice(BEFORE)(life)
    when = life.named(f"round {turn}, {life.fill()}")
    if not all(life.passes(when) for _ in range(life.chance.randrange(1, 3))):
        return False
    life.ballast.away()
    return life.heals(when)


@contextmanager
def cramped(ground: Ground, row: Row, kind: Kind, number: int) -> Iterator[Cramped]:
    """On a new disk."""
    with kind.disk(ground.directory) as disk:
        life = Cramped(ground, row, number, ground.chance(f"{row.label} {number}"), "full/mirror")
        life.inodes = kind.inodes
        life.ballast = Ballast(disk.place / "ballast")
        life.ballast.away()
        with ending(life):
            yield life


def episodes(ground: Ground, kind: Kind, goal: int) -> None:
    with ground.row("full", kind.name) as row:
        number = 0
        while row.full < goal:
            number += 1
            with cramped(ground, row, kind, number) as life:
                rounds(lambda turn, it=life: live(it, turn), ROUNDS,  # type: ignore[misc]
                       lambda: row.full >= goal)


def full(ground: Ground) -> None:
    cause = hindrance(*NEEDS)
    if cause:
        ground.omit("full", cause)
        return
    for kind in KINDS:
        try:
            episodes(ground, kind, ground.share(15))
        except OSError as error:
            ground.omit(f"full: {kind.name}", str(error))
