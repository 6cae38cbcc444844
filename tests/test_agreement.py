"""The Python program gives the reference's answers: over rulesets and facts that Hypothesis writes.

`tests/support/profiles.py` says over how many.
"""

from __future__ import annotations

import decimal
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from hypothesis import Phase, given, note

from policy_engine.answering import explained
from policy_engine.backends.python import Program, prepare, stretch
from policy_engine.errors import FactsError
from policy_engine.facts.fast_validator import validator_of
from policy_engine.facts.plain import to_json_types
from policy_engine.facts.validation import valid_facts
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rounding import EXACT
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.sentences import undetermined_text
from policy_engine.reference.deciding import Evaluation, check_facts, explanation_of
from tests.support.generated_questions import Question, questions
from tests.support.profiles import agreement

PROFILE = agreement(5_000, Phase.generate, Phase.shrink)


NO_CAUSE = undetermined_text((), ())


@dataclass
class Programs:
    """The programs of a ruleset, one for each stretch of days, as the engine keeps them."""

    ruleset: Ruleset
    choices: Mapping[str, str]
    made: dict[object, Program] = field(default_factory=dict)

    def on(self, day: date) -> Program:
        """The program for a day."""
        mark = stretch(self.ruleset, day)
        if mark not in self.made:
            self.made[mark] = prepare(self.ruleset, self.choices, day)
        return self.made[mark]

    def reference(self, facts: Any, as_of: date) -> Evaluation:
        """The reference over facts."""
        return Evaluation(self.ruleset, valid_facts(facts, self.ruleset.facts), as_of, self.choices)


@given(questions())
@PROFILE
def test_the_program_gives_the_references_answers(question: Question) -> None:
    note(str(question.written))
    programs = Programs(question.ruleset, question.readings)
    with decimal.localcontext(EXACT), warnings.catch_warnings():
        warnings.simplefilter("error")  # those of the compiler
        for facts, day in zip(question.facts, question.days, strict=True):
            note(f"{facts} on {day} under {question.readings}")
            _agree(programs, facts, day)


def _agree(programs: Programs, facts: Any, day: date) -> None:
    """The reference, the function of each decision and the one for all say the same; of facts as given too, if they pass.

    So do reasons and missing facts, and the explanation of the last decision.
    """
    plain, unfit = to_json_types(facts)
    assert not unfit
    evaluation = programs.reference(facts, day)
    program = programs.on(day)
    names = [logic.name for logic in programs.ruleset.decisions]
    expected = {name: _told(evaluation.decision(name)) for name in names}
    assert {name: _told(program.decide(name)(plain, day)) for name in names} == expected
    together = program.decide_all()(plain, day)
    assert {name: _told(decision) for name, decision in together.items()} == expected
    late = {name: _late(evaluation.decision(name)) for name in names}
    assert {name: _late(program.decide(name)(plain, day)) for name in names} == late
    assert {name: _late(decision) for name, decision in together.items()} == late
    assert all(map(_names_a_fact_or_a_cause, together.values()))
    last = names[-1]
    explanation = explained(program, last, plain, day)
    assert explanation.trace == explanation_of(evaluation, last).trace
    assert (_told(explanation.decision), _late(explanation.decision)) == (expected[last], late[last])
    assert program.checks()(plain, day) == _holds(evaluation)
    if validator_of(programs.ruleset.facts.document)(facts):
        assert {name: _told(decision) for name, decision in program.decide_all()(facts, day).items()} == expected


def _names_a_fact_or_a_cause(decision: Decision) -> bool:
    """Whether an answer that is undetermined says why (sentence 18.3)."""
    return decision.status is not Status.UNDETERMINED or bool(decision.missing) or NO_CAUSE not in decision.reason


def test_an_answer_that_names_neither_would_be_seen() -> None:
    assert NO_CAUSE == "This cannot be decided: ."


def _told(decision: Decision) -> dict[str, Any]:
    """All that a decision says at once; values with their Python types, for 1 is not 1.0."""
    return {
        "status": decision.status,
        "outcome": decision.outcome,
        "rules": decision.rules,
        "values": {name: repr(value) for name, value in decision.values.items()},
        "readings": decision.readings,
        "sources": decision.sources,
        "as_of": decision.as_of,
    }


def _late(decision: Decision) -> tuple[object, ...]:
    """What a decision says when asked."""
    return decision.said, decision.missing


def _holds(evaluation: Evaluation) -> bool:
    try:
        check_facts(evaluation)
    except FactsError:
        return False
    return True
