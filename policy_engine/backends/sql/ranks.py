"""A search among sorted constants by nested conditions: a dozen comparisons for a thousand of them."""

from __future__ import annotations

from collections.abc import Sequence

from policy_engine.backends.sql.build import Operand, Sql, choose

FEW = 8
"""So many are asked for one after the other, which reads more easily than conditions in conditions."""


def chosen_by_rank(key: Sql, ends: Sequence[int], values: Sequence[Operand]) -> Sql:
    """The value whose place is the number of `ends` that are not above the key; the key must be known."""
    if len(ends) <= FEW:
        return choose([(key < end, value) for end, value in zip(ends, values, strict=False)], values[-1])
    middle = len(ends) // 2
    below = chosen_by_rank(key, ends[:middle], values[: middle + 1])
    above = chosen_by_rank(key, ends[middle + 1 :], values[middle + 1 :])
    return choose([(key < ends[middle], below)], above)


def rank(key: Sql, ends: Sequence[int]) -> Sql:
    """How many of the sorted `ends` are not above the key; the key must be known."""
    return chosen_by_rank(key, ends, range(len(ends) + 1))
