"""Opening a table by its name: Parquet, CSV, JSON Lines, or an Excel workbook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import shown_text
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.csv_tables import csv_source
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.flat_schemas import zoned_schema
from policy_engine.tables.gathering import Opener, gathered_source
from policy_engine.tables.json_lines import lines_source
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.mapping_files import read_mapping
from policy_engine.tables.sheet_tables import sheet_source
from policy_engine.tables.source import Source
from policy_engine.tables.typed_tables import frame_source, parquet_source

ENDINGS = {
    "parquet": (".parquet", ".pq"),
    "csv": (".csv", ".tsv", ".txt"),
    "jsonl": (".jsonl", ".ndjson"),
    "xlsx": (".xlsx", ".xlsm"),
}
"""The formats that are read, and how the names of their files end."""
PACKED_KINDS = ("csv", "jsonl")
GLOB = "*?["


@dataclass(frozen=True, slots=True)
class Options:
    """How tables are read: mapping files by ruleset, the one for all of them under "", and how the tables' files are written."""

    maps: Mapping[str, Path] = field(default_factory=dict)
    file: FileOptions = field(default_factory=FileOptions)


def open_table(ruleset: str, place: Path, facts: FactsSchema, options: Options) -> Source:
    """The table at a place, read as the options say for a ruleset; raises `CannotRun`."""
    return source_of(place, facts, mapping_of(ruleset, facts, options), options.file)


def mapping_of(ruleset: str, facts: FactsSchema, options: Options) -> TableMapping:
    """The mapping for the tables of a ruleset; raises `CannotRun`."""
    file = options.maps.get(ruleset, options.maps.get(""))
    return read_mapping(file, facts) if file is not None else NOTHING


def source_of(
    place: Path, facts: FactsSchema, mapping: TableMapping = NOTHING, options: FileOptions | None = None
) -> Source:
    """The table at a place, by its ending: a folder or a glob is Parquet; raises `CannotRun`."""
    return _mapped(facts, mapping, _opener(place, options))


def source_of_frame(table: Any, facts: FactsSchema, mapping: TableMapping = NOTHING) -> Source:
    """A Polars frame, or anything that gives an Arrow stream (`__arrow_c_stream__`); raises `CannotRun`."""
    return _mapped(facts, mapping, partial(frame_source, table))


def _mapped(facts: FactsSchema, mapping: TableMapping, table: Opener) -> Source:
    """A table with what its mapping says of time zones and lists."""
    read = zoned_schema(facts, mapping.zones)
    if not mapping.gathered:
        return replace(table(read, mapping), facts=facts)
    of_history = {name: _opener(history.file) for name, history in mapping.histories.items()}
    return replace(gathered_source(read, mapping, table, of_history), facts=facts)


def _opener(place: Path, options: FileOptions | None = None) -> Opener:
    return lambda facts, mapping: _opened(place, facts, mapping, options)


def _opened(place: Path, facts: FactsSchema, mapping: TableMapping, options: FileOptions | None) -> Source:
    written = (options or FileOptions()).before(mapping.file)
    kind = written.input_format or kind_of(place)
    if written.sheet is not None and kind != "xlsx":
        raise CannotRun(f"`{place}` is no Excel workbook, and has no sheet `{shown_text(written.sheet)}`; name none")
    match kind:
        case "jsonl":
            return lines_source(place, facts, mapping)
        case "csv":
            return csv_source(place, facts, mapping, written)
        case "xlsx":
            return sheet_source(place, facts, mapping, written)
    return parquet_source(place, facts, mapping)


def kind_of(place: Path) -> str:
    """The format by the ending of a name; raises `CannotRun`."""
    name = place.name.lower()
    packed = name.removesuffix(".gz").removesuffix(".zst")
    found = next((kind for kind, endings in ENDINGS.items() if packed.endswith(endings)), None)
    if found in PACKED_KINDS or (found is not None and packed == name):
        return found
    if place.is_dir() or any(sign in str(place) for sign in GLOB):
        return "parquet"
    if not place.exists():
        raise CannotRun(f"there is no file `{place}`")
    if found is not None:
        raise CannotRun(f"`{place}` is packed, and only CSV and JSON Lines are read so; unpack it")
    known = ", ".join(ending for endings in ENDINGS.values() for ending in endings)
    raise CannotRun(f"`{place}` has no ending that tells what it is; give it one of {known}, or say it: --input-format")
