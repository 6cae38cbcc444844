"""A rules engine whose rules are plain YAML, type-checked against the JSON Schema of the facts."""

from policy_engine.engine import Engine
from policy_engine.errors import (
    CannotRun,
    FactsError,
    NotInForce,
    PolicyError,
    RulesetError,
    UnknownDecision,
    UnknownReading,
    Violation,
)
from policy_engine.language.decisions import Decision, Explanation, Status

__all__ = [
    "CannotRun",
    "Decision",
    "Engine",
    "Explanation",
    "FactsError",
    "NotInForce",
    "PolicyError",
    "RulesetError",
    "Status",
    "UnknownDecision",
    "UnknownReading",
    "Violation",
]
