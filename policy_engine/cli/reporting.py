"""What `policy report` shows: a bar while tables are decided, and what came out."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from policy_engine.cli.progress import progress_bars
from policy_engine.cli.show import console, safe
from policy_engine.engine import Engine
from policy_engine.language.values import in_words
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.jobs import jobs_of
from policy_engine.reports.run import ReportResult, run_report
from policy_engine.reports.totals import DecisionTotals, ReportTotals, RulesetTotals

BAR = 24
MOST_SHOWN = 10


def made(engine: Engine, arguments: Arguments, out: Path) -> ReportResult:
    """The report, with a bar on a terminal while it is made."""
    jobs = jobs_of(engine, arguments)
    err = console(stderr=True)
    for warning in dict.fromkeys(warning for job in jobs for warning in job.source.warnings):
        err.print(safe(f"note: {warning}"))
    with progress_bars(err) as begin:
        done = run_report(engine, jobs, arguments, out, lambda job: begin(job.ruleset.id, job.source.progress))
    for note in done.notes:
        err.print(safe(f"note: {note}"))
    return done


def show_totals(totals: ReportTotals, out: Console) -> None:
    """What came out, as tables with bars."""
    for one in totals.rulesets:
        out.print(Text.assemble("\n", (one.ruleset, "bold"), safe(f"  {one.title}")))
        counts = f"{one.rows:,} {'row' if one.rows == 1 else 'rows'}, {one.valid:,} valid, {one.invalid:,} invalid"
        out.print(safe(f"version {one.version}, as of {totals.as_of}, {', '.join(one.inputs)}: {counts}"))
        for decision in one.decisions:
            out.print(_table(decision))
        _invalid(out, one)


def _table(decision: DecisionTotals) -> Table:
    """A decision's outcomes, rules and missing facts, each with its count and its share as a bar."""
    total = decision.rows or 1
    table = Table(
        title=decision.decision, title_justify="left", title_style="bold", box=None, padding=(0, 1), show_header=False
    )
    table.add_column("kind", style="dim")
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("share")
    undecided = {status: count for status, count in decision.statuses.items() if status != "decided"}
    missing = {fact.path: fact.rows for fact in decision.missing}
    kinds = (("outcome", decision.outcomes), ("rule", decision.rules), ("missing", missing), ("status", undecided))
    for kind, counts in kinds:
        ranked = [(what, count) for what, count in counts.items() if count]
        for what, count in ranked[:MOST_SHOWN]:
            table.add_row(kind, safe(what), f"{count:,}", "█" * round(BAR * min(1.0, count / total)))
        if len(ranked) > MOST_SHOWN:
            table.add_row("", f"and {len(ranked) - MOST_SHOWN} more in summary.json", "", "")
    for value in decision.values:
        span = "" if value.lowest is None else f", {in_words(value.lowest)} to {in_words(value.highest)}"
        table.add_row("value", safe(f"{value.name}{span}"), f"{value.known:,}", "█" * round(BAR * value.known / total))
    return table


def _invalid(out: Console, one: RulesetTotals) -> None:
    if not one.violations:
        return
    out.print("invalid:")
    for violation in one.violations[:MOST_SHOWN]:
        example = violation.examples[0]
        rows = f"{violation.rows:,} rows, such as row" if violation.rows > 1 else "row"
        place = violation.pointer or "(the record)"
        named = example.row if example.key is None else f"{example.row} {example.key}"
        out.print(safe(f"  {rows} {named}: {place}: {example.message}"))
    if len(one.violations) > MOST_SHOWN:
        out.print(f"  and {len(one.violations) - MOST_SHOWN} more kinds in summary.json")
