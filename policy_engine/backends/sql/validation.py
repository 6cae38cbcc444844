"""Validation as SQL: whether a row is valid by its schema, and if not each violation, as pointer and keyword.

What the type of a column guarantees is not asked. Violations of a row are lines of a text: a pointer, a keyword, and where a fact
is missing its name. Their sentences are made in Python (`facts/violations.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from sqlglot import exp

from policy_engine.backends.parts import MOST_VALUES, Part, part_of
from policy_engine.backends.sql.build import (
    FALSE,
    TRUE,
    Sql,
    any_of,
    call,
    choose,
    coalesce,
    literal,
    made,
    truth_of,
    variable,
    where,
)
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.dialects.columns import Columns
from policy_engine.backends.sql.dialects.loops import Loop
from policy_engine.backends.sql.given import Given
from policy_engine.backends.sql.keywords import KEYWORDS, TEXT_KEYWORDS
from policy_engine.backends.sql.refusals import Refusal, refused
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import ANYTHING, TEXT, Boolean, ListOf, Number, Text, is_plain

LINE = call("CHR", 10)
"""Between the violations of a row."""


class Validity(NamedTuple):
    """Whether a row is valid by its schema, never unknown, and its violations, unknown where there are none."""

    fits: Sql
    told: Sql


class Fault(NamedTuple):
    """Whether something is wrong (unknown is no), and its lines, unknown where nothing is."""

    broken: Sql
    told: Sql


Asks = Callable[["Place", Part, Given], Iterator[tuple[str, Sql]]]
"""Gives the keywords of a part of a schema, and whether a value breaks them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its pointer, the number of lists around it, and the fact that it is or is in."""

    pointer: Sql
    depth: int
    fact: str

    def below(self, name: str) -> Place:
        """A member's place."""
        return replace(self, pointer=_joined(self.pointer, f"/{name}"), fact=self.fact or name)

    def at(self, place: Sql) -> Place:
        """An element's place."""
        index = (place - 1).cast("TEXT")
        return replace(self, pointer=made(exp.DPipe, _joined(self.pointer, "/"), index), depth=self.depth + 1)


def validity(to: Columns, schema: FactsSchema, column: Callable[[str], Sql]) -> Validity:
    """Whether rows are valid by their schema; `column` gives the columns of the user's table, and those prepared of them."""
    asked, part = Validation(to.to, schema), part_of(schema)
    facts = {member.name: to.given(member, column) for member in schema.type.members}
    unfit = [*asked.of_members(part, facts, asked.unfit), *asked.too_many(part, facts)]
    wrong = [*asked.absent(part.required, facts, TRUE, START), *asked.of_members(part, facts, asked.keywords)]
    fits = choose([(any_of([fault.broken for fault in (*unfit, *wrong)]), FALSE)], TRUE)
    told = [lines(to.to, [fault.told for fault in faults]) for faults in (unfit, wrong) if faults]
    return Validity(fits, coalesce(*told) if told else to.to.nothing(TEXT))


START = Place(literal(""), 0, "")


