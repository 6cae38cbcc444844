"""The names that stand in an expression, also in one that has faults elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from policy_engine.frontend.expressions import ParsedExpression, parse_expression
from policy_engine.frontend.lookups import VALUE_ON
from policy_engine.frontend.scope import Known, Scope
from policy_engine.frontend.typing import Typer
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.types import ANYTHING, ListOf, Record, Type
from policy_engine.lsp.symbols import Occurrence, Symbol
from policy_engine.source import Authored, Span

OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Names:
    """Whose the names of a rule file are: the ruleset, its schema, and for a part of a library the library that has it."""

    ruleset: str
    schema: str
    scope: Scope
    libraries: Mapping[str, str] = field(default_factory=dict)

    def symbol(self, name: str) -> Symbol | None:
        """The symbol of a name of the one namespace; None where there is none."""
        kind = self.scope.kind_of(name)
        if kind == "fact":
            return Symbol(kind, self.schema, name)
        return None if kind is None else Symbol(kind, self.libraries.get(name, self.ruleset), name)

    def member(self, record: Record, name: str) -> Symbol:
        """The symbol of a member of a record."""
        return Symbol("fact", self.schema, f"{record.path}.{name}" if record.path else name)


def uses_in(text: Authored, names: Names) -> Iterator[Occurrence]:
    """Every name that stands in an expression."""
    parsed = None if text.unread else parse_expression(text, [])
    if parsed is not None:
        yield from _Walk(parsed, names).of(parsed.tree)


@dataclass(frozen=True, slots=True)
class _Walk:
    parsed: ParsedExpression
    names: Names
    variables: Mapping[str, Known] = field(default_factory=dict)

    def of(self, node: ast.AST) -> Iterator[Occurrence]:
        """The names in a part of the expression, from left to right where it matters to nobody."""
        match node:
            case ast.Name():
                yield from self._name(node)
            case ast.Attribute():
                yield from self._attribute(node)
            case ast.Call(func=ast.Name(id=name) as called, args=arguments):
                if name in FUNCTIONS or name in AGGREGATES or name == VALUE_ON:
                    yield Occurrence(Symbol("function", "", name), self.parsed.span(called))
                for argument in arguments:
                    yield from self.of(argument)
            case ast.GeneratorExp(elt=element, generators=[ast.comprehension(target=ast.Name() as target) as clause]):
                yield from self._generator(element, target, clause)
            case ast.Compare(left=left, comparators=others):
                yield from self._compared([left, *others])
            case _:
                for child in ast.iter_child_nodes(node):
                    yield from self.of(child)

    def _name(self, node: ast.Name) -> Iterator[Occurrence]:
        symbol = (
            Symbol("variable", str(self.parsed.authored.span), node.id)
            if node.id in self.variables
            else self.names.symbol(node.id)
        )
        if symbol is not None:
            yield Occurrence(symbol, self.parsed.span(node))

    def _attribute(self, node: ast.Attribute) -> Iterator[Occurrence]:
        match node.value:
            case ast.Attribute(value=ast.Name(id="decisions"), attr=decision) as inner:
                yield Occurrence(Symbol("decision", self.names.ruleset, decision), self.parsed.last_name(inner))
                if node.attr != OUTCOME:
                    owner = f"{self.names.ruleset}/{decision}"
                    yield Occurrence(Symbol("value", owner, node.attr), self.parsed.last_name(node))
            case ast.Subscript(value=ast.Name(id=table)):
                yield from self.of(node.value)
                yield Occurrence(Symbol("column", table, node.attr), self.parsed.last_name(node))
            case ast.Name(id="decisions"):
                yield Occurrence(Symbol("decision", self.names.ruleset, node.attr), self.parsed.last_name(node))
            case _:
                yield from self.of(node.value)
                record = self._type(node.value)
                if isinstance(record, Record):
                    yield Occurrence(self.names.member(record, node.attr), self.parsed.last_name(node))

    def _type(self, node: ast.expr) -> Type:
        return Typer(self.parsed, self.names.scope, [], dict(self.variables)).infer(node).type

    def _generator(self, element: ast.expr, target: ast.Name, clause: ast.comprehension) -> Iterator[Occurrence]:
        yield from self.of(clause.iter)
        listed = self._type(clause.iter)
        inside = listed.element if isinstance(listed, ListOf) else ANYTHING
        inner = replace(self, variables={**self.variables, target.id: (inside, False)})
        for part in (element, target, *clause.ifs):
            yield from inner.of(part)

    def _compared(self, sides: list[ast.expr]) -> Iterator[Occurrence]:
        """What is compared; texts beside a reading are its choices, beside the outcome of a decision its outcomes."""
        make = next((made for side in sides if (made := self._texts_beside(side)) is not None), None)
        for side in sides:
            texts = [node for node in ast.walk(side) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
            if make is not None and isinstance(side, ast.Constant | ast.List):
                yield from (Occurrence(make(str(node.value)), self._inside(node)) for node in texts)
            else:
                yield from self.of(side)

    def _texts_beside(self, side: ast.expr) -> Callable[[str], Symbol] | None:
        match side:
            case ast.Name(id=name) if name not in self.variables and self.names.scope.kind_of(name) == "reading":
                owner = f"{self.names.libraries.get(name, self.names.ruleset)}/{name}"
                return lambda text: Symbol("choice", owner, text)
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="decisions"), attr=decision), attr="outcome"):
                owner = f"{self.names.ruleset}/{decision}"
                return lambda text: Symbol("outcome", owner, text)
        return None

    def _inside(self, node: ast.Constant) -> Span:
        """The place of a text without its quotes."""
        span = self.parsed.span(node)
        return replace(span, column=span.column + 1, length=max(1, span.length - 2))
