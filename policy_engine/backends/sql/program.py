"""A ruleset as one query: the same text every time, for a choice of readings and a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from policy_engine.backends.sql.build import FALSE, TRUE, Sql, any_of, choose, coalesce, literal, where
from policy_engine.backends.sql.decisions import Decided, DecisionWriter, outcome_of, reason_of, rule_of, status_of
from policy_engine.backends.sql.dialects.base import Dialect
from policy_engine.backends.sql.dialects.columns import Columns
from policy_engine.backends.sql.dialects.table import COLUMNS
from policy_engine.backends.sql.expressions import Expressions
from policy_engine.backends.sql.missing_paths import MissingPaths
from policy_engine.backends.sql.plan import Plan
from policy_engine.backends.sql.refusals import Refusal, refused
from policy_engine.backends.sql.stages import FITS, VIOLATIONS, Output, Stages, Wanted, of_source
from policy_engine.backends.sql.validation import LINE, Validity, lines, validity
from policy_engine.language.mentions import depths_of, graph_of
from policy_engine.language.readings import choices_of
from policy_engine.language.rulesets import DecisionLogic, Period, Ruleset
from policy_engine.language.specialize import period_around, specialize
from policy_engine.language.types import ListOf, Member, Number, Type
from policy_engine.source import Span

INVALID = "invalid"
"""The status of facts that are not valid."""


@dataclass
class Query:
    """A ruleset under chosen readings on a day as one query of a dialect; `checked` where it says which rows are invalid.

    With a period the day is a parameter of the query, which gives nothing for days outside it.
    """

    ruleset: Ruleset
    choices: Mapping[str, str]
    as_of: date
    dialect: Dialect
    checked: bool = False
    period: Period | None = None
    plan: Plan = field(init=False)
    decided: dict[str, Decided] = field(default_factory=dict)
    to: Expressions = field(init=False)
    missing: MissingPaths = field(init=False)

    def __post_init__(self) -> None:
        self.plan = Plan(self.dialect.longest_name)
        self.to = Expressions(self.ruleset, self._asked_day(), self.dialect, self.plan, self.part)
        self.missing = MissingPaths(self.to, self.decision)

    def _asked_day(self) -> Sql:
        return literal(self.as_of) if self.period is None else self.dialect.bound_day()

    def _in_period(self) -> Sql:
        """Whether the query holds for the day."""
        if self.period is None:
            return TRUE
        day, end = self._asked_day(), self.period.end
        return (day >= self.period.start) & (TRUE if end is None else day < end)

    def decision(self, name: str) -> Decided:
        """The columns of a decision."""
        if name not in self.decided:
            self.decided[name] = DecisionWriter(self.to, self.ruleset.decision(name)).write()
        return self.decided[name]

    def part(self, name: str, part: str) -> Sql:
        """A decision's outcome or one of its values, as other decisions see them: unknown unless it is decided."""
        decided = self.decision(name)
        if part != "outcome":
            return decided.values[part]
        outcome = outcome_of(self.to, decided)
        assert outcome is not None
        if decided.logic.collects:
            outcome = choose([(decided.decided, outcome)])
        return self.to.kept(outcome, f"{name}_outcome")

    def outputs(self) -> Iterator[Output]:
        """The columns of all decisions, named as in a report."""
        for logic in self.ruleset.decisions:
            for output in self._outputs_of(logic):
                if len(output.name.encode()) > self.dialect.longest_name:
                    raise refused(Refusal.LONG_NAME, self.dialect.title, logic.span, output.name)
                yield output

    def _outputs_of(self, logic: DecisionLogic) -> Iterator[Output]:
        decided, name = self.decision(logic.name), logic.name
        yield Output(f"{name}.status", status_of(decided))
        parts = {
            "outcome": outcome_of(self.to, decided),
            "rule": rule_of(self.to, decided),
            "reason": reason_of(self.to, decided),
        }
        yield from (Output(f"{name}.{part}", value) for part, value in parts.items() if value is not None)
        types = dict(logic.value_types)
        for value, kind in logic.answer_types:
            yield Output(f"{name}.values.{value}", self._shown(decided.values[value], types[value], kind))
        yield Output(f"{name}.missing", self.missing.of(name))

    def _shown(self, value: Sql, kind: Type, shown: Type) -> Sql:
        """A value in the form of answers, in the type that the answer declares: the same, or one with fewer places."""
        return self.dialect.shown(shown, self._coarser(value, kind, shown))

    def _coarser(self, value: Sql, kind: Type, shown: Type) -> Sql:
        """Units as those of a type with fewer places, of which they are whole."""
        match kind, shown:
            case Number(places=places), Number(places=fewer) if places > fewer:
                return self.dialect.quotient(value, 10 ** (places - fewer))
            case ListOf(element=Number(places=places) as own), ListOf(element=Number(places=fewer) as other) if (
                places > fewer
            ):
                return self.to.lists.mapped(value, other, lambda element: self._coarser(element, own, other))
        return value

    def tree(self, table: Sequence[str], keep: Sequence[str] = ()) -> Any:
        """The query over a table, with columns of the table that stand before those of the decisions."""
        outputs = [*self.outputs()]
        if self.checked:
            outputs = [self._of_valid(output) for output in outputs]
        return self._stages(table).query(Wanted(outputs, keep, self._in_period()))

    def invalid_tree(self, table: Sequence[str], keep: Sequence[str] = ()) -> Any:
        """The query for the rows that are invalid, with columns of the table before the lists of what is wrong with them."""
        told = Output("violations", self.dialect.split(self.validity.told, LINE))
        return self._stages(table).query(Wanted([told], keep, ~self.validity.fits & self._in_period()))

    def _stages(self, table: Sequence[str]) -> Stages:
        members = self.ruleset.facts.type.members
        validity = self.by_schema if self.checked else None
        return Stages(self.dialect, self.columns, self.plan, members, table, validity)

    def _of_valid(self, output: Output) -> Output:
        """A column of a decision, where facts are valid; of others there is only a status."""
        if output.name.endswith(".status"):
            return output._replace(value=choose([(~self.validity.fits, INVALID)], output.value))
        return output._replace(value=where(self.validity.fits, output.value))

    @property
    def columns(self) -> Columns:
        """What the dialect's columns of tables are."""
        return COLUMNS[self.dialect.name]

    def find_validity(self) -> None:
        """Write what says whether rows are valid; raises where the dialect cannot say it exactly."""
        assert self.by_schema
        assert self.validity

    @cached_property
    def by_schema(self) -> Validity:
        """Whether a row of the table is valid by its schema."""
        return validity(self.columns, self.ruleset.facts, of_source)

    @cached_property
    def validity(self) -> Validity:
        """Whether facts are valid by their schema and by the checks, which are asked only of what the schema allows."""
        fits, told = (self.plan.fact(name) for name in (FITS, VIOLATIONS))
        checks = [self.to.kept(self.to.condition(check.expect), "check") for check in self.ruleset.checks]
        broken = [fits & ~check for check in checks]
        lines_ = [where(each, f" check {number}") for number, each in enumerate(broken, 1)]
        valid = self.to.kept(choose([(any_of([~fits, *broken]), FALSE)], TRUE), "valid")
        return Validity(valid, coalesce(told, lines(self.dialect, lines_)) if lines_ else told)

    def facts_read(self) -> tuple[Member, ...]:
        """The facts that the decisions read, all where they are validated, in the order of the schema."""
        needed = self.plan.needed([output.value for output in self.outputs()])
        return tuple(member for member in self.ruleset.facts.type.members if self.checked or member.name in needed)

    def text(self, table: Sequence[str], keep: Sequence[str] = ()) -> str:
        """The query as text."""
        return self.written(self.tree(table, keep))

    def written(self, node: Any) -> str:
        """A tree as text; raises where a text of the ruleset cannot stand in it."""
        text = str(node.sql(dialect=self.dialect.name, pretty=True, copy=False))
        if "\0" in text:
            raise refused(Refusal.NUL, self.dialect.title, Span(self.ruleset.path), self.ruleset.id)
        return text


