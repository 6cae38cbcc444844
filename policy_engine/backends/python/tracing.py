"""Decisions as functions that record: their answer, the conditions of their rules, and their values, each with all steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain

from policy_engine.backends.python.decisions import RulingFor, Rulings, finish, start
from policy_engine.backends.python.recorder import Recorder
from policy_engine.backends.python.steps import Part, listed, unknown
from policy_engine.backends.python.telling import CellHead, Heads, Told, undetermined
from policy_engine.backends.python.wording import NOTHING, names_of, tuple_of
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Decision, RuleTrace, Status, Verdict
from policy_engine.language.mentions import fact_paths, logic_of, template_expressions, wording_of
from policy_engine.language.rulesets import (
    OTHERWISE,
    Cell,
    Conclusion,
    DecisionLogic,
    Matrix,
    Rule,
    Rules,
    Template,
    ValueDefinition,
)
from policy_engine.language.rulings import Applied, sentences_of
from policy_engine.language.sentences import kept_value
from policy_engine.language.types import TEXT, ListOf, Number, Record, Type

Values = tuple[ValueDefinition, ...]
Kind = tuple[tree.Condition | None, Values, Values | None, tuple[str, ...]]
"""What cells have in common: a condition, the values if it is true and if it is false, and what their sentences name."""

NAMES: Mapping[str, object] = {
    "Decision": Decision,
    "Told": Told,
    "undetermined": undetermined,
    "kept_value": kept_value,
}
"""What generated code calls, beside what `recorder` names."""


def write(to: Recorder, logic: DecisionLogic, ruling: RulingFor) -> None:
    """Write the body of the function that records a decision."""
    _before(to, logic)
    start(to.writer)
    places = {path: place for place, path in enumerate(dict.fromkeys(fact_paths(to.ruleset.facts.type)))}
    tracing = Tracing(to, logic, ruling, to.bind(ruling(logic, Status.UNDETERMINED, ())), to.bind(places))
    given = tracing.given(logic.values)
    match logic.body:
        case Rules(hit="collect"):
            tracing.collect(logic.body, given)
        case Rules():
            tracing.first(logic.body, given)
        case Matrix():
            tracing.matrix(logic.body, given)
        case _:
            tracing.calculation(given)


FEW_SENTENCES = 3
"""A definition that no more expressions in sentences need, and nothing else, is recorded where such a sentence is told."""


def _before(to: Recorder, logic: DecisionLogic) -> None:
    """Record the definitions and decisions that a decision stands on, but for definitions that few sentences alone need."""
    needed = set(to.standing.below(logic_of(logic)))
    told = Counter(mention for each in wording_of(logic) for mention in to.standing.below([each]))
    for mention in to.standing.below([*logic_of(logic), *wording_of(logic)]):
        if mention.kind == "decision":
            to.use(mention.name)
        elif mention in needed or told[mention] > FEW_SENTENCES:
            to.define(mention.name)


@dataclass(frozen=True, slots=True)
class Given:
    """Values that were recorded: the names of their steps, their texts by name as an answer holds them, and what is needed.

    `needed` are the names of values without which the decision is undetermined, each with the text that asks whether it is.
    """

    steps: tuple[str, ...] = ()
    seen: Mapping[str, str] = field(default_factory=dict)
    needed: Mapping[str, str] = field(default_factory=dict)

    def __add__(self, other: Given) -> Given:
        return Given(self.steps + other.steps, {**self.seen, **other.seen}, {**self.needed, **other.needed})


@dataclass(slots=True)
class Tracing:
    """Writes the rules of a decision.

    `undetermined` is the name of the ruling without rules, `places` of the order of the facts, `heads` of what tells the rules.
    """

    to: Recorder
    logic: DecisionLogic
    ruling: RulingFor
    undetermined: str
    places: str
    heads: str = ""

    @property
    def line(self) -> Callable[[str], None]:
        """Writes a line."""
        return self.to.writer.line

    def given(self, definitions: Sequence[ValueDefinition]) -> Given:
        """Record values."""
        types, found = dict(self.logic.answer_types), Given()
        for definition in definitions:
            part = self.to.expression(definition.expression)
            step = self.to.step(definition.name, part.value, [part], known=part.known).step
            asked = unknown(part.value, definition.expression.tree.type)
            settled = self.to.settled_code(part.value, types[definition.name])
            seen = settled if part.known else f"None if {asked} else {settled}"
            needed = {} if part.known or definition.nullable else {part.value: asked}
            found += Given((step,), {definition.name: seen}, needed)
        return found

    def bound(self, status: Status, applied: Applied = ()) -> str:
        """The name of the constant part of an answer."""
        return self.to.bind(self.ruling(self.logic, status, applied))

    def kept(self, sentences: Iterable[Template]) -> str:
        """The text of the values that sentences name, as an answer keeps them."""
        parts = [part for sentence in sentences for part in template_expressions(sentence)]
        with self.to.defining(parts):
            return tuple_of(self._kept(self.to.expression(part), part.tree.type) for part in parts)

    def _kept(self, part: Part, kind: Type) -> str:
        if isinstance(kind, ListOf | Record) or (isinstance(kind, Number) and kind.places):
            return f"kept_value({part.value}, {self.to.bind(kind)})"
        return part.value if part.known else f"None if {part.value}.__class__ is Unknown else {part.value}"

    def decided(self, given: Given, applied: Applied) -> None:
        """The answer that rules lead to."""
        kept = self.kept(sentences_of(self.logic, Status.DECIDED, applied))
        self.conclude(given, self.bound(Status.DECIDED, applied), kept)

    def conclude(self, given: Given, ruling: str, kept: str = NOTHING, undetermined: str = "") -> None:
        """The answer, with its values; where one that is needed is unknown, the decision is undetermined."""
        values = listed(given.steps)
        if given.needed:
            with self.to.writer.block(f"if {' or '.join(given.needed.values())}:"):
                self.give_up(
                    undetermined, kept if undetermined else NOTHING, f", {values}, {listed(list(given.needed))}"
                )
        seen = tuple_of(str(given.seen.get(name)) for name, _ in self.logic.answer_types)
        finish(self.to.writer, ruling, seen, kept)
        self.line(f"return Told(answer, {self.heads}, conditions{f', {values}' if given.steps else ''})")

    def give_up(self, ruling: str = "", kept: str = NOTHING, recorded: str = "") -> None:
        """The answer where something is unknown."""
        always = f"{self.places}, {ruling or self.undetermined}, as_of, {kept}, {self.heads}, conditions"
        self.line(f"return undetermined({always}{recorded})")

    def calculation(self, given: Given) -> None:
        """The values alone."""
        self.heads = self.to.bind(Heads(()))
        self.line("conditions = ()")
        self.decided(given, ())

    def first(self, body: Rules, given: Given) -> None:
        """The rules up to the first true one."""
        self.heads = self.to.bind(Heads(self._passed_over(body), in_turn=True, otherwise=body.otherwise is not None))
        self.line("conditions, unsure = [], False")
        sure = True
        for rule in body.rules:
            part = self.to.condition(rule.when)
            self.line(f"conditions.append({part.step})")
            with self.to.writer.block(f"if {part.value} is True:"):
                self._end(rule.id, rule.then, given, sure)
            if not part.known:
                sure = False
                self.line(f"if {part.value}.__class__ is Unknown: unsure = True")
        self._end(OTHERWISE, body.otherwise, given, sure)

    def _end(self, rule: str, conclusion: Conclusion | None, given: Given, sure: bool) -> None:
        """The answer that the rules lead to, unless one of those before is unknown."""
        if not sure:
            with self.to.writer.block("if unsure:"):
                self.give_up()
        if conclusion is None:
            self.conclude(Given(), self.bound(Status.GAP))
        else:
            self.decided(given + self.given(conclusion.values), [(rule, conclusion)])

    def _passed_over(self, body: Rules) -> tuple[RuleTrace, ...]:
        return tuple(RuleTrace(rule.id, Verdict.NOT_REACHED, str(rule.span)) for rule in body.rules)

    def collect(self, body: Rules, given: Given) -> None:
        """All rules, as bits of a number; then the values of the decision and of the rules that apply."""
        parts = []
        self.heads = self.to.bind(Heads(self._passed_over(body)))
        self.line("conditions, applied = [], 0")
        for bit, rule in enumerate(body.rules, start=1):
            parts.append(part := self.to.condition(rule.when))
            self.line(f"conditions.append({part.step})")
            self.line(f"if {part.value} is True: applied |= {1 << bit}")
            if not part.known:
                self.line(f"if {part.value}.__class__ is Unknown: applied |= 1")
        rulings = self.to.bind(Rulings(partial(self.ruling, self.logic), body.rules))
        self._keep(body.rules)
        with self.to.writer.block("if applied & 1:"):
            self.give_up(f"{rulings}[applied]", "kept")
        own = self._own(body.rules, parts)
        self.conclude(given + own, f"{rulings}[applied]", "kept", f"{rulings}[applied | 1]")

    def _keep(self, rules: Sequence[Rule]) -> None:
        """Keep what the sentences of the rules that apply name, or, where these have none, that of the decision."""
        self.line("kept = ()")
        reasoned = 1
        for bit, rule in enumerate(rules, start=1):
            reasoned |= bool(rule.then.because.parts) << bit
            if names_of([rule.then.because]):
                with self.to.writer.block(f"if applied & {1 << bit}:"):
                    self.line(f"kept += {self.kept([rule.then.because])}")
        otherwise = sentences_of(self.logic, Status.DECIDED, ())
        if names_of(otherwise):
            with self.to.writer.block(f"if not applied & {reasoned}:"):
                self.line(f"kept = {self.kept(otherwise)}")

    def _own(self, rules: Sequence[Rule], parts: Sequence[Part]) -> Given:
        """The values of the rules that apply, under names that hold nothing where none does."""
        fresh = self.to.writer.fresh
        seen = {name: fresh("own") for name in dict.fromkeys(v.name for rule in rules for v in rule.then.values)}
        if not seen:
            return Given()
        steps, needed = fresh("steps"), fresh("needed")
        self.line(f"{' = '.join(seen.values())} = None")
        self.line(f"{steps}, {needed} = (), ()")
        for rule, part in zip(rules, parts, strict=True):
            if rule.then.values:
                with self.to.writer.block(f"if {part.value} is True:"):
                    given = self.given(rule.then.values)
                    self.line(f"{steps} += {listed(given.steps)}")
                    self.line(f"{needed} += {listed(list(given.needed))}")
                    for name, code in given.seen.items():
                        self.line(f"{seen[name]} = {code}")
        return Given((f"*{steps}",), seen, {f"*{needed}": f"is_unknown({needed})"})

    def matrix(self, body: Matrix, given: Given) -> None:
        """Row and column; where both are known, the cell."""
        axes = [self.to.condition(axis) for axis in (body.rows, body.columns)]
        self.line(f"conditions = [{', '.join(axis.step for axis in axes)}]")
        asked = [unknown(axis.value, TEXT) for axis in axes if not axis.known]
        self.heads = self.to.bind(CellHead("matrix"))
        if asked:
            with self.to.writer.block(f"if {' or '.join(asked)}:"):
                self.give_up()
        self.heads, kinds = "cell", dict[Kind, tuple[Cell, int]]()
        table = self.to.bind(self._table(body, kinds))
        self.line(f"kind, cell, then, otherwise = {table}[{axes[0].value}][{axes[1].value}]")
        for cell, number in kinds.values():
            with self.to.writer.block(f"if kind == {number}:"):
                self._cell(cell, given)

    def _table(
        self, body: Matrix, kinds: dict[Kind, tuple[Cell, int]]
    ) -> Mapping[object, Mapping[object, tuple[object, ...]]]:
        """For each row and column the kind of the cell, its head, and what it may lead to; kinds are numbered as they come."""
        table: dict[object, dict[object, tuple[object, ...]]] = {}
        for cell in body.cells:
            otherwise = cell.otherwise.values if cell.otherwise else None
            ends = [[(cell.id, conclusion)] if conclusion else () for conclusion in (cell.then, cell.otherwise)]
            rulings = [self.ruling(self.logic, Status.DECIDED, applied) if applied else None for applied in ends]
            named = names_of(chain.from_iterable(sentences_of(self.logic, Status.DECIDED, end) for end in ends))
            _, number = kinds.setdefault((cell.when, cell.then.values, otherwise, named), (cell, len(kinds)))
            table.setdefault(cell.row, {})[cell.column] = number, CellHead(cell.id, str(cell.span)), *rulings
        return table

    def _cell(self, cell: Cell, given: Given) -> None:
        """A cell, and all of its kind."""
        if cell.when is not None:
            part = self.to.condition(cell.when)
            self.line(f"conditions.append({part.step})")
            if not part.known:
                with self.to.writer.block(f"if {part.value}.__class__ is Unknown:"):
                    self.give_up()
            if cell.otherwise is not None:
                with self.to.writer.block(f"if {part.value} is False:"):
                    self._end_cell(cell, cell.otherwise, given, "otherwise")
        self._end_cell(cell, cell.then, given, "then")

    def _end_cell(self, cell: Cell, conclusion: Conclusion, given: Given, ruling: str) -> None:
        kept = self.kept(sentences_of(self.logic, Status.DECIDED, [(cell.id, conclusion)]))
        self.conclude(given + self.given(conclusion.values), ruling, kept)
