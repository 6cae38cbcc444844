"""A comparison in sentences, which its forms share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from policy_engine.language.rule_changes import Effect, RuleChange
from policy_engine.language.witness_words import search_words, whole_words
from policy_engine.reports.compare import Comparison, InvalidRows
from policy_engine.reports.comparison.attributions import Why
from policy_engine.reports.comparison.changes import ANSWER, RULES
from policy_engine.reports.comparison.counts import AttributionCount, Change, ChangedAccount
from policy_engine.reports.comparison.moves import Distribution
from policy_engine.reports.comparison.result import RulesetCompared
from policy_engine.reports.comparison.side import Side, called
from policy_engine.reports.differences import Difference
from policy_engine.reports.explanations import MASK

NOT_FOUND = "what made the difference was not found"
FOR_CUSTOMERS = (
    "For customers: facts that a schema marks `x-sensitive` are withheld. "
    "Who knows the rules can learn from the rest what such a fact must have been."
)
FACTS_WITHHELD = "Facts that show it were found; they are withheld."
SOME_FACTS_WITHHELD = "Facts about which both sides answer differently were found; they are withheld."


def title(old: Side, new: Side) -> str:
    """What is compared with what."""
    before, after = called(old, new), called(new, old)
    after = after.removeprefix("version ") if before.startswith("version ") else after
    day = f", as of {new.as_of}" if old.as_of == new.as_of else ""
    return f"{new.ruleset.id}: {before} against {after}{day}"


def the_same(names: Sequence[str]) -> str:
    """What is said of rulesets that differ in nothing."""
    return f"{len(names)} {'ruleset means' if len(names) == 1 else 'rulesets mean'} the same: {', '.join(names)}"


def rule_change(change: RuleChange) -> str:
    """A change of the rules; one that alters no answer is told as such."""
    said = " (this alters no answer, only what is said of it)" if change.effect is Effect.REASON else ""
    return f"{change.message}{said}"


def shown_by(one: RulesetCompared, change: RuleChange) -> Iterator[str]:
    """The facts that show a change, where they were looked for."""
    searched = one.search_for(change)
    if searched is None:
        return iter(())
    if one.is_for_customers and searched.witness is not None:
        return iter((FACTS_WITHHELD,))
    return search_words(searched)


def shown_by_none(one: RulesetCompared) -> Iterator[str]:
    """What was found of both sides as they are, where no change has a witness."""
    if one.searched is None:
        return iter(())
    if one.is_for_customers and one.searched.witness is not None:
        return iter((SOME_FACTS_WITHHELD,))
    return whole_words(one.searched)


def altering_nothing(number: int) -> str:
    """How many changes are not told."""
    return f"{number} change{'s' * (number != 1)} of texts and names that alter{'s' * (number == 1)} nothing"


def accounts(found: Comparison) -> str:
    """How many accounts were compared, and how many not."""
    number = f"{found.rows:,} account{'s' * (found.rows != 1)}"
    return f"{number}, {found.compared:,} compared, {found.rows - found.compared:,} invalid"


def invalid_to(found: Comparison, invalid: InvalidRows) -> str:
    """To whom rows are invalid."""
    old, new = (side.name or side.ruleset.version for side in (found.old, found.new))
    both = "both sides" if found.old.name or found.new.name else "both versions"
    return {"both": both, "old": f"{old} only", "new": f"{new} only"}[invalid.to]


def one_sided(found: Comparison) -> Iterator[str]:
    """The decisions and values that one side alone has."""
    for one in found.one_sided:
        side = found.old if one.only == "old" else found.new
        kind = "value" if "." in one.name else "decision"
        yield f"only {side.name or side.ruleset.version} has the {kind} {one.name}"


def change(one: Change | Difference) -> str:
    """What changes: an answer, the rules that gave the same answer, a value, or what is missing."""
    match one.part:
        case "answer":
            return f"{one.old} -> {one.new}"
        case "rules":
            return f"the same answer by other rules, {one.old} -> {one.new}"
        case "missing":
            return "other facts are missing"
    return f"the value {one.part.removeprefix('values.')} differs"


def attribution(one: AttributionCount, part: str = ANSWER) -> str:
    """What made the difference, in the author's words; "" where nothing is sought, as for missing facts."""
    if one.why is None:
        return "" if part == "missing" else NOT_FOUND
    rule = f" (rule {one.rule})" if one.rule is not None and one.why in CONDITIONS else ""
    return f"{_attribution(one)}{rule}"


CONDITIONS = (Why.CONDITION, Why.NEW_PART, Why.OLD_PART)


def _attribution(one: AttributionCount) -> str:
    rule = MASK if one.rule is None else one.rule
    match one.why:
        case Why.CONDITION if one.old_condition is not None:
            was = f"`{one.old_condition}`{_was(one.old_value, one.old_condition)}"
            return f"`{one.condition}`{_is(one.new_value, one.condition)} in place of {was}"
        case Why.CONDITION:
            is_told = one.old_value is not None and one.new_value is not None
            return f"`{one.condition}` {f'is {one.new_value}, was {one.old_value}' if is_told else 'has another value'}"
        case Why.NEW_PART:
            return f"only the new side asks `{one.condition}`{_which(one.new_value, 'is')}"
        case Why.OLD_PART:
            return f"only the old side asked `{one.condition}`{_which(one.old_value, 'was')}"
        case Why.NEW_RULE:
            return f"the rule {rule} is new{_where(one)}"
        case Why.OLD_RULE:
            return f"the rule {rule} is gone{_where(one)}"
        case Why.OUTCOME:
            return f"the rule {rule} gives {one.new_value}, gave {one.old_value}"
        case Why.NAME:
            return f"the rule {rule} had another name"
        case Why.ORDER:
            return f"the order of the rules: {rule} decides now"
    return "the decision is made in another way"


def _is(value: str | None, condition: str | None) -> str:
    return f", which is {value}," if value is not None and value != condition else ""


def _was(value: str | None, condition: str) -> str:
    return f", which was {value}" if value is not None and value != condition else ""


def _which(value: str | None, verb: str) -> str:
    return f", which {verb} {value}" if value is not None else ""


def _where(one: AttributionCount) -> str:
    return f": `{one.condition}`" if one.condition else ""


def account(one: ChangedAccount, part: str) -> str:
    """What changes for an account: both values, or else the reason of the new answer."""
    if part in (ANSWER, RULES):
        return one.new_reason or ""
    return f"{one.old} -> {one.new}"


def named(row: int, key: str | None) -> str:
    """A row by its number and its key."""
    return f"{row}" if key is None else f"{row} {key}"


def distribution(one: Distribution) -> str:
    """By how much a value differs."""
    unit = f" {one.unit}" if one.unit else ""
    moved = [f"{one.up:,} up by {number(one.gained)}{unit} in sum"] if one.up else []
    moved += [f"{one.down:,} down by {number(one.lost)}{unit} in sum"] if one.down else []
    half = number(one.quantiles[50], signed=True)
    least, greatest = number(one.least, signed=True), number(one.greatest, signed=True)
    return f"{one.decision}: {one.value}: {', '.join(moved)}; from {least} to {greatest}, half at most {half}"


def number(value: Decimal, *, signed: bool = False) -> str:
    """A number with its thousands apart.

    >>> number(Decimal("-1234.50")), number(Decimal(60), signed=True)
    ('-1,234.50', '+60')
    """
    return f"{value:+,f}" if signed else f"{value:,f}"
