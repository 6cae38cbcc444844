"""What the columns of a table would become: the fact of each, and how many rows fail by it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.validation import RAW
from policy_engine.diagnostics import nearest
from policy_engine.documents.facts_files import plain_facts
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Member, Record, member_of
from policy_engine.tables.cells import reads_texts
from policy_engine.tables.column_faults import unfitting
from policy_engine.tables.csv_tables import OWN
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.flat_schemas import flat_mapping, flat_schema, zoned_schema
from policy_engine.tables.json_lines import blocks_of
from policy_engine.tables.mapping import TableMapping
from policy_engine.tables.opening_tables import kind_of, source_of
from policy_engine.tables.source import opened, reading, unpacked

NOTHING_KNOWN = FactsSchema("", Record(()), '{"type": "object", "properties": {}, "additionalProperties": false}')
"""The schema by which every column stays as it stands in the file."""
MOST_REASONS = 3
TEXTS = "text"
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


@dataclass(frozen=True, slots=True)
class InspectedColumn:
    """A column: its type, the fact that it is (None for none), how many rows fail by it, and the first reasons with their rows.

    Of one that is no fact `near` is the fact that was probably meant, if one is near; `left_out` is one that a
    mapping leaves out.
    """

    name: str
    dtype: str
    fact: str | None
    near: str | None = None
    failing: int = 0
    reasons: tuple[tuple[int, str], ...] = ()
    left_out: bool = False

    @property
    def is_unread(self) -> bool:
        """Whether it was not read, though the mapping does not leave it out: it is no fact, or its type can never fit."""
        return not self.left_out and (self.fact is None or any(row == 0 for row, _ in self.reasons))


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the first rows of a table would become: so many were read, and so many are invalid by the columns that can be read.

    `others` are columns that are named by the mapping only, and what is wrong with rows as a whole, under the name "".
    `without_column` are the facts that no column is.
    """

    rows: int
    invalid: int
    columns: tuple[InspectedColumn, ...]
    others: tuple[InspectedColumn, ...]
    without_column: tuple[Member, ...]


def raw_columns(place: Path, file: FileOptions, most: int) -> pl.DataFrame:
    """The first rows of a table, each column as it stands there, empty cells as nulls; raises `CannotRun`.

    Of JSON Lines only texts are kept.
    """
    if (file.input_format or kind_of(place)) == "jsonl":
        return _of_lines(place, most)
    source = source_of(place, NOTHING_KNOWN, TableMapping(), file)
    with reading(source):
        table = source.frame.head(most).collect(engine="streaming")
    names = {name: name.removeprefix(RAW) for name in table.columns if name.startswith(RAW)}
    return table.select(pl.col(name).alias(column) for name, column in names.items() if column not in OWN)


def _of_lines(place: Path, most: int) -> pl.DataFrame:
    with opened(place) as raw:
        lines = (line for block in blocks_of(unpacked(place, raw)) for line in block.data.split(b"\n") if line.strip())
        records = [plain_facts(line) or {} for line in islice(lines, most)]
    names = dict.fromkeys(name for record in records for name in record)
    values = {name: [record.get(name) for record in records] for name in names}
    texts = {name: [value if isinstance(value, str) else None for value in column] for name, column in values.items()}
    return pl.DataFrame(texts, dict.fromkeys(names, pl.String()))


