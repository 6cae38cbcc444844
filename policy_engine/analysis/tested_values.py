"""Which values of facts cases have, in the regions between the constants with which rules compare a fact."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.language import expressions as tree
from policy_engine.language.date_texts import read_date
from policy_engine.language.mentions import expressions_in
from policy_engine.language.readings import choices_of
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import specialize, units
from policy_engine.language.types import Boolean, Date, Member, Number, Text
from policy_engine.language.uses import EPOCH, Regions, Scale, Use

BEYOND: Mapping[Scale, tuple[str, str]] = MappingProxyType(
    {Scale.NUMBER: ("above", "below"), Scale.DAY: ("after", "before"), Scale.AGE: ("earlier than", "later than")}
)
"""What is said of values on the far side and on the near side of an edge."""


@dataclass(frozen=True, slots=True)
class TestedValues:
    """A fact with its regions, and those in which the value of some case lies."""

    regions: Regions
    places: int
    tested: frozenset[Hashable]

    def untested(self, uses: Mapping[Hashable, Use]) -> Iterator[tuple[str, Use]]:
        """The regions in which accounts lie and no case, in words."""
        for region, use in uses.items():
            if region not in self.tested:
                yield self.in_words(region), use

    def in_words(self, region: Hashable) -> str:
        """A region as a person reads it."""
        if not isinstance(region, int) or self.regions.scale is Scale.WORD:
            return str(region)
        edges, at = [self._shown(edge) for edge in self.regions.edges], region // 2
        if region % 2 or not edges:
            return edges[at] if edges else "at all"
        after, before = BEYOND[self.regions.scale]
        bounds = (f"{after} {edges[at - 1]}" if at else "", f"{before} {edges[at]}" if at < len(edges) else "")
        return " and ".join(bound for bound in bounds if bound)

    def _shown(self, edge: int) -> str:
        match self.regions.scale:
            case Scale.DAY:
                return str(EPOCH + timedelta(edge))
            case Scale.AGE:
                days = f"{abs(edge):,} {'day' if abs(edge) == 1 else 'days'}"
                return f"{days} {'after' if edge < 0 else 'before'} the day of the question"
        return str(decimal_of(edge, self.places) if self.places else edge)


def tested_values(
    ruleset: Ruleset, cases: Iterable[RuleCase], readings: Mapping[str, str], day: date
) -> list[TestedValues]:
    """The facts of a ruleset that are numbers, dates, words of a closed set or truths, as the rules of a day divide their values.

    Where no rule compares a number with a constant, the smallest and the largest value of the cases divide it; so they do a date,
    by the days before the day of the question.
    """
    own = [case for case in cases if case.is_of(ruleset) and case.invalid is None]
    constants = _constants(specialize(ruleset, choices_of(ruleset, readings), day))
    found = (_tested(member, own, constants.get(member.name, frozenset())) for member in ruleset.facts.type.members)
    return [each for each in found if each is not None]


def _tested(member: Member, cases: Sequence[RuleCase], constants: Collection[Any]) -> TestedValues | None:
    given = [(case.facts[member.name], case.as_of) for case in cases if case.facts.get(member.name) is not None]
    match member.type:
        case Text(values=tuple()) | Boolean():
            words = frozenset(_word(value) for value, _ in given)
            return TestedValues(Regions(member.name, Scale.WORD), 0, words)
        case Number() as kind:
            edges = [units(each, kind) for each in constants]
            return _in_order(member.name, Scale.NUMBER, edges, [units(value, kind) for value, _ in given], kind.places)
        case Date() if constants:
            days = [_day(value) for value, _ in given]
            return _in_order(
                member.name, Scale.DAY, [_since_1970(each) for each in constants], list(map(_since_1970, days))
            )
        case Date():
            return _in_order(member.name, Scale.AGE, [], [(as_of - _day(value)).days for value, as_of in given])
    return None


def _in_order(name: str, scale: Scale, edges: Sequence[int], values: Sequence[int], places: int = 0) -> TestedValues:
    """A fact whose values lie in order; without edges, those that the values span are tested."""
    outer = {min(values), max(values)} if values and not edges else set()
    regions = Regions(name, scale, tuple(sorted({*edges, *outer})))
    within = {*range(1, 2 * len(outer))} if outer else set()
    return TestedValues(regions, places, frozenset({*within, *map(regions.region, values)}))


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _day(value: object) -> date:
    return value if isinstance(value, date) else read_date(str(value))


def _since_1970(day: date) -> int:
    return (day - EPOCH).days


def _constants(ruleset: Ruleset) -> Mapping[str, set[Any]]:
    """The constants with which facts are compared, by the names of the facts."""
    found: dict[str, set[Any]] = {}
    for expression in expressions_in(ruleset):
        for node in tree.walk(expression.tree):
            for fact, constant in _compared(node):
                found.setdefault(fact.name, set()).add(constant.value)
    return found


def _compared(node: tree.Node) -> Iterator[tuple[tree.Fact, tree.Literal]]:
    match node:
        case tree.Compare(left=tree.Fact() as fact, right=tree.Literal() as constant):
            yield fact, constant
        case tree.Compare(left=tree.Literal() as constant, right=tree.Fact() as fact):
            yield fact, constant
        case tree.In(item=tree.Fact() as fact, list=tree.ListLiteral(elements=elements)):
            yield from ((fact, each) for each in elements if isinstance(each, tree.Literal))
