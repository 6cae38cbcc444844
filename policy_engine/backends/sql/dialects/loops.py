"""A generator of the language as what the dialects need to know of it."""

from __future__ import annotations

from typing import NamedTuple

from policy_engine.backends.sql.build import Sql
from policy_engine.language.types import Type


class Loop(NamedTuple):
    """A list, the variables of its elements and of their places, and what is asked of each element.

    `passes` is None without a filter; `unknown` says which elements make the whole unknown, None if none can. `parts` are what an
    element gives, which is one thing but for aggregates that take several in brackets; `kind` is the type of the last.
    """

    listed: Sql
    element: str
    place: str
    passes: Sql | None
    parts: tuple[Sql, ...]
    kind: Type
    unknown: Sql | None = None

    @property
    def variables(self) -> tuple[str, str]:
        """The names of its variables."""
        return self.element, self.place
