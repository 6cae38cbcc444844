"""How a YAML text is laid out: blocks of entries, each with the comments and blank lines that belong to it.

Where `yaml_reader` keeps what a text means, this keeps how it is written, so that it can be written in another layout. It reads
PyYAML's tokens, between which nothing stands but blanks and comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import yaml

FRAME = (yaml.DirectiveToken, yaml.DocumentStartToken, yaml.DocumentEndToken)
PROPERTIES = (yaml.AnchorToken, yaml.TagToken)
BLOCKS = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken)
OPENING = (yaml.FlowSequenceStartToken, yaml.FlowMappingStartToken)
CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken)
BLANK_END = re.compile(r"(?:\n *)+\Z")


class OddLayout(Exception):  # noqa: N818 - not an error of the author: what is written so is left as it stands
    """A text is laid out in a way that this module does not know; `line` is the first such, from 1."""

    def __init__(self, piece: _Piece) -> None:
        super().__init__()
        self.line = piece.line + 1


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its `#` on, the column where it stands, and whether a single blank is before it."""

    text: str
    column: int
    close: bool = False


Remark: TypeAlias = Comment | None
"""A line between two entries: a comment, or None for a blank line."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is written in one go: a text, an alias, or what stands between brackets; `column` is where it begins.

    `parts` are the parts of a list or mapping between brackets on one line, and None for all else. `indent` is that of the
    entry to which it belongs.
    """

    raw: str
    column: int
    parts: tuple[FlowPart, ...] | None = None
    behind: Remark = None
    indent: int = 0


