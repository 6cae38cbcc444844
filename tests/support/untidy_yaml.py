"""YAML in any layout that people might use, with comments in any place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

WORDS = st.sampled_from(
    [
        "a",
        "yes",
        "12",
        "4.90",
        "2025-01-01",
        "~",
        "days_late > 3",
        "two words",
        "it's a text",
        "größer",
        "日本 語",
        'x == "y"',
        "f(a, b)",
    ]
)
NAMES = st.sampled_from(["rows", "cells", "legend", "when", "then", "with", "a_name", "in words", "größe", "rules"])
SIMPLE = st.sampled_from(
    ["a", "12", "2025-01-01", "~", "two words", '"quoted words"', "'single'", '"[x], y"', "größer"]
)
COMMENTS = st.sampled_from(["# a remark", "#none", "# größer: [x]", "#", "## - a: b"])


@st.composite
def untidy_texts(draw: st.DrawFn) -> str:
    """A document: a mapping or a list, with any ends of lines."""
    emit = _Emitter(draw)
    emit.block(0, depth=3)
    text = "\n".join(emit.lines) + draw(st.sampled_from(["", "\n", "\n\n# the end\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


class _Emitter:
    """Lines of a text, as they come."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.lines = draw, list[str]()
        self.ended_in_literal = False

    def pick(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def remarks(self, indent: int) -> None:
        """Blank lines and comments before an entry; none so deep that it would be part of a text above."""
        for _ in range(self.pick(0, 0, 0, 1, 2)):
            deepest = indent if self.ended_in_literal else indent + 4
            column = self.draw(st.integers(0, deepest))
            self.lines.append(self.pick("", " " * column + self.draw(COMMENTS)))
            self.ended_in_literal = self.ended_in_literal and not self.lines[-1]

    def block(self, indent: int, depth: int) -> None:
        """A mapping or a list whose entries stand in a column."""
        if self.pick(True, True, False):
            for name in self.draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
                self.remarks(indent)
                self.entry(" " * indent + name + self.pick(":", ":", " :"), indent, depth, at_key=True)
        else:
            for _ in range(self.pick(1, 2, 3)):
                self.remarks(indent)
                self.entry(" " * indent + "-", indent, depth, at_key=False)

    def entry(self, head: str, indent: int, depth: int, *, at_key: bool) -> None:
        """A key or a dash with what it holds."""
        options: list[Callable[[str, int, int, bool], None]] = [self.scalar, self.scalar, self.flow, self.literal]
        if depth:
            options += [self.nested, self.nested]
        if depth and not at_key:
            options.append(self.inline)
        self.ended_in_literal = False
        self.pick(*options)(head, indent, depth, at_key)

    def behind(self) -> str:
        return self.draw(st.sampled_from(["", "", "", " # close", "   # far", "  #tight"]))

    def scalar(self, head: str, indent: int, depth: int, at_key: bool) -> None:
        text = self.draw(WORDS)
        style = self.pick("plain", "plain", "single", "double", "two lines", "below", "none")
        if style == "none":
            self.lines.append(head + self.behind())
        elif style == "two lines":
            self.lines.append(f"{head} and so on")
            self.lines.append(" " * (indent + self.pick(1, 2, 7)) + "further on" + self.behind())
        elif style == "below":
            self.lines.append(head + self.behind())
            self.lines.append(" " * (indent + self.pick(1, 2, 5)) + text + self.behind())
        else:
            quoted = {
                "plain": text,
                "single": "'" + text.replace("'", "''") + "'",
                "double": '"' + text.replace('"', '\\"') + '"',
            }
            self.lines.append(head + self.pick(" ", "   ") + quoted[style] + self.behind())

    def flow(self, head: str, indent: int, depth: int, at_key: bool) -> None:
        cells = self.draw(st.lists(SIMPLE, max_size=4))
        gap = self.pick(", ", ",", " ,  ")
        is_map = self.pick(True, False)
        parts = [f"k{at}: {cell}" if is_map else cell for at, cell in enumerate(cells)]
        opening, closing = ("{", "}") if is_map else ("[", "]")
        if self.pick(True, True, False):
            pad = self.pick("", " ")
            self.lines.append(f"{head} {opening}{pad}{gap.join(parts)}{pad}{closing}{self.behind()}")
        else:
            self.lines.append(f"{head} {opening}  # the first")
            self.lines += [" " * (indent + self.pick(1, 4)) + part + "," for part in parts]
            self.lines.append(" " * (indent + 1) + closing + self.behind())

    def literal(self, head: str, indent: int, depth: int, at_key: bool) -> None:
        self.lines.append(head + " " + self.pick("|", ">", "|-", ">+") + self.pick("", "  # of lines"))
        inner = " " * (indent + self.pick(1, 2, 4))
        self.lines += [inner + "first # no comment", "", inner + "  deeper", inner + "last"]
        self.ended_in_literal = True

    def nested(self, head: str, indent: int, depth: int, at_key: bool) -> None:
        self.lines.append(head + self.behind())
        self.block(indent + self.pick(1, 2, 4), depth - 1)

    def inline(self, head: str, indent: int, depth: int, at_key: bool) -> None:
        """A mapping whose first key stands behind the dash."""
        blanks = self.pick(1, 3)
        start = len(self.lines)
        self.block(indent + 1 + blanks, depth - 1)
        first = next(
            at
            for at in range(start, len(self.lines))
            if self.lines[at].strip() and not self.lines[at].strip().startswith("#")
        )
        self.lines[first] = head + " " * blanks + self.lines[first].strip(" ")
