"""Texts that authors wrote, and places in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

BLANK = " \t\r\n"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a file: `line` and `column` count from 1, `length` counts characters on that line."""

    path: str
    line: int = 1
    column: int = 1
    length: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Authored:
    """A text as its author meant it (`value`), and as it stands in the file (`raw`, beginning at `span`).

    `tail` is what follows it on its last line. `unread` is the stand-in for what could not be read, which was reported.
    """

    value: str
    span: Span = field(compare=False)
    raw: str = field(compare=False, repr=False, default="")
    plain: bool = field(compare=False, default=True)
    tail: str = field(compare=False, repr=False, default="")
    unread: bool = field(compare=False, repr=False, default=False)

    def part(self, start: int, end: int) -> Span:
        """The place of `value[start:end]`, through YAML's folding and quoting; the whole text's where it cannot be told."""
        places = _align(self.value, self.raw)
        if not self.value or start >= len(places):
            return self.span
        first = places[start]
        last = places[min(end, len(places)) - 1] if end > start else first
        before = self.raw[:first]
        line = before.count("\n")
        column = first - before.rfind("\n") if line else self.span.column + first
        stop = self.raw.find("\n", first)
        last = min(last, (stop if stop >= 0 else len(self.raw)) - 1)
        return Span(self.span.path, self.span.line + line, column, max(1, last - first + 1))


@lru_cache(maxsize=32)
def _align(value: str, raw: str) -> list[int]:
    """For each character of `value` its index in `raw`; shorter than `value` where an escape hides the rest."""
    places: list[int] = []
    at = _body(raw)
    index = 0
    while index < len(value) and at < len(raw):
        if value[index] in BLANK and raw[at] in BLANK:
            start = at
            while at < len(raw) and raw[at] in BLANK:
                at += 1
            while index < len(value) and value[index] in BLANK:
                places.append(start)
                index += 1
        elif value[index] == raw[at]:
            places.append(at)
            at += 2 if raw[at] == "'" and raw.startswith("''", at) and raw[0] == "'" else 1
            index += 1
        elif raw[at] in BLANK + "\\":
            at += 1
        else:
            break
    return places


def _body(raw: str) -> int:
    """Where the text begins in a scalar's raw form: behind a quote, or behind a block scalar's header line."""
    if raw[:1] in ("|", ">"):
        return raw.find("\n") + 1
    return 1 if raw[:1] in ("'", '"') else 0
