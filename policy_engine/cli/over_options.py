"""The options of `policy test --over`: which tables of accounts, how they are read, and what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import typer

from policy_engine.cli import completion
from policy_engine.cli.options import day_of_question, read_input_format, read_maps, read_readings
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun

OverOption = Annotated[
    list[str] | None,
    typer.Option(
        "--over",
        metavar="[RULESET=]TABLE",
        help="With --coverage: also count what the accounts of a table use; - is standard input, log:FILE a decision log; "
        "may be repeated.",
        autocompletion=completion.tables,
    ),
]
DatedByOption = Annotated[
    str | None,
    typer.Option(
        "--dated-by",
        metavar="FACT",
        help="With --over: the date fact by which accounts have used a rule.",
        autocompletion=completion.date_facts,
    ),
]


@dataclass(frozen=True, slots=True)
class Over:
    """Tables of accounts as the command names them, with the options for reading them."""

    tables: tuple[str, ...]
    fact: str | None
    as_of: str | None
    reading: list[str] | None
    mapping: list[str] | None
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    header_row: int | None
    said_format: str | None

    def refuse_without(self, coverage: bool) -> None:
        """Raise `CannotRun` where options of tables are given and no table, or a table and no coverage."""
        if self.tables and not coverage:
            raise CannotRun("--over goes with --coverage")
        beside = {
            "--dated-by": self.fact, "--as-of": self.as_of, "--reading": self.reading, "--map": self.mapping,
            "--encoding": self.encoding, "--delimiter": self.delimiter, "--sheet": self.sheet,
            "--header-row": self.header_row, "--input-format": self.said_format,
        }  # fmt: skip
        for option, given in beside.items():
            if given and not self.tables:
                raise CannotRun(f"{option} goes with --over")

    @property
    def dated_by(self) -> tuple[str, ...]:
        """The date fact, if one is named."""
        return (self.fact,) if self.fact is not None else ()

    @property
    def readings(self) -> dict[str, str]:
        """The readings that are switched; raises `CannotRun`."""
        return read_readings(self.reading)

    @property
    def input_format(self) -> str | None:
        """What the tables are; raises `CannotRun`."""
        return read_input_format(self.said_format)

    def maps(self, rulesets: list[str]) -> dict[str, str]:
        """The mapping files by ruleset; raises `CannotRun`."""
        return read_maps(self.mapping, rulesets)

    def day(self, engine: Engine, ruleset: str) -> date:
        """The day of the question."""
        return day_of_question(engine, ruleset, self.as_of)
