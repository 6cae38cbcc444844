"""Parsing JSON to nodes, and what is said where a text is none: what a person would see there, where they would look."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.nodes import YamlNode, is_huge, scalars
from policy_engine.documents.yaml_reader import read_text
from policy_engine.source import Authored, Span

TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
NO_NUMBER = re.compile(r"-?(?:NaN|Infinity)")
BRACKETS = ("{", "[")
WORD = re.compile(r"[\w.+-]+")
WORDS = {
    "true": "true",
    "false": "false",
    "null": "null",
    "none": "null",
    "nil": "null",
    "nan": "null",
    "undefined": "null",
}
"""What words of other languages are in JSON, by their small letters."""
NUMBERS = (
    (re.compile(r"[+-]?0[0-9][0-9_]*(?:\.[0-9]+)?"), "leave out the zeros in front, or put a text in double quotes"),
    (re.compile(r"[+-]?[0-9]+(?:_[0-9]+)+(?:\.[0-9_]+)?"), "leave out the underscores"),
    (re.compile(r"\+[0-9.]+"), "leave out the plus"),
    (re.compile(r"-?\.[0-9]+"), "write a zero before the point"),
    (re.compile(r"-?[0-9]+\."), "write a digit behind the point, or leave it out"),
    (re.compile(r"-?0[xXoObB]\w+"), "write it with the digits 0 to 9"),
)
"""What looks like a number and is none in JSON, and what to do."""
CURLY = tuple("\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb")
STARTS = ('"', "{", "[", *"-0123456789", "t", "f", "n")
"""How a value begins."""
BLANKS = " \t\r\n"
ESCAPES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\.")
"""An escape, its groups set where it is a character in two halves (a surrogate pair), which YAML does not read."""


@dataclass(frozen=True, slots=True)
class JsonFault:
    """Why a text is not JSON, in a sentence for a person, and where: line and column count from 1."""

    why: str
    line: int
    column: int


class _NoNumber(Exception):  # noqa: N818 - never leaves this module
    """What other readers take for a number, and JSON does not have."""


def json_nodes(text: str, path: str) -> tuple[YamlNode | None, list[Diagnostic]]:
    """The document of a JSON text, None where it cannot be read, and its faults."""
    fault = json_fault(text)
    if fault is not None:
        return None, [say("schema-not-json", Span(path, fault.line, fault.column), why=fault.why)]
    # outside of its texts JSON may have tabs, and within them none
    node, faults = read_text(ESCAPES.sub(_whole_character, text.replace("\t", " ")), path)
    huge = [text for text in scalars(node) if is_huge(text)]  # before anything calculates with them
    return node, faults or [_too_long(text) for text in huge]


def _too_long(number: Authored) -> Diagnostic:
    what = f"`{shown_text(number.value, 40)}` has"
    return say("too-many-digits", number.span, hint="write fewer digits", what=what)


def _whole_character(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return escape.group()
    halves = bytes.fromhex(escape[1] + escape[2])
    return f"\\U{ord(halves.decode('utf-16-be')):08X}"


def json_fault(text: str) -> JsonFault | None:
    """Why a text is not JSON, None where it is; its numbers are not reckoned with, however long."""
    try:
        json.loads(text, parse_int=_nothing, parse_float=_nothing, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        return fault_at(text, error)
    except RecursionError:
        return JsonFault("it is nested too deep", 1, 1)
    except _NoNumber as error:
        found = (token.start() for token in TOKEN.finditer(text) if NO_NUMBER.fullmatch(token.group()))
        return _fault(text, f"there is no number {error}", next(found))
    return None


def fault_at(text: str, error: json.JSONDecodeError) -> JsonFault:
    """What Python's reader found, in our words."""
    return _fault(text, *_explained(text, error))


def _fault(text: str, why: str, at: int) -> JsonFault:
    return JsonFault(why, text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)


def _nothing(number: str) -> None:
    return None


def _no_number(word: str) -> None:
    raise _NoNumber(word)


