"""`run` on a disk that fills up: it pauses, says so, and goes on by itself when there is room."""

import signal
from typing import List

from checks import after
from disk import hindrance
from full import KINDS, NEEDS, Cramped, Kind, cramped
from ground import Ground
from kills import follow
from world import DAEMON, finished, until


def waits(life: Cramped, when: str) -> bool:
    """One episode. True: something is wrong."""
    life.row.full += 1
    with life.ground.reading(life.row, life.mirror, when):
        daemon = follow(life)
        try:
            daemon.line(r"\bpaused\b", "it says that it pauses")
            wrong = after(life.ground, life.row, life.mirror, when)
            life.changed()
            life.ballast.away()
            until(lambda: life.mirror.last_modified() and not life.mirror.compare(life.master, life.terms),
                  "it goes on by itself")
            daemon.send(signal.SIGTERM)
            ended = daemon.wait()
        except AssertionError as error:
            return life.ground.violated(life.row, when, [str(error)], life.mirror.directory)
        finally:
            daemon.kill()
    found: List[str] = [] if ended == 0 else [f"it ended with {ended}: {daemon.err.lines[-3:]}"]
    return life.ground.violated(life.row, when, found, life.mirror.directory) or wrong


def episodes(ground: Ground, kind: Kind, goal: int) -> None:
    with ground.row("waits", kind.name) as row:
        for number in range(goal):
            with cramped(ground, row, kind, number) as life:
                when = life.named(life.fill(most=0.3))
                if not waits(life, when):
                    life.heals(when)


def full_run(ground: Ground) -> None:
    cause = hindrance(*NEEDS)
    if not cause and "mirror.min-free" not in finished([str(DAEMON), "--help"]).output:
        cause = "this pep381d ends where the disk is full"
    if cause:
        ground.omit("waits", cause)
        return
    for kind in KINDS:
        episodes(ground, kind, ground.share(100))
