"""YAML 1.2 with exact places, on PyYAML's events: the only module that knows what YAML says (`yaml_layout`: how it is written).

PyYAML reads YAML 1.1, where `no` is false and `22:30` is 1350, keeps the last of two equal keys and expands aliases without
bound. So scalars stay text here, and this module composes the nodes and refuses what could surprise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import yaml

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.documents.quoting import FlowPiece, quoted, read_as_quotes, runs, split_fault
from policy_engine.documents.yaml_faults import Case, Position, fault_of, value_around
from policy_engine.fixes import Fix, replaced
from policy_engine.source import Authored, Span
from policy_engine.text_encodings import described, other_encoding, wrong_byte

if TYPE_CHECKING:
    from yaml._yaml import Mark as FastMark
    from yaml.error import Mark

LARGEST_FILE = 1_000_000
"""Bytes; the largest rulebook file we know has 60,000."""
MOST_FAULTS = 1_000
MOST_PARTS = 120_000
MOST_CONTROLS = 10
DEEPEST = 60
LONGEST_LINE = 1_000
LONGEST_TAIL = 200
"""Of what follows a text on its line only so much is kept: a line may have many texts."""
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
NO_TEXT = frozenset(map(chr, (*range(0x20), 0x7F, 0xFEFF)))
"""Characters that can only be there by accident; others may stand for letters of another encoding."""
NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
"""What YAML has for numbers that are not finite; no fact, parameter or text is meant by it."""
TAG = re.compile(r"!\S*")
PROPERTIES = re.compile(r"(?:[&!]\S*\s+)+")
TEST_FILE = re.compile(r"_test\.ya?ml$")
TAGS = frozenset(
    {"!date", "!str", "!int", "!float", "!bool", "!timestamp", "!null", "!set", "!binary", "!env", "!include"}
)
PLAIN_TAGS = TAGS - {"!set", "!binary", "!env", "!include"} | {"!!str", "!!int", "!!float", "!!bool", "!!null"}
"""Those that only tell the type of a text, which is known without them."""
LOST_NOT = re.compile(r"!(?![a-z0-9_.-]*[:/,!])[a-z_(]")
NO_HOMES: Mapping[str, str] = MappingProxyType({})
Pair = tuple[YamlNode, YamlNode]


class Enough(Exception):  # noqa: N818 - not an error, and never leaves this module
    """So many faults were found that reading stops."""


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
    lines: list[str]
    anchors: dict[str, tuple[YamlNode, int]] = field(default_factory=dict)
    loose: dict[str, tuple[Authored, Position]] = field(default_factory=dict)
    """Anchors of plain texts that no alias has named yet, and where they stand."""
    parts: int = 0


def read_file(path: Path, homes: Mapping[str, str] = NO_HOMES) -> tuple[str, YamlNode | None, list[Diagnostic]]:
    """The text of a file, its document (None where there is none to go on with), and its faults.

    `homes` gives, for keys that never stand in an item of a list, a hint that says where they belong.
    """
    text, faults = file_text(path)
    return (text, None, faults) if faults else (text, *read_text(text, str(path), homes))


def file_text(path: Path, largest: int = LARGEST_FILE) -> tuple[str, list[Diagnostic]]:
    """The text of a file of at most so many bytes, or why it has none."""
    name = str(path)
    try:
        if path.exists() and not path.is_file():
            return "", [say("file-unreadable", Span(name), why="it is not a file")]
        size = path.stat().st_size
        if size > largest:
            return "", [say("file-too-large", Span(name), size=size, limit=largest)]
        content = path.read_bytes()
    except OSError as error:
        return "", [say("file-unreadable", Span(name), why=error.strerror or type(error).__name__)]
    try:
        return _with_plain_line_ends(content.decode("utf-8-sig")), []
    except UnicodeDecodeError as error:
        return content.decode("utf-8", "replace"), [_not_text(name, content, error)]


def given_text(name: str, text: str) -> tuple[str, list[Diagnostic]]:
    """A text that stands for a file of the name, or why it cannot."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "", [say("file-unreadable", Span(name), why="it holds half a character (a lone surrogate)")]
    if size > LARGEST_FILE:
        return "", [say("file-too-large", Span(name), size=size, limit=LARGEST_FILE)]
    return _with_plain_line_ends(text.removeprefix("\ufeff")), []


def _with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_text(path: str, content: bytes, error: UnicodeDecodeError) -> Diagnostic:
    """The diagnostic for a file that is not UTF-8: which encoding it seems to be, or the place of the first wrong byte."""
    other, wrong = other_encoding(content), wrong_byte(BytesIO(content), "utf-8")
    if other is not None or wrong is None:
        return say("file-not-text", Span(path), why=f"it is {other}, by its first bytes")
    before = content[: error.start].decode("utf-8", "replace")
    span = Span(path, wrong.line, len(before) - max(before.rfind("\n"), before.rfind("\r")))
    return say("file-not-text", span, why=described(wrong, "utf-8"))


