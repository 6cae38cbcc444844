"""Converting a JSON Schema (2020-12) to types; only schemas that describe a closed, typed record are supported."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from policy_engine.diagnostics import Diagnostic, did_you_mean, has_errors, say
from policy_engine.documents.json_reader import json_nodes
from policy_engine.documents.nodes import MappingNode, Plain, ScalarNode, SequenceNode, YamlNode, plain
from policy_engine.documents.yaml_reader import MOST_FAULTS, file_text
from policy_engine.fixes import Advice
from policy_engine.frontend import patterns
from policy_engine.frontend.fields import SNAKE
from policy_engine.frontend.schema_contradictions import contradictions
from policy_engine.frontend.schema_keywords import (
    KEYWORDS,
    OTHER_TYPES,
    TYPES,
    Steps,
    chain_of,
    closed_set,
    combining_faults,
    encoded_reference,
    is_marked,
    keyword_faults,
    node_at,
    reference_faults,
    text_of,
)
from policy_engine.frontend.schema_logging import ACCOUNT, account_faults, logged_as
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.schema_documents import steps_of
from policy_engine.language.types import (
    ANYTHING,
    BOOLEAN,
    DATE,
    INSTANT,
    TIME,
    Anything,
    Date,
    Instant,
    ListOf,
    Logged,
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

RESERVED = frozenset({"true", "false", "null", "unknown", "as_of", "decisions", "outcome"})
FORMATS: Mapping[str, Type] = {"date": DATE, "date-time": INSTANT, "time": TIME}
DEEPEST = 8
MOST_PENDING = 60
"""References that are followed one within another; so many levels there may not be, and Python's stack has its end."""
MOST_MEMBERS = 10_000
"""Members of a schema, with its references expanded."""


@dataclass(frozen=True, slots=True)
class _Typed:
    """A type whose records do not know yet where in the facts they stand; how many members it has, and how many levels."""

    type: Type
    members: int = 0
    height: int = 0


@dataclass(slots=True)
class _SchemaWalk:
    path: str
    root: MappingNode
    faults: list[Diagnostic] = field(default_factory=list)
    read: dict[Steps, _Typed] = field(default_factory=dict)
    """Parts that references lead to, each read once."""
    pending: set[Steps] = field(default_factory=set)

    def fault(
        self, code: str, node: YamlNode | Authored, pointer: str, instead: Advice | None = None, **words: object
    ) -> _Typed:
        """Report a fault; what stands there may be of any type."""
        self.faults.append(say(code, node.span, hint=instead, words=words, pointer=pointer or "the top"))
        return _Typed(ANYTHING)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the schema a type stands, and how many levels down in the facts."""

    pointer: str = ""
    depth: int = 0

    def below(self, pointer: str) -> _Place:
        return _Place(f"{self.pointer}/{pointer}", self.depth + 1)


def is_name(name: str) -> bool:
    """Whether an expression could use the name."""
    return bool(SNAKE.fullmatch(name)) and not keyword.iskeyword(name) and name not in RESERVED


def read_schema(path: Path, name: str) -> tuple[FactsSchema | None, list[Diagnostic]]:
    """The facts' schema in a file, or its faults."""
    text, faults = file_text(path)
    return (None, faults) if faults else schema_of(text, str(path), name)


def schema_of(text: str, path: str, name: str) -> tuple[FactsSchema | None, list[Diagnostic]]:
    """The facts' schema in a JSON text, or its faults."""
    node, faults = json_nodes(text, path)
    if not isinstance(node, MappingNode) or faults:
        return None, faults or [say("schema-type", Span(path), pointer="the top", types="object")]
    walk = _SchemaWalk(path, node)
    part = _referred(walk, ())
    definitions = node.get("$defs")
    for unused, _ in definitions.entries if isinstance(definitions, MappingNode) else ():
        if len(walk.faults) < MOST_FAULTS:
            _referred(walk, ("$defs", unused.value))
    if part.members > MOST_MEMBERS:
        walk.fault("schema-too-big", node, "", limit=MOST_MEMBERS)
    if has_errors(walk.faults) or not isinstance(part.type, Record):
        return None, walk.faults or [say("schema-type", node.span, pointer="the top", types="object")]
    record = _marked(walk, node, part.type)
    walk.faults.extend(account_faults(record))
    if is_marked(walk.root, node, ACCOUNT):
        walk.fault("schema-account", node, "", instead="mark the fact that names it")
    return (None if has_errors(walk.faults) else FactsSchema(name, _placed(record, ""), text)), walk.faults


def _marked(walk: _SchemaWalk, node: YamlNode, record: Record) -> Record:
    """The facts with what is said of them as a whole."""
    sensitive, (log, _) = is_marked(walk.root, node, "x-sensitive"), logged_as(walk.root, node)
    members = (replace(member, sensitive=True) if sensitive else member for member in record.members)
    return replace(record, members=tuple(replace(m, log=log) if log is not Logged.KEEP else m for m in members))


