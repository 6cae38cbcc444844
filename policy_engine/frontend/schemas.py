"""From a JSON Schema (2020-12) to types: the part of JSON Schema whose meaning is a closed, typed record."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from policy_engine.diagnostics import Diagnostic, did_you_mean, has_errors, say, shown_text
from policy_engine.frontend import patterns
from policy_engine.frontend.json_faults import json_fault
from policy_engine.frontend.nodes import MappingNode, Plain, ScalarNode, SequenceNode, YamlNode, is_huge, plain
from policy_engine.frontend.reader import LARGEST_FILE, read_text
from policy_engine.frontend.schema_keywords import (
    ANNOTATIONS,
    KEYWORDS,
    TYPES,
    closed_set,
    is_text,
    keyword_faults,
    value_fault,
)
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
from policy_engine.source import Authored, Span

NAME = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = frozenset({"true", "false", "null", "unknown", "as_of", "decisions", "outcome"})
FORMATS: Mapping[str, Type] = {"date": DATE, "date-time": INSTANT}
DEFINITION = "#/$defs/"
DEEPEST = 8
MOST_MEMBERS = 10_000
"""Members that references may write out to, all together."""


@dataclass(frozen=True, slots=True)
class _Definition:
    """A type of `$defs`, its record's paths still relative; how many members it has, and how many levels."""

    type: Type
    members: int
    height: int


@dataclass(slots=True)
class _Walk:
    path: str
    root: MappingNode
    faults: list[Diagnostic] = field(default_factory=list)
    read: dict[str, _Definition] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    members: int = 0

    def fault(self, code: str, node: YamlNode | Authored, pointer: str, **words: object) -> Anything:
        hint = words.pop("hint_", None)
        advice = str(hint) if hint is not None else None
        self.faults.append(say(code, node.span, hint=advice, words=words, pointer=pointer or "the top"))
        return ANYTHING


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the schema (`pointer`) and where in the facts (`path`) a type stands, and how many levels down."""

    pointer: str = ""
    path: tuple[str, ...] = ()
    depth: int = 0

    def below(self, pointer: str, name: str | None = None) -> _Place:
        path = self.path if name is None else (*self.path, name)
        return _Place(f"{self.pointer}/{pointer}", path, self.depth + 1)


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
    fault = json_fault(text)
    if fault is not None:
        return None, [say("schema-not-json", Span(path, fault.line, fault.column), why=fault.why)]
    node, faults = read_text(text.replace("\t", " "), path)
    if not isinstance(node, MappingNode) or faults:
        return None, faults or [say("schema-type", Span(path), pointer="the top", types="object")]
    faults = list(_huge_numbers(node))
    if faults:
        return None, faults
    walk = _Walk(path, node)
    record = _type(walk, node, _Place())
    for unused in _definitions(walk):
        _definition(walk, unused)
    if has_errors(walk.faults) or not isinstance(record, Record):
        return None, walk.faults or [say("schema-type", node.span, pointer="the top", types="object")]
    return FactsSchema(name, record, text), walk.faults


def _huge_numbers(node: YamlNode) -> Iterator[Diagnostic]:
    """Numbers so long that nobody could mean them, found before anything reckons with them."""
    match node:
        case ScalarNode(text=text) if is_huge(text):
            what = f"`{shown_text(text.value, 40)}` has"
            yield say("too-many-digits", text.span, hint="write fewer digits", what=what)
        case SequenceNode(items=items):
            for item in items:
                yield from _huge_numbers(item)
        case MappingNode(entries=entries):
            for _, value in entries:
                yield from _huge_numbers(value)


def _type(walk: _Walk, node: YamlNode, place: _Place) -> Type:
    if not isinstance(node, MappingNode):
        return walk.fault("schema-type", node, place.pointer, types=TYPES)
    if place.depth > DEEPEST:
        return walk.fault("yaml-too-deep", node, place.pointer, limit=DEEPEST)
    reference = node.get("$ref")
    if reference is not None:
        return _reference(walk, node, reference, place)
    kind = _named_type(walk, node, place)
    if kind is None:
        return ANYTHING
    wrong = list(keyword_faults(node, kind, place.pointer))
    walk.faults.extend(wrong)
    match kind:
        case "object":
            return _record(walk, node, place)
        case "array":
            return _list(walk, node, place)
        case "boolean":
            return BOOLEAN
        case _ if any(fault.code == "schema-invalid" for fault in wrong):
            return ANYTHING
        case "string":
            return _string(walk, node, place.pointer)
        case _:
            return _number(walk, node, kind, place.pointer)


def _named_type(walk: _Walk, node: MappingNode, place: _Place) -> str | None:
    """The type that a schema names, None where that is none of ours, which is reported."""
    named = node.get("type")
    kind = named.text.value if isinstance(named, ScalarNode) else None
    if kind in KEYWORDS:
        return kind
    if isinstance(named, SequenceNode) and "null" not in map(plain, named.items):
        walk.fault("schema-type", named, place.pointer, types=TYPES, hint_="a fact has one type")
    elif isinstance(named, SequenceNode):
        walk.fault("schema-null", named, place.pointer)
    elif named is None or kind == "null":
        walk.fault("schema-type", node, place.pointer, types=TYPES)
    else:
        hint, why = did_you_mean(kind or "", KEYWORDS), f"`type` must be one of {TYPES}"
        walk.fault("schema-invalid", named, f"{place.pointer}/type", why=why, hint_=hint)
    return None


def _definitions(walk: _Walk) -> tuple[str, ...]:
    node = walk.root.get("$defs")
    return tuple(name.value for name, _ in node.entries) if isinstance(node, MappingNode) else ()


def _definition(walk: _Walk, name: str) -> _Definition:
    """A definition's type, read once."""
    if name not in walk.read:
        definitions = walk.root.get("$defs")
        node = definitions.get(name) if isinstance(definitions, MappingNode) else None
        assert node is not None, "asked for by its name"
        walk.pending.add(name)
        kind = _type(walk, node, _Place(f"/$defs/{name}"))
        walk.pending.discard(name)
        walk.read[name] = _Definition(kind, *_measured(kind))
    return walk.read[name]


