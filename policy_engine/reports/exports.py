"""Decisions in other forms, on request: CSV, JSON Lines, and an Excel workbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.backends.columnar.times import instant_text
from policy_engine.tables.json_types import as_json, in_json_types

FORMULA = r"^[\s\p{C}]*[=+@\x{ff1d}\x{ff0b}\x{ff20}\x{ff0d}-]|^[\t\r\n]"
"""How a text begins that a spreadsheet may take for a formula, also behind what is not seen; the signs in two widths."""
NUMBER = "^[+-]?[0-9]+(?:[.][0-9]+)?$"


def write(form: str, folder: Path, *, keep_formulas: bool = False) -> None:
    """Write every table of a folder in one form as well; what a spreadsheet takes for formulas stays in CSV only if asked for."""
    for path in sorted(folder.rglob("*.parquet")):
        table, copy = pl.scan_parquet(path, glob=False), path.with_suffix(f".{form}")
        if form == "csv":
            write_csv(table, copy, keep_formulas=keep_formulas)
        else:
            write_lines(table, copy)


def write_csv(table: pl.LazyFrame, path: Path, *, keep_formulas: bool = False) -> None:
    """One line a row; no cell that a spreadsheet takes for a formula, unless these are to be kept."""
    flat = flattened(table)
    texts = [name for name, dtype in flat.collect_schema().items() if dtype in (pl.String, pl.Categorical, pl.Enum)]
    made = flat if keep_formulas else flat.with_columns(_no_formula(pl.col(name)) for name in texts)
    made.sink_csv(path)


def _no_formula(text: pl.Expr) -> pl.Expr:
    """A text with an apostrophe before it where a spreadsheet might calculate with it; a number is one."""
    cell = text.cast(pl.String)
    is_formula = cell.str.contains(FORMULA) & ~cell.str.contains(NUMBER)
    return pl.when(is_formula).then(pl.concat_str(pl.lit("'"), cell)).otherwise(cell).name.keep()


def flattened(table: pl.LazyFrame) -> pl.LazyFrame:
    """A table without lists and records: a list's parts are joined by semicolons, violations are their messages.

    Instants are texts, as answers write them.
    """
    schema = table.collect_schema()
    odd = {name: dtype for name, dtype in schema.items() if isinstance(dtype, pl.List | pl.Struct | pl.Datetime)}
    return table.with_columns(_text(dtype, pl.col(name), name).alias(name) for name, dtype in odd.items())


def _text(dtype: Any, value: pl.Expr, name: str) -> pl.Expr:
    match dtype:
        case pl.Datetime():
            return instant_text(value, dtype.time_unit)
        case pl.List():
            return value.list.eval(_text(dtype.inner, pl.element(), name)).list.join("; ")
        case pl.Struct() if name == "violations":
            return value.struct.field("message")
        case pl.Struct():
            return as_json(dtype, value).struct.json_encode()
    return value.cast(pl.String)


def write_lines(table: pl.LazyFrame, path: Path) -> None:
    """One JSON object a line; decimals as text, so that every reader gets them exactly, and instants as answers write them."""
    exact: dict[str, Any] = {}
    for name, dtype in table.collect_schema().items():
        if isinstance(dtype, pl.Decimal):
            exact[name] = pl.String
        elif isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Decimal):
            exact[name] = pl.List(pl.String)
    texts = table.with_columns(pl.col(name).cast(dtype) for name, dtype in exact.items())
    in_json_types(texts).sink_ndjson(path)
