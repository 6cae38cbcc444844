"""What a comparison for customers withholds: facts that a schema marks `x-sensitive`, and all that would tell their values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from policy_engine.language import expressions as tree
from policy_engine.language.mentions import sensitivity_of
from policy_engine.reports.comparison.attributions import Attributions
from policy_engine.reports.comparison.pairing import as_condition, words
from policy_engine.reports.explanations import MASK
from policy_engine.reports.jobs import Job
from policy_engine.reports.withholding import withheld

TELLING = ("old_reason", "new_reason")


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is withheld of both sides, nothing where no fact is sensitive.

    `columns` are those of answers that would tell a sensitive fact, `conditions` the words of those that would. `reasons` where
    reasons and violations may, `key` where the key is sensitive.
    """

    columns: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    reasons: bool = False
    key: bool = False

    def applied(self, changes: pl.DataFrame) -> pl.DataFrame:
        """Changes without what is withheld."""
        if not self.reasons or not changes.height:
            return changes
        decision, part = pl.col("decision").cast(pl.String), pl.col("part")
        by_rule = pl.concat_str(decision, pl.lit(".rule")).is_in(self.columns)
        own = pl.concat_str(decision, pl.lit("."), part).is_in(self.columns) | (by_rule & (part == "rules"))
        words_ = [pl.col(name).cast(pl.String) for name in ("condition", "old_condition")]
        tells = pl.any_horizontal(each.is_in(self.conditions).fill_null(False) for each in words_) | (decision == "")
        masked = {
            "old": own,
            "new": own,
            "old_rules": by_rule,
            "new_rules": by_rule,
            "old_value": tells,
            "new_value": tells,
        }
        nothing = {"difference": own, "rule": by_rule, **dict.fromkeys(TELLING, pl.lit(True)), "key": pl.lit(self.key)}
        return changes.with_columns(
            *(_masked(name, where) for name, where in masked.items()),
            *(pl.when(~where).then(pl.col(name)).alias(name) for name, where in nothing.items()),
        )


def _masked(name: str, where: pl.Expr) -> pl.Expr:
    """A column with a mask in place of the texts that are withheld."""
    return pl.when(where & pl.col(name).is_not_null()).then(pl.lit(MASK)).otherwise(pl.col(name)).alias(name)


def hidden_from_customers(jobs: tuple[Job, Job], attributions: Attributions) -> Hidden:
    """What a customer is not told of a comparison."""
    found = [withheld(job) for job in jobs]
    if not any(one.facts for one in found):
        return Hidden()
    columns = frozenset(column for one in found for column in one.columns)
    return Hidden(columns, frozenset(_conditions(attributions)), reasons=True, key=any(one.key for one in found))


def _conditions(attributions: Attributions) -> Iterator[str]:
    """The words of the parts of conditions that read a sensitive fact."""
    pairing = attributions.pairing
    sides = [sensitivity_of(trees.ruleset) for trees in (pairing.old, pairing.new)]
    for part in pairing.parts:
        for is_sensitive, written in zip(sides, (part.old, part.new), strict=True):
            if written is not None and any(map(is_sensitive, tree.expressions_of(as_condition(written)))):
                yield words(written)
