"""Type checking of expressions: from Python's syntax tree and a scope to a typed tree, or to diagnostics.

A faulty sub-expression gets the type `Anything`, which fits everywhere, so that one mistake is reported once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from policy_engine.diagnostics import Diagnostic, did_you_mean, say
from policy_engine.fixes import Advice, Fix, write
from policy_engine.frontend import hints
from policy_engine.frontend.calls import call
from policy_engine.frontend.comparisons import compare, is_any
from policy_engine.frontend.expressions import ParsedExpression
from policy_engine.frontend.lookups import bare_lookup, is_table, lookup
from policy_engine.frontend.scope import Known, Scope
from policy_engine.language import expressions as tree
from policy_engine.language.functions import AGGREGATES, FUNCTIONS
from policy_engine.language.lookup_tables import LookupTable
from policy_engine.language.operators import SIGNS
from policy_engine.language.types import (
    ANYTHING,
    BOOLEAN,
    Anything,
    Boolean,
    Date,
    ListOf,
    Number,
    Ratio,
    Record,
    Text,
    Type,
    arithmetic,
    fits,
    innermost,
    join,
    member_of,
    number_of,
    with_article,
)

NUMBER_FORM = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
TEXT_FORM = re.compile(r'"[^"\\]*"|\'[^\'\\]*\'')
PYTHON_WORDS: Mapping[str, Advice] = MappingProxyType(
    {"True": write("True", "true"), "False": write("False", "false"), "None": "ask `known(x)`"}
)
LOGIC: Mapping[type[ast.AST], tuple[str, str]] = MappingProxyType({ast.BitAnd: (r"&", "and"), ast.BitOr: (r"\|", "or")})
"""For operators on bits the operators that are meant."""
FORBIDDEN: Mapping[type[ast.AST], tuple[str, str | None]] = MappingProxyType(
    {
        ast.Lambda: ("a lambda", None),
        ast.NamedExpr: ("an assignment", "make a definition"),
        ast.JoinedStr: ("an f-string", None),
        ast.Dict: ("a dictionary", None),
        ast.Set: ("a set", "write a list in brackets"),
        ast.Tuple: ("a list without brackets", "write `[a, b]`; in a flow map quote the whole expression"),
        ast.ListComp: ("a list comprehension", "write `list(e for x in list)`"),
        ast.SetComp: ("a comprehension", "write `list(e for x in list)`"),
        ast.DictComp: ("a comprehension", None),
        ast.GeneratorExp: ("a generator outside a function", "write `list(e for x in list)`"),
        ast.Starred: ("a star", None),
        ast.Await: ("await", None),
        ast.Yield: ("yield", None),
        ast.YieldFrom: ("yield", None),
        ast.Slice: ("a slice", None),
        ast.Pow: ("`**`", "write `x * x`"),
        ast.BitAnd: ("`&`", "write `and`"),
        ast.BitOr: ("`|`", "write `or`"),
        ast.BitXor: ("`^`", "write `x * x`, or `a != b`"),
        ast.LShift: ("`<<`", None),
        ast.RShift: ("`>>`", None),
        ast.MatMult: ("`@`", None),
    }
)


@dataclass(slots=True)
class Typer:
    """Types one expression."""

    parsed: ParsedExpression
    scope: Scope
    faults: list[Diagnostic]
    variables: dict[str, Known] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    """The closed set of texts that this is compared with."""

    def fault(
        self, code: str, node: ast.AST, *, hint: Advice | None = None, fix: Fix | None = None, **words: object
    ) -> tree.Node:
        """Report a fault at a part of the expression, and stand in for the part."""
        return self.fault_at(code, self.place(node), hint=hint, fix=fix, **words)

    def place(self, node: ast.AST) -> tree.Place:
        """Where a part of the expression stands, for a node of its own."""
        return tree.Place(self.parsed.span(node), self.parsed.segment(node), next(self.scope.ids))

    def numbered(self, place: tree.Place) -> tree.Place:
        """The same place for one more node."""
        return replace(place, id=next(self.scope.ids))

    def fault_at(
        self, code: str, place: tree.Place, *, hint: Advice | None = None, fix: Fix | None = None, **words: object
    ) -> tree.Node:
        """Report a fault at a place, and stand in for what is there; a type among the words is told by its name."""
        shown = {name: with_article(word) if isinstance(word, Type) else word for name, word in words.items()}
        self.faults.append(say(code, place.span, hint=hint, fix=fix, words=shown))
        return tree.stand_in(place)

    def type_fault(self, code: str, node: ast.AST, *sides: tree.Node, **words: Any) -> tree.Node:
        """Report that types do not go together: at a parameter where a side is one that is a text by mistake."""
        parameters = (side.name for side in sides if isinstance(side, tree.Parameter))
        misread = next((self.scope.misread[name] for name in parameters if name in self.scope.misread), None)
        if misread is None:
            return self.fault(code, node, **words)
        self.faults.append(misread)
        return tree.stand_in(self.place(node))

    def wrong_type(self, node: ast.AST, what: str, expected: str, found: Type | str) -> tree.Node:
        """Report that a part has another type than its place asks for."""
        return self.fault("wrong-type", node, what=what, expected=expected, found=found)

    def infer(self, node: ast.AST) -> tree.Node:
        """The typed tree of a part of the expression."""
        handler = HANDLERS.get(type(node))
        if handler is not None:
            return handler(self, node)
        what, hint = FORBIDDEN.get(type(node), (type(node).__name__.lower(), None))
        return self.fault("expression-not-allowed", node, hint=hint, what=what)

    def condition(self, node: ast.AST) -> tree.Node:
        """The typed tree of a part that must be true or false."""
        found = self.infer(node)
        if not isinstance(found.type, Boolean | Anything):
            return self.wrong_type(node, "a condition", "true or false", found.type)
        return found

    def plain_value(self, found: tree.Node, node: ast.AST) -> tree.Node:
        """A part that may be neither a ratio nor too long a number."""
        if isinstance(found.type, Ratio):
            return self.fault("ratio-place", node)
        number = innermost(found.type)
        if isinstance(number, Number) and not fits(number):
            what = f"the result of `{self.parsed.segment(node)}` may have"
            return self.fault("too-many-digits", node, hint="narrow `minimum` and `maximum` in the schema", what=what)
        return found

    def constant(self, node: ast.Constant) -> tree.Node:
        text, place = self.parsed.segment(node), self.place(node)
        if isinstance(node.value, str | bytes):
            if not TEXT_FORM.fullmatch(text) or isinstance(node.value, bytes):
                return self.fault("text-form", node, text=text)
            return tree.Literal(type=Text((node.value,)), optional=False, place=place, value=node.value)
        if text in PYTHON_WORDS:
            return self.fault("unknown-name", node, hint=PYTHON_WORDS[text], name=text)
        if not NUMBER_FORM.fullmatch(text):
            plain = text.replace("_", "") if "_" in text else f"0{text}" if text.startswith(".") else ""
            hint = write(text, plain) if NUMBER_FORM.fullmatch(plain) else None
            return self.fault("number-form", node, hint=hint, text=text)
        value: int | Decimal = Decimal(text) if "." in text else int(text)
        kind = number_of(value)
        if not fits(kind):
            return self.fault("too-many-digits", node, hint="write fewer digits", what=f"`{text}` has")
        return tree.Literal(type=kind, optional=False, place=place, value=value)

    def name(self, node: ast.Name) -> tree.Node:
        place = self.place(node)
        if node.id in self.variables:
            kind, optional = self.variables[node.id]
            return tree.Variable(type=kind, optional=optional, place=place, name=node.id)
        if node.id == "unknown":
            return self.fault("unknown-place", node)
        if node.id in self.scope.tables:
            return self.bare_table(node, self.scope.tables[node.id])
        if node.id == "decisions":
            return self.fault("unknown-name", node, hint="write `decisions.name.outcome`", name=node.id)
        found = self.scope.resolve(node.id, place)
        if found is not None:
            return found
        if node.id in self.texts:
            hint = f'a text stands in quotes: `"{node.id}"`'
            return self.fault("unknown-name", node, hint=hint, fix=self.parsed.quoted(node), name=node.id)
        near = hints.of_name(node.id, self.scope) or did_you_mean(node.id, [*self.scope.names(), *self.variables])
        if near is None and node.id in {**FUNCTIONS, **AGGREGATES}:
            near = f"`{node.id}` is a function, and is called with brackets"
        return self.fault("unknown-name", node, hint=near, name=node.id)

    def bare_table(self, node: ast.Name, table: LookupTable | None) -> tree.Node:
        """A look-up table by itself, which is no value."""
        if table is None:
            return tree.stand_in(self.place(node))
        hint = f"write `{table.asked}.{table.columns[0].name}`, with a value for each key"
        return self.fault("expression-not-allowed", node, what=f"the table `{node.id}` by itself", hint=hint)

    def attribute(self, node: ast.Attribute) -> tree.Node:
        match node.value:
            case ast.Attribute(value=ast.Name(id="decisions"), attr=decision):
                return self.decision_part(node, decision)
            case ast.Name(id="decisions"):
                return self.bare_decision(node)
            case ast.Subscript(value=table) as held if is_table(self, table):
                return lookup(self, node, held)
        decision_hint = hints.of_member(self, node)
        if decision_hint is not None:
            return self.fault("unknown-name", node.value, hint=decision_hint, name=self.parsed.segment(node.value))
        record = self.infer(node.value)
        if isinstance(record.type, Anything):
            return record
        if not isinstance(record.type, Record):
            hint = "use `any`, `all`, `first`, `last` or another generator" if isinstance(record.type, ListOf) else None
            what = f"`.{node.attr}` on {with_article(record.type)}"
            return self.fault("expression-not-allowed", node, hint=hint, what=what)
        member = member_of(record.type, node.attr)
        if member is None:
            near = did_you_mean(node.attr, [m.name for m in record.type.members])
            whole = self.parsed.segment(node.value)
            better = near.behind(f"{whole}.") if near is not None else None
            return self.fault("unknown-member", node, hint=better, record=f"`{whole}`", name=node.attr)
        optional = record.optional or not member.required
        return tree.MemberOf(type=member.type, optional=optional, place=self.place(node), record=record, name=node.attr)

    def bare_decision(self, node: ast.Attribute) -> tree.Node:
        """A decision where one of its parts should be named."""
        if node.attr not in self.scope.decisions:
            return self.decision_part(node, node.attr)
        parts = list(self.scope.decisions[node.attr]() or ("outcome",))
        hint = f"write `decisions.{node.attr}.{parts[0]}`" if parts else None
        return self.fault("expression-not-allowed", node, hint=hint, what=f"`decisions.{node.attr}` by itself")

    def decision_part(self, node: ast.Attribute, decision: str) -> tree.Node:
        parts = self.scope.decisions.get(decision)
        if parts is None:
            if self.scope.open:
                return tree.stand_in(self.place(node))
            near = did_you_mean(decision, self.scope.decisions)
            inner = node.value if isinstance(node.value, ast.Attribute) else node
            return self.fault_at("unknown-decision", self.last_name(inner), hint=near, name=decision)
        known = parts()
        if known is None:
            return tree.stand_in(self.place(node))
        if node.attr not in known:
            hint = did_you_mean(node.attr, known) or f"it has {', '.join(known) or 'nothing'}"
            place = self.last_name(node)
            return self.fault_at("unknown-decision-part", place, hint=hint, decision=decision, name=node.attr)
        kind, place = known[node.attr][0], self.place(node)
        return tree.DecisionPart(type=kind, optional=True, place=place, decision=decision, part=node.attr)

    def last_name(self, node: ast.Attribute) -> tree.Place:
        """Where the name behind the last dot stands."""
        return replace(self.place(node), span=self.parsed.last_name(node))

    def boolean(self, node: ast.BoolOp) -> tree.Node:
        operands = tuple(self.condition(value) for value in node.values)
        kind = tree.And if isinstance(node.op, ast.And) else tree.Or
        optional = any(operand.optional for operand in operands)
        return kind(type=BOOLEAN, optional=optional, place=self.place(node), operands=operands)

    def unary(self, node: ast.UnaryOp) -> tree.Node:
        place = self.place(node)
        if isinstance(node.op, ast.Not):
            operand = self.condition(node.operand)
            return tree.Not(type=BOOLEAN, optional=operand.optional, place=place, operand=operand)
        if not isinstance(node.op, ast.USub):
            return self.fault("expression-not-allowed", node, what=f"`{self.parsed.segment(node)[:1]}` before a value")
        operand = self.plain_value(self.infer(node.operand), node.operand)
        match operand.type:
            case Number(places=places, low=low, high=high):
                kind = Number(places, -high, -low)
                return tree.Negate(type=kind, optional=operand.optional, place=place, operand=operand)
            case Anything():
                return operand
        return self.wrong_type(node, "what follows `-`", "a number", operand.type)

    def arithmetic(self, node: ast.BinOp) -> tree.Node:
        operator = SIGNS.get(type(node.op))
        left, right = self.infer(node.left), self.infer(node.right)
        if operator is None:
            sign, hint = FORBIDDEN[type(node.op)]
            word = LOGIC.get(type(node.op))
            fix = self.parsed.other_operator(node.left, node.right, *word) if word is not None else None
            return self.fault("expression-not-allowed", node, hint=hint, fix=fix, what=sign)
        left, right = self.plain_value(left, node.left), self.plain_value(right, node.right)
        if isinstance(left.type, Anything) or isinstance(right.type, Anything):
            return tree.stand_in(self.place(node))
        if not (isinstance(left.type, Number) and isinstance(right.type, Number)):
            hint = "write `days_between(a, b)` or `add_days(date, n)`" if is_any(Date, left, right) else None
            words = {"operator": operator, "left": left.type, "right": right.type}
            return self.type_fault("not-addable", node, left, right, hint=hint, **words)
        if operator in ("//", "%") and (left.type.places or right.type.places):
            return self.wrong_type(node, f"each side of `{operator}`", "an integer", "a decimal")
        divides = operator in ("/", "//", "%")
        if divides and right.type.low == right.type.high == 0:
            return self.fault("zero-denominator", node.right)
        kind = arithmetic(operator, left.type, right.type)
        may_divide_by_zero = divides and right.type.low <= 0 <= right.type.high
        optional = left.optional or right.optional or may_divide_by_zero
        place = self.place(node)
        made = tree.Arithmetic(type=kind, optional=optional, place=place, operator=operator, left=left, right=right)
        return made if isinstance(kind, Ratio) else self.plain_value(made, node)

    def conditional(self, node: ast.IfExp) -> tree.Node:
        condition = self.condition(node.test)
        then, otherwise = self.branch(node.body), self.branch(node.orelse)
        if isinstance(then, tree.LeftUnknown) and isinstance(otherwise, tree.LeftUnknown):
            return self.fault("unknown-place", node, hint="one of the two branches must be a value")
        kind = join(then.type, otherwise.type)
        if kind is None:
            return self.fault("mixed-types", node, left=then.type, right=otherwise.type)
        optional = condition.optional or then.optional or otherwise.optional
        place = self.place(node)
        return tree.Conditional(
            type=kind, optional=optional, place=place, condition=condition, then=then, otherwise=otherwise
        )

    def branch(self, node: ast.expr) -> tree.Node:
        """A branch of a conditional, which alone may say `unknown`."""
        if isinstance(node, ast.Name) and node.id == "unknown":
            return tree.LeftUnknown(type=ANYTHING, optional=True, place=self.place(node))
        return self.plain_value(self.infer(node), node)

    def list_literal(self, node: ast.List) -> tree.Node:
        elements = tuple(self.plain_value(self.infer(part), part) for part in node.elts)
        kind: Type = ANYTHING
        for element, side in zip(elements, node.elts, strict=True):
            joined = join(kind, element.type)
            if isinstance(element.type, ListOf):
                return self.fault("expression-not-allowed", side, what="a list of lists")
            if joined is None:
                return self.fault("mixed-types", side, left=kind, right=element.type)
            kind = joined
        optional = any(element.optional for element in elements)
        place = self.place(node)
        return tree.ListLiteral(type=ListOf(kind, len(elements)), optional=optional, place=place, elements=elements)


HANDLERS: Mapping[type[ast.AST], Callable[[Typer, Any], tree.Node]] = MappingProxyType(
    {
        ast.Constant: Typer.constant,
        ast.Name: Typer.name,
        ast.Attribute: Typer.attribute,
        ast.BoolOp: Typer.boolean,
        ast.UnaryOp: Typer.unary,
        ast.BinOp: Typer.arithmetic,
        ast.Compare: compare,
        ast.IfExp: Typer.conditional,
        ast.List: Typer.list_literal,
        ast.Subscript: bare_lookup,
        ast.Call: call,
    }
)
