"""What the steps over lists do to whole columns (sentences 5 and 8).

`start` and `end` are the offsets of each row's list in the column of all elements, `end` excluded; both are null where the list
is unknown. A running count over the elements, looked up at both offsets, gives the count of each list without a loop.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

INDEX = pl.UInt32()
Columns = tuple[pl.Series, ...]


def exploded(lists: pl.Series, ordered_by: str | None = None) -> Columns:
    """The elements of a column of lists, sorted stably by a member if one is named, with the start and end of each list."""
    if lists.dtype == pl.Null:  # a list that is `unknown` on every way
        lists = lists.cast(pl.List(pl.Null))
    starts, ends, known = _laid_end_to_end(lists.list.len().cast(INDEX))
    values = lists.explode(empty_as_null=False, keep_nulls=False)
    if ordered_by is not None:
        values = _in_order(values, values.struct.field(ordered_by), starts, ends)
    return values, starts, known


def _laid_end_to_end(lengths: pl.Series) -> Columns:
    """For lists laid end to end the starts, the ends, and the ends of those that are known."""
    ends = lengths.fill_null(0).cum_sum().cast(INDEX)
    known = pl.select(pl.when(lengths.is_not_null()).then(ends)).to_series()
    return ends - lengths, ends, known


def rows_of(starts: pl.Series, ends: pl.Series) -> pl.Series:
    """For each element the row it belongs to."""
    rows = pl.DataFrame({"row": pl.int_range(len(starts), dtype=INDEX, eager=True), "n": (ends - starts).fill_null(0)})
    return rows.select(pl.col("row").repeat_by("n").explode(empty_as_null=False, keep_nulls=False))["row"]


def _in_order(values: pl.Series, key: pl.Series, starts: pl.Series, ends: pl.Series) -> pl.Series:
    """The elements of each list by a key, stably. Most lists are in order already, so only the others are sorted."""
    falls = (key < key.shift(1)).fill_null(False)
    falls = falls.scatter(
        starts.filter((starts < ends).fill_null(False)), False
    )  # at the start of a list the key may fall
    if not falls.any():
        return values
    places = pl.int_range(len(key), dtype=INDEX, eager=True)
    rows = ends.search_sorted(places.filter(falls), side="right").unique(maintain_order=True)
    bounds = pl.DataFrame({"row": rows, "start": starts.gather(rows), "end": ends.gather(rows)})
    turned = bounds.select("row", place=pl.int_ranges("start", "end", dtype=INDEX)).explode("place")
    sorted_ = turned.with_columns(key=key.gather(turned["place"])).sort("row", "key", maintain_order=True)
    order = places.scatter(turned["place"], sorted_["place"])
    return _by_members(values, lambda column: column.gather(order))


def _by_members(values: pl.Series, work: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """What is done to a column of records, done member by member, which Polars is quicker at; a record itself may be null."""
    if not isinstance(values.dtype, pl.Struct) or not values.dtype.fields or values.has_nulls():
        return work(values)
    members = [work(values.struct.field(field.name)) for field in values.dtype.fields]
    return pl.DataFrame(members).to_struct(values.name)


def repeated(first: pl.Series, last: pl.Series, *columns: pl.Series) -> Columns:
    """For lists whose offsets several rows may share, elements of their own for each row.

    They are the row of each element, what stands in each of the columns, and the new start and end of each list.
    """
    starts, _, known = _laid_end_to_end((last - first).cast(INDEX))
    rows = rows_of(first, last)
    position = pl.int_range(len(rows), dtype=INDEX, eager=True) - starts.gather(rows)
    at = first.gather(rows) + position
    return rows, *(column.gather(at) for column in columns), starts, known


def passing(flags: pl.Series, values: pl.Series) -> pl.Series:
    """The elements that are flagged."""
    return values if flags.all() else _by_members(values, lambda each: each.filter(flags))


def flagged_before(flags: pl.Series, starts: pl.Series, ends: pl.Series) -> Columns:
    """How many elements are flagged before the start of each list, and before its end."""
    marked = pl.DataFrame({"flag": flags}).select(pl.when("flag").then(True).cum_count()).to_series()
    running = pl.concat([pl.zeros(1, dtype=INDEX, eager=True), marked.cast(INDEX)], rechunk=True)
    return running.gather(starts), running.gather(ends)


def count(flags: pl.Series, starts: pl.Series, ends: pl.Series) -> pl.Series:
    """How many elements of each list are flagged; null where the list is unknown."""
    before, until = flagged_before(flags, starts, ends)
    return until - before


def total(values: pl.Series, starts: pl.Series, ends: pl.Series) -> pl.Series:
    """The sum over each list; the running total may wrap around, but the difference of two of its values is exact."""
    values = values.fill_null(0)
    running = pl.concat([pl.zeros(1, dtype=values.dtype, eager=True), values.cum_sum()], rechunk=True)
    return running.gather(ends) - running.gather(starts)


def edge(starts: pl.Series, ends: pl.Series, *, last: bool) -> pl.Series:
    """The position of the first (or last) element of each list, null where the list is empty."""
    position = pl.col("end") - 1 if last else pl.col("start")
    frame = pl.DataFrame({"start": starts, "end": ends})
    return frame.select(pl.when(pl.col("start") < pl.col("end")).then(position)).to_series()


def flagged_edge(flags: pl.Series, starts: pl.Series, ends: pl.Series, *, last: bool) -> pl.Series:
    """The position of the first (or last) element of each list that is flagged, null where none is."""
    places = pl.int_range(len(flags), dtype=INDEX, eager=True).filter(flags)
    return places.gather(edge(*flagged_before(flags, starts, ends), last=last))


def remade(work: Callable[..., Columns], starts: pl.Series, flags: pl.Series, *columns: pl.Series) -> Columns:
    """New lists: of the flagged elements' columns, the first of which are their rows, `work` makes rows and elements.

    They are followed by the start and the end of each list.
    """
    rows, values = work(*(passing(flags, column) for column in columns))
    every = pl.int_range(len(starts), dtype=INDEX, eager=True)
    first, last = (rows.search_sorted(every, side=side).cast(INDEX) for side in ("left", "right"))
    known = pl.select(pl.when(starts.is_not_null()).then(first)).to_series()
    return rows, values, known, last


def counts(rows: pl.Series, keys: pl.Series) -> Columns:
    """How often each key occurs in each row, by first occurrence."""
    return _by_key(rows, keys, pl.len().cast(pl.Int64))


def sums(rows: pl.Series, keys: pl.Series, numbers: pl.Series) -> Columns:
    """The numbers of each key in each row added up, by first occurrence of the keys."""
    return _by_key(rows, keys, pl.col("(number)").sum(), numbers.cast(pl.Int64).alias("(number)"))


def _by_key(rows: pl.Series, keys: pl.Series, value: pl.Expr, *columns: pl.Series) -> Columns:
    elements = pl.DataFrame([rows.alias("(row)"), keys.alias("(key)"), *columns])
    found = elements.group_by("(row)", "(key)", maintain_order=True).agg(value.alias("(made)"))
    return found["(row)"], found["(made)"]


def by_keys(rows: pl.Series, keys: pl.Series, values: pl.Series) -> Columns:
    """The elements of each row in the order of their keys, stably."""
    places = pl.DataFrame([rows.alias("(row)"), keys.alias("(key)")]).with_row_index("(place)")
    order = places.sort("(row)", "(key)", maintain_order=True)["(place)"]
    return rows, _by_members(values, lambda column: column.gather(order))


def covered_days(starts: pl.Series, flags: pl.Series, rows: pl.Series, first: pl.Series, until: pl.Series) -> pl.Series:
    """How many days lie in some period of each row."""
    days = [column.to_physical().alias(name) for name, column in (("(first)", first), ("(until)", until))]
    periods = pl.DataFrame([rows.alias("(row)"), *days]).filter(flags).sort("(row)", "(first)")
    before = pl.col("(until)").cum_max().shift(1).over("(row)")
    since = pl.max_horizontal("(first)", before)
    new = periods.with_columns((pl.col("(until)") - since).clip(0).cast(pl.Int64).alias("(days)"))
    found = new.group_by("(row)").agg(pl.col("(days)").sum())
    every = pl.select(pl.int_range(len(starts), dtype=INDEX).alias("(row)"))
    return every.join(found, on="(row)", how="left", maintain_order="left")["(days)"].fill_null(0)


def reduced(value: pl.Expr, starts: pl.Series, rows: pl.Series, flags: pl.Series, *columns: pl.Series) -> pl.Series:
    """One value of each list's elements that are flagged: the least, the greatest, all bits, or all of them as a list.

    `rows` are the rows of the elements, `columns` those that the value is made of. Null where no element is flagged.
    """
    row = rows.alias("(row)")
    elements = pl.DataFrame([row, *columns]).filter(flags)
    found = elements.group_by("(row)", maintain_order=True).agg(value.alias("(value)"))
    every = pl.select(pl.int_range(len(starts), dtype=INDEX).alias("(row)"))
    return every.join(found, on="(row)", how="left", maintain_order="left")["(value)"]
