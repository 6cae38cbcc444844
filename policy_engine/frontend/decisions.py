"""Checking decisions: rules, outcomes, values, cited sources and readings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from policy_engine.diagnostics import did_you_mean, say_unknown
from policy_engine.fixes import Advice
from policy_engine.frontend.context import Context, combined_type
from policy_engine.frontend.matrices import check_matrix
from policy_engine.frontend.syntax import ConclusionSyntax, DecisionSyntax, Named, RuleSyntax
from policy_engine.language import rulesets
from policy_engine.language.combining import Combination
from policy_engine.language.expressions import Call
from policy_engine.language.in_force import sources_of
from policy_engine.language.types import (
    ANYTHING,
    ListOf,
    Number,
    Ratio,
    Record,
    Type,
    fits,
    innermost,
    join,
    with_article,
)
from policy_engine.source import Authored


def check_decision(context: Context, syntax: DecisionSyntax) -> rulesets.DecisionLogic:
    """One decision, checked; of its readings only those it lists are known yet."""
    _check_form(context, syntax)
    values = check_values(context, syntax.values)
    body = _body(context, syntax)
    because = context.template(syntax.because, _by_name(syntax.values)) if syntax.because else None
    _check_given(context, syntax, body)
    own = context.sources(syntax.sources)
    types = _value_types(context, syntax, values, body)
    listed = _readings(context, syntax.readings)
    return rulesets.DecisionLogic(
        name=syntax.name.value,
        question=syntax.question,
        outcomes=tuple(outcome.value for outcome in syntax.outcomes),
        values=values,
        value_types=types,
        answer_types=types,
        body=body,
        because=because,
        sources=sources_of(own, (conclusion for _, conclusion in rulesets.conclusions_of(body))),
        own_sources=own,
        readings=listed,
        own_readings=listed,
        meanings=tuple(_meanings(context, syntax)),
        span=syntax.span,
    )


def _meanings(context: Context, syntax: DecisionSyntax) -> Iterator[tuple[str, rulesets.Meaning]]:
    outcomes = [outcome.value for outcome in syntax.outcomes]
    for outcome, word in syntax.meanings:
        if outcome.value not in outcomes:
            context.faults.append(say_unknown("unknown-outcome", outcome, outcomes, f"it has {', '.join(outcomes)}"))
        elif word.value not in tuple(rulesets.Meaning):
            context.faults.append(say_unknown("meaning-unknown", word, tuple(rulesets.Meaning)))
        else:
            yield outcome.value, rulesets.Meaning(word.value)


def _check_form(context: Context, syntax: DecisionSyntax) -> None:
    """Which parts go together; nothing is said of a decision some part of which could not be read."""
    at = syntax.span
    if not syntax.broken:
        _check_parts(context, syntax)
    if syntax.hit is not None and syntax.hit.value not in tuple(rulesets.HitPolicy):
        context.faults.append(say_unknown("hit-unknown", syntax.hit, tuple(rulesets.HitPolicy)))
    if syntax.collects and syntax.otherwise is not None:
        context.say("collect-otherwise", syntax.keys.get("otherwise", at))
    if syntax.combine and (syntax.hit is None or syntax.hit.value == rulesets.HitPolicy.FIRST):
        context.say(
            "needless-key", syntax.keys.get("combine", at), key="combine", thing="a decision that takes the first rule"
        )
    _check_twice(context, [*syntax.outcomes])
    _check_twice(context, [rule.id for rule in syntax.rules])


def _check_parts(context: Context, syntax: DecisionSyntax) -> None:
    at = syntax.span
    rules = bool(syntax.rules) or syntax.otherwise is not None
    amounts = syntax.matrix is not None and syntax.matrix.value is not None
    if rules and syntax.matrix is not None:
        context.say("decision-mixed", at)
    if not (rules or syntax.matrix or syntax.values):
        context.say("decision-empty", at)
    elif syntax.outcomes and not rules and (syntax.matrix is None or amounts):
        context.say("needless-key", syntax.keys.get("outcomes", at), key="outcomes", thing="a calculation")
    if (rules or (syntax.matrix is not None and not amounts)) and not syntax.outcomes:
        context.say("outcomes-missing", at, what="rules" if rules else "a matrix")


def _check_given(context: Context, syntax: DecisionSyntax, body: rulesets.Rules | rulesets.Matrix | None) -> None:
    """Some rule gives each outcome."""
    given = {conclusion.outcome for _, conclusion in rulesets.conclusions_of(body)}
    for outcome in syntax.outcomes:
        if outcome.value not in given:
            context.say("unused-outcome", outcome.span, name=outcome.value)


def _check_twice(context: Context, names: Iterable[Authored]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.value in seen and not name.unread:
            context.say("duplicate-id", name.span, name=name.value)
        seen.add(name.value)


def _body(context: Context, syntax: DecisionSyntax) -> rulesets.Rules | rulesets.Matrix | None:
    if syntax.matrix is not None:
        return check_matrix(context, syntax, partial(_conclusion, context, syntax))
    if not syntax.rules and syntax.otherwise is None:
        return None
    rules = tuple(_rule(context, syntax, rule) for rule in syntax.rules)
    otherwise = None
    if syntax.otherwise is not None:
        otherwise = _conclusion(context, syntax, syntax.otherwise, sources_of((), (rule.then for rule in rules)))
    hit = rulesets.HitPolicy.COLLECT if syntax.collects else rulesets.HitPolicy.FIRST
    return rulesets.Rules(hit, rules, otherwise, tuple(_combinations(context, syntax, rules)))


def _combinations(
    context: Context, syntax: DecisionSyntax, rules: Iterable[rulesets.Rule]
) -> Iterator[tuple[str, Combination]]:
    """How collected values become one; each is given by some rule, is never null, and has a type that goes with it."""
    givers: dict[str, list[rulesets.ValueDefinition]] = {}
    for value in (value for rule in rules for value in rule.then.values):
        givers.setdefault(value.name, []).append(value)
    named = {name.value for name, _ in syntax.combine}
    for name, word in syntax.combine:
        why, at, near = "no rule gives it", name.span, did_you_mean(name.value, givers)
        hint: Advice | None = str(near) if near is not None and near.new in named else near
        if word.value not in tuple(Combination):
            why, hint, at = (
                f"`{word.value}` is none of {', '.join(Combination)}",
                did_you_mean(word.value, tuple(Combination)),
                word.span,
            )
        elif name.value in givers:
            yield name.value, Combination(word.value)
            nullable = next((value for value in givers[name.value] if value.nullable), None)
            if nullable is None:
                continue
            why, hint, at = "it may be null", "leave `if_known` out", nullable.expression.tree.span
        context.say("cannot-combine", at, hint=hint, name=name.value, why=why)


def _rule(context: Context, decision: DecisionSyntax, syntax: RuleSyntax) -> rulesets.Rule:
    then = _conclusion(context, decision, syntax.conclusion, ())
    if context.source_ids(syntax.id.span) and not then.sources:
        context.say("uncited-rule", syntax.id.span)
    return rulesets.Rule(syntax.id.value, context.condition(syntax.when), then, syntax.period, syntax.id.span)


def _conclusion(
    context: Context, decision: DecisionSyntax, syntax: ConclusionSyntax, inherited: tuple[str, ...]
) -> rulesets.Conclusion:
    """What follows from a rule; its own sources come first, then its decision's, then those inherited."""
    _check_outcome(context, decision, syntax.then)
    for name, _ in syntax.values:
        if any(name.value == given.value for given, _ in decision.values):
            context.say("value-twice", name.span, name=name.value)
    named = _by_name(decision.values + syntax.values)
    because = context.template(syntax.because, named) if syntax.because is not None else rulesets.Template(())
    cited = context.sources(syntax.sources) or context.sources(decision.sources)
    return rulesets.Conclusion(
        outcome=syntax.then.value if syntax.then is not None else None,
        because=because,
        values=check_values(context, syntax.values),
        sources=cited or inherited,
        readings=_readings(context, syntax.readings),
        inherits_sources=not cited,
    )


