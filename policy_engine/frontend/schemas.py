"""From a JSON Schema (2020-12) to types: the part of JSON Schema whose meaning is a closed, typed record."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from jsonschema import Draft202012Validator

from policy_engine.diagnostics import Diagnostic, did_you_mean, has_errors, say
from policy_engine.frontend import patterns
from policy_engine.frontend.nodes import MappingNode, Plain, ScalarNode, SequenceNode, YamlNode, plain
from policy_engine.frontend.reader import LARGEST_FILE, read_text
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import (
    ANYTHING,
    BOOLEAN,
    DATE,
    INSTANT,
    Anything,
    Date,
    Instant,
    ListOf,
    Member,
    Number,
    Record,
    Text,
    Type,
    decimal_places,
    fits,
    member_of,
)
from policy_engine.source import Span

NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = frozenset({"true", "false", "null", "unknown", "as_of", "decisions", "outcome"})
ANNOTATIONS = frozenset({"type", "title", "description", "examples", "$comment", "x-key", "x-sensitive"})
KEYWORDS: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems", "uniqueItems", "x-ordered-by"}),
    "string": frozenset({"enum", "const", "format", "pattern", "minLength", "maxLength"}),
    "integer": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "const"}),
    "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "const"}),
    "boolean": frozenset({"const"}),
}
AT_TOP = frozenset({"$schema", "$id", "$defs"})
DEEPEST = 8


@dataclass(slots=True)
class _Walk:
    path: str
    root: MappingNode
    faults: list[Diagnostic] = field(default_factory=list)

    def fault(self, code: str, node: YamlNode, pointer: str, **words: object) -> Anything:
        self.faults.append(say(code, node.span, words=words, pointer=pointer or "the top"))
        return ANYTHING


def is_name(name: str) -> bool:
    """Whether an expression could use the name."""
    return bool(NAME.fullmatch(name)) and not keyword.iskeyword(name) and name not in RESERVED


def read_schema(path: Path, name: str) -> tuple[FactsSchema | None, list[Diagnostic]]:
    """The facts' schema in a file, or its faults."""
    shown = str(path)
    try:
        content = path.read_bytes()
        if len(content) > LARGEST_FILE:
            return None, [say("file-too-large", Span(shown), size=len(content), limit=LARGEST_FILE)]
        text = content.decode("utf-8")
    except OSError as error:
        return None, [say("file-unreadable", Span(shown), why=error.strerror or type(error).__name__)]
    except UnicodeDecodeError:
        return None, [say("file-not-text", Span(shown))]
    return schema_of(text, shown, name)


def schema_of(text: str, path: str, name: str) -> tuple[FactsSchema | None, list[Diagnostic]]:
    """The facts' schema in a JSON text, or its faults."""
    try:
        document = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        return None, [
            say("schema-not-json", Span(path, line, getattr(error, "colno", 1)), why=getattr(error, "msg", str(error)))
        ]
    node, faults = read_text(text.replace("\t", " "), path)
    if not isinstance(node, MappingNode) or faults:
        return None, faults or [say("schema-type", Span(path), pointer="the top", types="object")]
    walk = _Walk(path, node)
    walk.faults.extend(_against_meta_schema(walk, document))
    if has_errors(walk.faults):
        return None, walk.faults
    record = _type(walk, node, "", (), 0)
    if has_errors(walk.faults) or not isinstance(record, Record):
        return None, walk.faults or [say("schema-type", node.span, pointer="the top", types="object")]
    return FactsSchema(name, record, text), walk.faults


def _against_meta_schema(walk: _Walk, document: object) -> Iterator[Diagnostic]:
    for error in Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(document):
        node = _node_at(walk.root, list(error.absolute_path))
        yield say("schema-invalid", node.span, pointer=_pointer(error.absolute_path), why=error.message)


def _pointer(path: Iterable[str | int]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path) or "the top"


def _node_at(node: YamlNode, path: list[str | int]) -> YamlNode:
    for part in path:
        child: YamlNode | None = None
        if isinstance(node, MappingNode):
            child = node.get(str(part))
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            child = node.items[part]
        if child is None:
            return node
        node = child
    return node


def _type(walk: _Walk, node: YamlNode, pointer: str, path: tuple[str, ...], depth: int) -> Type:
    if not isinstance(node, MappingNode):
        return walk.fault("schema-type", node, pointer, types=", ".join(KEYWORDS))
    if depth > DEEPEST:
        return walk.fault("schema-recursive", node, pointer, reference="a deep nesting")
    if node.get("$ref") is not None:
        return _reference(walk, node, pointer, path, depth)
    kind = _text(node, "type")
    if isinstance(node.get("type"), SequenceNode):
        return walk.fault("schema-null", node, pointer)
    if kind is None or kind not in KEYWORDS:
        return walk.fault("schema-type", node, pointer, types=", ".join(KEYWORDS))
    _check_keywords(walk, node, kind, pointer)
    match kind:
        case "object":
            return _record(walk, node, pointer, path, depth)
        case "array":
            return _list(walk, node, pointer, path, depth)
        case "string":
            return _string(walk, node, pointer)
        case "boolean":
            return BOOLEAN
        case _:
            return _number(walk, node, kind, pointer)


def _check_keywords(walk: _Walk, node: MappingNode, kind: str, pointer: str) -> None:
    allowed = KEYWORDS[kind] | ANNOTATIONS | (AT_TOP if not pointer else frozenset())
    for key, _ in node.entries:
        if key.value not in allowed:
            supported = (
                did_you_mean(key.value, allowed)
                or f"with the type {kind} there are {', '.join(sorted(KEYWORDS[kind]))}"
            )
            walk.faults.append(
                say("schema-keyword", key.span, pointer=pointer or "the top", keyword=key.value, supported=supported)
            )


