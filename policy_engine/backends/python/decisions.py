"""Rules, matrices and values as the body of a function that ends in a ruling and its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from policy_engine.backends.python.expressions import Expressions
from policy_engine.backends.python.missing import Site
from policy_engine.backends.python.wording import NOTHING, kept_values, names_of, own_values, tuple_of
from policy_engine.backends.python.writer import SURE, Writer
from policy_engine.backends.runs import SHORTEST_RUN, equality, runs
from policy_engine.backends.specialize import units
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Decision, Ruling, Status
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
from policy_engine.language.types import ListOf, Number, Type

NO_CODES: Mapping[str, str] = {}
"""No values."""

RulingFor = Callable[[DecisionLogic, Status, Applied], Ruling]
"""The constant part of the answer that rules lead to."""

UndeterminedAt = Callable[[Site], Callable[..., Decision]]
"""What ends an undetermined decision at a site: a function of the answer begun, ruling, what is kept, facts, and values given."""


def start(writer: Writer) -> None:
    """Begin an answer, which is finished where it ends."""
    writer.line("answer = Decision()")
    writer.line("answer._as_of, answer._missing = as_of, ()")


def finish(writer: Writer, ruling: str, values: str, kept: str) -> None:
    """Fill in the rest of an answer that needs no more facts."""
    writer.line(f"answer._ruling, answer._own_values, answer._kept = {ruling}, {values}, {kept}")


@dataclass(slots=True)
class DecisionWriter:
    """Writes one decision as a block `while True:` that sets `result` and breaks, or returns an answer.

    A result is a ruling, the values, and where it is `told`, not only used, the values that its sentences name. `sure` are the
    names that are set on every way out of the block, `rule` is the id of the rule at hand, all before which are false.
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
    sites: int = 0

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
            case Rules(hit=HitPolicy.COLLECT):
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

    def _kept(self, status: Status, applied: Applied) -> str:
        """The text of the values that the sentences of an answer name."""
        return kept_values(self.to, sentences_of(self.logic, status, applied)) if self.told else NOTHING

    def _end(self, ruling: str, codes: Mapping[str, str] = NO_CODES, kept: str = NOTHING) -> None:
        if not self.returns:
            self._break(ruling, codes, kept)
            return
        finish(self.to.writer, ruling, own_values(self.to, self.logic, codes), kept)
        self.to.writer.line("return answer")

    def _end_undetermined(self, ruling: str, kept: str = NOTHING) -> None:
        if self.returns:
            site = self._site()
            end = self.to.bind_new(self.undetermined_at(site))
            self.to.writer.line(f"return {end}({', '.join(['answer', ruling, kept, 'facts', *site.given])})")
        else:
            self._break(ruling, NO_CODES, kept)

    def _site(self) -> Site:
        """The place at hand, for a function of its own that looks for what is missing; many places share one."""
        self.sites += 1
        if self.sites > MOST_SITES:
            return Site(self.logic.name)
        return Site(self.logic.name, self.rule, self.to.writer.shared())

    def _break(self, ruling: str, codes: Mapping[str, str], kept: str) -> None:
        writer = self.to.writer
        self.sure = writer.sure() if self.sure is None else self.sure & writer.sure()
        values = tuple_of(codes.get(name, "None") for name, _ in self.logic.value_types)
        writer.line(f"{self.result} = ({ruling}, {values}{f', {kept}' if self.told else ''})")
        writer.line("break")

    def _undetermined(self) -> None:
        self._end_undetermined(self.to.bind(self.ruling(Status.UNDETERMINED)))

    def _conclude(self, conclusion: Conclusion, applied: Applied) -> None:
        """Work out the values; where one that must be known is not, the decision is undetermined."""
        codes = self._values((*self.logic.values, *conclusion.values))
        kept = self._kept(Status.DECIDED, applied)
        self._end(self.to.bind(self.ruling(Status.DECIDED, applied)), codes, kept)

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
        if not isinstance(node.type, ListOf) or not node.optional:
            return code
        held = self.to.writer.named(code)
        return f"(None if {held} is None or None in {held} else {held})"

    # Rules.

    def _first(self, body: Rules) -> None:
        for rules in runs(body.rules):
            if len(rules) >= SHORTEST_RUN:
                self._run(rules)
            elif self._rule(rules[0]):
                return
        self.rule = OTHERWISE
        if body.otherwise is not None:
            self._conclude(body.otherwise, [(OTHERWISE, body.otherwise)])
        else:
            self._end(self.to.bind(self.ruling(Status.GAP)))

    def _rule(self, rule: Rule) -> bool:
        """One rule; whether it always applies, so that none after it is reached."""
        self.rule = rule.id
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
        self.rule = rules[0].id
        tested = [equality(rule) for rule in rules]
        subject = next(found[0] for found in tested if found)
        writer = self.to.writer
        name = writer.named(self.to.code(subject))
        if subject.optional:
            with writer.block(f"if {name} is None:"):
                self._undetermined()
        kinds: dict[tuple[str, ...], tuple[int, Applied]] = {}
        table: dict[str, tuple[Ruling, int]] = {}
        for rule, found in zip(rules, tested, strict=True):
            applied = [(rule.id, rule.then)]
            kind, _ = kinds.setdefault(self._names(applied), (len(kinds), applied))
            for value in found[1] if found else ():
                table.setdefault(value, (self.ruling(Status.DECIDED, applied), kind))
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
        """A number whose bits tell which rules apply, and its last whether one is unknown; each number's ruling is made once."""
        writer = self.to.writer
        rules = body.rules
        applied = writer.fresh("applied")
        writer.line(f"{applied} = 0")
        own = {value.name: writer.fresh("own") for rule in rules for value in rule.then.values}
        for name in own.values():
            writer.line(f"{name} = None")
        kept = writer.fresh("kept")
        writer.line(f"{kept} = ()")
        for bit, rule in enumerate(rules, start=1):
            code, optional = self.to.condition(rule.when)
            code = writer.named(code)
            with writer.block(f"if {code}:"):
                writer.line(f"{applied} |= {1 << bit}")
                self._own_values(rule, own, applied)
                if self.told and names_of([rule.then.because]):
                    writer.line(f"{kept} += {kept_values(self.to, [rule.then.because])}")
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
            self._end_undetermined(f"{rulings}[{applied}]", kept)
        if self._names(()):
            reasoned = sum(1 << bit for bit, rule in enumerate(rules, start=1) if rule.then.because.parts)
            with writer.block(f"if not {applied} & {reasoned}:"):
                writer.line(f"{kept} = {self._kept(Status.DECIDED, ())}")
        self._end(f"{rulings}[{applied}]", {**codes, **own}, kept)

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
        kinds: dict[Any, tuple[int, Cell]] = {}
        table: dict[Any, dict[Any, tuple[int, Ruling, Ruling | None, tuple[Any, ...]]]] = {}
        for cell in body.cells:
            table.setdefault(cell.row, {})[cell.column] = self._cell(cell, kinds)
        names = [writer.fresh("cell") for _ in range(4)]
        writer.line(f"{', '.join(names)} = {self.to.bind_new(table)}[{axes[0]}][{axes[1]}]")
        if not self.logic.values:
            with writer.block(f"if {names[0]} < 0:"):
                self._end(names[1], {name: f"{names[3]}[{at}]" for at, (name, _) in enumerate(self.logic.value_types)})
        cells = [cell for _, cell in kinds.values()]
        if cells:
            writer.select(names[0], len(cells), lambda at: self._kind(cells[at], names[1], names[2]))

    def _cell(
        self, cell: Cell, kinds: dict[Any, tuple[int, Cell]]
    ) -> tuple[int, Ruling, Ruling | None, tuple[Any, ...]]:
        then = self.ruling(Status.DECIDED, [(cell.id, cell.then)])
        otherwise = self.ruling(Status.DECIDED, [(cell.id, cell.otherwise)]) if cell.otherwise else None
        constants = self._constants(cell.then.values)
        named = self._names([(cell.id, cell.then)])
        if cell.when is None and constants is not None and not self.logic.values and not named:
            return -1, then, None, constants
        also = self._names([(cell.id, cell.otherwise)]) if cell.otherwise else ()
        key = (cell.when, cell.then.values, cell.otherwise.values if cell.otherwise else (), named, also)
        kind, _ = kinds.setdefault(key, (len(kinds), cell))
        return kind, then, otherwise, ()

    def _constants(self, definitions: Sequence[ValueDefinition]) -> tuple[Any, ...] | None:
        """The values of a cell where they are all constant, in the form of an answer."""
        found = {}
        for definition in definitions:
            node = definition.expression.tree
            if not isinstance(node, tree.Literal):
                return None
            found[definition.name] = node.value
        types = dict(self.logic.value_types)
        return tuple(_in_units(found.get(name), types[name]) for name in types)

    def _kind(self, cell: Cell, then: str, otherwise: str) -> None:
        """A cell, and all that differ from it in their rulings only; `then` and `otherwise` name these."""
        writer = self.to.writer
        if cell.when is not None:
            code, optional = self.to.condition(cell.when)
            code = writer.named(code)
            if optional:
                with writer.block(f"if {code} is None:"):
                    self._undetermined()
            with writer.block(f"if not {code}:"):
                self._end_cell(cell, otherwise, cell.otherwise)
        self._end_cell(cell, then, cell.then)

    def _end_cell(self, cell: Cell, ruling: str, conclusion: Conclusion | None) -> None:
        values = self._values((*self.logic.values, *(conclusion.values if conclusion else ())))
        self._end(ruling, values, self._kept(Status.DECIDED, [(cell.id, conclusion)]) if conclusion else NOTHING)


NO_WORDS: Any = None

MOST_SITES = 30
"""So many places of a decision have a function each that looks for what is missing there."""


MOST_COMBINATIONS = 1_000
"""Of collected rules, so many have their rulings kept at hand."""


class Rulings(dict[int, Ruling]):
    """The rulings of a collect decision by the bits of the rules that apply, made when first met."""

    def __init__(self, ruling: Callable[[Status, Applied], Ruling], rules: Sequence[Rule]) -> None:
        super().__init__()
        self.ruling, self.rules = ruling, rules

    def __missing__(self, bits: int) -> Ruling:
        applied = [(rule.id, rule.then) for bit, rule in enumerate(self.rules, start=1) if bits >> bit & 1]
        if len(self) >= MOST_COMBINATIONS:
            self.clear()
        self[bits] = made = self.ruling(Status.UNDETERMINED if bits & 1 else Status.DECIDED, applied)
        return made


def _in_units(value: Any, kind: Any) -> Any:
    if isinstance(value, tuple) and isinstance(kind, ListOf):
        return tuple(_in_units(part, kind.element) for part in value)
    return units(value, kind) if value is not None and isinstance(kind, Number) else value