def _reference(walk: _Walk, node: MappingNode, reference: YamlNode, place: _Place) -> Type:
    """What a reference stands for, written out at its place in the facts."""
    text = reference.text.value if isinstance(reference, ScalarNode) else ""
    name = text.removeprefix(DEFINITION)
    for key, value in node.entries:
        if key.value not in ANNOTATIONS | {"$ref"}:
            beside = {"keyword": key.value, "supported": "beside `$ref` only annotations"}
            walk.fault("schema-keyword", key, place.pointer, **beside)
        elif (fault := value_fault(key.value, value, place.pointer)) is not None:
            walk.faults.append(fault)
    if not text.startswith(DEFINITION) or name not in _definitions(walk):
        return walk.fault("schema-reference", reference, place.pointer, reference=text)
    if name in walk.pending:
        return walk.fault("schema-recursive", reference, place.pointer, reference=text)
    found = _definition(walk, name)
    if place.depth + found.height > DEEPEST:
        return walk.fault("yaml-too-deep", reference, place.pointer, limit=DEEPEST)
    told = walk.members > MOST_MEMBERS
    walk.members += found.members
    if walk.members > MOST_MEMBERS:
        return ANYTHING if told else walk.fault("schema-too-big", reference, place.pointer, limit=MOST_MEMBERS)
    return _at(found.type, place.path)


def _measured(kind: Type) -> tuple[int, int]:
    """How many members a type has, and how many levels."""
    match kind:
        case Record(members=members):
            below = [_measured(member.type) for member in members]
            return len(members) + sum(count for count, _ in below), 1 + max((height for _, height in below), default=0)
        case ListOf(element=element):
            count, height = _measured(element)
            return count, height + 1
        case _:
            return 0, 0


def _at(kind: Type, path: tuple[str, ...]) -> Type:
    """A type that was read by itself, at a place in the facts."""
    match kind:
        case Record(members=members, path=own):
            placed = tuple(replace(member, type=_at(member.type, path)) for member in members)
            return Record(placed, ".".join((*path, own) if own else path))
        case ListOf(element=element, most=most):
            return ListOf(_at(element, path), most)
        case _:
            return kind


