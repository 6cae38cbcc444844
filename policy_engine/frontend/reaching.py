"""Rules that never decide, and cases that no rule decides: claims that hold for all facts, days and readings.

The rules of a decision are gone through in order with the region that reaches each: where all rules before it are false. A rule
that is true nowhere in that region never decides. What remains after the last rule is decided by none.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from itertools import chain
from typing import Any

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.regions import EVERYTHING, Box, PossibleValues, Region, both
from policy_engine.frontend.situations import FALSE, NOT_FALSE, TRUE, Situations
from policy_engine.language import expressions as tree
from policy_engine.language import mentions, specialize
from policy_engine.language.rounding import number_of_units
from policy_engine.language.rulesets import ALWAYS, Check, DecisionLogic, HitPolicy, Period, Rule, Rules, Ruleset
from policy_engine.language.types import Boolean, Date, Number, Text, Type
from policy_engine.language.values import Value, in_words
from policy_engine.source import Span

PLAIN = frozenset(
    {"type", "title", "description", "examples", "$comment", "enum", "format", "multipleOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
)
"""Keywords of a fact's schema that are understood here; of a fact with another no example is given."""
ANOTHER = ("something else", "another text")
MOST_RULES = 200
"""Decisions with more rules are not analysed, which bounds the time that checking takes."""
ABSENT = None
NEVER_TRUE = "its condition is never true"


@dataclass(frozen=True, slots=True)
class UncoveredCase:
    """A case in which no rule of a decision is true or unknown: what the facts it depends on are (None: absent), and a day."""

    facts: Mapping[str, Value | None]
    readings: Mapping[str, str]
    day: date
    on_day: bool
    """Whether the day is a part of the case."""
    always: bool = False
    """Whether it is a case on every day."""


def periods(ruleset: Ruleset) -> list[Period]:
    """The stretches of the ruleset's days on which no parameter and no rule's being in force changes."""
    bodies = [decision.body for decision in ruleset.decisions if isinstance(decision.body, Rules)]
    changing = [value.period for parameter in ruleset.parameters for value in parameter.values]
    changing += [rule.period for body in bodies for rule in body.rules]
    days = {
        day for period in changing for day in (period.start, period.end) if day is not None and day in ruleset.period
    }
    starts = sorted({ruleset.period.start, *days})
    return [Period(start, end) for start, end in zip(starts, [*starts[1:], ruleset.period.end], strict=True)]


def hidden_rules(stretches: list[Situations], body: Rules) -> Mapping[str, str]:
    """Rules that decide on no day on which they are in force, under their ids, with the reason on the first such day."""
    found: dict[str, str] = {}
    reached: set[str] = set()
    for situations in stretches if len(body.rules) <= MOST_RULES else ():
        rules = [rule for rule in body.rules if situations.days.start in rule.period]
        reaching = EVERYTHING
        for index, rule in enumerate(rules):
            own = situations.of(rule.when, TRUE)
            if not both(own, reaching, situations.universes).empty:
                reached.add(rule.id)
            elif rule.id not in found:
                found[rule.id] = _why_hidden(situations, own, rules[:index])
            reaching = both(reaching, situations.of(rule.when, FALSE), situations.universes)
    return {name: why for name, why in found.items() if name not in reached}


def _why_hidden(situations: Situations, own: Region, before: list[Rule]) -> str:
    """Why a rule that is true in a region never decides: for itself, for one rule before it, or for all of them together."""
    if own.empty:
        return NEVER_TRUE
    for rule in before:
        if both(own, situations.of(rule.when, FALSE), situations.universes).empty:
            return f"`{rule.id}` before it is never false where this is true"
    return "the rules before it leave it no case"


def exclude_each_other(stretches: list[Situations], one: Rule, other: Rule) -> bool:
    """Whether two rules are surely never true together."""
    in_force = (s for s in stretches if s.days.start in one.period and s.days.start in other.period)
    return all(both(s.of(one.when, TRUE), s.of(other.when, TRUE), s.universes).empty for s in in_force)


def uncovered_case(stretches: list[Situations], body: Rules) -> UncoveredCase | None:
    """A case that the rules of a decision without `otherwise` surely leave open, None where none is found."""
    if body.hit is not HitPolicy.FIRST or body.otherwise is not None or len(body.rules) > MOST_RULES:
        return None
    cases = [_uncovered_case_on(situations, body) for situations in stretches]
    first = next((case for case in cases if case is not None), None)
    if first is None:
        return None
    alike = (each is not None and (each.facts, each.readings) == (first.facts, first.readings) for each in cases)
    return replace(first, always=not first.on_day and all(alike))


