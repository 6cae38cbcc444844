"""Queries give the reference's answers on Spark. It starts slowly and works slowly, so a part of the cases runs here.

`SPARK_CASES=all` runs them all.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import Phase, given

from fixtures.samples import SAMPLES, Sample
from policy_engine.backends import python
from tests.support.conformance import Case
from tests.support.generated_questions import Question, questions
from tests.support.profiles import agreement
from tests.support.rulebook import shipped
from tests.support.spark import on_spark, session, violations_on_spark
from tests.support.sql_engines import common
from tests.support.sql_validation import checked_query, expected, fits_columns
from tests.test_sql import DAYS, DECIDED, FOREIGN, agrees, expects, lines_of, valid_facts_of

EVERY = 1 if os.environ.get("SPARK_CASES") == "all" else 24
SOME = (
    SAMPLES if EVERY == 1 else [sample for sample in SAMPLES if sample.ruleset in ("email_suppression", "user_roles")]
)


@pytest.mark.parametrize("case", DECIDED[::EVERY], ids=str)
def test_a_query_gives_the_expected_answer(case: Case) -> None:
    expects(on_spark, case, refused=bool({*case.functions} & FOREIGN))


@pytest.mark.parametrize("sample", SOME, ids=lambda sample: sample.file)
def test_a_query_decides_the_fixtures_as_python_does(sample: Sample) -> None:
    day = DAYS[1]
    facts, ruleset = list(valid_facts_of(sample, day)), shipped().ruleset(sample.ruleset, day)
    expected = [common(answer) for answer in python.back_end(ruleset, {}, day)(facts)]
    assert on_spark(ruleset, {}, day)(facts) == expected


def test_settings_of_the_session_change_nothing() -> None:
    day, [sample] = DAYS[1], [sample for sample in SAMPLES if sample.ruleset == "partner_earnings"]
    facts, ruleset = list(valid_facts_of(sample, day)), shipped().ruleset(sample.ruleset, day)
    odd = {"spark.sql.ansi.enabled": "false", "spark.sql.parser.escapedStringLiterals": "true"}
    for name, value in odd.items():
        session().conf.set(name, value)
    try:
        found = on_spark(ruleset, {}, day)(facts)
    finally:
        for name in odd:
            session().conf.unset(name)
    assert found == [common(answer) for answer in python.back_end(ruleset, {}, day)(facts)]


@given(questions(most_facts=8))
@agreement(6, Phase.generate)
def test_spark_gives_the_references_answers(question: Question) -> None:
    agrees(on_spark, question)


@pytest.mark.parametrize("sample", SOME, ids=lambda sample: sample.file)
def test_a_query_finds_the_violations_of_fixtures(sample: Sample) -> None:
    day = DAYS[1]
    ruleset = shipped().ruleset(sample.ruleset, day)
    query = checked_query(ruleset, day, "spark")
    held = [facts for facts in lines_of(sample.file) if fits_columns(ruleset, facts, "spark")]
    wanted = {row: told for row, facts in enumerate(held) if (told := expected(ruleset, facts, day))}
    assert wanted
    assert violations_on_spark(query, held) == wanted
