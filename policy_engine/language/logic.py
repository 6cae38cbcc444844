"""Three-valued logic: true, false, and `Unknown`, which carries what is missing (sentences 4 to 6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policy_engine.language.values import Unknown, Value, merge, unknown_parts


def conjunction(operands: Sequence[Value]) -> Value:
    """`and`: false beats unknown, unknown beats true; the order of operands never matters."""
    return _junction(operands, False)


def disjunction(operands: Sequence[Value]) -> Value:
    """`or`: true beats unknown, unknown beats false; the order of operands never matters."""
    return _junction(operands, True)


def _junction(operands: Sequence[Value], decisive: bool) -> Value:
    sure = True
    for operand in operands:
        if operand is decisive:
            return decisive
        sure = sure and operand.__class__ is bool
    return not decisive if sure else unknown_of(operands) or (not decisive)


def negation(operand: Value) -> Value:
    """`not`: the negation of an unknown is that unknown."""
    return operand if isinstance(operand, Unknown) else not operand


def unknown_of(values: Iterable[Value]) -> Unknown | None:
    """One unknown for all that is unknown among the values, None where all are known."""
    found: list[Unknown] = []
    for value in values:
        if isinstance(value, Unknown):
            found.append(value)
        elif isinstance(value, tuple):
            found += unknown_parts(value)
    if len(found) > 1:
        return merge(found)
    return found[0] if found else None