def _uncovered_case_on(situations: Situations, body: Rules) -> UncoveredCase | None:
    """A case on the days of one stretch."""
    rules = [rule for rule in body.rules if situations.days.start in rule.period]
    region = EVERYTHING
    for rule in rules:
        region = both(region, situations.of(rule.when, FALSE), situations.universes)
    for check in _checks_that_matter(situations.ruleset, rules):
        region = both(region, situations.of(check.expect, NOT_FALSE), situations.universes)
    if not region.exact:
        return None
    examples = (_example(situations, box) for box in sorted(region.boxes, key=_strangeness))
    return next((example for example in examples if example is not None), None)


def _checks_that_matter(ruleset: Ruleset, rules: list[Rule]) -> list[Check]:
    """The checks that read a fact, or the day, that the rules read, or that another such check reads.

    Facts that the others allow are there whatever the rules read, or no facts at all would be valid.
    """
    read = _read(ruleset, (rule.when for rule in rules))
    left = [(check, _read(ruleset, [check.expect])) for check in ruleset.checks]
    found: list[Check] = []
    while more := [(check, facts) for check, facts in left if facts & read]:
        found += [check for check, _ in more]
        read = read.union(*(facts for _, facts in more))
        left = [(check, facts) for check, facts in left if check not in found]
    return found


def _read(ruleset: Ruleset, conditions: Iterable[tree.Condition]) -> frozenset[str]:
    """The top-level facts that conditions read, through definitions and decisions; `as_of` where they read the day."""
    asked = list(conditions)
    found = mentions.reached(mentions.mentions_in(asked), mentions.graph_of(ruleset))
    below = [d.body for d in ruleset.definitions if mentions.Mention("definition", d.name) in found]
    used = (mentions.logic_of(d) for d in ruleset.decisions if mentions.Mention("decision", d.name) in found)
    facts = {mention.name.split(".")[0] for mention in found if mention.kind in ("fact", "member")}
    expressions = (each for condition in chain(asked, below, *used) for each in tree.expressions_of(condition))
    day = any(isinstance(node, tree.AsOf) for expression in expressions for node in tree.walk(expression.tree))
    return frozenset(facts | ({"as_of"} if day else set()))


def _strangeness(box: Box) -> tuple[int, int]:
    """How many facts must be absent, and how many are asked for at all: plain cases come first."""
    return sum(not domain.known for domain in box.values()), len(box)


def _example(situations: Situations, box: Box) -> UncoveredCase | None:
    """A case in a box that limits facts, readings and the day alone, each to a value that is surely possible."""
    properties = json.loads(situations.ruleset.facts.document)["properties"]
    taken = situations.ruleset.reading
    facts: dict[str, Value | None] = {}
    readings: dict[str, str] = {}
    day = None
    for index, domain in sorted(box.items()):
        match situations.nodes[index]:
            case tree.Reading(name=name) if not taken(name).fixed or taken(name).choice in domain.known.values:
                choices = domain.known.values
                readings[name] = taken(name).choice if taken(name).choice in choices else min(choices)
            case tree.AsOf():
                day = date.fromordinal(domain.known.ranges[0][0])
            case tree.Fact(name=name) if not domain.known:
                facts[name] = ABSENT
            case tree.Fact(name=name) as fact if (value := _value_in(fact.type, domain, properties[name])) is not None:
                facts[name] = value
            case _:
                return None
    return UncoveredCase(facts, readings, day or situations.days.start, on_day=day is not None)


def _value_in(kind: Type, domain: PossibleValues, schema: Mapping[str, Any]) -> Value | None:
    """A value of a fact that is in a domain, and that its schema surely allows; None where none is sure."""
    if not {key for key in schema if not key.startswith("x-")} <= PLAIN:
        return None
    return next((value for value in _values_in(kind, domain) if _allowed(value, schema)), None)


def _values_in(kind: Type, domain: PossibleValues) -> Iterator[Value]:
    """Some values in a domain, those nearest to what the rules ask for first."""
    match kind:
        case Number(places=places, low=least):
            for low, high in domain.known.ranges:
                ends = (low, high) if low > least else (high, low)
                yield from (number_of_units(units, places) for units in ends)
        case Date():
            for low, high in domain.known.ranges:
                yield date.fromordinal(low if low > 1 else high)
        case Text(values=None) if domain.known.but:
            yield from (text for text in ANOTHER if text not in domain.known.values)
        case Text(values=order):
            yield from (text for text in order or sorted(domain.known.values) if text in domain.known.values)
        case Boolean():
            yield from sorted(domain.known.values)


