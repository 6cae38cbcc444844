"""The columns give the reference's answers: over rulesets and facts that Hypothesis writes.

`tests/support/profiles.py` says over how many.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import date
from typing import Any

from hypothesis import Phase, given, note

from policy_engine.backends.columnar import prepare
from policy_engine.errors import FactsError, RulesetError
from policy_engine.facts.validation import valid_facts
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rounding import EXACT
from policy_engine.reference.deciding import Evaluation, check_facts
from tests.support.columnar import reported, table_of
from tests.support.generated_questions import Question, questions
from tests.support.profiles import agreement

PROFILE = agreement(500, Phase.generate)  # what fails is told at once; tables would take minutes to make it smaller
TOLD = ("status", "outcome", "rules", "values", "missing")


@given(questions(most_facts=8))
@PROFILE
def test_the_columns_give_the_references_answers(question: Question) -> None:
    note(str(question.written))
    day = question.days[0]
    note(f"{question.facts} on {day} under {question.readings}")
    try:
        program = prepare(question.ruleset, question.readings, day, margins=True)
    except RulesetError:
        return
    table = table_of(question.facts, question.ruleset)
    told = reported(program, table)
    with decimal.localcontext(EXACT):
        assert told == dict(_reference(question, day))
    assert reported(program, table.head(0)) == {}


def _reference(question: Question, day: date) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """What the reference says of each row of which no check is false, in the words of a table."""
    for row, facts in enumerate(question.facts, 1):
        evaluation = Evaluation(question.ruleset, valid_facts(facts, question.ruleset.facts), day, question.readings)
        with suppress(FactsError):
            check_facts(evaluation)
            yield (
                row,
                {logic.name: _told(evaluation.decision(logic.name)) for logic in question.ruleset.decisions},
            )


def _told(decision: Decision) -> Mapping[str, Any]:
    """The parts that columns tell; of a decision that is undetermined without a missing fact they do not tell the reason."""
    answer = decision.to_dict()
    is_told = decision.status is not Status.UNDETERMINED or decision.missing
    return {key: answer[key] for key in (*TOLD, *(["reason"] if is_told else []))}
