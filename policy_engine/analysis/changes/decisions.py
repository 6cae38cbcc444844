"""What changed of the decisions of a ruleset."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from policy_engine.analysis.changes.cells import matrix_changes
from policy_engine.analysis.changes.conclusions import reason_words, telling_changes
from policy_engine.analysis.changes.conditions import condition_changes, same_condition
from policy_engine.analysis.changes.normal_forms import places_of
from policy_engine.analysis.changes.rules import new_names, rules_changes
from policy_engine.analysis.changes.sides import (
    Found,
    Patch,
    Sides,
    decimals,
    few,
    one_sided,
    paired,
    quoted,
    text_changes,
    wording,
)
from policy_engine.language.rule_changes import Effect, Kind
from policy_engine.language.rulesets import DecisionLogic, Matrix, Rules

QUESTION = MappingProxyType({"question": Effect.NOTHING})
WAYS = MappingProxyType({Rules: "by rules", Matrix: "by a matrix", type(None): "by its values alone"})


def decision_changes(sides: Sides) -> Iterator[Found]:
    """What changed of the questions and how they are decided."""
    for name, old, new in paired(sides.old.decisions, sides.new.decisions, lambda decision: decision.name):
        if old is not None and new is not None and old is not new:
            yield from _decision(sides, old, new)
        elif old is None or new is None:
            only = old or new
            assert only is not None
            what, words = f"the decision {quoted(name)}", f'"{only.question}"'
            yield Found(one_sided(sides, Kind.DECISION, name, Effect.ANSWER, what, words, (old, new)))


def _decision(sides: Sides, old: DecisionLogic, new: DecisionLogic) -> Iterator[Found]:
    what = f"the decision {quoted(new.name)}"
    yield from text_changes(sides, Kind.DECISION, new.name, what, (old, new), QUESTION)
    yield from _outcomes(sides, old, new)
    yield from _meanings(sides, old, new)
    yield from _values(sides, old, new)
    yield from _body(sides, old, new)
    yield from _reason(sides, old, new)
    yield from telling_changes(sides, old, new, new_names(sides, old, new))


def _body(sides: Sides, old: DecisionLogic, new: DecisionLogic) -> Iterator[Found]:
    match old.body, new.body:
        case Rules(), Rules():
            yield from rules_changes(sides, old, new, new_names(sides, old, new))
        case Matrix() as before, Matrix() as after:
            yield from matrix_changes(sides, new, before, after)
        case before, after if type(before) is not type(after):
            ways = WAYS[type(before)], WAYS[type(after)]
            message = f"The decision {quoted(new.name)} is decided {ways[1]}; it was {ways[0]}."
            patch = Patch((("decisions", new.name), ("body",)), after)
            words = wording(ways[0], old), wording(ways[1], new)
            yield Found(sides.change(Kind.DECISION, new.name, Effect.ANSWER, message, *words), patch)


def _outcomes(sides: Sides, old: DecisionLogic, new: DecisionLogic) -> Iterator[Found]:
    """The outcomes that there can be; that a rule gives one is told with the rule."""
    added = [outcome for outcome in new.outcomes if outcome not in old.outcomes]
    gone = [outcome for outcome in old.outcomes if outcome not in new.outcomes]
    told = [f"has {few(map(quoted, added))} besides"] if added else []
    told += [f"no longer has {few(map(quoted, gone))}"] if gone else []
    if told:
        message = f"The list of outcomes of {quoted(new.name)} {' and '.join(told)}."
        words = (wording(", ".join(decision.outcomes), decision) for decision in (old, new))
        yield Found(sides.change(Kind.DECISION, new.name, Effect.NOTHING, message, *words))


def _meanings(sides: Sides, old: DecisionLogic, new: DecisionLogic) -> Iterator[Found]:
    """What outcomes mean for the one they are about, by which reports colour."""
    for outcome, before, after in paired(old.meanings, new.meanings, lambda pair: pair[0]):
        if before != after:
            one, other = ("not said" if pair is None else str(pair[1]) for pair in (before, after))
            message = f"The meaning of the outcome {quoted(outcome)} of {quoted(new.name)} is {other}; it was {one}."
            words = wording(one, old), wording(other, new)
            yield Found(sides.change(Kind.DECISION, new.name, Effect.NOTHING, message, *words))


def _values(sides: Sides, old: DecisionLogic, new: DecisionLogic) -> Iterator[Found]:
    """The values that a decision gives whatever its outcome."""
    for name, before, after in paired(old.values, new.values, lambda value: value.name):
        key, what = f"{new.name}: {name}", f"the value {quoted(name)} of {quoted(new.name)}"
        if before is None or after is None:
            only = before or after
            assert only is not None
            parts = None if before is None else old, None if after is None else new
            yield Found(one_sided(sides, Kind.VALUE, key, Effect.ANSWER, what, quoted(only.expression.text), parts))
        elif not same_condition(sides, before.expression, after.expression):
            message = f"In {what}, {condition_changes(sides, before.expression, after.expression)}."
            patch = Patch((("decisions", new.name), ("values", name)), after)
            words = wording(before.expression.text, old), wording(after.expression.text, new)
            yield Found(sides.change(Kind.VALUE, key, Effect.ANSWER, message, *words), patch)
    yield from _places(sides, old, new)


def _places(sides: Sides, old: DecisionLogic, new: DecisionLogic) -> Iterator[Found]:
    """The decimal places with which values are told."""
    types = dict(old.value_types)
    for name, kind in new.value_types:
        if name in types and places_of(types[name]) != places_of(kind):
            places = places_of(types[name]), places_of(kind)
            message = f"The value {quoted(name)} of {quoted(new.name)} has {decimals(places[1])}; it had {places[0]}."
            words = wording(str(places[0]), old), wording(str(places[1]), new)
            yield Found(sides.change(Kind.VALUE, f"{new.name}: {name}", Effect.REASON, message, *words))


def _reason(sides: Sides, old: DecisionLogic, new: DecisionLogic) -> Iterator[Found]:
    """The reason that a decision gives itself."""
    forms = sides.old_forms.template(old.because), sides.new_forms.template(new.because)
    if forms[0] != forms[1]:
        before, after = reason_words(old.because, new.because)
        message = f"The reason of {quoted(new.name)} is {after}; it was {before}."
        words = wording(before, old), wording(after, new)
        yield Found(sides.change(Kind.DECISION, new.name, Effect.REASON, message, *words))
