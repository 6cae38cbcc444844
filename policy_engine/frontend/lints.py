"""Faults of meaning in a ruleset whose types are right: what is never used, and what can never be reached."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from decimal import Decimal
from itertools import chain

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.lints_of_units import mismatched_units
from policy_engine.frontend.names_and_texts import texts_like_names
from policy_engine.frontend.reaching import collected_values, unreached
from policy_engine.frontend.units import literals, unit_in_words, units_of
from policy_engine.language import mentions
from policy_engine.language.expressions import (
    Call,
    Compare,
    Expression,
    Fact,
    In,
    Node,
    expressions_of,
    walk,
)
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Number, Ratio, Type, innermost, scaled
from policy_engine.language.values import Value, in_words
from policy_engine.language.widths import comparable

SMALLEST_TELLING = 10
COMMON = frozenset({10, 12, 30, 100, 365})
"""Numbers that stand for so much (months of a year, percent, days of a year) that two of them are no sign of anything."""
Lint = Callable[[Ruleset], Iterator[Diagnostic]]
Mentioned = Mapping[str, Set[str]]
"""For each kind of name those that are mentioned."""


def lint(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Every finding of every lint."""
    used = mentioned(ruleset)
    yield from chain(
        unused_definitions(ruleset, used), unused_parameters(ruleset, used), unused_readings(ruleset, used)
    )
    for find in LINTS:
        yield from find(ruleset)
    yield from texts_like_names(ruleset, _expressions(ruleset))
    yield from mismatched_units(ruleset, _nodes(ruleset))
    settled = list(constant_conditions(ruleset))
    yield from settled
    yield from collected_values(ruleset)
    yield from unreached(ruleset, {diagnostic.span for diagnostic in settled})


def mentioned(ruleset: Ruleset) -> Mentioned:
    """The names of each kind that a check or a decision, its sentences included, mentions, through definitions."""
    graph = mentions.graph_of(ruleset)
    asked = chain.from_iterable((*mentions.logic_of(d), *mentions.wording_of(d)) for d in ruleset.decisions)
    start = mentions.mentions_in([*asked, *(check.expect for check in ruleset.checks)])
    names: dict[str, set[str]] = defaultdict(set)
    for mention in mentions.reached(start, graph):
        names[mention.kind].add(mention.name)
    return names


def unused_definitions(ruleset: Ruleset, names: Mentioned) -> Iterator[Diagnostic]:
    """Definitions that nothing uses."""
    used = names["definition"]
    return (say("unused-definition", d.span, name=d.name) for d in ruleset.definitions if d.name not in used)


def unused_parameters(ruleset: Ruleset, names: Mentioned) -> Iterator[Diagnostic]:
    """Parameters that nothing uses."""
    used = names["parameter"]
    return (say("unused-parameter", p.span, name=p.name) for p in ruleset.parameters if p.name not in used)


def unused_readings(ruleset: Ruleset, names: Mentioned) -> Iterator[Diagnostic]:
    """Readings that could be switched, had they any effect."""
    used = names["reading"]
    loose = (r for r in ruleset.readings if r.name not in used and not r.fixed)
    return (say("unused-reading", r.span, name=r.name) for r in loose)


