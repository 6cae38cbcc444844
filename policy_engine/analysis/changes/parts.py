"""What changed of the parts around the decisions of a ruleset: its period, sources, readings, checks and definitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from policy_engine.analysis.changes.conditions import condition_changes, condition_words, same_condition
from policy_engine.analysis.changes.sides import (
    Found,
    Patch,
    Sides,
    few,
    one_sided,
    paired,
    quoted,
    text_changes,
    wording,
)
from policy_engine.language.rule_changes import Effect, Kind, Wording
from policy_engine.language.rulesets import Check, Definition, Reading, Ruleset
from policy_engine.language.weekdays import DAYS

DESCRIBED = MappingProxyType({"title": Effect.NOTHING, "period_because": Effect.NOTHING})


def ruleset_changes(sides: Sides) -> Iterator[Found]:
    """What changed of a ruleset as a whole."""
    old, new = sides.old, sides.new
    whole = [
        (Kind.PERIOD, "is in force", str(old.period), str(new.period), Effect.ANSWER, None),
        (Kind.RULESET, "takes days in the time zone", old.timezone, new.timezone, Effect.ANSWER, None),
        (Kind.RULESET, "has the weekend", _weekend(old), _weekend(new), Effect.ANSWER, "weekend"),
        (Kind.RULESET, "is about the facts", old.facts.name, new.facts.name, Effect.NOTHING, None),
    ]
    for kind, does, before, after, effect, field in whole:
        if before != after:
            patch = Patch(((field,),), getattr(new, field)) if field else None
            told = Wording(before), Wording(after)
            message = f"The ruleset {does} {after}; it was {before}."
            yield Found(sides.change(kind, "", effect, message, *told), patch)
    yield from text_changes(sides, Kind.RULESET, "", "the ruleset", (old, new), DESCRIBED)


def _weekend(ruleset: Ruleset) -> str:
    return " and ".join(DAYS[day - 1] for day in ruleset.weekend) or "no day"


def source_changes(sides: Sides) -> Iterator[Found]:
    """What changed of the documents that rules cite."""
    for name, old, new in paired(sides.old.sources, sides.new.sources, lambda source: source.id):
        what, effect = f"the source {quoted(name)}", sides.effect_of("source", name)
        if old is not None and new is not None:
            effects = dict.fromkeys(("title", "number", "updated", "url", "library"), effect)
            yield from text_changes(sides, Kind.SOURCE, name, what, (old, new), effects)
        elif (only := new or old) is not None:
            words = f'"{only.title}"'
            yield Found(one_sided(sides, Kind.SOURCE, name, Effect.NOTHING, what, words, (old, new)))


# Readings


def reading_changes(sides: Sides) -> Iterator[Found]:
    """What changed of the questions that sources leave open."""
    for name, old, new in paired(sides.old.readings, sides.new.readings, lambda reading: reading.name):
        what = f"the reading {quoted(name)}"
        if old is not None and new is not None:
            yield from _reading(sides, what, old, new)
        elif (only := new or old) is not None:
            words = f"{quoted(only.choice)}, of {few(quoted(choice.name) for choice in only.choices)}"
            yield Found(one_sided(sides, Kind.READING, name, Effect.REASON, what, words, (old, new)))


def _reading(sides: Sides, what: str, old: Reading, new: Reading) -> Iterator[Found]:
    told = [wording(reading.choice, reading) for reading in (old, new)]
    if old.choice != new.choice:
        effect, patch = sides.effect_of("reading", new.name), Patch((("readings", new.name),), new)
        message = f"The choice of {what} is {quoted(new.choice)}; it was {quoted(old.choice)}."
        yield Found(sides.change(Kind.READING, new.name, effect, message, *told), patch)
    for message, effect in (*_of_choices(what, old, new), *_of_arguments(what, old, new)):
        yield Found(sides.change(Kind.READING, new.name, effect, message, *told))
    effects = {"question": Effect.NOTHING, "source": Effect.REASON, "library": Effect.REASON}
    yield from text_changes(sides, Kind.READING, new.name, what, (old, new), effects)


def _of_choices(what: str, old: Reading, new: Reading) -> Iterator[tuple[str, Effect]]:
    """The choices that there are, and whether they can be switched."""
    before, after = ([choice.name for choice in reading.choices] for reading in (old, new))
    if gone := [name for name in before if name not in after]:
        yield f"A choice of {what} is gone: {few(map(quoted, gone))}.", Effect.REASON
    if added := [name for name in after if name not in before]:
        yield f"A choice of {what} is new: {few(map(quoted, added))}.", Effect.REASON
    if old.fixed != new.fixed:
        yield f"The choice of {what} can {'no longer' if new.fixed else 'now'} be switched.", Effect.REASON


def _of_arguments(what: str, old: Reading, new: Reading) -> Iterator[tuple[str, Effect]]:
    """The arguments of the choices that both sides have."""
    before, after = ({choice.name: choice.argument for choice in reading.choices} for reading in (old, new))
    if differ := [name for name in after if before.get(name, after[name]) != after[name]]:
        yield f"The argument for {few(map(quoted, differ))} of {what} has other words.", Effect.NOTHING


# Checks


class Matched(NamedTuple):
    """The checks of both sides that belong together, None where one side has none."""

    old: Check | None
    new: Check | None


def check_changes(sides: Sides) -> Iterator[Found]:
    """What changed of the conditions that valid facts meet."""
    for old, new in _matched(sides):
        told: Any = tuple(
            None if check is None else wording(condition_words(check.expect), check) for check in (old, new)
        )
        if old is not None and new is not None:
            what = f'the check "{new.because}"'
            if not same_condition(sides, old.expect, new.expect):
                message = f"In {what}, {condition_changes(sides, old.expect, new.expect)}."
                patch = Patch((("checks",),), tuple(new if one is old else one for one in sides.old.checks))
                yield Found(sides.change(Kind.CHECK, new.because, Effect.ANSWER, message, *told), patch)
            effects = {"because": Effect.REASON, "source": Effect.REASON}
            yield from text_changes(sides, Kind.CHECK, new.because, what, (old, new), effects)
        elif (only := new or old) is not None:
            kept = tuple(one for one in sides.old.checks if one is not old)
            patch = Patch((("checks",),), kept if new is None else (*kept, new))
            what, words = f'the check "{only.because}"', quoted(condition_words(only.expect))
            change = one_sided(sides, Kind.CHECK, only.because, Effect.ANSWER, what, words, (old, new))
            yield Found(change, patch)


def _matched(sides: Sides) -> Iterator[Matched]:
    """Checks have no names: those with one condition belong together, then those with one message."""
    left, right = list(sides.old.checks), list(sides.new.checks)
    for same in (
        lambda old, new: same_condition(sides, old.expect, new.expect),
        lambda old, new: old.because == new.because,
    ):
        for old in [*left]:
            found = next((new for new in right if same(old, new)), None)
            if found is not None:
                yield Matched(old, found)
                left.remove(old)
                right.remove(found)
    yield from (Matched(old, None) for old in left)
    yield from (Matched(None, new) for new in right)


# Definitions


def definition_changes(sides: Sides) -> Iterator[Found]:
    """What changed of the conditions and amounts with a name.

    A name that only one side has stands in normal forms for what it names, so that by itself it alters nothing.
    """
    renamed = _renamed(sides)
    for name, old, new in paired(sides.old.definitions, sides.new.definitions, lambda definition: definition.name):
        if old is not None and new is not None:
            yield from _definition(sides, old, new)
        elif old is not None and name in renamed:
            after = sides.new.definition(renamed[name])
            message = f"The definition {quoted(name)} is now called {quoted(after.name)}."
            told = wording(name, old), wording(after.name, after)
            yield Found(sides.change(Kind.DEFINITION, after.name, Effect.NOTHING, message, *told))
        elif name not in renamed.values() and (only := new or old) is not None:
            what, words = f"the definition {quoted(name)}", quoted(condition_words(only.body))
            yield Found(one_sided(sides, Kind.DEFINITION, name, Effect.NOTHING, what, words, (old, new)))


def _definition(sides: Sides, old: Definition, new: Definition) -> Iterator[Found]:
    what = f"the definition {quoted(new.name)}"
    if not same_condition(sides, old.body, new.body):
        message = f"In {what}, {condition_changes(sides, old.body, new.body)}."
        told = (wording(condition_words(definition.body), definition) for definition in (old, new))
        effect = sides.effect_of("definition", new.name)
        yield Found(
            sides.change(Kind.DEFINITION, new.name, effect, message, *told), Patch((("definitions", new.name),), new)
        )
    yield from text_changes(sides, Kind.DEFINITION, new.name, what, (old, new), {"library": Effect.REASON})


def _renamed(sides: Sides) -> Mapping[str, str]:
    """The definitions of the old side that the new side calls otherwise, with their new names."""
    before, after = ({definition.name for definition in side.definitions} for side in (sides.old, sides.new))
    by_form: dict[int, list[str]] = {}
    for name in after - before:
        by_form.setdefault(sides.new_forms.definitions[name], []).append(name)
    found = {name: by_form.get(sides.old_forms.definitions[name], []) for name in sorted(before - after)}
    return {name: others[0] for name, others in found.items() if len(others) == 1}
