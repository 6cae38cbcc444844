"""Lines of JSON read into columns by Polars, and taken only where the columns, written as JSON again, give the line.

Polars is lenient: of a name that stands twice it keeps one value, and of a value of another type it makes what it can. A line
that comes out as it went in has met nothing of that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.validation import fitted
from policy_engine.documents.facts_files import LARGEST_RECORD, plain_facts
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Number
from policy_engine.tables.json_types import loose_dtype

SEEN = 50
"""So many lines tell in which order the members are written."""
LINE = "(line)"
BLANKS = "[ \t\r]"
NULLS = r',"\w+":null|"\w+":null,?'
"""In text that Polars has written: members that are null. Within a text a quotation mark would stand behind a backslash."""


class LinesRead(NamedTuple):
    """Lines that are not blank, in canonical columns; of each whether it surely is sound JSON, and whether it is valid then."""

    frame: pl.DataFrame
    is_sound: pl.Series
    fits: pl.Series


def read_lines(first: int, lines: pl.Series, facts: FactsSchema) -> LinesRead | None:
    """Lines numbered from the first on; None where Polars cannot read them, or there is nothing to read."""
    numbers = pl.int_range(first, first + len(lines), dtype=pl.UInt32, eager=True)
    is_there = lines.str.contains(r"[^ \t\r]")
    if not is_there.all():
        numbers, lines = numbers.filter(is_there), lines.filter(is_there)
    kinds = {member.name: member.type for member in facts.type.members}
    if lines.is_empty() or not kinds:
        return None
    seen = _order(lines.head(SEEN), kinds)
    schema = {name: loose_dtype(kinds[name], _number) for name in dict.fromkeys([*seen, *kinds])}
    try:
        read = pl.read_ndjson(lines.str.join("\n").item().encode(), schema=schema, ignore_errors=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if read.height != len(lines):
        return None
    made, fits = fitted(read.with_columns(numbers.alias(ROW)), facts)
    return LinesRead(made, _come_out_as_they_went_in(lines, read, seen), fits)


def _number(kind: Number) -> pl.DataType:
    """The type of a column that numbers of JSON are read into; decimals as floats, which stand for their shortest form."""
    return pl.Float64() if kind.places else pl.Int64()


def _order(lines: Iterable[str], known: Collection[str]) -> list[str]:
    """The known members that lines have, in the order in which these have them; in their own where lines differ."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for line in lines:
        names = [name for name in plain_facts(line.encode()) or () if name in known]
        for name in names:
            sorter.add(name)
        for before, behind in pairwise(names):
            sorter.add(behind, before)
    try:
        return list(sorter.static_order())
    except CycleError:
        return list(known)


def _come_out_as_they_went_in(lines: pl.Series, read: pl.DataFrame, seen: Sequence[str]) -> pl.Series:
    """Whether each line is what its columns are as JSON: but for blanks, which then do not count within texts either.

    Of the members that are null those that were seen in other lines stand in the line, or none.
    """
    frame = read.with_columns(lines.alias(LINE))
    same = frame.select(pl.col(LINE) == _json(seen)).to_series()
    short = _json(read.columns).str.replace_all(NULLS, "")
    line, *forms = (text.str.replace_all(BLANKS, "") for text in (pl.col(LINE), _json(seen), short))
    loosely = frame.filter(~same).select(pl.any_horizontal(line == form for form in forms)).to_series()
    return same.scatter((~same).arg_true(), loosely) & (lines.str.len_bytes() <= LARGEST_RECORD)


def _json(members: Sequence[str]) -> pl.Expr:
    """Some columns of each row as one JSON object, without blanks."""
    return pl.struct(members).struct.json_encode() if members else pl.lit("{}")
