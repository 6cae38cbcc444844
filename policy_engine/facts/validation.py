"""From a caller's facts to valid, typed values: sentences 1 to 3 of the meaning. Facts are never changed."""

from __future__ import annotations

from collections.abc import Mapping

from policy_engine.errors import FactsError
from policy_engine.facts.foreign import Facts
from policy_engine.facts.plain import Json, to_json_types
from policy_engine.language.date_texts import read_date, read_instant, read_time
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Date, Instant, ListOf, Member, Number, Record, Time, Type
from policy_engine.language.values import RecordValue, Value, normalized


def valid_facts(facts: Facts, schema: FactsSchema) -> RecordValue:
    """The facts as typed values; raises `FactsError` with every violation."""
    plain, unfit = to_json_types(facts, schema.type)
    if unfit:
        raise FactsError(unfit)
    from policy_engine.facts.violations import violations_of  # noqa: PLC0415 - jsonschema is slow to import

    violations = violations_of(plain, schema)
    if violations:
        raise FactsError(violations)
    return _record(plain, schema.type)


def _record(value: Mapping[str, Json], kind: Record) -> RecordValue:
    return RecordValue(
        kind.path, {m.name: typed_value(value[m.name], m.type, m) for m in kind.members if m.name in value}
    )


def typed_value(value: Json, kind: Type, member: Member | None = None) -> Value:
    """The typed value of one that is valid but for the calendar; raises `ValueError` for a day that no calendar has."""
    match kind:
        case Date():
            return read_date(value)
        case Instant(zone=zone):
            return read_instant(value, zone)
        case Time():
            return read_time(value)
        case Number():
            return normalized(value, kind)
        case Record():
            return _record(value, kind)
        case ListOf(element=element):
            return _ordered([typed_value(item, element) for item in value], member.ordered_by if member else None)
        case _:
            return value  # type: ignore[no-any-return]  # a boolean or a text


def _ordered(items: list[Value], by: str | None) -> tuple[Value, ...]:
    """The items in the order the schema asks for, stably."""
    if by is None:
        return tuple(items)
    return tuple(sorted(items, key=lambda item: item.members[by]))  # type: ignore[union-attr,arg-type,return-value]
