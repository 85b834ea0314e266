"""The power goes at any time, on ext4 and xfs: what was not flushed is gone, or there without its content."""

import random
from pathlib import Path
from typing import Callable, Tuple

from calls import faulty
from disk import LOG_FLUSHED, LOG_LOST, LoopDisk, hindrance
from ground import Ground
from life import Life, ending, rounds
from table import Row
from world import Daemon

SIZES = {"ext4": 96 << 20, "xfs": 300 << 20}
CALLS = 900  # about as many as a pass makes
ROUNDS = 4


class Powered(Life):
    """On a disk of its own, with all of the mirror, or only the tree or only the state there."""

    def __init__(self, ground: Ground, row: Row, number: int, chance: random.Random, disk: LoopDisk) -> None:
        self.disk = disk
        on_disk, elsewhere = str(disk.place), str(ground.directory)
        where, state = chance.choice([(disk.kind, on_disk), (disk.kind, on_disk), (disk.kind, elsewhere),
                                      (".", on_disk)])
        self.state = f"{state}/apart.db"
        super().__init__(ground, row, number, chance, f"{where}/mirror", state_file=self.state)
        self.empty()

    def named(self, what: str) -> str:
        return f"{super().named(what)} (tree in {self.where}, state {self.state})"

    def empty(self) -> None:
        """For good, so that a cut does not bring back what was there."""
        for end in ("", "-wal", "-shm"):
            Path(self.state + end).unlink(missing_ok=True)
        super().empty()
        self.disk.flush()

    def cut(self) -> str:
        log = self.chance.choice([LOG_FLUSHED, LOG_LOST])
        self.disk.cut(log)
        self.row.cuts += 1
        return "a cut " + ("with" if log == LOG_FLUSHED else "without") + " the log"

    def at_work(self) -> str:
        """At any time in a pass."""
        return self.at_any_time(self.passing) + " at work"

    def in_run(self) -> str:
        """While the daemon follows events."""
        return self.at_any_time(self.following) + " in run"

    def at_any_time(self, begin: Callable[[], Daemon]) -> str:
        with self.reading("before a power cut"):
            process = begin()
        cut = self.cut()
        process.kill()
        return cut

    def at_a_call(self) -> str:
        """When a certain call is about to be made."""
        number = self.chance.randrange(1, CALLS)
        with self.reading("before a power cut"):
            _, call = faulty(self.ground, self.mirror, "kill", number, self.options)
        return f"{self.cut()} at call {number}, {call or 'after the end'}"


WAYS: Tuple[Callable[[Powered], str], ...] = (Powered.at_work, Powered.at_a_call, Powered.at_a_call, Powered.in_run)
BEFORE: Tuple[Callable[[Powered], None], ...] = (Powered.changed, Powered.changed, Powered.empty,
                                                 Powered.other_formats)


def survives(life: Powered, turn: int) -> bool:
    before = life.mirror.last_modified()
    way = life.chance.choice(WAYS)
    when = life.named(f"round {turn}, {way(life)}")
    life.disk.back()
    # In run the master changes before and after last-modified is written.
    return life.is_sound(when) and (way is Powered.in_run or life.is_not_ahead(before, when))


def live(life: Powered, turn: int) -> bool:
    """Cut off once or twice, then left to end."""
    life.chance.choice(BEFORE)(life)
    return all(survives(life, turn) for _ in range(life.chance.randrange(1, 3))) and \
        life.heals(life.named(f"round {turn}"))


def cuts(ground: Ground, kind: str, goal: int) -> None:
    chance = ground.chance(f"power {kind}")
    with ground.row("power", kind) as row, LoopDisk(ground.directory, kind, kind, SIZES[kind]) as disk:
        number = 0
        while row.cuts < goal:
            number += 1
            life = Powered(ground, row, number, chance, disk)
            with ending(life):
                rounds(lambda turn, it=life: live(it, turn), ROUNDS,  # type: ignore[misc]
                       lambda: row.cuts >= goal)


def power(ground: Ground) -> None:
    cause = hindrance("mkfs.ext4", "mkfs.xfs")
    if cause:
        ground.omit("power", cause)
        return
    for kind in SIZES:
        try:
            cuts(ground, kind, ground.share(6))
        except OSError as error:
            ground.omit(f"power: {kind}", str(error))
