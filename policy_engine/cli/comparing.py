"""What `policy compare` shows: a bar while tables are decided, and how the answers differ."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from rich.console import Console

from policy_engine.cli.progress import progress_bars
from policy_engine.cli.show import console, safe
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.comparing import compare
from policy_engine.reports.comparison import Comparison, Difference, InvalidRows
from policy_engine.reports.jobs import Job
from policy_engine.tables.opening_tables import Options

MOST_SHOWN = 20
"""Differences shown of each decision."""


def compared(old: Ruleset, new: Ruleset, place: Path, options: Options, as_of: date) -> Comparison:
    """The comparison, with a bar on a terminal for each pass over the table; notes about the table are shown once."""
    err, noted = console(stderr=True), set[str]()
    with progress_bars(err) as begin:

        def announce(job: Job) -> None:
            for warning in job.source.warnings:
                if warning not in noted:
                    noted.add(warning)
                    err.print(safe(f"note: {warning}"))
            begin(f"version {job.ruleset.version}", job.source.progress)

        return compare(old, new, place, options, as_of, announce)


def show_comparison(found: Comparison) -> None:
    """What was compared, what could not be, and the differences."""
    out = console()
    old, new = found.old.version, found.new.version
    out.print(safe(f"{found.old.id}: version {old} against {new}, as of {found.as_of}", "bold"))
    accounts = f"{found.rows:,} account{'s' * (found.rows != 1)}"
    out.print(f"{accounts}, {found.compared:,} compared, {found.rows - found.compared:,} invalid")
    for invalid in found.invalid:
        _show_invalid(out, invalid, {"both": "both versions", "old": f"{old} only", "new": f"{new} only"}[invalid.to])
    for one in found.one_sided:
        kind = "value" if "." in one.name else "decision"
        out.print(safe(f"only {old if one.only == 'old' else new} has the {kind} {one.name}"))
    for decision in found.decisions:
        _show_differences(out, decision, [one for one in found.differences if one.decision == decision])
    if not found.compared:
        out.print("nothing was compared")
    elif not found.differences:
        out.print("of the accounts compared no answer changes")


def _show_invalid(out: Console, invalid: InvalidRows, to: str) -> None:
    out.print(safe(f"invalid to {to}: {invalid.rows:,}"))
    for row, key, wrong in invalid.examples:
        out.print(safe(f"  {_named(row, key)}: {wrong}", "dim"))


def _named(row: int, key: str | None) -> str:
    return f"row {row}" if key is None else f"row {row} {key}"


def _show_differences(out: Console, decision: str, differences: list[Difference]) -> None:
    if not differences:
        return
    out.print()
    for one in differences[:MOST_SHOWN]:
        out.print(safe(f"{decision}: {_what(one)}: {one.rows:,}"))
        for example in one.examples:
            told = example.reason if one.old or one.new else f"{example.old} -> {example.new}"
            out.print(safe(f"  {_named(example.row, example.key)}{f': {told}' if told else ''}", "dim"))
    if len(differences) > MOST_SHOWN:
        rest = sum(one.rows for one in differences[MOST_SHOWN:])
        out.print(f"  and {len(differences) - MOST_SHOWN} more kinds of difference, in {rest:,} answers")


def _what(one: Difference) -> str:
    """What differs: an answer, the rules that gave the same answer, a value, or what is missing."""
    match one.part:
        case "answer":
            return f"{one.old} -> {one.new}"
        case "rules":
            return f"the same answer by other rules, {one.old} -> {one.new}"
        case "missing":
            return "other facts are missing"
    return f"the value {one.part.removeprefix('values.')} differs"