def prepare(
    ruleset: Ruleset,
    readings: Mapping[str, str],
    as_of: date,
    dialect: Dialect,
    *,
    checked: bool = False,
    any_day: bool = False,
) -> Query:
    """The query of a ruleset under readings on a day; `checked` where rows may be invalid.

    With `any_day` the day is a parameter of the query: any in the stretch of days around the day on which no rule changes.

    Raises `UnknownReading`, and `RulesetError` with a diagnostic at what the dialect cannot do exactly.
    """
    choices = choices_of(ruleset, readings)
    small = specialize(ruleset, choices, as_of)
    query = Query(small, choices, as_of, dialect, checked, period_around(ruleset, as_of) if any_day else None)
    _name_facts(query)
    for mention in depths_of(graph_of(small)):  # those below first, which keeps recursion shallow
        if mention.kind == "decision":
            query.decision(mention.name)
        elif mention.kind == "definition":
            query.to.define(mention.name)
    if checked:
        query.find_validity()
    return query


def _name_facts(query: Query) -> None:
    """Take the names of facts, so that nothing else gets one; raises where the dialect cuts one off."""
    dialect = query.dialect
    for member in query.ruleset.facts.type.members:
        if len(member.name.encode()) > dialect.longest_name:
            raise refused(Refusal.LONG_NAME, dialect.title, member.span, member.name)
        query.plan.taken.add(member.name.lower())
