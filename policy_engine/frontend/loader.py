"""Loading a rulebook: reads and checks every rule file and its schema, and collects the diagnostics of all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from itertools import chain, combinations
from pathlib import Path

from policy_engine.diagnostics import (
    Diagnostic,
    Related,
    Severity,
    has_errors,
    in_order,
    say,
    say_unknown,
    shown_text,
)
from policy_engine.documents.nodes import YamlNode
from policy_engine.documents.yaml_reader import file_text, given_text, read_text, top_level_text
from policy_engine.errors import CannotRun, NotInForce
from policy_engine.files import refuse_unreadable_name
from policy_engine.fixes import is_exact
from policy_engine.frontend.checker import check
from policy_engine.frontend.digest import TakenText, digest_of
from policy_engine.frontend.files import ReadText, SchemaFolder, Schemas, SchemaTexts, is_text, named_text
from policy_engine.frontend.formats import uses_formats
from policy_engine.frontend.libraries import NO_FACTS, Library, joined, not_taken, told_at_use, with_questions
from policy_engine.frontend.lints import lint, lint_schema
from policy_engine.frontend.memory import CheckedFile, Memory, RuleFile
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.removal import removal_of
from policy_engine.frontend.schemas import is_name, schema_of
from policy_engine.frontend.shape_hints import OUTSIDE_RULES
from policy_engine.frontend.syntax import RulesetSyntax, SilenceSyntax
from policy_engine.language.formats import edition
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
    `libraries` are those that rulesets may take parts from, each version as a ruleset that asks for its definitions.
    """

    rulesets: tuple[Ruleset, ...]
    diagnostics: tuple[Diagnostic, ...]
    refused: frozenset[str] = frozenset()
    libraries: tuple[Ruleset, ...] = ()

    def versions(self, name: str) -> tuple[Ruleset, ...]:
        """The versions of a ruleset, oldest first; empty where there is no such ruleset."""
        return tuple(sorted((r for r in self.rulesets if r.id == name), key=lambda r: r.period.start))

    def with_libraries(self) -> Rulebook:
        """The same, with libraries among the rulesets, as tests name them."""
        return replace(self, rulesets=self.rulesets + self.libraries, libraries=())

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
    schemas: Schemas
    lints: bool
    read_text: ReadText = file_text
    memory: Memory = field(default_factory=Memory)
    texts: dict[str, list[str]] = field(default_factory=dict)
    read: dict[str, Schema] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)
    silences: list[SilenceSyntax] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    facts_of: dict[str, list[str]] | None = None
    libraries: list[Library] = field(default_factory=list)


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


def load(
    paths: Iterable[Path],
    schemas: Path,
    *,
    lints: bool = True,
    only: Collection[str] = (),
    read: ReadText = file_text,
    memory: Memory | None = None,
) -> Rulebook:
    """Read and check the rule files among the paths; schemas are looked up by name in one folder.

    Without `lints` only errors are looked for. `only` names the rulesets that are wanted: files of others are left unread,
    unless no file has any of them. `read` gives the texts of files. What is in the `memory` is not read and checked again, and
    what is found goes there.
    """
    if schemas.exists() and not schemas.is_dir():
        raise CannotRun(f"`{schemas}` is not a folder of schemas")
    state = _Load(SchemaFolder(schemas, read), lints, read, Memory() if memory is None else memory)
    files = [_read(state, path) for path in _wanted(rule_files(paths), only)]
    return _checked(state, files, lazily=bool(only))


def load_texts(rules: Mapping[str, str], schemas: Mapping[str, str]) -> Rulebook:
    """Check rules that are given as YAML texts, and their schemas as JSON texts, each by name; no file is read.

    Only errors are looked for.
    """
    state = _Load(SchemaTexts(schemas), lints=False)
    files = []
    for name, text in rules.items():
        path = named_text(name)
        files.append(_parsed(state, path, *given_text(str(path), text)))
    return _checked(state, files, lazily=False)


def _checked(state: _Load, files: list[RuleFile], *, lazily: bool) -> Rulebook:
    """The rulebook of the files that were read; `lazily` as for `_libraries`."""
    state.libraries += _libraries(state, files, lazily=lazily)
    versions = [version for file in files if not file.is_library and (version := _load_file(state, file)) is not None]
    loaded = [ruleset for ruleset, _ in versions]
    sound = [(library.ruleset, library.syntax) for library in state.libraries if library.ruleset is not None]
    state.faults.extend(chain(_conflicts(versions), _conflicts(sound), _names_twice(versions, state.libraries)))
    if state.lints and not has_errors(state.faults):
        state.faults.extend(_lints_of_all(state, versions, {str(file.path) for file in files}))
    told = silenced(state.faults, state.silences) if state.lints else state.faults
    libraries = tuple(library.tested for library in state.libraries if library.tested is not None)
    return Rulebook(tuple(loaded), in_order(with_excerpts(told, state.texts)), frozenset(state.refused), libraries)


