"""Type checking of comparisons, chains and `in` included."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from policy_engine.diagnostics import did_you_mean
from policy_engine.fixes import Advice
from policy_engine.frontend import hints
from policy_engine.language import expressions as tree
from policy_engine.language.date_texts import DAY
from policy_engine.language.operators import SIGNS
from policy_engine.language.types import (
    BOOLEAN,
    Anything,
    Boolean,
    Date,
    Instant,
    ListOf,
    Number,
    Record,
    Text,
    Time,
    Type,
    comparable,
    comparable_lists,
    never_equal,
    ordered,
)

if TYPE_CHECKING:
    from policy_engine.frontend.typing import Typer

WRITTEN: Mapping[type[ast.AST], str] = MappingProxyType(
    {**SIGNS, ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not"}
)
NUMBER_TEXT = re.compile(r"[0-9]+(\.[0-9]+)?")
DATE_TEXT = re.compile(DAY + ".*")
Side = tuple[tree.Node, ast.expr]
"""One side of a comparison: typed, and as it was written."""


def compare(typer: Typer, node: ast.Compare) -> tree.Node:
    """The typed tree of a comparison; a chain is the `and` of its links."""
    nothing = hints.of_nothing(typer, node)
    if nothing is not None:
        return _with_nothing(typer, node, nothing)
    sides = [node.left, *node.comparators]
    typed = _typed(typer, sides)
    links = [
        _link(typer, operation, (typed[i], sides[i]), (typed[i + 1], sides[i + 1]), node)
        for i, operation in enumerate(node.ops)
    ]
    if len(links) == 1:
        return links[0]
    optional = any(link.optional for link in links)
    return tree.Chain(type=BOOLEAN, optional=optional, place=typer.place(node), operands=tuple(links))


def _with_nothing(typer: Typer, node: ast.Compare, hint: Advice) -> tree.Node:
    """Report a comparison with what is no value."""
    typer.infer(node.left)
    word = node.comparators[0]
    if isinstance(word, ast.Name) and word.id == "unknown":
        return typer.fault("unknown-place", word, hint=str(hint))
    what = f"`{WRITTEN[type(node.ops[0])]} {typer.parsed.segment(word)}`"
    return typer.fault("expression-not-allowed", node, what=what, hint=hint)


def _typed(typer: Typer, sides: list[ast.expr]) -> list[tree.Node]:
    """Each side, typed. Names that resolve to nothing are typed last: they may be unquoted texts of another side's closed set."""
    loose = [hints.is_unresolved(typer, side) or isinstance(side, ast.List) for side in sides]
    typed = {i: typer.infer(side) for i, side in enumerate(sides) if not loose[i]}
    closed = (node.type.values or () for node in typed.values() if isinstance(node.type, Text))
    inner = replace(typer, texts=tuple(text for values in closed for text in values))
    typed |= {i: inner.infer(side) for i, side in enumerate(sides) if loose[i]}
    return [typed[i] for i in range(len(sides))]


def _link(typer: Typer, operation: ast.cmpop, first: Side, second: Side, node: ast.Compare) -> tree.Node:
    left, right = first[0], second[0]
    place = _link_place(typer, operation, first, second, node)
    optional = left.optional or right.optional
    if isinstance(operation, ast.In | ast.NotIn):
        found = _membership(typer, first, second, place)
        if isinstance(operation, ast.In):
            return found
        return tree.Not(type=BOOLEAN, optional=found.optional, place=typer.numbered(place), operand=found)
    operator = SIGNS.get(type(operation))
    if operator is None:
        sign, old = ("==", r"\bis\b") if isinstance(operation, ast.Is) else ("!=", r"\bis\s+not\b")
        fix = typer.parsed.other_operator(first[1], second[1], old, sign)
        return typer.fault("expression-not-allowed", node, what="`is`", hint=f"write `{sign}`", fix=fix)
    as_lists = operator in ("==", "!=") and comparable_lists(left.type, right.type)
    if not (as_lists or comparable(left.type, right.type)):
        dates = any(hints.DATE_LITERAL.fullmatch(typer.parsed.segment(side)) for _, side in (first, second))
        hint = hints.NO_DATES if dates else _comparison_hint(left, right)
        return typer.type_fault("not-comparable", node, left, right, hint=hint, left=left.type, right=right.type)
    if operator not in ("==", "!="):
        for kind in (left.type, right.type):
            if not ordered(kind):
                return typer.type_fault("no-order", node, left, right, kind=kind)
    _check_possible(typer, first, second)
    check_elements(typer, first, second)
    check_elements(typer, second, first)
    return tree.Compare(type=BOOLEAN, optional=optional, place=place, operator=operator, left=left, right=right)


