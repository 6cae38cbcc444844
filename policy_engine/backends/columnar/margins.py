"""How far accounts lie from the thresholds of the rules: a column for each comparison with a value known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from policy_engine.backends.columnar import arithmetic, days
from policy_engine.backends.columnar.plan import ACCOUNTS
from policy_engine.backends.settled import OPEN
from policy_engine.language import expressions as tree
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import Matrix, Rules
from policy_engine.language.types import Date, Number
from policy_engine.language.units import Units, written_units
from policy_engine.language.values import Value, in_words

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions
    from policy_engine.language.rulesets import DecisionLogic

TOWARDS = {"<": -1, "<=": -1, ">": 1, ">=": 1}
"""Where the left side has to go for the comparison to hold."""
DAYS = frozenset({"days", "calendar days", "weekdays", "business days", "working days"})
"""Units in which days are counted."""
DAYS_NEAR, SHARE_NEAR = 7, 10
"""Near are so many days, or else a tenth of the threshold."""
LONGEST_TEXT = 120
"""A comparison of more characters would not be read in a report; it is counted instead."""


@dataclass(frozen=True, slots=True)
class Margin:
    """The distance of accounts to the threshold of one comparison, in units of 10**-`places`.

    It is positive towards where the comparison holds, and where it is nought the comparison holds if it is `inclusive`.
    `within` is the distance that counts as near, in the same units. `unit` is that of both sides, "" where none is certain.
    """

    decision: str
    rule: str
    comparison: str
    unit: str
    inclusive: bool
    places: int
    within: int
    column: pl.Expr

    def value(self, units: int) -> int | Decimal:
        """A margin as a person reads it."""
        return decimal_of(units, self.places) if self.places else units


class Margins(NamedTuple):
    """The margins of a decision, and how many comparisons of its rules have none.

    Those compare instants, ratios, two values of an account, or elements of a list; or their text is too long to be shown.
    """

    found: tuple[Margin, ...]
    left_out: int


def margins_of(to: Expressions, logic: DecisionLogic) -> Margins:
    """The margins of a decision's rules, each comparison once, under the first rule that asks it."""
    units = written_units(to.settled.ruleset)
    asked: dict[tree.Compare, str] = {}
    for rule, condition in _conditions(logic):
        for node in _Comparisons(to).of(condition):
            asked.setdefault(node, rule)
    margins = [
        _margin(to, units, logic.name, rule, node) for node, rule in asked.items() if not _asks_for_any(to, node)
    ]
    found = tuple(margin for margin in margins if margin is not None)
    return Margins(found, len(margins) - len(found))


def _conditions(logic: DecisionLogic) -> Iterator[tuple[str, tree.Condition]]:
    if isinstance(logic.body, Rules):
        yield from ((rule.id, rule.when) for rule in logic.body.rules)
    elif isinstance(logic.body, Matrix):
        yield from ((cell.id, cell.when) for cell in logic.body.cells if cell.when is not None)


class _Comparisons:
    """Finds the comparisons by order below a condition that are not settled, through definitions, each of these once."""

    def __init__(self, to: Expressions) -> None:
        self._settled = to.settled
        self._seen: set[str] = set()

    def of(self, condition: tree.Condition) -> Iterator[tree.Compare]:
        """The comparisons of a condition."""
        if self._settled.condition(condition) is not OPEN:
            return
        if isinstance(condition, tree.Group):
            for part in condition.conditions:
                yield from self.of(part)
        else:
            yield from self._below(condition.tree)

    def _below(self, node: tree.Node) -> Iterator[tree.Compare]:
        if self._settled.constant(node) is not OPEN:
            return
        if isinstance(node, tree.Compare) and node.operator in TOWARDS:
            yield node
        if isinstance(node, tree.Definition) and node.name not in self._seen:
            self._seen.add(node.name)
            yield from self.of(next(d.body for d in self._settled.ruleset.definitions if d.name == node.name))
        for child in tree.children(node):
            yield from self._below(child)


def _asks_for_any(to: Expressions, node: tree.Compare) -> bool:
    """Whether a comparison only asks if there is any, as `count(...) > 0` does: nobody is near to that."""
    sides = to.settled.constant(node.left), to.settled.constant(node.right)
    literal = isinstance(node.left, tree.Literal) or isinstance(node.right, tree.Literal)
    return literal and any(side is not OPEN and side in (0, 1) for side in sides)


def _margin(to: Expressions, units: Units, decision: str, rule: str, node: tree.Compare) -> Margin | None:
    """The margin of a comparison with something settled on one side; None where there is none to measure."""
    text = node.text
    left, right = to.settled.constant(node.left), to.settled.constant(node.right)
    if (left is OPEN) == (right is OPEN) or len(text) > LONGEST_TEXT or _reads_elements(node):
        return None
    asked, threshold, settled = (node.left, node.right, right) if left is OPEN else (node.right, node.left, left)
    towards = TOWARDS[node.operator] if left is OPEN else -TOWARDS[node.operator]
    inclusive = "=" in node.operator
    if isinstance(asked.type, Date) and isinstance(threshold.type, Date):
        column = days.days_between(pl.lit(settled), to.value(asked)) * towards
        return Margin(decision, rule, text, "days", inclusive, 0, DAYS_NEAR, to.plan.named(ACCOUNTS, column))
    if not (isinstance(asked.type, Number) and isinstance(threshold.type, Number)):
        return None
    places = max(asked.type.places, threshold.type.places)
    level = int(settled * 10**places)
    column = (arithmetic.rescaled(to.value(asked), asked.type, places) - level) * towards
    unit = units.common((node.left, node.right)) or ""
    within = DAYS_NEAR * 10**places if unit in DAYS else max(1, abs(level) // SHARE_NEAR)
    shown = text if isinstance(threshold, tree.Literal) else f"{text} ({in_words(_plain(settled, places))})"
    return Margin(decision, rule, shown, unit, inclusive, places, within, to.plan.named(ACCOUNTS, column))


def _reads_elements(node: tree.Node) -> bool:
    """Whether a comparison is about single elements of a list, not about the account."""
    bound = {part.variable for part in tree.walk(node) if isinstance(part, tree.Aggregate)}
    return any(isinstance(part, tree.Variable) and part.name not in bound for part in tree.walk(node))


def _plain(settled: Fraction, places: int) -> Value:
    return decimal_of(int(settled * 10**places), places) if settled.denominator != 1 else int(settled)
