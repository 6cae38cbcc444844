"""Libraries: files of parts that rulesets take, and a ruleset's syntax with the parts it takes.

A library is checked by itself, over its own schema. What a ruleset takes then stands among the ruleset's own parts, so that
nothing behind the front end knows of libraries; each part keeps the place that it has in the library's file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

from policy_engine.diagnostics import Diagnostic, Related, Severity, has_errors, say, say_unknown
from policy_engine.documents.nodes import MappingNode, YamlNode
from policy_engine.frontend.digest import TakenText
from policy_engine.frontend.library_facts import misfits
from policy_engine.frontend.syntax import DecisionSyntax, RulesetSyntax, TableSyntax, TakenSyntax, UseSyntax
from policy_engine.language.mentions import Mention, graph_of
from policy_engine.language.rulesets import FactsSchema, Period, Ruleset
from policy_engine.language.types import Record, record_in
from policy_engine.source import Authored, Span

PARTS: Mapping[str, str] = {
    "source": "sources",
    "reading": "readings",
    "parameter": "parameters",
    "table": "tables",
    "definition": "definitions",
}
"""The kinds of parts, and the sections that they stand in."""
TOLD_AT_USE = frozenset({"table-gap", "calendar-period", *(f"unused-{kind}" for kind in PARTS)})
"""Warnings about a part that depend on how a ruleset uses it."""
NO_FACTS = FactsSchema("", Record(()), "{}")
"""The schema of a library that names none."""
Faults = list[Diagnostic]
Part: TypeAlias = Mention
"""A part of a library: its kind and its name."""


@dataclass(frozen=True)
class Library:
    """A version of a library: its document and its syntax, and as checked by itself; None where it has errors.

    `tested` is the same with a question for each definition.
    """

    document: YamlNode
    syntax: RulesetSyntax
    ruleset: Ruleset | None
    tested: Ruleset | None = None

    @property
    def name(self) -> str:
        """What rulesets call it."""
        return self.syntax.id.value

    @cached_property
    def parts(self) -> Mapping[str, Sequence[Part]]:
        """Its parts by their names; a source and another part may have the same."""
        found: dict[str, list[Part]] = {}
        for part in _parts_of(self.ruleset) if self.ruleset is not None else ():
            found.setdefault(part.name, []).append(part)
        return found

    @property
    def path(self) -> str:
        """Its file."""
        return self.syntax.span.path


@dataclass(frozen=True, slots=True)
class Joined:
    """A ruleset's syntax with what it takes, and the parts taken from each library, with their text.

    `sound` tells whether nothing was to be taken from a library with errors, which are reported there.
    """

    syntax: RulesetSyntax
    parts: tuple[TakenText, ...] = ()
    sound: bool = True


def joined(syntax: RulesetSyntax, facts: FactsSchema, libraries: Sequence[Library], faults: Faults) -> Joined:
    """The ruleset with what it takes from libraries; what it cannot take is reported at the place in `use`."""
    found = Joined(syntax)
    seen: dict[str, Authored] = {}
    for use in syntax.uses:
        if use.library.value in seen:
            continue  # a key that stands twice was reported
        seen[use.library.value] = use.library
        library = _version(use, syntax.period, libraries, faults) if use.parts else None
        taken = None if library is None or library.ruleset is None else _taken(use, library, facts, faults)
        if library is None or taken is None:
            sound = found.sound and (library is None or library.ruleset is not None)
            found = replace(found, syntax=_open(found.syntax), sound=sound)
        else:
            found = _with(found, library, taken)
    return found


def _open(syntax: RulesetSyntax) -> RulesetSyntax:
    """The same where any name may be one that could not be taken."""
    return replace(syntax, lost=syntax.lost | set(PARTS.values()))


def _version(use: UseSyntax, period: Period, libraries: Sequence[Library], faults: Faults) -> Library | None:
    """The version of a library that is in force on all days of a ruleset."""
    versions = [library for library in libraries if library.name == use.library.value]
    if not versions:
        faults.append(say_unknown("unknown-library", use.library, {library.name for library in libraries}))
        return None
    found = next((library for library in versions if library.syntax.period.covers(period)), None)
    if found is None:
        there = "; ".join(f"version {each.syntax.version.value.strip()} {each.syntax.period}" for each in versions)
        words = {"name": use.library.value, "period": period}
        faults.append(say("library-period", use.library.span, hint=f"there is {there}", words=words))
    return found


def _taken(use: UseSyntax, library: Library, facts: FactsSchema, faults: Faults) -> TakenSyntax | None:
    """The parts that are listed with all they stand on; None where one cannot be taken."""
    assert library.ruleset is not None
    before, listed = len(faults), dict[str, Span]()
    places: dict[Part, Span] = {}
    below = _below(library.ruleset)
    for name in use.parts:
        if name.value in listed:
            faults.append(say("duplicate-id", name.span, name=name.value))
        elif name.value not in library.parts:
            has = f"it has {', '.join(library.parts)}" if library.parts else "it has none"
            faults.append(say_unknown("unknown-part", name, library.parts, has, library=library.name))
        else:
            listed[name.value] = name.span
            _place(library.parts[name.value], name.span, below, places)
    faults.extend(_unfit(places, library.ruleset, facts))
    if len(faults) > before:
        return None
    own_places = {part.name: span for part, span in places.items() if part.kind in PARTS} | listed
    names = frozenset(member.name for member in library.ruleset.facts.type.members)
    files = {table.file.path: table.name.value for table in library.syntax.tables if table.file is not None}
    return TakenSyntax(library.name, library.path, own_places, frozenset(listed), names, files)


def _parts_of(ruleset: Ruleset) -> dict[Part, Span]:
    """The parts that a library has, with their places."""
    return {
        **{Part("source", source.id): source.span for source in ruleset.sources},
        **{Part("reading", reading.name): reading.span for reading in ruleset.readings},
        **{Part("parameter", parameter.name): parameter.span for parameter in ruleset.parameters},
        **{Part("table", table.name): table.span for table in ruleset.tables},
        **{Part("definition", definition.name): definition.span for definition in ruleset.definitions},
    }


def _below(ruleset: Ruleset) -> Mapping[Part, Iterable[Part]]:
    """What each part of a library names, and the source that it cites."""
    cited = {Part("reading", each.name): each.source for each in ruleset.readings}
    cited |= {Part("parameter", each.name): each.source for each in ruleset.parameters}
    cited |= {Part("table", each.name): each.source for each in ruleset.tables}
    sources = {part: (Part("source", source),) for part, source in cited.items() if source is not None}
    return {**graph_of(ruleset), **sources}


def _place(start: Iterable[Part], span: Span, below: Mapping[Part, Iterable[Part]], places: dict[Part, Span]) -> None:
    """Note the place in `use` of some parts, and of all that comes along and has none yet."""
    waiting = list(start)
    while waiting:
        part = waiting.pop()
        if part not in places:
            places[part] = span
            waiting.extend(below.get(part, ()))


def _unfit(places: Mapping[Part, Span], library: Ruleset, facts: FactsSchema) -> Iterator[Diagnostic]:
    """Facts that are read by what is taken, and are not the same in the ruleset's schema."""
    read = {part.name: span for part, span in places.items() if part.kind in ("fact", "member")}
    for path, (why, member) in misfits(read, library.facts, facts).items():
        related = [Related(member.span, "the library's fact")]
        yield say("library-fact", read[path], related=related, name=path, library=library.id, why=why)


