"""Work and code grow with a ruleset, and not faster.

Work with the number of rules, counted in calls, so that no clock matters; code with the length of a chain of definitions each of
which asks twice for the one before.
"""

from __future__ import annotations

import cProfile
import json
import pstats
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

import pytest

from policy_engine import Engine
from policy_engine.backends.columnar.program import prepare
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend import loader
from policy_engine.reference.deciding import Evaluation
from tests.conftest import lay_out
from tests.support.columnar import answers_of, table_of
from tests.support.hostile import HEAD as CHAIN_HEAD
from tests.support.hostile import record

DAY = date(2025, 7, 1)
WARM, FEW, MANY = 20, 310, 620
"""Of rules. The few are more than 300, past which definitions and facts are written in another way."""
MOST = 2.25
"""So many times the calls for twice the rules."""
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "s": {"type": "string", "x-sensitive": True},
        "n": {"type": "integer", "minimum": 0, "maximum": 100000},
    },
}
HEAD = """
ruleset: many
title: Many rules
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: many
sources: {text: {title: The text}}
decisions:
  d:
    question: Which is it?
    source: text
"""
FIRST = "    outcomes: [a, b]\n    otherwise: {then: b, because: It is none.}\n    rules:\n"
COLLECT = "    outcomes: [a, b]\n    hit: collect\n    rules:\n"
SHAPES: dict[str, tuple[str, Callable[[int], str]]] = {
    "two conditions": (FIRST, lambda i: f'when: s == "k{i}" and n > {i % 7 + 3}, then: a, because: It is so.'),
    "sentences with values": (
        FIRST,
        lambda i: f"when: s == \"k{i}\" and n > 1, then: a, because: 'Rule {i}: {{s}}, {{n}}.'",
    ),
    "a look-up": (FIRST, lambda i: f"when: s == \"k{i}\", then: a, because: 'Rule {i}: {{{'s' if i % 2 else 'n'}}}.'"),
    "collected": (COLLECT, lambda i: f"when: n > {i}, then: a, because: 'Rule {i}: {{n}}.'"),
}
WORK: dict[str, Callable[[Path, Engine], object]] = {
    "check": lambda folder, _: loader.load([folder / "rules"], folder / "schemas"),
    "decide": lambda _, engine: engine.decide("many.d", {"s": "k5", "n": 50}, as_of=DAY),
    "decide, undetermined": lambda _, engine: engine.decide("many.d", {}, as_of=DAY),
    "decide_all": lambda _, engine: engine.decide_all("many", {"s": "k5", "n": 50}, as_of=DAY),
    "explain": lambda _, engine: engine.explain("many.d", {"s": "k5", "n": 50}, as_of=DAY),
    "columns": lambda _, engine: prepare(engine.ruleset("many", DAY), {}, DAY),
}


def calls(folder: Path, shape: str, size: int) -> dict[str, int]:
    """The calls of functions, built-in ones included, in each piece of work over one ruleset."""
    head, rule = SHAPES[shape]
    rules = "\n".join(f"      - {{id: r{number}, {rule(number)}}}" for number in range(size))
    lay_out({"rules/many.yaml": f"{HEAD}{head}{rules}\n", "schemas/many.schema.json": json.dumps(SCHEMA)}, folder)
    engine = Engine.load(folder / "rules", folder / "schemas")
    return {name: _counted(lambda work=work: work(folder, engine)) for name, work in WORK.items()}  # type: ignore[misc]


def _counted(work: Callable[[], object]) -> int:
    profiler = cProfile.Profile()
    profiler.runcall(work)
    return int(pstats.Stats(profiler).total_calls)  # type: ignore[attr-defined]  # typeshed leaves it out


@pytest.mark.parametrize("shape", SHAPES)
def test_c16_work_grows_with_the_rules(tmp_path: Path, shape: str) -> None:
    calls(tmp_path / "warm", shape, WARM)  # so that what is done once in a process is not counted
    few, many = (calls(tmp_path / str(size), shape, size) for size in (FEW, MANY))
    assert {name: many[name] / few[name] for name in WORK if many[name] > MOST * few[name]} == {}


def test_work_grows_with_what_is_taken_from_a_library(tmp_path: Path) -> None:
    """Half of it is listed, and half comes along."""
    checked: dict[int, int] = {}
    for size in (WARM, FEW, MANY):
        definitions = {f"d{i}": f"n > {i} or e{i // 2}" for i in range(size)} | {
            f"e{i}": f"n == {i}" for i in range(size)
        }
        library = {"library": "common", "title": "T", "version": "1", "facts": "many", "definitions": definitions}
        taken = {"use": {"common": [f"d{i}" for i in range(size)]}}
        values = {f"v{i}": f"d{i}" for i in range(size)}
        rules = {**CHAIN_HEAD, "facts": "many", **taken, "decisions": {"d": {"question": "Q", "values": values}}}
        files = {"rules/a.yaml": json.dumps(rules), "rules/b.yaml": json.dumps(library)}
        folder = tmp_path / str(size)
        lay_out({**files, "schemas/many.schema.json": json.dumps(SCHEMA)}, folder)
        checked[size] = _counted(lambda folder=folder: loader.load([folder / "rules"], folder / "schemas"))  # type: ignore[misc]
    assert checked[MANY] <= MOST * checked[FEW]


LINKS = 30


def chained(links: int, folder: Path) -> Engine:
    """An engine with one decision on top of a chain."""
    facts = record({f"f{i}": {"type": "boolean"} for i in range(links + 1)})
    definitions = {"d0": "f0"} | {f"d{i}": f"f{i} and d{i - 1} or f{i + 1} and not d{i - 1}" for i in range(1, links)}
    decision = {"question": "Q", "values": {"v": f"if_known(d{links - 1})", "w": f"known(d{links - 2})"}}
    rules = {**CHAIN_HEAD, "definitions": definitions, "decisions": {"d": decision}}
    lay_out({"rules/a.yaml": json.dumps(rules), "schemas/facts.schema.json": json.dumps(facts)}, folder)
    return Engine.load(folder / "rules", folder / "schemas")


@pytest.mark.parametrize("links", [20, 40, 80])
def test_the_code_grows_with_the_chain_and_not_faster(links: int, tmp_path: Path) -> None:
    assert len(chained(links, tmp_path).code("hostile.d", DAY)) < 1_000 * links


def test_all_back_ends_agree_at_the_end_of_a_long_chain(tmp_path: Path) -> None:
    engine = chained(LINKS, tmp_path)
    ruleset = engine.ruleset("hostile", DAY)
    chance = Random(0)
    facts = [{f"f{i}": chance.random() < 0.5 for i in range(LINKS) if chance.random() < 0.95} for _ in range(20)]
    told = answers_of(prepare(ruleset, {}, DAY), table_of(facts, ruleset))
    for one, row in zip(facts, told, strict=True):
        reference = Evaluation(ruleset, valid_facts(one, ruleset.facts), DAY, {}).decision("d").to_dict()
        assert engine.decide("hostile.d", one, as_of=DAY).to_dict() == reference
        assert {key: row["d"][key] for key in ("status", "values", "missing")} == {
            key: reference[key] for key in ("status", "values", "missing")
        }
