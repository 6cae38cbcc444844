"""Deciding a frame, or a table in a file, to frames: the same columns as those of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import polars as pl

from policy_engine.backends.columnar import prepare
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
from policy_engine.tables.mapping import NOTHING
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


def decide_table(
    table: Any,
    ruleset: Ruleset,
    as_of: date,
    readings: Mapping[str, str],
    decisions: Iterable[str] | None,
    mapping: Path | None,
    *,
    reasons: bool,
) -> DecidedTable[Any]:
    """Decide a frame of any library, or the table in a file, whose decisions become a Polars frame; raises `PolicyError`s.

    With `reasons` each decision has its sentence. Of a lazy frame both results are lazy.
    """
    wanted = _wanted(ruleset, decisions)
    if isinstance(table, str | Path):
        options = Options({"": mapping} if mapping is not None else {})
        job = job_of_file(ruleset, readings, Path(table), as_of, options)
        with unchanged(job.before):
            return _eager(job, table, wanted, _causes(job, reasons=reasons))
    names = read_mapping(mapping, ruleset.facts) if mapping is not None else NOTHING
    source = source_of_frame(table, ruleset.facts, names)
    job = Job(ruleset, readings, Path(), source, prepare(ruleset, readings, as_of), None)
    causes = _causes(job, reasons=reasons)
    return _lazy(job, wanted, causes) if isinstance(table, pl.LazyFrame) else _eager(job, table, wanted, causes)


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


def _eager(job: Job, table: Any, wanted: Sequence[str] | None, causes: Causes | None) -> DecidedTable[Any]:
    spill = Spill()
    with as_engine_fault(job), reading(job.source):
        answers = decided(job, spill.add, wanted, causes=causes).collect(engine="streaming")
        invalid = told(streamed(spill.frames, INVALID)).collect()
    answered, rejected = (like(table, frame, frame["row"]) for frame in (answers, invalid))
    return DecidedTable(answered, rejected, (*job.source.warnings, *job.source.notes()))


def _lazy(job: Job, wanted: Sequence[str] | None, causes: Causes | None) -> DecidedTable[pl.LazyFrame]:
    answers = decided(job, lambda _: None, wanted, causes=causes)
    invalid = pieced(job.source.frame, partial(_rejected, job), INVALID)
    return DecidedTable(answers, told(invalid), job.source.warnings)


def _rejected(job: Job, piece: pl.DataFrame) -> pl.DataFrame:
    """The invalid rows of a piece."""
    found: list[pl.DataFrame] = []
    valid = valid_rows(job, found.append, piece)
    if job.program.checks:
        true_to_checks(job, found.append, at_once(job.program.checked(valid.lazy())))
    return pl.concat(found).sort(ROW)
