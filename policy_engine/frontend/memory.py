"""Rule files as they were read and checked, and what a load remembers of them for the next one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from policy_engine.diagnostics import Diagnostic
from policy_engine.documents.nodes import YamlNode
from policy_engine.frontend.parser import is_library
from policy_engine.frontend.syntax import RulesetSyntax
from policy_engine.language.rulesets import FactsSchema, Ruleset


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule file that was read: its document, None where there is none to go on with, its syntax, None likewise, its faults."""

    path: Path
    text: str
    node: YamlNode | None
    syntax: RulesetSyntax | None
    faults: list[Diagnostic]

    @property
    def is_library(self) -> bool:
        """Whether it holds a library."""
        return self.node is not None and is_library(self.node)


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A rule file that was checked over the schema of its facts.

    `syntax` has what is taken from libraries as well; `ruleset` is None where errors forbid its use.
    """

    file: RuleFile
    facts: FactsSchema
    syntax: RulesetSyntax
    ruleset: Ruleset | None
    faults: tuple[Diagnostic, ...]


@dataclass(slots=True)
class Memory:
    """The files of a load by their paths, for one who loads again at each change of a text, as editors do.

    A file whose text is the same is neither read nor checked again. It holds as long as schemas, libraries and tables are
    the same: when one of them changes, begin with a new memory.
    """

    files: dict[str, RuleFile] = field(default_factory=dict)
    checked: dict[str, CheckedFile] = field(default_factory=dict)

    def add(self, file: RuleFile) -> None:
        """Remember a file; one without a text is read again."""
        if file.node is not None or file.text:
            self.files[str(file.path)] = file

    def read(self, path: Path, text: str) -> RuleFile | None:
        """The file of that text, None where it was another or none."""
        file = self.files.get(str(path))
        return file if file is not None and file.text == text else None

    def check_of(self, file: RuleFile) -> CheckedFile | None:
        """What was found when just this file was checked, None where it was not."""
        checked = self.checked.get(str(file.path))
        return checked if checked is not None and checked.file is file else None
