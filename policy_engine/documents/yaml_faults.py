"""Diagnostics of YAML syntax errors: PyYAML's errors in our own words, at the place of the mistake."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.quoting import CLOSING, as_entry, in_quotes, quoted, unquoted, unwrapped
from policy_engine.fixes import Edit, Fix, replaced
from policy_engine.source import Span

SPECIAL = "@`%*&!|>"
BLOCK_VALUE = re.compile(r"[ ]*(?:- +)*(?:(?P<key>[^\s:#\"'\[{][^:]*?) ?: +)?(?P<value>\S.*?)\s*$")
NO_BLANK = re.compile(r"[ ]*(?:- +)*[\w-]+(?P<colon>:)\S")
NO_BLANK_AFTER_DASH = re.compile(r" *-[A-Za-z_]")
TAIL = re.compile(r"\S\s+(#.*?)\s*$")
ONE_TEXT = "a text that goes on in the next line holds no comment: put it on a line of its own above"
ALIGN = "align it with its siblings"


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a text: `index` counts characters from the start, `line` and `column` from 0."""

    index: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Value:
    """The text that an author meant as one, from `start` to `end`, under its key if it has one."""

    key: str | None
    start: int
    end: int
    text: str

    @property
    def entry(self) -> str:
        """The form to write."""
        return as_entry(self.key, unwrapped(self.text) or self.text)

    def quoted_at(self, span: Span, text: str | None = None, *, sure: bool = True) -> Fix:
        """The fix that writes a text, by default this, in quotes in place of this, which begins at a place."""
        whole = text or unwrapped(self.text) or self.text
        return replaced(span, self.text, in_quotes(whole), sure=sure)


@dataclass(frozen=True, slots=True)
class Case:
    """What PyYAML says is wrong (never shown to a person) and where, what it was reading from where on, and the text."""

    problem: str
    at: Position
    context: str
    begun: Position
    text: str
    path: str
    lines: list[str]
    homes: Mapping[str, str]
    """For keys that never stand in an item of a list, a hint that says where they belong."""

    @property
    def sign(self) -> str:
        """The character at the place."""
        return self.text[self.at.index : self.at.index + 1]

    def line(self, number: int) -> str:
        """A line, counted from 0."""
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    def place(self, index: int) -> Position:
        """The place of a character."""
        return place_in(self.text, index)

    def quoted(self, value: Value, text: str | None = None, *, sure: bool = True) -> Fix:
        """The fix that writes a text, by default that of a value, in quotes in its place."""
        return value.quoted_at(self.span(self.place(value.start)), text, sure=sure)

    def span(self, place: Position, length: int = 1) -> Span:
        """Where a place is, for a person."""
        return Span(self.path, place.line + 1, place.column + 1, length)

    def not_yaml(self, why: str, hint: str | None = None, place: Position | None = None, length: int = 1) -> Diagnostic:
        """That a text is not YAML at a place, by default where PyYAML found it."""
        return say("yaml-syntax", self.span(place or self.at, length), hint=hint, why=why)

    def no_blank(self, behind: str, sign: str, place: Position, *, fits: bool = True) -> Diagnostic:
        """That there is no blank behind a sign, and whether all else `fits` one there."""
        span = self.span(place)
        fix = replaced(span, sign, f"{sign} ") if fits else None
        return say("yaml-syntax", span, fix=fix, why=f"a blank is missing after the {behind}")


def place_in(text: str, index: int) -> Position:
    """The place of a character in a text."""
    return Position(index, text.count("\n", 0, index), index - (text.rfind("\n", 0, index) + 1))


def fault_of(case: Case) -> Diagnostic:
    """A fault in our own words, with the form to write instead where there is one."""
    found = next((told for explain in EXPLANATIONS if (told := explain(case)) is not None), None)
    if found is not None:
        return found
    if not case.text[case.at.index :].strip():
        return case.not_yaml("what begins here has no end", place=case.begun)
    return case.not_yaml("it cannot be read from here on")


def value_around(text: str, index: int) -> Value:
    """What an author meant as one text, around a place."""
    start = text.rfind("\n", 0, index) + 1
    opener = _innermost_bracket(text, start, index)
    return _block_value(text, index) if opener is None else _flow_value(text, opener, index)


