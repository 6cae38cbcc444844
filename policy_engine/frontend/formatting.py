"""Rule and test files in one layout: what they say, their comments and the order of their parts stay as they are.

The order of keys stays, too, since a ruleset's digest counts it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import dropwhile
from types import MappingProxyType

from policy_engine.diagnostics import in_order
from policy_engine.documents.nodes import YamlNode, as_written
from policy_engine.documents.yaml_layout import Block, Entry, Leaf, OddLayout, Remark, comments_of, layout_of
from policy_engine.documents.yaml_reader import given_text, read_text
from policy_engine.errors import CannotRun, RulesetError
from policy_engine.frontend.flow_formatting import Row, aligned, one_line
from policy_engine.frontend.loader import with_excerpts

STEP = 2
TABLES = ("rows", "cells", "legend")
"""The keys below which each line is a row of a table."""
NO_ROWS: Mapping[int, str] = MappingProxyType({})
LITERAL = ("|", ">")
INDENTED_BY = re.compile(r"[|>][+-]?[1-9]")
"""The sign of a text whose own first line begins with blanks."""


def format_text(text: str, path: str) -> str:
    """A rule or test file's text in the layout of all; the same again for what was laid out before.

    Raises `RulesetError` where the text is not faultless YAML, and `CannotRun` where it is written in a way that has no layout
    here.
    """
    node = _read(text, path)
    whole, _ = given_text(path, text)
    try:
        block = layout_of(whole)
        lines = list(_block(block, 0))
    except OddLayout as odd:
        where = f"`{path}` is written on line {odd.line} in a way that cannot be laid out surely"
        raise CannotRun(f"{where}, and is left as it is") from None
    laid_out = "\n".join(_without_spare_blanks(lines)) + ("\n" if whole.endswith("\n") or not _ends_open(block) else "")
    if laid_out != whole:
        _refuse_other_meaning(node, whole, laid_out, path)
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    return mark + laid_out.replace("\n", _line_end(text))


def _read(text: str, path: str) -> YamlNode:
    whole, faults = given_text(path, text)
    node, found = (None, faults) if faults else read_text(whole, path)
    if node is None or found:
        raise RulesetError(in_order(with_excerpts(found, {path: whole.split("\n")})))
    return node


def _line_end(text: str) -> str:
    """How the first line of a text ends."""
    first = text.partition("\n")[0]
    return "\r\n" if first.endswith("\r") and "\n" in text else "\n"


def _refuse_other_meaning(node: YamlNode, before: str, after: str, path: str) -> None:
    """Whoever lays out reads again what came out: values, order and comments must be those of before."""
    try:
        read = _read(after, path)
    except RulesetError:
        read = None
    if read is None or as_written(read) != as_written(node) or _words_of(after) != _words_of(before):
        raise CannotRun(f"`{path}` would say something else in another layout, and is left as it is; please report it")


def _words_of(text: str) -> list[list[str]]:
    """The words of each comment: between those of a heading blanks may come and go."""
    return [comment.split() for comment in comments_of(text)]


def _ends_open(block: Block) -> bool:
    """Whether the last text is one to whose value the end of its last line belongs."""
    last = block.entries[-1].value
    return _ends_open(last) if isinstance(last, Block) else last is not None and last.raw.startswith(LITERAL)


def _without_spare_blanks(lines: Iterable[str]) -> Iterator[str]:
    """The lines, without blank ones at the start and the end."""
    waiting = False
    begun = False
    for line in lines:
        if line:
            yield from [""] if waiting and begun else []
            begun, waiting = True, False
            yield line
        else:
            waiting = True


# Blocks.


def _block(block: Block, indent: int, rows: Mapping[int, str] = NO_ROWS) -> Iterator[str]:
    """The lines of a block, in which some entries are rows; what was written over several lines is one of them."""
    for number, entry in enumerate(block.entries):
        above = entry.before if number else _from_comment(entry.before)
        yield from _remarks(above, indent)
        if number in rows:
            yield _with_remark(rows[number], entry)
        else:
            yield from _entry(entry, indent)
    yield from _remarks(block.after, indent)


def _from_comment(remarks: tuple[Remark, ...]) -> tuple[Remark, ...]:
    return tuple(dropwhile(lambda remark: remark is None, remarks))


def _remarks(remarks: Iterable[Remark], indent: int) -> Iterator[str]:
    for remark in remarks:
        yield " " * indent + remark.text if remark is not None else ""


def _row(entry: Entry) -> Row | None:
    """An entry that is a row: what it holds stands between brackets on its line."""
    is_row = isinstance(entry.value, Leaf) and entry.value.parts and not (entry.below or entry.properties)
    return Row(_sign(entry), entry.value) if is_row and isinstance(entry.value, Leaf) else None


def _sign(entry: Entry) -> str:
    return "-" if entry.key is None else f"{entry.key}:"


def _entry(entry: Entry, indent: int) -> Iterator[str]:
    head = " " * indent + " ".join(filter(None, (_sign(entry), entry.properties)))
    match entry.value:
        case None:
            yield _behind(head, entry.behind)
        case Leaf() if not entry.below:
            start = len(head) + 1
            yield _with_remark(f"{head} {_written(entry.value, start, indent)}", entry)
        case Leaf():
            yield _behind(head, entry.behind)
            yield from _remarks(entry.inner, indent + STEP)
            text = " " * (indent + STEP) + _written(entry.value, indent + STEP, indent)
            yield _with_remark(text, entry)
        case Block() if entry.key is None and not entry.properties:
            first, *rest = _block(entry.value, indent + STEP)
            yield f"{head} {first.lstrip(' ')}"
            yield from rest
        case Block() if entry.key in TABLES:
            yield from _table(head, entry, entry.value, indent)
        case Block():
            yield _behind(head, entry.behind)
            yield from _block(entry.value, indent + STEP)


def _table(head: str, entry: Entry, block: Block, indent: int) -> Iterator[str]:
    """A key and the rows below it; a comment behind the key that names each column lines up with them."""
    words = [word.strip() for word in entry.behind.text.lstrip("#").split(",")] if entry.behind is not None else []
    lines = aligned([_row(row) for row in block.entries], indent + STEP, words if len(words) > 1 and all(words) else ())
    gap = lines.column - len(head)
    fits = lines.heading is not None and gap >= STEP
    yield f"{head}{' ' * gap}#{lines.heading}" if fits else _behind(head, entry.behind)
    yield from _block(block, indent + STEP, lines.rows)


def _with_remark(line: str, entry: Entry) -> str:
    """A line, or lines, and the comment behind them."""
    assert isinstance(entry.value, Leaf)
    remark = entry.value.behind
    is_plain = entry.value.parts is None and entry.value.raw[0] not in "\"'[{"
    return f"{line} {remark.text}" if remark is not None and remark.close and is_plain else _behind(line, remark)


def _behind(line: str, remark: Remark) -> str:
    """A line and the comment behind it: in its column where that is free, or else two blanks further on."""
    if remark is None:
        return line
    width = len(line) - (line.rfind("\n") + 1)
    return line + " " * max(STEP, remark.column - width) + remark.text


# What is written in one go.


def _written(leaf: Leaf, column: int, indent: int) -> str:
    """A text that begins in a column, within an entry that is indented so far."""
    if "\n" not in leaf.raw:
        return one_line(leaf)
    first, *rest = leaf.raw.split("\n")
    if first.startswith(LITERAL):
        return "\n".join([first, *_literal(leaf, rest, indent)])
    return "\n".join([first.rstrip(), *(_moved(line, column - leaf.column, indent + 1) for line in rest)])


def _literal(leaf: Leaf, lines: Sequence[str], indent: int) -> Iterator[str]:
    """The lines below `|` or `>`: their first one says how far all are indented, unless the sign does."""
    texts = (line for line in lines if line.strip(" "))
    there = next((len(line) - len(line.lstrip(" ")) for line in texts), 0)
    here = indent + STEP
    if INDENTED_BY.match(leaf.raw):
        there, here = max(0, leaf.indent - indent), max(0, indent - leaf.indent)
    for line in lines:
        yield " " * here + line[there:] if line[there:] else ""


def _moved(line: str, by: int, least: int) -> str:
    """A further line of a text, as far from where the text begins as it was."""
    text = line.strip(" \t") if not line.rstrip(" \t").endswith("\\") else line.lstrip(" \t")
    there = len(line) - len(line.lstrip(" \t"))
    return " " * max(least, there + by) + text if text else ""
