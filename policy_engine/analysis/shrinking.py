"""Making facts small while something stays true of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

MOST_STEPS = 400
"""So many smaller facts are tried."""


def shrunk(value: Any, holds: Callable[[Any], bool]) -> Any:
    """Facts with as many members and elements left out as can be for something to hold, from the outside in.

    >>> shrunk({"a": 1, "b": [{"c": 2, "d": 3}, {"c": 4}]}, lambda facts: any(one.get("c") == 4 for one in facts.get("b", ())))
    {'b': [{'c': 4}]}
    """
    steps = 0
    smaller = _smaller(value)
    while (tried := next(smaller, None)) is not None and steps < MOST_STEPS:
        steps += 1
        if holds(tried):
            value, smaller = tried, _smaller(tried)
    return value


def _smaller(value: Any) -> Iterator[Any]:
    """A value with one member or element left out, here first and then in those that are left."""
    match value:
        case Mapping():
            yield from ({name: value[name] for name in value if name != left} for left in value)
            for name, part in value.items():
                yield from ({**value, name: less} for less in _smaller(part))
        case list():
            yield from ([*value[:at], *value[at + 1 :]] for at in range(len(value)))
            for at, part in enumerate(value):
                yield from ([*value[:at], less, *value[at + 1 :]] for less in _smaller(part))
