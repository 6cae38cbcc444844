"""`policy serve`: answer over HTTP."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from policy_engine.cli.show import console, safe
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.service import keys as key_files
from policy_engine.service.clock import day_in
from policy_engine.service.loaded import Loaded
from policy_engine.service.loading import tenants_of
from policy_engine.service.settings import Settings, settings_from

app = typer.Typer(help="Answer over HTTP.", invoke_without_command=True)

keys = typer.Typer(help="Add, revoke and list the API keys of callers.", no_args_is_help=True)
app.add_typer(keys, name="keys", short_help="Add, revoke and list the API keys of callers.")
KeysOption = Annotated[Path | None, typer.Option("--keys", help="The file of keys; that of the settings if left out.")]
NameArgument = Annotated[str, typer.Argument(help="Whose key it is.")]


@app.callback()
def serve(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file of settings.")] = None,
    rules: Annotated[Path | None, typer.Option("--rules", help="The folder of rule files.")] = None,
    schemas: Annotated[Path | None, typer.Option("--schemas", help="The folder of the facts' schemas.")] = None,
    authzen: Annotated[Path | None, typer.Option("--authzen", help="The AuthZEN mapping.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen at.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="The port to listen at.")] = None,
) -> None:
    """Answer questions over HTTP, until a signal ends it. Settings may also stand in a file or in environment variables."""
    options = {
        "rules": str(rules) if rules else None,
        "schemas": str(schemas) if schemas else None,
        "authzen": str(authzen) if authzen else None,
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


@app.command()
def openapi(context: typer.Context) -> None:
    """Print the description of the service (OpenAPI 3.1), which it answers at `/openapi.json`, without starting it."""
    settings: Settings = context.obj
    engine = Engine.load(settings.rules, settings.schemas)
    typer.echo(Loaded(engine, tenants=tenants_of(settings.authzen, engine.rulebook)).openapi)


@keys.command(short_help="Make a key, and print it.")
def add(
    context: typer.Context,
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", help="What its holder is: a role of the ruleset `engine_access`.")],
    file: KeysOption = None,
) -> None:
    """Make a key for a caller, and print it: this once, for only its digest is stored."""
    settings: Settings = context.obj
    path = _file(settings, file)
    Engine.load(settings.rules, settings.schemas, only=["engine_access"]).decide(
        "engine_access.permission", {"role": role, "operation": "decide"}, as_of=day_in("UTC")
    )
    typer.echo(key_files.add_key(path, name, role, day_in("UTC").isoformat()))


@keys.command(short_help="Take a key out of the file.")
def revoke(context: typer.Context, name: NameArgument, file: KeysOption = None) -> None:
    """Take a key out of the file; a running service refuses it within a second."""
    key_files.revoke_key(_file(context.obj, file), name)


@keys.command("list", short_help="List the keys: names, roles and days.")
def list_(context: typer.Context, file: KeysOption = None) -> None:
    """List the keys: whose they are, the role, and the day on which each was made."""
    for key in key_files.read_keys(_file(context.obj, file)):
        console().print(safe(f"{key.name}  {key.role}  since {key.since}"))


def _file(settings: Settings, file: Path | None) -> Path:
    """The file of keys; raises `CannotRun` where none is named."""
    if file is None and not settings.keys:
        raise CannotRun("which file of keys? Name it with --keys, or by the setting `keys`")
    return file or Path(settings.keys)
