"""Asking a person on the terminal what no option says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import typer

from policy_engine.cli.show import console, safe
from policy_engine.errors import CannotRun

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks a person on the terminal what no option says, unless all that is proposed is taken."""

    yes: bool

    def __call__(
        self, option: str, given: str | None, words: str, proposed: str, read: Callable[[str], Answer]
    ) -> Answer:
        """The answer to a question, as `read` makes it of a text; raises `CannotRun` where nobody can answer."""
        if given is not None:
            return read_option(option, given, read)
        if self.yes:
            return read(proposed)
        self.need_terminal(f"{option} is not given", f"take `{proposed}`")
        while True:
            try:
                return read(typer.prompt(words, default=proposed))
            except CannotRun as error:
                console().print(safe(str(error)))

    def more(self, words: str, read: Callable[[str], Answer]) -> list[Answer]:
        """Answers until one is empty; none where nobody is asked."""
        found: list[Answer] = []
        while not self.yes and (text := typer.prompt(words, default="", show_default=False)):
            try:
                found.append(read(text))
            except CannotRun as error:
                console().print(safe(str(error)))
        return found

    def need_terminal(self, what: str, otherwise: str) -> None:
        """Raises `CannotRun` where answers do not come from a person."""
        if not self.yes and not (sys.stdin is not None and sys.stdin.isatty()):
            raise CannotRun(f"{what}, and here nobody can be asked; give it, or --yes to {otherwise}")


def read_option(option: str, text: str, read: Callable[[str], Answer]) -> Answer:
    """What `read` makes of the text of an option; raises `CannotRun` with the name of the option."""
    try:
        return read(text)
    except CannotRun as error:
        raise CannotRun(f"{option}: {error}") from None
