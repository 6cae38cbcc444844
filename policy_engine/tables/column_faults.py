"""Checks of a table's columns before any row is read: types that cannot hold their fact, and columns of no fact."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from policy_engine.diagnostics import nearest, shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Text, Time, Type, member_of

MOST_DIGITS = 38
"""So many digits has a decimal that Polars can read."""
MOST_TOLD = 3
"""So many columns that are no facts, and have no name like one, are told one by one."""


def refuse_unfitting(where: str, columns: Mapping[str, Any], names: Mapping[str, str], facts: FactsSchema) -> None:
    """Raise `CannotRun` for every column of a table whose type can never fit its fact.

    `columns` are the types of the facts' columns, by fact; `names` are the names that columns have in the table.
    """
    does = "convert it, or leave it out with --map"
    faults = [
        f"{where}: the column `{column}` is {dtype}, and the schema `{facts.name}` wants {wanted}; {does}"
        for member in facts.type.members
        if member.name in columns
        for column, dtype, wanted in unfitting(shown_text(names[member.name]), member.type, columns[member.name])
    ]
    if faults:
        raise CannotRun("\n".join(faults))


def unfitting(column: str, kind: Type, dtype: Any) -> Iterator[tuple[str, object, str]]:
    """Where a column, or a part of it, has a type that can never fit: its path, its type, and what is wanted."""
    match kind, dtype:
        case _, pl.Null():
            return
        case ListOf(element=element), pl.List() | pl.Array():
            yield from unfitting(f"{column}[]", element, dtype.inner)
            return
        case Record() as record, pl.Struct():
            for field in dtype.fields:
                member = member_of(record, field.name)
                if member is not None:
                    yield from unfitting(f"{column}.{field.name}", member.type, field.dtype)
            return
    fits, wanted = _wanted(kind, dtype)
    if not fits:
        yield column, dtype, wanted
    elif isinstance(dtype, pl.Decimal) and dtype.precision is not None and dtype.precision > MOST_DIGITS:
        yield column, dtype, f"numbers of at most {MOST_DIGITS} digits"


def _wanted(kind: Type, dtype: Any) -> tuple[bool, str]:
    """Whether a column of a type can hold a fact, and which columns can, in words."""
    texts = isinstance(dtype, pl.String | pl.Categorical | pl.Enum)
    match kind:
        case Boolean():
            return isinstance(dtype, pl.Boolean), "true or false (Boolean)"
        case Number(places=places):
            return dtype.is_numeric(), f"{'numbers' if places else 'whole numbers'} (any type of numbers)"
        case Text():
            return texts, "texts (String)"
        case Date():
            return texts or isinstance(dtype, pl.Date), "dates (Date, or String such as 2025-02-28)"
        case Instant(zone=str()):
            return texts or isinstance(dtype, pl.Datetime), "instants (Datetime, or String such as 2025-02-28T09:30:00)"
        case Instant():
            moments = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
            return texts or moments, (
                "instants (Datetime with a time zone, or String such as 2025-02-28T09:30:00-05:00)"
            )
        case Time():
            return texts or isinstance(dtype, pl.Time), "times of day (Time, or String such as 09:30)"
    return False, "lists (List)" if isinstance(kind, ListOf) else "records (Struct)"


def refuse_own_names(where: str, columns: Container[str], own: Iterable[str]) -> None:
    """Raise `CannotRun` for a column of a table that is called as one of ours is."""
    for name in own:
        if name in columns:
            raise CannotRun(f"{where}: a column cannot be called `{name}`; give it another name")


def warnings_of(where: str, columns: Iterable[str], facts: FactsSchema) -> tuple[str, ...]:
    """What to tell of columns that are no facts, and of required facts that have no column."""
    known, found = [member.name for member in facts.type.members], list(columns)
    missing = [member.name for member in facts.type.members if member.required and member.name not in found]
    near = {name: nearest(name, known) for name in found if name not in known}
    far = [name for name, other in near.items() if other is None]
    together = far if len(far) > MOST_TOLD else []
    unknown = [_unknown(where, name, other, facts) for name, other in near.items() if name not in together]
    unknown += [_all_unknown(where, together, facts)] if together else []
    return (*unknown, *(f"{where}: there is no column for the required fact `{name}`" for name in missing))


def _unknown(where: str, name: str, near: str | None, facts: FactsSchema) -> str:
    does = f"did you mean `{near}`? Map it" if near else "leave it out or map it"
    told = f"the column `{shown_text(name)}` is no fact of the schema `{facts.name}`"
    return f"{where}: {told}; {does} with --map, or its rows are invalid wherever it has a value"


def _all_unknown(where: str, names: list[str], facts: FactsSchema) -> str:
    some = ", ".join(f"`{shown_text(name)}`" for name in names[:MOST_TOLD])
    told = f"{len(names):,} columns are no facts of the schema `{facts.name}`, such as {some}"
    return f"{where}: {told}; leave them out or map them with --map, or rows are invalid wherever they have a value"
