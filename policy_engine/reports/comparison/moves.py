"""How far values move: the differences of numbers, and of dates in days, counted by how often each occurs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Lock

import polars as pl

from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Date, Number
from policy_engine.language.units import written_units
from policy_engine.reports.values import unit_of_value

PERCENTILES = (5, 25, 50, 75, 95)
MOST_APART = 50
"""The number of pieces whose differences are kept apart; past that they are counted together."""
KEYS = ("decision", "part", "difference")


@dataclass(frozen=True, slots=True)
class Distribution:
    """By how much a value differs, in its unit (dates in days): for how many it goes up and down, and by how much in sum.

    `quantiles` are by percent: of so many the difference is at most this.
    """

    decision: str
    value: str
    unit: str
    up: int
    down: int
    gained: Decimal
    lost: Decimal
    least: Decimal
    greatest: Decimal
    quantiles: Mapping[int, Decimal]


@dataclass(slots=True)
class Moves:
    """The differences so far: equal ones are counted, and not held one by one. Pieces may come from several threads."""

    pieces: list[pl.DataFrame] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, changes: pl.DataFrame) -> None:
        """Add the changes of a piece."""
        found = changes.drop_nulls("difference").group_by(*KEYS).agg(rows=pl.len().cast(pl.Int64))
        if found.height:
            with self.lock:
                self.pieces.append(found)
                if len(self.pieces) > MOST_APART:
                    self.pieces = [self._together()]

    def _together(self) -> pl.DataFrame:
        return pl.concat(self.pieces).group_by(*KEYS).agg(pl.col("rows").sum())

    def distributions(self, ruleset: Ruleset, decisions: Sequence[str]) -> Iterator[Distribution]:
        """The distribution of each value that differs somewhere."""
        if not self.pieces:
            return
        counted, units = self._together().sort("difference"), written_units(ruleset)
        for name in decisions:
            logic = ruleset.decision(name)
            for value, kind in logic.answer_types:
                here = counted.filter((pl.col("decision") == name) & (pl.col("part") == f"values.{value}"))
                if here.height:
                    unit = "days" if isinstance(kind, Date) else unit_of_value(units, logic, value)
                    yield _distribution(name, value, unit, here, kind.places if isinstance(kind, Number) else 0)


def _distribution(decision: str, value: str, unit: str, moves: pl.DataFrame, places: int) -> Distribution:
    """The distribution of differences in order, with so many places."""
    differences, rows = moves["difference"], moves["rows"]
    scale = differences.dtype.scale  # type: ignore[attr-defined]  # they are decimals
    units, until = differences.to_physical().cast(pl.Int128), rows.cum_sum()
    ranks = pl.Series([(int(until[-1]) - 1) * percent // 100 + 1 for percent in PERCENTILES], dtype=pl.Int64)
    quantiles = differences.gather(until.search_sorted(ranks, side="left")).to_list()

    def told(number: int) -> Decimal:
        return _with_places(EXACT.scaleb(Decimal(number), -scale), places)

    def total(where: pl.Series) -> int:
        return int((units * rows.cast(pl.Int128)).filter(where).sum())

    return Distribution(
        decision,
        value,
        unit,
        up=int(rows.filter(units > 0).sum()),
        down=int(rows.filter(units < 0).sum()),
        gained=told(total(units > 0)),
        lost=told(-total(units < 0)),
        least=_with_places(differences[0], places),
        greatest=_with_places(differences[-1], places),
        quantiles={percent: _with_places(each, places) for percent, each in zip(PERCENTILES, quantiles, strict=True)},
    )


def _with_places(number: Decimal, places: int) -> Decimal:
    """A number with so many places; with more, where it has them."""
    written = EXACT.quantize(number, Decimal(1).scaleb(-places))
    return written if written == number else number
