"""What `policy compare` does and shows on a terminal. Imports Polars, so the command imports it when it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer
from rich.console import Console

from policy_engine.analysis.rule_changes import as_asked, changes
from policy_engine.cli.change_searches import searched_changes
from policy_engine.cli.comparison_sides import Pairs
from policy_engine.cli.show import console, safe
from policy_engine.cli.standard_input import tables_located, told
from policy_engine.cli.tables import progress_bars, show_notes
from policy_engine.language.rule_changes import Effect, RuleChange
from policy_engine.reports.compare import Comparison, compare
from policy_engine.reports.comparison import words
from policy_engine.reports.comparison.counts import Change
from policy_engine.reports.comparison.folder import comparison_folder, refuse_inputs_within
from policy_engine.reports.comparison.forms import write_forms
from policy_engine.reports.comparison.json_form import to_json
from policy_engine.reports.comparison.markdown_form import as_markdown
from policy_engine.reports.comparison.result import Compared, RulesetCompared
from policy_engine.reports.comparison.side import Side
from policy_engine.reports.jobs import Job
from policy_engine.reports.manifest import Digested, digested
from policy_engine.tables.opening_tables import Options

MOST_RULE_CHANGES = 30
"""The number of changes of the rules that are shown of each ruleset."""
MOST_CHANGES = 20
"""The number of kinds of change that are shown of each decision."""


def compared_with_progress(
    pairs: Pairs, tables: Mapping[str, str], options: Options, out: Path | None, tries: int
) -> Compared:
    """Compare each ruleset in its text, and over its table, or by facts that are found; with `out`, write the folder."""
    if out is None:
        return Compared(tuple(_rulesets(pairs, tables, options, None, tries)), pairs.only_old, pairs.only_new)
    refuse_inputs_within(out, [Path(place) for place in tables.values()])
    with comparison_folder(out) as folder:
        found = Compared(tuple(_rulesets(pairs, tables, options, folder, tries)), pairs.only_old, pairs.only_new)
        write_forms(found, folder)
    return found


def _rulesets(
    pairs: Pairs, tables: Mapping[str, str], options: Options, folder: Path | None, tries: int
) -> Iterator[RulesetCompared]:
    for old, new in pairs.pairs:
        name = new.ruleset.id
        own = folder if folder is None or len(pairs.pairs) == 1 else folder / name
        if name not in tables:
            searched = searched_changes(old, new, tries)
            yield RulesetCompared(old, new, tuple(each.change for each in searched.searched), searched)
            continue
        if own is not None:
            own.mkdir(exist_ok=True)
        people, inputs = _with_progress(old, new, tables[name], options, own)
        yield RulesetCompared(old, new, _text(old, new), people=people, inputs=inputs)


def _text(old: Side, new: Side) -> tuple[RuleChange, ...]:
    """What changed in the rules; of sides with days or readings of their own, as they are asked."""
    if old.as_of == new.as_of and old.readings == new.readings:
        return changes(old.ruleset, new.ruleset)
    before, after = (as_asked(side.ruleset, side.as_of, side.readings) for side in (old, new))
    return changes(before, after)


def _with_progress(
    old: Side, new: Side, place: str, options: Options, out: Path | None
) -> tuple[Comparison, tuple[Digested, ...]]:
    """The comparison over a table, with a bar on a terminal; notes about the table are shown once."""
    err = console(stderr=True)
    with tables_located([place], options.file.input_format) as located, progress_bars(err) as begin:

        def announce(job: Job) -> None:
            show_notes(err, dict.fromkeys(told(note, located) for note in job.source.warnings))
            begin(job.ruleset.id, job.source.progress)

        found = compare(old, new, located.place(place), options, announce, out)
        show_notes(err, [told(note, located) for note in found.notes])
        inputs = [digested(path, located.name(path)) for path in found.files] if out is not None else []
        return found, tuple(inputs)


def show_comparisons(found: Compared, form: str) -> None:
    """The comparison in the form that is asked for."""
    match form:
        case "json":
            typer.echo(json.dumps(to_json(found), ensure_ascii=False))
        case "markdown":
            typer.echo(as_markdown(found), nl=False)
        case _:
            _show(console(), found)


def _show(out: Console, found: Compared) -> None:
    for place, one in enumerate(found.rulesets):
        if place:
            out.print()
        out.print(safe(words.title(one.old, one.new), "bold"))
        _show_text(out, one)
        if one.people is not None:
            _show_people(out, one.people)
    for side, names in (("old", found.only_old), ("new", found.only_new)):
        for name in names:
            out.print(safe(f"only the {side} side has the ruleset {name}"))


def _show_text(out: Console, one: RulesetCompared) -> None:
    """What changed in the rules; what alters nothing is counted."""
    told = [change for change in one.text if change.effect is not Effect.NOTHING]
    for change in told[:MOST_RULE_CHANGES]:
        out.print(safe(f"  {words.rule_change(change)}"))
        for line in words.shown_by(one, change):
            out.print(safe(f"    {line}", "dim"))
    if len(told) > MOST_RULE_CHANGES:
        out.print(f"  and {len(told) - MOST_RULE_CHANGES} more changes of the rules")
    if not told:
        out.print("  the rules mean the same")
    if len(one.text) > len(told):
        out.print(f"  {words.altering_nothing(len(one.text) - len(told))}")
    for line in words.shown_by_none(one):
        out.print(safe(f"  {line}"))


def _show_people(out: Console, found: Comparison) -> None:
    """What was compared over a table, what could not be, and the changes with what made them."""
    out.print(words.accounts(found))
    for invalid in found.invalid:
        out.print(safe(f"invalid to {words.invalid_to(found, invalid)}: {invalid.rows:,}"))
        for row, key, wrong in invalid.examples:
            out.print(safe(f"  row {words.named(row, key)}: {wrong}", "dim"))
    for sentence in words.one_sided(found):
        out.print(safe(sentence))
    for decision in found.decisions:
        _show_changes(out, decision, [one for one in found.changes if one.decision == decision])
    if found.distributions:
        out.print()
    for one in found.distributions:
        out.print(safe(words.distribution(one)))
    if not found.compared:
        out.print("nothing was compared")
    elif not found.changes:
        out.print("of the accounts compared no answer changes")


def _show_changes(out: Console, decision: str, changes: list[Change]) -> None:
    if not changes:
        return
    out.print()
    for one in changes[:MOST_CHANGES]:
        out.print(safe(f"{decision}: {words.change(one)}: {one.rows:,}"))
        for text, style in _attributions(one):
            out.print(safe(text, style))
    if len(changes) > MOST_CHANGES:
        rest = sum(one.rows for one in changes[MOST_CHANGES:])
        out.print(f"  and {len(changes) - MOST_CHANGES} more kinds of change, in {rest:,} answers")


def _attributions(one: Change) -> Iterator[tuple[str, str]]:
    """What made a change, each with some accounts."""
    for attribution in one.attributions:
        sentence = words.attribution(attribution, one.part)
        if sentence:
            yield f"  {sentence}: {attribution.rows:,}", ""
        for account in attribution.examples:
            detail = words.account(account, one.part)
            yield f"    row {words.named(account.row, account.key)}{f': {detail}' if detail else ''}", "dim"
    if one.other_attributions:
        yield f"  otherwise made: {one.other_attributions:,}", ""
