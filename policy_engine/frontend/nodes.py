"""A YAML document as plain data with places."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from policy_engine.source import Authored, Span

INTEGER = re.compile(r"[-+]?[0-9]+")
DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?")
MOST_DIGITS = 40


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
    """A list; `flow` where it was written in brackets."""

    items: tuple[YamlNode, ...]
    span: Span = field(compare=False)
    flow: bool = False


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values in order; keys differ from one another."""

    entries: tuple[tuple[Authored, YamlNode], ...]
    span: Span = field(compare=False)
    flow: bool = False

    def get(self, key: str) -> YamlNode | None:
        """The value of a key."""
        return next((value for name, value in self.entries if name.value == key), None)


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
    if len(value) <= MOST_DIGITS:
        if INTEGER.fullmatch(value):
            return int(value)
        if DECIMAL.fullmatch(value):
            return Decimal(value)
    return value


def plain(node: YamlNode) -> Plain:
    """A node as plain data, in the types of JSON with exact decimals."""
    match node:
        case ScalarNode(text=text):
            return plain_scalar(text)
        case SequenceNode(items=items):
            return [plain(item) for item in items]
        case MappingNode(entries=entries):
            return {key.value: plain(value) for key, value in entries}
