"""The decision log in a file: appending, one writer, readers beside it, and what happens where the disk or the process fails."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from policy_engine.decision_log import sqlite_store
from policy_engine.decision_log.opening import create_log, open_reader, open_writer
from policy_engine.decision_log.reading import PayloadState, read_record
from policy_engine.decision_log.sqlite_store import SqliteStore
from policy_engine.decision_log.stored_hashes import StoredHashes
from policy_engine.decision_log.stores import ONE_WRITER
from policy_engine.decision_log.tree import (
    consistency_proof,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    root_of,
)
from policy_engine.errors import CannotRun, LogUnavailable
from tests.conftest import ROOT
from tests.support.decision_logs import Log, in_batches, records, tamper
from tests.test_log_tree import naive_root


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_a_log_holds_what_was_appended(log: Log) -> None:
    made = records(600)
    log.append(*in_batches(made, 1, 7, 64))
    reader, keys = log.reader(), log.key_file()
    read = [read_record(one, keys) for one in reader.records(0, 600)]
    assert [(one.entry_bytes, one.payload) for one in read] == [(one.entry, one.payload) for one in made]
    assert {one.state for one in read} == {PayloadState.THERE}
    assert root_of(StoredHashes(reader), 600) == naive_root([one.entry for one in made])


def test_each_batch_has_a_checkpoint_that_proves_every_record_and_every_older_one(log: Log) -> None:
    made = records(700)
    log.append(*in_batches(made, 300, 1, 250))
    reader = log.reader()
    hashes = StoredHashes(reader)
    checkpoints = [row.size for row in reader.checkpoints(0, 700)]
    assert checkpoints == [300, 301, 551, 700]
    for size in checkpoints:
        root = naive_root([one.entry for one in made[:size]])
        for position in (0, size // 2, size - 1):
            proof = inclusion_proof(hashes, position, size)
            assert includes(leaf_hash(made[position].entry), position, size, proof, root)
        old = naive_root([one.entry for one in made[:290]])
        assert is_consistent(290, old, size, root, consistency_proof(hashes, 290, size))


def test_an_id_that_is_there_is_not_appended_twice(log: Log) -> None:
    made = records(30)
    writer = log.writer()
    writer.append(made[:20])
    assert writer.append(made[:20]).size == 20
    assert writer.append([*made[10:25], made[24]]).size == 25
    assert writer.append([]).size == 25
    assert log.verified().payloads == 25


def test_a_log_without_records_is_one(log: Log) -> None:
    found = log.verified()
    assert (found.records, found.checkpoints, found.newest, found.fault_count) == (0, 0, None, 0)
    assert log.writer().checkpoint.size == 0


def test_a_record_without_a_payload_has_none(log: Log) -> None:
    (one,) = records(1)
    log.append([type(one)(one.id, one.entry, b"", b"", "")])
    (row,) = log.reader().records(0, 1)
    assert (row.key, row.sealed) == (None, None)


def test_records_of_an_account_have_one_key_and_others_each_their_own(log: Log) -> None:
    with_accounts = records(4, accounts=2)
    without = [type(one)(one.id, one.entry, one.payload, one.salt, "") for one in records(3, start=4)]
    log.append([*with_accounts[:2], *without[:1]], [*with_accounts[2:], *without[1:]])
    assert [row.key for row in log.reader().records(0, 7)] == [1, 2, 3, 1, 2, 4, 5]


def test_a_batch_needs_more_keys_than_were_made_ahead(log: Log) -> None:
    log.append(records(2500, accounts=2500))
    assert log.verified().payloads == 2500


def test_a_commit_is_on_the_disk_before_it_is_told(log: Log) -> None:
    """What the store asks of SQLite; that it keeps it is traced elsewhere."""
    store = SqliteStore(log.path)
    asked = [store._rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "secure_delete")]
    assert asked == ["wal", 2, 1]


def test_a_second_writer_is_refused_and_readers_are_not(log: Log) -> None:
    writer = log.writer()
    writer.append(records(3))
    with pytest.raises(CannotRun) as caught:
        log.writer()
    assert str(caught.value) == f"the log `{log.path}` is open for writing already; {ONE_WRITER}"
    link = log.path.with_name("link.sqlite")
    link.symlink_to(log.path.name)
    with pytest.raises(CannotRun, match="open for writing already"):
        SqliteStore(link)
    reader = log.reader()
    assert len(list(reader.records(0, 10))) == 3
    writer.append(records(2, start=3))
    assert len(list(reader.records(0, 10))) == 5
    writer.close()
    log.writer().close()


def test_a_reader_may_keep_to_one_moment(log: Log) -> None:
    writer = log.writer()
    writer.append(records(3))
    reader = log.reader()
    reader.snapshot()
    writer.append(records(2, start=3))
    row = reader.last_checkpoint()
    assert row is not None
    assert row.size == 3


WRITES_AND_WAITS = """
import sys
from contextlib import closing
from pathlib import Path
from policy_engine.decision_log.opening import open_writer
from tests.support.decision_logs import records
writer = open_writer(sys.argv[1], Path(sys.argv[2]), lambda count: bytes(count))
writer.append(records(5))
print("written", flush=True)
sys.stdin.read()
"""


def test_the_lock_ends_with_its_process(log: Log) -> None:
    command = [sys.executable, "-c", WRITES_AND_WAITS, str(log.path), str(log.keys)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"written\n"
        with pytest.raises(CannotRun, match="one writer at a time"):
            log.writer()
        other.kill()
    log.append(records(3, start=5))
    assert log.verified().payloads == 8


def test_a_full_disk_fails_a_batch_and_the_same_writer_goes_on(log: Log) -> None:
    writer = log.writer()
    assert isinstance(writer.store, SqliteStore)
    writer.append(records(10))
    writer.store._rows("PRAGMA max_page_count = 20")
    made = records(200, start=10)
    with pytest.raises(LogUnavailable) as caught:
        writer.append(made)
    assert str(caught.value) == f"the log `{log.path}` cannot be written: database or disk is full"
    assert log.verified().payloads == 10
    writer.store._rows("PRAGMA max_page_count = 100000")
    assert writer.append(made).size == 210
    writer.close()
    assert log.verified().payloads == 210


def test_whatever_is_torn_off_the_write_ahead_log_a_beginning_is_left_and_goes_on(log: Log, tmp_path: Path) -> None:
    writer = log.writer()
    made = records(120)
    for batch in in_batches(made, 5):
        writer.append(batch)
    names = [log.path.name, f"{log.path.name}-wal"]
    whole = (tmp_path / names[1]).read_bytes()
    draw = Random(3)
    sizes = set()
    for number in range(25):
        folder = tmp_path / f"torn {number}"
        shutil.copytree(log.keys, folder / log.keys.name)
        shutil.copy(log.path, folder / names[0])
        torn = whole[: draw.randrange(len(whole))]
        (folder / names[1]).write_bytes(torn + draw.randbytes(draw.randrange(50)))
        if sqlite_schema_is_there(folder / names[0]):
            again = open_writer(str(folder / names[0]), folder / log.keys.name, draw.randbytes)
            size = again.checkpoint.size
            assert size % 5 == 0
            assert again.append(made).size == 120
            again.close()
            sizes.add(size)
    assert len(sizes) > 5


def sqlite_schema_is_there(path: Path) -> bool:
    """Whether a file has its tables already: what made them may itself stand in the part that was torn off."""
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])


def test_an_end_that_does_not_fit_its_checkpoint_is_not_written_on(log: Log) -> None:
    log.append(records(5))
    tamper(log.path, "UPDATE entries SET leaf = zeroblob(32) WHERE position = 2")
    with pytest.raises(CannotRun) as caught:
        log.writer()
    told = "the end of the log does not fit its newest checkpoint; `policy log verify` tells more"
    assert str(caught.value) == told


def test_the_key_of_another_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = Log(tmp_path / "a"), Log(tmp_path / "b", "example.com/other")
    with pytest.raises(CannotRun) as caught:
        open_writer(str(one.path), other.keys, bytes)
    told = "the signing key is not that of the log; name the folder of its own keys with --keys"
    assert str(caught.value) == told
    one.writer().close()


def test_a_log_that_was_restored_from_an_older_one_takes_no_key_that_was_forgotten(log: Log) -> None:
    older = log.path.with_name("older.sqlite")
    shutil.copy(log.path, older)
    log.append(records(3, accounts=3))
    tamper(log.keys / "keys.sqlite", "DELETE FROM keys WHERE number < 3")
    writer = open_writer(str(older), log.keys, bytes)
    writer.append(records(2, accounts=2))
    assert [row.key for row in writer.store.records(0, 2)] == [3, 4]


def test_an_account_whose_key_is_gone_is_told(log: Log) -> None:
    log.append(records(1))
    tamper(log.keys / "keys.sqlite", "DELETE FROM keys WHERE number = 1")
    with pytest.raises(LogUnavailable) as caught:
        log.writer().append(records(1, start=10))
    told = f"the key 1 is not in `{log.keys / 'keys.sqlite'}`; was the file of keys restored from an older one?"
    assert str(caught.value) == told


def test_keys_are_for_their_owner_alone(log: Log) -> None:
    assert log.keys.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o077 for path in log.keys.iterdir()} == {
        "signing.key": 0,
        "keys.sqlite": 0,
        "verifier.key": 0o044,
    }
    assert log.path.stat().st_mode & 0o077 == 0


def test_what_is_no_log_is_refused_with_the_reason(log: Log, tmp_path: Path) -> None:
    text, other, newer = tmp_path / "text", tmp_path / "other.sqlite", tmp_path / "newer.sqlite"
    text.write_text("no log " * 100)
    tamper(other, "CREATE TABLE something (a)")
    shutil.copy(log.path, newer)
    tamper(newer, "PRAGMA user_version = 2")
    expected = {
        tmp_path
        / "nothing": f"there is no log `{tmp_path / 'nothing'}`; `policy log init {tmp_path / 'nothing'}` makes one",
        text: f"`{text}` is no decision log; `policy log init` makes one",
        other: f"`{other}` is no decision log; `policy log init` makes one",
        newer: f"the log `{newer}` was made by a newer policy_engine (tables of version 2); install that",
    }
    for path, sentence in expected.items():
        for opened in (lambda path: open_reader(str(path)), lambda path: open_writer(str(path), log.keys, bytes)):
            with pytest.raises(CannotRun) as caught:
                opened(path)
            assert str(caught.value) == sentence


def test_a_log_on_a_medium_that_cannot_be_written_is_read(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """There SQLite cannot make the files beside it, and is told that nobody changes the log."""
    log.append(records(5))
    connected = sqlite_store._connected

    def on_a_medium(path: Path, mode: str) -> sqlite3.Connection:
        if "immutable" in mode:
            return connected(path, mode)
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite_store, "_connected", on_a_medium)
    assert len(list(log.reader().records(0, 9))) == 5
    Path(f"{log.path}-wal").touch()
    with pytest.raises(CannotRun) as caught:
        log.reader()
    assert str(caught.value) == f"the log `{log.path}` cannot be read: unable to open database file"


def test_nothing_is_replaced_when_a_log_is_made(log: Log, tmp_path: Path) -> None:
    with pytest.raises(CannotRun) as caught:
        create_log(str(log.path), tmp_path / "more.keys", "a", bytes)
    assert str(caught.value) == f"`{log.path}` is there already; name another file"
    with pytest.raises(CannotRun) as caught:
        create_log(str(tmp_path / "more.sqlite"), log.keys, "a", bytes)
    assert str(caught.value) == f"`{log.keys}` is there already; name another folder for the keys with --keys"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decisions.keys", "decisions.sqlite"]
    with pytest.raises(CannotRun, match="cannot be the name of a key"):
        create_log(str(tmp_path / "more.sqlite"), tmp_path / "more.keys", "two words", bytes)
