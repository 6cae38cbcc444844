"""Where the texts of rules and schemas come from: from files, or from a caller who has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from policy_engine.diagnostics import Diagnostic
from policy_engine.documents.yaml_reader import LARGEST_FILE, file_text, given_text

SUFFIX = ".schema.json"


class ReadText(Protocol):
    """Gives the text of a file of at most so many bytes, or why it has none; `file_text` reads it from the disk."""

    def __call__(self, path: Path, largest: int = LARGEST_FILE) -> tuple[str, list[Diagnostic]]:
        """The text, and the faults that leave none."""
        ...


def named_text(name: str) -> Path:
    """What diagnostics call a text that is no file."""
    return Path(f"<{name}>")


def is_text(path: str) -> bool:
    """Whether a path is that of a text: no rule file has such a name, for one ends in `.yaml` or `.yml`."""
    return path.endswith(">")


class Schemas(Protocol):
    """Schemas by name."""

    def names(self) -> list[str]:
        """The names of all schemas, in order."""
        ...

    def path(self, name: str) -> Path:
        """What diagnostics call the place of a schema."""
        ...

    def text(self, name: str) -> tuple[str, list[Diagnostic]]:
        """The text of a schema, or why it has none."""
        ...


@dataclass(frozen=True, slots=True)
class SchemaFolder:
    """The schemas in the files `NAME.schema.json` of a folder."""

    folder: Path
    read: ReadText = file_text

    def names(self) -> list[str]:
        """The names of all schemas, in order."""
        return sorted(file.name.removesuffix(SUFFIX) for file in self.folder.glob(f"*{SUFFIX}"))

    def path(self, name: str) -> Path:
        """The file of a schema."""
        return self.folder / f"{name}{SUFFIX}"

    def text(self, name: str) -> tuple[str, list[Diagnostic]]:
        """The text of a file, or why it has none."""
        return self.read(self.path(name))


@dataclass(frozen=True, slots=True)
class SchemaTexts:
    """Schemas that were given as JSON texts, by name."""

    texts: Mapping[str, str]

    def names(self) -> list[str]:
        """The names of all schemas, in order."""
        return sorted(self.texts)

    def path(self, name: str) -> Path:
        """A schema's name, marked as that of a text."""
        return named_text(f"{name}{SUFFIX}")

    def text(self, name: str) -> tuple[str, list[Diagnostic]]:
        """The text of a schema, or why it cannot be one."""
        return given_text(str(self.path(name)), self.texts[name])
