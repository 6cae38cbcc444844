"""The totals of a ruleset, counted from its Parquet files by streaming queries, so that memory does not grow with the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from policy_engine.backends.columnar.zones import date_of
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import Cell, Conclusion, DecisionLogic, Matrix, Ruleset, conclusions_of
from policy_engine.reports.periods import over_time
from policy_engine.reports.totals import (
    Counts,
    DecisionTotals,
    MissingFact,
    MissingTogether,
    NearMiss,
    RulesetTotals,
    Trials,
    ViolationExample,
    ViolationTotals,
    ranked,
)
from policy_engine.reports.values import values_of

EXAMPLES = 5
"""The number of records that are shown for each kind of violation; invalid.parquet holds all."""

MOST_SETS = 10
"""The number of sets of facts missing together that are listed."""

SEPARATOR = "\n"
"""Joins a pointer and a keyword; no keyword holds a line break."""

ELSE = ":else"
"""Ends the reason code of a matrix cell's else branch."""

CALCULATED, NOTHING_APPLIES = "(calculated)", "(nothing applies)"
"""The names of records over time that are decided and have no outcome; the other statuses are in parentheses too."""

Found: TypeAlias = Sequence[tuple[Any, ...]]
"""Groups: the values that the rows of each have in common, and last their number."""


class Over(NamedTuple):
    """A date fact, and the name of its column in `decisions.parquet`."""

    fact: str
    column: str


def ruleset_totals(
    ruleset: Ruleset,
    decisions: Path,
    invalid: Path,
    *,
    inputs: Iterable[str],
    readings: Mapping[str, str],
    over: Over | None = None,
    near_misses: Iterable[NearMiss] = (),
    near_misses_left_out: int = 0,
    trials: Mapping[str, Trials] = MappingProxyType({}),
) -> RulesetTotals:
    """The totals of a ruleset from its `decisions.parquet` and `invalid.parquet`.

    `inputs` are the names of the files decided on, `readings` the choices taken, `over` the date fact by which outcomes are
    counted over time.
    """
    table, wrong = pl.scan_parquet(decisions, glob=False), pl.scan_parquet(invalid, glob=False)
    statuses = _grouped(table, [f"{logic.name}.status" for logic in ruleset.decisions])
    valid, unfit = sum(row[-1] for row in statuses), _collected(wrong.select(pl.len())).item()
    return RulesetTotals(
        ruleset=ruleset.id,
        title=ruleset.title,
        version=ruleset.version,
        digest=ruleset.digest,
        readings=dict(readings),
        inputs=tuple(inputs),
        rows=valid + unfit,
        valid=valid,
        invalid=unfit,
        undetermined=sum(row[-1] for row in statuses if Status.UNDETERMINED in row),
        gaps=sum(row[-1] for row in statuses if Status.GAP in row),
        violations=tuple(_violations(wrong)),
        decisions=tuple(
            _decision(ruleset, logic, table, over, trials.get(logic.name, Trials(0, {}))) for logic in ruleset.decisions
        ),
        near_misses=tuple(near_misses),
        near_misses_left_out=near_misses_left_out,
    )


def _collected(query: pl.LazyFrame) -> pl.DataFrame:
    return query.collect(engine="streaming")


def _grouped(table: pl.LazyFrame, parts: Iterable[str | pl.Expr]) -> Found:
    """Each combination of values, and the number of its rows."""
    return _collected(table.group_by(*parts).len()).rows()


def _decision(
    ruleset: Ruleset, logic: DecisionLogic, table: pl.LazyFrame, over: Over | None, trials: Trials
) -> DecisionTotals:
    columns = table.collect_schema()
    found = _grouped(table, _parts(logic.name, ("status", "outcome", "rule", "reason"), columns))
    missing = _missing(logic.name, table)
    facts = tuple(_missing_facts(missing, trials))
    settles = max((fact for fact in facts if fact.settles), key=lambda fact: fact.settles, default=None)
    return DecisionTotals(
        decision=logic.name,
        statuses=_counts(Status, ((row[0], row[-1]) for row in found)),
        outcomes=_counts(logic.outcomes, ((row[1], row[-1]) for row in found)),
        rules=_counts((id_ for id_, _ in conclusions_of(logic.body)), ((row[2], row[-1]) for row in found)),
        reasons=_counts(reasons_of(logic), ((row[2] if row[3] is None else row[3], row[-1]) for row in found)),
        nothing_applies=sum(row[-1] for row in found if row[:2] == (Status.DECIDED, [])),
        missing=facts,
        missing_together=_together(missing),
        tried=trials.tried,
        settles_most=settles,
        settled_by=_together(trials.alternatives),
        no_fact_missing=missing.get((), 0),
        values=tuple(values_of(ruleset, logic, table)),
        over_time=over_time(over.fact, _dated(logic, table, over.column, ruleset.timezone))
        if over is not None
        else None,
    )


