"""Reading AuthZEN mappings: every fault is told with its place. `mapping_checks` knows what rulesets ask for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.documents.node_reader import NodeReader, document_of
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain, plain_scalar
from policy_engine.errors import CannotRun
from policy_engine.frontend.authzen_shapes import AUTHZEN_MAPPING, AUTHZEN_PERMISSION, AUTHZEN_TABLE
from policy_engine.frontend.fields import KEBAB
from policy_engine.frontend.shapes import Shape
from policy_engine.service.authzen.mapping_checks import Versions, checked
from policy_engine.service.authzen.permissions import (
    ACTION,
    COLUMN,
    CONTEXT,
    ENTITIES,
    RESOURCE,
    SUBJECT,
    EntityTable,
    Origin,
    Permission,
    Permissions,
)
from policy_engine.source import Authored

PARTS: Mapping[str, tuple[str, ...]] = {
    SUBJECT: ("id", "type", "properties", COLUMN),
    ACTION: ("name", "properties"),
    RESOURCE: ("id", "type", "properties", COLUMN),
}
NAMED = ("properties", COLUMN)
"""The parts below which a name follows."""
FORMS = (
    "subject.id, subject.type, subject.properties.NAME or subject.column.NAME, the same of `resource`, "
    "action.name, action.properties.NAME or context.NAME"
)


def read_mappings(path: Path, rulebook: Versions) -> dict[str, Permissions]:
    """The mappings of a file: its own under "", and those of its tenants by their names; raises `CannotRun` with every fault."""
    reader = NodeReader()
    own, tenants = _mapping(reader, path, rulebook)
    found = {"": own}
    for name, file in tenants:
        found[name.value], others = _mapping(reader, file, rulebook)
        for other, _ in others:
            reader.fault(other, "a tenant has no tenants of its own; name them all in one file")
    if reader.faults:
        raise CannotRun("\n".join(dict.fromkeys(reader.faults)))
    return {name: mapping for name, mapping in found.items() if mapping.permissions}


def _mapping(reader: NodeReader, path: Path, rulebook: Versions) -> tuple[Permissions, list[tuple[Authored, Path]]]:
    """What one file says, and its tenants with their files; raises `CannotRun` where it is no YAML."""
    parts = _shaped(reader, document_of(path), AUTHZEN_MAPPING)
    named = {
        (side, name.value): _table(reader, node, path.parent)
        for side, key in ((SUBJECT, "subjects"), (RESOURCE, "resources"))
        for name, node in reader.entries(parts.get(key), f"`{key}`")
    }
    tables = {entities: table for entities, table in named.items() if table is not None}
    read = [(_permission(reader, node), node) for node in _items(reader, parts.get("permissions"))]
    known = [checked(reader, each, node, named, rulebook) for each, node in read if each is not None]
    permissions = tuple(each for each in known if each is not None)
    _refuse_twice(reader, permissions)
    return Permissions(permissions, tables, (path, *_files(tables.values()))), list(
        _tenants(reader, parts, path.parent)
    )


def _tenants(reader: NodeReader, parts: Mapping[str, YamlNode], folder: Path) -> Iterator[tuple[Authored, Path]]:
    for name, node in reader.entries(parts.get("tenants"), "`tenants`"):
        file = _text(reader, node, "the mapping of a tenant is the name of a file")
        if not KEBAB.fullmatch(name.value):
            reader.fault(name, "a tenant's name has small letters, digits and hyphens, for it stands in addresses")
        elif file is not None:
            yield name, _beside(folder, file)


def _table(reader: NodeReader, node: YamlNode, folder: Path) -> EntityTable | None:
    """A table of entities; None where it is not said in full, which is reported."""
    before = len(reader.faults)
    parts = _shaped(reader, node, AUTHZEN_TABLE)
    texts = {key: _text(reader, part, f"`{key}` is a text") for key, part in parts.items()}
    given = {key: text for key, text in texts.items() if text is not None}
    of_database = [key for key in ("table", "query") if key in given]
    if "file" in given and of_database:
        reader.fault(given[of_database[0]], f"a file has no `{of_database[0]}`; it goes with `duckdb` and `postgres`")
    if "file" not in parts and len(of_database) != 1:
        reader.fault(node, "a database gives the rows of one `table`, or of one `query`")
    if len(reader.faults) > before:
        return None
    file, duckdb = (_beside(folder, given[key]) if key in given else None for key in ("file", "duckdb"))
    postgres, table, query = (given[key].value if key in given else "" for key in ("postgres", "table", "query"))
    return EntityTable(given["id"], node.span, file, duckdb, postgres, table, query)


def _permission(reader: NodeReader, node: YamlNode) -> Permission | None:
    """A permission; None where it is not said in full, which is reported."""
    before = len(reader.faults)
    parts = _shaped(reader, node, AUTHZEN_PERMISSION)
    names = ("decision", "allow", "subject", "resource")
    texts = {key: _text(reader, parts[key], f"`{key}` is a text") for key in names if key in parts}
    facts = {name.value: _origins(reader, given) for name, given in reader.entries(parts.get("facts"), "`facts`")}
    actions = [_text(reader, item, "an action is its name") for item in _items(reader, parts.get("actions"))]
    constants = {name.value: plain(given) for name, given in reader.entries(parts.get("constants"), "`constants`")}
    if len(reader.faults) > before:
        return None
    said = {"allow": "allow", **{key: text.value for key, text in texts.items() if text is not None}}
    named = tuple(action.value for action in actions if action is not None)
    return Permission(**said, actions=named, facts=facts, constants=constants, span=node.span)


def _origins(reader: NodeReader, node: YamlNode) -> tuple[Origin, ...]:
    """Where a fact comes from; what is no place is reported."""
    texts = [
        _text(reader, item, f"a fact comes from {FORMS}, or from a list of these") for item in _items(reader, node)
    ]
    found = [_origin(reader, text) for text in texts if text is not None]
    return tuple(origin for origin in found if origin is not None)


def _origin(reader: NodeReader, text: Authored) -> Origin | None:
    entity, _, rest = text.value.partition(".")
    part, _, way = rest.partition(".")
    if entity == CONTEXT and rest:
        return Origin(CONTEXT, "", tuple(rest.split(".")), text.span)
    if entity in PARTS and part in PARTS[entity] and bool(way) == (part in NAMED):
        steps = (way,) if part == COLUMN else tuple(way.split(".")) if way else ()
        return Origin(entity, part, steps, text.span)
    known: Sequence[str] = PARTS.get(entity, ENTITIES)
    hint = did_you_mean(part if entity in PARTS else entity, known) if part not in known else None
    reader.fault(text, f"`{shown_text(text.value)}` is no place of a fact; {hint or f'it is {FORMS}'}")
    return None


def _refuse_twice(reader: NodeReader, permissions: tuple[Permission, ...]) -> None:
    """Report a permission for what another one answers already."""
    seen: dict[tuple[str, str, str], str] = {}
    for each in permissions:
        keys = [(each.subject, each.resource, action) for action in each.actions]
        twice = next((key for key in keys if key in seen), None)
        if twice is not None:
            may = f"a `{each.subject}` may `{twice[2]}` a `{each.resource}`"
            told = f"`{seen[twice]}` and `{each.decision}` both answer whether {may}"
            reader.fault_at(each.span, f"{told}; give each its own actions")
        seen |= dict.fromkeys(keys, each.decision)


def _shaped(reader: NodeReader, node: YamlNode, shape: Shape) -> dict[str, YamlNode]:
    """The values of a mapping by the keys of a shape; others, and those that are missing, are reported."""
    parts = reader.keys(node, shape.thing, shape.names)
    if not isinstance(node, MappingNode):
        return parts
    for key in shape.keys:
        if key.required and key.name not in parts:
            reader.fault(node, f"{shape.thing} needs `{key.name}`: {key.meaning}")
    given = [name for name in (*shape.one_of, *shape.some_of) if name in parts]
    if (shape.one_of and len(given) != 1) or (shape.some_of and not given):
        amount = "exactly one" if shape.one_of else "one"
        reader.fault(node, f"{shape.thing} needs {amount} of {', '.join((*shape.one_of, *shape.some_of))}")
    return parts


def _text(reader: NodeReader, node: YamlNode, wanted: str) -> Authored | None:
    """A text that says something; None where a node is none, which is reported."""
    if isinstance(node, ScalarNode) and plain_scalar(node.text) is not None and node.text.value.strip():
        return node.text
    reader.fault(node, wanted)
    return None


def _items(reader: NodeReader, node: YamlNode | None) -> tuple[YamlNode, ...]:
    """The items of a list, which has some, or it is reported; anything else stands for a list of itself."""
    if not isinstance(node, SequenceNode):
        return () if node is None else (node,)
    if not node.items:
        reader.fault(node, "this list is empty; name something in it")
    return node.items


def _beside(folder: Path, file: Authored) -> Path:
    return Path(os.path.normpath(folder / file.value))


def _files(tables: Iterable[EntityTable]) -> Iterator[Path]:
    yield from (file for table in tables for file in (table.file, table.duckdb) if file is not None)
