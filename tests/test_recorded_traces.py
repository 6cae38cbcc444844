"""The form that records gives the steps of the reference, one by one, over every conformance case."""

from __future__ import annotations

import decimal
from typing import Any

import pytest

from policy_engine.answering import explained
from policy_engine.backends.python import prepare
from policy_engine.engine import Engine
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.traces import Explanation
from policy_engine.reference.deciding import Evaluation, explanation_of
from tests.support.conformance import Case, load_cases

CASES = [case for case in load_cases() if case.invalid is None]


def expected(case: Case) -> dict[str, Explanation]:
    """Every decision of a case with its trace, by the reference."""
    ruleset = case.ruleset
    facts = valid_facts(case.facts, ruleset.facts)
    evaluation = Evaluation(ruleset, facts, case.as_of, case.readings)
    return {logic.name: explanation_of(evaluation, logic.name) for logic in ruleset.decisions}


def recorded(case: Case) -> dict[str, Explanation]:
    """Every decision of a case with its trace, by generated code, without the engine, which might ask the reference."""
    program = prepare(case.ruleset, case.readings, case.as_of)
    facts, unfit = to_json_types(case.facts)
    assert not unfit
    with decimal.localcontext(decimal.Context(prec=2)):  # a caller's context makes no difference
        return {logic.name: explained(program, logic.name, facts, case.as_of) for logic in case.ruleset.decisions}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_form_that_records_gives_the_steps_of_the_reference(case: Case) -> None:
    for found, wanted in zip(recorded(case).values(), expected(case).values(), strict=True):
        assert found.decision == wanted.decision
        assert found.decision.said == wanted.decision.said
        assert found.trace == wanted.trace
        assert found.to_dict() == wanted.to_dict()


def test_a_trace_does_not_change_with_the_facts() -> None:
    """All is recorded before `explain` returns; only its objects are made later."""
    case = next(case for case in CASES if len(case.facts) > 1)
    engine, name = Engine(Rulebook((case.ruleset,), ())), case.ruleset.decisions[0].name
    facts: dict[str, Any] = dict(case.facts)
    explanation = engine.explain(f"conformance.{name}", facts, as_of=case.as_of, readings=case.readings)
    facts.clear()
    assert explanation.trace == expected(case)[name].trace
