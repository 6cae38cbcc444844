"""Lists gathered from several columns of a table, or from the rows of another file, and put among the facts of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, dtype_of, schema_of
from policy_engine.backends.columnar.times import in_microseconds
from policy_engine.backends.columnar.validation import column_validation
from policy_engine.errors import Violation
from policy_engine.facts.plain import Json
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import ListOf, Record, member_of
from policy_engine.tables.flat_schemas import flat_mapping, flat_name, flat_schema, history_mapping, history_schema
from policy_engine.tables.histories import HistoryRows, history_rows
from policy_engine.tables.json_types import plain_members
from policy_engine.tables.keys import key_column, key_of
from policy_engine.tables.mapping import ListItem, TableMapping
from policy_engine.tables.row_validation import (
    INVALID,
    InvalidRow,
    Row,
    RowReader,
    Validated,
    invalid_frame,
    validated_rows,
)
from policy_engine.tables.source import Source

Opener = Callable[[FactsSchema, TableMapping], Source]
"""Opens a table, to be read by a schema and a mapping."""


def gathered_source(
    facts: FactsSchema, mapping: TableMapping, table: Opener, of_history: Mapping[str, Opener]
) -> Source:
    """A table with the lists that its mapping gathers; raises `CannotRun`.

    `table` opens it, `of_history` has for a fact what opens the file of its rows, which is read at once.
    """
    source = table(flat_schema(facts, mapping), flat_mapping(mapping))
    histories = {}
    for name, history in mapping.histories.items():
        schema, rows_mapping = history_schema(facts, name, history), history_mapping(mapping, facts, name)
        opened = of_history[name](schema, rows_mapping)
        histories[name] = history_rows(opened, name, list_type(facts, name), history.by)
    rows = histories.values()
    return replace(
        source,
        facts=facts,
        validate=_Gathering(facts, mapping, source, histories).validated,
        files=(*source.files, *(file for one in rows for file in one.source.files)),
        warnings=(*source.warnings, *(warning for one in rows for warning in one.source.warnings)),
        notes=lambda: tuple(note for one in rows for note in one.notes()),
    )


def list_type(facts: FactsSchema, name: str) -> ListOf:
    """The type of a fact that is a list."""
    member = member_of(facts.type, name)
    assert member is not None
    assert isinstance(member.type, ListOf), name
    return member.type


@dataclass(frozen=True, slots=True)
class _Gathering:
    """A table that is read by its flat schema, and what is put together from it."""

    facts: FactsSchema
    mapping: TableMapping
    flat: Source
    histories: Mapping[str, HistoryRows]

    def validated(self, piece: pl.DataFrame) -> Validated:
        """The valid and the invalid rows of a piece. Lists are looked at where the rest of the row is valid."""
        known, invalid = self.flat.validate(piece)
        known = known.with_columns(self.list_of(name, items).alias(name) for name, items in self.mapping.lists.items())
        wrong: dict[int, list[Violation]] = {}
        for name, rows in self.histories.items():
            keys = self.keys(known, rows.by)
            lists = rows.of(keys, empty=self.mapping.histories[name].empty)
            known = known.with_columns(lists.alias(name))
            for at in keys.is_in(list(rows.wrong)).arg_true() if rows.wrong else ():
                wrong.setdefault(at, []).extend(rows.wrong[keys[at]])
        whole = known.select(list(schema_of(self.facts.type)))
        if wrong:
            invalid = pl.concat([invalid, self.told(whole, wrong)])
            whole = whole.with_row_index("(at)").filter(~pl.col("(at)").is_in(list(wrong))).drop("(at)")
        valid, unfit = self.with_lists_that_fit(whole)
        return Validated(valid, pl.concat([invalid, unfit]).sort(ROW) if wrong or unfit.height else invalid)

    def list_of(self, name: str, items: tuple[ListItem, ...]) -> pl.Expr:
        """A list of those elements of which a column has a value; null where there is none."""
        kind = list_type(self.facts, name)
        elements = []
        for index, item in enumerate(items):
            has_value = pl.any_horizontal(pl.col(flat_name(name, index, one)).is_not_null() for one in item.columns)
            elements.append(pl.when(has_value).then(self.element_of(name, index, kind, item)))
        gathered = pl.concat_list(elements).list.drop_nulls()
        return pl.when(gathered.list.len() > 0).then(gathered).cast(dtype_of(kind))

    def element_of(self, name: str, index: int, kind: ListOf, item: ListItem) -> pl.Expr:
        if not isinstance(kind.element, Record):
            return pl.col(flat_name(name, index, ""))
        known = {*item.columns, *item.constants}
        return pl.struct(
            pl.col(flat_name(name, index, one.name)).alias(one.name)
            if one.name in known
            else pl.lit(None, dtype=dtype_of(one.type)).alias(one.name)
            for one in kind.element.members
        )

    def keys(self, known: pl.DataFrame, by: str) -> pl.Series:
        """The texts of a fact."""
        member = member_of(self.facts.type, by)
        assert member is not None, by
        return known.select(key_column(member)).to_series()

    def told(self, whole: pl.DataFrame, wrong: Mapping[int, list[Violation]]) -> pl.DataFrame:
        """Rows of which something is wrong with their rows in other files, as invalid rows."""
        key = key_of(self.facts.type)
        keys = self.keys(whole, key.name) if key is not None else [None] * whole.height
        numbers = whole[ROW]
        return invalid_frame([InvalidRow(numbers[at], keys[at], wrong[at]) for at in sorted(wrong)])

    def with_lists_that_fit(self, whole: pl.DataFrame) -> Validated:
        """The rows whose lists are as the schema says, and the others."""
        plan = column_validation(self.facts, whole.schema, in_units=True)
        names = [name for name in self.mapping.gathered if name in plan.fits]
        present = [plan.present[name] for name in self.mapping.gathered if name in plan.present]
        fits = whole.select(
            pl.all_horizontal(pl.lit(value=True), *(plan.fits[name] for name in names), *present)
        ).to_series()
        if fits.all():
            return Validated(whole, INVALID.to_frame())
        rejected = whole.filter(~fits)
        flags = rejected.select(ROW, *(plan.fits[name].alias(name) for name in names))
        also_valid, invalid = validated_rows(rejected, flags, self.facts, _CanonicalReader(self.facts.type))
        return Validated(pl.concat([whole.filter(fits), also_valid], how="vertical_relaxed").sort(ROW), invalid)


@dataclass(frozen=True, eq=False)
class _CanonicalReader(RowReader):
    """Reads rows of canonical columns."""

    record: Record
    whole: bool = False

    def plain(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.cast({name: in_microseconds(dtype) for name, dtype in frame.schema.items()})

    def facts_of(self, row: Row) -> tuple[Json, list[Violation]]:
        return plain_members(row, self.record), []

    def value(self, row: Row, name: str) -> tuple[Json, list[Violation]]:
        return plain_members({name: None, **row}, Record(tuple(m for m in self.record.members if m.name == name))).get(
            name
        ), []
