"""Cells of a CSV file read as columns by the type of their fact; what the expressions are not sure of `cells.py` reads again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import polars as pl

from policy_engine.backends.columnar.columns import Column, column, text_conditions
from policy_engine.backends.columnar.functions import looked_up
from policy_engine.backends.columnar.numbers import number_conditions, units
from policy_engine.backends.parts import Part
from policy_engine.facts.fast_validator import validator_of_member
from policy_engine.facts.plain import Json
from policy_engine.language.date_forms import written_as
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Member, Number, Record, Text, Time
from policy_engine.tables.cells import BLANKS, BOOLEANS, CellStyle, format_of_type, read_cell
from policy_engine.tables.json_types import loose_dtype, series

Replacements = tuple[tuple[str, str], ...]
"""Patterns, each with what stands in place of all that it matches."""
REWRITTEN = "(rewritten) "
"""Begins the name of a column with the cells of a fact as facts are written."""
NUMBER_FORM = r"^[+-]?[0-9]+(?:\.[0-9]+)?$"


def present_cells(cell: pl.Expr, member: Member | None, absent: Sequence[str]) -> pl.Expr:
    """The cells of a column that have a value, null for the others.

    Empty ones have none, of what is no text also those of blanks, and texts that are said to mean so.
    """
    bare = cell if member is None or isinstance(member.type, Text) else _bare(cell)
    there = (bare != "") & ~bare.is_in(absent) if absent else bare != ""
    return pl.when(there).then(cell)


def cell_column(part: Part, member: Member, style: CellStyle, facts: FactsSchema) -> Column:
    """A fact read from a column of cells of its name."""
    raw = pl.col(member.name)
    mapped = looked_up(raw, style.values, pl.String()) if style.values else None
    match part.type:
        case Text():
            cell = _first(mapped, raw)
            return Column(raw, cell, text_conditions(part, cell), same=not style.values)
        case Boolean():
            return _booleans(part, raw, _bare(_first(mapped, raw)))
        case Number() as kind:
            return _numbers(part, kind, _cell(member, style), mapped, style.shift)
        case ListOf() | Record():
            return _nested(part, member, style, facts)
    read = column(part, pl.String(), _first(mapped, _cell(member, style)))
    return Column(raw, read.value, read.conditions)


def rewritten_cells(members: Iterable[tuple[Member, CellStyle]]) -> tuple[pl.Expr, ...]:
    """Columns with the cells of facts as facts are written, of those whose form is another; `cell_column` reads them.

    They are worked out once, before: each is asked for several times.
    """
    found = ((member.name, _forms(member, style)) for member, style in members)
    return tuple(_rewritten(_bare(pl.col(name)), forms).alias(REWRITTEN + name) for name, forms in found if forms)


def _cell(member: Member, style: CellStyle) -> pl.Expr:
    """The cells of a fact as facts are written."""
    return pl.col(REWRITTEN + member.name) if _forms(member, style) else _bare(pl.col(member.name))


def _forms(member: Member, style: CellStyle) -> list[tuple[str, Replacements]]:
    """The pattern of each form in which a fact is written, and what makes of it the form of facts."""
    match member.type:
        case Number():
            return [] if style.numbers is None else [(style.numbers.pattern, style.numbers.replacements)]
        case Date() | Instant() | Time():
            forms = [written_as(format_of_type(member.type), form) for form in style.forms]
            return [(form.pattern, form.replacements) for form in forms if form]
    return []


def _first(mapped: pl.Expr | None, cell: pl.Expr) -> pl.Expr:
    return cell if mapped is None else pl.coalesce(mapped, cell)


def _bare(cell: pl.Expr) -> pl.Expr:
    return cell.str.strip_chars(BLANKS)


def _booleans(part: Part, raw: pl.Expr, cell: pl.Expr) -> Column:
    value = looked_up(cell.str.to_lowercase(), BOOLEANS, pl.Boolean())
    conditions = [value.is_null() == raw.is_null()]
    return Column(raw, value, [*conditions, value == part.schema["const"]] if "const" in part.schema else conditions)


def _numbers(part: Part, kind: Number, cell: pl.Expr, mapped: pl.Expr | None, shift: int) -> Column:
    value, is_exact = _units(cell, kind.places, shift)
    if mapped is not None:
        own, own_is_exact = _units(mapped, kind.places, 0)
        is_exact = pl.when(mapped.is_null()).then(is_exact).otherwise(own_is_exact)
        cell, value = pl.coalesce(mapped, cell), pl.coalesce(own, value)
    read = [cell.str.contains(NUMBER_FORM), is_exact | cell.is_null(), value.is_null() == cell.is_null()]
    return Column(cell, value, [*read, *number_conditions(part, value)])


def _units(cell: pl.Expr, places: int, shift: int) -> tuple[pl.Expr, pl.Expr]:
    """A number times 10**`shift` as whole units of so many places, and whether it is that exactly.

    The digits with as many after the point as there are to be are read as one whole number.
    """
    kept = max(places + shift, 0)
    halves = cell.str.split_exact(".", 1)
    after = halves.struct.field("field_1").fill_null("").str.strip_chars_end("0")
    digits = halves.struct.field("field_0") + after.str.pad_end(kept, "0")
    value, is_exact = digits.str.strip_prefix("+").cast(pl.Int64, strict=False), after.str.len_bytes() <= kept
    if places + shift >= 0:
        return value, is_exact
    whole = 10 ** -(places + shift)
    return value // whole, is_exact & (value % whole == 0)


def scaled_column(part: Part, dtype: pl.DataType, name: str, shift: int) -> Column:
    """A fact read from a column of numbers, which are multiplied by 10**`shift`."""
    raw, kind = pl.col(name), part.type
    assert isinstance(kind, Number)
    value, exact = units(replace(kind, places=kind.places + shift), dtype, raw)
    return Column(raw, value, [*exact, *number_conditions(part, value)])


def midnights_column(part: Part, dtype: pl.DataType, name: str) -> Column:
    """A date read from a column of moments without a zone, of which each is midnight of a day."""
    raw = pl.col(name)
    day = raw.dt.date()
    is_midnight = pl.when(raw.is_not_null()).then(
        (day.cast(dtype) == raw).fill_null(value=False)
    )  # null: too far for a day
    return Column(raw, day, [is_midnight, *column(part, pl.Date(), day).conditions])


def _rewritten(cell: pl.Expr, forms: Sequence[tuple[str, Replacements]]) -> pl.Expr:
    """Cells of the first form whose pattern they have, as facts are written; others become the empty text, which is none."""
    found = []
    for pattern, replacements in forms:
        text = cell
        for part, replacement in replacements:
            text = text.str.replace_all(part, replacement)
        found.append(pl.when(cell.str.contains(f"^(?:{pattern})$")).then(text))
    return pl.coalesce(*found, pl.when(cell.is_not_null()).then(pl.lit("")))


def _nested(part: Part, member: Member, style: CellStyle, facts: FactsSchema) -> Column:
    """A list or a record, written as JSON: read by Python, for only that is strict."""
    raw = pl.col(member.name)
    dtype = pl.Struct({"it": loose_dtype(part.type), "fits": pl.Boolean()})
    passes = validator_of_member(facts.document, member.name)

    def structs(cells: pl.Series) -> pl.Series:
        values = [_passing(member, style, cell, passes) for cell in cells]
        fits = [value is not None or cell is None for value, cell in zip(values, cells, strict=True)]
        return pl.DataFrame({"it": series(values, part), "fits": fits}, {"it": None, "fits": pl.Boolean}).to_struct()

    read = raw.map_batches(structs, return_dtype=dtype, is_elementwise=True)
    found = column(part, loose_dtype(part.type), read.struct.field("it"), in_units=True)
    return Column(raw, found.value, [read.struct.field("fits"), *found.conditions])


def _passing(member: Member, style: CellStyle, cell: str | None, passes: Callable[[object], bool]) -> Json:
    """The value of a cell that surely is valid but for the calendar, else None."""
    if cell is None:
        return None
    value, unread = read_cell(member, style, cell)
    return value if not unread and passes(value) else None
