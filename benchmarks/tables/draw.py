"""Chance that depends on nothing but a seed, a row and what is drawn, so that every part of a table can be made by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from zlib import crc32

import numpy as np

Floats: TypeAlias = Any
Integers: TypeAlias = Any
Truths: TypeAlias = Any
"""Vectors of NumPy, which need not be there to check the project."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Draws for so many rows, counted from `first`."""

    first: int
    count: int
    seed: int

    @property
    def numbers(self) -> Integers:
        """The numbers of the rows."""
        return np.arange(self.first, self.first + self.count, dtype=np.int64)

    def unit(self, what: str) -> Floats:
        """Numbers from 0 up to but not including 1 (SplitMix64, the same on every machine)."""
        bits = self.numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        bits += np.uint64((crc32(what.encode()) << 32 | self.seed) & (2**64 - 1))
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
        return ((bits ^ (bits >> np.uint64(31))) >> np.uint64(11)) / 2.0**53

    def chance(self, what: str, share: float) -> Truths:
        """True in this share of the rows."""
        return self.unit(what) < share

    def between(self, what: str, low: int, high: int, skew: float = 1.0) -> Integers:
        """Integers from `low` to `high`; with a skew above 1 more of them are low."""
        return (low + self.unit(what) ** skew * (high - low + 1)).astype(np.int64)

    def index(self, what: str, weights: Sequence[float]) -> Integers:
        """Places in a list, by weight."""
        bounds = np.cumsum(weights)
        found = np.searchsorted(bounds / bounds[-1], self.unit(what), side="right")
        return np.minimum(found, len(weights) - 1).astype(np.int64)
