"""`policy serve`: answer over HTTP."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from policy_engine.errors import CannotRun
from policy_engine.service.settings import settings_from

app = typer.Typer(help="Answer over HTTP.", invoke_without_command=True)


@app.callback()
def serve(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")] = None,
    rules: Annotated[Path | None, typer.Option("--rules", help="The folder of rule files.")] = None,
    schemas: Annotated[Path | None, typer.Option("--schemas", help="The folder of the facts' schemas.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen at.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="The port to listen at.")] = None,
) -> None:
    """Answer questions over HTTP, until a signal ends it. Settings may also stand in a file or in environment variables."""
    options = {
        "rules": str(rules) if rules else None,
        "schemas": str(schemas) if schemas else None,
        "host": host,
        "port": port,
    }
    context.obj = settings_from(config, os.environ, options)
    if context.invoked_subcommand is None:
        _server().serve(context.obj)


def _server() -> ModuleType:
    """The module that serves; raises `CannotRun` where what it needs is not installed."""
    try:
        return import_module("policy_engine.service.server")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("policy_engine"):
            raise
        told = f'`policy serve` needs the package `{error.name}`: pip install "policy_engine[service]"'
        raise CannotRun(told) from None
