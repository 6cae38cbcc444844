"""The choice of each reading of a ruleset, as it is written or as a caller switches it."""

from __future__ import annotations

from collections.abc import Mapping

from policy_engine.diagnostics import unknown_name
from policy_engine.errors import UnknownReading
from policy_engine.language.rulesets import Ruleset


def choices_of(ruleset: Ruleset, readings: Mapping[str, str]) -> dict[str, str]:
    """The choice of each reading, switched as asked; raises `UnknownReading`."""
    choices = {reading.name: reading.choice for reading in ruleset.readings}
    for name, choice in readings.items():
        if name not in choices:
            raise UnknownReading(unknown_name(f"reading of `{ruleset.id}`", name, list(choices)))
        reading = ruleset.reading(name)
        allowed = [each.name for each in reading.choices]
        if choice not in allowed:
            raise UnknownReading(unknown_name(f"choice of `{name}`", choice, allowed))
        if reading.fixed and choice != reading.choice:
            raise UnknownReading(f"the reading `{name}` is fixed at `{reading.choice}`")
        choices[name] = choice
    return choices