def _record(walk: _Walk, node: MappingNode, place: _Place) -> Type:
    closed = node.get("additionalProperties")
    if not (isinstance(closed, ScalarNode) and closed.text.value == "false"):
        walk.fault("schema-open", node, place.pointer)
    properties = node.get("properties")
    entries = properties.entries if isinstance(properties, MappingNode) else ()
    required = _texts(node, "required")
    members = []
    for name, child in entries:
        where = place.below(f"properties/{_escaped(name.value)}", name.value)
        if not is_name(name.value):
            walk.fault("schema-name", name, where.pointer, name=name.value)
        members.append(_member(name, _type(walk, child, where), child, required))
    known = [member.name for member in members]
    for index, wanted in enumerate(required):
        if wanted.value not in known:
            why = f"there is no property `{wanted.value}`"
            hint = did_you_mean(wanted.value, known) or f"it has {', '.join(known)}"
            walk.fault("schema-invalid", wanted, f"{place.pointer}/required/{index}", why=why, hint_=hint)
    return Record(tuple(members), ".".join(place.path))


def _escaped(name: str) -> str:
    """A name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _member(name: Authored, kind: Type, node: YamlNode, required: tuple[Authored, ...]) -> Member:
    member = Member(name.value, kind, any(name.value == wanted.value for wanted in required), span=name.span)
    if not isinstance(node, MappingNode):
        return member
    return replace(
        member,
        description=_text(node, "description") or "",
        key=_text(node, "x-key") == "true",
        sensitive=_text(node, "x-sensitive") == "true",
        report=_text(node, "x-report") == "true",
        ordered_by=_text(node, "x-ordered-by"),
    )


def _list(walk: _Walk, node: MappingNode, place: _Place) -> Type:
    items = node.get("items")
    if items is None:
        return walk.fault("schema-type", node, f"{place.pointer}/items", types=TYPES)
    element = _type(walk, items, place.below("items"))
    order = node.get("x-ordered-by")
    if isinstance(order, ScalarNode) and not isinstance(element, Anything):
        member = member_of(element, order.text.value) if isinstance(element, Record) else None
        sortable = member is not None and member.required and isinstance(member.type, Date | Instant | Number)
        if not sortable:
            walk.fault("schema-order", order, place.pointer)
    most = _value(node, "maxItems")
    return ListOf(element, most if isinstance(most, int) else None)


def _string(walk: _Walk, node: MappingNode, pointer: str) -> Type:
    form, pattern = node.get("format"), node.get("pattern")
    if isinstance(form, ScalarNode):
        known = FORMATS.get(form.text.value)
        return known if known is not None else walk.fault("schema-format", form, pointer, format=form.text.value)
    if isinstance(pattern, ScalarNode):
        fault = patterns.fault_of(pattern.text.value)
        if fault is not None:
            words = {"pattern": pattern.text.value, "why": fault[0], "hint": fault[1]}
            return walk.fault("schema-pattern", pattern, pointer, **words)
    values = closed_set(node)
    if values is None:
        return Text()
    listed = node.get("enum") or node.get("const") or node
    texts = tuple(value for value in values if isinstance(value, str))
    all_texts = all(map(is_text, listed.items)) if isinstance(listed, SequenceNode) else is_text(listed)
    if not texts or not all_texts or len(set(texts)) != len(values):
        return walk.fault("schema-enum", listed, pointer)
    return Text(texts)


def _number(walk: _Walk, node: MappingNode, kind: str, pointer: str) -> Type:
    values = closed_set(node)
    listed = [Decimal(value) for value in values or () if isinstance(value, int | Decimal) and value is not True]
    if values is not None and (not listed or len(set(listed)) != len(values)):
        key = "enum" if node.get("enum") is not None else "const"
        expected = "a list of different numbers" if key == "enum" else "a number"
        return walk.fault(
            "schema-invalid", node.get(key) or node, f"{pointer}/{key}", why=f"`{key}` must be {expected}"
        )
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


def _value(node: MappingNode, key: str) -> Plain:
    found = node.get(key)
    return None if found is None else plain(found)


def _text(node: MappingNode, key: str) -> str | None:
    found = node.get(key)
    return found.text.value if isinstance(found, ScalarNode) else None


def _texts(node: MappingNode, key: str) -> tuple[Authored, ...]:
    found = node.get(key)
    if not isinstance(found, SequenceNode):
        return ()
    return tuple(item.text for item in found.items if isinstance(item, ScalarNode))
