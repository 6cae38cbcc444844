"""From a question and what came of it to the record that is kept; nothing is decided again, and no clock is read.

Payloads are JSON: `account`, `facts` as they were asked about, but for what the schema masks, `answers` with what may tell facts
(`missing`, `reason`, `values`), one for each answer of the entry, and `masked`, the facts of which something was masked. A reason
or a value that would show one of those is null, and named in a `masked` of its answer. Of refused facts there are `account` and
`violations`, each a pointer and a keyword, and no value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from json.encoder import encode_basestring
from typing import Any

from policy_engine.decision_log.masking import (
    Mask,
    Masking,
    Shown,
    keyed_digests,
    mask_of,
    masked_paths,
    shown_in,
)
from policy_engine.decision_log.records import (
    FORMAT,
    ID_BYTES,
    SALT_BYTES,
    Entry,
    Record,
    canonical,
    entry_bytes,
    payload_digest,
    sized,
    time_text,
    uuid7,
)
from policy_engine.documents.facts_files import facts_text, read_json
from policy_engine.engine import Asked
from policy_engine.errors import FactsError, LogUnavailable
from policy_engine.facts.plain import to_json_types
from policy_engine.language.decisions import Decision, RulesetReference
from policy_engine.language.rulesets import Ruleset
from policy_engine.language.types import Record as RecordType
from policy_engine.language.types import members_below

RANDOM_BYTES = ID_BYTES + SALT_BYTES
"""Random bytes of a record."""
MOST_FRAMES = 1_000
"""Rulesets whose frames are kept; past that all are made again when they are needed."""
LONGEST_ACCOUNT = 256
"""Characters of an account that is taken from facts that were refused."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a question is recorded, in milliseconds since 1970 in UTC, and `RANDOM_BYTES` random bytes for it."""

    milliseconds: int
    random: bytes


@dataclass(frozen=True, slots=True)
class Searched:
    """A search among known entities by a decision, and the ids that it gave; `asked` names the others by type and id."""

    question: str
    as_of: date
    asked: Mapping[str, object]
    results: Sequence[str]


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same in all records of a ruleset: the texts of `masked` and `ruleset`, and how facts are masked.

    `account` are the names that lead to the fact that is the account, none where no fact is.
    """

    facts: RecordType
    account: tuple[str, ...]
    mask: Mask
    shown: Mapping[str, Shown]
    masked: str
    ruleset: str


@dataclass(slots=True)
class Recorder:
    """Makes records; `key` are the 32 secret bytes under which facts are digested."""

    key: bytes = field(repr=False)
    _frames: dict[str, Frame] = field(default_factory=dict, repr=False)

    def answered(
        self, asked: Asked, ruleset: Ruleset, answers: Sequence[Decision], caller: str, moment: Moment
    ) -> Record:
        """The record of answers; raises `LogUnavailable` for what no record can hold."""
        frame = self._frame(ruleset)
        facts = _facts_text(asked.facts, frame.facts)
        account = _account(asked, frame, facts)
        payload = self._payload(frame, account, facts, answers)
        summaries = ",".join([answer.summary() for answer in answers])
        return _record(asked, frame, caller, moment, "answer", account, payload, f'"answers":[{summaries}],', "")

    def refused(self, asked: Asked, ruleset: Ruleset, error: FactsError, caller: str, moment: Moment) -> Record:
        """The record of invalid facts: where they are, and no value."""
        frame = self._frame(ruleset)
        account = _account_of_refused(asked, frame)
        told = [{"keyword": each.keyword, "pointer": each.pointer} for each in error.violations]
        payload = canonical({"account": account, "violations": told})
        return _record(asked, frame, caller, moment, "refusal", account, payload, "", f',"violations":{len(told)}')

    def searched(self, searched: Searched, ruleset: Ruleset, caller: str, moment: Moment) -> Record:
        """The record of a search: what was told, by ids alone."""
        id_, salt = uuid7(moment.milliseconds, moment.random), moment.random[ID_BYTES:RANDOM_BYTES]
        payload = canonical({"account": "", "results": list(searched.results), "search": dict(searched.asked)})
        entry = Entry(
            "search",
            id_,
            time_text(moment.milliseconds),
            caller=caller,
            question=searched.question,
            as_of=searched.as_of.isoformat(),
            ruleset=RulesetReference(ruleset.id, ruleset.version, ruleset.digest),
            payload=payload_digest(salt, payload),
            count=len(searched.results),
        )
        return Record(id_, entry_bytes(entry), payload, salt, "")

    def _frame(self, ruleset: Ruleset) -> Frame:
        frame = self._frames.get(ruleset.digest)
        if frame is None:
            if len(self._frames) >= MOST_FRAMES:
                self._frames.clear()
            self._frames[ruleset.digest] = frame = frame_of(ruleset)
        return frame

    def _payload(self, frame: Frame, account: str, facts: bytes, answers: Sequence[Decision]) -> bytes:
        masking = Masking(keyed_digests(self.key))
        if frame.mask.members:
            facts = _facts_text(masking.members(read_json(facts.decode()), frame.mask.members), frame.facts)
        if masking.met:
            told = [_masked(answer, frame.shown[answer.decision]) for answer in answers]
            return _payload(account, facts, told, canonical(list(masking.met)))
        return _payload(account, facts, [answer.particulars() for answer in answers], b"[]")


def frame_of(ruleset: Ruleset) -> Frame:
    """The frame of a ruleset's records."""
    facts = ruleset.facts.type
    account = next((path for path, member in members_below(facts) if member.account), "")
    return Frame(
        facts,
        tuple(account.split(".")) if account else (),
        mask_of(facts),
        shown_in(ruleset),
        canonical(masked_paths(facts)).decode(),
        canonical({"digest": ruleset.digest, "id": ruleset.id, "version": ruleset.version}).decode(),
    )


