"""Which unit a number counts, as far as the rules say: by the functions of dates, and by what parameters it meets.

A fact that is compared with a parameter of euros counts euros wherever it stands. Where two units meet at one name, nothing is
known about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from policy_engine.language.expressions import (
    Arithmetic,
    Call,
    Compare,
    Conditional,
    Definition,
    Fact,
    In,
    ListLiteral,
    Literal,
    MemberOf,
    Negate,
    Node,
    Parameter,
    children,
)
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Record
from policy_engine.language.units import SAME_UNIT, Units

ADDS: Mapping[str, str] = MappingProxyType(
    {
        "add_days": "days",
        "add_weekdays": "weekdays",
        "add_business_days": "business days",
        "add_months": "months",
        "add_years": "years",
    }
)
KEEPING_UNIT = SAME_UNIT | {"round"}
SYNONYMS: Mapping[str, str] = MappingProxyType({"calendar days": "days", "working days": "business days"})
CONFLICT = ""
"""Stands for the unit of a name that meets two."""


@dataclass(slots=True)
class InferredUnits:
    """The units of the names of a ruleset: of parameters as written, of facts and definitions as found."""

    parameters: Mapping[str, str]
    found: dict[tuple[type[Node], str], str] = field(default_factory=dict)

    def of(self, node: Node) -> str | None:
        """The unit of what a node gives, None where it is not known."""
        return Units(self._of_name).of(node)

    def of_definition(self, name: str) -> str | None:
        """The unit of what a definition gives, None where it is not known."""
        return self.found.get((Definition, name)) or None

    def _of_name(self, node: Node) -> str | None:
        if isinstance(node, Parameter):
            return self.parameters.get(node.name)
        key = _name(node)
        return self.found.get(key) or None if key else None


def unit_in_words(words: str) -> str:
    """A unit in small letters and in the plural, whatever its author wrote: `calendar day` is `days`."""
    plain = " ".join(words.lower().replace("-", " ").split())
    several = plain if plain.endswith("s") else f"{plain}s"
    return SYNONYMS.get(several, several)


def units_of(ruleset: Ruleset, trees: Iterable[Node]) -> InferredUnits:
    """What is known about the units of a ruleset whose expressions have these trees."""
    units = InferredUnits({p.name: unit_in_words(p.unit) for p in ruleset.parameters if p.unit})
    bodies = [(d.name, tree) for d in ruleset.definitions if isinstance(tree := getattr(d.body, "tree", None), Node)]
    compared = [pair for tree in trees for pair in _met(tree)]
    while _spread(units, bodies, compared):
        pass
    return units


def _spread(units: InferredUnits, bodies: list[tuple[str, Node]], compared: list[tuple[Node, Node]]) -> bool:
    """Give names the units that they meet; whether one was new."""
    before = dict(units.found)
    for name, body in bodies:
        _note(units, (Definition, name), units.of(body))
    for left, right in compared:
        _note(units, _name(left), units.of(right))
        _note(units, _name(right), units.of(left))
    return units.found != before


def _note(units: InferredUnits, key: tuple[type[Node], str] | None, unit: str | None) -> None:
    if key is not None and unit:
        known = units.found.setdefault(key, unit)
        if known != unit:
            units.found[key] = CONFLICT


def _name(node: Node) -> tuple[type[Node], str] | None:
    """The fact, the member or the definition that a node plainly is."""
    match node:
        case Fact(name=name) | Definition(name=name):
            return type(node), name
        case MemberOf(record=record, name=name) if isinstance(record.type, Record):
            return MemberOf, f"{record.type.path}.{name}"
    return None


def _met(node: Node) -> Iterator[tuple[Node, Node]]:
    """The pairs below a node whose units must be one."""
    match node:
        case Compare(left=left, right=right) | Arithmetic(operator="+" | "-", left=left, right=right):
            yield left, right
        case In(item=item, list=ListLiteral(elements=elements)):
            yield from ((item, element) for element in elements)
    for child in children(node):
        yield from _met(child)


def literals(node: Node, units: InferredUnits, unit: str | None = None) -> Iterator[tuple[Literal, str | None]]:
    """Every literal of a tree with the unit that its place asks for, None where no unit is known; `unit` is that of the tree."""
    match node:
        case Literal():
            yield node, unit
        case Compare(left=left, right=right):
            shared = units.of(left) or units.of(right)
            yield from _each((left, right), units, shared)
        case Arithmetic(operator="+" | "-", left=left, right=right):
            yield from _each((left, right), units, units.of(node) or unit)
        case In(item=item, list=ListLiteral(elements=elements)):
            yield from _each((item, *elements), units, units.of(item))
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            yield from literals(condition, units)
            yield from _each((then, otherwise), units, units.of(node) or unit)
        case Call(function=function, arguments=(first, second, *rest)) if function in ADDS:
            yield from literals(first, units)
            yield from literals(second, units, ADDS[function])
            yield from _each(tuple(rest), units, None)
        case Call(function=function, arguments=arguments) if function in KEEPING_UNIT:
            yield from _each(arguments, units, units.of(node) or unit)
        case Negate(operand=operand):
            yield from literals(operand, units, unit)
        case _:
            yield from _each(tuple(children(node)), units, None)


def _each(nodes: Iterable[Node], units: InferredUnits, unit: str | None) -> Iterator[tuple[Literal, str | None]]:
    for node in nodes:
        yield from literals(node, units, unit)
