"""`policy compare`: what one side of a comparison answers otherwise than the other, over the same accounts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from policy_engine.cli import completion
from policy_engine.cli.options import (
    RULES,
    DelimiterOption,
    EncodingOption,
    Exit,
    HeaderRowOption,
    InputFormatOption,
    MapOption,
    ReadingOption,
    RulesOption,
    SheetOption,
    read_day,
    read_input_format,
    read_maps,
    read_readings,
)
from policy_engine.diagnostics import shown_text, unknown_name
from policy_engine.errors import CannotRun
from policy_engine.reports.arguments import AUDIENCES, AUDITOR

TRIES = 1_000
"""How often facts are looked for, unless something else is said."""
FORMS, ALSO = ("text", "markdown", "json"), ("csv", "jsonl")
NAME = re.compile("[a-z][a-z0-9_]*")
"""What a ruleset may be called."""


def compare_sides(
    old: Annotated[
        str,
        typer.Argument(
            metavar="OLD",
            help="The older side: a folder of rules, a rule file, `main:rules` of git, RULESET@VERSION, RULESET@DAY; "
            "or a RULESET alone, whose last two versions are compared.",
            autocompletion=completion.rulesets,
        ),
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The newer side, named likewise.")] = "",
    facts: Annotated[
        list[str] | None,
        typer.Option(
            "--facts",
            metavar="[RULESET=]TABLE",
            help="The table of accounts: Parquet (a file, folder or glob), CSV, JSON Lines, Excel; - is standard input.",
        ),
    ] = None,
    log: Annotated[
        str | None,
        typer.Option("--log", metavar="LOG", help="A decision log, whose facts are compared in the place of a table."),
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="With --log: the folder of its keys; beside it if left out.")
    ] = None,
    rulesets: Annotated[
        list[str] | None, typer.Option("--ruleset", help="Compare this ruleset alone; may be repeated.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="The day on which both sides are asked; today in the ruleset's time zone if left out."
        ),
    ] = None,
    old_as_of: Annotated[
        str | None, typer.Option("--old-as-of", metavar="DAY", help="A day of the older side's own.")
    ] = None,
    new_as_of: Annotated[
        str | None, typer.Option("--new-as-of", metavar="DAY", help="A day of the newer side's own.")
    ] = None,
    reading: ReadingOption = None,
    old_reading: Annotated[
        list[str] | None,
        typer.Option("--old-reading", metavar="NAME=CHOICE", help="Switch a reading on the older side."),
    ] = None,
    new_reading: Annotated[
        list[str] | None,
        typer.Option("--new-reading", metavar="NAME=CHOICE", help="Switch a reading on the newer side."),
    ] = None,
    old_version: Annotated[
        str | None, typer.Option("--old", metavar="VERSION", help="The older version; the last but one if left out.")
    ] = None,
    new_version: Annotated[
        str | None, typer.Option("--new", metavar="VERSION", help="The newer version; the last if left out.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A folder to write: the page, Markdown, JSON, and every account that changes."),
    ] = None,
    tries: Annotated[
        int,
        typer.Option(
            "--tries", min=0, help="Without a table: how often facts are looked for that show a change of the rules."
        ),
    ] = TRIES,
    also: Annotated[
        list[str] | None,
        typer.Option("--also", help=f"The accounts that change in another form too: {', '.join(ALSO)}."),
    ] = None,
    audience: Annotated[
        str, typer.Option("--audience", help="auditor, or customer: without what would tell a sensitive fact.")
    ] = AUDITOR,
    form: Annotated[str, typer.Option("--format", help=f"What is printed: {', '.join(FORMS)}.")] = FORMS[0],
    mapping: MapOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    sheet: SheetOption = None,
    header_row: HeaderRowOption = None,
    input_format: InputFormatOption = None,
    rules: RulesOption = RULES,
    schemas: Annotated[
        Path | None,
        typer.Option(
            "--schemas",
            help="The folder of the facts' schemas; left out, the one beside a folder of rules, or `schemas`.",
        ),
    ] = None,
) -> None:
    """Decide every account on two sides, and show whose answer differs, by how much, and which condition made it so.

    A side is a version, a day, a choice of readings, or rules elsewhere. Status, outcome, rules, values and missing facts are
    compared. Exit code 0: accounts were compared, and no answer differs. 3: some differ. 2: nothing could be compared, or nothing
    of one of the tables. 1: the rules of a side have faults.
    """
    from policy_engine.cli.comparing import Work, compared_with_progress  # noqa: PLC0415 - Polars is slow to import
    from policy_engine.cli.comparison_lines import show_comparisons  # noqa: PLC0415 - the same
    from policy_engine.cli.comparison_sides import Asked, AskedSide, pairs_of  # noqa: PLC0415 - the same
    from policy_engine.cli.log_tables import logged_tables  # noqa: PLC0415 - the same
    from policy_engine.reports.locating import WHERE_NAMED  # noqa: PLC0415 - the same
    from policy_engine.tables.file_options import FileOptions  # noqa: PLC0415 - the same
    from policy_engine.tables.opening_tables import Options  # noqa: PLC0415 - the same

    if audience not in AUDIENCES:
        raise CannotRun(f"--audience: `{shown_text(audience)}` is none of {', '.join(AUDIENCES)}")
    if form not in FORMS:
        raise CannotRun(f"--format: `{shown_text(form)}` is none of {', '.join(FORMS)}")
    both = read_readings(reading)
    old_side = AskedSide(old, old_version, _own_day(old_as_of), {**both, **read_readings(old_reading)})
    new_side = AskedSide(new, new_version, _own_day(new_as_of), {**both, **read_readings(new_reading)})
    tables = _tables(facts or [])
    asked = Asked(old_side, new_side, rulesets or (), [*filter(None, tables)], as_of, rules, schemas)
    _refuse_beside_log(log, {"--facts": facts, "--map": mapping, "--input-format": input_format}, keys)
    with TemporaryDirectory(prefix="policy-") as folder, ExitStack() as stack:
        pairs = pairs_of(asked, Path(folder))
        names = [side.ruleset.id for _, side in pairs.pairs]
        maps = {name: Path(file) for name, file in read_maps(mapping, names).items()}
        file = FileOptions(encoding, delimiter, sheet, header_row, read_input_format(input_format))
        given, located = _of_rulesets(tables, names), WHERE_NAMED
        if log is not None:
            given, located = stack.enter_context(logged_tables(log, keys, names))
        forms = _also(also, out, given)
        work = Work(pairs, given, Options(maps, file), audience, tries, out, forms, located)
        found = compared_with_progress(work)
    show_comparisons(found, form)
    if not found.compared:
        raise typer.Exit(Exit.COULD_NOT_RUN)
    raise typer.Exit(Exit.DIFFERENT if found.differs else Exit.FINE)


def _refuse_beside_log(log: str | None, others: Mapping[str, object], keys: Path | None) -> None:
    """Raises `CannotRun` for options that do not go with a log, or do not go without."""
    for option, given in others.items():
        if log is not None and given:
            raise CannotRun(f"--log: {option} is for tables; leave one of the two out")
    if keys is not None and log is None:
        raise CannotRun("--keys goes with --log")


def _also(forms: list[str] | None, out: Path | None, tables: Mapping[str, str]) -> tuple[str, ...]:
    """The further forms of the accounts that change; raises `CannotRun`."""
    for form in forms or ():
        if form not in ALSO:
            raise CannotRun(f"--also: `{shown_text(form)}` is none of {', '.join(ALSO)}")
    if forms and (out is None or not tables):
        raise CannotRun(
            "--also: accounts are written only with --out FOLDER, and of a table (--facts) or a log (--log)"
        )
    return tuple(dict.fromkeys(forms or ()))


def _own_day(day: str | None) -> date | None:
    return None if day is None else read_day(day)


def _tables(arguments: Sequence[str]) -> dict[str, str]:
    """The table of each ruleset; that under "" is for the only one. Raises `CannotRun`."""
    found: dict[str, str] = {}
    for argument in arguments:
        name, equals, table = argument.partition("=")
        is_named = bool(equals) and not Path(argument).exists() and NAME.fullmatch(name) is not None
        name, table = (name, table) if is_named else ("", argument)
        if name in found:
            raise CannotRun(
                f"--facts: there are two tables{f' for `{name}`' if name else ''}; write RULESET=TABLE for each"
            )
        found[name] = table
    return found


def _of_rulesets(tables: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """The table of each ruleset by its name; raises `CannotRun` where it is not sure whose a table is."""
    unknown = next((name for name in tables if name and name not in names), None)
    if unknown is not None:
        raise CannotRun(f"--facts: {unknown_name('ruleset that is compared', unknown, names)}")
    if "" not in tables:
        return dict(tables)
    left = [name for name in names if name not in tables]
    if len(left) != 1:
        raise CannotRun(
            f"--facts: whose table is `{shown_text(tables[''])}`? write RULESET=TABLE; there is {', '.join(names)}"
        )
    return {**{name: table for name, table in tables.items() if name}, left[0]: tables[""]}
