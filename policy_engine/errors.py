"""The exceptions that callers meet.

PolicyError
├── RulesetError       the rule or schema files have faults; carries `diagnostics`
├── FactsError         the facts are invalid; carries `violations`
├── NotInForce         no version of the ruleset is in force on the day asked for
├── UnknownDecision    no such ruleset or decision
├── UnknownReading     no such reading, or no such choice of it
├── CannotRun          a file or folder cannot be read or written
└── LogUnavailable     the answer could not be recorded, so it is not given

EngineFault            this program is at fault, and not what it was given; no PolicyError, for no caller can mend it
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from policy_engine.diagnostics import Diagnostic


class FrozenObject(dict[str, Any]):
    """A JSON object that cannot be changed; it is equal to a dictionary with the same members."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this object cannot be changed; make a dictionary of it first")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # a dictionary has none, since it can be changed
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[object, ...]:
        return FrozenObject, (dict(self),)


def frozen(value: object) -> object:
    """A JSON value of our own making: objects and lists, however deep, are copied into what cannot be changed."""
    if isinstance(value, Mapping):
        return FrozenObject({name: frozen(member) for name, member in value.items()})
    if isinstance(value, list | tuple):
        return tuple(frozen(item) for item in value)
    return value


def thawed(value: object) -> object:
    """A frozen value as dictionaries and lists."""
    if isinstance(value, Mapping):
        return {name: thawed(member) for name, member in value.items()}
    return [thawed(item) for item in value] if isinstance(value, tuple) else value


class _Fault(Exception):  # noqa: N818 - not an error that is raised, but what all of ours have in common
    """An error as a value: what it carries never changes, and two that carry the same are equal, in any process."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.args == other.args

    def __hash__(self) -> int:
        return hash((type(self), self.args))

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("__"):  # where Python notes its traceback, its cause and notes
            raise AttributeError(f"an error cannot be changed, so `{name}` cannot be set")
        super().__setattr__(name, value)


class PolicyError(_Fault):
    """Anything that keeps this package from giving an answer."""


class EngineFault(_Fault):
    """This program failed at input that it has to take; `__cause__` is what failed."""


class RulesetError(PolicyError):
    """The files have faults: `diagnostics` lists every one, sorted by place."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        super().__init__(tuple(diagnostics))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every fault."""
        return self.args[0] if self.args else ()

    def __str__(self) -> str:
        return "\n".join(f"{d.span}: {d.code}: {d.message}" for d in self.diagnostics)


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which facts are invalid.

    `pointer` is the JSON pointer of the value ("" is the facts as a whole), `value` a copy of the value as it was, in JSON types
    that cannot be changed (a list is a tuple), `keyword` the schema's keyword (or `check`), `expected` what was expected,
    `message` one sentence, `description` the schema's own words about the fact ("" where it has none).
    """

    pointer: str
    value: object
    keyword: str
    expected: str
    message: str
    description: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", frozen(self.value))

    def to_dict(self) -> dict[str, object]:
        """The violation in JSON types."""
        return {name: thawed(getattr(self, name)) for name in self.__slots__}


class FactsError(PolicyError):
    """The facts are invalid and nothing was decided: `violations` lists every reason, in document order."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        super().__init__(tuple(violations))

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Every reason."""
        return self.args[0] if self.args else ()

    def __str__(self) -> str:
        return "; ".join(f"{v.pointer or '(the facts)'}: {v.message}" for v in self.violations)


class NotInForce(PolicyError):  # noqa: N818 - the name is part of the interface
    """The ruleset has no version for the day; the message names the periods it has."""


class UnknownDecision(PolicyError):  # noqa: N818 - the name is part of the interface
    """No ruleset or decision has this name; the message suggests the nearest."""


class UnknownReading(PolicyError):  # noqa: N818 - named like its siblings
    """No reading has this name, or it has no such choice, or it is fixed."""


class CannotRun(PolicyError):  # noqa: N818 - named like its siblings
    """A file or folder cannot be read or written; the message says which and why."""


class LogUnavailable(PolicyError):  # noqa: N818 - named like its siblings
    """An answer could not be recorded, so it is not given; the message says why and what to do."""
