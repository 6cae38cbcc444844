"""Tables of facts: where they come from, and which of their rows are valid.

Every source is a lazy frame of raw rows, counted from 1, and a function that judges any piece of it:

    source = source_of(Path("accounts.parquet"), ruleset.facts)     # raises CannotRun before anything is read
    for warning in source.warnings:
        tell(warning)

    def step(morsel: pl.DataFrame) -> pl.DataFrame:
        valid, invalid = source.judge(morsel)                       # canonical columns; `invalid.SCHEMA`
        return program.decide(valid)

    with reading(source):                                           # raises CannotRun, also for a damaged file
        source.frame.map_batches(step, streamable=True).sink_parquet("decisions.parquet", engine="streaming")
    source.progress.done, source.progress.total, source.progress.unit

Pieces may be judged in several threads at once.
"""

from __future__ import annotations

from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.reports.tables.csv_files import CsvOptions
from policy_engine.reports.tables.csv_tables import csv_source
from policy_engine.reports.tables.json_lines import lines_source
from policy_engine.reports.tables.judge import Judged, judged
from policy_engine.reports.tables.mapping import NOTHING, TableMapping, read_mapping
from policy_engine.reports.tables.source import Progress, Source, reading
from policy_engine.reports.tables.typed_tables import frame_source, parquet_source

__all__ = [
    "NOTHING",
    "CsvOptions",
    "Judged",
    "Progress",
    "Source",
    "TableMapping",
    "csv_source",
    "frame_source",
    "judged",
    "lines_source",
    "parquet_source",
    "read_mapping",
    "reading",
    "source_of",
]
CSV, TABBED, LINES, PARQUET = (".csv", ".txt"), (".tsv", ".tab"), (".jsonl", ".ndjson"), (".parquet", ".pq")


def source_of(
    place: Path, facts: FactsSchema, mapping: TableMapping = NOTHING, options: CsvOptions | None = None
) -> Source:
    """The source that a place names, by its ending: a file, or for Parquet a folder or a glob, too; raises `CannotRun`."""
    options = options or CsvOptions()
    ending = Path(place.stem).suffix.lower() if place.suffix in (".gz", ".zst") else place.suffix.lower()
    if ending in LINES:
        if mapping != NOTHING:
            raise CannotRun(
                f"`{place}`: a mapping file is for columns, and JSON Lines have none; name the facts as they are"
            )
        return lines_source(place, facts)
    if ending in TABBED:
        return csv_source(place, facts, mapping, CsvOptions(options.encoding, options.delimiter or "\t"))
    if ending in CSV:
        return csv_source(place, facts, mapping, options)
    if ending in PARQUET or place.is_dir():
        return parquet_source(place, facts, mapping)
    known = ", ".join((*PARQUET, *LINES, *CSV, *TABBED))
    raise CannotRun(f"`{place}` cannot be read: a table ends in one of {known}, or is a folder of Parquet files")
