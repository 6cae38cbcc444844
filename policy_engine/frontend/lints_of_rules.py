"""Rules that never decide, and cases that no rule decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.reaching import Gap, Hidden, exclude_each_other, gap_of, hidden_rules, periods
from policy_engine.frontend.situations import Situations
from policy_engine.language.expressions import Condition, Expression, Literal, expressions_of, walk
from policy_engine.language.rulesets import ALWAYS, Rule, Rules, Ruleset
from policy_engine.language.values import in_words
from policy_engine.source import Span


def unreached(ruleset: Ruleset, settled: Set[Span]) -> Iterator[Diagnostic]:
    """Rules of `first` decisions that no facts reach, and decisions without `otherwise` whose rules leave a case.

    `settled` are the places of comparisons that always come out alike, which is reported: where one makes a rule never true,
    no more is said.
    """
    stretches = [Situations(ruleset, days) for days in periods(ruleset)]
    for decision in ruleset.decisions:
        if isinstance(decision.body, Rules) and decision.body.hit == "first":
            found = hidden_rules(stretches, decision.body)
            told = {rule.id for rule in decision.body.rules if _is_settled(rule.when, settled)}
            yield from _hidden(decision.body, {name: h for name, h in found.items() if not (h.never and name in told)})
            gap = gap_of(stretches, decision.body)
            if gap is not None:
                case = _in_words(ruleset, gap)
                yield say("uncovered-case", decision.span, decision=decision.name, case=case)


def _is_settled(when: Condition, settled: Set[Span]) -> bool:
    return any(node.span in settled for each in expressions_of(when) for node in walk(each.tree))


def collected_values(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Values that two rules of a collect decision give, of which an answer would hold one."""
    stretches = [Situations(ruleset, days) for days in periods(ruleset)]
    for decision in ruleset.decisions:
        if isinstance(decision.body, Rules) and decision.body.hit == "collect":
            yield from _given_twice(decision.body.rules, stretches)


def _given_twice(rules: Sequence[Rule], stretches: list[Situations]) -> Iterator[Diagnostic]:
    givers: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        for value in rule.then.values:
            others = (giver for giver in givers[value.name] if giver.period.overlaps(rule.period))
            other = next((giver for giver in others if not exclude_each_other(stretches, giver, rule)), None)
            if other is not None:
                yield say("collected-value", value.expression.tree.span, name=value.name, other=other.id)
            givers[value.name].append(rule)


def _hidden(body: Rules, hidden: Mapping[str, Hidden]) -> Iterator[Diagnostic]:
    """What is said of rules behind one that is always true or asks the same, and of those found to be hidden."""
    always: str | None = None
    before: dict[tuple[str, ...], list[tuple[str, Condition]]] = {}
    for rule in body.rules:
        alike = before.setdefault(tuple(each.text for each in expressions_of(rule.when)), [])
        same = next((id_ for id_, when in alike if when == rule.when), None)
        if always is not None:
            yield say("unreachable-rule", rule.span, why=f"`{always}` before it is always true")
        elif same is not None:
            yield say("unreachable-rule", rule.span, why=f"`{same}` before it asks the same")
        elif rule.id in hidden:
            yield _told(rule, hidden[rule.id])
        if rule.period == ALWAYS:
            alike.append((rule.id, rule.when))
            always = rule.id if always is None and _is_true(rule.when) else always


def _told(rule: Rule, hidden: Hidden) -> Diagnostic:
    if hidden.never:
        return say("unreachable-rule", rule.span, why="its condition is never true", hint="correct it, or leave it out")
    if hidden.by is None:
        return say("unreachable-rule", rule.span, why="the rules before it leave it no case")
    return say("unreachable-rule", rule.span, why=f"`{hidden.by}` before it is never false where this is true")


def _is_true(when: Condition) -> bool:
    return isinstance(when, Expression) and isinstance(when.tree, Literal) and when.tree.value is True


def _in_words(ruleset: Ruleset, gap: Gap) -> str:
    """A case as a person reads it, in the order of the schema."""
    order = [member.name for member in ruleset.facts.type.members]
    told = [f"`{name}` is {_value(gap.facts[name])}" for name in sorted(gap.facts, key=order.index)]
    choices = {reading.name: reading.choice for reading in ruleset.readings}
    told += [f"`{name}` is read as `{choice}`" for name, choice in gap.readings.items() if choices[name] != choice]
    case = " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)
    case = f"where {case}" if case else "whatever the facts are"
    return case if gap.always else f"{case}, on {gap.day}"


def _value(value: object) -> str:
    if value is None:
        return "absent"
    shown = in_words(value)  # type: ignore[arg-type]  # a value, as it is not absent
    return f"`{shown}`" if isinstance(value, str) else shown
