"""Queries give the reference's answers on real engines: in all conformance cases, over fixtures, over generated rulesets."""

from __future__ import annotations

import decimal
import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import Phase, given, note

from fixtures.samples import SAMPLES, Sample
from policy_engine.backends import python
from policy_engine.backends.contract import Answer, Answers, BackEnd
from policy_engine.errors import FactsError, RulesetError
from policy_engine.facts.validation import valid_facts
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Ruleset
from policy_engine.reference.deciding import Evaluation, check_facts
from tests.conftest import ROOT
from tests.support.conformance import Case, load_cases, only_named, plain
from tests.support.generated_questions import Question, questions
from tests.support.profiles import agreement
from tests.support.rulebook import shipped
from tests.support.sql_engines import ENGINES, common
from tests.test_conformance import COMMON

DECIDED = [case for case in load_cases() if case.invalid is None]
DAYS = (date(2024, 2, 29), date(2025, 9, 1))
FOREIGN = {"lower", "equals_ignoring_case"}
REFUSED = {"duckdb": FOREIGN, "postgres": FOREIGN}
"""For each engine the functions whose conformance cases it refuses."""
ALSO_REFUSED = {
    "postgres": {
        "17-found-by-generation: of what may be in a list that is unknown as a whole only the list is missing",
        "18-missing-members: (e2) a member of a record in a list of lists",
        "18-missing-members: (e2) picked out of a list of lists",
        "21-lists-in-tables: (e1) a member of the last record of each of several lists",
        "21-lists-in-tables: (e1) a member of the last record of each of several lists is known where that of one decides",
        "21-lists-in-tables: (e1) records of lists within a list by their own filter",
    }
}
"""The other cases that an engine refuses: lists of lists. It refuses no others."""
EACH = pytest.mark.parametrize("engine", ENGINES)


@EACH
@pytest.mark.parametrize("case", DECIDED, ids=str)
def test_a_query_gives_the_expected_answer(case: Case, engine: str) -> None:
    refused = bool({*case.functions} & REFUSED[engine]) or case.id in ALSO_REFUSED.get(engine, ())
    expects(ENGINES[engine], case, refused=refused)


def expects(back_end: BackEnd, case: Case, *, refused: bool) -> None:
    """An engine gives the answer that a case expects, or refuses it, as it should."""
    answers = _answers(back_end, case.ruleset, case.readings, case.as_of)
    assert (answers is None) == refused
    if answers is None:
        return
    facts = plain(case.facts)
    first, second = answers([facts, facts])
    assert first == second
    for decision, expected in case.expect.items():
        keys = expected.keys() & COMMON
        found = {key: only_named(first[decision][key], expected[key]) for key in keys}
        assert found == {key: expected[key] for key in keys}
    assert answers([]) == []


def _answers(back_end: BackEnd, ruleset: Ruleset, readings: Mapping[str, str], day: date) -> Answers | None:
    """None where the engine cannot give the exact answer, and says so."""
    try:
        return back_end(ruleset, readings, day)
    except RulesetError as error:
        if {diagnostic.code for diagnostic in error.diagnostics} != {"not-in-sql"}:
            raise
        return None


@EACH
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_a_query_decides_the_fixtures_as_python_does(sample: Sample, engine: str) -> None:
    for day in DAYS:
        ruleset = shipped().ruleset(sample.ruleset, day)
        facts = list(valid_facts_of(sample, day))
        for readings in _each_switched(ruleset):
            expected = python.back_end(ruleset, readings, day)(facts)
            assert ENGINES[engine](ruleset, readings, day)(facts) == [common(answer) for answer in expected]


@cache
def lines_of(file: str) -> list[Any]:
    lines = (ROOT / "fixtures" / file).read_text("utf-8").splitlines()
    return [json.loads(line, parse_float=decimal.Decimal) for line in lines]


def valid_facts_of(sample: Sample, day: date) -> Iterator[Any]:
    """The facts of a fixture that are valid on a day."""
    for facts in lines_of(sample.file):
        if shipped().is_valid(sample.ruleset, facts, as_of=day):
            yield plain(facts)


def _each_switched(ruleset: Ruleset) -> Iterator[Mapping[str, str]]:
    """The readings as they are written, and with each other choice of each."""
    yield {}
    for reading in ruleset.readings:
        if not reading.fixed:
            yield from ({reading.name: each.name} for each in reading.choices if each.name != reading.choice)


def agrees(back_end: BackEnd, question: Question) -> None:
    """A query answers a generated question as the reference does, or is refused."""
    note(str(question.written))
    day = question.days[0]
    note(f"{question.facts} on {day} under {question.readings}")
    answers = _answers(back_end, question.ruleset, question.readings, day)
    if answers is None:
        return
    held = list(_held(question, day))
    with decimal.localcontext(EXACT):
        assert answers([plain(facts) for facts, _ in held]) == [answer for _, answer in held]


def _held(question: Question, day: date) -> Iterator[tuple[Any, Answer]]:
    """The facts of which no check is false, with what the reference says."""
    for facts in question.facts:
        evaluation = Evaluation(question.ruleset, valid_facts(facts, question.ruleset.facts), day, question.readings)
        try:
            check_facts(evaluation)
        except FactsError:
            continue
        yield (
            facts,
            common({each.name: evaluation.decision(each.name).to_dict() for each in question.ruleset.decisions}),
        )


@given(questions(most_facts=8))
@agreement(60, Phase.generate)
def test_postgres_gives_the_references_answers(question: Question) -> None:
    agrees(ENGINES["postgres"], question)


@given(questions(most_facts=8))
@agreement(60, Phase.generate)
def test_duckdb_gives_the_references_answers(question: Question) -> None:
    agrees(ENGINES["duckdb"], question)
