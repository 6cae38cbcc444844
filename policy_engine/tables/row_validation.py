"""Validation of the rows of a table: columns accept most of them, and those that they reject are looked at by themselves.

A column says yes only where it is sure (`backends/columnar/validation.py`). What it rejects is read by the source's `RowReader`
and validated by JSON Schema, so that every violation is found and told in the words of `facts/violations.py`. A rejected row
without a violation is valid after all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.plan import at_once
from policy_engine.backends.columnar.validation import FITS, ColumnValidation, column_validation
from policy_engine.backends.parts import Part, part_of
from policy_engine.errors import Violation
from policy_engine.facts.fast_validator import validator_of_member
from policy_engine.facts.plain import FactsReader, Json, to_json_types
from policy_engine.facts.validation import typed_value
from policy_engine.facts.violations import (
    MOST_VIOLATIONS,
    in_order,
    member_violations,
    scalar_violations,
    whole_violations,
)
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import ListOf, Record
from policy_engine.tables.json_types import columns_of, in_json_types
from policy_engine.tables.keys import key_of, key_text, whole_text

Row = Mapping[str, Any]
VIOLATION = pl.Struct(dict.fromkeys(("pointer", "value", "keyword", "expected", "message", "description"), pl.String))
INVALID = pl.Schema({ROW: pl.UInt32(), "key": pl.String(), "violations": pl.List(VIOLATION)})
"""The columns of invalid rows: number, key, and every violation."""


class Validated(NamedTuple):
    """The valid rows in canonical columns, and the invalid ones (`INVALID`), each in the order of the input."""

    valid: pl.DataFrame
    invalid: pl.DataFrame


class InvalidRow(NamedTuple):
    """An invalid row: its number, its key as text (None where there is none), and what is wrong with it."""

    number: int
    key: str | None
    violations: Sequence[Violation]


class RowReader:
    """How the rejected rows of a source are read, by default from columns whose values Python can read."""

    whole: bool = True
    """Whether nothing more is said of a row of which a value cannot be read."""

    def plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows in columns whose values Python can read."""
        return frame

    def facts_of(self, row: Row) -> tuple[Json, list[Violation]]:
        """A row as facts in JSON types, and what of it cannot be read."""
        raise NotImplementedError

    def value(self, row: Row, name: str) -> tuple[Json, list[Violation]]:
        """A fact of a row in JSON types, None where it is absent, and what of it cannot be read."""
        raise NotImplementedError

    def placed(self, found: Violation, row: Row) -> Violation:
        """What cannot be read, with its place in the input."""
        return found


class TypedReader(RowReader):
    """Reads columns that have types: a value is what it is, and some have no form in JSON."""

    def plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        return at_once(in_json_types(frame.lazy()), as_it_stands=True)

    def facts_of(self, row: Row) -> tuple[Json, list[Violation]]:
        return to_json_types({name: value for name, value in row.items() if name != ROW})

    def value(self, row: Row, name: str) -> tuple[Json, list[Violation]]:
        value = row.get(name)
        if isinstance(value, str):
            return value, []  # a column of Polars has no halves of characters
        reader = FactsReader()
        return reader.value(value, f"/{name}", 1), reader.found


def validated_frame(frame: pl.DataFrame, facts: FactsSchema) -> Validated:
    """The valid and the invalid rows of a frame with the column `ROW` and facts in columns of any types."""
    columns = column_validation(facts, frame.schema)
    return validated(at_once(columns.validated(frame.lazy())), columns, facts, TypedReader())


def validated(piece: pl.DataFrame, columns: ColumnValidation, facts: FactsSchema, reader: RowReader) -> Validated:
    """The valid and the invalid rows of a piece whose columns have been validated (`FITS`)."""
    fits, made = piece[FITS], piece.select(ROW, *columns.part.members)
    if fits.all():
        return Validated(made, INVALID.to_frame())
    rejected = columns.raw(piece.filter(~fits))
    also_valid, invalid = validated_rows(rejected, columns.flags(rejected), facts, reader)
    valid = made.filter(fits)
    if also_valid.height:
        valid = pl.concat([valid, also_valid], how="vertical_relaxed").sort(ROW)
    return Validated(valid, invalid)


def validated_rows(rejected: pl.DataFrame, flags: pl.DataFrame, facts: FactsSchema, reader: RowReader) -> Validated:
    """The valid and the invalid ones of rejected rows.

    `flags` tells of each row, for every fact whose column was validated, whether it surely has no fault there.
    """
    rows = _RejectedRows(facts, part_of(facts), reader, reader.plain(rejected), flags)
    found, numbers = rows.violations(), rejected[ROW].to_list()
    told = zip(numbers, rows.keys(), found, strict=True)
    invalid = invalid_frame([InvalidRow(number, key, violations) for number, key, violations in told if violations])
    valid = [at for at, violations in enumerate(found) if not violations]
    if not valid:
        return Validated(pl.DataFrame(schema=schema_of(facts.type)), invalid)
    known = [reader.facts_of(rows.row(at))[0] for at in valid]
    return Validated(columns_of([numbers[at] for at in valid], known, facts).frame, invalid)


