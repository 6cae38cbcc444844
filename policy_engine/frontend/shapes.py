"""The grammar of rule and test files: which keys there are, what each means, and what may stand under it.

The parser, the hints, the documentation and the schemas for editors all read this table. A shape is defined after the shapes
that it contains, so the whole file (`RULESET`, `LIBRARY`, `TESTS`) comes last.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from policy_engine.language.combining import Combination
from policy_engine.language.rulesets import Meaning
from policy_engine.language.weekdays import DAYS


class Kind(Enum):
    """What a single value may be."""

    TEXT = auto()
    """Words: any scalar that is not empty."""
    EXPRESSION = auto()
    CONDITION = auto()
    """An expression, or a `GROUP`."""
    CONSTANT = auto()
    """A number, a text, a boolean, a date, or a list of those."""
    SNAKE = auto()
    """A name that expressions can use."""
    KEBAB = auto()
    """The id of a rule or a source."""
    DATE = auto()
    FLAG = auto()
    YEAR = auto()
    CALENDAR = auto()
    """The code of a calendar of holidays, or one of our own names."""
    ANYTHING = auto()


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SequenceOf:
    """A list; where its length matters, at least and at most so many items."""

    items: Form
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names of the author's choice; no kind of name where any text may be one."""

    values: Form
    names: Kind | None = Kind.SNAKE
    single: bool = False
    """Whether there is exactly one name."""