@dataclass(frozen=True, slots=True)
class FlowPart:
    """An item between brackets: its key (None in a list) and its value."""

    key: str | None
    value: Leaf


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a block with its value, or an item of a list, where `key` is None.

    `before` are the lines above it, `behind` is the comment behind the key, `inner` the lines between the key and a value that
    stands on a later line. `properties` is the anchor of a block.
    """

    key: str | None
    value: Leaf | Block | None
    before: tuple[Remark, ...] = ()
    behind: Remark = None
    inner: tuple[Remark, ...] = ()
    properties: str = ""
    below: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Entries below one another, and the lines behind the last that belong to the block."""

    entries: tuple[Entry, ...]
    after: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A token with its text and place, and what stands between it and the next one."""

    token: yaml.Token
    start: int
    end: int
    line: int
    column: int
    behind: Remark
    lines: tuple[Remark, ...]


@dataclass(slots=True)
class _Cursor:
    text: str
    pieces: Sequence[_Piece]
    at: int = 0
    waiting: tuple[Remark, ...] = ()
    """Lines that were passed and belong to no entry so far."""

    @property
    def piece(self) -> _Piece:
        """What comes next."""
        return self.pieces[self.at]

    def next_is(self, *kinds: type[yaml.Token]) -> bool:
        """Whether the next token is of one of some kinds."""
        return isinstance(self.piece.token, kinds)

    def step(self) -> _Piece:
        """Pass a token, and keep the lines behind it."""
        passed = self.piece
        self.waiting += passed.lines
        self.at += 1
        return passed

    def take(self) -> tuple[Remark, ...]:
        """The lines that wait, for whom they belong to."""
        taken, self.waiting = self.waiting, ()
        return taken


def layout_of(text: str) -> Block:
    """The layout of a text that `yaml_reader` reads without a fault; raises `OddLayout`."""
    cursor = _Cursor(text, tuple(_pieces(text)))
    head = _frame(cursor)
    if cursor.next_is(*BLOCKS):
        cursor.waiting = head
        block = _block(cursor)
        _frame(cursor)
        return replace(block, after=(*block.after, *cursor.take()))
    raise OddLayout(cursor.piece)


def _frame(cursor: _Cursor) -> tuple[Remark, ...]:
    """Pass what stands around a document; the comments on the way."""
    while cursor.next_is(*FRAME, yaml.StreamStartToken):
        passed = cursor.piece
        cursor.waiting += (passed.behind,) if passed.behind is not None else ()
        cursor.step()
    return cursor.take()


def comments_of(text: str) -> list[str]:
    """Every comment of a text, in order; those behind the sign of a text of several lines are part of that."""
    found = []
    for piece in _pieces(text):
        found += [remark.text for remark in (piece.behind, *piece.lines) if remark is not None]
    return found


# Tokens, and what stands between them.


def _pieces(text: str) -> Iterator[_Piece]:
    tokens = list(yaml.scan(text, Loader=yaml.CSafeLoader))
    ends = [_end(token, text) for token in tokens]
    following = len(text)
    found = []
    for token, end in zip(reversed(tokens), reversed(ends), strict=True):
        start = token.start_mark.index
        has_text = end > start or isinstance(token, yaml.StreamStartToken)
        behind, lines = _between(text, end, following) if has_text else (None, ())
        following = start if has_text else following
        found.append(_Piece(token, start, end, token.start_mark.line, token.start_mark.column, behind, lines))
    return reversed(found)


def _end(token: yaml.Token, text: str) -> int:
    """Where a token ends; what is blank behind a text of several lines is none of it, unless the text keeps it."""
    start, end = int(token.start_mark.index), int(token.end_mark.index)
    if not isinstance(token, yaml.ScalarToken) or token.style not in ("|", ">"):
        return end
    raw = text[start:end]
    keeps = "+" in raw.split("\n", 1)[0].split("#")[0]
    return end if keeps else start + len(BLANK_END.sub("", raw))


def _between(text: str, start: int, end: int) -> tuple[Remark, tuple[Remark, ...]]:
    """The comment behind what ends at `start`, and the lines up to what begins at `end`."""
    first, *rest = text[start:end].split("\n")
    column = start - (text.rfind("\n", 0, start) + 1)
    at_start = start == 0 or text[start - 1] == "\n"
    lines = [first, *rest] if at_start else rest
    whole = lines if end == len(text) else lines[:-1]
    behind = None if at_start else _comment(first, column)
    if behind is not None:
        behind = replace(behind, close=first.startswith(" #"))
    return behind, tuple(_comment(line, 0) for line in whole)


def _comment(line: str, column: int) -> Remark:
    stripped = line.strip()
    return Comment(stripped, column + line.index("#")) if stripped.startswith("#") else None


# Blocks.


def _block(cursor: _Cursor) -> Block:
    """The block that begins at the next token, up to its end."""
    opening = cursor.step()
    is_list = isinstance(opening.token, yaml.BlockSequenceStartToken)
    entries = []
    while not cursor.next_is(yaml.BlockEndToken):
        entries.append(_item(cursor) if is_list else _pair(cursor))
    after = _own(cursor, opening.column)
    cursor.step()
    return Block(tuple(entries), after)


def _list_at_key(cursor: _Cursor) -> Block:
    """A list whose dashes stand below their key; it has no tokens of its own around it."""
    column = cursor.piece.column
    entries = []
    while cursor.next_is(yaml.BlockEntryToken):
        entries.append(_item(cursor))
    return Block(tuple(entries), _own(cursor, column + 1))


def _own(cursor: _Cursor, column: int) -> tuple[Remark, ...]:
    """Of the lines that wait those that belong to a block that ends: up to its last comment that stands within it."""
    following = _following(cursor)
    outside = -1 if _is_last(following) else following.column
    count = 0
    for number, line in enumerate(cursor.waiting, 1):
        if line is not None and (line.column < column or line.column <= outside):
            break
        count = number if line is not None else count
    own, cursor.waiting = cursor.waiting[:count], cursor.waiting[count:]
    return own


def _following(cursor: _Cursor) -> _Piece:
    """The next token that has a text, or the end."""
    at = cursor.at
    while cursor.pieces[at].end == cursor.pieces[at].start and not _is_last(cursor.pieces[at]):
        at += 1
    return cursor.pieces[at]


def _is_last(piece: _Piece) -> bool:
    return isinstance(piece.token, yaml.StreamEndToken)


def _pair(cursor: _Cursor) -> Entry:
    before = cursor.take()
    key, name, colon = cursor.step(), cursor.step(), cursor.piece
    known = (yaml.KeyToken, yaml.ScalarToken, yaml.ValueToken)
    if key.end > key.start or not all(map(isinstance, (key.token, name.token, colon.token), known)):
        raise OddLayout(key)
    if cursor.waiting or name.behind is not None:
        raise OddLayout(name)
    return replace(_value(cursor, cursor.text[name.start : name.end], name.column), before=before)


def _item(cursor: _Cursor) -> Entry:
    """An item; comments between its dash and what it holds go above it, so that no dash stands alone."""
    before = cursor.take()
    found = _value(cursor, None, cursor.piece.column)
    passed = (*((found.behind,) if found.behind else ()), *found.inner)
    found = replace(found, before=(*before, *passed), behind=None, inner=(), below=False)
    if not isinstance(found.value, Block) or found.properties:
        return found
    first, *rest = found.value.entries
    block = replace(found.value, entries=(replace(first, before=()), *rest))
    return replace(found, before=(*found.before, *first.before), value=block)


def _value(cursor: _Cursor, key: str | None, column: int) -> Entry:
    """The entry of a key or, where that is None, a dash, which stands in a column, and whose sign comes next."""
    properties, sign = _properties(cursor)
    entry = Entry(key, None, behind=sign.behind, properties=properties)
    if cursor.next_is(*BLOCKS):
        return replace(entry, value=_block(cursor))
    if key is not None and cursor.next_is(yaml.BlockEntryToken):
        return replace(entry, value=_list_at_key(cursor))
    if not cursor.next_is(yaml.ScalarToken, yaml.AliasToken, *OPENING):
        return entry
    below = cursor.piece.line > sign.line
    inner = cursor.take()
    return replace(entry, value=replace(_leaf(cursor), indent=column), inner=inner, below=below)


def _properties(cursor: _Cursor) -> tuple[str, _Piece]:
    """Pass a colon or dash, and the anchor behind it; the anchor, and what was passed last."""
    found, last = [], cursor.step()
    while cursor.next_is(*PROPERTIES):
        if cursor.waiting or last.behind is not None:
            raise OddLayout(last)
        last = cursor.step()
        found.append(cursor.text[last.start : last.end])
    return " ".join(found), last


# What is written in one go.


def _leaf(cursor: _Cursor) -> Leaf:
    first = cursor.piece
    if not isinstance(first.token, OPENING):
        last = cursor.step()
        return Leaf(cursor.text[first.start : last.end].removesuffix("\n"), first.column, behind=last.behind)
    begin = cursor.at
    cursor.at = _closing(cursor.pieces, begin)
    last = cursor.step()
    leaf = Leaf(cursor.text[first.start : last.end], first.column, behind=last.behind)
    if "\n" in leaf.raw:
        return leaf
    try:
        return replace(leaf, parts=_bracketed(_Cursor(cursor.text, cursor.pieces, begin)).parts)
    except OddLayout:
        return leaf


def _closing(pieces: Sequence[_Piece], at: int) -> int:
    """The bracket that closes the one at a place."""
    depth = 0
    while True:
        depth += isinstance(pieces[at].token, OPENING)
        depth -= isinstance(pieces[at].token, CLOSING)
        if depth == 0:
            return at
        at += 1


def _bracketed(cursor: _Cursor) -> Leaf:
    first = cursor.step()
    parts = []
    while not cursor.next_is(*CLOSING):
        parts.append(_part(cursor, in_list=isinstance(first.token, yaml.FlowSequenceStartToken)))
        if cursor.next_is(yaml.FlowEntryToken):
            cursor.step()
    last = cursor.step()
    return Leaf(cursor.text[first.start : last.end], first.column, tuple(parts))


def _part(cursor: _Cursor, *, in_list: bool) -> FlowPart:
    if in_list:
        return FlowPart(None, _inner(cursor))
    key, name, colon = cursor.step(), cursor.step(), cursor.step()
    known = (yaml.KeyToken, yaml.ScalarToken, yaml.ValueToken)
    if key.end > key.start or not all(map(isinstance, (key.token, name.token, colon.token), known)):
        raise OddLayout(key)
    return FlowPart(cursor.text[name.start : name.end], _inner(cursor))


def _inner(cursor: _Cursor) -> Leaf:
    if cursor.next_is(*OPENING):
        return _bracketed(cursor)
    found = cursor.step()
    if not isinstance(found.token, yaml.ScalarToken | yaml.AliasToken):
        raise OddLayout(found)
    return Leaf(cursor.text[found.start : found.end], found.column)
