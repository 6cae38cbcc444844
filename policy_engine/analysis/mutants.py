"""Mutants of a ruleset: copies with one small fault each, as an author might make it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from policy_engine.language import expressions as tree
from policy_engine.language.expressions import Group
from policy_engine.language.lookup_tables import LookupTable, TableRow
from policy_engine.language.rounding import MODES
from policy_engine.language.rulesets import (
    Cell,
    Check,
    Conclusion,
    DecisionLogic,
    Definition,
    HitPolicy,
    Matrix,
    Parameter,
    ParameterValue,
    Period,
    Reading,
    Rule,
    Rules,
    Ruleset,
    ValueDefinition,
    by_day,
)
from policy_engine.language.types import Number, Type
from policy_engine.language.values import Value, in_words
from policy_engine.source import Span

MOST_ROWS = 100
"""The number of rows of a look-up table that are changed; those of a longer one are spread over all of it."""
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
COMPARISONS = MappingProxyType(
    {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
)
"""For each sign the one that differs on the boundary, and the opposite."""
FUNCTIONS = MappingProxyType({"min": "max", "max": "min", "any": "all", "all": "any", "first": "last", "last": "first"})
PARTS: Mapping[type, tuple[str, ...]] = MappingProxyType(
    {
        Ruleset: ("readings", "parameters", "tables", "checks", "definitions", "decisions"),
        Parameter: ("values",),
        LookupTable: ("rows", "otherwise"),
        Check: ("expect",),
        Definition: ("body",),
        DecisionLogic: ("values", "body"),
        Rules: ("rules", "otherwise"),
        Rule: ("when", "then"),
        Matrix: ("cells",),
        Cell: ("when", "then", "otherwise"),
        Conclusion: ("values",),
        ValueDefinition: ("expression",),
        Group: ("conditions",),
        tree.Expression: ("tree",),
    }
)
"""The parts of each class in which faults are made, but for nodes."""


class Change(NamedTuple):
    """A change in words and the part as it then is; where it stands, None for the place of the part; and its expression."""

    words: str
    part: Any
    span: Span | None = None
    within: tree.Expression | None = None


@dataclass(frozen=True, slots=True)
class Mutant:
    """A ruleset with one change: where, in words, and the expression it is made in, if it is made in one."""

    span: Span
    words: str
    ruleset: Ruleset = field(repr=False, compare=False)
    within: tree.Expression | None = field(repr=False, compare=False, default=None)


def mutants_of(ruleset: Ruleset) -> Iterator[Mutant]:
    """Every mutant of a ruleset, part by part."""
    for words, mutant, span, within in _changes(ruleset):
        assert span is not None
        yield Mutant(span, words, _with_lookups(ruleset, mutant), within)


def _changes(part: Any, outcomes: Sequence[str] = ()) -> Iterator[Change]:
    """All changes of a part and of those below; `outcomes` are those of the decision it belongs to."""
    outcomes = getattr(part, "outcomes", outcomes)
    for change in (*_own_changes(part, outcomes), *_changes_below(part, outcomes)):
        within = part if isinstance(part, tree.Expression) and change.within is None else change.within
        yield change._replace(span=change.span or getattr(part, "span", None), within=within)


def _changes_below(part: Any, outcomes: Sequence[str]) -> Iterator[Change]:
    if isinstance(part, tree.Chain):
        yield from _in_chain(part)
        return
    for name in _part_names(part):
        below = getattr(part, name)
        for at, one in enumerate(below if isinstance(below, tuple) else (below,)):
            for change in _changes(one, outcomes):
                made = _with(below, at, change.part) if isinstance(below, tuple) else change.part
                yield change._replace(part=replace(part, **{name: made}))


def _part_names(part: Any) -> tuple[str, ...]:
    """The parts in which faults are made; what a function takes written out, such as places, makes another type."""
    match part:
        case tree.Call(function="round"):
            return ()
        case tree.Lookup():
            return ("keys",)
        case tree.Node():
            return tree.parts_of(type(part))
    return PARTS.get(type(part), ())


def _in_chain(chain: tree.Chain) -> Iterator[Change]:
    """The changes of a chain's links, and of its sides, which stand in two links each."""
    for at, link in enumerate(chain.operands):
        for change in _own_changes(link, ()):
            yield change._replace(part=replace(chain, operands=_with(chain.operands, at, change.part)))
    for side in tree.shown_parts(chain):
        for change in _changes(side):
            yield change._replace(part=_swapped(chain, side, change.part))


