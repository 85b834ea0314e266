"""Polls of a mirror that is there: what a daemon spends on nothing, on events, and on the list of all names."""

import random
import signal
import sqlite3
import time
from pathlib import Path
from typing import Dict, List, NamedTuple, Set, Tuple

from cost import Cost, Watched, command
from index import ALL_NAMES, Index, names, normalized
from master import LIST_QUESTION, SERIAL_QUESTION, Master
from passes import MEMORY_MOST
from setting import Setting, made_up, served
from world import until

PROJECTS, SIZE = 1_000, 1_024  # of the mirrors that are polled; bytes of a file
EVENTS = 200
POLLS = 100
POLL_MOST, SYNC_MOST, EVENT_MOST = 0.010, 0.030, 0.001  # seconds of CPU
LIST_MOST, LIST_AGAIN_MOST, ROOT_MOST = 3.0, 1.5, 1.0
LONG = "30d"


class Mirrored(NamedTuple):
    """A made-up index, its master, our mirror of it, and how the table calls it."""

    index: Index
    master: Master
    mirror: Path
    title: str

    def watch(self, **options: str) -> Watched:
        """A daemon that polls when it is told to, and has done its first poll. It looks at nothing by itself: the
        pages of those whom fill() has put into the state are nowhere."""
        run = command(self.mirror, self.master.url, "run", master_poll_interval=LONG, master_sweep_interval="0",
                      verify_interval="0", **options)
        daemon = Watched(run, self.mirror, self.master.requests)
        daemon.rest()
        return daemon


def mirrored(setting: Setting, displays: List[str]) -> Mirrored:
    index = made_up(setting, displays, lambda number: 1 + number % 2, SIZE)
    place = Mirrored(index, served(setting, index), setting.new("mirror"), f"{len(displays):,} projects")
    settle(setting, place)
    return place


def settle(setting: Setting, place: Mirrored) -> None:
    """What is left from before, such as a root index that a daemon had no time to write, is not what is measured."""
    setting.sync(place.master, place.mirror)


def nothing(setting: Setting) -> None:
    nothing_new(setting, mirrored(setting, names(PROJECTS, 5)))


def events(setting: Setting) -> None:
    many_events(setting, mirrored(setting, names(PROJECTS, 6)))


def nothing_new(setting: Setting, place: Mirrored) -> None:
    table, title = setting.table, f"a poll with nothing new, {place.title}"
    table.heading(title)
    settle(setting, place)
    curls, ours = setting.rounds(lambda: setting.curl_post(place.master, SERIAL_QUESTION),
                                 lambda: setting.sync(place.master, place.mirror))
    base = table.line("curl, the same question", curls)
    own = table.line("pep381d sync, the whole process", ours, setting.syncs(place.master, place.mirror))
    table.ratio(own, base)
    table.goal(f"{title}: CPU of `sync`", own.cpu * 1000, SYNC_MOST * 1000, "ms")

    daemon = place.watch(pages_root_interval=LONG)
    changed: Set[str] = set()
    try:
        polls, curls = setting.rounds(lambda: polled(place, daemon, changed),
                                      lambda: setting.curl_post(place.master, SERIAL_QUESTION, POLLS))
    finally:
        daemon.kill()
    base = table.line(f"curl, {POLLS} times", curls)
    own = table.line(f"pep381d run, {POLLS} polls", polls)
    table.ratio(own, base)
    table.note(f"{own.cpu / POLLS * 1000:.2f} ms of CPU and {own.written / POLLS * 1024:.0f} KiB a poll; written: "
               f"{', '.join(sorted(changed))}")
    table.goal(f"{title}: CPU in the daemon", own.cpu / POLLS * 1000, POLL_MOST * 1000, "ms")
    table.goal(f"{title}: requests", own.requests / POLLS, 1)
    others = [name for name in changed if not name.startswith(("web/last-modified", "state.db"))]
    table.goal(f"{title}: other files written", len(others), 0)
    table.goal(f"{title}: peak memory", max(cost.memory for cost in [*ours, *polls]), MEMORY_MOST, "MiB")


