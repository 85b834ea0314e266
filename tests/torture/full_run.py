"""`run` on a disk that fills up: it pauses, says so, and goes on by itself when there is room."""

import signal

from disk import hindrance
from full import KINDS, NEEDS, Cramped, Kind, cramped
from ground import Ground, knows
from world import until

LOOKS = 60.0  # seconds: the daemon looks at least so often whether there is room


def waits(life: Cramped, when: str) -> bool:
    """One episode."""
    life.row.full += 1
    with life.reading(when):
        daemon = life.following()
        try:
            daemon.line(r"\bpaused\b", "it says that it pauses")
            well = life.is_sound(when)
            life.changed()
            life.ballast.away()
            until(lambda: life.mirror.last_modified() and not life.differences(), "it goes on by itself",
                  3 * LOOKS)
            daemon.send(signal.SIGTERM)
            status = daemon.wait()
        except AssertionError as error:
            return life.well(when, [str(error), *life.differences()[:2], *daemon.err.lines[-2:]])
        finally:
            daemon.kill()
    return life.well(when, [f"it ended with {status}: {daemon.err.lines[-3:]}"] if status else []) and well


def episodes(ground: Ground, kind: Kind, goal: int) -> None:
    with ground.row("waits", kind.name) as row:
        for number in range(goal):
            with cramped(ground, row, kind, number) as life:
                when = life.named(life.fill(most=0.3))
                if waits(life, when):
                    life.heals(when)


def full_run(ground: Ground) -> None:
    cause = hindrance(*NEEDS)
    if not cause and not knows("--mirror.min-free "):
        cause = "this pep381d ends where the disk is full"
    if cause:
        ground.omit("waits", cause)
        return
    for kind in KINDS[:ground.share(60)]:
        episodes(ground, kind, ground.share(150))
