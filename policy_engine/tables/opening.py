"""Opening files that are read from beginning to end, packed ones too."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from policy_engine.errors import CannotRun


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file; raises `CannotRun` where it cannot be read, or not to its end."""
    if path.suffix == ".zst":
        raise CannotRun(f"`{path}` is packed with zstd, which cannot be read here; unpack it: zstd -d {path.name}")
    try:
        if path.exists() and not path.is_file():
            raise CannotRun(f"`{path}` is not a file")
        with path.open("rb") as raw:
            yield raw
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise CannotRun(f"`{path}` is not a whole gzip file; write it again") from None
    except FileNotFoundError:
        raise CannotRun(f"there is no file `{path}`") from None
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror or error}") from None


def unpacked(path: Path, raw: IO[bytes]) -> IO[bytes]:
    """What a file holds: the same bytes, or those that are packed in it."""
    return cast("IO[bytes]", gzip.open(raw)) if path.suffix == ".gz" else raw
