"""What is offered in a test file: facts and their values, decisions, outcomes, rules, readings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from policy_engine.frontend.case_names import CaseNames, DecisionNames
from policy_engine.frontend.expectations import PARTS
from policy_engine.language.mentions import fact_paths
from policy_engine.language.types import Boolean, ListOf, Member, Record, Text, Type, record_in
from policy_engine.lsp.describing import of_fact
from policy_engine.lsp.offers import Offer, of_words
from policy_engine.lsp.places import ITEM

COLUMNS = re.compile(r"\bcolumns:\s*\[([^\]]*)\]")
NONE = DecisionNames()


def case_offers(known: CaseNames, path: tuple[str, ...], columns: Sequence[str], items: int) -> list[Offer]:
    """The names that may stand as a value below the keys of a path; in a row, as the item after so many under the `columns`."""
    match path[2:]:
        case ("facts", "with", *below) | ("facts", *below):
            return [offer for kind in _types(known, below) for offer in _values(kind)]
        case ("readings", reading) | ("expect", _, "readings", reading):
            return of_words(known.readings.get(reading, ()), "value", "a choice")
        case ("expect", decision, *below):
            return _expected(known, decision, [step for step in below if step != ITEM])
        case ("columns", "-"):
            return list(_columns(known))
        case ("rows", _, "-") if items < len(columns):
            return _cell(known, columns[items])
    return []


def case_key_offers(known: CaseNames, path: tuple[str, ...]) -> list[Offer]:
    """The names that may stand as keys below the keys of a path."""
    match path[2:]:
        case ("facts", "with", *below) | ("facts", *below):
            return [offer for record in _records(known, below) for offer in map(_fact, record.members)]
        case ("readings",) | ("expect", _, "readings"):
            return of_words(known.readings, "reading", "a reading")
        case ("expect",):
            return of_words(known.decisions, "decision", "a decision")
        case ("expect", decision, "values"):
            return of_words(known.decisions.get(decision, NONE).values, "value", "a value")
    return []


def columns_above(lines: Sequence[str], line: int) -> list[str]:
    """The names of the columns that stand last before a line."""
    found = COLUMNS.findall("\n".join(lines[: line + 1]))
    return [name.strip().strip("\"'") for name in found[-1].split(",")] if found else []


def _expected(known: CaseNames, decision: str, below: list[str]) -> list[Offer]:
    names = known.decisions.get(decision, NONE)
    match below:
        case [] | ["outcome"]:
            return of_words(names.outcomes, "outcome", "an outcome")
        case ["rule" | "rules"]:
            return of_words(names.rules, "rule", "a rule")
        case ["sources"]:
            return of_words(names.sources, "source", "a source")
        case ["missing"]:
            return of_words((path for record in known.facts for path in fact_paths(record)), "fact", "a fact")
        case ["values", value]:
            return [offer for kind in names.values.get(value, ()) for offer in _values(kind)]
    return []


def _cell(known: CaseNames, column: str) -> list[Offer]:
    """What may stand in a cell under a column."""
    head, _, part = column.partition(".")
    if head == "readings" and part:
        return of_words(known.readings.get(part, ()), "value", "a choice")
    if head in known.decisions and (part or column not in known.fact_names()):
        return _expected(known, head, _steps_of(part))
    return [offer for kind in _types(known, [column]) for offer in _values(kind)]


def _steps_of(part: str) -> list[str]:
    """Where an expectation of one case has what the part of a column names."""
    if not part:
        return []
    return [part] if part in (*PARTS, "rule") else ["values", part]


def _columns(known: CaseNames) -> Iterator[Offer]:
    for record in known.facts[:1]:
        yield from map(_fact, record.members)
    yield from of_words(["as_of"], "word", "the day of the question")
    yield from of_words((f"readings.{name}" for name in known.readings), "reading", "a reading")
    for name, names in known.decisions.items():
        parts = ("rule", *PARTS, *names.values)
        yield from of_words(
            [name, *(f"{name}.{part}" for part in parts)], "decision", "a decision, or a part of its answer"
        )


def _fact(member: Member) -> Offer:
    return Offer(member.name, "fact", of_fact(member, "the schema"))


def _records(known: CaseNames, below: Iterable[str]) -> list[Record]:
    """The record that the keys of a path lead to in the facts, as the first version has it that has it at all."""
    steps = [step for step in below if step != ITEM]
    if not steps:
        return list(known.facts[:1])
    records = [record for kind in _types(known, steps) if (record := record_in(kind)) is not None]
    return records[:1]


def _types(known: CaseNames, below: Iterable[str]) -> list[Type]:
    """The type of a fact, or of a member of one."""
    records, kinds = list(known.facts), list[Type]()
    for step in (step for step in below if step != ITEM):
        kinds = [member.type for record in records for member in record.members if member.name == step]
        records = [record for kind in kinds if (record := record_in(kind)) is not None]
    return kinds[:1]


def _values(kind: Type) -> list[Offer]:
    match kind:
        case Boolean():
            return of_words(("true", "false"), "value")
        case Text(values=tuple() as values):
            return of_words(values, "value", "a value")
        case ListOf(element=element):
            return _values(element)
    return []
