"""The outline of a file: what can be folded, and the parts that have a name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.documents.yaml_reader import read_text
from policy_engine.lsp.symbols import span_of
from policy_engine.source import Authored, Span

NAMES_OF_ITEMS = ("id", "name", "code")
"""The keys by which the items of a list are known."""
DEEPEST = 3
"""So many levels of parts below the sections of a file are told."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines that can be folded, counted from 0; `comment` where they are a comment."""

    start: int
    end: int
    comment: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file: its name and where it stands, the number of its last line from 0, and the parts in it."""

    name: str
    span: Span
    last_line: int
    parts: tuple[Part, ...] = ()


def folds(lines: Sequence[str]) -> list[Fold]:
    """What can be folded: lines with what is indented further below them, and comments of several lines."""
    ends = _ends(lines)
    found = [Fold(start, end) for start, end in ends.items() if end > start]
    return sorted([*found, *_comments(lines)], key=lambda fold: (fold.start, -fold.end))


def _ends(lines: Sequence[str]) -> dict[int, int]:
    """For each line that is neither blank nor a comment the last line of what is indented further below it."""
    ends: dict[int, int] = {}
    above: list[tuple[int, int]] = []
    last = 0
    for number, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        while above and above[-1][1] >= indent and not _is_item_of(line, lines[above[-1][0]], indent, above[-1][1]):
            ends[above.pop()[0]] = last
        above.append((number, indent))
        last = number
    return {**ends, **{number: last for number, _ in above}}


def _is_item_of(line: str, above: str, indent: int, above_indent: int) -> bool:
    """Whether a line is an item of the list under a key that is not indented less."""
    return indent == above_indent and line.lstrip().startswith("-") and not above.lstrip().startswith("-")


def _comments(lines: Sequence[str]) -> Iterator[Fold]:
    start: int | None = None
    for number, line in enumerate([*lines, ""]):
        if line.lstrip().startswith("#"):
            start = number if start is None else start
        elif start is not None:
            if number - 1 > start:
                yield Fold(start, number - 1, comment=True)
            start = None


def parts_of(text: str, path: str) -> tuple[Part, ...]:
    """The parts of a rule or test file that have a name; none where it cannot be read."""
    node, _ = read_text(text, path)
    return tuple(_parts(node, _ends(text.split("\n")), DEEPEST)) if node is not None else ()


def _parts(node: YamlNode, ends: dict[int, int], depth: int) -> Iterator[Part]:
    match node:
        case MappingNode(entries=entries):
            for key, value in entries:
                if isinstance(value, MappingNode | SequenceNode) or depth == DEEPEST:
                    yield _part(key, value, ends, depth)
        case SequenceNode(items=items):
            for item in items:
                name = next((name for key in NAMES_OF_ITEMS if (name := _text(item, key)) is not None), None)
                if name is not None:
                    yield _part(name, item, ends, depth)


def _part(name: Authored, value: YamlNode, ends: dict[int, int], depth: int) -> Part:
    below = tuple(_parts(value, ends, depth - 1)) if depth else ()
    last = max([ends.get(name.span.line - 1, name.span.line - 1), *(part.last_line for part in below)])
    return Part(name.value or "-", span_of(name), last, below)


def _text(node: YamlNode, key: str) -> Authored | None:
    found = node.get(key) if isinstance(node, MappingNode) else None
    return found.text if isinstance(found, ScalarNode) and found.text.value else None
