"""An engine that is asked without end holds a bounded number of programs and days, and still answers as before."""

from __future__ import annotations

import gc
import json
import weakref
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Engine
from policy_engine.backends.python import Program, prepare
from policy_engine.compiled import MOST_DAYS, MOST_PROGRAMS
from tests.conftest import lay_out

FIRST = date(2020, 1, 1)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 9}},
}
READINGS = "".join(
    f"  r{i}: {{question: Is it {i}?, choice: y, choices: {{y: It is., x: It is not.}}, source: text}}\n"
    for i in range(9)
)
RULES = f"""
ruleset: memory
title: Memory
version: "1"
effective: {{from: 2020-01-01}}
timezone: UTC
facts: memory
sources: {{text: {{title: The text}}}}
readings:
{READINGS}
decisions:
  d:
    question: Which is it?
    source: text
    values: {{number: "n + {" + ".join(f'(1 if r{i} == "x" else 0)' for i in range(9))}"}}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A ruleset with 512 ways of reading it."""
    lay_out(
        {"rules/memory.yaml": RULES.replace('== "x"', "== 'x'"), "schemas/memory.schema.json": json.dumps(SCHEMA)},
        tmp_path,
    )
    return Engine.load(tmp_path / "rules", tmp_path / "schemas")


class Day(date):
    """A day that a weak reference can point at."""


def alive(noted: list[weakref.ref[Any]], most: int) -> int:
    """How many of what was noted are still held; the collector is asked only where these seem too many."""
    noted[:] = [one for one in noted if one() is not None]
    if len(noted) > most:
        gc.collect()
    return sum(one() is not None for one in noted)


def test_a3_programs_and_days_are_bounded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way of reading, and 2,000 days; what is forgotten is let go of, and answers stay the same."""
    functions = list[weakref.ref[Any]]()

    def noted(*given: Any) -> Program:
        """A program, and a weak reference to the function that decides, which lives as long."""
        program = prepare(*given)
        functions.append(weakref.ref(program.decide("d")))
        return program

    monkeypatch.setattr("policy_engine.compiled.prepare", noted)
    engine.decide("memory.d", {"n": 1}, as_of=FIRST)
    first = functions[0]
    for bits in range(2**9):
        readings = {f"r{i}": "x" for i in range(9) if bits >> i & 1}
        answer = engine.decide("memory.d", {"n": 1}, as_of=FIRST, readings=readings)
        assert answer.values == {"number": 1 + bits.bit_count()}
        assert alive(functions, MOST_PROGRAMS) <= MOST_PROGRAMS
    days = list[weakref.ref[Any]]()
    for number in range(2_000):
        day = Day.fromordinal(FIRST.toordinal() + number)
        days.append(weakref.ref(day))
        engine.decide("memory.d", {"n": 1}, as_of=day)
        del day
        assert alive(days, MOST_DAYS + 1) <= MOST_DAYS + 1, (
            "one more than is kept: the compiled ruleset holds its own day"
        )
    assert len(days) > 1, "a day that is held is seen"
    gc.collect()
    assert first() is None
    assert engine.decide("memory.d", {"n": 1}, as_of=FIRST).values == {"number": 1}
