"""A Python module with the types of a rulebook: outcomes, values, facts and readings of each decision, for type checkers.

Texts of authors stand in it as Python's literals only.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from policy_engine.language.rulesets import DecisionLogic, Ruleset
from policy_engine.language.types import (
    Boolean,
    Date,
    Instant,
    ListOf,
    Member,
    Number,
    Record,
    Text,
    Time,
    Type,
)

GENERATED = '"""Types of the rules, written by `policy stubs`; write it again when rules change, and do not edit it."""'
HEAD = f"""{GENERATED}

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal as Number
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, cast

from policy_engine import Decision, Engine
"""
MOST_LISTED = 200
"""A closed set of more texts is a text."""
Named = Mapping[str, str]


@dataclass(slots=True)
class Names:
    """Names of classes in Python's form, each used once."""

    used: dict[str, str] = field(default_factory=dict)

    def of(self, *words: str) -> str:
        """The name of what these words name; the same for the same words."""
        path = ".".join(words)
        name = "_".join("".join(part.capitalize() for part in word.split("_")) for word in words)
        while self.used.setdefault(name, path) != path:
            name += "_"
        return name


def stubs_of(rulesets: Iterable[Ruleset]) -> str:
    """The module for all rulesets, the versions of each one after the other; each becomes a class that asks its decisions."""
    names = Names()
    ordered = sorted(rulesets, key=lambda ruleset: ruleset.id)
    schemas = {ruleset.facts.name: ruleset.facts.type for ruleset in ordered}
    parts = [text for name in sorted(schemas) for text in _facts(names, (name, "facts"), schemas[name])]
    for _, versions in groupby(ordered, key=lambda ruleset: ruleset.id):
        parts += _ruleset(names, list(versions))
    return "\n\n".join([HEAD, *parts])


def _facts(names: Names, words: tuple[str, ...], record: Record) -> Iterator[str]:
    """The classes of a record of facts, those of the records in it first."""
    members = {}
    for member in record.members:
        inner = member.type
        while isinstance(inner, ListOf):
            inner = inner.element
        if isinstance(inner, Record):
            yield from _facts(names, (*words, member.name), inner)
        members[member.name] = _member(names, member, (*words, member.name))
    yield _class(f"{names.of(*words)}(TypedDict)", [f"{name}: {kind}" for name, kind in members.items()])


def _member(names: Names, member: Member, words: tuple[str, ...]) -> str:
    kind = _given(names, member.type, words)
    return kind if member.required else f"NotRequired[{kind} | None]"


def _given(names: Names, kind: Type, words: tuple[str, ...]) -> str:
    """The type in which a fact is given."""
    match kind:
        case Number(places=places) if places:
            return "Number | float"
        case Date():
            return "date | str"
        case Instant():
            return "datetime | str"
        case Time():
            return "time | str"
        case ListOf(element=element):
            return f"Sequence[{_given(names, element, words)}]"
        case Record():
            return names.of(*words)
    return _plain(kind)


def _answered(kind: Type) -> str:
    """The type of a value of an answer."""
    match kind:
        case Number(places=places) if places:
            return "Number"
        case Date():
            return "date"
        case Instant():
            return "datetime"
        case Time():
            return "time"
        case ListOf(element=element):
            return f"tuple[{_answered(element)}, ...]"
    return _plain(kind)


def _plain(kind: Type) -> str:
    match kind:
        case Boolean():
            return "bool"
        case Number():
            return "int"
        case Text(values=tuple() as values) if 0 < len(values) <= MOST_LISTED:
            return _literal(values)
        case Text():
            return "str"
    return "Any"


def _literal(texts: Iterable[str]) -> str:
    return f"Literal[{', '.join(map(ascii, texts))}]"


def _ruleset(names: Names, versions: Sequence[Ruleset]) -> Iterator[str]:
    """The classes of a ruleset's decisions, and the one that asks them."""
    latest = versions[-1]
    decisions = list(dict.fromkeys(logic.name for ruleset in versions for logic in ruleset.decisions))
    for name in decisions:
        yield from _decision(names, latest.id, [logic for r in versions for logic in r.decisions if logic.name == name])
    readings = {reading.name: reading for ruleset in versions for reading in ruleset.readings if not reading.fixed}
    choices = [f"{name}: {_literal(c.name for c in each.choices)}" for name, each in sorted(readings.items())]
    yield _class(f"{names.of(latest.id, 'readings')}(TypedDict, total=False)", choices)
    facts = " | ".join(dict.fromkeys(names.of(ruleset.facts.name, "facts") for ruleset in versions))
    methods = [_method(names, latest.id, name, facts) for name in decisions]
    start = "def __init__(self, engine: Engine) -> None:\n    self._engine = engine\n"
    yield _class(names.of(latest.id), [ascii(latest.title), "", start, "\n".join(methods)])


def _decision(names: Names, ruleset: str, versions: Sequence[DecisionLogic]) -> Iterator[str]:
    """The classes of a decision's values and of its answer."""
    name = versions[-1].name
    types: dict[str, list[str]] = {}
    for logic in versions:
        for value, kind in logic.answer_types:
            types.setdefault(value, []).append(_answered(kind))
    values = [_value(value, kinds, len(versions)) for value, kinds in types.items()]
    yield _class(f"{names.of(ruleset, name, 'values')}(TypedDict)", values)
    outcomes = dict.fromkeys(outcome for logic in versions for outcome in logic.outcomes)
    kinds = [_outcome(outcomes, collects=collects) for collects in dict.fromkeys(logic.collects for logic in versions)]
    body = [ascii(versions[-1].question), "", "__slots__ = ()", "", "if TYPE_CHECKING:", ""]
    body += _property("outcome", " | ".join([*kinds, "None"] if outcomes else ["None"]))
    body += _property("values", names.of(ruleset, name, "values"), "  # type: ignore[override]")
    yield _class(f"{names.of(ruleset, name)}(Decision)", body)


def _value(name: str, kinds: Sequence[str], versions: int) -> str:
    kind = " | ".join([*dict.fromkeys(kinds), "None"])
    return f"{name}: {kind if len(kinds) == versions else f'NotRequired[{kind}]'}"


def _outcome(outcomes: Iterable[str], *, collects: bool) -> str:
    return f"tuple[{_literal(outcomes)}, ...]" if collects else _literal(outcomes)


def _property(name: str, kind: str, note: str = "") -> list[str]:
    return ["    @property", f"    def {name}(self) -> {kind}: ...{note}", ""]


def _method(names: Names, ruleset: str, name: str, facts: str) -> str:
    """The method that asks a decision; one with the name of a keyword ends in an underscore."""
    answer, method = names.of(ruleset, name), f"{name}_" if keyword.iskeyword(name) else name
    return f"""def {method}(
    self, facts: {facts}, *, as_of: date, readings: {names.of(ruleset, "readings")} = {{}}, trusted: bool = False
) -> {answer}:
    chosen = cast("dict[str, str]", readings)
    answer = self._engine.decide("{ruleset}.{name}", facts, as_of=as_of, readings=chosen, trusted=trusted)
    return cast("{answer}", answer)
"""


def _class(head: str, lines: Iterable[str]) -> str:
    body = "\n".join(lines) or "pass"
    return f"class {head}:\n" + "".join(f"    {line}".rstrip() + "\n" for line in body.rstrip().split("\n"))
