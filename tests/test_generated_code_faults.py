"""Generated code that fails is told as a fault of this program, with its lines; only facts that are not plain are read again."""

from __future__ import annotations

import json
import linecache
import traceback
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Engine, FactsError
from policy_engine.backends.python import expressions
from policy_engine.errors import EngineFault
from policy_engine.language import expressions as tree
from tests.conftest import lay_out

DAY = date(2025, 7, 1)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "n": {"type": "integer", "minimum": 0, "maximum": 99},
        "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 99},
        "day": {"type": "string", "format": "date"},
        "moment": {"type": "string", "format": "date-time"},
        "kind": {"type": "string", "enum": ["a", "b"]},
    },
}
RULES = """
ruleset: faults
title: Faults
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: faults
sources: {text: {title: The text}}
checks:
  - {expect: "n < 50", because: There are too many., source: text}
decisions:
  d:
    question: Is it so?
    source: text
    outcomes: ["y", "n"]
    values: {n: if_known(n), price: if_known(price), day: if_known(day), moment: if_known(moment), kind: if_known(kind)}
    rules:
      - {id: many, when: n - 10 > 5, then: "y", because: There are many.}
    otherwise: {then: "n", because: There are few.}
"""
ASKED: dict[str, Callable[[Engine, Any], object]] = {
    "decide": lambda engine, facts: engine.decide("faults.d", facts, as_of=DAY),
    "decide, trusted": lambda engine, facts: engine.decide("faults.d", facts, as_of=DAY, trusted=True),
    "decide_all": lambda engine, facts: engine.decide_all("faults", facts, as_of=DAY),
    "decide_all, trusted": lambda engine, facts: engine.decide_all("faults", facts, as_of=DAY, trusted=True),
    "decide_many": lambda engine, facts: list(engine.decide_many("faults.d", [facts], as_of=DAY)),
}


class Kind(StrEnum):
    """A text of Python's own kind."""

    A = "a"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """An engine that has compiled nothing yet."""
    lay_out({"rules/faults.yaml": RULES, "schemas/faults.schema.json": json.dumps(SCHEMA)}, tmp_path)
    return Engine.load(tmp_path / "rules", tmp_path / "schemas")


def plant(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Have subtraction written as a text that fails when it runs."""
    planted = dict(expressions.HANDLERS)
    planted[tree.Arithmetic] = lambda to, node: to.writer.named(fault)
    monkeypatch.setattr(expressions, "HANDLERS", planted)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("None + 1", "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int'"),
        ("int('x')", "ValueError: invalid literal for int() with base 10: 'x'"),
        ("{}['x']", "KeyError: 'x'"),
        ("facts.nothing", "AttributeError: 'dict' object has no attribute 'nothing'"),
        ("1 // 0", "ZeroDivisionError: integer division or modulo by zero"),
        ("[][0]", "IndexError: list index out of range"),
    ],
)
@pytest.mark.parametrize("asked", ASKED)
def test_a2_a_planted_fault_surfaces_with_its_code(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, fault: str, told: str, asked: str
) -> None:
    plant(monkeypatch, fault)
    with pytest.raises(EngineFault) as caught:
        ASKED[asked](engine, {"n": 20})
    message = str(caught.value)
    assert message.startswith("generated code failed in <faults.")
    assert f"= {fault}" in next(line for line in message.splitlines() if line.startswith(">"))
    assert message.endswith(told)
    assert type(caught.value.__cause__).__name__ == told.partition(":")[0]
    assert fault in "".join(traceback.format_exception(caught.value))


def test_a2_a_fault_in_the_checks_surfaces(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = dict(expressions.HANDLERS)
    planted[tree.Compare] = lambda to, node: "len(5)"
    monkeypatch.setattr(expressions, "HANDLERS", planted)
    for ask in (engine.decide, engine.explain):
        with pytest.raises(EngineFault, match=r"in <faults\.hold_checks"):
            ask("faults.d", {"n": 20}, as_of=DAY)


def test_a2_a_fault_in_the_form_that_records_surfaces(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.decide("faults.d", {"n": 20}, as_of=DAY)  # the form that decides is written without the fault
    plant(monkeypatch, "facts.nothing")
    with pytest.raises(EngineFault, match=r"in <faults\.record_d"):
        engine.explain("faults.d", {"n": 20}, as_of=DAY)


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize(
    ("facts", "name", "value"),
    [
        ({"n": 5, "day": DAY}, "day", DAY),
        ({"n": 5.0}, "n", 5),
        ({"n": 5, "kind": Kind.A}, "kind", "a"),
    ],
)
def test_a2_facts_that_are_not_plain_are_read_by_the_reference(
    engine: Engine, asked: str, facts: Any, name: str, value: object
) -> None:
    answers = ASKED[asked](engine, facts)
    answer = answers if not isinstance(answers, dict | list) else next(iter(dict(enumerate(answers)).values()))
    answer = answers["d"] if isinstance(answers, dict) else answer
    assert answer.values[name] == value  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "facts",
    [
        {"day": "2025-02-30"},
        {"moment": "2025-02-30T00:00:00Z"},
        {"n": 10**20},
        {"price": 0.001},
        {"n": "5"},
        {"n": 60},
        {"x": 1},
    ],
)
def test_a2_facts_that_are_invalid_are_told_as_such(engine: Engine, facts: Any) -> None:
    for ask in (engine.decide, engine.explain):
        with pytest.raises(FactsError):
            ask("faults.d", facts, as_of=DAY)


@pytest.mark.parametrize(
    "facts", [{"day": "2025-02-30"}, {"day": DAY, "n": "x"}, {"moment": 5}, {"price": "1"}, {"n": "a"}]
)
def test_a2_what_was_only_said_to_be_valid_is_no_fault(engine: Engine, facts: Any) -> None:
    """Generated code fails over them, and rightly: nobody looked at them first."""
    with pytest.raises(FactsError):
        engine.decide("faults.d", facts, as_of=DAY, trusted=True)


def test_a3_compiling_registers_no_lines(engine: Engine) -> None:
    before = len(linecache.cache)
    for number in range(20):
        engine.decide("faults.d", {"n": number}, as_of=DAY)
        engine.explain("faults.d", {"n": number}, as_of=DAY)
    assert len(linecache.cache) == before
