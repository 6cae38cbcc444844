"""Where in a YAML text a caret is: below which keys, in which text; told by lines, so that the file need not be YAML yet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policy_engine.lsp.flow import OPENING, Level, scan

ITEM = "-"
"""Stands for an item of a list among the keys of a path."""
KEY = r"(?P<key>\"[^\"]*\"|'[^']*'|(?:[^\s\"'{}\[\],&*#?|>%@!-]|-(?=\S))(?:(?!\s#).)*?)"
ENTRY = re.compile(rf"{KEY}\s*:(?=\s|$)\s*")
DASHES = re.compile(r"\s*(?P<dashes>(?:-(?:\s+|$))*)")
BLOCK_TEXT = re.compile(r"[|>][+-]?[0-9]?\s*(#.*)?$")
COMMENT = re.compile(r"(^|\s)#")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caret is.

    `path` are the keys that it stands below, `ITEM` for each list; under a key, that key is the last of them. `text` is what
    stands of a key or a value up to the caret, `quote` the quote that it began with. `items` counts those of a flow list
    before it.
    `beside` are the other keys of the mapping, where a key may stand; `within` tells that a value does, and no key.
    """

    path: tuple[str, ...]
    text: str
    within: bool
    quote: str = ""
    items: int = 0
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Line:
    """A line: where its content begins, where the key or the text behind its dashes does, its key, and what follows that."""

    number: int
    start: int
    inner: int
    dashes: int
    key: str | None
    rest: str


def place_at(lines: Sequence[str], line: int, column: int) -> Place | None:
    """Where a caret is, by the number of its line and of the characters before it, from 0; None in a comment."""
    here = lines[line][:column] if line < len(lines) else ""
    owner = _owner(lines, line, here)
    if owner is not None:
        return _in_value(lines, owner, line, here)
    read = _read(line, here)
    if COMMENT.search(re.sub(r"\"[^\"]*\"|'[^']*'", "", here)):
        return None
    if read.key is not None:
        return _in_value(lines, read, line, here)
    path = _above(lines, read) + (ITEM,) * read.dashes
    if read.rest[:1] in OPENING:
        return _in_text(path, read.rest)
    return Place(path, read.rest, within=False, beside=_beside(lines, line, read.inner))


def _in_value(lines: Sequence[str], owner: _Line, line: int, here: str) -> Place | None:
    """The place in the value under a key of an earlier line, or of the same."""
    path = _above(lines, owner) + (ITEM,) * owner.dashes + (() if owner.key is None else (owner.key,))
    if owner.number == line:
        return _in_text(path, owner.rest)
    first = "" if BLOCK_TEXT.match(owner.rest) else owner.rest
    whole = "\n".join([first, *(text.strip() for text in lines[owner.number + 1 : line]), here.lstrip()])
    return _in_text(path, whole)


def _owner(lines: Sequence[str], line: int, here: str) -> _Line | None:
    """The line above whose text, or whose brackets, go on at the caret; None where the caret's line begins anew."""
    indent = len(here) - len(here.lstrip()) if here.strip() else len(here)
    for number in range(line - 1, -1, -1):
        text = lines[number]
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        read = _read(number, text)
        if read.start >= indent:
            continue
        if read.key is not None and read.inner >= indent:
            return None
        goes_on = "\n".join([read.rest, *(each.strip() for each in lines[number + 1 : line])])
        if read.rest and (BLOCK_TEXT.match(read.rest) or _is_open(goes_on) or _is_prose(read)):
            return read
        if read.key is not None or read.dashes:
            return None
        indent = read.start
    return None


def _is_prose(read: _Line) -> bool:
    """Whether a value is a text without quotes, which goes on below where that is indented further."""
    return read.key is not None and read.rest[:1] not in (*OPENING, "#", "&", "*")


def _is_open(text: str) -> bool:
    """Whether the brackets or the quotes that a value begins with are still open at its end."""
    return text[:1] in OPENING and scan(text).is_open


def _read(number: int, text: str) -> _Line:
    dashes = DASHES.match(text)
    assert dashes is not None
    start, inner = len(text) - len(text.lstrip()), dashes.end()
    entry = ENTRY.match(text, inner)
    count = dashes["dashes"].count("-")
    if entry is None:
        return _Line(number, start, inner, count, None, text[inner:])
    return _Line(number, start, inner, count, entry["key"].strip("\"'"), text[entry.end() :])


def _above(lines: Sequence[str], read: _Line) -> tuple[str, ...]:
    """The keys and lists that a line stands below."""
    found: list[str] = []
    indent, item = read.start, bool(read.dashes)
    for number in range(read.number - 1, -1, -1):
        text = lines[number]
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        above = _read(number, text)
        if above.key is not None and (above.inner < indent or (item and above.inner == indent)):
            found += [above.key, *([ITEM] * above.dashes)]
            indent, item = above.start, bool(above.dashes)
        elif above.dashes and above.start < indent <= above.inner:
            # the first line of the item that this line belongs to
            found += [ITEM] * above.dashes
            indent, item = above.start, True
        if indent == 0 and not item:
            break
    return tuple(reversed(found))


def _beside(lines: Sequence[str], line: int, indent: int) -> frozenset[str]:
    """The keys of the mapping that a line with that indent belongs to, those of the line itself left out."""
    found: set[str] = set()
    for numbers, upwards in ((range(line - 1, -1, -1), True), (range(line + 1, len(lines)), False)):
        for number in numbers:
            text = lines[number]
            read = _read(number, text)
            if not text.strip() or text.lstrip().startswith("#") or read.start > indent:
                continue
            if read.inner != indent or (read.dashes and not upwards):
                break
            found |= {read.key} if read.key is not None else set()
            if read.dashes:
                break
    return frozenset(found)


def _in_text(path: tuple[str, ...], text: str) -> Place | None:
    """The place at the end of a value's text."""
    if text[:1] not in OPENING:
        return None if COMMENT.search(text) else Place(path, text, within=True)
    found = scan(text)
    if not found.is_open:
        return None
    steps = (step for level in found.levels for step in _steps(level))
    inner = found.levels[-1] if found.levels else None
    if inner is None:
        return Place(path, found.text, within=True, quote=found.quote)
    within = inner.is_list or inner.key is not None
    beside = frozenset() if within else frozenset(inner.keys)
    items = inner.items if inner.is_list else 0
    return Place((*path, *steps), found.text, within, found.quote, items, beside)


def _steps(level: Level) -> tuple[str, ...]:
    """What a bracket adds to the path of what stands in it."""
    return (ITEM,) if level.is_list else () if level.key is None else (level.key,)
