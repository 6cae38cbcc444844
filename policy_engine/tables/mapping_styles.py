"""The parts of a mapping file that say how facts are written: values, absent texts, dates, times, numbers, scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from policy_engine.diagnostics import shown_text
from policy_engine.documents.nodes import MappingNode, ScalarNode, YamlNode, plain
from policy_engine.language.date_forms import read_in_two_ways, written_as
from policy_engine.language.date_texts import LOCAL_FORMAT
from policy_engine.language.timezones import is_timezone
from policy_engine.language.types import DATE, TIME, Date, Instant, Member, Number, Text, Time, Type
from policy_engine.source import Authored
from policy_engine.tables.cells import CellStyle, format_of_type
from policy_engine.tables.mapping_reader import MappingReader, items_of
from policy_engine.tables.number_forms import DECIMAL_SIGNS, THOUSANDS_SIGNS, NumberForm

FORMS = {
    "date": 'the form of dates names %d, %m and %Y once each, with signs between: "%d.%m.%Y"; '
    'and perhaps a time: " %H:%M:%S"',
    "date-time": "the form of instants names %d, %m, %Y, %H (or %I and %p), %M and %z once each, and perhaps %S and %f: "
    '"%Y-%m-%d %H:%M:%S%z"; without %z name the time zone: timezone: Europe/Berlin',
    LOCAL_FORMAT: "the form of instants names %d, %m, %Y, %H (or %I and %p) and %M once each, and perhaps %S, %f and %z: "
    '"%Y-%m-%d %H:%M:%S"',
    "time": 'the form of times names %H (or %I and %p) and %M once each, and perhaps %S and %f: "%H.%M"',
}
MOST_PLACES = 9
"""So far may a scale move the decimal point."""


def zones_of(reader: MappingReader, node: YamlNode | None) -> dict[str, str]:
    """For each instant the time zone in which it is read without an offset: that of all, and those of single facts."""
    found = {}
    for part in () if node is None else items_of(node):
        if isinstance(part, MappingNode):
            for name, value in part.entries:
                member = reader.of_kind(name, {Instant: None}, "instant")
                if (zone := _zone(reader, value)) is not None and member is not None:
                    found[member.name] = zone
        elif (zone := _zone(reader, part)) is not None:
            found = {**{m.name: zone for m in reader.members.values() if isinstance(m.type, Instant)}, **found}
    return found


def _zone(reader: MappingReader, node: YamlNode) -> str | None:
    """The name of a time zone; None where the node is none, which is reported."""
    name = node.text.value if isinstance(node, ScalarNode) else ""
    if is_timezone(name):
        return name
    reader.fault(node, f"`{shown_text(name)}` is no time zone; it is written as Europe/Berlin")
    return None


def styles_of(reader: MappingReader, parts: Mapping[str, YamlNode]) -> tuple[dict[str, CellStyle], tuple[str, ...]]:
    """How each fact is written, and the texts that stand for no value in any column."""
    values = _values(reader, parts.get("values"))
    absent, absent_of = _absent(reader, parts.get("absent"), values)
    forms = {**_dates(reader, parts.get("dates")), **_times(reader, parts.get("times"))}
    numbers, scale = _numbers(reader, parts.get("numbers")), _scale(reader, parts.get("scale"))
    styles = {
        name: CellStyle(
            values.get(name, {}),
            forms.get(name, ()),
            (*absent, *absent_of.get(name, ())),
            numbers.get(name),
            scale.get(name, 0),
        )
        for name in reader.members
    }
    return styles, absent


def _values(reader: MappingReader, node: YamlNode | None) -> dict[str, dict[str, str]]:
    return {
        name.value: _texts(reader, member, below)
        for name, below in reader.entries(node, "`values`")
        if (member := reader.member(name)) is not None
    }


def _texts(reader: MappingReader, member: Member, node: YamlNode) -> dict[str, str]:
    """For each text of the file the value of a fact that it stands for."""
    found: dict[str, str] = {}
    hint = f"name the texts that mean that there is none: absent: {{{member.name}: [...]}}"
    for value, listed in reader.entries(node, f"what stands for `{member.name}`"):
        reader.value(member, value, hint)
        for text in reader.listed(listed):
            if text.value in found:
                reader.fault(text, f"`{shown_text(text.value)}` stands for two values of `{member.name}`")
            found[text.value] = value.value
    return found


def _absent(
    reader: MappingReader, node: YamlNode | None, values: Mapping[str, Mapping[str, str]]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The texts that stand for no value: those of all columns, and those of single facts."""
    every: list[str] = []
    own: dict[str, tuple[str, ...]] = {}
    for part in () if node is None else items_of(node):
        if not isinstance(part, MappingNode):
            for text in reader.listed(part):
                every.append(text.value)
                _refuse_value(reader, text, reader.members.values(), values)
            continue
        for name, below in part.entries:
            member, listed = reader.member(name), list(reader.listed(below))
            for text in listed:
                _refuse_value(reader, text, [member] if member else [], values)
            own[name.value] = (*own.get(name.value, ()), *(text.value for text in listed))
    return tuple(every), own