@dataclass(frozen=True, slots=True)
class Either:
    """Any of some forms, no two of which are both scalars, both lists or both mappings."""

    forms: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its name, its meaning in a sentence, what stands under it, whether it must be there, and what it needs beside it."""

    name: str
    meaning: str
    form: Form
    required: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A mapping with a fixed set of keys; `thing` is what messages call it.

    Exactly one of the keys `one_of`, and at least one of the keys `some_of`, must be there.
    """

    thing: str
    keys: tuple[Key, ...]
    one_of: tuple[str, ...] = ()
    some_of: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the keys, in order."""
        return tuple(key.name for key in self.keys)


Form: TypeAlias = Kind | OneOf | SequenceOf | MapOf | Either | Shape

TEXTS = SequenceOf(Kind.TEXT)
EXPRESSIONS = MapOf(Kind.EXPRESSION)
SWITCHED = MapOf(Kind.SNAKE)
ANY_MAPPING = MapOf(Kind.ANYTHING, names=None)
ANY_LIST = SequenceOf(Kind.ANYTHING)

ONE_SOURCE_KEY = Key("source", "the id of the source", Kind.KEBAB)
SOURCE_KEY = Key("source", "the id of the source, or a list of ids", Either((Kind.KEBAB, SequenceOf(Kind.KEBAB))))
READINGS_KEY = Key("readings", "a list of the readings this rests on", Either((Kind.SNAKE, SequenceOf(Kind.SNAKE))))
WITH_KEY = Key("with", "further values: a name and an expression each", EXPRESSIONS)
THEN_KEY = Key("then", "the outcome", Kind.TEXT, required=True)
BECAUSE_KEY = Key("because", "the reason in words; {name} is filled in", Kind.TEXT)
NEEDED_BECAUSE_KEY = Key("because", BECAUSE_KEY.meaning, Kind.TEXT, required=True)

EFFECTIVE = Shape(
    "a period",
    (
        Key("from", "the first day in force", Kind.DATE),
        Key("until", "the first day no longer in force", Kind.DATE),
        Key("because", "why, where the source does not say it", Kind.TEXT),
    ),
)
SOURCE = Shape(
    "a source",
    (
        Key("title", "the document's title", Kind.TEXT, required=True),
        Key("number", "its number", Kind.TEXT),
        Key("updated", "the date of its edition", Kind.DATE),
        Key("url", "where it can be read", Kind.TEXT),
    ),
)
READING = Shape(
    "a reading",
    (
        Key("question", "what the source leaves open", Kind.TEXT, required=True),
        Key("choice", "the choice taken", Kind.SNAKE, required=True),
        Key("choices", "each choice and the argument for it", MapOf(Kind.TEXT), required=True),
        Key("source", "the id of the source that leaves it open", Kind.KEBAB),
        Key("fixed", "true where the choice cannot be switched", Kind.FLAG),
    ),
)
WEEKEND_KEY = Key(
    "weekend",
    "the days that are no weekdays; saturday and sunday where it is left out",
    SequenceOf(OneOf(DAYS), most=6),
)
REASONED_DAYS = MapOf(Kind.TEXT, Kind.DATE)
CALENDAR = Shape("a calendar", (WEEKEND_KEY,))
PARAMETER = Shape(
    "a parameter",
    (
        Key("value", "its value", Kind.CONSTANT),
        Key("values", "its values, each under the date from which it holds", MapOf(Kind.CONSTANT, Kind.DATE)),
        Key(
            "calendar",
            "the code of a calendar of holidays, or a list of codes, in place of a value",
            Either((Kind.CALENDAR, SequenceOf(Kind.CALENDAR, least=1))),
            needs=("years",),
        ),
        Key("years", "the first and the last year of the calendar", SequenceOf(Kind.YEAR, 2, 2), needs=("calendar",)),
        Key("add", "further holidays, each with the reason", REASONED_DAYS, needs=("calendar",)),
        Key("remove", "days that are no holidays here, each with the reason", REASONED_DAYS, needs=("calendar",)),
        Key("weekend", "the weekend where this calendar is asked", WEEKEND_KEY.form, needs=("calendar",)),
        Key("type", "date or time, where the value is one or a list of them", OneOf(("date", "time"))),
        Key("unit", "the unit, in words", Kind.TEXT),
        ONE_SOURCE_KEY,
        Key("meaning", "what it stands for", Kind.TEXT),
    ),
    one_of=("value", "values", "calendar"),
)
TYPES = ("text", "integer", "decimal", "boolean", "date")
"""What a cell of a look-up table may be."""
COLUMN = Shape(
    "a column",
    (
        Key("type", "what its cells are: text, integer, decimal, boolean or date", OneOf(TYPES), required=True),
        Key("unit", "the unit of its numbers, in words", Kind.TEXT),
    ),
)
RANGE = Shape(
    "a range",
    (
        Key("from", "the first number in it; open if left out", Kind.CONSTANT),
        Key("below", "the first number above it; open if left out", Kind.CONSTANT),
    ),
)
TABLE = Shape(
    "a look-up table",
    (
        Key("meaning", "what it stands for", Kind.TEXT),
        ONE_SOURCE_KEY,
        Key(
            "keys",
            "what a row is found by, each with its type: text, integer, decimal, boolean, date, or range (of numbers)",
            MapOf(OneOf((*TYPES, "range"))),
            required=True,
        ),
        Key("columns", "what a row gives, each with its type", MapOf(Either((OneOf(TYPES), COLUMN))), required=True),
        Key(
            "rows",
            "the rows: a value for each key and column; {from, below} for a range; valid_from and valid_until for its period",
            SequenceOf(MapOf(Either((Kind.CONSTANT, RANGE))), least=1),
        ),
        Key("from", "the CSV file with the rows, beside the rule file", Kind.TEXT),
        Key("otherwise", "the columns where no row is found", MapOf(Kind.CONSTANT)),
        Key("effective", "the days on which rows are in force that name none: {from, until}", EFFECTIVE),
    ),
    one_of=("rows", "from"),
)
GROUP = Shape(
    "a condition",
    (
        Key("all", "true where all are", SequenceOf(Kind.CONDITION, least=1)),
        Key("any", "true where one is", SequenceOf(Kind.CONDITION, least=1)),
        Key("none", "true where none is", SequenceOf(Kind.CONDITION, least=1)),
    ),
    one_of=("all", "any", "none"),
)
CHECK = Shape(
    "a check",
    (
        Key("expect", "the condition that must not be false", Kind.CONDITION, required=True),
        Key("because", "what a person is told where it is", Kind.TEXT, required=True),
        ONE_SOURCE_KEY,
    ),
)
RULE = Shape(
    "a rule",
    (
        Key("id", "the rule's id, in kebab-case", Kind.KEBAB, required=True),
        Key(
            "when",
            "the condition: one expression, or a list of them under all, any or none",
            Kind.CONDITION,
            required=True,
        ),
        THEN_KEY,
        NEEDED_BECAUSE_KEY,
        SOURCE_KEY,
        READINGS_KEY,
        WITH_KEY,
        Key("effective", "the days the rule is in force: {from, until}", EFFECTIVE),
    ),
)
OTHERWISE = Shape("an otherwise", (THEN_KEY, NEEDED_BECAUSE_KEY, SOURCE_KEY, READINGS_KEY, WITH_KEY))
LEGEND = Shape(
    "a legend entry",
    (
        THEN_KEY,
        BECAUSE_KEY,
        Key("when", "a condition", Kind.CONDITION, needs=("else",)),
        Key("else", "the outcome where the condition is false", Kind.TEXT, needs=("when",)),
        Key("else_because", "the reason for that", Kind.TEXT),
        SOURCE_KEY,
        READINGS_KEY,
        WITH_KEY,
    ),
)
ROW = Shape("a row", (Key("cells", "the cells", TEXTS, required=True), SOURCE_KEY))
MATRIX = Shape(
    "a matrix",
    (
        Key("rows", "the fact or definition that chooses the row", Kind.SNAKE, required=True),
        Key(
            "columns",
            "the fact or definition that chooses the column, and its values: {name: [values]}",
            MapOf(TEXTS, single=True),
            required=True,
        ),
        Key("legend", "what the words in the cells stand for", MapOf(LEGEND)),
        Key(
            "cells",
            "a row under each value: a list of cells, or {cells, source}",
            MapOf(Either((TEXTS, ROW)), names=None),
            required=True,
        ),
        Key("value", "the name of the value that literal cells give", Kind.SNAKE),
    ),
)
DECISION = Shape(
    "a decision",
    (
        Key("question", "the question it answers", Kind.TEXT, required=True),
        SOURCE_KEY,
        Key("outcomes", "the list of possible outcomes", TEXTS),
        Key(
            "meanings",
            "what outcomes mean, by which reports are coloured: favourable, unfavourable, neutral or open",
            MapOf(OneOf(tuple(Meaning)), names=None),
            needs=("outcomes",),
        ),
        Key("hit", "first (the default) or collect", OneOf(("first", "collect"))),
        Key(
            "combine",
            "how collected rules combine values: a name, and sum, min, max, list, first or last",
            MapOf(OneOf(tuple(Combination))),
            needs=("hit",),
        ),
        WITH_KEY,
        Key("rules", "the rules in order", SequenceOf(RULE), needs=("outcomes",)),
        Key("otherwise", "what holds where no rule applies", OTHERWISE, needs=("outcomes",)),
        Key("matrix", "a table in place of rules", MATRIX),
        Key("values", "what a calculation gives: a name and an expression each", EXPRESSIONS),
        BECAUSE_KEY,
        READINGS_KEY,
    ),
    some_of=("rules", "matrix", "values", "otherwise", "with"),
)
SILENCE = Shape(
    "a silence",
    (
        Key("code", "the code of the warning", Kind.KEBAB, required=True),
        Key("name", "the name it is about; every one if left out", Kind.TEXT),
        Key("because", "why it is no fault here", Kind.TEXT, required=True),
    ),
)
VERSION_KEY = Key("version", "the version, a text in quotes", Kind.TEXT, required=True)
SOURCES_KEY = Key("sources", "the documents that rules cite, under their ids", MapOf(SOURCE, Kind.KEBAB))
READINGS_OF_FILE_KEY = Key("readings", "questions that the sources leave open, with the choice taken", MapOf(READING))
PARAMETERS_KEY = Key("parameters", "constants with a name", MapOf(PARAMETER))
TABLES_KEY = Key("tables", "rows of constants, found by keys", MapOf(TABLE))
DEFINITIONS_KEY = Key("definitions", "conditions and amounts with a name", MapOf(Kind.CONDITION))
SILENCES_KEY = Key("silence", "warnings that are no faults here, each with the reason", SequenceOf(SILENCE))
RULESET = Shape(
    "a ruleset",
    (
        Key("ruleset", "the ruleset's id, in snake_case", Kind.SNAKE, required=True),
        Key("title", "what the ruleset is about, in words", Kind.TEXT, required=True),
        VERSION_KEY,
        Key(
            "effective",
            "the days it is in force: {from: a date, until: the first day outside}",
            EFFECTIVE,
            required=True,
        ),
        Key("timezone", "the IANA time zone that turns instants into dates", Kind.TEXT, required=True),
        Key("facts", "the name of the facts' schema", Kind.TEXT, required=True),
        Key("calendar", "the working week", CALENDAR),
        Key(
            "language",
            "the language of the sentences, by a tag such as de or fr-CH; English where none is named",
            Kind.TEXT,
        ),
        Key(
            "use",
            "what it takes from libraries: the name of each, with a list of parts",
            MapOf(SequenceOf(Kind.TEXT, least=1)),
        ),
        SOURCES_KEY,
        READINGS_OF_FILE_KEY,
        PARAMETERS_KEY,
        TABLES_KEY,
        Key("checks", "what must not be false of valid facts", SequenceOf(CHECK)),
        DEFINITIONS_KEY,
        Key("decisions", "the questions and how they are decided", MapOf(DECISION), required=True),
        SILENCES_KEY,
    ),
)
LIBRARY = Shape(
    "a library",
    (
        Key("library", "the library's name, in snake_case", Kind.SNAKE, required=True),
        Key("title", "what its parts are about, in words", Kind.TEXT, required=True),
        VERSION_KEY,
        Key("effective", "the days it is in force: {from, until}; all days where it is left out", EFFECTIVE),
        Key("facts", "the name of the schema of the facts that its definitions read", Kind.TEXT),
        SOURCES_KEY,
        READINGS_OF_FILE_KEY,
        PARAMETERS_KEY,
        TABLES_KEY,
        DEFINITIONS_KEY,
        SILENCES_KEY,
    ),
)
TEST_EXPECTATION = Shape(
    "an expectation",
    (
        Key("status", "decided, undetermined or gap", OneOf(("decided", "undetermined", "gap"))),
        Key("outcome", "the outcome", Kind.ANYTHING),
        Key("rule", "the id of the determining rule", Kind.TEXT),
        Key("rules", "the ids of the determining rules", TEXTS),
        Key("values", "the values that must be so", ANY_MAPPING),
        Key("missing", "exactly the facts that are missing", TEXTS),
        Key("reason", "the reason, word for word", Kind.TEXT),
        Key("sources", "exactly the sources cited", TEXTS),
        Key("readings", "the readings used, with their choices", SWITCHED),
    ),
)
TEST_CASE = Shape(
    "a case",
    (
        Key("name", "what the case shows, in a sentence", Kind.TEXT, required=True),
        Key("as_of", "the day of the question", Kind.DATE, required=True),
        Key("facts", "the facts, or {from: a fixture's path, with: changes}", ANY_MAPPING),
        Key("readings", "readings switched for this case", SWITCHED),
        Key(
            "expect",
            "what each decision, or each definition of a library, must answer",
            MapOf(Either((Kind.TEXT, TEXTS, TEST_EXPECTATION))),
        ),
        Key("invalid", "the pointers of the violations that the facts must have", SequenceOf(Kind.ANYTHING)),
        Key("not_in_force", "true where the day is outside every version", Kind.FLAG),
    ),
    some_of=("expect", "invalid", "not_in_force"),
)
TEST_TABLE = Shape(
    "a table",
    (
        Key("name", "what the table shows, in a sentence", Kind.TEXT, required=True),
        Key("as_of", "the day of the question, where no column gives it", Kind.DATE),
        Key("facts", "facts that all rows share", ANY_MAPPING),
        Key("readings", "readings switched for all rows", SWITCHED),
        Key("columns", "facts, as_of, readings.NAME, decisions, or decision.part", TEXTS, required=True),
        Key(
            "rows",
            "the cells of each row, under its name or in a list",
            Either((MapOf(ANY_LIST, names=None), SequenceOf(ANY_LIST))),
            required=True,
        ),
    ),
)
TESTS = Shape(
    "a test file",
    (
        Key("tests", "the ruleset or library under test", Kind.SNAKE, required=True),
        Key("cases", "the cases, one mapping each", SequenceOf(TEST_CASE)),
        Key("tables", "tables of cases, one line each", SequenceOf(TEST_TABLE)),
    ),
)