def _explained(text: str, error: json.JSONDecodeError) -> tuple[str, int]:
    """Why a text is not JSON, and where."""
    at = error.pos
    said = error.msg
    if said.startswith("Unterminated"):
        return "a quote is never closed", at
    if said.startswith("Invalid control"):
        return "a text goes on after its line, or holds a sign that must be escaped", at
    if said.startswith("Invalid \\"):
        return "a backslash stands before a sign it has no meaning for", at
    if said.startswith("Extra data"):
        return "more follows where the text should end", at
    if not text.strip():
        return "the file holds nothing", 0
    if not text[at:].strip():
        return _unclosed(text)
    return _at_a_sign(text, at, said)


def _unclosed(text: str) -> tuple[str, int]:
    """The last bracket that is never closed."""
    opened = []
    for token in TOKEN.finditer(text):
        if token.group() in BRACKETS:
            opened.append(token.start())
        elif token.group() in ("}", "]") and opened:
            opened.pop()
    return ("a bracket is never closed", opened[-1]) if opened else ("something is missing at the end", len(text) - 1)


def _at_a_sign(text: str, at: int, said: str) -> tuple[str, int]:
    """What is wrong where the text still goes on."""
    found = _strange_blank(text, at) or _word_around(text, at, said)
    if found is not None:
        return found
    before, sign = text[:at].rstrip(), text[at:].lstrip()[:1]
    if sign in "}]" and before.endswith(","):
        return "a comma stands before a closing bracket", text.index(sign, at)
    if "delimiter" in said and "':'" in said:
        return "a colon is missing after this name", before.rfind('"', 0, len(before) - 1)
    if "delimiter" in said:
        return _no_comma(text, at, sign)
    if sign in "/#":
        return "it has no comments", at
    if re.search(r"[0-9],$", text[:at]) and "property name" in said and sign.isdigit():
        return "a decimal has a point, not a comma", at - 1
    if "property name" in said or sign == "'":
        return "names and texts stand in double quotes", at
    return _no_value(text, at, sign)


def _no_comma(text: str, at: int, sign: str) -> tuple[str, int]:
    """What stands in the place of a comma or of a closing bracket."""
    if sign in "}]":
        return "a bracket of another kind closes what was opened", at
    if sign in STARTS:
        return "a comma is missing after this", len(text[:at].rstrip()) - 1
    at = text.index(sign, at)
    return f"`{_word(text, at, sign)}` stands where a comma or a closing bracket should", at


def _no_value(text: str, at: int, sign: str) -> tuple[str, int]:
    """What stands in the place of a value."""
    if sign in "}],":
        return "a value is missing here", at
    if sign in CURLY:
        return f"`{sign}` is a curly quote: texts stand in straight ones", at
    word = _word(text, at, sign)
    known = WORDS.get(word.lower())
    return f"`{word}` is no value: {f'write `{known}`' if known else 'texts stand in double quotes'}", at


def _word(text: str, at: int, sign: str) -> str:
    found = WORD.match(text, at)
    return shown_text(found.group() if found else sign, 40)


def _strange_blank(text: str, at: int) -> tuple[str, int] | None:
    """A sign that looks like a blank or like nothing, and is no blank in JSON."""
    while at < len(text) and text[at] in BLANKS:
        at += 1
    sign = text[at : at + 1]
    if sign and (sign.isspace() or unicodedata.category(sign) == "Cf"):
        name = unicodedata.name(sign, "a sign of control").lower()
        advice = "write an ordinary one" if sign.isspace() else "leave it out"
        return f"a blank that JSON does not have stands here (U+{ord(sign):04X}, {name}); {advice}", at
    return None


def _word_around(text: str, at: int, said: str) -> tuple[str, int] | None:
    """A word around a place that looks like a number and is none in JSON, or that only begins like one."""
    start = at
    while start and WORD.match(text[start - 1]):
        start -= 1
    word = WORD.match(text, start)
    if word is None or (start == at and "delimiter" in said):
        return None
    shown = shown_text(word.group(), 40)
    advice = next((told for form, told in NUMBERS if form.fullmatch(word.group())), None)
    if advice is None:
        return (f"`{shown}` is no value: texts stand in double quotes", start) if start < at < word.end() else None
    return f"`{shown}` is no number: {advice}", start
