"""The causes, in words, for which a value is unknown although no fact is missing; they appear in reasons of answers."""

from __future__ import annotations

ZERO_DENOMINATOR = "a denominator is zero"
OUTSIDE = "a date falls outside the years 0001 to 9999"
INSTANT_OUTSIDE = "an instant falls outside the years 0001 to 9999"
LEFT_UNKNOWN = "the rules leave a value unknown"


def no_rule(decision: str) -> str:
    """The cause of what is asked of a decision in a gap, by its id."""
    return f"`{decision}` has no rule for these facts"


def not_given(decision: str) -> str:
    """The cause of a value that a decision has in other cases, by its id."""
    return f"`{decision}` does not give this value here"


def within(cause: str, definition: str) -> str:
    """The cause of an unknown definition, which names it unless it names a definition below it already."""
    return cause if cause.endswith("`") else f"{cause} in `{definition}`"
