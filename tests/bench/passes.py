"""First passes: mirrors that begin with nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import delay
from cost import command, median
from index import Index, names, sizes
from master import Master, answers, free_port
from setting import Setting, made_up, read_state, served, warm
from world import SampleMaster, until

PROJECTS, FILES = 1_000, 15_000  # of the sample master
LISTED_PROJECTS, LISTED_FILES = 5_000, 129_000
MEMORY_MOST, STATE_MOST = 64, 250
TAIL_FILES = 3_000
LATENCY, BUDGET, LATE_PROJECTS = 0.05, 10, 2_000


def first(setting: Setting) -> None:
    web = sample(setting)
    serials, targets, size = told(web)
    master = setting.master(web)
    master.tell(serials)
    setting.table.heading(f"first pass: {PROJECTS:,} projects, {len(targets) - PROJECTS:,} files and .metadata, "
                          f"{size / 1e6:.0f} MB")
    against_curl(setting, "first pass", master, targets, {}, wall_most=1.3, cpu_most=2.0)


def sample(setting: Setting) -> Path:
    """The sample master's index as a tree: a mirror of it. Its files are of mixed sizes, as PyPI's are."""
    master = SampleMaster(PROJECTS, FILES)
    try:
        mirror = setting.new("sample")
        subprocess.run(command(mirror, master.url, "sync", log_level="error"), check=True)
    finally:
        master.kill()
    return mirror / "web"


def told(web: Path) -> Tuple[Dict[str, int], List[str], int]:
    """What the list says of the tree, what a first pass asks for, and the bytes of its files."""
    serials, targets, size = {}, [], 0
    for path in sorted((web / "simple").glob("*/index.v1_json")):
        page = json.loads(path.read_text(encoding="utf-8"))
        serials[page["name"]] = page["meta"]["_last-serial"]
        targets.append(f"/simple/{page['name']}/")
    for path in (web / "packages").rglob("*"):
        if path.is_file():
            targets.append(f"/{path.relative_to(web)}")
            size += len(path.read_bytes())  # which makes it warm, too
    return serials, targets, size


def pages(setting: Setting) -> None:
    index = Index(setting.new("listed"))
    for display, files in zip(names(LISTED_PROJECTS, 2), sizes(LISTED_PROJECTS, LISTED_FILES)):
        index.list_files(index.add(display, 0, 0), files)
    warm(index.web)
    listed = sum(len(project.files) for project in index.projects.values())
    setting.table.heading(f"pages only (files.enabled=false): {LISTED_PROJECTS:,} projects, {listed:,} files listed")
    against_curl(setting, "pages only", served(setting, index), [f"/simple/{name}/" for name in index.projects],
                 {"files_enabled": "false"}, wall_most=2.5)


def against_curl(setting: Setting, title: str, master: Master, targets: List[str], options: Dict[str, str],
                 wall_most: float, cpu_most: Optional[float] = None) -> None:
    table, mirror = setting.table, setting.new("mirror")
    syncs = setting.syncs(master, mirror, **options)
    curls, ours = setting.rounds(lambda: setting.curl(master, targets),
                                 lambda: setting.sync(master, setting.new("mirror"), **options))
    base = table.line("curl --parallel-max 16; sync -f", curls)
    own = table.line("pep381d sync", ours, syncs)
    table.ratio(own, base)
    setting.sync(master, mirror, **options)  # whatever became of the run that was traced
    files = read_state(mirror, "SELECT count(*) FROM files")
    bytes_a_file = (mirror / "state.db").stat().st_size / files
    table.note(f"state: {bytes_a_file:.0f} bytes a file, its project's row included")
    table.goal(f"{title}: wall, to curl's", own.wall / base.wall, wall_most)
    if cpu_most:
        table.goal(f"{title}: CPU, to curl's", own.cpu / base.cpu, cpu_most)
    table.goal(f"{title}: peak memory", max(cost.memory for cost in ours), MEMORY_MOST, "MiB")
    table.goal(f"{title}: state, a file", bytes_a_file, STATE_MOST, "bytes")


def tail(setting: Setting) -> None:
    table = setting.table
    many = served(setting, made_up(setting, names(TAIL_FILES, 3), lambda _: 1))
    one = served(setting, made_up(setting, ["tail"], lambda _: TAIL_FILES))
    table.heading(f"a long tail: {TAIL_FILES:,} files of 1 KB")
    base, own = setting.rounds(lambda: setting.sync(many, setting.new("mirror")),
                               lambda: setting.sync(one, setting.new("mirror")))
    spread = table.line(f"{TAIL_FILES:,} projects with one file", base)
    alone = table.line(f"one project with {TAIL_FILES:,}", own)
    table.ratio(alone, spread)
    table.goal(f"one project with {TAIL_FILES:,} files: wall, to as many projects'", alone.wall / spread.wall, 1.0)


def latency(setting: Setting) -> None:
    """The list and the journal, asked for one after another, are in the time too."""
    table, index = setting.table, made_up(setting, names(LATE_PROJECTS, 4), lambda _: 1)
    master = served(setting, index)
    # Files come from elsewhere, as PyPI's do: here from nginx without a delay.
    index.move_files(master.url)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    proxy = subprocess.Popen([sys.executable, delay.__file__, str(port), str(master.port), str(LATENCY)])
    try:
        until(lambda: answers(port), "the delay proxy listens")
        rate = BUDGET / LATENCY
        table.heading(f"{LATENCY * 1000:.0f} ms of latency at the master: {LATE_PROJECTS:,} projects with one file; "
                      f"{BUDGET} requests at a time are {rate:.0f} a second")
        pages_asked = [f"{url}/simple/{name}/" for name in index.projects]
        curls, ours = setting.rounds(
            lambda: setting.curl(master, pages_asked, BUDGET),
            lambda: setting.sync(master, setting.new("mirror"), url, master_max_requests=str(BUDGET)))
    finally:
        proxy.terminate()
        proxy.wait()
    base = table.line(f"curl --parallel-max {BUDGET}, pages alone", curls)
    own = table.line("pep381d sync, pages and files", ours)
    table.ratio(own, base)
    share = LATE_PROJECTS / median(ours).wall / rate
    table.goal(f"{LATENCY * 1000:.0f} ms of latency: part of budget / latency", share, 0.9, sign=">=")
