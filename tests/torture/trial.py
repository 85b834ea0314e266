"""One mirror that something is done to: what must hold after it, and how it must end.

What is asked here answers whether all is well; where not, the finding is told and counted.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

import copies
import fetched
from compare import Terms
from copies import compare_copies
from fetched import Counts, fetched_again, file_counts, whole_files
from ground import Ground, knows
from invariants import broken
from slow_host import PATH, SlowHost
from table import Row
from tree import walk
from world import Mirror, Result, SampleMaster

LONGEST = 30      # seconds for a pass: master.patience and some more
ENDS = (0, 1, 5)  # of a pass to which the disk did harm: never a crash, never anything else


@dataclass
class Trial:
    ground: Ground
    row: Row
    master: SampleMaster
    mirror: Mirror
    options: Dict[str, str] = field(default_factory=dict)  # keys that differ from those that the mirror was made with
    terms: Terms = Terms()
    host: Optional[SlowHost] = None
    command: Tuple[str, ...] = ("sync",)
    damaged: bool = False  # from the start

    def well(self, when: str, found: List[str]) -> bool:
        return self.ground.well(self.row, when, found, self.mirror.directory)

    def reading(self, when: str) -> "AbstractContextManager[None]":
        return nullcontext() if self.damaged else self.ground.reading(self.row, self.mirror, when)

    def is_sound(self, when: str) -> bool:
        """At once, with nothing mended: design.md 2.1 and 2.2."""
        return self.damaged or self.well(when, broken(self.mirror.web))

    def is_not_ahead(self, before: Optional[str], when: str) -> bool:
        """A new last-modified says that everything is published (design.md 2.3)."""
        if self.mirror.last_modified() in (None, before):
            return True
        # What status/ says is written after it.
        return self.well(when, [f"last-modified is ahead: {one}" for one in self.differences()
                                if not one.startswith("status")])

    def differences(self) -> List[str]:
        if self.terms.copied:
            return compare_copies(self.master.url, self.mirror.directory, self.terms)
        return self.mirror.compare(self.master, self.terms)

    def wanted(self) -> Dict[str, str]:
        return copies.wanted_digests(self.master.url) if self.terms.copied else fetched.wanted_digests(self.master)

    def ended_well(self, result: Result, when: str) -> bool:
        """A pass may fail, but it neither crashes nor lingers, and says why in one short line."""
        found = [] if result.status in ENDS else [f"it ended with {result.status}: {result.errors[-500:]}"]
        if result.seconds > LONGEST:
            found.append(f"it took {result.seconds:.0f} s: {result.errors[-500:]}")
        if result.status == 5 and (len(result.last_line) > 150 or "/" not in result.last_line):
            found.append(f"its last line names nothing, or is too long: {result.last_line}")
        return self.well(when, found)

    def strays(self) -> List[str]:
        """What a pass that ends with 0 must not leave behind, web/ aside, of which compare() knows more."""
        return [f"{path}: is left" for path in walk(self.mirror.directory)
                if not path.startswith("web") and path not in ("staging", "state.db")]

    def heals(self, when: str) -> bool:
        """A clean pass (or repair) ends in the master's state, and fetches nothing that is there."""
        before = self.fetched()
        whole = whole_files(self.mirror, self.wanted())
        with self.reading(f"clean pass after {when}"):
            result = self.mirror.do(*self.command, **self.options)
        self.row.passes += 1
        found = [] if result.status == 0 else [f"the clean pass ended with {result.status}: {result.errors[-500:]}"]
        # A damaged wheel may be fetched again together with its companion.
        again = [] if self.damaged else fetched_again(before, whole, self.fetched())
        found += [f"{path}: was whole, and was fetched again" for path in again]
        return self.well(when, found + self.differences() + self.strays() + self.verified())

    def fetched(self) -> Counts:
        return {**file_counts(self.master), **({PATH: self.host.requests} if self.host else {})}

    def verified(self) -> List[str]:
        """The product's own opinion, where it has one."""
        if not knows("\n  verify "):
            return []
        result = self.mirror.do("verify", **self.options)
        return [] if result.status == 0 else [f"verify: {result.output[-300:]} {result.errors[-300:]}"]
