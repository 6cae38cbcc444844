"""Checking a permission of an AuthZEN mapping against the versions of the ruleset that it asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from policy_engine.diagnostics import did_you_mean, shown_text, unknown_name
from policy_engine.documents.node_reader import NodeReader
from policy_engine.documents.nodes import MappingNode, YamlNode
from policy_engine.facts.violations import member_violations
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Member, Text, member_of
from policy_engine.service.authzen.permissions import ACTION, COLUMN, RESOURCE, SUBJECT, EntityTable, Origin, Permission
from policy_engine.source import Authored, Span

Versions = Mapping[str, Sequence[Ruleset]]
"""By its name the versions of each ruleset that are in force or will be."""
Tables = Mapping[tuple[str, str], EntityTable | None]
"""The tables of entities by side and type; None for one in which something is wrong, which was told."""
TEXTS = ("id", "type", "name")
"""The parts of entities that are texts."""


@dataclass(frozen=True, slots=True)
class Check:
    """A permission as it stands in a mapping, checked against one ruleset."""

    reader: NodeReader
    permission: Permission
    node: MappingNode
    ruleset: Ruleset

    def run(self) -> None:
        """Report everything that does not fit the ruleset."""
        self._outcome()
        for name, _ in self._entries("facts"):
            member = self._member(name)
            if member is not None:
                for origin in self.permission.facts[name.value]:
                    self._origin(member, origin)
        self._constants()
        self._required()

    def _entries(self, key: str) -> tuple[tuple[Authored, YamlNode], ...]:
        node = self.node.get(key)
        return node.entries if isinstance(node, MappingNode) else ()

    def _outcome(self) -> None:
        logic, allow = self.ruleset.decision(self.permission.name), self.permission.allow
        place = self.node.get("allow") or self.node.get("decision") or self.node
        if logic.collects:
            self.reader.fault(
                place, f"`{self.permission.decision}` gives a list of outcomes, and a permission is one outcome"
            )
        elif allow not in logic.outcomes:
            told = unknown_name(f"outcome of `{self.permission.decision}`", shown_text(allow), logic.outcomes)
            missing = "" if self.node.get("allow") else "; name the one that permits under `allow`"
            self.reader.fault(place, f"{told}{missing}")

    def _member(self, name: Authored) -> Member | None:
        """The fact of a name; None where there is none, which is reported."""
        members = self.ruleset.facts.type
        found = member_of(members, name.value)
        if found is None:
            known = [member.name for member in members.members]
            self.reader.fault(name, unknown_name(f"fact of `{self.ruleset.id}`", shown_text(name.value), known))
        return found

    def _origin(self, member: Member, origin: Origin) -> None:
        if origin.part not in TEXTS:
            return
        place = f"`{origin.entity}.{origin.part}`"
        if not isinstance(member.type, Text):
            self.reader.fault_at(origin.span, f"{place} is a text, and the fact `{member.name}` is none")
            return
        closed = member.type.values
        for value in self._known(origin):
            if closed is not None and value not in closed:
                told = f"{place} may be `{shown_text(value)}`, which the fact `{member.name}` cannot be"
                hint = did_you_mean(value, closed) or f"it is one of {', '.join(closed)}"
                self.reader.fault_at(origin.span, f"{told}; {hint}")

    def _known(self, origin: Origin) -> tuple[str, ...]:
        """The values that are known of a part of an entity."""
        if origin.part == "type":
            return (self.permission.type_of(origin.entity),)
        return self.permission.actions if origin.part == "name" else ()

    def _constants(self) -> None:
        for name, node in self._entries("constants"):
            if name.value in self.permission.facts:
                self.reader.fault(name, f"`{name.value}` is given twice; say once what it is")
            elif self._member(name) is not None:
                for violation in member_violations(
                    name.value, self.permission.constants[name.value], self.ruleset.facts
                ):
                    self.reader.fault(node, violation.message)

    def _required(self) -> None:
        given = {*self.permission.facts, *self.permission.constants}
        missing = [m.name for m in self.ruleset.facts.type.members if m.required and m.name not in given]
        if missing:
            names = ", ".join(f"`{name}`" for name in missing)
            told = f"`{self.ruleset.id}` needs {names} in every question; say where to take it from"
            self.reader.fault_at(self.node.key_span("facts"), told)


def checked(
    reader: NodeReader, permission: Permission, node: YamlNode, tables: Tables, rulebook: Versions
) -> Permission | None:
    """The permission with the names of its actions; None where something is wrong, which is reported."""
    before = len(reader.faults)
    assert isinstance(node, MappingNode)
    versions = _versions(reader, permission, node, rulebook)
    for ruleset in versions:
        Check(reader, permission, node, ruleset).run()
    for fault in _faults_of_tables(permission, tables):
        reader.fault_at(*fault)
    actions = permission.actions or _closed_actions(permission, versions)
    if not actions and versions:
        reader.fault(node, "which `actions`? No fact with a closed set comes from `action.name`, so name them")
    return replace(permission, actions=actions) if len(reader.faults) == before else None


def _versions(reader: NodeReader, permission: Permission, node: MappingNode, rulebook: Versions) -> Sequence[Ruleset]:
    """The versions that have the decision; none where there is none, which is reported."""
    place = node.get("decision") or node
    versions = rulebook.get(permission.ruleset)
    if not versions:
        reader.fault(place, unknown_name("ruleset", shown_text(permission.ruleset), [*filter(rulebook.get, rulebook)]))
        return ()
    known = list(dict.fromkeys(logic.name for version in versions for logic in version.decisions))
    if permission.name not in known:
        kind = f"decision of `{permission.ruleset}`"
        reader.fault(place, unknown_name(kind, shown_text(permission.name), known))
    return [version for version in versions if permission.name in [logic.name for logic in version.decisions]]


def _closed_actions(permission: Permission, versions: Sequence[Ruleset]) -> tuple[str, ...]:
    """The values of the fact that is the name of the action, where it has a closed set in every version."""
    of_action = [name for name, origins in permission.facts.items() if any(_is_name(origin) for origin in origins)]
    members = [member_of(version.facts.type, name) for version in versions for name in of_action]
    sets = [m.type.values for m in members if m is not None and isinstance(m.type, Text) and m.type.values is not None]
    return tuple(value for value in sets[0] if all(value in each for each in sets)) if sets else ()


def _is_name(origin: Origin) -> bool:
    return (origin.entity, origin.part) == (ACTION, "name")


def _faults_of_tables(permission: Permission, tables: Tables) -> Iterator[tuple[Span, str]]:
    """What is wrong with the columns that facts come from."""
    for side in (SUBJECT, RESOURCE):
        type_ = permission.type_of(side)
        table = tables.get((side, type_))
        for origins in () if (side, type_) in tables else permission.facts.values():
            for origin in _of_side(origins, side):
                if origin.part == COLUMN:
                    yield origin.span, f"the type `{type_}` has no table; name it under `{side}s`"
        if table is not None:
            yield from _faults_of_columns(permission, side, table)


def _faults_of_columns(permission: Permission, side: str, table: EntityTable) -> Iterator[tuple[Span, str]]:
    """Columns that would be two facts, and facts that would be two columns."""
    taken: dict[str, str] = {}
    for name, origins in permission.facts.items():
        given = _of_side(origins, side)
        if len(given) > 1:
            yield given[1].span, f"`{name}` comes from two columns of the table of the {side}; name one"
        for origin in given:
            column = table.id.value if origin.part == "id" else origin.column
            if origin.part == COLUMN and column == table.id.value:
                yield origin.span, f"the column `{shown_text(column)}` holds the ids; take `{side}.id`"
            elif taken.setdefault(column, name) != name:
                yield origin.span, f"the column `{shown_text(column)}` is the fact `{taken[column]}` already"


def _of_side(origins: Sequence[Origin], side: str) -> list[Origin]:
    """The origins that a table of subjects or resources gives."""
    return [origin for origin in origins if origin.entity == side and origin.part in (COLUMN, "id")]
