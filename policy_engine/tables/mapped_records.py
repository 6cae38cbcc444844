"""Records of JSON Lines under a mapping: their members as facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_engine.diagnostics import shown_text
from policy_engine.errors import Violation
from policy_engine.facts.plain import Json, escaped
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import member_of
from policy_engine.tables.cells import AS_FACTS, mapped_value, read_cell
from policy_engine.tables.mapping import TableMapping


@dataclass(frozen=True, slots=True)
class RecordMapper:
    """What a mapping makes of records."""

    facts: FactsSchema
    mapping: TableMapping

    def facts_of(self, record: Mapping[str, Json]) -> tuple[dict[str, Json], list[Violation]]:
        """A record in JSON types as facts, and what of it cannot be read."""
        found, unread = {}, []
        for name, text in self.mapping.constants.items():
            member = member_of(self.facts.type, name)
            assert member is not None, name
            found[name], _ = read_cell(member, AS_FACTS, text)
        for name, value in record.items():
            fact = self.mapping.columns.get(name, name)
            if fact is None or value is None:
                continue
            if fact in found:
                unread.append(self._twice(name, fact))
                continue
            member = member_of(self.facts.type, fact)
            found[fact], wrong = (
                (value, []) if member is None else mapped_value(member, self.mapping.style(fact), value)
            )
            unread += wrong
        return found, unread

    def sure_facts_of(self, record: Mapping[str, Json] | None) -> dict[str, Any] | None:
        """The facts of a record whose numbers are integers, or floats for their shortest form; None where that is not sure."""
        if record is None:
            return None
        found, unread = self.facts_of(record)
        sure = {name: _as_float(value) if isinstance(value, Decimal) else value for name, value in found.items()}
        return (
            None if unread or any(value is None and found[name] is not None for name, value in sure.items()) else sure
        )

    def _twice(self, name: str, fact: str) -> Violation:
        what = "a constant of the mapping file" if fact in self.mapping.constants else "given by another member too"
        message = f"`{shown_text(name)}` is the fact `{fact}`, which is {what}; map it to null"
        return Violation(f"/{escaped(fact)}", None, "mapping", "a fact once", message)


def _as_float(value: Decimal) -> float | None:
    """The float that stands for a decimal by its shortest form."""
    number = float(value)
    return number if Decimal(repr(number)) == value else None
