"""How cost grows: with projects, with files, with events, at three sizes each."""

from typing import Callable, List, Sequence

from cost import Cost
from index import names
from polls import event_costs, mirrored
from setting import Setting, made_up, served

FLAT = 1.15
FILE_PROJECTS, EVENT_PROJECTS = 300, 2_000


def growth(setting: Setting) -> None:
    with_projects(setting)
    with_files(setting)
    with_events(setting)


def first_passes(setting: Setting, projects: Sequence[int], files: Callable[[int, int], int]) -> List[List[Cost]]:
    masters = [served(setting, made_up(setting, names(count, 7), lambda number, size=size: files(size, number)))
               for size, count in enumerate(projects)]
    return setting.rounds(*(lambda master=master: setting.sync(master, setting.new("mirror")) for master in masters))


def with_projects(setting: Setting) -> None:
    sizes = (1_000, 10_000, 50_000) if setting.full else (1_000, 3_000, 10_000)
    setting.table.heading("growth with projects: first passes, one or two files of 1 KB each")
    costs = first_passes(setting, sizes, lambda _, number: 1 + number % 2)
    each = []
    for size, measured in zip(sizes, costs):
        cost = setting.table.line(f"{size:,} projects, {size * 3 // 2:,} files", measured)
        each.append(cost.cpu / size)
        setting.table.note(f"{cost.cpu / size * 1e6:.0f} us of CPU a project, {cost.cpu / size / 1.5 * 1e6:.0f} a file")
    setting.table.goal(f"CPU a project and a file at {sizes[-1]:,}, to that at {sizes[0]:,}", each[-1] / each[0], FLAT)


def with_files(setting: Setting) -> None:
    sizes = (4, 16, 64)
    setting.table.heading(f"growth with files: first passes, {FILE_PROJECTS} projects, files of 1 KB")
    costs = first_passes(setting, [FILE_PROJECTS] * 3, lambda size, _: sizes[size])
    for size, measured in zip(sizes, costs):
        count = FILE_PROJECTS * size
        cost = setting.table.line(f"{count:,} files", measured)
        setting.table.note(f"{cost.cpu / count * 1e6:.0f} us of CPU a file, its part of the page included")


def with_events(setting: Setting) -> None:
    place = mirrored(setting, names(EVENT_PROJECTS, 8))
    setting.table.heading(f"growth with events: {EVENT_PROJECTS:,} projects, in a running daemon")
    for count in (100, 400, 1_600):
        ours, _ = event_costs(setting, place, count)
        cost = setting.table.line(f"{count:,} events", ours)
        setting.table.note(f"{cost.cpu / count * 1e6:.0f} us of CPU an event")
