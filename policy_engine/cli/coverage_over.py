"""`policy test --coverage --over TABLE`: what real accounts use of the rules, beside what the cases try.

Imports Polars, which takes long, so the command imports this module when it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

from policy_engine.analysis.accounts import Accounts, used_items
from policy_engine.analysis.coverage import Coverage
from policy_engine.analysis.sites import sites_of
from policy_engine.analysis.tested_values import tested_values
from policy_engine.cli.log_tables import logged_tables
from policy_engine.cli.over_options import Over
from policy_engine.cli.show import console, safe
from policy_engine.cli.standard_input import tables_located, told
from policy_engine.cli.tables import progress_bars
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.reports.databases import Asked, table_fetched
from policy_engine.reports.jobs import Job, jobs_for
from policy_engine.reports.usage import usage_of
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.opening_tables import Options

LOG = "log:"
"""Begins the name of a decision log whose facts are the table."""


def accounts_over(engine: Engine, cases: Sequence[RuleCase], coverage: Coverage, over: Over) -> list[Accounts]:
    """What the accounts of each table use; raises `PolicyError`s where one cannot be read."""
    tested = list(dict.fromkeys(case.ruleset for case in cases))
    pairs = [_pair(argument, tested) for argument in over.tables]
    names = [name for name, _ in pairs]
    maps = {name: Path(file) for name, file in over.maps(names).items()}
    file = FileOptions(over.encoding, over.delimiter, over.sheet, over.header_row, over.input_format)
    day = over.day(engine, names[0])
    options = Options(maps, file)
    with ExitStack() as stack:
        located = stack.enter_context(tables_located([place for _, place in pairs], over.input_format))
        for name, place in pairs:
            if place.startswith(LOG):
                tables, where = stack.enter_context(logged_tables(place.removeprefix(LOG), None, [name]))
                located = replace(located, moved={**located.moved, place: where.place(tables[name])})
        for name, place in pairs:
            asked = [Asked(engine.ruleset(name, day), day)]
            located = stack.enter_context(table_fetched(place, asked, options, located))
        places = [(name, located.place(place)) for name, place in pairs]
        jobs = jobs_for(engine, places, day, over.readings, options, over.dated_by)
        found = [_accounts(job, place, cases, coverage, day) for job, (_, place) in zip(jobs, pairs, strict=True)]
        for note in dict.fromkeys(told(note, located) for job in jobs for note in job.source.notes()):
            console(stderr=True).print(safe(f"note: {note}"))
    return found


def _pair(argument: str, tested: Sequence[str]) -> tuple[str, str]:
    """The ruleset and the table that an argument names; raises `CannotRun`."""
    name, equals, place = argument.partition("=")
    if equals and name in tested:
        return name, place
    if len(tested) == 1:
        return tested[0], argument
    raise CannotRun(f"--over: whose accounts are in `{argument}`? write RULESET={argument}, or name one test file")


def _accounts(job: Job, table: str, cases: Sequence[RuleCase], coverage: Coverage, day: date) -> Accounts:
    """What the accounts of one table use; raises `CannotRun` where none is valid."""
    with progress_bars(console(stderr=True)) as begin:
        begin(job.ruleset.id, job.source.progress)
        values = tested_values(job.ruleset, cases, job.readings, day)
        uses = usage_of(job, [each.regions for each in values])
    if not uses.valid:
        raise CannotRun(
            f"no row of `{table}` is valid, so nothing is counted over it; "
            f"`policy report {job.ruleset.id}={table}` tells what is wrong with each"
        )
    used, constant = used_items(job.ruleset, day, sites_of(job.ruleset), uses, coverage)
    untried = [
        (each.regions.fact, words, use)
        for each in values
        for words, use in sorted(each.untested(uses.values[each.regions.fact]))
    ]
    return Accounts(job.ruleset, table, day, uses, tuple(used), tuple(untried), constant)
