"""The plan of a ruleset: steps that add columns to tables of accounts and of list elements, in order of dependence.

A *domain* is a set of rows: the accounts, the elements of one of their lists, or those elements that pass a filter. All lists
of a column lie end to end in the table of another domain, and a list is a pair of offsets into it, `start` up to `end`. So a
filter, the last run and the first element of a list are arithmetic on offsets; lists are only built where an answer holds one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

Frames = dict[str, pl.DataFrame]
"""The tables of one run by the name of their domain."""

PARENT, VALUE = "(parent)", "(value)"
"""In a domain of elements: the index of the row each belongs to, and the element itself."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A set of rows; those of elements have the domain of the rows whose lists they are in as `parent`.

    `source` is the domain of which these rows are the ones that pass a filter.
    """

    name: str
    parent: Domain | None = None
    source: Domain | None = None


ACCOUNTS = Domain("accounts")
Place = tuple[Domain, str]
"""A column of a domain; "" stands for the domain itself."""


@dataclass(frozen=True, slots=True)
class ListOffsets:
    """A list for each row of a parent domain: the elements `start` up to `end` of a domain; null where the list is unknown.

    `column` holds the elements. `whole` says that every element of the domain is in a list. `masks` are columns of the missing
    facts of single elements, where these may be unknown.
    """

    domain: Domain
    column: str
    start: pl.Expr
    end: pl.Expr
    whole: bool = True
    masks: tuple[str, ...] = ()

    @property
    def element(self) -> pl.Expr:
        """The elements, in their domain."""
        return pl.col(self.column)


@dataclass(slots=True)
class Compute:
    """Columns that do not depend on each other, added to a domain together, so that Polars computes them in parallel."""

    domain: Domain
    columns: list[pl.Expr] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The columns that it makes."""
        return [column.meta.output_name() for column in self.columns]

    def __call__(self, frames: Frames) -> None:
        frame = frames[self.domain.name]
        frames[self.domain.name] = frame.with_columns(self.columns) if frame.height else self._over_nothing(frame)

    def _over_nothing(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Over an empty table some functions of a constant give one row, so a row of nulls is added and dropped again."""
        return frame.select(pl.all().first()).with_columns(self.columns).head(0)


@dataclass(frozen=True, slots=True)
class ListStep:
    """Whole columns made from whole columns: `work` takes those it `reads` and gives those it `makes`, in their order.

    A domain that is made starts with the columns made with it.
    """

    reads: tuple[Place, ...]
    makes: tuple[Place, ...]
    work: Callable[..., Iterable[pl.Series]]

    @property
    def names(self) -> list[str]:
        """The columns that it makes, in all its domains."""
        return [name for _, name in self.makes]

    def __call__(self, frames: Frames) -> None:
        found = self.work(*(frames[domain.name][name] for domain, name in self.reads if name))
        places = [place for place in self.makes if place[1]]
        made: dict[Domain, list[pl.Series]] = {}
        for (domain, name), column in zip(places, found, strict=True):
            made.setdefault(domain, []).append(column.alias(name))
        for domain, columns in made.items():
            is_new = (domain, "") in self.makes
            frames[domain.name] = pl.DataFrame(columns) if is_new else frames[domain.name].with_columns(columns)


Step = Compute | ListStep


class Needed(NamedTuple):
    """The steps that compute some columns, and the columns of the accounts that they read."""

    steps: list[Step]
    reads: frozenset[str]


@dataclass(slots=True)
class Plan:
    """Steps in order; `made` has for each column (or, as "", domain) the index of the step that makes it.

    `numbering` has for each domain of elements the step that makes `PARENT`; it is only added for domains that need it, those
    that are `numbered`. `lifted` has the columns of an outer domain that were repeated for each element.

    `positions` are the columns that point at rows of another domain. They are valid only beside the elements for which they were
    computed, so a run over a part of the rows has to compute them again. `schemas` are those of whole tables after some steps.
    """

    steps: list[Step] = field(default_factory=list)
    made: dict[tuple[str, str], int] = field(default_factory=dict)
    lifted: dict[tuple[str, str], pl.Expr] = field(default_factory=dict)
    numbering: dict[Domain, ListStep] = field(default_factory=dict)
    numbered: set[Domain] = field(default_factory=set)
    positions: set[str] = field(default_factory=set)
    schemas: dict[tuple[object, ...], pl.Schema] = field(default_factory=dict)
    counter: int = 0

    def fresh(self, stem: str) -> str:
        """A name that nothing else has; no fact has a bracket in its name."""
        self.counter += 1
        return f"({stem} {self.counter})"

    def named(self, domain: Domain, expression: pl.Expr, stem: str = "value") -> pl.Expr:
        """A column of a domain for an expression, so that it is computed once."""
        if expression.meta.is_column():
            return expression
        if not expression.meta.root_names() and not expression.meta.is_literal():
            expression = folded(expression)
        name = self.fresh(stem)
        index = self._place(domain, expression.meta.root_names())
        step = self.steps[index]
        assert isinstance(step, Compute)
        step.columns.append(expression.alias(name))
        self.made[domain.name, name] = index
        return pl.col(name)

    def position(self, domain: Domain, expression: pl.Expr, stem: str) -> pl.Expr:
        """A column for an expression that gives a position among the elements of another domain."""
        column = self.named(domain, expression, stem)
        self.positions.add(column.meta.output_name())
        return column

    def fresh_position(self, stem: str) -> str:
        """A name for a column of positions that a step makes."""
        name = self.fresh(stem)
        self.positions.add(name)
        return name

    def _place(self, domain: Domain, roots: Iterable[str]) -> int:
        """The first step of the domain that comes after all that an expression reads."""
        after = max((self.made.get((domain.name, name), -1) for name in ("", *roots)), default=-1)
        for index in range(after + 1, len(self.steps)):
            step = self.steps[index]
            if isinstance(step, Compute) and step.domain == domain:
                return index
        self.steps.append(Compute(domain))
        return len(self.steps) - 1

    def add(self, step: ListStep) -> None:
        """A step at the end."""
        self.steps.append(step)
        for domain, column in step.makes:
            self.made[domain.name, column] = len(self.steps) - 1

    def column(
        self,
        domain: Domain,
        stem: str,
        work: Callable[..., pl.Series],
        reads: Iterable[Place],
        *,
        position: bool = False,
    ) -> pl.Expr:
        """A column of a domain that a step makes from whole columns."""
        name = self.fresh_position(stem) if position else self.fresh(stem)
        self.add(ListStep(tuple(reads), ((domain, name),), lambda *columns: [work(*columns)]))
        return pl.col(name)

    def needed(self, columns: Iterable[pl.Expr], there: Container[str] = ()) -> Needed:
        """The steps that compute columns of the accounts, without what these do not depend on.

        Columns that are `there` are not computed again, except positions: the elements that they point at are not there.
        """
        wanted: set[tuple[str, str]] = set()
        reads: set[str] = set()

        def want(domain: Domain, names: Iterable[str]) -> None:
            for name in names:
                is_there = name in there and name not in self.positions
                if domain == ACCOUNTS and (is_there or (domain.name, name) not in self.made) and name:
                    reads.add(name)
                else:
                    wanted.add((domain.name, name))

        for column in columns:
            want(ACCOUNTS, column.meta.root_names())
        steps: list[Step] = []
        for index in range(len(self.steps) - 1, -1, -1):
            step = self.steps[index]
            if isinstance(step, Compute):
                kept = [e for e in step.columns if (step.domain.name, e.meta.output_name()) in wanted]
                if kept:
                    steps.append(Compute(step.domain, kept))
                    want(step.domain, ["", *(name for e in kept for name in e.meta.root_names())])
            elif any(self.made[place] == index for place in wanted & self.made.keys()):
                steps.append(step)
                for domain, name in step.reads:
                    want(domain, [name])
        return Needed(steps[::-1], frozenset(reads))

    def through(self, steps: Sequence[Step], table: pl.LazyFrame) -> pl.LazyFrame:
        """A lazy table with all columns that steps give it; where there are steps over lists, piece by piece.

        Expressions alone stay in Polars' streaming engine, which takes each piece through all of them while it is in the cache.
        """
        if only_expressions(steps):
            return _computed(steps, table)
        return pieced(table, lambda piece: run(steps, piece), self._schema_after(steps, table))

    def _schema_after(self, steps: Sequence[Step], table: pl.LazyFrame) -> pl.Schema:
        """The schema that steps give a table: what they give an empty one, which takes milliseconds, and so is kept."""
        key = (*table.collect_schema().items(), *(name for step in steps for name in step.names))
        if key not in self.schemas:
            self.schemas[key] = run(steps, at_once(table.head(0), as_it_stands=True)).schema
        return self.schemas[key]

    def lift(self, expression: pl.Expr, source: Domain, to: Domain) -> pl.Expr:
        """An expression of an outer domain repeated for each element below its rows; a constant stays as it is."""
        if source == to or not expression.meta.root_names():
            return expression
        assert to.parent is not None
        outer = self.named(to.parent, self.lift(expression, source, to.parent))
        name = outer.meta.output_name()
        key = to.name, name
        if key not in self.lifted:
            self.number(to)
            reads = [(to, PARENT), (to.parent, name)]
            self.lifted[key] = self.column(to, "outer", lambda rows, outer: outer.gather(rows), reads)
        return self.lifted[key]

    def number(self, domain: Domain) -> None:
        """Make the column `PARENT` of a domain."""
        if domain in self.numbered:
            return
        if domain.source is not None:
            self.number(domain.source)
        self.numbered.add(domain)
        if domain in self.numbering:
            self.add(self.numbering[domain])


def folded(expression: pl.Expr) -> pl.Expr:
    """The value of an expression without columns, as a literal: Polars does not broadcast every such expression."""
    return literal(pl.select(expression.first()).to_series())


def literal(value: pl.Series) -> pl.Expr:
    """The only value of a series, as a literal.

    Lists and records stay a series, named by their type. A null does not: Polars' elimination of common subexpressions may
    confuse it with the series of a null of another type.
    """
    if value.dtype.is_nested() and not value.has_nulls():
        return pl.lit(value.alias(str(value.dtype))).first()
    return pl.lit(value[0], dtype=value.dtype)


def run(steps: Iterable[Step], frame: pl.DataFrame) -> pl.DataFrame:
    """The accounts with all columns that steps give them, from a table of facts."""
    frames: Frames = {ACCOUNTS.name: frame}
    for step in steps:
        step(frames)
    return frames[ACCOUNTS.name]


def small(steps: Sequence[Step], columns: Iterable[pl.Expr], frame: pl.DataFrame) -> pl.DataFrame:
    """A small table with the columns of the steps, and further columns."""
    if only_expressions(steps):
        return at_once(_computed(steps, frame.lazy()).with_columns(columns), as_it_stands=True)
    return run(steps, frame).with_columns(columns)


def only_expressions(steps: Iterable[Step]) -> bool:
    """Whether all steps are expressions over the accounts."""
    return all(map(_is_of_accounts, steps))


def pieced(table: pl.LazyFrame, work: Callable[[pl.DataFrame], pl.DataFrame], schema: pl.Schema) -> pl.LazyFrame:
    """A lazy table whose pieces go through a function, several of them at the same time."""
    return table.map_batches(
        work,
        schema=schema,
        streamable=True,
        predicate_pushdown=False,  # Polars cannot know which columns the function reads
        projection_pushdown=False,
        slice_pushdown=False,
    )


def at_once(table: pl.LazyFrame, *, as_it_stands: bool = False) -> pl.DataFrame:
    """A small table computed inside a query that streams: in memory, for the streaming engine would wait for itself.

    `as_it_stands` skips the optimizer, which costs more than it gains where expressions are cheap and many.
    """
    flags = pl.QueryOptFlags.none() if as_it_stands else pl.QueryOptFlags()
    return table.collect(engine="in-memory", optimizations=flags)


def _is_of_accounts(step: Step) -> bool:
    return isinstance(step, Compute) and step.domain == ACCOUNTS


def _computed(steps: Iterable[Step], table: pl.LazyFrame) -> pl.LazyFrame:
    for step in steps:
        assert isinstance(step, Compute)
        table = table.with_columns(step.columns)
    return table
