"""A ruleset as one query: the same text every time, for a choice of readings and a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from sqlglot import exp

from policy_engine.backends.sql.build import TRUE, Sql, choose, column, identifier
from policy_engine.backends.sql.decisions import Decided, DecisionWriter, outcome_of, reason_of, rule_of, status_of
from policy_engine.backends.sql.dialects.base import Dialect, in_order
from policy_engine.backends.sql.expressions import Expressions
from policy_engine.backends.sql.missing_paths import MissingPaths
from policy_engine.backends.sql.plan import FACTS, Plan, layer_query, named
from policy_engine.backends.sql.refusals import Refusal, refused
from policy_engine.language.mentions import depths_of, graph_of
from policy_engine.language.readings import choices_of
from policy_engine.language.rulesets import DecisionLogic, Ruleset
from policy_engine.language.specialize import specialize
from policy_engine.language.types import ListOf, Member, Number, Type
from policy_engine.source import Span

SOURCE, STEP, PREFIX = "source", "step_", "policy_"
"""The user's table, the layers above the facts, and what goes before their names where the table has one like them."""


class Output(NamedTuple):
    """A column of the result."""

    name: str
    value: Sql


@dataclass(slots=True)
class Query:
    """A ruleset under chosen readings on a day as one query of a dialect."""

    ruleset: Ruleset
    choices: Mapping[str, str]
    as_of: date
    dialect: Dialect
    plan: Plan = field(init=False)
    decided: dict[str, Decided] = field(default_factory=dict)
    to: Expressions = field(init=False)
    missing: MissingPaths = field(init=False)

    def __post_init__(self) -> None:
        self.plan = Plan(self.dialect.longest_name)
        self.to = Expressions(self.ruleset, self.as_of, self.dialect, self.plan, self.part)
        self.missing = MissingPaths(self.to, self.decision)

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
        outputs = list(self.outputs())
        needed = self.plan.needed([output.value for output in outputs])
        beside = {name: self.plan.fresh(f"{name}_as_given") if name in needed else name for name in keep}
        before = PREFIX if len(table) == 1 and _is_stage(table[0]) else ""
        stages = [(f"{before}{FACTS}", self._facts(table, needed, beside))]
        for number, layer in enumerate(self.plan.layers(needed), 1):
            below, _ = stages[-1]
            stages.append((f"{before}{STEP}{number}", layer_query(below, layer, fenced=self.dialect.fenced)))
        kept = [named(column(inside), name) for name, inside in beside.items()]
        last = exp.select(*kept, *(named(output.value, output.name) for output in outputs), copy=False)
        last = last.from_(exp.Table(this=identifier(stages[-1][0])), copy=False)
        for name, stage in stages:
            last = last.with_(identifier(name), as_=stage, copy=False)
        return last

    def facts_read(self) -> tuple[Member, ...]:
        """The facts that the decisions read, in the order of the schema."""
        needed = self.plan.needed([output.value for output in self.outputs()])
        return tuple(member for member in self.ruleset.facts.type.members if member.name in needed)

    def _facts(self, table: Sequence[str], needed: frozenset[str], beside: Mapping[str, str]) -> Any:
        """The first layer: the facts that are read, in the form in which the query calculates."""
        read = []
        for member in self.ruleset.facts.type.members:
            if member.name in needed:
                fact = self.dialect.read(member.type, _given(member.name))
                read.append(named(in_order(self.dialect, member, fact), member.name))
        kept = [named(_given(name), inside) for name, inside in beside.items()]
        source = exp.alias_(table_of(table), identifier(SOURCE), table=True)
        return exp.select(*kept, *(read or [named(TRUE, "nothing_is_read")])).from_(source)

    def text(self, table: Sequence[str], keep: Sequence[str] = ()) -> str:
        """The query as text."""
        return self.written(self.tree(table, keep))

    def written(self, node: Any) -> str:
        """A tree as text; raises where a text of the ruleset cannot stand in it."""
        text = str(node.sql(dialect=self.dialect.name, pretty=True, copy=False))
        if "\0" in text:
            raise refused(Refusal.NUL, self.dialect.title, Span(self.ruleset.path), self.ruleset.id)
        return text


def table_of(names: Sequence[str]) -> Any:
    """A table by the names of database, schema and table, of which the first may be left out."""
    parts = dict(zip(("this", "db", "catalog"), map(identifier, reversed(names)), strict=False))
    return exp.Table(**parts)


def _given(name: str) -> Sql:
    """A column of the user's table."""
    return Sql(exp.Column(this=identifier(name), table=identifier(SOURCE)))


def _is_stage(name: str) -> bool:
    """Whether a table has a name of one of the query's own parts."""
    return name.lower() == FACTS or name.lower().startswith(STEP)


def prepare(ruleset: Ruleset, readings: Mapping[str, str], as_of: date, dialect: Dialect) -> Query:
    """The query of a ruleset under readings on a day.

    Raises `UnknownReading`, and `RulesetError` with a diagnostic at what the dialect cannot do exactly.
    """
    choices = choices_of(ruleset, readings)
    small = specialize(ruleset, choices, as_of)
    query = Query(small, choices, as_of, dialect)
    _name_facts(query)
    for mention in depths_of(graph_of(small)):  # those below first, which keeps recursion shallow
        if mention.kind == "decision":
            query.decision(mention.name)
        elif mention.kind == "definition":
            query.to.define(mention.name)
    return query


def _name_facts(query: Query) -> None:
    """Take the names of facts, so that nothing else gets one; raises where the dialect cuts one off."""
    dialect = query.dialect
    for member in query.ruleset.facts.type.members:
        if len(member.name.encode()) > dialect.longest_name:
            raise refused(Refusal.LONG_NAME, dialect.title, member.span, member.name)
        query.plan.taken.add(member.name.lower())
