"""The entities that a table names: which ids there are, and the facts of each, as columns that are ready to be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Record
from policy_engine.service.authzen.databases import rows_of
from policy_engine.service.authzen.permissions import COLUMN, EntityTable, Permission
from policy_engine.tables.flat_schemas import part_schema
from policy_engine.tables.json_types import plain_row
from policy_engine.tables.mapping import TableMapping
from policy_engine.tables.opening_tables import source_of, source_of_frame
from policy_engine.tables.source import Source, reading

MOST_KEPT = 10_000
"""Entities whose facts are kept as JSON, of which to make them takes longer than a decision."""
OF_COMMANDS = ", or say it: --input-format"
"""What commands are told, and a mapping has not."""
MOST_TOLD = 10
"""Invalid rows that are told; the others are counted."""


@dataclass(frozen=True)
class KnownEntities:
    """Entities of one type. `frame` has the columns of facts, `key` that of the ids; `places` are the rows of each id."""

    key: str
    frame: pl.DataFrame
    facts: Record
    places: Mapping[str, int]
    kept: dict[str, Mapping[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    def __contains__(self, id_: str) -> bool:
        return id_ in self.places

    def facts_of(self, id_: str) -> Mapping[str, Any]:
        """The facts of an entity in JSON types; none of an id that there is not."""
        if id_ in self.kept:
            return self.kept[id_]
        place = self.places.get(id_)
        if place is None:
            return {}
        if len(self.kept) >= MOST_KEPT:
            self.kept.clear()
        found = plain_row(self.frame, place, self.facts)
        self.kept[id_] = found
        return found


def read_entities(table: EntityTable, permission: Permission, side: str, schema: FactsSchema) -> KnownEntities:
    """The entities of a table with the facts that a permission takes from it; raises `CannotRun` with every fault."""
    given = permission.from_table(side)
    key = next((name for name, origin in given.items() if origin.part == "id"), f"{side}.id")
    part = part_schema(schema, given, key)
    source = _source(table, part, _mapping(table, permission, side, key))
    with reading(source):
        read = source.validate(source.frame.collect())
    _refuse_invalid(table, read.invalid)
    ids = read.valid[key]
    _refuse_twice(table, ids)
    facts = Record(tuple(member for member in part.type.members if member.name in given))
    frame = read.valid.select(*dict.fromkeys((key, *(member.name for member in facts.members))))
    return KnownEntities(key, frame.rechunk(), facts, {id_: place for place, id_ in enumerate(ids)})


def _mapping(table: EntityTable, permission: Permission, side: str, key: str) -> TableMapping:
    """Which column of the table is which fact, and where that is said."""
    given = permission.from_table(side)
    columns: dict[str, str | None] = {o.column: name for name, o in given.items() if o.part == COLUMN}
    places = {o.column: o.span for o in given.values() if o.part == COLUMN}
    columns[table.id.value] = key
    return TableMapping(columns, places={**places, table.id.value: table.id.span}, named_alone=True)


def _source(table: EntityTable, facts: FactsSchema, mapping: TableMapping) -> Source:
    if table.file is None:
        return source_of_frame(rows_of(table), facts, mapping)
    try:
        return source_of(table.file, facts, mapping)
    except CannotRun as error:
        why = str(error).removesuffix(OF_COMMANDS)
        raise CannotRun(why if why.startswith(table.id.span.path) else f"{table.span}: {why}") from None


def _refuse_invalid(table: EntityTable, invalid: pl.DataFrame) -> None:
    """Raises `CannotRun` where rows are invalid: an entity whose facts are not known is not left out in silence."""
    told = [
        f"{table.span}: row {number}: {_told(table, violation)}"
        for number, _, violations in invalid.head(MOST_TOLD).iter_rows()
        for violation in violations
    ]
    if told:
        more = invalid.height - MOST_TOLD
        raise CannotRun("\n".join([*told, *([f"{table.span}: {more} more rows are invalid"] if more > 0 else [])]))


def _told(table: EntityTable, violation: Mapping[str, str]) -> str:
    is_id = violation["keyword"] == "required"  # nothing else must be there
    return f"the id is missing in the column `{shown_text(table.id.value)}`" if is_id else violation["message"]


def _refuse_twice(table: EntityTable, ids: pl.Series) -> None:
    twice = ids.filter(ids.is_duplicated())
    if twice.len():
        shown, column = shown_text(twice[0], 60), shown_text(table.id.value)
        raise CannotRun(f"{table.span}: the id `{shown}` stands twice in the column `{column}`; keep one row of each")
