"""What is offered at the places of a rule file where names stand that are no expressions: outcomes, sources, readings, cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy_engine.diagnostics import WORDINGS, Severity
from policy_engine.frontend.context import Context, values_written
from policy_engine.frontend.editor_schemas import schema_files
from policy_engine.frontend.files import SUFFIX, SchemaFolder
from policy_engine.frontend.syntax import DecisionSyntax
from policy_engine.language.calendars import OWN
from policy_engine.language.rulesets import Source
from policy_engine.lsp.describing import Described, described_names
from policy_engine.lsp.offers import Offer, of_names, of_words
from policy_engine.lsp.partial import closed_values
from policy_engine.lsp.places import ITEM
from policy_engine.lsp.workspace import Snapshot


def rule_offers(snapshot: Snapshot, context: Context, path: tuple[str, ...]) -> list[Offer]:
    """The names that may stand as a value, or an item of a list, below the keys of a path."""
    match path[:-1] if path[-1:] == (ITEM,) else path:
        case ("facts",):
            return of_words(_schemas(snapshot), "schema", "a schema of facts")
        case ("use", library):
            return _parts(snapshot, library)
        case ("silence", "-", "code"):
            return of_words(_warnings(), "value", "a warning")
        case ("parameters", _, "calendar"):
            return of_words(OWN, "value", "a calendar")
        case ("readings", reading, "choice"):
            return _choices(context, reading)
        case (*_, "source"):
            return [_source(source) for source in context.syntax.sources]
        case ("decisions", _, *_, "readings"):
            return of_names(each for each in described_names(context) if each.kind == "reading")
        case ("decisions", name, *below):
            decision = _decision(context, name)
            return [] if decision is None else list(_in_decision(context, decision, tuple(below)))
    return []


def rule_key_offers(snapshot: Snapshot, context: Context, path: tuple[str, ...]) -> list[Offer]:
    """The names that may stand as keys below the keys of a path, where the author chooses them among others that there are."""
    match path:
        case ("use",):
            return of_words(sorted(_libraries(snapshot)), "library", "a library")
        case ("decisions", name, "meanings" | "combine" as key):
            decision = _decision(context, name)
            return [] if decision is None else list(_outcomes_or_values(decision, key))
        case ("decisions", _, "matrix", "columns"):
            return list(_closed(context))
        case ("decisions", name, "matrix", "cells"):
            decision = _decision(context, name)
            rows = decision.matrix.rows.value if decision is not None and decision.matrix is not None else None
            return of_words(closed_values(rows, context.scope, {}), "value", f"a value of `{rows}`")
    return []


def _outcomes_or_values(decision: DecisionSyntax, key: str) -> Iterator[Offer]:
    if key == "meanings":
        yield from of_words((outcome.value for outcome in decision.outcomes), "outcome", "an outcome")
    else:
        yield from of_words(value_names(decision), "value", "a value")


def _in_decision(context: Context, decision: DecisionSyntax, below: tuple[str, ...]) -> Iterator[Offer]:
    match below:
        case (*_, "then" | "else"):
            yield from of_words((outcome.value for outcome in decision.outcomes), "outcome", "an outcome")
        case ("matrix", "rows"):
            yield from _closed(context)
        case ("matrix", "columns", column):
            yield from of_words(closed_values(column, context.scope, {}), "value", f"a value of `{column}`")
        case ("matrix", "cells", *_):
            legend = decision.matrix.legend if decision.matrix is not None else ()
            yield from of_words((entry.key.value for entry in legend), "value", "an entry of the legend")
            yield from of_words((outcome.value for outcome in decision.outcomes), "outcome", "an outcome")


def value_names(decision: DecisionSyntax) -> Iterable[str]:
    """The names of the values of a decision and of its rules."""
    return dict.fromkeys(name.value for name, _ in values_written(decision))


def _decision(context: Context, name: str) -> DecisionSyntax | None:
    return next((each for each in context.syntax.decisions if each.name.value == name), None)


def _closed(context: Context) -> Iterator[Offer]:
    """The names that have a closed set of values, so that a matrix can go over them."""
    yield from of_names(each for each in described_names(context) if closed_values(each.name, context.scope, {}))


def _source(source: Source) -> Offer:
    return Offer(source.id, "source", Described("a source", (source.title, source.edition)))


def _choices(context: Context, name: str) -> list[Offer]:
    readings = (reading for reading in context.syntax.readings if reading.name.value == name)
    return [
        Offer(choice.name, "value", Described("a choice", (choice.argument,)))
        for reading in readings
        for choice in reading.choices
    ]


def _schemas(snapshot: Snapshot) -> list[str]:
    """The schemas of facts; those for editors stand beside them."""
    of_editors = {name.removesuffix(SUFFIX) for name in schema_files()}
    return [name for name in SchemaFolder(snapshot.folders.schemas).names() if name not in of_editors]


def _warnings() -> list[str]:
    return sorted(code for code, wording in WORDINGS.items() if wording.severity is Severity.WARNING)


def _libraries(snapshot: Snapshot) -> set[str]:
    return {ruleset.id for ruleset in snapshot.rulebook.libraries}


def _parts(snapshot: Snapshot, library: str) -> list[Offer]:
    """The parts of the versions of a library."""
    files = (file for file in snapshot.checked.values() if file.file.is_library and file.syntax.id.value == library)
    found: dict[str, Offer] = {}
    for file in files:
        context = snapshot.context(file.file.path)
        names = described_names(context) if context is not None else ()
        found |= {offer.label: offer for offer in of_names(names) if offer.kind != "fact"}
        found |= {source.id: _source(source) for source in file.syntax.sources}
    return list(found.values())
