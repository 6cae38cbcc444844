"""Suggested cases: facts that come by a rule or a cell which no case comes by, with the present answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from policy_engine.analysis.mutation import expected_of, question_of, suggested_case
from policy_engine.analysis.ways import Way, came_by, ways_of
from policy_engine.analysis.witnesses import Answering, Nearby, Question, numbers_in
from policy_engine.facts.candidates import candidates, of_type
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.language.decisions import Decision
from policy_engine.language.mentions import expressions_in, graph_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.source import Span

SWITCHED = 0.2
"""How often a reading is switched."""


@dataclass(slots=True)
class Suggestions:
    """Suggested cases of a version of a ruleset, and the ways to which no facts were found in so many tries."""

    ruleset: Ruleset
    tries: int
    cases: list[RuleCase] = field(default_factory=list)
    not_found: list[Way] = field(default_factory=list)


def suggestions_for(ruleset: Ruleset, cases: Sequence[RuleCase], tries: int) -> Suggestions:
    """Facts near those of the cases, or near none at all, for every way that no case comes by.

    Facts that lead to something new are drawn near in their turn, so that ways are found that no case is near.
    """
    random, answering = Random(ruleset.id), Answering(ruleset)
    names = [member.name for member in ruleset.facts.type.members]
    near = Nearby(ruleset, names, numbers_in(ruleset, expressions_in(ruleset), graph_of(ruleset)), random)
    open_ = set(ways_of(ruleset))
    starts = [asked for asked in map(question_of, cases) if asked is not None and answering.is_valid(asked)]
    for asked in starts:
        open_ -= _came_by(_answers(answering, asked))
    starts = starts or [first_question(ruleset)]
    found, met = Suggestions(ruleset, tries), set[Way]()
    for number in range(tries):
        if not open_:
            break
        asked = _switched(near.drawn(random.choice(starts)), ruleset, random) if number else starts[0]
        if not names or not answering.is_valid(asked):
            continue
        answers = _answers(answering, asked)
        ways = _came_by(answers)
        if ways & open_:
            found.cases.append(_case(ruleset, asked, answers, ways & open_, cases))
            open_ -= ways
        if not ways <= met:
            met |= ways
            starts.append(asked)
    found.not_found += sorted(open_)
    return found


def _switched(asked: Question, ruleset: Ruleset, random: Random) -> Question:
    """Now and then the same question with a reading switched."""
    readings = [reading for reading in ruleset.readings if not reading.fixed]
    if not readings or random.random() > SWITCHED:
        return asked
    reading = random.choice(readings)
    return asked._replace(readings={**asked.readings, reading.name: random.choice(reading.choices).name})


def _answers(answering: Answering, asked: Question) -> dict[str, Decision]:
    return {logic.name: answering.answer(logic.name, asked) for logic in answering.ruleset.decisions}


def _came_by(answers: Mapping[str, Decision]) -> set[Way]:
    return {way for answer in answers.values() for way in came_by(answer)}


def first_question(ruleset: Ruleset) -> Question:
    """A question to begin with: the facts that must be there, on the last day on which something in the ruleset begins."""
    starts = [value.period.start for parameter in ruleset.parameters for value in parameter.values]
    inside = [day for day in (ruleset.period.start, *starts) if day in ruleset.period and day != date.min]
    as_of = max(inside, default=date(2000, 1, 1))
    values = candidates(ruleset, as_of)
    facts: dict[str, Any] = {
        m.name: next(of_type(m.type, values), None) for m in ruleset.facts.type.members if m.required
    }
    return Question(facts, as_of, {})


def _case(
    ruleset: Ruleset, asked: Question, answers: Mapping[str, Decision], ways: set[Way], cases: Sequence[RuleCase]
) -> RuleCase:
    """A case of the decisions that came by new ways."""
    expected = {name: expected_of(answers[name]) for name in dict.fromkeys(way.decision for way in sorted(ways))}
    place = cases[0].span if cases else Span(ruleset.path)
    used = {reading for name in expected for reading in answers[name].readings}
    readings = {name: choice for name, choice in asked.readings.items() if name in used}
    name = f"{', '.join(map(str, sorted(ways)))} ({ruleset.version})"
    return suggested_case(name, ruleset, asked._replace(readings=readings), place, expected)
