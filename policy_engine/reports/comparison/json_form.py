"""A comparison in JSON types."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from policy_engine.language.rule_changes import RuleChange, Searched
from policy_engine.reports.compare import Comparison
from policy_engine.reports.comparison import words
from policy_engine.reports.comparison.counts import AttributionCount, Change, ChangedAccount, Distribution
from policy_engine.reports.comparison.result import Compared, RulesetCompared
from policy_engine.reports.comparison.side import Side
from policy_engine.version import VERSION

EDITION = 1
"""Raised whenever a comparison has other members than before."""


def to_json(found: Compared) -> dict[str, object]:
    """The whole comparison; amounts are texts, so that every reader gets them exactly."""
    return {
        "comparison": EDITION,
        "engine": VERSION,
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
        "searched": [_searched(each) for each in one.searched],
        "people": None if one.people is None else _people(one.people),
        "inputs": [file.to_dict() for file in one.inputs],
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


def _searched(one: Searched) -> dict[str, object]:
    witness = one.witness
    facts: Mapping[str, object] | None = None if witness is None else witness.facts
    return {"name": one.change.name, "tries": one.tries, "alone": one.alone, "facts": facts}


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
