"""Semantic analysis of a rule file: from its syntax and the types of its facts to a checked ruleset, or to diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import TypeAlias

from policy_engine.diagnostics import Diagnostic, Related, has_errors, say, say_unknown
from policy_engine.frontend.context import (
    LONGEST_CHAIN,
    Context,
    constant_type,
    context_of,
    dated_values,
    fits_all,
    joined_type,
    parameter_type,
)
from policy_engine.frontend.decisions import check_decision
from policy_engine.frontend.fields import SNAKE
from policy_engine.frontend.names_and_texts import names_as_texts, quoted_names
from policy_engine.frontend.schemas import RESERVED, is_name
from policy_engine.frontend.scope import nowhere
from policy_engine.frontend.syntax import CheckSyntax, ParameterSyntax, ReadingSyntax, RulesetSyntax
from policy_engine.language import mentions, rulesets
from policy_engine.language.in_force import with_readings
from policy_engine.language.timezones import is_timezone
from policy_engine.language.types import ANYTHING, Ratio, Type, join, with_article
from policy_engine.language.weekdays import SATURDAY_AND_SUNDAY
from policy_engine.source import Span

Graph: TypeAlias = "dict[mentions.Mention, frozenset[mentions.Mention]]"
"""What each definition and each decision mentions directly."""


def check(
    syntax: RulesetSyntax,
    facts: rulesets.FactsSchema,
    digest: str,
    before: Iterable[Diagnostic] = (),
    elsewhere: Callable[[str], str | None] = nowhere,
) -> tuple[rulesets.Ruleset | None, list[Diagnostic]]:
    """The checked ruleset, None where the faults of its file forbid its use, and the faults, those found before included.

    `elsewhere` says where else a name is one, for those who ask for a fact in the wrong ruleset.
    """
    faults = list(before)
    if is_timezone(syntax.timezone.value):
        facts = facts.in_zone(syntax.timezone.value)
    context = context_of(syntax, facts, faults, elsewhere)
    if not is_timezone(syntax.timezone.value):
        context.say("unknown-timezone", syntax.timezone.span, name=syntax.timezone.value)
    _check_names(context, facts)
    _check_sources(context)
    ruleset = rulesets.Ruleset(
        id=syntax.id.value,
        title=syntax.title,
        version=syntax.version.value.strip(),
        period=syntax.period,
        period_because=syntax.period_because,
        timezone=syntax.timezone.value,
        facts=facts,
        sources=syntax.sources,
        readings=tuple(_reading(context, reading) for reading in syntax.readings),
        parameters=tuple(_parameter(context, parameter) for parameter in syntax.parameters),
        checks=tuple(_check(context, written) for written in syntax.checks),
        definitions=tuple(_definition(context, name.value, name.span) for name, _ in syntax.definitions),
        decisions=tuple(check_decision(context, decision) for decision in syntax.decisions),
        digest=digest,
        path=syntax.span.path,
        weekend=SATURDAY_AND_SUNDAY if syntax.weekend is None else syntax.weekend,
        tables=tuple(table for table in context.tables.values() if table is not None),
    )
    faults.extend(chain(names_as_texts(syntax, context.scope), quoted_names(syntax, context.scope)))
    graph = mentions.graph_of(ruleset)
    faults.extend(_cycles(ruleset, graph))
    faults.extend(() if has_errors(faults) else _constant_checks(ruleset, graph))
    if has_errors(faults):
        return None, faults
    return replace(with_readings(ruleset), withheld=mentions.withheld_tables(ruleset)), faults


def _check_names(context: Context, facts: rulesets.FactsSchema) -> None:
    """One namespace: a name means one thing. Of a part that is taken, the place in `use` is told."""
    syntax = context.syntax
    seen: dict[str, tuple[str, Span | None]] = {m.name: ("fact of the schema", None) for m in facts.type.members}
    for name, kind in sorted(
        syntax.named_parts(), key=lambda entry: (entry[0].span.path == syntax.span.path, entry[0].span)
    ):
        if not SNAKE.fullmatch(name.value):
            continue  # which was reported
        taken = syntax.taken_from(name.span)
        if name.value in RESERVED or not is_name(name.value):
            context.say("reserved-name", name.span, name=name.value)
        elif name.value in seen:
            other, place = seen[name.value]
            related = [Related(place, f"the {other}")] if place is not None else []
            span = taken.places[name.value] if taken is not None else name.span
            context.say("name-clash", span, related=related, name=name.value, kind=other)
        else:
            seen[name.value] = (kind if taken is None else f"{kind} of the library `{taken.library}`", name.span)


def _check_sources(context: Context) -> None:
    """The ids of sources that are taken, and of the ruleset's own: each stands for one source."""
    syntax = context.syntax
    seen: dict[str, rulesets.Source] = {}
    for source in syntax.sources:  # those taken come first
        if source.id in seen:
            other, taken = seen[source.id], syntax.taken_from(source.span)
            span = taken.places[source.id] if taken is not None else source.span
            hint = "cite that one, listed under `use`, or choose another id"
            words = {"name": source.id, "kind": f"source of the library `{other.library}`"}
            context.say("name-clash", span, hint=hint, related=[Related(other.span, "the source")], words=words)
        seen[source.id] = source


