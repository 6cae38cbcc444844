"""Whole rulesets with their schema, as written in files, by choices; well typed by construction, as far as it goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from policy_engine.diagnostics import Diagnostic, has_errors
from policy_engine.documents.yaml_reader import read_text
from policy_engine.frontend.checker import check
from policy_engine.frontend.libraries import joined
from policy_engine.frontend.parser import parse_ruleset
from policy_engine.frontend.schemas import schema_of
from policy_engine.language.combining import Combination
from policy_engine.language.formats import plural_categories
from policy_engine.language.rulesets import FactsSchema, Ruleset
from policy_engine.language.types import (
    BOOLEAN,
    DATE,
    TIME,
    Boolean,
    Date,
    ListOf,
    Number,
    Record,
    Text,
    Type,
    fits,
    innermost,
    join,
    number_of,
)
from tests.support.choosing import Choices
from tests.support.conformance import library_of
from tests.support.generated_expressions import Author
from tests.support.generated_facts import CLOCKS, WORDS, SchemaAuthor
from tests.support.generated_libraries import divided
from tests.support.generated_tables import written_table
from tests.support.made import Made, names_below

Json = Any
STARTS = ("0001-01-01", "2024-02-29", "2025-01-01", "2025-03-01", "9999-12-31")
CONSTANTS: tuple[tuple[str, ...], ...] = (
    ("3", "5", "-2"), ("0.5", "1.25", "2"), ("true", "false", "true"), ("0.001", "12", "7.5"), ("60", "45", "30"),
)  # fmt: skip
OUTCOMES = ("allow", "deny", "ask", "a b", "é")
AMOUNTS = ("1", "2.5", "0.25", "-3", "1000", "0")
HEAD = {
    "ruleset": "generated",
    "title": "Generated",
    "version": "1",
    "effective": {"from": "0001-01-01"},
    "timezone": "America/New_York",
    "facts": "generated",
    "sources": {"one": {"title": "One"}, "two": {"title": "Two"}},
}
ZONES = ("America/New_York", "Pacific/Apia", "Pacific/Kiritimati", "America/Godthab")
WEEKENDS: tuple[list[str], ...] = (["friday", "saturday"], ["sunday"], ["friday", "sunday"], [], ["saturday", "sunday"])
LANGUAGES = ("en", "en", "en", "de", "fr-CH", "pl", "ar")
MOST_CLOSED = 4


@lru_cache(maxsize=64)
def facts_schema(text: str) -> FactsSchema:
    """The schema of a JSON text that has no fault."""
    facts, faults = schema_of(text, "generated.schema.json", "generated")
    assert facts is not None, faults
    return facts


@dataclass(frozen=True)
class Written:
    """A ruleset, the schema of its facts, and a library that it takes parts from, as they would stand in files."""

    ruleset: str
    schema: str
    library: str | None = None

    def __str__(self) -> str:
        return "\n".join(text for text in (self.schema, self.library, self.ruleset) if text is not None)

    def check(self) -> tuple[Ruleset | None, list[Diagnostic]]:
        """The ruleset as the front end sees it, and its faults."""
        facts = facts_schema(self.schema)
        node, faults = read_text(self.ruleset, "generated.yaml")
        assert node is not None, faults
        syntax, faults = parse_ruleset(node)
        assert syntax is not None, faults
        if self.library is not None:
            syntax = joined(syntax, facts, [library_of(self.library, facts)], faults).syntax
        ruleset, found = check(syntax, facts, "sha256:" + "0" * 64)
        return (None if has_errors(faults) else ruleset), [*faults, *found]


class RulesetAuthor:
    """Writes a ruleset over a schema, from parameters to decisions; each may use what was written before it."""

    def __init__(self, choices: Choices, facts: FactsSchema) -> None:
        self.choices = choices
        self.bare = [Made(member.name, member.type) for member in facts.type.members]
        self.readings: dict[str, Sequence[str]] = {}
        self.language = choices.one_of(LANGUAGES)
        self.author = Author(choices, list(names_below(facts.type)), self.readings)

    def write(self) -> Json:
        """The ruleset as plain data."""
        checks = self.choices.some(0, 1, self.check)
        parts = {
            "readings": dict(self.choices.some(0, 2, self.reading)),
            "parameters": dict(self.choices.some(0, 3, self.parameter)),
            "tables": dict(self.choices.some(0, 2, self.table)),
            "definitions": dict(self.choices.some(0, 5, self.definition)),
        }
        decisions = dict(self.choices.some(1, 4, self.decision))
        if self.choices.chance(30):
            decisions = dict(reversed(decisions.items()))
        zone = self.choices.one_of(ZONES)
        week = {"calendar": {"weekend": self.choices.one_of(WEEKENDS)}} if self.choices.chance(30) else {}
        return {
            **HEAD,
            "timezone": zone,
            "language": self.language,
            **week,
            **parts,
            "checks": checks,
            "decisions": decisions,
        }

    def named(self, stem: str, *kinds: Type) -> str:
        """A name that nothing else has; where its type is given it is in scope from now on."""
        self.author.variables += 1
        name = f"{stem}_{self.author.variables}"
        for kind in kinds:
            made = Made(name, kind)
            self.bare.append(made)
            self.author.names[:0] = [made, *(names_below(kind, f"{name}.") if isinstance(kind, Record) else ())]
        return name

    # Before the decisions.

    def reading(self) -> tuple[str, Json]:
        choices = ("counts", "does_not", "ask_again")[: self.choices.between(2, 3)]
        name = self.named("reading")
        self.readings[name] = choices
        told = {"question": "How?", "choice": self.choices.one_of(choices), "choices": dict.fromkeys(choices, "So.")}
        return name, told

    def parameter(self) -> tuple[str, Json]:
        how = self.choices.between(0, 9)
        if how == 9:
            return self._calendar()
        make = (self._number, self._times, self._dates, self._text, self._number)[how % 5]
        several = self.choices.chance(30)

        def value() -> tuple[Json, Type]:
            return self._list_of_constants(make) if several else make()

        if self.choices.chance(50):
            values = [value() for _ in STARTS]
            written = {"values": {day: told for day, (told, _) in zip(STARTS, values, strict=True)}}
        else:
            values = [value()]
            written = {"value": values[0][0]}
        return self._parameter(
            written, [kind for _, kind in values], word={self._dates: "date", self._times: "time"}.get(make)
        )

    def _parameter(self, written: Json, kinds: Sequence[Type], *, word: str | None) -> tuple[str, Json]:
        kind = kinds[0]
        for other in kinds:
            kind = join(kind, other) or kind
        name = self.named("parameter", kind)
        if "values" in written and not isinstance(kind, ListOf):
            self.author.dated.append(Made(name, kind))
        return name, {**written, **({} if word is None else {"type": word})}

    def table(self) -> tuple[str, Json]:
        """A look-up table; its cells are in scope from now on."""
        made, written = written_table(self.choices, self.named("table"))
        self.author.tables.append(made)
        return made.name, written

    def _calendar(self) -> tuple[str, Json]:
        """A calendar fits only where holidays are asked for, so it has no part in other expressions."""
        name = self.named("parameter")
        self.author.calendars.append(name)
        own = {"weekend": self.choices.one_of(WEEKENDS)} if self.choices.chance(30) else {}
        changes = {"add": {"2025-03-03": "Closed"}, "remove": {"2025-01-01": "Open"}} if self.choices.chance(30) else {}
        code = self.choices.one_of(("us_federal", "DE-BY", "XETR", ["GB-SCT", "XNYS"]))
        return name, {"calendar": code, "years": [2024, 2025], **own, **changes}

    def _number(self) -> tuple[Json, Type]:
        text = self.choices.one_of(AMOUNTS)
        value = Decimal(text) if "." in text else int(text)
        return value, number_of(value)

    def _dates(self) -> tuple[Json, Type]:
        return self.choices.one_of(STARTS), DATE

    def _times(self) -> tuple[Json, Type]:
        return self.choices.one_of(CLOCKS), TIME

    def _text(self) -> tuple[Json, Type]:
        word = self.choices.one_of(WORDS)
        return word, Text((word,))

    def _list_of_constants(self, make: Callable[[], tuple[Json, Type]]) -> tuple[Json, Type]:
        made = self.choices.some(1, 3, make)
        kind = made[0][1]
        for _, other in made:
            kind = join(kind, other) or kind
        return [value for value, _ in made], ListOf(kind, len(made))

    def definition(self) -> tuple[str, Json]:
        """A condition, a value, a record or a list with a name."""
        how = self.choices.between(0, 9)
        if how < 3:
            body, kind = self.when(2), BOOLEAN
            return self.named("definition", kind), body
        record = self.author.record(2) if how == 3 else None
        if record is not None:
            made = record
        elif how == 4:
            made = self.author.source(2) or self.author.any_value(2)
        elif how < 8 and self.author.named(ListOf):
            made = self.author.filtered(1) or self.author.any_value(2)
        else:
            made = self.author.any_value(3)
        return self.named("definition", made.type), made.text

    def check(self) -> Json:
        """A check, which must read a fact."""
        fact = self.choices.one_of(self.bare)
        kind = self.choices.one_of(("any", "all"))
        return {"expect": {kind: [f"known({fact.text})", self.when(1)]}, "because": "It must be so."}

    def when(self, depth: int) -> Json:
        """A condition, or a group of them."""
        if depth == 0 or self.choices.chance(65):
            return self.author.condition(depth + 1)
        kind = self.choices.one_of(("all", "any", "none"))
        return {kind: self.choices.some(1, 3, lambda: self.when(depth - 1))}

    # Decisions.

    def decision(self) -> tuple[str, Json]:
        """One of the forms of a decision, in scope for those after it."""
        name = self.named("decision")
        form = self.choices.one_of((self.first, self.first, self.collect, self.matrix, self.calculation, self.run))
        values = Values(self)
        body = form(values)
        outcomes = body.get("outcomes")
        if outcomes:
            kind: Type = Text(tuple(outcomes))
            kind = ListOf(kind, len(outcomes)) if body.get("hit") == "collect" else kind
            self.author.names.insert(0, Made(f"decisions.{name}.outcome", kind))
        self.author.names[:0] = [Made(f"decisions.{name}.{value}", kind) for value, kind in values.types.items()]
        return name, {"question": "What now?", "source": self.choices.one_of(("one", "two", ["one", "two"])), **body}

    def calculation(self, values: Values) -> Json:
        return {"values": values.some(1, 3), "because": self.because(values)}

    def first(self, values: Values) -> Json:
        body = {"outcomes": self.outcomes(), "with": values.some(0, 1)}
        rules = self.choices.some(1, 4, lambda: self.rule(body["outcomes"], values))
        return {**body, "rules": rules, **self.otherwise(body["outcomes"], values)}

    def collect(self, values: Values) -> Json:
        body = {"outcomes": self.outcomes(), "with": values.some(0, 1), "hit": "collect"}
        rules = self.choices.some(1, 5, lambda: self.rule(body["outcomes"], values))
        given = [text for rule in rules for text in rule.get("with", {}).items()]
        names = [
            name for name in dict(given) if not any(n == name and text.startswith("if_known") for n, text in given)
        ]
        words = {name: values.combined(name, sum(n == name for n, _ in given)) for name in names}
        combine = {name: word for name, word in words.items() if word}
        return {**body, "rules": rules, **({"combine": combine} if combine else {})}

    def run(self, values: Values) -> Json:
        """Rules in a row that ask for the same text."""
        body = {"outcomes": self.outcomes(), "with": values.some(0, 1)}
        asked = self.author.text(1)
        assert isinstance(asked.type, Text)
        words = asked.type.values or WORDS
        whens = [self._equality(asked, words) for _ in range(self.choices.between(3, 5))]
        rules = [self.rule(body["outcomes"], values, when) for when in whens]
        return {**body, "rules": rules, **self.otherwise(body["outcomes"], values)}

    def _equality(self, asked: Made, words: Sequence[str]) -> str:
        listed = [f'"{word}"' for word in self.choices.some(1, 2, lambda: self.choices.one_of(words))]
        return f"{asked.text} == {listed[0]}" if len(listed) == 1 else f"{asked.text} in [{', '.join(listed)}]"

    def outcomes(self) -> list[str]:
        return list(OUTCOMES[: self.choices.between(2, 4)])

    def otherwise(self, outcomes: Sequence[str], values: Values) -> Json:
        if self.choices.chance(40):
            return {}
        told = {"then": self.choices.one_of(outcomes), "because": self.because(values)}
        return {"otherwise": {**told, "with": values.some(0, 1)}}

    def rule(self, outcomes: Sequence[str], values: Values, when: Json = None) -> Json:
        """A rule, in force always or for a time; one with a condition given has seldom values of its own."""
        rule = {
            "id": self.named("rule").replace("_", "-"),
            "when": self.when(2) if when is None else when,
            "then": self.choices.one_of(outcomes),
            "because": self.because(values),
        }
        if self.choices.chance(20 if when is None else 5):
            start = self.choices.one_of(STARTS[1:4])
            rule["effective"] = {"from": start, "until": "2025-03-02"} if self.choices.chance(50) else {"from": start}
        if self.choices.chance(30 if when is None else 5):
            rule["with"] = values.some(1, 2)
        if self.choices.chance(20):
            rule["source"] = "two"
        if self.readings and self.choices.chance(20):
            rule["readings"] = [self.choices.one_of(list(self.readings))]
        return rule

    def because(self, values: Values) -> str:
        """A sentence with holes."""
        known = [made for made in self.bare if isinstance(innermost(made.type), Boolean | Number | Text | Date)]
        known += [*(Made(name, Text()) for name in self.readings), Made("as_of", DATE)]
        holes = self.choices.some(0, 2, lambda: self.hole(self.choices.one_of(known)))
        return " ".join(["It is so", *holes])

    def hole(self, made: Made) -> str:
        """A hole of a sentence, plain or in a format."""
        kind = innermost(made.type)
        formats = [""]
        if isinstance(kind, Date):
            formats += [":long", ":short"]
        if isinstance(kind, Number):
            forms = plural_categories(self.language, kind.places > 0)
            formats += [":number", ":money(EUR)", ":money(JPY)", ":percent", f":plural({', '.join(forms)})"]
        return f"{{{made.text}{self.choices.one_of(formats)}}}"

    # Matrices.

    def matrix(self, values: Values) -> Json:
        """A table over two closed sets, with outcomes or amounts."""
        rows, columns = self._axis(), self._axis()
        frame = {"rows": rows.text, "columns": {columns.text: _closed(columns.type)}}
        if self.choices.chance(25):
            return {"matrix": {**frame, "value": values.amount(), "cells": self._cells(rows, columns, values.literal)}}
        outcomes = self.outcomes()
        shared = values.some(0, 1)
        legend: dict[str, Json] = {}
        cells = self._cells(rows, columns, lambda: self._cell(outcomes, values, legend))
        return {"outcomes": outcomes, "with": shared, "matrix": {**frame, "legend": legend, "cells": cells}}

    def _axis(self) -> Made:
        known = [made for made in self.bare if 0 < len(_closed(made.type)) <= MOST_CLOSED]
        known += [Made(name, Text(tuple(choices))) for name, choices in self.readings.items()]
        return self.choices.one_of(known or [Made("true", BOOLEAN)])

    def _cells(self, rows: Made, columns: Made, cell: Callable[[], Json]) -> Json:
        made: dict[str, Json] = {}
        for row in _closed(rows.type):
            told: Json = [cell() for _ in _closed(columns.type)]
            made[row] = {"cells": told, "source": "two"} if self.choices.chance(20) else told
        return made

    def _cell(self, outcomes: Sequence[str], values: Values, legend: dict[str, Json]) -> str:
        """An outcome, or a word of the legend, new or used before."""
        how = self.choices.between(0, 2)
        if how == 0 or (how == 1 and not legend):
            return self.choices.one_of(outcomes)
        if how == 2 and len(legend) < MOST_CLOSED:
            key, told = self._legend(outcomes, values)
            legend[key] = told
            return key
        return self.choices.one_of(list(legend))

    def _legend(self, outcomes: Sequence[str], values: Values) -> tuple[str, Json]:
        told = {"then": self.choices.one_of(outcomes), "with": values.some(0, 1), "because": self.because(values)}
        if self.choices.chance(60):
            told |= {"when": self.when(1), "else": self.choices.one_of(outcomes)}
        return self.named("key"), told


class Values:
    """The values that one decision gives, each of one type wherever it is given."""

    def __init__(self, ruleset: RulesetAuthor) -> None:
        self.ruleset = ruleset
        self.types: dict[str, Type] = {}
        self.own: set[str] = set()
        self.texts = False

    def some(self, least: int, most: int) -> Json:
        """Values by name; the first that are asked for are the decision's own, which no rule may give again."""
        made: dict[str, str] = {}
        for _ in range(self.ruleset.choices.between(least, most)):
            name, text = self.value(made)
            made[name] = text
        if not self.own:
            self.own = {*made, "-"}
        return made

    def value(self, taken: Mapping[str, str]) -> tuple[str, str]:
        """A new value, or one that another rule gives as well, in a type that goes with the type it has there."""
        choices, author = self.ruleset.choices, self.ruleset.author
        known = [name for name in self.types if name not in self.own and name not in taken]
        if known and choices.chance(60):
            name = choices.one_of(known)
            made = self._like(self.types[name])
            joined = join(self.types[name], made.type)
            if joined is not None and _fits(joined):
                self.types[name] = joined
                return name, self._perhaps_null(made)
        made = author.any_value(2)
        name = self.ruleset.named("value")
        self.types[name] = made.type
        return name, self._perhaps_null(made)

    def combined(self, name: str, givers: int) -> str | None:
        """How so many rules combine a value, which then has another type; None where nothing is said, or goes with the type."""
        word = self.ruleset.choices.one_of((None, *Combination))
        kind = word.type_of(self.types[name], givers) if word else None
        if word is None or kind is None or not _fits(kind):
            return None
        self.types[name] = kind
        return str(word)

    def _like(self, kind: Type) -> Made:
        author = self.ruleset.author
        return author.list_of(kind.element, 1) if isinstance(kind, ListOf) else author.want(kind, 2)

    def _perhaps_null(self, made: Made) -> str:
        return f"if_known({made.text})" if self.ruleset.choices.chance(20) else made.text

    def amount(self) -> str:
        """The value that a matrix gives."""
        self.texts = self.ruleset.choices.chance(30)
        name = self.ruleset.named("value")
        self.types[name] = Text() if self.texts else Number(2, -300, 100_000)
        return name

    def literal(self) -> Json:
        """A cell of a matrix of amounts, or of words."""
        text = self.ruleset.choices.one_of(OUTCOMES if self.texts else AMOUNTS)
        return text if self.texts else Decimal(text) if "." in text else int(text)


