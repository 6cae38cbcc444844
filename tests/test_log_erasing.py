"""Erasing from a decision log, and pruning it: what goes is gone from the files, and everything else still verifies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from policy_engine.decision_log import erasing, sqlite_store
from policy_engine.decision_log.erasing import Erasure, erase, prune, read_positions, runs
from policy_engine.decision_log.notes import Checkpoint, read_checkpoint
from policy_engine.decision_log.proofs import InclusionProof, checkpoint_of, prove_consistency, prove_inclusion
from policy_engine.decision_log.reading import Selection, read_record, select
from policy_engine.decision_log.records import Record
from policy_engine.decision_log.sealing import account_digest
from policy_engine.decision_log.stores import StoredRecord
from policy_engine.decision_log.writing import LogWriter
from policy_engine.errors import CannotRun, LogUnavailable
from tests.support.decision_logs import BEGIN, Log, in_batches, records, tamper

NOW = BEGIN + 10_000_000
ACCOUNTS = 40


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path)
    log.append(*in_batches(records(400, accounts=ACCOUNTS), 64, 7))
    return log


@contextmanager
def opened(log: Log) -> Iterator[LogWriter]:
    writer = log.writer()
    try:
        yield writer
    finally:
        writer.close()


def erased(log: Log, *accounts: str, ids: tuple[str, ...] = ()) -> Erasure:
    with opened(log) as writer:
        return erase(writer, accounts, ids, caller="dpo", milliseconds=NOW)


def rows(log: Log) -> list[StoredRecord]:
    reader = log.reader()
    found = list(reader.records(0, 10_000))
    reader.close()
    return found


def newest(log: Log) -> Checkpoint:
    reader = log.reader()
    found = checkpoint_of(reader)
    reader.close()
    return found


def bytes_of(log: Log) -> bytes:
    """All that stands in the files of a log and of its keys."""
    files = [path for path in (*log.path.parent.iterdir(), *log.keys.iterdir()) if path.is_file()]
    return b"".join(path.read_bytes() for path in files)


def test_nothing_of_erased_accounts_is_left_in_the_files_and_all_proofs_verify(log: Log) -> None:
    accounts = Random(5).sample([f"account-{number:04}" for number in range(ACCOUNTS)], ACCOUNTS * 3 // 10)
    before, old = rows(log), newest(log)
    reader, keys = log.reader(), log.key_file()
    proofs = [prove_inclusion(reader, position, old) for position in range(0, 400, 7)]
    numbers = {
        row.key for row, made in zip(before, records(400, accounts=ACCOUNTS), strict=True) if made.account in accounts
    }
    gone = [row for row in before if row.key in numbers]
    secrets = [*(row.sealed for row in gone), *(keys.key(number or 0) for number in numbers)]
    secrets += list(reader.keys_of([account_digest(keys.index_key, account) for account in accounts]))
    reader.close()
    keys.close()
    assert len(secrets) == len(gone) + 2 * len(accounts)
    assert all(secret and secret in bytes_of(log) for secret in secrets), "before, each is there"

    done = erased(log, *accounts)
    assert (done.payloads, done.unknown) == (120, ())
    left = bytes_of(log)
    assert [secret for secret in secrets if secret and secret in left] == []

    found = log.verified(old)
    assert (found.payloads, found.gone, found.faults) == (280, 120, ())
    assert all(proof.is_right for proof in proofs)
    reader = log.reader()
    assert prove_consistency(reader, old, newest(log)).is_right
    assert prove_inclusion(reader, gone[0].position, newest(log)).is_right
    reader.close()
    unerased = [row for row in rows(log) if row.sealed is not None]
    assert unerased == [row for row in before if row.key not in numbers]


def test_no_account_and_no_payload_can_be_read_in_the_files(log: Log) -> None:
    assert b"account-0003" not in bytes_of(log)
    assert b"of account" not in bytes_of(log)


def test_an_erasure_is_itself_an_entry_that_names_no_account(log: Log) -> None:
    erased(log, "account-0003", "account-0004")
    last = rows(log)[-1]
    entry = read_record(last, None).entry
    assert (entry.kind, entry.caller, entry.count, last.sealed) == ("erasure", "dpo", 20, None)
    expected = [(3 + 40 * turn, 4 + 40 * turn) for turn in range(10)]
    assert read_positions(entry.positions) == expected
    assert b"account" not in (last.entry or b"")


def test_an_account_that_was_erased_may_come_back(log: Log) -> None:
    erased(log, "account-0003")
    log.append([one for one in records(80, accounts=ACCOUNTS, start=400) if one.account == "account-0003"])
    reader, keys = log.reader(), log.key_file()
    assert [one.position for one in select(reader, keys, Selection(account="account-0003"))] == [401, 402]
    reader.close()
    keys.close()
    assert log.verified().faults == ()
    assert erased(log, "account-0003").payloads == 2


def test_what_there_is_nothing_of_is_told_and_nothing_is_written(log: Log) -> None:
    missing = "00000000-0000-7000-8000-000000000000"
    done = erased(log, "nobody", ids=(missing,))
    assert (done.payloads, done.unknown, len(rows(log))) == (0, ("nobody", missing), 400)
    assert erased(log, "nobody", "account-0001").unknown == ("nobody",)


def test_a_single_record_is_erased_and_its_account_stays(log: Log) -> None:
    one = records(400, accounts=ACCOUNTS)[3]
    assert erased(log, ids=(one.id,)).payloads == 1
    assert erased(log, ids=(one.id,)).unknown == (one.id,)
    found = log.verified()
    assert (found.payloads, found.gone, found.faults) == (399, 1, ())
    log.append([one for one in records(80, accounts=ACCOUNTS, start=400) if one.account == one.account])
    assert log.verified().faults == ()


def test_a_record_without_an_account_is_erased_by_its_id_with_its_key(log: Log) -> None:
    (one,) = records(1, start=900)
    log.append([Record(one.id, one.entry, one.payload, one.salt, "")])
    number = rows(log)[-1].key
    assert number is not None
    assert erased(log, ids=(one.id,)).payloads == 1
    keys = log.key_file()
    assert keys.key(number) is None
    keys.close()
    assert log.verified().faults == ()


def test_many_positions_are_named_by_several_entries(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "LONGEST_POSITIONS", 30)
    assert erased(log, *(f"account-{number:04}" for number in range(0, ACCOUNTS, 5))).payloads == 80
    entries = [read_record(row, None).entry for row in rows(log)[400:]]
    assert len(entries) > 5
    assert all(len(entry.positions) <= 30 for entry in entries)
    assert sum(entry.count for entry in entries) == 80
    assert log.verified().faults == ()


def test_an_erasure_that_was_broken_off_is_finished_when_the_log_is_opened(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = rows(log)[3].key
    assert number is not None
    with opened(log) as writer, monkeypatch.context() as patched:
        patched.setattr(writer, "finish_erasing", lambda: None)
        erase(writer, ["account-0003"], [], caller="dpo", milliseconds=NOW)
    keys = log.key_file()
    assert keys.key(number) is not None
    keys.close()
    log.writer().close()
    keys = log.key_file()
    assert keys.key(number) is None
    keys.close()


def test_bytes_that_a_reader_keeps_are_told_and_go_when_the_log_is_opened_again(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "WAIT_SECONDS", 0.1)
    sealed = rows(log)[3].sealed
    assert sealed is not None
    reader = log.reader()
    reader.snapshot()
    with pytest.raises(LogUnavailable) as caught:
        erased(log, "account-0003")
    assert str(caught.value) == (
        f"`{log.path}-wal` still holds bytes of what was deleted, since somebody reads the log; "
        "they go when the log is next opened for writing and nobody reads it"
    )
    assert log.verified().gone == 10, "they are erased all the same"
    reader.close()
    log.writer().close()
    assert sealed not in bytes_of(log)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "INSERT INTO payloads SELECT 3, key, sealed FROM payloads WHERE position = 4",
            "the payload of record 3 is not what its entry says",
        ),
        (
            "DELETE FROM payloads WHERE position = 4",
            "the payload of record 4 is gone, and no entry says that it was erased",
        ),
    ],
)
def test_what_was_erased_is_accounted_for_to_the_record(log: Log, statement: str, sentence: str) -> None:
    erased(log, "account-0003")
    tamper(log.path, statement)
    assert log.verified().faults[0].sentence == sentence


def test_a_payload_that_was_put_back_from_a_copy_is_found(log: Log, tmp_path: Path) -> None:
    row = rows(log)[3]
    erased(log, "account-0003")
    tamper(log.path, f"INSERT INTO payloads VALUES (3, 40, x'{(row.sealed or b'').hex()}')")
    sentences = [fault.sentence for fault in log.verified().faults]
    assert "the payload of record 3 is there, though an entry says that it was erased" in sentences


# Pruning


def pruned(log: Log, entries_before: int, payloads_before: int) -> None:
    with opened(log) as writer:
        prune(writer, entries_before=entries_before, payloads_before=payloads_before, caller="dpo", milliseconds=NOW)


def test_a_pruned_log_verifies_and_proves_what_is_left(log: Log) -> None:
    old = newest(log)
    reader = log.reader()
    proof = prove_inclusion(reader, 10, old)
    first = read_checkpoint(next(reader.checkpoints(0, 400)).text)
    reader.close()
    pruned(log, 100, 250)
    found = log.verified(old, first)
    assert (found.records, found.pruned, found.payloads, found.gone, found.faults) == (401, 100, 150, 150, ())
    reader = log.reader()
    assert proof.is_right
    assert prove_inclusion(reader, 100, old).is_right
    assert prove_consistency(reader, first, newest(log)).is_right
    with pytest.raises(CannotRun) as caught:
        prove_inclusion(reader, 99, old)
    assert str(caught.value) == "the entry of record 99 is not there any more; only its hash is"
    assert next(one.position for one in select(reader, None, Selection(caller="shop"))) == 102
    reader.close()


def test_a_pruned_entry_is_gone_from_the_files_with_the_keys_that_nothing_needs(log: Log) -> None:
    log.append([Record(one.id, one.entry, one.payload, one.salt, "") for one in records(2, start=900)])
    log.append(records(5, accounts=ACCOUNTS, start=1000))
    before = rows(log)
    pruned(log, 402, 402)
    left = bytes_of(log)
    assert [row.position for row in before[:402] if (row.entry or b"") in left or (row.sealed or b"") in left] == []
    keys = log.key_file()
    there = {row.key: keys.key(row.key or 0) is not None for row in before}
    keys.close()
    assert {number for number, is_there in there.items() if is_there} == {row.key for row in before[402:]}
    assert log.verified().faults == ()


def test_what_was_pruned_twice_is_pruned_to_the_later_place(log: Log) -> None:
    pruned(log, 50, 60)
    pruned(log, 50, 300)
    pruned(log, 200, 200)
    found = log.verified()
    assert (found.pruned, found.payloads, found.faults) == (200, 100, ())


@pytest.mark.parametrize(
    ("statement", "position", "sentence"),
    [
        (
            "UPDATE entries SET entry = NULL, id = NULL WHERE position = 100",
            100,
            "record 100 is gone, and no entry says that it was pruned",
        ),
        (
            "UPDATE entries SET leaf = zeroblob(32) WHERE position = 10",
            0,
            "records 0 to 63 are not those that were signed",
        ),
        ("DELETE FROM entries WHERE position = 10", 10, "record 10 is missing"),
    ],
)
def test_what_was_pruned_is_accounted_for(log: Log, statement: str, position: int, sentence: str) -> None:
    pruned(log, 100, 250)
    tamper(log.path, statement)
    fault = log.verified().faults[0]
    assert (fault.position, fault.sentence[: len(sentence)]) == (position, sentence)


def test_a_pruned_entry_that_was_put_back_is_found(log: Log) -> None:
    row = rows(log)[5]
    pruned(log, 100, 250)
    id_, entry = (row.id or b"").hex(), (row.entry or b"").hex()
    tamper(log.path, f"UPDATE entries SET id = x'{id_}', entry = x'{entry}' WHERE position = 5")
    (fault,) = log.verified().faults
    assert fault.sentence == "record 5 is there, though an entry says that it was pruned"


@pytest.mark.parametrize(("entries_before", "payloads_before"), [(-1, 5), (6, 5), (0, 401)])
def test_nothing_is_pruned_beyond_the_end(log: Log, entries_before: int, payloads_before: int) -> None:
    with pytest.raises(CannotRun, match="cannot be pruned before"):
        pruned(log, entries_before, payloads_before)
    assert len(rows(log)) == 400


@pytest.mark.parametrize(
    ("positions", "found"), [([], []), ([3], [(3, 3)]), ([1, 2, 3, 5, 9, 10], [(1, 3), (5, 5), (9, 10)])]
)
def test_runs_of_positions(positions: list[int], found: list[tuple[int, int]]) -> None:
    assert list(runs(positions)) == found
    text = ",".join(f"{first}-{last}" if first != last else str(first) for first, last in found)
    assert read_positions(text) == found


def test_a_proof_of_another_entry_is_none(log: Log) -> None:
    reader = log.reader()
    proof = prove_inclusion(reader, 5, newest(log))
    reader.close()
    assert proof.is_right
    assert not InclusionProof(5, proof.entry + b" ", proof.hashes, proof.checkpoint).is_right
    assert not InclusionProof(6, proof.entry, proof.hashes, proof.checkpoint).is_right
