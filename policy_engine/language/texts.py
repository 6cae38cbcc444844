"""What functions of texts mean: letters by the tables of Unicode, places by code points."""

from __future__ import annotations

from collections.abc import Sequence

BLANKS = " \t\n\r\u00a0"
"""What `trim` takes away: the blank, the tab, the ends of lines and the blank that does not break."""


def trimmed(text: str) -> str:
    """A text without blanks at its start and its end."""
    return text.strip(BLANKS)


def concatenated(*texts: str) -> str:
    """Texts one after another."""
    return "".join(texts)


def joined(texts: Sequence[str], separator: str) -> str:
    """The texts of a list with a separator between each two."""
    return separator.join(texts)


def equal_ignoring_case(one: str, other: str) -> bool:
    """Whether two texts are equal once Unicode's case folding has been applied to both."""
    return one.casefold() == other.casefold()


def matches(text: str, pattern: str) -> bool:
    """Whether a pattern, written as in schemas, is found in a text."""
    from policy_engine.language.text_patterns import matcher  # noqa: PLC0415 - only rules with a pattern need the engine

    return matcher(pattern)(text)
