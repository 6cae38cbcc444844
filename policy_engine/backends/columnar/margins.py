"""How far accounts lie from the thresholds of the rules: a column for each comparison with a value known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from policy_engine.backends.columnar import arithmetic, days
from policy_engine.backends.columnar.plan import ACCOUNTS
from policy_engine.backends.specialize import exact
from policy_engine.language import expressions as tree
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import Matrix, Rules
from policy_engine.language.types import Date, Number
from policy_engine.language.units import Units
from policy_engine.language.values import in_words

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


def margins_of(to: Expressions, logic: DecisionLogic, written: Mapping[int, tree.Node], units: Units) -> Margins:
    """The margins of a decision's rules, each comparison once, under the first rule that asks it.

    `written` are the nodes of the ruleset before it was specialized, by their numbers, `units` those of its parts.
    """
    asked: dict[tree.Node, tuple[str, tree.Compare]] = {}
    for rule, condition in _conditions(logic):
        for node in _Comparisons(to).of(condition):
            asked.setdefault(written[node.id], (rule, node))
    margins = [
        _margin(to, units.common(tree.sides_of(author)) or "", logic.name, rule, node)
        for author, (rule, node) in asked.items()
        if not _asks_for_any(node)
    ]
    found = tuple(margin for margin in margins if margin is not None)
    return Margins(found, len(margins) - len(found))


def _conditions(logic: DecisionLogic) -> Iterator[tuple[str, tree.Condition]]:
    if isinstance(logic.body, Rules):
        yield from ((rule.id, rule.when) for rule in logic.body.rules)
    elif isinstance(logic.body, Matrix):
        yield from ((cell.id, cell.when) for cell in logic.body.cells if cell.when is not None)


class _Comparisons:
    """Finds the comparisons by order below a condition that are not constant, through definitions, each of these once."""

    def __init__(self, to: Expressions) -> None:
        self._ruleset = to.ruleset
        self._seen: set[str] = set()

    def of(self, condition: tree.Condition) -> Iterator[tree.Compare]:
        """The comparisons of a condition."""
        if isinstance(condition, tree.Group):
            for part in condition.conditions:
                yield from self.of(part)
        else:
            yield from self._below(condition.tree)

    def _below(self, node: tree.Node) -> Iterator[tree.Compare]:
        if isinstance(node, tree.Compare) and node.operator in TOWARDS:
            yield node
        if isinstance(node, tree.Definition) and node.name not in self._seen:
            self._seen.add(node.name)
            yield from self.of(self._ruleset.definition(node.name).body)
        for child in tree.children(node):
            yield from self._below(child)


def _asks_for_any(node: tree.Compare) -> bool:
    """Whether a comparison only asks if there is any, as `count(...) > 0` does: nobody is near to that."""
    sides = [side for side in (node.left, node.right) if isinstance(side, tree.Literal)]
    return any(type(side) is tree.Literal for side in sides) and any(exact(side) in (0, 1) for side in sides)


def _margin(to: Expressions, unit: str, decision: str, rule: str, node: tree.Compare) -> Margin | None:
    """The margin of a comparison with a constant on one side; None where there is none to measure."""
    text = node.text
    turned = isinstance(node.left, tree.Literal)
    asked, threshold = (node.right, node.left) if turned else (node.left, node.right)
    if not isinstance(threshold, tree.Literal) or len(text) > LONGEST_TEXT or _reads_elements(node):
        return None
    towards = -TOWARDS[node.operator] if turned else TOWARDS[node.operator]
    inclusive = "=" in node.operator
    if isinstance(asked.type, Date) and isinstance(threshold.type, Date):
        column = days.days_between(pl.lit(threshold.value), to.value(asked)) * towards
        return Margin(decision, rule, text, "days", inclusive, 0, DAYS_NEAR, to.plan.named(ACCOUNTS, column))
    if not (isinstance(asked.type, Number) and isinstance(threshold.type, Number)):
        return None
    places = max(asked.type.places, threshold.type.places)
    level = int(exact(threshold) * 10**places)
    column = (arithmetic.rescaled(to.value(asked), asked.type, places) - level) * towards
    within = DAYS_NEAR * 10**places if unit in DAYS else max(1, abs(level) // SHARE_NEAR)
    shown = f"{text} ({_in_words(threshold, places)})" if isinstance(threshold, tree.Constant) else text
    return Margin(decision, rule, shown, unit, inclusive, places, within, to.plan.named(ACCOUNTS, column))


def _reads_elements(node: tree.Node) -> bool:
    """Whether a comparison is about single elements of a list, not about the account."""
    bound = {part.variable for part in tree.walk(node) if isinstance(part, tree.Aggregate)}
    return any(isinstance(part, tree.Variable) and part.name not in bound for part in tree.walk(node))


def _in_words(threshold: tree.Literal, places: int) -> str:
    value = exact(threshold)
    return in_words(decimal_of(int(value * 10**places), places) if value.denominator != 1 else int(value))
