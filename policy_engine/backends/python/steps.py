"""Each kind of sub-expression as code that records it: its value, as callers see it, and its step.

Text and typed tree are gone through side by side: the text gives the words of a step, the tree says what is surely known. What
is not is tested where it stands, and left to `operators` where it is unknown. Both operands of `and` and `or` are worked out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Origin, Step
from policy_engine.language.functions import AGGREGATES, FUNCTIONS, MAY_LEAVE_THE_CALENDAR
from policy_engine.language.operators import LAZY, OPERATORS, left_unknown, strict
from policy_engine.language.types import ListOf, Number, Ratio, Record, Type, innermost, member_of
from policy_engine.language.values import Unknown, absent_fact

if TYPE_CHECKING:
    from policy_engine.backends.python.recorder import Recorder

SIGNS: Mapping[type[ast.AST], str] = MappingProxyType(
    {
        ast.Add: "+",
        ast.Sub: "-",
        ast.Mult: "*",
        ast.Eq: "==",
        ast.NotEq: "!=",
        ast.Lt: "<",
        ast.LtE: "<=",
        ast.Gt: ">",
        ast.GtE: ">=",
    }
)
"""The operators that do with known values in Python what they do in the language."""


class Part(NamedTuple):
    """A sub-expression in generated code: the names of its value and its step, and whether it is surely known.

    `fixed` where it depends on no fact: the names are then those of constants.
    """

    value: str
    step: str
    known: bool
    fixed: bool = False


def record(to: Recorder, text: str, node: ast.AST, typed: tree.Node) -> Part:
    """Write a sub-expression; one that stands in several places is written once, where it is on every way to these."""
    to.decimals = to.decimals or _may_be_decimal(typed)
    key = tree.segment(text, node), typed.optional
    if key in to.common and not to.variables:
        return to.common[key]
    found = HANDLERS[type(node)](to, text, node, typed)
    if to.on_every_way and not to.variables:
        to.common[key] = found
    return found


def _may_be_decimal(node: tree.Node) -> bool:
    """Whether a value may hold decimals, whose arithmetic hangs on a context."""
    if isinstance(node, tree.Literal) and isinstance(node.value, Decimal):
        return True
    kind = innermost(node.type)
    return isinstance(kind, Ratio) or (isinstance(kind, Number) and kind.places > 0)


def listed(names: Sequence[str]) -> str:
    """The text of a tuple."""
    return f"({', '.join(names)}{',' if names else ''})"


def unknown(value: str, kind: Type) -> str:
    """The text that asks whether a value as a whole is unknown."""
    return f"is_unknown({value})" if isinstance(kind, ListOf) else f"{value}.__class__ is Unknown"


def joined(word: str, parts: Sequence[Part]) -> str:
    """The text of an `and` or `or` over parts."""
    unsure = list(dict.fromkeys(part.value for part in parts if not part.known))
    last = unsure if len(unsure) < 2 else [_of_unsure(word, unsure)]
    return f" {word} ".join([part.value for part in parts if part.known] + last)


def _of_unsure(word: str, values: Sequence[str]) -> str:
    """The text of an `and` or `or` over values that may all be unknown."""
    decisive, neutral = ("False", "True") if word == "and" else ("True", "False")
    some = " or ".join(f"{value} is {decisive}" for value in values)
    every = " and ".join(f"{value} is {neutral}" for value in values)
    return f"({decisive} if {some} else {neutral} if {every} else unknown_of({listed(values)}))"


def over(parts: Sequence[Part], code: str) -> str:
    """The text over values that are known, else what they miss; the elements of lists are not asked about."""
    unsure = list(dict.fromkeys(part.value for part in parts if not part.known))
    if not unsure:
        return code
    tests = " and ".join(f"{value}.__class__ is not Unknown" for value in unsure)
    return f"{code} if {tests} else {unsure[0] if len(unsure) == 1 else f'unknown_of({listed(unsure)})'}"


def _constant(to: Recorder, text: str, node: ast.Constant, typed: tree.Literal) -> Part:
    return to.fixed(Step(tree.segment(text, node), typed.value, Origin.LITERAL))


def _name(to: Recorder, text: str, node: ast.Name, typed: tree.Node) -> Part:
    match typed:
        case tree.Variable(name=name):
            return to.variables[name]
        case tree.LeftUnknown():
            return to.fixed(left_unknown())
        case tree.Literal(value=value):
            return to.fixed(Step(node.id, value, Origin.LITERAL))
    return to.name(typed, node.id)


def _attribute(to: Recorder, text: str, node: ast.Attribute, typed: tree.MemberOf | tree.DecisionPart) -> Part:
    if isinstance(typed, tree.DecisionPart):
        return to.decision_part(typed.decision, typed.part)
    record_ = record(to, text, node.value, typed.record)
    kind = typed.record.type
    assert isinstance(kind, Record)
    member, name = member_of(kind, node.attr), to.text(node.attr)
    assert member is not None
    if member.required:
        code = f"{record_.value}._members[{name}]"
    else:
        absent = to.bind(absent_fact(f"{kind.path}.{node.attr}"))
        code = f"{record_.value}._members.get({name}, {absent})"
    if not record_.known:
        code = f"{code} if {record_.value}.__class__ is not Unknown else member_of_value({record_.value}, {name})"
    return to.step(tree.segment(text, node), code, [record_], known=record_.known and member.required)


def _unary(to: Recorder, text: str, node: ast.UnaryOp, typed: tree.Not | tree.Negate) -> Part:
    operand = record(to, text, node.operand, typed.operand)
    code = over([operand], f"{'not ' if isinstance(node.op, ast.Not) else '-'}{operand.value}")
    return to.step(tree.segment(text, node), code, [operand], known=operand.known)


def _binary(to: Recorder, text: str, node: ast.BinOp, typed: tree.Arithmetic) -> Part:
    parts = [record(to, text, node.left, typed.left), record(to, text, node.right, typed.right)]
    values = [part.value for part in parts]
    if type(node.op) in SIGNS:
        code = over(parts, f"{values[0]} {SIGNS[type(node.op)]} {values[1]}")
    else:
        code = f"{to.bind(OPERATORS[type(node.op)])}({', '.join(values)})"
    return to.step(tree.segment(text, node), code, parts, known=not typed.optional)


def _boolean(to: Recorder, text: str, node: ast.BoolOp, typed: tree.And | tree.Or) -> Part:
    parts = [record(to, text, side, operand) for side, operand in zip(node.values, typed.operands, strict=True)]
    code = joined("and" if isinstance(node.op, ast.And) else "or", parts)
    return to.step(tree.segment(text, node), code, parts, known=all(part.known for part in parts))


def _compare(to: Recorder, text: str, node: ast.Compare, typed: tree.Node) -> Part:
    """A comparison; a chain is the `and` of its links, and looks at each side once."""
    links = typed.operands if len(node.ops) > 1 and isinstance(typed, tree.And) else (typed,)
    sides = [tree.sides_of(link) for link in links]
    nodes = [sides[0][0], *(right for _, right in sides)]
    parts = [record(to, text, side, at) for side, at in zip((node.left, *node.comparators), nodes, strict=True)]
    found = []
    for index, operation in enumerate(node.ops):
        pair = parts[index : index + 2]
        code = _link(to, operation, pair, sides[index])
        known = all(part.known for part in pair)
        named = len(links) > 1 and not all(part.fixed for part in parts)
        found.append(Part(to.writer.named(f"({code})") if named else f"({code})", "", known))
    code = found[0].value if len(links) == 1 else joined("and", found)
    return to.step(tree.segment(text, node), code, parts, known=all(link.known for link in found))


def _link(to: Recorder, operation: ast.cmpop, pair: Sequence[Part], typed: Sequence[tree.Node]) -> str:
    left, right = (part.value for part in pair)
    if isinstance(operation, ast.In | ast.NotIn):
        code = f"{left} {'in' if isinstance(operation, ast.In) else 'not in'} {right}"
        least = f"{to.bind(OPERATORS[type(operation)])}({left}, {right})"
        if isinstance(typed[0].type, Ratio) or not pair[1].known:
            return least
        return code if pair[0].known else f"{code} if {left}.__class__ is not Unknown else {least}"
    if any(isinstance(side.type, Ratio) for side in typed):
        left, right = (f"Fraction({name})" for name in (left, right))
    return over(pair, f"{left} {SIGNS[type(operation)]} {right}")


def _conditional(to: Recorder, text: str, node: ast.IfExp, typed: tree.Conditional) -> Part:
    """Only the branch that is taken is worked out."""
    words, condition = tree.segment(text, node), record(to, text, node.test, typed.condition)
    branches = ((node.body, typed.then), (node.orelse, typed.otherwise))
    if condition.fixed and not condition.known:
        return to.step(words, condition.value, [condition], known=False)
    if condition.fixed:
        taken = record(to, text, *branches[0 if to.constants[condition.value] else 1])
        return to.step(words, taken.value, [condition, taken], known=taken.known)
    writer = to.writer
    value, step, known = writer.fresh("v"), writer.fresh("s"), condition.known
    heads = [f"if {condition.value} is True:", "else:" if known else f"elif {condition.value} is False:"]
    for head, (side, branch) in zip(heads, branches, strict=True):
        with writer.block(head):
            taken = record(to, text, side, branch)
            writer.line(f"{value} = {taken.value}")
            writer.line(f"{step} = {to.made(words, value, [condition.step, taken.step])}")
            known = known and taken.known
    if not condition.known:
        with writer.block("else:"):
            writer.line(f"{value} = on_the_way({condition.value})")
            writer.line(f"{step} = {to.made(words, value, [condition.step])}")
    return Part(value, step, known)


def _list(to: Recorder, text: str, node: ast.List, typed: tree.ListLiteral) -> Part:
    parts = [record(to, text, side, element) for side, element in zip(node.elts, typed.elements, strict=True)]
    code = listed([part.value for part in parts])
    return to.step(tree.segment(text, node), code, parts, known=all(part.known for part in parts))


def _call(to: Recorder, text: str, node: ast.Call, typed: tree.Call | tree.Aggregate) -> Part:
    assert isinstance(node.func, ast.Name)
    if isinstance(typed, tree.Aggregate):
        assert isinstance(node.args[0], ast.GeneratorExp)
        return _aggregate(to, text, node, node.args[0], typed)
    name = node.func.id
    parts = [record(to, text, side, argument) for side, argument in zip(node.args, typed.arguments, strict=True)]
    return to.step(tree.segment(text, node), _called(to, name, parts, typed), parts, known=not typed.optional)


def _called(to: Recorder, name: str, parts: Sequence[Part], typed: tree.Call) -> str:
    values = [part.value for part in parts]
    lists = any(isinstance(argument.type, ListOf) for argument in typed.arguments)
    match name:
        case "known":
            whole = isinstance(typed.arguments[0].type, ListOf)
            asked = f"not is_unknown({values[0]})" if whole else f"{values[0]}.__class__ is not Unknown"
            return "True" if parts[0].known else asked
        case "default" if not lists:
            return _default(parts)
        case "if_known":
            return values[0]
        case "len":
            return over(parts, f"len({values[0]})")
    if name in LAZY:
        return f"{to.bind(LAZY[name])}({', '.join(values)})"
    plain = FUNCTIONS[name].plain
    assert plain is not None
    arguments = ", ".join([*values, "ZONE"] if FUNCTIONS[name].in_zone else values)
    if typed.optional and lists and not all(part.known for part in parts):
        return f"{to.bind(strict(plain))}({arguments})"
    sure = name not in MAY_LEAVE_THE_CALENDAR
    return over(parts, f"{to.bind(plain)}({arguments})" if sure else f"defined({to.bind(plain)}, {arguments})")


def _default(parts: Sequence[Part]) -> str:
    """The first value, or the second where it is unknown; where that is too, what both miss."""
    (value, _, known, _), (other, _, other_known, _) = parts
    if known:
        return value
    both = other if other_known else f"{other} if {other}.__class__ is not Unknown else unknown_of(({value}, {other}))"
    return f"{value} if {value}.__class__ is not Unknown else {both}"


def _aggregate(to: Recorder, text: str, node: ast.Call, generator: ast.GeneratorExp, typed: tree.Aggregate) -> Part:
    words, clause, writer = tree.segment(text, node), generator.generators[0], to.writer
    source = record(to, text, clause.iter, typed.source)
    value, step = writer.fresh("v"), writer.fresh("s")
    may_be_absent = not source.known and not isinstance(typed.source, tree.ListLiteral)
    if may_be_absent:
        with writer.block(f"if {source.value}.__class__ is Unknown:"):
            writer.line(f"{value} = on_the_way({source.value})")
            writer.line(f"{step} = {to.made(words, value, [source.step])}")
    with writer.block("else:" if may_be_absent else "if True:"):
        rows = Rows(typed, writer.fresh("kept"), writer.fresh("doubts"), writer.fresh("below"))
        writer.line(f"{rows.kept}, {rows.below} = [], [{source.step}]")
        if rows.optional:
            writer.line(f"{rows.doubts} = []")
        element = writer.fresh("e")
        with writer.block(f"for {element} in {source.value}:"):
            _row(to, text, generator, rows, element)
        writer.line(f"{value} = {_gathered(to, rows)}")
        writer.line(f"{step} = {to.made(words, value, [f'*{rows.below}'])}")
    return Part(value, step, not typed.optional)


class Rows(NamedTuple):
    """An aggregate over the rows of a list, and the names of lists: what it keeps of them, what is unknown, and their steps."""

    typed: tree.Aggregate
    kept: str
    doubts: str
    below: str

    @property
    def optional(self) -> bool:
        """Whether a row may be unknown."""
        return any(part is not None and part.optional for part in (self.typed.condition, self.typed.element))

    @property
    def quantified(self) -> bool:
        """Whether a row that is unknown need not make the whole unknown: then what is kept are filters with elements."""
        return self.optional and self.typed.function in ("any", "all")


def _row(to: Recorder, text: str, generator: ast.GeneratorExp, rows: Rows, element: str) -> None:
    """One element: its filter, and what it gives unless the filter is false."""
    writer, typed, clause = to.writer, rows.typed, generator.generators[0]
    outer, head = to.variables, f"for {typed.variable}"
    known = not tree.has_unknown_elements(typed.source)
    step = writer.named(to.made(typed.variable, element, origin=Origin.FACT), "s")
    to.variables = {**outer, typed.variable: Part(element, step, known)}
    passes = record(to, text, clause.ifs[0], typed.condition) if typed.condition is not None else None
    with writer.block(f"if {passes.value} is not False:" if passes else "if True:"):
        given = record(to, text, generator.elt, typed.element)
        _keep(to, rows, passes, given)
        steps = [part.step for part in (passes, given) if part]
        writer.line(f"{rows.below}.append({to.made(head, element, steps)})")
    if passes:
        with writer.block("else:"):
            if typed.function == "last_run":
                writer.line(f"{rows.kept}.clear()")
            writer.line(f"{rows.below}.append({to.made(head, element, [passes.step])})")
    to.variables = outer


def _keep(to: Recorder, rows: Rows, passes: Part | None, given: Part) -> None:
    """What a row gives that is not left out."""
    if rows.quantified:
        to.writer.line(f"{rows.kept}.append(({passes.value if passes else 'True'}, {given.value}))")
        return
    if passes and rows.typed.condition and rows.typed.condition.optional:
        to.writer.line(f"if {passes.value}.__class__ is Unknown: {rows.doubts}.append(on_the_way({passes.value}))")
    if rows.typed.element.optional:
        to.writer.line(f"if {unknown(given.value, rows.typed.element.type)}: {rows.doubts}.append({given.value})")
    to.writer.line(f"{rows.kept}.append({given.value})")


def _gathered(to: Recorder, rows: Rows) -> str:
    """An aggregate over what was kept of its rows."""
    function, kept = rows.typed.function, rows.kept
    row = AGGREGATES[function]
    if rows.quantified:
        return f"aggregated({to.text(function)}, {kept})"
    if function in ("any", "all"):
        return f"True in {kept}" if function == "any" else f"False not in {kept}"
    made = f"tuple({kept})" if function in ("list", "last_run") else f"{to.bind(row.plain)}({kept})"
    if row.empty is not None:
        made = f"{made} if {kept} else {to.bind(Unknown(causes=(row.empty,)))}"
    return f"unknown_of({rows.doubts}) if {rows.doubts} else {made}" if rows.optional else made


HANDLERS: Mapping[type[ast.AST], Callable[..., Part]] = MappingProxyType(
    {
        ast.Constant: _constant,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.UnaryOp: _unary,
        ast.BinOp: _binary,
        ast.BoolOp: _boolean,
        ast.Compare: _compare,
        ast.IfExp: _conditional,
        ast.List: _list,
        ast.Call: _call,
    }
)
