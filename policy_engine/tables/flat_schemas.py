"""Schemas by which tables are read whose lists are gathered: each element's members are facts of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.schema_documents import followed, parsed_schema
from policy_engine.language.types import Instant, ListOf, Member, Record, Text, Type, member_of
from policy_engine.tables.mapping import History, TableMapping


def zoned_schema(facts: FactsSchema, zones: Mapping[str, str]) -> FactsSchema:
    """The schema by which instants without an offset may be read, each in its time zone: `zones` has their IANA names by path."""
    if not zones:
        return facts
    root = parsed_schema(facts.document, zone=facts.zone)
    properties = _resolved(root["properties"], root)
    members = {member.name: member for member in facts.type.members}
    for path, zone in zones.items():
        name, _, below = path.removesuffix("[]").partition(".")
        parts = [properties[name], *([properties[name]["items"]] if below or path.endswith("[]") else [])]
        part = parts[-1]["properties"][below] if below else parts[-1]
        part["x-local"] = zone
        members[name] = replace(members[name], type=_in_zone(members[name].type, below, zone))
    return _schema(facts.name, members.values(), properties, root.get("required", ()))


def part_schema(facts: FactsSchema, names: Iterable[str], key: str) -> FactsSchema:
    """The schema of some facts alone, of which only the key must be there: one of them, or a text beside them."""
    root = parsed_schema(facts.document, zone=facts.zone)
    members = {name: member_of(facts.type, name) for name in names}
    found = {name: replace(member, key=name == key) for name, member in members.items() if member is not None}
    properties = {name: _resolved(root["properties"][name], root) for name in found}
    if key not in found:
        found[key] = Member(key, Text(), required=True, key=True)
        properties[key] = {"type": "string", "minLength": 1}
    return _schema(facts.name, found.values(), properties, [key])


def _in_zone(kind: Type, below: str, zone: str) -> Type:
    """A type whose instant, or that of the member of its records, is read in a time zone."""
    match kind:
        case ListOf(element=element):
            return replace(kind, element=_in_zone(element, below, zone))
        case Record(members=members):
            read = (replace(m, type=Instant(zone)) if m.name == below else m for m in members)
            return replace(kind, members=tuple(read))
    return Instant(zone)


def flat_name(fact: str, index: int, member: str) -> str:
    """The name of an element's member as a fact: its place in the facts, so that faults are told with it."""
    return f"{fact}/{index}/{member}".removesuffix("/")


def flat_schema(facts: FactsSchema, mapping: TableMapping) -> FactsSchema:
    """The schema without the facts that are gathered, and with the members that are gathered from columns."""
    root = parsed_schema(facts.document, zone=facts.zone)
    members = [member for member in facts.type.members if member.name not in mapping.gathered]
    properties = {member.name: _resolved(root["properties"][member.name], root) for member in members}
    for fact, items in mapping.lists.items():
        for index, item in enumerate(items):
            for name in (*item.columns, *item.constants):
                member, schema = _element_member(facts, root, fact, name)
                members.append(replace(member, name=flat_name(fact, index, name), required=False))
                properties[members[-1].name] = schema
    required = [name for name in root.get("required", ()) if name in properties]
    return _schema(facts.name, members, properties, required)


def flat_mapping(mapping: TableMapping) -> TableMapping:
    """The mapping of a table that is read by the flat schema."""
    columns, constants, styles = dict(mapping.columns), dict(mapping.constants), dict(mapping.styles)
    for fact, items in mapping.lists.items():
        for index, item in enumerate(items):
            for name, column in item.columns.items():
                columns[column] = flat_name(fact, index, name)
                styles[flat_name(fact, index, name)] = mapping.style(path_of(fact, name))
            constants |= {flat_name(fact, index, name): text for name, text in item.constants.items()}
    return replace(mapping, columns=columns, constants=constants, styles=styles)


def path_of(fact: str, member: str) -> str:
    """The path by which a mapping file names a member of a list's records, or its single values."""
    return f"{fact}.{member}" if member else f"{fact}[]"


def history_schema(facts: FactsSchema, fact: str, history: History) -> FactsSchema:
    """The schema of the rows of a history: the members of an element, or its one value by the name of the fact, and the key."""
    root = parsed_schema(facts.document, zone=facts.zone)
    element = _element(facts, fact)
    names = [member.name for member in element.members] if isinstance(element, Record) else [""]
    found = {name or fact: _element_member(facts, root, fact, name) for name in names}
    members = [replace(member, name=name, key=False) for name, (member, _) in found.items()]
    properties = {name: schema for name, (_, schema) in found.items()}
    key = member_of(facts.type, history.by)
    assert key is not None, history.by
    if key.name not in properties:
        members.append(key)
        properties[key.name] = _resolved(root["properties"][key.name], root)
    members = [replace(m, key=m.name == key.name, required=m.required or m.name == key.name) for m in members]
    return _schema(f"{facts.name}.{fact}", members, properties, [member.name for member in members if member.required])


def history_mapping(mapping: TableMapping, facts: FactsSchema, fact: str) -> TableMapping:
    """The mapping of the rows of a history."""
    history = mapping.histories[fact]
    element = _element(facts, fact)
    names = [member.name for member in element.members] if isinstance(element, Record) else [""]
    styles = {history.by: mapping.style(history.by)}
    styles |= {name or fact: mapping.style(path_of(fact, name)) for name in names}
    return TableMapping(history.columns, styles, mapping.absent, places=history.places, file=history.written)


def _element(facts: FactsSchema, fact: str) -> object:
    member = member_of(facts.type, fact)
    assert member is not None
    assert isinstance(member.type, ListOf), fact
    return member.type.element


def _element_member(
    facts: FactsSchema, root: Mapping[str, Any], fact: str, name: str
) -> tuple[Member, Mapping[str, Any]]:
    """A member of a list's records, or its one value, and its schema."""
    element, schema = _element(facts, fact), _resolved(root["properties"][fact], root)["items"]
    if not isinstance(element, Record):
        return Member(fact, element, required=True), schema  # type: ignore[arg-type]
    member = member_of(element, name)
    assert member is not None, name
    return member, schema["properties"][name]


def _resolved(schema: Any, root: Mapping[str, Any]) -> Any:
    """A part of a schema with what it refers to in place of references."""
    if isinstance(schema, dict):
        return {keyword: _resolved(part, root) for keyword, part in followed(schema, root).items()}
    return [_resolved(part, root) for part in schema] if isinstance(schema, list) else schema


def _schema(
    name: str, members: Iterable[Member], properties: Mapping[str, Any], required: Iterable[str]
) -> FactsSchema:
    document = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
    }
    return FactsSchema(name, Record(tuple(members)), json.dumps(document))
