"""Every place where the name of a fact stands in a schema, and in facts that are written out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from policy_engine.documents.json_reader import json_nodes
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Record, members_below, record_in
from policy_engine.lsp.symbols import Occurrence, Symbol, span_of
from policy_engine.source import Authored, Span

Found = Iterator[Occurrence]


def canonical_paths(facts: FactsSchema) -> Mapping[str, str]:
    """For each path of a schema the first path whose member stands at the same place: parts that are referred to have several."""
    first: dict[tuple[int, int], str] = {}
    paths = ((path, (member.span.line, member.span.column)) for path, member in members_below(facts.type))
    return {path: first.setdefault(place, path) for path, place in paths}


def schema_occurrences(path: str, facts: FactsSchema) -> Found:
    """Every name of a fact in the text of its schema; the schema itself has no name there, and stands at its beginning."""
    yield Occurrence(Symbol("schema", "", facts.name), Span(path), defines=True)
    node, _ = json_nodes(facts.document, path)
    places: dict[tuple[int, int], str] = {}
    for name, member in members_below(facts.type):
        places.setdefault((member.span.line, member.span.column), name)
    if node is not None:
        yield from _in_schema(node, facts, places)


def _in_schema(node: YamlNode, facts: FactsSchema, places: Mapping[tuple[int, int], str]) -> Found:
    match node:
        case MappingNode(entries=entries):
            yield from _properties(node, facts, places)
            for _, value in entries:
                yield from _in_schema(value, facts, places)
        case SequenceNode(items=items):
            for item in items:
                yield from _in_schema(item, facts, places)


def _properties(node: MappingNode, facts: FactsSchema, places: Mapping[tuple[int, int], str]) -> Found:
    """The properties of an object, those that it requires, and the member that its lists are ordered by."""
    properties, required = node.get("properties"), node.get("required")
    if not isinstance(properties, MappingNode):
        return
    paths: dict[str, str] = {}
    for key, value in properties.entries:
        path = places.get((key.span.line, key.span.column))
        if path is None:
            continue
        paths[key.value] = path
        yield Occurrence(Symbol("fact", facts.name, path), span_of(key), defines=True)
        yield from _ordered_by(value, path, facts)
    for item in required.items if isinstance(required, SequenceNode) else ():
        if isinstance(item, ScalarNode) and item.text.value in paths:
            yield Occurrence(Symbol("fact", facts.name, paths[item.text.value]), span_of(item.text))


def _ordered_by(node: YamlNode, path: str, facts: FactsSchema) -> Found:
    ordered = node.get("x-ordered-by") if isinstance(node, MappingNode) else None
    if isinstance(ordered, ScalarNode):
        member = f"{path}.{ordered.text.value}"
        canonical = canonical_paths(facts).get(member, member)
        yield Occurrence(Symbol("fact", facts.name, canonical), span_of(ordered.text))


def written_facts(node: YamlNode | None, schema: str, record: Record | None) -> Found:
    """The names of facts among the keys of facts that are written out, at any depth."""
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from written_facts(item, schema, record)
    if not isinstance(node, MappingNode) or record is None:
        return
    members = {member.name: member for member in record.members}
    for key, value in node.entries:
        if key.value in members:
            yield Occurrence(_member(schema, record, key.value), span_of(key))
            yield from written_facts(value, schema, record_in(members[key.value].type))


def path_occurrences(text: Authored, schema: str, record: Record) -> Found:
    """The names in a path of facts, such as `orders.amount`."""
    yield from _steps(text, text.value.split("."), 0, schema, record)


def pointer_occurrences(text: Authored, schema: str, record: Record) -> Found:
    """The names in a pointer into facts, such as `/orders/0/amount`."""
    yield from _steps(text, text.value.split("/")[1:], 1, schema, record)


def _steps(text: Authored, steps: Iterable[str], start: int, schema: str, record: Record) -> Found:
    """The names among steps, each a sign behind the last; the place of the first one in the text is given."""
    within: Record | None = record
    for step in steps:
        members = {member.name: member for member in within.members} if within is not None else {}
        if step in members and within is not None:
            yield Occurrence(_member(schema, within, step), text.part(start, start + len(step)))
            within = record_in(members[step].type)
        elif not step.isdigit():
            return
        start += len(step) + 1


def _member(schema: str, record: Record, name: str) -> Symbol:
    return Symbol("fact", schema, f"{record.path}.{name}" if record.path else name)
