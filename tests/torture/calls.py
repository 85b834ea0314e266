"""A kill, or an error, at each call that changes the tree or the state (faulty_calls.cpp)."""

import subprocess
from typing import Dict, List, Optional, Sequence, Tuple

from ground import Ground
from scenes import Scene, scenes
from table import Row
from trial import Trial
from world import BUILD, Mirror, Result, finished

LIBRARY = BUILD / "faulty-calls.so"
KINDS = ("kill", "EIO", "ENOSPC", "short", "EIO+", "ENOSPC+")  # with a plus: and all later calls


def faulty(ground: Ground, mirror: Mirror, kind: str, number: int, options: Dict[str, str],
           words: Sequence[str] = ("sync",)) -> Tuple[Result, str]:
    """A pass, or another command, whose n-th call goes wrong, and the name of that call; none: there were fewer. 0: the names of all."""
    note = ground.directory / "note"
    note.unlink(missing_ok=True)
    command = ["env", f"FAULTY_NOTE={note}", f"LD_PRELOAD={LIBRARY}"]
    command += [f"FAULTY_CALL={kind} {number}"] if number else []
    result = finished(command + mirror.command(*words, **options))
    return result, note.read_text().strip() if note.exists() else ""


def count(ground: Ground, scene: Scene) -> int:
    """How many calls a pass makes, about: the two threads share them out differently each time."""
    _, names = faulty(ground, scene.mirror(ground, "mirror"), "", 0, scene.options, scene.command)
    return len(names.splitlines())


def visit(ground: Ground, row: Row, scene: Scene, kind: str, number: int) -> None:
    mirror = scene.mirror(ground, "mirror")
    trial = Trial(ground, row, scene.master, mirror, scene.options, scene.terms, scene.host, scene.command,
                  scene.damaged)
    before = mirror.last_modified()
    when = f"{scene.name}, {kind} at call {number}"
    with trial.reading(when):
        try:
            result, call = faulty(ground, mirror, kind, number, scene.options, scene.command)
        except subprocess.TimeoutExpired as hanging:
            note = ground.directory / "note"
            met = note.read_text().strip() if note.exists() else "nothing"
            trial.well(when, [f"it hung, after {met} went wrong: {(hanging.stderr or b'').decode()[-500:]}"])
            return
    if not call:
        return
    when = f"{when}, {call}"
    row.kills += kind == "kill"
    row.faults += kind != "kill"
    if judge(trial, None if kind == "kill" else result, before, when):
        trial.heals(when)


def judge(trial: Trial, result: Optional[Result], before: Optional[str], when: str) -> bool:
    """Whether all is well after a fault, or a kill, of which there is no result."""
    if not trial.is_sound(when) or not trial.is_not_ahead(before, when):
        return False
    if result is None:
        return True
    if not trial.ended_well(result, when):
        return False
    # It may have done without the call that went wrong. SQLite's own files may stay then; they are no harm.
    left = [] if result.status else [one for one in trial.differences() + trial.strays()
                                     if not one.startswith("state.db-")]
    return trial.well(f"{when}, and it ended with 0", left)


def numbers(ground: Ground, scene: Scene, kind: str, most: int) -> List[int]:
    chance = ground.chance(f"calls {scene.name} {kind}")
    reach = most + 5 if kind != "short" else most // 2
    return sorted(chance.sample(range(1, reach), min(reach - 1, ground.share(5))))


def calls(ground: Ground) -> None:
    for make in scenes():
        scene = make(ground, ground.seed)
        try:
            most = count(ground, scene)
            for kind in KINDS:
                with ground.row("calls", f"{scene.name}, {kind}") as row:
                    for number in numbers(ground, scene, kind, most):
                        visit(ground, row, scene, kind, number)
        finally:
            scene.end()