def unused_sources(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Sources that no rule, reading, parameter or check cites."""
    cited = {source for decision in ruleset.decisions for source in decision.sources}
    cited |= {reading.source for reading in ruleset.readings if reading.source}
    cited |= {parameter.source for parameter in ruleset.parameters if parameter.source}
    cited |= {check.source for check in ruleset.checks if check.source}
    return (say("unused-source", s.span, name=s.id) for s in ruleset.sources if s.id not in cited)


def constant_conditions(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Comparisons that the bounds of the schema settle."""
    for node in _nodes(ruleset):
        if isinstance(node, Compare) and isinstance(node.left.type, Number) and isinstance(node.right.type, Number):
            truth = _settled(node.operator, node.left.type, node.right.type)
            if truth is not None and mentions.mentions_in([Expression("", node)]):
                why = f"{_range(node.left.type)} against {_range(node.right.type)}"
                yield say(
                    "constant-condition", node.span, text=" ".join(node.text.split()), truth=str(truth).lower(), why=why
                )


def _settled(operator: str, left: Number, right: Number) -> bool | None:
    """The truth of a comparison where the ranges of its sides leave only one."""
    places = max(left.places, right.places)
    left, right = scaled(left, places), scaled(right, places)
    below, above = left.high < right.low, left.low > right.high
    at_most, at_least = left.high <= right.low, left.low >= right.high
    yes, no = {
        "==": (False, below or above),
        "!=": (below or above, False),
        "<": (below, at_least),
        "<=": (at_most, above),
        ">": (above, at_most),
        ">=": (at_least, below),
    }[operator]
    return True if yes else False if no else None


def _range(kind: Number) -> str:
    low, high = (
        in_words(Decimal(units).scaleb(-kind.places) if kind.places else units) for units in (kind.low, kind.high)
    )
    return low if low == high else f"{low} to {high}"


def needless_defaults(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """`known` and `default` of a fact that the schema requires."""
    for node in _nodes(ruleset):
        if isinstance(node, Call) and node.function in ("known", "default", "if_known"):
            asked = node.arguments[0]
            if isinstance(asked, Fact) and not asked.optional:
                yield say("needless-default", node.span, name=asked.name, function=node.function)


def repeated_numbers(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """A number written out that a parameter of the same unit holds; small and round ones are no sign of anything."""
    expressions = list(_expressions(ruleset))
    units = units_of(ruleset, [expression.tree for expression in expressions])
    bodies = {
        d.body.tree.span: units.of_definition(d.name) for d in ruleset.definitions if isinstance(d.body, Expression)
    }
    for expression in expressions:
        for node, unit in literals(expression.tree, units, bodies.get(expression.tree.span)):
            name = _parameter_of(ruleset, node.value, unit) if _tells(node.value) else None
            if name is not None:
                yield say("repeated-number", node.span, text=node.value, name=name)


def _tells(value: Value) -> bool:
    """Whether a number is large and odd enough that two of it are likely the same thing."""
    number = _number(value)
    return number is not None and abs(Decimal(number)) >= SMALLEST_TELLING and number not in COMMON


def _parameter_of(ruleset: Ruleset, number: Value, unit: str | None) -> str | None:
    """The first parameter that holds a number, and that may be meant where a unit is asked for.

    One that has a unit is meant only where the same is asked for; one that has none may be meant anywhere.
    """
    for parameter in ruleset.parameters:
        holds = any(_number(each.value) == number for each in parameter.values)
        if holds and (parameter.unit is None or unit_in_words(parameter.unit) == unit):
            return parameter.name
    return None


def _number(value: Value) -> int | Decimal | None:
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def too_wide_for_tables(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Ratios that a single question answers, and no report over tables can."""
    for node in _nodes(ruleset):
        match node:
            case Compare(left=left, right=right) if not _fits_tables(left.type, right.type):
                yield say("too-wide-for-tables", node.span)
            case In(item=item, list=listed) if not _fits_tables(item.type, innermost(listed.type)):
                yield say("too-wide-for-tables", node.span)


def _fits_tables(left: Type, right: Type) -> bool:
    """Whether a comparison fits; one of plain numbers always does."""
    kinds = isinstance(left, Number | Ratio) and isinstance(right, Number | Ratio)
    if not kinds or (isinstance(left, Number) and isinstance(right, Number)):
        return True
    return comparable(left, right)  # type: ignore[arg-type]  # both are, as was just asked


def _nodes(ruleset: Ruleset) -> Iterator[Node]:
    """Every node of every condition and value, each expression once."""
    return chain.from_iterable(walk(expression.tree) for expression in _expressions(ruleset))


def _expressions(ruleset: Ruleset) -> Iterable[Expression]:
    """The expressions of every condition and value, each once."""
    conditions = chain(
        (definition.body for definition in ruleset.definitions),
        (check.expect for check in ruleset.checks),
        chain.from_iterable(mentions.logic_of(decision) for decision in ruleset.decisions),
    )
    return {e.tree.span: e for condition in conditions for e in expressions_of(condition)}.values()


LINTS: tuple[Lint, ...] = (
    unused_sources,
    needless_defaults,
    repeated_numbers,
    too_wide_for_tables,
)
