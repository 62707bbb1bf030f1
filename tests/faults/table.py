"""The fault table: each row with its demand and its result.

Each module in `rows` has `ROWS`, a tuple of `Row`, and is in the table by being there. A figure
that is a wall time depends on the machine and its load: it is printed, but never asserted.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.faults import rows

FULL = 1.0
SMALLEST = 0.0
"""Shares of the numbers that faults.md names. `make test` takes the smallest: each thing once."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a figure has to be. Made by `at_most`, `at_least` and `exactly`."""

    relation: str
    value: float

    def met_by(self, reached: float) -> bool:
        """Whether it is enough."""
        match self.relation:
            case "≤":
                return reached <= self.value
            case "≥":
                return reached >= self.value
            case _:
                return reached == self.value

    def __str__(self) -> str:
        return f"{self.relation} {self.value:g}".strip()


def at_most(value: float) -> Demand:
    """No more than this."""
    return Demand("≤", value)


def at_least(value: float) -> Demand:
    """No less than this."""
    return Demand("≥", value)


def exactly(value: float) -> Demand:
    """This, and nothing else: counts."""
    return Demand("", value)


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured.

    Args:
        what: Such as "our share, p95".
        reached: What it was.
        demanded: What it has to be; None where faults.md asks for nothing, and it only tells.
        unit: Of both, such as "ms"; "" for a count.
        wall_time: Whether it depends on how busy the machine is. Never of a count.
        known: Why it is known to fall short. It is printed as short all the same.
    """

    what: str
    reached: float
    demanded: Demand | None
    unit: str = ""
    wall_time: bool = False
    known: str = ""

    def __post_init__(self) -> None:
        if self.wall_time and not self.unit:
            raise ValueError(f"expected a unit: a count is never a wall time, got {self.what!r}")

    @property
    def short(self) -> bool:
        """Whether it is not what was demanded."""
        return self.demanded is not None and not self.demanded.met_by(self.reached)

    @property
    def failed(self) -> bool:
        """Whether it falls short, no machine is to blame, and it is news."""
        return self.short and not self.wall_time and not self.known


@dataclass(frozen=True, slots=True)
class Row:
    """One fault, or a part of what is demanded of it: a number may occur several times.

    Args:
        number: As in faults.md.
        fault: What is done, in a few words.
        measure: Does it, and returns what was reached. Takes a share of the full numbers, from
            `SMALLEST` to `FULL`: see `scaled`.
        virtual: Whether it is lived in virtual time, and so does not mind what else is running.
        cost_s: About how long one core computes the full numbers of a virtual one.
        beside: Whether one in real time mostly waits, and has no wall time among its figures, so
            that other such rows may run at the same time.
        small: Whether its smallest numbers are small enough for `make test`.
    """

    number: int
    fault: str
    measure: Callable[[float], Iterable[Figure]]
    virtual: bool = False
    cost_s: int = 0
    beside: bool = False
    small: bool = True


def scaled(full: int, share: float, least: int = 1) -> int:
    """How often to do what is done `full` times in a full measurement."""
    return max(least, round(full * share))


def all_rows() -> list[Row]:
    """The rows of every module in `rows`, by number; parts of one row in the module's order."""
    names = [module.name for module in pkgutil.iter_modules(rows.__path__, f"{rows.__name__}.")]
    found = [row for name in names for row in importlib.import_module(name).ROWS]
    return sorted(found, key=lambda row: row.number)
