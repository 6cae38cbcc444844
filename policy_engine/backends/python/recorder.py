"""The second form: code that records each sub-expression as a step, in the values that callers see.

What depends on no fact is a step that is made once. Facts, definitions and used decisions come before what stands on them, so
that each is written once; more may be worked out than is looked at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from policy_engine.backends.python import runtime, steps
from policy_engine.backends.python.recorded import Standing
from policy_engine.backends.python.steps import Part, joined
from policy_engine.backends.python.telling import Words
from policy_engine.backends.python.writer import Writer
from policy_engine.backends.settled import Settled
from policy_engine.language import expressions as tree
from policy_engine.language import operators
from policy_engine.language.decisions import Origin, Step
from policy_engine.language.functions import MAY_LEAVE_THE_CALENDAR
from policy_engine.language.logic import conjunction, disjunction, negation, unknown_of
from policy_engine.language.rulesets import ALWAYS, Definition, Ruleset
from policy_engine.language.types import (
    Boolean,
    Date,
    Instant,
    ListOf,
    Member,
    Number,
    Text,
    Type,
    innermost,
    member_of,
)
from policy_engine.language.values import Unknown, absent_fact, is_unknown, on_the_way, settle, within

NAMES: Mapping[str, Any] = {
    "Unknown": Unknown,
    "settle": settle,
    "Decimal": Decimal,
    "Fraction": Fraction,
    "conjunction": conjunction,
    "disjunction": disjunction,
    "negation": negation,
    "unknown_of": unknown_of,
    "is_unknown": is_unknown,
    "contained": operators.contained,
    "member_of_value": operators.member_of_value,
    "on_the_way": on_the_way,
    "within": within,
    "aggregated": operators.aggregated,
    "defined": runtime.defined,
    "to_date": date.fromisoformat,
    "to_instant": runtime.to_instant,
    "to_integer": runtime.to_integer,
}
"""What generated code calls."""


def _may_have_a_cause(condition: tree.Condition) -> bool:
    """Whether a condition may be unknown for a cause of its own, which no definition below it names."""
    return any(_is_a_cause(node) for part in tree.expressions_of(condition) for node in tree.walk(part.tree))


def _is_a_cause(node: tree.Node) -> bool:
    match node:
        case tree.LeftUnknown() | tree.Aggregate() | tree.DecisionPart():
            return True
        case tree.Arithmetic(operator=operator):
            return operator in ("/", "//", "%")
        case tree.Call(function=function):
            return function in MAY_LEAVE_THE_CALENDAR
        case tree.Definition(type=kind):
            return isinstance(kind, ListOf)  # single elements of a list are not named
    return False


@dataclass(slots=True)
class Recorder:
    """Writes one function that records: `first` are the lines for facts and used decisions, which come before all others."""

    settled: Settled
    standing: Standing
    writer: Writer = field(default_factory=Writer)
    first: Writer = field(default_factory=Writer)
    constants: dict[str, Any] = field(default_factory=dict)
    bound: dict[object, str] = field(default_factory=dict)
    decimals: bool = False
    named: dict[str, Part] = field(default_factory=dict)
    variables: dict[str, Part] = field(default_factory=dict)
    common: dict[tuple[str, bool], Part] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(init=False)

    def __post_init__(self) -> None:
        self.definitions = {definition.name: definition for definition in self.ruleset.definitions}

    @property
    def ruleset(self) -> Ruleset:
        """The ruleset at hand."""
        return self.settled.ruleset

    @property
    def on_every_way(self) -> bool:
        """Whether the line to be written next runs on every way to those after it."""
        return self.writer.depth == 1

    def bind(self, value: Any) -> str:
        """A name for a constant."""
        name = f"K{len(self.constants)}"
        self.constants[name] = value
        return name

    def text(self, words: str | Words) -> str:
        """The name of a text, or of the words of a step, which is bound once."""
        if words not in self.bound:
            self.bound[words] = self.bind(words)
        return self.bound[words]

    def fixed(self, step: Step) -> Part:
        """A step that is always the same."""
        return Part(self.bind(step.value), self.bind(step), not is_unknown(step.value), fixed=True)

    def step(
        self, words: str, code: str, parts: Sequence[Part], *, known: bool, origin: Origin = Origin.COMPUTED
    ) -> Part:
        """A step with the value that a code gives; worked out at once where that depends on no fact."""
        if all(part.fixed for part in parts):
            value = eval(code, {**NAMES, **self.constants})
            return self.fixed(Step(words, value, origin, "", tuple(self.constants[part.step] for part in parts)))
        value = self.writer.named(code)
        made = self.made(words, value, [part.step for part in parts], origin)
        return Part(value, self.writer.named(made, "s"), known)

    def made(self, words: str, value: str, below: Sequence[str] = (), origin: Origin = Origin.COMPUTED) -> str:
        """The text of a step whose value and steps below have names."""
        return f"({', '.join([self.text((words, origin, '')), value, *below])})"

    def condition(self, condition: tree.Condition) -> Part:
        """A condition: an expression, or all, any, none of several."""
        if isinstance(condition, tree.Expression):
            return self.expression(condition)
        parts = [self.condition(part) for part in condition.conditions]
        known = all(part.known for part in parts)
        code = joined("and" if condition.kind == "all" else "or", parts)
        if condition.kind == "none":
            code = f"not ({code})" if known else f"negation({code})"
        return self.step(condition.kind, code, parts, known=known)

    def expression(self, expression: tree.Expression) -> Part:
        """An expression with all its parts."""
        return steps.record(self, expression.text, ast.parse(expression.text, mode="eval").body, expression.tree)

    # Names.

    def name(self, node: tree.Node, name: str) -> Part:
        """The part that a name stands for, written when first met; definitions have been written before."""
        if name not in self.named:
            self.named[name] = self._looked_up(node, name)
        return self.named[name]

    def _looked_up(self, node: tree.Node, name: str) -> Part:
        match node:
            case tree.Parameter():
                return self.fixed(self._parameter(name))
            case tree.Reading():
                return self.fixed(self._reading(name))
            case tree.Definition():
                raise AssertionError(f"the definition {name} has not been recorded")
        body, self.writer = self.writer, self.first
        found = self._fact(name) if isinstance(node, tree.Fact) else self._as_of()
        self.writer = body
        return found

    def _parameter(self, name: str) -> Step:
        parameter = next(p for p in self.ruleset.parameters if p.name == name)
        found = next(value for value in parameter.values if self.settled.as_of in value.period)
        notes = [parameter.unit, str(found.period) if found.period != ALWAYS else None, parameter.source]
        return Step(name, found.value, Origin.PARAMETER, ", ".join(note for note in notes if note))

    def _reading(self, name: str) -> Step:
        reading, choice = next(r for r in self.ruleset.readings if r.name == name), self.settled.choices[name]
        others = [other.name for other in reading.choices if other.name != choice]
        return Step(name, choice, Origin.READING, f"{reading.question} Not: {', '.join(others)}")

    def _as_of(self) -> Part:
        self.writer.line(f"step_as_of = {self.made('as_of', 'as_of', origin=Origin.AS_OF)}")
        return Part("as_of", "step_as_of", known=True)

    def _fact(self, name: str) -> Part:
        member = member_of(self.ruleset.facts.type, name)
        assert member is not None
        value, step, key = f"fact_{name}", f"step_{name}", self.text(name)
        if member.required:
            held = self.writer.named(f"facts[{key}]")
            self.writer.line(f"{value} = {self._typed(held, member)}")
            self.writer.line(f"{step} = {self.made(name, value, origin=Origin.FACT)}")
            return Part(value, step, known=True)
        absent = self.fixed(Step(name, absent_fact(name), Origin.FACT))
        held = self.writer.named(f"facts.get({key})")
        with self.writer.block(f"if {held} is None:"):
            self.writer.line(f"{value}, {step} = {absent.value}, {absent.step}")
        with self.writer.block("else:"):
            self.writer.line(f"{value} = {self._typed(held, member)}")
            self.writer.line(f"{step} = {self.made(name, value, origin=Origin.FACT)}")
        return Part(value, step, known=False)

    def _typed(self, held: str, member: Member) -> str:
        """A JSON value as callers see it."""
        match member.type:
            case Boolean() | Text():
                return held
            case Date():
                return f"to_date({held})"
            case Instant():
                return f"to_instant({held})"
            case Number(places=0):
                return f"({held} if {held}.__class__ is int else to_integer({held}))"
        return f"{self.bind(runtime.reader(member.type, member.ordered_by))}({held})"

    @contextmanager
    def defining(self, conditions: Iterable[tree.Condition]) -> Iterator[None]:
        """Record the definitions that conditions still need, for the lines that are written meanwhile."""
        still = [each.name for each in self.standing.below(conditions) if each.kind == "definition"]
        mine = [name for name in still if name not in self.named]
        for name in mine:
            self.define(name)
        yield
        for name in mine:
            del self.named[name]

    def define(self, name: str) -> None:
        """Record a definition, before anything that stands on it."""
        definition = self.definitions[name]
        body = self.condition(definition.body)
        code = self.settled_code(body.value, definition.type)
        if not body.known and definition.optional and _may_have_a_cause(definition.body):
            code = f"{code} if {body.value}.__class__ is not Unknown else within({body.value}, {self.text(name)})"
        self.named[name] = self.step(name, code, [body], known=body.known, origin=Origin.DEFINITION)

    def settled_code(self, value: str, kind: Type) -> str:
        """A value in the form that a type promises."""
        if not isinstance(innermost(kind), Number):
            return value
        settled = f"settle({value}, {self.bind(kind)})"
        whole = isinstance(kind, Number) and kind.places == 0
        return f"({settled} if {value}.__class__ is Decimal else {value})" if whole else settled

    def use(self, decision: str) -> None:
        """Have another decision told, before anything that stands on it."""
        self.writer.line(f"used_{decision} = told({self.text(decision)})")

    def decision_part(self, decision: str, part: str) -> Part:
        """What this decision sees of another."""
        step, value = self.writer.fresh("s"), self.writer.fresh("v")
        self.writer.line(f"{step} = used_{decision}.part({self.text(part)})")
        self.writer.line(f"{value} = {step}.value")
        return Part(value, step, known=False)
