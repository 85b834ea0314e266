#!/usr/bin/env python3
"""`make torture`: the real program on real file systems, killed, cut off and filled up, and a reader who follows every
link meanwhile. Prints a table; ends with 1 where anything was wrong, and says how to see it again.

Environment: COUNT (300) sets how much is done, about so many SIGKILLs and a third of that in power cuts; SEED (1);
PARTS, some of the names below (all); TORTURE_DIRECTORY, where there is a gigabyte of room (default: /dev/shm, or
where temporary files go); PEP381D_BUILD, the build directory; TORTURE_UNDER, a command that runs the program, such as
`valgrind -q`.
"""

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from calls import calls  # noqa: E402
from full import full  # noqa: E402
from full_run import full_run  # noqa: E402
from ground import Ground  # noqa: E402
from kills import kills  # noqa: E402
from power import power  # noqa: E402
from table import heading, line, total  # noqa: E402

PARTS: Dict[str, Callable[[Ground], None]] = {"kills": kills, "calls": calls, "full": full,
                                               "waits": full_run, "power": power}
ROOM = 1 << 30


def wanted_parts() -> Dict[str, Callable[[Ground], None]]:
    chosen = os.environ.get("PARTS", "").split() or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.exit(f"PARTS: there is no {unknown[0]}; there are: {' '.join(PARTS)}")
    return {name: PARTS[name] for name in chosen}


def room() -> Path:
    """In memory, where there is enough: what is tried is the order of effects, not the disk's speed."""
    given = os.environ.get("TORTURE_DIRECTORY")
    memory = "/dev/shm"
    if not given and os.path.isdir(memory) and shutil.disk_usage(memory).free >= ROOM:
        given = memory
    return Path(tempfile.mkdtemp(prefix="torture-", dir=given))


def main() -> int:
    parts = wanted_parts()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the clean-up is done
    ground = Ground(room(), int(os.environ.get("SEED") or "1"), int(os.environ.get("COUNT") or "300"))
    began = time.monotonic()
    print(f"seed {ground.seed}, count {ground.count}, Linux {platform.release()}, {os.cpu_count()} cores, in "
          f"{ground.directory}\n{heading()}", flush=True)
    try:
        for part in parts.values():
            part(ground)
    finally:
        ground.close()
        subprocess.run(["rm", "-rf", str(ground.directory)], check=False)
    print(line(total(ground.rows)))
    for cause in ground.not_run:
        print(cause)
    violations = sum(row.violations for row in ground.rows)
    print(f"{violations} violations, after {(time.monotonic() - began) / 60:.1f} minutes")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
