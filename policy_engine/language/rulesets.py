"""A checked ruleset: plain, frozen, typed data that everything else reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import cached_property

from policy_engine.language.combining import Combination
from policy_engine.language.expressions import Condition, Expression, Node
from policy_engine.language.formats import Format
from policy_engine.language.lookup_tables import VALID, Column, LookupTable, Range, TableRow
from policy_engine.language.types import Record, Type, record_in_zone
from policy_engine.language.values import Value
from policy_engine.language.weekdays import SATURDAY_AND_SUNDAY, Week, week_with
from policy_engine.source import Span

OTHERWISE = "otherwise"
"""The id of the rule that decides where no other does."""
VALUE = "value"
"""The column of a parameter's values, taken as a look-up table."""


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of civil days from `start` up to, and without, `end`; where `end` is None it goes on.

    >>> spring = Period(date(2025, 3, 1), date(2025, 6, 1))
    >>> [day in spring for day in (date(2025, 2, 28), date(2025, 3, 1), date(2025, 5, 31), date(2025, 6, 1))]
    [False, True, True, False]
    """

    start: date = date.min
    end: date | None = None

    def __contains__(self, day: date) -> bool:
        ended = self.end is not None and day >= self.end
        return day >= self.start and not ended

    def overlaps(self, other: Period) -> bool:
        """Whether some day lies in both."""
        return self.start in other or other.start in self

    def covers(self, other: Period) -> bool:
        """Whether every day of the other lies in this one."""
        return self.start <= other.start and (self.end is None or (other.end is not None and other.end <= self.end))

    def __str__(self) -> str:
        since = () if self.start == date.min else (f"from {self.start}",)
        until = () if self.end is None else (f"until {self.end}",)
        return " ".join((*since, *until)) or "always"


ALWAYS = Period()


@dataclass(frozen=True, slots=True)
class Source:
    """A document that rules cite: `number` and `updated` as it gives them, None where it gives none.

    `library` is the one that it was taken from, as in other parts; None where it stands in the ruleset's own file.
    """

    id: str
    title: str
    number: str | None = None
    updated: date | None = None
    url: str | None = None
    span: Span = field(compare=False, repr=False, default=Span(""))
    library: str | None = None

    @property
    def edition(self) -> str:
        """The number and the day, as far as the document gives them."""
        return ", ".join(part for part in (self.number, f"updated {self.updated}" if self.updated else None) if part)


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to read a source, and the argument for it."""

    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A question that a source leaves open, the choice taken, and its alternatives; `fixed` ones cannot be switched."""

    name: str
    question: str
    choice: str
    choices: tuple[Choice, ...]
    source: str | None
    fixed: bool
    span: Span = field(compare=False, repr=False)
    library: str | None = None


@dataclass(frozen=True, slots=True)
class ParameterValue:
    """A parameter's value for a period."""

    period: Period
    value: Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named constant of the rules, which may change with time; its periods touch and cover the ruleset's."""

    name: str
    type: Type
    values: tuple[ParameterValue, ...]
    unit: str | None
    source: str | None
    meaning: str | None
    span: Span = field(compare=False, repr=False)
    library: str | None = None

    def on(self, day: date) -> ParameterValue:
        """The value on a day, with its period."""
        return next(each for each in self.values if day in each.period)