def polled(place: Mirrored, daemon: Watched, changed: Set[str]) -> Cost:
    """The cost of POLLS polls, each begun when the one before was answered; and what they wrote."""
    master, before = place.master, seen(place.mirror)

    def poll() -> None:
        for count in range(master.polls + 1, master.polls + 1 + POLLS):
            daemon.send(signal.SIGUSR1)
            until(lambda: master.polls == count, "the daemon polls")

    cost = daemon.cost_of(poll, lambda: True, "the last poll")
    changed |= {name for name, look in seen(place.mirror).items() if before.get(name) != look}
    return cost


def seen(mirror: Path) -> Dict[str, Tuple[int, int, int]]:
    looks = {}
    for path in mirror.rglob("*"):
        if path.is_file():
            about = path.stat()
            looks[str(path.relative_to(mirror))] = (about.st_ino, about.st_size, about.st_mtime_ns)
    return looks


def many_events(setting: Setting, place: Mirrored) -> None:
    table, title = setting.table, f"{EVENTS} events, {place.title}"
    table.heading(f"{title}: a file of 1 KB more for each, in a running daemon, without the root index")
    ours, curls = event_costs(setting, place, EVENTS)
    base = table.line("curl, the pages and files; sync -f", curls)
    own = table.line("pep381d run", ours)
    table.ratio(own, base)
    each, fetched = own.cpu / EVENTS * 1000, base.cpu / EVENTS * 1000
    table.note(f"{each:.2f} ms of CPU an event, of which curl's transfers are {fetched:.2f}")
    table.goal(f"{title}: CPU an event, beyond curl's", each - fetched, EVENT_MOST * 1000, "ms")
    table.goal(f"{title}: peak memory", max(cost.memory for cost in ours), MEMORY_MOST, "MiB")


def event_costs(setting: Setting, place: Mirrored, count: int) -> List[List[Cost]]:
    """Of `count` events for our daemon and for curl, round by round."""
    # The first change in a daemon's life has the root index written, and then none for LONG.
    settle(setting, place)
    daemon = place.watch(pages_root_interval=LONG)
    targets: List[str] = []

    def ours() -> Cost:
        targets[:] = happen(place, count)
        return daemon.cost_of(lambda: daemon.send(signal.SIGUSR1),
                              lambda: daemon.handled(place.master.serial), "events")

    try:
        happen(place, 1)
        daemon.cost_of(lambda: daemon.send(signal.SIGUSR1),
                       lambda: daemon.handled(place.master.serial) and daemon.root_written(), "the root index")
        return setting.rounds(ours, lambda: setting.curl(place.master, targets))
    finally:
        daemon.kill()


