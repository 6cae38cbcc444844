"""Searches among known subjects or resources: all of them are decided at once, in columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from policy_engine.backends.columnar.dtypes import ROW
from policy_engine.backends.columnar.program import HOLDS
from policy_engine.backends.columnar.rows import table_of
from policy_engine.facts.validation import typed_value
from policy_engine.facts.violations import member_violations
from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import FactsSchema, Ruleset
from policy_engine.language.types import Member
from policy_engine.service.authzen.known_entities import KnownEntities
from policy_engine.service.authzen.permissions import RESOURCE, SUBJECT, Entities
from policy_engine.service.authzen.tenants import Granted, value_of

ID = "(id)"
"""The column of ids; no fact can have this name."""


@dataclass(frozen=True, slots=True)
class Given:
    """How one fact is given in a search: by a column of the searched table, and by a value in all rows that have none there."""

    member: Member
    by_column: bool
    value: Any
    is_valid: bool

    def in_all_rows(self, one: pl.DataFrame) -> pl.Expr:
        """The fact as a column; `one` has its value."""
        name = self.member.name
        value = pl.lit(one[name]).first()
        if not self.by_column:
            return value.alias(name)
        return pl.col(name) if self.value is None else pl.coalesce(pl.col(name), value).alias(name)

    def unfit(self) -> bool:
        """Whether rows without a value of their own would have an invalid one, or lack one that must be there."""
        return not self.is_valid or (self.member.required and self.value is None)


def permitted_ids(granted: Granted, side: str, entities: Entities, ruleset: Ruleset, day: date) -> list[str]:
    """The ids of the known subjects or resources that are permitted, in the order of their table.

    Of the searched entity itself `entities` has the type alone.
    """
    known = granted.entities(side, ruleset)
    if known is None or not granted.is_known(_other(side), entities, ruleset):
        return []
    program, name = granted.program(ruleset, day), granted.permission.name
    frame = _questions(known, list(_given(granted, side, entities, ruleset)), ruleset)
    if program.checks:
        frame = program.checked(frame).filter(HOLDS)
    answered = program.answered(frame, ("status", "outcome"), [name], also=[pl.col(ID)])
    is_decided = pl.col(f"{name}.status") == Status.DECIDED.value
    is_permitted = is_decided & (pl.col(f"{name}.outcome") == granted.permission.allow)
    return answered.filter(is_permitted).select(ID).collect(engine="streaming")[ID].to_list()


def _questions(known: KnownEntities, given: list[Given], ruleset: Ruleset) -> pl.LazyFrame:
    """The facts about each known entity, but for those about which a question would be invalid."""
    fixed = {each.member.name: each.value for each in given if each.is_valid and each.value is not None}
    one = table_of([fixed], ruleset)
    needed = [
        pl.col(each.member.name).is_not_null() if each.by_column else pl.lit(value=False)
        for each in given
        if each.unfit()
    ]
    rows = known.frame.filter(*needed).with_row_index(ROW, offset=1)
    return rows.select(ROW, pl.col(known.key).alias(ID), *(each.in_all_rows(one) for each in given)).lazy()


def _given(granted: Granted, side: str, entities: Entities, ruleset: Ruleset) -> Iterator[Given]:
    """For each fact of the ruleset how it is given."""
    permission, other = granted.permission, _other(side)
    rows = {other: granted.row(other, entities, ruleset)}
    searched = permission.from_table(side)
    for member in ruleset.facts.type.members:
        by_column, value = False, permission.constants.get(member.name)
        for origin in permission.facts.get(member.name, ()):
            if origin is searched.get(member.name):
                by_column = True
            elif (value := value_of(member.name, origin, entities, rows)) is not None:
                break
        yield Given(member, by_column, value, value is None or _is_valid(member, value, ruleset.facts))


def _is_valid(member: Member, value: Any, schema: FactsSchema) -> bool:
    try:
        return not member_violations(member.name, value, schema) and typed_value(value, member.type, member) is not None
    except ValueError:
        return False


def _other(side: str) -> str:
    return RESOURCE if side == SUBJECT else SUBJECT
