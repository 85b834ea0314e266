"""SIGKILL at any time."""

from typing import Callable

from ground import Ground
from life import Life, ending, rounds

ROUNDS = 8


def killed(life: Life, when: str) -> bool:
    """One pass, killed. Whether all is well."""
    before = life.mirror.last_modified()
    with life.reading(when):
        process = life.passing()
        life.row.kills += process.running()
        process.kill()
    return life.is_sound(when) and life.is_not_ahead(before, when)


def killed_daemon(life: Life, when: str) -> bool:
    with life.reading(when):
        daemon = life.following()
        life.row.kills += daemon.running()
        daemon.kill()
    return life.is_sound(when)


def passes(life: Life, prepare: Callable[[Life], None], when: str) -> bool:
    """Killed up to three times, then left to end."""
    prepare(life)
    return all(killed(life, when) for _ in range(life.chance.randrange(1, 4))) and life.heals(when)


def daemons(life: Life, when: str) -> bool:
    return killed_daemon(life, when) and (life.chance.random() > 0.4 or life.heals(when))


def lives(ground: Ground, what: str, goal: int, live: Callable[[Life, str], bool]) -> None:
    chance = ground.chance(f"kills {what}")
    with ground.row("kills", what) as row:
        number = 0
        while row.kills < goal:
            number += 1
            life = Life(ground, row, number, chance)
            with ending(life):
                rounds(lambda turn, it=life: live(it, it.named(f"round {turn}")),  # type: ignore[misc]
                       ROUNDS, lambda: row.kills >= goal)


def kills(ground: Ground) -> None:
    goal = ground.share(4)
    lives(ground, "first pass", goal, lambda life, when: passes(life, Life.empty, when))
    lives(ground, "events", goal, lambda life, when: passes(life, Life.changed, when))
    lives(ground, "other formats", goal, lambda life, when: passes(life, Life.other_formats, when))
    lives(ground, "run, under a stream of events", goal, daemons)
