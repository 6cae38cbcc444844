"""The digest of a table's rows by what they say, whatever holds them and in whatever order.

It is the sum of the SHA-256 of all rows, modulo 2^256. Of a row that is valid by the schema its facts count, as JSON; of another
its key, and the violations by it.
"""

from __future__ import annotations

from hashlib import sha256

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.reports.manifest import FetchedRows
from policy_engine.tables.source import Source

MODULUS = 2**256


def fetched_rows(ruleset: str, table: str, source: Source) -> FetchedRows:
    """The number of rows that a ruleset reads of a table, and their digest; raises `CannotRun` where they cannot be read."""
    rows, total = 0, 0
    for piece in source.frame.collect_batches(engine="streaming"):
        valid, invalid = source.validate(piece)
        for part in (valid.drop(ROW), invalid.select("key", "violations")):
            rows += part.height
            total = (total + _digest(part)) % MODULUS
    return FetchedRows(ruleset, table, rows, f"{total:064x}")


def _digest(frame: pl.DataFrame) -> int:
    """The digests of all rows added up."""
    rows = frame.select(pl.struct(pl.all()).struct.json_encode()).to_series()
    return sum(int.from_bytes(sha256(row.encode()).digest()) for row in rows)
