"""Blocks of lines of a JSON Lines file, judged on their way into columns.

Most lines Polars reads, many others orjson, and both are judged in columns. Whatever is not sure is read strictly and judged
line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, NamedTuple

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW, schema_of
from policy_engine.documents.facts_files import line_of, plain_facts, whole_line
from policy_engine.errors import Violation
from policy_engine.facts.fast_validator import gate_of_member, validator_of
from policy_engine.facts.plain import Json, to_json_types
from policy_engine.facts.validation import typed_value
from policy_engine.facts.violations import violations_among
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Member
from policy_engine.tables.building import columns_of, unjudged_columns
from policy_engine.tables.invalid import SCHEMA, Invalid, frame_of
from policy_engine.tables.judge import Judged
from policy_engine.tables.keys import key_of, key_text
from policy_engine.tables.line_columns import read_lines

BLOCK = 4_000_000
"""Bytes read at a time; a block goes on to the end of its last line. Each costs some milliseconds, whatever is in it."""
KEY, VIOLATIONS = "(key)", "(violations)"
"""Columns beside the facts: an invalid row's key, and what is wrong with it, null where the row is valid."""


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


def raw_schema(facts: FactsSchema) -> pl.Schema:
    """The columns of a judged block: canonical ones, then `KEY` and `VIOLATIONS`."""
    return pl.Schema({**schema_of(facts.type), KEY: SCHEMA["key"], VIOLATIONS: SCHEMA["violations"]})


Lines = list[tuple[int, bytes]]
"""Each with its number."""


def judged_block(block: Block, facts: FactsSchema) -> pl.DataFrame:
    """Every line of a block that is not blank, as a row of `raw_schema`, in the order of the lines."""
    if not block.data.strip():
        return raw_schema(facts).to_frame()
    frames, unread, unfit = _at_once(block, facts)
    if unread:
        made, fits = unjudged_columns(
            [number for number, _ in unread], [plain_facts(line) for _, line in unread], facts
        )
        frames.append(made.filter(fits))
        unfit += [unread[index] for index in (~fits).arg_true() if unread[index][1].strip()]
    return pl.concat([raw_schema(facts).to_frame(), *frames, *_by_the_line(unfit, facts)], how="diagonal").sort(ROW)


def _at_once(block: Block, facts: FactsSchema) -> tuple[list[pl.DataFrame], Lines, Lines]:
    """The valid rows of the lines that Polars can be trusted with, the lines that it cannot, and those that are not valid."""
    try:
        lines = pl.Series([block.data.decode()]).str.split("\n").explode()
    except UnicodeDecodeError:
        return [], _numbered(block.data.split(b"\n"), block.first), []
    read = read_lines(block.first, lines, facts)
    if read is None:
        return [], _numbered(block.data.split(b"\n"), block.first), []
    numbers, is_valid = read.frame[ROW], read.is_sound & read.fits

    def numbered(rows: pl.Series) -> Lines:
        found = numbers.filter(rows)
        return [(n, line.encode()) for n, line in zip(found, lines.gather(found - block.first), strict=True)]

    return [read.frame.filter(is_valid)], numbered(~read.is_sound), numbered(read.is_sound & ~read.fits)


def _numbered(lines: Iterable[bytes], first: int) -> Lines:
    """The lines that are not blank."""
    return [(number, line) for number, line in enumerate(lines, first) if line.strip()]


def _by_the_line(lines: Iterable[tuple[int, bytes]], facts: FactsSchema) -> list[pl.DataFrame]:
    """The rows of lines that are read and judged one by one: the valid ones, and the invalid ones, where there are any."""
    passes = validator_of(facts.document)
    rows: dict[int, Json] = {}
    invalid: list[Invalid] = []
    told: list[Violation]
    for number, raw in lines:
        line = line_of(number, raw)
        if line.fault is None and passes(line.facts):
            known, told = line.facts, []
        else:
            known, told = _by_the_rule(line.facts, line.fault, facts)
        if told:
            invalid.append(Invalid(number, _key(line.facts, facts), told))
        else:
            rows[number] = known
    accepted = [_accepted(rows, invalid, facts)] if rows else []
    return [*accepted, frame_of(invalid).rename({"key": KEY, "violations": VIOLATIONS})] if invalid else accepted


def _accepted(rows: Mapping[int, Json], invalid: list[Invalid], facts: FactsSchema) -> pl.DataFrame:
    """The valid rows; of those that have days which no calendar has, the rule says what is wrong."""
    made, fits = columns_of(list(rows), list(rows.values()), facts)
    refused = set()
    for number in made.filter(~fits)[ROW]:
        _, told = _by_the_rule(rows[number], None, facts)
        if told:
            invalid.append(Invalid(number, _key(rows[number], facts), told))
            refused.add(number)
    return made.filter(~pl.col(ROW).is_in(refused)) if refused else made


def _by_the_rule(found: Json, fault: str | None, facts: FactsSchema) -> tuple[Json, list[Violation]]:
    """Facts in JSON types, and every violation."""
    if fault is not None:
        return None, [Violation("", None, "json", "one JSON object on a line", fault)]
    known, unfit = to_json_types(found)
    if unfit:
        return known, unfit
    suspects = [member.name for member in facts.type.members if not _is_fine(member, known, facts)]
    return known, violations_among(known, facts.document, suspects)


def _is_fine(member: Member, known: Json, facts: FactsSchema) -> bool:
    """Whether a member is absent, or surely valid by itself."""
    if member.name not in known:
        return True
    value = known[member.name]
    try:
        return gate_of_member(facts.document, member.name)(value) and typed_value(value, member.type) is not None
    except ValueError:
        return False


def _key(found: Json, facts: FactsSchema) -> str | None:
    key = key_of(facts.type)
    return key_text(found.get(key.name), key.type) if isinstance(found, dict) and key is not None else None


def split(morsel: pl.DataFrame) -> Judged:
    """The valid and the invalid rows of judged blocks."""
    is_valid = morsel[VIOLATIONS].is_null()
    invalid = morsel.filter(~is_valid).select(ROW, pl.col(KEY).alias("key"), pl.col(VIOLATIONS).alias("violations"))
    return Judged(morsel.filter(is_valid).drop(KEY, VIOLATIONS), invalid)
