"""Which questions a change can touch: whose answers, about which facts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from policy_engine.analysis.witnesses import literal_numbers
from policy_engine.language.expressions import Expression, expressions_of
from policy_engine.language.lookup_tables import Range
from policy_engine.language.mentions import (
    Mention,
    expressions_in,
    facts_reached,
    graph_of,
    logic_of,
    mentions_in,
    reached,
    value_expressions,
)
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rule_changes import Kind, RuleChange
from policy_engine.language.rulesets import DecisionLogic, Matrix, Rules, Ruleset
from policy_engine.language.types import Number, members_below

OF_DECISIONS = (Kind.DECISION, Kind.RULE, Kind.CELL, Kind.VALUE)

OF_ALL = (Kind.FACT, Kind.CHECK, Kind.RULESET)
MOST_KEYS = 100
"""Of the keys of a look-up table so many are tried as facts."""
PATH = re.compile(r"\.|\[")
"""What separates the names of a path."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change can touch: decisions, and whether facts are valid.

    `facts` and `numbers` are those that the changed part itself names, also by way of definitions.
    """

    decisions: tuple[str, ...]
    validity: bool
    facts: frozenset[str] = frozenset()
    numbers: frozenset[int | Decimal] = frozenset()


class Reach:
    """What the decisions and the checks of a ruleset rest on."""

    def __init__(self, ruleset: Ruleset) -> None:
        """Follow all names of a ruleset once."""
        self.ruleset, self.graph = ruleset, graph_of(ruleset)
        names = [decision.name for decision in ruleset.decisions]
        self.decisions = {name: reached([Mention("decision", name)], self.graph) for name in names}
        self.checks = reached(mentions_in(check.expect for check in ruleset.checks), self.graph)

    def touched(self, change: RuleChange) -> Touched:
        """What a change can touch on this side."""
        about = [*self._expressions(change)]
        facts = facts_reached(self.ruleset, mentions_in(about), self.graph)
        named = [PATH.split(change.name)[0]] if change.kind is Kind.FACT else []
        numbers = [*literal_numbers(self.ruleset, about, self.graph), *self._bounds(change)]
        decisions, validity = self._answers(change)
        return Touched(decisions, validity, frozenset([*facts, *named]), frozenset(numbers))

    def _answers(self, change: RuleChange) -> tuple[tuple[str, ...], bool]:
        """The decisions that a change can touch, and whether it can touch the validity of facts."""
        if change.kind in OF_ALL:
            return tuple(self.decisions), True
        if change.kind in OF_DECISIONS:  # others that use it differ only where it does
            return (change.name.partition(": ")[0],), False
        mention = Mention(change.kind, change.name)
        return tuple(name for name, found in self.decisions.items() if mention in found), mention in self.checks

    def _expressions(self, change: RuleChange) -> Iterator[Expression]:
        """The expressions that a change is about, or that ask for what it is about."""
        if change.kind in OF_DECISIONS:
            name, _, part = change.name.partition(": ")
            found = [decision for decision in self.ruleset.decisions if decision.name == name]
            yield from chain.from_iterable(_of_decision(decision, part) for decision in found)
        elif change.kind is Kind.CHECK:
            for check in self.ruleset.checks:
                yield from expressions_of(check.expect) if check.because == change.name else ()
        elif change.kind is Kind.DEFINITION:
            for definition in self.ruleset.definitions:
                yield from expressions_of(definition.body) if definition.name == change.name else ()
        else:
            mention = Mention(change.kind, change.name)
            yield from (each for each in expressions_in(self.ruleset) if mention in mentions_in([each]))

    def _bounds(self, change: RuleChange) -> list[int | Decimal]:
        """The least and the greatest that a fact may be."""
        path = change.name.replace("[]", "")
        kinds = [member.type for name, member in members_below(self.ruleset.facts.type) if name == path]
        numbers = [kind for kind in kinds if isinstance(kind, Number) and change.kind is Kind.FACT]
        return [
            decimal_of(units, kind.places) if kind.places else units
            for kind in numbers
            for units in (kind.low, kind.high)
        ]


def _of_decision(decision: DecisionLogic, part: str) -> Iterator[Expression]:
    """The expressions of a rule or a cell; of the whole decision where none has that name."""
    match decision.body:
        case Rules(rules=rules):
            conditions = [(rule.when, rule.then) for rule in rules if rule.id == part]
        case Matrix(cells=cells):
            conditions = [(cell.when, cell.then) for cell in cells if cell.id == part and cell.when is not None]
        case _:
            conditions = []
    for when, then in conditions:
        yield from (*expressions_of(when), *value_expressions(then.values))
    for condition in () if conditions else logic_of(decision):
        yield from expressions_of(condition)


def keys_that_differ(old: Ruleset, new: Ruleset, table: str) -> frozenset[int | Decimal]:
    """Numbers by which rows of a look-up table are found that are not the same on both sides, spread over all of them."""
    before, after = (
        {(row.keys, row.cells) for t in side.tables if t.name == table for row in t.rows} for side in (old, new)
    )
    keys = (key for row_keys, _ in before ^ after for key in row_keys)
    ends = (end for key in keys for end in (key if isinstance(key, Range) else (key,)))
    found = sorted({end for end in ends if isinstance(end, int | Decimal) and not isinstance(end, bool)})
    return frozenset(found[:: 1 + len(found) // MOST_KEYS])


def together(one: Touched, other: Touched, decisions: Iterable[str]) -> Touched:
    """What either side touches, of the decisions that both have."""
    touched = {*one.decisions, *other.decisions}
    named = tuple(name for name in decisions if name in touched)
    return Touched(named, one.validity or other.validity, one.facts | other.facts, one.numbers | other.numbers)
