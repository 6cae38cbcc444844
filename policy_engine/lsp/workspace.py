"""What an editor works on: the texts that are open, before those on the disk, and what is known of the files together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from policy_engine.diagnostics import Diagnostic
from policy_engine.documents.nodes import MappingNode, ScalarNode, YamlNode
from policy_engine.documents.yaml_reader import LARGEST_FILE, file_text, given_text, read_text
from policy_engine.errors import CannotRun
from policy_engine.frontend.context import Context, context_of
from policy_engine.frontend.files import SUFFIX, ReadText
from policy_engine.frontend.loader import Rulebook, load, rule_files
from policy_engine.frontend.memory import CheckedFile, Memory, RuleFile
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests, test_files
from policy_engine.frontend.scope import nowhere
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.timezones import is_timezone
from policy_engine.lsp.describing import described_names
from policy_engine.lsp.symbols import Occurrence

RULES, SCHEMAS = "rules", "schemas"
BEGINNING = re.compile(r"^(?:ruleset|library|tests):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Folders:
    """The folder of rules and their tests, and the folder of the schemas of their facts."""

    rules: Path
    schemas: Path


@dataclass(frozen=True, slots=True)
class CaseDocument:
    """A test file that was read: its document, None where there is none, the ruleset that it names, its cases and its faults."""

    path: Path
    text: str
    node: YamlNode | None
    ruleset: str
    versions: tuple[Ruleset, ...]
    cases: tuple[RuleCase, ...]
    faults: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of the files of one project at one moment.

    `checked` has each rule file as it was last checked, and of one that cannot be read now what was known before; `sound` the
    rulesets and libraries, as they were when they last had no errors. `refused` says why nothing could be looked at.
    """

    folders: Folders
    change: int
    rulebook: Rulebook = field(default_factory=lambda: Rulebook((), ()))
    files: Mapping[str, RuleFile] = field(default_factory=dict)
    checked: Mapping[str, CheckedFile] = field(default_factory=dict)
    tests: Mapping[str, CaseDocument] = field(default_factory=dict)
    sound: Mapping[str, Ruleset] = field(default_factory=dict)
    refused: str | None = None
    contexts: dict[str, tuple[CheckedFile, Context]] = field(default_factory=dict, compare=False, repr=False)
    """The names that expressions of a file can use, made when they are first asked for."""
    found: dict[str, tuple[object, tuple[Occurrence, ...]]] = field(default_factory=dict, compare=False, repr=False)
    """Where names stand in a file, with that which was looked through for them."""

    def context(self, path: Path) -> Context | None:
        """The names that the expressions of a rule file can use; None where the file could never be read."""
        checked = self.checked.get(str(path))
        if checked is not None and not self._is_made(checked):
            self.contexts[str(path)] = checked, _context(checked)
        return None if checked is None else self.contexts[str(path)][1]

    def _is_made(self, checked: CheckedFile) -> bool:
        made = self.contexts.get(str(checked.file.path))
        return made is not None and made[0] is checked

    def make_ready(self, paths: Iterable[Path]) -> None:
        """Work out the types of all names of some rule files, which takes a while, before somebody asks for them.

        Another thread may do so: it works on contexts of its own, which take their places when they are ready.
        """
        wanted = (checked for path in paths if (checked := self.checked.get(str(path))) is not None)
        for checked in wanted:
            if not self._is_made(checked):
                context = _context(checked)
                list(described_names(context))
                self.contexts[str(checked.file.path)] = checked, context

    def versions(self, name: str) -> tuple[Ruleset, ...]:
        """The versions of a ruleset, or of a library as its tests ask it, when they last had no errors."""
        return tuple(ruleset for ruleset in self.sound.values() if ruleset.id == name)

    @property
    def diagnostics(self) -> Iterator[Diagnostic]:
        """Every fault and warning of rules, schemas, tables and tests."""
        yield from self.rulebook.diagnostics
        for test in self.tests.values():
            yield from test.faults


@dataclass(slots=True)
class Project:
    """The files below two folders. `change` counts the changes of texts; what was read and checked is kept for the next look."""

    folders: Folders
    change: int = 1
    memory: Memory = field(default_factory=Memory)
    last: Snapshot | None = None
    lock: Lock = field(default_factory=Lock)


@dataclass(slots=True)
class Workspace:
    """The texts that are open in the editor by their paths, and the projects that they belong to."""

    texts: dict[Path, str] = field(default_factory=dict)
    projects: dict[Folders, Project] = field(default_factory=dict)

    def put(self, path: Path, text: str | None) -> Project | None:
        """A text is open, or changed; None where it was closed, and the file counts. The project that it belongs to."""
        before = self.texts.pop(path, None)
        if text is not None:
            self.texts[path] = with_line_feeds(text)
        folders = folders_of(path, text or before or "")
        project = self.projects.setdefault(folders, Project(folders)) if folders is not None else None
        if project is not None:
            if path.suffix not in (".yaml", ".yml") or _is_library(project, path):
                project.memory = Memory()
            project.change += 1  # last, so that a look in another thread that sees it sees all of this
        return project

    def changed_on_disk(self, paths: Iterable[Path]) -> list[Project]:
        """Files changed on the disk: all is read again of the projects that they may belong to, which are given.

        What is open in a project counts as it stands in the editor. A fixture may lie anywhere beside the rules.
        """
        changed = [path for path in paths if path not in self.texts or self.project_of(path) is None]
        concerned = [
            project for project in self.projects.values() if any(_is_beside(project, path) for path in changed)
        ]
        for project in concerned:
            project.memory = Memory()
            project.change += 1
        return concerned

    def text(self, path: Path) -> str:
        """The text of a file as it stands in the editor, or on the disk; empty where there is none."""
        return self.texts[path] if path in self.texts else file_text(path)[0]

    def project_of(self, path: Path) -> Project | None:
        """The project of a file that is open or was named in an answer."""
        folders = folders_of(path, self.texts.get(path, ""))
        return None if folders is None else self.projects.get(folders)

    def look(self, project: Project) -> Snapshot:
        """What is known of a project now: the last snapshot, or a new one where some text has changed since."""
        with project.lock:
            # before the texts, so that of what changes meanwhile they are too old, and never too new
            change, memory = project.change, project.memory
            if project.last is None or project.last.change != change:
                project.last = _looked(project.folders, change, memory, project.last, _reading(dict(self.texts)))
            return project.last


