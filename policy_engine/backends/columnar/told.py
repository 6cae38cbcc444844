"""What a decision tells: status, outcome, rule and reason as columns, each following from its code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar import arithmetic
from policy_engine.backends.columnar.decisions import Branch, Choice, DecisionColumns, chosen, is_one_of
from policy_engine.backends.columnar.dtypes import dtype_or_null
from policy_engine.language.decisions import Status
from policy_engine.language.types import ListOf, Number, Type

STATUS = pl.Enum([str(status) for status in Status])
MOST_STRETCHES = 8
"""To compare a code with so many bounds is quicker than to look it up."""
MOST_TABLED = 12
"""For so many rules all combinations are laid out beforehand."""
BYTE = 256
"""An enumeration of fewer words lies in bytes."""


class Output(NamedTuple):
    """A column that tells a decision, and the part of an answer that it is."""

    part: str
    column: pl.Expr


def outputs_of(columns: DecisionColumns) -> Iterator[Output]:
    """The columns that tell a decision, named `DECISION.status`, `DECISION.values.NAME` and so on."""
    name = columns.logic.name
    for part, column in (("status", _status(columns)), *_concluded(columns)):
        yield Output(part, column.alias(f"{name}.{part}"))
    for value, kind in columns.logic.value_types:
        yield Output("values", presented(columns.values[value], kind).alias(f"{name}.values.{value}"))


def outcome_as_text(columns: DecisionColumns) -> pl.Expr:
    """The outcome as other decisions see it, unknown unless it is decided."""
    if columns.collected is not None:
        return pl.when(columns.decided).then(_collected(columns, outcomes=True))
    return outcome_of(columns).cast(pl.String)


def outcome_of(columns: DecisionColumns) -> pl.Expr:
    """The outcome, null where the decision is not decided."""
    kind = pl.Enum(columns.logic.outcomes)
    if columns.choice is not None:
        return _of_choice(columns.choice, kind)
    return _by_code(columns.code, [concluded.then.outcome for concluded in columns.conclusions], kind)


def _status(columns: DecisionColumns) -> pl.Expr:
    decided, undetermined, gap = (pl.lit(str(status), dtype=STATUS) for status in Status)
    found = pl.when(columns.undetermined).then(undetermined)
    return (found.when(columns.code == columns.gap).then(gap) if columns.has_gap else found).otherwise(decided)


def _concluded(columns: DecisionColumns) -> Iterator[tuple[str, pl.Expr]]:
    """Outcome, rule and reason, of which a calculation has none."""
    if columns.collected is not None:
        yield "outcome", _collected(columns, outcomes=True)
        yield "rule", _collected(columns, outcomes=False)
    elif columns.logic.body is not None:
        if columns.logic.outcomes:
            yield "outcome", outcome_of(columns)
        yield "rule", _words(columns, [one.rule for one in columns.conclusions])
        yield "reason", _words(columns, [one.reason for one in columns.conclusions])


def _by_code(code: pl.Expr, words: Sequence[str | None], kind: pl.Enum) -> pl.Expr:
    """The word of each code: codes of one word that follow one another are told by a comparison, where there are few such."""
    stretches = [(word, len(list(codes))) for word, codes in groupby(words)]
    if len(stretches) > MOST_STRETCHES:
        return pl.lit(pl.Series([*words, None], dtype=kind)).gather(code)
    branches, end = [], 0
    for word, length in stretches:
        end += length
        branches.append(Branch(code < end, pl.lit(word, dtype=kind)))
    return chosen(branches, pl.lit(None, dtype=kind))


def _of_choice(choice: Choice, kind: pl.Enum) -> pl.Expr:
    """The outcome of a matrix: by the kinds of its cells, those together that may come to the same."""
    if choice.holds is None:
        return _by_code(choice.kind, [then for then, _ in choice.outcomes], kind)
    branches = []
    for pair in dict.fromkeys(choice.outcomes):
        here = is_one_of(choice.kind, [number for number, one in enumerate(choice.outcomes) if one == pair])
        for holds, outcome in zip((choice.holds, ~choice.holds), pair, strict=True):
            branches.append(Branch(here & holds, pl.lit(outcome, dtype=kind)))
    return chosen(branches, pl.lit(None, dtype=kind))


def _words(columns: DecisionColumns, words: list[str]) -> pl.Expr:
    """A word for each code: the code itself as the number of a word, where each has one of its own."""
    distinct = list(dict.fromkeys(words))
    kind = pl.Enum(distinct)
    number = pl.UInt8() if len(distinct) < BYTE else pl.UInt16()
    code = pl.when(columns.code < columns.gap).then(columns.code) if columns.has_gap else columns.code
    if len(distinct) == len(words):
        return code.cast(number).cat.to(kind)
    place = {word: index for index, word in enumerate(distinct)}
    return pl.lit(pl.Series([place[word] for word in words], dtype=number)).gather(code).cat.to(kind)


def _collected(columns: DecisionColumns, *, outcomes: bool) -> pl.Expr:
    """The outcomes of a collect decision, or the ids of its rules, of all that apply, each once."""
    assert columns.collected is not None
    rules, applies = columns.collected
    names = [str(rule.then.outcome) if outcomes else rule.id for rule in rules]
    if len(names) <= MOST_TABLED:
        bits = [
            pl.when(flag).then(pl.lit(1 << place, dtype=pl.UInt16)).otherwise(0) for place, flag in enumerate(applies)
        ]
        none = columns.code.is_null().cast(pl.UInt16) * 0
        return pl.lit(_combinations(names)).gather(sum(bits, none))
    parts = [pl.when(flag).then(pl.lit(name)) for name, flag in zip(names, applies, strict=True)]
    return pl.concat_list(parts).list.drop_nulls().list.unique(maintain_order=True)


def _combinations(names: Sequence[str]) -> pl.Series:
    """What is collected, for each combination of rules."""
    rows = [
        list(dict.fromkeys(name for place, name in enumerate(names) if bits >> place & 1))
        for bits in range(1 << len(names))
    ]
    return pl.Series(rows, dtype=pl.List(pl.String))


def presented(column: pl.Expr, kind: Type) -> pl.Expr:
    """A value as an answer has it: units as an exact decimal."""
    match kind:
        case Number(places=places):
            return arithmetic.presented(column.cast(pl.Int64), places)
        case ListOf(element=Number(places=places)) if places:
            return column.list.eval(arithmetic.presented(pl.element(), places))
    return column.cast(dtype_or_null(kind))