def _innermost_bracket(text: str, start: int, end: int) -> int | None:
    """The bracket or brace of YAML's that stands open at `end`."""
    opened: list[int] = []
    for at, sign in unquoted(text, start):
        if at >= end:
            break
        if sign in "[{" and text[max(0, at - 40) : at].rstrip(" ")[-1:] in (":", ",", "[", "{", "-", "\n", ""):
            opened.append(at)
        elif sign in "]}" and opened:
            opened.pop()
    return opened[-1] if opened else None


def _block_value(text: str, index: int) -> Value:
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    line = text[start : end if end >= 0 else len(text)]
    found = BLOCK_VALUE.match(line)
    if found is None:
        return Value(None, start, start + len(line), line.strip())
    return Value(found["key"], start + found.start("value"), start + found.end("value"), found["value"])


def _flow_value(text: str, opener: int, index: int) -> Value:
    """The item or value between brackets that holds a place; commas within its own brackets and quotes do not end it."""
    key, start, end = None, opener + 1, len(text)
    needed: list[str] = []
    for at, sign in unquoted(text, opener + 1):
        if sign in CLOSING:
            needed.append(CLOSING[sign])
        elif needed and sign == needed[-1]:
            needed.pop()
        elif at >= index and (sign == "\n" or (sign in ",]}" and not needed)):
            end = at
            break
        elif sign in ",]}" and not needed:
            key, start = None, at + 1
        elif sign == ":" and not needed and key is None and text[at + 1 : at + 2] in (" ", "\n") and at < index:
            key, start = text[start:at].strip(), at + 1
    held = text[start:end]
    begin = start + len(held) - len(held.lstrip())
    return Value(key, begin, begin + len(held.strip()), held.strip())


def _tab(case: Case) -> Diagnostic | None:
    line = case.line(case.at.line)
    indentation = line[: len(line) - len(line.lstrip())]
    if "tab character" in case.problem or case.sign == "\t":
        return say("yaml-tab", case.span(case.at), fix=_without_tabs(case))
    tab = indentation.find("\t")
    place = Position(0, case.at.line, tab)
    return say("yaml-tab", case.span(place), fix=_without_tabs(case)) if tab >= 0 else None


def _without_tabs(case: Case) -> Fix | None:
    """The fix that indents by two blanks wherever a tab does; none where some lines are indented by blanks."""
    begins = [(number, line[: len(line) - len(line.lstrip(" \t"))]) for number, line in enumerate(case.lines, 1)]
    if any(" " in begin for _, begin in begins):
        return None
    edits = (Edit(case.path, number, 1, begin, "  " * len(begin)) for number, begin in begins if begin)
    return Fix("indent by two blanks for each tab", tuple(edits))


def _open_quote(case: Case) -> Diagnostic | None:
    """A quote without its partner: at the end of the file, or at the next quote, which belongs to another text."""
    if "quoted scalar" in case.context:
        if "escape" in case.problem or "hexdecimal" in case.problem:
            start = max(case.text.rfind("\\", 0, case.at.index + 1), 0)
            escape = shown_text(case.text[start : start + 2])
            hint = "write two backslashes, or single quotes around the text"
            return case.not_yaml(f"in double quotes `{escape}` has no meaning", hint, case.place(start), 2)
        return case.not_yaml("a quote is never closed", place=case.begun)
    mark = case.text[case.at.index - 1 : case.at.index]
    before = case.line(case.at.line)[: case.at.column - 1]
    would_open = before.count(mark) % 2 == 0 and before.rstrip(" ")[-1:] in ("", ":", "-", "[", "{", ",")
    if mark in ('"', "'") and would_open:  # by all that stands before it on its line
        opened = _unpaired(case.text, mark, case.at.index - 1)
        if opened is not None:
            return case.not_yaml("a quote is never closed", place=case.place(opened))
    return None


def _unpaired(text: str, mark: str, end: int) -> int | None:
    """The quote before a place that its own line does not close."""
    line_end = text.rfind("\n", 0, end)
    while line_end > 0:
        start = text.rfind("\n", 0, line_end) + 1
        if text[start:line_end].count(mark) % 2:
            return text.rfind(mark, start, line_end)
        line_end = start - 1
    return None


