"""The dialect of DuckDB."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from sqlglot import exp

from policy_engine.backends.sql.build import Sql, call, choose, identifier, literal, made, variable
from policy_engine.backends.sql.dialects.base import EPOCH, FIRST
from policy_engine.backends.sql.dialects.functional import INNER, Functional
from policy_engine.language.widths import WIDEST


class DuckDB(Functional):
    """DuckDB: lists are LISTs, records STRUCTs, wide numbers HUGEINTs."""

    name: ClassVar[str] = "duckdb"
    title: ClassVar[str] = "DuckDB"
    widest: ClassVar[int | None] = WIDEST
    wide: ClassVar[str] = "HUGEINT"

    def units_of(self, number: Sql, places: int) -> Sql:
        """In decimals of 38 digits together: of fewer DuckDB would make products of 18, which may be too few."""
        if not places:
            return number.cast("BIGINT")
        factor = literal(10**places).cast(f"DECIMAL({places + 1}, 0)")
        return (number.cast(f"DECIMAL({37 - places}, {places})") * factor).cast("BIGINT")

    def days_between(self, start: Sql, end: Sql) -> Sql:
        return call("date_diff", "day", start, end)

    def day_at(self, count: Sql) -> Sql:
        return literal(FIRST) + (count - EPOCH).cast("INT")

    def collated(self, text: Sql) -> Sql:
        return replace(text, node=exp.Collate(this=text.node, expression=exp.Var(this="C")))

    def moment(self, raw: Sql) -> Sql:
        return call("epoch_us", raw.cast("TIMESTAMPTZ"))

    def time(self, raw: Sql) -> Sql:
        return call("epoch_us", raw.cast("TIME"))

    def shown_moment(self, value: Sql) -> Sql:
        return call("make_timestamptz", value)

    def shown_time(self, value: Sql) -> Sql:
        midnight = Sql(exp.cast(exp.Literal.string("00:00:00"), "TIME"))
        return midnight + call("to_microseconds", value)

    # Lists

    mapped_by: ClassVar[str] = "list_transform"
    filtered_by: ClassVar[str] = "list_filter"
    least: ClassVar[str] = "list_min"
    greatest: ClassVar[str] = "list_max"
    first_place: ClassVar[int] = 1

    def slice(self, listed: Sql, start: Sql, end: Sql) -> Sql:
        return call("list_slice", listed, start, end)

    def sorted(self, listed: Sql) -> Sql:
        return call("list_sort", listed)

    def total(self, listed: Sql) -> Sql:
        return call("list_sum", listed).cast("BIGINT")

    def bits_of(self, listed: Sql) -> Sql:
        return call("list_aggregate", listed, "bit_or")

    def struct(self, *parts: Sql) -> Sql:
        return call("row", *parts)

    def field(self, struct: Sql, place: int) -> Sql:
        return call("struct_extract", struct, place)

    def joined_texts(self, listed: Sql, separator: Sql) -> Sql:
        """The function for it takes only constant separators."""
        behind = choose(
            [(self.place_of(INNER[1]) > 1, made(exp.DPipe, separator, variable(INNER[0])))], variable(INNER[0])
        )
        return call("array_to_string", self.mapped(listed, INNER, behind), "")

    def lines(self, listed: Sql, separator: Sql) -> Sql:
        """Not by array_to_string, a macro that writes its argument twice, and so on for each list in a list."""
        return call("list_aggregate", listed, "string_agg", separator)

    def concatenated(self, one: Sql, other: Sql) -> Sql:
        return call("list_concat", one, other)

    def record(self, members: dict[str, Sql]) -> Sql:
        parts = [made(exp.PropertyEQ, Sql(identifier(name)), value) for name, value in members.items()]
        return made(exp.Struct, expressions=parts)
