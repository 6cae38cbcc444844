"""The compiled recorder gives the steps of the reference, one by one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policy_engine.engine import chosen
from policy_engine.language.decisions import Explanation, Step
from policy_engine.semantics.deciding import Evaluation, explanation_of
from policy_engine.semantics.evaluator import Names, evaluate
from policy_engine.semantics.facts import valid_facts
from policy_engine.semantics.recording import record
from tests.support.conformance import Case, load_cases

CASES = [case for case in load_cases() if case.invalid is None]


def explanations(case: Case, how: Callable[[str, Names], Step]) -> list[Explanation]:
    """Every decision of a case with its trace."""
    ruleset = case.ruleset
    facts = valid_facts(case.facts, ruleset.facts)
    evaluation = Evaluation(ruleset, facts, case.as_of, chosen(ruleset, case.readings), how)
    return [explanation_of(evaluation, logic.name) for logic in ruleset.decisions]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_recorder_gives_the_steps_of_the_reference(case: Case) -> None:
    for recorded, expected in zip(explanations(case, record), explanations(case, evaluate), strict=True):
        assert recorded.decision == expected.decision
        assert recorded.trace == expected.trace
