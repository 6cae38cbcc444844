"""What a dialect cannot work out exactly: refused with a diagnostic at its place, never answered differently."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

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


class Row(NamedTuple):
    """What is refused for a reason, as the documentation says it, and by which dialects: by all where none is named."""

    what: str
    dialects: tuple[str, ...] = ()


REFUSED: Mapping[Refusal, Row] = MappingProxyType(
    {
        Refusal.CASE: Row("`lower`, `equals_ignoring_case`"),
        Refusal.PATTERN: Row("a pattern with a count above 255", ("postgres",)),
        Refusal.WIDE: Row("comparing or rounding ratios of large numbers", ("duckdb", "spark")),
        Refusal.LONG_NAME: Row("a fact, or a column of the result, with a name of more than 63 bytes", ("postgres",)),
        Refusal.NUL: Row("a text with the character of code 0"),
        Refusal.NESTED: Row("a list of lists, or of ratios, in a rule", ("postgres",)),
        Refusal.LONG: Row("date functions one in another for each element of a list"),
        Refusal.REPEATED: Row("`uniqueItems` of a list of records or lists, in a column that is no `JSONB`"),
        Refusal.DATE_TEXT: Row(
            "`pattern`, `enum`, `const` or a length beside the `format` of a date, an instant or a time"
        ),
        Refusal.LARGE_TABLE: Row("a look-up in a large table for each element of a list"),
    }
)
"""What is refused; `docs/make.py` writes it into the page, and each row has a test."""


def refused(refusal: Refusal, dialect: str, place: Node | Span, what: str | None = None) -> RulesetError:
    """The error with the diagnostic; `what` is the author's text where the place is no node."""
    span = place.span if isinstance(place, Node) else place
    text = place.text if isinstance(place, Node) else what
    return RulesetError([say("not-in-sql", span, text=text, dialect=dialect, why=refusal)])
