"""What a command costs, and what a running daemon has cost so far."""

import os
import re
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from world import DAEMON, Process, clean_environment, until

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20


class Cost(NamedTuple):
    wall: float  # seconds
    cpu: float  # seconds, user and system
    memory: float  # MiB at the peak
    written: float  # MiB of pages of files that it made dirty; what the file system writes for itself is not in it
    requests: float  # that the master counted


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(values) for values in zip(*costs)))


def least(costs: Sequence[Cost]) -> Cost:
    return Cost(*(min(values) for values in zip(*costs)))


def measured(command: List[str], scratch: Path, requests: Callable[[], int], status: int = 0) -> Cost:
    """Runs a command to its end, which is that exit status.

    The peak is what time(1) saw: ru_maxrss of a child of this process begins with the memory of this process, since
    exec keeps the maximum; of a child of time's it begins with 2 MiB. (It has been compared with VmHWM: 22.5 and 22.1
    MiB, where ru_maxrss from here said 229.) Time and bytes come from wait4, because time(1) rounds to 10 ms.
    """
    peak = scratch / "peak"
    before = requests()
    began = time.monotonic()
    process = subprocess.Popen(["/usr/bin/time", "-q", "-f", "%M", "-o", str(peak), *command],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=clean_environment())
    assert process.stderr is not None
    with process.stderr as stream:
        errors = stream.read().decode(errors="replace")
    _, ended, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(ended)
    if process.returncode != status:
        sys.exit(f"{' '.join(command)[:300]}: status {process.returncode}: {errors[-500:]}")
    # ru_oublock is write_bytes of /proc/PID/io in blocks of 512, children included.
    return Cost(wall, usage.ru_utime + usage.ru_stime, int(peak.read_text()) / 1024, usage.ru_oublock * 512 / MIB,
                requests() - before)


class Syncs(NamedTuple):
    commits: int
    flushes: int


def traced(command: List[str], scratch: Path) -> Optional[Syncs]:
    """Transactions and flushes of an extra run that is not timed; nothing where strace may not be used.

    In WAL mode with synchronous=FULL each commit that writes is one sync of the -wal file (at a checkpoint it is synced
    once more). Any other sync is a flush of the tree, or of the state in a checkpoint.
    """
    trace = scratch / "trace"
    trace.write_text("")
    done = subprocess.run(["strace", "-f", "-qq", "--seccomp-bpf", "-y", "-e", "trace=fsync,fdatasync,syncfs",
                           "-o", str(trace), *command],
                          check=False, stdin=subprocess.DEVNULL, capture_output=True, env=clean_environment())
    seen = trace.read_text(encoding="utf-8", errors="replace")
    calls = re.findall(r"(?:fsync|fdatasync|syncfs)\(\d+<([^>]*)>", seen)
    if done.returncode != 0 or not calls:
        return None
    commits = sum(path.endswith("-wal") for path in calls)
    return Syncs(commits, len(calls) - commits)


class Watched(Process):
    """A daemon that is asked what it has cost since the last time it was asked."""

    def __init__(self, command: List[str], mirror: Path, requests: Callable[[], int]) -> None:
        super().__init__(command)
        self.state = mirror / "state.db"
        self.requests = requests
        self.line(r"\bstarted master=", "the daemon starts")

    def proc(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text(encoding="utf-8")

    def cpu(self) -> float:
        fields = self.proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def so_far(self) -> Cost:
        peak = int(re.findall(r"VmHWM:\s+(\d+)", self.proc("status"))[0]) / 1024
        written = int(re.findall(r"^write_bytes: (\d+)", self.proc("io"), re.MULTILINE)[0]) / MIB
        return Cost(time.monotonic(), self.cpu(), peak, written, self.requests())

    def rest(self) -> None:
        """Waits until it uses no more time."""
        quiet, before = 0, -1.0
        while quiet < 3:
            time.sleep(0.1)
            now = self.cpu()
            quiet, before = (quiet + 1 if now == before else 0), now

    def cost_of(self, begin: Callable[[], None], done: Callable[[], bool], what: str) -> Cost:
        before = self.so_far()
        begin()
        return self.cost_since(before, done, what)

    def cost_since(self, before: Cost, done: Callable[[], bool], what: str) -> Cost:
        until(done, what, 600)
        ended = time.monotonic()
        self.rest()
        after = self.so_far()
        return Cost(ended - before.wall, after.cpu - before.cpu, after.memory, after.written - before.written,
                    after.requests - before.requests)

    def ask(self, question: str) -> Any:
        """One row of the state, which a reader may look at beside the daemon."""
        connection = sqlite3.connect(f"file:{self.state}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(question).fetchone()
        finally:
            connection.close()

    def handled(self, serial: int) -> bool:
        """The journal is read to there, and what it named is published."""
        notes = "SELECT value FROM notes WHERE name = 'cursor'"
        return bool(self.ask(f"SELECT ({notes}), (SELECT count(*) FROM queue)") == (serial, 0))

    def root_written(self) -> bool:
        notes = "(SELECT value FROM notes WHERE name = 'root_%s')"
        return bool(self.ask(f"SELECT {notes % 'changes'} = {notes % 'written'}")[0])


def command(mirror: Path, url: str, *words: str, **options: str) -> List[str]:
    """`--config` always, so that a file in /etc changes nothing; `files_enabled` is files.enabled."""
    mirror.mkdir(exist_ok=True)
    settings = {"mirror.directory": str(mirror), "master.url": url, "listen.address": "127.0.0.1:0"}
    settings.update({name.replace("_", ".", 1).replace("_", "-"): value for name, value in options.items()})
    return [str(DAEMON), "--config", "/dev/null", *(f"--{key}={value}" for key, value in settings.items()), *words]
