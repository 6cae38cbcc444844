"""Schemas of facts, facts that satisfy them, and days to ask on, by choices."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.support.choosing import Choices

Json = Any
WORDS = ("red", "green", "blue", "a b", "é", "", " RED\u00a0", "straße", "Ünï", "日本", "\U0001f600")
DAYS = (
    "2025-01-31", "2024-02-29", "2024-02-28", "2024-03-01", "2025-02-28", "2025-03-01", "2025-02-01", "2025-12-31",
    "2025-01-01", "2024-12-31", "2025-03-09", "0001-01-01", "0001-01-02", "0001-12-31", "9999-12-31", "9999-12-01",
    "2000-02-29", "1900-02-28",
)  # fmt: skip
TIMES = ("00:00:00", "23:59:59", "12:30:00.5", "04:59:59.999999", "05:00:00")
CLOCKS = ("09:30", "00:00", "23:59:59.999999", "14:00:00", "14:00", "19:00:00.5", "09:30:00.000")
OFFSETS = ("Z", "+00:00", "-05:00", "+23:59", "-23:59", "+05:30", "-01:00", "+01:00")
SHOWN_TWICE = ("2024-11-03T01:30:00", "2024-10-26T23:59:59", "2025-10-25T23:00:00.5", "2025-11-02T01:59:59.999999")
"""Local times that clocks in New York, or in Godthab, show twice."""
BEYOND_UTC = (
    "9999-12-31T23:59:59-01:00", "9999-12-31T12:00:00-23:59", "9999-12-31T23:30:00-05:00", "0001-01-01T00:00:00+01:00",
    "0001-01-01T12:00:00+23:59", "0001-01-01T00:10:00+05:30",
)  # fmt: skip
"""Instants that UTC has outside the years 0001 to 9999."""
WHOLE_BOUNDS = (
    (0, 10),
    (-1000, 1000),
    (1, 28),
    (0, 0),
    (-(10**9), 10**9),
    (-(10**17), 10**17),
    (0, 999_999_999_999_999_999),
)
STEPS = (
    ("0.01", "-1000", "1000"), ("0.1", "0", "10"), ("0.001", "-0.005", "99.5"), ("0.25", "0", "4"),
    ("0.01", "0", "9999999999999999.99"), ("0.00001", "-1000000", "1000000"), ("0.5", "-3", "3"),
)  # fmt: skip
ORDERS = ("day", "moment", "whole", "amount")


class SchemaAuthor:
    """Writes a schema; names tell the type and are used once."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.count = 0

    def record(self, least: int, most: int, depth: int) -> Json:
        """An object with some properties, some of them required."""
        members = dict(self.choices.some(least, most, lambda: self.member(depth)))
        return _closed(members, [name for name in members if self.choices.chance(45)])

    def member(self, depth: int) -> tuple[str, Json]:
        """A property: its name and its schema."""
        kind = self.choices.one_of((*SCALARS, *DEEP, "list") if depth else (*SCALARS, "list"))
        return self.name(kind), self.property(kind, depth)

    def name(self, kind: str) -> str:
        """A name that nothing else has."""
        self.count += 1
        return f"{kind}_{self.count}"

    def property(self, kind: str, depth: int) -> Json:
        """The schema of a property of a kind."""
        if kind == "record":
            return self.record(1, 3, depth - 1)
        if kind == "items":
            return self.items(depth)
        if kind == "list":
            return self.list_of()
        if kind == "lists":
            return self.lists(depth)
        return getattr(self, kind)()

    def flag(self) -> Json:
        return {"type": "boolean"}

    def whole(self) -> Json:
        low, high = self.choices.one_of(WHOLE_BOUNDS)
        return {"type": "integer", "minimum": low, "maximum": high}

    def amount(self) -> Json:
        step, low, high = map(Decimal, self.choices.one_of(STEPS))
        return {"type": "number", "multipleOf": step, "minimum": low, "maximum": high}

    def word(self) -> Json:
        return {"type": "string"}

    def kind(self) -> Json:
        start = self.choices.between(0, 6)
        return {"type": "string", "enum": list(WORDS[start : start + self.choices.between(1, 3)])}

    def day(self) -> Json:
        return {"type": "string", "format": "date"}

    def moment(self) -> Json:
        local = {"x-local": True} if self.choices.chance(35) else {}
        return {"type": "string", "format": "date-time", **local}

    def clock(self) -> Json:
        return {"type": "string", "format": "time"}

    def list_of(self) -> Json:
        """A list of scalars."""
        kind = self.choices.one_of(SCALARS)
        return {"type": "array", "maxItems": self.choices.one_of((6, 40, 1)), "items": self.property(kind, 0)}

    def items(self, depth: int) -> Json:
        """A list of records, in an order or as it comes."""
        record = self.record(1, 3, depth - 1)
        made = {"type": "array", "maxItems": self.choices.one_of((5, 30)), "items": record}
        if self.choices.chance(30):
            kind = self.choices.one_of(ORDERS)
            by = self.name(kind)
            record["properties"][by] = self.property(kind, 0)
            record["required"].append(by)
            made["x-ordered-by"] = by
        return made

    def lists(self, depth: int) -> Json:
        """A list of lists, of records as a rule."""
        inner = self.items(depth) if self.choices.chance(70) else self.list_of()
        inner.pop("x-ordered-by", None)  # only a list that is a member may have an order
        return {"type": "array", "maxItems": self.choices.one_of((3, 20)), "items": inner}


