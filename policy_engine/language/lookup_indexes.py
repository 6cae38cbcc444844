"""The index of a look-up table: a dictionary over its exact keys, and below that a search among the ends of its ranges.

It is made once for a table, and finds a row by as many steps whatever the number of rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil
from operator import itemgetter
from typing import Any, NamedTuple

from policy_engine.language.lookup_tables import LookupTable, Range, TableRow
from policy_engine.language.rounding import EXACT
from policy_engine.language.types import LIMIT, Number, Type
from policy_engine.language.values import Value

MOST_PIECES = 2_000_000
"""Ranges of several keys cut one another; past so many pieces no index is made."""


class Pieces(NamedTuple):
    """What the values of a range key lead to: `parts[0]` those below all `starts`, `parts[i]` those from `starts[i - 1]` on."""

    starts: list[Any]
    parts: list[Branch | None]


Branch = Pieces | int
"""Pieces of the next range key, or at the end the number of a row."""


class TooManyPieces(Exception):  # noqa: N818 - not an error: the author is told
    """The ranges of a table cut one another into too many pieces."""


@dataclass(frozen=True, slots=True)
class Index:
    """What each combination of exact keys leads to, and the pairs of rows that have values in common."""

    groups: Mapping[tuple[Value, ...], Branch]
    clashes: list[tuple[int, int]] = field(default_factory=list)


def index_of(table: LookupTable) -> Index:
    """The index of a table; of two rows with values in common it has the first. Raises `TooManyPieces`."""
    return table.once("index", lambda: _index_of(table))


def _index_of(table: LookupTable) -> Index:
    exact = [at for at, key in enumerate(table.keys) if not key.ranged]
    ranged = [at for at, key in enumerate(table.keys) if key.ranged]
    if not ranged:
        groups: dict[tuple[Value, ...], Branch] = {row.keys: number for number, row in enumerate(table.rows)}
        if len(groups) == len(table.rows):
            return Index(groups)
    numbers: dict[Any, list[int]] = {}
    for number, row in enumerate(table.rows):
        numbers.setdefault(tuple([row.keys[at] for at in exact]), []).append(number)
    builder = _Builder(table, ranged)
    return Index({key: builder.branch(rows, 0) for key, rows in numbers.items()}, list(dict.fromkeys(builder.clashes)))


def row_found(table: LookupTable, values: Sequence[Value]) -> TableRow | None:
    """The row that has these values of the keys, found through the index; None where there is none."""
    exact = tuple([value for key, value in zip(table.keys, values, strict=True) if not key.ranged])
    branch: Any = index_of(table).groups.get(exact)
    for value in [value for key, value in zip(table.keys, values, strict=True) if key.ranged]:
        if branch is not None:
            branch = branch.parts[bisect_right(branch.starts, value)]
    return None if branch is None else table.rows[branch]


def index_in_units(table: LookupTable, kinds: Sequence[Type]) -> Index:
    """The index of a table for what is asked for in whole numbers of units of some types, one for each key.

    A key of a number is a whole number of these units, or nothing that is asked for is equal to it. A number is below the end of
    a range exactly where it is below the next whole number of units.
    """
    places = tuple(kind.places if isinstance(kind, Number) else None for kind in kinds)
    if places == (None,) * len(places):
        return index_of(table)
    return table.once(("index", places), lambda: _rescaled(table, kinds))


def _rescaled(table: LookupTable, kinds: Sequence[Type]) -> Index:
    index, keys = index_of(table), table.keys
    exact = [kind for kind, key in zip(kinds, keys, strict=True) if not key.ranged]
    ranged = [kind for kind, key in zip(kinds, keys, strict=True) if key.ranged]
    groups: dict[tuple[Any, ...], Branch] = {}
    for values, branch in index.groups.items():
        scaled = tuple([_whole(value, kind) for value, kind in zip(values, exact, strict=True)])
        if None not in scaled:
            groups[scaled] = _branch(branch, ranged)
    return Index(groups)


def _whole(value: Any, kind: Type) -> Any:
    """A value in units of a type, None where it is no whole number of them that fits."""
    if not isinstance(kind, Number):
        return value
    units = EXACT.scaleb(Decimal(value), kind.places)
    return int(units) if units == int(units) and abs(units) <= LIMIT else None


def _branch(branch: Branch | None, kinds: Sequence[Type]) -> Any:
    if not isinstance(branch, Pieces):
        return branch
    kind = kinds[0]
    starts = branch.starts
    if isinstance(kind, Number):
        starts = [min(max(ceil(EXACT.scaleb(Decimal(start), kind.places)), -LIMIT), LIMIT + 1) for start in starts]
    return Pieces(starts, [_branch(part, kinds[1:]) for part in branch.parts])


@dataclass(slots=True)
class _Builder:
    table: LookupTable
    ranged: Sequence[int]
    clashes: list[tuple[int, int]] = field(default_factory=list)
    pieces: int = 0

    def branch(self, numbers: Sequence[int], level: int) -> Branch:
        """What rows, which have the same values of all keys before, lead to."""
        if level < len(self.ranged):
            return self._pieces(numbers, level)
        self.clashes.extend((numbers[0], other) for other in numbers[1:])
        return numbers[0]

    def _pieces(self, numbers: Sequence[int], level: int) -> Pieces:
        """The pieces of one range key, from its ends in order."""
        if level + 1 == len(self.ranged):
            return self._last_pieces(numbers, self.ranged[level])
        events = _events(self.table, numbers, self.ranged[level])
        active = dict.fromkeys(events.open)
        parts: list[Branch | None] = [self._part(active, level)]
        for begun, ended in zip(events.begun, events.ended, strict=True):
            for number in ended:
                active.pop(number, None)
            active.update(dict.fromkeys(begun))
            parts.append(self._part(active, level))
        return Pieces(events.points, parts)

    def _last_pieces(self, numbers: Sequence[int], at: int) -> Pieces:
        """The pieces of the last range key: each belongs to one row, or to none."""
        ranges = [(self.table.rows[number].keys[at], number) for number in numbers]
        opened = [(held, number) for held, number in ranges if held.start is None]
        later = [(held.start, held.below, number) for held, number in ranges if held.start is not None]
        later.sort(key=itemgetter(0))
        starts: list[Any] = []
        parts: list[Branch | None] = [opened[0][1] if opened else None]
        end, last = (opened[0][0].below, opened[0][1]) if opened else (None, None)
        self.clashes.extend((opened[0][1], number) for _, number in opened[1:])
        for start, below, number in later:
            if last is not None and (end is None or start < end):
                self.clashes.append((last, number))
                continue
            if last is not None and end < start:
                starts.append(end)
                parts.append(None)
            starts.append(start)
            parts.append(number)
            end, last = below, number
        if last is not None and end is not None:
            starts.append(end)
            parts.append(None)
        return Pieces(starts, parts)

    def _part(self, active: Mapping[int, None], level: int) -> Branch | None:
        self.pieces += len(active) + 1
        if self.pieces > MOST_PIECES:
            raise TooManyPieces
        return self.branch(list(active), level + 1) if active else None


class _Events(NamedTuple):
    """The ends of ranges in order, the rows that begin and end at each, and those that are open at the start."""

    points: list[Any]
    begun: list[list[int]]
    ended: list[list[int]]
    open: list[int]


def _events(table: LookupTable, numbers: Iterable[int], at: int) -> _Events:
    begun: dict[Any, list[int]] = {}
    ended: dict[Any, list[int]] = {}
    opened = []
    for number in numbers:
        start, below = table.rows[number].keys[at]
        if start is None:
            opened.append(number)
        else:
            begun.setdefault(start, []).append(number)
        if below is not None:
            ended.setdefault(below, []).append(number)
    points = sorted(begun.keys() | ended.keys())
    return _Events(points, [begun.get(p, []) for p in points], [ended.get(p, []) for p in points], opened)


def common_part(table: LookupTable, one: int, other: int) -> list[Value | Range]:
    """For each key what two rows with values in common both have."""
    pairs = zip(table.rows[one].keys, table.rows[other].keys, strict=True)
    return [_common(first, second) for first, second in pairs]


def _common(first: Value | Range, second: Value | Range) -> Value | Range:
    if not (isinstance(first, Range) and isinstance(second, Range)):
        return first
    starts: list[Any] = [each.start for each in (first, second) if each.start is not None]
    ends: list[Any] = [each.below for each in (first, second) if each.below is not None]
    return Range(max(starts, default=None), min(ends, default=None))


def gaps_of(pieces: Pieces, low: Any, high: Any) -> Iterator[Any]:
    """The first value of each gap between two values, both included, at one level of ranges."""
    for at, part in enumerate(pieces.parts):
        start = low if at == 0 else max(low, pieces.starts[at - 1])
        end = pieces.starts[at] if at < len(pieces.starts) else None
        if part is None and start <= high and (end is None or start < end):
            yield start
