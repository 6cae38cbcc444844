"""Which test cases are run, and which of them failed the last time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from policy_engine.errors import CannotRun
from policy_engine.files import write_whole
from policy_engine.frontend.rule_cases import RuleCase

LAST_FAILED = Path(".policy_cache", "last_failed.json")
"""The names of the cases that failed the last time, in the folder in which the command was run."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The words that a case must have in its file, ruleset or name, and whether only what failed the last time is run."""

    words: str | None = None
    last_failed: bool = False

    @property
    def is_all(self) -> bool:
        """Whether every case is run."""
        return self.words is None and not self.last_failed

    def of(self, cases: Sequence[RuleCase]) -> list[RuleCase]:
        """The cases that are run, in their order."""
        failed = _remembered() if self.last_failed else set()
        again = [case for case in cases if _name(case) in failed]
        words = (self.words or "").casefold()
        return [case for case in again or cases if words in f"{case.span.path} {case.ruleset} {case.name}".casefold()]


def remember(selected: Iterable[RuleCase], unsolved: Iterable[RuleCase]) -> None:
    """Keep for the next time the cases that failed or were not come to; those that were not selected stay as they were."""
    names, known = {_name(case) for case in unsolved}, {_name(case) for case in selected}
    kept = names | (_remembered() - known)
    if kept != _remembered():
        LAST_FAILED.parent.mkdir(exist_ok=True)
        write_whole(LAST_FAILED, json.dumps(sorted(kept)) + "\n")


def _name(case: RuleCase) -> str:
    return f"{case.span.path}::{case.name}"


def _remembered() -> set[str]:
    try:
        found = json.loads(LAST_FAILED.read_text("utf-8"))
    except FileNotFoundError:
        return set()
    except (OSError, ValueError) as error:
        raise CannotRun(f"`{LAST_FAILED}` cannot be read ({error}); delete it") from error
    return {name for name in found if isinstance(name, str)} if isinstance(found, list) else set()
