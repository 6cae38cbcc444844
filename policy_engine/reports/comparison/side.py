"""A side of a comparison: a ruleset, the day it is asked about, the readings chosen, and what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.rulesets import ALWAYS, Ruleset


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: a ruleset as it is asked on a day under chosen readings, and what it is called."""

    ruleset: Ruleset
    as_of: date
    readings: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    def engine(self) -> Engine:
        """An engine that asks this version on every day."""
        return Engine(Rulebook((replace(self.ruleset, period=ALWAYS),), ()))


def refuse_without_value(side: Side) -> None:
    """A parameter has values over its version's period, and need not have one on other days; raises `CannotRun`."""
    for parameter in side.ruleset.parameters:
        if not any(side.as_of in value.period for value in parameter.values):
            raise CannotRun(
                f"the parameter `{parameter.name}` of version {side.ruleset.version} has no value on {side.as_of}; "
                "ask as of a day on which both versions have all their values (--as-of)"
            )


def called(side: Side, other: Side) -> str:
    """What a side is called beside the other: as it was named, or by its version; with a day and readings of its own."""
    day = f" as of {side.as_of}" if side.as_of != other.as_of else ""
    own = ", ".join(f"{name} {choice}" for name, choice in side.readings.items() if other.readings.get(name) != choice)
    return f"{side.name or f'version {side.ruleset.version}'}{day}{f' with {own}' if own else ''}"