def _context(checked: CheckedFile) -> Context:
    zone = checked.syntax.timezone.value
    facts = checked.facts.in_zone(zone) if is_timezone(zone) else checked.facts
    return context_of(checked.syntax, facts, [], nowhere)


def with_line_feeds(text: str) -> str:
    """A text with line feeds alone between its lines, as the engine reads it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def folders_of(path: Path, text: str = "") -> Folders | None:
    """The folders of the project that a file belongs to: below the nearest folder that has one of schemas.

    None where it is no file of rules, tests, schemas or tables. One outside of the folder `rules` must begin like a rule file.
    """
    above = next((folder for folder in path.parents if (folder / SCHEMAS).is_dir()), None)
    if above is None:
        return None
    rules, schemas = above / RULES, above / SCHEMAS
    if path.parent == schemas:
        return Folders(rules, schemas) if path.name.endswith(SUFFIX) and rules.is_dir() else None
    if path.suffix not in (".yaml", ".yml", ".csv"):
        return None
    if rules in path.parents:
        return Folders(rules, schemas)
    return Folders(path.parent, schemas) if path.suffix != ".csv" and BEGINNING.search(text) else None


def _is_beside(project: Project, path: Path) -> bool:
    """Whether a file lies below the folder in which a project has its folders."""
    return project.folders.schemas.parent in path.parents


def trial_of(project: Project, texts: Iterable[Path]) -> Project:
    """A project to try other texts of some files in; it begins with what is known, as far as that still holds."""
    if any(path.suffix == ".json" or _is_library(project, path) for path in texts) or project.last is None:
        return Project(project.folders)
    known = Memory(dict(project.memory.files), dict(project.memory.checked))
    return Project(project.folders, project.change + 1, known, replace(project.last, contexts={}, found={}))


def _is_library(project: Project, path: Path) -> bool:
    """Whether a file was a library at the last look, or is none that is known, and might be one."""
    file = project.memory.files.get(str(path))
    return (file is None or file.is_library) and path.suffix in (".yaml", ".yml") and not is_test(path)


def is_test(path: Path) -> bool:
    """Whether a file has the name of a test file."""
    return bool(path.stem.endswith("_test"))


def _reading(texts: Mapping[Path, str]) -> ReadText:
    """Reads the texts given, and all other files from the disk."""

    def read(path: Path, largest: int = LARGEST_FILE) -> tuple[str, list[Diagnostic]]:
        return given_text(str(path), texts[path]) if path in texts else file_text(path, largest)

    return read


def _looked(folders: Folders, change: int, memory: Memory, before: Snapshot | None, read: ReadText) -> Snapshot:
    """A new snapshot; what the one before knew is kept where a file cannot be read now."""
    try:
        rules, tests = rule_files([folders.rules]), test_files([folders.rules])
        rulebook = load(rules, folders.schemas, read=read, memory=memory) if rules else Rulebook((), ())
        read_now = {str(path): _test(path, rulebook, read, before) for path in tests}
    except CannotRun as error:
        return Snapshot(folders, change, refused=str(error))
    names = {str(path) for path in rules}
    known = {**(before.checked if before is not None else {}), **memory.checked}
    checked = {path: file for path, file in known.items() if path in names}
    files = {path: file for path, file in memory.files.items() if path in names}
    kept = (before.contexts, before.found) if before is not None else ({}, {})
    sound = {path: one for path, one in (before.sound if before is not None else {}).items() if path in names}
    sound |= {ruleset.path: ruleset for ruleset in (*rulebook.rulesets, *rulebook.libraries)}
    return Snapshot(folders, change, rulebook, files, checked, read_now, sound, None, *kept)


def _test(path: Path, rulebook: Rulebook, read: ReadText, before: Snapshot | None) -> CaseDocument:
    """A test file, as at the last look where neither it nor the ruleset under test has changed."""
    text, _ = read(path)
    last = before.tests.get(str(path)) if before is not None else None
    node = last.node if last is not None and last.text == text else read_text(text, str(path))[0]
    name = _ruleset_named(node)
    versions = rulebook.with_libraries().versions(name)
    if last is not None and last.text == text and versions and _same(last.versions, versions):
        return last
    cases, faults = read_tests([path], rulebook, read)
    return CaseDocument(path, text, node, name, versions, cases, faults)


def _same(one: tuple[Ruleset, ...], other: tuple[Ruleset, ...]) -> bool:
    """Whether these are the very same rulesets."""
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


def _ruleset_named(node: YamlNode | None) -> str:
    """The ruleset that a test file names; empty where it names none."""
    name = node.get("tests") if isinstance(node, MappingNode) else None
    return name.text.value if isinstance(name, ScalarNode) else ""
