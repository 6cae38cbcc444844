"""Units that do not go together: a parameter of days where a function counts months, or the other way around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.units import ADDS, unit_in_words
from policy_engine.language.expressions import Call, Compare, Definition, Expression, Node, Parameter
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.units import COUNTS

ADDING: Mapping[str, str] = MappingProxyType({unit: function for function, unit in ADDS.items()})
ALIKE = frozenset({"weekdays", "business days"})
"""A reading may leave open which of them a source means, so one parameter may serve both."""
LONG = ("months", "years")


@dataclass(frozen=True, slots=True)
class _Units:
    """The units of parameters, and what definitions count with a function."""

    of_parameters: Mapping[str, str]
    of_definitions: Mapping[str, str]


def mismatched_units(ruleset: Ruleset, nodes: Iterable[Node]) -> Iterator[Diagnostic]:
    """Parameters that are given to a function of another unit, or compared with one."""
    units = _units(ruleset)
    for node in nodes if units.of_parameters else ():
        if isinstance(node, Call) and node.function in ADDS:
            yield from _added(node, units)
        elif isinstance(node, Compare):
            yield from _compared(node.left, node.right, units)
            yield from _compared(node.right, node.left, units)


def _units(ruleset: Ruleset) -> _Units:
    named = {p.name: unit for p in ruleset.parameters if p.unit and (unit := _unit(p.unit))}
    bodies = {d.name: d.body.tree for d in ruleset.definitions if isinstance(d.body, Expression)}
    counting = {n: tree.function for n, tree in bodies.items() if isinstance(tree, Call) and tree.function in COUNTS}
    return _Units(named, counting)


def _unit(words: str) -> str | None:
    """The unit of a function that words name, None where they name another."""
    unit = unit_in_words(words)
    return unit if unit in ADDING else None


def _added(call: Call, units: _Units) -> Iterator[Diagnostic]:
    count = call.arguments[1]
    unit = units.of_parameters.get(count.name) if isinstance(count, Parameter) else None
    other = ADDS[call.function]
    if unit is not None and unit != other and not {unit, other} <= ALIKE:
        yield _mismatch(count, unit, call.function, other, f"did you mean `{ADDING[unit]}`?")


def _compared(count: Node, counted: Node, units: _Units) -> Iterator[Diagnostic]:
    unit = units.of_parameters.get(count.name) if isinstance(count, Parameter) else None
    function = units.of_definitions.get(counted.name, "") if isinstance(counted, Definition) else ""
    if isinstance(counted, Call):
        function = counted.function
    if unit in LONG and function in COUNTS:
        yield _mismatch(count, unit, function, COUNTS[function], f"compare the later day with `{ADDING[unit]}`")


def _mismatch(count: Node, unit: str, function: str, other: str, hint: str) -> Diagnostic:
    assert isinstance(count, Parameter)
    words = {"name": count.name, "unit": unit, "function": function, "other": other}
    return say("unit-mismatch", count.span, hint=hint, words=words)
