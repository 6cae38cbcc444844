"""`policy tables`: looking at tables of facts before they are decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    DelimiterOption,
    EncodingOption,
    HeaderRowOption,
    InputFormatOption,
    RulesOption,
    SchemasOption,
    SheetOption,
    day_of_question,
    read_input_format,
)
from policy_engine.cli.show import console, safe
from policy_engine.diagnostics import shown_text
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole
from policy_engine.frontend.schemas import read_schema
from policy_engine.language.rulesets import FactsSchema

if TYPE_CHECKING:
    from rich.console import Console

    from policy_engine.tables.inspecting import InspectedColumn, Inspection

ROWS = 10_000
ENDING = ".schema.json"
app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def tables() -> None:
    """Look at tables of facts before they are decided."""


@app.command("inspect", short_help="Show what the columns of a table would become.")
def inspect_table(
    table: Annotated[Path, typer.Argument(metavar="FILE", help="The table, as `policy report` reads it.")],
    schema: Annotated[
        str | None, typer.Option("--schema", help="The schema of the facts: its file, or its name in the folder.")
    ] = None,
    ruleset: Annotated[str | None, typer.Option("--ruleset", help="A ruleset, in place of its schema.")] = None,
    mapping: Annotated[Path | None, typer.Option("--map", help="A mapping file: which column is which fact.")] = None,
    rows: Annotated[int, typer.Option(min=1, help="So many rows are read.")] = ROWS,
    write_map: Annotated[
        Path | None, typer.Option("--write-map", metavar="OUT", help="Write a first mapping file, with guesses marked.")
    ] = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    sheet: SheetOption = None,
    header_row: HeaderRowOption = None,
    input_format: InputFormatOption = None,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Show for each column its type, the fact that it would become, and how many rows fail by it, with the first reasons.

    `--write-map` writes a first mapping file. What it guesses from the cells is marked; check it, then read with it by --map.
    """
    # Polars is slow to import
    from policy_engine.tables import NOTHING, read_mapping  # noqa: PLC0415
    from policy_engine.tables.file_options import FileOptions  # noqa: PLC0415
    from policy_engine.tables.first_mappings import first_mapping  # noqa: PLC0415
    from policy_engine.tables.inspecting import inspect, raw_columns  # noqa: PLC0415

    facts = _facts(schema, ruleset, rules, schemas)
    said = FileOptions(encoding, delimiter, sheet, header_row, read_input_format(input_format))
    read = read_mapping(mapping, facts) if mapping is not None else NOTHING
    file = said.before(read.file)
    raw = raw_columns(table, file, rows)
    if write_map is not None:
        if write_map.exists():
            raise CannotRun(f"--write-map: `{write_map}` is there already; name another file")
        write_whole(write_map, first_mapping(raw, facts, file))
    _show(console(), table, facts, inspect(table, raw, facts, read, file, rows))
    if write_map is not None:
        console().print(safe(f"written: {write_map}; check what is marked in it, and give it as --map {write_map}"))


def _facts(schema: str | None, ruleset: str | None, rules: Path, schemas: Path) -> FactsSchema:
    """The schema that is asked for; raises `CannotRun`, or `PolicyError`s of a ruleset."""
    if (schema is None) == (ruleset is None):
        raise CannotRun("whose facts? give --schema FILE, or --ruleset NAME")
    if ruleset is not None:
        engine = Engine.load(rules, schemas, only=[ruleset])
        return engine.ruleset(ruleset, day_of_question(engine, ruleset, None)).facts
    assert schema is not None
    path = Path(schema) if schema.endswith(".json") else schemas / f"{schema}{ENDING}"
    if not path.is_file():
        names = ", ".join(sorted(file.name.removesuffix(ENDING) for file in schemas.glob(f"*{ENDING}")))
        raise CannotRun(f"there is no file `{path}`; `{schemas}` has {names or 'no schema'}")
    facts, faults = read_schema(path, path.name.removesuffix(ENDING))
    if facts is None:
        raise CannotRun("\n".join(f"{fault.span}: {fault.message}" for fault in faults))
    return facts


def _show(out: Console, table: Path, facts: FactsSchema, found: Inspection) -> None:
    rows = f"{found.rows:,} {'row' if found.rows == 1 else 'rows'} read, {found.invalid:,} invalid"
    if any(one.is_unread for one in found.columns):
        rows += ", columns that are no facts left out"
    out.print(safe(f"{table} by the schema {facts.name}: {rows}", "bold"))
    grid = Table("column", "type", "fact", "fails", box=box.SIMPLE_HEAD, pad_edge=False)
    for one in found.columns:
        grid.add_row(
            safe(shown_text(one.name)),
            one.dtype,
            safe(one.fact or ("(not read)" if one.left_out else "-")),
            f"{one.failing:,}" if one.fact else "",
        )
    out.print(grid)
    for one in found.columns:
        _reasons(out, f"column {one.name}", one)
    for one in found.others:
        _reasons(out, one.name or "whole rows", one)
    if found.without_column:
        names = (f"{member.name}{' (required)' if member.required else ''}" for member in found.without_column)
        out.print(safe(f"facts without a column: {', '.join(names)}"), soft_wrap=True)


def _reasons(out: Console, what: str, one: InspectedColumn) -> None:
    """Why rows fail by a column, or what to do about one that is no fact."""
    if one.fact is None and not one.left_out:
        near = f"did you mean {one.near}? map it" if one.near else "map it, or leave it out"
        out.print(safe(f"{what}: no fact; {near}: columns: {{{shown_text(one.name)}: {one.near or 'null'}}}"))
    for row, message in one.reasons:
        place = f", row {row}" if row else ""
        out.print(safe(f"{what}{place}: {message}"))
