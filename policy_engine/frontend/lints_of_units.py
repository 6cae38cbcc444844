"""Lints about the units of numbers: months given where days are counted, and numbers that are the value of a parameter.

The unit of a number is known from the functions of dates, and from the parameters that it meets: a fact that is compared with a
parameter of euros counts euros wherever it stands. Where two units meet at one name, nothing is known about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.language import expressions as tree
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Record
from policy_engine.language.units import Units
from policy_engine.language.values import Value

ADDS: Mapping[str, str] = MappingProxyType(
    {row.name: parameter.unit for row in FUNCTIONS.values() for parameter in row.parameters if parameter.unit}
)
"""What the second argument of a function counts."""
COUNTS: Mapping[str, str] = MappingProxyType({row.name: row.unit for row in FUNCTIONS.values() if row.unit})
"""What the result of a function counts."""
ADDING: Mapping[str, str] = MappingProxyType({unit: function for function, unit in ADDS.items()})
ALIKE = frozenset({"weekdays", "business days"})
"""A reading may leave open which of them a source means, so one parameter may serve both."""
LONG = frozenset({"months", "years"})
SMALLEST_ODD = 10
COMMON = frozenset({10, 12, 30, 100, 365})
"""Numbers with many meanings (months of a year, percent, days of a year): equality with a parameter means nothing."""
KEEPING_UNIT = {row.name for row in FUNCTIONS.values() if row.common_type} | {"round"}
SYNONYMS: Mapping[str, str] = MappingProxyType({"calendar days": "days", "working days": "business days"})
Key = tuple[type[tree.Node], str]
"""A name: the kind of its nodes, and itself."""
Meeting = tuple[Key | None, tree.Node]
"""A name, if it is one, and a node that must have its unit."""
CONFLICT = ""
"""The unit of a name that is used with two different units."""


@dataclass(slots=True)
class InferredUnits:
    """The units of the names of a ruleset: of parameters as written, of facts and definitions as found."""

    parameters: Mapping[str, str]
    found: dict[Key, str] = field(default_factory=dict)

    def of(self, node: tree.Node) -> str | None:
        """The unit of what a node gives, None where it is not known."""
        return Units(self._of_name).of(node)

    def _of_name(self, node: tree.Node) -> str | None:
        if isinstance(node, tree.Parameter):
            return self.parameters.get(node.name)
        if isinstance(node, tree.Lookup):
            unit = node.table.column(node.column).unit
            return unit_in_words(unit) if unit else None
        key = _key(node)
        return self.found.get(key) or None if key else None


def unit_in_words(words: str) -> str:
    """A unit in small letters and in the plural, whatever its author wrote: `calendar day` is `days`."""
    plain = " ".join(words.lower().replace("-", " ").split())
    several = plain if plain.endswith("s") else f"{plain}s"
    return SYNONYMS.get(several, several)


def units_of(ruleset: Ruleset, trees: Iterable[tree.Node]) -> InferredUnits:
    """What is known about the units of a ruleset whose expressions have these trees."""
    units = InferredUnits({p.name: unit_in_words(p.unit) for p in ruleset.parameters if p.unit})
    met: list[Meeting] = [((tree.Definition, name), body) for name, body in _bodies(ruleset).items()]
    met += (meeting for node in trees for meeting in _met(node))
    before = None
    while units.found != before:
        before = dict(units.found)
        for key, other in met:
            _note(units, key, units.of(other))
    return units


def _bodies(ruleset: Ruleset) -> Mapping[str, tree.Node]:
    """The trees of the definitions that are one expression, under their names."""
    return {d.name: d.body.tree for d in ruleset.definitions if isinstance(d.body, tree.Expression)}


def _note(units: InferredUnits, key: Key | None, unit: str | None) -> None:
    if key is not None and unit:
        known = units.found.setdefault(key, unit)
        if known != unit:
            units.found[key] = CONFLICT


def _key(node: tree.Node) -> Key | None:
    """The fact, the member or the definition that a node plainly is."""
    match node:
        case tree.Fact(name=name) | tree.Definition(name=name):
            return type(node), name
        case tree.MemberOf(record=record, name=name) if isinstance(record.type, Record):
            return tree.MemberOf, f"{record.type.path}.{name}"
    return None


def _met(node: tree.Node) -> Iterator[Meeting]:
    """What must have one unit at a node and below it."""
    pairs: list[tuple[tree.Node, tree.Node]] = []
    match node:
        case tree.Compare(left=left, right=right) | tree.Arithmetic(operator="+" | "-", left=left, right=right):
            pairs = [(left, right)]
        case tree.In(item=item, list=tree.ListLiteral(elements=elements)):
            pairs = [(item, element) for element in elements]
    for one, other in pairs:
        yield _key(one), other
        yield _key(other), one
    for child in tree.children(node):
        yield from _met(child)


def literals(
    node: tree.Node, units: InferredUnits, unit: str | None = None
) -> Iterator[tuple[tree.Literal, str | None]]:
    """Every literal of a tree with the unit that its place asks for, None where no unit is known; `unit` is that of the tree."""
    if isinstance(node, tree.Literal):
        yield node, unit
    asked = _asked_below(node, units, unit)
    for index, child in enumerate(tree.children(node)):
        counted = ADDS.get(node.function) if isinstance(node, tree.Call) and index == 1 else None
        yield from literals(child, units, counted or asked)


def _asked_below(node: tree.Node, units: InferredUnits, unit: str | None) -> str | None:
    """The unit that a node, of which a unit is asked, asks of its parts."""
    match node:
        case tree.Compare(left=left, right=right):
            return units.of(left) or units.of(right)
        case tree.In(item=item, list=tree.ListLiteral()):
            return units.of(item)
        case tree.Negate() | tree.ListLiteral():
            return unit
        case tree.Arithmetic(operator="+" | "-") | tree.Conditional():
            return units.of(node) or unit
        case tree.Call(function=function) if function in KEEPING_UNIT:
            return units.of(node) or unit
    return None


def repeated_numbers(ruleset: Ruleset, expressions: Sequence[tree.Expression]) -> Iterator[Diagnostic]:
    """Literals equal to a parameter of the same unit; small and common numbers are left out."""
    units = units_of(ruleset, [expression.tree for expression in expressions])
    bodies = {body.span: units.found.get((tree.Definition, name)) or None for name, body in _bodies(ruleset).items()}
    for expression in expressions:
        for node, unit in literals(expression.tree, units, bodies.get(expression.tree.span)):
            name = _parameter_of(ruleset, node.value, unit) if _is_odd(node.value) else None
            if name is not None:
                yield say("repeated-number", node.span, text=node.value, name=name)


def _is_odd(value: Value) -> bool:
    """Whether a number is large and odd enough that two of it are likely the same thing."""
    number = _number(value)
    return number is not None and abs(Decimal(number)) >= SMALLEST_ODD and number not in COMMON


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


def mismatched_units(ruleset: Ruleset, nodes: Iterable[tree.Node]) -> Iterator[Diagnostic]:
    """Parameters of one unit that are given to a function that counts another, or compared with what it counts."""
    units = {p.name: unit for p in ruleset.parameters if p.unit and (unit := unit_in_words(p.unit)) in ADDING}
    bodies = _bodies(ruleset)
    for node in nodes:
        match node:
            case tree.Call(function=function, arguments=(_, tree.Parameter() as count, *_)) if function in ADDS:
                unit, other = units.get(count.name, ""), ADDS[function]
                if unit and unit != other and not {unit, other} <= ALIKE:
                    yield _mismatch(count, unit, function, other, f"did you mean `{ADDING[unit]}`?")
            case (
                tree.Compare(left=tree.Parameter() as count, right=counted)
                | tree.Compare(left=counted, right=tree.Parameter() as count)
            ):
                unit = units.get(count.name, "")
                called = bodies.get(counted.name) if isinstance(counted, tree.Definition) else counted
                other = COUNTS.get(called.function, unit) if isinstance(called, tree.Call) else unit
                if unit and isinstance(called, tree.Call) and unit != other and {unit, other} & LONG:
                    hint = f"compare the later day with `{ADDING[unit]}`"
                    yield _mismatch(count, unit, called.function, other, hint)


def _mismatch(count: tree.Parameter, unit: str, function: str, other: str, hint: str) -> Diagnostic:
    words = {"name": count.name, "unit": unit, "function": function, "other": other}
    return say("unit-mismatch", count.span, hint=hint, words=words)