def inspect(
    place: Path, table: pl.DataFrame, facts: FactsSchema, mapping: TableMapping, file: FileOptions, most: int
) -> Inspection:
    """What the first rows of a table, whose raw columns are given, become by a schema and a mapping; raises `CannotRun`."""
    read = zoned_schema(facts, mapping.zones)
    flat, names = flat_schema(read, mapping), flat_mapping(mapping).columns
    found = [_column(name, dtype, names.get(name, name), flat) for name, dtype in table.schema.items()]
    if (file.input_format or kind_of(place)) == "parquet":
        found = [_with_unfit_type(one, table.schema[one.name], flat, mapping) for one in found]
    unread = {one.name: None for one in found if one.is_unread}
    source = source_of(place, facts, replace(mapping, columns={**mapping.columns, **unread}), file)
    with reading(source):
        checked = source.validate(source.frame.head(most).collect(engine="streaming"))
    wrong = _wrong(checked.invalid, [member.name for member in flat.type.members])
    have = {one.fact for one in found} | {*mapping.constants, *mapping.gathered}
    without = tuple(member for member in facts.type.members if member.name not in have)
    columns = tuple(_told(one, wrong, [member.name for member in without]) for one in found)
    told = {one.fact for one in found}
    others = tuple(
        InspectedColumn(name, "", name, None, *reasons) for name, reasons in wrong.items() if name not in told
    )
    return Inspection(checked.valid.height + checked.invalid.height, checked.invalid.height, columns, others, without)


def _column(name: str, dtype: pl.DataType, fact: str | None, facts: FactsSchema) -> InspectedColumn:
    """A column before any row is looked at."""
    kind = TEXTS if isinstance(dtype, pl.String) else str(dtype)
    is_fact = fact is not None and member_of(facts.type, fact) is not None
    return InspectedColumn(name, kind, fact if is_fact else None, left_out=fact is None)


def _with_unfit_type(
    one: InspectedColumn, dtype: pl.DataType, facts: FactsSchema, mapping: TableMapping
) -> InspectedColumn:
    """A column of a table with types, and why its own can never fit its fact, as a reason of row 0."""
    member = member_of(facts.type, one.fact) if one.fact is not None else None
    if member is None or (isinstance(dtype, pl.String) and reads_texts(member, mapping.style(member.name))):
        return one
    found = unfitting(one.name, member.type, dtype)
    return replace(one, reasons=tuple((0, f"it is {kind}, and the schema wants {wanted}") for _, kind, wanted in found))


def _wrong(invalid: pl.DataFrame, names: Collection[str]) -> dict[str, tuple[int, tuple[tuple[int, str], ...]]]:
    """For each fact how many rows fail by it, and why the first do."""
    rows: dict[str, dict[int, str]] = {}
    for row in invalid.iter_rows(named=True):
        for told in row["violations"]:
            name = next(
                (name for name in names if f"{told['pointer']}/".startswith(f"/{name}/")), _top(told["pointer"])
            )
            rows.setdefault(name, {}).setdefault(row[ROW], told["message"])
    return {name: (len(found), tuple(islice(found.items(), MOST_REASONS))) for name, found in rows.items()}


def _top(pointer: str) -> str:
    return pointer.split("/")[1] if pointer else ""


def _told(
    one: InspectedColumn, wrong: Mapping[str, tuple[int, tuple[tuple[int, str], ...]]], free: Collection[str]
) -> InspectedColumn:
    """A column with what is wrong with its rows, or with the fact that was probably meant."""
    if one.fact is None:
        return one if one.left_out else replace(one, near=meant(one.name, free))
    failing, reasons = wrong.get(one.fact, (0, ()))
    return replace(one, failing=failing, reasons=(*one.reasons, *reasons))


def meant(column: str, facts: Collection[str]) -> str | None:
    """The fact that a column probably is: the same but for case, blanks, signs and umlauts, or else one that is near."""
    same = same_name(column, facts)
    return same if same is not None else nearest(column, facts)


def same_name(column: str, facts: Collection[str]) -> str | None:
    """The fact whose name is that of a column but for case, blanks, signs and umlauts."""
    wanted = {*_folded(column)}
    return next((fact for fact in facts if wanted.intersection(_folded(fact))), None)


def _folded(name: str) -> Iterator[str]:
    """A name in small letters and digits, umlauts with an e and without."""
    for text in (name.casefold(), name.casefold().translate(UMLAUTS)):
        yield "".join(sign for sign in unicodedata.normalize("NFKD", text) if sign.isalnum() and sign.isascii())