def _reference(walk: _Walk, node: MappingNode, pointer: str, path: tuple[str, ...], depth: int) -> Type:
    reference = _text(node, "$ref") or ""
    name = reference.removeprefix("#/$defs/")
    definitions = walk.root.get("$defs")
    target = definitions.get(name) if isinstance(definitions, MappingNode) else None
    if name == reference or target is None:
        return walk.fault("schema-reference", node, pointer, reference=reference)
    for key, _ in node.entries:
        if key.value not in ANNOTATIONS | {"$ref"}:
            walk.fault("schema-keyword", node, pointer, keyword=key.value, supported="beside `$ref` only annotations")
    return _type(walk, target, f"/$defs/{name}", path, depth + 1)


def _record(walk: _Walk, node: MappingNode, pointer: str, path: tuple[str, ...], depth: int) -> Type:
    closed = node.get("additionalProperties")
    if not (isinstance(closed, ScalarNode) and closed.text.value == "false"):
        walk.fault("schema-open", node, pointer)
    properties = node.get("properties")
    entries = properties.entries if isinstance(properties, MappingNode) else ()
    required = _texts(node, "required")
    members = []
    for name, child in entries:
        where = f"{pointer}/properties/{name.value}"
        if not is_name(name.value):
            walk.faults.append(say("schema-name", name.span, pointer=where, name=name.value))
        kind = _type(walk, child, where, (*path, name.value), depth + 1)
        members.append(_member(name.value, kind, child, required))
    for name_ in required:
        if not any(member.name == name_ for member in members):
            walk.fault(
                "schema-keyword", node, pointer, keyword=f"required: {name_}", supported="it has no such property"
            )
    return Record(tuple(members), ".".join(path))


def _member(name: str, kind: Type, node: YamlNode, required: tuple[str, ...]) -> Member:
    member = Member(name, kind, name in required)
    if not isinstance(node, MappingNode):
        return member
    return replace(
        member,
        description=_text(node, "description") or "",
        key=_text(node, "x-key") == "true",
        sensitive=_text(node, "x-sensitive") == "true",
        ordered_by=_text(node, "x-ordered-by"),
    )


def _list(walk: _Walk, node: MappingNode, pointer: str, path: tuple[str, ...], depth: int) -> Type:
    items = node.get("items")
    if items is None:
        return walk.fault("schema-type", node, f"{pointer}/items", types=", ".join(KEYWORDS))
    element = _type(walk, items, f"{pointer}/items", path, depth + 1)
    order = _text(node, "x-ordered-by")
    if order is not None:
        member = member_of(element, order) if isinstance(element, Record) else None
        sortable = member is not None and member.required and isinstance(member.type, Date | Instant | Number)
        if not sortable:
            walk.fault("schema-order", node, pointer)
    most = _value(node, "maxItems")
    return ListOf(element, most if isinstance(most, int) else None)


def _string(walk: _Walk, node: MappingNode, pointer: str) -> Type:
    form = _text(node, "format")
    if form is not None:
        kinds: Mapping[str, Type] = {"date": DATE, "date-time": INSTANT}
        return kinds[form] if form in kinds else walk.fault("schema-format", node, pointer, format=form)
    pattern = _text(node, "pattern")
    fault = patterns.fault_of(pattern) if pattern is not None else None
    if fault is not None:
        return walk.fault("schema-pattern", node, pointer, pattern=pattern, why=fault[0], hint=fault[1])
    values = _closed_set(node)
    if values is None:
        return Text()
    texts = tuple(value for value in values if isinstance(value, str))
    return Text(texts) if len(set(texts)) == len(values) else walk.fault("schema-enum", node, pointer)


def _number(walk: _Walk, node: MappingNode, kind: str, pointer: str) -> Type:
    listed = [Decimal(value) for value in _closed_set(node) or () if isinstance(value, int | Decimal)]
    low = min(listed) if listed else _bound(node, "minimum", "exclusiveMinimum")
    high = max(listed) if listed else _bound(node, "maximum", "exclusiveMaximum")
    step = _value(node, "multipleOf")
    if kind == "number" and step is None:
        return walk.fault("schema-places", node, pointer)
    places = decimal_places(step) if isinstance(step, Decimal) and kind == "number" else 0
    if low is None or high is None:
        return walk.fault("schema-bounds", node, pointer)
    units = Number(places, _units(low, places, up=True), _units(high, places, up=False))
    return units if fits(units) else walk.fault("schema-bounds", node, pointer)


def _units(bound: Decimal, places: int, *, up: bool) -> int:
    scaled = bound.scaleb(places)
    whole = int(scaled)
    if whole == scaled:
        return whole
    return whole + (scaled > 0) if up else whole - (scaled < 0)


def _bound(node: MappingNode, *names: str) -> Decimal | None:
    for name in names:
        value = _value(node, name)
        if isinstance(value, int | Decimal):
            return Decimal(value)
    return None


def _closed_set(node: MappingNode) -> list[Plain] | None:
    """The values that `enum` or `const` allows, None where there is neither."""
    listed = _value(node, "enum")
    if isinstance(listed, list):
        return listed
    return None if node.get("const") is None else [_value(node, "const")]


def _value(node: MappingNode, key: str) -> Plain:
    found = node.get(key)
    return None if found is None else plain(found)


def _text(node: MappingNode, key: str) -> str | None:
    found = node.get(key)
    return found.text.value if isinstance(found, ScalarNode) else None


def _texts(node: MappingNode, key: str) -> tuple[str, ...]:
    found = node.get(key)
    if not isinstance(found, SequenceNode):
        return ()
    return tuple(item.text.value for item in found.items if isinstance(item, ScalarNode))
