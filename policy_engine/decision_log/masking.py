"""What the decision log does not keep of a question: facts that the schema masks, and the reasons and values that show them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from policy_engine.decision_log.records import canonical
from policy_engine.language.decisions import UNDETERMINED, Decision
from policy_engine.language.expressions import Expression
from policy_engine.language.mentions import depends_on, template_expressions
from policy_engine.language.rulesets import DecisionLogic, Quoted, Ruleset, Template, conclusions_of
from policy_engine.language.types import Logged, Member, Record, members_below, record_in

DIGEST = "digest:"
"""What begins the text that stands in the place of a fact of which a digest is kept."""

Digested = Callable[[str, Any], str]
"""What gives the text that stands in the place of a fact, told its path and its value in JSON types."""


@dataclass(frozen=True, slots=True)
class Mask:
    """What the log keeps of a fact: of it as a whole, else of its elements, else of its members, those that are masked."""

    path: str
    whole: Logged = Logged.KEEP
    elements: Logged = Logged.KEEP
    members: Mapping[str, Mask] = field(default_factory=dict)


def mask_of(record: Record, path: str = "") -> Mask:
    """The mask of the facts, or of a record in them; it has no members where nothing is masked."""
    masks = {
        member.name: _of_member(member, f"{path}.{member.name}" if path else member.name) for member in record.members
    }
    return Mask(path, members={name: mask for name, mask in masks.items() if _masks(mask)})


def _of_member(member: Member, path: str) -> Mask:
    below = record_in(member.type)
    return Mask(path, member.log, member.log_elements, mask_of(below, path).members if below is not None else {})


def _masks(mask: Mask) -> bool:
    return mask.whole is not Logged.KEEP or mask.elements is not Logged.KEEP or bool(mask.members)


def masked_paths(record: Record) -> tuple[str, ...]:
    """The facts that are masked, as a whole or in their elements, and all below them, in the order of the schema."""
    found: list[str] = []
    for path, member in members_below(record):
        is_marked = member.log is not Logged.KEEP or member.log_elements is not Logged.KEEP
        if is_marked or path.startswith(tuple(f"{above}." for above in found)):
            found.append(path)
    return tuple(found)


@dataclass(slots=True)
class Masking:
    """One set of facts being masked; `met` are the paths of what was masked."""

    digested: Digested
    met: dict[str, None] = field(default_factory=dict)

    def members(self, record: Mapping[str, Any], masks: Mapping[str, Mask]) -> dict[str, Any]:
        """A record as the log keeps it."""
        kept = {}
        for name, value in record.items():
            mask = masks.get(name)
            if mask is None or value is None:
                kept[name] = value
            elif mask.whole is Logged.DROP:
                self.met[mask.path] = None
            else:
                kept[name] = self.member(value, mask)
        return kept

    def member(self, value: Any, mask: Mask) -> Any:
        """A fact that is not dropped, as the log keeps it."""
        if mask.whole is Logged.DIGEST:
            return self.digest(value, mask)
        if isinstance(value, list):
            return self.elements(value, mask)
        return self.members(value, mask.members)

    def elements(self, values: list[Any], mask: Mask) -> list[Any]:
        """A list as the log keeps it."""
        if values and mask.elements is Logged.DROP:
            self.met[mask.path] = None
            return []
        if mask.elements is Logged.DIGEST:
            return [self.digest(value, mask) for value in values]
        return [
            self.elements(value, mask) if isinstance(value, list) else self.members(value, mask.members)
            for value in values
        ]

    def digest(self, value: Any, mask: Mask) -> str:
        """What stands in the place of a fact."""
        self.met[mask.path] = None
        return self.digested(mask.path, value)


def keyed_digests(key: bytes) -> Digested:
    """The digests of facts under a key, without which nobody can tell which of few values a fact had.

    Equal facts at one path have equal digests; numbers are equal however they are written, and records in whatever order.
    """

    def digested(path: str, value: Any) -> str:
        told = canonical([path, _told(value)])
        return DIGEST + hashlib.blake2b(told, digest_size=16, key=key, person=b"fact").hexdigest()

    return digested


def _told(value: Any) -> Any:
    """A value in JSON types of which equal ones are the same, with numbers that are no integers as objects."""
    match value:
        case dict():
            return {name: _told(member) for name, member in value.items() if member is not None}
        case list():
            return [_told(element) for element in value]
        case Decimal():
            return int(value) if value == value.to_integral_value() else {"": f"{value.normalize():f}"}
    return value


@dataclass(frozen=True, slots=True)
class Shown:
    """Which parts of the answers of one decision show masked facts: the reasons of rules, its own sentence, and values.

    `any_reason` is whether any of its reasons does.
    """

    rules: frozenset[str] = frozenset()
    own: bool = False
    any_reason: bool = False
    values: frozenset[str] = frozenset()

    def in_reason(self, decision: Decision) -> bool:
        """Whether the reason of an answer shows a masked fact, or could: causes name values, and other rules may be cited."""
        if decision.status is UNDETERMINED:
            return self.any_reason or not decision.missing
        return self.own or not self.rules.isdisjoint(decision.rules)


def shown_in(ruleset: Ruleset) -> dict[str, Shown]:
    """Which parts of the answers of each decision show masked facts; empty where nothing is masked."""
    masked = masked_paths(ruleset.facts.type)
    if not masked:
        return {}
    shows = depends_on(ruleset, masked)
    return {f"{ruleset.id}.{logic.name}": _shown(logic, shows) for logic in ruleset.decisions}


def _shown(logic: DecisionLogic, shows: Callable[[Expression], bool]) -> Shown:
    conclusions = list(conclusions_of(logic.body))
    rules = {rule for rule, then in conclusions if any(map(shows, _told_by(then.because)))}
    own = any(map(shows, _told_by(logic.because)))
    values = [*logic.values, *(value for _, then in conclusions for value in then.values)]
    hidden = frozenset(value.name for value in values if shows(value.expression))
    return Shown(frozenset(rules), own, bool(rules) or own, hidden)


def _told_by(template: Template | None) -> Iterator[Expression]:
    """The expressions whose values a sentence tells, constant words for one included."""
    yield from template_expressions(template)
    yield from (part.expression for part in (template.parts if template else ()) if isinstance(part, Quoted))
