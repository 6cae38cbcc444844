"""Lints about the units of numbers: months given where days are counted, and numbers that are the value of a parameter.

The unit of a number is known from the functions of dates, and from the parameters that it meets: a fact that is compared with a
parameter of euros counts euros wherever it stands. Where two units meet at one name, nothing is known about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.fixes import Hint
from policy_engine.language import expressions as tree
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Record
from policy_engine.language.units import PERCENT, PLAIN, Unit, Units, declared_unit, unit_of, written_units
from policy_engine.language.values import Value

ADDS: Mapping[tuple[str, int], str] = MappingProxyType(
    {
        (row.name, place): parameter.unit
        for row in FUNCTIONS.values()
        for place, parameter in enumerate(row.parameters)
        if parameter.unit
    }
)
"""What an argument of a function counts, by the function's name and the argument's place."""
COUNTS: Mapping[str, str] = MappingProxyType({row.name: row.unit for row in FUNCTIONS.values() if row.unit})
"""What the result of a function counts."""
ADDING: Mapping[str, str] = MappingProxyType({unit: function for (function, _), unit in ADDS.items()})
"""The function that takes so many of a unit."""
ALIKE = frozenset({"weekdays", "business days"})
"""A reading may leave open which of them a source means, so one parameter may serve both."""
LONG = frozenset({"months", "years"})
SMALLEST_ODD = 10
COMMON = frozenset({10, 12, 30, 100, 365})
"""Numbers with many meanings (months of a year, percent, days of a year): equality with a parameter means nothing."""
KEEPING_UNIT = {row.name for row in FUNCTIONS.values() if row.common_type or row.unit_of is not None}
Key = tuple[type[tree.Node], str]
"""A name: the kind of its nodes, and itself."""
Meeting = tuple[Key | None, tree.Node]
"""A name, if it is one, and a node that must have its unit."""
CONFLICT = PLAIN
"""The unit of a name that is used with two different units."""


@dataclass(slots=True)
class InferredUnits:
    """The units of the names of a ruleset: as written, and of other facts and definitions as found."""

    facts: Record
    parameters: Mapping[str, Unit]
    found: dict[Key, Unit] = field(default_factory=dict)

    def of(self, node: tree.Node) -> Unit | None:
        """The unit of what a node gives, None where it is not known."""
        return Units(self._of_name).of(node)

    def _of_name(self, node: tree.Node) -> Unit | None:
        if isinstance(node, tree.Parameter):
            return self.parameters.get(node.name)
        key = _key(node)
        return declared_unit(self.facts, node) or (self.found.get(key) if key else None)


def units_of(ruleset: Ruleset, trees: Iterable[tree.Node]) -> InferredUnits:
    """What is known about the units of a ruleset whose expressions have these trees."""
    units = InferredUnits(
        ruleset.facts.type, {each.name: unit_of(each.unit) for each in ruleset.parameters if each.unit}
    )
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


def _note(units: InferredUnits, key: Key | None, unit: Unit | None) -> None:
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
    node: tree.Node, units: InferredUnits, unit: Unit | None = None
) -> Iterator[tuple[tree.Literal, Unit | None]]:
    """Every literal of a tree with the unit that its place asks for, None where no unit is known; `unit` is that of the tree."""
    if isinstance(node, tree.Literal):
        yield node, unit
    asked = _asked_below(node, units, unit)
    for index, child in enumerate(tree.children(node)):
        counted = ADDS.get((node.function, index)) if isinstance(node, tree.Call) else None
        yield from literals(child, units, unit_of(counted) if counted else asked)


def _asked_below(node: tree.Node, units: InferredUnits, unit: Unit | None) -> Unit | None:
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
                fix = Hint("", node.text, name, sure=False).fix(node.span)
                yield say("repeated-number", node.span, fix=fix, text=node.value, name=name)


def _is_odd(value: Value) -> bool:
    """Whether a number is large and odd enough that two of it are likely the same thing."""
    number = _number(value)
    return number is not None and abs(Decimal(number)) >= SMALLEST_ODD and number not in COMMON


def _parameter_of(ruleset: Ruleset, number: Value, unit: Unit | None) -> str | None:
    """The first parameter that holds a number, and that may be meant where a unit is asked for.

    One that has a unit is meant only where the same is asked for; one that has none may be meant anywhere.
    """
    for parameter in ruleset.parameters:
        holds = any(_number(each.value) == number for each in parameter.values)
        if holds and (parameter.unit is None or unit_of(parameter.unit) == unit):
            return parameter.name
    return None


def _number(value: Value) -> int | Decimal | None:
    return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def mismatched_units(ruleset: Ruleset, nodes: Sequence[tree.Node]) -> Iterator[Diagnostic]:
    """Numbers of one unit where another is counted, or that are compared with or added to those of another."""
    units = written_units(ruleset)
    bodies = _bodies(ruleset)
    for node in nodes:
        match node:
            case tree.Call(function=function, arguments=arguments):
                for place, argument in enumerate(arguments):
                    wanted = ADDS.get((function, place))
                    yield from _argument(units, argument, node, wanted) if wanted else ()
                pairs = list(pairwise(arguments)) if FUNCTIONS[function].common_type else []
            case tree.Compare(left=left, right=right) | tree.Arithmetic(operator="+" | "-", left=left, right=right):
                pairs = [(left, right)]
            case tree.In(item=item, list=tree.ListLiteral(elements=elements)):
                pairs = [(item, element) for element in elements]
            case _:
                continue
        yield from (found for left, right in pairs if (found := _pair(units, bodies, left, right)) is not None)


def _argument(units: Units, argument: tree.Node, call: tree.Call, wanted: str) -> Iterator[Diagnostic]:
    """What is given to a function that counts something else."""
    unit = units.of(argument)
    if unit is not None and not _alike(unit, unit_of(wanted)):
        yield _mismatch(argument, unit, call.function, wanted, _instead(units, call, unit, wanted))


def _instead(units: Units, call: tree.Call, unit: Unit, wanted: str) -> str | None:
    """The function that takes the unit, or the arguments the other way round where these are what is wanted."""
    last = call.arguments[-1]
    if wanted == PERCENT:
        turned = f"{call.function}({last.text}, {call.arguments[0].text})"
        return f"did you mean `{turned}`?" if units.of(last) == unit_of(PERCENT) else None
    other = ADDING.get(unit.name)
    return f"did you mean `{other}`?" if other else None


def _pair(units: Units, bodies: Mapping[str, tree.Node], left: tree.Node, right: tree.Node) -> Diagnostic | None:
    """Two numbers that meet and count different things, told at the one that is a plain name, if one is."""
    if isinstance(right, tree.Parameter) and not isinstance(left, tree.Parameter):
        left, right = right, left
    unit, other = units.of(left), units.of(right)
    if unit is None or other is None or _alike(unit, other):
        return None
    called = bodies.get(right.name) if isinstance(right, tree.Definition) else right
    function = called.function if isinstance(called, tree.Call) and called.function in COUNTS else None
    long = function is not None and {unit.name, other.name} & LONG and unit.name in ADDING
    hint = f"compare the later day with `{ADDING[unit.name]}`" if long else None
    return _mismatch(left, unit, function or right.text, other.name, hint)


def _alike(one: Unit, other: Unit) -> bool:
    return one == other or {one.name, other.name} <= ALIKE


def _mismatch(node: tree.Node, unit: Unit, function: str, other: str, hint: str | None) -> Diagnostic:
    words = {"name": node.text, "unit": unit.name, "function": function, "other": other}
    return say("unit-mismatch", node.span, hint=hint, words=words)


def multiplied_percentages(ruleset: Ruleset, nodes: Iterable[tree.Node]) -> Iterator[Diagnostic]:
    """Products with a percentage that nothing divides by 100."""
    units = written_units(ruleset)
    divided: set[int] = set()
    for node in nodes:
        match node:
            case tree.Arithmetic(operator="/" | "//", left=left, right=tree.Literal(value=100)):
                divided.add(left.id)
            case tree.Arithmetic(operator="*", left=left, right=right) if node.id not in divided:
                sides = ((left, right), (right, left))
                found = next((sides for sides in sides if units.of(sides[0]) == unit_of(PERCENT)), None)
                if found is not None:
                    words = {"text": node.text, "rate": found[0].text, "amount": found[1].text}
                    yield say("percent-multiplied", node.span, words=words)
