"""Reading a YAML file of our own: its mappings by their keys, and what is wrong with it, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.documents.nodes import MappingNode, YamlNode
from policy_engine.documents.yaml_reader import read_file
from policy_engine.errors import CannotRun
from policy_engine.source import Authored, Span


def document_of(path: Path) -> YamlNode:
    """The document of a YAML file; raises `CannotRun` with every fault and its place."""
    _, node, faults = read_file(path)
    if node is None or faults:
        raise CannotRun("\n".join(f"{fault.span}: {fault.message}" for fault in faults))
    return node


@dataclass(slots=True)
class NodeReader:
    """One reading of a file: what is wrong with it so far."""

    faults: list[str] = field(default_factory=list, kw_only=True)

    def fault(self, where: YamlNode | Authored, message: str) -> None:
        """Note what is wrong with a node."""
        self.fault_at(where.span, message)

    def fault_at(self, place: Span, message: str) -> None:
        """Note what is wrong at a place."""
        self.faults.append(f"{place}: {message}")

    def entries(self, node: YamlNode | None, what: str) -> tuple[tuple[Authored, YamlNode], ...]:
        """The names and values of a mapping; none where the node is none, which is reported."""
        if node is None or isinstance(node, MappingNode):
            return () if node is None else node.entries
        self.fault(node, f"{what} is a list of `name: value`")
        return ()

    def keys(self, node: YamlNode | None, what: str, known: tuple[str, ...]) -> dict[str, YamlNode]:
        """The values of a mapping by their keys; others are reported."""
        found: dict[str, YamlNode] = {}
        for key, value in self.entries(node, what):
            found[key.value] = value
            if key.value not in known:
                hint = did_you_mean(key.value, known) or f"there are {', '.join(known)}"
                self.fault(key, f"{what} has no `{shown_text(key.value)}`; {hint}")
        return found
