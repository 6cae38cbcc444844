"""What the changes come to: how many of each kind, by what made them, with examples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

import polars as pl

from policy_engine.reports.comparison.changes import ANSWER, ATTRIBUTION, KIND, RULES, VALIDITY, grouped
from policy_engine.reports.comparison.moves import Moves

MOST_ATTRIBUTIONS = 5
"""The number of attributions that are told of each kind of change; the most frequent ones."""


@dataclass(frozen=True, slots=True)
class ChangedAccount:
    """An account whose answer changes: its row, its key or None, both sides of what differs, and their reasons if told.

    `old_value` and `new_value` are those of the condition that made the difference.
    """

    row: int
    key: str | None
    old: str
    new: str
    old_value: str | None = None
    new_value: str | None = None
    old_reason: str = ""
    new_reason: str = ""


@dataclass(frozen=True, slots=True)
class AttributionCount:
    """What made a difference for `rows` accounts: `why` is None where it was not found.

    `old_condition` are the words of the older side where they are others. The values are told where they are the same for all.
    """

    why: str | None
    rule: str | None
    condition: str | None
    old_condition: str | None
    old_value: str | None
    new_value: str | None
    rows: int
    examples: tuple[ChangedAccount, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A kind of change in the answers to a decision, with the number of accounts that have it, and what made it.

    `part` is answer (status and outcome), rules, missing or values.NAME. Changes of answers and rules are counted for each pair
    of `old` and `new`; those of the other parts are counted together, and `old` and `new` are empty.
    """

    decision: str
    part: str
    old: str
    new: str
    rows: int
    attributions: tuple[AttributionCount, ...]
    other_attributions: int

    @property
    def examples(self) -> tuple[ChangedAccount, ...]:
        """Some accounts, of all attributions told, in the order of the table."""
        return tuple(
            sorted((one for attribution in self.attributions for one in attribution.examples), key=lambda one: one.row)
        )


VALUES = ("old_value", "new_value")
SHOWN = ("row", "key", "old", "new", "old_value", "new_value", "old_reason", "new_reason")
"""The columns of changes that an account is shown with."""
Bounds = tuple[str, str] | None
"""The least and the greatest of some texts, None where there is none."""
Key = tuple[str | None, ...]
"""What a group of changes has in common: the columns of `KIND` and of `ATTRIBUTION`."""


@dataclass(slots=True)
class Group:
    """The accounts that change in one way for one attribution, so far: how many, the first, and the values of the condition."""

    rows: int = 0
    first: list[ChangedAccount] = field(default_factory=list)
    bounds: tuple[Bounds, Bounds] = (None, None)

    def add(self, rows: int, first: Iterable[ChangedAccount], bounds: tuple[Bounds, Bounds], examples: int) -> None:
        """Add those of a piece."""
        self.rows += rows
        self.first = sorted([*self.first, *first], key=lambda account: account.row)[:examples]
        old, new = (_wider(*pair) for pair in zip(self.bounds, bounds, strict=True))
        self.bounds = old, new


@dataclass(slots=True)
class Counts:
    """What the changes of all pieces come to so far; pieces may come from several threads, and in any order."""

    examples: int
    groups: dict[Key, Group] = field(default_factory=dict)
    moves: Moves = field(default_factory=Moves)
    lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, changes: pl.DataFrame) -> None:
        """Add the changes of a piece. What is kept of it is copied: a slice of a column would keep all of the column."""
        told = changes.filter(pl.col("part") != VALIDITY)
        if not told.height:
            return
        self.moves.add(told)
        groups = self._groups(told)
        with self.lock:
            for key, rows, first, bounds in groups:
                self.groups.setdefault(key, Group()).add(rows, first, bounds, self.examples)

    def _groups(self, told: pl.DataFrame) -> list[tuple[Key, int, list[ChangedAccount], tuple[Bounds, Bounds]]]:
        shown = pl.struct(SHOWN).head(self.examples)
        bounds = [
            each
            for name in VALUES
            for each in (pl.col(name).min().alias(name), pl.col(name).max().alias(f"{name} max"))
        ]
        found = grouped(told).agg(pl.len(), shown.alias("examples"), *bounds)
        size = len(KIND) + len(ATTRIBUTION)
        return [
            (
                row[:size],
                row[size],
                [ChangedAccount(**one) for one in row[size + 1]],
                (_pair(*row[-4:-2]), _pair(*row[-2:])),
            )
            for row in found.iter_rows()
        ]

    def changes(self, decisions: Sequence[str]) -> Iterator[Change]:
        """All changes: decisions in their order, in each its answers before the rest, the most frequent first."""
        kinds: dict[tuple[str, str, str, str], list[AttributionCount]] = {}
        for key, group in self.groups.items():
            decision, part, old, new, *_ = (each or "" for each in key)
            kinds.setdefault((decision, part, old, new), []).append(_attribution(key, group))
        parts = {part: place for place, part in enumerate((ANSWER, RULES, *sorted({key[1] for key in kinds})))}
        sizes = {key: sum(attribution.rows for attribution in attributions) for key, attributions in kinds.items()}
        for key in sorted(kinds, key=lambda key: (decisions.index(key[0]), parts[key[1]], -sizes[key], key)):
            found = sorted(kinds[key], key=lambda each: (-each.rows, str(each)))
            rest = sum(each.rows for each in found[MOST_ATTRIBUTIONS:])
            yield Change(*key, sizes[key], tuple(found[:MOST_ATTRIBUTIONS]), rest)


def _pair(least: str | None, greatest: str | None) -> Bounds:
    return None if least is None or greatest is None else (least, greatest)


def _wider(one: Bounds, other: Bounds) -> Bounds:
    return (min(one[0], other[0]), max(one[1], other[1])) if one is not None and other is not None else one or other


def _attribution(key: Key, group: Group) -> AttributionCount:
    why, rule, condition, old_condition = key[len(KIND) :]
    old, new = (bounds[0] if bounds is not None and bounds[0] == bounds[1] else None for bounds in group.bounds)
    return AttributionCount(why, rule, condition, old_condition, old, new, group.rows, tuple(group.first))
