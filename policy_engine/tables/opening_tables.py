"""Opening a table by its name: Parquet, CSV or JSON Lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.csv_files import CsvOptions
from policy_engine.tables.csv_tables import csv_source
from policy_engine.tables.json_lines import lines_source
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.mapping_files import read_mapping
from policy_engine.tables.source import Source
from policy_engine.tables.typed_tables import parquet_source

PARQUET, CELLS, LINES = (".parquet", ".pq"), (".csv", ".tsv", ".txt"), (".jsonl", ".ndjson")
GLOB = "*?["


@dataclass(frozen=True, slots=True)
class Options:
    """How tables are read: mapping files, and for CSV the encoding and the delimiter where they are not to be found out.

    `maps` are by ruleset, the one for all of them under "".
    """

    maps: Mapping[str, Path] = field(default_factory=dict)
    csv: CsvOptions = field(default_factory=CsvOptions)


def open_table(ruleset: str, place: Path, facts: FactsSchema, options: Options) -> Source:
    """The table at a place, read as the options say for a ruleset; raises `CannotRun`."""
    file = options.maps.get(ruleset, options.maps.get(""))
    return source_of(place, facts, read_mapping(file, facts) if file is not None else NOTHING, options.csv)


def source_of(
    place: Path, facts: FactsSchema, mapping: TableMapping = NOTHING, options: CsvOptions | None = None
) -> Source:
    """The table at a place, by its ending: a folder or a glob is Parquet; raises `CannotRun`."""
    name = place.name.lower().removesuffix(".gz").removesuffix(".zst")
    if name.endswith(LINES):
        return lines_source(place, facts, mapping)
    if name.endswith(CELLS):
        return csv_source(place, facts, mapping, options)
    if name.endswith(PARQUET) or place.is_dir() or any(sign in str(place) for sign in GLOB):
        return parquet_source(place, facts, mapping)
    if not place.exists():
        raise CannotRun(f"there is no file `{place}`")
    known = ", ".join((*PARQUET, *CELLS, *LINES))
    raise CannotRun(f"`{place}` has no ending that tells what it is; give it one of {known}")
