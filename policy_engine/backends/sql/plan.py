"""The plan of a query: named columns in layers, so that nothing is worked out twice.

Each column stands in the first layer above all that it reads. Layers are common table expressions, one reading the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from policy_engine.backends.sql.build import NOTHING, Sql, column, identifier

FACTS = "facts"
"""The name of the first layer: the facts in the form in which the others calculate."""


ROOM = 10
"""Bytes for the number behind a name that another column has already."""


@dataclass(frozen=True, slots=True)
class Step:
    """A column of a layer, with what its comment says."""

    name: str
    value: Sql
    note: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """Rows of constants beside each account: those for which `on` holds, at most one."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Sql, ...], ...]
    on: Sql


@dataclass(slots=True)
class Layer:
    """The columns of a layer and the constants that it joins."""

    steps: list[Step] = field(default_factory=list)
    joins: list[Join] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """The columns so far. `levels` says in which layer each stands; the facts are in layer 0.

    Of a column's name no more than `longest` bytes count.
    """

    longest: int
    levels: dict[str, int] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    joins: dict[str, Join] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    made: dict[Any, str] = field(default_factory=dict)

    def fresh(self, stem: str) -> str:
        """A name that nothing else has; the engines do not all tell large letters from small ones."""
        stem = stem.encode()[: self.longest - ROOM].decode(errors="ignore")
        name, number = stem, 1
        while name.lower() in self.taken:
            number += 1
            name = f"{stem}_{number}"
        self.taken.add(name.lower())
        return name

    def fact(self, name: str) -> Sql:
        """The column of a fact."""
        self.levels.setdefault(name, 0)
        return column(name)

    def kept(self, value: Sql, stem: str = "value", note: str = "") -> Sql:
        """A column for an expression, so that it is worked out once; inside a loop the expression itself."""
        if value.is_atom or value.variables:
            return value
        if value.node not in self.made:
            name = self.fresh(stem)
            self.levels[name] = 1 + self._level(value.columns)
            self.steps[name] = Step(name, value, note)
            self.made[value.node] = name
        return column(self.made[value.node])

    def joined(self, stem: str, columns: Sequence[str], rows: Sequence[tuple[Sql, ...]], on: Any) -> dict[str, Sql]:
        """The columns of rows of constants; `on` makes the condition from the columns by name."""
        table = self.fresh(stem)
        names = {each: self.fresh(f"{table}_{each}") for each in columns}
        condition = on({each: column(name) for each, name in names.items()})
        join = Join(table, tuple(names.values()), tuple(rows), condition)
        level = 1 + self._level(condition.columns - {*names.values()})
        for name in names.values():
            self.levels[name] = level
            self.joins[name] = join
        return {each: column(name) for each, name in names.items()}

    def _level(self, columns: Iterable[str]) -> int:
        return max((self.levels[name] for name in columns), default=0)

    def needed(self, outputs: Iterable[Sql]) -> frozenset[str]:
        """All columns that the outputs rest on, facts included."""
        waiting = [name for output in outputs for name in output.columns]
        found = set[str]()
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self._reads(name)
        return frozenset(found)

    def _reads(self, name: str) -> frozenset[str]:
        if name in self.joins:
            return self.joins[name].on.columns | {*self.joins[name].columns}
        return self.steps[name].value.columns if name in self.steps else NOTHING

    def layers(self, needed: frozenset[str]) -> list[Layer]:
        """The layers above the facts, in order."""
        found: dict[int, Layer] = {}
        for name, level in self.levels.items():
            if name not in needed or not level:
                continue
            layer = found.setdefault(level, Layer())
            if name in self.steps:
                layer.steps.append(self.steps[name])
            elif self.joins[name] not in layer.joins:
                layer.joins.append(self.joins[name])
        return [found[level] for level in sorted(found)]


def named(value: Sql, name: str, note: str = "") -> Any:
    """An expression with a name, as SELECT takes it, and with a comment."""
    node = exp.alias_(value.node.copy(), identifier(name), copy=False)
    if note:
        node.comments = [f" {note} "]
    return node


def layer_query(below: str, layer: Layer, *, fenced: bool) -> Any:
    """The query of a layer over the one below."""
    chosen: list[Any] = [exp.Column(this=exp.Star(), table=identifier(below))]
    chosen += [exp.Column(this=identifier(name)) for join in layer.joins for name in join.columns]
    chosen += [named(step.value, step.name, step.note) for step in layer.steps]
    query = exp.select(*chosen, copy=False).from_(exp.Table(this=identifier(below)), copy=False)
    for join in layer.joins:
        query = query.join(_constants(join), on=join.on.node.copy(), join_type="left", copy=False)
    return query.offset(0, copy=False) if fenced else query


def _constants(join: Join) -> Any:
    rows = [exp.Tuple(expressions=[cell.node.copy() for cell in row]) for row in join.rows]
    alias = exp.TableAlias(this=identifier(join.name), columns=[identifier(name) for name in join.columns])
    return exp.Values(expressions=rows, alias=alias)
