"""Rules in plain YAML, checked against the schema of their facts, decided exactly and explained."""

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
