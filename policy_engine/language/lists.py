"""What functions and aggregates of lists mean, over lists all of whose elements are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain
from operator import itemgetter
from typing import Any

Pair = tuple[Any, Any]


def joined(*lists: Iterable[Any]) -> tuple[Any, ...]:
    """The elements of lists, one list after another."""
    return tuple(chain(*lists))


def distinct(elements: Iterable[Any]) -> tuple[Any, ...]:
    """The elements without those that are equal to one before them."""
    return tuple(dict.fromkeys(elements))


def taken(elements: Sequence[Any], number: int) -> Sequence[Any]:
    """The first so many elements."""
    return elements[: max(0, number)]


def taken_last(elements: Sequence[Any], number: int) -> Sequence[Any]:
    """The last so many elements."""
    return elements[max(0, len(elements) - max(0, number)) :]


def contains_all(elements: Iterable[Any], others: Iterable[Any]) -> bool:
    """Whether each of the others is an element."""
    return set(others) <= set(elements)


def counts_by(keys: Iterable[Any]) -> tuple[int, ...]:
    """How often each key occurs, in the order in which the keys first do."""
    return sums_by((key, 1) for key in keys)


def sums_by(pairs: Iterable[Pair]) -> tuple[Any, ...]:
    """The numbers of each key added up, in the order in which the keys first occur."""
    sums: dict[Any, Any] = {}
    for key, number in pairs:
        sums[key] = sums[key] + number if key in sums else number
    return tuple(sums.values())


def sorted_by(pairs: Iterable[Pair]) -> tuple[Any, ...]:
    """The elements in rising order of their keys; those of equal keys stay in the order given."""
    return tuple([element for _, element in sorted(pairs, key=itemgetter(0))])


def covered_days(periods: Iterable[tuple[date, date]]) -> int:
    """How many days lie in some period; each holds its start and not its end."""
    days, covered = 0, date.min
    for start, until in sorted(periods):
        if until > covered:
            days += max(0, (until - max(start, covered)).days)
            covered = until
    return days
