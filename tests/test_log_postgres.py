"""The decision log in PostgreSQL: the same rows as in SQLite, whatever was done to it; and what breaks, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from policy_engine.decision_log import erasing, opening
from policy_engine.decision_log.notes import read_checkpoint
from policy_engine.decision_log.postgres_store import PostgresReader, PostgresStore
from policy_engine.decision_log.sealing import KeyFile
from policy_engine.decision_log.stores import ReadStore
from policy_engine.decision_log.verifying import verify
from policy_engine.decision_log.writing import LogWriter
from policy_engine.errors import CannotRun, LogUnavailable
from tests.support import postgres
from tests.support.decision_logs import NAME, in_batches, records

LATER = 1_772_400_000_000
KILL_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() "
    "AND application_name = 'policy_engine decision log'"
)


@pytest.fixture
def address() -> Iterator[str]:
    yield postgres.new_database("decisions")
    postgres.connection().execute(KILL_OTHERS, ("decisions",))


class Log:
    """A log at a location, and what draws its keys."""

    def __init__(self, location: str, keys: Path) -> None:
        self.location, self.keys, self._draw = location, keys, Random(4)
        self.opened: list[LogWriter | ReadStore] = []
        opening.create_log(location, keys, NAME, self._draw.randbytes)

    def writer(self, location: str = "") -> LogWriter:
        writer = opening.open_writer(location or self.location, self.keys, self._draw.randbytes)
        self.opened.append(writer)
        return writer

    def reader(self) -> ReadStore:
        reader = opening.open_reader(self.location)
        self.opened.append(reader)
        return reader

    def close(self) -> None:
        """Let go of all that was opened."""
        for each in self.opened:
            each.close()

    def faults(self) -> int:
        """How many faults verifying the whole log finds."""
        reader, keys = self.reader(), KeyFile(self.keys / opening.ACCOUNT_KEYS)
        verifier = opening.read_signing_key(self.keys / opening.SIGNING_KEY).verifier
        found = verify(reader, verifier, keys)
        reader.close()
        keys.close()
        return found.fault_count


@pytest.fixture
def log(address: str, tmp_path: Path) -> Iterator[Log]:
    log = Log(address, tmp_path / "keys")
    yield log
    log.close()


def rows(store: ReadStore) -> dict[str, object]:
    """All that can be read of a log."""
    return {
        "identity": store.identity(),
        "newest": store.last_checkpoint(),
        "checkpoints": list(store.checkpoints(0, 10_000)),
        "some checkpoints": list(store.checkpoints(7, 300)),
        "one checkpoint": store.checkpoint(7),
        "no checkpoint": store.checkpoint(8),
        "records": list(store.records(0, 10_000)),
        "some records": list(store.records(5, 9)),
        "leaves": store.leaves(3, 290),
        "stray": store.stray_payloads(),
        "of keys": store.positions_of_keys([2, 5]),
        "only before": store.keys_only_before(200),
        "accounts": store.accounts_with(range(50)),
        "subtrees": store.subtrees(1, 0, 10),
        "no keys": store.keys_of([]),
    }


def test_what_is_written_is_read_as_in_a_file(log: Log, tmp_path: Path) -> None:
    """Both are given the same chance, so that every byte is the same."""
    other = Log(str(tmp_path / "decisions.sqlite"), tmp_path / "sqlite.keys")
    both = [log, other]
    made, read = records(600, accounts=40), []
    for each in both:
        writer = each.writer()
        for batch in in_batches(made, 7, 1, 300):
            writer.append(batch)
        writer.append(made[590:])
        erasing.erase(writer, ["account-0003"], [], caller="ops", milliseconds=LATER)
        erasing.prune(writer, entries_before=50, payloads_before=100, caller="ops", milliseconds=LATER)
        read.append(rows(writer.store))
        assert rows(each.reader()) == read[-1]
        assert writer.store.position_of(bytes.fromhex(made[400].id.replace("-", ""))) == 400
        assert writer.store.position_of(bytes(16)) is None
        writer.close()
        assert each.faults() == 0
    assert read[0] == read[1]
    other.close()


def test_a_reader_may_keep_to_one_moment(log: Log) -> None:
    writer = log.writer()
    writer.append(records(3))
    reader = log.reader()
    reader.snapshot()
    writer.append(records(2, start=3))
    row = reader.last_checkpoint()
    assert row is not None
    assert row.size == 3


def test_a_reader_changes_nothing(log: Log, address: str) -> None:
    reader = PostgresReader(address)
    with pytest.raises(LogUnavailable, match="cannot be read: cannot execute DELETE in a read-only transaction"):
        reader._rows("DELETE FROM log RETURNING origin")
    reader.close()


def test_a_second_writer_is_refused_until_the_first_has_ended(log: Log) -> None:
    writer = log.writer()
    with pytest.raises(CannotRun, match="is being written by another process; there is one writer at a time"):
        log.writer()
    writer.close()
    log.writer().close()


def test_a_connection_that_is_lost_fails_one_batch_and_is_opened_again(log: Log) -> None:
    writer, made = log.writer(), records(30)
    writer.append(made[:10])
    postgres.connection().execute(KILL_OTHERS, ("decisions",))
    with pytest.raises(LogUnavailable, match="cannot be written: terminating connection due to administrator command"):
        writer.append(made[10:])
    assert writer.append(made[10:]).size == 30
    assert log.faults() == 0


def test_a_lost_connection_does_not_write_beside_another_writer(log: Log) -> None:
    writer, made = log.writer(), records(30)
    writer.append(made[:10])
    postgres.connection().execute(KILL_OTHERS, ("decisions",))
    other = log.writer()
    other.append(made[10:20])
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            writer.append(made[20:])
    other.close()
    with pytest.raises(LogUnavailable, match="duplicate key"):  # it does not know yet where the log ends now
        writer.append(made[20:])
    assert writer.append(made[20:]).size == 30
    assert log.faults() == 0


def test_each_batch_is_one_statement(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, asked = log.writer(), []
    execute = psycopg.Connection.execute

    def counted(self: Any, query: Any, *given: Any, **named: Any) -> Any:
        asked.append(str(query).split()[0])
        return execute(self, query, *given, **named)

    monkeypatch.setattr(psycopg.Connection, "execute", counted)
    writer.append(records(500))
    assert [word for word in asked if word != "SELECT"] == ["WITH"]


def test_a_commit_is_on_the_disk_before_it_is_told(log: Log, address: str) -> None:
    """What is asked of PostgreSQL; a server that does not do it is refused."""
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("ALTER DATABASE decisions SET synchronous_commit = off")
    store = PostgresStore(address)
    assert store._rows("SHOW synchronous_commit") == [("on",)]
    store.close()
    postgres.set_fsync("off")
    with pytest.raises(CannotRun, match="keeps nothing safe from a loss of power: set `fsync = on` on its server"):
        log.writer()


def test_a_user_who_may_not_write_is_told(log: Log, address: str) -> None:
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS reader")
        owner.execute("CREATE ROLE reader LOGIN")
        owner.execute("GRANT USAGE ON SCHEMA decision_log TO reader")
        owner.execute("GRANT SELECT ON ALL TABLES IN SCHEMA decision_log TO reader")
    as_reader = address.replace("postgres@", "reader@")
    writer = log.writer(as_reader)
    with pytest.raises(LogUnavailable) as caught:
        writer.append(records(1))
    host = postgres.connection().info.host
    assert str(caught.value) == (
        f"the log in the database `decisions` at `{host}` cannot be written: permission denied for table log; "
        "grant it to the user of the address, or name another user"
    )


@pytest.mark.parametrize(
    ("location", "told"),
    [
        (
            "postgresql://postgres@/nowhere?host={host}",
            "database `nowhere` at `{host}` cannot be read: .* does not exist",
        ),
        ("postgresql://secret:word@127.0.0.1:1/x", "database `x` at `127.0.0.1` cannot be read: .*Connection refused"),
        (
            "postgresql://user:secret@[bad",
            "^the address of the database cannot be read; write it as `postgresql://user@host/database`$",
        ),
        ("postgresql://postgres@/postgres?host={host}", "there is no decision log in the database `postgres`"),
    ],
)
def test_a_database_that_cannot_be_read_is_named_without_its_password(address: str, location: str, told: str) -> None:
    host = postgres.connection().info.host
    with pytest.raises(CannotRun, match=told.format(host=host)) as caught:
        opening.open_reader(location.format(host=host))
    assert "word" not in str(caught.value)


def test_a_database_has_one_log(log: Log, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"there is a log in the database `decisions` at .* already; name another"):
        Log(log.location, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_tables_of_a_newer_version_are_refused(log: Log, address: str) -> None:
    with psycopg.connect(address, autocommit=True) as owner:
        owner.execute("UPDATE decision_log.log SET version = 2")
    with pytest.raises(CannotRun, match=r"made by a newer policy_engine \(tables of version 2\); install that"):
        log.reader()


def test_what_was_erased_is_rewritten(log: Log) -> None:
    writer = log.writer()
    writer.append(records(20, accounts=2))
    erasing.erase(writer, ["account-0001"], [], caller="ops", milliseconds=LATER)
    reader = log.reader()
    assert [row.position for row in reader.records(0, 20) if row.sealed is None] == list(range(1, 20, 2))
    newest = reader.last_checkpoint()
    assert newest is not None
    assert read_checkpoint(newest.text).size == 21
