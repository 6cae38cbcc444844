"""A comparison in JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from policy_engine.errors import Violation
from policy_engine.language.decisions import Decision
from policy_engine.language.rule_changes import RuleChange, SearchedChanges, Witness
from policy_engine.reports.compare import Comparison
from policy_engine.reports.comparison import words
from policy_engine.reports.comparison.counts import AttributionCount, Change, ChangedAccount
from policy_engine.reports.comparison.moves import Distribution
from policy_engine.reports.comparison.result import Compared, RulesetCompared
from policy_engine.reports.comparison.side import Side
from policy_engine.version import VERSION

EDITION = 2
"""Raised whenever a comparison has other members than before."""


def comparison_in_json(found: Compared) -> dict[str, object]:
    """The whole comparison; amounts are texts, so that every reader gets them exactly."""
    return {
        "comparison": EDITION,
        "engine": VERSION,
        "audience": found.audience,
        "rulesets": [_ruleset(one) for one in found.rulesets],
        "only_old": list(found.only_old),
        "only_new": list(found.only_new),
    }


def _ruleset(one: RulesetCompared) -> dict[str, object]:
    return {
        "ruleset": one.ruleset,
        "old": _side(one.old),
        "new": _side(one.new),
        "text": [_rule_change(change) for change in one.text],
        "searched": None if one.searched is None else _searched_changes(one.searched, one.is_for_customers),
        "people": None if one.people is None else _people(one.people),
        "inputs": [file.to_dict() for file in one.inputs],
        "fetched": [rows.to_dict() for rows in one.fetched],
    }


def _side(side: Side) -> dict[str, object]:
    return {
        "name": side.name or None,
        "version": side.ruleset.version,
        "digest": side.ruleset.digest,
        "as_of": side.as_of.isoformat(),
        "readings": dict(side.readings),
    }


def _rule_change(change: RuleChange) -> dict[str, object]:
    return {
        "kind": str(change.kind),
        "name": change.name,
        "effect": str(change.effect),
        "message": change.message,
        "old": change.old and change.old.words,
        "new": change.new and change.new.words,
    }


def _searched_changes(found: SearchedChanges, is_withheld: bool) -> dict[str, object]:
    """The search for witnesses: for each change in its order, and for both sides as they are where no change has one."""
    return {
        "changes": [
            {"tries": one.tries, "alone": one.alone, "witness": _witness(one.witness, is_withheld)}
            for one in found.searched
        ],
        "tries": found.tries,
        "witness": _witness(found.witness, is_withheld),
    }


def _witness(found: Witness | None, is_withheld: bool) -> dict[str, object] | None:
    if found is None:
        return None
    if is_withheld:
        return {"withheld": True}
    sides = zip((found.old, found.new), found.days, found.readings, strict=True)
    told = ({"as_of": str(day), "readings": dict(under), **_said(side)} for side, day, under in sides)
    facts = {"decision": found.decision or None, "part": found.part, "facts": _plain(found.facts)}
    return facts | dict(zip(("old", "new"), told, strict=True))


def _said(side: Decision | tuple[Violation, ...]) -> dict[str, object]:
    if isinstance(side, Decision):
        return {"answer": side.to_dict()}
    return {"violations": [{"pointer": one.pointer, "message": one.message} for one in side]}


def _plain(value: Any) -> Any:
    """Facts in JSON types; a decimal is a number that has all its digits, or else a text."""
    match value:
        case Mapping():
            return {name: _plain(part) for name, part in value.items()}
        case list():
            return [_plain(part) for part in value]
        case Decimal():
            return number if Decimal(repr(number := float(value))) == value else str(value)
    return value


def _people(found: Comparison) -> dict[str, object]:
    return {
        "rows": found.rows,
        "compared": found.compared,
        "invalid": [
            {
                "to": one.to,
                "rows": one.rows,
                "examples": [{"row": row, "key": key, "violation": wrong} for row, key, wrong in one.examples],
            }
            for one in found.invalid
        ],
        "one_sided": [{"name": one.name, "only": one.only} for one in found.one_sided],
        "changes": [_change(one) for one in found.changes],
        "values": [_distribution(one) for one in found.distributions],
    }


def _change(one: Change) -> dict[str, object]:
    return {
        "decision": one.decision,
        "part": one.part,
        "old": one.old or None,
        "new": one.new or None,
        "rows": one.rows,
        "attributions": [_attribution(attribution, one.part) for attribution in one.attributions],
        "other_attributions": one.other_attributions,
    }


def _attribution(one: AttributionCount, part: str) -> dict[str, object]:
    return {
        "why": one.why,
        "sentence": words.attribution(one, part) or None,
        "rule": one.rule,
        "condition": one.condition,
        "old_condition": one.old_condition,
        "old_value": one.old_value,
        "new_value": one.new_value,
        "rows": one.rows,
        "examples": [_account(account) for account in one.examples],
    }


def _account(one: ChangedAccount) -> dict[str, object]:
    return {
        "row": one.row,
        "key": one.key,
        "old": one.old,
        "new": one.new,
        "old_value": one.old_value,
        "new_value": one.new_value,
        "old_reason": one.old_reason,
        "new_reason": one.new_reason,
    }


def _distribution(one: Distribution) -> dict[str, object]:
    return {
        "decision": one.decision,
        "value": one.value,
        "unit": one.unit or None,
        "up": one.up,
        "down": one.down,
        "gained": _text(one.gained),
        "lost": _text(one.lost),
        "least": _text(one.least),
        "greatest": _text(one.greatest),
        "quantiles": {f"{percent}%": _text(number) for percent, number in one.quantiles.items()},
    }


def _text(number: Decimal) -> str:
    return f"{number:f}"
