"""`policy compare`: what a newer version of a ruleset answers otherwise than an older one, over the same accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from policy_engine.analysis.comparison import Comparison, compare, differing, versions_of
from policy_engine.cli.options import RULES, SCHEMAS, AsOfOption, RulesOption, SchemasOption, day_of_question
from policy_engine.cli.show import console, safe
from policy_engine.engine import Engine
from policy_engine.frontend.facts_files import read_lines


def compare_versions(
    ruleset: Annotated[str, typer.Argument(help="The ruleset.")],
    facts: Annotated[Path, typer.Option("--facts", help="The JSON Lines file of accounts.")],
    as_of: AsOfOption = None,
    old: Annotated[str | None, typer.Option("--old", help="The older version; the last but one if left out.")] = None,
    new: Annotated[str | None, typer.Option("--new", help="The newer version; the last if left out.")] = None,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide every account by two versions of a ruleset on one day, and show whose answer changes."""
    engine = Engine.load(rules, schemas, only=[ruleset])
    versions = versions_of(engine.rulebook, ruleset, old, new)
    day = day_of_question(engine, ruleset, as_of)
    _show(compare(*versions, read_lines(facts), day))


def _show(comparison: Comparison) -> None:
    out = console()
    head = f"{comparison.old.id}: version {comparison.old.version} against {comparison.new.version}"
    out.print(safe(head, "bold"))
    out.print(f"{comparison.compared} accounts compared, {comparison.invalid} invalid")
    changed = list(differing(comparison))
    for move, count in changed:
        decision, before, after = move
        out.print()
        out.print(safe(f"{decision}: {before} -> {after}: {count}"))
        for change in comparison.changes[move]:
            out.print(safe(f"  line {change.row} {change.key or ''}: {change.new.reason}", "dim"))
    if not changed:
        out.print("no answer changes")
