"""A kill, or an error, at each call that changes the tree or the state (faulty_calls.cpp)."""

import subprocess
from typing import Dict, List, Tuple

from checks import after, ended, heals, stamped, strays
from ground import Ground
from scenes import SCENES, Scene
from table import Row
from world import BUILD, Mirror, Result, finished

LIBRARY = BUILD / "faulty-calls.so"
KINDS = ("kill", "EIO", "ENOSPC", "short", "EIO+", "ENOSPC+")  # with a plus: and all later calls
KILLED = -9


def faulty(ground: Ground, mirror: Mirror, kind: str, number: int, options: Dict[str, str]) -> Tuple[Result, str]:
    """A pass whose n-th call goes wrong, and the name of that call; none: there were fewer."""
    note = ground.directory / "note"
    note.unlink(missing_ok=True)
    command = ["env", f"FAULTY_NOTE={note}", f"LD_PRELOAD={LIBRARY}"]
    command += [f"FAULTY_CALL={kind} {number}"] if number else []
    result = finished(command + mirror.command("sync", **options))
    return result, note.read_text().strip() if note.exists() else ""


def count(ground: Ground, scene: Scene) -> int:
    """How many calls a pass makes, about: the two threads share them out differently each time."""
    _, names = faulty(ground, scene.mirror(ground, "mirror"), "", 0, scene.options)
    return len(names.splitlines())


def visit(ground: Ground, row: Row, scene: Scene, kind: str, numbers: List[int]) -> None:
    for number in numbers:
        mirror = scene.mirror(ground, "mirror")
        before = mirror.last_modified()
        when = f"{scene.name}, {kind} at call {number}"
        with ground.reading(row, mirror, when):
            try:
                result, call = faulty(ground, mirror, kind, number, scene.options)
            except subprocess.TimeoutExpired:
                result, call = Result(KILLED if kind == "kill" else 0, "", "", 0), "a call, after which it hung"
                ground.violated(row, when, [call], mirror.directory)
        if not call:
            continue
        judge(ground, row, scene, mirror, result, kind, before, f"{when}, {call}")


def judge(ground: Ground, row: Row, scene: Scene, mirror: Mirror, result: Result, kind: str, before: str,
          when: str) -> None:
    wrong = after(ground, row, mirror, when) or \
        stamped(ground, row, mirror, scene.master, before, when, scene.terms)
    if kind == "kill":
        row.kills += 1
    else:
        row.faults += 1
        wrong = ended(ground, row, mirror, result, when) or wrong
        if result.status == 0:
            # SQLite's own files may stay where the fault met their removal; they are no harm.
            left = [one for one in mirror.compare(scene.master, scene.terms) + strays(mirror)
                    if not one.startswith("state.db-")]
            wrong = ground.violated(row, f"{when}, and it ended with 0", left, mirror.directory) or wrong
    if not wrong:
        heals(ground, row, mirror, scene.master, when, scene.terms, scene.host, **scene.options)


def calls(ground: Ground) -> None:
    for make in SCENES:
        scene = make(ground, ground.seed)
        try:
            most = count(ground, scene)
            for kind in KINDS:
                chance = ground.chance(f"calls {scene.name} {kind}")
                reach = most + 5 if kind != "short" else most // 2
                numbers = sorted(chance.sample(range(1, reach), min(reach - 1, ground.share(3))))
                with ground.row("calls", f"{scene.name}, {kind}") as row:
                    visit(ground, row, scene, kind, numbers)
        finally:
            scene.end()
