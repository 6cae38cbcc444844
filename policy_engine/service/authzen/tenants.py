"""The permissions of each tenant, with the tables of entities that are known, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from policy_engine.backends.columnar import ColumnarProgram, prepare
from policy_engine.engine import Engine
from policy_engine.errors import NotInForce
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.rulesets import Ruleset
from policy_engine.service.authzen.known_entities import KnownEntities, read_entities
from policy_engine.service.authzen.mapping_checks import Versions
from policy_engine.service.authzen.mapping_files import read_mappings
from policy_engine.service.authzen.permissions import (
    COLUMN,
    RESOURCE,
    SUBJECT,
    Entities,
    Origin,
    Permission,
    Permissions,
)
from policy_engine.service.clock import Clock

SIDES = (SUBJECT, RESOURCE)


@dataclass(frozen=True)
class Granted:
    """A permission with the entities that tables name, by side and the document of the schema of facts."""

    permission: Permission
    known: Mapping[tuple[str, str], KnownEntities]
    programs: dict[tuple[str, date], ColumnarProgram] = field(default_factory=dict, compare=False, repr=False)

    def entities(self, side: str, ruleset: Ruleset) -> KnownEntities | None:
        """The subjects or resources that are known, None where no table names them."""
        return self.known.get((side, ruleset.facts.document))

    def facts(self, entities: Entities, ruleset: Ruleset) -> dict[str, Any]:
        """The facts of a request in JSON types: each from the first of its places that has a value."""
        rows = {side: self.row(side, entities, ruleset) for side in SIDES}
        found = dict(self.permission.constants)
        for name, origins in self.permission.facts.items():
            values = (value_of(name, origin, entities, rows) for origin in origins)
            value = next((value for value in values if value is not None), None)
            if value is not None:
                found[name] = value
        return found

    def row(self, side: str, entities: Entities, ruleset: Ruleset) -> Mapping[str, Any]:
        """The facts that its table gives of an entity; none where no table knows it."""
        known = self.entities(side, ruleset)
        return {} if known is None else known.facts_of(entities[side]["id"])

    def is_known(self, side: str, entities: Entities, ruleset: Ruleset) -> bool:
        """Whether an entity is in its table, or there is none in which it would have to be."""
        known = self.entities(side, ruleset)
        return known is None or entities[side]["id"] in known

    def program(self, ruleset: Ruleset, day: date) -> ColumnarProgram:
        """The ruleset compiled for columns, kept for the day that was asked about last."""
        key = ruleset.digest, day
        if key not in self.programs:
            self.programs.clear()
            self.programs[key] = prepare(ruleset, {}, day)
        return self.programs[key]


def value_of(fact: str, origin: Origin, entities: Entities, rows: Mapping[str, Mapping[str, Any]]) -> Any:
    """What a place says of a fact; None where it says nothing. `rows` are those of tables, by side."""
    return rows[origin.entity].get(fact) if origin.part == COLUMN else origin.value(entities)


@dataclass(frozen=True)
class Tenant:
    """All permissions of a mapping."""

    granted: tuple[Granted, ...]

    def about(self, entities: Entities) -> Iterator[Granted]:
        """The permissions about subjects and resources of the types of a request."""
        subject, resource = entities[SUBJECT]["type"], entities[RESOURCE]["type"]
        return (
            each for each in self.granted if (each.permission.subject, each.permission.resource) == (subject, resource)
        )


@dataclass(frozen=True)
class Tenants:
    """The tenants by their names, of which "" is the service itself, and the files that all this was read from."""

    tenants: Mapping[str, Tenant]
    files: tuple[Path, ...]

    def prepare(self, engine: Engine, day: Callable[[str], date]) -> None:
        """Compile for columns what searches ask for today; `day` is that of a ruleset."""
        for granted in (each for tenant in self.tenants.values() for each in tenant.granted if each.known):
            name = granted.permission.ruleset
            with suppress(NotInForce):  # it may be in force on other days
                granted.program(engine.ruleset(name, day(name)), day(name))


def read_tenants(path: Path, rulebook: Rulebook, clock: Clock) -> Tenants:
    """The mapping in a file, those of its tenants, and the tables of all; raises `CannotRun` and `RulesetError`.

    The versions of rulesets that are over are never asked any more, so nothing need fit them.
    """
    versions = _versions(rulebook, clock)
    mappings = read_mappings(path, versions)
    files = dict.fromkeys(file for mapping in mappings.values() for file in (path, *mapping.files))
    _require_columns(mappings.values(), versions, clock)
    return Tenants({name: _tenant(mapping, versions) for name, mapping in mappings.items()}, tuple(files))


def _require_columns(mappings: Iterable[Permissions], versions: Versions, clock: Clock) -> None:
    """Raises `RulesetError` where searches could not be exact, since numbers of a ruleset are too wide for columns."""
    names = {permission.ruleset for mapping in mappings for permission in mapping.permissions if mapping.tables}
    for version in (version for name in sorted(names) for version in versions[name]):
        prepare(version, {}, max(version.period.start, clock.day(version.timezone)))


def _versions(rulebook: Rulebook, clock: Clock) -> Versions:
    names = dict.fromkeys(ruleset.id for ruleset in rulebook.rulesets)
    return {name: _not_over(rulebook.versions(name), clock) for name in names}


def _not_over(versions: Sequence[Ruleset], clock: Clock) -> Sequence[Ruleset]:
    day = clock.day(versions[-1].timezone)
    return [each for each in versions if each.period.end is None or each.period.end > day]


def _tenant(mapping: Permissions, versions: Versions) -> Tenant:
    return Tenant(tuple(_granted(each, mapping, versions[each.ruleset]) for each in mapping.permissions))


def _granted(permission: Permission, mapping: Permissions, versions: Sequence[Ruleset]) -> Granted:
    schemas = {version.facts.document: version.facts for version in versions}
    known = {
        (side, document): read_entities(table, permission, side, schema)
        for side in SIDES
        if (table := mapping.tables.get((side, permission.type_of(side)))) is not None
        for document, schema in schemas.items()
    }
    return Granted(permission, known)
