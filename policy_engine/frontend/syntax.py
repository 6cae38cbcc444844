"""The syntax tree of a rule file: what the parser gives and the checker reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import TypeAlias

from policy_engine.frontend.csv_rows import CsvFile
from policy_engine.language.lookup_tables import LookupTable
from policy_engine.language.rulesets import Choice, HitPolicy, Period, Source
from policy_engine.language.values import Holidays
from policy_engine.source import Authored, Span


@dataclass(frozen=True, slots=True)
class GroupSyntax:
    """`all`, `any` or `none` over conditions."""

    kind: str
    conditions: tuple[ConditionSyntax, ...]
    span: Span


ConditionSyntax: TypeAlias = Authored | GroupSyntax
ConstantValue: TypeAlias = "bool | int | Decimal | str | date | time | Holidays | tuple[ConstantValue, ...]"
Named: TypeAlias = tuple[tuple[Authored, Authored], ...]


@dataclass(frozen=True, slots=True)
class ReadingSyntax:
    """A reading under its name."""

    name: Authored
    question: str
    choice: Authored
    choices: tuple[Choice, ...]
    source: Authored | None
    fixed: bool


@dataclass(frozen=True, slots=True)
class ParameterSyntax:
    """A parameter under its name: its values, each from its day on (None: from the ruleset's first).

    It has no values where they could not be read, which was reported. `texts` are those of its values that are texts as they
    were written.
    """

    name: Authored
    values: tuple[tuple[date | None, ConstantValue], ...]
    unit: str | None
    source: Authored | None
    meaning: str | None
    texts: tuple[Authored, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSyntax:
    """A look-up table under its name, None where it could not be read, which was reported; and the id of its source.

    `file` is the CSV file that its rows come from, None where they stand in the rule file.
    """

    name: Authored
    table: LookupTable | None
    source: Authored | None
    file: CsvFile | None = None


@dataclass(frozen=True, slots=True)
class CheckSyntax:
    """A check."""

    expect: ConditionSyntax
    because: str
    source: Authored | None
    span: Span


@dataclass(frozen=True, slots=True)
class ConclusionSyntax:
    """What follows where a rule applies; a legend's may leave the reason out."""

    then: Authored | None
    because: Authored | None
    values: Named
    sources: tuple[Authored, ...]
    readings: tuple[Authored, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class RuleSyntax:
    """A rule."""

    id: Authored
    when: ConditionSyntax
    conclusion: ConclusionSyntax
    period: Period


@dataclass(frozen=True, slots=True)
class LegendSyntax:
    """An entry of a matrix's legend."""

    key: Authored
    when: ConditionSyntax | None
    then: ConclusionSyntax
    otherwise: ConclusionSyntax | None


@dataclass(frozen=True, slots=True)
class RowSyntax:
    """A row of a matrix under its value."""

    value: Authored
    cells: tuple[Authored, ...]
    sources: tuple[Authored, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class MatrixSyntax:
    """A matrix; `value` names the one value that literal cells give."""

    rows: Authored
    columns: Authored
    column_values: tuple[Authored, ...]
    legend: tuple[LegendSyntax, ...]
    cells: tuple[RowSyntax, ...]
    value: Authored | None
    span: Span


@dataclass(frozen=True, slots=True)
class DecisionSyntax:
    """A decision under its name; `keys` has the place of each of its keys, `broken` tells whether it has faults."""

    name: Authored
    question: str
    outcomes: tuple[Authored, ...]
    meanings: Named
    hit: Authored | None
    combine: Named
    values: Named
    rules: tuple[RuleSyntax, ...]
    otherwise: ConclusionSyntax | None
    matrix: MatrixSyntax | None
    because: Authored | None
    sources: tuple[Authored, ...]
    readings: tuple[Authored, ...]
    keys: Mapping[str, Span]
    broken: bool
    span: Span

    @property
    def collects(self) -> bool:
        """Whether all true rules apply."""
        return self.hit is not None and self.hit.value == HitPolicy.COLLECT


@dataclass(frozen=True, slots=True)
class SilenceSyntax:
    """A warning that the author has answered: its code, the name it is about (None: every one), and why."""

    code: Authored
    name: str | None
    because: str


@dataclass(frozen=True, slots=True)
class UseSyntax:
    """The name of a library, and those of the parts that are taken from it."""

    library: Authored
    parts: tuple[Authored, ...]


@dataclass(frozen=True, slots=True)
class TakenSyntax:
    """The parts that a ruleset takes from a library's file.

    `places` has for each of them the place in the ruleset that it comes by, `listed` those that the ruleset's own text may
    name; the others come along. `facts` are the names that the library's schema has, `files` the paths of the CSV files with
    the rows of its tables, each with the name of the table.
    """

    library: str
    path: str
    places: Mapping[str, Span]
    listed: frozenset[str]
    facts: frozenset[str]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RulesetSyntax:
    """A rule file; `lost` are the sections that could not be read, so that any name may be one of theirs.

    A library is one without decisions. Parts taken from libraries stand among the others, each with the place it has in its own
    file; `taken` tells which they are.
    """

    id: Authored
    title: str
    version: Authored
    period: Period
    period_because: str | None
    timezone: Authored
    facts: Authored
    sources: tuple[Source, ...]
    readings: tuple[ReadingSyntax, ...]
    parameters: tuple[ParameterSyntax, ...]
    tables: tuple[TableSyntax, ...]
    checks: tuple[CheckSyntax, ...]
    definitions: tuple[tuple[Authored, ConditionSyntax], ...]
    decisions: tuple[DecisionSyntax, ...]
    silences: tuple[SilenceSyntax, ...]
    effective_span: Span
    lost: frozenset[str]
    span: Span
    weekend: tuple[int, ...] | None = None
    language: Authored | None = None
    uses: tuple[UseSyntax, ...] = ()
    taken: tuple[TakenSyntax, ...] = ()

    def taken_from(self, place: Span) -> TakenSyntax | None:
        """What is taken from the library in whose files a place lies; None where it lies in no library."""
        return next((taken for taken in self.taken if place.path in (taken.path, *taken.files)), None)

    def named_parts(self) -> Iterator[tuple[Authored, str]]:
        """The names of the parts that expressions can ask for, each with its kind."""
        yield from ((parameter.name, "parameter") for parameter in self.parameters)
        yield from ((table.name, "table") for table in self.tables)
        yield from ((name, "definition") for name, _ in self.definitions)
        yield from ((reading.name, "reading") for reading in self.readings)

    def may_name(self, name: str, part: Span, at: Span) -> bool:
        """Whether a text at a place may name a part that stands at another: one of its own file, or one that is listed."""
        taken = self.taken_from(part)
        return part.path == at.path or (taken is not None and at.path == self.span.path and name in taken.listed)


def conclusions_written(decision: DecisionSyntax) -> Iterator[ConclusionSyntax]:
    """Every conclusion that a decision writes, in its rules and in the legend of its matrix."""
    yield from (rule.conclusion for rule in decision.rules)
    if decision.otherwise is not None:
        yield decision.otherwise
    for entry in decision.matrix.legend if decision.matrix is not None else ():
        yield entry.then
        if entry.otherwise is not None:
            yield entry.otherwise