def _swapped(node: tree.Node, old: tree.Node, new: tree.Node) -> tree.Node:
    """A node with one below it put in place of another, wherever that stands."""
    return new if node is old else tree.mapped(node, lambda below: _swapped(below, old, new))


def _own_changes(part: Any, outcomes: Sequence[str]) -> Iterator[Change]:
    """The changes of a part itself."""
    for kind, makers in CHANGES.items():
        if isinstance(part, kind):
            for changes in makers:
                yield from changes(part)
    if isinstance(part, Conclusion):
        for other in outcomes:
            if other != part.outcome:
                yield Change(f"the outcome `{part.outcome}` becomes `{other}`", replace(part, outcome=other))


# Nodes


def _literal(node: tree.Literal) -> Iterator[Change]:
    for value in _beside(node.value):
        changed = replace(node, value=value, type=_type(node.type, value))
        yield Change(f"{_named(node.value)} becomes {_named(value)}", changed)


def _beside(value: Value) -> Iterator[Value]:
    """The values beside one: a number by a unit, a date by a day, a time by a minute, and the other truth."""
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value - 1)
        case Decimal():
            unit = Decimal(1).scaleb(value.as_tuple().exponent)  # type: ignore[arg-type]  # it is finite
            yield from (value + unit, value - unit)
        case date() if not isinstance(value, datetime):
            yield from (value + step for step in (DAY, -DAY) if date.min < value < date.max)
        case time():
            yield from ((datetime.combine(date.min + DAY, value) + step).time() for step in (MINUTE, -MINUTE))


def _type(kind: Type, value: Value) -> Type:
    """The type of a constant that has become another value."""
    if isinstance(kind, Number) and isinstance(value, int | Decimal) and not isinstance(value, bool):
        units = int(value * 10**kind.places)
        return Number(kind.places, min(kind.low, units), max(kind.high, units))
    return kind


def _compare(node: tree.Compare) -> Iterator[Change]:
    for sign in COMPARISONS[node.operator]:
        yield Change(f"`{node.operator}` becomes `{sign}` in `{node.text}`", replace(node, operator=sign))


def _in(node: tree.In) -> Iterator[Change]:
    changed = tree.Not(type=node.type, optional=node.optional, place=node.place, operand=node)
    yield Change(f"`in` becomes `not in` in `{node.text}`", changed)


def _not(node: tree.Not) -> Iterator[Change]:
    yield Change(f"`not` is left out of `{node.text}`", node.operand)


def _and(node: tree.And) -> Iterator[Change]:
    yield from _fewer(node, "operands")
    if not isinstance(node, tree.Chain):
        changed = tree.Or(type=node.type, optional=node.optional, place=node.place, operands=node.operands)
        yield Change(f"`and` becomes `or` in `{node.text}`", changed)


def _or(node: tree.Or) -> Iterator[Change]:
    yield from _fewer(node, "operands")
    changed = tree.And(type=node.type, optional=node.optional, place=node.place, operands=node.operands)
    yield Change(f"`or` becomes `and` in `{node.text}`", changed)


def _list(node: tree.ListLiteral) -> Iterator[Change]:
    yield from _fewer(node, "elements")


def _fewer(part: Any, name: str) -> Iterator[Change]:
    """A part without one of its parts, where it has several."""
    parts = getattr(part, name)
    for at, one in enumerate(parts if len(parts) > 1 else ()):
        yield Change(f"`{_text(one)}` is left out", replace(part, **{name: _without(parts, at)}))


