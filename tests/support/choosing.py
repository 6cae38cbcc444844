"""Small choices made by Hypothesis, or by a seed; every choice shrinks towards the first, the least, or no."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


@cache
def _whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


class Choices:
    """What a composite strategy draws with."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low if low == high else int(self.draw(_whole(low, high)))

    def one_of(self, items: Sequence[T]) -> T:
        """One of several."""
        return items[self.between(0, len(items) - 1)]

    def chance(self, percent: int) -> bool:
        """True so many times in a hundred."""
        return self.between(0, 99) >= 100 - percent

    def some(self, least: int, most: int, make: Callable[[], T]) -> list[T]:
        """Some of what is made."""
        return [make() for _ in range(self.between(least, most))]


class SeededChoices(Choices):
    """The same choices for a seed each time; they cost a small part of those of Hypothesis, and do not shrink."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.random.randint(low, high)
