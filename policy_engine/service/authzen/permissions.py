"""What an AuthZEN mapping says: which decision answers for which subjects, resources and actions, and where facts come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policy_engine.source import Authored, Span

SUBJECT, ACTION, RESOURCE, CONTEXT = ENTITIES = ("subject", "action", "resource", "context")
COLUMN = "column"
Entities = Mapping[str, Mapping[str, Any]]
"""Subject, action, resource and context of a request by these names, each an object of JSON."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a fact comes from: a part of an entity, and the way below it, such as `subject`, `properties`, `("role",)`.

    The whole context is the part of it. The part `column` is a column of the table of entities.
    """

    entity: str
    part: str
    way: tuple[str, ...] = ()
    span: Span = field(compare=False, default=Span(""))

    @property
    def column(self) -> str:
        """The column of the table, for an origin that is one."""
        return self.way[0]

    def value(self, entities: Entities) -> Any:
        """What entities say in this place, which is no column; None where it is absent."""
        value: Any = entities.get(self.entity)
        for step in (self.part, *self.way) if self.part else self.way:
            value = value.get(step) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True, slots=True)
class Permission:
    """A decision that permits by one of its outcomes, and the facts that it is asked about."""

    decision: str
    allow: str
    subject: str
    resource: str
    actions: tuple[str, ...]
    facts: Mapping[str, tuple[Origin, ...]]
    constants: Mapping[str, Any] = field(default_factory=dict)
    span: Span = field(compare=False, default=Span(""))

    @property
    def ruleset(self) -> str:
        """The ruleset of the decision."""
        return self.decision.partition(".")[0]

    @property
    def name(self) -> str:
        """The decision within its ruleset."""
        return self.decision.partition(".")[2]

    def type_of(self, side: str) -> str:
        """The type of its subjects or resources."""
        return self.subject if side == SUBJECT else self.resource

    def from_table(self, side: str) -> dict[str, Origin]:
        """For each fact that the table of a side gives, the column of the table, or the id."""
        given = ((name, origin) for name, origins in self.facts.items() for origin in origins)
        return {name: origin for name, origin in given if origin.entity == side and origin.part in (COLUMN, "id")}


@dataclass(frozen=True, slots=True)
class EntityTable:
    """A table of entities: the column of their ids, and where the table is, a file or a table or a query of a database."""

    id: Authored
    span: Span
    file: Path | None = None
    duckdb: Path | None = None
    postgres: str = ""
    table: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Permissions:
    """A mapping: permissions, and by side and type the tables of entities that are known."""

    permissions: tuple[Permission, ...]
    tables: Mapping[tuple[str, str], EntityTable]
    files: tuple[Path, ...]
