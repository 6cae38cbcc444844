"""Deciding a table in one streamed pass: each piece is judged and decided, and its rows go to one of two files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.errors import CannotRun, Violation
from policy_engine.reports.jobs import Job
from policy_engine.reports.tables.invalid import SCHEMA, Invalid, frame_of, key_text
from policy_engine.reports.tables.judge import Judged
from policy_engine.reports.tables.source import reading

VIOLATIONS = "violations"
WRONG, WRONG_KEY = "(violations)", "(key)"
ROWS_OF_A_GROUP = 50_000
SYSTEM = re.compile(r"IO error: (.*) \(os error \d+\)")
"""How Polars tells that the system could not write."""
Watch = Callable[[pl.DataFrame, pl.DataFrame, pl.DataFrame], None]
"""Is shown of each piece the valid facts, the decisions and the margins, row by row the same accounts."""


def decide_table(job: Job, decisions: Path, invalid: Path, watch: Sequence[Watch] = ()) -> None:
    """Write the decisions about all valid rows of a table, and the violations of all others.

    Raises `CannotRun` where the table cannot be read to its end.
    """
    told = job.source.frame.map_batches(
        lambda piece: _told(job, job.source.judge(piece), watch),  # pieces may be worked on at the same time
        schema=columns_of(job),
        streamable=True,
        predicate_pushdown=False,  # what one sink wants of a piece must not make it another piece than the other's
        projection_pushdown=False,
        slice_pushdown=False,
    )
    right = pl.col(WRONG).is_null()
    valid = told.filter(right).drop(WRONG, WRONG_KEY)
    wrong = told.filter(~right).select("row", pl.col(WRONG_KEY).alias("key"), pl.col(WRONG).alias(VIOLATIONS))
    sinks = [_sink(valid, decisions), _sink(wrong, invalid)]
    with reading(job.source), writing(decisions.parent):
        pl.collect_all(sinks, engine="streaming")


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """While files are written: raises `CannotRun` where the system does not let Polars go on."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        found = SYSTEM.search(str(error))
        if found is None:
            raise
        raise CannotRun(f"`{folder}` cannot be written: {found[1]}") from None


def _sink(frame: pl.LazyFrame, path: Path) -> pl.LazyFrame:
    sink = frame.sink_parquet(path, row_group_size=ROWS_OF_A_GROUP, lazy=True)
    assert sink is not None
    return sink


def columns_of(job: Job) -> pl.Schema:
    """The columns of a piece that was decided, whether or not its rows are valid."""
    return _told(job, job.source.judge(job.source.frame.head(0).collect()), ()).schema


def _told(job: Job, judged: Judged, watch: Sequence[Watch]) -> pl.DataFrame:
    """The decisions about valid rows, and below them the rows that are invalid."""
    told = job.program.run(judged.valid)
    facts, decisions, margins, wrong = judged.valid, told.decisions, told.margins, judged.invalid
    fails = told.broken.select(pl.any_horizontal(pl.all())).to_series() if told.broken.width else None
    if fails is not None and fails.any():
        wrong = _with_broken_checks(job, wrong, facts.filter(fails), told.broken.filter(fails))
        facts, decisions = facts.filter(~fails), decisions.filter(~fails)
        margins = margins.filter(~fails) if margins.width else margins
    for look in watch:
        look(facts, decisions, margins)
    valid = pl.concat([_named(job, facts), decisions], how="horizontal")
    valid = valid.with_columns(
        pl.lit(None, dtype=SCHEMA["violations"]).alias(WRONG), pl.lit(None, dtype=pl.String).alias(WRONG_KEY)
    )
    if not wrong.height:
        return valid
    told_wrong = wrong.select(pl.col(ROW).alias("row"), pl.col(VIOLATIONS).alias(WRONG), pl.col("key").alias(WRONG_KEY))
    return pl.concat([valid, told_wrong], how="diagonal")


def _named(job: Job, facts: pl.DataFrame) -> pl.DataFrame:
    """What names an account beside its decisions: the row, the key, and the date that outcomes are counted by."""
    beside = [name for name in (job.key, job.over) if name is not None]
    return facts.select(pl.col(ROW).alias("row"), *dict.fromkeys(beside))


def _with_broken_checks(job: Job, wrong: pl.DataFrame, facts: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
    """The invalid rows, those included of which a check of the ruleset is false."""
    checks = job.ruleset.checks
    keys = facts[job.key].to_list() if job.key is not None else [None] * facts.height
    rows = [
        Invalid(
            row,
            key_text(key),
            [Violation("", None, "check", c.because, c.because) for c, f in zip(checks, flags, strict=True) if f],
        )
        for row, key, flags in zip(facts[ROW].to_list(), keys, broken.iter_rows(), strict=True)
    ]
    return pl.concat([wrong, frame_of(rows)]).sort(ROW)