def _reader(text: str, path: str, faults: list[Diagnostic]) -> Reader:
    return Reader(path, text, yaml.parse(text, Loader=yaml.CSafeLoader), faults, text.split("\n"))


def read_text(text: str, path: str, homes: Mapping[str, str] = NO_HOMES) -> tuple[YamlNode | None, list[Diagnostic]]:
    """The document of a text and its faults; `homes` as for `read_file`."""
    faults = _control_characters(text, path)
    if faults:
        return None, faults
    reader = _reader(text, path, faults)
    try:
        return _document(reader), faults
    except Enough:
        return None, faults
    except Refused as refused:
        return None, [*faults, refused.diagnostic]
    except yaml.MarkedYAMLError as error:
        return None, [*faults, fault_of(_case(error, text, path, homes))]


def top_level_text(path: Path, key: str) -> str | None:
    """The text under a top-level key of a file; None wherever reading all of the file might give something else."""
    text, faults = file_text(path)
    try:
        return None if faults else _text_of_key(_reader(text, str(path), faults), key)
    except (Enough, Refused, yaml.YAMLError):
        return None


def _text_of_key(reader: Reader, key: str) -> str | None:
    top = next((event for event in reader.events if isinstance(event, yaml.NodeEvent)), None)
    for event in reader.events if isinstance(top, yaml.MappingStartEvent) else ():
        if isinstance(event, yaml.MappingEndEvent):
            break
        name, value = _node(reader, event, 2), _node(reader, next(reader.events), 2)
        if isinstance(name, ScalarNode) and name.text.value == key:
            return value.text.value if isinstance(value, ScalarNode) and not reader.faults else None
    return None


def _control_characters(text: str, path: str) -> list[Diagnostic]:
    found = []
    for match in islice(CONTROL.finditer(text), MOST_CONTROLS):
        before = text[: match.start()]
        span = Span(path, before.count("\n") + 1, match.start() - before.rfind("\n"))
        fix = replaced(span, match.group(), "") if match.group() in NO_TEXT else None
        found.append(say("yaml-control-character", span, fix=fix, character=f"U+{ord(match.group()):04X}"))
    return found


def _document(reader: Reader) -> YamlNode:
    node: YamlNode | None = None
    for event in reader.events:
        if isinstance(event, yaml.DocumentStartEvent) and node is not None:
            raise Refused(say("yaml-several-documents", _span(reader, event)))
        if isinstance(event, yaml.NodeEvent):
            node = _node(reader, event, 1)
    if node is None:
        hint = "a test file begins with `tests: a_name`" if TEST_FILE.search(reader.path) else None
        raise Refused(say("file-empty", Span(reader.path), hint=hint))
    reader.faults.extend(
        say("yaml-special-start", text.span, sign="&", hint=_quote_all(reader, start), fix=_all_quoted(reader, start))
        for text, start in reader.loose.values()
    )
    return node


def _node(reader: Reader, event: yaml.Event, depth: int) -> YamlNode:
    assert isinstance(event, yaml.NodeEvent)
    if depth > DEEPEST:
        raise Refused(say("yaml-too-deep", _span(reader, event), limit=DEEPEST))
    if isinstance(event, yaml.AliasEvent):
        return _alias(reader, event)
    before = reader.parts
    _count(reader, event, 1)
    node: YamlNode
    if isinstance(event, yaml.ScalarEvent):
        node = _scalar(reader, event)
    elif isinstance(event, yaml.SequenceStartEvent):
        node = _sequence(reader, event, depth)
    else:
        assert isinstance(event, yaml.MappingStartEvent)
        node = _mapping(reader, event, depth)
    if event.tag is not None and event.tag != "!":
        reader.faults.append(_tag_fault(reader, event))
        node = _unread(node)
    if event.anchor is not None:
        node = _anchored(reader, event, node)
        reader.anchors[event.anchor] = (node, reader.parts - before)
    return node


def _scalar(reader: Reader, event: yaml.ScalarEvent) -> ScalarNode:
    text = read_as_quotes(_authored(reader, event), reader.faults)
    if text.plain and NOT_FINITE.fullmatch(text.value):
        reader.faults.append(say("yaml-not-finite", text.span, text=text.value))
        text = replace(text, value="0")  # some number, so that nothing more is said of it
    return ScalarNode(text)


