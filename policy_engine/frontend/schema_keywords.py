"""The keywords of JSON Schema that a facts' schema may use: with which type each goes, what it must be, where `$ref` leads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from policy_engine.diagnostics import Diagnostic, did_you_mean, say
from policy_engine.documents.nodes import MappingNode, Plain, ScalarNode, SequenceNode, YamlNode, plain
from policy_engine.fixes import Advice
from policy_engine.language.schema_documents import leads_to_schema, steps_of
from policy_engine.language.types import Logged
from policy_engine.source import Authored

RANGE = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "const", "x-unit"}
)
KEYWORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "object": frozenset({"properties", "required", "additionalProperties"}),
        "array": frozenset({"items", "minItems", "maxItems", "uniqueItems", "x-ordered-by"}),
        "string": frozenset({"enum", "const", "format", "pattern", "minLength", "maxLength", "x-local"}),
        "integer": RANGE,
        "number": RANGE,
        "boolean": frozenset({"const"}),
    }
)
MARKS = ("x-key", "x-report", "x-sensitive", "x-account")
"""Keywords that mark a fact, true or false."""
ANNOTATIONS = frozenset({"type", "title", "description", "examples", "$comment", "x-log", *MARKS})
BESIDE_REFERENCE = ANNOTATIONS | {"$ref", "x-unit"}
AT_TOP = frozenset({"$schema", "$id", "$defs"})
OUR_DRAFT = "https://json-schema.org/draft/2020-12/schema"
ONE_TYPE = "give the fact one `type`, and list in `enum` what it can be"
AS_CHECK = "write what must hold between facts as `checks` of the ruleset"
COMBINING: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("oneOf", "anyOf"), ONE_TYPE),
        "allOf": "write its keywords out in one place",
        **dict.fromkeys(("if", "then", "else", "not", "dependentRequired", "dependentSchemas"), AS_CHECK),
    }
)
"""Keywords that make one schema of several, and what to write instead."""
INSTEAD: Mapping[str, str] = MappingProxyType(
    {
        **COMBINING,
        "default": "leave it out, and write `default(fact, value)` in the rules",
        "x-unit": 'it goes with `"type": "integer"` and `"type": "number"`',
        "x-local": 'it goes with `"type": "string", "format": "date-time"`',
        "nullable": "leave the fact out of `required` instead",
        "definitions": "write `$defs`",
        **dict.fromkeys(("$anchor", "$dynamicRef", "$dynamicAnchor"), 'use `"$ref": "#/$defs/name"`'),
        **dict.fromkeys(
            ("patternProperties", "propertyNames", "unevaluatedProperties"), "name each fact in `properties`"
        ),
        **dict.fromkeys(("prefixItems", "contains", "additionalItems"), "describe all elements alike in `items`"),
    }
)
OTHER_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "time": 'write `"type": "string", "format": "time"`',
        "date": 'write `"type": "string", "format": "date"`',
        **dict.fromkeys(
            ("date-time", "datetime", "timestamp", "instant"), 'write `"type": "string", "format": "date-time"`'
        ),
        **dict.fromkeys(
            ("decimal", "float", "double", "money"),
            'write `"type": "number"`, with `"multipleOf": 0.01` for two places',
        ),
        "enum": 'write `"type": "string"`, and its values in `enum`',
        **dict.fromkeys(("str", "text"), 'write `"type": "string"`'),
        **dict.fromkeys(("int", "long"), 'write `"type": "integer"`'),
        "bool": 'write `"type": "boolean"`',
        **dict.fromkeys(("list", "set", "tuple"), 'write `"type": "array"`'),
        **dict.fromkeys(("dict", "map", "record", "struct"), 'write `"type": "object"`'),
    }
)
"""What others call their types, and how it is written here."""
ADDRESS = re.compile(r"[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+")
TYPES = ", ".join(KEYWORDS)
AS_THEY_ARE = "#/~!$&'()*+,;=:@?"
"""Signs that a reference may have beside letters and digits."""
Steps = tuple[str, ...]
MOST_LEVELS = 10
"""Levels of lists in lists that are looked into, and references to references; a schema may have fewer."""


def _is(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kind)


def _is_number(value: Plain) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_names(value: Plain) -> bool:
    names = value if isinstance(value, list) else [None]
    return all(isinstance(name, str) for name in names) and len({*map(str, names)}) == len(names)


MUST_BE: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (_is_number, "a number")),
        **dict.fromkeys(
            ("minItems", "maxItems", "minLength", "maxLength"),
            (lambda value: type(value) is int and value >= 0, "an integer that is not negative"),
        ),
        **dict.fromkeys(("uniqueItems", "x-local", *MARKS), (_is(bool), "true or false")),
        "x-log": (lambda value: value in list(Logged), f"one of {', '.join(Logged)}"),
        **dict.fromkeys(
            ("$ref", "$comment", "title", "description", "format", "pattern", "x-ordered-by"),
            (_is(str), "a text"),
        ),
        "x-unit": (lambda value: isinstance(value, str) and bool(value.strip()), "a unit in words"),
        "$id": (lambda value: isinstance(value, str) and bool(ADDRESS.fullmatch(value)), "an address"),
        "$schema": (
            lambda value: isinstance(value, str) and value.removesuffix("#") == OUR_DRAFT,
            f"{OUR_DRAFT}, the one draft that is read",
        ),
        **dict.fromkeys(("properties", "$defs"), (_is(dict), "an object")),
        "multipleOf": (lambda value: _is_number(value) and value > 0, "a number greater than 0"),
        "required": (_is_names, "a list of different names"),
        "examples": (_is(list), "a list"),
        "enum": (_is(list), "a list"),
    }
)
OF_TYPE: Mapping[tuple[str, str], tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {("boolean", "const"): (_is(bool), "true or false")}
)
"""What a keyword must be beside one type only."""


def keyword_faults(node: MappingNode, kind: str, pointer: str) -> Iterator[Diagnostic]:
    """Keywords that do not go with a type, or are not what they must be."""
    allowed = KEYWORDS[kind] | ANNOTATIONS | (AT_TOP if not pointer else frozenset())
    for key, value in node.entries:
        if key.value not in allowed:
            hint = INSTEAD.get(key.value) or did_you_mean(key.value, allowed)
            hint = hint or f"with the type {kind} there are {', '.join(sorted(KEYWORDS[kind]))}"
            yield _unsupported(key, pointer, hint)
        elif (fault := value_fault(key.value, value, pointer, kind)) is not None:
            yield fault
        elif key.value == "x-local" and text_of(node, "format") != "date-time":
            yield _unsupported(key, pointer, INSTEAD[key.value])


def combining_faults(node: MappingNode, pointer: str) -> list[Diagnostic]:
    """The keywords that make one schema of several, in a schema that names no type."""
    return [_unsupported(key, pointer, COMBINING[key.value]) for key, _ in node.entries if key.value in COMBINING]


def reference_faults(node: MappingNode, pointer: str) -> Iterator[Diagnostic]:
    """Keywords beside `$ref` that say more than what it refers to, or are not what they must be."""
    for key, value in node.entries:
        if key.value not in BESIDE_REFERENCE:
            yield _unsupported(key, pointer, "beside `$ref` only annotations")
        elif (fault := value_fault(key.value, value, pointer)) is not None:
            yield fault


def _unsupported(key: Authored, pointer: str, instead: Advice) -> Diagnostic:
    words = {"pointer": pointer or "the top", "keyword": key.value}
    return say("schema-keyword", key.span, hint=instead, words=words)


def value_fault(keyword: str, value: YamlNode, pointer: str, kind: str = "") -> Diagnostic | None:
    """What is wrong with the value of a keyword by itself, in a schema of some type."""
    fits, expected = OF_TYPE.get((kind, keyword)) or MUST_BE.get(keyword, (lambda node: True, ""))
    if fits(plain(value)):
        return None
    hint = (
        did_you_mean(value.text.value, list(Logged)) if keyword == "x-log" and isinstance(value, ScalarNode) else None
    )
    why = f"`{keyword}` must be {expected}"
    return say("schema-invalid", value.span, hint=hint, pointer=f"{pointer}/{keyword}", why=why)


def closed_set(node: MappingNode) -> list[Plain] | None:
    """The values that `enum` or `const` allows, None where there is neither."""
    listed, only = node.get("enum"), node.get("const")
    if isinstance(listed, SequenceNode):
        return [plain(item) for item in listed.items]
    return None if only is None else [plain(only)]


def text_of(node: MappingNode, key: str) -> str | None:
    """The text of a keyword, None where it is not there or is none."""
    found = node.get(key)
    return found.text.value if isinstance(found, ScalarNode) else None


def node_at(root: MappingNode, steps: Steps | None) -> MappingNode | None:
    """The part of a schema to which steps lead from the top, None where they lead to none."""
    if steps is None or not leads_to_schema(steps):
        return None
    node: YamlNode | None = root
    for step in steps:
        node = node.get(step) if isinstance(node, MappingNode) else None
    return node if isinstance(node, MappingNode) else None


def encoded_reference(root: MappingNode, reference: str) -> str | None:
    """How to write a reference that leads somewhere once its characters are encoded, None for any other."""
    encoded = quote(reference, safe=AS_THEY_ARE)
    leads = encoded != reference and node_at(root, steps_of(encoded)) is not None
    return f'write `"$ref": "{encoded}"`' if leads else None


def chain_of(root: MappingNode, node: YamlNode) -> list[MappingNode]:
    """A part of a schema, then what it refers to, and so on to the part that refers to nothing."""
    found: list[MappingNode] = []
    at: YamlNode | None = node
    while isinstance(at, MappingNode) and len(found) < MOST_LEVELS and all(at is not other for other in found):
        found.append(at)
        reference = text_of(at, "$ref")
        at = None if reference is None else node_at(root, steps_of(reference))
    return found


def is_marked(root: MappingNode, node: YamlNode, mark: str) -> bool:
    """Whether a part has a mark of `MARKS`: where it stands, where its references lead, or on the elements of a list."""
    at: YamlNode | None = node
    for _ in range(MOST_LEVELS):
        chain = chain_of(root, at) if at is not None else []
        if any(text_of(part, mark) == "true" for part in chain):
            return True
        at = chain[-1].get("items") if chain else None
    return False