@dataclass(slots=True)
class _RejectedRows:
    """Rejected rows, and what was found to be wrong with single values: equal values are looked at once."""

    facts: FactsSchema
    part: Part
    reader: RowReader
    plain: pl.DataFrame
    flags: pl.DataFrame
    seen: dict[tuple[str, type, object], list[Violation]] = field(default_factory=dict)

    def violations(self) -> list[list[Violation]]:
        """Every violation by each row.

        Columns of single values are looked at one after another; rows of which that does not tell all, as a whole.
        """
        doubted = sorted(name for name in self.flags.columns if name != ROW and not self.flags[name].all())
        single = [name for name in doubted if self._is_single(name)]
        whole = set(self._broken([name for name in doubted if name not in single]))
        found = self._absent()
        for name in single:
            rows = [at for at in self._broken([name]) if at not in whole]
            for at, row in zip(rows, self._rows(name, rows), strict=True):
                value, unread = self.reader.value(row, name)
                if unread and self.reader.whole:
                    whole.add(at)
                else:
                    found[at] += [self.reader.placed(one, row) for one in unread] or self._of_member(name, value)
        whole.update(at for at, told in enumerate(found) if len(told) >= MOST_VIOLATIONS)
        for at in whole:
            found[at] = self._of_row(self.row(at))
        return found

    def keys(self) -> Sequence[str | None]:
        """The key of each row as text."""
        key = key_of(self.facts.type)
        if key is None:
            return [None] * self.plain.height
        return [key_text(self.reader.value(row, key.name)[0], key.type) for row in self._rows(key.name)]

    def row(self, at: int) -> Row:
        """A row with its columns."""
        return self.plain.row(at, named=True)

    def _rows(self, name: str, places: Sequence[int] | None = None) -> Iterator[Row]:
        """Rows with the column of a fact and with those that are no facts, whose names begin with a bracket."""
        read = self.plain.select(column for column in self.plain.columns if column == name or column.startswith("("))
        return (read if places is None else read[places]).iter_rows(named=True)

    def _is_single(self, name: str) -> bool:
        """Whether a fact has neither lists nor records, nor its column."""
        part = self.part.members.get(name)
        return (
            part is not None and not isinstance(part.type, ListOf | Record) and not self.plain.schema[name].is_nested()
        )

    def _broken(self, names: Iterable[str]) -> list[int]:
        """The rows of which a flag of these names says no."""
        wrong = [~self.flags[name] for name in names]
        return pl.select(pl.any_horizontal(wrong)).to_series().arg_true().to_list() if wrong else []

    def _absent(self) -> list[list[Violation]]:
        """For each row the violations by required facts that are absent."""
        found: list[list[Violation]] = [[] for _ in range(self.plain.height)]
        for name in self.part.required:
            told = whole_violations("required", (name,), (), self.part.schema)
            is_absent = self.plain[name].is_null().arg_true() if name in self.plain.columns else range(len(found))
            for at in is_absent:
                found[at] += told
        return found

    def _of_row(self, row: Row) -> list[Violation]:
        """Every violation by one row; what could not be read stands in place of what the schema would say of it."""
        known, unread = self.reader.facts_of(row)
        placed = [self.reader.placed(found, row) for found in unread]
        if known is None or (unread and self.reader.whole):
            return placed
        places = {found.pointer for found in unread}
        return in_order([*placed, *(told for told in self._of_facts(known) if told.pointer not in places)])

    def _of_facts(self, known: Mapping[str, Json]) -> list[Violation]:
        """What `violations_of` finds."""
        told: list[Violation] = []
        for keyword, wanted in self.part.schema.items():
            if keyword == "properties":
                told += [found for name in wanted if name in known for found in self._of_member(name, known[name])]
            elif keyword in ("required", "additionalProperties"):
                told += whole_violations(keyword, wanted, known, self.part.schema)
        return told[:MOST_VIOLATIONS]

    def _of_member(self, name: str, value: Json) -> list[Violation]:
        if isinstance(value, list | dict):
            return [] if self._is_valid(name, value) else member_violations(name, value, self.facts)
        key = name, type(value), value
        if key not in self.seen:
            self.seen[key] = scalar_violations(value, self.part.members[name].schema, f"/{name}", self.facts)
        return self.seen[key]

    def _is_valid(self, name: str, value: Json) -> bool:
        """Whether a list or a record surely has no fault."""
        try:
            passes = validator_of_member(self.facts.document, name)(value)
            return passes and typed_value(value, self.part.members[name].type) is not None
        except ValueError:
            return False


def invalid_frame(rows: Sequence[InvalidRow]) -> pl.DataFrame:
    """Invalid rows as a frame (`INVALID`); the value of a violation is JSON text."""
    if not rows:
        return INVALID.to_frame()
    places: dict[tuple[int, ...], int] = {}
    distinct: list[Sequence[Violation]] = []
    told = []
    for row in rows:  # most rows are wrong as others are, and then have the same violations
        place = places.setdefault(tuple(map(id, row.violations)), len(distinct))
        if place == len(distinct):
            distinct.append(row.violations)
        told.append(place)
    violations = _lists(distinct).gather(pl.Series(told, dtype=pl.UInt32))
    return pl.DataFrame([[row.number for row in rows], [row.key for row in rows], violations], INVALID)


def _lists(told: Sequence[Sequence[Violation]]) -> pl.Series:
    """Lists of violations as a column."""
    flat = [(place, *_texts(violation)) for place, violations in enumerate(told) for violation in violations]
    frame = pl.DataFrame(flat, {"place": pl.UInt32(), **VIOLATION.to_schema()}, orient="row")
    lists = frame.select("place", violations=pl.struct(pl.exclude("place"))).group_by("place", maintain_order=True)
    return lists.agg("violations")["violations"]


def _texts(told: Violation) -> tuple[str, ...]:
    value = json.dumps(told.value, ensure_ascii=False, default=str)
    texts = told.pointer, value, told.keyword, told.expected, told.message, told.description
    return tuple(map(whole_text, texts))
