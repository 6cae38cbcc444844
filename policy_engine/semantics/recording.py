"""The reference evaluator compiled: each part of an expression becomes a closure that gives its step.

It means and records exactly what `evaluator` does, by the same operators, but looks at the syntax tree once and not at every
question. It tells reasons, missing facts and traces; the tests compare its steps with those of the reference.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import cache

from policy_engine.language.decisions import Origin, Step
from policy_engine.language.functions import FUNCTIONS
from policy_engine.language.values import Unknown, Value
from policy_engine.semantics.evaluator import (
    LAZY,
    OPERATORS,
    Names,
    Row,
    aggregated,
    constant_of,
    decision_part_of,
    left_unknown,
    member_of_value,
    parsed,
    plain_meaning,
    segment,
    strict,
)
from policy_engine.semantics.logic import conjunction, disjunction

Variables = Mapping[str, Value]
Recorder = Callable[[Names, Variables], Step]
NO_VARIABLES: Variables = {}


def record(text: str, names: Names) -> Step:
    """The value of an expression, with the steps that led to it."""
    return _recorder(text)(names, NO_VARIABLES)


@cache
def _recorder(text: str) -> Recorder:
    return _compiled(parsed(text), text)


def _compiled(node: ast.AST, text: str) -> Recorder:
    """The closure of a part."""
    return COMPILERS[type(node)](node, text)


def _constant(node: ast.Constant, text: str) -> Recorder:
    words = segment(text, node)
    step = Step(words, constant_of(node, words), Origin.LITERAL)
    return lambda names, variables: step


def _name(node: ast.Name, text: str) -> Recorder:
    name = node.id
    if name in ("true", "false"):
        truth = Step(name, name == "true", Origin.LITERAL)
        return lambda names, variables: truth
    if name == "unknown":
        unknown = left_unknown()
        return lambda names, variables: unknown

    def run(names: Names, variables: Variables) -> Step:
        return Step(name, variables[name], Origin.FACT) if name in variables else names.look_up(name)

    return run


def _attribute(node: ast.Attribute, text: str) -> Recorder:
    part = decision_part_of(node)
    if part is not None:
        decision, wanted = part
        return lambda names, variables: names.decision_part(decision, wanted)
    words, name, record_ = segment(text, node), node.attr, _compiled(node.value, text)

    def run(names: Names, variables: Variables) -> Step:
        step = record_(names, variables)
        return Step(words, member_of_value(step.value, name), Origin.COMPUTED, "", (step,))

    return run


def _operation(node: ast.UnaryOp | ast.BinOp, text: str) -> Recorder:
    words, operator = segment(text, node), OPERATORS[type(node.op)]
    sides = (node.operand,) if isinstance(node, ast.UnaryOp) else (node.left, node.right)
    operands = [_compiled(side, text) for side in sides]

    def run(names: Names, variables: Variables) -> Step:
        steps = tuple([operand(names, variables) for operand in operands])
        return Step(words, operator(*[step.value for step in steps]), Origin.COMPUTED, "", steps)

    return run


def _boolean(node: ast.BoolOp, text: str) -> Recorder:
    words, operands = segment(text, node), [_compiled(value, text) for value in node.values]
    join = conjunction if isinstance(node.op, ast.And) else disjunction

    def run(names: Names, variables: Variables) -> Step:
        steps = tuple([operand(names, variables) for operand in operands])
        return Step(words, join([step.value for step in steps]), Origin.COMPUTED, "", steps)

    return run


def _compare(node: ast.Compare, text: str) -> Recorder:
    words = segment(text, node)
    sides = [_compiled(side, text) for side in (node.left, *node.comparators)]
    operators = [OPERATORS[type(operation)] for operation in node.ops]

    def run(names: Names, variables: Variables) -> Step:
        steps = tuple([side(names, variables) for side in sides])
        links = [operator(steps[i].value, steps[i + 1].value) for i, operator in enumerate(operators)]
        return Step(words, links[0] if len(links) == 1 else conjunction(links), Origin.COMPUTED, "", steps)

    return run


def _conditional(node: ast.IfExp, text: str) -> Recorder:
    words = segment(text, node)
    test, then, otherwise = (_compiled(part, text) for part in (node.test, node.body, node.orelse))

    def run(names: Names, variables: Variables) -> Step:
        condition = test(names, variables)
        if isinstance(condition.value, Unknown):
            return Step(words, condition.value, Origin.COMPUTED, "", (condition,))
        taken = (then if condition.value else otherwise)(names, variables)
        return Step(words, taken.value, Origin.COMPUTED, "", (condition, taken))

    return run


def _list(node: ast.List, text: str) -> Recorder:
    words, elements = segment(text, node), [_compiled(element, text) for element in node.elts]

    def run(names: Names, variables: Variables) -> Step:
        steps = tuple([element(names, variables) for element in elements])
        return Step(words, tuple([step.value for step in steps]), Origin.COMPUTED, "", steps)

    return run


def _call(node: ast.Call, text: str) -> Recorder:
    assert isinstance(node.func, ast.Name)
    name, words = node.func.id, segment(text, node)
    if node.args and isinstance(node.args[0], ast.GeneratorExp):
        return _aggregate(name, words, node.args[0], text)
    arguments = [_compiled(argument, text) for argument in node.args]
    in_zone = name in FUNCTIONS and FUNCTIONS[name].in_zone
    meaning = LAZY[name] if name in LAZY else strict(plain_meaning(name))

    def run(names: Names, variables: Variables) -> Step:
        steps = tuple([argument(names, variables) for argument in arguments])
        values = [step.value for step in steps]
        value = meaning(*values, names.zone) if in_zone else meaning(*values)
        return Step(words, value, Origin.COMPUTED, "", steps)

    return run


def _aggregate(name: str, words: str, generator: ast.GeneratorExp, text: str) -> Recorder:
    clause = generator.generators[0]
    assert isinstance(clause.target, ast.Name)
    variable = clause.target.id
    source, element = _compiled(clause.iter, text), _compiled(generator.elt, text)
    passes = _compiled(clause.ifs[0], text) if clause.ifs else None

    def row(item: Value, names: Names, variables: Variables) -> tuple[Row, Step]:
        inner = {**variables, variable: item}
        steps = [passes(names, inner)] if passes is not None else []
        fits = steps[0].value if steps else True
        if fits is not False:
            steps.append(element(names, inner))
        value = steps[-1].value if fits is not False else False
        return (fits, value), Step(f"for {variable}", item, Origin.COMPUTED, "", tuple(steps))

    def run(names: Names, variables: Variables) -> Step:
        listed = source(names, variables)
        if isinstance(listed.value, Unknown):
            return Step(words, listed.value, Origin.COMPUTED, "", (listed,))
        assert isinstance(listed.value, tuple)
        rows = [row(item, names, variables) for item in listed.value]
        value = aggregated(name, [found for found, _ in rows])
        return Step(words, value, Origin.COMPUTED, "", (listed, *(step for _, step in rows)))

    return run


COMPILERS: Mapping[type[ast.AST], Callable[..., Recorder]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.UnaryOp: _operation,
    ast.BinOp: _operation,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.List: _list,
    ast.Call: _call,
}
