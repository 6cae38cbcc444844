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
timezone: Europe/Berlin            # in which instants without an offset are read
numbers: {decimal: ",", thousands: "."}
scale: {amount: 0.01}              # the file has cents
sheet: Accounts                    # of a workbook, and the row that names the columns; as with --sheet and --header-row
header_row: 3
encoding: cp1252                   # of a CSV file; as with --encoding and --delimiter
delimiter: ";"
lists:                             # lists whose elements stand in columns
  limits:
    - {columns: {Daily Limit: amount}, constants: {kind: daily}}
histories:                         # lists whose elements stand in the rows of another file
  statuses: {file: status.csv, by: account_id, columns: {Since: since}, without_rows: empty}

What is said of all facts can be said of single ones: `dates: {since: "%d.%m.%Y"}`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import shown_text
from policy_engine.documents.node_reader import document_of
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import ListOf, Member, Record
from policy_engine.source import Authored, Span
from policy_engine.tables.file_options import FILE_KEYS, FileOptions, file_option
from policy_engine.tables.flat_schemas import zoned_schema
from policy_engine.tables.mapping import History, ListItem, TableMapping
from policy_engine.tables.mapping_reader import MappingReader, names_in
from policy_engine.tables.mapping_styles import styles_of, zones_of

WRITTEN = ("values", "absent", "dates", "times", "timezone", "numbers", "scale")
"""How facts are written."""
KEYS = ("columns", "constants", *WRITTEN, "lists", "histories", *FILE_KEYS)
NEEDED_OF_HISTORIES = {
    "file": "in which file its rows stand: file: status.csv",
    "by": "by which fact rows are found: by: account_id",
    "without_rows": "what it is where the file has no row: without_rows: empty (nothing happened), or absent (it is not known)",
}
KEYS_OF_HISTORIES = (*NEEDED_OF_HISTORIES, "columns", *FILE_KEYS)
WITHOUT_ROWS = ("empty", "absent")
Places = dict[str, Span]
"""Where columns are named."""


def read_mapping(path: Path, facts: FactsSchema) -> TableMapping:
    """The mapping in a YAML file for a schema; raises `CannotRun` with every fault and its place."""
    node = document_of(path)
    zones = MappingReader(facts, path.parent)
    found = zones_of(zones, node.get("timezone") if isinstance(node, MappingNode) else None)
    reader = MappingReader(zoned_schema(facts, found), path.parent, faults=zones.faults)
    mapping = replace(_whole(reader, node), zones=found)
    if reader.faults:
        raise CannotRun("\n".join(reader.faults))
    return mapping


def _whole(reader: MappingReader, node: YamlNode) -> TableMapping:
    parts = reader.keys(node, "a mapping file", KEYS)
    places: Places = {}
    columns = _columns(reader, parts.get("columns"), places)
    constants = _constants(reader, parts.get("constants"))
    styles, absent = styles_of(reader, parts)
    lists = _lists(reader, parts.get("lists"), places)
    histories = _histories(reader, parts.get("histories"))
    _refuse_columns_twice(reader, columns, lists, places)
    _refuse_facts_twice(reader, parts)
    _refuse_lists_not_gathered(reader, parts)
    return TableMapping(columns, styles, absent, constants, places, _file(reader, parts), lists, histories)


def _file(reader: MappingReader, parts: Mapping[str, YamlNode]) -> FileOptions:
    """How a file is written."""
    said: dict[str, Any] = {}
    for key, node in parts.items():
        if key in FILE_KEYS:
            try:
                said[key] = file_option(key, node)
            except CannotRun as why:
                reader.fault(node, str(why))
    return FileOptions(**said)


def _columns(reader: MappingReader, node: YamlNode | None, places: Places) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for column, value in reader.entries(node, "`columns`"):
        places[column.value] = column.span
        if not isinstance(value, ScalarNode):
            reader.fault(value, f"a column is one fact, or null: `{shown_text(column.value)}: account_id`")
        elif plain(value) is None:
            found[column.value] = None
        elif reader.fact(value.text) is not None:
            found[column.value] = value.text.value
    return found


def _constants(reader: MappingReader, node: YamlNode | None, record: Record | None = None) -> dict[str, str]:
    """For each constant fact, or member of a record, the text of its value."""
    found = {}
    for name, value in reader.entries(node, "`constants`"):
        member = reader.fact(name) if record is None else reader.member(name, record)
        if not isinstance(value, ScalarNode):
            reader.fault(value, f"a constant is one value: `{shown_text(name.value)}: DE`")
        elif member is not None:
            reader.value(member, value.text, "leave the constant out")
            found[member.name] = value.text.value
    return found


def _lists(reader: MappingReader, node: YamlNode | None, places: Places) -> dict[str, tuple[ListItem, ...]]:
    found = {}
    for name, value in reader.entries(node, "`lists`"):
        kind = _list_of(reader, name)
        if not isinstance(value, SequenceNode):
            reader.fault(value, f"the elements of `{shown_text(name.value)}` are a list: [{_example(kind)}, ...]")
        elif kind is not None:
            items = (_item(reader, item, kind, places) for item in value.items)
            found[name.value] = tuple(item for item in items if item is not None)
    return found


