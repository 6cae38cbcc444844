"""What every source of a table is to whoever runs over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import polars as pl
from polars.io.plugins import register_io_source

from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.reports.tables.judge import Judged


@dataclass(slots=True)
class Progress:
    """How far a source is: `done` of `total`, counted in `unit` (bytes of its files, or rows)."""

    total: int
    unit: str
    done: int = 0
    lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, count: int) -> None:
        """So much more is done; threads may say so at once."""
        with self.lock:
            self.done += count


@dataclass(frozen=True, slots=True)
class Source:
    """A table of facts, opened and not yet read.

    `frame` gives its rows, counted from 1 by the column `(row)`, as they are judged in columns. `judge` takes any piece of it to
    its valid rows, canonical, and its invalid ones. `files` are what is read, in order; `warnings` are sentences for who runs it.
    Both reading and judging raise `CannotRun` where there is no going on.
    """

    facts: FactsSchema
    frame: pl.LazyFrame
    judge: Callable[[pl.DataFrame], Judged]
    progress: Progress
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """While a source is read: raises `CannotRun` for what Polars finds wrong within its files."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
        shown = ", ".join(f"`{file}`" for file in source.files[:3]) + ("..." if len(source.files) > 3 else "")
        why = str(error).strip().split("\n")[0]
        raise CannotRun(f"{shown or 'the table'} cannot be read to its end; write it again ({why})") from None


def streamed(frames: Callable[[], Iterator[pl.DataFrame]], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """A lazy frame of what a reader gives piece by piece."""

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in frames():
            piece = frame if most is None else frame.head(most)
            most = None if most is None else most - piece.height
            piece = piece if predicate is None else piece.filter(predicate)
            yield piece if columns is None else piece.select(columns)
            if most == 0:
                return

    return register_io_source(read, schema=dict(schema), is_pure=True)  # else each sink would read it again
