"""What changed of the facts: the keywords of their schema, at each place of the facts, wherever its references lead."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import getitem
from types import MappingProxyType
from typing import Any, NamedTuple

from policy_engine.analysis.changes.sides import Found, Sides, few, paired, quoted, sentence
from policy_engine.language.rule_changes import Effect, Kind, Wording
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.schema_documents import followed, steps_of

STRUCTURE = frozenset({"$ref", "$defs", "$id", "$schema", "properties", "items", "required"})
"""Keywords that say where parts stand; the parts themselves are compared."""
EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        "x-sensitive": Effect.REASON,
        **dict.fromkeys(("title", "description", "examples", "$comment"), Effect.NOTHING),
        **dict.fromkeys(("x-key", "x-report", "x-unit", "x-account", "x-log"), Effect.NOTHING),
    }
)
"""What keywords can alter; all others say which facts are valid, or how they are read."""


class Place(NamedTuple):
    """A place of the facts: its path, its keywords, and whether something must stand there."""

    path: str
    keywords: Mapping[str, Any]
    required: bool


def fact_changes(sides: Sides) -> Iterator[Found]:
    """What changed of the facts' schema; the order of its parts does not count, nor where they are defined."""
    old, new = (_places(side.facts) for side in (sides.old, sides.new))
    absent: list[str] = []
    for path, before, after in paired(old, new, lambda place: place.path):
        if before is not None and after is not None:
            yield from _keywords(sides, before, after)
        elif not any(path.startswith(above) for above in absent):
            only = before or after
            assert only is not None
            absent += (f"{path}.", f"{path}[]")
            yield _one_sided(sides, only, is_new=before is None)
    yield from _order(sides, old, new)


def _places(schema: FactsSchema) -> list[Place]:
    root = json.loads(schema.document)
    return [Place("", _own(root, root), required=True), *_below(root, root, "")]


def _below(part: Mapping[str, Any], root: Mapping[str, Any], path: str) -> Iterator[Place]:
    whole = followed(part, root)
    for name, member in whole.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield Place(here, _own(member, root), name in whole.get("required", ()))
        yield from _below(member, root, here)
    if "items" in whole:
        yield Place(f"{path}[]", _own(whole["items"], root), required=True)
        yield from _below(whole["items"], root, f"{path}[]")


def _own(part: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that hold at a place: those beside its references, and those where they lead."""
    found = dict(part)
    while "$ref" in part:
        part = reduce(getitem, steps_of(part["$ref"]) or (), root)
        found = {**part, **found}
    return {keyword: value for keyword, value in found.items() if keyword not in STRUCTURE}


def _what(path: str) -> str:
    """A place as sentences call it."""
    if path.endswith("[]"):
        return f"each element of {quoted(path.removesuffix('[]').replace('[]', ''))}"
    return f"the fact {quoted(path.replace('[]', ''))}" if path else "the facts as a whole"


def _one_sided(sides: Sides, place: Place, *, is_new: bool) -> Found:
    words = f"{place.keywords.get('type', 'object')}, {_presence(place)}"
    message = f"{sentence(_what(place.path))} is {'new' if is_new else 'gone'}: {words}."
    told = (None, Wording(words)) if is_new else (Wording(words), None)
    return Found(sides.change(Kind.FACT, place.path, Effect.ANSWER, message, *told))


def _presence(place: Place) -> str:
    return "must be given" if place.required else "may be left out"


def _keywords(sides: Sides, old: Place, new: Place) -> Iterator[Found]:
    what = _what(new.path)
    if old.required != new.required:
        message = "must be given; it could be left out" if new.required else "may be left out; it had to be given"
        words = [_presence(place) for place in (old, new)]
        yield _found(sides, new.path, Effect.ANSWER, f"{sentence(what)} {message}.", *words)
    for keyword in dict.fromkeys([*old.keywords, *new.keywords]):
        before, after = old.keywords.get(keyword), new.keywords.get(keyword)
        if _shape(before) != _shape(after):
            words = [_shown(before), _shown(after)]
            effect = EFFECTS.get(keyword, Effect.ANSWER)
            yield _found(sides, new.path, effect, _message(keyword, what, before, after), *words)


def _found(sides: Sides, path: str, effect: Effect, message: str, old: str, new: str) -> Found:
    return Found(sides.change(Kind.FACT, path, effect, message, Wording(old), Wording(new)))


def _message(keyword: str, what: str, old: Any, new: Any) -> str:
    if keyword == "enum" and isinstance(old, list) and isinstance(new, list):
        added, gone = [v for v in new if v not in old], [v for v in old if v not in new]
        told = [f"may be {few(map(_shown, added))} besides"] if added else []
        told += [f"may no longer be {few(map(_shown, gone))}"] if gone else []
        return f"{sentence(what)} {' and '.join(told)}."
    return f"The keyword {quoted(keyword)} of {what} is {_shown(new)}; it was {_shown(old)}."


def _shape(value: Any) -> object:
    """A value of a keyword, lists without their order; true is not 1."""
    if isinstance(value, list):
        return frozenset((type(item).__name__, str(item)) for item in value)
    return isinstance(value, bool), value


def _shown(value: Any) -> str:
    match value:
        case None:
            return "not given"
        case bool():
            return "true" if value else "false"
        case list():
            return few(map(_shown, value))
        case str():
            return f'"{value}"'
    return str(value)


def _order(sides: Sides, old: list[Place], new: list[Place]) -> Iterator[Found]:
    """The order of the facts, in which missing ones are told."""
    before, after = ([place.path for place in places] for places in (old, new))
    had, has = set(before), set(after)
    if [path for path in before if path in has] != [path for path in after if path in had]:
        message = "The facts stand in another order in their schema, in which missing facts are told."
        yield _found(sides, "", Effect.REASON, message, few(before[1:]), few(after[1:]))
