"""Reading a mapping file: its nodes as names, facts and texts, and what is wrong with it, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.documents.node_reader import NodeReader
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, plain_scalar
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, ListOf, Member, Record, Text, Type
from policy_engine.source import Authored
from policy_engine.tables.cells import AS_FACTS, read_cell


@dataclass(slots=True)
class MappingReader(NodeReader):
    """One reading of a mapping file for a schema: where it lies, and what is wrong with it so far.

    `members` are the facts and, by their paths, the members of records in lists, `statuses.since` say. The values of a list of
    single values have the path `tags[]`.
    """

    facts: FactsSchema
    folder: Path
    members: Mapping[str, Member] = field(init=False)

    def __post_init__(self) -> None:
        self.members = {path: member for one in self.facts.type.members for path, member in _paths(one)}

    def member(self, name: Authored, record: Record | None = None) -> Member | None:
        """The fact, or member of a record, of that name; None where there is none, which is reported."""
        known = self.members if record is None else {member.name: member for member in record.members}
        found = known.get(name.value)
        if found is None:
            names = [path for path in known if any(sign in name.value for sign in ".[") or path.isidentifier()]
            hint = did_you_mean(name.value, names) or f"it has {', '.join(names)}"
            whose = (
                f"the schema `{self.facts.name}` has no fact" if record is None else "the list's records have no member"
            )
            self.fault(name, f"{whose} `{shown_text(name.value)}`; {hint}")
        return found

    def fact(self, name: Authored) -> Member | None:
        """The fact of that name, None where there is none, which is reported."""
        found = self.member(name)
        if found is None or found in self.facts.type.members:
            return found
        self.fault(name, f"`{found.name}` is part of a list; gather it by lists or histories")
        return None

    def list_of_part(self, name: Authored) -> str | None:
        """The list of which a member or value has that path; None for any other name."""
        parts = ((one, path) for one in self.facts.type.members for path, part in _paths(one) if part is not one)
        return next((one.name for one, path in parts if path == name.value), None)

    def of_kind(self, name: Authored, kinds: Mapping[type[Type], object], what: str) -> Member | None:
        """The fact of that name if it has one of some types, else None, which is reported."""
        member = self.member(name)
        if member is None or type(member.type) in kinds:
            return member
        self.fault(name, f"`{member.name}` is no {what}")
        return None

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

    def listed(self, node: YamlNode, what: str = "what stands for a value") -> Iterator[Authored]:
        """The texts of a list, or the one text that a node is."""
        for item in items_of(node):
            if isinstance(item, ScalarNode):
                yield item.text
            else:
                self.fault(item, f"{what} is a text, or a list of texts")


def items_of(node: YamlNode) -> tuple[YamlNode, ...]:
    """The items of a list; anything else stands for a list of itself."""
    return node.items if isinstance(node, SequenceNode) else (node,)


def names_in(node: YamlNode | None) -> Iterator[Authored]:
    """The names in a mapping, or in those that are items of a list."""
    for item in () if node is None else items_of(node):
        yield from (name for name, _ in item.entries) if isinstance(item, MappingNode) else ()


def _paths(member: Member) -> Iterator[tuple[str, Member]]:
    """A fact by its name, and what its list holds by their paths."""
    yield member.name, member
    match member.type:
        case ListOf(element=Record(members=members)):
            for below in members:
                path = f"{member.name}.{below.name}"
                yield path, replace(below, name=path)
        case ListOf(element=element):
            yield f"{member.name}[]", replace(member, name=f"{member.name}[]", type=element)
