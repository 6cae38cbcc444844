"""Comparing sides that ask for facts of other schemas: the table is read for each, and what they said is read side by side."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.plan import pieced
from policy_engine.backends.columnar.program import HOLDS
from policy_engine.backends.columnar.sentences import SENTENCE
from policy_engine.errors import CannotRun
from policy_engine.reports.comparison.attributions import NEW, OLD
from policy_engine.reports.comparison.prepared import Prepared
from policy_engine.reports.comparison.tally import BOTH, Sides, Tally, validity
from policy_engine.reports.deciding import Spill, broken_checks, told, valid_rows, write_table
from policy_engine.reports.differences import side_by_side
from policy_engine.reports.jobs import Job
from policy_engine.tables.row_validation import INVALID
from policy_engine.tables.source import reading, streamed


def apart(sides: Sides, folder: Path, tally: Tally) -> pl.LazyFrame:
    """The changes, after a pass for each side; raises `CannotRun` where the table is not the same in both."""
    written = {}
    for name, side, job in ((OLD, sides.old, sides.old_job), (NEW, sides.new, sides.new_job)):
        own = folder / name.strip()
        own.mkdir()
        written[name] = _decided_alone(sides, side, job, own)
    old, new = written[OLD], written[NEW]
    if _rows(*old) != _rows(*new):
        raise CannotRun(f"`{sides.new_job.place}` had {_rows(*old)} rows, and {_rows(*new)} when it was read again")
    return streamed(lambda: _changes(sides, tally, old, new), sides.changes.schema)


def _rows(decisions: Path, invalid: Path) -> int:
    tables = (pl.scan_parquet(path, glob=False) for path in (decisions, invalid))
    return sum(int(table.select(pl.len()).collect().item()) for table in tables)


def _decided_alone(sides: Sides, side: Prepared, job: Job, folder: Path) -> tuple[Path, Path]:
    """What one side says of all rows that are valid to it, and the others."""
    spill = Spill(folder / "parts")
    with reading(job.source):
        schema = pl.Schema(schema_of(job.ruleset.facts.type))
        valid = pieced(job.source.frame, partial(valid_rows, job, spill.add), schema)
        table = side.compared(valid, sides.changes.attributions)
        table = pieced(table, partial(_true_to_checks, job, spill), table.collect_schema())
        sentences = {f"{name}.{SENTENCE}": pl.String() for name in side.decisions}
        table = pieced(table, partial(_with_sentences, side), pl.Schema({**table.collect_schema(), **sentences}))
        own = side.columns(table.collect_schema())
        key = pieced(table, partial(_with_key, job), pl.Schema({**table.collect_schema(), "(key)": pl.String()}))
        write_table(key.select(pl.col(ROW).alias("row"), "(key)", *own), folder / "decisions.parquet")
        write_table(told(streamed(spill.frames, INVALID)), folder / "invalid.parquet")
    return folder / "decisions.parquet", folder / "invalid.parquet"


def _true_to_checks(job: Job, spill: Spill, piece: pl.DataFrame) -> pl.DataFrame:
    holds = piece[HOLDS]
    spill.add(broken_checks(job, piece.filter(~holds)))
    return piece.filter(holds)


def _with_sentences(side: Prepared, piece: pl.DataFrame) -> pl.DataFrame:
    return piece.with_columns(side.said(name, piece, piece) for name in side.decisions)


def _with_key(job: Job, piece: pl.DataFrame) -> pl.DataFrame:
    return piece.with_columns(job.keys(piece).alias("(key)"))


def _changes(sides: Sides, tally: Tally, old: tuple[Path, Path], new: tuple[Path, Path]) -> Iterator[pl.DataFrame]:
    """The changes of all rows that both sides decided, and then of those that only one did."""
    yield sides.changes.schema.to_frame()
    one_sided = list(_invalid(sides, tally, old[1], new[1]))
    key = "(key)"
    for pieces in side_by_side(old[0], new[0]):
        both = pieces.shared()
        tally.compare(both.new.height)
        keys = (both.new if sides.key_job is sides.new_job else both.old)[key].alias("key")
        rows = both.new.select("row").with_columns(keys)
        found = sides.hidden.applied(sides.changes.of(rows, both.old, both.new, both.new))
        sides.counts.add(found)
        yield found
    yield from one_sided


def _invalid(sides: Sides, tally: Tally, old: Path, new: Path) -> Iterator[pl.DataFrame]:
    for pieces in side_by_side(old, new):
        tally.add(BOTH, pieces.shared().new)
        for to, frame, rows in ((OLD, pieces.old, pieces.only_old()), (NEW, pieces.new, pieces.only_new())):
            one = frame.filter(pl.col("row").is_in(rows.implode()))
            tally.add(to.strip(), one)
            yield sides.hidden.applied(validity(sides.changes.schema, to, one.rename({"row": ROW})))
