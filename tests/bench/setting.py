"""Where the bench works, with what, and the two things that every row does: one pass of ours, and curl."""

import itertools
import shlex
import sqlite3
import urllib.parse
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence

from cost import Cost, Syncs, command, measured, traced
from index import Index
from master import Master
from table import Table


class Setting:
    def __init__(self, directory: Path, runs: int, full: bool) -> None:
        self.directory = directory
        self.runs = runs
        self.full = full
        self.table = Table()
        self.masters: List[Master] = []
        self.numbers = itertools.count()

    def new(self, name: str) -> Path:
        """Nothing is removed before the end: ext4 makes new files slowly for five minutes after many were removed."""
        return self.directory / f"{next(self.numbers)}-{name}"

    def master(self, web: Path, pages_hang: bool = False) -> Master:
        self.masters.append(Master(self.new("nginx"), web, pages_hang))
        return self.masters[-1]

    def stop(self) -> None:
        for master in self.masters:
            master.stop()

    def sync(self, master: Master, mirror: Path, url: str = "", **options: str) -> Cost:
        options.setdefault("log_level", "error")
        return measured(command(mirror, url or master.url, "sync", **options), self.directory, master.requests)

    def syncs(self, master: Master, mirror: Path, **options: str) -> Optional[Syncs]:
        return traced(command(mirror, master.url, "sync", **options), self.directory)

    def curl(self, master: Master, targets: Sequence[str], parallel: int = 16) -> Cost:
        """Fetches the same, checks and records nothing, and flushes it as ours is flushed. Targets without a host are
        the master's."""
        out = self.new("curl")
        out.mkdir()
        wanted = self.directory / "wanted"
        wanted.write_text("".join(f'url = "{urllib.parse.urljoin(master.url, target)}"\noutput = "{out}/{number}"\n'
                                  for number, target in enumerate(targets)), encoding="utf-8")
        return self.shell(master, f"curl -sSf --parallel --parallel-max {parallel} -K {quoted(wanted)}", out)

    def curl_post(self, master: Master, question: str, times: int = 1) -> Cost:
        out = self.new("curl")
        out.mkdir()
        outputs = f" -o {quoted(out)}/answer {master.url}/pypi" * times
        return self.shell(master, f"curl -sSf -d {shlex.quote(question)}{outputs}", out)

    def shell(self, master: Master, fetch: str, out: Path) -> Cost:
        return measured(["sh", "-c", f"{fetch} && sync -f {quoted(out)}"], self.directory, master.requests)

    def rounds(self, *actions: Callable[[], Cost]) -> List[List[Cost]]:
        """In turn, so that what slows the machine down slows all of them down."""
        all_costs: List[List[Cost]] = [[] for _ in actions]
        for _ in range(self.runs):
            for costs, action in zip(all_costs, actions):
                costs.append(action())
        return all_costs


def quoted(path: Path) -> str:
    return shlex.quote(str(path))


def warm(web: Path) -> None:
    """Into the page cache, so that the first round finds what the others find."""
    for path in web.rglob("*"):
        if path.is_file():
            path.read_bytes()


def made_up(setting: Setting, displays: Sequence[str], files: Callable[[int], int], size: int = 1024) -> Index:
    """The n-th project has files(n) files."""
    index = Index(setting.new("index"))
    for number, display in enumerate(displays):
        index.add(display, files(number), size)
    return index


def served(setting: Setting, index: Index) -> Master:
    master = setting.master(index.web)
    master.tell({project.display: project.serial for project in index.projects.values()})
    return master


def read_state(mirror: Path, question: str) -> Any:
    """One value of a state that nobody has open."""
    connection = sqlite3.connect(mirror / "state.db")
    try:
        return connection.execute(question).fetchone()[0]
    finally:
        connection.close()
