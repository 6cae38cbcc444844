"""`policy test --coverage`: works coverage out, shows it, also over accounts, and writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from policy_engine.analysis.coverage import coverage_of
from policy_engine.analysis.rule_tests import CaseResult
from policy_engine.cli.accounts_in_words import show_accounts
from policy_engine.cli.coverage import show_coverage
from policy_engine.cli.over_options import Over
from policy_engine.cli.show import console, safe
from policy_engine.engine import Engine
from policy_engine.language.rulesets import Ruleset


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of coverage: rulesets that count though no case names them, tables, a folder, and how much is enough."""

    also: frozenset[str]
    over: Over
    out: Path | None
    fail_under: float | None


def below(rulesets: Iterable[Ruleset], paths: Sequence[Path]) -> frozenset[str]:
    """The rulesets whose files lie in folders that are tested as a whole."""
    folders = [path.resolve() for path in paths if path.is_dir()]
    within = (one for one in rulesets if any(Path(one.path).resolve().is_relative_to(each) for each in folders))
    return frozenset(one.id for one in within)


def cover(engine: Engine, results: Sequence[CaseResult], asked: Asked) -> bool:
    """Show coverage, write it where that is asked, and tell whether it is enough; raises `PolicyError`s."""
    found, accounts = coverage_of(engine.rulebook.rulesets, results, asked.also), []
    if asked.over.tables:
        from policy_engine.cli.coverage_over import accounts_over  # noqa: PLC0415 - Polars is slow to import

        accounts = accounts_over(engine, [result.case for result in results], found, asked.over)
    enough = show_coverage(found, asked.fail_under)
    for each in accounts:
        show_accounts(each)
    if asked.out is not None:
        from policy_engine.cli.coverage_files import write_coverage  # noqa: PLC0415 - templates are slow to import

        files = write_coverage(found, len(results), accounts, asked.out)
        console().print(safe(f"written to {asked.out}: {', '.join(files)}"))
    return enough
