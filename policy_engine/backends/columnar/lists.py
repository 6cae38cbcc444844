"""The steps that make domains of elements and take lists together again (sentences 5 and 8)."""

from __future__ import annotations

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
        lengths = lists.list.len().cast(INDEX)
        ends = lengths.fill_null(0).cum_sum().cast(INDEX)
        starts = ends - lengths
        values = lists.explode(empty_as_null=False, keep_nulls=False)
        parents = rows_of(lengths)
        if self.ordered_by is not None:
            values, parents = _in_order(values, parents, values.struct.field(self.ordered_by))
        frames[self.domain.name] = pl.DataFrame({VALUE: values, PARENT: parents})
        known = pl.select(pl.when(lengths.is_not_null()).then(ends).alias(self.end))[self.end]
        frames[self.domain.parent.name] = outer.with_columns(starts.alias(self.start), known)


def rows_of(lengths: pl.Series) -> pl.Series:
    """For each element the row it belongs to, where rows have so many."""
    rows = pl.DataFrame({PARENT: pl.int_range(len(lengths), dtype=INDEX, eager=True), "n": lengths.fill_null(0)})
    return rows.select(pl.col(PARENT).repeat_by("n").explode(empty_as_null=False, keep_nulls=False))[PARENT]


def _in_order(values: pl.Series, parents: pl.Series, key: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The elements of each row by a key, stably; most tables are in order already."""
    falls = (key < key.shift(1)) & (parents == parents.shift(1))
    if not falls.any():
        return values, parents
    order = pl.DataFrame({"p": parents, "k": key}).select(pl.arg_sort_by("p", "k", maintain_order=True)).to_series()
    return values.gather(order), parents


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
        frames[self.domain.name] = frame.select(*self.columns, PARENT).filter(frame[self.passes])


@dataclass(frozen=True, slots=True)
class Count:
    """How many elements of each list pass; null where the list is unknown."""

    source: Domain
    passes: str
    outer: Domain
    bounds: tuple[str, str]
    column: str

    def __call__(self, frames: Frames) -> None:
        flags = frames[self.source.name][self.passes]
        _between(frames, flags.fill_null(False).cast(INDEX), self.outer, self.bounds, self.column)


@dataclass(frozen=True, slots=True)
class Total:
    """The sum over each list; the running total may wrap around, but the difference of two of its values is exact."""

    source: Domain
    values: str
    outer: Domain
    bounds: tuple[str, str]
    column: str

    def __call__(self, frames: Frames) -> None:
        values = frames[self.source.name][self.values]
        _between(frames, values.fill_null(0), self.outer, self.bounds, self.column)


def _between(frames: Frames, values: pl.Series, outer: Domain, bounds: tuple[str, str], column: str) -> None:
    """What a running total grows by from the start to the end of each list."""
    running = pl.concat([pl.zeros(1, dtype=values.dtype, eager=True), values.cum_sum().cast(values.dtype)])
    frame = frames[outer.name]
    grown = running.gather(frame[bounds[1]]) - running.gather(frame[bounds[0]])
    frames[outer.name] = frame.with_columns(grown.alias(column))


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
        frame = frames[self.outer.name]
        start, end = frame[self.bounds[0]], frame[self.bounds[1]]
        frames[self.outer.name] = frame.with_columns(self._found(frames, start, end).alias(self.column))

    def _found(self, frames: Frames, start: pl.Series, end: pl.Series) -> pl.Series:
        filled = pl.DataFrame({"start": start, "end": end}).with_columns(
            at=pl.when(pl.col("start") < pl.col("end")).then(pl.col("end") - 1 if self.last else pl.col("start"))
        )
        if self.passes is not None:
            nearest = pl.when(self.passes).then(pl.int_range(pl.len(), dtype=INDEX))
            places = frames[self.source.name].select(nearest).to_series()
            places = places.forward_fill() if self.last else places.backward_fill()
            filled = filled.with_columns(at=places.gather(filled["at"]))
        inside = pl.col("at") >= pl.col("start") if self.last else pl.col("at") < pl.col("end")
        return filled.select(pl.when(inside).then(pl.col("at")))["at"]


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
