"""Deciding a table in one streamed pass of Polars: its valid rows are decided, the others written with their violations."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import compress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar import ColumnarProgram
from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.plan import at_once, pieced
from policy_engine.backends.columnar.program import HOLDS, PARTS
from policy_engine.backends.columnar.sentences import SENTENCE
from policy_engine.errors import CannotRun, EngineFault, PolicyError, Violation
from policy_engine.reports.causes import Causes
from policy_engine.reports.jobs import Job
from policy_engine.tables.keys import key_column
from policy_engine.tables.row_validation import INVALID, InvalidRow, invalid_frame
from policy_engine.tables.source import reading, streamed

MOST_HELD = 100_000
"""The number of invalid rows that are kept in memory; what comes after them is written to disk."""
ROWS_OF_A_GROUP = 50_000
NULLS = {"min": False, "max": False, "distinct_count": False, "null_count": True}
"""The statistics that are written for each column of a row group."""
SYSTEM = re.compile(r"IO error: (.*) \(os error \d+\)")
"""The message of Polars where the system could not write."""
Watch = Callable[[pl.DataFrame, pl.DataFrame, pl.DataFrame], None]
"""Called with the valid facts, the decisions and the margins of each piece of the table, row by row the same accounts."""
Reject = Callable[[pl.DataFrame], object]
"""Called with the invalid rows (`INVALID`) of each piece, from several threads."""


def decide_table(
    job: Job, decisions: Path, invalid: Path, watch: Sequence[Watch] = (), causes: Causes | None = None
) -> None:
    """Write the decisions about all valid rows of a table, and the violations of all others.

    With `causes`, which columns do not tell, decisions have their sentences.
    Raises `CannotRun` where the table cannot be read to its end, and `EngineFault` where this program fails at a table that can.
    """
    folder = invalid.with_suffix(".parts")
    spill = Spill(folder)
    try:
        with as_engine_fault(job), reading(job.source), writing(decisions.parent):
            write_table(decided(job, spill.add, watch=watch, causes=causes), decisions)
            write_table(told(streamed(spill.frames, INVALID)), invalid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def as_engine_fault(job: Job) -> Iterator[None]:
    """Raise `EngineFault` for every exception that is neither a `PolicyError` nor the system's."""
    try:
        yield
    except (PolicyError, OSError):
        raise
    except (Exception, pl.exceptions.PanicException) as error:
        files = ", ".join(f"`{file}`" for file in job.source.files[:3]) or "a table"
        what = f"this program failed at deciding `{job.ruleset.id}` over {files}, and the table is not at fault"
        first_line = str(error).strip().split("\n", 1)[0]
        raise EngineFault(f"{what} ({type(error).__name__}: {first_line})") from error


def write_table(table: pl.LazyFrame, path: Path) -> None:
    """Write a table, quickly: a higher level hardly makes it smaller, and nobody filters rows by the range of an outcome."""
    table.sink_parquet(path, row_group_size=ROWS_OF_A_GROUP, compression_level=1, statistics=NULLS, engine="streaming")


def decided(
    job: Job,
    reject: Reject,
    decisions: Sequence[str] | None = None,
    watch: Sequence[Watch] = (),
    causes: Causes | None = None,
) -> pl.LazyFrame:
    """The decisions about the valid rows of a table, all of them or those named; the others go to `reject`.

    With `causes`, which columns do not tell, decisions have their sentences.
    """
    program = job.program
    valid = pieced(job.source.frame, partial(valid_rows, job, reject), pl.Schema(schema_of(job.ruleset.facts.type)))
    if program.checks:
        checked = program.checked(valid)
        valid = pieced(checked, partial(true_to_checks, job, reject), checked.collect_schema())
    parts = PARTS if causes is None else (*PARTS, SENTENCE)
    here = parts if job.answers is None else parts[len(PARTS) :]
    answered = program.answered(valid, here, decisions, margins=bool(watch))
    if job.answers is not None:
        fetched = answers_schema(program, decisions)
        with_answers = partial(_with_answers, job.answers, fetched)
        answered = pieced(answered, with_answers, pl.Schema({**answered.collect_schema(), **fetched}))
    if causes is not None:
        answered = pieced(answered, causes, answered.collect_schema())
    if watch:
        answered = pieced(answered, partial(_watched, job, watch), answered.collect_schema())
    key = [key_column(job.key).alias(job.key_column)] if job.key is not None else []
    over = [pl.col(job.over).alias(job.over_column)] if job.over is not None else []
    return answered.select(pl.col(ROW).alias("row"), *key, *over, *program.names(parts, decisions))


