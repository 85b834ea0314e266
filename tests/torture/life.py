"""A master, its mirror, and what happens to them, round by round."""

import random
import signal
import time
from contextlib import contextmanager
from typing import Callable, Iterator

from ground import Ground
from manners import MANNERS
from scenes import change, large_file
from table import Row
from trial import Trial
from world import Daemon

LONGEST = 0.2     # seconds that a pass goes on; about its length
SLOW = {"files_max_requests": "4"}


class Life(Trial):
    def __init__(self, ground: Ground, row: Row, number: int, chance: random.Random, where: str = "mirror",
                 **keys: str) -> None:
        self.chance = chance
        self.seed = ground.seed * 1000 + number
        self.where = where
        self.manner = chance.choice(MANNERS)
        self.keys = {**SLOW, **self.manner.keys(ground), **keys}
        master = self.manner.master(self.seed)
        # So that a pass takes long enough to be met half-way.
        master.fault("/packages/", "delay", 4, times=-1)
        host = large_file(master, self.seed) if self.manner.links_lead_elsewhere else None
        if host is not None:
            host.pause = 0.003
        super().__init__(ground, row, master, ground.mirror(master, where, **self.keys), terms=self.manner.terms,
                         host=host)

    def end(self) -> None:
        self.master.kill()
        if self.host is not None:
            self.host.kill()

    def named(self, what: str) -> str:
        return f"{what} of the master with seed {self.seed}, {self.manner.name}"

    # What may have changed since the last pass.

    def changed(self) -> None:
        change(self.master, self.chance.randrange(1 << 30))
        if self.terms.copied and self.chance.random() < 0.25:
            self.master.key("rotate")

    def empty(self) -> None:
        self.mirror = self.ground.mirror(self.master, self.where, **self.keys)

    def other_formats(self) -> None:
        formats = self.chance.choice(self.manner.formats)
        self.options = {"pages_formats": formats}
        self.terms = self.manner.terms_with(formats)

    # What is at work.

    def passing(self) -> Daemon:
        """A pass, after some time."""
        process = Daemon(self.mirror.command("sync", **self.options))
        time.sleep(self.chance.uniform(0.005, LONGEST))
        return process

    def following(self) -> Daemon:
        """A daemon that a stream of events keeps busy."""
        daemon = Daemon(self.mirror.command("run", master_poll_interval="1s", pages_root_interval="1s",
                                            deletes_grace="0s", log_level="info", **self.options))
        daemon.line("serving address|paused", "the daemon runs")
        for _ in range(self.chance.randrange(1, 6)):
            self.master.random(count=self.chance.randrange(1, 10), seed=self.chance.randrange(1 << 30))
            daemon.send(signal.SIGUSR1)
            time.sleep(self.chance.uniform(0, 0.1))
        return daemon


def rounds(live: Callable[[int], bool], most: int, enough: Callable[[], bool]) -> None:
    """Until one is not well, and no longer than need be: events make the master larger."""
    for turn in range(most):
        if not live(turn) or enough():
            return


@contextmanager
def ending(life: Life) -> Iterator[None]:
    try:
        yield
    finally:
        life.end()