def _arithmetic(node: tree.Arithmetic) -> Iterator[Change]:
    if node.operator in "+-":
        sign = "-" if node.operator == "+" else "+"
        yield Change(f"`{node.operator}` becomes `{sign}` in `{node.text}`", replace(node, operator=sign))


def _conditional(node: tree.Conditional) -> Iterator[Change]:
    for truth, branch in ((True, node.then), (False, node.otherwise)):
        condition = node.condition
        constant = tree.Literal(type=condition.type, optional=False, place=condition.place, value=truth)
        yield Change(f"`{node.text}` is always `{branch.text}`", replace(node, condition=constant))


def _function(node: tree.Call | tree.Aggregate) -> Iterator[Change]:
    other = FUNCTIONS.get(node.function)
    if other is not None:
        yield Change(f"`{node.function}` becomes `{other}` in `{node.text}`", replace(node, function=other))


def _rounding(node: tree.Call) -> Iterator[Change]:
    if node.function == "round":
        number, places, mode = node.arguments
        assert isinstance(mode, tree.Literal)
        for other in MODES:
            if other != mode.value:
                changed = replace(node, arguments=(number, places, replace(mode, value=other)))
                yield Change(f"the rounding `{mode.value}` becomes `{other}`", changed)
        for change in _changes(number):
            yield change._replace(part=replace(node, arguments=(change.part, places, mode)))


def _filter(node: tree.Aggregate) -> Iterator[Change]:
    if node.condition is not None:
        yield Change(f"`if {node.condition.text}` is left out", replace(node, condition=None))


# The ruleset around them


def _group(group: Group) -> Iterator[Change]:
    yield from _fewer(group, "conditions")
    for other in ("any", "all"):
        if other != group.kind and (len(group.conditions) > 1 or group.kind == "none"):
            yield Change(f"`{group.kind}:` becomes `{other}:`", replace(group, kind=other))


def _rules(rules: Rules) -> Iterator[Change]:
    for at, rule in enumerate(rules.rules if len(rules.rules) > 1 else ()):
        yield Change(f"the rule `{rule.id}` is left out", replace(rules, rules=_without(rules.rules, at)), rule.span)
    if rules.hit is HitPolicy.FIRST:
        for at, (one, other) in enumerate(pairwise(rules.rules)):
            swapped = replace(rules, rules=(*rules.rules[:at], other, one, *rules.rules[at + 2 :]))
            yield Change(f"the rule `{other.id}` stands before `{one.id}`", swapped, other.span)


def _rule(rule: Rule) -> Iterator[Change]:
    ends: dict[str, date | None] = {"start": rule.period.start, "end": rule.period.end}
    for end, day in ends.items():
        for moved in _beside(day) if day is not None else ():
            period = replace(rule.period, **{end: moved})  # type: ignore[arg-type]  # beside a day is a day
            yield Change(f"the rule `{rule.id}` is in force {period}", replace(rule, period=period))


def _cell(cell: Cell) -> Iterator[Change]:
    if cell.when is not None:
        changed = replace(cell, when=None, otherwise=None)
        yield Change(f"the condition of the cell `{cell.id}` is left out", changed)


def _parameter(parameter: Parameter) -> Iterator[Change]:
    values = parameter.values
    for at, (one, other) in enumerate(pairwise(values)):
        for day in _beside(other.period.start):
            assert isinstance(day, date)
            first = replace(one, period=Period(one.period.start, day))
            second = replace(other, period=Period(day, other.period.end))
            words = f"`{parameter.name}` changes on {day} and not on {other.period.start}"
            yield Change(words, replace(parameter, values=(*values[:at], first, second, *values[at + 2 :])))
    for at, each in enumerate(values):
        for value in _beside(each.value):
            changed = _with(values, at, ParameterValue(each.period, value))
            words = f"`{parameter.name}` becomes {_named(value)} where it is {_named(each.value)}"
            yield Change(words, replace(parameter, type=_type(parameter.type, value), values=changed))


def _reading(reading: Reading) -> Iterator[Change]:
    for choice in reading.choices if not reading.fixed else ():
        if choice.name != reading.choice:
            yield Change(f"the reading `{reading.name}` is `{choice.name}`", replace(reading, choice=choice.name))


