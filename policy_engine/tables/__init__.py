"""Tables of facts: where they come from, and which of their rows are valid.

Every source is a lazy frame of rows, counted from 1 and validated as columns, and a function that takes any piece of it to its
valid rows and its invalid ones:

    source = source_of(Path("accounts.parquet"), ruleset.facts)     # raises CannotRun before anything is read
    for warning in source.warnings:
        tell(warning)

    def step(piece: pl.DataFrame) -> pl.DataFrame:
        valid, invalid = source.validate(piece)                     # canonical columns; `row_validation.INVALID`
        return program.decide(valid)

    with reading(source):                                           # raises CannotRun, also for a damaged file
        source.frame.map_batches(step, streamable=True).sink_parquet("decisions.parquet", engine="streaming")
    source.progress.done, source.progress.total, source.progress.unit

Pieces may be validated in several threads at once.
"""

from policy_engine.tables.csv_tables import csv_source
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.json_lines import lines_source
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.mapping_files import read_mapping
from policy_engine.tables.opening_tables import Options, mapping_of, open_table, source_of, source_of_frame
from policy_engine.tables.row_validation import Validated, validated_frame
from policy_engine.tables.sheet_tables import sheet_source
from policy_engine.tables.source import Progress, Source, reading
from policy_engine.tables.typed_tables import frame_source, parquet_source

__all__ = [
    "NOTHING",
    "FileOptions",
    "Options",
    "Progress",
    "Source",
    "TableMapping",
    "Validated",
    "csv_source",
    "frame_source",
    "lines_source",
    "mapping_of",
    "open_table",
    "parquet_source",
    "read_mapping",
    "reading",
    "sheet_source",
    "source_of",
    "source_of_frame",
    "validated_frame",
]
