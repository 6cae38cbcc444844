"""`policy schemas`: the schemas by which editors complete, explain and check rule and test files, and that of an answer."""

from __future__ import annotations

from typing import Annotated

import typer

from policy_engine.cli.options import SCHEMAS, Exit, SchemasOption
from policy_engine.files import make_folder, write_whole
from policy_engine.frontend.editor_schemas import schema_files, stale_schemas


def schemas(
    folder: SchemasOption = SCHEMAS,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where a schema is not current.")
    ] = False,
) -> None:
    """Write the schemas by which editors complete, explain and check rule and test files, and the schema of an answer."""
    stale = stale_schemas(folder)
    if check and stale:
        typer.echo(f"not current: {', '.join(map(str, stale))}; run `policy schemas`", err=True)
        raise typer.Exit(Exit.FAULTS)
    make_folder(folder)
    for path in stale:
        write_whole(path, schema_files()[path.name])
        typer.echo(str(path))