def _link_place(typer: Typer, operation: ast.cmpop, first: Side, second: Side, node: ast.Compare) -> tree.Place:
    """The place of a comparison; a link of a chain has its own words, at the place of the chain."""
    place = typer.place(node)
    if len(node.ops) == 1:
        return place
    return replace(place, text=f"{first[0].text} {WRITTEN[type(operation)]} {second[0].text}")


def _membership(typer: Typer, first: Side, second: Side, place: tree.Place) -> tree.Node:
    (item, item_side), (listed, list_side) = first, second
    if not isinstance(listed.type, ListOf | Anything):
        hint = "write `contains(text, part)`" if isinstance(listed.type, Text) else "write `[a, b]`"
        words: dict[str, Any] = {"what": "what follows `in`", "expected": "a list", "found": listed.type}
        return typer.fault("wrong-type", list_side, hint=hint, **words)
    if isinstance(listed.type, ListOf) and not comparable(item.type, listed.type.element):
        return typer.fault("not-comparable", item_side, left=item.type, right=listed.type.element)
    if isinstance(listed, tree.ListLiteral) and isinstance(list_side, ast.List):
        for element, side in zip(listed.elements, list_side.elts, strict=True):
            _check_possible(typer, first, (element, side))
    elif isinstance(listed.type, ListOf):
        _check_possible(typer, first, (replace(listed, type=listed.type.element), list_side))
    optional = item.optional or listed.optional
    return tree.In(type=BOOLEAN, optional=optional, place=place, item=item, list=listed)


def _check_possible(typer: Typer, first: Side, second: Side) -> None:
    """Report a text that the other side can never be."""
    never = never_equal(first[0].type, second[0].type)
    if never is None:
        return
    value, closed = never
    wrong, other = (first, second) if isinstance(first[0], tree.Literal) else (second, first)
    words: dict[str, Any] = {"value": value, "what": f"`{typer.parsed.segment(other[1])}`", "values": ", ".join(closed)}
    typer.fault("impossible-value", wrong[1], hint=did_you_mean(value, closed), **words)


def check_elements(typer: Typer, listed: Side, written: Side) -> None:
    """Report texts of a list that is written out which no element of another list can be."""
    (node, side), (others, other_side) = listed, written
    if isinstance(node.type, ListOf) and isinstance(others, tree.ListLiteral) and isinstance(other_side, ast.List):
        for element, part in zip(others.elements, other_side.elts, strict=True):
            _check_possible(typer, (replace(node, type=node.type.element), side), (element, part))


def _comparison_hint(left: tree.Node, right: tree.Node) -> str | None:
    if isinstance(left.type, ListOf) and isinstance(right.type, ListOf):
        if comparable_lists(left.type, right.type):
            return "lists have no order: write `==` or `!=`"
        records = isinstance(left.type.element, Record) and isinstance(right.type.element, Record)
        return "compare a member of each: `list(x.member for x in list)`" if records else None
    for one, other in ((left, right), (right, left)):
        if isinstance(one, tree.Literal) and isinstance(one.value, str) and (hint := _text_hint(one.value, other.type)):
            return hint
    if is_any(Date, left, right) and is_any(Instant, left, right):
        return "turn the instant into a date with `date_of(...)`"
    if is_any(Date, left, right) and is_any(Number, left, right):
        return "write `days_between(a, b)` for a number of days"
    return None


def _text_hint(text: str, other: Type) -> str | None:
    """What to write in place of a text that is compared with a value of another type."""
    match other:
        case Date() | Instant() if DATE_TEXT.fullmatch(text):
            return hints.NO_DATES
        case Time() if hints.TIME_LITERAL.fullmatch(text):
            return hints.NO_TIMES
        case Number() if NUMBER_TEXT.fullmatch(text):
            return f"a number stands without quotes: `{text}`"
        case Boolean() if text in ("true", "false", "yes", "no"):
            return f"write `{'true' if text in ('true', 'yes') else 'false'}` without quotes"
    return None


def is_any(kind: type[Type], *nodes: tree.Node) -> bool:
    """Whether some part is of a kind of type."""
    return any(isinstance(node.type, kind) for node in nodes)
