"""The steps that make domains of elements and take lists together again (sentences 5 and 8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from policy_engine.backends.columnar.plan import PARENT, VALUE, Domain, Frames

INDEX = pl.UInt32()


@dataclass(frozen=True, slots=True)
class Explode:
    """The elements of a column of lists as a domain; in the order of a member, stably, where there is one."""

    column: str
    domain: Domain
    start: str
    end: str
    ordered_by: str | None = None

    def __call__(self, frames: Frames) -> None:
        assert self.domain.parent is not None
        outer = frames[self.domain.parent.name]
        lists = outer[self.column]
        if lists.dtype == pl.Null:  # a list that is `unknown` on every way
            lists = lists.cast(pl.List(pl.Null))
        lengths = lists.list.len().cast(INDEX)
        ends = lengths.fill_null(0).cum_sum().cast(INDEX)
        starts = ends - lengths
        values = lists.explode(empty_as_null=False, keep_nulls=False)
        if self.ordered_by is not None:
            values = _in_order(values, values.struct.field(self.ordered_by), starts, ends)
        frames[self.domain.name] = pl.DataFrame({VALUE: values})
        known = pl.select(pl.when(lengths.is_not_null()).then(ends).alias(self.end))[self.end]
        frames[self.domain.parent.name] = outer.with_columns(starts.alias(self.start), known)


def rows_of(lengths: pl.Series) -> pl.Series:
    """For each element the row it belongs to, where rows have so many."""
    rows = pl.DataFrame({PARENT: pl.int_range(len(lengths), dtype=INDEX, eager=True), "n": lengths.fill_null(0)})
    return rows.select(pl.col(PARENT).repeat_by("n").explode(empty_as_null=False, keep_nulls=False))[PARENT]


def _in_order(values: pl.Series, key: pl.Series, starts: pl.Series, ends: pl.Series) -> pl.Series:
    """The elements of each list by a key, stably. Most lists are in order already, so only the others are sorted."""
    falls = (key < key.shift(1)).fill_null(False)
    falls = falls.scatter(
        starts.filter((starts < ends).fill_null(False)), False
    )  # where a list begins the key may fall
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


@dataclass(frozen=True, slots=True)
class Number:
    """For the elements of a domain the row that each belongs to, by the bounds of the lists."""

    domain: Domain
    start: str
    end: str

    def __call__(self, frames: Frames) -> None:
        assert self.domain.parent is not None
        outer = frames[self.domain.parent.name]
        parents = rows_of(outer[self.end] - outer[self.start])
        frames[self.domain.name] = frames[self.domain.name].with_columns(parents.alias(PARENT))


@dataclass(frozen=True, slots=True)
class NumberPassing:
    """The same for the elements of a domain that pass a filter."""

    source: Domain
    passes: str
    domain: Domain

    def __call__(self, frames: Frames) -> None:
        source = frames[self.source.name]
        parents = source[PARENT].filter(source[self.passes])
        frames[self.domain.name] = frames[self.domain.name].with_columns(parents.alias(PARENT))


@dataclass(frozen=True, slots=True)
class Gathered:
    """Elements at given rows of another domain, each row of `outer` its own stretch: the pairs of an inner loop."""

    source: Domain
    columns: tuple[str, ...]
    domain: Domain
    bounds: tuple[str, str]
    start: str
    end: str

    def __call__(self, frames: Frames) -> None:
        assert self.domain.parent is not None
        outer = frames[self.domain.parent.name]
        first, last = outer[self.bounds[0]], outer[self.bounds[1]]
        lengths = (last - first).cast(INDEX)
        ends = lengths.fill_null(0).cum_sum().cast(INDEX)
        parents = rows_of(lengths)
        known = lengths.fill_null(0)
        position = pl.int_range(len(parents), dtype=INDEX, eager=True) - (ends - known).gather(parents)
        at = first.gather(parents) + position
        elements = frames[self.source.name].select(pl.col(name).gather(at) for name in self.columns)
        frames[self.domain.name] = elements.with_columns(parents.alias(PARENT))
        bounds = [(ends - lengths).alias(self.start), pl.when(lengths.is_not_null()).then(ends).alias(self.end)]
        frames[self.domain.parent.name] = outer.with_columns(bounds)


@dataclass(frozen=True, slots=True)
class Filter:
    """The elements of a domain that pass, as a domain with the same parent."""

    source: Domain
    columns: tuple[str, ...]
    passes: str
    domain: Domain

    def __call__(self, frames: Frames) -> None:
        frame = frames[self.source.name]
        flags, columns = frame[self.passes], frame.select(self.columns)
        if not flags.all():
            columns = pl.DataFrame([_by_members(column, lambda each: each.filter(flags)) for column in columns])
        frames[self.domain.name] = columns


def _running(flags: pl.Series) -> pl.Series:
    """How many are marked before each place, and, at the end, in all."""
    marked = pl.DataFrame({"flag": flags}).select(pl.when("flag").then(True).cum_count()).to_series()
    return pl.concat([pl.zeros(1, dtype=INDEX, eager=True), marked.cast(INDEX)], rechunk=True)


@dataclass(frozen=True, slots=True)
class Count:
    """How many elements of each list pass; null where the list is unknown."""

    source: Domain
    passes: str
    outer: Domain
    bounds: tuple[str, str]
    column: str

    def __call__(self, frames: Frames) -> None:
        before, until = _marked(frames, self.source, self.passes, self.outer, self.bounds)
        frame = frames[self.outer.name]
        frames[self.outer.name] = frame.with_columns((until - before).alias(self.column))


def _marked(
    frames: Frames, source: Domain, passes: str, outer: Domain, bounds: tuple[str, str]
) -> tuple[pl.Series, pl.Series]:
    """How many elements pass before the start of each list, and before its end."""
    running, frame = _running(frames[source.name][passes]), frames[outer.name]
    return running.gather(frame[bounds[0]]), running.gather(frame[bounds[1]])


@dataclass(frozen=True, slots=True)
class Passing:
    """Where each list begins and ends among the elements that pass."""

    source: Domain
    passes: str
    outer: Domain
    bounds: tuple[str, str]
    columns: tuple[str, str]

    def __call__(self, frames: Frames) -> None:
        found = _marked(frames, self.source, self.passes, self.outer, self.bounds)
        named = [bound.alias(name) for bound, name in zip(found, self.columns, strict=True)]
        frames[self.outer.name] = frames[self.outer.name].with_columns(named)


@dataclass(frozen=True, slots=True)
class Total:
    """The sum over each list; the running total may wrap around, but the difference of two of its values is exact."""

    source: Domain
    values: str
    outer: Domain
    bounds: tuple[str, str]
    column: str

    def __call__(self, frames: Frames) -> None:
        values = frames[self.source.name][self.values].fill_null(0)
        running = pl.concat([pl.zeros(1, dtype=values.dtype, eager=True), values.cum_sum()], rechunk=True)
        frame = frames[self.outer.name]
        grown = running.gather(frame[self.bounds[1]]) - running.gather(frame[self.bounds[0]])
        frames[self.outer.name] = frame.with_columns(grown.alias(self.column))


@dataclass(frozen=True, slots=True)
class Position:
    """Where the first (or last) element of each list that passes stands, null where none does."""

    source: Domain
    passes: str | None
    outer: Domain
    bounds: tuple[str, str]
    column: str
    last: bool

    def __call__(self, frames: Frames) -> None:
        frames[self.outer.name] = frames[self.outer.name].with_columns(self._found(frames).alias(self.column))

    def _found(self, frames: Frames) -> pl.Series:
        if self.passes is None:
            frame = frames[self.outer.name]
            return self._edge(frame[self.bounds[0]], frame[self.bounds[1]])
        flags = frames[self.source.name][self.passes]
        places = pl.int_range(len(flags), dtype=INDEX, eager=True).filter(flags)
        return places.gather(self._edge(*_marked(frames, self.source, self.passes, self.outer, self.bounds)))

    def _edge(self, start: pl.Series, end: pl.Series) -> pl.Series:
        """The first (or last) of a stretch, null where it is empty."""
        edge = pl.col("end") - 1 if self.last else pl.col("start")
        frame = pl.DataFrame({"start": start, "end": end})
        return frame.select(pl.when(pl.col("start") < pl.col("end")).then(edge)).to_series()


@dataclass(frozen=True, slots=True)
class Fetch:
    """The elements at positions."""

    source: Domain
    values: str
    outer: Domain
    positions: str
    column: str

    def __call__(self, frames: Frames) -> None:
        frame = frames[self.outer.name]
        found = frames[self.source.name][self.values].gather(frame[self.positions])
        frames[self.outer.name] = frame.with_columns(found.alias(self.column))


@dataclass(frozen=True, slots=True)
class Reduce:
    """One value of each list's elements that pass: the least, the greatest, all bits, or all of them as a list.

    Null where no element passes.
    """

    source: Domain
    passes: str
    value: pl.Expr
    outer: Domain
    column: str

    def __call__(self, frames: Frames) -> None:
        frame = frames[self.outer.name]
        elements = frames[self.source.name]
        passing = elements.filter(elements[self.passes])
        found = passing.group_by(PARENT, maintain_order=True).agg(self.value.alias(self.column))
        rows = pl.select(pl.int_range(frame.height, dtype=INDEX).alias(PARENT))
        column = rows.join(found, on=PARENT, how="left", maintain_order="left")[self.column]
        frames[self.outer.name] = frame.with_columns(column)
