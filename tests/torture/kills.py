"""SIGKILL at any time."""

import random
import signal
import time
from typing import Callable, Dict

from checks import after, heals, stamped
from compare import Terms
from ground import Ground
from scenes import change, large_file, small_master
from table import Row
from world import Daemon

ROUNDS = 8        # in the life of one master: events make it larger
LONGEST = 0.2     # seconds until the kill; about the length of a pass
SLOW = {"files_max_requests": "4"}


class Life:
    """A master, its mirror, and what is done to them."""

    def __init__(self, ground: Ground, row: Row, number: int, chance: random.Random, where: str = "mirror",
                 **keys: str) -> None:
        self.ground = ground
        self.row = row
        self.chance = chance
        self.seed = ground.seed * 1000 + number
        self.terms = Terms()
        self.options: Dict[str, str] = {}
        self.where = where
        self.keys = {**SLOW, **keys}
        self.master = small_master(self.seed)
        # So that a pass takes long enough to be killed half-way.
        self.master.fault("/packages/", "delay", 4, times=-1)
        self.host = large_file(self.master, self.seed)
        self.host.pause = 0.003
        self.empty()

    def end(self) -> None:
        self.master.kill()
        self.host.kill()

    def named(self, what: str) -> str:
        return f"{what} of the master with seed {self.seed}"

    def changed(self) -> None:
        change(self.master, self.chance.randrange(1 << 30))

    def empty(self) -> None:
        self.mirror = self.ground.mirror(self.master, self.where, **self.keys)

    def other_formats(self) -> None:
        formats = self.chance.choice(["html", "json", "html json"])
        self.options = {"pages_formats": formats}
        self.terms = Terms(html="html" in formats, json="json" in formats)

    def heals(self, when: str) -> bool:
        return heals(self.ground, self.row, self.mirror, self.master, when, self.terms, self.host, **self.options)

    def killed(self, when: str) -> bool:
        """One pass, killed. True: something is wrong."""
        before = self.mirror.last_modified()
        with self.ground.reading(self.row, self.mirror, when):
            process = Daemon(self.mirror.command("sync", **self.options))
            time.sleep(self.chance.uniform(0.005, LONGEST))
            if process.running():
                self.row.kills += 1
            process.kill()
        return after(self.ground, self.row, self.mirror, when) or stamped(
            self.ground, self.row, self.mirror, self.master, before, when, self.terms)


def passes(ground: Ground, what: str, prepare: Callable[[Life], None], goal: int) -> None:
    chance = ground.chance(f"kills {what}")
    with ground.row("kills", what) as row:
        number = 0
        while row.kills < goal:
            number += 1
            life = Life(ground, row, number, chance)
            try:
                live(life, prepare, goal)
            finally:
                life.end()


def live(life: Life, prepare: Callable[[Life], None], goal: int) -> None:
    for turn in range(ROUNDS):
        prepare(life)
        when = life.named(f"round {turn}")
        for _ in range(life.chance.randrange(1, 4)):
            if life.killed(when):
                return
        if life.heals(when) or life.row.kills >= goal:
            return


def daemons(ground: Ground, goal: int) -> None:
    chance = ground.chance("kills run")
    with ground.row("kills", "run, under a stream of events") as row:
        number = 0
        while row.kills < goal:
            number += 1
            life = Life(ground, row, number, chance)
            try:
                for turn in range(ROUNDS):
                    if killed_daemon(life, life.named(f"round {turn}")) or row.kills >= goal:
                        break
            finally:
                life.end()


def killed_daemon(life: Life, when: str) -> bool:
    with life.ground.reading(life.row, life.mirror, when):
        daemon = follow(life)
        if daemon.running():
            life.row.kills += 1
        daemon.kill()
    if after(life.ground, life.row, life.mirror, when):
        return True
    return life.chance.random() < 0.4 and life.heals(when)


def follow(life: Life) -> Daemon:
    """A daemon that a stream of events keeps busy."""
    daemon = Daemon(life.mirror.command("run", master_poll_interval="1s", pages_root_interval="1s",
                                        deletes_grace="0s", log_level="info", **life.options))
    daemon.line("serving address", "the daemon runs")
    for _ in range(life.chance.randrange(1, 6)):
        life.master.random(count=life.chance.randrange(1, 10), seed=life.chance.randrange(1 << 30))
        daemon.send(signal.SIGUSR1)
        time.sleep(life.chance.uniform(0, 0.1))
    return daemon


def kills(ground: Ground) -> None:
    goal = ground.share(4)
    passes(ground, "first pass", Life.empty, goal)
    passes(ground, "events", Life.changed, goal)
    passes(ground, "other formats", Life.other_formats, goal)
    daemons(ground, goal)
