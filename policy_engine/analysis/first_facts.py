"""The facts of a ruleset to begin with: those that somebody names with a type, and those that a table seems to hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from policy_engine.analysis.beginning import FirstFact, fact_names
from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.errors import CannotRun
from policy_engine.frontend.schemas import is_name

if TYPE_CHECKING:
    from policy_engine.tables.inferring import SeenColumn

TYPES = "text, integer, decimal, decimal(3), boolean, date, date-time, time, or a closed set such as low|high"
PLACES = re.compile(r"decimal(?:\(([1-9])\))?")
LEAST, GREATEST = 0, 1_000_000
"""The bounds of a number of which nothing is known yet."""
TEXT_TYPES: Mapping[str, Mapping[str, Any]] = {
    "text": {"type": "string", "maxLength": 256},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
}
BOUNDS = "Next: write the least and the greatest number that there can be."
KEY_WORDS = re.compile(r"(?:^|_)(?:id|key|no|nr|num|number)$")
"""How the names of facts end by which rows are told apart."""


@dataclass(frozen=True, slots=True)
class FactOfColumn:
    """A column of a table and the fact that it becomes; None where it is left out."""

    column: SeenColumn
    name: str
    fact: FirstFact | None


def named_fact(text: str) -> FirstFact:
    """The fact that a text such as `amount=decimal` names; raises `CannotRun`."""
    name, equals, kind = (part.strip() for part in text.partition("="))
    if not equals or not name:
        raise CannotRun(f"`{shown_text(text)}` is not of the form NAME=TYPE; TYPE is {TYPES}")
    if not is_name(name):
        raise CannotRun(
            f"`{shown_text(name)}` cannot be the name of a fact; write it as {next(iter(fact_names([name]).values()))}"
        )
    return FirstFact(name, _schema(kind), BOUNDS if _is_number(kind) else "")


def _is_number(kind: str) -> bool:
    return kind == "integer" or PLACES.fullmatch(kind) is not None


def _schema(kind: str) -> Mapping[str, Any]:
    """The part of a schema that a word for a type stands for; raises `CannotRun`."""
    if kind in TEXT_TYPES:
        return TEXT_TYPES[kind]
    bounds = {"minimum": LEAST, "maximum": GREATEST}
    if kind == "integer":
        return {"type": "integer", **bounds}
    if places := PLACES.fullmatch(kind):
        return {"type": "number", "multipleOf": Decimal(1).scaleb(-int(places[1] or 2)), **bounds}
    words = [word.strip() for word in kind.split("|")]
    if len(words) > 1 and all(words) and len(set(words)) == len(words):
        return {"type": "string", "enum": words}
    near = did_you_mean(kind, [*TEXT_TYPES, "integer", "decimal"])
    raise CannotRun(f"`{shown_text(kind)}` is no type{f'; {near}' if near else ''}: it is {TYPES}")


def facts_of_columns(columns: Sequence[SeenColumn]) -> list[FactOfColumn]:
    """What each column of a table becomes, by what was seen in it."""
    names = fact_names([column.name for column in columns])
    return [FactOfColumn(column, names[column.name], _seen_fact(column, names[column.name])) for column in columns]


def _seen_fact(column: SeenColumn, name: str) -> FirstFact | None:
    return FirstFact(name, column.seen.schema, _words(column)) if column.seen.schema is not None else None


def _words(column: SeenColumn) -> str:
    """What the schema says of a fact: where it is from, and what was seen."""
    rows = f"{column.rows:,} rows" if column.rows != 1 else "1 row"
    return f"The column `{shown_text(column.name)}`. Seen in {column.present:,} of {rows}: {column.seen.told}."


def with_types(found: Sequence[FactOfColumn], named: Sequence[FirstFact]) -> list[FactOfColumn]:
    """The same with the types that somebody named; bounds that were seen stay. Raises `CannotRun` for a fact that is none."""
    given = {fact.name: fact for fact in named}
    names = [one.name for one in found]
    for name in given:
        if name not in names:
            near = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise CannotRun(f"no column becomes the fact `{name}`; {near}")
    return [_retyped(one, given[one.name]) if one.name in given else one for one in found]


def _retyped(one: FactOfColumn, given: FirstFact) -> FactOfColumn:
    if one.fact is None:
        return replace(one, fact=given)
    bounds = {key: one.fact.schema[key] for key in ("minimum", "maximum") if key in one.fact.schema}
    schema = {**given.schema, **bounds} if "minimum" in given.schema else given.schema
    said = f"{_words(one.column)} The type is as somebody named it."
    return replace(one, fact=FirstFact(one.name, schema, said))


def key_of(found: Sequence[FactOfColumn]) -> tuple[str | None, list[str]]:
    """The fact that may name a row in reports, and all that could: in each row a text or a whole number that no other has."""
    could = [one.name for one in found if one.fact is not None and _may_be_key(one.column, one.fact)]
    return next((name for name in could if KEY_WORDS.search(name)), next(iter(could), None)), could


def _may_be_key(column: SeenColumn, fact: FirstFact) -> bool:
    plain = fact.schema["type"] == "integer" or (fact.schema["type"] == "string" and "format" not in fact.schema)
    return plain and column.differ and column.present == column.rows > 1


def type_in_words(schema: Mapping[str, Any]) -> str:
    """A type as a person names it, with its bounds."""
    if "enum" in schema:
        return "|".join(schema["enum"])
    if "minimum" in schema:
        places = f"decimal({-schema['multipleOf'].as_tuple().exponent})" if "multipleOf" in schema else "integer"
        return f"{places}, {schema['minimum']:,} to {schema['maximum']:,}"
    if schema["type"] == "array":
        return f"list of at most {schema['maxItems']:,}: {type_in_words(schema['items'])}"
    if schema["type"] == "object":
        members = (f"{name}: {type_in_words(part)}" for name, part in schema["properties"].items())
        return f"record ({'; '.join(members)})"
    word = str(schema.get("format", "text" if schema["type"] == "string" else schema["type"]))
    return f"{word}, local" if schema.get("x-local") else word
