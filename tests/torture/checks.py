"""What must hold after whatever was done to a mirror, and how it must end."""

from typing import List, Optional

from compare import Terms
from fetched import Counts, fetched_again, file_counts, wanted_digests, whole_files
from ground import Ground
from invariants import broken
from slow_host import PATH, SlowHost
from table import Row
from tree import walk
from world import Mirror, Result, SampleMaster

LONGEST = 30  # seconds; master.patience and some more
ENDS = (0, 1, 5)  # of a pass to which the disk did harm: never a crash, never anything else


def after(ground: Ground, row: Row, mirror: Mirror, when: str) -> bool:
    """At once, with nothing mended: design.md 2.1 and 2.2. True: something is wrong."""
    return ground.violated(row, when, broken(mirror.web), mirror.directory)


def stamped(ground: Ground, row: Row, mirror: Mirror, master: SampleMaster, before: Optional[str], when: str,
            terms: Terms = Terms()) -> bool:
    """A new last-modified says that everything is published (design.md 2.3)."""
    if mirror.last_modified() in (None, before):
        return False
    ahead = [f"last-modified is ahead: {one}" for one in mirror.compare(master, terms)]
    return ground.violated(row, when, ahead, mirror.directory)


def ended(ground: Ground, row: Row, mirror: Mirror, result: Result, when: str) -> bool:
    """A pass may fail, but not crash, and it says why in one short line."""
    found = [] if result.status in ENDS else [f"it ended with {result.status}: {result.errors[-500:]}"]
    if result.seconds > LONGEST:
        found.append(f"it took {result.seconds:.0f} s: {result.errors[-500:]}")
    if result.status == 5 and (len(result.last_line) > 150 or "/" not in result.last_line):
        found.append(f"its last line names nothing, or is too long: {result.last_line}")
    return ground.violated(row, when, found, mirror.directory)


def strays(mirror: Mirror) -> List[str]:
    """Whatever a pass that ends with 0 must not leave behind, web/ aside, of which compare() knows more."""
    return [f"{path}: is left" for path in walk(mirror.directory)
            if not path.startswith("web") and path not in ("staging", "state.db")]


def heals(ground: Ground, row: Row, mirror: Mirror, master: SampleMaster, when: str, terms: Terms = Terms(),
          host: Optional[SlowHost] = None, **options: str) -> bool:
    """A clean pass ends in the master's state, and fetches nothing that is there. True: something is wrong."""
    wanted = wanted_digests(master)
    counts = all_counts(master, host)
    whole = whole_files(mirror, wanted)
    with ground.reading(row, mirror, f"clean pass after {when}"):
        result = mirror.sync(**options)
    row.passes += 1
    found = [] if result.status == 0 else [f"the clean pass ended with {result.status}: {result.errors[-500:]}"]
    found += [f"{path}: was whole, and was fetched again"
              for path in fetched_again(counts, whole, all_counts(master, host))]
    found += mirror.compare(master, terms) + strays(mirror) + verified(mirror, options)
    return ground.violated(row, when, found, mirror.directory)


def all_counts(master: SampleMaster, host: Optional[SlowHost]) -> Counts:
    return {**file_counts(master), **({PATH: host.requests} if host else {})}


def verified(mirror: Mirror, options: dict) -> List[str]:  # type: ignore[type-arg]
    """The product's own opinion, where it has one."""
    if not has_verify(mirror):
        return []
    result = mirror.do("verify", **options)
    return [] if result.status == 0 else [f"verify: {result.output[-300:]} {result.errors[-300:]}"]


def has_verify(mirror: Mirror, known: List[bool] = []) -> bool:
    if not known:
        known.append("\n  verify " in mirror.do("--help").output)
    return known[0]
