"""The quoted form of what YAML would eat, and texts in brackets that it has eaten already, put together again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.source import Authored, Span

LONGEST_RUN = 50
"""Pieces that one text is put together from, at most."""
CLOSING = {"(": ")", "[": "]", "{": "}"}
Node = TypeVar("Node")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of what stands between brackets: a plain text from `start` to `end` in the file, and whether it may go on, or
    be the rest of another.
    """

    start: int
    end: int
    opens: bool
    follows: bool


def quoted(text: str) -> str:
    """A text as YAML takes it whole: in double quotes, or in single ones where it holds double ones or a backslash.

    >>> print(quoted("default(x, y) > 3"), quoted('default(word, "none")'))
    "default(x, y) > 3" 'default(word, "none")'
    """
    line = shown_text(" ".join(text.split()))
    if '"' not in line and "\\" not in line:
        return f'"{line}"'
    return "'" + line.replace("'", "''") + "'"


def as_entry(key: str | None, text: str) -> str:
    """The quoted form, behind its key where it has one."""
    return f"{shown_text(key)}: {quoted(text)}" if key else quoted(text)


def split_fault(span: Span, text: str, key: str | None = None) -> Diagnostic:
    """What is said where YAML cut an expression."""
    return say("yaml-split", span, hint=f"quote the whole expression: `{as_entry(key, text)}`")


def unread(span: Span) -> Authored:
    """The stand-in for a text that could not be read, which was reported."""
    return Authored("", span, unread=True)


def quote_end(text: str, start: int) -> int:
    """Where the quote that opens at `start` has its partner on the same line; `start` where it has none.

    An apostrophe within a word opens nothing.
    """
    if text[start] == "'" and start and text[start - 1].isalnum():
        return start
    line_end = text.find("\n", start)
    end = text.find(text[start], start + 1, line_end if line_end >= 0 else len(text))
    return max(end, start)


def is_balanced(text: str) -> bool:
    """Whether every bracket outside quotes has its partner."""
    return open_brackets(text) == ""


def open_brackets(text: str) -> str | None:
    """The closing brackets that a text still needs, the next one last; None where one closes that was never opened."""
    needed = ""
    index = 0
    while index < len(text):
        sign = text[index]
        if sign in "\"'":
            index = quote_end(text, index)
        elif sign in CLOSING:
            needed += CLOSING[sign]
        elif sign in ")]}":
            if not needed.endswith(sign):
                return None
            needed = needed[:-1]
        index += 1
    return needed


def runs(pieces: Sequence[Piece], text: str) -> Iterable[tuple[int, int]]:
    """Which pieces, from the first to before the second of two indices, are one text that YAML cut at its commas."""
    index = 0
    while index < len(pieces):
        end = _end_of_run(pieces, index, text)
        yield index, end
        index = end


def _end_of_run(pieces: Sequence[Piece], first: int, text: str) -> int:
    start = pieces[first].start
    if not pieces[first].opens or not open_brackets(text[start : pieces[first].end]):
        return first + 1
    for last in range(first + 1, min(len(pieces), first + LONGEST_RUN)):
        if not pieces[last].follows:
            break
        if is_balanced(text[start : pieces[last].end]):
            return last + 1
    return first + 1
