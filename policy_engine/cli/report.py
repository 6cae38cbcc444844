"""`policy report`: rulesets over files of accounts, to a folder with a summary and one decision a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    AsOfOption,
    JsonOption,
    ReadingOption,
    RulesOption,
    SchemasOption,
    day_of_question,
    read_readings,
)
from policy_engine.cli.show import console, safe
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.reports.run import DECISIONS, INVALID, SUMMARY, jobs_for, run_report
from policy_engine.reports.summary import DecisionSummary, Summary, Trouble

BAR = 24
MOST_SHOWN = 10


def report(
    rulesets: Annotated[
        list[str], typer.Argument(metavar="RULESET[=FILE]...", help="Rulesets, each with its JSON Lines file of facts.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write; a report that is there already is replaced.")
    ],
    facts: Annotated[Path | None, typer.Option("--facts", help="The file for rulesets named without one.")] = None,
    as_of: AsOfOption = None,
    reading: ReadingOption = None,
    as_json: JsonOption = False,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide every record of every file, and sum up.

    Writes summary.json, decisions.jsonl (one decision a line) and invalid.jsonl (every violation), all or nothing.
    """
    pairs = [_pair(argument, facts) for argument in rulesets]
    engine = Engine.load(rules, schemas, only=[name for name, _ in pairs])
    day = day_of_question(engine, pairs[0][0], as_of)
    jobs = jobs_for(engine, pairs, day, read_readings(reading))
    err = console(stderr=True)
    with _progress(err) as bar:
        task = bar.add_task("deciding", total=sum(job.facts.stat().st_size for job in jobs))
        summary = run_report(engine, jobs, day, out, lambda size: bar.advance(task, size))
    if as_json:
        typer.echo(json.dumps(summary.to_dict()))
        return
    show_summary(summary, console())
    console().print(f"\nwritten to {out}: {SUMMARY}, {DECISIONS}, {INVALID}")


def _pair(argument: str, facts: Path | None) -> tuple[str, Path]:
    name, equals, file = argument.partition("=")
    if equals and file:
        return name, Path(file)
    if facts is None:
        raise CannotRun(f"which facts for `{name}`? write {name}=FILE, or give --facts FILE")
    return name, facts


def _progress(err: Console) -> Progress:
    """A bar on a terminal, nothing when piped."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def show_summary(summary: Summary, out: Console) -> None:
    """The summary as tables with bars."""
    for job in summary.jobs:
        out.print(Text.assemble("\n", (job.ruleset, "bold"), safe(f"  {job.title}")))
        records = job.valid + job.invalid
        counts = f"{records} records, {job.valid} valid, {job.invalid} invalid"
        out.print(safe(f"version {job.version}, as of {summary.as_of}, {job.facts}: {counts}"))
        for name, decision in job.decisions.items():
            out.print(_table(name, decision))
        _troubles(out, "invalid", job.invalid_records, job.invalid)
        undecided = max((sum(d.statuses.values()) - d.statuses["decided"] for d in job.decisions.values()), default=0)
        _troubles(out, "undecided", job.undetermined_records, undecided)


def _table(name: str, decision: DecisionSummary) -> Table:
    """A decision's outcomes, rules and missing facts, each with its count and its share as a bar."""
    total = sum(decision.statuses.values()) or 1
    table = Table(title=name, title_justify="left", title_style="bold", box=None, padding=(0, 1), show_header=False)
    table.add_column("kind", style="dim")
    table.add_column("what")
    table.add_column("count", justify="right")
    table.add_column("share")
    kinds = (("outcome", decision.outcomes), ("rule", decision.rules), ("missing", decision.missing))
    undecided = {status: count for status, count in decision.statuses.items() if status != "decided"}
    for kind, counts in (*kinds, ("status", undecided)):
        ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        for what, count in ranked[:MOST_SHOWN]:
            table.add_row(kind, safe(what), str(count), "█" * round(BAR * min(1.0, count / total)))
        if len(ranked) > MOST_SHOWN:
            table.add_row("", f"and {len(ranked) - MOST_SHOWN} more in {SUMMARY}", "", "")
    return table


def _troubles(out: Console, kind: str, records: list[Trouble], count: int) -> None:
    if not records:
        return
    out.print(f"{kind}:")
    for trouble in records:
        out.print(safe(f"  line {trouble.row} {trouble.key or ''}: {trouble.why}"))
    if count > len(records):
        out.print(f"  and {count - len(records)} more")
