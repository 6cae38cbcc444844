"""The ruleset in force on a day: rules outside their period are removed (sentence 20)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import reduce

from policy_engine.language.mentions import Mention, graph_of, mentions_in, reached, wording_of
from policy_engine.language.rulesets import Conclusion, DecisionLogic, Rule, Rules, Ruleset, conclusions_of
from policy_engine.language.types import Type, join


def in_force(ruleset: Ruleset, day: date) -> Ruleset:
    """The ruleset without the rules that are out of force on a day, and without the readings and sources of these alone."""
    decisions = tuple(_on(decision, day) for decision in ruleset.decisions)
    if decisions == ruleset.decisions:
        return ruleset
    return with_readings(replace(ruleset, decisions=decisions))


def with_readings(ruleset: Ruleset) -> Ruleset:
    """The ruleset, each of its decisions with the readings that it lists and that its expressions rest on (sentence 23.1)."""
    graph = graph_of(ruleset)
    decisions = []
    for decision in ruleset.decisions:
        start = graph[Mention("decision", decision.name)] | mentions_in(wording_of(decision))
        names = {*decision.own_readings, *(m.name for m in reached(start, graph) if m.kind == "reading")}
        decisions.append(replace(decision, readings=tuple(r.name for r in ruleset.readings if r.name in names)))
    return replace(ruleset, decisions=tuple(decisions))


def sources_of(own: Iterable[str], conclusions: Iterable[Conclusion]) -> tuple[str, ...]:
    """All that a decision cites: its own sources, then those of its conclusions, each once."""
    return tuple(dict.fromkeys([*own, *(source for conclusion in conclusions for source in conclusion.sources)]))


def _on(decision: DecisionLogic, day: date) -> DecisionLogic:
    """A decision on a day."""
    body = decision.body
    if not isinstance(body, Rules) or all(day in rule.period for rule in body.rules):
        return decision
    rules = tuple(rule for rule in body.rules if day in rule.period)
    body = replace(body, rules=rules, otherwise=_otherwise(body.otherwise, rules))
    conclusions = [conclusion for _, conclusion in conclusions_of(body)]
    return replace(
        decision,
        body=body,
        sources=sources_of(decision.own_sources, conclusions),
        answer_types=tuple(_answer_types(decision, conclusions)),
    )


def _otherwise(otherwise: Conclusion | None, rules: Iterable[Rule]) -> Conclusion | None:
    if otherwise is None or not otherwise.inherits_sources:
        return otherwise
    return replace(otherwise, sources=sources_of((), (rule.then for rule in rules)))


def _answer_types(decision: DecisionLogic, conclusions: Iterable[Conclusion]) -> Iterator[tuple[str, Type]]:
    """The types of the values that are still given, in the order they had."""
    values = [*decision.values, *(value for conclusion in conclusions for value in conclusion.values)]
    for name, _ in decision.value_types:
        given = [value.type for value in values if value.name == name]
        if given:
            kind = reduce(lambda left, right: join(left, right) or left, given)  # they go together, as was checked
            combination = decision.combination(name)
            yield name, (combination.type_of(kind, len(given)) or kind) if combination else kind
