"""What the accounts of a table use of a ruleset: rules, cells and conditions, counted in one streamed pass over columns."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce
from threading import Lock
from typing import Any

import polars as pl

from policy_engine.backends.columnar.condition_inputs import ConditionInputs, ConditionWriter
from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.plan import pieced
from policy_engine.backends.columnar.zones import date_of
from policy_engine.language.types import Instant, ListOf, Record, Type, member_of
from policy_engine.language.uses import EPOCH, Regions, Scale, Use, Uses
from policy_engine.reports.deciding import as_engine_fault, true_to_checks, valid_rows
from policy_engine.reports.jobs import Job
from policy_engine.tables.source import reading

WAY = "(way)"
DAY, KEY = "(day)", "(key)"
"""The columns of each account's day and key, if it has them."""
PARTS = ("status", "rule", "reason")
Found = dict[Hashable, Use]


@dataclass(slots=True)
class Usage:
    """Counts what pieces of the table use; pieces come from several threads.

    `places` has for each condition the columns of its inputs and of where accounts come to it.
    """

    job: Job
    writer: ConditionWriter
    regions: Sequence[Regions]
    rows: int = 0
    valid: int = 0
    counts: dict[Hashable, Found] = field(default_factory=dict)
    filled: dict[str, int] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock, repr=False)

    def columns(self) -> list[pl.Expr]:
        """The columns that are counted beside those of answers."""
        found = []
        for number, each in enumerate(self.writer.found):
            found += [column.alias(_name(number, at)) for at, column in enumerate((*each.inputs, each.where))]
        return found

    def reject(self, invalid: pl.DataFrame) -> None:
        """Count invalid rows."""
        with self.lock:
            self.rows += invalid.height

    def reject_by_checks(self, piece: pl.DataFrame, invalid: pl.DataFrame) -> None:
        """Count the rows of a piece that are invalid by checks, and which of these they break."""
        self.reject(invalid)
        days = piece.select(ROW, _day(self.job).alias(DAY))
        broken = invalid.explode("violations").join(days, on=ROW, how="left")
        told = pl.col("violations").struct.field("message").alias(WAY)
        self._add(("checks",), broken.select(told, ROW, DAY, pl.col("key").alias(KEY)), [WAY])

    def __call__(self, piece: pl.DataFrame) -> pl.DataFrame:
        """Count a piece of valid rows."""
        marked = piece.with_columns(_day(self.job).alias(DAY), self.job.keys(piece).alias(KEY))
        with self.lock:
            self.rows += piece.height
            self.valid += piece.height
        for logic in self.job.program.ruleset.decisions:
            self._add(("way", logic.name), _ways(marked, logic.name), [WAY])
        for number, each in enumerate(self.writer.found):
            names = [_name(number, at) for at in range(len(each.inputs) + 1)]
            self._add(("inputs", number), marked.filter(pl.col(names[-1])), names[:-1])
        for regions in self.regions:
            self._add(("values", regions.fact), marked.with_columns(_region(regions, self.job).alias(WAY)), [WAY])
        self._fill(piece)
        return piece.select(ROW).head(0)

    def _add(self, about: Hashable, frame: pl.DataFrame, by: Sequence[str]) -> None:
        """Count the groups of a table, by some columns."""
        first = pl.col(ROW).arg_min()
        told = (pl.len().alias("(n)"), pl.col(DAY).max(), pl.col(ROW).min(), pl.col(KEY).get(first))
        grouped = frame.group_by(by).agg(*told).rows() if frame.height else []
        with self.lock:
            found = self.counts.setdefault(about, {})
            for *values, accounts, last, row, key in grouped:
                use, group = Use(accounts, last, row, key), tuple(values)
                found[group] = found[group].merged(use) if group in found else use

    def _fill(self, piece: pl.DataFrame) -> None:
        paths = list(_filled(self.job.ruleset.facts.type))
        counts = piece.select(expression.sum().alias(path) for path, expression in paths).row(0)
        with self.lock:
            for (path, _), count in zip(paths, counts, strict=True):
                self.filled[path] = self.filled.get(path, 0) + int(count or 0)

    def found(self) -> Uses:
        """What was counted."""
        checks = {check.because: number for number, check in enumerate(self.job.ruleset.checks)}
        conditions = enumerate(self.writer.found)
        return Uses(
            self.rows,
            self.valid,
            {
                (logic.name, str(way)): use
                for logic in self.job.program.ruleset.decisions
                for (way,), use in self._of("way", logic.name)
                if way is not None
            },
            {_identity(each): dict(self._of("inputs", number)) for number, each in conditions},
            {checks[text]: use for (text,), use in self._of("checks") if text in checks},
            self.filled,
            {
                each.fact: {region: use for (region,), use in self._of("values", each.fact) if region is not None}
                for each in self.regions
            },
            self.writer.left_out,
        )

    def _of(self, *about: Hashable) -> Iterator[tuple[Any, Use]]:
        yield from self.counts.get(about, {}).items()


