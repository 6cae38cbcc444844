"""Sets of situations, as boxes that limit some sub-expressions of a ruleset to a set of values each.

A situation is what the facts, the day and the readings are. Numbers (in their units) and dates (as ordinals) are kept as ranges
of integers, texts and booleans as lists of values. A region may be larger than it should (`exact` is false then), never smaller:
what is not in it surely does not happen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

from policy_engine.language.values import Value

MOST_BOXES = 16
"""A region of more boxes is replaced by a larger one, which bounds the time that a ruleset takes."""
Range = tuple[int, int]
"""Integers from the first to the last, both included."""
LEAST, GREATEST = -(10**20), 10**20
"""Bounds that no number, in its units, and no date exceeds."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Integers in ascending ranges that neither touch nor overlap."""

    ranges: tuple[Range, ...]

    def __and__(self, other: Ordered) -> Ordered:
        met = ((max(a, c), min(b, d)) for a, b in self.ranges for c, d in other.ranges)
        return Ordered(tuple(sorted((low, high) for low, high in met if low <= high)))

    def __or__(self, other: Ordered) -> Ordered:
        return ~(~self & ~other)

    def __sub__(self, other: Ordered) -> Ordered:
        return self & ~other

    def __invert__(self) -> Ordered:
        ends = [LEAST, *(end for low, high in self.ranges for end in (low - 1, high + 1)), GREATEST]
        return Ordered(tuple((low, high) for low, high in zip(ends[::2], ends[1::2], strict=True) if low <= high))

    def __bool__(self) -> bool:
        return bool(self.ranges)


@dataclass(frozen=True, slots=True)
class Listed:
    """The values listed, or, with `but`, all values except those, which are never none."""

    values: frozenset[Value]
    but: bool = False

    def __and__(self, other: Listed) -> Listed:
        if self.but and other.but:
            return Listed(self.values | other.values, but=True)
        if self.but:
            return Listed(other.values - self.values)
        return Listed(self.values - other.values if other.but else self.values & other.values)

    def __or__(self, other: Listed) -> Listed:
        return ~(~self & ~other)

    def __sub__(self, other: Listed) -> Listed:
        return self & ~other

    def __invert__(self) -> Listed:
        return Listed(self.values, but=not self.but)

    def __bool__(self) -> bool:
        return self.but or bool(self.values)


@dataclass(frozen=True, slots=True)
class PossibleValues:
    """The values that a sub-expression may have, an `Ordered` or a `Listed`, and whether it may be unknown."""

    known: Any
    unknown: bool

    def __and__(self, other: PossibleValues) -> PossibleValues:
        return PossibleValues(self.known & other.known, self.unknown and other.unknown)

    def __or__(self, other: PossibleValues) -> PossibleValues:
        return PossibleValues(self.known | other.known, self.unknown or other.unknown)

    def __bool__(self) -> bool:
        return self.unknown or bool(self.known)


Index: TypeAlias = int
"""The number of a sub-expression that has a domain."""
Box: TypeAlias = Mapping[Index, PossibleValues]
"""The situations in which each of these sub-expressions is in its domain, and every other is anything."""
Universes: TypeAlias = Sequence[PossibleValues]
"""For each sub-expression all that it may ever be."""


@dataclass(frozen=True, slots=True)
class Region:
    """The situations that are in at least one of the boxes, none of which is empty."""

    boxes: tuple[Box, ...]
    exact: bool = True

    @property
    def empty(self) -> bool:
        """Whether no situation is in it."""
        return not self.boxes


EVERYTHING, NOTHING = Region(({},)), Region(())
ANYTHING = Region(({},), exact=False)
"""The region of a condition about which nothing is known."""


def both(left: Region, right: Region, universes: Universes) -> Region:
    """The intersection of two regions; where it would have too many boxes, only the left one."""
    if len(left.boxes) * len(right.boxes) > MOST_BOXES * MOST_BOXES:
        return Region(left.boxes, exact=False)
    met = (_met(one, other) for one in left.boxes for other in right.boxes)
    boxes = _merged([box for box in met if box is not None], universes)
    return Region(boxes, left.exact and right.exact) if len(boxes) <= MOST_BOXES else Region(left.boxes, exact=False)


def either(regions: Iterable[Region], universes: Universes) -> Region:
    """The union of some regions."""
    found = list(regions)
    boxes = _merged([box for region in found for box in region.boxes], universes)
    return Region(boxes, all(region.exact for region in found)) if len(boxes) <= MOST_BOXES else ANYTHING


def all_of(regions: Iterable[Region], universes: Universes) -> Region:
    """The intersection of some regions."""
    return reduce(lambda left, right: both(left, right, universes), regions, EVERYTHING)


def _met(one: Box, other: Box) -> Box | None:
    """The intersection of two boxes, None where it is empty."""
    box = dict(one)
    for index, domain in other.items():
        box[index] = domain & box[index] if index in box else domain
        if not box[index]:
            return None
    return box


def _merged(boxes: list[Box], universes: Universes) -> tuple[Box, ...]:
    """The same situations in fewer boxes: two that differ in one sub-expression become one."""
    before = -1
    while len(boxes) > 1 and len(boxes) != before:
        before = len(boxes)
        for index in sorted({index for box in boxes for index in box}):
            boxes = _merged_along(boxes, index, universes[index])
    return ({},) if any(not box for box in boxes) else tuple(boxes)


def _merged_along(boxes: list[Box], index: Index, universe: PossibleValues) -> list[Box]:
    alike: dict[frozenset[tuple[Index, PossibleValues]], list[PossibleValues]] = defaultdict(list)
    for box in boxes:
        rest = frozenset(item for item in box.items() if item[0] != index)
        alike[rest].append(box.get(index, universe))
    joined = ((dict(rest), reduce(lambda a, b: a | b, domains)) for rest, domains in alike.items())
    return [box if domain == universe else {**box, index: domain} for box, domain in joined]
