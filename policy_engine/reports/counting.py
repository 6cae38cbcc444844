"""Counting what lies in a report's Parquet files, as it streams by: memory does not grow with the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl

from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import DecisionLogic, Matrix, Ruleset, conclusions_of
from policy_engine.language.types import Boolean, Date, Instant, Number, Text, Type
from policy_engine.reports.periods import over_time
from policy_engine.reports.totals import (
    Counts,
    DecisionTotals,
    Example,
    MissingFact,
    NearMiss,
    RulesetTotals,
    ValueTotals,
    ViolationTotals,
    ranked,
)

EXAMPLES = 5
"""So many records are shown for each kind of violation; invalid.parquet holds all."""

SEPARATOR = "\n"
"""Joins the names of a list; no outcome, rule or schema path holds a line break."""

ELSE = ":else"
"""Ends the reason code of a matrix cell's else branch."""

CALCULATED, NOTHING_APPLIES = "(calculated)", "(nothing applies)"
"""What stands in the place of an outcome over time, where there is none; other statuses stand in parentheses too."""

Answers = Mapping[str, pl.DataFrame]


def ruleset_totals(
    ruleset: Ruleset,
    decisions: Path,
    invalid: Path,
    *,
    inputs: Iterable[str],
    readings: Mapping[str, str],
    over: str | None = None,
    near_misses: Iterable[NearMiss] = (),
) -> RulesetTotals:
    """The totals of a ruleset from its `decisions.parquet` and `invalid.parquet`.

    `inputs` are the names of the files decided on, `readings` the choices taken, `over` the date fact among the columns of
    `decisions` by which outcomes are counted over time.
    """
    table, wrong = pl.scan_parquet(decisions), pl.scan_parquet(invalid)
    questions = _questions(ruleset, table, wrong, over)
    answers = dict(zip(questions, pl.collect_all(list(questions.values()), engine="streaming"), strict=True))
    valid, invalid_rows = answers["valid"].item(), answers["invalid"].item()
    return RulesetTotals(
        ruleset=ruleset.id,
        title=ruleset.title,
        version=ruleset.version,
        digest=ruleset.digest,
        readings=dict(readings),
        inputs=tuple(inputs),
        rows=valid + invalid_rows,
        valid=valid,
        invalid=invalid_rows,
        undetermined=answers[Status.UNDETERMINED].item(),
        gaps=answers[Status.GAP].item(),
        violations=tuple(_violations(answers["violations"], wrong)),
        decisions=tuple(_decision(logic, answers, over) for logic in ruleset.decisions),
        near_misses=tuple(near_misses),
    )


def _questions(ruleset: Ruleset, table: pl.LazyFrame, wrong: pl.LazyFrame, over: str | None) -> dict[str, pl.LazyFrame]:
    """All that is asked of the two tables, to be answered in one go."""
    asked = {"valid": table.select(pl.len()), "invalid": wrong.select(pl.len()), "violations": _kinds_of(wrong)}
    for status in (Status.UNDETERMINED, Status.GAP):
        any_such = pl.any_horizontal(_text(f"{logic.name}.status") == status for logic in ruleset.decisions)
        asked[status] = table.filter(any_such).select(pl.len())
    columns = table.collect_schema()
    for logic in ruleset.decisions:
        asked[f"{logic.name}.answers"] = _grouped(table, _answer_of(logic, columns))
        undetermined = table.filter(_text(f"{logic.name}.status") == Status.UNDETERMINED)
        missing = {"missing": _joined(f"{logic.name}.missing", columns).fill_null("")}
        asked[f"{logic.name}.missing"] = _grouped(undetermined, missing)
        if over is not None:
            parts = {"month": _month(over, columns, ruleset.timezone), "series": _series(logic, columns)}
            asked[f"{logic.name}.over"] = _grouped(table, parts)
        for name, kind in logic.value_types:
            asked[f"{logic.name}.{name}"] = _value_question(table, f"{logic.name}.{name}", kind)
    return asked


def _grouped(table: pl.LazyFrame, parts: Mapping[str, pl.Expr]) -> pl.LazyFrame:
    """How often each combination comes, in `len`."""
    return table.select(**parts).group_by(*parts).len()


def _text(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String)


def _joined(column: str, columns: pl.Schema) -> pl.Expr:
    """A column as text, a list's elements joined; null where there is no such column."""
    if column not in columns:
        return pl.lit(None, pl.String)
    if isinstance(columns[column], pl.List):
        return pl.col(column).cast(pl.List(pl.String)).list.join(SEPARATOR)
    return _text(column)


def _answer_of(logic: DecisionLogic, columns: pl.Schema) -> dict[str, pl.Expr]:
    parts = ("status", "outcome", "rule", "reason")
    return {part: _joined(f"{logic.name}.{part}", columns) for part in parts}


def _series(logic: DecisionLogic, columns: pl.Schema) -> pl.Expr:
    """The outcome, or what stands in its place."""
    status, outcome = _text(f"{logic.name}.status"), _joined(f"{logic.name}.outcome", columns)
    decided = pl.when(outcome == "").then(pl.lit(NOTHING_APPLIES)).otherwise(outcome.fill_null(CALCULATED))
    return pl.when(status == Status.DECIDED).then(decided).otherwise(pl.format("({})", status))


def _month(fact: str, columns: pl.Schema, timezone: str) -> pl.Expr:
    """The first day of a date's month; an instant's date is that of the ruleset's time zone."""
    column = pl.col(fact)
    if isinstance(columns[fact], pl.Datetime):
        column = column.dt.convert_time_zone(timezone).dt.date()
    return column.dt.truncate("1mo")


