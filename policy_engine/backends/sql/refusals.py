"""What a dialect cannot work out exactly: refused with a diagnostic at its place, never answered differently."""

from __future__ import annotations

from enum import StrEnum

from policy_engine.diagnostics import say
from policy_engine.errors import RulesetError
from policy_engine.language.expressions import Node
from policy_engine.source import Span


class Refusal(StrEnum):
    """The reasons, as the diagnostic says them."""

    CASE = "large and small letters of all scripts are told apart by other tables there"
    PATTERN = "it has no patterns with counts above 255"
    WIDE = "numbers of more digits than it holds would be needed"
    LONG_NAME = "the name is cut off there, so that two could become one"
    NUL = "a text there cannot hold the character of code 0"
    NESTED = "a list cannot hold lists of different lengths, or ratios, there"
    LONG = "for each element of a list it would be written out too many times; give the dates it is made of to a fact"
    REPEATED = "whether records or lists in a list are equal is asked differently there"
    DATE_TEXT = "a column of dates, instants or times does not hold the text that it asks about"
    LARGE_TABLE = "a look-up for each element of a list cannot join a table of more than 500 rows"


def refused(refusal: Refusal, dialect: str, place: Node | Span, what: str | None = None) -> RulesetError:
    """The error with the diagnostic; `what` is the author's text where the place is no node."""
    span = place.span if isinstance(place, Node) else place
    text = place.text if isinstance(place, Node) else what
    return RulesetError([say("not-in-sql", span, text=text, dialect=dialect, why=refusal)])
