"""Quotes and brackets in YAML texts: quoting a text, joining an unquoted text that YAML split at commas, curly quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.nodes import DECIMAL
from policy_engine.fixes import Hint
from policy_engine.source import Authored, Span

LONGEST_RUN = 50
"""Pieces that one text is put together from, at most."""
CLOSING = {"(": ")", "[": "]", "{": "}"}
DOUBLE, SINGLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb", "\u2018\u2019\u201a\u201b"
CURLY = re.compile(f"[{DOUBLE}{SINGLE}]")
WRAPPED = re.compile(f"[{DOUBLE}]([^{DOUBLE}]*)[{DOUBLE}]|[{SINGLE}]([^{DOUBLE}{SINGLE}]*)[{SINGLE}]", re.DOTALL)
NEXT_LINE = re.compile(r"[ \t]*\n\s*")
TO_STRAIGHT = str.maketrans({**dict.fromkeys(DOUBLE, '"'), **dict.fromkeys(SINGLE, "'")})


@dataclass(frozen=True, slots=True)
class FlowPiece:
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
    return in_quotes(shown_text(" ".join(text.split())))


def in_quotes(text: str) -> str:
    """The same, whole and with all its signs; where it goes on in another line there is a blank."""
    line = NEXT_LINE.sub(" ", text.strip())
    if '"' not in line and "\\" not in line:
        return f'"{line}"'
    return "'" + line.replace("'", "''") + "'"


def as_entry(key: str | None, text: str) -> str:
    """The quoted form, behind its key where it has one."""
    return f"{shown_text(key)}: {quoted(text)}" if key else quoted(text)


def split_fault(span: Span, text: str, key: str | None = None) -> Diagnostic:
    """The diagnostic for an expression that YAML split, and which stands in the file just so."""
    hint = Hint(f"quote the whole expression: `{as_entry(key, text)}`", text, in_quotes(text), as_is=True)
    return say("yaml-split", span, hint=hint)


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


def unquoted(text: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """Each character outside quotes from a place on, with its index."""
    at = start
    while at < len(text):
        if text[at] in "\"'":
            at = quote_end(text, at)
        else:
            yield at, text[at]
        at += 1


def open_brackets(text: str) -> str | None:
    """The closing brackets that a text still needs, the next one last; None where one closes that was never opened."""
    needed = ""
    for _, sign in unquoted(text):
        if sign in CLOSING:
            needed += CLOSING[sign]
        elif sign in ")]}":
            if not needed.endswith(sign):
                return None
            needed = needed[:-1]
    return needed


def runs(pieces: Sequence[FlowPiece], text: str) -> Iterator[tuple[int, int]]:
    """Which pieces, from the first to before the second of two indices, are one text that YAML cut at its commas."""
    index = 0
    while index < len(pieces):
        end = _end_of_run(pieces, index, text)
        yield index, end
        index = end


def _end_of_run(pieces: Sequence[FlowPiece], first: int, text: str) -> int:
    start = pieces[first].start
    if not pieces[first].opens or not open_brackets(text[start : pieces[first].end]):
        return first + 1
    for last in range(first + 1, min(len(pieces), first + LONGEST_RUN)):
        if not pieces[last].follows:
            break
        if open_brackets(text[start : pieces[last].end]) == "":
            return last + 1
    return first + 1


def unwrapped(text: str) -> str | None:
    """What stands between one pair of curly quotes that is around the whole of a text; None where there is no such pair."""
    found = WRAPPED.fullmatch(text.strip())
    return None if found is None else found[1] if found[1] is not None else found[2]


def read_as_quotes(text: Authored, faults: list[Diagnostic]) -> Authored:
    """A text whose author took curly quotes for quotes, as it was meant, which is reported; any other text as it is."""
    inner = unwrapped(text.value) if text.plain else None
    if inner is None:
        return text
    number = bool(DECIMAL.fullmatch(inner))
    advice = f"write straight ones: `{quoted(inner)}`"
    exactly = Hint(advice, text.raw, in_quotes(inner), as_is=True)
    hint = f"leave them out: `{inner}`, or {advice}" if number else exactly
    faults.append(say("curly-quotes", text.span, hint=hint, text=text.value))
    return replace(text, value=inner, plain=number)
