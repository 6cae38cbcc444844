"""Records of the decision log as files for other programs: JSON Lines, or Parquet."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from policy_engine.decision_log.reading import ReadRecord
from policy_engine.decision_log.records import canonical
from policy_engine.errors import CannotRun

PIECE = 20_000
"""Records that are in memory at a time."""
TEXTS = pl.List(pl.String)
COLUMNS = MappingProxyType(
    {
        "position": pl.Int64(),
        "id": pl.String(),
        "time": pl.String(),
        "kind": pl.String(),
        "caller": pl.String(),
        "question": pl.String(),
        "as_of": pl.String(),
        "readings": pl.String(),
        "ruleset": pl.String(),
        "version": pl.String(),
        "digest": pl.String(),
        "decision": pl.String(),
        "status": pl.String(),
        "outcomes": TEXTS,
        "rules": TEXTS,
        "masked": TEXTS,
        "violations": pl.Int64(),
        "payload_state": pl.String(),
        "payload": pl.String(),
    }
)
"""The columns of a Parquet file; a collecting decision has several outcomes, readings and payloads are JSON."""


def export(records: Iterable[ReadRecord], path: Path, *, without_payloads: bool) -> int:
    """Write records to a file, by the ending of its name, and give how many there were; raises `CannotRun`."""
    writer = WRITERS.get(path.suffix)
    if writer is None:
        raise CannotRun(f"`{path}`: the name of the file ends in .jsonl or .parquet")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            written = Path(folder, path.name)
            count = writer(iter(records), written, not without_payloads)
            written.replace(path)
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be written: {error.strerror}") from None
    return count


def _write_lines(records: Iterator[ReadRecord], path: Path, with_payloads: bool) -> int:
    count = 0
    with path.open("wb") as file:
        for record in records:
            file.write(_line(record, with_payloads))
            count += 1
    return count


def _line(record: ReadRecord, with_payloads: bool) -> bytes:
    """A record as a line; entry and payload as they are, byte for byte."""
    state = canonical(record.state)
    payload = (record.payload if with_payloads else None) or b"null"
    head = b'{"position":%d,"entry":%s,' % (record.position, record.entry_bytes)
    return head + b'"payload_state":%s,"payload":%s}\n' % (state, payload)


def _write_parquet(records: Iterator[ReadRecord], path: Path, with_payloads: bool) -> int:
    pieces: list[Path] = []
    count = 0
    while piece := list(islice(records, PIECE)):
        pieces.append(path.with_name(f"{path.name}.{len(pieces)}"))
        rows = [row for record in piece for row in _rows(record, with_payloads)]
        pl.DataFrame(rows, dict(COLUMNS), orient="row").write_parquet(pieces[-1])
        count += len(piece)
    frame = pl.scan_parquet(pieces) if pieces else pl.LazyFrame(schema=dict(COLUMNS))
    frame.sink_parquet(path)
    return count


def _rows(record: ReadRecord, with_payloads: bool) -> Iterator[tuple[Any, ...]]:
    """A row for each answer; one for a record without."""
    entry, ruleset = record.entry, record.entry.ruleset
    before = (
        *(record.position, entry.id, entry.time, entry.kind, entry.caller, entry.question, entry.as_of),
        *(json.dumps(dict(entry.readings), sort_keys=True), ruleset.id, ruleset.version, ruleset.digest),
    )
    payload = (
        record.payload.decode("utf-8", "backslashreplace") if with_payloads and record.payload is not None else None
    )
    after = (list(entry.masked), entry.violations, record.state.value, payload)
    for one in entry.answers:
        outcomes = [one.outcome] if isinstance(one.outcome, str) else list(one.outcome or ())
        yield *before, one.decision, one.status, outcomes, list(one.rules), *after
    if not entry.answers:
        yield *before, None, None, [], [], *after


WRITERS: MappingProxyType[str, Callable[[Iterator[ReadRecord], Path, bool], int]] = MappingProxyType(
    {".jsonl": _write_lines, ".parquet": _write_parquet}
)
