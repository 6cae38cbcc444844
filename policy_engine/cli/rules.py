"""`policy rules`: list the rulesets, show one as a page, write the pages of all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    AsOfOption,
    Exit,
    RulesetArgument,
    RulesOption,
    SchemasOption,
    day_of_question,
)
from policy_engine.cli.show import console, safe
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, UnknownDecision
from policy_engine.files import make_folder, write_whole
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.rule_pages import GENERATED, index_of, page_of

app = typer.Typer(help="List the rulesets, show one, or write their pages.", invoke_without_command=True)
PAGES = Path("docs/rulebook")


@app.callback()
def rules(context: typer.Context, rules: RulesOption = RULES, schemas: SchemasOption = SCHEMAS) -> None:
    """List the rulesets with their versions and questions."""
    context.obj = (rules, schemas)
    if context.invoked_subcommand is not None:
        return
    out = console()
    for versions in _all(Engine.load(rules, schemas).rulebook):
        out.print(safe(f"{versions[-1].id}  {versions[-1].title}", "bold"))
        for version in versions:
            out.print(safe(f"  version {version.version}, {version.period}", "dim"))
        for decision in versions[-1].decisions:
            out.print(safe(f"  {decision.name}: {decision.question}"))


@app.command(short_help="Print the page of a ruleset, or its code.")
def show(
    context: typer.Context,
    ruleset: RulesetArgument,
    code: Annotated[
        bool, typer.Option("--code", help="Print the Python functions that decide, in place of the page.")
    ] = False,
    as_of: AsOfOption = None,
) -> None:
    """Print the page of a ruleset, or the functions that its decisions become."""
    engine = Engine.load(*context.obj)
    versions = engine.rulebook.versions(ruleset)
    if not versions:
        known = ", ".join(dict.fromkeys(r.id for r in engine.rulebook.rulesets))
        raise UnknownDecision(f"there is no ruleset `{ruleset}`; there is {known}")
    if not code:
        for line in page_of(versions).split("\n")[:-1]:
            typer.echo(safe(line, limit=100_000).plain)
        return
    day = day_of_question(engine, ruleset, as_of)
    for decision in engine.ruleset(ruleset, day).decisions:
        typer.echo(engine.code(f"{ruleset}.{decision.name}", day))


@app.command()
def docs(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="The folder of the pages.")] = PAGES,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit with 1 where a page is not current.")
    ] = False,
) -> None:
    """Write a page for each ruleset, and a list of them."""
    rulebook = Engine.load(*context.obj).rulebook
    pages = {f"{versions[-1].id}.md": page_of(versions) for versions in _all(rulebook)}
    pages["README.md"] = index_of(_all(rulebook))
    there = {path.name: _text_of(path) for path in out.glob("*.md")}
    stale = [name for name, text in pages.items() if there.get(name) != text]
    lost = [out / name for name, text in there.items() if name not in pages and (text or "").startswith(GENERATED)]
    if check:
        for name in stale:
            typer.echo(f"{out / name} is not current; run `policy rules docs`", err=True)
        for page in lost:
            typer.echo(f"{page} is the page of no ruleset; run `policy rules docs`", err=True)
        raise typer.Exit(Exit.FAULTS if stale or lost else Exit.FINE)
    make_folder(out)
    for name in stale:
        if name in there and not (there[name] or "").startswith(GENERATED):
            raise CannotRun(
                f"`{out / name}` was not written by `policy rules docs`, and is not replaced; name another folder"
            )
    for name in stale:
        write_whole(out / name, pages[name])
    for page in lost:
        page.unlink()
    console().print(f"{len(pages)} pages in {out}, {len(stale)} of them written anew")


def _text_of(page: Path) -> str | None:
    """What a page says; None for what is no file."""
    return page.read_text("utf-8", "replace") if page.is_file() else None


def _all(rulebook: Rulebook) -> list[tuple[Ruleset, ...]]:
    names = sorted({ruleset.id for ruleset in rulebook.rulesets})
    return [rulebook.versions(name) for name in names]
