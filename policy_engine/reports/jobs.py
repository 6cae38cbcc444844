"""The jobs of a report: each is one ruleset over one opened table, compiled for the day and the readings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import polars as pl

from policy_engine.backends.columnar import ColumnarProgram, prepare
from policy_engine.diagnostics import did_you_mean
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, UnknownReading
from policy_engine.language.readings import choices_of
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Date, Instant, Member, member_of
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.fingerprints import Fingerprints, fingerprints, unchanged
from policy_engine.reports.locating import WHERE_NAMED, Located
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.keys import key_column, key_of
from policy_engine.tables.opening_tables import Options, mapping_of, open_table
from policy_engine.tables.source import Source
from policy_engine.tables.typed_tables import parquet_files


@dataclass(frozen=True, slots=True)
class Job:
    """One ruleset over one table. `over` is the date fact by which outcomes are counted over time.

    `before` are the fingerprints of the table's files, taken before they were opened. `answers` is a Parquet file of what a
    database decided about all rows, in their order, where one did.
    """

    ruleset: Ruleset
    readings: Mapping[str, str]
    place: Path
    source: Source
    program: ColumnarProgram
    over: str | None
    before: Fingerprints = field(default_factory=dict)
    answers: Path | None = None

    @property
    def key(self) -> Member | None:
        """The fact that names the account, where the schema marks one."""
        return key_of(self.ruleset.facts.type)

    @property
    def key_column(self) -> str:
        """The name of the key's column in `decisions.parquet`: that of the fact, unless that is `row`."""
        name = self.key.name if self.key is not None else ""
        return f"key.{name}" if name == "row" else name

    @property
    def over_column(self) -> str:
        """The name of the column of `over` there: that of the fact, unless that name is taken."""
        name = self.over or ""
        return f"over.{name}" if name == "row" or (self.key is not None and name == self.key.name) else name

    def keys(self, facts: pl.DataFrame) -> pl.Series:
        """The keys of accounts as texts, in the order of the facts; nulls where the schema marks no key."""
        if self.key is None:
            return pl.Series("key", [None], dtype=pl.String).new_from_index(0, facts.height)
        return facts.select(key_column(self.key)).to_series()


Announce = Callable[[Job], object]
"""Called with each job before its table is read."""


def jobs_of(engine: Engine, arguments: Arguments, located: Located = WHERE_NAMED) -> list[Job]:
    """The jobs that the arguments of a report ask for, over files where they lie; raises `PolicyError`s."""
    tables = [(name, located.place(place)) for name, place in arguments.tables]
    maps = {name: located.place(file) for name, file in arguments.maps.items()}
    file = FileOptions(
        arguments.encoding, arguments.delimiter, arguments.sheet, arguments.header_row, arguments.input_format
    )
    jobs = jobs_for(engine, tables, arguments.as_of, arguments.readings, Options(maps, file), arguments.over)
    return [replace(job, answers=located.answers.get(job.ruleset.id)) for job in jobs]


def jobs_for(
    engine: Engine,
    pairs: Iterable[tuple[str, Path]],
    as_of: date,
    readings: Mapping[str, str],
    options: Options,
    over: Iterable[str] = (),
) -> list[Job]:
    """The jobs of a report, each ruleset once; a reading is switched in every ruleset that has it. Raises `PolicyError`s."""
    pairs, wanted = list(pairs), list(over)
    _refuse_twice([name for name, _ in pairs])
    rulesets = [engine.ruleset(name, as_of) for name, _ in pairs]
    own = [own_readings(ruleset, readings) for ruleset in rulesets]
    unused = [name for name in readings if not any(name in choices for choices in own)]
    if unused:
        raise UnknownReading(f"none of the rulesets has a reading `{unused[0]}` that can be switched")
    for fact in wanted:
        _refuse_unknown_date(fact, rulesets)
    return [
        job_of_file(
            ruleset, choices, place, as_of, options, next((fact for fact in wanted if _is_date(ruleset, fact)), None)
        )
        for ruleset, choices, (_, place) in zip(rulesets, own, pairs, strict=True)
    ]


def job_of_file(
    ruleset: Ruleset, readings: Mapping[str, str], place: Path, as_of: date, options: Options, over: str | None = None
) -> Job:
    """A job whose table is opened; fingerprints are taken first, so that every later change is seen."""
    before = fingerprints([*_files_at(place), *options.maps.values()])
    with unchanged(before):
        before = {**before, **fingerprints(mapping_of(ruleset.id, ruleset.facts, options).files)}
        source = open_table(ruleset.id, place, ruleset.facts, options)
    come = [file for file in source.files if file not in before]
    if come:
        raise CannotRun(f"`{come[0]}` came while `{place}` was opened; run the report again when nobody writes there")
    return Job(ruleset, readings, place, source, prepare(ruleset, readings, as_of, margins=True), over, before)


def _files_at(place: Path) -> list[Path]:
    try:
        return parquet_files(place)
    except CannotRun:
        return []  # whoever opens the table says why


def own_readings(ruleset: Ruleset, readings: Mapping[str, str]) -> dict[str, str]:
    """Those of the readings that this ruleset has; raises `UnknownReading` for a choice that it has not."""
    free = {reading.name for reading in ruleset.readings if not reading.fixed}
    own = {name: choice for name, choice in readings.items() if name in free}
    choices_of(ruleset, own)
    return own


def _refuse_twice(names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CannotRun(f"`{twice}` is named twice; make a report for each of its files, or name a folder of files")


def _is_date(ruleset: Ruleset, fact: str) -> bool:
    member = member_of(ruleset.facts.type, fact)
    return member is not None and isinstance(member.type, Date | Instant)


def _refuse_unknown_date(fact: str, rulesets: list[Ruleset]) -> None:
    if any(_is_date(ruleset, fact) for ruleset in rulesets):
        return
    names = [m.name for ruleset in rulesets for m in ruleset.facts.type.members if _is_date(ruleset, m.name)]
    hint = did_you_mean(fact, names) or (f"there is {', '.join(dict.fromkeys(names))}" if names else "there is none")
    raise CannotRun(f"`{fact}` is no date among the facts; {hint}")
