"""The pass over a table that decides it on both sides, piece by piece.

Where both sides ask for facts of one schema, the table is read and validated once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.plan import pieced
from policy_engine.backends.columnar.program import HOLDS
from policy_engine.reports.comparison.apart import apart
from policy_engine.reports.comparison.attributions import NEW, OLD
from policy_engine.reports.comparison.tally import BOTH, Sides, Tally, validity
from policy_engine.reports.deciding import Spill, as_engine_fault, broken_checks, valid_rows, write_table
from policy_engine.reports.jobs import Job
from policy_engine.tables.source import reading


def pass_over(sides: Sides, folder: Path, changes: Path | None) -> Tally:
    """Decide the table on both sides and count the changes; where `changes` names a file, write them in the order of the rows.

    `folder` is for what is kept on disk meanwhile. Raises `CannotRun` where the table cannot be read to its end, and
    `EngineFault` where this program fails at a table that can.
    """
    tally, spill = Tally(sides.hidden), Spill(folder / "invalid")
    with as_engine_fault(sides.new_job), reading(sides.new_job.source):
        table = _together(sides, spill, tally) if sides.share_facts else apart(sides, folder, tally)
        if changes is not None:
            write_table(table, changes)
        else:
            table.select(pl.len()).collect(engine="streaming")
    for frame in spill.frames():
        tally.add(BOTH, frame)
    return tally


def _together(sides: Sides, spill: Spill, tally: Tally) -> pl.LazyFrame:
    """The changes, each piece validated once, decided on both sides and compared."""
    source, schema = sides.new_job.source, pl.Schema(schema_of(sides.new_job.ruleset.facts.type))
    table = pieced(source.frame, partial(valid_rows, sides.new_job, spill.add), schema)
    carried: list[str] = []
    for name, side in ((OLD, sides.old), (NEW, sides.new)):
        table = side.compared(table, sides.changes.attributions, carried)
        own = side.columns(table.collect_schema(), carried)
        table = table.rename({column: f"{name}{column}" for column in own})
        carried += [f"{name}{column}" for column in own]
    return pieced(table, partial(_changes_of_piece, sides, tally), sides.changes.schema)


def _changes_of_piece(sides: Sides, tally: Tally, piece: pl.DataFrame) -> pl.DataFrame:
    old, new = (_side_of(piece, name) for name in (OLD, NEW))
    holds = old[HOLDS] & new[HOLDS]
    one_sided = [] if holds.all() else list(_invalid_by_checks(sides, tally, piece, old, new))
    if one_sided:
        piece, old, new = (frame.filter(holds) for frame in (piece, old, new))
    tally.compare(piece.height)
    rows = piece.select(row=pl.col(ROW)).with_columns(sides.key_job.keys(piece).alias("key"))
    found = sides.hidden.applied(sides.changes.of(rows, old, new, piece))
    sides.counts.add(found)
    return pl.concat([found, *one_sided]).sort("row", maintain_order=True) if one_sided else found


def _side_of(piece: pl.DataFrame, name: str) -> pl.DataFrame:
    """The columns of a side, by their own names."""
    own = [column for column in piece.columns if column.startswith(name)]
    return piece.select(pl.col(column).alias(column.removeprefix(name)) for column in own)


def _invalid_by_checks(
    sides: Sides, tally: Tally, piece: pl.DataFrame, old: pl.DataFrame, new: pl.DataFrame
) -> Iterator[pl.DataFrame]:
    """The changes of rows of which checks of one side alone are false; those of both are counted."""
    yield sides.changes.schema.to_frame()
    for to, job, frame, mine, other in (
        (OLD, sides.old_job, old, ~old[HOLDS], new[HOLDS]),
        (NEW, sides.new_job, new, ~new[HOLDS], old[HOLDS]),
    ):
        facts = piece.select(schema_of(job.ruleset.facts.type).keys()).hstack(_without_facts(frame, job))
        one = broken_checks(job, facts.filter(mine & other))
        tally.add(to.strip(), one)
        yield sides.hidden.applied(validity(sides.changes.schema, to, one))
        if to == OLD:
            tally.add(BOTH, broken_checks(job, facts.filter(mine & ~other)))


def _without_facts(frame: pl.DataFrame, job: Job) -> pl.DataFrame:
    return frame.drop(schema_of(job.ruleset.facts.type).keys(), strict=False)
