"""Test cases as data, the state of a test file being read, and reading a case's facts, inline or from a fixture file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import Diagnostic, did_you_mean, say
from policy_engine.documents.facts_files import read_facts, read_file_text
from policy_engine.documents.nodes import MappingNode, ScalarNode, YamlNode, plain
from policy_engine.errors import CannotRun
from policy_engine.frontend.case_names import CaseNames
from policy_engine.language.rulesets import Ruleset
from policy_engine.source import Authored, Span

FROM_FILE = ("from", "with")
"""The keys beside which a fixture's facts have no others; no fact can have their names."""


@dataclass(frozen=True, slots=True)
class RuleCase:
    """One case of a test file.

    `expect` says, for each decision named, which parts of its answer must be what, in JSON types; `invalid` the pointers of
    the violations that the facts must have; `not_in_force` that the day is outside every version. Only one of the three is given.
    """

    name: str
    ruleset: str
    as_of: date
    facts: Mapping[str, Any]
    readings: Mapping[str, str]
    expect: Mapping[str, Mapping[str, Any]]
    invalid: tuple[str, ...] | None
    not_in_force: bool
    span: Span

    def is_of(self, ruleset: Ruleset) -> bool:
        """Whether the case asks this version of a ruleset."""
        return self.ruleset == ruleset.id and self.as_of in ruleset.period


@dataclass(slots=True)
class CaseFile:
    """A test file that is read: its path, the ruleset under test with its names, and the names of the cases so far."""

    path: Path
    ruleset: str
    known: CaseNames
    names: set[str] = field(default_factory=set)

    @property
    def faults(self) -> list[Diagnostic]:
        """What is wrong with the file."""
        return self.known.faults

    def add_name(self, name: Authored) -> None:
        """A case has this name, which no other may have."""
        if name.value in self.names:
            self.faults.append(say("test-twice", name.span, name=name.value))
        self.names.add(name.value)


def case_facts(node: YamlNode | None, path: Path, known: CaseNames, *, free: bool = False) -> dict[str, Any] | None:
    """The facts under a key of the test file at a path; `free` where they may be invalid. None where a fixture is missing."""
    start = node.get("from") if isinstance(node, MappingNode) else None
    if not (isinstance(node, MappingNode) and isinstance(start, ScalarNode)):
        return _written("facts", node, known, free=free)
    _refuse_others(node, known)
    fixture = _fixture(start.text, path, known)
    return None if fixture is None else {**fixture, **_written("with", node.get("with"), known, free=free)}


def _refuse_others(node: MappingNode, known: CaseNames) -> None:
    for key, _ in node.entries:
        if key.value not in FROM_FILE:
            hint = did_you_mean(key.value, FROM_FILE) or "facts beside those of a file stand in `with: {...}`"
            known.faults.append(say("unknown-key", key.span, hint=hint, thing="a fixture", key=key.value))


def _written(key: str, node: YamlNode | None, known: CaseNames, *, free: bool) -> dict[str, Any]:
    """The facts that are written under a key."""
    if not isinstance(node, MappingNode):
        if node is not None:
            known.faults.append(say("wrong-kind", node.span, what=f"`{key}`", expected="a mapping of facts"))
        return {}
    if not free:
        known.check_facts(node)
    return {name.value: plain(value) for name, value in node.entries}


def _fixture(written: Authored, path: Path, known: CaseNames) -> Mapping[str, Any] | None:
    """The facts of a file that some folder above the test file has; messages name it as its author does."""
    found = fixture_path(written.value, path)
    if found is None:
        known.faults.append(say("file-unreadable", written.span, why=f"there is no file `{written.value}`"))
        return None
    try:
        facts = read_facts(Path(written.value), read_file_text(found))
    except CannotRun as error:
        why = str(error).replace(str(found), written.value)
        known.faults.append(say("file-unreadable", written.span, why=why))
        return None
    if isinstance(facts, Mapping):
        return facts
    known.faults.append(say("wrong-kind", written.span, what=f"`{written.value}`", expected="a mapping of facts"))
    return None


def fixture_path(name: str, test: Path) -> Path | None:
    """The file of a name that some folder above a test file has."""
    return next((folder / name for folder in test.absolute().parents if _is_file(folder / name)), None)


def _is_file(path: Path) -> bool:
    """Whether there is such a file; a name that no file could have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