def _type(walk: _SchemaWalk, node: YamlNode, place: _Place) -> _Typed:
    if not isinstance(node, MappingNode):
        return walk.fault("schema-type", node, place.pointer, types=TYPES)
    if place.depth > DEEPEST:
        return walk.fault("yaml-too-deep", node, place.pointer, limit=DEEPEST)
    reference = node.get("$ref")
    if reference is not None:
        return _reference(walk, node, reference, place)
    kind = _named_type(walk, node, place)
    if kind is None:
        return _Typed(ANYTHING)
    wrong = list(keyword_faults(node, kind, place.pointer)) or list(contradictions(node, kind, place.pointer))
    walk.faults.extend(wrong)
    match kind:
        case "object":
            return _record(walk, node, place)
        case "array":
            return _list(walk, node, place)
        case "boolean":
            return _Typed(BOOLEAN)
        case _ if any(fault.code == "schema-invalid" for fault in wrong):
            return _Typed(ANYTHING)
        case "string":
            return _string(walk, node, place.pointer)
        case _:
            return _number(walk, node, kind, place.pointer)


def _named_type(walk: _SchemaWalk, node: MappingNode, place: _Place) -> str | None:
    """The type that a schema names, None where that is none of ours, which is reported."""
    named = node.get("type")
    kind = named.text.value if isinstance(named, ScalarNode) else None
    if kind in KEYWORDS:
        return kind
    if isinstance(named, SequenceNode) and "null" not in map(plain, named.items):
        walk.fault("schema-type", named, place.pointer, types=TYPES, instead="a fact has one type")
    elif isinstance(named, SequenceNode):
        walk.fault("schema-null", named, place.pointer)
    elif named is None and (combined := combining_faults(node, place.pointer)):
        walk.faults.extend(combined)
    elif named is None or kind == "null":
        walk.fault("schema-type", node, place.pointer, types=TYPES)
    else:
        hint = OTHER_TYPES.get(kind or "") or did_you_mean(kind or "", KEYWORDS)
        why = f"`type` must be one of {TYPES}"
        walk.fault("schema-invalid", named, f"{place.pointer}/type", why=why, instead=hint)
    return None


def _referred(walk: _SchemaWalk, steps: Steps) -> _Typed:
    """The part of a schema that steps lead to, read once."""
    if steps not in walk.read:
        node = node_at(walk.root, steps)
        place = _Place("".join(f"/{_escaped(step)}" for step in steps))
        walk.pending.add(steps)
        walk.read[steps] = _Typed(ANYTHING) if node is None else _type(walk, node, place)
        walk.pending.discard(steps)
    return walk.read[steps]


def _reference(walk: _SchemaWalk, node: MappingNode, reference: YamlNode, place: _Place) -> _Typed:
    """The type of the part that a reference leads to."""
    walk.faults.extend(reference_faults(node, place.pointer))
    text = reference.text.value if isinstance(reference, ScalarNode) else ""
    steps = steps_of(text)
    target = node_at(walk.root, steps)
    if steps is None or target is None:
        hint = encoded_reference(walk.root, text)
        return walk.fault("schema-reference", reference, place.pointer, reference=text, instead=hint)
    if steps in walk.pending:
        return walk.fault("schema-recursive", reference, place.pointer, reference=text)
    if len(chain_of(walk.root, node)) > DEEPEST or len(walk.pending) > MOST_PENDING:
        return walk.fault("yaml-too-deep", reference, place.pointer, limit=DEEPEST)
    part = _referred(walk, steps)
    if place.depth + part.height > DEEPEST:
        return walk.fault("yaml-too-deep", reference, place.pointer, limit=DEEPEST)
    _same_type(walk, node, target, place)
    return part


def _same_type(walk: _SchemaWalk, node: MappingNode, target: MappingNode, place: _Place) -> None:
    """A type beside a reference holds as well."""
    beside, there = node.get("type"), text_of(chain_of(walk.root, target)[-1], "type")
    if beside is not None and there is not None and text_of(node, "type") != there:
        why = f"beside the reference stands another `type` than the `{there}` that it leads to"
        walk.fault("schema-contradiction", beside, f"{place.pointer}/type", why=why, instead="leave it out")


def _placed(record: Record, path: str) -> Record:
    """A record at its place in the facts, and all below it."""
    prefix = f"{path}." if path else ""
    return Record(tuple(replace(m, type=_type_at(m.type, prefix + m.name)) for m in record.members), path)


def _type_at(kind: Type, path: str) -> Type:
    if isinstance(kind, ListOf):
        return ListOf(_type_at(kind.element, path), kind.most)
    return _placed(kind, path) if isinstance(kind, Record) else kind


def _record(walk: _SchemaWalk, node: MappingNode, place: _Place) -> _Typed:
    closed = node.get("additionalProperties")
    if not (isinstance(closed, ScalarNode) and closed.text.value == "false"):
        walk.fault("schema-open", node, place.pointer)
    properties = node.get("properties")
    entries = properties.entries if isinstance(properties, MappingNode) else ()
    required = _texts(node, "required")
    members, parts = [], []
    for name, child in entries:
        where = place.below(f"properties/{_escaped(name.value)}")
        if not is_name(name.value):
            walk.fault("schema-name", name, where.pointer, name=name.value)
        parts.append(_type(walk, child, where))
        members.append(_member(walk, name, parts[-1].type, child, required))
    known = [member.name for member in members]
    for index, wanted in enumerate(required):
        if wanted.value not in known:
            why = f"there is no property `{wanted.value}`"
            hint = did_you_mean(wanted.value, known) or f"it has {', '.join(known)}"
            walk.fault("schema-invalid", wanted, f"{place.pointer}/required/{index}", why=why, instead=hint)
    count = len(parts) + sum(part.members for part in parts)
    return _Typed(Record(tuple(members)), count, 1 + max((part.height for part in parts), default=0))


