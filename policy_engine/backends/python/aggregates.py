"""Aggregates over a list as loops (sentence 8)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from policy_engine.backends.python.writer import tuple_of
from policy_engine.language import expressions as tree

if TYPE_CHECKING:
    from policy_engine.backends.python.expressions import Expressions

RESULTS: Mapping[str, str] = MappingProxyType(
    {
        "sum": "sum({0})",
        "min": "(min({0}) if {0} else None)",
        "max": "(max({0}) if {0} else None)",
        "first": "({0}[0] if {0} else None)",
        **{name: f"{name}({{0}})" for name in ("counts_by", "sums_by", "sorted_by", "covered_days")},
    }
)
"""What an aggregate makes of the list of elements that pass, where it is not that list."""
STARTS: Mapping[str, str] = MappingProxyType(
    {"any": "False", "all": "True", "count": "0", "first at once": "None", "last": "None", "longest_run": "{0}_now = 0"}
)
STEPS: Mapping[str, str] = MappingProxyType(
    {
        "count": "{0} += 1",
        "first at once": "{0} = {1}",
        "last": "{0} = {1}",
        "longest_run": "{0}_now += 1; {0} = max({0}, {0}_now)",
    }
)
"""What an aggregate that keeps no list does with an element that passes."""
BREAKS: Mapping[str, str] = MappingProxyType({"last_run": "{0} = []", "longest_run": "{0}_now = 0"})
"""What an aggregate of runs does with an element that does not pass."""


def write(to: Expressions, node: tree.Aggregate) -> str:
    """The name of an aggregate's value."""
    writer = to.writer
    names_before_the_loop(to, node)
    source = writer.named(to.code(node.source))
    if source == "None":
        return source  # a reading has left the list unknown, and Python warns of what is taken out of `None`
    result, optional = writer.fresh(), tree.list_optional(node.source)
    if optional:
        writer.line(f"{result} = None")
    with writer.when(f"{source} is not None" if optional else "True"):
        if to.recorded is None:
            _loop(to, node, source, result)
        else:
            _recorded_loop(to, node, source, result, to.recorded)
    return result


def each_round(node: tree.Aggregate) -> list[tree.Node]:
    """What is worked out of each element: the filter, if there is one, and what the element gives."""
    return [part for part in (node.condition, node.element) if part is not None]


def names_before_the_loop(to: Expressions, node: tree.Aggregate) -> None:
    """Work out facts, definitions and used decisions before the loop: they are the same for each element."""
    for part in each_round(node):
        for inner in tree.walk(part):
            if isinstance(inner, tree.Fact | tree.Definition | tree.DecisionPart):
                to.code(inner)


def _loop(to: Expressions, node: tree.Aggregate, source: str, result: str) -> None:
    writer = to.writer
    element = writer.fresh("e")
    outer, to.variables = to.variables, {**to.variables, node.variable: element}
    writer.line(f"{result} = {STARTS.get(_form(node), '[]').format(result)}")
    only_last = node.function == "last" and node.condition is None and not node.element.optional
    with writer.block(f"for {element} in {source}{'[-1:]' if only_last else ''}:"):
        read_members(to, node)
        (_quantified if node.function in ("any", "all") else _gathered)(to, node, result)
    to.variables = outer
    if _form(node) in RESULTS:
        made = RESULTS[node.function].format(result)
        writer.line(f"{result} = {f'None if {result} is None else {made}' if _may_give_up(node) else made}")


