"""Which keys a rule file has, and what each means: the parser's table, and the words of hints and documentation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its name, its meaning in a sentence, and whether it must be there."""

    name: str
    meaning: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A mapping with a fixed set of keys; `thing` is what messages call it."""

    thing: str
    keys: tuple[Key, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the keys, in order."""
        return tuple(key.name for key in self.keys)


SOURCE_KEY = Key("source", "the id of the source, or a list of ids")
READINGS_KEY = Key("readings", "a list of the readings this rests on")
WITH_KEY = Key("with", "further values: a name and an expression each")
BECAUSE_KEY = Key("because", "the reason in words; {name} is filled in")

RULESET = Shape(
    "a ruleset",
    (
        Key("ruleset", "the ruleset's id, in snake_case", required=True),
        Key("title", "what the ruleset is about, in words", required=True),
        Key("version", "the version, a text in quotes", required=True),
        Key("effective", "the days it is in force: {from: a date, until: the first day outside}", required=True),
        Key("timezone", "the IANA time zone that turns instants into dates", required=True),
        Key("facts", "the name of the facts' schema", required=True),
        Key("sources", "the documents that rules cite, under their ids"),
        Key("readings", "questions that the sources leave open, with the choice taken"),
        Key("parameters", "constants with a name"),
        Key("checks", "what must not be false of valid facts"),
        Key("definitions", "conditions and amounts with a name"),
        Key("decisions", "the questions and how they are decided", required=True),
    ),
)
EFFECTIVE = Shape(
    "a period",
    (
        Key("from", "the first day in force"),
        Key("until", "the first day no longer in force"),
        Key("because", "why, where the source does not say it"),
    ),
)
SOURCE = Shape(
    "a source",
    (
        Key("title", "the document's title", required=True),
        Key("number", "its number"),
        Key("updated", "the date of its edition"),
        Key("url", "where it can be read"),
    ),
)
READING = Shape(
    "a reading",
    (
        Key("question", "what the source leaves open", required=True),
        Key("choice", "the choice taken", required=True),
        Key("choices", "each choice and the argument for it", required=True),
        Key("source", "the id of the source that leaves it open"),
        Key("fixed", "true where the choice cannot be switched"),
    ),
)
PARAMETER = Shape(
    "a parameter",
    (
        Key("value", "its value"),
        Key("values", "its values, each under the date from which it holds"),
        Key("calendar", "the name of a calendar of holidays, in place of a value"),
        Key("years", "the first and the last year of the calendar"),
        Key("type", "date, where the value is a date or a list of dates"),
        Key("unit", "the unit, in words"),
        Key("source", "the id of the source"),
        Key("meaning", "what it stands for"),
    ),
)
CHECK = Shape(
    "a check",
    (
        Key("expect", "the condition that must not be false", required=True),
        Key("because", "what a person is told where it is", required=True),
        Key("source", "the id of the source"),
    ),
)
DECISION = Shape(
    "a decision",
    (
        Key("question", "the question it answers", required=True),
        SOURCE_KEY,
        Key("outcomes", "the list of possible outcomes"),
        Key("hit", "first (the default) or collect"),
        WITH_KEY,
        Key("rules", "the rules in order"),
        Key("otherwise", "what holds where no rule applies"),
        Key("matrix", "a table in place of rules"),
        Key("values", "what a calculation gives: a name and an expression each"),
        BECAUSE_KEY,
        READINGS_KEY,
    ),
)
RULE = Shape(
    "a rule",
    (
        Key("id", "the rule's id, in kebab-case", required=True),
        Key("when", "the condition: an expression, or all, any, none over a list", required=True),
        Key("then", "the outcome", required=True),
        Key("because", "the reason in words; {name} is filled in", required=True),
        SOURCE_KEY,
        READINGS_KEY,
        WITH_KEY,
        Key("effective", "the days the rule is in force: {from, until}"),
    ),
)
OTHERWISE = Shape(
    "an otherwise",
    (
        Key("then", "the outcome", required=True),
        Key("because", "the reason in words; {name} is filled in", required=True),
        SOURCE_KEY,
        READINGS_KEY,
        WITH_KEY,
    ),
)
MATRIX = Shape(
    "a matrix",
    (
        Key("rows", "the fact or definition that chooses the row", required=True),
        Key(
            "columns", "the fact or definition that chooses the column, and its values: {name: [values]}", required=True
        ),
        Key("legend", "what the words in the cells stand for"),
        Key("cells", "a row under each value: a list of cells, or {cells, source}", required=True),
        Key("value", "the name of the value that literal cells give"),
    ),
)
LEGEND = Shape(
    "a legend entry",
    (
        Key("then", "the outcome", required=True),
        BECAUSE_KEY,
        Key("when", "a condition"),
        Key("else", "the outcome where the condition is false"),
        Key("else_because", "the reason for that"),
        SOURCE_KEY,
        READINGS_KEY,
        WITH_KEY,
    ),
)
ROW = Shape("a row", (Key("cells", "the cells", required=True), SOURCE_KEY))
GROUP = Shape(
    "a condition",
    (
        Key("all", "true where all are"),
        Key("any", "true where one is"),
        Key("none", "true where none is"),
    ),
)
TESTS = Shape(
    "a test file",
    (
        Key("tests", "the ruleset under test", required=True),
        Key("cases", "the cases, one mapping each"),
        Key("tables", "tables of cases, one line each"),
    ),
)
TEST_CASE = Shape(
    "a case",
    (
        Key("name", "what the case shows, in a sentence", required=True),
        Key("as_of", "the day of the question", required=True),
        Key("facts", "the facts, or {from: a fixture's path, with: changes}"),
        Key("readings", "readings switched for this case"),
        Key("expect", "what each decision must answer"),
        Key("invalid", "the pointers of the violations that the facts must have"),
        Key("not_in_force", "true where the day is outside every version"),
    ),
)
TEST_EXPECTATION = Shape(
    "an expectation",
    (
        Key("status", "decided, undetermined or gap"),
        Key("outcome", "the outcome"),
        Key("rule", "the id of the determining rule"),
        Key("rules", "the ids of the determining rules"),
        Key("values", "the values that must be so"),
        Key("missing", "exactly the facts that are missing"),
        Key("reason", "the reason, word for word"),
        Key("sources", "exactly the sources cited"),
        Key("readings", "the readings used, with their choices"),
    ),
)
TEST_TABLE = Shape(
    "a table",
    (
        Key("name", "what the table shows, in a sentence", required=True),
        Key("as_of", "the day of the question, where no column gives it"),
        Key("facts", "facts that all rows share"),
        Key("readings", "readings switched for all rows"),
        Key("columns", "facts, as_of, readings.NAME, decisions, or decision.part", required=True),
        Key("rows", "the cells of each row, under its name or in a list", required=True),
    ),
)