def _reading(context: Context, reading: ReadingSyntax) -> rulesets.Reading:
    choices = [choice.name for choice in reading.choices]
    if reading.choice.value not in choices and not reading.choice.unread and choices:
        context.faults.append(say_unknown("unknown-choice", reading.choice, choices, f"it has {', '.join(choices)}"))
    name, choice, source = reading.name, reading.choice.value, context.cite(reading.source)
    library = context.library(name.span)
    return rulesets.Reading(
        name.value, reading.question, choice, reading.choices, source, reading.fixed, name.span, library
    )


def _parameter(context: Context, parameter: ParameterSyntax) -> rulesets.Parameter:
    """A parameter with its periods, which must cover those of the ruleset."""
    kind = parameter_type(parameter)
    _check_values(context, parameter)
    values = dated_values(parameter, kind)
    start = context.syntax.period.start
    if start != date.min and values and values[0].period.start > start:  # a lost `effective` was reported
        period, name = f"before {values[0].period.start}", parameter.name
        taken = context.syntax.taken_from(name.span)
        span = name.span if taken is None else taken.places[name.value]
        context.say("parameter-hole", span, name=name.value, period=period)
    return rulesets.Parameter(
        parameter.name.value,
        kind,
        values,
        parameter.unit,
        context.cite(parameter.source),
        parameter.meaning,
        parameter.name.span,
        context.library(parameter.name.span),
    )


def _check_values(context: Context, parameter: ParameterSyntax) -> None:
    """One type holds all of a parameter's values, its numbers with one count of places."""
    values = [value for _, value in parameter.values]
    groups = [values, *(list(value) for value in values if isinstance(value, tuple))]
    clash = next((found for group in groups if (found := _clash(map(constant_type, group)))), None)
    if clash is not None:
        words = {"left": with_article(clash[0]), "right": with_article(clash[1])}
        context.say("mixed-types", parameter.name.span, words=words)
    elif not fits_all(joined_type(parameter)):
        what, hint = f"with as many places as the others a value of `{parameter.name.value}` has", "write fewer digits"
        context.say("too-many-digits", parameter.name.span, hint=hint, what=what)


def _clash(kinds: Iterable[Type]) -> tuple[Type, Type] | None:
    """The first type that does not go with those before it."""
    joined: Type = ANYTHING
    for kind in kinds:
        wider = join(joined, kind)
        if wider is None:
            return joined, kind
        joined = wider
    return None


def _check(context: Context, written: CheckSyntax) -> rulesets.Check:
    expect = context.condition(written.expect)
    return rulesets.Check(expect, written.because, context.cite(written.source), written.span)


def _constant_checks(ruleset: rulesets.Ruleset, graph: Graph) -> Iterator[Diagnostic]:
    """Checks that read no fact, through definitions and decisions."""
    for check_ in ruleset.checks:
        found = mentions.reached(mentions.mentions_in([check_.expect]), graph)
        if all(mention.kind != "fact" for mention in found):
            yield say("check-constant", check_.span)


def _definition(context: Context, name: str, span: Span) -> rulesets.Definition:
    body, (kind, optional) = context.definition(name)
    if isinstance(kind, Ratio):
        context.say("ratio-place", span)
    return rulesets.Definition(name, body, kind, optional, span, context.library(span))


def _cycles(ruleset: rulesets.Ruleset, graph: Graph) -> Iterator[Diagnostic]:
    """Each definition or decision that depends on itself, once a cycle, with the way around."""
    spans = {("definition", d.name): d.span for d in ruleset.definitions}
    spans |= {("decision", d.name): d.span for d in ruleset.decisions}
    done: set[mentions.Mention] = set()
    depths = mentions.depths_of(graph)
    for start in graph:
        way = _way_back(start, graph) if start not in done and start not in depths else None
        if way is not None:
            done.update(way)
            names = [f"decisions.{step.name}" if step.kind == "decision" else step.name for step in [*way, start]]
            yield say("cycle", spans[start.kind, start.name], path=" -> ".join(names))
    too_deep = next((mention for mention, depth in depths.items() if depth > LONGEST_CHAIN), None)
    if too_deep is not None:
        yield say("chain-too-long", spans[too_deep.kind, too_deep.name], limit=LONGEST_CHAIN)


def _way_back(start: mentions.Mention, graph: Graph) -> list[mentions.Mention] | None:
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