def _wanted(files: list[Path], only: Collection[str]) -> list[Path]:
    """The files of the rulesets that are wanted, and those that do not tell whose they are; all of them where none is wanted."""
    names = {file: top_level_text(file, "ruleset") for file in files} if only else {}
    if not any(name in only for name in names.values()):
        return files
    return [file for file, name in names.items() if name is None or name in only]


def _read(state: _Load, path: Path) -> RuleFile:
    return _parsed(state, path, *state.read_text(path))


def _parsed(state: _Load, path: Path, text: str, unread: list[Diagnostic]) -> RuleFile:
    """The rule file of a text, or of none where it is `unread`."""
    state.texts[str(path)] = text.split("\n")
    file = state.memory.read(path, text) if not unread else None
    if file is None:
        node, faults = (None, unread) if unread else read_text(text, str(path), OUTSIDE_RULES)
        syntax, more = parse_ruleset(node, state.read_text) if node is not None else (None, [])
        file = RuleFile(path, text, node, syntax, [*faults, *more])
        state.memory.add(file)
    written = () if file.syntax is None else (table.file for table in file.syntax.tables if table.file is not None)
    state.texts.update({table.path: table.text.split("\n") for table in written})
    return file


def _libraries(state: _Load, files: list[RuleFile], *, lazily: bool) -> list[Library]:
    """The libraries among the files, and beside the rulesets that use them; `lazily` only those that some ruleset uses."""
    users = [file for file in files if file.syntax is not None and file.syntax.uses]
    names = {use.library.value for file in users if file.syntax is not None for use in file.syntax.uses}
    own = [file for file in files if file.is_library]
    wanted = [file for file in own if not lazily or (file.syntax is not None and file.syntax.id.value in names)]
    missing = names - {file.syntax.id.value for file in own if file.syntax is not None}
    known = {file.path.resolve() for file in files}
    beside = {path for folder in _folders_of(users) for path in folder.glob("*.y*ml")} if missing else ()
    found = [
        path
        for path in sorted(beside)
        if path.resolve() not in known and path.is_file() and top_level_text(path, "library") in missing
    ]
    return [
        library
        for file in (*wanted, *(_read(state, path) for path in found))
        if (library := _library(state, file)) is not None
    ]


def _folders_of(files: Iterable[RuleFile]) -> set[Path]:
    """The folders of files; texts have none."""
    return {file.path.parent for file in files if not is_text(str(file.path))}


def _library(state: _Load, file: RuleFile) -> Library | None:
    """A library, checked by itself; None where too much of it is wrong."""
    faults, ruleset, tested = file.faults, None, None
    if file.node is None or file.syntax is None:
        state.refused.add(file.path.name.split(".")[0])
        state.faults.extend(faults)
        return None
    facts = _schema(state, file.syntax) if file.syntax.facts.value else NO_FACTS
    if facts is not None:
        digest = _digest(file.node, file.syntax, facts)
        ruleset, faults = check(file.syntax, facts, digest, faults, partial(_elsewhere, state, facts.name))
        if ruleset is not None:
            tested, _ = check(with_questions(file.syntax, ruleset), facts, digest)
            warnings = lint(ruleset) if state.lints else ()
            faults.extend(fault for fault in warnings if not fault.code.startswith("unused-"))
            state.silences.extend(file.syntax.silences)
        state.memory.checked[str(file.path)] = CheckedFile(file, facts, file.syntax, ruleset, tuple(faults))
    if ruleset is None:
        state.refused.add(file.syntax.id.value)
    state.faults.extend(_errors_first(faults))
    return Library(file.node, file.syntax, ruleset, tested)


def _load_file(state: _Load, file: RuleFile) -> Version | None:
    """One version; where its file has errors, its warnings are left out."""
    facts = _schema(state, file.syntax) if file.syntax is not None else None
    if file.node is None or file.syntax is None or facts is None:
        state.refused.add(file.path.name.split(".")[0] if file.syntax is None else file.syntax.id.value)
        state.faults.extend(_errors_first(file.faults))
        return None
    checked = state.memory.check_of(file)
    if checked is None:
        checked = _check_file(state, file, file.node, file.syntax, facts)
        state.memory.checked[str(file.path)] = checked
    state.faults.extend(_errors_first(checked.faults))
    if checked.ruleset is None:
        state.refused.add(checked.syntax.id.value)
        return None
    state.silences.extend(checked.syntax.silences)
    return checked.ruleset, checked.syntax


