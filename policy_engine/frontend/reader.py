"""YAML 1.2 with exact places, on PyYAML's events: the only module that knows PyYAML.

PyYAML reads YAML 1.1, where `no` is false and `22:30` is 1350, keeps the last of two equal keys and expands aliases without
bound. So scalars stay text here, and this module composes the nodes and refuses what could surprise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.source import Authored, Span

if TYPE_CHECKING:
    from yaml._yaml import Mark as FastMark
    from yaml.error import Mark

LARGEST_FILE = 1_000_000
"""Bytes; the largest rulebook file we know has 60,000."""
MOST_PARTS = 100_000
DEEPEST = 60
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Refused(Exception):  # noqa: N818 - carries a diagnostic, and never leaves this module
    """Reading cannot go on."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic


@dataclass(slots=True)
class Reader:
    """One pass over the events of a file."""

    path: str
    text: str
    events: Iterator[yaml.Event]
    faults: list[Diagnostic]
    anchors: dict[str, tuple[YamlNode, int]] = field(default_factory=dict)
    parts: int = 0


def read_file(path: Path, shown: str | None = None) -> tuple[str, YamlNode | None, list[Diagnostic]]:
    """The text of a file, its document (None where there is none to go on with), and its faults."""
    name = shown or str(path)
    here = Span(name)
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            return "", None, [say("file-too-large", here, size=size, limit=LARGEST_FILE)]
        content = path.read_bytes()
    except OSError as error:
        return "", None, [say("file-unreadable", here, why=error.strerror or type(error).__name__)]
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        return "", None, [say("file-not-text", here)]
    return (text, *read_text(text, name))


def read_text(text: str, path: str) -> tuple[YamlNode | None, list[Diagnostic]]:
    """The document of a text and its faults."""
    faults = _control_characters(text, path)
    if faults:
        return None, faults
    reader = Reader(path, text, yaml.parse(text, Loader=yaml.CSafeLoader), faults)
    try:
        return _document(reader), faults
    except Refused as refused:
        return None, [*faults, refused.diagnostic]
    except yaml.MarkedYAMLError as error:
        return None, [*faults, _syntax_fault(error, reader)]


def _control_characters(text: str, path: str) -> list[Diagnostic]:
    found = []
    for match in CONTROL.finditer(text):
        before = text[: match.start()]
        span = Span(path, before.count("\n") + 1, match.start() - before.rfind("\n"))
        found.append(say("yaml-control-character", span, character=f"U+{ord(match.group()):04X}"))
    return found[:10]


def _document(reader: Reader) -> YamlNode:
    node: YamlNode | None = None
    for event in reader.events:
        if isinstance(event, yaml.DocumentStartEvent) and node is not None:
            raise Refused(say("yaml-several-documents", _span(reader, event)))
        if isinstance(event, yaml.NodeEvent):
            node = _node(reader, event, 1)
    if node is None:
        raise Refused(say("file-empty", Span(reader.path)))
    return node


def _node(reader: Reader, event: yaml.NodeEvent, depth: int) -> YamlNode:
    if depth > DEEPEST:
        raise Refused(say("yaml-too-deep", _span(reader, event), limit=DEEPEST))
    if isinstance(event, yaml.AliasEvent):
        return _alias(reader, event)
    before = reader.parts
    _count(reader, event, 1)
    node: YamlNode
    if isinstance(event, yaml.ScalarEvent):
        node = ScalarNode(_authored(reader, event))
    elif isinstance(event, yaml.SequenceStartEvent):
        node = _sequence(reader, event, depth)
    else:
        assert isinstance(event, yaml.MappingStartEvent)
        node = _mapping(reader, event, depth)
    if event.tag is not None and event.tag != "!":
        reader.faults.append(say("yaml-tag", _span(reader, event), tag=event.tag))
    if event.anchor is not None:
        reader.anchors[event.anchor] = (node, reader.parts - before)
    return node


