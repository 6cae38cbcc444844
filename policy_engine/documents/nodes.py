"""The nodes of a YAML document: scalars, sequences and mappings, each with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from policy_engine.source import Authored, Span

INTEGER = re.compile(r"[-+]?[0-9]+")
DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?")
MOST_DIGITS = 40
"""Signs of a number, so that a file cannot make us count for long; what rules reckon with has 18 digits."""
LARGEST_EXPONENT = 60


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text; `text.plain` tells whether it was written without quotes."""

    text: Authored

    @property
    def span(self) -> Span:
        """Where the scalar stands."""
        return self.text.span


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list; `flow` where it was written in brackets, and then `raw` is what stands in the file."""

    items: tuple[YamlNode, ...]
    span: Span = field(compare=False)
    flow: bool = False
    raw: str = field(compare=False, repr=False, default="")


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values in order; keys differ from one another."""

    entries: tuple[tuple[Authored, YamlNode], ...]
    span: Span = field(compare=False)
    flow: bool = False

    def get(self, key: str) -> YamlNode | None:
        """The value of a key."""
        return next((value for name, value in self.entries if name.value == key), None)

    def key_span(self, key: str) -> Span:
        """Where a key stands; the mapping itself where it has no such key."""
        return next((name.span for name, _ in self.entries if name.value == key), self.span)


YamlNode: TypeAlias = ScalarNode | SequenceNode | MappingNode
Plain: TypeAlias = "bool | int | Decimal | str | list[Plain] | dict[str, Plain] | None"


def plain_scalar(text: Authored) -> bool | int | Decimal | str | None:
    """A scalar by the core schema of YAML 1.2: null, true, false, numbers; all else, and all in quotes, is text."""
    value = text.value
    if not text.plain:
        return value
    if value in ("", "~", "null", "Null", "NULL"):
        return None
    if value in ("true", "True", "TRUE"):
        return True
    if value in ("false", "False", "FALSE"):
        return False
    if value[0] in "+-.0123456789" and not is_huge(text):
        if INTEGER.fullmatch(value):
            return int(value)
        if DECIMAL.fullmatch(value):
            return Decimal(value)
    return value


def is_huge(text: Authored) -> bool:
    """Whether a text is a number that nobody could mean, by its length or its exponent; it is read as a text."""
    number = DECIMAL.fullmatch(text.value) if text.plain else None
    if number is None:
        return False
    exponent = (number[2] or "e0")[1:]
    return len(text.value) > MOST_DIGITS or len(exponent) > 5 or abs(int(exponent)) > LARGEST_EXPONENT


def scalars(node: YamlNode | None) -> Iterator[Authored]:
    """The texts of all scalars in a node, at any depth; those of keys left out."""
    match node:
        case ScalarNode(text=text):
            yield text
        case SequenceNode(items=items):
            for item in items:
                yield from scalars(item)
        case MappingNode(entries=entries):
            for _, value in entries:
                yield from scalars(value)


def plain(node: YamlNode) -> Plain:
    """A node as plain data, in the types of JSON with exact decimals."""
    match node:
        case ScalarNode(text=text):
            return plain_scalar(text)
        case SequenceNode(items=items):
            return [plain(item) for item in items]
        case MappingNode(entries=entries):
            return {key.value: plain(value) for key, value in entries}


def as_written(node: YamlNode) -> object:
    """A document without places, quotes and layout: a text is itself, anything else a list that begins with its kind."""
    match node:
        case ScalarNode(text=text):
            return text.value if isinstance(plain_scalar(text), str) else ["other", text.value]
        case SequenceNode(items=items):
            return ["list", *map(as_written, items)]
        case MappingNode(entries=entries):
            return ["mapping", *([key.value, as_written(value)] for key, value in entries)]
