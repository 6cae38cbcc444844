"""What made the difference between two answers: of the rules that decided, the first that differs, and in it the smallest part.

Over tables: an attribution is a number in a column, so that millions of accounts have theirs from a few expressions. The columns
of a frame are those of both sides, each behind the name of its side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl

from policy_engine.backends.columnar import arithmetic
from policy_engine.language.types import ListOf, Number
from policy_engine.reports.comparison.pairing import Pairing, Part, type_of

OLD, NEW = "old ", "new "
"""What stands before the names of a side's columns."""
NO_ATTRIBUTION = pl.lit(None, dtype=pl.Int64)


class Why(StrEnum):
    """What an attribution is.

    `CONDITION`: a part of a condition, or of a value, has another value. `NEW_PART` and `OLD_PART`: a part that only one side
    has decides there. `NEW_RULE` and `OLD_RULE`: only one side has the rule that decides. `OUTCOME`: the same rule gives another
    outcome. `NAME`: the same rule has another name. `ORDER`: the rules stand in another order. `WAY`: the decision is made in
    another way, such as by a matrix.
    """

    CONDITION = "condition"
    NEW_PART = "new condition"
    OLD_PART = "old condition"
    NEW_RULE = "new rule"
    OLD_RULE = "old rule"
    OUTCOME = "outcome"
    NAME = "name"
    ORDER = "order"
    WAY = "way"


@dataclass(frozen=True, slots=True)
class Attribution:
    """What may have made a difference, with the part that it is about, if any, and the outcomes of the same rule."""

    why: Why
    part: Part | None = None
    outcomes: tuple[str | None, str | None] | None = None


def part_name(part: Part) -> str:
    """The name of a part's column, without its side."""
    return f"(part {part.number})"


@dataclass(slots=True)
class Attributions:
    """The attributions that there may be, by their numbers.

    `levels` are the columns that find the smallest part of each part, those below first. `asked` are the numbers of the parts
    whose values the sides have to give.
    """

    pairing: Pairing
    attributions: list[Attribution] = field(default_factory=list)
    part_attributions: dict[int, int] = field(default_factory=dict)
    levels: list[list[pl.Expr]] = field(default_factory=list)
    depths: dict[int, int] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)

    def attribution(
        self, why: Why, part: Part | None = None, outcomes: tuple[str | None, str | None] | None = None
    ) -> int:
        """The number of a new attribution."""
        self.attributions.append(Attribution(why, part, outcomes))
        return len(self.attributions) - 1

    def column(self, side: str, part: Part) -> pl.Expr:
        """The column of a part's value on a side."""
        self.asked.add(part.number)
        return pl.col(f"{side}{part_name(part)}")

    def prepare(self, columns: Iterable[pl.Expr]) -> None:
        """Columns that others need first."""
        if not self.levels:
            self.levels.append([])
        self.levels[0].extend(columns)

    def found(self, part: Part) -> pl.Expr:
        """The number of the smallest part that differs in a part of both sides; null where none does."""
        if part.number not in self.depths:
            below = [self._depth(each) for each in part.parts if each.is_shared]
            depth = self.depths[part.number] = max(below, default=-1) + 1
            while len(self.levels) <= depth:
                self.levels.append([])
            self.levels[depth].append(self._smallest(part).alias(f"(found {part.number})"))
        return pl.col(f"(found {part.number})")

    def _depth(self, part: Part) -> int:
        self.found(part)
        return self.depths[part.number]

    def own(self, part: Part) -> pl.Expr:
        """The number of a part itself as an attribution."""
        if part.number not in self.part_attributions:
            self.asked.add(part.number)
            why = Why.CONDITION if part.is_shared else Why.OLD_PART if part.new is None else Why.NEW_PART
            self.part_attributions[part.number] = self.attribution(why, part)
        return pl.lit(self.part_attributions[part.number], dtype=pl.Int64)

    def differs(self, part: Part) -> pl.Expr:
        """Whether a part that both sides have has another value."""
        old, new = self.column(OLD, part), self.column(NEW, part)
        assert part.old is not None
        assert part.new is not None
        match type_of(part.old), type_of(part.new):
            case Number() as one, Number() as other:
                places = max(one.places, other.places)
                return arithmetic.rescaled(old, one, places).ne_missing(arithmetic.rescaled(new, other, places))
            case ListOf(element=one), ListOf(element=other) if one != other:
                return pl.lit(True)
            case one, other if type(one) is not type(other):
                return old.is_not_null() | new.is_not_null()
        return old.ne_missing(new)

    def _smallest(self, part: Part) -> pl.Expr:
        if not part.measured:
            below = [self.found(each) for each in part.parts if each.is_shared]
            return pl.coalesce(below) if below else NO_ATTRIBUTION
        return pl.when(self.differs(part)).then(pl.coalesce(*self._below(part), self.own(part)))

    def _below(self, part: Part) -> list[pl.Expr]:
        match part.joined:
            case "all" | "any":
                return [self._decisive(part, each) for each in part.parts]
            case "branch" if part.parts[0].measured:
                condition, then, otherwise = part.parts
                chosen = pl.when(self.column(NEW, condition)).then(self.found(then)).otherwise(self.found(otherwise))
                return [self.found(condition), chosen]
        return [self.found(each) for each in part.parts if each.is_shared]

    def _decisive(self, part: Part, operand: Part) -> pl.Expr:
        """An operand where it has the value of the whole on the side on which that decides: false of all, true of any."""
        old, new = _rank(self.column(OLD, part), part.joined), _rank(self.column(NEW, part), part.joined)
        found = self.found(operand) if operand.is_shared else self.own(operand)
        by_old = _rank(self.column(OLD, operand), part.joined) == old if operand.old is not None else pl.lit(False)
        by_new = _rank(self.column(NEW, operand), part.joined) == new if operand.new is not None else pl.lit(False)
        return pl.when(pl.when(old < new).then(by_old).otherwise(by_new)).then(found)


def _rank(truth: pl.Expr, joined: str) -> pl.Expr:
    """A truth as a number, the lower the more it decides: false before unknown before true, or the other way round."""
    decisive = truth if joined == "any" else ~truth
    return pl.when(decisive).then(0).when(~decisive).then(2).otherwise(1)
