"""MC/DC by brute force: formulas as Python's own syntax trees, each leaf turned round in each case, and every pair of cases.

It shares nothing with the engine: leaves, definitions and the rules that are reached are worked out here too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

Truth = bool | None
Facts = Mapping[str, Any]
Turned = Mapping[ast.AST, Truth]
"""Leaves that are to have another value than they have."""
COMPARE = {"Lt": "__lt__", "LtE": "__le__", "Gt": "__gt__", "GtE": "__ge__", "Eq": "__eq__"}


class Chains(ast.NodeTransformer):
    """Writes each chain of comparisons as the `and` of its links."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        sides = [node.left, *node.comparators]
        made = [ast.Compare(sides[at], [sign], [sides[at + 1]]) for at, sign in enumerate(node.ops)]
        links: list[ast.expr] = [ast.copy_location(link, node) for link in made]
        return node if len(links) == 1 else ast.copy_location(ast.BoolOp(ast.And(), links), node)


def parsed(text: str) -> ast.expr:
    """An expression whose chains are written out."""
    tree = Chains().visit(ast.parse(text, mode="eval"))
    assert isinstance(tree, ast.Expression)
    return tree.body


def leaves(node: ast.AST) -> Iterator[ast.AST]:
    """The leaves of a formula, from left to right; the condition of an `if` is a formula of its own."""
    match node:
        case ast.BoolOp(values=parts):
            for part in parts:
                yield from leaves(part)
        case ast.UnaryOp(operand=operand):
            yield from leaves(operand)
        case ast.IfExp(body=body, orelse=orelse):
            yield from leaves(body)
            yield from leaves(orelse)
        case _:
            yield node


def asked_by_ifs(node: ast.AST) -> Iterator[ast.AST]:
    """The conditions of the `if`s in a formula, and in those conditions."""
    return (inner.test for inner in ast.walk(node) if isinstance(inner, ast.IfExp))


@dataclass
class Ruleset:
    """Formulas by name: definitions, and the rules of one decision in order."""

    definitions: Mapping[str, ast.AST]
    rules: Sequence[ast.AST]
    seen: dict[ast.AST, list[Facts]] = field(default_factory=dict)

    def value(self, node: ast.AST, facts: Facts, turned: Turned | None = None) -> Truth:
        """What a formula comes to, by the tables of three-valued logic."""
        match node:
            case _ if turned and node in turned:
                return turned[node]
            case ast.BoolOp(op=op, values=parts):
                order: list[Truth] = [False, None, True]
                come = [self.value(part, facts, turned) for part in parts]
                return (min if isinstance(op, ast.And) else max)(come, key=order.index)
            case ast.UnaryOp(operand=operand):
                inner = self.value(operand, facts, turned)
                return None if inner is None else not inner
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen = self.value(test, facts, turned)
                return None if chosen is None else self.value(body if chosen else orelse, facts, turned)
        found: Truth = self.leaf(node, facts)
        return found

    def leaf(self, node: ast.AST, facts: Facts) -> Any:
        """The value of a leaf, or of a side of one; None where it is unknown."""
        match node:
            case ast.Constant(value=constant):
                return constant
            case ast.Name(id=name):
                return self.value(self.definitions[name], facts) if name in self.definitions else facts.get(name)
            case ast.Call(args=[asked]):
                return self.leaf(asked, facts) is not None
            case ast.Compare(left=left, ops=[ast.In() | ast.NotIn() as sign], comparators=[ast.List(elts=elements)]):
                item = self.leaf(left, facts)
                found = item in [self.leaf(each, facts) for each in elements]
                return None if item is None else found is isinstance(sign, ast.In)
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                sides = self.leaf(left, facts), self.leaf(right, facts)
                return None if None in sides else getattr(sides[0], COMPARE[type(sign).__name__])(sides[1])
        raise TypeError(ast.dump(node))

    def see(self, facts: Facts) -> None:
        """Count a case for the rules that are reached, and for what these depend on."""
        for rule in self.rules:
            self._see(rule, facts)
            if self.value(rule, facts) is True:
                return

    def _see(self, formula: ast.AST, facts: Facts) -> None:
        cases = self.seen.setdefault(formula, [])
        if facts in cases:
            return
        cases.append(facts)
        self._see_below(formula, facts)

    def _see_below(self, node: ast.AST, facts: Facts) -> None:
        """What no sibling settles: in `a and b`, `b` is settled where `a` is false."""
        match node:
            case ast.BoolOp(op=op, values=parts):
                settled = [self.value(part, facts) is isinstance(op, ast.Or) for part in parts]
                for at, part in enumerate(parts):
                    if not any(settled[:at] + settled[at + 1 :]):
                        self._see_below(part, facts)
            case ast.UnaryOp(operand=operand):
                self._see_below(operand, facts)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen = self.value(test, facts)
                self._see(test, facts)
                if chosen is not None:
                    self._see_below(body if chosen else orelse, facts)
            case _:
                for name in (each.id for each in ast.walk(node) if isinstance(each, ast.Name)):
                    if name in self.definitions:
                        self._see(self.definitions[name], facts)

    def both_ways(self, formula: ast.AST, leaf: ast.AST) -> set[Truth]:
        """The values that a leaf had, where it was asked for."""
        return {self.leaf(leaf, facts) for facts in self.seen.get(formula, ()) if self._is_asked(formula, leaf, facts)}

    def _is_asked(self, node: ast.AST, leaf: ast.AST, facts: Facts) -> bool:
        match node:
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen = self.value(test, facts)
                return chosen is not None and self._is_asked(body if chosen else orelse, leaf, facts)
            case ast.BoolOp(values=parts):
                return any(self._is_asked(part, leaf, facts) for part in parts)
            case ast.UnaryOp(operand=operand):
                return self._is_asked(operand, leaf, facts)
        return node is leaf

    def decides_alone(self, formula: ast.AST, leaf: ast.AST) -> bool:
        """Whether some two cases show that a leaf decides a formula alone."""
        shown = []
        for facts in self.seen.get(formula, ()):
            own, whole = self.leaf(leaf, facts), self.value(formula, facts)
            if own is not None and whole is not None and self.value(formula, facts, {leaf: not own}) is not whole:
                shown.append((own, whole))
        return any(one[0] is not two[0] and one[1] is not two[1] for one, two in combinations(shown, 2))
