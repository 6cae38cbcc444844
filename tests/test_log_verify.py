"""Verifying a decision log: whatever is done to it is found, with the first bad record, and what was not checked is said."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from random import Random

import pytest

from policy_engine.decision_log.notes import Checkpoint, KeyKind, read_checkpoint, signed, signer
from policy_engine.decision_log.statistics import statistics
from policy_engine.decision_log.stores import StoredRecord
from policy_engine.decision_log.tree import leaf_hash
from policy_engine.decision_log.verifying import verify
from policy_engine.errors import CannotRun
from tests.support.decision_logs import NAME, Log, in_batches, record, records, tamper

SIZE, PLACES = 300, 200
SIZES = (7, 64, 1, 30)
ENDS = tuple(accumulate(map(len, in_batches(records(SIZE), *SIZES))))  # the sizes of the checkpoints


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Log:
    log = Log(tmp_path_factory.mktemp("made"))
    log.append(*in_batches(records(SIZE), *SIZES))
    return log


@pytest.fixture
def log(made: Log, tmp_path: Path) -> Log:
    """A copy, to be tampered with."""
    return made.copied(tmp_path / "decisions.sqlite")


def batch_of(position: int) -> tuple[int, int]:
    """The first record of a record's batch, and the first of the next."""
    end = next(end for end in ENDS if end > position)
    return max((other for other in ENDS if other < end), default=0), end


def text_of_run(start: int, end: int) -> str:
    return f"record {start} is" if end - start == 1 else f"records {start} to {end - 1} are"


def not_those_signed(position: int) -> tuple[int, str]:
    """What is said where the root over a batch is another."""
    start, end = batch_of(position)
    told = f"not those that were signed: the checkpoint of {end} has another root"
    return start, f"{text_of_run(start, end)} {told}"


def one_too_few(position: int) -> tuple[int, str]:
    """What is said where a record less is there than a checkpoint is over."""
    start, end = batch_of(position)
    told = f"not those that were signed: the checkpoint of {end} is over more than the {end - 1} that are there"
    return start, f"{text_of_run(start, end)} {told}"


def first_fault(made: Log, path: Path, *statements: str, kept: tuple[Checkpoint, ...] = ()) -> tuple[int, str] | None:
    """The first fault that verifying finds in a copy after it was changed."""
    log = made.copied(path)
    tamper(log.path, *statements)
    found = log.verified(*kept)
    return (found.faults[0].position, found.faults[0].sentence) if found.faults else None


def changed_byte(content: bytes, draw: Random) -> str:
    """SQL for bytes of which one is another."""
    at = draw.randrange(len(content))
    return f"x'{(content[:at] + bytes((content[at] ^ draw.randrange(1, 256),)) + content[at + 1 :]).hex()}'"


def rows(log: Log) -> list[StoredRecord]:
    """All that a log stores."""
    with closing(log.reader()) as reader:
        return list(reader.records(0, SIZE))


def test_a_log_that_nobody_touched_verifies(made: Log) -> None:
    found = made.verified()
    assert (found.records, found.payloads, found.gone, found.unopened, found.pruned) == (SIZE, SIZE, 0, 0, 0)
    assert (found.checkpoints, found.faults, found.fault_count) == (len(ENDS), (), 0)
    assert found.newest is not None
    assert found.newest.size == SIZE


def test_each_changed_byte_of_an_entry_is_found(made: Log, tmp_path: Path) -> None:
    draw = Random(1)
    for row in draw.sample(rows(made), PLACES):
        position = row.position
        change = f"UPDATE entries SET entry = {changed_byte(row.entry or b'', draw)} WHERE position = {position}"
        told = f"the entry of record {position} was changed: its hash is another"
        assert first_fault(made, tmp_path / "log", change) == (position, told)


def test_each_changed_byte_of_a_payload_is_found(made: Log, tmp_path: Path) -> None:
    draw = Random(2)
    for row in draw.sample(rows(made), PLACES):
        position = row.position
        change = f"UPDATE payloads SET sealed = {changed_byte(row.sealed or b'', draw)} WHERE position = {position}"
        told = f"the payload of record {position} is not what its entry says"
        assert first_fault(made, tmp_path / "log", change) == (position, told)


def test_each_removed_record_is_found(made: Log, tmp_path: Path) -> None:
    for position in Random(3).sample(range(SIZE), PLACES):
        changes = [f"DELETE FROM {table} WHERE position = {position}" for table in ("entries", "payloads")]
        start, end = batch_of(position)
        missing = (position, f"record {position} is missing")
        if position + 1 == end:
            missing = (
                (position, f"{missing[1]}: the checkpoint of {end}") if position == start else one_too_few(position)
            )
        assert first_fault(made, tmp_path / "log", *changes) == missing


