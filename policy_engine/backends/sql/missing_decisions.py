"""The missing facts of decisions: those that its rules or its cell miss, or else its values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from policy_engine.backends.sql.build import TRUE, Sql, all_of, choose, literal
from policy_engine.backends.sql.decisions import Decided
from policy_engine.backends.sql.expressions import Expressions
from policy_engine.backends.sql.missing import BITS, Mask, Missing, joint, masked
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import Mention, graph_of
from policy_engine.language.mentions import reached as mentioned
from policy_engine.language.rulesets import HitPolicy, Matrix, Rule, Rules, ValueDefinition
from policy_engine.language.types import TEXT, ListOf


class Reached(NamedTuple):
    """A rule, or None for `otherwise`, its condition, and whether no rule that decides comes before it."""

    rule: Rule | None
    condition: Sql
    reached: Sql


@dataclass(slots=True)
class MissingDecisions:
    """Writes the masks of decisions, each once."""

    to: Expressions
    decided: Callable[[str], Decided]
    missing: Missing = field(init=False)
    graph: dict[Mention, frozenset[Mention]] = field(init=False)
    masks: dict[str, Mask] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.missing = Missing(self.to, self.part)
        self.graph = graph_of(self.to.ruleset)

    def paths(self, name: str) -> Sql:
        """The missing facts of a decision as a list, in the order of the schema; null where it is not undetermined."""
        decided, dialect = self.decided(name), self.to.dialect
        words = [self.to.kept(word, f"{name}_missing") for word in self.decision(name) or ()]
        told = [
            choose([(words[at // BITS].bits(1 << at % BITS).compared("!=", 0), path)])
            for at, path in enumerate(self.missing.paths)
            if words and self._may_be_missing(name, path)
        ]
        if not told:
            return choose([(decided.undetermined, dialect.texts([]))], dialect.nothing(ListOf(TEXT)))
        return choose([(decided.undetermined, dialect.compacted(dialect.texts(told)))])

    def _may_be_missing(self, name: str, path: str) -> bool:
        """Whether a decision asks for a path at all."""
        found = mentioned([Mention("decision", name)], self.graph)
        return Mention("fact", path) in found or Mention("member", path) in found

    def part(self, name: str, part: str) -> Mask:
        """An undetermined decision misses what it misses; a decided one may still give a value that is unknown."""
        decided, whole = self.decided(name), self.decision(name)
        return masked(decided.decided, self._value_of(decided, part), whole)

    def decision(self, name: str) -> Mask:
        """What is missing of a decision."""
        if name not in self.masks:
            self.masks[name] = self.missing.at_accounts(lambda: self._decision(self.decided(name)))
        return self.masks[name]

    def _decision(self, decided: Decided) -> Mask:
        """What is missing of the rules that are unknown before the first true one, else of the values."""
        match decided.logic.body:
            case Rules() as body:
                known, rules = self._rules(body)
            case Matrix() as body:
                known, rules = self._matrix(decided, body)
            case _:
                known, rules = TRUE, None
        values = self._values(decided)
        return masked(decided.undetermined, joint([rules, values if known is TRUE else masked(known, values)]))

    def _reached(self, body: Rules) -> Iterator[Reached]:
        """Each rule, and `otherwise`, with whether it is reached."""
        reached = TRUE
        for rule in body.rules:
            condition = self.to.kept(self.to.condition(rule.when), rule.id)
            yield Reached(rule, condition, reached)
            if body.hit is not HitPolicy.COLLECT:
                passed = choose([(condition, literal(False))], True)
                reached = self.to.kept(passed if reached is TRUE else reached & passed, "reached")
        yield Reached(None, TRUE, reached)

    def _rules(self, body: Rules) -> tuple[Sql, Mask]:
        """Whether no rule that was reached is unknown, and what those miss that are."""
        known: list[Sql] = []
        masks = []
        for rule, condition, reached in self._reached(body):
            if rule is not None and tree.is_optional(rule.when):
                masks.append(masked(reached & condition.is_unknown(), self.missing.condition(rule.when)))
                known.append(condition.is_known() | ~reached)
        return all_of(known), joint(masks)

    def _matrix(self, decided: Decided, body: Matrix) -> tuple[Sql, Mask]:
        masks = [self.missing.mask(body.rows.tree), self.missing.mask(body.columns.tree)]
        row, column = self.to.value(body.rows.tree), self.to.value(body.columns.tree)
        known = row.is_known() & column.is_known()
        for when, here in decided.asks.items():
            if tree.is_optional(when):
                asked = here & self.to.kept(self.to.condition(when)).is_unknown()
                masks.append(masked(asked, self.missing.condition(when)))
                known = known & choose([(asked, literal(False))], True)
        return known, joint(masks)

    def _values(self, decided: Decided) -> Mask:
        """What the values miss that must be known; those of a rule only where it applies."""
        given = [*((TRUE, value) for value in decided.logic.values), *self._own(decided)]
        return joint(self._value(applies, value) for applies, value in given if not value.nullable)

    def _value_of(self, decided: Decided, name: str) -> Mask:
        """What one value of a decided decision misses."""
        given = [*((TRUE, value) for value in decided.logic.values), *self._own(decided)]
        return joint(self._value(applies, value) for applies, value in given if value.name == name)

    def _value(self, applies: Sql, value: ValueDefinition) -> Mask:
        mask = self.missing.mask(value.expression.tree)
        return mask if applies is TRUE else masked(applies, mask)

    def _own(self, decided: Decided) -> Iterator[tuple[Sql, ValueDefinition]]:
        """The values beside rules and cells, each with where it applies, whether or not the decision is decided."""
        body = decided.logic.body
        if isinstance(body, Rules):
            for rule, condition, reached in self._reached(body):
                conclusion, applies = (rule.then, reached & condition) if rule else (body.otherwise, reached)
                yield from ((applies, value) for value in (conclusion.values if conclusion else ()))
        elif isinstance(body, Matrix):
            row, column = self.to.value(body.rows.tree), self.to.value(body.columns.tree)
            for cell in body.cells:
                here = row.equals(cell.row) & column.equals(cell.column)
                holds = TRUE if cell.when is None else self.to.condition(cell.when)
                yield from ((here & holds, value) for value in cell.then.values)
                yield from ((here & ~holds, value) for value in (cell.otherwise.values if cell.otherwise else ()))