def _record(
    asked: Asked,
    frame: Frame,
    caller: str,
    moment: Moment,
    kind: str,
    account: str,
    payload: bytes,
    first: str,
    last: str,
) -> Record:
    """The record of an entry; `first` and `last` are the members of its kind, which stand before and after those of all."""
    id_, salt = uuid7(moment.milliseconds, moment.random), moment.random[ID_BYTES:RANDOM_BYTES]
    readings = canonical(dict(asked.readings)).decode() if asked.readings else "{}"
    entry = (
        f'{{{first}"as_of":"{asked.as_of.isoformat()}","caller":{encode_basestring(caller)},"format":{FORMAT},"id":"{id_}",'
        f'"kind":"{kind}","masked":{frame.masked},"payload":"{payload_digest(salt, payload)}",'
        f'"question":{encode_basestring(asked.question)},"readings":{readings},"ruleset":{frame.ruleset},'
        f'"time":"{time_text(moment.milliseconds)}"{last}}}'
    )
    return Record(id_, sized(entry.encode("utf-8", "backslashreplace")), payload, salt, account)


def _payload(account: str, facts: bytes, told: Sequence[str], masked: bytes) -> bytes:
    answers = f'{{"account":{encode_basestring(account)},"answers":[{",".join(told)}],"facts":'
    return b'%b%b,"masked":%b}' % (answers.encode("utf-8", "backslashreplace"), facts, masked)


def _masked(answer: Decision, shown: Shown) -> str:
    """What of an answer may tell facts, without what shows a masked one."""
    told = json.loads(answer.particulars())
    hidden = [f"values.{name}" for name in told["values"] if name in shown.values]
    told["values"] = {name: None if name in shown.values else value for name, value in told["values"].items()}
    if shown.in_reason(answer):
        hidden, told["reason"] = [*hidden, "reason"], None
    return canonical({**told, "masked": hidden} if hidden else told).decode("utf-8")


def _facts_text(facts: object, kind: RecordType) -> bytes:
    """The facts as JSON; raises `LogUnavailable` for what is none, which was decided about because it is trusted."""
    text = facts_text(facts) if type(facts) is dict else None
    if text is None:
        plain, unfit = to_json_types(facts, kind)
        text = None if unfit else facts_text(plain)
    if text is None:
        raise LogUnavailable("the facts are not JSON, so they cannot be recorded; give facts that are valid")
    return text


def _account(asked: Asked, frame: Frame, facts: bytes) -> str:
    """Whom a record is about, "" where that is not said; what the caller says goes before what the facts say."""
    if asked.account is not None or not frame.account:
        return asked.account or ""
    return _named(asked.facts, frame.account) or _named(read_json(facts.decode()), frame.account)


def _account_of_refused(asked: Asked, frame: Frame) -> str:
    """The same of invalid facts, where it is not too long to be meant."""
    if asked.account is not None or not frame.account:
        return asked.account or ""
    account = _named(asked.facts, frame.account)
    return account if len(account) <= LONGEST_ACCOUNT else ""


def _named(facts: Any, path: Sequence[str]) -> str:
    """The text or integer to which names lead in facts; "" where there is none."""
    at = facts
    for name in path:
        at = at.get(name) if type(at) is dict else None
    return at if type(at) is str else str(at) if type(at) is int else ""
