"""Every back end of the table, and the reference, give every conformance case the answer it must have."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from policy_engine.backends import python
from policy_engine.backends.contract import Answer, BackEnd
from policy_engine.backends.table import BACKENDS
from policy_engine.engine import Engine
from policy_engine.errors import FactsError
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from tests.support.conformance import Case, load_cases, only_named, plain, reference

CASES = load_cases()
DECIDED = [case for case in CASES if case.invalid is None]
INVALID = [case for case in CASES if case.invalid is not None]
SENTENCES = {str(number) for number in range(1, 24)}
COMMON = frozenset({"status", "outcome", "rules", "values", "missing"})
"""What every back end must tell of a decision. One that tells more must tell all that `Decision.to_dict` gives."""
EACH: Mapping[str, BackEnd] = {"reference": reference, **BACKENDS}


@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("case", DECIDED, ids=str)
def test_every_back_end_gives_the_expected_answer(case: Case, name: str) -> None:
    answers = EACH[name](case.ruleset, case.readings, case.as_of)
    facts = case.facts if name == "reference" else plain(case.facts)
    first, second = answers([facts] * 2)
    assert first == second
    _assert_expected(case, first)
    assert answers([]) == []


@pytest.mark.parametrize("case", DECIDED, ids=str)
def test_a_function_of_a_single_decision_gives_the_expected_answer(case: Case) -> None:
    program = python.prepare(case.ruleset, case.readings, case.as_of)
    facts = plain(case.facts)
    names = [logic.name for logic in case.ruleset.decisions]
    _assert_expected(case, {name: program.decide(name)(facts, case.as_of).to_dict() for name in names})


def _assert_expected(case: Case, answer: Answer) -> None:
    for decision, expected in case.expect.items():
        found = answer[decision]
        keys = expected.keys() & COMMON if found.keys() == COMMON else expected.keys()
        assert {key: only_named(found[key], expected[key]) for key in keys} == {key: expected[key] for key in keys}


def test_the_reference_and_python_tell_all_of_a_decision() -> None:
    case = DECIDED[0]
    for prepare in (reference, BACKENDS["python"]):
        [answer] = prepare(case.ruleset, case.readings, case.as_of)([plain(case.facts)])
        assert all(found.keys() > COMMON for found in answer.values())


def _by_the_reference(case: Case) -> None:
    reference(case.ruleset, case.readings, case.as_of)([case.facts])


def _one_by_one(case: Case) -> None:
    engine = Engine(Rulebook((case.ruleset,), ()))
    for logic in case.ruleset.decisions:
        engine.decide(f"conformance.{logic.name}", case.facts, as_of=case.as_of, readings=case.readings)


def _together(case: Case) -> None:
    engine = Engine(Rulebook((case.ruleset,), ()))
    engine.decide_all("conformance", case.facts, as_of=case.as_of, readings=case.readings)


@pytest.mark.parametrize("refusing", [_by_the_reference, _one_by_one, _together])
@pytest.mark.parametrize("case", INVALID, ids=str)
def test_invalid_facts_are_refused(case: Case, refusing: Callable[[Case], None]) -> None:
    with pytest.raises(FactsError) as caught:
        refusing(case)
    assert sorted(violation.pointer for violation in caught.value.violations) == sorted(case.invalid or ())


def test_every_sentence_has_a_case() -> None:
    assert {sentence for case in CASES for sentence in case.sentences} >= SENTENCES


def test_every_function_has_a_case() -> None:
    assert {name for case in CASES for name in case.functions} >= {*FUNCTIONS, *AGGREGATES}


def test_names_of_cases_differ() -> None:
    names = [case.id for case in CASES]
    assert len(set(names)) == len(names)
