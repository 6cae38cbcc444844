"""Values to try for facts: those that the rules compare with and those beside them, as JSON has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from policy_engine.language import expressions as tree
from policy_engine.language.mentions import logic_of
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Text, Time, Type, member_of
from policy_engine.language.values import Value

MOST_VALUES = 12
"""The number of values of a fact that are tried at most; `docs/reports.md` names it."""
FAR = timedelta(days=3_653)
Candidates = Mapping[type[Type], Sequence[Value]]
"""Values to try, by their type."""


def filled_in(facts: Mapping[str, Any], record: Record, path: str, values: Candidates) -> Iterator[dict[str, Any]]:
    """Copies of facts in JSON types, one for each value, with the value filled in at a path wherever it is absent."""
    name, _, below = path.partition(".")
    member = member_of(record, name)
    assert member is not None, path
    for value in _filled(facts.get(name), member.type, below, values):
        yield {**facts, name: value}


def _filled(value: Any, kind: Type, path: str, values: Candidates) -> Iterator[Any]:
    match kind:
        case ListOf(element=element) if path and isinstance(value, list):
            columns = [list(_filled(one, element, path, values)) for one in value]
            yield from ([*parts] for parts in zip(*columns, strict=False))
        case Record() if path:
            yield from filled_in(value or {}, kind, path, values)
        case _ if value is None:
            yield from of_type(kind, values)
        case _:
            yield from [value] * MOST_VALUES  # it is there in this element of a list


def of_type(kind: Type, values: Candidates) -> Iterator[Any]:
    """Values of a type in JSON types; those that the rules compare with come first."""
    match kind:
        case Boolean():
            yield from (True, False)
        case Text(values=tuple() as closed):
            yield from closed[:MOST_VALUES]
        case Number(low=low, high=high, places=places):
            known = {int(v * 10**places) for v in values[Number] if isinstance(v, int | Decimal)}
            near = [units + step for units in sorted(known) for step in (0, -1, 1) if low <= units + step <= high]
            yield from (decimal_of(units, places) if places else units for units in [low, high, *near][:MOST_VALUES])
        case ListOf(element=element):
            yield []
            yield from ([one] for one in islice(of_type(element, values), 1))
        case Record(members=members):
            yield {m.name: next(of_type(m.type, values), None) for m in members if m.required}
        case Date():
            yield from (str(day) for day in values[Date][:MOST_VALUES])
        case Instant():
            yield from (f"{day}T12:00:00Z" for day in values[Date][:MOST_VALUES])
        case Time():
            yield from (str(moment) for moment in values[Time][:MOST_VALUES])
        case Text():
            yield from (text for text in values[Text][:MOST_VALUES])


def candidates(ruleset: Ruleset, as_of: date) -> Candidates:
    """The numbers, texts and dates that a ruleset's expressions and parameters name, with dates around the day."""
    named = [*_literals(ruleset), *(v.value for p in ruleset.parameters for v in p.values if as_of in v.period)]
    days = [day for day in named if isinstance(day, date)] + [as_of]
    near = [day + step for day in days for step in (timedelta(0), -timedelta(1), timedelta(1), -FAR, FAR) if _fits(day)]
    numbers = [value for value in named if isinstance(value, int | Decimal) and not isinstance(value, bool)]
    texts = [value for value in named if isinstance(value, str)]
    return {
        Number: list(dict.fromkeys(numbers)),
        Text: [*dict.fromkeys(texts), "x"],
        Date: list(dict.fromkeys(near)),
        Time: [*dict.fromkeys(value for value in named if isinstance(value, time)), time.min, time.max],
    }


def _fits(day: date) -> bool:
    return date.min + FAR < day < date.max - FAR


def _literals(ruleset: Ruleset) -> Iterator[Value]:
    bodies = [definition.body for definition in ruleset.definitions]
    for condition in (*bodies, *(part for logic in ruleset.decisions for part in logic_of(logic))):
        for expression in tree.expressions_of(condition):
            yield from (node.value for node in tree.walk(expression.tree) if isinstance(node, tree.Literal))
