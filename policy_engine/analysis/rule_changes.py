"""What changed from one ruleset to another, in words: everything by which answers can differ, and what is said of them.

Meanings are compared, not texts. What alters nothing is no change: layout, comments, the order of parts, and what
`normal_forms` takes for the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from policy_engine.analysis.changes.constants import parameter_changes, table_changes
from policy_engine.analysis.changes.decisions import decision_changes
from policy_engine.analysis.changes.facts import fact_changes
from policy_engine.analysis.changes.parts import (
    check_changes,
    definition_changes,
    reading_changes,
    ruleset_changes,
    source_changes,
)
from policy_engine.analysis.changes.sides import Found, Sides, sides_of
from policy_engine.language.in_force import in_force
from policy_engine.language.readings import choices_of
from policy_engine.language.rule_changes import Asked, RuleChange
from policy_engine.language.rulesets import (
    ALWAYS,
    DecisionLogic,
    Parameter,
    ParameterValue,
    Rules,
    Ruleset,
)

COMPARED = (
    ruleset_changes,
    fact_changes,
    reading_changes,
    parameter_changes,
    table_changes,
    check_changes,
    definition_changes,
    decision_changes,
    source_changes,
)


def changes(old: Ruleset, new: Ruleset) -> tuple[RuleChange, ...]:
    """Every change from one ruleset to another, part by part; they may be two versions, or two rulesets of one name."""
    return tuple(found.change for found in changes_found(sides_of(old, new)))


def changes_found(sides: Sides) -> Iterator[Found]:
    """The same, each with how it is made to the old ruleset alone."""
    for changes_of in COMPARED:
        yield from changes_of(sides)


def sides_as_asked(old: Asked, new: Asked) -> Sides:
    """Two rulesets that are compared as they are asked.

    Where both are asked on the same day and under the same readings, all that they say is compared, of all days. Else each is
    compared as it answers then, so that two days, or two choices of readings, are compared like two rulesets.
    """
    if (old.day, old.readings) == (new.day, new.readings):
        return sides_of(old.ruleset, new.ruleset)
    return sides_of(*(as_asked(each.ruleset, each.day, each.readings) for each in (old, new)))


def as_asked(ruleset: Ruleset, day: date | None, readings: Mapping[str, str]) -> Ruleset:
    """The ruleset as it answers on a day under readings that are switched: with what is in force then, and without other days.

    Where there is no day, only readings are switched. A parameter that has no value on the day has none at all. Raises
    `UnknownReading`.
    """
    choices = choices_of(ruleset, readings)
    now = ruleset if day is None else _on(ruleset, day)
    return replace(now, readings=tuple(replace(each, choice=choices[each.name]) for each in now.readings))


def _on(ruleset: Ruleset, day: date) -> Ruleset:
    now = in_force(ruleset, day)
    return replace(
        now,
        period=ALWAYS,
        parameters=tuple(_value_on(parameter, day) for parameter in now.parameters),
        tables=tuple(table.on(day) if table.dated else table for table in now.tables),
        decisions=tuple(map(_without_periods, now.decisions)),
    )


def _value_on(parameter: Parameter, day: date) -> Parameter:
    values = (ParameterValue(ALWAYS, each.value) for each in parameter.values if day in each.period)
    return replace(parameter, values=tuple(values))


def _without_periods(decision: DecisionLogic) -> DecisionLogic:
    """A decision of which all rules are in force."""
    if not isinstance(decision.body, Rules):
        return decision
    rules = tuple(replace(rule, period=ALWAYS) for rule in decision.body.rules)
    return replace(decision, body=replace(decision.body, rules=rules))