def _check_file(state: _Load, file: RuleFile, node: YamlNode, syntax: RulesetSyntax, facts: FactsSchema) -> CheckedFile:
    """A ruleset's file, checked with what it takes from libraries."""
    faults = list(file.faults)
    taking = joined(syntax, facts, state.libraries, faults)
    digest = _digest(node, taking.syntax, facts, taking.parts)
    ruleset, faults = check(taking.syntax, facts, digest, faults, partial(_elsewhere, state, facts.name))
    if ruleset is None or not taking.sound:
        ruleset = None
    elif state.lints:
        faults.extend(lint(ruleset))
    return CheckedFile(file, facts, taking.syntax, ruleset, tuple(told_at_use(faults, taking.syntax)))


def _digest(node: YamlNode, syntax: RulesetSyntax, facts: FactsSchema, taken: Iterable[TakenText] = ()) -> str:
    calendars = [value for p in syntax.parameters for _, value in p.values if isinstance(value, Holidays)]
    tables = [(table.name.value, table.file.records) for table in syntax.tables if table.file is not None]
    words = edition() if uses_formats(syntax) else None
    return digest_of(node, facts.document, calendars, tables, taken, words)


def _errors_first(faults: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """The errors of a file; its warnings where it has none."""
    return [fault for fault in faults if fault.severity is Severity.ERROR] or faults


def _lints_of_all(state: _Load, versions: list[Version], given: set[str]) -> Iterator[Diagnostic]:
    """What is unused among schemas, and among the libraries whose files were given, by all rulesets together."""
    rulesets = [ruleset for ruleset, _ in versions]
    for facts, _ in state.read.values():
        yield from lint_schema(facts, rulesets) if facts is not None else ()
    for library in state.libraries:
        yield from not_taken(library, [syntax for _, syntax in versions]) if versions and library.path in given else ()


def _schema(state: _Load, syntax: RulesetSyntax) -> FactsSchema | None:
    """The schema that a ruleset names; its own faults are reported once, at the schema."""
    name = syntax.facts.value
    known = state.schemas.names()
    if not is_name(name) or len(name) > LONGEST_NAME or name not in known:
        state.faults.append(say_unknown("schema-missing", syntax.facts, known, path=state.schemas.path(name)))
        return None
    if name not in state.read:
        text, _ = state.schemas.text(name)
        facts, faults = _read_schema(state, name)
        state.read[name] = facts, tuple(faults)
        state.faults.extend(faults)
        state.texts[str(state.schemas.path(name))] = text.split("\n")
    return state.read[name][0]


def _read_schema(state: _Load, name: str) -> tuple[FactsSchema | None, list[Diagnostic]]:
    text, faults = state.schemas.text(name)
    return (None, faults) if faults else schema_of(text, str(state.schemas.path(name)), name)


def _elsewhere(state: _Load, own: str, name: str) -> str | None:
    """Where else a name is one: in a library, or in another schema of the folder, which is read only when this is asked."""
    library = next((each for each in state.libraries if name in each.parts), None)
    if library is not None:
        return f"it is a part of the library `{library.name}`: add it to `use: {{{library.name}: [{name}]}}`"
    schemas = (schema for schema, facts in _facts_of_schemas(state).items() if schema != own and name in facts)
    schema = next(schemas, None)
    return None if schema is None else f"`{name}` is a fact of the schema `{shown_text(schema)}`"


def _facts_of_schemas(state: _Load) -> dict[str, list[str]]:
    """The top-level facts of every schema of the folder that can be read."""
    if state.facts_of is None:
        state.facts_of = {}
        for name in state.schemas.names():
            facts, _ = state.read[name] if name in state.read else _read_schema(state, name)
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


def _names_twice(versions: list[Version], libraries: list[Library]) -> Iterator[Diagnostic]:
    """Libraries that have the name of a ruleset."""
    names = {syntax.id.value: syntax.id.span for _, syntax in versions}
    for library in libraries:
        if library.name in names:
            related = [Related(names[library.name], "the ruleset")]
            yield say("name-clash", library.syntax.id.span, related=related, name=library.name, kind="ruleset")


def silenced(faults: Iterable[Diagnostic], silences: Iterable[SilenceSyntax]) -> Iterator[Diagnostic]:
    """The faults without the warnings that some silence answers; a silence that answers none is a fault itself.

    A silence holds for its own file, and for the schema of its facts.
    """
    told, silences = list(faults), list(silences)
    if not silences:
        yield from told
        return
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
    """The diagnostics, each with the line it marks, and without a fix that the texts as they stand do not allow."""
    for diagnostic in diagnostics:
        lines = texts.get(diagnostic.span.path, [])
        line = diagnostic.span.line
        fix = diagnostic.fix or removal_of(diagnostic, lines)
        fix = fix if fix is not None and is_exact(fix, texts) else None
        yield replace(diagnostic, excerpt=lines[line - 1] if 0 < line <= len(lines) else None, fix=fix)