@dataclass(frozen=True, slots=True)
class Validation:
    """Writes what is asked of the facts of a schema."""

    to: Dialect
    schema: FactsSchema

    def of_members(self, part: Part, facts: Mapping[str, Given], asks: Asks, place: Place = START) -> Iterator[Fault]:
        """The faults of the members of a record."""
        for name, member in part.members.items():
            yield from self.of(member, facts[name], asks, place.below(name))

    def of(self, part: Part, given: Given, asks: Asks, place: Place) -> Iterator[Fault]:
        """The faults of a value and of all that is in it."""
        for keyword, broken in asks(place, part, given):
            if truth_of(broken) is not False:
                yield _fault(broken, place, keyword)
        members = {name: given.member(name) for name in part.members}
        yield from self.of_members(part, members, asks, place)
        if asks == self.keywords:
            yield from self.absent(part.required, members, given.is_record, place)
        if part.element is not None:
            yield from self._of_elements(part.element, given, asks, place)

    def absent(self, names: Iterable[str], members: Mapping[str, Given], here: Sql, place: Place) -> Iterator[Fault]:
        """The faults of members that have to be there where the record is."""
        for name in names:
            yield _fault(here & members[name].raw.is_unknown(), place, f"required {name}")

    def _of_elements(self, part: Part, given: Given, asks: Asks, place: Place) -> Iterator[Fault]:
        """The faults of all elements of a list, as one."""
        element, at = f"element_{place.depth + 1}", f"place_{place.depth + 1}"
        inside = place.at(self.to.place_of(at))
        found = [*self.of(part, given.part(variable(element)), asks, inside)]
        if asks == self.keywords and not given.is_json:
            found += self._null(part, variable(element), inside)
        if found:
            over = Loop(given.elements(), element, at, None, (), ANYTHING)
            broken = self.to.count(over, any_of([fault.broken for fault in found])) > 0
            told = over._replace(parts=(lines(self.to, [fault.told for fault in found]),), kind=Text())
            listed = self.to.aggregate("list", told)
            every = where(broken, self.to.lines(listed, LINE))
            yield Fault(broken.without(over.variables), every.without(over.variables))

    def _null(self, part: Part, element: Sql, place: Place) -> Iterator[Fault]:
        """The faults of an element that is null."""
        for keyword in ("type", "enum", "const"):
            if keyword in part.schema:
                yield _fault(element.is_unknown(), place, keyword)

    def too_many(self, part: Part, facts: Mapping[str, Given]) -> Iterator[Fault]:
        """The fault of more values than facts may have; they are counted only where a list is long."""
        long, count = [], literal(1)
        for name, member in part.members.items():
            long.append(facts[name].is_long(member))
            count = count + facts[name].values(member)
        if truth_of(any_of(long)) is None:
            yield _fault(choose([(any_of(long), count > MOST_VALUES)], FALSE), START, "type")

    # What is asked of one value

    def unfit(self, place: Place, part: Part, given: Given) -> Iterator[tuple[str, Sql]]:
        """What makes facts unfit to be looked at by their schema."""
        if isinstance(part.type, Number):
            yield "type", given.is_unfit()

    def keywords(self, place: Place, part: Part, given: Given) -> Iterator[tuple[str, Sql]]:
        """The keywords of a schema that a value breaks."""
        name = part.schema["type"]
        right = given.is_of_type(name)
        if right is not None:
            yield "type", ~right
        for keyword, wanted in part.schema.items():
            if keyword in KEYWORDS:
                self._refuse(keyword, part, given, place)
                broken = KEYWORDS[keyword](given, wanted, part)
                is_closed = keyword in ("enum", "const") and right is not None
                yield keyword, ~right | broken if is_closed and right is not None else broken

    def _refuse(self, keyword: str, part: Part, given: Given, place: Place) -> None:
        """Raise where the value in the table cannot say what a keyword asks of the text that a fact has."""
        if not given.is_json and isinstance(part.type, ListOf):
            if keyword == "uniqueItems" and part.schema[keyword] and not is_plain(part.type.element):
                self._raise(Refusal.REPEATED, keyword, place)
        elif keyword in TEXT_KEYWORDS and not given.is_json and not isinstance(part.type, Text | Number | Boolean):
            self._raise(Refusal.DATE_TEXT, keyword, place)
        if keyword == "pattern" and not self.to.reads_pattern(part.schema[keyword]):
            self._raise(Refusal.PATTERN, keyword, place)

    def _raise(self, refusal: Refusal, keyword: str, place: Place) -> None:
        [span] = [member.span for member in self.schema.type.members if member.name == place.fact]
        raise refused(refusal, self.to.title, span, f"{place.fact}: {keyword}")


def lines(to: Dialect, told: Sequence[Sql]) -> Sql:
    """Several lines as one text; unknown where there is none."""
    return to.lines(to.texts(told), LINE)


def _fault(broken: Sql, place: Place, keyword: str) -> Fault:
    return Fault(broken, where(broken, _joined(place.pointer, f" {keyword}")))


def _joined(text: Sql, more: str) -> Sql:
    """A text with more behind it."""
    is_constant = isinstance(text.node, exp.Literal)
    return literal(text.node.this + more) if is_constant else made(exp.DPipe, text, literal(more))
