"""Questions about generated rulesets: checked rulesets with facts and days, by choices of Hypothesis or of a seed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from policy_engine.language.rulesets import Ruleset
from tests.support.choosing import Choices
from tests.support.generated import Written, written_ruleset
from tests.support.generated_facts import FactsAuthor, day_to_ask

Json = Any


@dataclass(frozen=True)
class Question:
    """What is asked of a ruleset: about which facts, on which days, under which readings.

    Tests note what is written and the facts, which may be too long for Hypothesis to show them as an argument.
    """

    written: Written = field(repr=False)
    ruleset: Ruleset = field(repr=False)
    facts: tuple[Json, ...] = field(repr=False)
    days: tuple[date, ...]
    readings: Mapping[str, str]


def question_by(choices: Choices, most_facts: int) -> Question | None:
    """A checked ruleset with some facts, a day for each, and readings of which some are switched; None where it has a fault."""
    written = written_ruleset(choices)
    ruleset, _ = written.check()
    if ruleset is None:
        return None
    schema = json.loads(written.schema, parse_float=Decimal)
    asked = choices.between(1, most_facts)
    readings = {r.name: choices.one_of([c.name for c in r.choices]) for r in ruleset.readings if choices.chance(30)}
    facts = tuple(FactsAuthor(choices).record(schema) for _ in range(asked))
    return Question(written, ruleset, facts, tuple(day_to_ask(choices) for _ in range(asked)), readings)


@st.composite
def questions(draw: st.DrawFn, most_facts: int = 3) -> Question:
    """The same as Hypothesis chooses."""
    question = question_by(Choices(draw), most_facts)
    assume(question is not None)
    assert question is not None
    return question