DEEP = ("items", "items", "lists", "record")
SCALARS = ("flag", "whole", "kind", "day", "amount", "moment", "word", "clock")


def _closed(members: dict[str, Json], required: list[str]) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": members, "required": required}


class FactsAuthor:
    """Writes facts that satisfy a schema; members that need not be there may be absent or null."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def value(self, schema: Json) -> Json:
        """A value of a property."""
        match schema:
            case {"type": "object"}:
                return self.record(schema)
            case {"type": "array"}:
                return self.several(schema)
            case {"type": "boolean"}:
                return self.choices.chance(50)
            case {"type": "integer"}:
                return self.whole(schema)
            case {"type": "number"}:
                return self.amount(schema)
            case {"format": "date"}:
                return self.day()
            case {"format": "date-time"}:
                return self.moment(local="x-local" in schema)
            case {"format": "time"}:
                return self.choices.one_of(CLOCKS)
        return self.choices.one_of([schema["const"]] if "const" in schema else schema.get("enum", WORDS))

    def record(self, schema: Json) -> Json:
        facts = {}
        for name, part in schema["properties"].items():
            if name in schema.get("required", ()) or not self.choices.chance(30):
                facts[name] = self.value(part)
            elif self.choices.chance(20):
                facts[name] = None
        return facts

    def several(self, schema: Json) -> Json:
        most = schema.get("maxItems", 4)
        if most > 6 and self.choices.chance(4):
            return [self.value(schema["items"])] * most
        return self.choices.some(0, min(most, 3), lambda: self.value(schema["items"]))

    def whole(self, schema: Json) -> Json:
        low, high = _bounds(schema)
        near = [
            n for n in (0, 1, 2, 3, 28, -1, -7, low, high, high - 1, low + 1, (low + high) // 2) if low <= n <= high
        ]
        value = self.choices.one_of(near)
        form = self.choices.between(0, 19)
        if form == 19 and abs(value) < 2**53:
            return float(value)
        return Decimal(value) if form == 18 else value

    def amount(self, schema: Json) -> Json:
        low, high = _bounds(schema)
        step = schema["multipleOf"]
        near = [n for n in (0, step, 3 * step, 1, 2, -step, low, high, high - step, 10 * step) if low <= n <= high]
        value = Decimal(self.choices.one_of([n for n in near if n % step == 0]))
        form = self.choices.between(0, 3)
        if form == 1 and Decimal(repr(float(value))) == value:
            return float(value)
        return int(value) if form == 2 and value == int(value) else value

    def day(self) -> str:
        if self.choices.chance(30):
            return (date(2024, 2, 1) + timedelta(self.choices.between(0, 500))).isoformat()
        return self.choices.one_of(DAYS)

    def moment(self, *, local: bool) -> str:
        if local and self.choices.chance(50):
            return self.choices.one_of(SHOWN_TWICE) if self.choices.chance(30) else f"{self.day()}T{self.local_time()}"
        if self.choices.chance(25):
            return self.choices.one_of(BEYOND_UTC)
        text = f"{self.day()}T{self.choices.one_of(TIMES)}{self.choices.one_of(OFFSETS)}"
        return text.lower() if self.choices.chance(8) else text

    def local_time(self) -> str:
        """A time of day that clocks show on each of our days in each of our time zones."""
        return self.choices.one_of([time for time in TIMES if not time.startswith("23")])


def _bounds(schema: Json) -> tuple[Json, Json]:
    low, high = schema.get("minimum"), schema.get("maximum")
    return schema["exclusiveMinimum"] if low is None else low, schema["exclusiveMaximum"] if high is None else high


def without_references(schema: Json, root: Json = None) -> Json:
    """A schema with what it refers to in place of the references."""
    root = schema if root is None else root
    match schema:
        case {"$ref": str(reference)}:
            return without_references(root["$defs"][reference.removeprefix("#/$defs/")], root)
        case dict():
            return {key: without_references(part, root) for key, part in schema.items()}
    return schema


@st.composite
def facts_for(draw: st.DrawFn, schema: Json) -> Json:
    """Facts that satisfy a schema."""
    return FactsAuthor(Choices(draw)).record(schema)


def day_to_ask(choices: Choices) -> date:
    """A day to ask on; rulesets' periods begin and end on some of them, or next to them."""
    day = date.fromisoformat(choices.one_of(DAYS))
    moved = day.toordinal() + choices.between(0, 2) - 1
    return date.fromordinal(min(max(moved, 1), date.max.toordinal()))
