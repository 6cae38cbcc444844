"""The example of every row of the table of functions is true."""

from __future__ import annotations

from datetime import date

import pytest

from policy_engine.documents.yaml_reader import read_text
from policy_engine.engine import Engine
from policy_engine.frontend.checker import check
from policy_engine.frontend.loader import Rulebook
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.functions import AGGREGATES, FUNCTIONS, AggregateFunction, Function

SCHEMA = """
{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "day": {"type": "string", "format": "date"},
    "moved": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
    "until": {"type": "string", "format": "date-time"},
    "count": {"type": "integer", "minimum": -1000, "maximum": 1000},
    "word": {"type": "string"},
    "words": {"type": "array", "maxItems": 10, "items": {"type": "string"}},
    "off": {"type": "array", "maxItems": 10, "items": {"type": "string", "format": "date"}}
  }
}
"""
RULES = """
ruleset: examples
title: Examples
version: "1"
effective: {from: 2000-01-01}
timezone: America/New_York
facts: facts
decisions:
  it:
    question: What does it give?
    values:
      it: >-
        EXPRESSION
"""
ROWS: tuple[Function | AggregateFunction, ...] = (*FUNCTIONS.values(), *AGGREGATES.values())


def engine_for(expression: str) -> Engine:
    """An engine whose one decision has the expression as its value."""
    facts, faults = schema_of(SCHEMA, "facts.schema.json", "facts")
    assert facts is not None, faults
    node, faults = read_text(RULES.replace("EXPRESSION", expression), "examples.yaml")
    assert node is not None, faults
    syntax, faults = parse_ruleset(node)
    assert syntax is not None, faults
    ruleset, faults = check(syntax, facts, "sha256:" + "0" * 64)
    assert ruleset is not None, faults
    return Engine(Rulebook((ruleset,), ()))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{type(row).__name__} {row.name}")
def test_the_example_is_true(row: Function | AggregateFunction) -> None:
    answer = engine_for(row.example.expression).decide("examples.it", row.example.facts, as_of=date(2025, 1, 1))
    assert answer.to_dict()["values"] == {"it": row.example.gives}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{type(row).__name__} {row.name}")
def test_a_row_is_documented(row: Function | AggregateFunction) -> None:
    assert row.name in row.example.expression
    assert row.meaning[0] in "x" or row.meaning[0].isupper()
    assert row.meaning.endswith(".")
    assert "\n" not in row.meaning


@pytest.mark.parametrize("row", FUNCTIONS.values(), ids=lambda row: row.name)
def test_a_function_has_a_plain_meaning_or_is_lazy(row: Function) -> None:
    assert (row.plain is None) == row.lazy
    assert row.signature.startswith(f"{row.name}(")