def test_each_removed_payload_is_found(made: Log, tmp_path: Path) -> None:
    for position in Random(4).sample(range(SIZE), 50):
        told = f"the payload of record {position} is gone, and no entry says that it was erased"
        assert first_fault(made, tmp_path / "log", f"DELETE FROM payloads WHERE position = {position}") == (
            position,
            told,
        )


def moved(by: str, where: str) -> list[str]:
    """SQL that gives records other positions; they go out of the way first."""
    changes = []
    for table in ("entries", "payloads"):
        changes.append(f"UPDATE {table} SET position = -1000 - ({by}) WHERE {where}")
        changes.append(f"UPDATE {table} SET position = -1000 - position WHERE position < 0")
    return changes


def test_each_record_that_was_removed_with_the_others_renumbered_is_found(made: Log, tmp_path: Path) -> None:
    for position in Random(5).sample(range(SIZE - 1), PLACES):
        changes = [f"DELETE FROM {table} WHERE position = {position}" for table in ("entries", "payloads")]
        changes += moved("position - 1", f"position > {position}")
        told = one_too_few(position) if batch_of(position)[1] == SIZE else not_those_signed(position)
        assert first_fault(made, tmp_path / "log", *changes) == told


def test_two_swapped_records_are_found(made: Log, tmp_path: Path) -> None:
    draw = Random(6)
    for _ in range(PLACES):
        one, other = sorted(draw.sample(range(SIZE), 2))
        changes = moved(f"{one + other} - position", f"position IN ({one}, {other})")
        assert first_fault(made, tmp_path / "log", *changes) == not_those_signed(one)


def test_each_inserted_record_is_found(made: Log, tmp_path: Path) -> None:
    draw = Random(7)
    for position in draw.sample(range(SIZE), PLACES):
        new = record(1000 + position, "account-0001", draw=draw)
        values = f"x'{new.id.replace('-', '')}', x'{draw.randbytes(32).hex()}', x'{new.entry.hex()}'"
        changes = moved("position + 1", f"position >= {position}")
        changes.append(f"INSERT INTO entries VALUES ({position}, {values})")
        found = first_fault(made, tmp_path / "log", *changes)
        told = f"the entry of record {position} was changed: its hash is another"
        assert found in (not_those_signed(position), (position, told))


def test_each_record_that_is_inserted_once_more_is_found(made: Log, tmp_path: Path) -> None:
    """As somebody inserts it who knows how hashes are made, but has no key."""
    for row in Random(8).sample(rows(made), 50):
        at, id_ = row.position, (row.id or b"").hex()
        changes = moved("position + 1", f"position >= {at}")
        changes.append(f"UPDATE entries SET id = NULL WHERE position = {at + 1}")
        changes.append(f"INSERT INTO entries SELECT {at}, x'{id_}', leaf, entry FROM entries WHERE position = {at + 1}")
        start, told = not_those_signed(at + 1) if at + 1 < SIZE else (at, "")
        found = first_fault(made, tmp_path / "log", *changes)
        gone = (at, f"the payload of record {at} is gone, and no entry says that it was erased")
        assert found in ((start, told), gone)


def test_a_tail_that_was_cut_with_its_checkpoints_is_found_by_a_checkpoint_that_was_kept(
    made: Log, tmp_path: Path
) -> None:
    row = made.reader().last_checkpoint()
    assert row is not None
    kept = read_checkpoint(row.text)
    draw = Random(9)
    for _ in range(PLACES):
        end = draw.choice(ENDS[:-1])
        tables = {"entries": "position >=", "payloads": "position >=", "checkpoints": "size >"}
        changes = [f"DELETE FROM {table} WHERE {column} {end}" for table, column in tables.items()]
        if draw.random() < 0.1:
            assert first_fault(made, tmp_path / "log", *changes) is None, "nothing in the log itself tells it"
        told = f"{text_of_run(end, SIZE)} missing: the checkpoint that was kept of {SIZE}"
        assert first_fault(made, tmp_path / "log", *changes, kept=(kept,)) == (end, told)


def test_a_log_that_was_signed_anew_does_not_fit_a_checkpoint_that_was_kept(made: Log, tmp_path: Path) -> None:
    """Whoever has the signing key may write another log; who kept a checkpoint sees it."""
    row = made.reader().checkpoint(ENDS[2])
    assert row is not None
    log = made.copied(tmp_path / "decisions.sqlite")
    for table in ("entries", "payloads", "checkpoints", "subtrees"):
        tamper(log.path, f"DELETE FROM {table}")
    log.append(records(SIZE, start=5))
    assert log.verified().faults == ()
    (fault,) = log.verified(read_checkpoint(row.text)).faults
    told = f"records 0 to {ENDS[2] - 1} are not those that were signed"
    assert fault.sentence == f"{told}: the checkpoint that was kept of {ENDS[2]} has another root"


