"""Shapes that generated questions must have often enough, because back ends once differed over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from functools import cached_property
from types import MappingProxyType
from typing import Any

from policy_engine.language import expressions as tree
from policy_engine.language.date_texts import read_instant
from policy_engine.language.mentions import Mention, graph_of, logic_of, mentions_in, reached, wording_of
from policy_engine.language.rulesets import DecisionLogic, Rules
from policy_engine.language.types import ListOf, Record
from tests.support.generated_questions import Question

ENDS = ("0001-01-01", "9999-12-31")
PICKING = ("first", "last", "any", "all")
NAMES = (tree.Fact, tree.Variable, tree.Definition, tree.DecisionPart)


class Parts:
    """The expressions and the facts of a question."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.ruleset = question.ruleset
        self.views = {d.name for d in self.ruleset.definitions if _is_view(d.body)}
        self.runs = {d.name for d in self.ruleset.definitions if _is_view(d.body, "last_run")}

    @cached_property
    def nodes(self) -> list[tree.Node]:
        """All nodes of all expressions."""
        bodies = [d.body for d in self.ruleset.definitions]
        logic = [condition for decision in self.ruleset.decisions for condition in logic_of(decision)]
        return list(_nodes([*bodies, *logic]))

    @cached_property
    def values(self) -> list[Any]:
        """All values of all facts, those within lists and records too."""
        return [value for facts in self.question.facts for value in _values(facts)]

    def aggregates(self, *functions: str) -> Iterator[tree.Aggregate]:
        """The aggregates by some functions, or all."""
        for node in self.nodes:
            if isinstance(node, tree.Aggregate) and (not functions or node.function in functions):
                yield node


def _is_view(body: tree.Condition, *functions: str) -> bool:
    """Whether a definition is a list of what passes a filter."""
    node = body.tree if isinstance(body, tree.Expression) else None
    wanted = functions or ("list", "last_run")
    return isinstance(node, tree.Aggregate) and node.function in wanted and node.condition is not None


def _nodes(conditions: Iterable[tree.Condition]) -> Iterator[tree.Node]:
    for condition in conditions:
        for expression in tree.expressions_of(condition):
            yield from tree.walk(expression.tree)


