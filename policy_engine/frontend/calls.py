"""Type checking of calls: functions of the table, and aggregates over generators."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

from policy_engine.diagnostics import did_you_mean
from policy_engine.fixes import Hint, write
from policy_engine.frontend import hints
from policy_engine.frontend.comparisons import check_elements
from policy_engine.frontend.lookups import VALUE_ON, value_on
from policy_engine.frontend.patterns import fault_of
from policy_engine.language import expressions as tree
from policy_engine.language.functions import AGGREGATES, FUNCTIONS, Function
from policy_engine.language.types import (
    ANYTHING,
    Anything,
    Instant,
    ListOf,
    Text,
    Tuple,
    Type,
    only_text,
    with_article,
)

if TYPE_CHECKING:
    from policy_engine.frontend.typing import Typer


def call(typer: Typer, node: ast.Call) -> tree.Node:
    """The typed tree of a call."""
    if not isinstance(node.func, ast.Name):
        what = "a method" if isinstance(node.func, ast.Attribute) else "a call of this"
        hint = "call a function of the language by its name"
        return typer.fault("expression-not-allowed", node, what=what, hint=hint)
    name = node.func.id
    if name == VALUE_ON:
        return value_on(typer, node)
    if name in AGGREGATES and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp) and not node.keywords:
        return _aggregate(typer, node, node.args[0], name)
    lists = 1 <= len(node.args) <= (1 if name in FUNCTIONS else 2)
    if name in AGGREGATES and lists and (listed := hints.of_list(typer, name, *node.args)):
        return typer.fault("generator-needed", node.func, hint=listed, name=name)
    function = FUNCTIONS.get(name)
    if function is None:
        if name in AGGREGATES:
            of_tuples = hints.of_tuples(name) if AGGREGATES[name].takes_tuple else None
            return typer.fault("generator-needed", node.func, hint=of_tuples, name=name)
        other = hints.FOREIGN_FUNCTIONS.get(name) or hints.of_table(typer, node)
        better = other or did_you_mean(name, [*FUNCTIONS, *AGGREGATES, VALUE_ON])
        return typer.fault("unknown-function", node.func, hint=better, name=name)
    if node.keywords:
        return typer.fault("wrong-arguments", node, signature=function.signature, why="arguments have no names")
    return _function_call(typer, node, function)


def _function_call(typer: Typer, node: ast.Call, function: Function) -> tree.Node:
    arguments = tuple(typer.infer(argument) for argument in node.args)
    if function.name == "if_known" and node is not typer.parsed.tree:
        return typer.fault("if-known-place", node)
    least = function.at_least or sum(not parameter.optional for parameter in function.parameters)
    most = len(arguments) if function.at_least else len(function.parameters)
    if not least <= len(arguments) <= most:
        takes = f"at least {least}" if function.at_least else " or ".join(map(str, dict.fromkeys((least, most))))
        why = f"it takes {takes}, and is given {len(arguments)}"
        return typer.fault("wrong-arguments", node, signature=function.signature, why=why)
    parameters = [function.parameters[min(i, len(function.parameters) - 1)] for i in range(len(arguments))]
    if function.name != "round":
        arguments = tuple(typer.plain_value(a, side) for a, side in zip(arguments, node.args, strict=True))
    for parameter, argument, side in zip(parameters, arguments, node.args, strict=True):
        if not parameter.accepts(argument.type):
            hint = _argument_hint(parameter.expected, argument.type) or _other_order(typer, function, node, arguments)
            what = f"`{parameter.name}` of `{function.name}`"
            found = f"`{typer.parsed.segment(side)}`" if parameter.written_out else argument.type
            words = {"what": what, "expected": parameter.expected, "found": found}
            return typer.type_fault("wrong-type", side, argument, hint=hint, **words)
    pattern = only_text(arguments[1].type) if function.name == "matches" else None
    if pattern is not None and (refused := fault_of(pattern)):
        why, hint = refused
        return typer.fault("pattern", node.args[1], hint=hint, pattern=pattern, why=why)
    if any(isinstance(argument.type, Anything) for argument in arguments):
        return tree.stand_in(typer.place(node))
    kind = function.result(*(argument.type for argument in arguments))
    if kind is None:
        return typer.fault("mixed-types", node, left=arguments[0].type, right=arguments[-1].type)
    if function.name == "contains_all":
        check_elements(typer, *zip(arguments, node.args, strict=True))
    optional, place = _call_optional(function, arguments), typer.place(node)
    made = tree.Call(type=kind, optional=optional, place=place, function=function.name, arguments=arguments)
    return typer.plain_value(made, node)


def _aggregate(typer: Typer, node: ast.Call, generator: ast.GeneratorExp, name: str) -> tree.Node:
    clause = generator.generators[0]
    one_each = len(generator.generators) == 1 and len(clause.ifs) <= 1 and not clause.is_async
    if not one_each or not isinstance(clause.target, ast.Name):
        return typer.fault("generator-form", generator, function=name)
    variable = clause.target.id
    source = typer.infer(clause.iter)
    if not isinstance(source.type, ListOf | Anything):
        return typer.wrong_type(clause.iter, "what follows `in`", "a list", source.type)
    clash = typer.scope.kind_of(variable) or ("variable" if variable in typer.variables else None)
    if clash:
        return typer.fault("shadowed-name", clause.target, name=variable, kind=clash)
    if source.type == ListOf(ANYTHING, 0):
        return typer.wrong_type(clause.iter, "what follows `in`", "a list of something", "always empty")
    listed = source.type if isinstance(source.type, ListOf) else ListOf(ANYTHING)
    known = listed.element, tree.has_unknown_elements(source)
    inner = replace(typer, variables={**typer.variables, variable: known})
    condition = inner.condition(clause.ifs[0]) if clause.ifs else None
    row = AGGREGATES[name]
    if isinstance(generator.elt, ast.Tuple) and not row.takes_tuple:
        return typer.wrong_type(generator.elt, f"what `{name}` goes over", row.expected, "several values in brackets")
    element = (
        _tuple(inner, generator.elt)
        if row.takes_tuple
        else inner.plain_value(inner.infer(generator.elt), generator.elt)
    )
    if isinstance(element.type, Anything):
        return tree.stand_in(typer.place(node))
    kind = row.result(element.type, listed.most)
    if kind is None:
        if listed.most is None and row.result(element.type, 1) is not None:
            words: dict[str, Any] = {"expected": "a list with `maxItems` in its schema", "found": "a list without"}
            hint = "the schema says how long the list can be, so that the result is known to fit"
            return typer.fault("wrong-type", clause.iter, hint=hint, what="what follows `in`", **words)
        return typer.wrong_type(generator.elt, f"what `{name}` goes over", row.expected, with_article(element.type))
    parts = (source, element) if condition is None else (source, element, condition)
    optional = row.empty is not None or any(part.optional for part in parts)
    made = tree.Aggregate(
        type=kind, optional=optional, place=typer.place(node),
        function=name, variable=variable, source=source, condition=condition, element=element,
    )  # fmt: skip
    return typer.plain_value(made, node)


def _tuple(typer: Typer, node: ast.expr) -> tree.Node:
    """What an aggregate goes over that takes several values of each element, in brackets."""
    if not isinstance(node, ast.Tuple):
        return typer.plain_value(typer.infer(node), node)
    parts = tuple(typer.plain_value(typer.infer(part), part) for part in node.elts)
    if any(isinstance(part.type, Anything) for part in parts):
        return tree.stand_in(typer.place(node))
    kind, optional = Tuple(tuple(part.type for part in parts)), any(part.optional for part in parts)
    return tree.Tuple(type=kind, optional=optional, place=typer.place(node), parts=parts)


def _call_optional(function: Function, arguments: tuple[tree.Node, ...]) -> bool:
    match function.name:
        case "known":
            return False
        case "default":
            return all(argument.optional for argument in arguments)
        case _:
            return function.partial or any(argument.optional for argument in arguments)


def _other_order(typer: Typer, function: Function, node: ast.Call, arguments: Sequence[tree.Node]) -> Hint | None:
    """The call with its arguments in an order that fits, None where there is none."""
    if function.at_least or len(arguments) > len(function.parameters):
        return None
    for order in permutations(range(len(arguments))):
        if all(function.parameters[i].accepts(arguments[at].type) for i, at in enumerate(order)):
            better = f"{function.name}({', '.join(typer.parsed.segment(node.args[at]) for at in order)})"
            return write(typer.parsed.segment(node), better)
    return None


def _argument_hint(expected: str, found: Type) -> str | None:
    if expected == "a date" and isinstance(found, Instant):
        return "turn the instant into a date with `date_of(...)`"
    if expected == "a date" and isinstance(found, Text):
        return hints.NO_DATES
    return None
