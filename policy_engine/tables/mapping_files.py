"""Mapping files: YAML that says how the columns of a table become the facts of a schema.

columns:
  Account Number: account_id       # a column of the file: the fact it is
  Remark: null                     # not read
constants: {country: DE}           # a fact that the file lacks: its value in every row
values:
  destination_category:            # a fact: each of its values, and what stands for it in the file
    managed: [M, Managed]
    referred: [R]
absent: [NA, NULL, "-"]            # texts that mean that there is no value
dates: "%d.%m.%Y"                  # how the file writes dates
times: "%H.%M"                     # how it writes times of day
numbers: {decimal: ",", thousands: "."}
scale: {amount: 0.01}              # the file has cents
sheet: Accounts                    # of a workbook, and the row that names the columns; as with --sheet and --header-row
header_row: 3
encoding: cp1252                   # of a CSV file; as with --encoding and --delimiter
delimiter: ";"

What is said of all facts can be said of single ones: `dates: {since: "%d.%m.%Y"}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain, plain_scalar
from policy_engine.documents.yaml_reader import read_file
from policy_engine.errors import CannotRun
from policy_engine.language.date_forms import read_in_two_ways, written_as
from policy_engine.language.date_texts import LOCAL_FORMAT
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import DATE, TIME, Boolean, Date, Instant, Member, Number, Text, Time, Type, member_of
from policy_engine.source import Authored, Span
from policy_engine.tables.cells import AS_FACTS, CellStyle, format_of_type, read_cell
from policy_engine.tables.file_options import FILE_KEYS, FileOptions, file_option
from policy_engine.tables.mapping import TableMapping
from policy_engine.tables.number_forms import DECIMAL_SIGNS, THOUSANDS_SIGNS, NumberForm

FORMS = {
    "date": 'the form of dates names %d, %m and %Y once each, with signs between: "%d.%m.%Y"; '
    'and perhaps a time: " %H:%M:%S"',
    "date-time": "the form of instants names %d, %m, %Y, %H (or %I and %p), %M and %z once each, and perhaps %S and %f: "
    '"%Y-%m-%d %H:%M:%S%z"',
    LOCAL_FORMAT: "the form of instants names %d, %m, %Y, %H (or %I and %p) and %M once each, and perhaps %S, %f and %z: "
    '"%Y-%m-%d %H:%M:%S"',
    "time": 'the form of times names %H (or %I and %p) and %M once each, and perhaps %S and %f: "%H.%M"',
}
KEYS = ("columns", "constants", "values", "absent", "dates", "times", "numbers", "scale", *FILE_KEYS)
MOST_PLACES = 9
"""So far may a scale move the decimal point."""


def read_mapping(path: Path, facts: FactsSchema) -> TableMapping:
    """The mapping in a YAML file for a schema; raises `CannotRun` with every fault and its place."""
    _, node, faults = read_file(path)
    if node is None or faults:
        raise CannotRun("\n".join(f"{fault.span}: {fault.message}" for fault in faults))
    reading = _MappingReader(facts)
    mapping = reading.whole(node)
    if reading.faults:
        raise CannotRun("\n".join(reading.faults))
    return mapping


@dataclass(slots=True)
class _MappingReader:
    """One reading of a mapping file: what is wrong with it so far."""

    facts: FactsSchema
    faults: list[str] = field(default_factory=list)
    places: dict[str, Span] = field(default_factory=dict)

    def fault(self, where: YamlNode | Authored, message: str) -> None:
        self.faults.append(f"{where.span}: {message}")

    def whole(self, node: YamlNode) -> TableMapping:
        parts: dict[str, YamlNode] = {}
        for key, value in self.entries(node, "a mapping file"):
            parts[key.value] = value
            if key.value not in KEYS:
                hint = did_you_mean(key.value, KEYS) or f"there are {', '.join(KEYS)}"
                self.fault(key, f"a mapping file has no `{shown_text(key.value)}`; {hint}")
        columns = self.columns(parts.get("columns"))
        constants = self.constants(parts.get("constants"))
        values = self.values(parts.get("values"))
        absent, absent_of = self.absent(parts.get("absent"), values)
        forms = {**self.dates(parts.get("dates")), **self.times(parts.get("times"))}
        numbers, scale = self.numbers(parts.get("numbers")), self.scale(parts.get("scale"))
        styles = {
            member.name: CellStyle(
                values.get(member.name, {}),
                forms.get(member.name, ()),
                (*absent, *absent_of.get(member.name, ())),
                numbers.get(member.name),
                scale.get(member.name, 0),
            )
            for member in self.facts.type.members
        }
        return TableMapping(columns, styles, absent, constants, self.places, self.file(parts))

    def file(self, parts: Mapping[str, YamlNode]) -> FileOptions:
        """How the file is written."""
        said: dict[str, Any] = {}
        for key, node in parts.items():
            if key in FILE_KEYS:
                try:
                    said[key] = file_option(key, node)
                except CannotRun as why:
                    self.fault(node, str(why))
        return FileOptions(**said)

    def entries(self, node: YamlNode | None, what: str) -> tuple[tuple[Authored, YamlNode], ...]:
        if node is None or isinstance(node, MappingNode):
            return () if node is None else node.entries
        self.fault(node, f"{what} is a list of `name: value`")
        return ()

    def member(self, name: Authored) -> Member | None:
        """The fact of that name, None where there is none, which is reported."""
        found = member_of(self.facts.type, name.value)
        if found is None:
            known = [member.name for member in self.facts.type.members]
            hint = did_you_mean(name.value, known) or f"it has {', '.join(known)}"
            self.fault(name, f"the schema `{self.facts.name}` has no fact `{shown_text(name.value)}`; {hint}")
        return found

    def of_kind(self, name: Authored, kinds: Mapping[type[Type], object], what: str) -> Member | None:
        """The fact of that name if it has one of some types, else None, which is reported."""
        member = self.member(name)
        if member is None or type(member.type) in kinds:
            return member
        self.fault(name, f"`{member.name}` is no {what}")
        return None

    def columns(self, node: YamlNode | None) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for column, value in self.entries(node, "`columns`"):
            self.places[column.value] = column.span
            if not isinstance(value, ScalarNode):
                self.fault(value, f"a column is one fact, or null: `{shown_text(column.value)}: account_id`")
            elif plain(value) is None:
                found[column.value] = None
            elif self.member(value.text) is not None:
                found[column.value] = value.text.value
        return found

    def constants(self, node: YamlNode | None) -> dict[str, str]:
        """For each constant fact the text of its value."""
        found = {}
        for name, value in self.entries(node, "`constants`"):
            member = self.member(name)
            if not isinstance(value, ScalarNode):
                self.fault(value, f"a constant is one value: `{shown_text(name.value)}: DE`")
            elif member is not None:
                self.value(member, value.text, "leave the constant out")
                found[member.name] = value.text.value
        return found

    def values(self, node: YamlNode | None) -> dict[str, dict[str, str]]:
        return {
            name.value: self.texts(member, below)
            for name, below in self.entries(node, "`values`")
            if (member := self.member(name)) is not None
        }

    def texts(self, member: Member, node: YamlNode) -> dict[str, str]:
        """For each text of the file the value of a fact that it stands for."""
        found: dict[str, str] = {}
        hint = f"name the texts that mean that there is none: absent: {{{member.name}: [...]}}"
        for value, listed in self.entries(node, f"what stands for `{member.name}`"):
            self.value(member, value, hint)
            for text in self.listed(listed):
                if text.value in found:
                    self.fault(text, f"`{shown_text(text.value)}` stands for two values of `{member.name}`")
                found[text.value] = value.value
        return found

    def value(self, member: Member, value: Authored, without: str) -> None:
        """Report what is no value of a fact; a name that YAML reads as null is one only in quotes."""
        told, kind = f"`{shown_text(value.value)}` is no value of `{member.name}`", member.type
        allowed = ("true", "false") if isinstance(kind, Boolean) else kind.values if isinstance(kind, Text) else None
        if plain_scalar(value) is None:
            self.fault(value, f"{told}; {without}")
        elif allowed is not None and value.value not in allowed:
            self.fault(value, f"{told}; it is one of {', '.join(allowed)}")
        elif not isinstance(kind, Boolean | Text):
            _, unread = read_cell(member, AS_FACTS, value.value)
            if unread:
                self.fault(value, f"{told}, which is {unread[0].expected}")

    def absent(
        self, node: YamlNode | None, values: Mapping[str, Mapping[str, str]]
    ) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """The texts that stand for no value: those of all columns, and those of single facts."""
        every: list[str] = []
        own: dict[str, tuple[str, ...]] = {}
        for part in () if node is None else _items(node):
            if not isinstance(part, MappingNode):
                for text in self.listed(part):
                    every.append(text.value)
                    self.refuse_value(text, self.facts.type.members, values)
                continue
            for name, below in part.entries:
                member, listed = self.member(name), list(self.listed(below))
                for text in listed:
                    self.refuse_value(text, [member] if member else [], values)
                own[name.value] = (*own.get(name.value, ()), *(text.value for text in listed))
        return tuple(every), own

    def refuse_value(self, text: Authored, members: Iterable[Member], values: Mapping[str, Mapping[str, str]]) -> None:
        """Report a text that is to mean that facts are absent, and is or stands for a value of one of them."""
        for member in members:
            allowed = member.type.values if isinstance(member.type, Text) else None
            if text.value in values.get(member.name, {}) or text.value in (allowed or ()):
                told = f"`{shown_text(text.value)}` is or stands for a value of `{member.name}`"
                hint = "name the facts for which it means that there is none: absent: {FACT: [...]}"
                self.fault(text, f"{told}; {hint}")
                return

    def listed(self, node: YamlNode, what: str = "what stands for a value") -> Iterator[Authored]:
        for item in _items(node):
            if isinstance(item, ScalarNode):
                yield item.text
            else:
                self.fault(item, f"{what} is a text, or a list of texts")

    def dates(self, node: YamlNode | None) -> dict[str, tuple[str, ...]]:
        return self.forms(node, DATE, (Date, Instant), "date")

    def times(self, node: YamlNode | None) -> dict[str, tuple[str, ...]]:
        return self.forms(node, TIME, (Time,), "time of day")

    def forms(
        self, node: YamlNode | None, every: Type, kinds: tuple[type[Type], ...], what: str
    ) -> dict[str, tuple[str, ...]]:
        """The forms of facts: those of all facts of one type, and those of single facts, which have no others."""
        parts = () if node is None else _items(node)
        common = [part for part in parts if not isinstance(part, MappingNode)]
        shared = self.forms_of(common, every)
        found = {m.name: shared for m in self.facts.type.members if shared and m.type == every}
        for part in parts:
            for name, value in part.entries if isinstance(part, MappingNode) else ():
                if member := self.of_kind(name, dict.fromkeys(kinds), what):
                    found[member.name] = self.forms_of(_items(value), member.type)
        return found

    def forms_of(self, nodes: Iterable[YamlNode], kind: Type) -> tuple[str, ...]:
        """The forms that nodes are; what is none is reported, and two by which a text could be read in two ways."""
        found, name = [], format_of_type(kind)
        for node in nodes:
            text = node.text.value if isinstance(node, ScalarNode) else ""
            if written_as(name, text) is None:
                self.fault(node, FORMS[name])
            else:
                found.append(text)
            if twice := read_in_two_ways(name, found):
                first, second, text = twice
                told = f"`{text}` could be read by the form {first} and otherwise by {second}"
                self.fault(node, f"{told}; name one of them, or write one of the two otherwise in the file")
                found.pop()
        return tuple(found)

    def numbers(self, node: YamlNode | None) -> dict[str, NumberForm]:
        """The forms of numbers: that of all facts, and those of single facts."""
        entries = self.entries(node, "`numbers`")
        own = [(name, value) for name, value in entries if isinstance(value, MappingNode)]
        form = self.number_form([entry for entry in entries if entry not in own])
        found = {m.name: form for m in self.facts.type.members if form and isinstance(m.type, Number)}
        for name, value in own:
            member = self.of_kind(name, {Number: None}, "number")
            one = self.number_form(self.entries(value, "the form of numbers"))
            if member and one:
                found[member.name] = one
        return found

    def number_form(self, entries: Sequence[tuple[Authored, YamlNode]]) -> NumberForm | None:
        signs: dict[str, str] = {}
        places = {key.value: value for key, value in entries}
        for key, value in entries:
            allowed = {"decimal": DECIMAL_SIGNS, "thousands": tuple(THOUSANDS_SIGNS)}.get(key.value)
            sign = value.text.value if isinstance(value, ScalarNode) else ""
            if allowed is None:
                told = f"the form of numbers has no `{shown_text(key.value)}`"
                self.fault(key, f'{told}; it is written: numbers: {{decimal: ",", thousands: "."}}')
            elif sign not in allowed:
                signs_told = (
                    "a point or a comma" if key.value == "decimal" else "a point, a comma, a blank or an apostrophe"
                )
                self.fault(value, f'the {key.value} sign is {signs_told}, in quotes: {key.value}: ","')
            elif sign in signs.values():
                self.fault(value, "the decimal sign and the thousands sign differ")
            else:
                signs[key.value] = sign
        if signs == {"thousands": "."}:
            self.fault(places["thousands"], 'a point is the decimal sign where no other is named: decimal: ","')
        return NumberForm(signs.get("decimal", "."), signs.get("thousands")) if signs else None

    def scale(self, node: YamlNode | None) -> dict[str, int]:
        """For each fact the power of ten that the numbers of the file are multiplied by."""
        found = {}
        for name, value in self.entries(node, "`scale`"):
            member = self.of_kind(name, {Number: None}, "number")
            shift = _power_of_ten(plain(value))
            if shift is None:
                self.fault(
                    value, "a scale is a power of ten: 0.01 where the file has cents, 1000 where it has thousands"
                )
            elif member is not None:
                found[member.name] = shift
        return found


def _power_of_ten(value: object) -> int | None:
    """The exponent of a power of ten, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        return None
    shift = Decimal(value).adjusted()
    return shift if value == Decimal((0, (1,), shift)) and abs(shift) <= MOST_PLACES else None


def _items(node: YamlNode) -> tuple[YamlNode, ...]:
    """The items of a list; anything else stands for a list of itself."""
    return node.items if isinstance(node, SequenceNode) else (node,)
