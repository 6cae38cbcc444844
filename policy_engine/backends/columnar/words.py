"""Values of columns as they read inside sentences: what `language.sentences.words_of` says of a value, said of a column.

Numbers, days, times, texts, lists and records are written by expressions. The words of a language that only Babel or Python can
tell (dates in words, plurals) are asked for once for each distinct value of a piece.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import polars as pl

from policy_engine.backends.columnar import arithmetic
from policy_engine.backends.columnar.dtypes import by_series
from policy_engine.backends.columnar.times import instant_text, time_text
from policy_engine.language.formats import PLAINLY, Format, NumberForm, in_format, number_form, unknown_in, words_in
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Text, Time, Type
from policy_engine.language.widths import bound_of

TEXT = pl.String()


def words_of(value: pl.Expr, kind: Type, written: Format) -> pl.Expr:
    """The words for a column of a type, in a format; of nulls those for what is unknown."""
    return _known(value, kind, written).fill_null(unknown_in(written))


def _known(value: pl.Expr, kind: Type, written: Format) -> pl.Expr:
    """The words where the value is known, else null."""
    match kind:
        case ListOf(element=element):
            words = value.list.eval(words_of(pl.element(), element, written)).list.join(", ")
            return pl.when(words == "").then(pl.lit(words_in(written.language).none)).otherwise(words)
        case Record():
            return _record(value, kind)
        case Number() if written.name in ("number", "money", "percent"):
            return _number(value, kind, number_form(written, kind.places))
        case Number() | Date() if written.name:
            return _by_distinct(value, partial(in_format, places=getattr(kind, "places", 0), written=written))
    return _plain(value, kind, written)


def _plain(value: pl.Expr, kind: Type, written: Format) -> pl.Expr:
    match kind:
        case Boolean():
            words = words_in(written.language)
            return pl.when(value).then(pl.lit(words.true)).when(~value).then(pl.lit(words.false))
        case Number(places=places):
            return arithmetic.presented(value, places).cast(TEXT)
        case Date():
            return value.dt.to_string("%Y-%m-%d")
        case Instant():
            return instant_text(value, "us")
        case Time():
            return time_text(value)
        case Text():
            return value
    return pl.lit(None, dtype=TEXT)


def _record(value: pl.Expr, kind: Record) -> pl.Expr:
    """A record as `{name: value, name: value}`, with the members that are there."""
    members = [
        pl.concat_str(pl.lit(f"{member.name}: "), _known(value.struct.field(member.name), member.type, PLAINLY))
        for member in kind.members
    ]
    inside = pl.concat_str(members, separator=", ", ignore_nulls=True) if members else pl.lit("")
    return pl.when(value.is_not_null()).then(pl.concat_str(pl.lit("{"), inside, pl.lit("}")))


def _number(units: pl.Expr, kind: Number, form: NumberForm) -> pl.Expr:
    """A number of units as `language.formats` writes one."""
    size, unit = units.abs(), 10**kind.places
    written = _grouped(size // unit, bound_of(kind) // unit, form)
    if kind.places:
        rest = (size % unit).cast(TEXT).str.zfill(kind.places).str.strip_chars_end("0").str.pad_end(form.least, "0")
        point = pl.lit(form.point) if form.least else pl.when(rest != "").then(pl.lit(form.point)).otherwise(pl.lit(""))
        written = pl.concat_str(written, point, rest)
    elif form.least:
        written = pl.concat_str(written, pl.lit(form.point + "0" * form.least))
    return pl.concat_str(_signed(units, form.before), written, _signed(units, form.after))


def _signed(units: pl.Expr, affixes: tuple[str, str]) -> pl.Expr:
    """What stands beside a number by its sign."""
    plus, minus = affixes
    return pl.when(units < 0).then(pl.lit(minus)).otherwise(pl.lit(plus)) if plus != minus else pl.lit(plus)


def _grouped(whole: pl.Expr, most: int, form: NumberForm) -> pl.Expr:
    """The digits of whole numbers up to `most` in groups, looked up in tables of all groups of their size."""
    size, others = form.grouping
    groups: list[pl.Expr] = []
    unit = 1
    while most >= unit * 10**size:
        groups.append(pl.lit(_digits(size)).gather(whole // unit % 10**size))
        unit, size = unit * 10**size, others
    if not groups:
        return whole.cast(TEXT)
    padded = pl.concat_str([(whole // unit).cast(TEXT), *reversed(groups)], separator=form.group)
    return pl.when(whole == 0).then(pl.lit("0")).otherwise(padded.str.strip_chars_start(f"0{form.group}"))


def _digits(count: int) -> pl.Series:
    return pl.Series([str(number).rjust(count, "0") for number in range(10**count)], dtype=TEXT)


def _by_distinct(value: pl.Expr, write: Callable[[Any], str]) -> pl.Expr:
    """The texts that a function writes, called once for each distinct value of a piece."""
    return by_series(value, partial(_texts, write=write), TEXT)


def _texts(column: pl.Series, write: Callable[[Any], str]) -> pl.Series:
    values = column.to_frame("value")
    distinct = values.unique().drop_nulls()
    texts = pl.Series("text", [write(value) for value in distinct["value"].to_list()], dtype=TEXT)
    return values.join(distinct.with_columns(texts), on="value", how="left", maintain_order="left")["text"]