def _with(found: Joined, library: Library, taken: TakenSyntax) -> Joined:
    """The ruleset with what it takes from one more library."""
    own, other = found.syntax, library.syntax
    sources = [replace(each, library=library.name) for each in other.sources if each.id in taken.places]
    readings = [each for each in other.readings if each.name.value in taken.places]
    parameters = [each for each in other.parameters if each.name.value in taken.places]
    tables = [_of_library(each, library.name) for each in other.tables if each.name.value in taken.places]
    definitions = [each for each in other.definitions if each[0].value in taken.places]
    syntax = replace(
        own,
        sources=(*sources, *own.sources),
        readings=(*readings, *own.readings),
        parameters=(*parameters, *own.parameters),
        tables=(*tables, *own.tables),
        definitions=(*definitions, *own.definitions),
        taken=(*own.taken, taken),
    )
    return replace(found, syntax=syntax, parts=(*found.parts, *_texts(library, taken)))


def _of_library(written: TableSyntax, library: str) -> TableSyntax:
    """A look-up table that tells where it comes from."""
    return replace(written, table=None if written.table is None else replace(written.table, library=library))


def _texts(library: Library, taken: TakenSyntax) -> Iterator[TakenText]:
    """The text of each part that is taken, with its library, its section and its name, in the order of the library's file."""
    assert isinstance(library.document, MappingNode)
    for section in PARTS.values():
        named = library.document.get(section)
        for name, text in named.entries if isinstance(named, MappingNode) else ():
            if name.value in taken.places:
                yield library.name, section, name.value, text


