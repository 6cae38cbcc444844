"""Questions about which two rulesets may answer differently: of test cases, suggested ones, and others near them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from policy_engine.analysis.mutation import question_of
from policy_engine.analysis.suggesting import first_question, suggestions_for
from policy_engine.analysis.touched import Touched
from policy_engine.analysis.witnesses import Nearby, Question, numbers_in
from policy_engine.facts.candidates import Candidates
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.language.mentions import expressions_in, graph_of
from policy_engine.language.rule_changes import Asked
from policy_engine.language.rulesets import Rules, Ruleset
from policy_engine.language.values import Holidays

SUGGESTED = 1_000
"""How many questions are drawn for suggested cases, where a side has no cases of its own."""
OTHER_DAY, OTHER_READING, ABOUT = 0.3, 0.1, 0.6
"""How often another day is asked, a reading is switched, and only facts are changed that the change is about."""
DAY = timedelta(days=1)


@dataclass(slots=True)
class Questions:
    """Draws questions that both of two rulesets can be asked, which may be asked on a day of their own."""

    rulesets: tuple[Ruleset, Ruleset]
    sides: tuple[Asked, Asked]
    cases: Sequence[RuleCase]
    first: date | None = None
    """The day that is asked before all others, where it is asked on any."""
    days: list[date] = field(init=False)
    starts: list[Question] = field(init=False)
    numbers: tuple[list[int], list[int]] = field(init=False)
    choices: list[tuple[str, str]] = field(init=False)
    """The choices that both sides have of readings that both can switch; no others are switched."""
    values: tuple[dict[date, Candidates], dict[date, Candidates]] = field(default_factory=lambda: ({}, {}))

    def __post_init__(self) -> None:
        self.days = sorted({day for ruleset in self.rulesets for day in _days(ruleset) if self.can_answer(day)})
        starts = [asked._replace(as_of=self._in_force(asked.as_of)) for asked in self._starts()]
        first = [] if self.first is None else [asked._replace(as_of=self.first) for asked in starts]
        self.starts = [asked for asked in (*first, *starts) if self.can_answer(asked.as_of)]
        had, has = (_choices(ruleset) for ruleset in self.rulesets)
        self.choices = [choice for choice in had if choice in has]
        old, new = (numbers_in(each, expressions_in(each), graph_of(each)) for each in self.rulesets)
        self.numbers = old, new

    def can_answer(self, day: date) -> bool:
        """Whether each side is asked on a day on which both are in force, and every parameter has a value then."""
        asked = zip(self.rulesets, self.sides, strict=True)
        days = [(ruleset, day if side.day is None else side.day) for ruleset, side in asked]
        return self._in_force(day) == day and all(_has_values(*each) for each in days)

    def _in_force(self, day: date) -> date:
        """The day nearest to one on which both sides are in force; the day itself where they never are together.

        A version and the next one are never in force together; both are asked then whatever their periods.
        """
        periods = [ruleset.period for ruleset in self.rulesets]
        if not periods[0].overlaps(periods[1]):
            return day
        ends = [period.end - DAY for period in periods if period.end is not None]
        return min(max(day, *(period.start for period in periods)), *ends, date.max)

    def of_side(self, asked: Question, at: int) -> Question:
        """A question as a side is asked it."""
        side = self.sides[at]
        day = asked.as_of if side.day is None else side.day
        switched = {name: choice for name, choice in asked.readings.items() if (name, choice) in self.choices}
        return asked._replace(as_of=day, readings={**switched, **side.readings})

    def drawn(self, touched: Touched, starts: Sequence[Question], tries: int, random: Random) -> Iterator[Question]:
        """Those to start from, then so many near them, most with other values of facts that a change touches."""
        yield from [*starts]
        near = [(self._about(at, touched, random), self._anywhere(at, random)) for at in (0, 1)]
        about, every = ([one for one in nearby if one.names] for nearby in zip(*near, strict=True))
        for _ in range(tries if starts and every else 0):
            nearby = random.choice(about if about and random.random() < ABOUT else every)
            yield nearby.drawn(self._switched(random.choice(starts), random))

    def _about(self, at: int, touched: Touched, random: Random) -> Nearby:
        """Draws other values of the facts that a change touches, near the numbers that it names."""
        names = [member.name for member in self.rulesets[at].facts.type.members if member.name in touched.facts]
        numbers = sorted(number for number in touched.numbers if isinstance(number, int)) or self.numbers[at]
        return Nearby(self.rulesets[at], names, numbers, random, self.values[at], sorted(touched.numbers))

    def _anywhere(self, at: int, random: Random) -> Nearby:
        names = [member.name for member in self.rulesets[at].facts.type.members]
        return Nearby(self.rulesets[at], names, self.numbers[at], random, self.values[at])

    def _switched(self, asked: Question, random: Random) -> Question:
        """Now and then the same question on another day, or with a reading switched that both sides have."""
        if self.days and random.random() < OTHER_DAY:
            asked = asked._replace(as_of=random.choice(self.days))
        if self.choices and random.random() < OTHER_READING:
            name, choice = random.choice(self.choices)
            asked = asked._replace(readings={**asked.readings, name: choice})
        return asked

    def _starts(self) -> Iterator[Question]:
        """The questions of cases; suggested ones of a ruleset that has none."""
        for case in self.cases:
            question = question_of(case) if any(case.is_of(ruleset) for ruleset in self.rulesets) else None
            yield from () if question is None else (question,)
        for ruleset in dict.fromkeys(self.rulesets):
            if not any(case.is_of(ruleset) for case in self.cases):
                suggested = (question_of(case) for case in suggestions_for(ruleset, (), SUGGESTED).cases)
                yield from [question for question in suggested if question is not None] or [first_question(ruleset)]


def _choices(ruleset: Ruleset) -> list[tuple[str, str]]:
    readings = (reading for reading in ruleset.readings if not reading.fixed)
    return [(reading.name, choice.name) for reading in readings for choice in reading.choices]


def _has_values(ruleset: Ruleset, day: date) -> bool:
    return all(any(day in each.period for each in parameter.values) for parameter in ruleset.parameters)


def _days(ruleset: Ruleset) -> Iterator[date]:
    """The days on which something begins or ends, and the days before."""
    rules = (rule for logic in ruleset.decisions if isinstance(logic.body, Rules) for rule in logic.body.rules)
    values = (value for parameter in ruleset.parameters for value in parameter.values)
    periods = [ruleset.period, *(rule.period for rule in rules), *(value.period for value in values)]
    ends = {end for period in periods for end in (period.start, period.end) if end is not None}
    ends |= {day for table in ruleset.tables for day in table.days} | set(_ends_of_calendars(ruleset))
    for day in ends - {date.min}:
        yield from (day, day - DAY)


def _ends_of_calendars(ruleset: Ruleset) -> Iterator[date]:
    """The first day of each calendar, and the first day behind it."""
    for calendar in (value.value for parameter in ruleset.parameters for value in parameter.values):
        if isinstance(calendar, Holidays):
            yield from (date(calendar.first, 1, 1), date(min(calendar.last + 1, date.max.year), 1, 1))