def _parts(name: str, parts: Iterable[str], columns: pl.Schema) -> Iterator[pl.Expr]:
    """The columns of a decision; null for those that it has not."""
    for part in parts:
        column = f"{name}.{part}"
        yield pl.col(column) if column in columns else pl.lit(None, pl.String).alias(column)


def _counts(names: Iterable[str], found: Iterable[tuple[str | list[str] | None, int]]) -> Counts:
    """The number of rows with each name, 0 included; a list counts for each of its names."""
    counts = Counter({str(name): 0 for name in names})
    for what, count in found:
        counts.update(dict.fromkeys(_names(what), count))
    return ranked(counts)


def _names(what: str | list[str] | None) -> list[str]:
    return [what] if isinstance(what, str) else what or []


def _missing(name: str, table: pl.LazyFrame) -> Mapping[tuple[str, ...], int]:
    """The sets of facts that undetermined records lack."""
    undetermined = table.filter(pl.col(f"{name}.status") == Status.UNDETERMINED)
    return {tuple(paths or ()): count for paths, count in _grouped(undetermined, [f"{name}.missing"])}


def _missing_facts(missing: Mapping[tuple[str, ...], int], trials: Trials) -> Iterator[MissingFact]:
    """The facts that undetermined records lack, the most frequent first."""
    lacking: Counter[str] = Counter()
    for paths, count in missing.items():
        lacking.update(dict.fromkeys(paths, count))
    for path, rows in ranked(lacking).items():
        yield MissingFact(path, rows, missing.get((path,), 0), trials.decided.get(path, 0))


def _together(missing: Mapping[tuple[str, ...], int]) -> tuple[MissingTogether, ...]:
    """The sets that come most often."""
    sets = sorted(
        ((paths, count) for paths, count in missing.items() if paths), key=lambda entry: (-entry[1], entry[0])
    )
    return tuple(MissingTogether(paths, count) for paths, count in sets[:MOST_SETS])


def _dated(
    logic: DecisionLogic, table: pl.LazyFrame, over: str, timezone: str
) -> Iterator[tuple[date | None, str, int]]:
    """Days, outcomes, and the number of records; an instant's day is that of the ruleset's time zone."""
    columns = table.collect_schema()
    day = date_of(pl.col(over), timezone) if isinstance(columns[over], pl.Datetime) else pl.col(over)
    for status, outcome, when, count in _grouped(table, [*_parts(logic.name, ("status", "outcome"), columns), day]):
        yield from ((when, name, count) for name in _series(status, outcome))


def _series(status: str, outcome: str | list[str] | None) -> list[str]:
    """The outcomes, or the name of what has none."""
    if status != Status.DECIDED:
        return [f"({status})"]
    return _names(outcome) or [CALCULATED if outcome is None else NOTHING_APPLIES]


def reasons_of(logic: DecisionLogic) -> Iterator[str]:
    """Every reason code that a decision can give."""
    if isinstance(logic.body, Matrix):
        return (code for cell in logic.body.cells for code, _ in branches(cell))
    return (id_ for id_, _ in conclusions_of(logic.body))


def branches(cell: Cell) -> Iterator[tuple[str, Conclusion]]:
    """The reason codes of a cell with what follows from them."""
    yield cell.id, cell.then
    if cell.otherwise is not None:
        yield f"{cell.id}{ELSE}", cell.otherwise


def _violations(wrong: pl.LazyFrame) -> Iterator[ViolationTotals]:
    """The kinds of violations, the most frequent first, each with its first records."""
    kinds = _collected(
        wrong.select("row", kind=pl.col("violations").list.eval(_kind(pl.element())).list.unique())
        .explode("kind")
        .group_by("kind")
        .agg(pl.len(), rows=pl.col("row").bottom_k(EXAMPLES))
    )
    shown = _shown(wrong, kinds.get_column("rows").explode())
    for kind, count in ranked(dict(kinds.select("kind", "len").iter_rows())).items():
        own = shown.filter(pl.col("kind") == kind).unique("row", keep="first", maintain_order=True).head(EXAMPLES)
        examples = tuple(ViolationExample(*row) for row in own.select("row", "key", "message", "pointer").iter_rows())
        pointer, keyword = kind.rsplit(SEPARATOR, 1)
        yield ViolationTotals(pointer, keyword, count, examples)


def _shown(wrong: pl.LazyFrame, rows: pl.Series) -> pl.DataFrame:
    """The violations of some rows, a row for each."""
    shown = _collected(wrong.filter(pl.col("row").is_in(rows.unique().implode()))).sort("row").explode("violations")
    violation = pl.col("violations")
    return shown.select(
        "row",
        "key",
        kind=_kind(violation),
        message=violation.struct.field("message"),
        pointer=violation.struct.field("pointer"),
    )


def _kind(violation: pl.Expr) -> pl.Expr:
    """The pointer of a violation, without positions in lists, and its keyword, joined."""
    parts = violation.struct.field("pointer").str.split("/")
    named = parts.list.eval(pl.element().filter(~pl.element().str.contains(r"^[0-9]+$"))).list.join("/")
    return pl.concat_str(named, violation.struct.field("keyword"), separator=SEPARATOR)
