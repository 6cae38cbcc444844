"""What was found about a change of the rules, in sentences; what belongs to the rules or the facts stands in backticks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from policy_engine.documents.yaml_values import in_yaml
from policy_engine.errors import Violation
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rule_changes import VALUES, Effect, Kind, RuleChange, Searched, SearchedChanges, Witness
from policy_engine.language.values import in_words


def search_words(searched: Searched) -> Iterator[str]:
    """The facts that show a change and what both rulesets say about them, or that none were found, or looked for."""
    if searched.witness is not None:
        yield witness_words(searched.witness)
        if not searched.alone:
            yield "Asked of both rulesets as they are: another change may have made the difference."
    elif searched.tries:
        yield f"No facts that show it were found in {searched.tries:,} tries."
    elif searched.change.effect is Effect.ANSWER:
        yield f"No facts show it: {_why_none(searched.change)}."


def _why_none(change: RuleChange) -> str:
    if change.kind is Kind.PERIOD:
        return "only the days differ on which the ruleset answers"
    if change.kind is Kind.DECISION and (change.old is None or change.new is None):
        return "only one of the rulesets is asked this"
    return "no question was found that the rulesets can be asked"


def whole_words(found: SearchedChanges) -> Iterator[str]:
    """The same of both rulesets as they are, where no change has a witness of its own."""
    if found.witness is not None and found.searched:
        yield "The rulesets answer differently; which change makes the difference was not found."
    elif found.witness is not None:
        yield "The rulesets say the same; the day of the question makes a difference."
    if found.witness is not None:
        yield witness_words(found.witness)
    elif found.tries:
        yield f"No facts about which the rulesets answer differently were found in {found.tries:,} tries."


def witness_words(witness: Witness) -> str:
    """The facts, and what both rulesets say about them."""
    return f"With `{in_yaml(witness.facts)}`{_asked(witness.days, witness.readings)}, {_difference(witness)}."


def _asked(days: tuple[date, date], readings: tuple[Mapping[str, str], Mapping[str, str]]) -> str:
    """The day and the readings of the question; of both where they differ."""
    on = f" on {days[1]}" if days[0] == days[1] else f" on {days[1]}, before on {days[0]}"
    now, before = ("".join(map(_switched, under.items())) for under in (readings[1], readings[0]))
    return on + now + (f", before{before.removeprefix(',')}" if before and before != now else "")


def _switched(reading: tuple[str, str]) -> str:
    return f", where `{reading[0]}` is `{reading[1]}`"


def _difference(witness: Witness) -> str:
    """What both sides say of the part that differs."""
    old, new, decision = witness.old, witness.new, witness.decision
    if not isinstance(new, Decision):
        return f"the facts are invalid ({_violated(new)}); they were valid"
    if not isinstance(old, Decision):
        return f"the facts are valid; they were invalid ({_violated(old)})"
    match witness.part:
        case "answer":
            return f"`{decision}` is {_outcome(new)}; it was {_outcome(old)}"
        case "rules":
            return f"`{decision}` rests on {_named(new.rules)}; it rested on {_named(old.rules)}"
        case "missing":
            return f"`{decision}` misses {_named(new.missing)}; it missed {_named(old.missing)}"
    name = witness.part.removeprefix(VALUES)
    return f"`{name}` of `{decision}` is {_value(new, name)}; it was {_value(old, name)}"


def _value(answer: Decision, name: str) -> str:
    return f"`{in_words(answer.values[name])}`" if name in answer.values else "not given"


def _violated(violations: tuple[Violation, ...]) -> str:
    return "; ".join(f"{one.pointer}: {one.message}" if one.pointer else one.message for one in violations).rstrip(".")


def _outcome(answer: Decision) -> str:
    match answer.status, answer.outcome:
        case Status.UNDETERMINED, _:
            return f"undetermined, missing {_named(answer.missing)}" if answer.missing else "undetermined"
        case Status.GAP, _:
            return "a gap"
        case _, None:
            return "decided"
        case _, str() as outcome:
            return f"`{outcome}`"
    return _named(answer.outcome or ())


def _named(names: tuple[str, ...] | str) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"
