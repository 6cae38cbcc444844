"""Rules, matrices and values as the body of a function that ends in a ruling and its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.wording import by_name
from policy_engine.backends.python.writer import SURE, Writer
from policy_engine.backends.runs import SHORTEST_RUN, equality, runs
from policy_engine.backends.settled import OPEN
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Ruling, Status
from policy_engine.language.rulesets import (
    OTHERWISE,
    Cell,
    Conclusion,
    DecisionLogic,
    Matrix,
    Rule,
    Rules,
    ValueDefinition,
)
from policy_engine.language.rulings import Applied
from policy_engine.language.types import ListOf, Number, Type

NOTHING: Mapping[str, str] = {}
"""No values."""

RulingFor = Callable[[DecisionLogic, Status, Applied], Ruling]
"""The constant part of the answer that rules lead to."""


def start(writer: Writer) -> None:
    """Begin an answer; its ruling and its values are filled in where it ends."""
    writer.line("answer = Decision()")
    writer.line("answer.as_of, answer._facts, answer.missing = as_of, facts, ()")


@dataclass(slots=True)
class DecisionWriter:
    """Writes one decision as a block `while True:` that sets `result` to (ruling, values) and breaks, or returns an answer.

    `sure` are the names that are set on every way out of the block.
    """

    to: Expressions
    logic: DecisionLogic
    ruling_for: RulingFor
    result: str
    returns: bool
    sure: set[str] | None = field(default=None)
    at_hand: dict[str, str] = field(default_factory=dict)

    def write(self) -> None:
        """Write the block, or, where the function returns from it, its lines."""
        writer = self.to.writer
        if self.returns:
            start(writer)
            self._body()
            return
        writer.line("while True:")
        writer.depth += 1
        self._body()
        writer.depth -= 1
        writer.merge(dict.fromkeys(self.sure or (), SURE))

    def _body(self) -> None:
        """The values that every outcome has come first: worked out once, they are at hand wherever the decision ends."""
        types = dict(self.logic.value_types)
        if not isinstance(self.logic.body, Matrix):
            for value in self.logic.values:
                self.at_hand[value.name] = self.to.writer.named(self._value(value, types[value.name]))
        match self.logic.body:
            case Rules(hit="collect"):
                self._collect(self.logic.body)
            case Rules():
                self._first(self.logic.body)
            case Matrix():
                self._matrix(self.logic.body)
            case _:
                self._conclude(Conclusion(None, NO_WORDS, (), (), ()), ())

    # How a decision ends.

    def ruling(self, status: Status, applied: Applied = ()) -> Ruling:
        """The constant part of an answer."""
        return self.ruling_for(self.logic, status, applied)

    def _end(self, ruling: str, codes: Mapping[str, str] = NOTHING) -> None:
        if not self.returns:
            self._break(ruling, codes)
            return
        self.to.writer.line(
            f"answer.ruling, answer.values = {ruling}, {by_name(self.to, self.logic.value_types, codes)}"
        )
        self.to.writer.line("return answer")

    def _end_undetermined(self, ruling: str) -> None:
        if not self.returns:
            self._break(ruling, NOTHING)
            return
        values = by_name(self.to, self.logic.value_types, NOTHING)
        self.to.writer.line(f"return Undetermined({ruling}, {values}, as_of, facts)")

    def _break(self, ruling: str, codes: Mapping[str, str]) -> None:
        writer = self.to.writer
        self.sure = writer.sure() if self.sure is None else self.sure & writer.sure()
        writer.line(f"{self.result} = ({ruling}, {self._tuple(codes)})")
        writer.line("break")

    def _undetermined(self) -> None:
        self._end_undetermined(self.to.bind(self.ruling(Status.UNDETERMINED)))

    def _conclude(self, conclusion: Conclusion, applied: Applied) -> None:
        """Work out the values; where one that must be known is not, the decision is undetermined."""
        codes = self._values((*self.logic.values, *conclusion.values))
        self._end(self.to.bind(self.ruling(Status.DECIDED, applied)), codes)

    def _values(self, definitions: Sequence[ValueDefinition]) -> dict[str, str]:
        codes: dict[str, str] = {}
        types = dict(self.logic.value_types)
        for definition in definitions:
            code = self.at_hand.get(definition.name) or self._value(definition, types[definition.name])
            if definition.expression.tree.optional:
                code = self.to.writer.named(code)
                if not definition.nullable:
                    with self.to.writer.block(f"if {code} is None:"):
                        self._undetermined()
            codes[definition.name] = code
        return codes

    def _value(self, definition: ValueDefinition, kind: Type) -> str:
        """A value as a whole, in the units of the answer's type."""
        node = definition.expression.tree
        code = self.to.scaled(node, kind)
        return f"whole({code})" if isinstance(node.type, ListOf) and node.optional else code

    def _tuple(self, codes: Mapping[str, str]) -> str:
        names = [name for name, _ in self.logic.value_types]
        return f"({', '.join(codes.get(name, 'None') for name in names)}{',' if names else ''})"

    # Rules.

    def _first(self, body: Rules) -> None:
        in_force = [rule for rule in body.rules if self.to.settled.in_force(rule.period)]
        for rules in runs(in_force):
            if len(rules) >= SHORTEST_RUN:
                self._run(rules)
            elif self._rule(rules[0]):
                return
        if body.otherwise is not None:
            self._conclude(body.otherwise, [(OTHERWISE, body.otherwise)])
        else:
            self._end(self.to.bind(self.ruling(Status.GAP)))

    def _rule(self, rule: Rule) -> bool:
        """One rule; whether it always applies, so that none after it is reached."""
        code, optional = self.to.condition(rule.when)
        if code == "False":
            return False
        if code == "True":
            self._conclude(rule.then, [(rule.id, rule.then)])
            return True
        if optional:
            code = self.to.writer.named(code)
        with self.to.writer.block(f"if {code}:"):
            self._conclude(rule.then, [(rule.id, rule.then)])
        if optional:
            with self.to.writer.block(f"if {code} is None:"):
                self._undetermined()
        return False

    def _run(self, rules: Sequence[Rule]) -> None:
        """Rules that test one name for equality: a look-up, whatever their number."""
        table: dict[str, Ruling] = {}
        subject: tree.Node | None = None
        for rule in rules:
            tested = equality(rule)
            assert tested is not None
            subject, values = tested
            for value in values:
                table.setdefault(value, self.ruling(Status.DECIDED, [(rule.id, rule.then)]))
        assert subject is not None
        writer = self.to.writer
        name = writer.named(self.to.code(subject))
        if subject.optional:
            with writer.block(f"if {name} is None:"):
                self._undetermined()
        found = writer.fresh()
        writer.line(f"{found} = {self.to.bind_new(table)}.get({name})")
        with writer.block(f"if {found} is not None:"):
            self._end(found, self._values(self.logic.values))

    def _collect(self, body: Rules) -> None:
        """A number whose bits tell which rules apply, and its last whether one is unknown; each number's ruling is made once."""
        writer = self.to.writer
        rules = [rule for rule in body.rules if self.to.settled.in_force(rule.period)]
        applied = writer.fresh("applied")
        writer.line(f"{applied} = 0")
        own = {value.name: writer.fresh("own") for rule in rules for value in rule.then.values}
        for name in own.values():
            writer.line(f"{name} = None")
        for bit, rule in enumerate(rules, start=1):
            code, optional = self.to.condition(rule.when)
            code = writer.named(code)
            with writer.block(f"if {code}:"):
                writer.line(f"{applied} |= {1 << bit}")
                self._own_values(rule, own, applied)
            if optional:
                with writer.block(f"if {code} is None:"):
                    writer.line(f"{applied} |= 1")
        codes = {}
        with writer.block(f"if not {applied} & 1:"):
            for name, code in self._collected_values(applied).items():
                codes[name] = writer.fresh("own")
                writer.line(f"{codes[name]} = {code}")
        rulings = self.to.bind_new(Rulings(partial(self.ruling_for, self.logic), rules))
        with writer.block(f"if {applied} & 1:"):
            self._end_undetermined(f"{rulings}[{applied}]")
        self._end(f"{rulings}[{applied}]", {**codes, **own})

    def _own_values(self, rule: Rule, own: dict[str, str], applied: str) -> None:
        """The values beside a rule of a collect decision."""
        for value in rule.then.values:
            code = self.to.writer.named(self._value(value, dict(self.logic.value_types)[value.name]))
            self.to.writer.line(f"{own[value.name]} = {code}")
            if value.expression.tree.optional and not value.nullable:
                with self.to.writer.block(f"if {code} is None:"):
                    self.to.writer.line(f"{applied} |= 1")

    def _collected_values(self, applied: str) -> dict[str, str]:
        codes = {}
        for value in self.logic.values:
            codes[value.name] = self.at_hand[value.name]
            if value.expression.tree.optional and not value.nullable:
                with self.to.writer.block(f"if {codes[value.name]} is None:"):
                    self.to.writer.line(f"{applied} |= 1")
        return codes

    # Matrices.

    def _matrix(self, body: Matrix) -> None:
        """A look-up by row and column; then only the condition of the cell's kind is asked."""
        writer = self.to.writer
        axes = []
        for axis in (body.rows, body.columns):
            name = writer.named(self.to.code(axis.tree))
            axes.append(name)
            if axis.tree.optional:
                with writer.block(f"if {name} is None:"):
                    self._undetermined()
        kinds: dict[Any, int] = {}
        table: dict[Any, dict[Any, tuple[int, Ruling, Ruling | None, tuple[Any, ...]]]] = {}
        for cell in body.cells:
            table.setdefault(cell.row, {})[cell.column] = self._cell(cell, kinds)
        names = [writer.fresh("cell") for _ in range(4)]
        writer.line(f"{', '.join(names)} = {self.to.bind_new(table)}[{axes[0]}][{axes[1]}]")
        if not self.logic.values:
            with writer.block(f"if {names[0]} < 0:"):
                self._end(names[1], {name: f"{names[3]}[{at}]" for at, (name, _) in enumerate(self.logic.value_types)})
        for (when, then, otherwise), kind in kinds.items():
            with writer.block(f"if {names[0]} == {kind}:"):
                self._kind(when, (names[1], then), (names[2], otherwise))

    def _cell(self, cell: Cell, kinds: dict[Any, int]) -> tuple[int, Ruling, Ruling | None, tuple[Any, ...]]:
        then = self.ruling(Status.DECIDED, [(cell.id, cell.then)])
        otherwise = self.ruling(Status.DECIDED, [(cell.id, cell.otherwise)]) if cell.otherwise else None
        constants = self._constants(cell.then.values)
        if cell.when is None and constants is not None and not self.logic.values:
            return -1, then, None, constants
        key = (cell.when, cell.then.values, cell.otherwise.values if cell.otherwise else ())
        return kinds.setdefault(key, len(kinds)), then, otherwise, ()

    def _constants(self, definitions: Sequence[ValueDefinition]) -> tuple[Any, ...] | None:
        """The values of a cell where they are all settled, in the form of an answer."""
        found = {}
        for definition in definitions:
            value = self.to.settled.constant(definition.expression.tree)
            if value is OPEN:
                return None
            found[definition.name] = value
        types = dict(self.logic.value_types)
        return tuple(_in_units(found.get(name), types[name]) for name in types)

    def _kind(
        self,
        when: tree.Condition | None,
        then: tuple[str, tuple[ValueDefinition, ...]],
        otherwise: tuple[str, tuple[ValueDefinition, ...]],
    ) -> None:
        writer = self.to.writer
        if when is not None:
            code, optional = self.to.condition(when)
            code = writer.named(code)
            if optional:
                with writer.block(f"if {code} is None:"):
                    self._undetermined()
            with writer.block(f"if not {code}:"):
                self._end(otherwise[0], self._values((*self.logic.values, *otherwise[1])))
        self._end(then[0], self._values((*self.logic.values, *then[1])))


NO_WORDS: Any = None


class Rulings(dict[int, Ruling]):
    """The rulings of a collect decision by the bits of the rules that apply, made when first met."""

    def __init__(self, ruling: Callable[[Status, Applied], Ruling], rules: Sequence[Rule]) -> None:
        super().__init__()
        self.ruling, self.rules = ruling, rules

    def __missing__(self, bits: int) -> Ruling:
        applied = [(rule.id, rule.then) for bit, rule in enumerate(self.rules, start=1) if bits >> bit & 1]
        self[bits] = self.ruling(Status.UNDETERMINED if bits & 1 else Status.DECIDED, applied)
        return self[bits]


def _in_units(value: Any, kind: Any) -> Any:
    if isinstance(value, tuple) and isinstance(kind, ListOf):
        return tuple(_in_units(part, kind.element) for part in value)
    return int(value * 10**kind.places) if value is not None and isinstance(kind, Number) else value
