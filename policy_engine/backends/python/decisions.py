"""Rules, matrices and values as the body of a function that ends in a ruling and its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy_engine.backends.equality_switches import Switch, asked_and_given, switches, table_of_cells
from policy_engine.backends.python.answers import NOTHING, kept_values, names_of, own_values, rulings_by_bits
from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.writer import tuple_of
from policy_engine.language import expressions as tree
from policy_engine.language.combining import Combination
from policy_engine.language.decisions import Ruling, Status
from policy_engine.language.rulesets import (
    OTHERWISE,
    Cell,
    Conclusion,
    DecisionLogic,
    HitPolicy,
    Matrix,
    Rule,
    Rules,
    ValueDefinition,
)
from policy_engine.language.rulings import Applied, sentences_of
from policy_engine.language.specialize import in_units
from policy_engine.language.types import Type, innermost

NO_CODES: Mapping[str, str] = {}
"""No values."""

MOST_EXITS = 30
"""So many exits of a decision have a function each that looks for what is missing there; all others share one."""

RulingFor = Callable[[DecisionLogic, Status, Applied], Ruling]
"""The constant part of the answer that rules lead to."""


@dataclass(frozen=True, slots=True)
class Exit:
    """A place where a function that decides finds the decision undetermined.

    `rule` is the id of the rule that it came to, all before which are false; None where no rule is certain to be false. `given`
    are the names of facts, definitions and used decisions there, each with whether it is set surely or perhaps.
    """

    decision: str
    rule: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)


UndeterminedAt = Callable[[Expressions, Exit], str]
"""The name of what ends an undetermined decision at an exit: a function of the answer, facts, day, and what is given."""


@dataclass(slots=True)
class DecisionWriter:
    """Writes one decision as a block `while True:` that sets `result` and breaks, or returns an answer.

    A result is a ruling, the values, and, where the decision is `told` and not only used by another, the values that its
    sentences name. `sure` are the names that are set on every way out of the block. `rule` is the id of the rule at hand, all
    before which are false. `at_hand` are the names of values that every outcome has.
    """

    to: Expressions
    logic: DecisionLogic
    ruling_for: RulingFor
    undetermined_at: UndeterminedAt
    result: str
    returns: bool
    told: bool = True
    sure: set[str] | None = field(default=None)
    at_hand: dict[str, str] = field(default_factory=dict)
    rule: str | None = None
    exits: int = 0

    def write(self) -> None:
        """Write the block, or, where the function returns from it, its lines."""
        writer = self.to.writer
        if self.returns:
            writer.line("answer = Decision()")
            writer.line("answer._as_of, answer._missing = as_of, ()")
            self._body()
            return
        writer.line("while True:")
        writer.depth += 1
        self._body()
        writer.depth -= 1
        writer.keep_sure(self.sure or set())

    def _body(self) -> None:
        """The values that every outcome has come first: worked out once, they are at hand wherever the decision ends."""
        if not isinstance(self.logic.body, Matrix):
            for value in self.logic.values:
                self.at_hand[value.name] = self.to.writer.named(self._value(value))
        match self.logic.body:
            case Rules(hit=HitPolicy.COLLECT):
                self._collect(self.logic.body)
            case Rules():
                self._first(self.logic.body)
            case Matrix():
                self._matrix(self.logic.body)
            case _:
                self._conclude((), ())

    # How a decision ends.

    def ruling(self, status: Status, applied: Applied = ()) -> Ruling:
        """The constant part of an answer."""
        return self.ruling_for(self.logic, status, applied)

    def _kept(self, status: Status, applied: Applied) -> str:
        """The text of the values that the sentences of an answer name."""
        return kept_values(self.to, sentences_of(self.logic, status, applied)) if self.told else NOTHING

    def _end(
        self, ruling: str, codes: Mapping[str, str] = NO_CODES, kept: str = NOTHING, answer: str = "answer"
    ) -> None:
        if not self.returns:
            self._break(ruling, codes, kept)
            return
        values = own_values(self.to, self.logic, codes)
        self.to.writer.line(f"answer._ruling, answer._own_values, answer._kept = {ruling}, {values}, {kept}")
        self.to.writer.line(f"return {answer}")

    def _end_undetermined(self, ruling: str, kept: str = NOTHING) -> None:
        if not self.returns:
            self._break(ruling, NO_CODES, kept)
            return
        self.exits += 1
        own = self.exits <= MOST_EXITS
        exit_ = Exit(self.logic.name, self.rule, self.to.writer.shared()) if own else Exit(self.logic.name)
        end = self.undetermined_at(self.to, exit_)
        self._end(ruling, kept=kept, answer=f"{end}({', '.join(['answer', 'facts', 'as_of', *exit_.given])})")

    def _break(self, ruling: str, codes: Mapping[str, str], kept: str) -> None:
        writer = self.to.writer
        self.sure = writer.sure() if self.sure is None else self.sure & writer.sure()
        values = tuple_of(codes.get(name, "None") for name, _ in self.logic.value_types)
        writer.line(f"{self.result} = ({ruling}, {values}{f', {kept}' if self.told else ''})")
        writer.line("break")

    def _undetermined_if_unknown(self, code: str, optional: bool) -> None:
        if optional:
            with self.to.writer.block(f"if {code} is None:"):
                self._end_undetermined(self.to.bind(self.ruling(Status.UNDETERMINED)))

    def _conclude(self, own: Sequence[ValueDefinition], applied: Applied) -> None:
        """Work out the values; where one that must be known is not, the decision is undetermined."""
        codes = self._values((*self.logic.values, *own))
        kept = self._kept(Status.DECIDED, applied)
        self._end(self.to.bind(self.ruling(Status.DECIDED, applied)), codes, kept)

    def _values(self, definitions: Sequence[ValueDefinition]) -> dict[str, str]:
        codes: dict[str, str] = {}
        for definition in definitions:
            code = self.at_hand.get(definition.name) or self._value(definition)
            if definition.expression.tree.optional:
                code = self.to.writer.named(code)
                self._undetermined_if_unknown(code, optional=not definition.nullable)
            codes[definition.name] = code
        return codes

    def _value(self, definition: ValueDefinition, combination: Combination | None = None) -> str:
        """A value as a whole, in the units of the answer's type, or of its elements where rules combine to a list."""
        kind = self._type_of(definition.name)
        return self.to.whole(definition.expression.tree, innermost(kind) if combination is Combination.LIST else kind)

    def _type_of(self, value: str) -> Type:
        return dict(self.logic.value_types)[value]

    # Rules.

    def _first(self, body: Rules) -> None:
        for each in switches(body.rules):
            if isinstance(each, Switch):
                self._switch(each)
            elif self._rule(each):
                return
        self.rule = OTHERWISE
        if body.otherwise is not None:
            self._conclude(body.otherwise.values, [(OTHERWISE, body.otherwise)])
        else:
            self._end(self.to.bind(self.ruling(Status.GAP)))

    def _rule(self, rule: Rule) -> bool:
        """One rule; whether it always applies, so that none after it is reached."""
        self.rule = rule.id
        code, optional = self.to.condition(rule.when)
        if code == "False":
            return False
        applied = [(rule.id, rule.then)]
        if code == "True":
            self._conclude(rule.then.values, applied)
            return True
        if optional:
            code = self.to.writer.named(code)
        with self.to.writer.block(f"if {code}:"):
            self._conclude(rule.then.values, applied)
        self._undetermined_if_unknown(code, optional)
        return False

    def _switch(self, switch: Switch) -> None:
        """A look-up, whatever the number of rules; those whose sentences name the same values are of one kind."""
        self.rule = switch.rules[0].id
        name = self.to.writer.named(self.to.code(switch.subject))
        self._undetermined_if_unknown(name, switch.subject.optional)
        kinds: dict[tuple[str, ...], tuple[int, Applied]] = {}
        table: dict[str, tuple[Ruling, int]] = {}
        for text, rule in switch.cases.items():
            applied = [(rule.id, rule.then)]
            kind, _ = kinds.setdefault(self._names(applied), (len(kinds), applied))
            table[text] = self.ruling(Status.DECIDED, applied), kind
        self._looked_up(name, table, [applied for _, applied in kinds.values()])

    def _looked_up(self, name: str, table: Mapping[str, tuple[Ruling, int]], kinds: Sequence[Applied]) -> None:
        """End where a name is in a table; the sentences of each kind of rule name the same values."""
        writer = self.to.writer
        found = writer.fresh()
        one = len(kinds) == 1
        rulings = {value: ruling for value, (ruling, _) in table.items()} if one else table
        writer.line(f"{found} = {self.to.bind_new(rulings)}.get({name})")
        with writer.block(f"if {found} is not None:"):
            values = self._values(self.logic.values)
            ruling, kind = (found, "") if one else (writer.fresh("ruling"), writer.fresh("kind"))
            if not one:
                writer.line(f"{ruling}, {kind} = {found}")
            writer.select(kind, len(kinds), lambda at: self._end(ruling, values, self._kept(Status.DECIDED, kinds[at])))

    def _names(self, applied: Applied) -> tuple[str, ...]:
        """What the sentences of a decided answer name."""
        return names_of(sentences_of(self.logic, Status.DECIDED, applied)) if self.told else ()

    def _collect(self, body: Rules) -> None:
        """A number whose bits tell which rules apply, and its lowest whether anything is unknown; see `rulings_by_bits`."""
        writer, rules = self.to.writer, body.rules
        applied = writer.fresh("applied")
        writer.line(f"{applied} = 0")
        combine = dict(body.combine)
        given = [value.name for rule in rules for value in rule.then.values]
        own = {name: writer.fresh("own") for name in dict.fromkeys([*given, *combine])}
        for name, code in own.items():
            writer.line(f"{code} = {[] if name in combine else None}")
        kept = writer.fresh("kept")
        writer.line(f"{kept} = ()")
        for bit, rule in enumerate(rules, start=1):
            self._collect_rule(rule, 1 << bit, own, applied, kept)
        for value in self.logic.values:
            self._note_unknown(self.at_hand[value.name], value.expression.tree.optional and not value.nullable, applied)
        ruling = f"{self.to.bind_new(rulings_by_bits(self.ruling, rules))}({applied})"
        with writer.block(f"if {applied} & 1:"):
            self._end_undetermined(ruling, kept)
        if self._names(()):
            reasoned = sum(1 << bit for bit, rule in enumerate(rules, start=1) if rule.then.because.parts)
            with writer.block(f"if not {applied} & {reasoned}:"):
                writer.line(f"{kept} = {self._kept(Status.DECIDED, ())}")
        for name, combination in combine.items():
            writer.line(f"{own[name]} = {self.to.bind_new(combination.of)}({own[name]})")
        self._end(ruling, {**self.at_hand, **own}, kept)

    def _collect_rule(self, rule: Rule, bit: int, own: Mapping[str, str], applied: str, kept: str) -> None:
        writer = self.to.writer
        code, optional = self.to.condition(rule.when)
        code = writer.named(code)
        with writer.block(f"if {code}:"):
            writer.line(f"{applied} |= {bit}")
            for value in rule.then.values:
                combination = self.logic.combination(value.name)
                held, optional_value = writer.named(self._value(value, combination)), value.expression.tree.optional
                self._note_unknown(held, optional_value and not value.nullable, applied)
                if combination is None:
                    writer.line(f"{own[value.name]} = {held}")
                    continue
                with writer.when(f"{held} is not None" if optional_value else "True"):
                    writer.line(f"{own[value.name]}.append({held})")
            if self.told and names_of([rule.then.because]):
                writer.line(f"{kept} += {kept_values(self.to, [rule.then.because])}")
        self._note_unknown(code, optional, applied)

    def _note_unknown(self, code: str, optional: bool, applied: str) -> None:
        if optional:
            with self.to.writer.block(f"if {code} is None:"):
                self.to.writer.line(f"{applied} |= 1")

    # Matrices.

    def _matrix(self, body: Matrix) -> None:
        """A look-up by row and column; then only the condition of the cell's kind is asked."""
        writer = self.to.writer
        axes = []
        for axis in (body.rows.tree, body.columns.tree):
            axes.append(writer.named(self.to.code(axis)))
            self._undetermined_if_unknown(axes[-1], axis.optional)
        table, cells = table_of_cells(body, self._kind_of, self._entry)
        names = [writer.fresh("cell") for _ in range(4)]
        writer.line(f"{', '.join(names)} = {self.to.bind_new(table)}[{axes[0]}][{axes[1]}]")
        if not self.logic.values:
            with writer.block(f"if {names[0]} < 0:"):
                self._end(names[1], {name: f"{names[3]}[{at}]" for at, (name, _) in enumerate(self.logic.value_types)})
        if cells:
            writer.select(names[0], len(cells), lambda at: self._cell(cells[at], names[1], names[2]))

    def _kind_of(self, cell: Cell) -> object:
        """What tells a cell from those that differ from it in their rulings only; None where all is constant about it."""
        named = self._names([(cell.id, cell.then)])
        if cell.when is None and self._constants(cell) is not None and not self.logic.values and not named:
            return None
        return (*asked_and_given(cell), named, self._names([(cell.id, cell.otherwise)]) if cell.otherwise else ())

    def _entry(self, cell: Cell, kind: int) -> tuple[int, Ruling, Ruling | None, tuple[Any, ...] | None]:
        """The kind of a cell, its rulings, and where it has no kind, its values."""
        then = self.ruling(Status.DECIDED, [(cell.id, cell.then)])
        otherwise = self.ruling(Status.DECIDED, [(cell.id, cell.otherwise)]) if cell.otherwise else None
        return kind, then, otherwise, self._constants(cell) if kind < 0 else ()

    def _constants(self, cell: Cell) -> tuple[Any, ...] | None:
        """The values of a cell where they are all constant, in the form of an answer."""
        found = {}
        for definition in cell.then.values:
            node = definition.expression.tree
            if not isinstance(node, tree.Literal):
                return None
            found[definition.name] = in_units(node.value, self._type_of(definition.name))
        return tuple(found.get(name) for name, _ in self.logic.value_types)

    def _cell(self, cell: Cell, then: str, otherwise: str) -> None:
        """A cell, and all of its kind; `then` and `otherwise` name the rulings."""
        writer = self.to.writer
        if cell.when is not None:
            code, optional = self.to.condition(cell.when)
            code = writer.named(code)
            self._undetermined_if_unknown(code, optional)
            with writer.block(f"if not {code}:"):
                self._end_cell(cell, otherwise, cell.otherwise)
        self._end_cell(cell, then, cell.then)

    def _end_cell(self, cell: Cell, ruling: str, conclusion: Conclusion | None) -> None:
        values = self._values((*self.logic.values, *(conclusion.values if conclusion else ())))
        self._end(ruling, values, self._kept(Status.DECIDED, [(cell.id, conclusion)]) if conclusion else NOTHING)


def write_cells(
    to: Expressions,
    body: Matrix,
    asked: Callable[[tree.Condition], str],
    given: Callable[[str, Sequence[ValueDefinition]], None],
) -> None:
    """Write what a matrix asks and gives: row and column, then the condition of their cell, and its values.

    `asked` writes a condition and gives its text; `given` writes the values that are given where a test holds.
    """
    row, column = asked(body.rows), asked(body.columns)
    table, cells = table_of_cells(body, asked_and_given)
    found = to.writer.named(f"{to.bind_new(table)}.get({row}, {{}}).get({column})")
    for kind, cell in enumerate(cells):
        with to.writer.block(f"if {found} == {kind}:"):
            holds = "True" if cell.when is None else asked(cell.when)
            given(holds, cell.then.values)
            if cell.when is not None:
                given(f"{holds} is False", cell.otherwise.values if cell.otherwise else ())