def _alias(reader: Reader, event: yaml.AliasEvent) -> YamlNode:
    """What an alias stands for, its parts counted as if written out; an anchor still open is not there yet."""
    if event.anchor not in reader.anchors:
        raise Refused(say("yaml-alias", _span(reader, event), name=event.anchor))
    node, parts = reader.anchors[event.anchor]
    _count(reader, event, parts)
    return node


def _count(reader: Reader, event: yaml.Event, parts: int) -> None:
    reader.parts += parts
    if reader.parts > MOST_PARTS:
        raise Refused(say("yaml-too-big", _span(reader, event), limit=MOST_PARTS))


def _sequence(reader: Reader, start: yaml.SequenceStartEvent, depth: int) -> SequenceNode:
    items = []
    for event in reader.events:
        if isinstance(event, yaml.SequenceEndEvent):
            break
        items.append(_below(reader, event, depth))
    return SequenceNode(tuple(items), _span(reader, start), bool(start.flow_style))


def _mapping(reader: Reader, start: yaml.MappingStartEvent, depth: int) -> MappingNode:
    entries: dict[str, tuple[Authored, YamlNode]] = {}
    for event in reader.events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key = _below(reader, event, depth)
        value = _below(reader, next(reader.events), depth)
        if not isinstance(key, ScalarNode):
            reader.faults.append(say("yaml-key", key.span))
        elif key.text.value == "<<":
            reader.faults.append(say("yaml-merge", key.span))
        elif key.text.value in entries:
            reader.faults.append(say("yaml-duplicate-key", key.span, key=key.text.value))
        else:
            entries[key.text.value] = (key.text, value)
    return MappingNode(tuple(entries.values()), _span(reader, start), bool(start.flow_style))


def _below(reader: Reader, event: yaml.Event, depth: int) -> YamlNode:
    assert isinstance(event, yaml.NodeEvent)
    return _node(reader, event, depth + 1)


def _authored(reader: Reader, event: yaml.ScalarEvent) -> Authored:
    start, end = _marks(event)
    raw = reader.text[start.index : end.index]
    tail = reader.text[end.index : reader.text.find("\n", end.index) % (len(reader.text) + 1)]
    return Authored(event.value, _span(reader, event), raw, not event.style, tail)


def _marks(event: yaml.Event) -> tuple[Mark | FastMark, Mark | FastMark]:
    """Where an event begins and ends; PyYAML's own reader always tells."""
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark, event.end_mark


def _span(reader: Reader, event: yaml.Event) -> Span:
    start, end = _marks(event)
    length = end.column - start.column if end.line == start.line else len(_line(reader, start.line)) - start.column
    return Span(reader.path, start.line + 1, start.column + 1, max(1, length))


def _line(reader: Reader, line: int) -> str:
    lines = reader.text.split("\n")
    return lines[line].rstrip() if line < len(lines) else ""


def _syntax_fault(error: yaml.MarkedYAMLError, reader: Reader) -> Diagnostic:
    """PyYAML's complaint in our words, where we have some; the common mistakes get the form to write instead."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return say("yaml-syntax", Span(reader.path), why=error.problem or "unreadable")
    span = Span(reader.path, mark.line + 1, mark.column + 1)
    line = _line(reader, mark.line)
    rest = line[mark.column :]
    problem = error.problem or "unreadable"
    if rest.startswith("\t") or "\t" in line[: mark.column + 1] or "tab character" in problem:
        return say("yaml-tab", span)
    if rest[:1] in ("@", "`", "%", "*", "&", "!"):
        return say("yaml-special-start", span, sign=rest[0])
    quoted = re.search(r"""(?:^|[:\-,\[{]\s+)((["']).*)$""", line)
    if quoted and quoted.start(1) < mark.column and "expected" in problem:
        in_flow = "{" in line[: quoted.start(1)] or "[" in line[: quoted.start(1)]
        better = "the other kind of quotes around all of it" if in_flow else f"`'{quoted[1].rstrip()}'`"
        return say("yaml-quoted-start", span, better=better)
    if "mapping values are not allowed" in problem:
        return say("yaml-colon", span)
    return say("yaml-syntax", span, why=problem)
