"""Frames of other libraries: taken as Polars frames without a copy where there need be none, and made of them again.

They are known by the names of their types, so that a library is imported only for its own frames.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from policy_engine.errors import CannotRun
from policy_engine.tables.source import FAILURES

KINDS = "a frame of Polars, pandas or Spark, an Arrow table, batch or reader, a DuckDB relation, or the name of a file"
"""What a table can be, as messages say."""


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
    kinds = [str(dtype) for dtype in table.dtypes]
    # Polars takes columns of objects too, but looks at each object first, which takes longer than to read them all
    objects = {name: _of_objects(table.iloc[:, at]) for at, name in enumerate(table) if kinds[at] == "object"}
    made = pl.from_pandas(table.loc[:, [kind != "object" for kind in kinds]]).with_columns(**objects).select(*table)
    untyped = [name for name, kind in zip(made.columns, kinds, strict=True) if kind in ("object", "float64")]
    return made.with_columns(pl.lit(None).alias(name) for name in untyped if made[name].null_count() == made.height)


def _of_objects(column: Any) -> pl.Series:
    import pyarrow as pa  # noqa: PLC0415 - only who has pandas needs it

    return pl.Series(pa.array(column, from_pandas=True))


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
            places = (rows.cast(pl.Int64) - 1).to_numpy()
            return _pandas(frame, table.index[places])
        case "pyarrow", "RecordBatchReader":
            return frame.to_arrow().to_reader()
        case "pyarrow", _:
            return frame.to_arrow()
        case "duckdb" | "_duckdb", _:
            return _relation(table, frame)
    return frame


def _pandas(frame: pl.DataFrame, index: Any) -> Any:
    """A frame of pandas with these labels."""
    import pandas as pd  # noqa: PLC0415 - the table is one of pandas, so that it is there

    return pd.DataFrame({series.name: _pandas_column(series) for series in frame}, index=index, copy=False)


def _pandas_column(series: pl.Series) -> Any:
    """A column of an enumeration becomes one of categories in that order, which pandas can group and sort by."""
    import pandas as pd  # noqa: PLC0415 - the table is one of pandas, so that it is there
    import pyarrow as pa  # noqa: PLC0415 - only who has pandas needs it

    if isinstance(series.dtype, pl.Enum):
        kind = pd.CategoricalDtype(series.dtype.categories.to_list())
        return pd.Categorical.from_codes(_codes(series, len(kind.categories)), dtype=kind, validate=False)
    return pd.arrays.ArrowExtensionArray(pa.chunked_array([series.to_arrow()]))


def _codes(series: pl.Series, categories: int) -> Any:
    """The numbers of an enumeration's values as pandas has them, with -1 for null; without a copy where they are small."""
    numbers = series.to_physical()
    if numbers.dtype == pl.UInt8 and categories < 128:
        return numbers.fill_null(255).to_numpy().view("int8")
    return numbers.cast(pl.Int32).fill_null(-1).to_numpy()


def _relation(table: Any, frame: pl.DataFrame) -> Any:
    """A relation in the connection of another, which finds the frame by the name of a variable."""
    decided = frame.to_arrow()  # noqa: F841
    return table.query("asked", "FROM decided")


def _library(table: Any) -> str:
    """The library of a frame."""
    known = ("pandas", "pyarrow", "duckdb", "_duckdb")
    names = (kind.__module__.partition(".")[0] for kind in type(table).__mro__)
    return next((name for name in names if name in known), "")
