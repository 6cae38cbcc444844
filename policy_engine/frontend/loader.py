"""From folders to a rulebook: every rule file checked against its schema, and every fault of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import combinations
from pathlib import Path

from policy_engine.diagnostics import Diagnostic, did_you_mean, has_errors, in_order, say
from policy_engine.errors import CannotRun, NotInForce
from policy_engine.frontend.checker import check, expanded
from policy_engine.frontend.digest import digest_of
from policy_engine.frontend.lints import facts_read
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.reader import read_file
from policy_engine.frontend.schemas import is_name, read_schema
from policy_engine.frontend.syntax import RulesetSyntax
from policy_engine.language.mentions import fact_paths
from policy_engine.language.rulesets import FactsSchema, Period, Ruleset
from policy_engine.language.types import ListOf, Record
from policy_engine.source import Span

TEST_SUFFIX = "_test"
Schema = tuple[FactsSchema | None, tuple[Diagnostic, ...]]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rulesets of a load, each version by itself, and what was found wrong with the files."""

    rulesets: tuple[Ruleset, ...]
    diagnostics: tuple[Diagnostic, ...]

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
    texts: dict[str, list[str]] = field(default_factory=dict)
    read: dict[str, Schema] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)


def rule_files(paths: Iterable[Path]) -> list[Path]:
    """The rule files among files and below folders, tests left out, in order of path; raises `CannotRun`."""
    return [path for path in yaml_files(paths) if not path.stem.endswith(TEST_SUFFIX)]


def yaml_files(paths: Iterable[Path]) -> list[Path]:
    """The YAML files among files and below folders, in order of path; raises `CannotRun` where there is none."""
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            found.update(file for file in path.rglob("*") if file.suffix in (".yaml", ".yml") and file.is_file())
        elif path.exists():
            found.add(path)
        else:
            raise CannotRun(f"there is no file or folder `{path}`")
    return sorted(found)


def load(paths: Iterable[Path], schemas: Path) -> Rulebook:
    """Read and check every rule file among the paths; schemas are looked up by name in one folder."""
    state = _Load(schemas)
    loaded = [ruleset for path in rule_files(paths) if (ruleset := _load_file(state, path)) is not None]
    state.faults.extend(_overlaps(loaded))
    state.faults.extend(_unread_facts(loaded, state))
    return Rulebook(tuple(loaded), in_order(with_excerpts(state.faults, state.texts)))


def _load_file(state: _Load, path: Path) -> Ruleset | None:
    text, node, faults = read_file(path)
    state.texts[str(path)] = text.split("\n")
    state.faults.extend(faults)
    if node is None:
        return None
    syntax, faults = parse_ruleset(node)
    state.faults.extend(faults)
    facts = _schema(state, syntax) if syntax is not None else None
    if syntax is None or facts is None:
        return None
    calendars = [expanded(p.calendar) for p in syntax.parameters if p.calendar is not None]
    ruleset, found = check(syntax, facts, digest_of(node, facts.document, calendars))
    state.faults.extend(found)
    return None if has_errors(faults) else ruleset


def _schema(state: _Load, syntax: RulesetSyntax) -> FactsSchema | None:
    """The schema that a ruleset names; its own faults are reported once, at the schema."""
    name = syntax.facts.value
    path = state.schemas / f"{name}.schema.json"
    if not is_name(name) or not path.is_file():
        known = [file.name.removesuffix(".schema.json") for file in state.schemas.glob("*.schema.json")]
        hint = did_you_mean(name, known)
        state.faults.append(say("schema-missing", syntax.facts.span, hint=hint, name=name, path=path))
        return None
    if name not in state.read:
        facts, faults = read_schema(path, name)
        state.read[name] = facts, tuple(faults)
        state.faults.extend(faults)
        state.texts[str(path)] = path.read_text("utf-8", "replace").split("\n")
    return state.read[name][0]


def _overlaps(loaded: list[Ruleset]) -> Iterator[Diagnostic]:
    """Two versions of one ruleset in force on one day."""
    for first, second in combinations(loaded, 2):
        if first.id == second.id and _overlap(first.period, second.period):
            both = max(first.period, second.period, key=lambda period: period.start)
            yield say("versions-overlap", Span(second.path), period=f"from {both.start}")


def _overlap(first: Period, second: Period) -> bool:
    return first.start in second or second.start in first


def _unread_facts(loaded: list[Ruleset], state: _Load) -> Iterator[Diagnostic]:
    """Facts of a schema that no version of any ruleset over it reads; only told where all of them were loaded well."""
    if has_errors(state.faults):
        return
    for name, (facts, _) in state.read.items():
        over = [ruleset for ruleset in loaded if ruleset.facts.name == name]
        if facts is None or not over:
            continue
        read = frozenset().union(*(facts_read(ruleset) for ruleset in over))
        excused = _excused(facts.type)
        path = str(state.schemas / f"{name}.schema.json")
        for fact in fact_paths(facts.type):
            if fact not in read and fact not in excused:
                yield say("unused-fact", _place(state.texts[path], path, fact), name=fact, schema=name)


def _place(lines: list[str], path: str, fact: str) -> Span:
    """Where a schema speaks of a property, as far as its name tells."""
    quoted = f'"{fact.rsplit(".", maxsplit=1)[-1]}"'
    line = next((i for i, text in enumerate(lines) if f"{quoted}:" in text.replace(" :", ":")), 0)
    return Span(path, line + 1, lines[line].find(quoted) + 1 or 1, len(quoted))


def _excused(record: Record, prefix: str = "") -> set[str]:
    """Keys, and the members that lists are ordered by."""
    excused = set()
    for member in record.members:
        if member.key:
            excused.add(prefix + member.name)
        kind = member.type.element if isinstance(member.type, ListOf) else member.type
        if member.ordered_by:
            excused.add(f"{prefix}{member.name}.{member.ordered_by}")
        if isinstance(kind, Record):
            excused |= _excused(kind, f"{prefix}{member.name}.")
    return excused


def with_excerpts(diagnostics: Iterable[Diagnostic], texts: dict[str, list[str]]) -> Iterator[Diagnostic]:
    """The diagnostics, each with the line it marks."""
    for diagnostic in diagnostics:
        lines = texts.get(diagnostic.span.path, [])
        line = diagnostic.span.line
        yield replace(diagnostic, excerpt=lines[line - 1] if 0 < line <= len(lines) else None)
