"""Expressions of the typed tree as Python expressions: three-valued only where a value may be unknown.

Every method gives the text of an expression whose value is the node's: None where it is unknown, a number in units of its
type. What does not fit into an expression is written as lines before it. Constants go through `constants` by reference, so
that no author's text becomes program text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any

from policy_engine.backends.python import aggregates, lookups
from policy_engine.backends.python.reading import read
from policy_engine.backends.python.writer import Writer, tuple_of
from policy_engine.language import expressions as tree
from policy_engine.language.functions import FUNCTIONS, Function
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.specialize import exact, in_units
from policy_engine.language.types import ListOf, Number, Ratio, Record, Type, join, member_of
from policy_engine.language.weekdays import MONDAY_TO_FRIDAY

Use = Callable[[str], str]
"""Has another decision worked out and gives the name of its result."""


@dataclass(slots=True)
class Expressions:
    """Writes the expressions of one function.

    Where it records, `recorded` has the names of the values, each with its key, and every part is worked out (`recorder.py`).
    """

    ruleset: Ruleset
    writer: Writer
    use: Use
    constants: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    bound: dict[tuple[type, str], str] = field(default_factory=dict)
    recorded: dict[str, int] | None = None

    def condition(self, condition: tree.Condition) -> tuple[str, bool]:
        """A condition, and whether it may be unknown."""
        if isinstance(condition, tree.Expression):
            return self.code(condition.tree), condition.tree.optional
        parts = [(partial(self.condition_code, part), tree.is_optional(part)) for part in condition.conditions]
        code = self.junction("and" if condition.kind == "all" else "or", parts)
        optional = any(optional for _, optional in parts)
        return (self.over([code], [optional], "not {0}") if condition.kind == "none" else code), optional

    def condition_code(self, condition: tree.Condition) -> str:
        """The text of a condition."""
        return self.condition(condition)[0]

    def code(self, node: tree.Node) -> str:
        """The text of an expression; where values are recorded, the name of its value."""
        if self.recorded is None or isinstance(node, NOT_RECORDED):
            return HANDLERS[type(node)](self, node)
        name = f"n{node.id}"
        self.recorded[name] = node.id
        return self.writer.once(name, lambda: HANDLERS[type(node)](self, node))

    def scaled(self, node: tree.Node, kind: Type) -> str:
        """An expression in the units of a type that is as fine as its own or finer."""
        code, factor = self.code(node), _factor(node.type, kind)
        if factor == 1:
            return code
        if not isinstance(node.type, ListOf):
            return self.over([code], [node.optional], f"{{0}} * {factor}")
        one = f"None if e is None else e * {factor}" if tree.has_unknown_elements(node) else f"e * {factor}"
        return self.over([code], [tree.list_optional(node)], f"[{one} for e in {{0}}]")

    def literal(self, node: tree.Literal) -> str:
        """A constant: a small one by its own text, others by a name bound to them."""
        value = in_units(node.value, node.type)
        if isinstance(value, bool):
            return str(value)
        return f"({value})" if isinstance(node.type, Number) else self.bind(value)

    def bind(self, value: Any) -> str:
        """The name of a constant."""
        key = type(value), repr(value)
        if key not in self.bound:
            self.bound[key] = name = f"K{len(self.constants)}"
            self.constants[name] = value
        return self.bound[key]

    def bind_new(self, value: Any) -> str:
        """The name of a table of its own."""
        name = f"T{len(self.constants)}"
        self.constants[name] = value
        return name

    def over(self, codes: Sequence[str], optional: Sequence[bool], text: str) -> str:
        """A text over known operands: None where one is unknown."""
        names = [self.writer.named(code) if maybe else code for code, maybe in zip(codes, optional, strict=True)]
        filled = text.format(*names, all=", ".join(names))
        tests = [f"{name} is None" for name, maybe in zip(names, optional, strict=True) if maybe]
        return f"(None if {' or '.join(dict.fromkeys(tests))} else {filled})" if tests else f"({filled})"

    def junction(self, word: str, operands: Sequence[tuple[Callable[[], str], bool]]) -> str:
        """`and` or `or` over operands, the sure ones first: their order never matters, and they are the cheaper ones."""
        if self.recorded is not None:
            operands = [(partial(str, compute()), optional) for compute, optional in operands]
        ordered = sorted(operands, key=lambda operand: operand[1])
        decisive, neutral = str(word == "or"), str(word == "and")
        result = ""
        unsure = False
        for compute, optional in ordered:
            if not result:
                result, unsure = compute(), optional
                continue
            code, lines = self.writer.captured(compute)
            if code == neutral:
                continue
            if result == neutral:
                self.writer.add(lines)
                result, unsure = code, optional
            elif lines:
                result = self._later(result, code, lines, decisive, unsure)
            elif not (optional and unsure):
                result = f"({result} {word} {_after(result, code) if word == 'and' else code})"
            else:
                result = self._both(word, result, code)
            unsure = unsure or optional
        return result

    def _later(self, result: str, code: str, lines: list[str], decisive: str, unsure: bool) -> str:
        """An operand that needs lines of its own, written only where those before it have not decided."""
        name, last = self.writer.fresh(), self.writer.fresh()
        self.writer.line(f"{name} = {result}")
        if not unsure:
            self.writer.assign_under(f"if {'not ' if decisive == 'True' else ''}{name}:", name, code, lines)
            return name
        self.writer.assign_under(f"if {name} is not {decisive}:", last, code, lines)
        self.writer.line(f"    if {last} is {decisive} or {last} is None:")
        self.writer.line(f"        {name} = {last}")
        return name

    def _both(self, word: str, first: str, second: str) -> str:
        """Two operands that may both be unknown."""
        decisive, neutral = ("False", "True") if word == "and" else ("True", "False")
        one, two = self.writer.fresh(), self.writer.fresh()
        return (
            f"({one} if ({one} := {first}) is {decisive} else {two} if ({two} := {second}) is not {neutral} else {one})"
        )

    def negated(self, node: tree.Node) -> str:
        """The negation of a node."""
        return self.over([self.code(node)], [node.optional], "not {0}")

    def defined(self, name: str) -> str:
        """The name of the value of a definition."""
        body = self.ruleset.definition(name).body
        return self.writer.once(f"def_{name}", lambda: self.condition_code(body))

    # Each handler writes one kind of node.

    def fact(self, node: tree.Fact) -> str:
        record = self.ruleset.facts.type
        member = member_of(record, node.name)
        assert member is not None
        return self.writer.once(f"fact_{node.name}", lambda: read(self, "facts", member))

    def decision_part(self, node: tree.DecisionPart) -> str:
        result = self.use(node.decision)
        if node.part == "outcome":
            return f"({result}[0].outcome if {result}[0].status is DECIDED else None)"
        logic = self.ruleset.decision(node.decision)
        index = [name for name, _ in logic.value_types].index(node.part)
        return f"{result}[1][{index}]"

    def member(self, node: tree.MemberOf) -> str:
        assert isinstance(node.record.type, Record)
        member = member_of(node.record.type, node.name)
        assert member is not None
        if isinstance(node.record, tree.Variable) and not node.record.optional:
            holder = self.variables[node.record.name]
            return self.writer.once(f"{holder}_{node.name}", lambda: read(self, holder, member))
        record = self.writer.named(self.code(node.record))
        if record == "None":
            return record  # a reading has left the record unknown, and Python warns of a member of `None`
        if not node.record.optional:
            return read(self, record, member)
        name = self.writer.fresh()
        self.writer.line(f"{name} = None")
        with self.writer.block(f"if {record} is not None:"):
            self.writer.line(f"{name} = {read(self, record, member)}")
        return name

    def joined(self, node: tree.And | tree.Or) -> str:
        operands = [(partial(self.code, operand), operand.optional) for operand in node.operands]
        return self.junction("or" if isinstance(node, tree.Or) else "and", operands)

    def compare(self, node: tree.Compare) -> str:
        left, right = node.left, node.right
        if isinstance(left.type, Ratio) or isinstance(right.type, Ratio):
            codes = [self.exact(left), self.exact(right)]
        elif isinstance(left.type, Number) and isinstance(right.type, Number):
            finer = max(left.type, right.type, key=lambda kind: kind.places)
            codes = [self.scaled(left, finer), self.scaled(right, finer)]
        elif isinstance(left.type, ListOf):
            return self._lists_compared(node)
        else:
            codes = [self.code(left), self.code(right)]
        return self.over(codes, [left.optional, right.optional], f"{{0}} {node.operator} {{1}}")

    def _lists_compared(self, node: tree.Compare) -> str:
        """Whether lists are equal: one may be a tuple, and the other not."""
        sides, kind = (node.left, node.right), join(node.left.type, node.right.type)
        codes = [self.whole(side, kind) for side in sides]
        return self.over(codes, [side.optional for side in sides], f"[*{{0}}] {node.operator} [*{{1}}]")

    def exact(self, node: tree.Node) -> str:
        """A number or a ratio that compares exactly with a ratio."""
        code = self.code(node)
        if not isinstance(node.type, Number) or node.type.places == 0:
            return code
        return self.over([code], [node.optional], f"Fraction({{0}}, {10**node.type.places})")

    def contains(self, node: tree.In) -> str:
        assert isinstance(node.list.type, ListOf)
        element = node.list.type.element
        if isinstance(node.item.type, Ratio | Number) and isinstance(element, Number):
            item, elements = self.exact(node.item), self._exact_elements(node.list, element)
        else:
            item, elements = self.code(node.item), self._elements(node.list)
        holds_elements = isinstance(node.list, tree.ListLiteral) and len(node.list.elements) > 0
        if not node.list.optional and (not node.item.optional or holds_elements):
            return self.over([item, elements], [node.item.optional, False], "{0} in {1}")
        return self.over([elements, item], [tree.list_optional(node.list), False], "contained({1}, {0})")

    def _exact_elements(self, node: tree.Node, element: Number) -> str:
        """The elements of a list of numbers, each of which compares exactly with a number of any scale."""
        listed = self.code(node)
        if not element.places:
            return listed
        one = f"None if e is None else Fraction(e, {10**element.places})"
        return self.over([listed], [tree.list_optional(node)], f"[{one} for e in {{0}}]")

    def _elements(self, node: tree.Node) -> str:
        """The elements of a list; a list of constants is one constant."""
        if isinstance(node, tree.ListLiteral):
            values = [exact(element) for element in node.elements if isinstance(element, tree.Literal)]
            if values and len(values) == len(node.elements):
                return self.bind(frozenset(values))
        return self.code(node)

    def arithmetic(self, node: tree.Arithmetic) -> str:
        left, right = node.left, node.right
        assert isinstance(left.type, Number)
        assert isinstance(right.type, Number)
        match node.operator:
            case "/":
                text = f"quotient({{0}}, {{1}}, {right.type.places - left.type.places})"
            case "//" | "%":
                text = f"{{0}} {node.operator} {{1}} if {{1}} else None"
            case _:
                text = f"{{0}} {node.operator} {{1}}"
        sides = [self.scaled(a, node.type) if node.operator in ("+", "-") else self.code(a) for a in (left, right)]
        return self.over(sides, [left.optional, right.optional], text)

    def conditional(self, node: tree.Conditional) -> str:
        if isinstance(node.condition, tree.Literal):
            return self.scaled(node.then if node.condition.value else node.otherwise, node.type)
        condition = self.code(node.condition)
        then, then_lines = self.writer.captured(lambda: self.scaled(node.then, node.type))
        otherwise, other_lines = self.writer.captured(lambda: self.scaled(node.otherwise, node.type))
        if node.condition.optional:
            condition = self.writer.named(condition)
        if not then_lines and not other_lines:
            test = f"None if {condition} is None else " if node.condition.optional else ""
            return f"({test}{then} if {condition} else {otherwise})"
        name = self.writer.fresh()
        self.writer.assign_under(f"if {condition}:", name, then, then_lines)
        if node.condition.optional:
            self.writer.assign_under(f"elif {condition} is None:", name, "None")
        self.writer.assign_under("else:", name, otherwise, other_lines)
        return name

    def list_literal(self, node: tree.ListLiteral) -> str:
        assert isinstance(node.type, ListOf)
        parts = [self.scaled(element, node.type.element) for element in node.elements]
        return tuple_of(parts)

    def several(self, node: tree.Tuple) -> str:
        return self.over([self.code(part) for part in node.parts], [part.optional for part in node.parts], "({all})")

    def call(self, node: tree.Call) -> str:
        if self.recorded is not None:
            for argument in node.arguments:
                self.code(argument)
        match node.function:
            case "known" if not node.arguments[0].optional:
                return "True"
            case "known":
                return f"({self.whole(node.arguments[0])} is not None)"
            case "if_known":
                return self.whole(node.arguments[0])
            case "default":
                return self._default(node)
            case "len":
                return self.over([self.code(node.arguments[0])], [tree.list_optional(node.arguments[0])], "len({0})")
            case "round":
                return self._round(node)
        function = FUNCTIONS[node.function]
        common = function.brings_to(node.type, *(argument.type for argument in node.arguments))
        codes = [self.whole(argument, common) for argument in node.arguments]
        beside = self.beside(function)
        text = f"{function.name}({', '.join(['{all}', *beside])})"
        if function.python and "WEEK" not in beside:
            text = function.python
        return self.over(codes, [argument.optional for argument in node.arguments], text)

    def beside(self, function: Function) -> list[str]:
        """What a call gets after its arguments; a week is left out where it is from Monday to Friday."""
        week = function.in_week and self.ruleset.week != MONDAY_TO_FRIDAY
        return [*(["ZONE"] if function.in_zone else []), *(["WEEK"] if week else [])]

    def whole(self, node: tree.Node, kind: Type | None = None) -> str:
        """A value as a whole, in the units of a type if one is given: a list is unknown where an element is."""
        code = self.scaled(node, kind or node.type)
        if not isinstance(node.type, ListOf) or not node.optional:
            return code
        held = self.writer.named(code)
        return f"(None if {held} is None or None in {held} else {held})"

    def _default(self, node: tree.Call) -> str:
        first, second = node.arguments
        value = self.whole(first, node.type)
        if not first.optional:
            return value
        name = self.writer.fresh()
        self.writer.line(f"{name} = {value}")
        other, lines = self.writer.captured(lambda: self.whole(second, node.type))
        self.writer.assign_under(f"if {name} is None:", name, other, lines)
        return name

    def _round(self, node: tree.Call) -> str:
        value, places, mode = node.arguments
        most, word = tree.constant_number(places), self.bind(tree.constant_text(mode))
        if isinstance(value, tree.Arithmetic) and value.operator == "/" and self.recorded is None:
            left, right = value.left, value.right
            shift = most + _places(right) - _places(left)
            text = f"rounded_ratio({{0}}, {{1}}, {shift}, {word})"
            return self.over([self.code(left), self.code(right)], [left.optional, right.optional], text)
        if isinstance(value.type, Ratio):
            text = f"rounded_ratio({{0}}.numerator, {{0}}.denominator, {most}, {word})"
            return self.over([self.writer.named(self.code(value))], [value.optional], text)
        fewer = _places(value) - most
        text = f"rounded_quotient({{0}}, {10**fewer}, {word})" if fewer > 0 else f"{{0}} * {10**-fewer}"
        return self.over([self.code(value)], [value.optional], text)


def _places(node: tree.Node) -> int:
    assert isinstance(node.type, Number)
    return node.type.places


def _factor(kind: Type, finer: Type) -> int:
    """By how much numbers, or those of a list, grow in the units of a type that is as fine or finer."""
    if isinstance(kind, ListOf) and isinstance(finer, ListOf):
        return _factor(kind.element, finer.element)
    both = isinstance(kind, Number) and isinstance(finer, Number)
    return int(10 ** (finer.places - kind.places)) if both else 1  # type: ignore[union-attr]


def _after(known: str, code: str) -> str:
    """An operand without its own test for a name of which the operand before it says that it is known."""
    name = known[1:].removesuffix(" is not None)")
    test = f"(None if {name} is None else "
    return f"({code.removeprefix(test)}" if name.isidentifier() and code.startswith(test) else code


NOT_RECORDED = (
    tree.Literal | tree.LeftUnknown | tree.AsOf | tree.Fact | tree.Variable | tree.Definition | tree.DecisionPart
)
"""The nodes whose values are seen elsewhere: in the facts, or in the definition or decision that they name."""

HANDLERS: Mapping[type[tree.Node], Callable[[Expressions, Any], str]] = MappingProxyType(
    {
        tree.Literal: Expressions.literal,
        tree.Constant: Expressions.literal,
        tree.AsOf: lambda to, node: "as_of",
        tree.LeftUnknown: lambda to, node: "None",
        tree.Fact: Expressions.fact,
        tree.Definition: lambda to, node: to.defined(node.name),
        tree.DecisionPart: Expressions.decision_part,
        tree.Variable: lambda to, node: to.variables[node.name],
        tree.MemberOf: Expressions.member,
        tree.Not: lambda to, node: to.negated(node.operand),
        tree.And: Expressions.joined,
        tree.Chain: Expressions.joined,
        tree.Or: Expressions.joined,
        tree.Compare: Expressions.compare,
        tree.In: Expressions.contains,
        tree.Arithmetic: Expressions.arithmetic,
        tree.Negate: lambda to, node: to.over([to.code(node.operand)], [node.operand.optional], "-{0}"),
        tree.Conditional: Expressions.conditional,
        tree.ListLiteral: Expressions.list_literal,
        tree.Tuple: Expressions.several,
        tree.Call: Expressions.call,
        tree.Aggregate: aggregates.write,
        tree.Lookup: lookups.write,
    }
)
