"""The names that an expression can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from policy_engine.diagnostics import Diagnostic
from policy_engine.language import expressions as tree
from policy_engine.language.lookup_tables import LookupTable
from policy_engine.language.types import ANYTHING, BOOLEAN, DATE, Record, Text, Type, member_of

Known = tuple[Type, bool]
"""A type, and whether the value may be unknown."""


def nowhere(name: str) -> str | None:
    """Nothing of that name is anywhere else."""
    return None


def nothing_by_day(parameter: str) -> LookupTable:
    """No parameter has values."""
    raise KeyError(parameter)


@dataclass(frozen=True, slots=True)
class Scope:
    """The facts, parameters, tables, readings, definitions and decisions that an expression can name.

    A table is None where it could not be read. `by_day` gives the values of a parameter as a table.

    Definitions and decisions are asked for their types, and typed then, so that they may stand in any order. A decision gives
    None where a part of it could not be read. `open` tells that a whole section could not be: any name may be one of its.
    `misread` has what is said of parameters that are texts by mistake; `elsewhere` says where else a name is one.
    `ids` numbers the nodes of the ruleset.
    """

    facts: Record
    parameters: Mapping[str, Type]
    readings: Mapping[str, tuple[str, ...]]
    definitions: Mapping[str, Callable[[], Known]]
    decisions: Mapping[str, Callable[[], Mapping[str, Known] | None]]
    tables: Mapping[str, LookupTable | None] = field(default_factory=dict)
    by_day: Callable[[str], LookupTable] = field(default=nothing_by_day, compare=False)
    open: bool = False
    misread: Mapping[str, Diagnostic] = field(default_factory=dict)
    elsewhere: Callable[[str], str | None] = nowhere
    ids: Iterator[int] = field(default_factory=count, compare=False, repr=False)

    def only(self, keep: Callable[[str], bool]) -> Scope:
        """The same without the parameters, tables, readings and definitions whose names are not to be kept."""
        tables = {
            "parameters": self.parameters,
            "readings": self.readings,
            "definitions": self.definitions,
            "tables": self.tables,
        }
        kept: dict[str, Any] = {key: {n: v for n, v in table.items() if keep(n)} for key, table in tables.items()}
        return replace(self, **kept)

    def names(self) -> list[str]:
        """Every name of the one namespace."""
        facts = [member.name for member in self.facts.members]
        return [*facts, *self.parameters, *self.tables, *self.definitions, *self.readings, "as_of", "true", "false"]

    def kind_of(self, name: str) -> str | None:
        """The kind of thing that a name refers to, None where there is no such name."""
        if member_of(self.facts, name):
            return "fact"
        kinds = {
            "parameter": self.parameters, "definition": self.definitions, "reading": self.readings, "table": self.tables,
        }  # fmt: skip
        return next((kind for kind, names in kinds.items() if name in names), None)

    def resolve(self, name: str, place: tree.Place) -> tree.Node | None:
        """The node of a name, None where there is no such name."""
        if name == "as_of":
            return tree.AsOf(type=DATE, optional=False, place=place)
        if name in ("true", "false"):
            return tree.Literal(type=BOOLEAN, optional=False, place=place, value=name == "true")
        member = member_of(self.facts, name)
        if member is not None:
            return tree.Fact(type=member.type, optional=not member.required, place=place, name=name)
        if name in self.parameters:
            return tree.Parameter(type=self.parameters[name], optional=False, place=place, name=name)
        if name in self.readings:
            kind_ = Text(self.readings[name]) if self.readings[name] else ANYTHING
            return tree.Reading(type=kind_, optional=False, place=place, name=name)
        if name in self.definitions:
            kind, optional = self.definitions[name]()
            return tree.Definition(type=kind, optional=optional, place=place, name=name)
        return tree.stand_in(place) if self.open else None
