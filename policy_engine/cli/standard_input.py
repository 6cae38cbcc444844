"""Standard input as a set of facts, or as a table, which is kept in a file as long as it is read."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

import typer

from policy_engine.errors import CannotRun

if TYPE_CHECKING:
    from policy_engine.reports.locating import Located

STANDARD_INPUT, DASH = "standard input", "-"


def standard_input() -> IO[bytes]:
    """The bytes that are piped in; raises `CannotRun`."""
    if sys.stdin is None:  # where the shell was told `<&-`
        raise CannotRun(f"{STANDARD_INPUT} is closed; pipe the facts in, or name a file")
    return typer.get_binary_stream("stdin")


@contextmanager
def tables_located(names: Collection[str], input_format: str | None) -> Iterator[Located]:
    """Where tables lie, of which `-` is standard input; raises `CannotRun`, also for what is wrong with that while it is read."""
    from policy_engine.reports.locating import WHERE_NAMED, Located  # noqa: PLC0415 - Polars is slow to import

    if DASH not in names:
        yield WHERE_NAMED
        return
    if input_format is None:
        raise CannotRun(f"`{DASH}` is {STANDARD_INPUT}, and no name tells what it holds; say it: --input-format csv")
    with TemporaryDirectory(prefix="policy-") as folder:
        place = Path(folder) / f"table.{input_format}"
        located = Located({DASH: place})
        _keep(standard_input(), place)
        try:
            yield located
        except CannotRun as error:
            raise CannotRun(told(str(error), located)) from None


def _keep(stream: IO[bytes], place: Path) -> None:
    try:
        with place.open("wb") as file:
            shutil.copyfileobj(stream, file)
    except OSError as error:
        raise CannotRun(f"{STANDARD_INPUT} cannot be read, or not kept in `{place}`: {error.strerror}") from None


def told(message: str, located: Located) -> str:
    """A message in which tables that were put into files for a while have their names."""
    named = located.told(message)
    return named.replace(f"`{DASH}`", STANDARD_INPUT) if DASH in located.moved else named
