"""Making a report from arguments alone, as verifying it does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from policy_engine.engine import Engine
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.jobs import Job, jobs_for
from policy_engine.reports.run import Done, run_report
from policy_engine.tables.csv_files import CsvOptions
from policy_engine.tables.opening_tables import Options


def options_of(arguments: Arguments) -> Options:
    """How the tables are read."""
    maps: Mapping[str, Path] = {name: Path(file) for name, file in arguments.maps.items()}
    return Options(maps, CsvOptions(arguments.encoding, arguments.delimiter))


def jobs_of(engine: Engine, arguments: Arguments) -> list[Job]:
    """The jobs that arguments ask for; raises `PolicyError`s."""
    tables = [(name, Path(place)) for name, place in arguments.tables]
    return jobs_for(engine, tables, arguments.as_of, arguments.readings, options_of(arguments), arguments.over)


def make_again(arguments: Arguments, out: Path) -> tuple[Engine, Done]:
    """A report in a folder; raises `PolicyError`s."""
    engine = Engine.load(arguments.rules, arguments.schemas, only=[name for name, _ in arguments.tables])
    return engine, run_report(engine, jobs_of(engine, arguments), arguments, out)
