"""Hypothesis strategies for frames of facts in columns of many types, most values right, some odd."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.documents.json_reader import json_nodes
from policy_engine.documents.nodes import MappingNode
from policy_engine.frontend.schema_contradictions import contradictions
from tests.support.choosing import Choices
from tests.support.generated import as_json
from tests.support.generated_facts import CLOCKS, FactsAuthor, SchemaAuthor

Json = Any
Made = tuple[pl.DataType, Callable[[], Any]]
"""The type of a column, and what draws a value for it."""
TEXTS = (
    "", "x", "é", "e\u0301", "aé", "2025-02-30", "2025-2-03", "2025-02-28\n", "0000-01-01", "9999-12-31",
    " 2025-01-01", "+2025-1-01",
    "2025-01-01T00:00:00", "2025-03-09T02:30:00", "2025-01-01T00:00:00Z", "2025-01-01t00:00:00.5z", "2025-01-01 00:00:00Z",
    "2025-01-01T24:00:00Z", "2025-01-01T23:59:60Z", "2025-02-30T00:00:00Z", "2025-01-01T00:00:00+24:00",
    "0001-01-01T00:00:00+23:59", "2025-01-01T00:00:00.1234567Z", "2025-01-01T00:00Z", "9999-12-31T23:59:59-23:59",
    "0000-12-31T23:59:59-23:59", "2025-01-01T00:00:00.123456-05:00", "2025-01-01T00:00:00+0530", "1", "true", "abc",
    "aaa", "ab\n", "a/b",
    "09:30", "9:30", "24:00", "09:30:60", "09:30:00.1234567", "09:30:00Z", "23:59:59.9", "09:30:00.", "09:30\n", "09",
    "\u0662\u0660\u0662\u0665-01-01", "x" * 70,
)  # fmt: skip
FLOATS = (
    0.0,
    -0.0,
    0.1,
    0.25,
    1.5,
    0.1 + 0.2,
    1e-7,
    1e16,
    1e18,
    2.5,
    -3.0,
    1e308,
    float("nan"),
    float("inf"),
    99.5,
    12.345,
    9.99,
)
WHOLES = (0, 1, -1, 2, 3, 7, 28, 100, 127, 1000, 10**9, 2**53 + 1, 10**17, -(10**17), 10**18, 2**63 - 1)
MOMENTS = tuple(
    moment.replace(tzinfo=None)
    for moment in (
        datetime(2025, 1, 1, tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2025, 6, 30, 12, 30, 0, 500, tzinfo=UTC),
        datetime(2025, 3, 9, 2, 30, tzinfo=UTC),  # clocks in New York skip it
        datetime(2025, 11, 2, 1, 30, tzinfo=UTC),  # and show this twice
    )
)
DAYS = (date(2025, 1, 1), date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29))
PATTERNS = ("^a", "b$", "^[a-c]{1,3}$", ".", "^x*$", "[^a]")


def satisfiable(made: Json, otherwise: Json) -> Json:
    """A part of a schema, or another where it contradicts itself."""
    node, _ = json_nodes(as_json(made), "generated")
    assert isinstance(node, MappingNode)
    return otherwise if any(contradictions(node, made["type"], "")) else made


class NarrowSchemas(SchemaAuthor):
    """Writes schemas with every keyword there is."""

    def whole(self) -> Json:
        choices = self.choices
        if choices.chance(20):
            return {"type": "integer", "enum": [0, 1, 7], "minimum": 0, "maximum": 10}
        made = super().whole()
        if choices.chance(20):
            made["exclusiveMinimum"] = made.pop("minimum")
        if choices.chance(20):
            made["exclusiveMaximum"] = made["maximum"]
        if choices.chance(20):
            made["multipleOf"] = choices.one_of((2, 7, Decimal("0.5")))
        return satisfiable(made, super().whole())

    def amount(self) -> Json:
        made = super().amount()
        if self.choices.chance(15):
            listed = {**made, "const": self.choices.one_of((Decimal("0.5"), 1, Decimal("0.001")))}
            return satisfiable(listed, made)
        return made

    def word(self) -> Json:
        choices, plain = self.choices, super().word()
        made = {**plain}
        for keyword in ("minLength", "maxLength"):
            if choices.chance(30):
                made[keyword] = choices.between(0, 3)
        if choices.chance(40):
            made["pattern"] = choices.one_of(PATTERNS)
        return satisfiable(made, plain)

    def day(self) -> Json:
        return {**super().day(), "pattern": "^2"} if self.choices.chance(15) else super().day()

    def moment(self) -> Json:
        return {**super().moment(), "maxLength": 21} if self.choices.chance(15) else super().moment()

    def flag(self) -> Json:
        return {"type": "boolean", "const": True} if self.choices.chance(15) else super().flag()

    def list_of(self) -> Json:
        return self._list(super().list_of())

    def items(self, depth: int) -> Json:
        return self._list(super().items(depth))

    def _list(self, made: Json) -> Json:
        choices = self.choices
        if choices.chance(30):
            made["minItems"] = choices.between(0, min(2, made["maxItems"]))
        if choices.chance(20):
            del made["maxItems"]
        return {**made, "uniqueItems": True} if choices.chance(25) else made


class FrameAuthor:
    """Writes columns for the properties of a schema."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.facts = FactsAuthor(choices)

    def frame(self, schema: Json, height: int) -> pl.DataFrame:
        """A frame, its rows counted from 1."""
        dtype, draw = self.record(schema)
        assert isinstance(dtype, pl.Struct)
        rows = [draw() for _ in range(height)]
        columns = {name: [row[name] for row in rows] for name in dtype.to_schema()}
        series = [self.series(name, columns[name], inner) for name, inner in dtype.to_schema().items()]
        return pl.DataFrame([pl.Series(ROW, range(1, height + 1), dtype=pl.UInt32), *series])

    def series(self, name: str, values: list[Any], dtype: Any) -> pl.Series:
        """A column of drawn values; of a value that its type cannot hold there is none."""
        return pl.from_dicts([{name: value} for value in values], schema={name: dtype}, strict=False)[name]

    def column(self, schema: Json) -> Made:
        """The type of a column for a property, nine in ten of them of a kind that fits."""
        if self.choices.chance(6):
            return self.choices.one_of(
                (self.texts, self.floats, self.wholes, self.days, self.moments, self.flags, self.clocks)
            )()
        match schema:
            case {"type": "object"}:
                return self.record(schema)
            case {"type": "array"}:
                return self.several(schema)
            case {"type": "boolean"}:
                return self.flags()
            case {"type": "integer" | "number"}:
                return self.numbers(schema)
            case {"format": "date"}:
                return self.days() if self.choices.chance(50) else self.texts(schema)
            case {"format": "time"}:
                return self.clocks() if self.choices.chance(50) else self.texts(schema)
            case {"format": "date-time"}:
                return self.moments() if self.choices.chance(50) else self.texts(schema)
        return self.texts(schema)

    def record(self, schema: Json) -> Made:
        names = [name for name in schema["properties"] if not self.choices.chance(5)]
        columns = {name: self.column(schema["properties"][name]) for name in names}
        if self.choices.chance(10):
            columns["other"] = self.wholes(mostly_null=True)
        if self.choices.chance(20):
            columns = dict(reversed(columns.items()))
        needed = schema.get("required", ())

        def draw() -> dict[str, Any]:
            return {
                name: None if self.choices.chance(3 if name in needed else 25) else draw()
                for name, (_, draw) in columns.items()
            }

        return pl.Struct({name: dtype for name, (dtype, _) in columns.items()}), draw

    def several(self, schema: Json) -> Made:
        dtype, draw = self.column(schema["items"])
        return pl.List(dtype), lambda: self.choices.some(0, 3, lambda: None if self.choices.chance(3) else draw())

    def flags(self) -> Made:
        return pl.Boolean(), lambda: not self.choices.chance(30)

    def texts(self, schema: Json = None) -> Made:
        dtype = pl.Categorical() if self.choices.chance(10) else pl.String()
        right = schema is not None and "properties" not in schema and schema.get("type") == "string"

        def draw() -> str:
            if right and self.choices.chance(75):
                return str(self.facts.value(schema))
            return self.choices.one_of(TEXTS)

        return dtype, draw

    def numbers(self, schema: Json) -> Made:
        kind = self.choices.one_of(
            (pl.Int64(), pl.Float64(), pl.Decimal(38, 5), pl.Int128(), pl.UInt64(), pl.Int8(), pl.Float32())
        )
        if isinstance(kind, pl.Decimal):
            return kind, lambda: self.number(schema, Decimal).quantize(Decimal("0.00001"))
        if kind.is_float():
            return kind, lambda: self.choices.one_of(FLOATS) if self.choices.chance(25) else self.number(schema, float)
        return kind, lambda: self.whole_in(kind, schema)

    def number(self, schema: Json, form: Callable[[Any], Any]) -> Any:
        if "enum" in schema or "const" in schema:
            return form(self.choices.one_of(schema.get("enum", [schema.get("const"), 1])))
        return form(self.facts.value({"minimum": 0, "maximum": 10, **schema}))

    def whole_in(self, kind: pl.DataType, schema: Json) -> int | None:
        value = (
            self.choices.one_of(WHOLES) if self.choices.chance(40) else int(self.number(schema, lambda number: number))
        )
        least = 0 if isinstance(kind, pl.UInt64) else -(2**63)
        most = 127 if isinstance(kind, pl.Int8) else 2**63 - 1
        return min(max(value, -128 if isinstance(kind, pl.Int8) else least), most)

    def floats(self) -> Made:
        return pl.Float64(), lambda: self.choices.one_of(FLOATS)

    def wholes(self, *, mostly_null: bool = False) -> Made:
        return pl.Int64(), lambda: None if mostly_null and self.choices.chance(70) else self.choices.one_of(WHOLES)

    def days(self) -> Made:
        return pl.Date(), lambda: self.choices.one_of(DAYS)

    def clocks(self) -> Made:
        return pl.Time(), lambda: time.fromisoformat(self.choices.one_of(CLOCKS))

    def moments(self) -> Made:
        zone = self.choices.one_of(("UTC", "UTC", "America/New_York", None))
        unit = self.choices.one_of(("us", "us", "ms", "ns"))
        many = MOMENTS if unit != "ns" else MOMENTS[:1]
        return pl.Datetime(unit, zone), lambda: self.choices.one_of(many)  # type: ignore[arg-type]


@st.composite
def narrow_schemas(draw: st.DrawFn) -> str:
    """The JSON text of a schema with every keyword there is."""
    document = NarrowSchemas(Choices(draw)).record(2, 6, 2)
    return json.dumps(document, default=lambda number: f"@{number}@").replace('"@', "").replace('@"', "")


@st.composite
def frames_for(draw: st.DrawFn, document: str) -> pl.DataFrame:
    """A frame of facts for a schema."""
    choices = Choices(draw)
    return FrameAuthor(choices).frame(json.loads(document, parse_float=Decimal), choices.between(0, 5))