def _special(case: Case) -> Diagnostic | None:
    """A text that begins with a sign of YAML's."""
    scanned = ("next token", "an alias", "an anchor", "a tag", "block scalar", "a directive")
    if not case.context.endswith(scanned):
        value = _block_value(case.text, case.at.index)
        begins_before = value.text[:1] in ("*", "&", "!") and case.at.index > value.start
        if case.context != "while parsing a block mapping" or not begins_before:
            return None
        return _special_start(case, value)
    value = value_around(case.text, case.begun.index)
    if value.text[:1] in SPECIAL and value.text:
        return _special_start(case, value)
    return None


def _special_start(case: Case, value: Value) -> Diagnostic:
    hint = f"quote the whole text: `{value.entry}`"
    span = case.span(case.place(value.start))
    return say("yaml-special-start", span, hint=hint, fix=case.quoted(value), sign=value.text[0])


def _comment(case: Case) -> Diagnostic | None:
    """A text between brackets that lost its end, and theirs, to a comment."""
    if not _in_flow(case):
        return None
    start = case.begun.index
    end = case.text.find("\n", start)
    line = case.text[start : end if end >= 0 else len(case.text)]
    for found in islice(re.finditer(r" #", line), 20):
        value = _flow_value(case.text, start, start + found.start())
        if value.end > start + found.start() + 1 and value.start < start + found.start():
            span = case.span(case.place(value.start), value.end - value.start)
            lost = case.text[start + found.start() : value.end].strip()
            hint = f"quote the whole text: `{value.entry}`"
            return say("yaml-comment", span, hint=hint, fix=case.quoted(value), lost=lost)
    return None


def _in_flow(case: Case) -> bool:
    return case.context.startswith("while parsing a flow ") and case.begun.index < case.at.index


def _open_bracket(case: Case) -> Diagnostic | None:
    """A bracket without its partner, or with that of another kind."""
    if not _in_flow(case):
        return None
    outside = case.line(case.at.line)
    begun = case.line(case.begun.line)
    indentation = len(outside) - len(outside.lstrip())
    next_entry = case.at.line > case.begun.line and indentation <= len(begun) - len(begun.lstrip())
    if not case.text[case.at.index :].strip() or next_entry:
        return case.not_yaml("a bracket is never closed", place=case.begun)
    opener = case.text[case.begun.index]
    if case.sign in "]}" and case.sign != CLOSING.get(opener):
        return case.not_yaml(f"`{case.sign}` closes a bracket that `{opener}` opened")
    return None


def _cut_in_flow(case: Case) -> Diagnostic | None:
    """A text between brackets that begins with quotes, holds a colon, or is cut at a bracket of its own."""
    if not _in_flow(case):
        return None
    value = _flow_value(case.text, case.begun.index, case.at.index)
    span = case.span(case.place(value.start), max(1, min(value.end, case.at.index + 1) - value.start))
    if value.text[:1] in ("'", '"') and value.text:
        return _quoted_start(case, value)
    if case.sign == ":":
        word = case.text[value.start : case.at.index].split(" ")[-1]
        comma = f", or put a comma before `{shown_text(word)}`" if re.fullmatch(r"[a-z_]+", word) else ""
        hint = f"quote the whole text: `{value.entry}`{comma}"
        return say("yaml-colon", case.span(case.at), hint=hint, fix=case.quoted(value, sure=not comma))
    if set(value.text) & set("[]{}("):
        hint = f"quote the whole expression: `{value.entry}`"
        return say("yaml-split", span, hint=hint, fix=case.quoted(value))
    return case.not_yaml("a comma is missing before this")


def _quoted_start(case: Case, value: Value) -> Diagnostic:
    """A text that begins with quotes; of a sentence with an apostrophe the quotes that its author meant go."""
    text, mark = value.text, value.text[0]
    prose = case.sign.isalnum() and len(text) > 1 and text.endswith(mark)
    meant = text[1:-1] if prose else text
    return say("yaml-quoted-start", case.span(case.at), fix=case.quoted(value, meant), better=quoted(meant))


