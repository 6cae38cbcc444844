"""Deciding a frame, or a table in a file, to frames: the same columns as those of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import polars as pl

from policy_engine.backends.columnar import ColumnarProgram, prepare
from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.plan import at_once, pieced
from policy_engine.diagnostics import unknown_name
from policy_engine.engine import Engine
from policy_engine.errors import UnknownDecision
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.notebook import text_html
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.causes import Causes
from policy_engine.reports.deciding import Spill, as_engine_fault, decided, told, true_to_checks, valid_rows
from policy_engine.reports.fingerprints import unchanged
from policy_engine.reports.jobs import Job, job_of_file
from policy_engine.tables.frames import like
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.mapping_files import read_mapping
from policy_engine.tables.opening_tables import Options, source_of_frame
from policy_engine.tables.row_validation import INVALID
from policy_engine.tables.source import reading, streamed

Frame = TypeVar("Frame")


@dataclass(frozen=True, slots=True)
class DecidedTable(Generic[Frame]):
    """What came of a table: `decisions` has a row for each valid row, in their order, and `invalid` one for each other row.

    Their columns are those of `decisions.parquet` and `invalid.parquet` in a report. `row` counts the rows of the table from 1.
    `notes` are sentences about the table, such as of columns that are no facts.
    """

    decisions: Frame
    invalid: Frame
    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """The table in a notebook: its frames as they show themselves; those that would have to be read only by their type."""
        frames = {"decisions": self.decisions, "invalid rows": self.invalid}
        shown = (f"<p><strong>{name}</strong></p>{_html(frame)}" for name, frame in frames.items())
        notes = (f"<p>{text_html(note)}</p>" for note in self.notes)
        return f"<div>{''.join([*shown, *notes])}</div>"


def _html(frame: Any) -> str:
    is_read = type(frame).__name__ == "DataFrame"
    return str(frame._repr_html_()) if is_read else f"<p>{text_html(type(frame).__name__)}</p>"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each row of a frame. `decisions` are those that are wanted, in the order of the file; None for all."""

    ruleset: Ruleset
    as_of: date
    readings: Mapping[str, str]
    decisions: Sequence[str] | None
    mapping: TableMapping
    reasons: bool

    def program(self) -> ColumnarProgram:
        """The ruleset compiled."""
        return prepare(self.ruleset, self.readings, self.as_of)

    def job(self, table: Any, program: ColumnarProgram) -> Job:
        """The job of deciding a frame; raises `CannotRun`, and `TypeError` for what is none."""
        source = source_of_frame(table, self.ruleset.facts, self.mapping)
        return Job(self.ruleset, self.readings, Path(), source, program, None)

    def decided(self, job: Job) -> DecidedTable[pl.DataFrame]:
        """What comes of a job, read at once."""
        spill = Spill()
        with as_engine_fault(job), reading(job.source):
            causes = _causes(job, reasons=self.reasons)
            answers = decided(job, spill.add, self.decisions, causes=causes).collect(engine="streaming")
            invalid = told(streamed(spill.frames, INVALID)).collect()
        return DecidedTable(answers, invalid, (*job.source.warnings, *job.source.notes()))


def question_of(
    ruleset: Ruleset,
    as_of: date,
    readings: Mapping[str, str],
    decisions: Iterable[str] | None,
    mapping: Path | None,
    *,
    reasons: bool,
) -> Question:
    """A question by names that a caller gives; raises `CannotRun` and `UnknownDecision`."""
    names = read_mapping(mapping, ruleset.facts) if mapping is not None else NOTHING
    return Question(ruleset, as_of, readings, _wanted(ruleset, decisions), names, reasons)


def decide_frame(table: Any, question: Question) -> DecidedTable[Any]:
    """Decide a frame of any library; of a lazy frame both results are lazy. Raises `PolicyError`s."""
    job = question.job(table, question.program())
    return _lazy(job, question) if isinstance(table, pl.LazyFrame) else _like(table, question.decided(job))


def decide_file(table: Path, question: Question, mapping: Path | None) -> DecidedTable[pl.DataFrame]:
    """Decide the table in a file, whose mapping file is named; raises `PolicyError`s."""
    options = Options({"": mapping} if mapping is not None else {})
    job = job_of_file(question.ruleset, question.readings, table, question.as_of, options)
    with unchanged(job.before):
        return question.decided(job)


def _wanted(ruleset: Ruleset, decisions: Iterable[str] | None) -> list[str] | None:
    """The decisions that are named, in the order of the file."""
    if decisions is None:
        return None
    named = [decisions] if isinstance(decisions, str) else list(decisions)
    known = [logic.name for logic in ruleset.decisions]
    for name in named:
        if name not in known:
            raise UnknownDecision(unknown_name(f"decision of `{ruleset.id}`", name, known))
    return [name for name in known if name in named]


def _causes(job: Job, *, reasons: bool) -> Causes | None:
    """What sentences need: they are about the ruleset of the job, whatever the caller's engine reads next."""
    return Causes(Engine(Rulebook((job.ruleset,), ())), job.program, job.readings) if reasons else None


def _like(table: Any, found: DecidedTable[pl.DataFrame]) -> DecidedTable[Any]:
    """The same in frames of the table's kind."""
    answered, rejected = (like(table, frame, frame["row"]) for frame in (found.decisions, found.invalid))
    return DecidedTable(answered, rejected, found.notes)


def _lazy(job: Job, question: Question) -> DecidedTable[pl.LazyFrame]:
    causes = _causes(job, reasons=question.reasons)
    answers = decided(job, lambda _: None, question.decisions, causes=causes)
    invalid = pieced(job.source.frame, partial(_rejected, job), INVALID)
    return DecidedTable(answers, told(invalid), job.source.warnings)


def _rejected(job: Job, piece: pl.DataFrame) -> pl.DataFrame:
    """The invalid rows of a piece."""
    found: list[pl.DataFrame] = []
    valid = valid_rows(job, found.append, piece)
    if job.program.checks:
        true_to_checks(job, found.append, at_once(job.program.checked(valid.lazy())))
    return pl.concat(found).sort(ROW)