@pytest.mark.parametrize(
    ("change", "position", "sentence"),
    [
        ("UPDATE entries SET leaf = zeroblob(32) WHERE position = 9", 7, not_those_signed(9)[1]),
        (
            "UPDATE entries SET id = zeroblob(16) WHERE position = 9",
            9,
            "record 9 is found by another id than its entry has",
        ),
        (
            "UPDATE entries SET entry = NULL, id = NULL WHERE position = 9; DELETE FROM payloads WHERE position = 9",
            9,
            "record 9 is gone, and no entry says that it was pruned",
        ),
        (
            "UPDATE entries SET entry = NULL, id = NULL WHERE position = 9",
            9,
            "record 9 has a payload that no entry names",
        ),
        ("UPDATE payloads SET key = 1 WHERE position = 9", 9, "the payload of record 9 is not what its entry says"),
        (
            "UPDATE payloads SET key = 5000 WHERE position = 9",
            9,
            "the payload of record 9 is there, and its key is not",
        ),
        (
            "INSERT INTO payloads SELECT 301, key, sealed FROM payloads WHERE position = 9",
            301,
            "there is a payload at 301, where no record is",
        ),
        (
            "UPDATE checkpoints SET text = replace(text, char(10) || '72', char(10) || '71') WHERE size = 72",
            72,
            "the checkpoint of 72 says that it is one of 71",
        ),
        (
            "UPDATE checkpoints SET text = 'nothing' WHERE size = 72",
            72,
            "the checkpoint of 72 cannot be read: a signed note",
        ),
        ("DELETE FROM checkpoints WHERE size = 300", 276, "the records from 276 on are under no checkpoint"),
        ("UPDATE subtrees SET root = zeroblob(32)", 0, "the stored hash over records 0 to 255 is not theirs"),
        ("DELETE FROM subtrees", 0, "the stored hash over records 0 to 255 is not theirs"),
    ],
)
def test_other_changes_are_found(made: Log, tmp_path: Path, change: str, position: int, sentence: str) -> None:
    found = first_fault(made, tmp_path / "log", *change.split("; "))
    assert found is not None
    assert (found[0], found[1][: len(sentence)]) == (position, sentence)


def test_a_checkpoint_that_another_key_signed_is_found(log: Log) -> None:
    other = signer(NAME, KeyKind.LOG, bytes(32))
    row = log.reader().checkpoint(72)
    assert row is not None
    forged = signed(replace(read_checkpoint(row.text), signatures=()), other).text
    tamper(log.path, f"UPDATE checkpoints SET text = '{forged}' WHERE size = 72")
    sentences = [fault.sentence for fault in log.verified().faults]
    assert sentences == [f"the checkpoint of 72 is not signed by {log.verifier.text}"]


def test_what_is_not_opened_is_counted(made: Log) -> None:
    reader = made.reader()
    found = verify(reader, made.verifier)
    reader.close()
    assert (found.payloads, found.unopened, found.faults) == (0, SIZE, ())


def test_all_faults_are_counted(log: Log) -> None:
    tamper(log.path, "UPDATE payloads SET sealed = zeroblob(100)", "UPDATE entries SET id = NULL")
    found = log.verified()
    assert found.fault_count == 2 * SIZE
    assert [fault.position for fault in found.faults] == [position for position in range(SIZE) for _ in range(2)]


PRUNING = '{"caller":"x","entries_before":%s,"format":1,"id":"%s","kind":"pruning","payloads_before":%s,"time":""}'
ERASURE = '{"caller":"x","count":1,"format":1,"id":"%s","kind":"erasure","positions":"%s","time":""}'


@pytest.mark.parametrize(
    "template",
    [
        "[" * 100_000,
        "",
        "{}",
        "[]",
        '{"id":1,"kind":"answer"}',
        '{"id":"%(id)s","kind":"answer","payload":7}',
        PRUNING % ("-5", "%(id)s", "-5"),
        PRUNING % ("1.5", "%(id)s", "1.5"),
        PRUNING % ("9" * 30, "%(id)s", "9" * 30),
        ERASURE % ("%(id)s", "7-3"),
        ERASURE % ("%(id)s", "x"),
        ERASURE % ("%(id)s", "-4,5"),
        ERASURE % ("%(id)s", "0-99999999999999"),
        "\ud800",
    ],
    ids=lambda template: template[:40],
)
def test_no_entry_that_somebody_made_up_with_its_right_hash_stops_verifying(log: Log, template: str) -> None:
    entry = (template % {"id": (rows(log)[9].id or b"").hex()} if "%(" in template else template).encode(
        "utf-8", "surrogatepass"
    )
    change = f"UPDATE entries SET entry = x'{entry.hex()}', leaf = x'{leaf_hash(entry).hex()}' WHERE position = 9"
    tamper(log.path, change)
    found = log.verified()
    assert not_those_signed(9) in [(fault.position, fault.sentence) for fault in found.faults]
    with closing(log.reader()) as reader, suppress(CannotRun):
        assert statistics(reader)["records"] == SIZE, "or it says that it cannot"
