"""Regions: which situations a condition holds in, as boxes that limit some parts of expressions to a domain each.

A region may be larger than it should (`exact` is false then), never smaller: what is not in it is surely not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from policy_engine.frontend.domains import AnyDomain

MOST_BOXES = 16
"""A region of more boxes is replaced by a larger one, so that no ruleset takes long."""
Part: TypeAlias = int
"""The number of a part of an expression that has a domain."""
Box: TypeAlias = Mapping[Part, AnyDomain]
"""The situations in which each of these parts is in its domain, and every other part is anything."""
Universes: TypeAlias = Sequence[AnyDomain]
"""For each part all that it may ever be."""


@dataclass(frozen=True, slots=True)
class Region:
    """The situations that are in at least one of the boxes, none of which is empty."""

    boxes: tuple[Box, ...]
    exact: bool = True

    @property
    def empty(self) -> bool:
        """Whether there is surely no situation in it."""
        return not self.boxes


EVERYTHING, NOTHING = Region(({},)), Region(())
ANYTHING = Region(({},), exact=False)
"""What takes the place of a region that is not known."""


def where(part: Part, domain: AnyDomain) -> Region:
    """The situations in which one part is in a domain."""
    return NOTHING if domain.empty else Region(({part: domain},))


def both(left: Region, right: Region, universes: Universes) -> Region:
    """The situations that are in two regions; where these are too many boxes, only the left one."""
    exact = left.exact and right.exact
    if len(left.boxes) * len(right.boxes) > MOST_BOXES * MOST_BOXES:
        return Region(left.boxes, exact=False)
    met = (_met(one, other) for one in left.boxes for other in right.boxes)
    boxes = _merged([box for box in met if box is not None], universes)
    return Region(boxes, exact) if len(boxes) <= MOST_BOXES else Region(left.boxes, exact=False)


def either(regions: Iterable[Region], universes: Universes) -> Region:
    """The situations that are in one of some regions."""
    found = list(regions)
    boxes = _merged([box for region in found for box in region.boxes], universes)
    if len(boxes) > MOST_BOXES:
        return ANYTHING
    return Region(boxes, all(region.exact for region in found))


def all_of(regions: Iterable[Region], universes: Universes) -> Region:
    """The situations that are in every one of some regions."""
    return reduce(lambda left, right: both(left, right, universes), regions, EVERYTHING)


def _met(one: Box, other: Box) -> Box | None:
    """The box that lies in both, None where none does."""
    box = dict(one)
    for part, domain in other.items():
        box[part] = domain & box[part] if part in box else domain
        if box[part].empty:
            return None
    return box


def _merged(boxes: list[Box], universes: Universes) -> tuple[Box, ...]:
    """The same situations in fewer boxes: two that differ in one part become one."""
    before = -1
    while len(boxes) > 1 and len(boxes) != before:
        before = len(boxes)
        for part in sorted({part for box in boxes for part in box}):
            boxes = _merged_along(boxes, part, universes[part])
    return ({},) if any(not box for box in boxes) else tuple(boxes)


def _merged_along(boxes: list[Box], part: Part, universe: AnyDomain) -> list[Box]:
    alike: dict[frozenset[tuple[Part, AnyDomain]], list[AnyDomain]] = defaultdict(list)
    for box in boxes:
        rest = frozenset(item for item in box.items() if item[0] != part)
        alike[rest].append(box.get(part, universe))
    joined = ((dict(rest), reduce(lambda a, b: a | b, domains)) for rest, domains in alike.items())
    return [box if domain == universe else {**box, part: domain} for box, domain in joined]
