"""Checkpoints of the decision log as signed notes: equal to published ones, and refused where a byte is another."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from policy_engine.decision_log.notes import (
    Checkpoint,
    KeyKind,
    is_signed,
    read_checkpoint,
    read_note,
    read_signer,
    read_verifier,
    signed,
    signer,
    witnessed_at,
)

# The example of the Go module sumdb/note
PRIVATE_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PUBLIC_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
QUOTE = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
QUOTE_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# The example of C2SP's tlog-cosignature: a checkpoint, signed by its log and by a witness
PUBLISHED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""
LOG = signer("example.com/log", KeyKind.LOG, bytes(range(32)))
WITNESS = signer("witness.example/w1", KeyKind.WITNESS, bytes(range(1, 33)))
CHECKPOINT = signed(Checkpoint("example.com/log", 7, bytes(32)), LOG)


def test_the_published_key_signs_the_published_note() -> None:
    key = read_signer(PRIVATE_KEY + "\n")
    assert key.text == PRIVATE_KEY
    assert key.verifier.text == PUBLIC_KEY
    assert key.verifier == read_verifier(PUBLIC_KEY)
    assert key.signature(QUOTE).line == QUOTE_LINE
    assert read_note(f"{QUOTE}\n{QUOTE_LINE}") == (QUOTE, (key.signature(QUOTE),))


def test_the_published_checkpoint_is_read_and_written_as_it_is() -> None:
    found = read_checkpoint(PUBLISHED)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert [one.name for one in found.signatures] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert int.from_bytes(found.signatures[1].value[:8]) == 1_679_315_147, "the time of the published example"
    assert found.text == PUBLISHED


def test_a_published_key_of_a_witness_is_read() -> None:
    """One that the project transparency-dev/formats has in its tests: its number is made with the kind of witnesses."""
    text = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
    found = read_verifier(text)
    assert (found.name, found.kind, found.text) == ("remora.n621.de", KeyKind.WITNESS, text)


def test_a_witness_signs_what_the_specification_says() -> None:
    by = signed(CHECKPOINT, WITNESS, 1_679_315_147)
    value = by.signatures[1].value
    assert value[:8] == (1_679_315_147).to_bytes(8)
    message = f"cosignature/v1\ntime 1679315147\nexample.com/log\n7\n{'A' * 43}=\n"
    assert value[8:] == signer("any", KeyKind.LOG, bytes(range(1, 33))).signature(message).value
    assert witnessed_at(by, WITNESS.verifier) == 1_679_315_147
    assert is_signed(by, LOG.verifier)


def test_a_signature_more_replaces_that_of_the_same_key_alone() -> None:
    twice = signed(signed(CHECKPOINT, WITNESS, 1), WITNESS, 2)
    assert [one.name for one in twice.signatures] == ["example.com/log", "witness.example/w1"]
    assert witnessed_at(twice, WITNESS.verifier) == 2


def test_signatures_of_others_count_for_nothing() -> None:
    other = signer("example.com/log", KeyKind.LOG, bytes(32))
    assert not is_signed(CHECKPOINT, other.verifier)
    assert not is_signed(CHECKPOINT, WITNESS.verifier)
    assert witnessed_at(CHECKPOINT, WITNESS.verifier) is None
    assert witnessed_at(CHECKPOINT, LOG.verifier) is None


def test_no_changed_character_of_a_checkpoint_passes() -> None:
    text = signed(CHECKPOINT, WITNESS, 1).text
    draw = Random(17)
    passed = []
    for at in range(len(text)):
        put = draw.choice([character for character in "A0+/=\n z\x01—" if character != text[at]])
        changed = text[:at] + put + text[at + 1 :]
        try:
            found = read_checkpoint(changed)
        except ValueError:
            continue
        if is_signed(found, LOG.verifier) and witnessed_at(found, WITNESS.verifier) == 1:
            passed.append((at, changed))
    assert passed == []


@pytest.mark.parametrize(("text", "read"), [(PUBLIC_KEY, read_verifier), (PRIVATE_KEY, read_signer)])
def test_no_changed_character_of_a_key_passes(text: str, read: Callable[[str], object]) -> None:
    for at in range(len(text)):
        changed = text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :]
        with pytest.raises(ValueError, match=r"key") as caught:
            read(changed)
        assert text[-20:] not in str(caught.value), "a message shows no key"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a signed note is a text, a blank line, and lines of signatures, each with its line break"),
        (CHECKPOINT.body, "a signed note is a text, a blank line, and lines of signatures, each with its line break"),
        (
            CHECKPOINT.text[:-1],
            "a signed note is a text, a blank line, and lines of signatures, each with its line break",
        ),
        (CHECKPOINT.text + "more\n", "`more` is no line of a signature: that is a dash, a name, and a text in base64"),
        (CHECKPOINT.text + "— a b AAAA\n", "a signature is not base64"),
        (CHECKPOINT.text + "— a AAAA\n", "a signature has more than four bytes"),
        (CHECKPOINT.text + "— a AAAAAAB=\n", "a signature is not base64 as it is written"),
        (CHECKPOINT.text.replace("7", "\x01"), "a signed note has no control characters but line breaks"),
        (CHECKPOINT.text.replace("\n7\n", "\n07\n"), "the second line of a checkpoint is a number of entries"),
        (CHECKPOINT.text.replace("\n7\n", "\n-7\n"), "the second line of a checkpoint is a number of entries"),
        (CHECKPOINT.text.replace("A" * 43 + "=", "AAAA"), "the root of a checkpoint does not have 32 bytes"),
        (
            CHECKPOINT.text.replace("\n\n", "\nmore\n\n"),
            "a checkpoint has three lines: its log's name, a number of entries, and a root",
        ),
        (
            CHECKPOINT.text.replace("example.com/log\n", "two words\n", 1),
            "the first line of a checkpoint is the name of its log, without spaces or +",
        ),
        ("a" * 20_001, "a signed note has at most 20,000 characters"),
    ],
)
def test_what_is_no_checkpoint_is_refused_with_the_reason(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_checkpoint(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a public key is a name, a number and a key, with + between them"),
        ("a+00000000", "a public key is a name, a number and a key, with + between them"),
        ("a+00000000+AAAA", "a public key does not have 33 bytes"),
        ("a b" + PUBLIC_KEY[12:], "a public key is a name, a number and a key, with + between them"),
        (PUBLIC_KEY.replace("c7", "c8"), "the public key is damaged: its number does not fit its name and key"),
        (
            "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "the public key is of a kind that is not known here: 101; known are 1 and 4",
        ),
    ],
)
def test_what_is_no_public_key_is_refused_with_the_reason(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_verifier(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "no\u00a0break", "tab\t"])
def test_a_key_has_a_name_that_can_stand_in_a_note(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a key"):
        signer(name, KeyKind.LOG, bytes(32))
