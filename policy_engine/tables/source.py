"""A source of a table, and what all sources share: opening files, counting what was read, telling why Polars cannot read on."""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import IO, NamedTuple, cast

import polars as pl
from polars.io.plugins import register_io_source

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.row_validation import Validated

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""What Polars raises; over damaged files it now and then panics."""
TWICE = re.compile("column with name '(.*)' has more than one occurrence")
FIELD_TWICE = re.compile("duplicate struct field '(.*)'")
BEYOND_POLARS = re.compile(
    "not (?:yet )?(?:supported|implemented)|unsupported|encrypt|precision must be|time zone", re.IGNORECASE
)
"""What Polars says of files that are whole, and of which it cannot read a part."""


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

    def through(self, raw: IO[bytes], pieces: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same pieces, which are read from an opened file; behind each, what was read for it is done."""
        at = 0
        for piece in pieces:
            yield piece
            at, before = raw.tell(), at
            self.add(at - before)


@dataclass(frozen=True, slots=True)
class Source:
    """A table of facts, opened and not yet read.

    `frame` gives its rows, counted from 1 by the column `(row)`, validated as columns. `validate` takes any piece of it to
    its valid rows, canonical, and its invalid ones. `files` are what is read, in order; `warnings` are sentences for who runs it.
    `notes` gives those that are known only when all has been read.
    Both reading and validating raise `CannotRun` where there is no going on. Where Polars itself reads the files, `raw` gives
    their columns as they stand there.
    """

    facts: FactsSchema
    frame: pl.LazyFrame
    validate: Callable[[pl.DataFrame], Validated]
    progress: Progress
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    raw: pl.LazyFrame | None = None
    notes: Callable[[], tuple[str, ...]] = tuple


@contextmanager
def reading(source: Source) -> Iterator[None]:
    """While a source is read, and something done with it: raises `CannotRun` for what Polars finds wrong within its files.

    What else Polars may raise is raised as it is, for then the files are not at fault.
    """
    try:
        yield
    except FAILURES:
        fault = _damage(source)
        if fault is None:
            raise
        raise CannotRun(told_of_files(source.files, fault, "cannot be read to its end")) from None


def told_of_files(files: Sequence[Path], fault: BaseException, damaged: str) -> str:
    """Why Polars cannot read files, and what to do: where it does not say what it stumbles over, they are `damaged`."""
    where = ", ".join(f"`{file}`" for file in files[:3]) + ("..." if len(files) > 3 else "")
    why = str(fault).strip().split("\n")[0]
    if twice := TWICE.search(why):
        return f"{where}: the column `{shown_text(twice[1])}` stands twice; keep one"
    if twice := FIELD_TWICE.search(why):
        return f"{where}: a record has the member `{shown_text(twice[1])}` twice; keep one"
    if BEYOND_POLARS.search(why):
        return f"{where} holds what cannot be read here ({why}); convert it"
    return f"{where} {damaged}; write it again ({why})"


def _damage(source: Source) -> BaseException | None:
    """What Polars says of a source's files when it does nothing but read them; None where it reads them to their end."""
    if source.raw is None:
        return None
    try:
        for _ in source.raw.collect_batches():
            pass
    except FAILURES as error:
        return error
    return None


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


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file; raises `CannotRun` where it cannot be read, or not to its end."""
    try:
        if path.exists() and not path.is_file():
            raise CannotRun(f"`{path}` is not a file")
        with path.open("rb") as raw:
            yield raw
    except (gzip.BadGzipFile, zlib.error, zstd.ZstdError, EOFError):
        raise CannotRun(f"`{path}` is not a whole {PACKED[path.suffix.lower()].name} file; write it again") from None
    except FileNotFoundError:
        raise CannotRun(f"there is no file `{path}`") from None
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror or error}") from None


class Packing(NamedTuple):
    """A way to pack files: its name, and how packed bytes are opened."""

    name: str
    open: Callable[[IO[bytes]], object]


PACKED = {".gz": Packing("gzip", gzip.open), ".zst": Packing("zstd", zstd.open)}
"""By the ending of a file's name."""


def unpacked(path: Path, raw: IO[bytes]) -> IO[bytes]:
    """What a file holds: the same bytes, or those that are packed in it."""
    packing = PACKED.get(path.suffix.lower())
    return raw if packing is None else cast("IO[bytes]", packing.open(raw))
