"""Queries find the violations that the engine finds, on real databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import Phase, given, note
from hypothesis import strategies as st

from fixtures.samples import SAMPLES, Sample
from policy_engine.backends.sql.program import Query
from policy_engine.errors import RulesetError
from policy_engine.language.rulesets import Ruleset
from tests.support.choosing import Choices
from tests.support.conformance import Case, load_cases
from tests.support.generated_questions import questions
from tests.support.profiles import agreement
from tests.support.rulebook import shipped
from tests.support.sql_validation import ENGINES, Damage, checked_query, expected, fits_columns
from tests.test_sql import DAYS, lines_of

EACH = pytest.mark.parametrize("engine", ENGINES)
EVERY = 60
"""Of the cases whose facts are valid so many are left out but one; those that are not are all asked about."""
SOME = [case for number, case in enumerate(load_cases()) if case.invalid is not None or number % EVERY == 0]
Json = Any


def agrees(ruleset: Ruleset, facts: Sequence[Json], day: date, engine: str) -> int:
    """How many rows were compared; none where the engine refuses."""
    query = made(ruleset, day, engine)
    held = [each for each in facts if fits_columns(ruleset, each, engine)]
    if query is None or not held:
        return 0
    found = ENGINES[engine](query, held)
    wanted = {row: told for row, each in enumerate(held) if (told := expected(ruleset, each, day))}
    assert found == wanted
    return len(held)


def made(ruleset: Ruleset, day: date, engine: str) -> Query | None:
    """The query; None where the engine refuses."""
    try:
        return checked_query(ruleset, day, engine)
    except RulesetError as error:
        if {diagnostic.code for diagnostic in error.diagnostics} != {"not-in-sql"}:
            raise
        return None


@EACH
@pytest.mark.parametrize("case", SOME, ids=str)
def test_a_query_finds_the_violations_of_cases(case: Case, engine: str) -> None:
    agrees(case.ruleset, [case.facts], case.as_of, engine)


@EACH
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_a_query_finds_the_violations_of_fixtures(sample: Sample, engine: str) -> None:
    day = DAYS[1]
    ruleset = shipped().ruleset(sample.ruleset, day)
    assert agrees(ruleset, lines_of(sample.file), day, engine) > 0


@EACH
@given(st.data())
@agreement(8, Phase.generate)
def test_a_query_finds_the_violations_of_damaged_facts(engine: str, data: st.DataObject) -> None:
    question = data.draw(questions(most_facts=2))
    choices = Choices(data.draw)
    facts = [Damage(choices).of(each) for each in question.facts for _ in range(4)]
    note(f"{question.written} {facts}")
    agrees(question.ruleset, facts, question.days[0], engine)