def _value_question(table: pl.LazyFrame, column: str, kind: Type) -> pl.LazyFrame:
    known = table.select(pl.col(column)).drop_nulls()
    value = pl.col(column)
    if _is_closed(kind):
        return known.group_by(value.cast(pl.String)).len()
    if not isinstance(kind, Number | Date | Instant):
        return known.select(pl.len())
    middle = value.sort().gather((pl.len() - 1) // 2)
    return known.select(pl.len(), lowest=value.min(), median=middle.first(), highest=value.max())


def _is_closed(kind: Type) -> bool:
    return isinstance(kind, Boolean) or (isinstance(kind, Text) and kind.values is not None)


def _decision(logic: DecisionLogic, answers: Answers, over: str | None) -> DecisionTotals:
    rows = list(answers[f"{logic.name}.answers"].iter_rows())
    missing = dict(answers[f"{logic.name}.missing"].iter_rows())
    facts = tuple(_missing_facts(missing))
    settles = max(facts, key=lambda fact: fact.alone, default=None)
    return DecisionTotals(
        decision=logic.name,
        statuses=_counts(Status, ((row[0], row[4]) for row in rows)),
        outcomes=_counts(logic.outcomes, ((row[1], row[4]) for row in rows)),
        rules=_counts(dict.fromkeys(id_ for id_, _ in conclusions_of(logic.body)), ((row[2], row[4]) for row in rows)),
        reasons=_counts(_reasons_of(logic), ((_reason(row), row[4]) for row in rows)),
        nothing_applies=sum(row[4] for row in rows if row[0] == Status.DECIDED and row[1] == ""),
        missing=facts,
        settles_most=settles if settles is not None and settles.alone else None,
        no_fact_missing=missing.get("", 0),
        values=tuple(_value(name, kind, answers[f"{logic.name}.{name}"]) for name, kind in logic.value_types),
        over_time=over_time(over, _dated(answers[f"{logic.name}.over"])) if over is not None else None,
    )


def _reason(row: tuple[str | None, ...]) -> str | None:
    """The reason code; where a decision has none, its rules are its reasons."""
    return row[2] if row[3] is None else row[3]


def _reasons_of(logic: DecisionLogic) -> Iterator[str]:
    """Every reason code that a decision can give."""
    if isinstance(logic.body, Matrix):
        for cell in logic.body.cells:
            yield from (cell.id, f"{cell.id}{ELSE}") if cell.otherwise is not None else (cell.id,)
    else:
        yield from (id_ for id_, _ in conclusions_of(logic.body))


def _counts(names: Iterable[str], found: Iterable[tuple[str | None, int]]) -> Counts:
    """How often each name came, those that never did included; joined names count each."""
    counts = Counter({str(name): 0 for name in names})
    for joined, count in found:
        counts.update({name: count for name in (joined or "").split(SEPARATOR) if name})
    return ranked(counts)


def _dated(frame: pl.DataFrame) -> Iterator[tuple[object, str, int]]:
    for month, joined, count in frame.select("month", "series", "len").iter_rows():
        yield from ((month, name, count) for name in joined.split(SEPARATOR))


def _missing_facts(counts: Mapping[str, int]) -> Iterator[MissingFact]:
    """The facts that undetermined records lack, those that most records lack first."""
    lacking: Counter[str] = Counter()
    for joined, count in counts.items():
        lacking.update({path: count for path in joined.split(SEPARATOR) if path})
    for path, rows in ranked(lacking).items():
        yield MissingFact(path, rows, counts.get(path, 0))


def _value(name: str, kind: Type, frame: pl.DataFrame) -> ValueTotals:
    if _is_closed(kind):
        names = kind.values or () if isinstance(kind, Text) else ("true", "false")
        counts = _counts(names, frame.iter_rows())
        return ValueTotals(name, sum(counts.values()), None, None, None, counts)
    known, lowest, median, highest = (*frame.row(0), None, None, None)[:4]
    return ValueTotals(name, known, lowest, median, highest, {})


def _kinds_of(wrong: pl.LazyFrame) -> pl.LazyFrame:
    """Each kind of violation as pointer and keyword, joined; how many rows have it, and the first of them."""
    kinds = wrong.select("row", kind=_kinds()).explode("kind").group_by("kind")
    return kinds.agg(pl.len(), rows=pl.col("row").bottom_k(EXAMPLES))


def _kinds() -> pl.Expr:
    """The kinds of a record's violations, each once."""
    return pl.col("violations").list.eval(_kind(pl.element())).list.unique()


def _kind(violation: pl.Expr) -> pl.Expr:
    parts = violation.struct.field("pointer").str.split("/")
    named = parts.list.eval(pl.element().filter(~pl.element().str.contains(r"^[0-9]+$"))).list.join("/")
    return pl.concat_str(named, violation.struct.field("keyword"), separator=SEPARATOR)


def _violations(kinds: pl.DataFrame, wrong: pl.LazyFrame) -> Iterator[ViolationTotals]:
    """The kinds of violations, the most frequent first, each with its first records."""
    rows = kinds.get_column("rows").explode().unique()
    shown = wrong.filter(pl.col("row").is_in(rows.implode())).sort("row").collect(engine="streaming")
    told = shown.select("row", "key", "violations").explode("violations")
    told = told.with_columns(kind=_kind(pl.col("violations")), message=pl.col("violations").struct.field("message"))
    for kind, count in ranked(dict(kinds.select("kind", "len").iter_rows())).items():
        pointer, keyword = kind.rsplit(SEPARATOR, 1)
        own = told.filter(pl.col("kind") == kind).unique("row", keep="first", maintain_order=True).head(EXAMPLES)
        examples = tuple(Example(*row) for row in own.select("row", "key", "message").iter_rows())
        yield ViolationTotals(pointer, keyword, count, examples)
