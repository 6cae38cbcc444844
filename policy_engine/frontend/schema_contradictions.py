"""Contradictions in a schema: bounds that no value satisfies, and listed values that another keyword forbids."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.nodes import MappingNode, Plain, SequenceNode, plain
from policy_engine.frontend import patterns
from policy_engine.language.date_texts import LOCAL_FORMAT, format_of, read_formatted
from policy_engine.language.text_patterns import matcher

LENGTHS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"date": (10, 10), "date-time": (20, 32), LOCAL_FORMAT: (19, 32), "time": (5, 15)}
)
"""How many characters the texts of a format have, at least and at most."""
COUNTED = {"string": ("minLength", "maxLength"), "array": ("minItems", "maxItems")}
RANGED = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf")
BREAKS: Mapping[str, Callable[[Fraction, Fraction], bool]] = MappingProxyType(
    {
        "minimum": operator.lt,
        "exclusiveMinimum": operator.le,
        "maximum": operator.gt,
        "exclusiveMaximum": operator.ge,
        "multipleOf": lambda value, step: value % step != 0,
        "minLength": operator.lt,
        "maxLength": operator.gt,
    }
)
WORDS = {"string": "text", "array": "list"}


def contradictions(node: MappingNode, kind: str, pointer: str) -> Iterator[Diagnostic]:
    """What contradicts itself in a part of a schema whose keywords are each well formed."""
    bounds = {key.value: plain(value) for key, value in node.entries}
    clash = _no_length(kind, bounds) if kind in COUNTED else _no_number(kind, bounds)
    if clash:
        told = [f"`{name}` {bounds[name]}" for name in clash]
        last = max((node.key_span(name) for name in clash), key=lambda span: (span.line, span.column))
        why = f"no {WORDS.get(kind, kind)} satisfies {', '.join(told[:-1])} and {told[-1]} together"
        yield say("schema-contradiction", last, pointer=pointer or "the top", why=why)
    yield from _forbidden(node, kind, bounds, pointer)


def _no_number(kind: str, bounds: Mapping[str, Plain]) -> list[str]:
    """The bounds between which there is no number."""
    exact = {name: Fraction(value) for name in RANGED if isinstance(value := bounds.get(name), int | Decimal)}
    step = exact.get("multipleOf", Fraction(1))
    step = Fraction(step.numerator) if kind == "integer" else step
    lowest = _tightest(exact, step, "minimum", "exclusiveMinimum", 1)
    highest = _tightest(exact, step, "maximum", "exclusiveMaximum", -1)
    return list(exact) if lowest is not None and highest is not None and lowest > highest else []


def _tightest(exact: Mapping[str, Fraction], step: Fraction, plain: str, exclusive: str, way: int) -> int | None:
    """The first number that bounds allow, in steps, going up (1) from below or down (-1) from above."""
    to_step: Callable[[Fraction], int] = ceil if way > 0 else floor
    found = [to_step(exact[plain] / step)] if plain in exact else []
    if exclusive in exact:
        least = to_step(exact[exclusive] / step)
        found.append(least + way if least * step == exact[exclusive] else least)
    return max(found, key=lambda steps: steps * way, default=None)


def _no_length(kind: str, bounds: Mapping[str, Plain]) -> list[str]:
    """The keywords by which the least length is greater than the greatest."""
    formed = LENGTHS.get(format_of(bounds) or "")
    names = [name for name in COUNTED[kind] if name in bounds]
    least, most = (bounds.get(name) for name in COUNTED[kind])
    low = max([*([least] if isinstance(least, int) else []), formed[0] if formed else 0])
    high = min([*([most] if isinstance(most, int) else []), formed[1] if formed else low])
    return [*(["format"] if formed else []), *names] if names and low > high else []


def _forbidden(node: MappingNode, kind: str, bounds: Mapping[str, Plain], pointer: str) -> Iterator[Diagnostic]:
    """Values that are allowed by `enum` or `const`, and by another keyword are not."""
    enum, const = node.get("enum"), node.get("const")
    listed = [("`enum` lists", item) for item in enum.items] if isinstance(enum, SequenceNode) else []
    for says, item in [*listed, *([("`const` is", const)] if const is not None else [])]:
        value = plain(item)
        others = bounds.get("enum") if item is const else None
        unlisted = isinstance(others, list) and value not in others
        forbids = "`enum` does not list" if unlisted else _forbidding(value, kind, bounds)
        if forbids is not None:
            shown = f'"{shown_text(value, 40)}"' if isinstance(value, str) else value
            why = f"{says} {shown}, which {forbids}"
            yield say("schema-contradiction", item.span, pointer=pointer or "the top", why=why)


def _forbidding(value: Plain, kind: str, bounds: Mapping[str, Plain]) -> str | None:
    """What forbids a listed value, None where nothing does; values of another type are reported elsewhere."""
    if kind in ("integer", "number") and isinstance(value, int | Decimal) and not isinstance(value, bool):
        whole = kind == "number" or Fraction(value).denominator == 1
        return _broken_bound(Fraction(value), bounds) if whole else "is no integer"
    if kind != "string" or not isinstance(value, str):
        return None
    pattern, form = bounds.get("pattern"), format_of(bounds)
    if isinstance(pattern, str) and patterns.fault_of(pattern) is None and not matcher(pattern)(value):
        return f"`pattern` {pattern} forbids"
    if form is not None and form in LENGTHS and not _is_formed(value, form):
        return f"`format` {bounds['format']} forbids"
    return _broken_bound(Fraction(len(value)), bounds)


def _is_formed(value: str, form: str) -> bool:
    """Whether a text may be a date, an instant or a time."""
    try:
        return read_formatted(value, form) is not None
    except ValueError:
        return False


def _broken_bound(value: Fraction, bounds: Mapping[str, Plain]) -> str | None:
    """The first bound that a number, or the length of a text, breaks."""
    for name, breaks in BREAKS.items():
        bound = bounds.get(name)
        if isinstance(bound, int | Decimal) and breaks(value, Fraction(bound)):
            return f"`{name}` {bound} forbids"
    return None
