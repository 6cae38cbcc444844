"""Deciding again what a decision log remembers: under the text that decided, or under another, record by record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from policy_engine.answering import all_decided, decided
from policy_engine.compiled import CompiledQuestion, CompiledRulebook
from policy_engine.decision_log.reading import ReadRecord
from policy_engine.decision_log.records import Answered, Entry
from policy_engine.documents.facts_files import plain_facts, read_json
from policy_engine.errors import FactsError, NotInForce, UnknownReading
from policy_engine.frontend.loader import Rulebook
from policy_engine.language.decisions import Decision
from policy_engine.language.expressions import expressions_of
from policy_engine.language.mentions import depends_on, logic_of, wording_of
from policy_engine.language.rulesets import Ruleset

COMPARED = ("status", "outcome", "rules", "missing")
"""What is compared of answers beside their values; under the same ruleset their reasons too."""
NO_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "refusal": "the facts were invalid, and of those no value is kept",
        "search": "it was a search, of which only what was found is kept",
    }
)
"""Kinds of records that hold no facts, and why."""


class CannotReplay(Exception):  # noqa: N818 - not an error: the record is told apart, with the reason
    """A record that cannot be decided again; the message says why."""


Under = Callable[[Entry], Ruleset]
"""Which ruleset decides an entry's question again; raises `CannotReplay`."""
Told = Mapping[str, Any]
"""An answer in JSON types: `COMPARED`, `values` and `reason`."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that comes out otherwise.

    Where the facts are invalid by the other ruleset, `replayed` has the status invalid, and the violations as its reason.
    """

    id: str
    account: str
    decision: str
    as_of: str
    recorded: Told
    replayed: Told

    def to_dict(self) -> dict[str, object]:
        """The difference in JSON types."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Replayed:
    """A record that was decided again, and what came out otherwise.

    `one_sided` are the decisions, and the values as `DECISION.NAME`, that only the record or only the other ruleset has.
    """

    differences: tuple[Difference, ...]
    one_sided: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotReplayed:
    """A record that could not be decided again, and why."""

    id: str
    why: str


def replay(records: Iterable[ReadRecord], under: Under, rulebook: Rulebook) -> Iterator[Replayed | NotReplayed]:
    """Decide records again, one at a time; those about the log itself are passed over."""
    compiled = CompiledRulebook(rulebook)
    masked = _Masked()
    for record in records:
        if record.entry.question:
            try:
                yield _replayed(record, under, compiled, masked)
            except CannotReplay as reason:
                yield NotReplayed(record.entry.id, str(reason))


def under_recorded(rulebook: Rulebook) -> Under:
    """Under the text that decided, which is known by its digest."""
    known = {ruleset.digest: ruleset for ruleset in rulebook.rulesets}

    def find(entry: Entry) -> Ruleset:
        ruleset = known.get(entry.ruleset.digest)
        if ruleset is None:
            told = f"`{entry.ruleset.id}` version {entry.ruleset.version}, {entry.ruleset.digest}"
            raise CannotReplay(f"the text that decided is not among the rules: {told}")
        return ruleset

    return find


def under_in_force(rulebook: Rulebook) -> Under:
    """Under the version that is in force on the day of the question."""

    def find(entry: Entry) -> Ruleset:
        try:
            return rulebook.in_force(entry.ruleset.id, date.fromisoformat(entry.as_of))
        except (NotInForce, LookupError):
            raise CannotReplay(f"no version of `{entry.ruleset.id}` is in force on the day of the question") from None

    return find


def under_version(ruleset: Ruleset) -> Under:
    """Under one version, whatever its period; of other rulesets nothing is decided."""

    def find(entry: Entry) -> Ruleset:
        if entry.ruleset.id != ruleset.id:
            raise CannotReplay(f"it is a question of another ruleset than `{ruleset.id}`")
        _require_values(ruleset, date.fromisoformat(entry.as_of))
        return ruleset

    return find


def _require_values(ruleset: Ruleset, day: date) -> None:
    """Raises `CannotReplay` where a parameter has no value, which may be outside of the ruleset's period."""
    for parameter in ruleset.parameters:
        if not any(day in value.period for value in parameter.values):
            raise CannotReplay(f"the parameter `{parameter.name}` has no value on the day of the question")


class _Masked:
    """Which questions rest on masked facts, worked out once for each."""

    def __init__(self) -> None:
        self.rest = lru_cache(maxsize=1_000)(_rests_on)

    def refuse(self, entry: Entry, ruleset: Ruleset, masked: Sequence[str]) -> None:
        """Raises `CannotReplay` where a question rests on facts that were masked, or must be validated without them."""
        if ruleset.digest != entry.ruleset.digest:
            raise CannotReplay("facts were masked, and cannot be validated by another ruleset")
        if self.rest(ruleset, entry.question.partition(".")[2], tuple(masked)):
            raise CannotReplay("facts were masked on which the answer rests")


