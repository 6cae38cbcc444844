"""Where the parts of a ruleset come from, in words."""

from __future__ import annotations


def from_library(library: str | None) -> list[str]:
    """The library that a part was taken from, in words; nothing where it stands in the ruleset's own file."""
    return [] if library is None else [f"library {library}"]


def noted(text: str, library: str | None) -> str:
    """A text, with the library behind it in brackets."""
    return f"{text}{''.join(f' ({origin})' for origin in from_library(library))}"
