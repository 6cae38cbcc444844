"""(C15) One engine matches patterns in every validator, and `uniqueItems` looks at each element once."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from itertools import product
from typing import Any

import polars as pl
import pytest

from policy_engine.facts.fast_validator import validator_of
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.violations import violations_of
from policy_engine.frontend.patterns import fault_of
from policy_engine.language.text_patterns import for_columns, matcher
from policy_engine.tables.row_validation import validated_frame
from tests.support.tables import schema_from

WHOLE = {"type": "integer", "minimum": -(10**17), "maximum": 10**17}


def document_of(part: Mapping[str, Any]) -> str:
    """A schema with one property."""
    document = {"type": "object", "additionalProperties": False, "properties": {"x": part}}
    return json.dumps(document)


def verdicts(part: Mapping[str, Any], value: Any) -> set[bool]:
    """What each validator says of a value: the gate and the columns, where they say yes, and the second look."""
    document = document_of(part)
    facts = schema_from(document)
    known = to_json_types({"x": value})[0]
    slow = not violations_of(known, facts)
    fast = validator_of(document)({"x": value})
    row = pl.DataFrame({"(row)": [1], "x": [value]})
    return {slow, fast or slow, validated_frame(row, facts).valid.height == 1}


MATCHES: Mapping[str, tuple[str, str, bool]] = {
    "anywhere in the text": ("b", "abc", True),
    "from the beginning": ("^b", "abc", False),
    "the end": ("^a$", "a", True),
    "the end, not before a line break": ("^a$", "a\n", False),
    "a backslash, then the end": ("^a\\\\$", "a\\", True),
    "a backslash, then the end, not before a line break": ("^a\\\\$", "a\\\n", False),
    "a dollar": ("^a\\$", "a$b", True),
    "a dot is any character": ("^.$", "\U0001f600", True),
    "a dot is no line break": ("^.$", "\n", False),
    "a dot is no carriage return": ("^.$", "\r", False),
    "a dot is no line separator": ("^.$", "\u2028", False),
    "a dot in a set is a dot": ("^[.]$", "a", False),
    "an escaped dot is a dot": ("^\\.$", "a", False),
    "all but a letter, line breaks included": ("^[^a]$", "\n", True),
    "a repeated group that repeats": ("^(a+)+$", "aaab", False),
    "a choice that repeats": ("^(?:ab|cd)*$", "abcdab", True),
    "nothing": ("", "", True),
}


@pytest.mark.parametrize("name", MATCHES)
def test_c15_every_validator_reads_a_pattern_alike(name: str) -> None:
    pattern, text, is_match = MATCHES[name]
    assert verdicts({"type": "string", "pattern": pattern}, text) == {is_match}


def test_c15_a_pattern_beside_a_format_and_the_format_both_hold() -> None:
    part = {"type": "string", "format": "date", "pattern": "^2"}
    assert verdicts(part, "2025-02-28") == {True}
    for text in ("1999-12-31", "2025", "20250228", "2025-W09-5"):
        assert verdicts(part, text) == {False}


ATOMS = ("a", "b", ".", "^", "$", "[ab]", "[^a]", "\\\\", "\\$", "(a|b)", "(?:ab)", "[.\\$a-c]", "|", "\\n", "\\.", "é")
COUNTS = ("", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?")
TEXTS = ["".join(signs) for length in range(3) for signs in product("ab.\\\n\r\u2028$é\U0001d4b3", repeat=length)]
TOKEN = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\.|\$")
AS_ECMASCRIPT = {".": "[^\n\r\u2028\u2029]", "$": "\\Z"}


@pytest.mark.parametrize("seed", range(10))
def test_c15_patterns_by_chance_mean_what_python_makes_of_them_in_the_form_of_ecmascript(seed: int) -> None:
    draw, met = random.Random(seed), 0
    while met < 30:
        pattern = "".join(draw.choice(ATOMS) + draw.choice(COUNTS) for _ in range(draw.randint(1, 4)))
        if fault_of(pattern) is not None:
            continue
        met += 1
        in_python = re.compile(TOKEN.sub(lambda token: AS_ECMASCRIPT.get(token[0], token[0]), pattern))
        wanted = [in_python.search(text) is not None for text in TEXTS]
        assert [matcher(pattern)(text) for text in TEXTS] == wanted, pattern
        assert pl.Series(TEXTS).str.contains(for_columns(pattern)).to_list() == wanted, pattern


EQUAL: Mapping[str, tuple[Any, Any, Any, bool]] = {
    "numbers of two spellings": (WHOLE, 1, 1.0, True),
    "large numbers of two spellings": (WHOLE, 10**17, 1e17, True),
    "numbers": (WHOLE, 10**17, 10**17 - 1, False),
    "texts": ({"type": "string"}, "1", "1", True),
    "texts of two cases": ({"type": "string"}, "a", "A", False),
    "objects in two orders": ({"a": WHOLE, "b": WHOLE}, {"a": 1, "b": 2}, {"b": 2, "a": 1.0}, True),
    "objects with their values changed round": ({"a": WHOLE, "b": WHOLE}, {"a": 1, "b": 2}, {"a": 2, "b": 1}, False),
    "a null and nothing": ({"a": WHOLE, "b": WHOLE}, {"a": 1, "b": None}, {"a": 1}, True),
    "nulls in two places": ({"a": WHOLE, "b": WHOLE}, {"a": 1, "b": None}, {"a": None, "b": 1}, False),
    "lists": ({"type": "array", "items": WHOLE}, [1, 2], [1.0, 2], True),
    "lists in two orders": ({"type": "array", "items": WHOLE}, [1, 2], [2, 1], False),
    "truth values": ({"type": "boolean"}, True, False, False),
}


@pytest.mark.parametrize("name", EQUAL)
def test_c15_what_is_equal_stands_once(name: str) -> None:
    items, one, other, is_equal = EQUAL[name]
    if "type" not in items:
        items = {"type": "object", "additionalProperties": False, "properties": items}
    part = {"type": "array", "uniqueItems": True, "items": items}
    document = document_of(part)
    known = to_json_types({"x": [one, other]})[0]
    told = [violation.keyword for violation in violations_of(known, schema_from(document))]
    assert told == (["uniqueItems"] if is_equal else [])
    assert not (is_equal and validator_of(document)({"x": [one, other]}))


def test_c15_a_truth_value_is_no_number() -> None:
    document = document_of({"type": "array", "uniqueItems": True, "items": WHOLE})
    told = violations_of({"x": [1, True, 0, False]}, schema_from(document))
    assert [(v.pointer, v.keyword) for v in told] == [("/x/1", "type"), ("/x/3", "type")]
