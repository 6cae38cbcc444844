"""A ruleset that takes some of its parts from a library answers like the one in which they stand."""

from __future__ import annotations

import decimal
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from policy_engine.facts.validation import valid_facts
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Ruleset
from policy_engine.reference.deciding import Evaluation
from tests.support.choosing import SeededChoices
from tests.support.generated import Written, as_json, shared, written_document
from tests.support.generated_facts import FactsAuthor, day_to_ask

SEEDS = range(400)
BLOCKS = 8


def decided(ruleset: Ruleset, facts: Any, day: date, readings: Mapping[str, str]) -> dict[str, object]:
    """Every answer by the reference, without its digest."""
    evaluation = Evaluation(ruleset, valid_facts(facts, ruleset.facts), day, readings)
    return {logic.name: evaluation.decision(logic.name).to_dict() for logic in ruleset.decisions}


def compared(seed: int) -> bool:
    """Whether a generated ruleset could be divided; its answers were compared then."""
    choices = SeededChoices(seed)
    whole, schema = written_document(choices)
    written = shared(whole, schema, choices)
    ruleset, faults = written.check()
    assert ruleset is not None or written.library is None, (written, faults)
    before, _ = Written(as_json(whole), schema).check()
    if written.library is None or ruleset is None or before is None:
        return False
    document = json.loads(schema, parse_float=Decimal)
    readings = {r.name: choices.one_of([c.name for c in r.choices]) for r in ruleset.readings if choices.chance(30)}
    with decimal.localcontext(EXACT):
        for _ in range(3):
            facts, day = FactsAuthor(choices).record(document), day_to_ask(choices)
            assert decided(ruleset, facts, day, readings) == decided(before, facts, day, readings), (seed, written)
    return True


@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_ruleset_divided_into_two_files_answers_as_before(block: int) -> None:
    divided = [compared(seed) for seed in SEEDS[block::BLOCKS]]
    assert sum(divided) > len(divided) / 3
