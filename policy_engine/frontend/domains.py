"""Sets of values that one fact, or any other part of an expression, may have: the basis of what is found about rules.

What has an order (numbers in their units, dates as ordinals) lies in stretches of integers; what has none (texts, booleans) is
listed, or is all but what is listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar

from policy_engine.language.values import Value

Stretch = tuple[int, int]
"""Integers from the first to the last, both included."""


class Values(Protocol):
    """A set of known values; two sets of one part of an expression are of one kind."""

    def __and__(self, other: Self, /) -> Self: ...

    def __or__(self, other: Self, /) -> Self: ...

    def __sub__(self, other: Self, /) -> Self: ...

    @property
    def empty(self) -> bool:
        """Whether there is surely no value in it."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """Integers in stretches that neither touch nor overlap, in order."""

    stretches: tuple[Stretch, ...]

    def __and__(self, other: Ordered) -> Ordered:
        met = ((max(a, c), min(b, d)) for a, b in self.stretches for c, d in other.stretches)
        return Ordered(tuple(sorted((low, high) for low, high in met if low <= high)))

    def __or__(self, other: Ordered) -> Ordered:
        return Ordered(reduce(_added, sorted(self.stretches + other.stretches), ()))

    def __sub__(self, other: Ordered) -> Ordered:
        return reduce(_without, other.stretches, self)

    @property
    def empty(self) -> bool:
        """Whether there is no value in it."""
        return not self.stretches


def _added(stretches: tuple[Stretch, ...], new: Stretch) -> tuple[Stretch, ...]:
    """Stretches in order with one more, which begins no earlier than they."""
    if stretches and new[0] <= stretches[-1][1] + 1:
        return (*stretches[:-1], (stretches[-1][0], max(stretches[-1][1], new[1])))
    return (*stretches, new)


def _without(values: Ordered, taken: Stretch) -> Ordered:
    parts = (
        (low, high) for a, b in values.stretches for low, high in ((a, min(b, taken[0] - 1)), (max(a, taken[1] + 1), b))
    )
    return Ordered(tuple((low, high) for low, high in parts if low <= high))


@dataclass(frozen=True, slots=True)
class Listed:
    """The values listed, or, where `but` is true, all values but those: then there are always some."""

    values: frozenset[Value]
    but: bool = False

    def __and__(self, other: Listed) -> Listed:
        match self.but, other.but:
            case True, True:
                return Listed(self.values | other.values, but=True)
            case True, False:
                return Listed(other.values - self.values)
            case False, True:
                return Listed(self.values - other.values)
        return Listed(self.values & other.values)

    def __or__(self, other: Listed) -> Listed:
        return _all_but(_all_but(self) & _all_but(other))

    def __sub__(self, other: Listed) -> Listed:
        return self & _all_but(other)

    @property
    def empty(self) -> bool:
        """Whether there is no value in it."""
        return not self.but and not self.values


def _all_but(values: Listed) -> Listed:
    return Listed(values.values, but=not values.but)


V = TypeVar("V", bound=Values)


@dataclass(frozen=True, slots=True)
class Domain(Generic[V]):
    """The known values that something may have, and whether it may be unknown."""

    known: V
    unknown: bool

    def __and__(self, other: Domain[V]) -> Domain[V]:
        return Domain(self.known & other.known, self.unknown and other.unknown)

    def __or__(self, other: Domain[V]) -> Domain[V]:
        return Domain(self.known | other.known, self.unknown or other.unknown)

    def __sub__(self, other: Domain[V]) -> Domain[V]:
        return Domain(self.known - other.known, self.unknown and not other.unknown)

    @property
    def empty(self) -> bool:
        """Whether nothing is in it, not even what is unknown."""
        return self.known.empty and not self.unknown


AnyDomain: TypeAlias = Domain[Any]
