"""The type checker of expressions: Python's syntax tree and a scope in, a typed tree or diagnostics out.

After a fault the part gets the type `Anything`, which fits everywhere, so that one mistake is reported once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, did_you_mean, say
from policy_engine.frontend import operators
from policy_engine.frontend.expressions import ParsedExpression
from policy_engine.frontend.scope import Scope
from policy_engine.language import expressions as tree
from policy_engine.language.functions import AGGREGATES, FUNCTIONS, Function
from policy_engine.language.types import (
    ANYTHING,
    BOOLEAN,
    Anything,
    Boolean,
    Date,
    Instant,
    ListOf,
    Number,
    Ratio,
    Record,
    Text,
    Type,
    fits,
    join,
    member_of,
    name_of,
    number_of,
)
from policy_engine.language.values import Value
from policy_engine.source import Span

COMPARISONS: Mapping[type[ast.cmpop], str] = MappingProxyType(
    {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
)
ARITHMETIC: Mapping[type[ast.operator], str] = MappingProxyType(
    {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%"}
)
NUMBER_FORM = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
TEXT_FORM = re.compile(r'"[^"\\]*"|\'[^\'\\]*\'')
DATE_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}.*")
PYTHON_WORDS = {"True": "write `true`", "False": "write `false`", "None": "ask `known(x)`"}
FOREIGN_NAMES = {"null": "ask `known(x)`", "nil": "ask `known(x)`", "None": "ask `known(x)`", "yes": "write `true`", "no": "write `false`"}
FORBIDDEN: Mapping[type[ast.AST], tuple[str, str | None]] = MappingProxyType(
    {
        ast.Subscript: ("a subscript", "use `first`, `last` or a generator"),
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
    }
)
STRICT_OPTIONAL = frozenset({"add_days", "add_months", "add_years", "add_weekdays", "add_business_days", "date_of"})
EMPTY_IS_UNKNOWN = frozenset({"min", "max", "first", "last"})


@dataclass(slots=True)
class Typer:
    """Types one expression."""

    parsed: ParsedExpression
    scope: Scope
    faults: list[Diagnostic]
    variables: dict[str, Type] = field(default_factory=dict)

    def fault(self, code: str, node: ast.AST, *, hint: str | None = None, **words: object) -> tree.Node:
        """Report a fault at a part of the expression, and stand in for the part."""
        span = self.parsed.span(node)
        self.faults.append(say(code, span, hint=hint, **words))
        return _stand_in(span)

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
            return self.fault("wrong-type", node, what="a condition", expected="true or false", found=_a(found.type))
        return found

    def settled(self, found: tree.Node, node: ast.AST) -> tree.Node:
        """A part that may be neither a ratio nor too long a number."""
        if isinstance(found.type, Ratio):
            return self.fault("ratio-place", node)
        if isinstance(found.type, Number) and not fits(found.type):
            return self.fault("too-many-digits", node, text=self.parsed.segment(node))
        return found

    def constant(self, node: ast.Constant) -> tree.Node:
        text, span = self.parsed.segment(node), self.parsed.span(node)
        if isinstance(node.value, str):
            if not TEXT_FORM.fullmatch(text):
                return self.fault("text-form", node, text=text)
            return tree.Literal(type=Text((node.value,)), optional=False, span=span, value=node.value)
        if text in PYTHON_WORDS:
            return self.fault("unknown-name", node, hint=PYTHON_WORDS[text], name=text)
        if not NUMBER_FORM.fullmatch(text):
            return self.fault("number-form", node, text=text)
        value: Value = Decimal(text) if "." in text else int(text)
        kind = number_of(value)
        if not fits(kind):
            return self.fault("too-many-digits", node, text=text)
        return tree.Literal(type=kind, optional=False, span=span, value=value)

    def name(self, node: ast.Name) -> tree.Node:
        span = self.parsed.span(node)
        if node.id in self.variables:
            return tree.Variable(type=self.variables[node.id], optional=False, span=span, name=node.id)
        if node.id == "decisions":
            return self.fault("unknown-name", node, hint="write `decisions.name.outcome`", name=node.id)
        found = self.scope.resolve(node.id, span)
        if found is not None:
            return found
        hint = FOREIGN_NAMES.get(node.id) or did_you_mean(node.id, [*self.scope.names(), *self.variables])
        if hint is None and node.id in FUNCTIONS | AGGREGATES:
            hint = f"`{node.id}` is a function, and is called with brackets"
        return self.fault("unknown-name", node, hint=hint, name=node.id)

    def attribute(self, node: ast.Attribute) -> tree.Node:
        match node.value:
            case ast.Attribute(value=ast.Name(id="decisions"), attr=decision):
                return self.decision_part(node, decision)
            case ast.Name(id="decisions"):
                return self.fault("unknown-decision-part", node, decision=node.attr, name="", hint=f"write `decisions.{node.attr}.outcome`")
        record = self.infer(node.value)
        if isinstance(record.type, Anything):
            return record
        if not isinstance(record.type, Record):
            hint = "use `any`, `all`, `first`, `last` or another generator" if isinstance(record.type, ListOf) else None
            return self.fault("expression-not-allowed", node, hint=hint, what=f"`.{node.attr}` on {_a(record.type)}")
        member = member_of(record.type, node.attr)
        if member is None:
            hint = did_you_mean(node.attr, [m.name for m in record.type.members])
            return self.fault("unknown-member", node, hint=hint, record=f"`{self.parsed.segment(node.value)}`", name=node.attr)
        optional = record.optional or not member.required
        return tree.MemberOf(type=member.type, optional=optional, span=self.parsed.span(node), record=record, name=node.attr)

    def decision_part(self, node: ast.Attribute, decision: str) -> tree.Node:
        parts = self.scope.decisions.get(decision)
        if parts is None:
            hint = did_you_mean(decision, self.scope.decisions)
            return self.fault("unknown-decision", node, hint=hint, name=decision)
        known = parts()
        if node.attr not in known:
            hint = did_you_mean(node.attr, known) or f"it has {', '.join(known) or 'nothing'}"
            return self.fault("unknown-decision-part", node, hint=hint, decision=decision, name=node.attr)
        span = self.parsed.span(node)
        return tree.DecisionPart(type=known[node.attr][0], optional=True, span=span, decision=decision, part=node.attr)

    def boolean(self, node: ast.BoolOp) -> tree.Node:
        operands = tuple(self.condition(value) for value in node.values)
        kind = tree.And if isinstance(node.op, ast.And) else tree.Or
        optional = any(operand.optional for operand in operands)
        return kind(type=BOOLEAN, optional=optional, span=self.parsed.span(node), operands=operands)

    def unary(self, node: ast.UnaryOp) -> tree.Node:
        span = self.parsed.span(node)
        if isinstance(node.op, ast.Not):
            operand = self.condition(node.operand)
            return tree.Not(type=BOOLEAN, optional=operand.optional, span=span, operand=operand)
        if not isinstance(node.op, ast.USub):
            return self.fault("expression-not-allowed", node, what=f"`{self.parsed.segment(node)[:1]}` before a value")
        operand = self.settled(self.infer(node.operand), node.operand)
        match operand.type:
            case Number(places=places, low=low, high=high):
                kind = Number(places, -high, -low)
                return tree.Negate(type=kind, optional=operand.optional, span=span, operand=operand)
            case Anything():
                return operand
        return self.fault("wrong-type", node, what="what follows `-`", expected="a number", found=_a(operand.type))

    def arithmetic(self, node: ast.BinOp) -> tree.Node:
        operator = ARITHMETIC.get(type(node.op))
        left, right = self.infer(node.left), self.infer(node.right)
        if operator is None:
            return self.fault("expression-not-allowed", node, what="this operator")
        left, right = self.settled(left, node.left), self.settled(right, node.right)
        if isinstance(left.type, Anything) or isinstance(right.type, Anything):
            return _stand_in(self.parsed.span(node))
        if not (isinstance(left.type, Number) and isinstance(right.type, Number)):
            hint = "write `days_between(a, b)` or `add_days(date, n)`" if _has(Date, left, right) else None
            return self.fault("not-addable", node, hint=hint, operator=operator, left=_a(left.type), right=_a(right.type))
        if operator in ("//", "%") and (left.type.places or right.type.places):
            return self.fault("wrong-type", node, what=f"each side of `{operator}`", expected="an integer", found="a decimal")
        kind = operators.arithmetic(operator, left.type, right.type)
        optional = left.optional or right.optional or (operator in ("/", "//", "%") and operators.may_be_zero(right.type))
        made = tree.Arithmetic(type=kind, optional=optional, span=self.parsed.span(node), operator=operator, left=left, right=right)
        return made if isinstance(kind, Ratio) else self.settled(made, node)

    def compare(self, node: ast.Compare) -> tree.Node:
        sides = [node.left, *node.comparators]
        typed = [self.infer(side) for side in sides]
        links = [
            self.comparison(operation, (typed[i], sides[i]), (typed[i + 1], sides[i + 1]), node)
            for i, operation in enumerate(node.ops)
        ]
        if len(links) == 1:
            return links[0]
        optional = any(link.optional for link in links)
        return tree.And(type=BOOLEAN, optional=optional, span=self.parsed.span(node), operands=tuple(links))

    def comparison(
        self, operation: ast.cmpop, first: tuple[tree.Node, ast.expr], second: tuple[tree.Node, ast.expr], node: ast.Compare
    ) -> tree.Node:
        (left, left_side), (right, right_side) = first, second
        span = self.parsed.span(node)
        optional = left.optional or right.optional
        if isinstance(operation, ast.In | ast.NotIn):
            found = self.membership(first, second, span)
            return found if isinstance(operation, ast.In) else tree.Not(type=BOOLEAN, optional=found.optional, span=span, operand=found)
        operator = COMPARISONS.get(type(operation))
        if operator is None:
            return self.fault("expression-not-allowed", node, what="`is`", hint="write `==`")
        if not operators.comparable(left.type, right.type):
            return self.fault("not-comparable", node, hint=_comparison_hint(left, right), left=_a(left.type), right=_a(right.type))
        if operator not in ("==", "!="):
            for kind in (left.type, right.type):
                if not operators.ordered(kind):
                    return self.fault("no-order", node, kind=_a(kind))
        self.check_possible(first, second)
        return tree.Compare(type=BOOLEAN, optional=optional, span=span, operator=operator, left=left, right=right)

    def membership(self, first: tuple[tree.Node, ast.expr], second: tuple[tree.Node, ast.expr], span: Span) -> tree.Node:
        (item, item_side), (listed, list_side) = first, second
        if not isinstance(listed.type, ListOf | Anything):
            hint = "write `contains(text, part)`" if isinstance(listed.type, Text) else "write `[a, b]`"
            return self.fault("wrong-type", list_side, hint=hint, what="what follows `in`", expected="a list", found=_a(listed.type))
        if isinstance(listed.type, ListOf) and not operators.comparable(item.type, listed.type.element):
            return self.fault("not-comparable", item_side, left=_a(item.type), right=_a(listed.type.element))
        if isinstance(listed, tree.ListLiteral) and isinstance(list_side, ast.List):
            for element, side in zip(listed.elements, list_side.elts, strict=True):
                self.check_possible(first, (element, side))
        elif isinstance(listed.type, ListOf):
            self.check_possible(first, (replace(listed, type=listed.type.element), list_side))
        optional = item.optional or listed.optional
        return tree.In(type=BOOLEAN, optional=optional, span=span, item=item, list=listed)

    def check_possible(self, first: tuple[tree.Node, ast.expr], second: tuple[tree.Node, ast.expr]) -> None:
        """Report a text that the other side can never be."""
        never = operators.never_equal(first[0].type, second[0].type)
        if never is None:
            return
        value, closed = never
        wrong, other = (first, second) if isinstance(first[0], tree.Literal) else (second, first)
        self.fault(
            "impossible-value",
            wrong[1],
            hint=did_you_mean(value, closed),
            value=value,
            what=f"`{self.parsed.segment(other[1])}`",
            values=", ".join(closed),
        )

    def conditional(self, node: ast.IfExp) -> tree.Node:
        condition = self.condition(node.test)
        then, otherwise = self.settled(self.infer(node.body), node.body), self.settled(self.infer(node.orelse), node.orelse)
        kind = join(then.type, otherwise.type)
        if kind is None:
            return self.fault("mixed-types", node, left=_a(then.type), right=_a(otherwise.type))
        optional = condition.optional or then.optional or otherwise.optional
        span = self.parsed.span(node)
        return tree.Conditional(type=kind, optional=optional, span=span, condition=condition, then=then, otherwise=otherwise)

    def list_literal(self, node: ast.List) -> tree.Node:
        elements = tuple(self.settled(self.infer(part), part) for part in node.elts)
        kind: Type = ANYTHING
        for element, side in zip(elements, node.elts, strict=True):
            joined = join(kind, element.type)
            if joined is None or isinstance(element.type, ListOf):
                return self.fault("mixed-types", side, left=_a(kind), right=_a(element.type))
            kind = joined
        optional = any(element.optional for element in elements)
        span = self.parsed.span(node)
        return tree.ListLiteral(type=ListOf(kind, len(elements)), optional=optional, span=span, elements=elements)

    def call(self, node: ast.Call) -> tree.Node:
        if not isinstance(node.func, ast.Name):
            what = "a method" if isinstance(node.func, ast.Attribute) else "a call of this"
            return self.fault("expression-not-allowed", node, what=what, hint="call a function of the language by its name")
        name = node.func.id
        if name in AGGREGATES and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp) and not node.keywords:
            return self.aggregate(node, node.args[0], name)
        function = FUNCTIONS.get(name)
        if function is None:
            code = "generator-needed" if name in AGGREGATES else "unknown-function"
            hint = None if name in AGGREGATES else did_you_mean(name, [*FUNCTIONS, *AGGREGATES])
            return self.fault(code, node.func, hint=hint, name=name)
        if node.keywords:
            return self.fault("wrong-arguments", node, signature=function.signature, why="arguments have no names")
        return self.function_call(node, function)

    def function_call(self, node: ast.Call, function: Function) -> tree.Node:
        arguments = tuple(self.infer(argument) for argument in node.args)
        if function.name == "if_known" and node is not self.parsed.tree:
            return self.fault("if-known-place", node)
        expected = function.at_least or len(function.parameters)
        if len(arguments) < expected or (len(arguments) > expected and not function.at_least):
            why = f"it takes {'at least ' if function.at_least else ''}{expected}, and is given {len(arguments)}"
            return self.fault("wrong-arguments", node, signature=function.signature, why=why)
        parameters = [function.parameters[min(i, len(function.parameters) - 1)] for i in range(len(arguments))]
        if function.name != "round":
            arguments = tuple(self.settled(a, side) for a, side in zip(arguments, node.args, strict=True))
        for parameter, argument, side in zip(parameters, arguments, node.args, strict=True):
            if not parameter.accepts(argument.type):
                hint = _argument_hint(parameter.expected, argument.type)
                what = f"`{parameter.name}` of `{function.name}`"
                return self.fault("wrong-type", side, hint=hint, what=what, expected=parameter.expected, found=_a(argument.type))
        if any(isinstance(argument.type, Anything) for argument in arguments):
            return _stand_in(self.parsed.span(node))
        kind = function.result(*(argument.type for argument in arguments))
        if kind is None:
            return self.fault("mixed-types", node, left=_a(arguments[0].type), right=_a(arguments[-1].type))
        optional = _call_optional(function, arguments)
        span = self.parsed.span(node)
        return self.settled(tree.Call(type=kind, optional=optional, span=span, function=function.name, arguments=arguments), node)

    def aggregate(self, node: ast.Call, generator: ast.GeneratorExp, name: str) -> tree.Node:
        clause = generator.generators[0]
        if len(generator.generators) > 1 or len(clause.ifs) > 1 or clause.is_async or not isinstance(clause.target, ast.Name):
            return self.fault("generator-form", generator, function=name)
        variable = clause.target.id
        source = self.infer(clause.iter)
        if not isinstance(source.type, ListOf | Anything):
            return self.fault("wrong-type", clause.iter, what="what follows `in`", expected="a list", found=_a(source.type))
        clash = self.scope.kind_of(variable) or ("variable" if variable in self.variables else None)
        if clash:
            return self.fault("shadowed-name", clause.target, name=variable, kind=clash)
        if source.type == ListOf(ANYTHING, 0):
            return self.fault("wrong-type", clause.iter, what="what follows `in`", expected="a list of something", found="always empty")
        element_type = source.type.element if isinstance(source.type, ListOf) else ANYTHING
        most = source.type.most if isinstance(source.type, ListOf) else None
        inner = replace(self, variables={**self.variables, variable: element_type})
        condition = inner.condition(clause.ifs[0]) if clause.ifs else None
        element = inner.settled(inner.infer(generator.elt), generator.elt)
        if isinstance(element.type, Anything):
            return _stand_in(self.parsed.span(node))
        row = AGGREGATES[name]
        kind = row.result(element.type, most)
        if kind is None:
            return self.fault("wrong-type", generator.elt, what=f"what `{name}` goes over", expected=row.expected, found=_a(element.type))
        optional = name in EMPTY_IS_UNKNOWN or any(part is not None and part.optional for part in (source, condition, element))
        made = tree.Aggregate(
            type=kind, optional=optional, span=self.parsed.span(node),
            function=name, variable=variable, source=source, condition=condition, element=element,
        )  # fmt: skip
        return self.settled(made, node)


def _call_optional(function: Function, arguments: tuple[tree.Node, ...]) -> bool:
    match function.name:
        case "known":
            return False
        case "default":
            return all(argument.optional for argument in arguments)
        case name:
            return name in STRICT_OPTIONAL or any(argument.optional for argument in arguments)


def _stand_in(span: Span) -> tree.Node:
    return tree.Literal(type=ANYTHING, optional=False, span=span, value=False)


def _a(kind: Type) -> str:
    """A type with its article, as messages say it."""
    name = name_of(kind)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _has(kind: type[Type], *nodes: tree.Node) -> bool:
    return any(isinstance(node.type, kind) for node in nodes)


def _comparison_hint(left: tree.Node, right: tree.Node) -> str | None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, tree.Literal) and isinstance(one.value, str):
            if isinstance(other.type, Date | Instant) and DATE_TEXT.fullmatch(one.value):
                return "there is no date literal: make a parameter with `type: date`, and name it here"
            if isinstance(other.type, Number) and NUMBER_FORM.fullmatch(one.value):
                return f"a number stands without quotes: `{one.value}`"
            if isinstance(other.type, Boolean) and one.value in ("true", "false", "yes", "no"):
                return f"write `{'true' if one.value in ('true', 'yes') else 'false'}` without quotes"
    if _has(Date, left, right) and _has(Instant, left, right):
        return "turn the instant into a date with `date_of(...)`"
    if _has(Date, left, right) and _has(Number, left, right):
        return "write `days_between(a, b)` for a number of days"
    return None


def _argument_hint(expected: str, found: Type) -> str | None:
    if expected == "a date" and isinstance(found, Instant):
        return "turn the instant into a date with `date_of(...)`"
    if expected == "a date" and isinstance(found, Text):
        return "there is no date literal: make a parameter with `type: date`, and name it here"
    return None


HANDLERS: Mapping[type[ast.AST], Callable[[Typer, ast.AST], tree.Node]] = MappingProxyType(
    {
        ast.Constant: Typer.constant,
        ast.Name: Typer.name,
        ast.Attribute: Typer.attribute,
        ast.BoolOp: Typer.boolean,
        ast.UnaryOp: Typer.unary,
        ast.BinOp: Typer.arithmetic,
        ast.Compare: Typer.compare,
        ast.IfExp: Typer.conditional,
        ast.List: Typer.list_literal,
        ast.Call: Typer.call,
    }  # type: ignore[dict-item]  # each handler takes the node type it stands under
)
