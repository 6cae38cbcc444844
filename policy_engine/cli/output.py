"""Standard output and error: plain signs where an encoding lacks a character, and an error where they cannot be written."""

from __future__ import annotations

import codecs
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, TextIO, cast

from policy_engine.errors import CannotRun

PLAIN = MappingProxyType(
    {
        "\u2588": "#",  # the bar of shares
        "\u2502": "|",
        "\u251c": "|",
        "\u2514": "`",
        "\u2500": "-",
        "\u2501": "-",
        "\u2212": "-",
        "\u2013": "-",
        "\u201c": '"',
        "\u201d": '"',
        "\u2018": "'",
        "\u2019": "'",
        "\u2026": "...",
    }
)
"""Replacements, where an encoding lacks them, of the characters that this program itself writes."""
NAME = "policy_engine.plain"


def _plain(error: UnicodeError) -> tuple[str, int]:
    """The replacement of characters that an encoding lacks: a plain one, else the escape that Python has for it."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), error.end


def never_fail_on_characters() -> None:
    """Replace characters that the terminal's encoding lacks, so that they raise no error."""
    codecs.register_error(NAME, _plain)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a test or a caller may have put something else there
        if reconfigure is not None:
            reconfigure(errors=NAME)


class OutputLost(Exception):  # noqa: N818 - the command was right, and what it said is lost
    """A stream cannot be written to. Not an `OSError`, so that no handler takes it for that of a file."""

    def __init__(self, stream: TextIO, name: str, error: OSError) -> None:
        super().__init__(f"{name} cannot be written: {error.strerror}")
        self.stream = stream
        self.pipe_is_closed = error.errno == errno.EPIPE

    def let_go(self) -> None:
        """Discard what is still to be written, so that Python does not fail on it when it exits."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())


class Guarded:
    """A stream that raises `OutputLost` where the given one cannot be written to, and is like it in all else."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream, self.name = stream, name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.stream, attribute)

    def write(self, text: str) -> int:
        """Write a text."""
        try:
            return self.stream.write(text)
        except OSError as error:
            raise OutputLost(self.stream, self.name, error) from None

    def flush(self) -> None:
        """Write out what is buffered."""
        try:
            self.stream.flush()
        except OSError as error:
            raise OutputLost(self.stream, self.name, error) from None


@contextmanager
def guarded_output() -> Iterator[None]:
    """While a command runs: raises `OutputLost` where what it prints cannot be written, at the latest at its end.

    Raises `CannotRun` where standard output is closed. Messages go nowhere where standard error is.
    """
    out, err = sys.stdout, sys.stderr
    sys.stderr = cast("TextIO", Guarded(err or open(os.devnull, "w", encoding="utf-8"), "standard error"))  # noqa: SIM115
    try:
        if out is None:
            raise CannotRun("standard output is closed, and nobody would see the answer; nothing was done")
        sys.stdout = cast("TextIO", Guarded(out, "standard output"))
        yield
    finally:
        try:
            if out is not None:
                sys.stdout.flush()
        finally:
            sys.stdout, sys.stderr = out, err
