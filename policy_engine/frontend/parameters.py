"""Parsing parameters (values or a calendar), and finding values that are texts by mistake, such as `1,000`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from itertools import chain
from types import MappingProxyType

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.nodes import (
    MappingNode,
    ScalarNode,
    SequenceNode,
    YamlNode,
    is_huge,
    plain_scalar,
    scalars,
)
from policy_engine.fixes import Edit, Fix, write
from policy_engine.frontend import shapes
from policy_engine.frontend.calendars import calendar_of
from policy_engine.frontend.fields import Fields, fields_of, read_date, whole_text
from policy_engine.frontend.shape_hints import ISO_DATE, amount_in
from policy_engine.frontend.syntax import ConstantValue, ParameterSyntax
from policy_engine.language.date_texts import read_time
from policy_engine.language.types import fits, number_of
from policy_engine.source import Authored

HOUR_OF_ONE_DIGIT = re.compile("[0-9]:[0-5][0-9](:[0-5][0-9])?")
A_CONSTANT = {"what": "`value`", "expected": "a number, a text, true, false, a date, or a list"}


def parse_parameter(name: Authored, node: YamlNode, faults: list[Diagnostic]) -> ParameterSyntax:
    """A parameter under its name; without values where they could not be read, which is reported."""
    before = len(faults)
    if isinstance(node, MappingNode) and node.entries and all(ISO_DATE.fullmatch(key.value) for key, _ in node.entries):
        span, keys = node.entries[0][0].span, "`value`, `values` and `calendar`"
        faults.append(say("one-of-keys", span, hint="put the days below `values:`", thing="a parameter", keys=keys))
        return ParameterSyntax(name, (), None, None, None)
    fields = fields_of(node, shapes.PARAMETER, f"`{name.value}`", faults)
    if not fields.readable:
        return ParameterSyntax(name, (), None, None, None)
    values, calendar = _values_of_parameter(fields), calendar_of(fields)
    unit, source, meaning = fields.words("unit"), fields.text("source"), fields.words("meaning")
    if calendar is not None:
        values = ((None, calendar),)
    elif len(faults) > before:
        values = ()
    written = chain(scalars(fields.node.get("value")), scalars(fields.node.get("values")))
    texts = tuple(text for text in written if isinstance(plain_scalar(text), str))
    return ParameterSyntax(name, values, unit, source, meaning, texts)


def _values_of_parameter(fields: Fields) -> tuple[tuple[date | None, ConstantValue], ...]:
    node, faults = fields.node, fields.faults
    kind = fields.text("type")
    if kind is not None and kind.value not in READERS:
        faults.append(say("wrong-kind", kind.span, what="`type`", expected="date, time, or left out"))
    read = READERS.get(kind.value) if kind is not None else None
    if sum(node.get(key) is not None for key in ("value", "values", "calendar")) != 1:
        if not fields.meant:
            faults.append(say("one-of-keys", fields.span, thing="a parameter", keys="`value`, `values` and `calendar`"))
        return ()
    single = node.get("value")
    values: list[tuple[date | None, ConstantValue]] = []
    if single is not None:
        values.append((None, _constant(single, read, faults)))
    for day, value in fields.named("values", ISO_DATE):
        values.append((_start(day, faults), _constant(value, read, faults)))
    return tuple(values)


def _start(day: Authored, faults: list[Diagnostic]) -> date | None:
    """The day from which a value holds; what has not even the form of a date was reported."""
    return read_date(day, faults) if ISO_DATE.fullmatch(day.value) else None


Reader = Callable[[Authored, list[Diagnostic]], date | time | None]
"""Reads a constant in a text, None where it is none, which is reported."""


def _read_time(text: Authored, faults: list[Diagnostic]) -> time | None:
    try:
        return read_time(text.value)
    except ValueError:
        better = f"0{text.value}" if HOUR_OF_ONE_DIGIT.fullmatch(text.value) else None
        hint = write(text.value, better) if better is not None else None
        faults.append(say("bad-time", text.span, hint=hint, text=text.value))
        return None


READERS: Mapping[str, Reader] = MappingProxyType({"date": read_date, "time": _read_time})
"""What reads the values of a parameter, by its `type`."""


def _constant(node: YamlNode, read: Reader | None, faults: list[Diagnostic]) -> ConstantValue:
    if isinstance(node, SequenceNode):
        return tuple(_constant(item, read, faults) for item in node.items)
    if isinstance(node, ScalarNode) and read is not None:
        found = read(node.text, faults)
        return date.min if found is None else found
    value = plain_scalar(node.text) if isinstance(node, ScalarNode) else None
    if value is None or not isinstance(node, ScalarNode):
        faults.append(say("wrong-kind", node.span, words=A_CONSTANT))
        return 0
    if isinstance(value, str):
        whole_text(node.text, faults)
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if is_huge(node.text) or (number and not fits(number_of(value))):  # type: ignore[arg-type]  # a number, as asked
        text = shown_text(node.text.value, 40)
        faults.append(say("too-many-digits", node.span, hint="write fewer digits", what=f"`{text}` has"))
    return value


def misread_parameters(parameters: Iterable[ParameterSyntax]) -> Mapping[str, Diagnostic]:
    """The diagnostics for parameters whose value is a text that looks like an amount or a date, by their names."""
    found = ((parameter.name.value, _misread(parameter)) for parameter in parameters)
    return {name: fault for name, fault in found if fault is not None}


def _misread(parameter: ParameterSyntax) -> Diagnostic | None:
    for _, value in parameter.values:
        if isinstance(value, str) and ISO_DATE.fullmatch(value):
            return _no_text(parameter, value, "a date", "add `type: date`", _with_type(parameter))
        amount = amount_in(value) if isinstance(value, str) else None
        if amount is not None:
            unit = f", with `unit: {amount[1]}`" if amount[1] and parameter.unit is None else ""
            return _no_text(parameter, str(value), "a number", f"write `{amount[0]}`{unit}")
    return None


def _with_type(parameter: ParameterSyntax) -> Fix | None:
    """The fix that adds a type behind the only value of a parameter that stands between braces."""
    text = parameter.texts[0] if len(parameter.texts) == 1 else None
    if text is None or text.tail.lstrip()[:1] not in (",", "}"):
        return None
    edit = Edit(text.span.path, text.span.line, text.span.column, text.raw, f"{text.raw}, type: date")
    return Fix("add `type: date`", (edit,))


def _no_text(parameter: ParameterSyntax, value: str, expected: str, hint: str, fix: Fix | None = None) -> Diagnostic:
    words = {"what": f"`{value}`", "expected": expected, "found": "a text"}
    return say("wrong-type", parameter.name.span, hint=hint, fix=fix, words=words)
