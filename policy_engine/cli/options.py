"""What several commands share: their options, exit codes, and how arguments become engine calls."""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from policy_engine.cli import completion
from policy_engine.cli.standard_input import STANDARD_INPUT, standard_input
from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.documents.facts_files import read_facts, read_file_text, text_of
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.language.date_texts import read_date
from policy_engine.language.timezones import zone
from policy_engine.reports.arguments import INPUT_FORMATS


class Exit(IntEnum):
    """Exit codes of every command; `DIFFERENT` is also that of a report which does not come to what was asked for."""

    FINE = 0
    FAULTS = 1
    COULD_NOT_RUN = 2
    DIFFERENT = 3
    OWN_FAULT = 70
    INTERRUPTED = 130
    NOBODY_READS = 141


RulesOption = Annotated[Path, typer.Option("--rules", help="The folder of rule files.", show_default=True)]
SchemasOption = Annotated[Path, typer.Option("--schemas", help="The folder of the facts' schemas.", show_default=True)]
FactsOption = Annotated[
    str, typer.Option("--facts", help="A JSON or YAML file with the facts; - reads either from standard input.")
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="The day of the question, as 2025-02-28; today in the ruleset's time zone if left out."
    ),
]
ReadingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--reading",
        metavar="NAME=CHOICE",
        help="Switch a reading; may be repeated.",
        autocompletion=completion.readings,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="[RULESET=]FILE", help="A mapping file: which column is which fact."),
]
EncodingOption = Annotated[str | None, typer.Option(help="The encoding of CSV files that are not UTF-8.")]
DelimiterOption = Annotated[
    str | None, typer.Option(help="The delimiter of CSV files, or tab, where the first line does not tell.")
]
SheetOption = Annotated[str | None, typer.Option(help="The sheet of Excel workbooks; the first if left out.")]
HeaderRowOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="The row of a sheet, or line of a CSV file, that names the columns."),
]
InputFormatOption = Annotated[
    str | None,
    typer.Option(help=f"What the table is, where its name does not tell: {', '.join(INPUT_FORMATS)}."),
]
RulesetArgument = Annotated[str, typer.Argument(help="The ruleset.", autocompletion=completion.rulesets)]
QuestionArgument = Annotated[
    str, typer.Argument(metavar="RULESET[.DECISION]", help="What to decide.", autocompletion=completion.questions)
]

RULES, SCHEMAS = Path("rules"), Path("schemas")


def read_day(text: str, option: str = "--as-of") -> date:
    """The civil date an argument says; raises `CannotRun`."""
    try:
        return read_date(text)
    except ValueError:
        raise CannotRun(f"{option}: `{text}` is not a date; write it as 2025-02-28") from None


def day_of_question(engine: Engine, ruleset: str, as_of: str | None) -> date:
    """The day asked for, or today in the ruleset's time zone."""
    if as_of is not None:
        return read_day(as_of)
    versions = engine.rulebook.versions(ruleset)
    return today_in(versions[-1].timezone if versions else "UTC")


def today_in(timezone: str) -> date:
    """Today in a time zone: the one place that reads a clock."""
    return datetime.now(zone(timezone)).date()


def read_readings(pairs: list[str] | None) -> dict[str, str]:
    """The readings switched by `NAME=CHOICE` arguments; raises `CannotRun`."""
    readings = {}
    for pair in pairs or []:
        name, equals, choice = pair.partition("=")
        if not (name and equals and choice):
            raise CannotRun(f"--reading: `{pair}` is not of the form NAME=CHOICE")
        readings[name] = choice
    return readings


def read_maps(arguments: list[str] | None, rulesets: list[str]) -> dict[str, str]:
    """The mapping file of each ruleset; "" stands for all of them. Raises `CannotRun`."""
    found: dict[str, str] = {}
    for argument in arguments or ():
        name, file = _mapped(argument, rulesets)
        if name in found:
            whose = f"`{name}`" if name else "all rulesets"
            raise CannotRun(f"--map: there are two mapping files for {whose}, `{found[name]}` and `{file}`; give one")
        found[name] = file
    return found


def _mapped(argument: str, rulesets: list[str]) -> tuple[str, str]:
    """The ruleset that a mapping file is for, "" where it is for all, and the file."""
    name, equals, file = argument.partition("=")
    if equals and name in rulesets:
        return name, file
    if equals and not Path(argument).exists():
        hint = did_you_mean(name, rulesets) or f"there is {', '.join(rulesets)}"
        raise CannotRun(f"--map: no ruleset `{shown_text(name)}` is asked for; {hint}")
    return "", argument


def read_input_format(said: str | None) -> str | None:
    """The format of tables; raises `CannotRun`."""
    if said is not None and said not in INPUT_FORMATS:
        raise CannotRun(f"--input-format: `{shown_text(said)}` is none of {', '.join(INPUT_FORMATS)}")
    return said


def facts_from(argument: str) -> Any:
    """The facts in a file, or on standard input; raises `CannotRun`."""
    if argument == "-":
        return read_facts(Path(STANDARD_INPUT), text_of(STANDARD_INPUT, standard_input()))
    return read_facts(Path(argument), read_file_text(Path(argument)))
