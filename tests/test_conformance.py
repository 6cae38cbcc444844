"""Every back end gives every conformance case the answer it must have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from policy_engine.backends.python import Program, prepare
from policy_engine.engine import Engine, chosen
from policy_engine.errors import FactsError
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.validation import valid_facts
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.reference.deciding import Evaluation, check_facts
from tests.support.conformance import Case, load_cases

CASES = load_cases()
SENTENCES = {str(number) for number in range(1, 24)}
BackEnd = Callable[[Case], Mapping[str, Decision]]


def reference(case: Case) -> Mapping[str, Decision]:
    """All decisions by the reference evaluator."""
    ruleset = case.ruleset
    evaluation = Evaluation(ruleset, valid_facts(case.facts, ruleset.facts), case.as_of, chosen(ruleset, case.readings))
    check_facts(evaluation)
    return {logic.name: evaluation.answer(logic.name).decision for logic in ruleset.decisions}


def python_one_by_one(case: Case) -> Mapping[str, Decision]:
    """Each decision by a function of its own, without the engine, which would ask the reference where a function fails."""
    made = program(case)
    return {logic.name: made.decide(logic.name)(plain(case), case.as_of) for logic in case.ruleset.decisions}


def python_fused(case: Case) -> Mapping[str, Decision]:
    """All decisions by one function, without the engine."""
    answers: Mapping[str, Decision] = program(case).decide_all()(plain(case), case.as_of)
    return answers


def program(case: Case) -> Program:
    """The Python program of a case."""
    return prepare(case.ruleset, chosen(case.ruleset, case.readings), case.as_of)


def plain(case: Case) -> Any:
    """The facts of a case in JSON types."""
    facts, unfit = to_json_types(case.facts)
    assert not unfit
    return facts


def engine_one_by_one(case: Case) -> Mapping[str, Decision]:
    """Each decision by the engine."""
    ask = partial(engine(case).decide, facts=case.facts, as_of=case.as_of, readings=case.readings)
    return {logic.name: ask(f"conformance.{logic.name}") for logic in case.ruleset.decisions}


def engine_fused(case: Case) -> Mapping[str, Decision]:
    """All decisions by the engine at once."""
    return engine(case).decide_all("conformance", case.facts, as_of=case.as_of, readings=case.readings)


def engine(case: Case) -> Engine:
    """An engine with the ruleset of a case."""
    return Engine(Rulebook((case.ruleset,), ()))


BACKENDS: Mapping[str, BackEnd] = {"reference": reference, "python": python_one_by_one, "python fused": python_fused}
REFUSING: Mapping[str, BackEnd] = {"reference": reference, "python": engine_one_by_one, "python fused": engine_fused}
"""Who refuses invalid facts: functions take valid ones only, and leave it to the engine."""


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_back_end_gives_the_expected_answer(case: Case, name: str) -> None:
    if case.invalid is not None:
        with pytest.raises(FactsError) as caught:
            REFUSING[name](case)
        assert sorted(violation.pointer for violation in caught.value.violations) == sorted(case.invalid)
        return
    answers = BACKENDS[name](case)
    for decision, expected in case.expect.items():
        answer: dict[str, Any] = answers[decision].to_dict()
        assert {key: _only(answer[key], wanted) for key, wanted in expected.items()} == expected


def _only(found: Any, wanted: Any) -> Any:
    """Of an answer's mapping, the keys that the case names."""
    if isinstance(found, dict) and isinstance(wanted, dict) and wanted:
        return {key: found.get(key, "(absent)") for key in wanted}
    return found


def test_every_sentence_has_a_case() -> None:
    assert {sentence for case in CASES for sentence in case.sentences} >= SENTENCES


def test_every_function_has_a_case() -> None:
    assert {name for case in CASES for name in case.functions} >= {*FUNCTIONS, *AGGREGATES}


def test_names_of_cases_differ() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)
