"""What accounts use of a ruleset, and the regions into which the values of a fact are divided."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from policy_engine.language.formulas import Inputs


class Use(NamedTuple):
    """So many accounts: the last day on which one is dated, where accounts are, and the row and the key of the first one."""

    accounts: int
    last: date | None
    row: int
    key: str | None

    def merged(self, other: Use) -> Use:
        """The use by these and by other accounts."""
        last = max((day for day in (self.last, other.last) if day is not None), default=None)
        first = min(self, other, key=lambda use: use.row)
        return Use(self.accounts + other.accounts, last, first.row, first.key)


class Scale(StrEnum):
    """How values lie in order: as numbers, as days, or as so many days before the day of the question."""

    NUMBER = "number"
    DAY = "day"
    AGE = "days before the day of the question"
    WORD = "word"


EPOCH = date(1970, 1, 1)


class Regions(NamedTuple):
    """The values of a fact, divided at `edges`: below the first, at it, up to the next, and so on; each region has its number.

    Edges are whole numbers: of a number its units, of a day the days since `EPOCH`. Each word is a region of its own.
    """

    fact: str
    scale: Scale
    edges: tuple[int, ...] = ()

    def region(self, value: int) -> int:
        """The number of the region in which a value lies."""
        return sum((value > edge) + (value >= edge) for edge in self.edges)


class Uses(NamedTuple):
    """What the accounts of a table use of a ruleset.

    `ways` are reason codes by their decision, `inputs` those of conditions by the identity of each, `broken` the checks that
    invalid accounts break, `filled` the facts with the number of accounts that have them, `values` the regions of facts.
    `left_out` counts the conditions about elements of lists, which were not looked at.
    """

    rows: int
    valid: int
    ways: Mapping[tuple[str, str], Use]
    inputs: Mapping[int, Mapping[Inputs, Use]]
    broken: Mapping[int, Use]
    filled: Mapping[str, int]
    values: Mapping[str, Mapping[Hashable, Use]]
    left_out: int
