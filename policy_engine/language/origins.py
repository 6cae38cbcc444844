"""Where the parts of a ruleset come from, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policy_engine.language.traces import Step


def from_library(library: str | None) -> list[str]:
    """The library that a part was taken from, in words; nothing where it stands in the ruleset's own file."""
    return [] if library is None else [f"library {library}"]


def noted(text: str, library: str | None) -> str:
    """A text, with the library behind it in brackets."""
    return f"{text}{''.join(f' ({origin})' for origin in from_library(library))}"


def flattened(steps: Iterable[Step], depth: int, seen: set[str]) -> Iterator[tuple[int, Step, bool]]:
    """Steps and those below them but literals, each with its depth, and whether it is a definition that was shown before.

    What such a definition stands for is left out; `seen` are the definitions shown so far.
    """
    for step in steps:
        is_repeated = step.origin == "definition" and step.text in seen
        yield depth, step, is_repeated
        if step.origin == "definition":
            seen.add(step.text)
        if not is_repeated:
            yield from flattened((one for one in step.steps if one.origin != "literal"), depth + 1, seen)
