"""Finding facts about which two rulesets answer differently: those of test cases, changed a little at a time.

Nothing is proved by this: where no such facts are found in so many tries, there may still be some.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from policy_engine.backends.python import NotPlain, Program, prepare, stretch
from policy_engine.facts.candidates import Candidates, candidates, of_type
from policy_engine.facts.fast_validator import bare_validator_of
from policy_engine.language import expressions as tree
from policy_engine.language.date_texts import read_date
from policy_engine.language.dates import add_months
from policy_engine.language.decisions import Decision
from policy_engine.language.expressions import Expression
from policy_engine.language.mentions import Mention, mentions_in, reached
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Date, Instant, ListOf, Number, Record, Text, Type, member_of
from policy_engine.language.values import Value

MOST_MONTHS = 1_200
CHANGES = (1, 1, 1, 1, 2, 2, 3)
"""How many facts are changed at once; one that is listed more often comes more often."""


class Question(NamedTuple):
    """Facts in JSON types, the day that is asked about, and the readings that are switched."""

    facts: Mapping[str, Any]
    as_of: date
    readings: Mapping[str, str]


@dataclass(slots=True)
class Answering:
    """A ruleset that answers questions: compiled once for each choice of readings and stretch of days."""

    ruleset: Ruleset
    programs: dict[object, Program] = field(default_factory=dict)

    def program(self, asked: Question) -> Program:
        """What answers a question."""
        key = tuple(asked.readings.items()), stretch(self.ruleset, asked.as_of)
        if key not in self.programs:
            validator = bare_validator_of(self.ruleset.facts.document)
            self.programs[key] = prepare(self.ruleset, asked.readings, asked.as_of, validator)
        return self.programs[key]

    def is_valid(self, asked: Question) -> bool:
        """Whether the facts surely are valid."""
        try:
            return self.program(asked).checks()(asked.facts, asked.as_of)
        except NotPlain:
            return False

    def answer(self, decision: str, asked: Question) -> Decision:
        """The decision about facts that are valid."""
        return self.program(asked).decide(decision)(asked.facts, asked.as_of)


def same_answer(one: Decision, other: Decision) -> bool:
    """Whether two answers say the same, whichever text they come from and however it words the reason."""
    return _told(one) == _told(other)


def _told(answer: Decision) -> tuple[object, ...]:
    return answer.status, answer.outcome, answer.rules, answer.values, answer.missing


def differs(one: Answering, other: Answering, decisions: Iterable[str], asked: Question) -> str | None:
    """The first decision that two rulesets answer differently, or "" where the facts are valid for one alone."""
    is_valid = one.is_valid(asked)
    if is_valid != other.is_valid(asked):
        return ""
    if is_valid:
        for name in decisions:
            if not same_answer(one.answer(name, asked), other.answer(name, asked)):
                return name
    return None


@dataclass(slots=True)
class Nearby:
    """Draws questions near those of test cases: one fact or a few are absent or have another value.

    `names` are the facts that are changed. `numbers` are the whole numbers by which days are moved: the rules count with them.
    `compared` are the numbers that others are drawn near; all that the rules name, where there are none.
    """

    ruleset: Ruleset
    names: Sequence[str]
    numbers: Sequence[int]
    random: Random
    values: dict[date, Candidates] = field(default_factory=dict)
    compared: Sequence[Value] = ()

    def drawn(self, asked: Question) -> Question:
        """A question near another."""
        facts = dict(asked.facts)
        for _ in range(self.random.choice(CHANGES)):
            name = self.random.choice(self.names)
            member = member_of(self.ruleset.facts.type, name)
            assert member is not None, name
            self._change(facts, name, member.type, asked)
        return asked._replace(facts=facts)

    def _change(self, record: dict[str, Any], name: str, kind: Type, asked: Question) -> None:
        """Change one member of a record; a value of None takes it away."""
        value = self._value(record.get(name), kind, asked)
        if value is None:
            record.pop(name, None)
        else:
            record[name] = value

    def _value(self, value: Any, kind: Type, asked: Question) -> Any:
        match kind:
            case Record(members=members) if isinstance(value, Mapping) and self.random.random() < 0.9:
                changed, member = dict(value), self.random.choice(members)
                self._change(changed, member.name, member.type, asked)
                return changed
            case ListOf(element=element) if isinstance(value, list) and value:
                return self._list(value, element, asked)
        if self.random.random() < 0.1:
            return None
        return self._scalar(kind, asked)

    def _list(self, value: list[Any], element: Type, asked: Question) -> list[Any]:
        """A list with an element fewer, one more, or another one."""
        at, made = self.random.randrange(len(value)), list(value)
        match self.random.randrange(4):
            case 0:
                del made[at]
            case 1:
                made.insert(at, self._value(value[at], element, asked))
            case _:
                made[at] = self._value(value[at], element, asked)
        return [each for each in made if each is not None]

    def _scalar(self, kind: Type, asked: Question) -> Any:
        match kind:
            case Date():
                return str(self._day(asked))
            case Instant():
                return f"{self._day(asked)}T{self.random.randrange(24):02}:{self.random.choice(('00', '30'))}:00Z"
            case Text(values=tuple() as closed):
                return self.random.choice(closed)
            case Number(places=0, low=low, high=high) if self.numbers and self.random.random() < 0.5:
                return min(max(self.random.choice(self.numbers) + self.random.choice((-1, 0, 1)), low), high)
        return self.random.choice([*of_type(kind, self._candidates(asked.as_of)), None])

    def _candidates(self, as_of: date) -> Candidates:
        if as_of not in self.values:
            self.values[as_of] = candidates(self.ruleset, as_of)
        return {**self.values[as_of], Number: self.compared} if self.compared else self.values[as_of]

    def _day(self, asked: Question) -> date:
        """A day that lies some days or months, such as the rules count with, from one that the question names."""
        start = self.random.choice([asked.as_of, *_days_in(asked.facts)])
        count = self.random.choice((0, *self.numbers)) * self.random.choice((-1, 1))
        step = self.random.choice((-1, 0, 0, 1))
        try:
            moved = start + timedelta(days=count)
            if abs(count) <= MOST_MONTHS and self.random.random() < 0.3:
                moved = add_months(start, count) or start
            return moved + timedelta(days=step)
        except (OverflowError, ValueError):
            return start


def _days_in(value: Any) -> Iterator[date]:
    """The dates in facts, those of instants by their first ten characters."""
    match value:
        case Mapping():
            for each in value.values():
                yield from _days_in(each)
        case list():
            for each in value:
                yield from _days_in(each)
        case str() if value[4:5] == "-":
            try:
                yield read_date(value[:10])
            except ValueError:
                return


def literal_numbers(
    ruleset: Ruleset, expressions: Iterable[Expression], graph: dict[Mention, frozenset[Mention]]
) -> set[int | Decimal]:
    """The numbers in expressions, and in the parameters that they mention, through definitions too."""
    bodies = [*expressions]
    found = reached(mentions_in(bodies), graph)
    for mention in found:
        if mention.kind == "definition":
            bodies += tree.expressions_of(ruleset.definition(mention.name).body)
    named = [node.value for body in bodies for node in tree.walk(body.tree) if isinstance(node, tree.Literal)]
    named += [each.value for m in found if m.kind == "parameter" for each in ruleset.parameter(m.name).values]
    return {value for value in named if isinstance(value, int | Decimal) and not isinstance(value, bool)}


def numbers_in(
    ruleset: Ruleset, expressions: Iterable[Expression], graph: dict[Mention, frozenset[Mention]]
) -> list[int]:
    """The whole numbers among them, in order."""
    return sorted(value for value in literal_numbers(ruleset, expressions, graph) if isinstance(value, int))


def witness(
    one: Answering,
    other: Answering,
    decisions: Sequence[str],
    starts: Sequence[Question],
    draw: Callable[[Question], Question],
    tries: int,
    random: Random,
) -> tuple[str, Question] | None:
    """A question that two rulesets answer differently and its decision, "" where the facts are valid for one alone.

    Tried are the questions to start from, then so many near them.
    """
    for number in range(len(starts) + tries if starts else 0):
        asked = starts[number] if number < len(starts) else draw(random.choice(starts))
        decision = differs(one, other, decisions, asked)
        if decision is not None:
            return decision, asked
    return None