def happen(place: Mirrored, count: int) -> List[str]:
    """Every n-th project has a file more. What is to be fetched for it."""
    targets, projects = [], list(place.index.projects.values())
    for project in projects[::len(projects) // count][:count]:
        entry = place.index.change(project, SIZE)
        place.master.happen(project.display, project.serial)
        targets += [f"/simple/{project.name}/", entry["url"]]
    return targets


def all_names(setting: Setting) -> None:
    displays = names(ALL_NAMES)
    chance = random.Random(1)
    serials = {display: chance.randrange(1_000_000) for display in displays}
    first_list(setting, serials)
    place = mirrored(setting, displays[:PROJECTS])
    fill(place.mirror, {display: serials[display] for display in displays[PROJECTS:]})
    place.master.tell({**serials, **{project.display: project.serial for project in place.index.projects.values()}})
    place = place._replace(title=f"{ALL_NAMES:,} projects")
    list_again(setting, place)
    root_index(setting, place)
    many_events(setting, place)
    nothing_new(setting, place)


def first_list(setting: Setting, serials: Dict[str, int]) -> None:
    """The pages hang, so that the daemon comes to rest when the list is queued."""
    master = setting.master(setting.directory, pages_hang=True)
    master.tell(serials)
    table, title = setting.table, f"{ALL_NAMES:,} names"
    table.heading(f"{title}: {len(master.list) / 1e6:.0f} MB of XML, read, compared and queued by a mirror that is new")

    def ours() -> Cost:
        mirror = setting.new("mirror")
        before = Cost(time.monotonic(), 0, 0, 0, master.requests())
        daemon = Watched(command(mirror, master.url, "run"), mirror, master.requests)
        try:
            return daemon.cost_since(before, lambda: daemon.err.first("list_compared") and daemon.ask(
                "SELECT count(*) FROM queue")[0] == ALL_NAMES, "the list is queued")
        finally:
            daemon.kill()

    curls, costs = setting.rounds(lambda: setting.curl_post(master, LIST_QUESTION), ours)
    base, own = table.line("curl, the same list; sync -f", curls), table.line("pep381d run", costs)
    table.ratio(own, base)
    table.goal(f"{title} read, compared, queued: CPU", own.cpu, LIST_MOST, "s")
    table.goal(f"{title} read, compared, queued: peak memory", max(cost.memory for cost in costs), MEMORY_MOST, "MiB")


def fill(mirror: Path, serials: Dict[str, int]) -> None:
    """Puts projects into the state as if they were published, in the order in which a first sync records them.

    To publish so many for real takes minutes and millions of inodes; none of what is measured looks at their pages.
    """
    rows = sorted((normalized(display), display, serial) for display, serial in serials.items())
    connection = sqlite3.connect(mirror / "state.db")
    with connection:
        connection.executemany("INSERT INTO projects(name, display, serial, page) "
                               "VALUES(?1, nullif(?2, ?1), ?3, 2)", rows)
        connection.execute("UPDATE notes SET value = value + ? WHERE name = 'projects'", (len(rows),))
        connection.execute("UPDATE notes SET value = value + 1 WHERE name = 'root_changes'")
    connection.close()


def list_again(setting: Setting, place: Mirrored) -> None:
    table, title = setting.table, f"{ALL_NAMES:,} names compared again"
    table.heading(f"{title}: all published, nothing changed")
    settle(setting, place)
    curls, ours = setting.rounds(lambda: setting.curl_post(place.master, LIST_QUESTION),
                                 lambda: setting.sync(place.master, place.mirror, master_reconcile_interval="1ms"))
    base = table.line("curl, the same list; sync -f", curls)
    own = table.line("pep381d sync, the whole process", ours, setting.syncs(place.master, place.mirror,
                                                                            master_reconcile_interval="1ms"))
    table.ratio(own, base)
    table.goal(f"{title}: CPU", own.cpu, LIST_AGAIN_MOST, "s")
    table.goal(f"{title}: peak memory", max(cost.memory for cost in ours), MEMORY_MOST, "MiB")


def root_index(setting: Setting, place: Mirrored) -> None:
    """By difference: an event with the root index, and one without."""
    table, title = setting.table, f"the root index of {ALL_NAMES:,} names, both formats"
    table.heading(title)
    without, _ = event_costs(setting, place, 1)
    settle(setting, place)
    daemon = place.watch(pages_root_interval="1ms")

    def ours() -> Cost:
        happen(place, 1)
        return daemon.cost_of(lambda: daemon.send(signal.SIGUSR1),
                              lambda: daemon.handled(place.master.serial) and daemon.root_written(), "the root index")

    try:
        [costs] = setting.rounds(ours)
    finally:
        daemon.kill()
    base, own = table.line("pep381d run, one event", without), table.line("pep381d run, one event and the index", costs)
    table.ratio(own, base)
    table.goal(f"{title}: CPU", own.cpu - base.cpu, ROOT_MOST, "s")
    table.goal(f"{title}: peak memory", max(cost.memory for cost in costs), MEMORY_MOST, "MiB")
