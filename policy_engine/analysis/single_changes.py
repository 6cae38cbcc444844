"""A ruleset with one of several changes made to it, so that one sees what this change alone does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from policy_engine.analysis.changes.sides import Patch, Sides, with_part
from policy_engine.analysis.mutants import asking
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import depths_of, graph_of, logic_of
from policy_engine.language.rulesets import DecisionLogic, Matrix, Ruleset, conclusions_of
from policy_engine.language.types import Boolean, ListOf, Number, Text, Type, member_of

ADDED = ("readings", "parameters", "tables", "definitions")
"""The parts of which those that only the new side has are added first: changed parts may name them, and no others do."""


def with_change(sides: Sides, patch: Patch) -> Ruleset | None:
    """The old ruleset with one change; None where it makes no sound ruleset without the others."""
    changed: Ruleset = with_part(_with_new_names(sides), patch.path, patch.part)
    tables = {table.name: table for table in changed.tables}
    dated = {parameter.name: changed.table(parameter.name) for parameter in changed.parameters}
    changed = replace(asking(changed, {**dated, **tables}), tables=changed.tables)
    return changed if _is_sound(changed) else None


def _with_new_names(sides: Sides) -> Ruleset:
    added: dict[str, Any] = {}
    for part in ADDED:
        old, new = getattr(sides.old, part), getattr(sides.new, part)
        names = {each.name for each in old}
        added[part] = (*old, *(each for each in new if each.name not in names))
    return replace(sides.old, **added)


def _is_sound(ruleset: Ruleset) -> bool:
    """Whether every name stands for a part whose type is that under which it was read, and nothing goes in a circle."""
    graph = graph_of(ruleset)
    if len(depths_of(graph)) < len(graph) or not all(map(_is_whole, ruleset.decisions)):
        return False
    conditions = [check.expect for check in ruleset.checks] + [each.body for each in ruleset.definitions]
    every = chain(conditions, *map(logic_of, ruleset.decisions))
    expressions = (expression for condition in every for expression in tree.expressions_of(condition))
    return all(_fits(node, ruleset) for expression in expressions for node in tree.walk(expression.tree))


def _fits(node: tree.Node, ruleset: Ruleset) -> bool:
    match node:
        case tree.Fact(name=name):
            member = member_of(ruleset.facts.type, name)
            return member is not None and member.type == node.type and (node.optional or member.required)
        case tree.Parameter(name=name):
            return any(each.name == name and _alike(each.type, node.type) for each in ruleset.parameters)
        case tree.Reading(name=name):
            return any(each.name == name for each in ruleset.readings)
        case tree.Definition(name=name):
            found = [each for each in ruleset.definitions if each.name == name]
            return any(_alike(each.type, node.type) and (node.optional or not each.optional) for each in found)
        case tree.DecisionPart(decision=decision, part=part):
            types = {each.name: dict(each.value_types) for each in ruleset.decisions}.get(decision)
            return types is not None and (part == "outcome" or (part in types and _alike(types[part], node.type)))
        case tree.Lookup():
            return _asks_own_table(node, ruleset)
    return True


def _asks_own_table(node: tree.Lookup, ruleset: Ruleset) -> bool:
    table = node.table
    own = [each for each in ruleset.tables if each.name == table.name]
    if table.of_parameter:
        return any(each.name == table.name and _alike(each.type, node.type) for each in ruleset.parameters)
    named = [column for column in table.columns if column.name == node.column]
    return table in own and len(node.keys) == len(table.keys) and any(_alike(c.type, node.type) for c in named)


def _alike(one: Type, other: Type) -> bool:
    """Whether values of two types are kept in the same way: bounds and closed sets do not count."""
    match one, other:
        case Number(places=places), Number(places=others):
            return places == others
        case ListOf(element=element), ListOf(element=others):
            return _alike(element, others)
        case Text(), Text():
            return True
    return one == other


def _is_whole(decision: DecisionLogic) -> bool:
    """Whether the types of a decision's values are those that it says, and a matrix has a cell for each row and column."""
    types = dict(decision.value_types)
    values = [*decision.values, *(value for _, given in conclusions_of(decision.body) for value in given.values)]
    fit = all(value.name in types and _holds(decision, value.name, value.type) for value in values)
    return fit and (not isinstance(decision.body, Matrix) or all(_covers(*axis) for axis in _axes(decision.body)))


def _holds(decision: DecisionLogic, name: str, kind: Type) -> bool:
    """Whether a value may be of a type; what becomes of several rules' values may be of another."""
    return decision.combination(name) is not None or _alike(dict(decision.value_types)[name], kind)


def _axes(matrix: Matrix) -> Iterator[tuple[Type, tuple[str | bool, ...]]]:
    yield matrix.rows.tree.type, matrix.row_values
    yield matrix.columns.tree.type, matrix.column_values


def _covers(kind: Type, values: tuple[str | bool, ...]) -> bool:
    return isinstance(kind, Boolean) or (isinstance(kind, Text) and {*values} >= {*(kind.values or values)})
