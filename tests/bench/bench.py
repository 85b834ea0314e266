#!/usr/bin/env python3
"""`make bench`: what the mirror costs, each figure beside that of curl fetching the same from the same nginx.

Environment: RUNS (5) rounds of each, of which the table has the median and the least; ROWS, some of the names below
(all); SCALE=full for the large sizes of growth; BENCH_DIRECTORY, an existing directory on the disk that is to be
measured, where everything stays for who wants to look (default: one beside the build, removed at the end).
"""

import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Dict

from broken import broken
from growth import growth
from passes import first, latency, pages, tail
from polls import all_names, events, nothing
from setting import Setting
from signing import signing
from verifying import verifying
from world import BUILD

ROWS: Dict[str, Callable[[Setting], None]] = {
    "first": first, "pages": pages, "nothing": nothing, "events": events, "names": all_names, "growth": growth,
    "tail": tail, "latency": latency, "broken": broken, "verify": verifying, "signing": signing,
}


def wanted_rows() -> Dict[str, Callable[[Setting], None]]:
    chosen = os.environ.get("ROWS", "").split() or list(ROWS)
    unknown = [name for name in chosen if name not in ROWS]
    if unknown:
        sys.exit(f"ROWS: there is no {unknown[0]}; there are: {' '.join(ROWS)}")
    return {name: ROWS[name] for name in chosen}


def check_room(directory: str, runs: int) -> None:
    """Nothing is removed before the end, so that all rounds lie there together."""
    needed = (5 + 3 * runs) << 30
    free = shutil.disk_usage(directory).free
    if "ROWS" not in os.environ and free < needed:
        sys.exit(f"{directory}: {free >> 30} GiB are free, {needed >> 30} may be needed: set BENCH_DIRECTORY to "
                 "where there is more, or RUNS to less, or ROWS to some")


def main() -> None:
    rows = wanted_rows()
    # curl opens a file for each URL under way, nginx for each request.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that the clean-up is done
    runs = int(os.environ.get("RUNS", "5"))
    disk = os.environ.get("BENCH_DIRECTORY", str(BUILD))
    check_room(disk, runs)
    directory = Path(tempfile.mkdtemp(prefix="bench-", dir=disk))
    print(f"{time.strftime('%Y-%m-%d')}, Linux {platform.release()}, {os.cpu_count()} cores; medians of {runs}\n")
    setting = Setting(directory, runs, os.environ.get("SCALE") == "full")
    began = time.monotonic()
    try:
        for row in rows.values():
            row(setting)
        setting.table.end()
        print(f"\nafter {(time.monotonic() - began) / 60:.1f} minutes")
    finally:
        setting.stop()
        if "BENCH_DIRECTORY" not in os.environ:
            print(f"removing {directory}", flush=True)
            subprocess.run(["rm", "-rf", str(directory)], check=False)


if __name__ == "__main__":
    main()