def answers_schema(program: ColumnarProgram, decisions: Sequence[str] | None = None) -> pl.Schema:
    """The columns of answers, all of them or those of some decisions."""
    nothing = pl.Schema(schema_of(program.ruleset.facts.type)).to_frame().lazy()
    found = program.answered(nothing, PARTS, decisions).collect_schema()
    return pl.Schema({name: found[name] for name in program.names(PARTS, decisions)})


def _with_answers(answers: Path, schema: pl.Schema, piece: pl.DataFrame) -> pl.DataFrame:
    """A piece of the table with what a database decided about its rows."""
    if not piece.height:
        return piece.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in schema.items())
    first, last = int(piece[ROW][0]), int(piece[ROW][-1])
    near = at_once(pl.scan_parquet(answers, glob=False).select(*schema).slice(first - 1, last - first + 1))
    own = near[piece[ROW] - first]
    undecided = own.select(pl.any_horizontal(pl.col("^.*[.]status$").is_null())).to_series()
    if undecided.any():
        row = piece[ROW].filter(undecided)[0]
        raise ValueError(f"the database takes row {row} for invalid, and it is valid")
    return piece.with_columns(own)


def told(invalid: pl.LazyFrame) -> pl.LazyFrame:
    """Invalid rows with the names of `invalid.parquet`."""
    return invalid.select(pl.col(ROW).alias("row"), pl.exclude(ROW))


def valid_rows(job: Job, reject: Reject, piece: pl.DataFrame) -> pl.DataFrame:
    """The rows of a piece that are valid by the schema."""
    validated = job.source.validate(piece)
    reject(validated.invalid)
    return validated.valid


def true_to_checks(job: Job, reject: Reject, piece: pl.DataFrame) -> pl.DataFrame:
    """The rows of a piece of which no check of the ruleset is false."""
    holds = piece[HOLDS]
    if holds.all():
        return piece
    reject(broken_checks(job, piece.filter(~holds)))
    return piece.filter(holds)


def broken_checks(job: Job, piece: pl.DataFrame) -> pl.DataFrame:
    """Rows of which checks are false, as invalid rows."""
    violations = [Violation("", None, "check", check.because, check.because) for check in job.ruleset.checks]
    rows = zip(piece[ROW].to_list(), job.keys(piece), job.program.broken(piece).iter_rows(), strict=True)
    return invalid_frame([InvalidRow(row, key, list(compress(violations, broken))) for row, key, broken in rows])


def _watched(job: Job, watch: Sequence[Watch], piece: pl.DataFrame) -> pl.DataFrame:
    """The same piece, after each watch was called with it."""
    facts, decisions = piece.select(*schema_of(job.ruleset.facts.type)), piece.select(job.program.names())
    margins = piece.select(str(index) for index in range(len(job.program.margins)))
    for look in watch:
        look(facts, decisions, margins)
    return piece


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise `CannotRun` where Polars fails because the system cannot write files of this folder."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        found = SYSTEM.search(str(error))
        if found is None:
            raise
        raise CannotRun(f"`{folder}` cannot be written: {found[1]}") from None


class InvalidPiece(NamedTuple):
    """The invalid rows of one piece, in memory or in a file, with the numbers of the first and the last row."""

    first: int
    last: int
    rows: pl.DataFrame | Path


@dataclass(slots=True)
class Spill:
    """Collects invalid rows (`INVALID`) of pieces from several threads; past `MOST_HELD` they go to files in `folder`, if any."""

    folder: Path | None = None
    pieces: list[InvalidPiece] = field(default_factory=list)
    held: int = 0
    lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, rows: pl.DataFrame) -> None:
        """Add the invalid rows of a piece, in the order of their numbers."""
        if not rows.height:
            return
        with self.lock:
            path = self._path()
            self.held += rows.height if path is None else 0
            self.pieces.append(InvalidPiece(rows[ROW][0], rows[ROW][-1], rows if path is None else path))
        if path is not None:
            path.parent.mkdir(exist_ok=True)
            rows.write_parquet(path)

    def _path(self) -> Path | None:
        """The file for the next piece, None where it is kept in memory."""
        return (
            self.folder / f"{len(self.pieces)}.parquet" if self.folder is not None and self.held >= MOST_HELD else None
        )

    def frames(self) -> Iterator[pl.DataFrame]:
        """All rows in the order of their numbers; pieces whose numbers overlap are sorted together."""
        yield INVALID.to_frame()
        together: list[InvalidPiece] = []
        for piece in sorted(self.pieces, key=lambda piece: piece.first):
            if together and piece.first > max(one.last for one in together):
                yield _merged(together)
                together = []
            together.append(piece)
        if together:
            yield _merged(together)


def _merged(pieces: list[InvalidPiece]) -> pl.DataFrame:
    frames = (pl.read_parquet(rows, glob=False) if isinstance(rows, Path) else rows for _, _, rows in pieces)
    return pl.concat(frames).sort(ROW)
