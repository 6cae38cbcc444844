"""A comparison as Markdown, as for a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_engine.language.rule_changes import Effect
from policy_engine.reports import markdown
from policy_engine.reports.compare import Comparison
from policy_engine.reports.comparison import words
from policy_engine.reports.comparison.counts import Change
from policy_engine.reports.comparison.moves import Distribution
from policy_engine.reports.comparison.result import Compared, RulesetCompared

MOST_CHANGES = 50
"""The number of kinds of change, and of changes of the rules, that are told of each ruleset."""


def as_markdown(found: Compared) -> str:
    """The whole comparison; texts of authors and accounts stay texts."""
    lines = [_in_code(words.FOR_CUSTOMERS), ""] if found.is_for_customers else []
    lines += [line for one in found.told for line in _ruleset(one)]
    lines += [f"{markdown.text(words.the_same(found.same))}.", ""] if found.same else []
    for side, names in (("old", found.only_old), ("new", found.only_new)):
        lines += [f"Only the {side} side has {markdown.text(', '.join(names))}.", ""] if names else []
    return "\n".join(lines).rstrip() + "\n"


def _ruleset(one: RulesetCompared) -> Iterator[str]:
    yield from (f"## {markdown.text(words.title(one.old, one.new))}", "", "### Changes of the rules", "")
    told = [change for change in one.text if change.effect is not Effect.NOTHING]
    for change in told[:MOST_CHANGES]:
        yield f"- {_in_code(words.rule_change(change))}"
        yield from (f"  - {_in_code(line)}" for line in words.shown_by(one, change))
    if len(told) > MOST_CHANGES:
        yield f"- and {len(told) - MOST_CHANGES} more"
    if not told:
        yield "The rules mean the same."
    if len(one.text) > len(told):
        yield f"- {words.altering_nothing(len(one.text) - len(told))}"
    yield ""
    if shown := [_in_code(line) for line in words.shown_by_none(one)]:
        yield from (" ".join(shown), "")
    if one.people is not None:
        yield from _people(one.people)


def _listed(items: Iterable[str]) -> Iterator[str]:
    yield from (f"- {item}" for item in items)


def _people(found: Comparison) -> Iterator[str]:
    """What changes for the accounts of a table."""
    yield from ("### Accounts", "", f"{markdown.text(words.accounts(found))}.", "")
    yield from _listed(
        f"invalid to {markdown.text(words.invalid_to(found, one))}: {one.rows:,}" for one in found.invalid
    )
    yield from _listed(map(markdown.text, words.one_sided(found)))
    if found.invalid or found.one_sided:
        yield ""
    if not found.compared:
        yield from ("**Nothing was compared.**", "")
    elif not found.changes:
        yield from ("Of the accounts compared no answer changes.", "")
    else:
        yield from _changes(found)
    yield from _distributions(found.distributions)


def _changes(found: Comparison) -> Iterator[str]:
    yield from ("| decision | change | accounts | what made the difference |", "| --- | --- | ---: | --- |")
    for one in found.changes[:MOST_CHANGES]:
        cells = (one.decision, words.change(one), f"{one.rows:,}")
        yield f"| {' | '.join(map(markdown.text, cells))} | {_attributions(one)} |"
    if len(found.changes) > MOST_CHANGES:
        yield f"| | and {len(found.changes) - MOST_CHANGES} more kinds | | |"
    yield ""
    yield from ("<details><summary>Some accounts</summary>", "")
    for one in found.changes[:MOST_CHANGES]:
        yield f"- {markdown.text(one.decision)}: {markdown.text(words.change(one))}"
        for account in one.examples:
            told = words.account(account, one.part)
            yield f"  - row {markdown.text(words.named(account.row, account.key))}{f': {markdown.text(told)}' if told else ''}"
    yield from ("", "</details>", "")


def _attributions(one: Change) -> str:
    sentences = [(words.attribution(each, one.part), each.rows) for each in one.attributions]
    told = [f"{_in_code(sentence)}: {rows:,}" for sentence, rows in sentences if sentence]
    return "<br>".join([*told, *([f"otherwise made: {one.other_attributions:,}"] if one.other_attributions else [])])


def _in_code(sentence: str) -> str:
    """A sentence whose conditions stand between backticks, as code."""
    parts = sentence.split("`")
    return "".join(_cell_code(part) if place % 2 else markdown.text(part) for place, part in enumerate(parts))


def _cell_code(words_: str) -> str:
    """Code in a cell of a table, where a bar would end the cell."""
    return markdown.code(words_).replace("|", "\\|")


def _distributions(found: Iterable[Distribution]) -> Iterator[str]:
    lines = [_distribution(one) for one in found]
    if lines:
        yield "| value | up | gained | down | lost | least | 5 % | half | 95 % | greatest |"
        yield f"| --- {'| ---: ' * 9}|"
        yield from (*lines, "")


def _distribution(one: Distribution) -> str:
    unit = f" ({one.unit})" if one.unit else ""
    moved = (one.least, one.quantiles[5], one.quantiles[50], one.quantiles[95], one.greatest)
    cells = [
        f"{one.decision}: {one.value}{unit}",
        f"{one.up:,}",
        words.number(one.gained),
        f"{one.down:,}",
        words.number(one.lost),
    ]
    cells += [words.number(each, signed=True) for each in moved]
    return f"| {' | '.join(map(markdown.text, cells))} |"
