"""Loading a rulebook: reads and checks every rule file and its schema, and collects the diagnostics of all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import combinations
from pathlib import Path

from policy_engine.diagnostics import Diagnostic, Related, Severity, has_errors, in_order, say, say_unknown
from policy_engine.documents.yaml_reader import read_file, top_level_text
from policy_engine.errors import CannotRun, NotInForce
from policy_engine.files import refuse_unreadable_name
from policy_engine.frontend.checker import check
from policy_engine.frontend.digest import digest_of
from policy_engine.frontend.lints import lint, lint_schema
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.schemas import is_name, read_schema
from policy_engine.frontend.shape_hints import OUTSIDE_RULES
from policy_engine.frontend.syntax import RulesetSyntax, SilenceSyntax
from policy_engine.language.rulesets import FactsSchema, Ruleset
from policy_engine.language.values import Holidays

TEST_SUFFIX = "_test"
LONGEST_NAME = 100
Schema = tuple[FactsSchema | None, tuple[Diagnostic, ...]]
Version = tuple[Ruleset, RulesetSyntax]
"""A checked ruleset and the syntax of its file, which has the places."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rulesets of a load, each version by itself, and what was found wrong with the files.

    `refused` are the ids of rulesets some file of which has errors; where the id could not be read, the file's name.
    """

    rulesets: tuple[Ruleset, ...]
    diagnostics: tuple[Diagnostic, ...]
    refused: frozenset[str] = frozenset()

    def versions(self, name: str) -> tuple[Ruleset, ...]:
        """The versions of a ruleset, oldest first; empty where there is no such ruleset."""
        return tuple(sorted((r for r in self.rulesets if r.id == name), key=lambda r: r.period.start))

    def in_force(self, name: str, day: date) -> Ruleset:
        """The version in force on a civil date; raises `NotInForce` with the periods there are."""
        versions = self.versions(name)
        found = next((ruleset for ruleset in versions if day in ruleset.period), None)
        if found is None:
            periods = "; ".join(f"version {r.version} {r.period}" for r in versions)
            raise NotInForce(f"`{name}` is not in force on {day}: there is {periods}")
        return found


@dataclass(slots=True)
class _Load:
    schemas: Path
    lints: bool
    texts: dict[str, list[str]] = field(default_factory=dict)
    read: dict[str, Schema] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)
    silences: list[SilenceSyntax] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    facts_of: dict[str, list[str]] | None = None


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """The rule files among files and below folders, tests left out, in order of path; raises `CannotRun`."""
    return [path for path in yaml_files(paths) if not path.stem.endswith(TEST_SUFFIX)]


def yaml_files(paths: Iterable[Path]) -> list[Path]:
    """The YAML files among files and below folders, in order of path; raises `CannotRun` where there is none.

    A link that leads nowhere is no file; editors leave such links beside files that are open. A pipe in a folder is a file
    that cannot be read, which is told where it is read.
    """
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            named = (file for file in path.rglob("*") if file.suffix in (".yaml", ".yml"))
            found.update(file for file in named if file.exists() and not file.is_dir())
        elif path.is_file():
            found.add(path)
        else:
            there = path.exists()
            raise CannotRun(
                f"`{path}` is neither a file nor a folder" if there else f"there is no file or folder `{path}`"
            )
    for path in found:
        refuse_unreadable_name(path)
    return sorted(found)


def load(paths: Iterable[Path], schemas: Path, *, lints: bool = True, only: Collection[str] = ()) -> Rulebook:
    """Read and check the rule files among the paths; schemas are looked up by name in one folder.

    Without `lints` only errors are looked for. `only` names the rulesets that are wanted: files of others are left unread,
    unless no file has any of them.
    """
    if schemas.exists() and not schemas.is_dir():
        raise CannotRun(f"`{schemas}` is not a folder of schemas")
    state = _Load(schemas, lints)
    versions = [
        version for path in _wanted(rule_files(paths), only) if (version := _load_file(state, path)) is not None
    ]
    loaded = [ruleset for ruleset, _ in versions]
    state.faults.extend(_conflicts(versions))
    if lints and not has_errors(state.faults):
        read = [facts for facts, _ in state.read.values() if facts is not None]
        state.faults.extend(fault for facts in read for fault in lint_schema(facts, loaded))
    told = silenced(state.faults, state.silences) if lints else state.faults
    return Rulebook(tuple(loaded), in_order(with_excerpts(told, state.texts)), frozenset(state.refused))


def _wanted(files: list[Path], only: Collection[str]) -> list[Path]:
    """The files of the rulesets that are wanted, and those that do not tell whose they are; all of them where none is wanted."""
    names = {file: top_level_text(file, "ruleset") for file in files} if only else {}
    if not any(name in only for name in names.values()):
        return files
    return [file for file, name in names.items() if name is None or name in only]


def _load_file(state: _Load, path: Path) -> Version | None:
    """One version; where its file has errors, its warnings are left out."""
    text, node, faults = read_file(path, homes=OUTSIDE_RULES)
    state.texts[str(path)] = text.split("\n")
    version = None
    syntax, more = parse_ruleset(node) if node is not None else (None, [])
    faults = [*faults, *more]
    written = [] if syntax is None else [table.file for table in syntax.tables if table.file is not None]
    state.texts.update({file.path: file.text.split("\n") for file in written})
    facts = _schema(state, syntax) if syntax is not None else None
    if node is not None and syntax is not None and facts is not None:
        calendars = [value for p in syntax.parameters for _, value in p.values if isinstance(value, Holidays)]
        tables = [(table.name.value, table.file.records) for table in syntax.tables if table.file is not None]
        digest = digest_of(node, facts.document, calendars, tables)
        ruleset, faults = check(syntax, facts, digest, faults, partial(_other_schema, state, facts.name))
        if ruleset is not None:
            version = ruleset, syntax
            faults.extend(lint(ruleset) if state.lints else ())
            state.silences.extend(syntax.silences)
    if version is None:
        state.refused.add(syntax.id.value if syntax is not None else path.name.split(".")[0])
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    state.faults.extend(errors or faults)
    return version


def _schema(state: _Load, syntax: RulesetSyntax) -> FactsSchema | None:
    """The schema that a ruleset names; its own faults are reported once, at the schema."""
    name = syntax.facts.value
    path = state.schemas / f"{name}.schema.json"
    if not is_name(name) or len(name) > LONGEST_NAME or not path.exists():
        known = [file.name.removesuffix(".schema.json") for file in state.schemas.glob("*.schema.json")]
        state.faults.append(say_unknown("schema-missing", syntax.facts, known, path=path))
        return None
    if name not in state.read:
        facts, faults = read_schema(path, name)
        state.read[name] = facts, tuple(faults)
        state.faults.extend(faults)
        state.texts[str(path)] = path.read_text("utf-8", "replace").split("\n") if path.is_file() else []
    return state.read[name][0]


def _other_schema(state: _Load, own: str, fact: str) -> str | None:
    """The first other schema of the folder that has a fact; other schemas are read only when a name is not found."""
    return next((name for name, facts in _facts_of_schemas(state).items() if name != own and fact in facts), None)


def _facts_of_schemas(state: _Load) -> dict[str, list[str]]:
    """The top-level facts of every schema of the folder that can be read."""
    if state.facts_of is None:
        state.facts_of = {}
        for path in sorted(state.schemas.glob("*.schema.json")):
            name = path.name.removesuffix(".schema.json")
            facts, _ = state.read[name] if name in state.read else read_schema(path, name)
            if facts is not None:
                state.facts_of[name] = [member.name for member in facts.type.members]
    return state.facts_of


def _conflicts(loaded: list[Version]) -> Iterator[Diagnostic]:
    """Two files of one ruleset with the same version, or with versions in force on the same day, reported in the later file."""
    for pair in combinations(loaded, 2):
        (one, first), (other, second) = sorted(pair, key=lambda version: version[0].period.start)
        if one.id == other.id and one.version == other.version:
            words = {"ruleset": one.id, "version": one.version, "other": one.path}
            related = [Related(first.version.span, "the other")]
            yield say("version-twice", second.version.span, related=related, words=words)
        if one.id == other.id and one.period.overlaps(other.period):
            name = f"version {one.version}"
            words = {"other": f"{name} ({one.path})", "period": f"from {other.period.start}"}
            related = [Related(first.effective_span, name)]
            yield say("versions-overlap", second.effective_span, related=related, words=words)


def silenced(faults: Iterable[Diagnostic], silences: Iterable[SilenceSyntax]) -> Iterator[Diagnostic]:
    """The faults without the warnings that some silence answers; a silence that answers none is a fault itself.

    A silence holds for its own file, and for the schema of its facts.
    """
    told = list(faults)
    used: set[SilenceSyntax] = set()
    for fault in told:
        answers = [silence for silence in silences if _answers(silence, fault)]
        used.update(answers)
        if not answers:
            yield fault
    if not any(fault.severity is Severity.ERROR for fault in told):
        yield from (say("unused-silence", silence.code.span) for silence in silences if silence not in used)


def _answers(silence: SilenceSyntax, fault: Diagnostic) -> bool:
    here = fault.span.path == silence.code.span.path or fault.span.path.endswith(".schema.json")
    named = silence.name is None or f"`{silence.name}`" in fault.message
    return fault.severity is Severity.WARNING and fault.code == silence.code.value and here and named


def with_excerpts(diagnostics: Iterable[Diagnostic], texts: dict[str, list[str]]) -> Iterator[Diagnostic]:
    """The diagnostics, each with the line it marks."""
    for diagnostic in diagnostics:
        lines = texts.get(diagnostic.span.path, [])
        line = diagnostic.span.line
        yield replace(diagnostic, excerpt=lines[line - 1] if 0 < line <= len(lines) else None)
