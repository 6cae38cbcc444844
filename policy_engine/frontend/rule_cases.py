"""A case of a test file, and what its reader knows of the file it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.case_names import CaseNames
from policy_engine.source import Authored, Span


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