def _allowed(value: Value, schema: Mapping[str, Any]) -> bool:
    """Whether a value fits what a schema says beyond its type and its bounds."""
    step, listed = schema.get("multipleOf"), schema.get("enum")
    even = step is None or Fraction(value) % Fraction(str(step)) == 0  # type: ignore[arg-type]  # a number, as it has a step
    return even and (listed is None or isinstance(value, str) or value in listed)


def lint_rules(ruleset: Ruleset, constant: Set[Span]) -> Iterator[Diagnostic]:
    """Rules that never decide, cases that no rule decides, and values that two rules of a collect decision give.

    `constant` are the places of comparisons that are reported as always true or false: where one makes a rule never true, that
    is not reported again.
    """
    stretches = [Situations(ruleset, days) for days in periods(ruleset)]
    for decision in ruleset.decisions:
        if not isinstance(decision.body, Rules):
            continue
        if decision.body.hit is HitPolicy.COLLECT:
            yield from _given_twice(decision, decision.body.rules, stretches)
            continue
        yield from _hidden(decision.body, hidden_rules(stretches, decision.body), constant)
        gap = uncovered_case(stretches, decision.body)
        if gap is not None:
            yield say("uncovered-case", decision.span, decision=decision.name, case=_in_words(ruleset, gap))


def _is_constant(when: tree.Condition, constant: Set[Span]) -> bool:
    return any(node.span in constant for each in tree.expressions_of(when) for node in tree.walk(each.tree))


def _given_twice(decision: DecisionLogic, rules: Iterable[Rule], stretches: list[Situations]) -> Iterator[Diagnostic]:
    """Values that two rules may give together, of which an answer would hold one, as nothing says how they combine."""
    givers: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        for value in rule.then.values:
            if decision.combination(value.name):
                continue
            others = (giver for giver in givers[value.name] if giver.period.overlaps(rule.period))
            other = next((giver for giver in others if not exclude_each_other(stretches, giver, rule)), None)
            if other is not None:
                yield say("collected-value", value.expression.tree.span, name=value.name, other=other.id)
            givers[value.name].append(rule)


def _hidden(body: Rules, hidden: Mapping[str, str], constant: Set[Span]) -> Iterator[Diagnostic]:
    """Reports rules after one that is always true or has the same condition, and those in `hidden`."""
    always: str | None = None
    before: dict[tuple[str, ...], list[tuple[str, tree.Condition]]] = {}
    for rule in body.rules:
        alike = before.setdefault(tuple(each.text for each in tree.expressions_of(rule.when)), [])
        same = next((id_ for id_, when in alike if when == rule.when), None)
        if always is not None:
            yield say("unreachable-rule", rule.span, why=f"`{always}` before it is always true")
        elif same is not None:
            yield say("unreachable-rule", rule.span, why=f"`{same}` before it asks the same")
        elif hidden.get(rule.id) == NEVER_TRUE:
            if not _is_constant(rule.when, constant):
                yield say("unreachable-rule", rule.span, why=NEVER_TRUE, hint="correct it, or leave it out")
        elif rule.id in hidden:
            yield say("unreachable-rule", rule.span, why=hidden[rule.id])
        if rule.period == ALWAYS:
            alike.append((rule.id, rule.when))
            always = rule.id if always is None and specialize.constant(rule.when) is True else always


def _in_words(ruleset: Ruleset, gap: UncoveredCase) -> str:
    """A case as a person reads it, in the order of the schema."""
    order = [member.name for member in ruleset.facts.type.members]
    told = [f"`{name}` is {_value(gap.facts[name])}" for name in sorted(gap.facts, key=order.index)]
    choices = {reading.name: reading.choice for reading in ruleset.readings}
    told += [f"`{name}` is read as `{choice}`" for name, choice in gap.readings.items() if choices[name] != choice]
    case = " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
    case = f"where {case}" if case else "whatever the facts are"
    return case if gap.always else f"{case}, on {gap.day}"


def _value(value: object) -> str:
    if value is None:
        return "absent"
    shown = in_words(value)  # type: ignore[arg-type]  # a value, as it is not absent
    return f"`{shown}`" if isinstance(value, str) else shown