def _list_of(reader: MappingReader, name: Authored) -> ListOf | None:
    """The type of a fact that is a list of single values, or of records of them; None for any other, which is reported."""
    member = reader.fact(name)
    if member is None:
        return None
    match member.type:
        case ListOf(element=Record(members=members)) if not any(isinstance(m.type, ListOf | Record) for m in members):
            return member.type
        case ListOf(element=element) if not isinstance(element, ListOf | Record):
            return member.type
    reader.fault(name, f"`{member.name}` is no list of single values, nor of records that hold nothing else")
    return None


def _example(kind: ListOf | None) -> str:
    return "{columns: {COLUMN: MEMBER}}" if kind is not None and isinstance(kind.element, Record) else "COLUMN"


def _item(reader: MappingReader, node: YamlNode, kind: ListOf, places: Places) -> ListItem | None:
    """An element of a list; None where it is none, which is reported."""
    if not isinstance(kind.element, Record):
        if isinstance(node, ScalarNode):
            places[node.text.value] = node.span
            return ListItem({"": node.text.value})
        reader.fault(node, "an element of this list is the name of its column")
        return None
    parts = reader.keys(node, "an element of a list", ("columns", "constants"))
    columns = {}
    for column, value in reader.entries(parts.get("columns"), "`columns`"):
        places[column.value] = column.span
        if not isinstance(value, ScalarNode):
            reader.fault(value, f"a column is one member: `{shown_text(column.value)}: amount`")
        elif reader.member(value.text, kind.element) is not None:
            columns[value.text.value] = column.value
    if not columns and not reader.faults:
        reader.fault(node, f"an element names the columns of its members: {_example(kind)}")
    return ListItem(columns, _constants(reader, parts.get("constants"), kind.element))


def _histories(reader: MappingReader, node: YamlNode | None) -> dict[str, History]:
    found = {}
    for name, value in reader.entries(node, "`histories`"):
        kind = _list_of(reader, name)
        if kind is not None and (history := _history(reader, value, name.value, kind)) is not None:
            found[name.value] = history
    return found


def _history(reader: MappingReader, node: YamlNode, name: str, kind: ListOf) -> History | None:
    """The file of a history, None where that is not said in full, which is reported."""
    parts = reader.keys(node, f"the history of `{name}`", KEYS_OF_HISTORIES)
    texts = {key: part.text for key, part in parts.items() if isinstance(part, ScalarNode)}
    for key, example in NEEDED_OF_HISTORIES.items():
        if key not in texts:
            reader.fault(parts.get(key, node), f"the history of `{name}` says {example}")
    if not {*NEEDED_OF_HISTORIES} <= {*texts}:
        return None
    without = texts["without_rows"]
    if without.value not in WITHOUT_ROWS:
        reader.fault(without, f"`without_rows` is {' or '.join(WITHOUT_ROWS)}")
    by = reader.fact(texts["by"])
    if by is not None and isinstance(by.type, ListOf | Record):
        reader.fault(texts["by"], f"`{by.name}` is no single value, and rows are found by one")
    members = kind.element.members if isinstance(kind.element, Record) else (Member(name, kind.element, required=True),)
    known = Record((*members, *([by] if by is not None else [])))
    columns: dict[str, str | None] = {}
    places: Places = {}
    for column, value in reader.entries(parts.get("columns"), "`columns`"):
        places[column.value] = column.span
        if isinstance(value, ScalarNode) and plain(value) is None:
            columns[column.value] = None
        elif not isinstance(value, ScalarNode):
            reader.fault(value, f"a column is one member, or null: `{shown_text(column.value)}: since`")
        elif reader.member(value.text, known) is not None:
            columns[column.value] = value.text.value
    file = Path(os.path.normpath(reader.folder / texts["file"].value))
    return History(file, texts["by"].value, columns, without.value == "empty", places, _file(reader, parts))


def _refuse_facts_twice(reader: MappingReader, parts: Mapping[str, YamlNode]) -> None:
    """Report a fact that is given in two ways."""
    given: set[str] = set()
    for part in ("constants", "lists", "histories"):
        for name in names_in(parts.get(part)):
            if name.value in given:
                reader.fault(name, f"`{shown_text(name.value)}` is given twice; say once what it is")
            given.add(name.value)


def _refuse_lists_not_gathered(reader: MappingReader, parts: Mapping[str, YamlNode]) -> None:
    """Report what is said of the texts in a list that is not gathered; a time zone holds there too, as part of the schema."""
    gathered = {name.value for part in ("lists", "histories") for name in names_in(parts.get(part))}
    for part in WRITTEN:
        for name in names_in(parts.get(part)) if part != "timezone" else ():
            fact = reader.list_of_part(name)
            if fact is not None and fact not in gathered:
                told = f"`{name.value}` is part of the list `{fact}`, which is not gathered; such lists are read as they stand"
                reader.fault(name, f"{told}; only lists that `lists` or `histories` gather can be mapped")


def _refuse_columns_twice(
    reader: MappingReader, columns: Mapping[str, str | None], lists: Mapping[str, tuple[ListItem, ...]], places: Places
) -> None:
    """Report a column that is to stand in two places."""
    named = [*columns, *(column for items in lists.values() for item in items for column in item.columns.values())]
    for column in dict.fromkeys(column for column in named if named.count(column) > 1):
        reader.fault_at(
            places[column], f"the column `{shown_text(column)}` is named more than once; a column is one thing"
        )