def _recorded_loop(to: Expressions, node: tree.Aggregate, source: str, result: str, outer: dict[str, int]) -> None:
    """A loop through all elements that keeps the values of each round."""
    writer, variables, kept = to.writer, to.variables, to.writer.fresh("kept")
    element, rows, known = writer.fresh("e"), f"rows{node.id}", set(writer.state)
    to.variables, to.recorded = {**variables, node.variable: element}, {}
    writer.line(f"{kept}, {rows} = [], []")
    with writer.block(f"for {element} in {source}:"):
        _, lines = writer.captured(lambda: _round(to, node, kept))
        keys = {
            name: key for name, key in to.recorded.items() if name not in known
        }  # the others are the same in each round
        if keys:
            writer.line(f"{' = '.join(keys)} = UNSET")
        writer.add(lines)
        writer.line(f"{rows}.append({tuple_of(keys)})")
    to.variables, to.recorded = variables, outer
    outer[rows] = ~node.id
    writer.line(f"{rows} = ({to.bind(tuple(keys.values()))}, {rows})")
    writer.line(f"{result} = aggregated({to.bind(node.function)}, {kept}, {_may_give_up(node)})")


def _round(to: Expressions, node: tree.Aggregate, kept: str) -> str:
    """Whether an element passes the filter, and what it gives unless it does not."""
    read_members(to, node)
    if node.condition is None:
        to.writer.line(f"{kept}.append((True, {to.whole(node.element)}))")
        return kept
    passes = to.code(node.condition)
    with to.writer.block(f"if {passes} is not False:"):
        to.writer.line(f"{kept}.append(({passes}, {to.whole(node.element)}))")
    with to.writer.block("else:"):
        to.writer.line(f"{kept}.append((False, False))")
    return kept


def _form(node: tree.Aggregate) -> str:
    """How it is worked out: the first element ends the loop where no later one can make it unknown."""
    return "first at once" if node.function == "first" and not _may_give_up(node) else node.function


def _may_give_up(node: tree.Aggregate) -> bool:
    return any(part.optional for part in each_round(node))


def read_members(to: Expressions, node: tree.Aggregate, least_uses: int = 2) -> None:
    """Read the members that are used so many times at the top of each round, so that none is left over from the last."""
    inner = [one for part in each_round(node) for one in tree.walk(part) if isinstance(one, tree.MemberOf)]
    members = [m for m in inner if isinstance(m.record, tree.Variable) and m.record.name == node.variable]
    for member in members:
        if members.count(member) >= least_uses:
            to.code(member)


def _quantified(to: Expressions, node: tree.Aggregate, result: str) -> None:
    """`any` is the `or` of filter and element, `all` the `and` of no filter or element."""
    writer, condition, is_any = to.writer, node.condition, node.function == "any"
    decisive = str(is_any)
    operands = [(partial(to.code, node.element), node.element.optional)]
    if condition is not None:
        passes = partial(to.code if is_any else to.negated, condition)
        operands.append((passes, condition.optional))
    held = writer.named(to.junction("and" if is_any else "or", operands))
    _end_loop(to, held, result, decisive)
    if _may_give_up(node):
        writer.line(f"if {held} is None:")
        writer.line(f"    {result} = None")


def _gathered(to: Expressions, node: tree.Aggregate, result: str) -> None:
    """The elements that pass; unknown as soon as a filter, or an element that passes, is."""
    writer = to.writer
    if node.condition is None:
        _append(to, node, result)
        return
    passes = writer.named(to.code(node.condition))
    if node.condition.optional:
        _end_loop(to, passes, result)
    with writer.block(f"if {passes}:"):
        _append(to, node, result)
    if node.function in BREAKS:
        writer.line("else:")
        writer.line(f"    {BREAKS[node.function].format(result)}")


def _append(to: Expressions, node: tree.Aggregate, result: str) -> None:
    element = to.writer.named(to.whole(node.element))
    if node.element.optional:
        _end_loop(to, element, result)
    form = _form(node)
    to.writer.line(STEPS.get(form, "{0}.append({1})").format(result, element))
    if form == "first at once":
        to.writer.line("break")


def _end_loop(to: Expressions, value: str, result: str, decisive: str = "None") -> None:
    """End the loop at a value that decides."""
    to.writer.line(f"if {value} is {decisive}:")
    to.writer.line(f"    {result} = {decisive}")
    to.writer.line("    break")
