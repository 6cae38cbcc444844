"""Opening a table by its name: Parquet, CSV or JSON Lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.reports.tables.csv_files import CsvOptions
from policy_engine.reports.tables.csv_tables import csv_source
from policy_engine.reports.tables.json_lines import lines_source
from policy_engine.reports.tables.mapping import NOTHING, read_mapping
from policy_engine.reports.tables.source import Source
from policy_engine.reports.tables.typed_tables import parquet_source

LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
CELLS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
GLOB = "*?["


@dataclass(frozen=True, slots=True)
class Options:
    """How tables are read: mapping files, and for CSV the encoding and the delimiter where they are not to be found out.

    `maps` are by ruleset, the one for all of them under "".
    """

    maps: Mapping[str, Path] = field(default_factory=dict)
    csv: CsvOptions = field(default_factory=CsvOptions)


def open_table(ruleset: str, place: Path, facts: FactsSchema, options: Options) -> Source:
    """The table at a place: a folder, a glob or .parquet is Parquet, .csv is CSV, .jsonl is JSON Lines; raises `CannotRun`."""
    name = place.name.lower()
    mapping_file = options.maps.get(ruleset, options.maps.get(""))
    if name.endswith(LINES):
        if mapping_file is not None:
            raise CannotRun(f"`{place}` is JSON Lines, whose names need no mapping; leave --map out")
        return lines_source(place, facts)
    mapping = read_mapping(mapping_file, facts) if mapping_file is not None else NOTHING
    if name.endswith(CELLS):
        return csv_source(place, facts, mapping, options.csv)
    if name.endswith(".parquet") or place.is_dir() or any(sign in str(place) for sign in GLOB):
        return parquet_source(place, facts, mapping)
    if not place.exists():
        raise CannotRun(f"there is no file `{place}`")
    raise CannotRun(f"`{place}` has no ending that tells what it is; give it one of .parquet, .csv or .jsonl")