def _anchored(reader: Reader, event: yaml.NodeEvent, node: YamlNode) -> YamlNode:
    """A node under its anchor; one on a text that no alias names is probably a text that begins with `&`."""
    if isinstance(node, ScalarNode) and node.text.plain and event.anchor is not None:
        reader.loose[event.anchor] = (node.text, _place(_marks(event)[0]))
        return _unread(node) if not node.text.value else node
    return node


def _unread(node: YamlNode) -> YamlNode:
    return ScalarNode(replace(node.text, unread=True)) if isinstance(node, ScalarNode) else node


def _tag_fault(reader: Reader, event: yaml.NodeEvent) -> Diagnostic:
    """A tag as its author wrote it, or the sign of another language for `not`."""
    at = _place(_marks(event)[0])
    start = at.index
    written = TAG.search(reader.text, start, start + LONGEST_TAIL)
    sign = written.group() if written else "!"
    if LOST_NOT.match(sign) and sign not in TAGS:
        hint = f"write `not`, or {_quote_all(reader, at)}"
        return say("yaml-special-start", _span(reader, event), sign="!", hint=hint, fix=_all_quoted(reader, at))
    span = _span(reader, event)
    whole = reader.text[start : start + len(sign) + 1]
    fix = replaced(span, whole, "", sure=sign in PLAIN_TAGS) if whole.endswith(" ") else None
    return say("yaml-tag", span, fix=fix, tag=sign)


def _quote_all(reader: Reader, at: Position) -> str:
    if at.column > LONGEST_LINE:
        return "quote the whole text"
    return f"quote the whole text: `{quoted(value_around(reader.text, at.index).text)}`"


def _all_quoted(reader: Reader, at: Position, *, sure: bool = True) -> Fix | None:
    """The fix that does so."""
    if at.column > LONGEST_LINE:
        return None
    value = value_around(reader.text, at.index)
    span = Span(reader.path, at.line + 1, at.column + 1 - (at.index - value.start))
    return value.quoted_at(span, sure=sure)


def _alias(reader: Reader, event: yaml.AliasEvent) -> YamlNode:
    """The node of an alias, its parts counted again; it is never recursive, since an anchor is known only after its node."""
    if event.anchor not in reader.anchors:
        at = _place(_marks(event)[0])
        hint = f"where `*` begins a text, {_quote_all(reader, at)}"
        fix = _all_quoted(reader, at, sure=False)
        raise Refused(say("yaml-alias", _span(reader, event), hint=hint, fix=fix, name=event.anchor))
    reader.loose.pop(event.anchor, None)
    node, parts = reader.anchors[event.anchor]
    _count(reader, event, parts)
    return node


def _count(reader: Reader, event: yaml.Event, parts: int) -> None:
    reader.parts += parts
    if len(reader.faults) >= MOST_FAULTS:
        raise Enough
    if reader.parts > MOST_PARTS:
        raise Refused(say("yaml-too-big", _span(reader, event), limit=MOST_PARTS))


def _sequence(reader: Reader, start: yaml.SequenceStartEvent, depth: int) -> SequenceNode:
    items, pieces = [], []
    end: yaml.Event = start
    for event in reader.events:
        if isinstance(event, yaml.SequenceEndEvent):
            end = event
            break
        item = _node(reader, event, depth + 1)
        items.append(item)
        if start.flow_style:
            pieces.append(_piece(event, item))
    if not start.flow_style:
        return SequenceNode(tuple(items), _span(reader, start))
    whole = [
        items[i] if i + 1 == j else _joined(reader, pieces[i], pieces[j - 1], None)
        for i, j in runs(pieces, reader.text)
    ]
    raw = reader.text[_marks(start)[0].index : _marks(end)[1].index]
    return SequenceNode(tuple(whole), _span(reader, start), flow=True, raw=raw)


def _mapping(reader: Reader, start: yaml.MappingStartEvent, depth: int) -> MappingNode:
    pairs: list[Pair] = []
    pieces: list[FlowPiece] = []
    for event in reader.events:
        if isinstance(event, yaml.MappingEndEvent):
            break
        key = _node(reader, event, depth + 1)
        after = next(reader.events)
        value = _node(reader, after, depth + 1)
        pairs.append((key, value))
        if start.flow_style:
            pieces.append(_entry_piece(event, key, after, value))
    if start.flow_style:
        pairs = [_whole_pair(reader, pairs[i], pieces[i:j]) for i, j in runs(pieces, reader.text)]
    return MappingNode(tuple(_entries(reader, pairs)), _span(reader, start), bool(start.flow_style))