def _colon(case: Case) -> Diagnostic | None:
    """A second colon on a line, a first one where a text goes on, or none after a key."""
    if case.problem.startswith("block sequence entries"):
        return case.not_yaml("a list with `- ` begins on a line of its own")
    if "simple key" in case.context:
        return _missing_colon(case, case.begun.line)
    if not case.problem.startswith("mapping values"):
        return None
    line = case.line(case.at.line)
    value = _block_value(case.text, case.at.index)
    if value.key is not None and value.start < case.at.index:
        hint = f"quote the whole text: `{value.entry}`"
        return say("yaml-colon", case.span(case.at), hint=hint, fix=case.quoted(value))
    number = next((n for n in range(case.at.line - 1, -1, -1) if case.line(n).strip()), case.at.line)
    before = case.line(number)
    key = Position(0, case.at.line, len(line) - len(line.lstrip()))
    if NO_BLANK_AFTER_DASH.match(before):
        dash = Position(0, number, before.index("-"))
        return case.no_blank("dash", "-", dash, fits=key.column == dash.column + 2)
    in_list = re.match(r" *- ", before) is not None
    if in_list or re.search(r":(\s|$)", before):
        hint = _one_column(case, number) if in_list else ALIGN
        return case.not_yaml("this key is indented more than those around it", hint, key)
    return _missing_colon(case, number)


def _missing_colon(case: Case, number: int) -> Diagnostic:
    line = case.line(number)
    run_together = NO_BLANK.match(line)
    if run_together is not None:
        colon = Position(0, number, run_together.start("colon"))
        return case.no_blank("colon", ":", colon)
    start = len(line) - len(line.lstrip())
    return case.not_yaml("a colon is missing after this key", None, Position(0, number, start), len(line.strip()))


def _block(case: Case) -> Diagnostic | None:
    """What stands in a block, and fits neither its indentation nor the value before it."""
    if not case.context.startswith("while parsing a block ") or "expected" not in case.problem:
        return None
    line = case.line(case.at.line)
    if case.at.column == len(line) - len(line.lstrip()) and case.sign not in "]},":
        return _misplaced(case)
    value = _block_value(case.text, case.at.index)
    if value.text[:1] in ('"', "'"):
        return _quoted_start(case, value)
    if case.sign in ("]", "}"):
        return case.not_yaml("this bracket was never opened")
    if value.text[:1] in ("[", "{"):
        hint = f"quote the whole expression: `{value.entry}`"
        span = case.span(case.place(value.start), len(value.text))
        return say("yaml-split", span, hint=hint, fix=case.quoted(value))
    if case.sign == ",":
        return case.not_yaml("a comma stands where a value should")
    return None


def _misplaced(case: Case) -> Diagnostic:
    """A key or an item at an indentation where none belongs, or a text that a comment cut in two."""
    comment = TAIL.search(case.line(case.at.line - 1))
    if comment is not None and not re.match(r"- |[\w-]+:(\s|$)", case.text[case.at.index :]):
        place = Position(0, case.at.line - 1, comment.start(1))
        return say("yaml-comment", case.span(place, len(comment[1])), hint=ONE_TEXT, lost=comment[1])
    key = re.match(r"([a-z]+):(\s|$)", case.text[case.at.index :])
    home = case.homes.get(key[1]) if key is not None else None
    if home is not None and case.context.endswith("collection"):
        return case.not_yaml("this stands where a rule of the list should", home)
    if case.context.endswith("collection"):
        why = "this stands where an item of the list should"
        return case.not_yaml(why, _one_column(case, case.begun.line))
    if case.text.startswith(("- ", "-\n"), case.at.index):
        return case.not_yaml("a list stands here among keys", "put it under a key of its own")
    return case.not_yaml("this key is indented unlike those around it", ALIGN)


def _one_column(case: Case, number: int) -> str:
    """What to do with the keys of an item that stand in several columns; the list goes through a line."""
    dash = case.line(number)
    column = len(dash) - len(dash.lstrip())
    above = (case.line(n) for n in range(number - 1, -1, -1))
    owner = next((line for line in above if line[: column + 1].strip(" -")), "")
    thing = "rule" if owner.strip() == "rules:" else "item"
    return (
        f"the keys of one {thing} stand in one column, and {'a' if thing == 'rule' else 'an'} {thing} begins with `- `"
    )


EXPLANATIONS: tuple[Callable[[Case], Diagnostic | None], ...] = (
    _tab,
    _open_quote,
    _special,
    _comment,
    _open_bracket,
    _cut_in_flow,
    _colon,
    _block,
)
