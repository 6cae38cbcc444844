"""`policy report`: rulesets over tables of accounts, to a folder that can be read, audited and made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from policy_engine.cli import completion
from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    AsOfOption,
    DelimiterOption,
    EncodingOption,
    Exit,
    HeaderRowOption,
    InputFormatOption,
    JsonOption,
    MapOption,
    ReadingOption,
    RulesOption,
    SchemasOption,
    SheetOption,
    day_of_question,
    read_input_format,
    read_maps,
    read_readings,
)
from policy_engine.cli.show import console, safe
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.reports.arguments import AUDIENCES, AUDITOR, FORMATS, MOST_SAMPLES, MOST_SEED, Arguments
from policy_engine.reports.settings import SETTINGS, settings_of


class MakeByDefault(TyperGroup):
    """`policy report X` is `policy report make X`: only the other commands have to be said."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with the command that was left out."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else ["make", *args])


app = typer.Typer(cls=MakeByDefault, rich_markup_mode=None)


@app.command("make")
def make(
    rulesets: Annotated[
        list[str],
        typer.Argument(
            metavar="RULESET[=FILE]...",
            help="Rulesets, each with its table of facts.",
            autocompletion=completion.tables,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write; a report that is there already is replaced.")
    ],
    facts: Annotated[
        str | None,
        typer.Option(
            "--facts",
            help="The table for rulesets named without one: Parquet (a file, folder or glob), CSV, JSON Lines, Excel, "
            "a table in a database; - is standard input.",
        ),
    ] = None,
    as_of: AsOfOption = None,
    reading: ReadingOption = None,
    mapping: MapOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    sheet: SheetOption = None,
    header_row: HeaderRowOption = None,
    input_format: InputFormatOption = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over",
            metavar="FACT",
            help="A date fact: outcomes are drawn over it.",
            autocompletion=completion.date_facts,
        ),
    ] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help=f"Decisions in another form too: {', '.join(FORMATS)}.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="What the sample of accounts is drawn with.")] = 0,
    samples: Annotated[
        int, typer.Option(min=0, max=MOST_SAMPLES, help="Accounts explained in full, for each outcome.")
    ] = 2,
    max_invalid: Annotated[
        str | None,
        typer.Option("--max-invalid", metavar="N|N%", help="Exit code 3 where more rows of a table are invalid."),
    ] = None,
    max_undetermined: Annotated[
        str | None,
        typer.Option("--max-undetermined", metavar="N|N%", help="The same for valid rows that are undetermined."),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect",
            metavar="DECISION.OUTCOME>=N",
            help="Exit code 3 unless so many rows, or N%, have the outcome; also <= and ==; may be repeated.",
        ),
    ] = None,
    brief: Annotated[
        bool,
        typer.Option("--brief", help="A short page: what came out, at a glance; two printed pages for three rulesets."),
    ] = False,
    audience: Annotated[
        str, typer.Option("--audience", help="auditor, or customer: facts marked x-sensitive are withheld everywhere.")
    ] = AUDITOR,
    settings: Annotated[
        str | None,
        typer.Option(
            "--settings", metavar="FILE", help="A YAML file with what the report says of itself, under `report`."
        ),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--setting", metavar="NAME=TEXT", help=f"One of {', '.join(SETTINGS)}; may be repeated."),
    ] = None,
    reasons: Annotated[
        bool, typer.Option("--reasons", help="Write the reason of every row in words into decisions.parquet.")
    ] = False,
    keep_formulas: Annotated[
        bool,
        typer.Option("--keep-formulas", help="Leave texts of CSV that a spreadsheet may calculate with as they are."),
    ] = False,
    decisions_to: Annotated[
        str | None,
        typer.Option("--decisions-to", metavar="TABLE", help="Decisions also become a new table in a database."),
    ] = None,
    as_json: JsonOption = False,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide every row of every table, and sum up; `policy report verify DIR` makes a report again and compares.

    Writes decisions.parquet, invalid.parquet, summary.json, report.html and manifest.json, all or nothing; where there are
    several rulesets, the Parquet files of each into a folder of its name. Exit code 0: it is written, whatever its rows hold.
    3: it is written, and does not meet --max-invalid, --max-undetermined or --expect. 2: it could not be made.
    """
    from policy_engine.cli.tables import make_with_progress, show_invalid, show_totals  # noqa: PLC0415 - Polars is slow to import

    pairs = [_pair(argument, facts) for argument in rulesets]
    engine = Engine.load(rules, schemas, only=[name for name, _ in pairs])
    arguments = Arguments(
        tables=tuple(pairs),
        as_of=day_of_question(engine, pairs[0][0], as_of),
        rules=str(rules),
        schemas=str(schemas),
        readings=read_readings(reading),
        maps=read_maps(mapping, [name for name, _ in pairs]),
        encoding=encoding,
        delimiter=delimiter,
        input_format=read_input_format(input_format),
        sheet=sheet,
        header_row=header_row,
        over=tuple(over or ()),
        formats=_formats(formats),
        seed=seed,
        samples=samples,
        max_invalid=max_invalid,
        max_undetermined=max_undetermined,
        expect=tuple(expect or ()),
        settings=settings_of(settings, setting or ()),
        audience=_audience(audience),
        brief=brief,
        reasons=reasons,
        keep_formulas=keep_formulas,
    )
    result = make_with_progress(engine, arguments, out, decisions_to)
    if as_json:
        typer.echo(json.dumps(result.totals.to_dict()))
    else:
        show_totals(result.totals, console())
        console().print()
        console().print(safe(f"written to {out}: {', '.join(result.files)}"))
        show_invalid(result.totals, console())
    for sentence in result.unmet:
        console(stderr=True).print(safe(sentence))
    if result.unmet:
        raise typer.Exit(Exit.DIFFERENT)


@app.command("verify")
def verify(
    report: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a report.")],
    inputs: Annotated[
        Path | None, typer.Option("--inputs", metavar="DIR", help="A folder that holds what the report was made from.")
    ] = None,
) -> None:
    """Make a report again from what its manifest says, and name the first difference.

    Tables, rules and schemas are looked for where they were, below the folders that hold the report, and in --inputs, where
    tables may have any names: they are known by their digests.

    Exit code 0: it is the same. 1: it differs. 2: there is no telling: its manifest is damaged, or what it was made from or by is
    not here.
    """
    from policy_engine.reports.verifying import first_difference  # noqa: PLC0415 - Polars is slow to import

    difference = first_difference(report, inputs)
    if difference is not None:
        console(stderr=True).print(safe(difference))
        raise typer.Exit(Exit.FAULTS)
    console().print(safe(f"{report}: made again, every file is the same, byte for byte"))


@app.command("diff")
def diff(
    old: Annotated[Path, typer.Argument(metavar="A", help="The folder of the older report.")],
    new: Annotated[Path, typer.Argument(metavar="B", help="The folder of the newer report.")],
) -> None:
    """Compare two finished reports: counts, and the rows whose answers, rules or values differ, found by their key.

    Where there is no key, or the reports have other keys, rows are found by their numbers. Exit code 0: no difference. 3: there
    are some. 2: nothing could be compared.
    """
    from policy_engine.cli.report_diffs import show_report_diff  # noqa: PLC0415 - Polars is slow to import
    from policy_engine.reports.report_diff import compare_reports  # noqa: PLC0415 - the same

    found = compare_reports(old, new)
    show_report_diff(found, str(old), str(new))
    if not any(one.compared for one in found.rulesets):
        raise typer.Exit(Exit.COULD_NOT_RUN)
    raise typer.Exit(Exit.DIFFERENT if found.differs else Exit.FINE)


def _pair(argument: str, facts: str | None) -> tuple[str, str]:
    name, equals, file = argument.partition("=")
    if equals and file:
        return name, file
    if facts is None:
        raise CannotRun(f"which facts for `{name}`? write {name}=FILE, or give --facts FILE")
    return name, facts


def _audience(name: str) -> str:
    if name not in AUDIENCES:
        raise CannotRun(f"--audience: `{name}` is none of {', '.join(AUDIENCES)}")
    return name


def _formats(names: list[str] | None) -> tuple[str, ...]:
    for name in names or ():
        if name not in FORMATS:
            raise CannotRun(f"--format: `{name}` is none of {', '.join(FORMATS)}")
    return tuple(dict.fromkeys(names or ()))
