"""A typed tree as the text of an expression, with the parentheses that its meaning needs."""

from __future__ import annotations

from policy_engine.language import expressions as tree
from policy_engine.language.values import Value, to_json

CONDITIONAL, OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, ATOM = range(9)
"""How firmly an expression holds its parts together; what holds less firmly than its surroundings takes parentheses."""
STRENGTHS = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT}


def text_of(node: tree.Node) -> str:
    """The expression that a typed tree stands for, on one line."""
    return _parts(node)[0]


def _in(strength: int, node: tree.Node) -> str:
    """A part of something that holds its parts together so firmly."""
    text, own = _parts(node)
    return text if own >= strength else f"({text})"


def _parts(node: tree.Node) -> tuple[str, int]:
    """The text of a node and how firmly it holds together."""
    match node:
        case tree.Not(operand=operand):
            return f"not {_in(NOT, operand)}", NOT
        case tree.And(operands=operands):
            return " and ".join(_in(NOT, operand) for operand in operands), AND
        case tree.Or(operands=operands):
            return " or ".join(_in(AND, operand) for operand in operands), OR
        case tree.Compare(operator=operator, left=left, right=right):
            return f"{_in(SUM, left)} {operator} {_in(SUM, right)}", COMPARISON
        case tree.In(item=item, list=items):
            return f"{_in(SUM, item)} in {_in(SUM, items)}", COMPARISON
        case tree.Arithmetic(operator=operator, left=left, right=right):
            strength = STRENGTHS[operator]
            return f"{_in(strength, left)} {operator} {_in(strength + 1, right)}", strength
        case tree.Negate(operand=operand):
            return f"-{_in(SIGN, operand)}", SIGN
        case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
            texts = _in(OR, then), _in(OR, condition), _in(CONDITIONAL, otherwise)
            return "{} if {} else {}".format(*texts), CONDITIONAL
    return _atom(node), ATOM


def _atom(node: tree.Node) -> str:
    """What holds its parts together by brackets, or has none."""
    match node:
        case tree.Literal(value=value):
            return f'"{value}"' if isinstance(value, str) else _spelled(value)
        case tree.MemberOf(record=record, name=name):
            return f"{_in(ATOM, record)}.{name}"
        case tree.Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(text_of, arguments))})"
        case tree.ListLiteral(elements=elements):
            return f"[{', '.join(map(text_of, elements))}]"
        case tree.Aggregate(function=function, variable=variable, source=source, condition=condition, element=element):
            tail = f" if {_in(OR, condition)}" if condition is not None else ""
            return f"{function}({_in(CONDITIONAL, element)} for {variable} in {_in(OR, source)}{tail})"
    return _name(node)


def _name(node: tree.Node) -> str:
    match node:
        case tree.DecisionPart(decision=decision, part=part):
            return f"decisions.{decision}.{part}"
        case tree.AsOf():
            return "as_of"
        case tree.LeftUnknown():
            return "unknown"
        case tree.Fact(name=name) | tree.Parameter(name=name) | tree.Reading(name=name) | tree.Definition(name=name):
            return name
        case tree.Variable(name=name):
            return name
    raise TypeError(f"{type(node).__name__} is no node of an expression")


def _spelled(value: Value) -> str:
    return str(to_json(value)).lower() if isinstance(value, bool) else str(to_json(value))
