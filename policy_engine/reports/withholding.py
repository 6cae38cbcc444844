"""What a report for customers withholds: the facts that the schema marks `x-sensitive`, and all that would tell their values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.language import expressions as tree
from policy_engine.language.mentions import expressions_in, sensitive_paths, sensitivity_of
from policy_engine.language.rulesets import DecisionLogic, Matrix, Ruleset, conclusions_of
from policy_engine.reports.explanations import MASK
from policy_engine.reports.jobs import Job
from policy_engine.reports.totals import DecisionTotals, RulesetTotals, Sample

NO_VALUE = ("required", "check")
"""Keywords whose violations tell no value."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """What is withheld of one ruleset, nothing where no fact is sensitive.

    `facts` are the paths of sensitive facts, `columns` those of `decisions.parquet` that would tell them, `comparisons` the texts
    of comparisons with them, `over` whether the date is one over which outcomes are counted, `key` whether the key is one.
    """

    facts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    comparisons: frozenset[str] = frozenset()
    over: bool = False
    key: bool = False


def withheld(job: Job) -> Withheld:
    """What a customer is not told of a ruleset over its table."""
    ruleset, facts = job.ruleset, tuple(sensitive_paths(job.ruleset.facts.type))
    if not facts:
        return Withheld()
    over, key = job.over in facts, job.key is not None and job.key.name in facts
    own = [*([job.over_column] if over else []), *([job.key_column] if key else [])]
    columns = (*own, *(column for logic in ruleset.decisions for column in _columns(ruleset, logic)))
    return Withheld(facts, columns, frozenset(_comparisons(ruleset)), over, key)


def _columns(ruleset: Ruleset, logic: DecisionLogic) -> Iterator[str]:
    """Columns of a decision that may tell a sensitive fact: sentences, values resting on one, the cells of a matrix over one."""
    is_sensitive = sensitivity_of(ruleset)
    if isinstance(logic.body, Matrix) and any(map(is_sensitive, (logic.body.rows, logic.body.columns))):
        yield from (f"{logic.name}.rule", f"{logic.name}.reason")
    yield f"{logic.name}.sentence"
    own = [value for _, then in conclusions_of(logic.body) for value in then.values]
    names = dict.fromkeys(value.name for value in (*logic.values, *own) if is_sensitive(value.expression))
    yield from (f"{logic.name}.values.{name}" for name in names)


def _comparisons(ruleset: Ruleset) -> Iterator[str]:
    is_sensitive = sensitivity_of(ruleset)
    for expression in expressions_in(ruleset):
        for node in tree.walk(expression.tree):
            if isinstance(node, tree.Compare) and is_sensitive(replace(expression, tree=node)):
                yield node.text


def withhold_violations(invalid: Path, what: Withheld) -> None:
    """Take the values of sensitive facts out of `invalid.parquet`."""
    if not what.facts:
        return
    violation, keyword = pl.element().struct, pl.element().struct.field("keyword")
    names = violation.field("pointer").str.strip_prefix("/").str.split("/")
    path = names.list.eval(pl.element().filter(~pl.element().str.contains(r"^[0-9]+$"))).list.join(".")
    above = {
        ".".join(parts[:count]) for parts in (fact.split(".") for fact in what.facts) for count in range(len(parts) + 1)
    }
    tells = path.is_in(sorted(above)) & ~keyword.is_in(NO_VALUE)
    expected = pl.format("{}: {} was expected", pl.lit(MASK), violation.field("expected"))
    message = pl.when(keyword == "additionalProperties").then(pl.lit(MASK)).otherwise(expected)
    masked = violation.with_fields(
        value=pl.when(tells).then(None).otherwise(violation.field("value")),
        message=pl.when(tells).then(message).otherwise(violation.field("message")),
    )
    key = [pl.lit(None, pl.String).alias("key")] if what.key else []
    _rewrite(invalid, pl.scan_parquet(invalid, glob=False).with_columns(pl.col("violations").list.eval(masked), *key))


def withhold_columns(decisions: Path, what: Withheld) -> None:
    """Take the columns that tell sensitive facts out of `decisions.parquet`."""
    if what.columns:
        _rewrite(decisions, pl.scan_parquet(decisions, glob=False).drop(what.columns, strict=False))


def _rewrite(path: Path, table: pl.LazyFrame) -> None:
    made = path.with_suffix(".withheld")
    table.sink_parquet(made, compression_level=1, engine="streaming")
    made.replace(path)


def withheld_totals(totals: RulesetTotals, what: Withheld) -> RulesetTotals:
    """The totals without values, near misses and dates that tell sensitive facts."""
    if not what.facts:
        return totals
    near = [one for one in totals.near_misses if one.comparison not in what.comparisons]
    if what.key:
        near = [replace(one, examples=tuple(replace(each, key=None) for each in one.examples)) for one in near]
    decisions = tuple(_of_decision(one, what) for one in totals.decisions)
    return replace(totals, near_misses=tuple(near), decisions=decisions)


def _of_decision(totals: DecisionTotals, what: Withheld) -> DecisionTotals:
    values = tuple(one for one in totals.values if f"{totals.decision}.values.{one.name}" not in what.columns)
    return replace(totals, values=values, over_time=None if what.over else totals.over_time)


def withheld_sample(sample: Sample, what: Withheld) -> Sample:
    """A sample whose sensitive facts are masked. Its explanation is whole: who shows it chooses the reader."""
    facts = {name: _masked(value, name, what.facts) for name, value in sample.facts.items()}
    return replace(sample, facts=facts, key=None if what.key else sample.key)


def _masked(value: Any, path: str, facts: tuple[str, ...]) -> Any:
    """A fact in JSON types, or MASK in its place."""
    if path in facts:
        return MASK
    if isinstance(value, Mapping):
        return {name: _masked(below, f"{path}.{name}", facts) for name, below in value.items()}
    return [_masked(one, path, facts) for one in value] if isinstance(value, list | tuple) else value
