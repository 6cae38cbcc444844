"""Rules in plain YAML, checked against the schema of their facts, decided exactly and explained."""

from importlib import import_module
from typing import TYPE_CHECKING

from policy_engine import version

if TYPE_CHECKING:
    from policy_engine.api import Engine, open_log
    from policy_engine.decision_log.in_process import DecisionLog
    from policy_engine.diagnostics import Diagnostic
    from policy_engine.errors import (
        CannotRun,
        EngineFault,
        FactsError,
        LogUnavailable,
        NotInForce,
        PolicyError,
        RulesetError,
        UnknownDecision,
        UnknownReading,
        Violation,
    )
    from policy_engine.language.decisions import Decision, Status
    from policy_engine.language.rulesets import Ruleset
    from policy_engine.language.traces import Explanation, Origin, RuleTrace, Step, Trace, Verdict
    from policy_engine.reports.frames import DecidedTable
    from policy_engine.reports.run import ReportResult

__all__ = [
    "CannotRun",
    "DecidedTable",
    "Decision",
    "DecisionLog",
    "Diagnostic",
    "Engine",
    "EngineFault",
    "Explanation",
    "FactsError",
    "LogUnavailable",
    "NotInForce",
    "Origin",
    "PolicyError",
    "ReportResult",
    "RuleTrace",
    "Ruleset",
    "RulesetError",
    "Status",
    "Step",
    "Trace",
    "UnknownDecision",
    "UnknownReading",
    "Verdict",
    "Violation",
    "__version__",
    "open_log",
]

__version__ = version.VERSION
_PLACES = {
    **dict.fromkeys(("Decision", "Status"), "policy_engine.language.decisions"),
    **dict.fromkeys(
        ("Explanation", "Origin", "RuleTrace", "Step", "Trace", "Verdict"), "policy_engine.language.traces"
    ),
    "Diagnostic": "policy_engine.diagnostics",
    "DecidedTable": "policy_engine.reports.frames",
    "DecisionLog": "policy_engine.decision_log.in_process",
    **dict.fromkeys(("Engine", "open_log"), "policy_engine.api"),
    "ReportResult": "policy_engine.reports.run",
    "Ruleset": "policy_engine.language.rulesets",
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
