"""Definitions that stand on one another, each asked for twice: neither back end writes twice as much with every link."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from random import Random

import pytest

from policy_engine import Engine
from policy_engine.backends.columnar import prepare
from policy_engine.facts.validation import typed_facts
from policy_engine.reference.deciding import Evaluation
from tests.conftest import lay_out
from tests.support.columnar import answers_of, table_of
from tests.support.hostile import HEAD, record

DAY = date(2025, 7, 1)
LINKS = 30


def chained(links: int, folder: Path) -> Engine:
    """An engine with one decision on top of a chain."""
    facts = record({f"f{i}": {"type": "boolean"} for i in range(links + 1)})
    definitions = {"d0": "f0"} | {f"d{i}": f"f{i} and d{i - 1} or f{i + 1} and not d{i - 1}" for i in range(1, links)}
    decision = {"question": "Q", "values": {"v": f"if_known(d{links - 1})", "w": f"known(d{links - 2})"}}
    rules = {**HEAD, "definitions": definitions, "decisions": {"d": decision}}
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
        reference = Evaluation(ruleset, typed_facts(one, ruleset.facts), DAY, {}).answer("d").decision.to_dict()
        assert engine.decide("hostile.d", one, as_of=DAY).to_dict() == reference
        assert {key: row["d"][key] for key in ("status", "values", "missing")} == {
            key: reference[key] for key in ("status", "values", "missing")
        }
