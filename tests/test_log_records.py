"""Entries of the decision log as bytes, their ids, and the digests of payloads."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import replace

import pytest

from policy_engine.decision_log.records import (
    DOMAIN,
    LARGEST_ENTRY,
    Answered,
    Entry,
    entry_bytes,
    milliseconds_of,
    payload_digest,
    read_entry,
    time_text,
    uuid7,
)
from policy_engine.errors import LogUnavailable
from policy_engine.language.decisions import RulesetReference

MILLISECONDS = 1_645_557_742_000
"""The moment of the example of RFC 9562, appendix A.6."""
ID = uuid7(MILLISECONDS, bytes(range(10)))
ANSWER = Entry(
    "answer",
    ID,
    time_text(MILLISECONDS),
    caller="crm",
    question="trial.may_start",
    as_of="2025-02-28",
    readings={"day_60": "counts"},
    ruleset=RulesetReference("trial", "2", "sha256:ab"),
    answers=(Answered("trial.may_start", "decided", "yes", ("R1",)),),
    masked=("e-mail",),
    payload="00" * 32,
)
ENTRIES = [
    ANSWER,
    replace(
        ANSWER,
        answers=(Answered("trial.all", "decided", ("a", "b"), ("R1", "R2")), Answered("trial.gap", "gap", None, ())),
    ),
    replace(ANSWER, caller='a "quoted" caller\\ \x01 \u00e9 \u2028'),
    replace(ANSWER, kind="refusal", answers=(), violations=3),
    Entry("erasure", ID, time_text(MILLISECONDS), caller="dpo", count=3, positions="4-5,9"),
    Entry("pruning", ID, time_text(MILLISECONDS), caller="dpo", entries_before=256, payloads_before=300),
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.kind)
def test_an_entry_is_read_back_as_it_was(entry: Entry) -> None:
    assert read_entry(entry_bytes(entry)) == entry


def test_the_bytes_of_an_entry_are_these() -> None:
    assert entry_bytes(ANSWER).decode() == (
        '{"answers":[{"decision":"trial.may_start","outcome":"yes","rules":["R1"],"status":"decided"}],"as_of":"2025-02-28",'
        '"caller":"crm","format":1,"id":"017f22e2-79b0-7001-8203-040506070809","kind":"answer","masked":["e-mail"],'
        f'"payload":"{"00" * 32}","question":"trial.may_start","readings":{{"day_60":"counts"}},'
        '"ruleset":{"digest":"sha256:ab","id":"trial","version":"2"},"time":"2022-02-22T19:22:22.000Z"}'
    )


def test_members_stand_in_the_order_of_their_code_points_at_every_level() -> None:
    one, other = ({"b": "1", "a": "2", "\u00e9": "3", "Z": "4"}, {"\u00e9": "3", "Z": "4", "a": "2", "b": "1"})
    content = entry_bytes(replace(ANSWER, readings=one))
    assert content == entry_bytes(replace(ANSWER, readings=other))
    assert '"readings":{"Z":"4","a":"2","b":"1","\u00e9":"3"}' in content.decode()


CONTENT = entry_bytes(ANSWER)
WRONG = [
    (b"[]", "an entry is an object whose `kind` is one of answer, refusal, search, erasure, pruning"),
    (CONTENT.replace(b'"answer"', b'"anser"'), "an entry is an object whose `kind`"),
    (
        CONTENT.replace(b'"format":1', b'"format":2'),
        "an entry of the kind answer has format 1 and the members answers, as_of,",
    ),
    (CONTENT.replace(b'"masked":["e-mail"],', b""), "an entry of the kind answer has format 1 and the members"),
    (CONTENT.replace(b'"e-mail"', b"7"), "the entry has a part of the wrong form: 7 is no str"),
    (CONTENT.replace(b'"yes"', b"1.5"), "the entry has a part of the wrong form: Decimal('1.5') is no str"),
    (CONTENT.replace(b'"status":"decided"', b'"other":"decided"'), "the entry has a part of the wrong form"),
    (CONTENT.replace(b",", b", ", 1), "the entry is not canonical JSON: written again it has other bytes"),
    (CONTENT.replace(b"crm", b"\\u0063rm"), "the entry is not canonical JSON"),
    (CONTENT.replace(b'"as_of"', b'"as_of":"","as_of"', 1), "the name `as_of` stands twice in one object"),
    (CONTENT[:-1], "not JSON at line 1"),
    (b"\xff", "can't decode"),
]


@pytest.mark.parametrize(("content", "message"), WRONG, ids=range(len(WRONG)))
def test_other_bytes_are_no_entry(content: bytes, message: str) -> None:
    assert content != CONTENT
    with pytest.raises(ValueError, match=re.escape(message)):
        read_entry(content)


def test_an_entry_of_too_many_bytes_is_refused() -> None:
    fits = LARGEST_ENTRY - len(CONTENT) + len("crm")
    assert len(entry_bytes(replace(ANSWER, caller="x" * fits))) == LARGEST_ENTRY
    with pytest.raises(
        LogUnavailable, match="the entry would have 65536 bytes, and an entry of the log has at most 65535"
    ):
        entry_bytes(replace(ANSWER, caller="x" * (fits + 1)))


def test_an_id_is_a_uuid_of_version_7() -> None:
    """The example of RFC 9562, appendix A.6."""
    example = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    assert uuid7(MILLISECONDS, bytes.fromhex("0cc318c4dc0c0c07398f")) == example
    for random in (bytes(10), b"\xff" * 10):
        made = uuid.UUID(uuid7(MILLISECONDS, random))
        assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert milliseconds_of(example) == MILLISECONDS


def test_later_ids_sort_after_earlier_ones() -> None:
    assert uuid7(MILLISECONDS, b"\xff" * 10) < uuid7(MILLISECONDS + 1, bytes(10))


def test_the_digest_is_over_a_domain_a_length_the_salt_and_the_payload() -> None:
    salt, payload = bytes(range(16)), b'{"facts":{}}'
    by_hand = hashlib.sha256(DOMAIN + b"\0\0\0\0\0\0\0\x10" + salt + payload).hexdigest()
    assert payload_digest(salt, payload) == by_hand


def test_no_byte_of_a_salt_can_pass_for_one_of_the_payload() -> None:
    assert payload_digest(b"ab", b"c") != payload_digest(b"a", b"bc")


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "1970-01-01T00:00:00.000Z"), (1_700_000_000_007, "2023-11-14T22:13:20.007Z")]
)
def test_a_time_is_told_in_utc_with_milliseconds(milliseconds: int, text: str) -> None:
    assert time_text(milliseconds) == text


def test_an_entry_is_json_that_others_read() -> None:
    assert json.loads(CONTENT)["answers"][0]["outcome"] == "yes"
