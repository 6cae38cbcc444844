"""What `policy report diff` shows. Imports Polars, which takes long, so the command imports this module when it runs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from policy_engine.cli.show import console, safe
from policy_engine.reports.comparison.words import change, named
from policy_engine.reports.differences import Difference
from policy_engine.reports.report_diff import ReportDiff, RulesetDiff

MOST_DIFFERENCES = 20
"""Differences shown of each decision."""


def show_report_diff(found: ReportDiff, old: str, new: str) -> None:
    """What was compared, what could not be, and the differences."""
    out = console()
    for one in found.rulesets:
        before, after = (f"version {side.totals['version']} as of {side.as_of}" for side in (one.old, one.new))
        out.print(safe(f"{one.ruleset}: {before} against {after}", "bold"))
        for line in _lines(one, old, new):
            out.print(safe(line))
        for decision in one.new.names:
            show_differences(out, decision, [each for each in one.differences if each.decision == decision])
        if not one.differs:
            out.print("no difference in status, outcome, rules, values and missing facts")
    for place, names in ((old, found.only_old), (new, found.only_new)):
        for name in names:
            out.print(safe(f"only {place} has the ruleset {name}"))


def _lines(one: RulesetDiff, old: str, new: str) -> Iterator[str]:
    """What was compared and what was not, what only one report has, and the counts that differ."""
    before, after = one.old.totals["readings"], one.new.totals["readings"]
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield f"reading {name}: {before.get(name, 'none')} -> {after.get(name, 'none')}"
    how = f"by their key `{one.by}`" if one.by is not None else f"by their numbers, {_why_no_key(one)}"
    yield f"{one.compared:,} {'row' if one.compared == 1 else 'rows'} compared, found {how}"
    if one.unmatched:
        yield f"not compared, for their key is absent or stands several times: {one.unmatched:,}"
    for place, only, invalid in zip((old, new), one.only, one.invalid, strict=True):
        if only:
            yield f"only in {place}: {only:,}"
        if invalid:
            yield f"invalid in {place}, and decided in the other: {invalid:,}"
    yield from (f"only {old if name in one.old.names else new} has the decision {name}" for name in one.one_sided)
    yield from (f"{count.decision}: {count.name} {count.old:,} -> {count.new:,}" for count in one.counts)


def _why_no_key(one: RulesetDiff) -> str:
    if one.old.key == one.new.key:
        return "for they have no key"
    keys = [f"`{side.key}`" if side.key is not None else "none" for side in (one.old, one.new)]
    return f"for their keys are not the same: {' and '.join(keys)}"


def show_differences(out: Console, decision: str, differences: list[Difference]) -> None:
    """The differences in the answers to a decision, each with some rows."""
    if not differences:
        return
    out.print()
    for one in differences[:MOST_DIFFERENCES]:
        out.print(safe(f"{decision}: {change(one)}: {one.rows:,}"))
        for example in one.examples:
            detail = example.reason if one.old or one.new else f"{example.old} -> {example.new}"
            out.print(safe(f"  row {named(example.row, example.key)}{f': {detail}' if detail else ''}", "dim"))
    if len(differences) > MOST_DIFFERENCES:
        rest = sum(one.rows for one in differences[MOST_DIFFERENCES:])
        out.print(f"  and {len(differences) - MOST_DIFFERENCES} more kinds of difference, in {rest:,} answers")
