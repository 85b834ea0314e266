"""What was done and what came of it: a row for each thing tried, printed as one table at the end."""

import time
from dataclasses import dataclass, field
from typing import List

COLUMNS = ("faults", "kills", "cuts", "full", "passes", "links", "violations")


@dataclass
class Row:
    """One kind of trouble in one situation."""

    part: str
    what: str
    faults: int = 0      # calls that went wrong
    kills: int = 0       # SIGKILLs that met a program at work
    cuts: int = 0        # of the power
    full: int = 0        # episodes of a full disk
    passes: int = 0      # clean passes that were compared with the master
    links: int = 0       # that the reader followed
    violations: int = 0
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def __enter__(self) -> "Row":
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self.began
        print(line(self), flush=True)

    @property
    def label(self) -> str:
        return f"{self.part}: {self.what}"


def heading() -> str:
    return f"{'':40}" + "".join(f"{title:>11}" for title in COLUMNS) + f"{'seconds':>9}"


def line(row: Row) -> str:
    counts = [getattr(row, title) for title in COLUMNS]
    cells = "".join(f"{count:>11,}" if count else f"{'-':>11}" for count in counts)
    return f"{row.label:40}{cells}{row.seconds:>9.0f}"


def total(rows: List[Row]) -> Row:
    sums = {title: sum(getattr(row, title) for row in rows) for title in (*COLUMNS, "seconds")}
    return Row("all", "together", **sums)
