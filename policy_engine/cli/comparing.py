"""Comparing all rulesets of two sides, and writing the folder. Imports Polars, so the command imports it when it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from policy_engine.analysis.rule_changes import changes_found, sides_as_asked
from policy_engine.cli.change_searches import searched_changes
from policy_engine.cli.comparison_sides import Pairs
from policy_engine.cli.show import console
from policy_engine.cli.standard_input import tables_located, told
from policy_engine.cli.tables import progress_bars, show_notes
from policy_engine.language.rule_changes import Asked, RuleChange
from policy_engine.reports import exports
from policy_engine.reports.compare import compare
from policy_engine.reports.comparison.folder import comparison_folder, refuse_inputs_within
from policy_engine.reports.comparison.forms import write_forms
from policy_engine.reports.comparison.result import Compared, RulesetCompared
from policy_engine.reports.comparison.side import Side
from policy_engine.reports.databases import Asked as AskedOfTable
from policy_engine.reports.databases import table_fetched
from policy_engine.reports.jobs import Job
from policy_engine.reports.locating import WHERE_NAMED, Located
from policy_engine.reports.manifest import digested
from policy_engine.tables.databases.places import is_in_database
from policy_engine.tables.opening_tables import Options


@dataclass(frozen=True, slots=True)
class Work:
    """What is compared over which tables, for whom, and the folder that is written, if any.

    `tables` are by ruleset. Without any, facts that show a change are looked for, so many `tries` for each. `also` are further
    forms in which the accounts that change are written. `located` is where tables lie that are no files of their names.
    """

    pairs: Pairs
    tables: Mapping[str, str]
    options: Options
    audience: str
    tries: int
    out: Path | None = None
    also: Sequence[str] = ()
    located: Located = WHERE_NAMED


def compared_with_progress(work: Work) -> Compared:
    """Compare each ruleset in its text, and over its table where it has one; raises `PolicyError`s, and then writes nothing."""
    only_old, only_new = work.pairs.only_old, work.pairs.only_new
    if work.out is None:
        return Compared(tuple(_rulesets(work, None)), only_old, only_new, work.audience)
    refuse_inputs_within(work.out, [Path(place) for place in work.tables.values() if not is_in_database(place)])
    with comparison_folder(work.out) as folder:
        found = Compared(tuple(_rulesets(work, folder)), only_old, only_new, work.audience)
        for form in work.also:
            exports.write(form, folder)
        write_forms(found, folder)
    return found


def _rulesets(work: Work, folder: Path | None) -> Iterator[RulesetCompared]:
    for old, new in work.pairs.pairs:
        name = new.ruleset.id
        if not work.tables:
            searched = searched_changes(old, new, work.tries)
            text = tuple(each.change for each in searched.searched)
            yield RulesetCompared(old, new, text, searched, audience=work.audience)
        elif name not in work.tables:
            yield RulesetCompared(old, new, _text(old, new), audience=work.audience)
        else:
            own = folder if folder is None or len(work.pairs.pairs) == 1 else folder / name
            yield replace(_over_table(work, old, new, own), text=_text(old, new), audience=work.audience)


def _asked(old: Side, new: Side) -> tuple[Asked, Asked]:
    """Both sides as they are asked: with their days and readings only where these differ."""
    if old.as_of == new.as_of and old.readings == new.readings:
        return Asked(old.ruleset), Asked(new.ruleset)
    return Asked(old.ruleset, old.as_of, old.readings), Asked(new.ruleset, new.as_of, new.readings)


def _text(old: Side, new: Side) -> tuple[RuleChange, ...]:
    """What changed in the rules."""
    return tuple(found.change for found in changes_found(sides_as_asked(*_asked(old, new))))


def _located(work: Work, place: str) -> AbstractContextManager[Located]:
    """Where a table lies while it is compared."""
    if place in work.located.moved:
        return nullcontext(work.located)
    return tables_located([place], work.options.file.input_format)


def _over_table(work: Work, old: Side, new: Side, folder: Path | None) -> RulesetCompared:
    """The comparison over a table, with a bar on a terminal; notes about the table are shown once."""
    err, place = console(stderr=True), work.tables[new.ruleset.id]
    if folder is not None:
        folder.mkdir(exist_ok=True)
    sides = [AskedOfTable(side.ruleset, side.as_of, side.readings) for side in (old, new)]
    with (
        _located(work, place) as where,
        table_fetched(place, sides, work.options, where) as located,
        progress_bars(err) as begin,
    ):
        show_notes(err, located.notes)

        def announce(job: Job) -> None:
            show_notes(err, dict.fromkeys(told(note, located) for note in job.source.warnings))
            begin(job.ruleset.id, job.source.progress)

        found = compare(old, new, located.place(place), work.options, announce, folder, work.audience)
        show_notes(err, [told(note, located) for note in found.notes])
        files = found.files if folder is not None and not is_in_database(place) else ()
        inputs = tuple(digested(path, located.name(path)) for path in files)
        return RulesetCompared(old, new, people=found, inputs=inputs, fetched=located.rows[-1:])