def by_day(parameter: Parameter) -> LookupTable:
    """The values of a parameter as a look-up table whose only key is the day."""
    rows = tuple(
        TableRow(
            (Range(None if each.period.start == date.min else each.period.start, each.period.end),), (each.value,), 1, 1
        )
        for each in parameter.values
    )
    column = Column(VALUE, parameter.type, parameter.unit)
    return LookupTable(
        parameter.name, (VALID,), (column,), rows, dated=True, of_parameter=True,
        source=parameter.source, path=parameter.span.path, span=parameter.span, library=parameter.library,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that must not be false for facts to be valid; `because` is the message where it is."""

    expect: Condition
    because: str
    source: str | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Definition:
    """A condition or an amount with a name."""

    name: str
    body: Condition
    type: Type
    optional: bool
    span: Span = field(compare=False, repr=False)
    library: str | None = None


@dataclass(frozen=True, slots=True)
class Quoted:
    """Constant words of a sentence that tell the value an expression had, such as the row of a matrix's cell."""

    text: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Formatted:
    """An expression of a sentence whose value reads in a format of its own."""

    expression: Expression
    format: Format


@dataclass(frozen=True, slots=True)
class Template:
    """A sentence with placeholders: texts and expressions in turn, as written."""

    parts: tuple[str | Quoted | Expression | Formatted, ...]


@dataclass(frozen=True, slots=True)
class ValueDefinition:
    """A named value of a decision; `nullable` where it was written `if_known(...)` and may be null in an answer."""

    name: str
    expression: Expression
    type: Type
    nullable: bool


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a rule gives when it applies: outcome, reason, values of its own, sources and readings.

    `inherits_sources` where neither it nor its decision names any: an `otherwise` then has those of all rules.
    """

    outcome: str | None
    because: Template
    values: tuple[ValueDefinition, ...]
    sources: tuple[str, ...]
    readings: tuple[str, ...]
    inherits_sources: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition and what follows from it, in force for a period."""

    id: str
    when: Condition
    then: Conclusion
    period: Period
    span: Span = field(compare=False, repr=False)


class HitPolicy(StrEnum):
    """Which rules decide: the first true one, or all true ones."""

    FIRST = "first"
    COLLECT = "collect"


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in order. By `FIRST` the first true one decides, else `otherwise`; by `COLLECT` all true ones apply.

    `combine` says of values that several collected rules give how they become one; of others the last is kept.
    """

    hit: HitPolicy
    rules: tuple[Rule, ...]
    otherwise: Conclusion | None
    combine: tuple[tuple[str, Combination], ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a matrix: `then`, or where it has a condition that is false, `otherwise`."""

    id: str
    row: str | bool
    column: str | bool
    when: Condition | None
    then: Conclusion
    otherwise: Conclusion | None
    label: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Matrix:
    """A complete table over two closed sets: cells row by row."""

    rows: Expression
    columns: Expression
    row_values: tuple[str | bool, ...]
    column_values: tuple[str | bool, ...]
    cells: tuple[Cell, ...]

    def cell(self, row: object, column: object) -> Cell:
        """The cell of a row and a column; raises `ValueError` where there is no such row or column."""
        return self.cells[self.row_values.index(row) * len(self.column_values) + self.column_values.index(column)]


class Meaning(StrEnum):
    """What an outcome means for the one it is about; reports colour by it."""

    FAVOURABLE = "favourable"
    UNFAVOURABLE = "unfavourable"
    NEUTRAL = "neutral"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class DecisionLogic:
    """How one question is decided: by `Rules`, by a `Matrix`, or, where `body` is None, by calculating its values.

    `values` are computed for every outcome. `value_types` are those that other decisions calculate with, rules' own values
    included; a value that is nullable, or that some rule does not give, may be null. `answer_types` are those of the answer:
    the same, but on a day only what rules in force give. `sources` are all that the decision cites, `own_sources` those that
    it names itself. `readings` are all that it lists (`own_readings`) and that its expressions rest on, through definitions
    and used decisions. `meanings` are those of outcomes, where the author says any; only reports ask for them.
    """

    name: str
    question: str
    outcomes: tuple[str, ...]
    values: tuple[ValueDefinition, ...]
    value_types: tuple[tuple[str, Type], ...]
    answer_types: tuple[tuple[str, Type], ...]
    body: Rules | Matrix | None
    because: Template | None
    sources: tuple[str, ...]
    own_sources: tuple[str, ...]
    readings: tuple[str, ...]
    own_readings: tuple[str, ...]
    meanings: tuple[tuple[str, Meaning], ...]
    span: Span = field(compare=False, repr=False)

    @property
    def collects(self) -> bool:
        """Whether all true rules apply, so that the outcome is a list."""
        return isinstance(self.body, Rules) and self.body.hit is HitPolicy.COLLECT

    def combination(self, value: str) -> Combination | None:
        """How the values that rules give under a name become one; None where nothing says so."""
        return dict(self.body.combine).get(value) if isinstance(self.body, Rules) else None


@dataclass(frozen=True, slots=True)
class FactsSchema:
    """The schema of the facts: as a type, and as the JSON text it was read from, for validation.

    `zone` is the IANA name of the time zone in which instants without an offset are read, where the schema allows them.
    """

    name: str
    type: Record
    document: str = field(repr=False)
    zone: str = "UTC"

    def in_zone(self, zone: str) -> FactsSchema:
        """The same schema for a ruleset of some time zone."""
        return replace(self, type=record_in_zone(self.type, zone), zone=zone) if "x-local" in self.document else self


@dataclass(frozen=True)
class Ruleset:
    """One version of a ruleset, checked. `digest` covers all that an answer depends on but facts, readings and day.

    `withheld` are the look-up tables, and parameters, whose keys no cause may tell, since a sensitive fact goes into one.
    """

    id: str
    title: str
    version: str
    period: Period
    period_because: str | None
    timezone: str
    facts: FactsSchema
    sources: tuple[Source, ...]
    readings: tuple[Reading, ...]
    parameters: tuple[Parameter, ...]
    checks: tuple[Check, ...]
    definitions: tuple[Definition, ...]
    decisions: tuple[DecisionLogic, ...]
    digest: str
    path: str
    weekend: tuple[int, ...] = SATURDAY_AND_SUNDAY
    """The days of the week that are no weekdays, 1 for Monday."""
    tables: tuple[LookupTable, ...] = ()
    withheld: frozenset[str] = frozenset()

    @property
    def week(self) -> Week:
        """The working week."""
        return week_with(self.weekend)

    def definition(self, name: str) -> Definition:
        """The definition of a name; raises `KeyError` where there is none, as do all that look a name up."""
        return self._definitions[name]

    def list_of(self, name: str) -> Node:
        """The expression of a definition that is a list, which no group of conditions is."""
        body = self.definition(name).body
        assert isinstance(body, Expression)
        return body.tree

    def decision(self, name: str) -> DecisionLogic:
        """The decision of a name, without the ruleset's id."""
        return self._decisions[name]

    def parameter(self, name: str) -> Parameter:
        """The parameter of a name."""
        return self._parameters[name]

    def reading(self, name: str) -> Reading:
        """The reading of a name."""
        return self._readings[name]

    def table(self, name: str) -> LookupTable:
        """The look-up table of a name, or the values of a dated parameter as one, by the day."""
        return self._tables[name] if name in self._tables else by_day(self._parameters[name])

    def named(self, name: str) -> Definition | Parameter | None:
        """The definition or parameter of a name, None where there is neither."""
        return self._definitions.get(name) or self._parameters.get(name)

    @cached_property
    def _definitions(self) -> Mapping[str, Definition]:
        return {each.name: each for each in self.definitions}

    @cached_property
    def _decisions(self) -> Mapping[str, DecisionLogic]:
        return {each.name: each for each in self.decisions}

    @cached_property
    def _parameters(self) -> Mapping[str, Parameter]:
        return {each.name: each for each in self.parameters}

    @cached_property
    def _tables(self) -> Mapping[str, LookupTable]:
        return {each.name: each for each in self.tables}

    @cached_property
    def _readings(self) -> Mapping[str, Reading]:
        return {each.name: each for each in self.readings}


def conclusions_of(body: Rules | Matrix | None) -> Iterator[tuple[str, Conclusion]]:
    """Every conclusion of a decision with its rule's id, in file order."""
    if isinstance(body, Rules):
        yield from ((rule.id, rule.then) for rule in body.rules)
        if body.otherwise is not None:
            yield OTHERWISE, body.otherwise
    elif isinstance(body, Matrix):
        for cell in body.cells:
            yield cell.id, cell.then
            if cell.otherwise is not None:
                yield cell.id, cell.otherwise


def conditions_of(body: Rules | Matrix | None) -> Iterator[Condition]:
    """Every condition of a decision, in file order; a matrix asks for its row and its column first."""
    if isinstance(body, Rules):
        yield from (rule.when for rule in body.rules)
    elif isinstance(body, Matrix):
        yield from (body.rows, body.columns)
        yield from (cell.when for cell in body.cells if cell.when is not None)
