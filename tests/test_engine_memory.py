"""An engine that is asked without end holds a bounded number of programs and days, and still answers as before."""

from __future__ import annotations

import gc
import json
import weakref
from datetime import date, timedelta
from pathlib import Path

import pytest

from policy_engine import Engine
from policy_engine.engine import MOST_DAYS, MOST_PROGRAMS
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


def test_a3_programs_and_days_are_bounded(engine: Engine) -> None:
    """Every way of reading, and 2,000 days; what is forgotten is let go of, and answers stay the same."""
    first = weakref.ref(engine._decision("memory.d", FIRST, {}).program.decide("d"))
    for bits in range(2**9):
        readings = {f"r{i}": "x" for i in range(9) if bits >> i & 1}
        answer = engine.decide("memory.d", {"n": 1}, as_of=FIRST, readings=readings)
        assert answer.values == {"number": 1 + bits.bit_count()}
        assert len(engine._compiled) <= MOST_PROGRAMS
    for day in range(2_000):
        engine.decide("memory.d", {"n": 1}, as_of=FIRST + timedelta(day))
        assert len(engine._days) <= MOST_DAYS
    gc.collect()
    assert first() is None
    assert engine.decide("memory.d", {"n": 1}, as_of=FIRST).values == {"number": 1}
