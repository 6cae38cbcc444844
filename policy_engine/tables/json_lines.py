"""JSON Lines files as sources: a row for each line that is not blank, numbered by its line.

Most lines Polars reads, many others orjson, and both are validated in columns. Whatever is not sure is read strictly and
validated line by line.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, NamedTuple

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.backends.columnar.validation import FITS, UNKNOWN
from policy_engine.documents.facts_files import line_of, plain_facts, whole_line
from policy_engine.errors import CannotRun, Violation
from policy_engine.facts.plain import Json, to_json_types
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables.json_types import unvalidated_columns
from policy_engine.tables.line_columns import read_lines
from policy_engine.tables.mapped_records import RecordMapper
from policy_engine.tables.mapping import NOTHING, TableMapping
from policy_engine.tables.row_validation import INVALID, Row, RowReader, Validated, validated_rows
from policy_engine.tables.source import Progress, Source, opened, streamed, unpacked
from policy_engine.text_encodings import LONGEST_MARK, other_encoding

BLOCK = 4_000_000
"""Bytes read at a time; a block goes on to the end of its last line. Each costs some milliseconds, whatever is in it."""
AT_ONCE = min(os.cpu_count() or 1, 4)
"""Blocks that are read into columns at the same time: mostly by Polars, which lets Python's other threads go on."""
THREADS = ThreadPoolExecutor(AT_ONCE)
"""Kept when a report ends: Python loses an interrupt (Ctrl-C) that it notices while it removes a thread."""
LINE = "(line)"
"""The text of a line that columns are not sure of, null for the others."""


def lines_source(path: Path, facts: FactsSchema, mapping: TableMapping = NOTHING) -> Source:
    """A JSON Lines file, also packed; raises `CannotRun`. Under a mapping each line is read by itself."""
    with opened(path) as raw:
        progress = Progress(path.stat().st_size, "bytes")
        if other := other_encoding(unpacked(path, raw).read(LONGEST_MARK)):
            raise CannotRun(f"`{path}` is not UTF-8 text: it is {other}, by its first bytes; save it as UTF-8")
    mapper = None if mapping == NOTHING else RecordMapper(facts, mapping)

    def frames() -> Iterator[pl.DataFrame]:
        with opened(path) as raw:
            yield from progress.through(raw, _in_columns(blocks_of(unpacked(path, raw)), facts, mapper))

    validate = partial(validated_lines, facts=facts, mapper=mapper)
    return Source(facts, streamed(frames, _schema(facts)), validate, progress, (path,))


class Block(NamedTuple):
    """Whole lines of a file, the first of them with its number from 1."""

    first: int
    data: bytes


def blocks_of(file: IO[bytes]) -> Iterator[Block]:
    """The lines of a file in blocks of bounded size; a line that is too long to be read is cut."""
    first = 1
    while data := file.read(BLOCK):
        if not data.endswith(b"\n"):
            data += whole_line(file)
        yield Block(first, data)
        first += data.count(b"\n") + (not data.endswith(b"\n"))


def _in_columns(blocks: Iterable[Block], facts: FactsSchema, mapper: RecordMapper | None) -> Iterator[pl.DataFrame]:
    """The blocks in columns, in their order, some at the same time."""
    pending: deque[Future[pl.DataFrame]] = deque()
    try:
        for block in blocks:
            pending.append(THREADS.submit(block_columns, block, facts, mapper))
            if len(pending) > AT_ONCE:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


def _schema(facts: FactsSchema) -> pl.Schema:
    """Canonical columns, `FITS`, and `LINE`."""
    return pl.Schema({**schema_of(facts.type), FITS: pl.Boolean(), LINE: pl.Binary()})


def block_columns(block: Block, facts: FactsSchema, mapper: RecordMapper | None = None) -> pl.DataFrame:
    """The lines of a block that are not blank, in columns of `_schema`; those that columns are not sure of only as text."""
    nothing = _schema(facts).to_frame()
    if not block.data.strip():
        return nothing
    frames, unread, rejected = _read_at_once(block, facts) if mapper is None else ([], _lines(block), [])
    if unread:
        records = [plain_facts(line) for _, line in unread]
        known = records if mapper is None else [mapper.sure_facts_of(record) for record in records]
        made, fits = unvalidated_columns([number for number, _ in unread], known, facts)
        frames.append(made.filter(fits))
        rejected += [unread[index] for index in (~fits).arg_true() if unread[index][1].strip()]
    accepted = pl.concat([nothing, *frames], how="diagonal").with_columns(pl.lit(value=True).alias(FITS))
    others = pl.DataFrame(rejected, {ROW: pl.UInt32(), LINE: pl.Binary()}, orient="row")
    return pl.concat([accepted, others.with_columns(pl.lit(value=False).alias(FITS))], how="diagonal").sort(ROW)


Lines = list[tuple[int, bytes]]
"""Each with its number."""


def _lines(block: Block) -> Lines:
    """The lines of a block that are not blank."""
    return [(number, line) for number, line in enumerate(block.data.split(b"\n"), block.first) if line.strip()]


def _read_at_once(block: Block, facts: FactsSchema) -> tuple[list[pl.DataFrame], Lines, Lines]:
    """The valid rows of the lines that Polars can be trusted with, the lines that it cannot, and those that are not valid."""
    try:
        lines = pl.Series([block.data.decode()]).str.split("\n").explode()
        read = read_lines(block.first, lines, facts)
    except UnicodeDecodeError:
        read = None
    if read is None:
        return [], _lines(block), []
    numbers, is_valid = read.frame[ROW], read.is_sound & read.fits

    def numbered(rows: pl.Series) -> Lines:
        found = numbers.filter(rows)
        return [(n, line.encode()) for n, line in zip(found, lines.gather(found - block.first), strict=True)]

    return [read.frame.filter(is_valid)], numbered(~read.is_sound), numbered(read.is_sound & ~read.fits)


def validated_lines(piece: pl.DataFrame, facts: FactsSchema, mapper: RecordMapper | None = None) -> Validated:
    """The valid and the invalid rows of `block_columns`."""
    if piece[FITS].all():
        return Validated(piece.drop(FITS, LINE), INVALID.to_frame())
    accepted, rejected = piece.filter(FITS).drop(FITS, LINE), piece.filter(~pl.col(FITS)).select(ROW, LINE)
    flags = rejected.select(ROW, pl.lit(value=False).alias(UNKNOWN))  # nothing is known of them
    also_valid, invalid = validated_rows(rejected, flags, facts, LineReader(mapper))
    return Validated(pl.concat([accepted, also_valid]).sort(ROW), invalid)


class LineReader(RowReader):
    """Reads lines strictly, each once."""

    def __init__(self, mapper: RecordMapper | None = None) -> None:
        self.line = lru_cache(maxsize=None)(line_of)
        self.mapper = mapper
        self.whole = mapper is None

    def facts_of(self, row: Row) -> tuple[Json, list[Violation]]:
        line = self.line(row[ROW], row[LINE])
        if line.fault is not None:
            return None, [Violation("", None, "json", "one JSON object on a line", line.fault)]
        known, unread = to_json_types(line.facts)
        if self.mapper is None or unread:
            return known, unread
        return self.mapper.facts_of(known)

    def value(self, row: Row, name: str) -> tuple[Json, list[Violation]]:
        facts = self.line(row[ROW], row[LINE]).facts
        if isinstance(facts, dict) and self.mapper is not None:
            facts, _ = self.facts_of(row)
        return facts.get(name) if isinstance(facts, dict) else None, []
