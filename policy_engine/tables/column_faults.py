"""What is said of a table's columns before any row is read: those that can never fit, those that no fact has, those missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from policy_engine.diagnostics import nearest, shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Text, Type, member_of

MOST_DIGITS = 38
"""So many digits has a decimal that Polars can read."""


def refuse_unfitting(where: str, columns: Mapping[str, Any], names: Mapping[str, str], facts: FactsSchema) -> None:
    """Raise `CannotRun` for every column of a table whose type can never fit its fact.

    `columns` are the types of the facts' columns, by fact; `names` are the names that columns have in the table.
    """
    faults = []
    for member in facts.type.members:
        if member.name in columns:
            shown = shown_text(names.get(member.name, member.name))
            faults += [_sentence(where, *fault, facts) for fault in unfitting(shown, member.type, columns[member.name])]
    if faults:
        raise CannotRun("\n".join(faults))


def _sentence(where: str, column: str, dtype: object, wanted: str, facts: FactsSchema) -> str:
    does = "convert it, or leave it out with --map"
    return f"{where}: the column `{column}` is {dtype}, and the schema `{facts.name}` wants {wanted}; {does}"


def unfitting(column: str, kind: Type, dtype: Any) -> Iterator[tuple[str, object, str]]:
    """Where a column, or a part of it, has a type that can never fit: its path, its type, and what is wanted."""
    match kind, dtype:
        case _, pl.Null():
            return
        case ListOf(element=element), pl.List() | pl.Array():
            yield from unfitting(f"{column}[]", element, dtype.inner)
        case Record() as record, pl.Struct():
            for field in dtype.fields:
                member = member_of(record, field.name)
                if member is not None:
                    yield from unfitting(f"{column}.{field.name}", member.type, field.dtype)
        case _ if not _can_be(kind, dtype):
            yield column, dtype, _wanted(kind)
        case _, pl.Decimal(precision=precision) if precision is not None and precision > MOST_DIGITS:
            yield column, dtype, f"numbers of at most {MOST_DIGITS} digits"


def _can_be(kind: Type, dtype: Any) -> bool:
    texts = isinstance(dtype, pl.String | pl.Categorical | pl.Enum)
    match kind:
        case Boolean():
            return isinstance(dtype, pl.Boolean)
        case Number():
            return bool(dtype.is_numeric())
        case Text():
            return texts
        case Date():
            return texts or isinstance(dtype, pl.Date)
        case Instant():
            return texts or (isinstance(dtype, pl.Datetime) and dtype.time_zone is not None)
    return False


def _wanted(kind: Type) -> str:
    """What a column of a fact may be, in words."""
    match kind:
        case Boolean():
            return "true or false (Boolean)"
        case Number(places=0):
            return "whole numbers (any type of numbers)"
        case Number():
            return "numbers (any type of numbers)"
        case Text():
            return "texts (String)"
        case Date():
            return "dates (Date, or String such as 2025-02-28)"
        case Instant():
            return "instants (Datetime with a time zone, or String such as 2025-02-28T09:30:00-05:00)"
        case ListOf():
            return "lists (List)"
        case _:
            return "records (Struct)"


def warnings_of(where: str, columns: Iterable[str], facts: FactsSchema) -> tuple[str, ...]:
    """What to tell of columns that are no facts, and of required facts that have no column."""
    known, found = [member.name for member in facts.type.members], list(columns)
    missing = [member.name for member in facts.type.members if member.required and member.name not in found]
    unknown = [_unknown(where, name, known, facts) for name in found if name not in known]
    return (*unknown, *(f"{where}: there is no column for the required fact `{name}`" for name in missing))


def _unknown(where: str, name: str, known: list[str], facts: FactsSchema) -> str:
    near = nearest(name, known)
    does = f"did you mean `{near}`? Map it" if near else "leave it out or map it"
    told = f"the column `{shown_text(name)}` is no fact of the schema `{facts.name}`"
    return f"{where}: {told}; {does} with --map, or its rows are invalid wherever it has a value"
