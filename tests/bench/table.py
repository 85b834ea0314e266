"""What is printed: a line for each thing measured, ratios, and at the end what was to be reached."""

from typing import Callable, List, NamedTuple, Optional, Sequence

from cost import Cost, Syncs, least, median


class Column(NamedTuple):
    title: str
    width: int
    text: Callable[[float, float], str]  # of the median and the least


def seconds(middle: float, smallest: float) -> str:
    return f"{middle:.3f} ({smallest:.3f})"


COLUMNS = (Column("wall s (least)", 17, seconds), Column("CPU s (least)", 17, seconds),
           Column("peak MiB", 10, lambda middle, _: f"{middle:.1f}"),
           Column("written MiB", 13, lambda middle, _: f"{middle:.1f}"),
           Column("requests", 10, lambda middle, _: f"{middle:,.0f}"))
LABEL = 40


class Goal(NamedTuple):
    text: str
    sign: str
    limit: float
    reached: float
    unit: str

    @property
    def met(self) -> bool:
        return self.reached <= self.limit if self.sign == "<=" else self.reached >= self.limit


class Table:
    def __init__(self) -> None:
        self.goals: List[Goal] = []
        titles = "".join(f"{column.title:>{column.width}}" for column in COLUMNS)
        print(f"{'':{LABEL}}{titles}{'commits':>9}{'flushes':>9}")

    def heading(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def line(self, label: str, costs: Sequence[Cost], syncs: Optional[Syncs] = None) -> Cost:
        middle, smallest = median(costs), least(costs)
        cells = "".join(f"{column.text(*pair):>{column.width}}" for column, pair in zip(COLUMNS, zip(middle, smallest)))
        counts = "".join(f"{count:>9,}" for count in syncs or ())  # blank: not looked for
        print(f"  {label:{LABEL - 2}}{cells}{counts}", flush=True)
        return middle

    def ratio(self, ours: Cost, baseline: Cost) -> None:
        cells = (f"{our / their:>{column.width}.2f}" if their else " " * column.width
                 for column, our, their in zip(COLUMNS, ours, baseline))
        print(f"  {'ratio':{LABEL - 2}}{''.join(cells)}", flush=True)

    def note(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def goal(self, text: str, reached: float, limit: float, unit: str = "", sign: str = "<=") -> None:
        self.goals.append(Goal(text, sign, limit, reached, unit))

    def end(self) -> None:
        print(f"\n{'What it must reach':80}{'goal':>13}{'reached':>14}")
        for goal in self.goals:
            limit, reached = (f"{value:.4g} {goal.unit}".rstrip() for value in (goal.limit, goal.reached))
            print(f"  {goal.text:76}{goal.sign + ' ' + limit:>15}{reached:>14}  {'met' if goal.met else 'MISSED'}")