def _escaped(name: str) -> str:
    """A name as a step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _member(walk: _SchemaWalk, name: Authored, kind: Type, node: YamlNode, required: tuple[Authored, ...]) -> Member:
    """A member; what its part of the schema does not say of it is said where the references lead."""
    chain = chain_of(walk.root, node)
    log, log_elements = logged_as(walk.root, node)

    def said(keyword: str) -> str | None:
        return next((found for part in chain if (found := text_of(part, keyword)) is not None), None)

    return Member(
        name.value,
        kind,
        any(name.value == wanted.value for wanted in required),
        description=said("description") or "",
        key=any(text_of(part, "x-key") == "true" for part in chain),
        sensitive=is_marked(walk.root, node, "x-sensitive"),
        report=any(text_of(part, "x-report") == "true" for part in chain),
        ordered_by=said("x-ordered-by"),
        unit=said("x-unit"),
        account=is_marked(walk.root, node, ACCOUNT),
        log=log,
        log_elements=log_elements,
        span=name.span,
    )


def _list(walk: _SchemaWalk, node: MappingNode, place: _Place) -> _Typed:
    items = node.get("items")
    if items is None:
        return walk.fault("schema-type", node, f"{place.pointer}/items", types=TYPES)
    part = _type(walk, items, place.below("items"))
    element = part.type
    order = node.get("x-ordered-by")
    if isinstance(order, ScalarNode) and not isinstance(element, Anything):
        member = member_of(element, order.text.value) if isinstance(element, Record) else None
        sortable = member is not None and member.required and isinstance(member.type, Date | Instant | Number)
        if not sortable:
            walk.fault("schema-order", order, place.pointer)
    if any(inner.get("x-ordered-by") is not None for inner in chain_of(walk.root, items)):
        supported = "only a list that is itself a property can be ordered"
        walk.fault("schema-keyword", items, place.pointer, keyword="x-ordered-by", instead=supported)
    most = _value(node, "maxItems")
    return _Typed(ListOf(element, most if isinstance(most, int) else None), part.members, part.height + 1)


def _string(walk: _SchemaWalk, node: MappingNode, pointer: str) -> _Typed:
    form, pattern = node.get("format"), node.get("pattern")
    if isinstance(pattern, ScalarNode) and (fault := patterns.fault_of(pattern.text.value)) is not None:
        words = {"pattern": pattern.text.value, "why": fault[0], "hint": fault[1]}
        walk.fault("schema-pattern", pattern, pointer, **words)
    if isinstance(form, ScalarNode):
        if form.text.value not in FORMATS:
            return walk.fault("schema-format", form, pointer, format=form.text.value)
        kind = FORMATS[form.text.value]
        return _Typed(Instant("UTC") if kind == INSTANT and text_of(node, "x-local") == "true" else kind)
    values = closed_set(node)
    if values is None:
        return _Typed(Text())
    listed = node.get("enum") or node.get("const") or node
    texts = tuple(value for value in values if isinstance(value, str))
    if not texts or len(set(texts)) != len(values):
        return walk.fault("schema-enum", listed, pointer)
    return _Typed(Text(texts))


def _number(walk: _SchemaWalk, node: MappingNode, kind: str, pointer: str) -> _Typed:
    values = closed_set(node)
    listed = [Decimal(value) for value in values or () if isinstance(value, int | Decimal) and value is not True]
    if values is not None and (not listed or len(set(listed)) != len(values)):
        key = "enum" if node.get("enum") is not None else "const"
        expected = "a list of different numbers" if key == "enum" else "a number"
        why = f"`{key}` must be {expected}"
        return walk.fault("schema-invalid", node.get(key) or node, f"{pointer}/{key}", why=why)
    low = min(listed) if listed else _bound(node, "minimum", "exclusiveMinimum")
    high = max(listed) if listed else _bound(node, "maximum", "exclusiveMaximum")
    step = _value(node, "multipleOf")
    if kind == "number" and step is None:
        return walk.fault("schema-places", node, pointer)
    places = decimal_places(step) if isinstance(step, Decimal) and kind == "number" else 0
    if low is None or high is None:
        return walk.fault("schema-bounds", node, pointer)
    units = Number(places, _units(low, places, up=True), _units(high, places, up=False))
    return _Typed(units) if fits(units) else walk.fault("schema-bounds", node, pointer)


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


def _texts(node: MappingNode, key: str) -> tuple[Authored, ...]:
    found = node.get(key)
    if not isinstance(found, SequenceNode):
        return ()
    return tuple(item.text for item in found.items if isinstance(item, ScalarNode))