def usage_of(job: Job, regions: Iterable[Regions]) -> Uses:
    """What the accounts of a table use; `job.over` is the fact that dates them.

    Raises `CannotRun` where the table cannot be read to its end.
    """
    usage = Usage(job, job.program.condition_inputs(), list(regions))
    program = job.program
    with as_engine_fault(job), reading(job.source):
        schema = pl.Schema(schema_of(job.ruleset.facts.type))
        valid = pieced(job.source.frame, partial(valid_rows, job, usage.reject), schema)
        if program.checks:
            checked = program.checked(valid)
            valid = pieced(checked, partial(_true_to_checks, usage), checked.collect_schema())
        answered = program.answered(valid, PARTS, also=usage.columns())
        pieced(answered, usage, pl.Schema({ROW: pl.UInt32()})).collect(engine="streaming")
    return usage.found()


def _true_to_checks(usage: Usage, piece: pl.DataFrame) -> pl.DataFrame:
    return true_to_checks(usage.job, partial(usage.reject_by_checks, piece), piece)


def _name(number: int, at: int) -> str:
    return f"(input {number}.{at})"


def _identity(each: ConditionInputs) -> int:
    return id(getattr(each.condition, "tree", each.condition))


def _day(job: Job) -> pl.Expr:
    """The day of each account, by the fact that dates it."""
    if job.over is None:
        return pl.lit(None, pl.Date)
    member = member_of(job.ruleset.facts.type, job.over)
    assert member is not None
    is_moment = isinstance(member.type, Instant)
    return date_of(pl.col(job.over), job.ruleset.timezone) if is_moment else pl.col(job.over)


def _ways(piece: pl.DataFrame, decision: str) -> pl.DataFrame:
    """The reason code of each decided account; one row for each rule that applies."""
    there = [f"{decision}.{part}" for part in ("reason", "rule") if f"{decision}.{part}" in piece.columns]
    decided = piece.filter(pl.col(f"{decision}.status") == "decided")
    if not there:
        return decided.head(0).with_columns(pl.lit(None, pl.String).alias(WAY))
    if isinstance(decided.schema[there[-1]], pl.List):
        return decided.with_columns(pl.col(there[-1]).alias(WAY)).explode(WAY)
    return decided.with_columns(pl.coalesce(pl.col(name).cast(pl.String) for name in there).alias(WAY))


def _filled(record: Record, path: str = "", above: pl.Expr | None = None) -> Iterator[tuple[str, pl.Expr]]:
    """Every fact, with whether an account has it; of elements of lists, whether any element has it."""
    for member in record.members:
        here = pl.col(member.name) if above is None else above.struct.field(member.name)
        yield from _filled_below(f"{path}{member.name}", here, member.type)


def _filled_below(path: str, here: pl.Expr, kind: Type) -> Iterator[tuple[str, pl.Expr]]:
    yield path, here.is_not_null()
    if isinstance(kind, Record):
        yield from _filled(kind, f"{path}.", here)
    elif isinstance(kind, ListOf) and isinstance(kind.element, Record):
        for below, expression in _filled(kind.element, f"{path}.", pl.element()):
            yield below, here.list.eval(expression).list.any().fill_null(False)


def _region(regions: Regions, job: Job) -> pl.Expr:
    """The region in which the fact of each account lies, null where it is absent."""
    value = pl.col(regions.fact)
    match regions.scale:
        case Scale.WORD:
            return value.cast(pl.String)
        case Scale.DAY:
            value = value.cast(pl.Int32)
        case Scale.AGE:
            value = (job.program.as_of - EPOCH).days - value.cast(pl.Int32)
    passed = [(value > edge).cast(pl.Int32) + (value >= edge).cast(pl.Int32) for edge in regions.edges]
    return reduce(pl.Expr.__add__, passed) if passed else pl.when(value.is_not_null()).then(0)
