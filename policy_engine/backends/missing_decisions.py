"""The missing facts of decisions: those that its rules or its cell miss, or else its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from policy_engine.backends.missing_facts import Mask, MissingFacts, W, Written
from policy_engine.language import expressions as tree
from policy_engine.language.rulesets import DecisionLogic, HitPolicy, Matrix, Rule, Rules, ValueDefinition

Given_co = TypeVar("Given_co", bound=Written, covariant=True)


class DecidedColumns(Protocol[Given_co]):
    """A decision as a back end writes it; `asks` says which accounts lie in a cell that asks for a condition of the matrix."""

    @property
    def logic(self) -> DecisionLogic: ...
    @property
    def decided(self) -> Given_co: ...
    @property
    def undetermined(self) -> Given_co: ...
    @property
    def asks(self) -> Mapping[tree.Condition, Given_co]: ...


class Reached(NamedTuple, Generic[W]):
    """A rule, or None for `otherwise`, its condition, and whether no rule that decides comes before it."""

    rule: Rule | None
    condition: W
    reached: W


@dataclass(slots=True)
class MissingDecisions(Generic[W]):
    """Writes the masks of decisions, each once; `decided` gives the columns of a decision by its name.

    `of_expressions` makes what writes the masks of expressions, given what writes those of other decisions.
    """

    of_expressions: Callable[[Callable[[str, str], Mask[W]]], MissingFacts[W]]
    decided: Callable[[str], DecidedColumns[W]]
    missing: MissingFacts[W] = field(init=False)
    masks: dict[str, Mask[W]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.missing = self.of_expressions(self.part)

    def part(self, name: str, part: str) -> Mask[W]:
        """An undetermined decision misses what it misses; a decided one may still give a value that is unknown."""
        decided, whole = self.decided(name), self.decision(name)
        return self.missing.where(decided.decided, self._value_of(decided, part), whole)

    def decision(self, name: str) -> Mask[W]:
        """What is missing of a decision."""
        if name not in self.masks:
            self.masks[name] = self.missing.at_accounts(lambda: self._decision(self.decided(name)))
        return self.masks[name]

    def _decision(self, decided: DecidedColumns[W]) -> Mask[W]:
        """What is missing of the rules that are unknown before the first true one, else of the values."""
        match decided.logic.body:
            case Rules() as body:
                known, rules = self._rules(body)
            case Matrix() as body:
                known, rules = self._matrix(decided, body)
            case _:
                known, rules = self.missing.true, None
        missing, values = self.missing, self._values(decided)
        return missing.where(decided.undetermined, missing.joint([rules, missing.where(known, values)]))

    def _reached(self, body: Rules) -> Iterator[Reached[W]]:
        """Each rule, and `otherwise`, with whether it is reached."""
        to, reached = self.missing.to, self.missing.true
        for rule in body.rules:
            condition = to.kept(to.condition(rule.when), rule.id)
            yield Reached(rule, condition, reached)
            if body.hit is not HitPolicy.COLLECT:
                reached = to.kept(reached & self.missing.is_not_true(condition), "reached")
        yield Reached(None, self.missing.true, reached)

    def _rules(self, body: Rules) -> tuple[W, Mask[W]]:
        """Whether no rule that was reached is unknown, and what those miss that are."""
        missing, known, masks = self.missing, self.missing.true, []
        for rule, condition, reached in self._reached(body):
            if rule is not None and tree.is_optional(rule.when):
                masks.append(missing.where(reached & missing.is_unknown(condition), missing.condition(rule.when)))
                known = known & (missing.is_known(condition) | ~reached)
        return known, missing.joint(masks)

    def _matrix(self, decided: DecidedColumns[W], body: Matrix) -> tuple[W, Mask[W]]:
        """The same of row, column, and what the cell asks for."""
        missing, to = self.missing, self.missing.to
        masks = [missing.mask(body.rows.tree), missing.mask(body.columns.tree)]
        known = missing.is_known(to.value(body.rows.tree)) & missing.is_known(to.value(body.columns.tree))
        for when, here in decided.asks.items():
            if tree.is_optional(when):
                asked = here & missing.is_unknown(to.kept(to.condition(when), "asked"))
                masks.append(missing.where(asked, missing.condition(when)))
                known = known & missing.is_not_true(asked)
        return known, missing.joint(masks)

    def _values(self, decided: DecidedColumns[W]) -> Mask[W]:
        """What the values miss that must be known; those of a rule only where it applies."""
        return self._of_values(decided, lambda value: not value.nullable)

    def _value_of(self, decided: DecidedColumns[W], name: str) -> Mask[W]:
        """What one value of a decided decision misses."""
        return self._of_values(decided, lambda value: value.name == name)

    def _of_values(self, decided: DecidedColumns[W], are_asked: Callable[[ValueDefinition], bool]) -> Mask[W]:
        missing = self.missing
        given = [*((missing.true, value) for value in decided.logic.values), *self._own(decided)]
        masks = [
            missing.where(applies, missing.mask(value.expression.tree)) for applies, value in given if are_asked(value)
        ]
        return missing.joint(masks)

    def _own(self, decided: DecidedColumns[W]) -> Iterator[tuple[W, ValueDefinition]]:
        """The values beside rules and cells, each with where it applies, whether or not the decision is decided."""
        match decided.logic.body:
            case Rules() as body:
                yield from self._of_rules(body)
            case Matrix() as body:
                yield from self._of_cells(body)

    def _of_rules(self, body: Rules) -> Iterator[tuple[W, ValueDefinition]]:
        for rule, condition, reached in self._reached(body):
            conclusion, applies = (rule.then, reached & condition) if rule else (body.otherwise, reached)
            yield from ((applies, value) for value in (conclusion.values if conclusion else ()))

    def _of_cells(self, body: Matrix) -> Iterator[tuple[W, ValueDefinition]]:
        missing, to = self.missing, self.missing.to
        row, column = to.value(body.rows.tree), to.value(body.columns.tree)
        for cell in body.cells:
            here = missing.equals(row, cell.row) & missing.equals(column, cell.column)
            holds = missing.true if cell.when is None else to.condition(cell.when)
            yield from ((here & holds, value) for value in cell.then.values)
            yield from ((here & ~holds, value) for value in (cell.otherwise.values if cell.otherwise else ()))
