"""What a back end is: it compiles a ruleset for an `as_of` date and a choice of readings into a function of facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from policy_engine.language.rulesets import Ruleset

Answer = Mapping[str, Mapping[str, Any]]
"""For each decision at least its status, outcome, rules, values and missing facts, as `Decision.to_dict` gives them."""
Answers = Callable[[Sequence[Any]], Sequence[Answer]]
"""The answers about several sets of facts, which are valid, hold for all checks and are in JSON types."""


class BackEnd(Protocol):
    """Compiles a ruleset; a reading has the choice written in the ruleset unless the caller switches it."""

    def __call__(self, ruleset: Ruleset, readings: Mapping[str, str], as_of: date) -> Answers:
        """Raise `UnknownReading`, or `RulesetError` with a diagnostic at the part that this back end cannot do exactly."""
        ...
