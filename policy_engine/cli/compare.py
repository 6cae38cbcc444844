"""`policy compare`: what a newer version of a ruleset answers otherwise than an older one, over the same accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    AsOfOption,
    DelimiterOption,
    EncodingOption,
    Exit,
    HeaderRowOption,
    InputFormatOption,
    MapOption,
    RulesetArgument,
    RulesOption,
    SchemasOption,
    SheetOption,
    day_of_question,
    read_input_format,
    read_maps,
)
from policy_engine.engine import Engine


def compare_versions(
    ruleset: RulesetArgument,
    facts: Annotated[
        Path,
        typer.Option(
            "--facts",
            help="The table of accounts: Parquet (a file, folder or glob), CSV, JSON Lines, Excel; - is standard input.",
        ),
    ],
    as_of: AsOfOption = None,
    old: Annotated[str | None, typer.Option("--old", help="The older version; the last but one if left out.")] = None,
    new: Annotated[str | None, typer.Option("--new", help="The newer version; the last if left out.")] = None,
    mapping: MapOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    sheet: SheetOption = None,
    header_row: HeaderRowOption = None,
    input_format: InputFormatOption = None,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide every account by two versions of a ruleset on one day, and show whose answer differs.

    Status, outcome, rules, values and missing facts are compared. Exit code 0: accounts were compared, and no answer
    differs. 3: some differ. 2: nothing could be compared.
    """
    from policy_engine.cli.tables import compare_with_progress, show_comparison  # noqa: PLC0415 - Polars is slow to import
    from policy_engine.reports.compare import versions_of  # noqa: PLC0415 - the same
    from policy_engine.tables.file_options import FileOptions  # noqa: PLC0415 - the same
    from policy_engine.tables.opening_tables import Options  # noqa: PLC0415 - the same

    maps = {name: Path(file) for name, file in read_maps(mapping, [ruleset]).items()}
    engine = Engine.load(rules, schemas, only=[ruleset])
    versions = versions_of(engine.rulebook, ruleset, old, new)
    day = day_of_question(engine, ruleset, as_of)
    file = FileOptions(encoding, delimiter, sheet, header_row, read_input_format(input_format))
    found = compare_with_progress(*versions, facts, Options(maps, file), day)
    show_comparison(found)
    if not found.compared:
        raise typer.Exit(Exit.COULD_NOT_RUN)
    raise typer.Exit(Exit.DIFFERENT if found.differs else Exit.FINE)
