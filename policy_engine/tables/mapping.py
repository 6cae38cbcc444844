"""Mapping files: how the columns of a table become the facts of a schema.

columns:
  Account Number: account_id       # a column of the file: the fact it is
  Remark: null                     # not read
values:
  destination_category:            # a fact: each of its values, and what stands for it in the file
    managed: [M, Managed]
    referred: [R]
dates: "%d.%m.%Y"                  # how the file writes dates; or one form for each fact
absent: [NA, NULL, "-"]            # texts that mean that there is no value; or some for each fact
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain, plain_scalar
from policy_engine.documents.yaml_reader import read_file
from policy_engine.errors import CannotRun
from policy_engine.language.date_texts import written_as
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, Date, Instant, Member, Number, Text, Time, member_of
from policy_engine.source import Authored, Span
from policy_engine.tables.cells import CellStyle, read_cell

DATES = (
    'the form of dates names %d, %m and %Y once each, with signs between: "%d.%m.%Y"; and perhaps a time: " %H:%M:%S"'
)
INSTANTS = (
    'the form of instants names %d, %m, %Y, %H, %M and %z once each, and perhaps %S and %f: "%Y-%m-%d %H:%M:%S%z"'
)
KEYS = ("columns", "values", "dates", "absent")


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What a mapping file says.

    `columns` gives for a column of the file its fact, None where it is not read, and `places` where that is written. `values`
    gives for a fact the value that each text of the file stands for; `dates` for a fact the form of its dates or instants.
    `absent` are the texts that stand for no value in any column, `absent_of` those that do so for a fact.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Span] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    absent_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def absent_for(self, name: str) -> tuple[str, ...]:
        """The texts that stand for no value in the column of a name."""
        return (*self.absent, *self.absent_of.get(name, ()))

    def facts_of(self, where: str, header: list[str]) -> dict[str, str]:
        """For each column that is read the name it goes by: its fact, or its own; raises `CannotRun`."""
        faults = [self._no_column(name, where, header) for name in self.columns if name not in header]
        names = {column: self.columns.get(column, column) for column in header}
        read = {column: name for column, name in names.items() if name is not None}
        faults += _twice(where, read)
        if faults:
            raise CannotRun("\n".join(faults))
        return read

    def _no_column(self, name: str, where: str, header: list[str]) -> str:
        does = did_you_mean(name, header) or f"it has {', '.join(map(shown_text, header))}"
        return f"{self.places[name]}: {where} has no column `{shown_text(name)}`; {does}"


NOTHING = TableMapping()
"""Columns are called as their facts are."""


def _twice(where: str, read: Mapping[str, str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for column, name in read.items():
        if name in first:
            both = f"`{shown_text(first[name])}` and `{shown_text(column)}`"
            yield f"{where}: the columns {both} are both the fact `{shown_text(name)}`; map one of them to null"
        first.setdefault(name, column)


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

    def fault(self, where: YamlNode | Authored, message: str) -> None:
        self.faults.append(f"{where.span}: {message}")

    def whole(self, node: YamlNode) -> TableMapping:
        parts: dict[str, YamlNode] = {}
        for key, value in self.entries(node, "a mapping file"):
            parts[key.value] = value
            if key.value not in KEYS:
                hint = did_you_mean(key.value, KEYS) or f"there are {', '.join(KEYS)}"
                self.fault(key, f"a mapping file has no `{shown_text(key.value)}`; {hint}")
        columns, places = self.columns(parts.get("columns"))
        values, dates = self.values(parts.get("values")), self.dates(parts.get("dates"))
        return TableMapping(columns, values, dates, places, *self.absent(parts.get("absent"), values))

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

    def columns(self, node: YamlNode | None) -> tuple[dict[str, str | None], dict[str, Span]]:
        found: dict[str, str | None] = {}
        places: dict[str, Span] = {}
        for column, value in self.entries(node, "`columns`"):
            places[column.value] = column.span
            if not isinstance(value, ScalarNode):
                self.fault(value, f"a column is one fact, or null: `{shown_text(column.value)}: account_id`")
            elif plain(value) is None:
                found[column.value] = None
            elif self.member(value.text) is not None:
                found[column.value] = value.text.value
        return found, places

    def values(self, node: YamlNode | None) -> dict[str, dict[str, str]]:
        return {
            name.value: self.texts(member, below)
            for name, below in self.entries(node, "`values`")
            if (member := self.member(name)) is not None
        }

    def texts(self, member: Member, node: YamlNode) -> dict[str, str]:
        """For each text of the file the value of a fact that it stands for."""
        found: dict[str, str] = {}
        for value, listed in self.entries(node, f"what stands for `{member.name}`"):
            self.value(member, value)
            for text in self.listed(listed):
                if text.value in found:
                    self.fault(text, f"`{shown_text(text.value)}` stands for two values of `{member.name}`")
                found[text.value] = value.value
        return found

    def value(self, member: Member, value: Authored) -> None:
        """Report what is no value of a fact; a name that YAML reads as null is one only in quotes."""
        told, kind = f"`{shown_text(value.value)}` is no value of `{member.name}`", member.type
        allowed = ("true", "false") if isinstance(kind, Boolean) else kind.values if isinstance(kind, Text) else None
        if plain_scalar(value) is None:
            self.fault(value, f"{told}; name the texts that mean that there is none: absent: {{{member.name}: [...]}}")
        elif allowed is not None and value.value not in allowed:
            self.fault(value, f"{told}; it is one of {', '.join(allowed)}")
        elif isinstance(kind, Number | Date | Instant | Time):
            _, unread = read_cell(member, CellStyle({}), value.value)
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

    def listed(self, node: YamlNode) -> Iterator[Authored]:
        for item in _items(node):
            if isinstance(item, ScalarNode):
                yield item.text
            else:
                self.fault(item, "what stands for a value is a text, or a list of texts")

    def dates(self, node: YamlNode | None) -> dict[str, str]:
        if isinstance(node, ScalarNode):
            form = self.form(node, Date)
            return {m.name: form for m in self.facts.type.members if form and isinstance(m.type, Date)}
        found = {}
        for name, value in self.entries(node, "`dates`"):
            member = self.member(name)
            if member is not None and not isinstance(member.type, Date | Instant):
                self.fault(name, f"`{member.name}` is no date")
            elif member is not None and (form := self.form(value, type(member.type))):
                found[member.name] = form
        return found

    def form(self, node: YamlNode, kind: type) -> str | None:
        """The form of dates, or of instants, that a node is; None where it is none, which is reported."""
        text = node.text.value if isinstance(node, ScalarNode) else ""
        name, wanted = ("date", DATES) if kind is Date else ("date-time", INSTANTS)
        if written_as(name, text) is not None:
            return text
        self.fault(node, wanted)
        return None


def _items(node: YamlNode) -> tuple[YamlNode, ...]:
    """The items of a list; anything else stands for a list of itself."""
    return node.items if isinstance(node, SequenceNode) else (node,)
