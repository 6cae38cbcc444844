"""The exceptions that callers meet.

PolicyError
├── RulesetError       the rule or schema files have faults; carries `diagnostics`
├── FactsError         the facts are invalid; carries `violations`
├── NotInForce         no version of the ruleset is in force on the day asked for
├── UnknownDecision    no such ruleset or decision
├── UnknownReading     no such reading, or no such choice of it
└── CannotRun          a file or folder cannot be read or written

EngineFault            this program is at fault, and not what it was given; no PolicyError, for no caller can mend it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from policy_engine.diagnostics import Diagnostic


class PolicyError(Exception):
    """Anything that keeps this package from giving an answer."""


class EngineFault(Exception):  # noqa: N818 - a fault of this program, in the words of its messages
    """This program failed at input that it has to take; `__cause__` is what failed."""


class RulesetError(PolicyError):
    """The files have faults: `diagnostics` lists every one, sorted by place."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(f"{d.span}: {d.code}: {d.message}" for d in self.diagnostics))


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which facts are invalid.

    `pointer` is the JSON pointer of the value ("" is the facts as a whole), `value` the value in JSON types, `keyword` the
    schema's keyword (or `check`), `expected` what was expected, `message` one sentence, `description` the schema's own
    words about the fact ("" where it has none).
    """

    pointer: str
    value: object
    keyword: str
    expected: str
    message: str
    description: str = ""

    def to_dict(self) -> dict[str, object]:
        """The violation in JSON types."""
        return {name: getattr(self, name) for name in self.__slots__}


class FactsError(PolicyError):
    """The facts are invalid and nothing was decided: `violations` lists every reason, in document order."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__("; ".join(f"{v.pointer or '(the facts)'}: {v.message}" for v in self.violations))


class NotInForce(PolicyError):  # noqa: N818 - the name is part of the interface
    """The ruleset has no version for the day; the message names the periods it has."""


class UnknownDecision(PolicyError):  # noqa: N818 - the name is part of the interface
    """No ruleset or decision has this name; the message suggests the nearest."""


class UnknownReading(PolicyError):  # noqa: N818 - named like its siblings
    """No reading has this name, or it has no such choice, or it is fixed."""


class CannotRun(PolicyError):  # noqa: N818 - named like its siblings
    """A file or folder cannot be read or written; the message says which and why."""