def _closed(kind: Type) -> list[str]:
    """The words of a closed set, none where it is not closed."""
    if isinstance(kind, Boolean):
        return ["false", "true"]
    return list(kind.values or ()) if isinstance(kind, Text) else []


def _fits(kind: Type) -> bool:
    inner = kind.element if isinstance(kind, ListOf) else kind
    return not isinstance(inner, Number) or fits(inner)


def as_json(value: Json) -> str:
    """JSON, and so YAML, with decimals exact and empty parts of rulesets left out."""
    match value:
        case dict():
            return "{" + ", ".join(f"{as_json(key)}: {as_json(part)}" for key, part in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(as_json, value)) + "]"
        case Decimal():
            return f"{value:f}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _without_empty(value: Json) -> Json:
    """A ruleset without the parts in which nothing stands."""
    if not isinstance(value, dict):
        return [_without_empty(part) for part in value] if isinstance(value, list) else value
    return {key: _without_empty(part) for key, part in value.items() if part not in ({}, [], None)}


def written_ruleset(choices: Choices) -> Written:
    """A ruleset with its schema, and maybe a library; nearly all of them have no fault."""
    whole, schema = written_document(choices)
    return shared(whole, schema, choices) if choices.chance(20) else Written(as_json(whole), schema)


def written_document(choices: Choices) -> tuple[Json, str]:
    """A ruleset in one file as plain data, with its schema."""
    schema = as_json(SchemaAuthor(choices).record(2, 6, 2))
    return _without_empty(RulesetAuthor(choices, facts_schema(schema)).write()), schema


def shared(whole: Json, schema: str, choices: Choices) -> Written:
    """A ruleset some of whose parts stand in a library, if the ruleset has no fault and there are any."""
    written = Written(as_json(whole), schema)
    parts = None if written.check()[0] is None else divided(whole, choices)
    return written if parts is None else Written(as_json(parts[0]), schema, as_json(parts[1]))


def faults_of(written: Written) -> Iterator[str]:
    """What the front end says against a ruleset, for whoever mends the strategies."""
    ruleset, faults = written.check()
    if ruleset is None:
        yield from (f"{fault.code}: {fault.message}" for fault in faults if has_errors([fault]))
