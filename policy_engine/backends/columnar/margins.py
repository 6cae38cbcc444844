"""How far accounts lie from the thresholds of the rules: a column for each comparison with something settled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import polars as pl

from policy_engine.backends.columnar import arithmetic, days
from policy_engine.backends.columnar.plan import ACCOUNTS
from policy_engine.backends.settled import OPEN
from policy_engine.language import expressions as tree
from policy_engine.language.rounding import decimal_of
from policy_engine.language.rulesets import Matrix, Rules
from policy_engine.language.types import Date, Number
from policy_engine.language.values import Value, in_words

if TYPE_CHECKING:
    from policy_engine.backends.columnar.expressions import Expressions
    from policy_engine.language.rulesets import DecisionLogic

TOWARDS = {"<": -1, "<=": -1, ">": 1, ">=": 1}
"""Where the left side has to go for the comparison to hold."""
DAYS_NEAR, SHARE_NEAR = 7, 10
"""Near are so many days, or else a tenth of the threshold."""


@dataclass(frozen=True, slots=True)
class Margin:
    """The distance of accounts to the threshold of one comparison, in units of 10**-`places`.

    It is positive towards where the comparison holds, and where it is nought the comparison holds if it is `inclusive`.
    `within` is the distance that counts as near, in the same units. `unit` is "days", a parameter's unit or "".
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


def margins_of(to: Expressions, logic: DecisionLogic) -> Iterator[Margin]:
    """The margins of a decision's rules, each comparison once, under the first rule that asks it."""
    seen: set[str] = set()
    for rule, condition in _conditions(to, logic):
        for node in _comparisons(to, condition):
            found = _margin(to, logic.name, rule, node)
            if found is not None and found.comparison not in seen:
                seen.add(found.comparison)
                yield found


def _conditions(to: Expressions, logic: DecisionLogic) -> Iterator[tuple[str, tree.Condition]]:
    if isinstance(logic.body, Rules):
        yield from ((rule.id, rule.when) for rule in logic.body.rules if to.settled.in_force(rule.period))
    elif isinstance(logic.body, Matrix):
        yield from ((cell.id, cell.when) for cell in logic.body.cells if cell.when is not None)


def _comparisons(to: Expressions, condition: tree.Condition) -> Iterator[tree.Compare]:
    """The comparisons of an account's own values, through definitions; those of single elements of a list have no threshold."""
    if to.settled.condition(condition) is not OPEN:
        return
    if isinstance(condition, tree.Group):
        for part in condition.conditions:
            yield from _comparisons(to, part)
    else:
        yield from _below(to, condition.tree)


def _below(to: Expressions, node: tree.Node) -> Iterator[tree.Compare]:
    if to.settled.constant(node) is not OPEN or isinstance(node, tree.Aggregate):
        return
    if isinstance(node, tree.Compare) and node.operator in TOWARDS:
        yield node
    if isinstance(node, tree.Definition):
        body = next(d.body for d in to.settled.ruleset.definitions if d.name == node.name)
        yield from _comparisons(to, body)
    for child in tree.children(node):
        yield from _below(to, child)


def _margin(to: Expressions, decision: str, rule: str, node: tree.Compare) -> Margin | None:
    """The margin of a comparison with something settled on one side, None for any other."""
    left, right = to.settled.constant(node.left), to.settled.constant(node.right)
    if (left is OPEN) == (right is OPEN):
        return None
    towards = TOWARDS[node.operator]
    asked, threshold, settled = (node.left, node.right, right) if left is OPEN else (node.right, node.left, left)
    towards = towards if left is OPEN else -towards
    kinds = asked.type, threshold.type
    words = f"{described(node.left)} {node.operator} {described(node.right)}"
    unit = _unit(to, threshold) or _unit(to, asked)
    if isinstance(threshold, tree.Literal) and unit != "days":
        return None  # whether there is any is no threshold
    if isinstance(kinds[0], Date) and isinstance(kinds[1], Date):
        column = days.days_between(pl.lit(settled), to.value(asked)) * towards
        return Margin(
            decision, rule, words, "days", "=" in node.operator, 0, DAYS_NEAR, to.plan.named(ACCOUNTS, column)
        )
    if not (isinstance(kinds[0], Number) and isinstance(kinds[1], Number)):
        return None
    places = max(kinds[0].places, kinds[1].places)
    level = int(settled * 10**places)
    column = (arithmetic.rescaled(to.value(asked), kinds[0], places) - level) * towards
    within = DAYS_NEAR if unit == "days" else max(1, abs(level) // SHARE_NEAR)
    words = f"{words} ({in_words(_plain(settled, places))})" if not isinstance(threshold, tree.Literal) else words
    named = to.plan.named(ACCOUNTS, column)
    return Margin(decision, rule, words, unit, "=" in node.operator, places, within, named)


def _plain(settled: Fraction, places: int) -> Value:
    return decimal_of(int(settled * 10**places), places) if settled.denominator != 1 else int(settled)


def described(node: tree.Node) -> str:
    """A part of an expression in the words of the rule file."""
    match node:
        case tree.Fact(name=name) | tree.Definition(name=name) | tree.Parameter(name=name) | tree.Variable(name=name):
            return name
        case tree.Literal(value=value):
            return in_words(value)
        case tree.MemberOf(record=record, name=name):
            return f"{described(record)}.{name}"
        case tree.DecisionPart(decision=decision, part=part):
            return f"decisions.{decision}.{part}"
        case tree.Call(function=function, arguments=arguments):
            return f"{function}({', '.join(map(described, arguments))})"
        case tree.Arithmetic(operator=operator, left=left, right=right):
            return f"{described(left)} {operator} {described(right)}"
        case tree.AsOf():
            return "as_of"
    return "..."


def _unit(to: Expressions, node: tree.Node) -> str:
    """The unit of the parameter that a value comes from, or days where days are counted."""
    ruleset: Any = to.settled.ruleset
    match node:
        case tree.Parameter(name=name):
            return next(p.unit for p in ruleset.parameters if p.name == name) or ""
        case tree.Call(function="days_between" | "weekdays_between"):
            return "days"
        case tree.Definition(name=name):
            body = next(d.body for d in ruleset.definitions if d.name == name)
            return _unit(to, body.tree) if isinstance(body, tree.Expression) else ""
    return next((unit for child in tree.children(node) if (unit := _unit(to, child))), "")
