"""How far accounts lie from the thresholds of the rules: a column for each comparison with a constant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from policy_engine.backends.columnar import arithmetic, days
from policy_engine.backends.columnar.plan import ACCOUNTS
from policy_engine.language import expressions as tree
from policy_engine.language.mentions import logic_of
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import DecisionLogic, Matrix, Rules, Ruleset
from policy_engine.language.specialize import exact
from policy_engine.language.types import Date, Number
from policy_engine.language.units import written_units
from policy_engine.language.values import in_words

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions

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
    """The margins of all decisions, and how many comparisons of their rules have none.

    Those compare instants, ratios, two values of an account, or elements of a list; or their text is too long to be shown.
    """

    found: tuple[Margin, ...] = ()
    left_out: int = 0


def margins_of(to: Expressions, written: Ruleset, specialized: Ruleset) -> Margins:
    """The margins of all decisions; in each every comparison once, under the first rule that asks it.

    Units, and what counts as the same comparison, are those of the ruleset as it was written, with its parameters and readings.
    """
    conditions = [*(each.body for each in written.definitions), *chain.from_iterable(map(logic_of, written.decisions))]
    parts = chain.from_iterable(map(tree.expressions_of, conditions))
    nodes = {node.id: node for part in parts for node in tree.walk(part.tree)}
    units, margins = written_units(written), []
    for logic in specialized.decisions:
        asked: dict[tree.Node, tuple[str, tree.Compare]] = {}
        for rule, condition in _conditions(logic):
            for node in _comparisons(specialized, condition, set()):
                asked.setdefault(nodes[node.id], (rule, node))
        for author, (rule, node) in asked.items():
            if not _asks_for_any(node):
                unit = units.common(tree.sides_of(author))
                margins.append(_margin(to, unit.words if unit else "", logic.name, rule, node))
    found = tuple(margin for margin in margins if margin is not None)
    return Margins(found, len(margins) - len(found))


def _conditions(logic: DecisionLogic) -> Iterator[tuple[str, tree.Condition]]:
    if isinstance(logic.body, Rules):
        yield from ((rule.id, rule.when) for rule in logic.body.rules)
    elif isinstance(logic.body, Matrix):
        yield from ((cell.id, cell.when) for cell in logic.body.cells if cell.when is not None)


def _comparisons(ruleset: Ruleset, condition: tree.Condition, seen: set[str]) -> Iterator[tree.Compare]:
    """The comparisons by order below a condition, also in the definitions it uses; those already `seen` are left out."""
    for expression in tree.expressions_of(condition):
        for node in tree.walk(expression.tree):
            if isinstance(node, tree.Compare) and node.operator in TOWARDS:
                yield node
            if isinstance(node, tree.Definition) and node.name not in seen:
                seen.add(node.name)
                yield from _comparisons(ruleset, ruleset.definition(node.name).body, seen)


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
