"""Where the names of a project stand, and which of them are one and the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from policy_engine.documents.json_reader import json_nodes
from policy_engine.documents.yaml_reader import file_text, read_text
from policy_engine.frontend.memory import CheckedFile
from policy_engine.frontend.rule_cases import fixture_path
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import member_of
from policy_engine.lsp.case_symbols import case_occurrences, fixtures_named
from policy_engine.lsp.fact_symbols import canonical_paths, schema_occurrences, written_facts
from policy_engine.lsp.rule_symbols import rule_occurrences
from policy_engine.lsp.symbols import Occurrence, Symbol, holds
from policy_engine.lsp.workspace import CaseDocument, Snapshot
from policy_engine.source import Span


def occurrences(snapshot: Snapshot) -> Iterator[Occurrence]:
    """Every place where a name stands, in all files of a project."""
    for path in (*snapshot.checked, *snapshot.tests, *schemas_of(snapshot)):
        yield from occurrences_in(snapshot, path)
    for test in snapshot.tests.values():
        yield from _canonical(_in_fixtures(snapshot, test), snapshot)


def _in_fixtures(snapshot: Snapshot, test: CaseDocument) -> Iterator[Occurrence]:
    """The names of facts in the files that a test file takes facts from."""
    schemas = {version.facts.name: version.facts for version in snapshot.versions(test.ruleset)}
    for name in fixtures_named(test.node):
        path = fixture_path(name, test.path)
        text, faults = file_text(path) if path is not None else ("", [])
        if path is None or faults:
            continue
        read = json_nodes if path.suffix == ".json" else read_text
        node, _ = read(text, str(path))
        for schema in schemas.values():
            yield from written_facts(node, schema.name, schema.type)


def occurrences_in(snapshot: Snapshot, path: str) -> tuple[Occurrence, ...]:
    """Every place of one file where a name stands, none while it cannot be read; kept as long as the file stays the same."""
    checked, test, facts = snapshot.checked.get(path), snapshot.tests.get(path), schemas_of(snapshot).get(path)
    if checked is not None and checked.file is not snapshot.files.get(path):
        return ()
    known = checked or test or facts
    kept = snapshot.found.get(path)
    if kept is None or kept[0] is not known:
        kept = known, tuple(_canonical(_found(snapshot, path, known), snapshot))
        snapshot.found[path] = kept
    return kept[1] + tuple(_of_users(kept[1], snapshot, path))


def schemas_of(snapshot: Snapshot) -> Mapping[str, FactsSchema]:
    """The schemas over which there are rule files, by the paths of their files."""
    found = (checked.facts for checked in snapshot.checked.values() if checked.facts.name)
    return {str(snapshot.folders.schemas / f"{facts.name}.schema.json"): facts for facts in found}


def _found(
    snapshot: Snapshot, path: str, known: CheckedFile | CaseDocument | FactsSchema | None
) -> Iterable[Occurrence]:
    match known:
        case CheckedFile():
            context = snapshot.context(Path(path))
            return () if context is None else rule_occurrences(known, context)
        case CaseDocument():
            of_library = any(
                c.file.is_library and c.syntax.id.value == known.ruleset for c in snapshot.checked.values()
            )
            return case_occurrences(known.node, snapshot.versions(known.ruleset), of_library=of_library)
        case FactsSchema():
            return schema_occurrences(path, known)
    return ()


def _canonical(found: Iterable[Occurrence], snapshot: Snapshot) -> Iterator[Occurrence]:
    """The same, with one path for a member that several paths of its schema lead to."""
    paths = {facts.name: canonical_paths(facts) for facts in schemas_of(snapshot).values()}
    for each in found:
        symbol = each.symbol
        name = paths.get(symbol.owner, {}).get(symbol.name, symbol.name) if symbol.kind == "fact" else symbol.name
        yield each if name == symbol.name else replace(each, symbol=replace(symbol, name=name))


def _of_users(found: Iterable[Occurrence], snapshot: Snapshot, path: str) -> Iterator[Occurrence]:
    """The facts that a library reads, once more as those of each schema over which parts of it are taken."""
    users = [each for each in snapshot.checked.values() if any(taken.path == path for taken in each.syntax.taken)]
    schemas = {user.facts.name: user.facts for user in users}
    for each in found:
        for name, facts in schemas.items() if each.symbol.kind == "fact" else ():
            if name != each.symbol.owner and member_of(facts.type, each.symbol.name.partition(".")[0]) is not None:
                yield replace(each, symbol=replace(each.symbol, owner=name), defines=False)


def at(snapshot: Snapshot, path: Path, line: int, column: int) -> Occurrence | None:
    """The name at a caret; line and column count from 1."""
    found = [each for each in occurrences_in(snapshot, str(path)) if holds(each.span, str(path), line, column)]
    return min(found, key=lambda each: each.span.length, default=None)


@dataclass(frozen=True, slots=True)
class Index:
    """Where names stand, and which stand at the same places."""

    by_symbol: Mapping[Symbol, list[Occurrence]]
    by_place: Mapping[Span, set[Symbol]]

    def places_of(self, symbol: Symbol) -> list[Occurrence]:
        """Every place where something stands.

        Symbols that share a place are one thing, such as a fact of two schemas in one test.
        """
        same, waiting = {symbol}, [symbol]
        while waiting:
            for each in self.by_symbol.get(waiting.pop(), ()):
                more = self.by_place[each.span] - same
                same |= more
                waiting += more
        found = sorted((each for one in same for each in self.by_symbol.get(one, ())), key=lambda each: each.defines)
        by_span = {each.span: each for each in found}
        return [by_span[span] for span in sorted(by_span)]


def index_of(snapshot: Snapshot) -> Index:
    """The index of all files of a project."""
    by_symbol: dict[Symbol, list[Occurrence]] = {}
    by_place: dict[Span, set[Symbol]] = {}
    for each in occurrences(snapshot):
        by_symbol.setdefault(each.symbol, []).append(each)
        by_place.setdefault(each.span, set()).add(each.symbol)
    return Index(by_symbol, by_place)


def places_of(snapshot: Snapshot, symbol: Symbol) -> list[Occurrence]:
    """Every place where something stands, in all files of a project."""
    return index_of(snapshot).places_of(symbol)