def _values(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _values(part)


def _is_picked(node: tree.Node, names: set[str]) -> bool:
    """Whether an aggregate picks from a list with one of some names."""
    if not (isinstance(node, tree.Aggregate) and node.function in PICKING):
        return False
    return isinstance(node.source, tree.Definition) and node.source.name in names


def _in_decisions(parts: Parts, names: set[str]) -> int:
    """How many decisions pick from lists with some names."""
    picks = (any(_is_picked(node, names) for node in _nodes(logic_of(d))) for d in parts.ruleset.decisions)
    return sum(picks)


def _named_view(parts: Parts) -> bool:
    return _in_decisions(parts, parts.views) > 0


def _named_run(parts: Parts) -> bool:
    return _in_decisions(parts, parts.runs) > 0


def _view_of_two(parts: Parts) -> bool:
    uses = [name for d in parts.ruleset.decisions for name in {*_mentioned(d)} & parts.views]
    return len(uses) > len({*uses})


def _mentioned(decision: DecisionLogic) -> Iterator[str]:
    return (node.name for node in _nodes(logic_of(decision)) if isinstance(node, tree.Definition))


def _run_of_records(parts: Parts) -> bool:
    return any(isinstance(node.element.type, Record) and node.condition for node in parts.aggregates("last_run"))


def _lists_of_lists(parts: Parts) -> bool:
    """Whether something is asked of each list in a list of lists of records."""
    for node in parts.aggregates():
        kind = node.source.type.element if isinstance(node.source.type, ListOf) else None
        if isinstance(kind, ListOf) and isinstance(kind.element, Record):
            return True
    return False


def _literal_with_conditional(parts: Parts) -> bool:
    literals = (node for node in parts.nodes if isinstance(node, tree.ListLiteral))
    return any(isinstance(part, tree.Conditional) for node in literals for part in node.elements)


def _list_left_unknown(parts: Parts) -> bool:
    chosen = (node for node in parts.nodes if isinstance(node, tree.Conditional) and isinstance(node.type, ListOf))
    return any(isinstance(part, tree.LeftUnknown) for node in chosen for part in (node.then, node.otherwise))


def _constant_over_nothing(parts: Parts) -> bool:
    """Whether an aggregate gives a constant for each element, and a list of the facts is empty."""
    constant = any(not any(isinstance(n, NAMES) for n in tree.walk(node.element)) for node in parts.aggregates())
    return constant and [] in parts.values


def _member_of_picked(parts: Parts) -> bool:
    records = (node.record for node in parts.nodes if isinstance(node, tree.MemberOf))
    return any(isinstance(record, tree.Aggregate) and record.condition is not None for record in records)


def _member_of_left_unknown(parts: Parts) -> bool:
    records = (node.record for node in parts.nodes if isinstance(node, tree.MemberOf))
    chosen = (record for record in records if isinstance(record, tree.Conditional))
    return any(isinstance(part, tree.LeftUnknown) for record in chosen for part in (record.then, record.otherwise))


def _date_at_an_end(parts: Parts) -> bool:
    return any(isinstance(value, str) and value in ENDS for value in parts.values)


def _instant_beyond_utc(parts: Parts) -> bool:
    """Whether there is the date of an instant asked for, and an instant that UTC has outside the calendar."""
    asked = any(isinstance(node, tree.Call) and node.function == "date_of" for node in parts.nodes)
    return asked and any(isinstance(value, str) and value[:10] in ENDS and _is_beyond(value) for value in parts.values)


def _is_beyond(text: str) -> bool:
    try:
        read_instant(text).astimezone(UTC)
    except ValueError:
        return False
    except OverflowError:
        return True
    return False


def _no_elements(parts: Parts) -> bool:
    """Whether a list is gone over that is empty or absent in all facts."""
    names = {node.source.name for node in parts.aggregates() if isinstance(node.source, tree.Fact)}
    return any(not any(facts.get(name) for facts in parts.question.facts) for name in names)


def _reading_in_wording(parts: Parts) -> bool:
    """Whether only a sentence of a decision rests on some reading."""
    graph = graph_of(parts.ruleset)

    def readings(conditions: Iterable[tree.Condition]) -> set[Mention]:
        return {mention for mention in reached(mentions_in(conditions), graph) if mention.kind == "reading"}

    return any(readings(wording_of(d)) - readings(logic_of(d)) for d in parts.ruleset.decisions)


def _rule_out_of_force(parts: Parts) -> bool:
    bodies = [d.body for d in parts.ruleset.decisions if isinstance(d.body, Rules)]
    return any(day not in rule.period for body in bodies for rule in body.rules for day in parts.question.days)


def _looked_up(parts: Parts, has: Callable[[tree.Lookup], bool]) -> bool:
    return any(isinstance(node, tree.Lookup) and has(node) for node in parts.nodes)


def _library(parts: Parts) -> bool:
    ruleset = parts.ruleset
    named = [part.library for part in ruleset.definitions] + [part.library for part in ruleset.tables]
    return any([*named, *(part.library for part in ruleset.parameters), *(part.library for part in ruleset.readings)])


SHAPES: Mapping[str, Callable[[Parts], bool]] = MappingProxyType(
    {
        "a decision picks from a list that passes a filter and has a name": _named_view,
        "a decision picks from a run with a name": _named_run,
        "two decisions use a list that passes a filter and has a name": _view_of_two,
        "a run of records": _run_of_records,
        "a loop over lists of records": _lists_of_lists,
        "a conditional within a list that is written out": _literal_with_conditional,
        "a list that is left unknown": _list_left_unknown,
        "a constant for each element of a list that is empty": _constant_over_nothing,
        "a member of the first or last record that passes a filter": _member_of_picked,
        "a member of a record that is left unknown": _member_of_left_unknown,
        "a date at an end of the calendar": _date_at_an_end,
        "the date of an instant that UTC has beyond the calendar": _instant_beyond_utc,
        "a list without elements in every row": _no_elements,
        "a part of a library": _library,
        "a reading that only a sentence rests on": _reading_in_wording,
        "a rule out of force": _rule_out_of_force,
        "a look-up among ranges": lambda parts: _looked_up(parts, lambda node: node.table.keys[0].ranged),
        "a look-up by several keys": lambda parts: _looked_up(parts, lambda node: len(node.table.asked_keys) > 1),
        "a value on another day": lambda parts: _looked_up(
            parts, lambda node: node.table.dated and not isinstance(node.keys[-1], tree.AsOf)
        ),
    }
)


def shapes_of(question: Question) -> list[str]:
    """The shapes that a question has."""
    parts = Parts(question)
    return [name for name, has in SHAPES.items() if has(parts)]
