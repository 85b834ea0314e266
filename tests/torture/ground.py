"""Where the torture happens, and the list of what went wrong."""

import functools
import os
import random
import shlex
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List

from table import Row
from web import Readers, WebServer
from world import DAEMON, Mirror, SampleMaster, finished

SHOWN = 5  # of the findings of one violation
KEPT = 5   # trees for who wants to look
UNDER = shlex.split(os.environ.get("TORTURE_UNDER", ""))


@functools.lru_cache(None)
def knows(word: str) -> bool:
    return word in finished([str(DAEMON), "--help"]).output


class TorturedMirror(Mirror):
    def command(self, *words: str, **options: str) -> List[str]:
        return UNDER + super().command(*words, **options)


class Ground:
    def __init__(self, directory: Path, seed: int, count: int) -> None:
        self.directory = directory
        self.directory.chmod(0o755)
        self.seed = seed
        self.count = count
        self.rows: List[Row] = []
        self.not_run: List[str] = []
        self.kept = 0
        self.web = WebServer(directory / "nginx", directory)
        self.reader = Readers()

    def close(self) -> None:
        self.reader.end()
        self.web.stop()

    def chance(self, what: str) -> random.Random:
        """Each thing tried has dice of its own, so that it goes the same way whatever else is tried."""
        return random.Random(f"{self.seed} {what}")

    def share(self, parts: int) -> int:
        return max(1, -(-self.count // parts))

    def row(self, part: str, what: str) -> Row:
        self.rows.append(Row(part, what))
        return self.rows[-1]

    def omit(self, part: str, cause: str) -> None:
        self.not_run.append(f"{part}: NOT RUN: {cause}")
        print(self.not_run[-1], flush=True)

    def well(self, row: Row, when: str, found: List[str], directory: Path) -> bool:
        """Whether nothing was found; if anything was, it is told and counted, and the tree kept."""
        if not found:
            return True
        row.violations += 1
        print(f"VIOLATION {row.label}: {when} (SEED={self.seed} COUNT={self.count} PARTS={row.part})")
        for one in found[:SHOWN]:
            print(f"  {one}")
        print(f"  {len(found)} findings", flush=True)
        if self.kept < KEPT and directory.is_dir():
            self.kept += 1
            keep = Path(tempfile.mkdtemp(prefix="torture-violation-"))
            subprocess.run(["cp", "-a", str(directory), str(keep)], check=False)
            print(f"  kept in {keep}", flush=True)
        return False

    @contextmanager
    def reading(self, row: Row, mirror: Mirror, when: str) -> Iterator[None]:
        """The reader follows the mirror's links meanwhile."""
        self.reader.read(f"{self.web.url}/{mirror.web.relative_to(self.directory)}")
        try:
            yield
        finally:
            links, wrong = self.reader.stop()
            row.links += links
            self.well(row, f"the reader, {when}", wrong, mirror.directory)

    def mirror(self, master: SampleMaster, name: str, **options: str) -> Mirror:
        """Over an empty directory."""
        directory = self.directory / name
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        return self.over(directory, master, **options)

    def over(self, directory: Path, master: SampleMaster, **options: str) -> Mirror:
        """Over what lies there."""
        return TorturedMirror(directory, master.url,
                              **{"deletes_max_fraction": "1", "log_level": "error", **options})
