"""Truth in three values: true, false, and an `Unknown` that carries what is missing (sentences 4 to 6)."""

from __future__ import annotations

from collections.abc import Iterable

from policy_engine.language.values import Unknown, Value, is_unknown, merge, unknown_parts


def conjunction(operands: Iterable[Value]) -> Value:
    """`and`: false beats unknown, unknown beats true; the order of operands never matters."""
    return _junction(list(operands), False)


def disjunction(operands: Iterable[Value]) -> Value:
    """`or`: true beats unknown, unknown beats false; the order of operands never matters."""
    return _junction(list(operands), True)


def _junction(operands: list[Value], decisive: bool) -> Value:
    if any(operand is decisive for operand in operands):
        return decisive
    return unknown_of(operands) or (not decisive)


def negation(operand: Value) -> Value:
    """`not`: the negation of an unknown is that unknown."""
    return operand if isinstance(operand, Unknown) else not operand


def unknown_of(values: Iterable[Value]) -> Unknown | None:
    """One unknown for all that is unknown among the values, None where all are known."""
    values = list(values)
    if not any(is_unknown(value) for value in values):
        return None
    return merge([part for value in values for part in unknown_parts(value)])
