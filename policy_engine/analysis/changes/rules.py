"""What changed of the rules of a decision: which there are, their conditions, what they give, their periods and their order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from policy_engine.analysis.changes.conclusions import conclusion_words, given_otherwise
from policy_engine.analysis.changes.conditions import condition_changes, condition_words, same_condition
from policy_engine.analysis.changes.sides import Found, Patch, Path, Sides, paired, quoted, sentence, wording
from policy_engine.language.rule_changes import Effect, Kind, RuleChange, Wording
from policy_engine.language.rulesets import OTHERWISE, DecisionLogic, HitPolicy, Rule, Rules

POLICIES = {HitPolicy.FIRST: "the first true rule decides", HitPolicy.COLLECT: "all true rules apply"}


def rules_changes(sides: Sides, old: DecisionLogic, new: DecisionLogic, names: Mapping[str, str]) -> Iterator[Found]:
    """What changed of two decisions by rules; `names` are the new names of the old rules."""
    assert isinstance(old.body, Rules)
    assert isinstance(new.body, Rules)
    yield from _policy(sides, new, old.body, new.body)
    before = {rule.id: rule for rule in old.body.rules}
    for rule in old.body.rules:
        if rule.id not in names:
            yield _gone(sides, new, old.body, rule)
    for rule in new.body.rules:
        same = next((old_id for old_id, new_id in names.items() if new_id == rule.id), None)
        if same is None:
            yield _added(sides, new, old.body, rule, names)
        else:
            yield from _rule(sides, new, before[same], rule)
    yield from _order(sides, new, old.body, new.body, names)
    yield from _otherwise(sides, new, old.body, new.body)


def new_names(sides: Sides, old: DecisionLogic, new: DecisionLogic) -> Mapping[str, str]:
    """The new name of each old rule that is still there: the same, or that of a new rule which says the same."""
    if not (isinstance(old.body, Rules) and isinstance(new.body, Rules)):
        return {}
    names = {rule.id for rule in new.body.rules}
    found = {rule.id: rule.id for rule in old.body.rules if rule.id in names}
    gone = [rule for rule in old.body.rules if rule.id not in found]
    added = [rule for rule in new.body.rules if rule.id not in found]
    for rule in gone:
        twin = next((other for other in added if _says_the_same(sides, rule, other)), None)
        if twin is not None:
            found[rule.id] = twin.id
            added.remove(twin)
    return found


def _says_the_same(sides: Sides, old: Rule, new: Rule) -> bool:
    return same_condition(sides, old.when, new.when) and given_otherwise(sides, old.then, new.then) is None


def _policy(sides: Sides, decision: DecisionLogic, old: Rules, new: Rules) -> Iterator[Found]:
    path: Path = (("decisions", decision.name), ("body",))
    changed = replace(old, hit=new.hit, otherwise=new.otherwise, combine=new.combine)
    if old.hit is not new.hit:
        message = f"In {quoted(decision.name)}, {POLICIES[new.hit]}; before, {POLICIES[old.hit]}."
        words = wording(old.hit, decision), wording(new.hit, decision)
        yield Found(sides.change(Kind.DECISION, decision.name, Effect.ANSWER, message, *words), Patch(path, changed))
        return
    for name, before, after in paired(old.combine, new.combine, lambda pair: pair[0]):
        if before != after:
            one, other = ("the last" if pair is None else str(pair[1]) for pair in (before, after))
            what = f"the values {quoted(name)} of several rules"
            message = f"In {quoted(decision.name)}, {what} become one by {other}; it was by {one}."
            words = wording(one, decision), wording(other, decision)
            change = sides.change(Kind.DECISION, decision.name, Effect.ANSWER, message, *words)
            yield Found(change, Patch(path, replace(old, combine=new.combine)))


# Single rules


def _told(sides: Sides, decision: DecisionLogic, rule: str, message: str, *words: Wording | None) -> RuleChange:
    return sides.change(Kind.RULE, f"{decision.name}: {rule}", Effect.ANSWER, message, *words)


def _what(decision: DecisionLogic, rule: str) -> str:
    return f"the rule {quoted(rule)} of {quoted(decision.name)}"


def _words(rule: Rule) -> str:
    when = "" if rule.period.start == rule.period.start.min and rule.period.end is None else f", in force {rule.period}"
    return f"{conclusion_words(rule.then)} where {quoted(condition_words(rule.when))}{when}"


def _in_rules(decision: DecisionLogic, rules: Sequence[Rule]) -> Patch:
    return Patch((("decisions", decision.name), ("body",), ("rules",)), tuple(rules))


def _gone(sides: Sides, decision: DecisionLogic, old: Rules, rule: Rule) -> Found:
    message = f"{sentence(_what(decision, rule.id))} is gone; it gave {_words(rule)}."
    kept = [one for one in old.rules if one is not rule]
    return Found(_told(sides, decision, rule.id, message, wording(_words(rule), rule), None), _in_rules(decision, kept))


def _added(sides: Sides, decision: DecisionLogic, old: Rules, rule: Rule, names: Mapping[str, str]) -> Found:
    message = f"{sentence(_what(decision, rule.id))} is new; it gives {_words(rule)}."
    assert isinstance(decision.body, Rules)
    rules = _inserted(old.rules, rule, _behind(rule.id, [one.id for one in decision.body.rules]), names)
    return Found(
        _told(sides, decision, rule.id, message, None, wording(_words(rule), rule)), _in_rules(decision, rules)
    )


def _behind(rule: str, order: Sequence[str]) -> set[str]:
    return {*order[order.index(rule) + 1 :]}


def _inserted(rules: Sequence[Rule], rule: Rule, behind: set[str], names: Mapping[str, str]) -> list[Rule]:
    """Rules with one more, which stands before those that belong behind it, by their new names."""
    at = next((at for at, one in enumerate(rules) if names.get(one.id) in behind), len(rules))
    return [*rules[:at], rule, *rules[at:]]


def _rule(sides: Sides, decision: DecisionLogic, old: Rule, new: Rule) -> Iterator[Found]:
    what, path = _what(decision, new.id), (("decisions", decision.name), ("body",), ("rules", old.id))

    def found(message: str, before: str, after: str, field: str) -> Found:
        change = _told(sides, decision, new.id, message, wording(before, old), wording(after, new))
        return Found(change, Patch((*path, (field,)), getattr(new, field)))

    if old.id != new.id:
        message = f"The rule {quoted(old.id)} of {quoted(decision.name)} is now called {quoted(new.id)}."
        yield found(message, old.id, new.id, "id")
    if not same_condition(sides, old.when, new.when):
        message = f"In the condition of {what}, {condition_changes(sides, old.when, new.when)}."
        yield found(message, condition_words(old.when), condition_words(new.when), "when")
    if (given := given_otherwise(sides, old.then, new.then)) is not None:
        yield found(given.message(what), given.old, given.new, "then")
    if old.period != new.period:
        message = f"{sentence(what)} is in force {new.period}; it was {old.period}."
        yield found(message, str(old.period), str(new.period), "period")


def _otherwise(sides: Sides, decision: DecisionLogic, old: Rules, new: Rules) -> Iterator[Found]:
    given = given_otherwise(sides, old.otherwise, new.otherwise)
    if given is not None:
        message = given.message(f"the `otherwise` of {quoted(decision.name)}")
        patch = Patch((("decisions", decision.name), ("body",), ("otherwise",)), new.otherwise)
        words = wording(given.old, decision), wording(given.new, decision)
        yield Found(_told(sides, decision, OTHERWISE, message, *words), patch)


# Their order


def _order(sides: Sides, decision: DecisionLogic, old: Rules, new: Rules, names: Mapping[str, str]) -> Iterator[Found]:
    """The rules that stand before or behind others than they did, where both are in force on some day."""
    before = [names[rule.id] for rule in old.rules if rule.id in names]
    after = [rule.id for rule in new.rules if rule.id in set(before)]
    rules = {rule.id: rule for rule in new.rules}
    for moved in _moved(before, after):
        passed = _passed(moved, before, after)
        if any(rules[moved].period.overlaps(rules[other].period) for other in passed):
            place = _place(moved, after)
            message = f"{sentence(_what(decision, moved))} stands {place}; it stood {_place(moved, before)}."
            words = wording(_place(moved, before), rules[moved]), wording(place, rules[moved])
            patch = _in_rules(decision, _reordered(old.rules, moved, after, names))
            yield Found(_told(sides, decision, moved, message, *words), patch)


def _moved(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The fewest names that have to move for one order to become the other."""
    places = {name: at for at, name in enumerate(before)}
    stay = _longest_ascent([places[name] for name in after])
    return [name for name in after if places[name] not in stay]