def _readings(context: Context, listed: Iterable[Authored]) -> tuple[str, ...]:
    known, elsewhere = context.scope.readings, context.scope.elsewhere
    unknown = (reading for reading in listed if reading.value not in known and "readings" not in context.syntax.lost)
    context.faults.extend(say_unknown("unknown-reading", each, known, elsewhere(each.value)) for each in unknown)
    return tuple(reading.value for reading in listed)


def _check_outcome(context: Context, decision: DecisionSyntax, then: Authored | None) -> None:
    outcomes = [outcome.value for outcome in decision.outcomes]
    unread = any(outcome.unread for outcome in decision.outcomes)
    if then is not None and outcomes and not unread and then.value not in outcomes:
        context.faults.append(say_unknown("unknown-outcome", then, outcomes, f"it has {', '.join(outcomes)}"))


def _by_name(values: Named) -> dict[str, Authored]:
    return {name.value: text for name, text in values}


def check_values(context: Context, named: Named) -> tuple[rulesets.ValueDefinition, ...]:
    """The values of a decision or a rule."""
    return tuple(_value(context, name, text) for name, text in named)


def _value(context: Context, name: Authored, text: Authored) -> rulesets.ValueDefinition:
    if name.value == "outcome":
        context.say("reserved-name", name.span, name=name.value)
    expression = context.expression(text)
    kind = expression.tree.type
    inner = innermost(kind)
    if isinstance(inner, Record | Ratio | ListOf):
        members = "name one of its members" if isinstance(kind, Record) else "name one of their members"
        hint = "round it" if isinstance(inner, Ratio) else members
        context.say("value-type", text.span, hint=hint, found=with_article(kind))
    nullable = isinstance(expression.tree, Call) and expression.tree.function == "if_known"
    return rulesets.ValueDefinition(name.value, expression, kind, nullable)


def _value_types(
    context: Context,
    syntax: DecisionSyntax,
    values: tuple[rulesets.ValueDefinition, ...],
    body: rulesets.Rules | rulesets.Matrix | None,
) -> tuple[tuple[str, Type], ...]:
    """The types of all values of the answer; two rules may give one value only in types that go together."""
    types: dict[str, Type] = {value.name: value.type for value in values}
    for _, conclusion in rulesets.conclusions_of(body):
        for value in conclusion.values:
            before = types.get(value.name, ANYTHING)
            joined = join(before, value.type)
            if joined is None:
                words = {"left": with_article(before), "right": with_article(value.type)}
                context.say("mixed-types", value.expression.tree.span, words=words)
            types[value.name] = joined or ANYTHING
    return tuple(_combined_types(context, syntax, types))


def _combined_types(context: Context, syntax: DecisionSyntax, types: Mapping[str, Type]) -> Iterator[tuple[str, Type]]:
    """The types of values as collected rules combine them."""
    words = {name.value: word for name, word in syntax.combine}
    for name, element in types.items():
        kind = combined_type(syntax, name, element)
        yield name, kind
        if kind == ANYTHING != element:
            combination = Combination(words[name].value)
            why = f"{combination} takes {combination.expected}, not {with_article(element)}"
            context.say("cannot-combine", words[name].span, name=name, why=why)
        elif isinstance(kind, Number) and not fits(kind):
            hint = "narrow `minimum` and `maximum` in the schema"
            context.say("too-many-digits", words[name].span, hint=hint, what=f"the sum of `{name}` may have")