def _checks(ruleset: Ruleset) -> Iterator[Change]:
    for at, check in enumerate(ruleset.checks):
        changed = replace(ruleset, checks=_without(ruleset.checks, at))
        yield Change(f"the check `{check.because}` is left out", changed, check.span)


def _rows(table: LookupTable) -> Iterator[Change]:
    for at in range(0, len(table.rows), max(1, len(table.rows) // MOST_ROWS)):
        row = table.rows[at]
        span = Span(table.path, row.line, row.column)
        if len(table.rows) > 1:
            yield Change(f"the row {_row(row)} is left out", replace(table, rows=_without(table.rows, at)), span)
        for place, value in enumerate(row.cells):
            column = table.columns[place]
            for other in _beside(value):
                cells = row._replace(cells=_with(row.cells, place, other))
                columns = _with(table.columns, place, replace(column, type=_type(column.type, other)))
                words = f"`{column.name}` of the row {_row(row)} becomes {_named(other)}"
                yield Change(words, replace(table, rows=_with(table.rows, at, cells), columns=columns), span)


CHANGES: Mapping[type, tuple[Callable[[Any], Iterator[Change]], ...]] = MappingProxyType(
    {
        tree.Literal: (_literal,),
        tree.Compare: (_compare,),
        tree.In: (_in,),
        tree.Not: (_not,),
        tree.And: (_and,),
        tree.Or: (_or,),
        tree.ListLiteral: (_list,),
        tree.Arithmetic: (_arithmetic,),
        tree.Conditional: (_conditional,),
        tree.Call: (_function, _rounding),
        tree.Aggregate: (_function, _filter),
        Group: (_group,),
        Rules: (_rules,),
        Rule: (_rule,),
        Cell: (_cell,),
        Parameter: (_parameter,),
        Reading: (_reading,),
        Ruleset: (_checks,),
        LookupTable: (_rows,),
    }
)
"""The changes that are made to a part of each class itself."""


def _with_lookups(ruleset: Ruleset, mutant: Ruleset) -> Ruleset:
    """A mutant whose look-ups ask the table, or the dated parameter, that was changed."""
    tables = zip(ruleset.tables, mutant.tables, strict=True)
    parameters = zip(ruleset.parameters, mutant.parameters, strict=True)
    changed = {now.name: now for before, now in tables if now is not before}
    changed |= {now.name: by_day(now) for before, now in parameters if now is not before}
    return asking(mutant, changed) if changed else mutant


def asking(part: Any, tables: Mapping[str, LookupTable]) -> Any:
    """A ruleset, or a part of one, in which every look-up in a table of these names asks the table given."""
    if isinstance(part, tree.Node):
        part = tree.mapped(part, lambda node: asking(node, tables))
        return replace(part, table=tables[part.table.name]) if _asks(part, tables) else part
    changed = {}
    for name in PARTS.get(type(part), ()):
        below = getattr(part, name)
        made = tuple(asking(one, tables) for one in below) if isinstance(below, tuple) else asking(below, tables)
        changed[name] = made
    return replace(part, **changed) if changed else part


def _asks(node: tree.Node, tables: Mapping[str, LookupTable]) -> bool:
    return isinstance(node, tree.Lookup) and node.table.name in tables


def _with(parts: Sequence[Any], at: int, part: Any) -> tuple[Any, ...]:
    return (*parts[:at], part, *parts[at + 1 :])


def _without(parts: Sequence[Any], at: int) -> tuple[Any, ...]:
    return (*parts[:at], *parts[at + 1 :])


def _text(part: Any) -> str:
    """The words of a condition or an element."""
    return f"{part.kind}: ..." if isinstance(part, Group) else part.text


def _row(row: TableRow) -> str:
    return ", ".join(str(key) if isinstance(key, tuple) else in_words(key) for key in row.keys) or "of the table"


def _named(value: Value) -> str:
    return f"`{in_words(value)}`"
