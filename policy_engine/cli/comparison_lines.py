"""What `policy compare` prints. Imports Polars, so the command imports it when it runs."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from rich.console import Console

from policy_engine.cli.show import console, safe
from policy_engine.language.rule_changes import Effect
from policy_engine.reports.compare import Comparison
from policy_engine.reports.comparison import words
from policy_engine.reports.comparison.counts import Change
from policy_engine.reports.comparison.forms import json_text
from policy_engine.reports.comparison.markdown_form import as_markdown
from policy_engine.reports.comparison.result import Compared, RulesetCompared

MOST_RULE_CHANGES = 30
"""The number of changes of the rules that are shown of each ruleset."""
MOST_CHANGES = 20
"""The number of kinds of change that are shown of each decision."""


def show_comparisons(found: Compared, form: str) -> None:
    """The comparison in the form that is asked for."""
    match form:
        case "json":
            typer.echo(json_text(found), nl=False)
        case "markdown":
            typer.echo(as_markdown(found), nl=False)
        case _:
            _show(console(), found)


def _show(out: Console, found: Compared) -> None:
    if found.is_for_customers:
        out.print(safe(words.FOR_CUSTOMERS))
    for place, one in enumerate(found.told):
        if place:
            out.print()
        out.print(safe(words.title(one.old, one.new), "bold"))
        _show_text(out, one)
        if one.people is not None:
            _show_people(out, one.people)
    if found.same:
        if found.told:
            out.print()
        out.print(safe(words.the_same(found.same)))
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
