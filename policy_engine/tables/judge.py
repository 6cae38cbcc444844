"""Judging a frame of facts: the rows that are valid, in canonical columns, and every violation of the others.

Columns say of most rows that they are valid. What is wrong with the others is told by the rule of facts and in its words;
violations of facts that are neither list nor record are found value by value, the rest row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.parts import Part
from policy_engine.backends.columnar.plan import at_once
from policy_engine.backends.columnar.validation import FITS, UNKNOWN, Plan, plan_for
from policy_engine.errors import Violation
from policy_engine.facts.plain import Json, Reader, to_json_types
from policy_engine.facts.violations import (
    MOST_VIOLATIONS,
    in_order,
    scalar_violations,
    violations_among,
    whole_violations,
)
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import ListOf, Record
from policy_engine.tables.building import columns_of
from policy_engine.tables.invalid import Invalid, frame_of
from policy_engine.tables.json_columns import in_json_types
from policy_engine.tables.keys import key_of, key_text

Row = Mapping[str, Any]


class Judged(NamedTuple):
    """The valid rows, canonical, and the invalid ones (`invalid.SCHEMA`), each in the order of the input."""

    valid: pl.DataFrame
    invalid: pl.DataFrame


class Reading(Protocol):
    """How the raw columns of a source are read."""

    @property
    def whole(self) -> bool:
        """Whether a row of which a value cannot be read is judged no further."""

    def plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame for Python to look into."""

    def facts_of(self, row: Row) -> tuple[Json, list[Violation]]:
        """A row as facts in JSON types, and what of it cannot be read."""

    def value(self, name: str, raw: object) -> tuple[Json, list[Violation]]:
        """A value in JSON types, or what cannot be read."""

    def placed(self, found: Violation, row: Row) -> Violation:
        """What cannot be read, with its place in the input."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Columns that have types: a value is what it is."""

    whole: bool = True

    def plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame for Python to look into."""
        return in_json_types(frame)

    def facts_of(self, row: Row) -> tuple[Json, list[Violation]]:
        """A row as facts in JSON types, and what no JSON could say."""
        return to_json_types({name: value for name, value in row.items() if name != ROW})

    def value(self, name: str, raw: object) -> tuple[Json, list[Violation]]:
        """A value in JSON types, or what no JSON could say."""
        reader = Reader()
        return reader.value(raw, f"/{name}", 1), reader.found

    def placed(self, found: Violation, row: Row) -> Violation:
        """The same: a typed value needs no place."""
        return found


TYPED = Typed()


def judged(frame: pl.DataFrame, facts: FactsSchema) -> Judged:
    """The valid and the invalid rows of a frame with the column `ROW` and facts in columns of any types."""
    plan = plan_for(facts, frame.schema)
    return ruled(at_once(plan.judged(frame.lazy())), plan, facts)


def ruled(piece: pl.DataFrame, plan: Plan, facts: FactsSchema, reading: Reading = TYPED) -> Judged:
    """The valid and the invalid rows of a frame that was judged in columns: where these are not sure the rule has its say."""
    fits, made = piece[FITS], piece.select(ROW, *plan.part.members)
    if fits.all():
        return Judged(made, frame_of([]))
    court = _Court(facts, plan, reading, plan.raw(piece.filter(~fits)))
    invalid, late = court.verdicts()
    valid = made.filter(fits)
    if late:
        also = columns_of([number for number, _ in late], [known for _, known in late], facts).frame
        valid = pl.concat([valid, also]).sort(ROW)
    return Judged(valid, frame_of(invalid))


@dataclass(slots=True)
class _Court:
    """The rows of which the columns say no."""

    facts: FactsSchema
    plan: Plan
    reading: Reading
    raw: pl.DataFrame
    plain: pl.DataFrame = field(init=False)
    flags: pl.DataFrame = field(init=False)
    found: list[list[Violation]] = field(init=False)
    doubted: list[str] = field(init=False)
    slow: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.plain = self.reading.plain(self.raw)
        self.flags = self.plan.flags(self.raw)
        self.found = [[] for _ in range(self.raw.height)]
        self.doubted = [name for name in self.flags.columns if name != ROW and not self.flags[name].all()]
        self.slow = set(self._broken(name for name in self.doubted if not self._is_simple(name)))

    def verdicts(self) -> tuple[list[Invalid], list[tuple[int, Json]]]:
        """What is wrong with the invalid rows, and the numbers and facts of those that are valid after all."""
        for keyword in self.plan.part.schema:
            if keyword == "required":
                self._absent()
            elif keyword == "additionalProperties":
                self._unknown()
        for name in sorted(self.doubted):
            if name in self.plan.part.members:
                self._values(name)
        self.slow.update(index for index, told in enumerate(self.found) if len(told) >= MOST_VIOLATIONS)
        for index in self.slow:
            self.found[index] = self._violations_in(index)
        numbers, keys = self.raw[ROW].to_list(), self._keys()
        invalid = [
            Invalid(number, key, told) for number, key, told in zip(numbers, keys, self.found, strict=True) if told
        ]
        late = [index for index, told in enumerate(self.found) if not told]
        return invalid, [(numbers[index], self.reading.facts_of(self._row(index))[0]) for index in late]

    def _violations_in(self, index: int) -> list[Violation]:
        """Every violation by one row; what could not be read stands in place of what the rule would say of it."""
        row = self._row(index)
        known, unread = self.reading.facts_of(row)
        if known is None or (unread and self.reading.whole):
            return [self.reading.placed(found, row) for found in unread]
        flags = self.flags.row(index, named=True)
        suspects = [name for name in self.plan.part.members if not flags.get(name, True)]
        places = {found.pointer for found in unread}
        told = [v for v in violations_among(known, self.facts.document, suspects) if v.pointer not in places]
        return in_order([*told, *(self.reading.placed(found, row) for found in unread)])

    def _is_simple(self, name: str) -> bool:
        part = self.plan.part.members.get(name)
        if part is None:
            return name == UNKNOWN
        return not isinstance(part.type, ListOf | Record) and not self.plain.schema[name].is_nested()

    def _broken(self, names: Iterable[str]) -> list[int]:
        """The rows of which a flag of these names says no."""
        wrong = [~self.flags[name] for name in names]
        return pl.select(pl.any_horizontal(wrong)).to_series().arg_true().to_list() if wrong else []

    def _row(self, index: int) -> Row:
        return self.plain.row(index, named=True)

    def _keys(self) -> Sequence[str | None]:
        key = key_of(self.facts.type)
        if key is None or key.name not in self.plain.columns:
            return [None] * self.raw.height
        return [key_text(self._read(key.name, raw), key.type) for raw in self.plain[key.name]]

    def _read(self, name: str, raw: object) -> Json:
        return None if raw is None else self.reading.value(name, raw)[0]

    def _absent(self) -> None:
        part = self.plan.part
        for name in part.required:
            there = self.plain[name].is_not_null() if name in self.plain.columns else None
            told = whole_violations("required", (name,), (), part.schema)
            for index in range(self.raw.height) if there is None else (~there).arg_true():
                self.found[index] += told

    def _unknown(self) -> None:
        for index in self._broken([UNKNOWN]) if UNKNOWN in self.doubted else ():
            known, unread = self.reading.facts_of(self._row(index))
            if unread:
                self.slow.add(index)
            else:
                self.found[index] += whole_violations("additionalProperties", None, known, self.plan.part.schema)

    def _values(self, name: str) -> None:
        """What is wrong with the values of a fact; the same value is looked at once."""
        part = self.plan.part.members[name]
        seen: dict[tuple[type, object], tuple[list[Violation], bool]] = {}
        rows = [index for index in self._broken([name]) if index not in self.slow]
        for index, raw in zip(rows, self.plain[name].gather(rows), strict=True):
            told, unread = seen.get((type(raw), raw)) or seen.setdefault((type(raw), raw), self._told(name, part, raw))
            if unread and self.reading.whole:
                self.slow.add(index)
            elif unread:
                row = self._row(index)
                self.found[index].extend(self.reading.placed(one, row) for one in told)
            else:
                self.found[index].extend(told)

    def _told(self, name: str, part: Part, raw: object) -> tuple[list[Violation], bool]:
        """The violations by a value, and whether they say that it could not be read."""
        value, unread = self.reading.value(name, raw)
        if unread:
            return unread, True
        return scalar_violations(value, part.schema, f"/{name}", self.facts.document), False
