"""Reading JSON, and what is said where a text is none: what a person would see there, at the place where they would look."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from policy_engine.diagnostics import shown_text

TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
NO_NUMBER = re.compile(r"-?(?:NaN|Infinity)")
BRACKETS = ("{", "[")


@dataclass(frozen=True, slots=True)
class JsonFault:
    """Why a text is not JSON, in a sentence for a person, and where: line and column count from 1."""

    why: str
    line: int
    column: int


class _NoNumber(Exception):  # noqa: N818 - never leaves this module
    """What other readers take for a number, and JSON does not have."""


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
    before = text[:at].rstrip()
    sign = text[at + len(text[at:]) - len(text[at:].lstrip()) :][:1]
    if sign in "}]" and before.endswith(","):
        return "a comma stands before a closing bracket", text.index(sign, at)
    if "delimiter" in said and "':'" in said:
        return "a colon is missing after this name", before.rfind('"', 0, len(before) - 1)
    if "delimiter" in said:
        if sign in "}]":
            return "a bracket of another kind closes what was opened", at
        return "a comma is missing after this", len(before) - 1
    if sign in "/#":
        return "it has no comments", at
    if "property name" in said or sign == "'":
        return "names and texts stand in double quotes", at
    if sign in "}],":
        return "a value is missing here", at
    word = re.match(r"[\w.+-]+", text[at:])
    return f"`{shown_text(word.group() if word else sign, 40)}` is no value: texts stand in double quotes", at