def _longest_ascent(numbers: Sequence[int]) -> set[int]:
    """As many of some different numbers as can be that stand in ascending order.

    >>> sorted(_longest_ascent([4, 0, 1, 3, 2]))
    [0, 1, 2]
    """
    least: list[int] = []  # for each length the least number that such an ascent ends with
    lengths = []
    for number in numbers:
        lengths.append(bisect_left(least, number))
        least[lengths[-1] : lengths[-1] + 1] = [number]
    kept: list[int] = []
    for number, length in reversed([*zip(numbers, lengths, strict=True)]):
        if length == len(least) - 1 - len(kept) and (not kept or number < kept[-1]):
            kept.append(number)
    return {*kept}


def _passed(moved: str, before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The names that stood on the other side of one."""
    return {*before[: before.index(moved)]} ^ {*after[: after.index(moved)]}


def _place(name: str, order: Sequence[str]) -> str:
    at = order.index(name)
    return f"before {quoted(order[at + 1])}" if at + 1 < len(order) else "last"


def _reordered(rules: Sequence[Rule], moved: str, after: Sequence[str], names: Mapping[str, str]) -> list[Rule]:
    """The old rules with one moved to where it stands in the new order."""
    rule = next(rule for rule in rules if names.get(rule.id) == moved)
    return _inserted([one for one in rules if one is not rule], rule, _behind(moved, after), names)
