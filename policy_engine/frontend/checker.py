"""From the syntax of a rule file and the types of its facts to a checked ruleset, or to diagnostics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from policy_engine.diagnostics import Diagnostic, Related, did_you_mean, has_errors, say
from policy_engine.frontend import lints
from policy_engine.frontend.context import Context, context_of, parameter_type
from policy_engine.frontend.decisions import check_decision
from policy_engine.frontend.schemas import RESERVED, is_name
from policy_engine.frontend.syntax import CalendarSyntax, CheckSyntax, ParameterSyntax, ReadingSyntax, RulesetSyntax
from policy_engine.language import mentions, rulesets
from policy_engine.language.calendars import holidays_of
from policy_engine.language.rulesets import Period
from policy_engine.language.timezones import is_timezone
from policy_engine.language.types import Anything, ListOf, Number, Ratio, fits
from policy_engine.language.values import Holidays, Value, settle
from policy_engine.source import Span


def check(
    syntax: RulesetSyntax, facts: rulesets.FactsSchema, digest: str
) -> tuple[rulesets.Ruleset | None, list[Diagnostic]]:
    """The checked ruleset, None where its faults forbid its use, and its faults."""
    faults: list[Diagnostic] = []
    context = context_of(syntax, facts, faults)
    _check_timezone(context)
    _check_names(context, facts)
    ruleset = rulesets.Ruleset(
        id=syntax.id.value,
        title=syntax.title,
        version=syntax.version,
        period=syntax.period,
        period_because=syntax.period_because,
        timezone=syntax.timezone.value,
        facts=facts,
        sources=tuple(
            rulesets.Source(s.id.value, s.title, s.number, s.updated, s.url, s.id.span) for s in syntax.sources
        ),
        readings=tuple(_reading(context, reading) for reading in syntax.readings),
        parameters=tuple(_parameter(context, parameter) for parameter in syntax.parameters),
        checks=tuple(_check(context, written) for written in syntax.checks),
        definitions=tuple(_definition(context, name.value, name.span) for name, _ in syntax.definitions),
        decisions=tuple(check_decision(context, decision) for decision in syntax.decisions),
        digest=digest,
        path=syntax.span.path,
    )
    faults.extend(_cycles(ruleset))
    if has_errors(faults):
        return None, faults
    ruleset = _with_readings(ruleset)
    faults.extend(lints.lint(ruleset))
    return ruleset, faults


def _check_timezone(context: Context) -> None:
    timezone = context.syntax.timezone
    if not is_timezone(timezone.value):
        context.faults.append(say("unknown-timezone", timezone.span, name=timezone.value))


def _check_names(context: Context, facts: rulesets.FactsSchema) -> None:
    """One namespace: a name means one thing."""
    syntax = context.syntax
    seen: dict[str, tuple[str, Span | None]] = {m.name: ("fact of the schema", None) for m in facts.type.members}
    named = [
        *((parameter.name, "parameter") for parameter in syntax.parameters),
        *((name, "definition") for name, _ in syntax.definitions),
        *((reading.name, "reading") for reading in syntax.readings),
    ]
    for name, kind in named:
        if name.value in RESERVED or not is_name(name.value):
            context.faults.append(say("reserved-name", name.span, name=name.value))
        elif name.value in seen:
            other, place = seen[name.value]
            related = [Related(place, f"the {other}")] if place is not None else []
            context.faults.append(say("name-clash", name.span, related=related, name=name.value, kind=other))
        else:
            seen[name.value] = (kind, name.span)


def _reading(context: Context, reading: ReadingSyntax) -> rulesets.Reading:
    choices = [choice.name for choice in reading.choices]
    if reading.choice.value not in choices:
        hint = did_you_mean(reading.choice.value, choices) or f"it has {', '.join(choices)}"
        context.faults.append(say("unknown-choice", reading.choice.span, hint=hint, name=reading.choice.value))
    return rulesets.Reading(
        reading.name.value,
        reading.question,
        reading.choice.value,
        reading.choices,
        context.cite(reading.source),
        reading.fixed,
        reading.name.span,
    )


def _parameter(context: Context, parameter: ParameterSyntax) -> rulesets.Parameter:
    """A parameter with its periods, which must cover those of the ruleset."""
    kind = parameter_type(parameter)
    inner = kind.element if isinstance(kind, ListOf) else kind
    empty = all(value == () for _, value in parameter.values)
    if isinstance(inner, Anything) and parameter.values and not empty:
        context.faults.append(say("mixed-types", parameter.name.span, left="one value", right="another"))
    if isinstance(inner, Number) and not fits(inner):
        context.faults.append(say("too-many-digits", parameter.name.span, text=parameter.name.value))
    dated = sorted(parameter.values, key=lambda entry: entry[0] or date.min)
    ends = [*(day for day, _ in dated[1:]), None][: len(dated)]
    values = tuple(
        rulesets.ParameterValue(Period(day or date.min, end), _settled(value, kind))
        for (day, value), end in zip(dated, ends, strict=True)
    )
    if parameter.calendar is not None:
        values = (rulesets.ParameterValue(Period(), expanded(parameter.calendar)),)
    start = context.syntax.period.start
    if values and values[0].period.start > start:
        hole = f"before {values[0].period.start}"
        context.faults.append(say("parameter-hole", parameter.name.span, name=parameter.name.value, period=hole))
    return rulesets.Parameter(
        parameter.name.value,
        kind,
        values,
        parameter.unit,
        context.cite(parameter.source),
        parameter.meaning,
        parameter.name.span,
    )


def expanded(calendar: CalendarSyntax) -> Holidays:
    """The holidays of a calendar that a rule file names."""
    return holidays_of(calendar.name, calendar.first, calendar.last)


def _settled(value: object, kind: object) -> Value:
    return settle(value, kind)  # type: ignore[arg-type]  # every constant is a value


def _check(context: Context, written: CheckSyntax) -> rulesets.Check:
    expect = context.condition(written.expect)
    if not has_errors(context.faults) and not mentions.mentions_in([expect]):
        context.faults.append(say("check-constant", written.span))
    return rulesets.Check(expect, written.because, context.cite(written.source), written.span)


def _definition(context: Context, name: str, span: Span) -> rulesets.Definition:
    body, (kind, optional) = context.definition(name)
    if isinstance(kind, Ratio):
        context.faults.append(say("ratio-place", span))
    return rulesets.Definition(name, body, kind, optional, span)


def _cycles(ruleset: rulesets.Ruleset) -> Iterator[Diagnostic]:
    """Each definition or decision that depends on itself, once a cycle, with the way around."""
    graph = mentions.graph_of(ruleset)
    spans = {("definition", d.name): d.span for d in ruleset.definitions}
    spans |= {("decision", d.name): d.span for d in ruleset.decisions}
    done: set[mentions.Mention] = set()
    for start in graph:
        way = _way_back(start, graph) if start not in done else None
        if way is not None:
            done.update(way)
            names = [f"decisions.{step.name}" if step.kind == "decision" else step.name for step in [*way, start]]
            yield say("cycle", spans[start.kind, start.name], path=" -> ".join(names))


def _way_back(
    start: mentions.Mention, graph: dict[mentions.Mention, frozenset[mentions.Mention]]
) -> list[mentions.Mention] | None:
    """The shortest way from a name through others back to itself."""
    ways: list[list[mentions.Mention]] = [[start]]
    seen: set[mentions.Mention] = set()
    while ways:
        longer = []
        for way in ways:
            for step in sorted(graph.get(way[-1], ())):
                if step == start:
                    return way
                if step in graph and step not in seen:
                    seen.add(step)
                    longer.append([*way, step])
        ways = longer
    return None


def _with_readings(ruleset: rulesets.Ruleset) -> rulesets.Ruleset:
    """The ruleset, each of its decisions with the readings that it mentions through definitions and other decisions."""
    graph = mentions.graph_of(ruleset)
    decisions = []
    for decision in ruleset.decisions:
        found = mentions.reached(graph[mentions.Mention("decision", decision.name)], graph)
        names = {*decision.readings, *(mention.name for mention in found if mention.kind == "reading")}
        decisions.append(replace(decision, readings=tuple(r.name for r in ruleset.readings if r.name in names)))
    return replace(ruleset, decisions=tuple(decisions))
