"""Running rulesets over files of accounts: every record is decided or told to be invalid; nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from policy_engine.engine import Engine, chosen
from policy_engine.errors import CannotRun, FactsError, UnknownReading, Violation
from policy_engine.files import whole_folder
from policy_engine.frontend.facts_files import Line, read_lines
from policy_engine.language.decisions import Decision
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.summary import JobSummary, Summary

SUMMARY, DECISIONS, INVALID = "summary.json", "decisions.jsonl", "invalid.jsonl"
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One ruleset over one JSON Lines file."""

    ruleset: Ruleset
    facts: Path
    readings: Mapping[str, str]

    @property
    def key(self) -> str | None:
        """The fact that names the account, where the schema marks one."""
        return next((member.name for member in self.ruleset.facts.type.members if member.key), None)


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files of a report that grow line by line."""

    decisions: TextIO
    invalid: TextIO


def jobs_for(engine: Engine, pairs: Iterable[tuple[str, Path]], as_of: date, readings: Mapping[str, str]) -> list[Job]:
    """The jobs of a report; a reading is switched in every ruleset where it can be. Raises `PolicyError`s."""
    jobs = []
    used: set[str] = set()
    for name, facts in pairs:
        ruleset = engine.ruleset(name, as_of)
        free = {reading.name for reading in ruleset.readings if not reading.fixed}
        own = {reading: choice for reading, choice in readings.items() if reading in free}
        chosen(ruleset, own)
        used.update(own)
        jobs.append(Job(ruleset, facts, own))
        if not facts.is_file():
            raise CannotRun(f"there is no file `{facts}`")
    unused = [reading for reading in readings if reading not in used]
    if unused:
        raise UnknownReading(f"none of the rulesets has a reading `{unused[0]}` that can be switched")
    return jobs


def run_report(engine: Engine, jobs: Iterable[Job], as_of: date, out: Path, progress: Progress) -> Summary:
    """Decide every record of every job and write the report's folder; raises `CannotRun`, and then writes nothing.

    `progress` is told how many bytes of input were read since it was last told.
    """
    with whole_folder(out, SUMMARY) as folder:
        with ExitStack() as stack:
            outputs = Outputs(
                *(stack.enter_context((folder / name).open("w", encoding="utf-8")) for name in (DECISIONS, INVALID))
            )
            summaries = [_run_job(engine, job, as_of, outputs, progress) for job in jobs]
        summary = Summary(as_of, tuple(summaries))
        (folder / SUMMARY).write_text(json.dumps(summary.to_dict(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return summary


def _run_job(engine: Engine, job: Job, as_of: date, outputs: Outputs, progress: Progress) -> JobSummary:
    summary = JobSummary.start(job.ruleset, job.facts)
    for line in read_lines(job.facts):
        key = line.facts.get(job.key) if isinstance(line.facts, dict) and job.key else None
        try:
            answers = _decide(engine, job, line, as_of)
        except FactsError as error:
            told = [violation.to_dict() for violation in error.violations]
            _write(outputs.invalid, {"ruleset": job.ruleset.id, "row": line.number, "key": key, "violations": told})
            summary.count_invalid(line.number, key, error.violations)
        else:
            for answer in answers.values():
                _write(outputs.decisions, {"row": line.number, "key": key, **answer.to_dict()})
            summary.count_valid(line.number, key, answers)
        progress(line.size)
    return summary


def _decide(engine: Engine, job: Job, line: Line, as_of: date) -> dict[str, Decision]:
    if line.fault is not None:
        raise FactsError([Violation("", None, "json", "one JSON object on a line", line.fault)])
    return engine.decide_all(job.ruleset.id, line.facts, as_of=as_of, readings=job.readings)


def _write(file: TextIO, record: Mapping[str, Any]) -> None:
    file.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
