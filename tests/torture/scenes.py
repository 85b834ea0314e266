"""Passes that are about to be made: how the mirror lies there, what the master says by now, and which keys changed."""

import os
import random
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Optional, Tuple

from compare import Terms
from ground import Ground, knows
from manners import COPIED, PLAIN, SIGNED, Manner, signing_key
from slow_host import SlowHost
from world import Daemon, Mirror, SampleMaster, until

LARGE = 2 << 20  # bytes; of files of this size, parts are kept


@dataclass
class Scene:
    name: str
    master: SampleMaster
    template: Optional[Path] = None  # nothing: an empty directory
    options: Dict[str, str] = field(default_factory=dict)
    terms: Terms = Terms()
    host: Optional[SlowHost] = None
    command: Tuple[str, ...] = ("sync",)
    damaged: bool = False            # from the start: it cannot be sound before it is healed

    def end(self) -> None:
        self.master.kill()
        if self.host is not None:
            self.host.kill()

    def mirror(self, ground: Ground, where: str) -> Mirror:
        """A copy of the template, or an empty one."""
        mirror = ground.mirror(self.master, where)
        if self.template is not None:
            shutil.rmtree(mirror.directory)
            subprocess.run(["cp", "-a", str(self.template), str(mirror.directory)], check=True)
        return mirror


def synced(ground: Ground, name: str, seed: int, manner: Manner = PLAIN, **options: str) -> Scene:
    """A mirror after its first pass."""
    master = manner.master(seed)
    mirror = ground.mirror(master, f"template-{name.replace(' ', '-')}")
    result = mirror.sync(**manner.keys(ground), **options)
    assert result.status == 0, result.errors
    return Scene(name, master, mirror.directory, manner.keys(ground), manner.terms)


def first_pass(_: Ground, seed: int) -> Scene:
    return Scene("first pass", PLAIN.master(seed))


def events(ground: Ground, seed: int) -> Scene:
    """Of every kind: among them removals of files, releases and projects, and a quarantine."""
    scene = synced(ground, "events", seed)
    change(scene.master, seed)
    return scene


def signed_events(ground: Ground, seed: int) -> Scene:
    scene = synced(ground, "events, signed", seed, SIGNED)
    change(scene.master, seed)
    return scene


def copied_events(ground: Ground, seed: int) -> Scene:
    scene = synced(ground, "events, copied", seed, COPIED)
    change(scene.master, seed)
    return scene


def another_key_of_the_master(ground: Ground, seed: int) -> Scene:
    """All signatures are to be fetched again, and some pages have changed."""
    scene = copied_events(ground, seed)
    scene.name = "another key of the master's"
    scene.master.key("rotate")
    return scene


def change(master: SampleMaster, seed: int) -> None:
    for action in ("new-project", "new-release", "remove-file", "remove-release", "yank", "quarantine",
                   "remove-project"):
        try:
            master.event(action)
        except AssertionError:  # after many events there may be nothing left that could be removed
            pass
    master.random(count=25, seed=seed)


def more_formats(ground: Ground, seed: int) -> Scene:
    scene = synced(ground, "more formats", seed, pages_formats="html")
    master = scene.master
    master.random(count=5, seed=seed)
    return scene


def fewer_formats(ground: Ground, seed: int) -> Scene:
    scene = synced(ground, "fewer formats", seed)
    scene.options = {"pages_formats": "json"}
    scene.terms = Terms(html=False)
    return scene


def another_signing_key(ground: Ground, seed: int) -> Scene:
    """All pages are to be signed again, and some have changed."""
    scene = synced(ground, "another signing key", seed, SIGNED)
    change(scene.master, seed)
    scene.options = {"signing_key": signing_key(ground, "next-key")}
    return scene


def half_a_file(ground: Ground, seed: int) -> Scene:
    """A large file of which a part has arrived."""
    scene = synced(ground, "half a file", seed)
    assert scene.template is not None
    host = scene.host = large_file(scene.master, seed)
    staging = scene.template / "staging"
    host.pause = 0.02
    process = Daemon(ground.over(scene.template, scene.master).command("sync"))
    until(lambda: any(path.stat().st_size > LARGE // 2 for path in staging.glob("*.part")), "half of the file")
    process.kill()
    host.pause = 0.0
    return scene


def large_file(master: SampleMaster, seed: int) -> SlowHost:
    """Of a host of its own, which may be slow."""
    host = SlowHost(random.Random(seed).randbytes(LARGE))
    master.extra("idna", host.entry())
    return host


def repair(ground: Ground, seed: int) -> Scene:
    """A tree of which several things are wrong, none of them by our own doing."""
    scene = synced(ground, "verify with repair", seed)
    assert scene.template is not None
    web = scene.template / "web"
    wheels = sorted((web / "packages").rglob("*.whl"))
    wheels[0].unlink()
    os.truncate(wheels[1], 10)
    wheels[2].write_bytes(b"x" * wheels[2].stat().st_size)
    (web / "simple" / "idna" / "index.html").unlink()
    (web / "simple" / "certifi" / "index.v1_json").write_text("{}")
    (web / "packages" / "stray").mkdir()
    (web / "packages" / "stray" / "stray.whl").write_bytes(b"stray")
    scene.command = ("verify", "--repair")
    scene.damaged = True
    return scene


def scenes() -> List[Callable[[Ground, int], Scene]]:
    made = [first_pass, events, more_formats, fewer_formats, half_a_file]
    made += [signed_events, another_signing_key] if knows("\n  keygen ") else []
    made += [copied_events, another_key_of_the_master]
    return made + [repair] if knows("\n  verify ") else made