def with_questions(library: RulesetSyntax, ruleset: Ruleset) -> RulesetSyntax:
    """A library with a question for each of its definitions, which gives its value: what its tests ask.

    Records are left out, which no answer can hold. It is in force on the days on which all its parameters have values.
    """
    starts = [parameter.values[0].period.start for parameter in ruleset.parameters]
    period = replace(library.period, start=max([library.period.start, *starts]))
    names = [name for name, _ in library.definitions if record_in(ruleset.definition(name.value).type) is None]
    return replace(library, period=period, decisions=tuple(map(_question, names)))


def _question(name: Authored) -> DecisionSyntax:
    return DecisionSyntax(
        name=name, question=f"What is {name.value}?", outcomes=(), meanings=(), hit=None, combine=(), values=((name, name),),
        rules=(), otherwise=None, matrix=None, because=None, sources=(), readings=(), keys={}, broken=False, span=name.span,
    )  # fmt: skip


def told_at_use(faults: Iterable[Diagnostic], syntax: RulesetSyntax) -> list[Diagnostic]:
    """The faults of a ruleset, those in the text of libraries told at the place that it comes by, or left out.

    What is wrong with a library by itself is reported once, at the library. An error is left that only the facts of this ruleset
    make one, and a warning that a part is taken and not used.
    """
    faults = list(faults)
    own = [fault for fault in faults if syntax.taken_from(fault.span) is None]
    for fault in faults:
        taken = syntax.taken_from(fault.span)
        if taken is None:
            continue
        part = _part_at(fault.span, syntax, taken)
        if fault.severity is Severity.ERROR and not has_errors(own):
            why, related = fault.message, [Related(fault.span, "there")]
            own.append(say("library-misfit", taken.places[part], related=related, name=part, words={"why": why}))
        elif fault.code in TOLD_AT_USE and part in taken.listed:
            own.append(replace(fault, span=taken.places[part]))
    return own


def _part_at(span: Span, syntax: RulesetSyntax, taken: TakenSyntax) -> str:
    """The name of the taken part whose text a place lies in: the last that begins before it."""
    if span.path in taken.files:
        return taken.files[span.path]
    named = [(source.span, source.id) for source in syntax.sources]
    named += ((name.span, name.value) for name, _ in syntax.named_parts())
    return max(entry for entry in named if entry[0].path == taken.path and entry[0] <= span)[1]


def not_taken(library: Library, rulesets: Iterable[RulesetSyntax]) -> Iterator[Diagnostic]:
    """Parts of a library that none of the rulesets takes; all of it, where none takes any."""
    if library.ruleset is None:
        return
    used = {name for each in rulesets for taken in each.taken if taken.path == library.path for name in taken.places}
    if not used:
        yield say("unused-part", library.syntax.id.span, what="anything", library=library.name)
        return
    for part, span in _parts_of(library.ruleset).items():
        if part.name not in used:
            yield say("unused-part", span, what=f"`{part.name}`", library=library.name)