def _rests_on(ruleset: Ruleset, decision: str, masked: tuple[str, ...]) -> bool:
    """Whether a decision, or one of all where none is named, reads one of these facts, or its sentences do."""
    reads = depends_on(ruleset, masked)
    asked = [logic for logic in ruleset.decisions if decision in ("", logic.name)]
    conditions = (condition for logic in asked for condition in (*logic_of(logic), *wording_of(logic)))
    return any(reads(expression) for condition in conditions for expression in expressions_of(condition))


def _replayed(record: ReadRecord, under: Under, compiled: CompiledRulebook, masked: _Masked) -> Replayed:
    payload, entry = _payload(record), record.entry
    ruleset = under(entry)
    if payload["masked"]:
        masked.refuse(entry, ruleset, payload["masked"])
    before = {one.decision: _recorded(one, told) for one, told in zip(entry.answers, payload["answers"], strict=True)}
    after = _decided_again(entry, payload, ruleset, compiled)
    same = ruleset.digest == entry.ruleset.digest
    shared = {name: (before[name], after[name]) for name in before if name in after}
    differences = (
        Difference(entry.id, payload["account"], name, entry.as_of, one, other)
        for name, (one, other) in shared.items()
        if not _agree(one, other, same=same)
    )
    return Replayed(tuple(differences), () if same else tuple(_one_sided(before, after)))


def _agree(one: Told, other: Told, *, same: bool) -> bool:
    """Whether two answers are the same in all that counts; values that only one has do not."""
    if same:
        return all(one[key] == other[key] for key in (*COMPARED, "values", "reason"))
    values, others = one["values"], other["values"]
    return all(one[key] == other[key] for key in COMPARED) and all(
        values[name] == others[name] for name in values if name in others
    )


def _one_sided(before: Mapping[str, Told], after: Mapping[str, Told]) -> Iterator[str]:
    yield from sorted(before.keys() ^ after.keys())
    for name in before.keys() & after.keys():
        if after[name]["status"] != "invalid":
            yield from (
                f"{name}.{value}" for value in sorted(before[name]["values"].keys() ^ after[name]["values"].keys())
            )


def _payload(record: ReadRecord) -> dict[str, Any]:
    """The payload of answers; raises `CannotReplay`."""
    if record.entry.kind in NO_FACTS:
        raise CannotReplay(NO_FACTS[record.entry.kind])
    if record.payload is None:
        raise CannotReplay(f"the payload is {record.state}")
    payload = plain_facts(record.payload) or read_json(record.payload.decode())
    if not isinstance(payload, dict) or not {"account", "answers", "facts", "masked"} <= payload.keys():
        raise CannotReplay("the payload holds no facts")
    return payload


def _recorded(answer: Answered, told: Told) -> Told:
    outcome = list(answer.outcome) if isinstance(answer.outcome, tuple) else answer.outcome
    return {"status": answer.status, "outcome": outcome, "rules": list(answer.rules), **told}


def _decided_again(entry: Entry, payload: Told, ruleset: Ruleset, compiled: CompiledRulebook) -> dict[str, Told]:
    day, name = date.fromisoformat(entry.as_of), entry.question.partition(".")[2]
    if name and all(logic.name != name for logic in ruleset.decisions):
        raise CannotReplay(f"there is no decision `{name}` in version {ruleset.version} of `{ruleset.id}`")
    try:
        question = compiled.compiled(ruleset, day, entry.readings).question(name)
        answers = _asked(question, entry.question, payload["facts"], day, trusted=bool(payload["masked"]))
    except UnknownReading as error:
        raise CannotReplay(f"a reading was switched that this ruleset does not have: {error}") from None
    except FactsError as error:
        invalid: Told = {
            "status": "invalid",
            "outcome": None,
            "rules": [],
            "values": {},
            "missing": [],
            "reason": str(error),
        }
        return {answer.decision: invalid for answer in entry.answers}
    return {answer.decision: _told(answer) for answer in answers}


def _asked(question: CompiledQuestion, name: str, facts: Any, day: date, *, trusted: bool) -> Sequence[Decision]:
    if "." in name:
        return [decided(question, name, facts, day, trusted)]
    return list(all_decided(question, facts, day, trusted).values())


def _told(answer: Decision) -> Told:
    return {**json.loads(answer.summary()), **json.loads(answer.particulars())}
