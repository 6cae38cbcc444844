"""Frames of other libraries: taken as Polars frames without a copy where there need be none, and made of them again.

They are known by the names of their types, so that no such library is imported.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.tables.source import FAILURES

KINDS = "a Polars or pandas frame, an Arrow table, batch or reader, a DuckDB relation, or the name of a file"  # as messages say


def polars_frame(table: Any) -> pl.DataFrame | pl.LazyFrame:
    """A frame as one of Polars; raises `TypeError` for what is none, and `CannotRun` for what Polars cannot hold.

    In pandas, where a number that is absent is NaN, NaN is taken as absent, and a column without any value has no type.
    """
    if isinstance(table, pl.DataFrame | pl.LazyFrame):
        return table
    if not _is_frame(table):
        several = "; for facts one after another call decide_many" if isinstance(table, list | tuple) else ""
        raise TypeError(f"a table is {KINDS}, not a {type(table).__name__}{several}")
    try:
        return _of_pandas(table) if _library(table) == "pandas" else pl.DataFrame(table)
    except (*FAILURES, ValueError, TypeError) as error:
        why = str(error).strip().split("\n")[0]
        raise CannotRun(f"the table holds what cannot be read here ({why}); convert it") from None
    except ImportError as error:
        raise CannotRun(f"this {type(table).__name__} cannot be read without another library: {error}") from None


def _of_pandas(table: Any) -> pl.DataFrame:
    """A frame of pandas, which has columns of objects or floats where it knows no type, since nothing is in them."""
    made = pl.from_pandas(table)
    untyped = [name for name, dtype in zip(made.columns, table.dtypes, strict=True) if dtype in ("object", "float64")]
    return made.with_columns(pl.lit(None).alias(name) for name in untyped if made[name].null_count() == made.height)


def _is_frame(table: Any) -> bool:
    gives_columns = any(hasattr(table, name) for name in ("__arrow_c_stream__", "__arrow_c_array__"))
    return (gives_columns or _library(table) == "pandas") and type(table).__name__ != "Series"


def like(table: Any, frame: pl.DataFrame, rows: pl.Series) -> Any:
    """A frame of Polars as one of the kind of a table, of which it has the `rows`, counted from 1.

    One of pandas gets the labels of these rows, and columns of Arrow's types, which need hardly be copied. Where no such
    frame can be made it stays one of Polars.
    """
    match _library(table), type(table).__name__:
        case "pandas", _:
            made = frame.to_pandas(use_pyarrow_extension_array=True)
            made.index = table.index[(rows.cast(pl.Int64) - 1).to_numpy()]
            return made
        case "pyarrow", "RecordBatchReader":
            return frame.to_arrow().to_reader()
        case "pyarrow", _:
            return frame.to_arrow()
        case "duckdb" | "_duckdb", _:
            return _relation(table, frame)
    return frame


def _relation(table: Any, frame: pl.DataFrame) -> Any:
    """A relation in the connection of another, which finds the frame by the name of a variable."""
    decided = frame.to_arrow()  # noqa: F841
    return table.query("asked", "FROM decided")


def _library(table: Any) -> str:
    """The library of a frame."""
    known = ("pandas", "pyarrow", "duckdb", "_duckdb")
    names = (kind.__module__.partition(".")[0] for kind in type(table).__mro__)
    return next((name for name in names if name in known), "")
