"""What `policy report` shows: progress while tables are read, and what came out.

Imports Polars, which takes long, so the commands import this module when they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from policy_engine.cli.show import console, safe
from policy_engine.cli.standard_input import tables_located, told
from policy_engine.engine import Engine
from policy_engine.language.values import in_words
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.databases import decisions_written, report_fetched
from policy_engine.reports.jobs import Job, jobs_of
from policy_engine.reports.run import ReportResult, run_report
from policy_engine.reports.totals import DecisionTotals, ReportTotals, RulesetTotals
from policy_engine.tables.source import Progress as ReadProgress

BAR = 24
MOST_SHOWN = 10
Begin = Callable[[str, ReadProgress], object]
"""Adds a bar: its name, and the progress that it follows."""


def make_with_progress(engine: Engine, arguments: Arguments, out: Path, decisions_to: str | None) -> ReportResult:
    """The report, with a bar on a terminal while it is made; its decisions also become a table where that is named."""
    err, also = console(stderr=True), decisions_written(decisions_to, arguments)
    names = [place for _, place in arguments.tables]
    with (
        tables_located(names, arguments.input_format) as where,
        report_fetched(engine, arguments, where) as located,
    ):
        jobs = jobs_of(engine, arguments, located)
        warnings = (told(note, located) for job in jobs for note in job.source.warnings)
        show_notes(err, dict.fromkeys([*located.notes, *warnings]))
        with progress_bars(err) as begin:

            def announce(job: Job) -> None:
                begin(job.ruleset.id, job.source.progress)

            result = run_report(engine, jobs, arguments, out, announce, located, also)
    show_notes(err, result.notes)
    return result


def show_notes(err: Console, notes: Iterable[str]) -> None:
    """Sentences for who runs the command."""
    for note in notes:
        err.print(safe(f"note: {note}"))


def show_totals(totals: ReportTotals, out: Console) -> None:
    """What came out, as tables with bars."""
    for one in totals.rulesets:
        out.print(Text.assemble("\n", (one.ruleset, "bold"), safe(f"  {one.title}")))
        counts = f"{one.rows:,} {'row' if one.rows == 1 else 'rows'}, {one.valid:,} valid, {one.invalid:,} invalid"
        out.print(safe(f"version {one.version}, as of {totals.as_of}, {', '.join(one.inputs)}: {counts}"))
        for decision in one.decisions:
            out.print(_table(decision))
        _invalid(out, one)


def show_invalid(totals: ReportTotals, out: Console) -> None:
    """How many rows were not decided, so that nobody overlooks it."""
    rows, invalid = (sum(getattr(one, name) for one in totals.rulesets) for name in ("rows", "invalid"))
    out.print(f"{invalid:,} of {rows:,} {'row is' if rows == 1 else 'rows are'} invalid")


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
        span = (
            f", {in_words(value.spread.lowest)} to {in_words(value.spread.highest)}" if value.spread is not None else ""
        )
        table.add_row("value", safe(f"{value.name}{span}"), f"{value.known:,}", "█" * round(BAR * value.known / total))
    return table


def _invalid(out: Console, one: RulesetTotals) -> None:
    if not one.violations:
        return
    out.print("invalid:")
    for violation in one.violations[:MOST_SHOWN]:
        example = violation.examples[0]
        rows = f"{violation.rows:,} rows, such as row" if violation.rows > 1 else "row"
        place = example.pointer or "(the record)"
        out.print(safe(f"  {rows} {_named(example.row, example.key)}: {place}: {example.message}"))
    if len(one.violations) > MOST_SHOWN:
        out.print(f"  and {len(one.violations) - MOST_SHOWN} more kinds in summary.json")


def _named(row: int, key: str | None) -> str:
    return f"{row}" if key is None else f"{row} {key}"


class Bars(Progress):
    """Bars that look, each time they are drawn, how far their tables have been read."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """What is drawn, ten times a second."""
        for task in self.tasks:
            reading: ReadProgress = task.fields["reading"]
            rate = f"{task.speed:,.0f} {reading.unit} a second" if task.speed else ""
            self.update(task.id, completed=reading.done, rate=rate)
        return super().get_renderables()


@contextmanager
def progress_bars(err: Console) -> Iterator[Begin]:
    """Bars on a terminal; nothing where the output is piped."""
    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), rate, TimeRemainingColumn())
    with Bars(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        yield lambda name, reading: bars.add_task(name, total=reading.total, rate="", reading=reading)
