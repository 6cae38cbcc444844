"""`policy report`: rulesets over tables of accounts, to a folder that can be read, audited and made again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from policy_engine.cli.options import (
    RULES,
    SCHEMAS,
    AsOfOption,
    Exit,
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
from policy_engine.language.values import in_words
from policy_engine.reports.jobs import Job, jobs_for
from policy_engine.reports.making import make_again, options_of
from policy_engine.reports.manifest import Arguments
from policy_engine.reports.run import Done, run_report
from policy_engine.reports.totals import DecisionTotals, ReportTotals, RulesetTotals
from policy_engine.reports.verifying import first_difference

BAR = 24
MOST_SHOWN = 10
FORMATS = ("csv", "jsonl", "xlsx")


class MakeByDefault(TyperGroup):
    """`policy report X` is `policy report make X`: only `verify` has to be said."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with the command that was left out."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else ["make", *args])


app = typer.Typer(cls=MakeByDefault, rich_markup_mode=None)


@app.command("make")
def make(
    rulesets: Annotated[
        list[str], typer.Argument(metavar="RULESET[=FILE]...", help="Rulesets, each with its table of facts.")
    ],
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write; a report that is there already is replaced.")
    ],
    facts: Annotated[
        str | None,
        typer.Option(
            "--facts",
            help="The table for rulesets named without one: Parquet (a file, folder or glob), CSV or JSON Lines.",
        ),
    ] = None,
    as_of: AsOfOption = None,
    reading: ReadingOption = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="[RULESET=]FILE", help="A mapping file: which column is which fact."),
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="The encoding of CSV files that are not UTF-8.")] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="The delimiter of CSV files, where the header does not tell.")
    ] = None,
    over: Annotated[
        list[str] | None, typer.Option("--over", metavar="FACT", help="A date fact: outcomes are drawn over it.")
    ] = None,
    formats: Annotated[
        list[str] | None, typer.Option("--format", help=f"Decisions in another form too: {', '.join(FORMATS)}.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32, help="What the sample of accounts is drawn with.")] = 0,
    samples: Annotated[int, typer.Option(min=0, max=100, help="Accounts explained in full, for each outcome.")] = 2,
    as_json: JsonOption = False,
    rules: RulesOption = RULES,
    schemas: SchemasOption = SCHEMAS,
) -> None:
    """Decide every row of every table, and sum up; `policy report verify DIR` makes a report again and compares.

    Writes decisions.parquet, invalid.parquet, summary.json, report.html and manifest.json, all or nothing; where there are
    several rulesets, the Parquet files of each into a folder of its name.
    """
    pairs = [_pair(argument, facts) for argument in rulesets]
    engine = Engine.load(rules, schemas, only=[name for name, _ in pairs])
    arguments = Arguments(
        tables=tuple(pairs),
        as_of=day_of_question(engine, pairs[0][0], as_of),
        rules=str(rules),
        schemas=str(schemas),
        readings=read_readings(reading),
        maps=_maps(mapping),
        encoding=encoding,
        delimiter=delimiter,
        over=tuple(over or ()),
        formats=_formats(formats),
        seed=seed,
        samples=samples,
    )
    done = _made(engine, arguments, out)
    if as_json:
        typer.echo(json.dumps(done.totals.to_dict()))
        return
    show_totals(done.totals, console())
    console().print()
    console().print(safe(f"written to {out}: {', '.join(done.files)}"))


@app.command("verify")
def verify(
    report: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a report.")],
) -> None:
    """Make a report again from what its manifest says, and name the first difference."""
    difference = first_difference(report, make_again)
    if difference is not None:
        console(stderr=True).print(safe(difference))
        raise typer.Exit(Exit.FAULTS)
    console().print(safe(f"{report}: made again, every file is the same, byte for byte"))


def _made(engine: Engine, arguments: Arguments, out: Path) -> Done:
    """The report, with a bar on a terminal while it is made."""
    tables = [(name, Path(place)) for name, place in arguments.tables]
    jobs = jobs_for(engine, tables, arguments.as_of, arguments.readings, options_of(arguments), arguments.over)
    err = console(stderr=True)
    for warning in dict.fromkeys(warning for job in jobs for warning in job.source.warnings):
        err.print(safe(f"note: {warning}"))
    with _progress(err) as bar, _watched(bar, jobs) as announce:
        return run_report(engine, jobs, arguments, out, announce)


def _pair(argument: str, facts: str | None) -> tuple[str, str]:
    name, equals, file = argument.partition("=")
    if equals and file:
        return name, file
    if facts is None:
        raise CannotRun(f"which facts for `{name}`? write {name}=FILE, or give --facts FILE")
    return name, facts


def _maps(arguments: list[str] | None) -> dict[str, str]:
    """The mapping file of each ruleset; "" stands for all of them."""
    pairs = (argument.rpartition("=") for argument in arguments or ())
    return {name: file for name, _, file in pairs}


def _formats(names: list[str] | None) -> tuple[str, ...]:
    for name in names or ():
        if name not in FORMATS:
            raise CannotRun(f"--format: `{name}` is none of {', '.join(FORMATS)}")
    return tuple(dict.fromkeys(names or ()))


def _progress(err: Console) -> Progress:
    """A bar on a terminal, nothing when piped."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


@contextmanager
def _watched(bar: Progress, jobs: list[Job]) -> Iterator[Any]:
    """Looks now and then how far each job's table has been read; the way it is given begins a job's line."""
    stop = Event()
    tasks: list[tuple[TaskID, Job]] = []

    def begin(job: Job) -> None:
        tasks.append((bar.add_task(job.ruleset.id, total=job.source.progress.total, rate=""), job))

    def look() -> None:
        while not stop.wait(0.1):
            for task, job in tuple(tasks):
                rate = next((one.speed for one in bar.tasks if one.id == task), None)
                said = f"{rate:,.0f} {job.source.progress.unit} a second" if rate else ""
                bar.update(task, completed=job.source.progress.done, rate=said)

    watcher = Thread(target=look, daemon=True)
    if not bar.disable:
        watcher.start()
    try:
        yield begin
    finally:
        stop.set()


def show_totals(totals: ReportTotals, out: Console) -> None:
    """What came out, as tables with bars."""
    for one in totals.rulesets:
        out.print(Text.assemble("\n", (one.ruleset, "bold"), safe(f"  {one.title}")))
        counts = f"{one.rows:,} rows, {one.valid:,} valid, {one.invalid:,} invalid"
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
        out.print(safe(f"  {violation.rows:,} rows, such as row {example.row} {example.key or ''}: {example.message}"))
    if len(one.violations) > MOST_SHOWN:
        out.print(f"  and {len(one.violations) - MOST_SHOWN} more kinds in summary.json")