def _entries(reader: Reader, pairs: list[Pair]) -> Iterator[tuple[Authored, YamlNode]]:
    """The entries whose keys are plain texts, each once."""
    seen: set[str] = set()
    run_on = False
    for key, value in pairs:
        if not isinstance(key, ScalarNode):
            reader.faults.append(say("yaml-key", key.span))
        elif key.text.value == "<<":
            reader.faults.append(say("yaml-merge", key.span))
        elif key.text.value in seen:
            starts_item = key.text == _first_of_item(reader, pairs)
            if not run_on:
                hint = "begin the next item with `- `" if starts_item else None
                fix = _with_dash(key.span) if starts_item else None
                reader.faults.append(say("yaml-duplicate-key", key.span, hint=hint, fix=fix, key=key.text.value))
            run_on = run_on or starts_item
        else:
            seen.add(key.text.value)
            yield key.text, value


def _with_dash(key: Span) -> Fix:
    """The fix that begins an item with a key."""
    return replaced(replace(key, column=max(1, key.column - 2)), "  ", "- ")


def _first_of_item(reader: Reader, pairs: list[Pair]) -> Authored | None:
    """The first key of a mapping that begins behind a dash, None where it begins elsewhere."""
    first = pairs[0][0]
    before = reader.lines[first.span.line - 1][: first.span.column - 1]
    return first.text if isinstance(first, ScalarNode) and before.strip() == "-" else None


def _piece(event: yaml.Event, node: YamlNode) -> FlowPiece:
    start, end = _marks(event)
    plain = isinstance(node, ScalarNode) and node.text.plain and isinstance(event, yaml.ScalarEvent)
    return FlowPiece(start.index, end.index, plain, plain)


def _entry_piece(key_event: yaml.Event, key: YamlNode, event: yaml.Event, value: YamlNode) -> FlowPiece:
    """An entry between braces: its value may go on, and a key without a value be the rest of another's."""
    value_piece, key_piece = _piece(event, value), _piece(key_event, key)
    if isinstance(value, ScalarNode) and value.text.raw == "":
        return FlowPiece(key_piece.start, key_piece.end, opens=False, follows=key_piece.follows)
    return FlowPiece(value_piece.start, value_piece.end, value_piece.opens, follows=False)


def _whole_pair(reader: Reader, pair: Pair, pieces: list[FlowPiece]) -> Pair:
    if len(pieces) == 1:
        return pair
    key = pair[0].text.value if isinstance(pair[0], ScalarNode) else None
    return pair[0], _joined(reader, pieces[0], pieces[-1], key)


def _joined(reader: Reader, first: FlowPiece, last: FlowPiece, key: str | None) -> ScalarNode:
    """The text that YAML split, joined again, so that only the split is reported."""
    if len(reader.faults) >= MOST_FAULTS:
        raise Enough
    raw = reader.text[first.start : last.end]
    line = reader.text.count("\n", 0, first.start)
    column = first.start - (reader.text.rfind("\n", 0, first.start) + 1)
    span = Span(reader.path, line + 1, column + 1, len(raw.split("\n", 1)[0]))
    reader.faults.append(split_fault(span, raw, key))
    return ScalarNode(Authored(raw, span, raw))


def _authored(reader: Reader, event: yaml.ScalarEvent) -> Authored:
    start, end = _marks(event)
    raw = reader.text[start.index : end.index]
    span = _span(reader, event)
    properties = PROPERTIES.match(raw) if event.tag is not None or event.anchor is not None else None
    if properties is not None and "\n" not in properties.group():
        raw = raw[properties.end() :]
        span = Span(span.path, span.line, span.column + properties.end(), max(1, span.length - properties.end()))
    line = reader.lines[end.line] if end.line < len(reader.lines) else ""
    return Authored(event.value, span, raw, not event.style, line[end.column : end.column + LONGEST_TAIL])


def _marks(event: yaml.Event) -> tuple[Mark | FastMark, Mark | FastMark]:
    """Where an event begins and ends; PyYAML's own reader always tells."""
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark, event.end_mark


def _span(reader: Reader, event: yaml.Event) -> Span:
    start, end = _marks(event)
    if end.line == start.line:
        length = end.column - start.column
    else:
        length = len(reader.lines[start.line].rstrip()) - start.column if start.line < len(reader.lines) else 1
    return Span(reader.path, start.line + 1, start.column + 1, max(1, length))


def _case(error: yaml.MarkedYAMLError, text: str, path: str, homes: Mapping[str, str]) -> Case:
    at, begun = _place(error.problem_mark or error.context_mark), _place(error.context_mark or error.problem_mark)
    return Case(error.problem or "", at, error.context or "", begun, text, path, text.split("\n"), homes)


def _place(mark: Mark | FastMark | None) -> Position:
    return Position(0, 0, 0) if mark is None else Position(mark.index, mark.line, mark.column)
