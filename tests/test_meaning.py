"""Promises of `docs/semantics.md` that hold for all rulesets and facts, over those that Hypothesis writes."""

from __future__ import annotations

import decimal
import warnings
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import Phase, given, note

from policy_engine.backends.python import Program, prepare
from policy_engine.engine import chosen
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rounding import EXACT
from policy_engine.language.sentences import undetermined
from policy_engine.semantics.deciding import Evaluation
from policy_engine.semantics.facts import valid_facts
from policy_engine.semantics.plain import to_json_types
from tests.support.conformance import Case, load_cases
from tests.support.generated import Question, questions
from tests.support.profiles import agreement

PROFILE = agreement(1_500, Phase.generate, Phase.shrink)
NO_CAUSE = undetermined((), ())[0].text


def answers(question: Question) -> Iterator[tuple[str, Decision]]:
    """Every answer of the reference and of generated Python to a question, with who gives it."""
    ruleset, choices = question.ruleset, chosen(question.ruleset, question.readings)
    for facts, day in zip(question.facts, question.days, strict=True):
        note(f"{facts} on {day} under {question.readings}")
        evaluation = Evaluation(ruleset, valid_facts(facts, ruleset.facts), day, choices)
        yield from (("reference", evaluation.answer(logic.name).decision) for logic in ruleset.decisions)
        program = prepare(ruleset, choices, day)
        plain, _ = to_json_types(facts)
        yield from (("python", decision) for decision in program.decide_all()(plain, day).values())


@given(questions())
@PROFILE
def test_e2_an_undetermined_answer_names_a_fact_or_a_cause(question: Question) -> None:
    """Sentence 18.3."""
    note(f"{question.written.schema}\n{question.written.ruleset}")
    with decimal.localcontext(EXACT):
        for who, decision in answers(question):
            if decision.status is Status.UNDETERMINED:
                assert decision.missing or NO_CAUSE not in decision.reason, who


def test_e2_an_answer_that_names_neither_would_be_seen() -> None:
    assert NO_CAUSE == "This cannot be decided: ."


@pytest.mark.parametrize("case", [case for case in load_cases() if case.invalid is None], ids=str)
def test_e5_generated_code_compiles_without_a_warning(case: Case) -> None:
    program = prepare(case.ruleset, chosen(case.ruleset, case.readings), case.as_of)
    facts, _ = to_json_types(case.facts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_all(program, facts, case.as_of)


@given(questions())
@PROFILE
def test_e5_so_does_that_of_written_rulesets(question: Question) -> None:
    note(f"{question.written.schema}\n{question.written.ruleset}")
    choices = chosen(question.ruleset, question.readings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for facts, day in zip(question.facts, question.days, strict=True):
            compile_all(prepare(question.ruleset, choices, day), to_json_types(facts)[0], day)


def test_e5_a_warning_of_the_compiler_would_be_seen() -> None:
    warnings.simplefilter("error")  # pytest takes it back after the test
    with pytest.raises(SyntaxError, match='"is not" with'):
        compile("(-5) is not None", "planted", "exec")


def compile_all(program: Program, facts: Any, day: date) -> None:
    """Have each function of a program compiled."""
    program.checks()(facts, day)
    for decision in program.decide_all()(facts, day).values():
        assert decision.reason or decision.missing is not None
    for logic in program.settled.ruleset.decisions:
        program.decide(logic.name)(facts, day)
        program.missing(logic.name)(facts, day)
        program.explain(logic.name, facts, day)
