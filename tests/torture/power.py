"""The power goes at any time, on ext4 and xfs: what was not flushed is gone, or there without its content."""

import random
import time
from pathlib import Path
from typing import Callable, Tuple

from calls import faulty
from checks import after, stamped
from disk import LOG_FLUSHED, LOG_LOST, LoopDisk, hindrance
from ground import Ground
from kills import LONGEST, Life, follow
from table import Row
from world import Daemon

SIZES = {"ext4": 96 << 20, "xfs": 300 << 20}
ROUNDS = 4


class Powered(Life):
    """A life on a disk of its own, or with only the tree or only the state there."""

    def __init__(self, ground: Ground, row: Row, number: int, chance: random.Random, disk: LoopDisk) -> None:
        self.disk = disk
        on_disk, elsewhere = str(disk.place), str(ground.directory)
        where, state = chance.choice([(disk.kind, on_disk), (disk.kind, on_disk), (disk.kind, elsewhere),
                                      (".", on_disk)])
        self.state = f"{state}/apart.db"
        super().__init__(ground, row, number, chance, f"{where}/mirror", state_file=self.state)

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
        return "with" if log == LOG_FLUSHED else "without"

    def at_work(self) -> str:
        """At any time in a pass."""
        with self.ground.reading(self.row, self.mirror, "before a power cut"):
            process = Daemon(self.mirror.command("sync", **self.options))
            time.sleep(self.chance.uniform(0.005, LONGEST))
        log = self.cut()
        process.kill()
        return f"a cut {log} the log"

    def at_a_call(self) -> str:
        """When a certain call is about to be made."""
        number = self.chance.randrange(1, 900)
        with self.ground.reading(self.row, self.mirror, "before a power cut"):
            _, call = faulty(self.ground, self.mirror, "kill", number, self.options)
        return f"a cut {self.cut()} the log at call {number}, {call or 'after the end'}"

    def in_run(self) -> str:
        """While the daemon follows events."""
        with self.ground.reading(self.row, self.mirror, "before a power cut"):
            daemon = follow(self)
        log = self.cut()
        daemon.kill()
        return f"a cut {log} the log, in run"


WAYS: Tuple[Callable[[Powered], str], ...] = (Powered.at_work, Powered.at_a_call, Powered.at_a_call, Powered.in_run)
BEFORE: Tuple[Callable[[Powered], None], ...] = (Powered.changed, Powered.changed, Powered.empty,
                                                 Powered.other_formats)


def live(life: Powered, goal: int) -> None:
    for turn in range(ROUNDS):
        life.chance.choice(BEFORE)(life)
        for _ in range(life.chance.randrange(1, 3)):
            before = life.mirror.last_modified()
            way = life.chance.choice(WAYS)
            when = life.named(f"round {turn}, {way(life)}")
            life.disk.back()
            if after(life.ground, life.row, life.mirror, when) or way is not Powered.in_run and stamped(
                    life.ground, life.row, life.mirror, life.master, before, when, life.terms):
                return
        if life.heals(when) or life.row.cuts >= goal:
            return


def cuts(ground: Ground, kind: str, goal: int) -> None:
    chance = ground.chance(f"power {kind}")
    with ground.row("power", kind) as row, LoopDisk(ground.directory, kind, kind, SIZES[kind]) as disk:
        number = 0
        while row.cuts < goal:
            number += 1
            life = Powered(ground, row, number, chance, disk)
            try:
                live(life, goal)
            finally:
                life.end()


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
