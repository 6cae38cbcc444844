"""The columns give the reference's answers: over rulesets and facts that Hypothesis writes.

`tests/support/profiles.py` says over how many.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from datetime import date
from typing import Any

from hypothesis import Phase, given, note

from policy_engine.backends.columnar import Refused, prepare
from policy_engine.engine import chosen
from policy_engine.language.decisions import Decision
from policy_engine.language.rounding import EXACT
from policy_engine.semantics.deciding import Evaluation
from policy_engine.semantics.facts import valid_facts
from tests.support.columnar import answers_of, table_of
from tests.support.generated_questions import Question, questions
from tests.support.profiles import agreement

PROFILE = agreement(500, Phase.generate)  # what fails is told at once; tables would take minutes to make it smaller
TOLD = ("status", "outcome", "rules", "values", "missing")


@given(questions(most_facts=8))
@PROFILE
def test_the_columns_give_the_references_answers(question: Question) -> None:
    note(f"{question.written.schema}\n{question.written.ruleset}")
    choices = chosen(question.ruleset, question.readings)
    day = question.days[0]
    note(f"{question.facts} on {day} under {question.readings}")
    try:
        program = prepare(question.ruleset, choices, day)
    except Refused:
        return
    table = table_of(question.facts, question.ruleset)
    told = answers_of(program, table)
    with decimal.localcontext(EXACT):
        assert told == [_reference(question, facts, choices, day) for facts in question.facts]
    assert answers_of(program, table.head(0)) == []


def _reference(question: Question, facts: Any, choices: Mapping[str, str], day: date) -> Mapping[str, Any]:
    """What the reference says, in the words of a table."""
    evaluation = Evaluation(question.ruleset, valid_facts(facts, question.ruleset.facts), day, choices)
    return {logic.name: _told(evaluation.answer(logic.name).decision) for logic in question.ruleset.decisions}


def _told(decision: Decision) -> Mapping[str, Any]:
    answer = decision.to_dict()
    return {key: answer[key] for key in TOLD}
