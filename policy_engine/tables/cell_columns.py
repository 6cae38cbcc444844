"""Cells of a CSV file read as columns by the type of their fact; what the expressions are not sure of `cells.py` reads again."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from policy_engine.backends.columnar.columns import Column, column, text_conditions
from policy_engine.backends.columnar.functions import looked_up
from policy_engine.backends.columnar.numbers import number_conditions
from policy_engine.backends.columnar.parts import Part
from policy_engine.facts.fast_validator import validator_of_member
from policy_engine.facts.plain import Json
from policy_engine.language.date_texts import DateForm, written_as
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, ListOf, Member, Number, Record, Text
from policy_engine.tables.cells import BLANKS, BOOLEANS, CellStyle, read_cell
from policy_engine.tables.json_types import loose_dtype, series

NUMBER_FORM = r"^[+-]?[0-9]+(?:\.[0-9]+)?$"


def cell_column(part: Part, member: Member, style: CellStyle, facts: FactsSchema) -> Column:
    """A fact read from a column of cells of its name."""
    raw = pl.col(member.name)
    mapped = looked_up(raw, style.values, pl.String()) if style.values else None
    cell = raw if mapped is None else pl.coalesce(mapped, raw)
    match part.type:
        case Text():
            return Column(raw, cell, text_conditions(part, cell), same=not style.values)
        case Boolean():
            return _booleans(part, raw, _bare(cell))
        case Number() as kind:
            return _numbers(part, kind, raw, _bare(cell))
        case ListOf() | Record():
            return _nested(part, member, style, facts)
    if style.form is not None:
        form = written_as(part.schema["format"], style.form)
        assert form is not None, style.form
        iso = _iso(_bare(raw), form)
        cell = iso if mapped is None else pl.coalesce(mapped, iso)
    read = column(part, pl.String(), _bare(cell))
    return Column(raw, read.value, read.conditions)


def _bare(cell: pl.Expr) -> pl.Expr:
    return cell.str.strip_chars(BLANKS)


def _booleans(part: Part, raw: pl.Expr, cell: pl.Expr) -> Column:
    value = looked_up(cell.str.to_lowercase(), BOOLEANS, pl.Boolean())
    conditions = [value.is_null() == raw.is_null()]
    return Column(raw, value, [*conditions, value == part.schema["const"]] if "const" in part.schema else conditions)


def _numbers(part: Part, kind: Number, raw: pl.Expr, cell: pl.Expr) -> Column:
    """The digits with as many after the point as the type has places, read as one whole number."""
    halves = cell.str.split_exact(".", 1)
    after = halves.struct.field("field_1").fill_null("").str.strip_chars_end("0")
    digits = halves.struct.field("field_0") + after.str.pad_end(kind.places, "0")
    exact = after.str.len_bytes() <= kind.places
    value = digits.str.strip_prefix("+").cast(pl.Int64, strict=False)
    read = [cell.str.contains(NUMBER_FORM), exact | raw.is_null(), value.is_null() == raw.is_null()]
    return Column(raw, value, [*read, *number_conditions(part, value)])


def _iso(cell: pl.Expr, form: DateForm) -> pl.Expr:
    """A date or an instant of a form in ISO 8601; what has not the form becomes the empty text, which is none."""
    iso = cell
    for pattern, replacement in form.replacements:
        iso = iso.str.replace_all(pattern, replacement)
    return pl.when(cell.str.contains(f"^{form.pattern}$")).then(iso).when(cell.is_not_null()).then(pl.lit(""))


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