def _refuse_value(
    reader: MappingReader, text: Authored, members: Iterable[Member], values: Mapping[str, Mapping[str, str]]
) -> None:
    """Report a text that is to mean that facts are absent, and is or stands for a value of one of them."""
    for member in members:
        allowed = member.type.values if isinstance(member.type, Text) else None
        if text.value in values.get(member.name, {}) or text.value in (allowed or ()):
            told = f"`{shown_text(text.value)}` is or stands for a value of `{member.name}`"
            hint = "name the facts for which it means that there is none: absent: {FACT: [...]}"
            reader.fault(text, f"{told}; {hint}")
            return


def _dates(reader: MappingReader, node: YamlNode | None) -> dict[str, tuple[str, ...]]:
    return _forms(reader, node, DATE, (Date, Instant), "date")


def _times(reader: MappingReader, node: YamlNode | None) -> dict[str, tuple[str, ...]]:
    return _forms(reader, node, TIME, (Time,), "time of day")


def _forms(
    reader: MappingReader, node: YamlNode | None, every: Type, kinds: tuple[type[Type], ...], what: str
) -> dict[str, tuple[str, ...]]:
    """The forms of facts: those of all facts of one type, and those of single facts, which have no others."""
    parts = () if node is None else items_of(node)
    common = [part for part in parts if not isinstance(part, MappingNode)]
    shared = _forms_of(reader, common, every)
    found = {m.name: shared for m in reader.members.values() if shared and m.type == every}
    for part in parts:
        for name, value in part.entries if isinstance(part, MappingNode) else ():
            if member := reader.of_kind(name, dict.fromkeys(kinds), what):
                found[member.name] = _forms_of(reader, items_of(value), member.type)
    return found


def _forms_of(reader: MappingReader, nodes: Iterable[YamlNode], kind: Type) -> tuple[str, ...]:
    """The forms that nodes are; what is none is reported, and two by which a text could be read in two ways."""
    found, name = [], format_of_type(kind)
    for node in nodes:
        text = node.text.value if isinstance(node, ScalarNode) else ""
        if written_as(name, text) is None:
            reader.fault(node, FORMS[name])
        else:
            found.append(text)
        if twice := read_in_two_ways(name, found):
            first, second, text = twice
            told = f"`{text}` could be read by the form {first} and otherwise by {second}"
            reader.fault(node, f"{told}; name one of them, or write one of the two otherwise in the file")
            found.pop()
    return tuple(found)


def _numbers(reader: MappingReader, node: YamlNode | None) -> dict[str, NumberForm]:
    """The forms of numbers: that of all facts, and those of single facts."""
    entries = reader.entries(node, "`numbers`")
    own = [(name, value) for name, value in entries if isinstance(value, MappingNode)]
    form = _number_form(reader, [entry for entry in entries if entry not in own])
    found = {m.name: form for m in reader.members.values() if form and isinstance(m.type, Number)}
    for name, value in own:
        member = reader.of_kind(name, {Number: None}, "number")
        one = _number_form(reader, reader.entries(value, "the form of numbers"))
        if member and one:
            found[member.name] = one
    return found


def _number_form(reader: MappingReader, entries: Sequence[tuple[Authored, YamlNode]]) -> NumberForm | None:
    signs: dict[str, str] = {}
    places = {key.value: value for key, value in entries}
    for key, value in entries:
        allowed = {"decimal": DECIMAL_SIGNS, "thousands": tuple(THOUSANDS_SIGNS)}.get(key.value)
        sign = value.text.value if isinstance(value, ScalarNode) else ""
        if allowed is None:
            told = f"the form of numbers has no `{shown_text(key.value)}`"
            reader.fault(key, f'{told}; it is written: numbers: {{decimal: ",", thousands: "."}}')
        elif sign not in allowed:
            signs_told = (
                "a point or a comma" if key.value == "decimal" else "a point, a comma, a blank or an apostrophe"
            )
            reader.fault(value, f'the {key.value} sign is {signs_told}, in quotes: {key.value}: ","')
        elif sign in signs.values():
            reader.fault(value, "the decimal sign and the thousands sign differ")
        else:
            signs[key.value] = sign
    if signs == {"thousands": "."}:
        reader.fault(places["thousands"], 'a point is the decimal sign where no other is named: decimal: ","')
    return NumberForm(signs.get("decimal", "."), signs.get("thousands")) if signs else None


def _scale(reader: MappingReader, node: YamlNode | None) -> dict[str, int]:
    """For each fact the power of ten that the numbers of the file are multiplied by."""
    found = {}
    for name, value in reader.entries(node, "`scale`"):
        member = reader.of_kind(name, {Number: None}, "number")
        shift = _power_of_ten(plain(value))
        if shift is None:
            reader.fault(value, "a scale is a power of ten: 0.01 where the file has cents, 1000 where it has thousands")
        elif member is not None:
            found[member.name] = shift
    return found


def _power_of_ten(value: object) -> int | None:
    """The exponent of a power of ten, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        return None
    shift = Decimal(value).adjusted()
    return shift if value == Decimal((0, (1,), shift)) and abs(shift) <= MOST_PLACES else None
