"""The outcomes of a decision, and what its undetermined records lack, in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import DecisionLogic
from policy_engine.language.units import PERCENT
from policy_engine.reports.html.words import in_unit, listed, number, share, spoken
from policy_engine.reports.totals import DecisionTotals, Spread, ValueTotals

MOST_NAMED = 3


def came_out(logic: DecisionLogic, totals: DecisionTotals) -> str:
    """The sentences about a decision."""
    if not totals.rows:
        return "There was no valid record to decide."
    return " ".join([*_answered(logic, totals), *_unanswered(totals)])


def _answered(logic: DecisionLogic, totals: DecisionTotals) -> Iterator[str]:
    if logic.body is None:
        yield f"Calculated for {_of_all(totals.statuses[Status.DECIDED], totals.rows)}."
        yield from (_range(value, value.spread) for value in totals.values if value.spread is not None)
        return
    came = [(name, count) for name, count in totals.outcomes.items() if count]
    verb = "applies to" if logic.collects else "for"
    named = [f"{_quoted(name)} {verb} {_of_all(count, totals.rows)}" for name, count in came[:1]]
    named += [f"{_quoted(name)} {verb} {_part(count, totals.rows)}" for name, count in came[1:MOST_NAMED]]
    if named:
        yield f"{'' if logic.collects else 'The answer is '}{listed(named)}."
    if len(came) > MOST_NAMED:
        rest = sum(count for _, count in came[MOST_NAMED:])
        yield f"{len(came) - MOST_NAMED} more outcomes came {number(rest)} times together."
    if totals.nothing_applies:
        yield f"Nothing applies to {_part(totals.nothing_applies, totals.rows)}."
    yield from _sums(totals)
    never = [_quoted(name) for name, count in totals.outcomes.items() if not count]
    if never and came:
        yield f"{listed(never)} never came."


def _unanswered(totals: DecisionTotals) -> Iterator[str]:
    undetermined, gaps = totals.statuses[Status.UNDETERMINED], totals.statuses[Status.GAP]
    if undetermined:
        yield f"{_part(undetermined, totals.rows)} cannot be answered {_why_undetermined(undetermined, totals.no_fact_missing)}."
    if gaps:
        yield f"{_part(gaps, totals.rows)} fell into a gap that no rule covers."
    if not undetermined and not gaps:
        yield "Every valid record got an answer."


def _why_undetermined(undetermined: int, no_fact_missing: int) -> str:
    if not no_fact_missing:
        return "for want of facts"
    if no_fact_missing == undetermined:
        return "though no fact is missing: something in them has no value"
    return f"for want of facts, but for {number(no_fact_missing)} in which something has no value"


def _range(value: ValueTotals, spread: Spread) -> str:
    name = spoken(value.name)
    lowest, median, highest = (in_unit(part, value.unit) for part in (spread.lowest, spread.median, spread.highest))
    total = f" The sum is {in_unit(spread.sum, value.unit)}." if _adds_up(value, spread) else ""
    return f"The {name} runs from {lowest} to {highest}; the median is {median}.{total}"


def _adds_up(value: ValueTotals, spread: Spread) -> bool:
    """Whether a sum says something: a number is of a unit, and no share."""
    return spread.sum is not None and value.unit not in ("", "%", PERCENT)


def _sums(totals: DecisionTotals) -> Iterator[str]:
    """What the values that have a unit come to, of all records and for the outcomes with the largest sums."""
    adding = [(value, value.spread) for value in totals.values if value.spread and _adds_up(value, value.spread)]
    for value, spread in adding[:MOST_NAMED]:
        sums = {outcome: own.sum for outcome, own in value.by_outcome.items() if own.sum is not None}
        largest = sorted(sums.items(), key=lambda entry: abs(Decimal(entry[1])), reverse=True)[:MOST_NAMED]
        named = [f"{number(part)} for {_quoted(outcome)}" for outcome, part in largest]
        parts = f": {listed(named)}" if len(value.by_outcome) > 1 else ""
        yield f"The sum of {_quoted(value.name)} is {in_unit(spread.sum, value.unit)}{parts}."


def trials_in_words(totals: DecisionTotals) -> str:
    """Which single facts decided the undetermined records that were asked again with one fact filled in."""
    if not totals.tried:
        return "Whether a single fact would settle any of them was not tried."
    were = "was" if totals.tried == 1 else "were"
    asked = f"{number(totals.tried)} of them {were} asked again with one missing fact filled in, by several values"
    if not totals.settled_by:
        return f"{asked}: no single fact settled any of these."
    named = [f"{_any_of(one.paths)} settled {number(one.rows)}" for one in totals.settled_by[:MOST_NAMED]]
    rest = sum(one.rows for one in totals.settled_by[MOST_NAMED:])
    more = f", and others settled {number(rest)}" if rest else ""
    return f"{asked}. Alone, and with each of these values, {listed(named)}{more}."


def _any_of(paths: Sequence[str]) -> str:
    """A fact, or alternatives."""
    return paths[0] if len(paths) == 1 else f"one of {', '.join(paths[:-1])} or {paths[-1]}"


def _quoted(name: str) -> str:
    return f"\u201c{spoken(name)}\u201d"


def _of_all(count: int, rows: int) -> str:
    return f"{number(count)} of {number(rows)} valid records ({share(count, rows)})"


def _part(count: int, rows: int) -> str:
    return f"{number(count)} ({share(count, rows)})"
