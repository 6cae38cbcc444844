"""Rules in plain YAML, checked against the schema of their facts, decided exactly and explained."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from policy_engine.language.decisions import Decision, Status
    from policy_engine.language.traces import Explanation

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

_PLACES = {
    **dict.fromkeys(("Decision", "Status"), "policy_engine.language.decisions"),
    "Explanation": "policy_engine.language.traces",
    "Engine": "policy_engine.engine",
}
"""Where public names are defined; all others in `errors`."""


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for, so that a command can begin before the engine is there."""
    if name not in __all__:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    value: object = getattr(import_module(_PLACES.get(name, "policy_engine.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
