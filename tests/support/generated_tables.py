"""Look-up tables of generated rulesets: rows that have no values in common, with gaps, periods and a last row or without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from policy_engine.frontend.lookup_tables import RANGE, type_of
from policy_engine.language.types import Type
from tests.support.choosing import Choices
from tests.support.generated_facts import WORDS

Json = Any
KEYS: dict[str, Sequence[Json]] = {
    "text": WORDS,
    "integer": (0, 1, 2, 3, -1, 7, 28),
    "decimal": (0, Decimal("0.5"), Decimal("1.25"), 3, Decimal("-0.005"), Decimal("99.5"), 10**12),
    "boolean": (True, False),
    "date": ("2025-01-31", "2024-02-29", "2025-03-01", "0001-01-01", "9999-12-31", "2024-12-31"),
}
CELLS: dict[str, Sequence[Json]] = {
    **KEYS,
    "integer": (0, 1, 2, 5, -3, 1000),
    "decimal": (0, Decimal("2.5"), Decimal("0.25"), -3, Decimal("1000")),
}
ENDS = (-1000, -1, 0, Decimal("0.5"), 1, Decimal("1.005"), 2, 3, 10, 28, Decimal("99.99"), 1000, 10**12)
DAYS = ("0001-01-02", "2024-02-29", "2025-01-01", "2025-03-01", "9999-12-31")
MOST_ROWS = 12


@dataclass(frozen=True)
class MadeTable:
    """A table in scope: the types of its keys, its columns with the types of their cells, and whether its rows have periods."""

    name: str
    keys: tuple[str, ...]
    columns: tuple[tuple[str, Type], ...]
    dated: bool


def written_table(choices: Choices, name: str) -> tuple[MadeTable, Json]:
    """A table with its keys and rows."""
    words = choices.some(
        1, 3, lambda: choices.one_of(("text", RANGE, "text", "integer", "boolean", "decimal", "date", RANGE))
    )
    keys = {f"k{at}": word for at, word in enumerate(words)}
    columns = {f"c{at}": choices.one_of(tuple(CELLS)) for at in range(choices.between(1, 3))}
    is_dated = choices.chance(40)
    rows = [{**found, **_cells(choices, columns)} for found in _keys(choices, list(keys.items()), is_dated=is_dated)]
    rows = rows[:MOST_ROWS] or [{**_first_keys(keys), **_cells(choices, columns)}]
    if choices.chance(30):
        rows.reverse()
    written = {"keys": keys, "columns": columns, "rows": rows}
    other = [_cells(choices, columns)] if choices.chance(40) else []
    types = {
        column: type_of([_value(row[column], word) for row in (*rows, *other)], word)
        for column, word in columns.items()
    }
    dated = any("valid_from" in row or "valid_until" in row for row in rows)
    made = MadeTable(name, tuple(keys.values()), tuple(types.items()), dated)
    return made, {**written, **({"otherwise": other[0]} if other else {})}


def _first_keys(keys: dict[str, str]) -> dict[str, Json]:
    """A value of each key."""
    return {name: {"from": 0} if word == RANGE else KEYS[word][0] for name, word in keys.items()}


def _value(cell: Json, word: str) -> Json:
    return Decimal(cell) if word == "decimal" else cell


def _cells(choices: Choices, columns: dict[str, str]) -> dict[str, Json]:
    return {column: choices.one_of(CELLS[word]) for column, word in columns.items()}


def _keys(choices: Choices, keys: list[tuple[str, str]], *, is_dated: bool) -> Iterator[dict[str, Json]]:
    """The keys of rows, no two of which have values in common."""
    if not keys:
        yield from _periods(choices) if is_dated else [{}]
        return
    (name, word), *rest = keys
    values = (
        _ranges(choices)
        if word == RANGE
        else list(dict.fromkeys(choices.some(1, 3, lambda: choices.one_of(KEYS[word]))))
    )
    for value in values:
        for below in _keys(choices, rest, is_dated=is_dated):
            yield {name: value, **below}


def _ranges(choices: Choices) -> list[Json]:
    """Ranges one after another, some of them left out, open at the ends or not."""
    ends: list[Json] = sorted(set(choices.some(1, 4, lambda: choices.one_of(ENDS))))
    found = [_between(start, below, "from", "below") for start, below in pairwise([None, *ends, None])]
    return [one for one in found if not choices.chance(20)]


def _periods(choices: Choices) -> list[dict[str, Json]]:
    ends = sorted(set(choices.some(0, 3, lambda: choices.one_of(DAYS))))
    found = [_between(start, end, "valid_from", "valid_until") for start, end in pairwise([None, *ends, None])]
    return [one for one in found if not choices.chance(20)]


def _between(start: Json, end: Json, first: str, last: str) -> dict[str, Json]:
    return {**({} if start is None else {first: start}), **({} if end is None else {last: end})}
