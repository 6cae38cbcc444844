"""What changed of that which rules, cells and `otherwise` give: outcomes and values, and what is said for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from policy_engine.analysis.changes.sides import Found, Sides, few, quoted, sentence, wording
from policy_engine.language.rule_changes import Effect, Kind
from policy_engine.language.rulesets import (
    OTHERWISE,
    Conclusion,
    DecisionLogic,
    Matrix,
    Quoted,
    Rules,
    Template,
    ValueDefinition,
)
from policy_engine.language.templates import as_written

OF_ALL_RULES = "those of all rules"
ITSELF = "the decision itself"


class Given(NamedTuple):
    """What two conclusions give otherwise, in words."""

    old: str
    new: str

    def message(self, what: str) -> str:
        """The change in a sentence, of what is called so."""
        if self.old == self.new:
            return f"{sentence(what)} gives {self.new}, in which a name stands for something else."
        return f"{sentence(what)} gives {self.new}; it gave {self.old}."


def given_otherwise(sides: Sides, old: Conclusion | None, new: Conclusion | None) -> Given | None:
    """What two conclusions give otherwise; None where outcome and values are the same."""
    if old is None or new is None:
        return None if old is new else Given(conclusion_words(old), conclusion_words(new))
    before, after = _outcome(old), _outcome(new)
    told = [(before, after)] if before != after else []
    values = {name: (_value(old, name), _value(new, name)) for name in _value_names(old, new)}
    told += (
        (_as_given(name, one), _as_given(name, other))
        for name, (one, other) in values.items()
        if not _same(sides, one, other)
    )
    return Given(*(" and ".join(side) for side in zip(*told, strict=True))) if told else None


def conclusion_words(conclusion: Conclusion | None) -> str:
    """All that a conclusion gives."""
    if conclusion is None:
        return "nothing"
    values = [_as_given(value.name, value) for value in conclusion.values]
    return " and ".join([*([_outcome(conclusion)] if conclusion.outcome is not None or not values else ()), *values])


def _outcome(conclusion: Conclusion) -> str:
    return "no outcome" if conclusion.outcome is None else quoted(conclusion.outcome)


def _value_names(old: Conclusion, new: Conclusion) -> list[str]:
    return list(dict.fromkeys(value.name for conclusion in (old, new) for value in conclusion.values))


def _value(conclusion: Conclusion, name: str) -> ValueDefinition | None:
    return next((value for value in conclusion.values if value.name == name), None)


def _as_given(name: str, value: ValueDefinition | None) -> str:
    return f"no {quoted(name)}" if value is None else f"{quoted(name)} as {quoted(value.expression.text)}"


def _same(sides: Sides, old: ValueDefinition | None, new: ValueDefinition | None) -> bool:
    if old is None or new is None:
        return old is new
    return sides.old_forms.condition(old.expression) == sides.new_forms.condition(new.expression)


# What is said for them


def named_conclusions(decision: DecisionLogic, names: Mapping[str, str]) -> dict[str, Conclusion]:
    """The conclusions of a decision by the rule or the cell, under the `names` that other ids have."""
    match decision.body:
        case Rules(rules=rules, otherwise=otherwise):
            found = {names.get(rule.id, rule.id): rule.then for rule in rules}
            return found if otherwise is None else {**found, OTHERWISE: otherwise}
        case Matrix(cells=cells):
            branches = [(cell.id, cell.then, cell.otherwise) for cell in cells]
            found = {name: then for name, then, _ in branches}
            return found | {f"{name} otherwise": last for name, _, last in branches if last is not None}
    return {}


def telling_changes(sides: Sides, old: DecisionLogic, new: DecisionLogic, names: Mapping[str, str]) -> Iterator[Found]:
    """The changes of reasons, sources and readings; those of several rules or cells alike are told once.

    `names` are the new names of the old rules.
    """
    before, after = named_conclusions(old, names), named_conclusions(new, {})
    both = {name: (before[name], after[name]) for name in before if name in after}
    yield from _grouped(sides, new, "reason", _reasons(sides, both))
    yield from _grouped(sides, new, "source", _cited(old, new, both))
    yield from _grouped(sides, new, "reading", _rested(old, new, both))


Both = Mapping[str, tuple[Conclusion, Conclusion]]
Told = Iterator[tuple[str, str, str]]
"""Rules or cells whose words differ, each with the words of both sides."""


def _reasons(sides: Sides, both: Both) -> Told:
    for name, (old, new) in both.items():
        if not _is_written_by_table(sides, old, new):
            forms = sides.old_forms.template(old.because), sides.new_forms.template(new.because)
            if forms[0] != forms[1]:
                yield name, *reason_words(old.because, new.because)


def reason_words(old: Template | None, new: Template | None) -> tuple[str, str]:
    """The words of two reasons that differ."""
    before, after = ("not given" if reason is None else f'"{as_written(reason)}"' for reason in (old, new))
    return before, after if before != after else f"{after}, in which a value reads otherwise"


def _is_written_by_table(sides: Sides, old: Conclusion, new: Conclusion) -> bool:
    """Whether a cell has a reason that only says what the table gives, and this is told already."""
    parts = (*old.because.parts, *new.because.parts)
    return any(isinstance(part, Quoted) for part in parts) and given_otherwise(sides, old, new) is not None


def _cited(old: DecisionLogic, new: DecisionLogic, both: Both) -> Told:
    """The sources; an `otherwise` that names none has those of all rules, whichever these are."""
    for name, (before, after) in both.items():
        yield from _differing(name, _sources(name, before), _sources(name, after))
    if not both:
        yield from _differing(ITSELF, _named(old.own_sources), _named(new.own_sources))


def _sources(name: str, conclusion: Conclusion) -> str:
    return OF_ALL_RULES if conclusion.inherits_sources and name == OTHERWISE else _named(conclusion.sources)


def _rested(old: DecisionLogic, new: DecisionLogic, both: Both) -> Told:
    for name, (before, after) in both.items():
        yield from _differing(name, _named(sorted(before.readings)), _named(sorted(after.readings)))
    yield from _differing(ITSELF, _named(sorted(old.own_readings)), _named(sorted(new.own_readings)))


def _named(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(map(quoted, names)) or "none"


def _differing(name: str, old: str, new: str) -> Told:
    if old != new:
        yield name, old, new


def _grouped(sides: Sides, decision: DecisionLogic, what: str, told: Told) -> Iterator[Found]:
    """One change for all rules and cells of which the same is told."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, old, new in told:
        groups.setdefault((old, new), []).append(name)
    for (old, new), names in groups.items():
        where = few(name if name == ITSELF else quoted(name) for name in names)
        message = f"The {what} of {where} in {quoted(decision.name)} is {new}; it was {old}."
        kind = Kind.CELL if isinstance(decision.body, Matrix) else Kind.RULE
        name = f"{decision.name}: {names[0]}" if len(names) == 1 else decision.name
        words = wording(old, decision), wording(new, decision)
        yield Found(sides.change(kind, name, Effect.REASON, message, *words))
