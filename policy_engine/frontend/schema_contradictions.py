"""Schemas that no value can satisfy, and values that a schema lists and forbids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from types import MappingProxyType
from typing import NamedTuple

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.nodes import MappingNode, Plain, SequenceNode, YamlNode, plain
from policy_engine.frontend import patterns
from policy_engine.language.text_patterns import matcher

LENGTHS: Mapping[str, tuple[int, int]] = MappingProxyType({"date": (10, 10), "date-time": (20, 32)})
"""How many characters the texts of a format have, at least and at most."""
COUNTED = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}
RANGED = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")
WORDS = {"string": "text", "array": "list"}


def contradictions(node: MappingNode, kind: str, pointer: str) -> Iterator[Diagnostic]:
    """What contradicts itself in a part of a schema whose keywords are each well formed."""
    bounds = {key.value: plain(value) for key, value in node.entries}
    if kind in ("integer", "number"):
        yield from _no_number(node, kind, bounds, pointer)
    elif kind in COUNTED:
        yield from _no_length(node, kind, bounds, pointer)
    yield from _forbidden(node, kind, bounds, pointer)


def _no_number(node: MappingNode, kind: str, bounds: Mapping[str, Plain], pointer: str) -> Iterator[Diagnostic]:
    """Bounds between which there is no number."""
    exact = {name: Fraction(value) for name in RANGED if isinstance(value := bounds.get(name), int | Decimal)}
    step = exact.get("multipleOf", Fraction(1))
    step = Fraction(step.numerator) if kind == "integer" else step
    lowest = _tightest(exact, step, "minimum", "exclusiveMinimum", 1)
    highest = _tightest(exact, step, "maximum", "exclusiveMaximum", -1)
    if lowest is not None and highest is not None and lowest > highest:
        yield _nothing_fits(node, kind, [name for name in RANGED if name in exact], pointer)


def _tightest(exact: Mapping[str, Fraction], step: Fraction, plain: str, exclusive: str, way: int) -> int | None:
    """The first number that bounds allow, in steps, going up (1) from below or down (-1) from above."""
    to_step: Callable[[Fraction], int] = ceil if way > 0 else floor
    found = [to_step(exact[plain] / step)] if plain in exact else []
    if exclusive in exact:
        least = to_step(exact[exclusive] / step)
        found.append(least + way if least * step == exact[exclusive] else least)
    return max(found, key=lambda steps: steps * way, default=None)


def _no_length(node: MappingNode, kind: str, bounds: Mapping[str, Plain], pointer: str) -> Iterator[Diagnostic]:
    """A least length over the greatest."""
    formed = LENGTHS.get(str(bounds.get("format")))
    names = [name for name in COUNTED[kind] if name in bounds]
    least, most = (bounds.get(name) for name in COUNTED[kind])
    low = max([*([least] if isinstance(least, int) else []), formed[0] if formed else 0])
    high = min([*([most] if isinstance(most, int) else []), formed[1] if formed else low])
    if names and low > high:
        yield _nothing_fits(node, WORDS[kind], [*(["format"] if formed else []), *names], pointer)


def _nothing_fits(node: MappingNode, what: str, names: list[str], pointer: str) -> Diagnostic:
    """Told at the last keyword that takes part."""
    told = [f"`{name}` {_shown(node, name)}" for name in names]
    last = max((node.key_span(name) for name in names), key=lambda span: (span.line, span.column))
    why = f"no {what} satisfies {', '.join(told[:-1])} and {told[-1]} together"
    return say("schema-contradiction", last, pointer=pointer or "the top", why=why)


def _shown(node: MappingNode, name: str) -> str:
    value = node.get(name)
    assert value is not None, "one of its keywords"
    return str(plain(value))


class _Listed(NamedTuple):
    """A value that `enum` or `const` allows, and where it stands."""

    keyword: str
    node: YamlNode

    @property
    def value(self) -> Plain:
        return plain(self.node)


def _listed(node: MappingNode) -> Iterator[_Listed]:
    listed, only = node.get("enum"), node.get("const")
    if isinstance(listed, SequenceNode):
        yield from (_Listed("enum", item) for item in listed.items)
    if only is not None:
        yield _Listed("const", only)


def _forbidden(node: MappingNode, kind: str, bounds: Mapping[str, Plain], pointer: str) -> Iterator[Diagnostic]:
    """Values that are allowed by `enum` or `const`, and by another keyword are not."""
    for listed in _listed(node):
        forbids = _forbidding(listed, kind, bounds)
        if forbids is not None:
            said = "lists" if listed.keyword == "enum" else "is"
            why = f"`{listed.keyword}` {said} {_in_quotes(listed.value)}, which {forbids}"
            yield say("schema-contradiction", listed.node.span, pointer=pointer or "the top", why=why)


def _in_quotes(value: Plain) -> str:
    return f'"{shown_text(value, 40)}"' if isinstance(value, str) else str(value)


def _forbidding(listed: _Listed, kind: str, bounds: Mapping[str, Plain]) -> str | None:
    """What forbids a listed value, None where nothing does; values of another type are told elsewhere."""
    value, others = listed.value, bounds.get("enum")
    if listed.keyword == "const" and isinstance(others, list) and value not in others:
        return "`enum` does not list"
    if kind in ("integer", "number") and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return _number_forbidden(Fraction(value), kind, bounds)
    return _text_forbidden(value, bounds) if kind == "string" and isinstance(value, str) else None


def _number_forbidden(value: Fraction, kind: str, bounds: Mapping[str, Plain]) -> str | None:
    if kind == "integer" and value.denominator != 1:
        return "is no integer"
    broken: Mapping[str, Callable[[Fraction], bool]] = {
        "minimum": lambda bound: value < bound,
        "exclusiveMinimum": lambda bound: value <= bound,
        "maximum": lambda bound: value > bound,
        "exclusiveMaximum": lambda bound: value >= bound,
        "multipleOf": lambda step: value % step != 0,
    }
    return _first_broken(broken, bounds)


def _text_forbidden(value: str, bounds: Mapping[str, Plain]) -> str | None:
    pattern, form = bounds.get("pattern"), str(bounds.get("format"))
    if isinstance(pattern, str) and patterns.fault_of(pattern) is None and not matcher(pattern)(value):
        return f"`pattern` {pattern} forbids"
    if form in LENGTHS and not _is_formed(value, form):
        return f"`format` {form} forbids"
    broken: Mapping[str, Callable[[Fraction], bool]] = {
        "minLength": lambda bound: len(value) < bound,
        "maxLength": lambda bound: len(value) > bound,
    }
    return _first_broken(broken, bounds)


def _is_formed(value: str, form: str) -> bool:
    """Whether a text may be a date or an instant; the days of the calendar are looked up."""
    least, most = LENGTHS[form]
    try:
        if form == "date":
            return least <= len(value) <= most and bool(date.fromisoformat(value))
        return least <= len(value) <= most and datetime.fromisoformat(value.upper()).tzinfo is not None
    except ValueError:
        return False


def _first_broken(broken: Mapping[str, Callable[[Fraction], bool]], bounds: Mapping[str, Plain]) -> str | None:
    for name, breaks in broken.items():
        bound = bounds.get(name)
        if isinstance(bound, int | Decimal) and breaks(Fraction(bound)):
            return f"`{name}` {bound} forbids"
    return None
