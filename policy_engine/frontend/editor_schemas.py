"""JSON Schemas of rule files, test files and AuthZEN mappings for editors, generated from `shapes`.

Editors that know only older drafts ignore `dependentRequired` and `dependentSchemas`. `markdownDescription`,
`patternErrorMessage` and `errorMessage` are extensions of yaml-language-server.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from policy_engine.frontend import shapes
from policy_engine.frontend.authzen_shapes import AUTHZEN_MAPPING
from policy_engine.frontend.fields import KEBAB, SNAKE
from policy_engine.frontend.shapes import Either, Form, Key, Kind, MapOf, OneOf, SequenceOf, Shape
from policy_engine.language.calendars import OWN

Json: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES: Mapping[str, Shape] = MappingProxyType(
    {
        "ruleset.schema.json": shapes.RULESET,
        "ruleset_library.schema.json": shapes.LIBRARY,
        "ruleset_test.schema.json": shapes.TESTS,
        "authzen.schema.json": AUTHZEN_MAPPING,
    }
)
"""The schema files, and the shape of the files that each is for."""
WITH_CONDITIONS = (shapes.RULESET, shapes.LIBRARY)

SCALARS = ("string", "number", "boolean")
"""What YAML may take a text for; the engine reads all of them as they were written."""
ANSWER = "decision.schema.json"
CONDITION_PLACE = "#/$defs/condition"


def editor_schemas() -> dict[str, str]:
    """The text of each schema file, under the file's name."""
    return {name: f"{json.dumps(_document(shape), indent=2)}\n" for name, shape in FILES.items()}


def schema_files() -> dict[str, str]:
    """The schemas for editors, and that of an answer in JSON, which the package carries as a file."""
    answer = resources.files("policy_engine.language").joinpath(ANSWER).read_text("utf-8")
    return {**editor_schemas(), ANSWER: answer}


def stale_schemas(folder: Path) -> list[Path]:
    """The schema files of a folder that are not there, or not what they should be."""
    return [folder / name for name, text in schema_files().items() if _read(folder / name) != text]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8", "replace") if path.is_file() else None


def _document(shape: Shape) -> Json:
    document = {"$schema": DIALECT, **_shape(shape)}
    if shape in WITH_CONDITIONS:
        document["$defs"] = {"condition": _condition()}
    return document


def _shape(shape: Shape) -> Json:
    """A mapping with a fixed set of keys."""
    required = [key.name for key in shape.keys if key.required]
    needs = {key.name: list(key.needs) for key in shape.keys if key.needs}
    return {
        "title": shape.thing,
        "type": "object",
        "properties": {key.name: _key(key) for key in shape.keys},
        **({"required": required} if required else {}),
        **({"dependentRequired": needs} if needs else {}),
        **_alternatives(shape),
        "additionalProperties": False,
    }


def _alternatives(shape: Shape) -> Json:
    """Of which keys one must be there, and which exclude one another.

    Each alternative carries the whole sentence, for an editor may show any of them; of two keys the later is complained of.
    All this binds mappings alone, so that a form may be another type as well.
    """
    found: Json = {}
    keys, amount = (shape.one_of, "exactly one") if shape.one_of else (shape.some_of, "one")
    if keys:
        message = f"{shape.thing} needs {amount} of {', '.join(f'`{key}`' for key in keys)}"
        found["anyOf"] = [{"required": [key], "errorMessage": message} for key in keys]
    if shape.one_of:
        excluded = {key: shape.one_of[i + 1 :] for i, key in enumerate(shape.one_of[:-1])}
        found["dependentSchemas"] = {
            key: {"properties": dict.fromkeys(others, False), "errorMessage": message}
            for key, others in excluded.items()
        }
    return found


def _key(key: Key) -> Json:
    """What stands under a key, with the key's meaning."""
    form = _condition() if key.form is Kind.CONDITION else _form(key.form)
    needed = " (required)" if key.required else ""
    return {
        **form,
        "description": key.meaning,
        "markdownDescription": f"`{key.name}`{needed}: {key.meaning}",
    }


def _form(form: Form) -> Json:
    match form:
        case Shape():
            return _shape(form)
        case OneOf(words=words):
            return {"type": "string", "enum": list(words)}
        case SequenceOf():
            return _list(form)
        case MapOf():
            return _map(form)
        case Either(forms=forms):
            return _either(map(_form, forms))
        case Kind():
            return _kind(form)


def _list(form: SequenceOf) -> Json:
    length = {"minItems": form.least, "maxItems": form.most}
    return {
        "type": "array",
        "items": _form(form.items),
        **{keyword: bound for keyword, bound in length.items() if bound is not None},
    }


def _map(form: MapOf) -> Json:
    return {
        "type": "object",
        **({} if form.names is None else {"propertyNames": _pattern(form.names)}),
        **({"minProperties": 1, "maxProperties": 1} if form.single else {}),
        "additionalProperties": _form(form.values),
    }


def _either(schemas: Iterable[Json]) -> Json:
    """Forms of different types in one schema: each keyword but `enum` binds only values of its own type; no `oneOf` is needed."""
    merged: Json = {}
    types: list[str] = []
    for schema in schemas:
        types += [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        words = {"enum": schema["enum"]} if "enum" in schema else {}
        merged |= {"if": {"type": "string"}, "then": words} if words else schema
    return merged | {"type": types}


def _condition() -> Json:
    """An expression or a group; the conditions within the group are references."""
    return _either((_kind(Kind.EXPRESSION), _shape(shapes.GROUP)))


def _kind(kind: Kind) -> Json:
    match kind:
        case Kind.TEXT | Kind.EXPRESSION:
            return {"type": list(SCALARS), "pattern": r"\S", "patternErrorMessage": "this must not be empty"}
        case Kind.CONDITION:
            return {"$ref": CONDITION_PLACE}
        case Kind.CONSTANT:
            return {"type": [*SCALARS, "array"], "items": {"type": list(SCALARS)}}
        case Kind.SNAKE | Kind.DATE:
            return {"type": "string", **_pattern(kind)}
        case Kind.KEBAB:
            return {"type": ["string", "integer"], **_pattern(kind)}
        case Kind.FLAG:
            return {"type": "boolean"}
        case Kind.YEAR:
            return {"type": "integer", "minimum": 1700, "maximum": 2200}
        case Kind.CALENDAR:
            return {"type": "string", "examples": list(OWN), **_pattern(kind)}
        case Kind.ANYTHING:
            return {}


def _pattern(kind: Kind) -> Json:
    """How a name or a date is written, and what to say where it is not."""
    pattern, message = PATTERNS[kind]
    return {"pattern": f"^{pattern}$", "patternErrorMessage": message}


PATTERNS: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        Kind.SNAKE: (SNAKE.pattern, "a name has small letters, digits and underscores, and begins with a letter"),
        Kind.KEBAB: (KEBAB.pattern, "an id has small letters, digits and hyphens"),
        Kind.CALENDAR: (
            f"({'|'.join(OWN)}|[A-Z]{{2,4}}(-[A-Z0-9].*)?)",
            f"write a code such as DE, DE-BY or XETR, or one of {', '.join(OWN)}",
        ),
        Kind.DATE: ("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", "write the date as 2025-02-28"),
    }
)
