"""The decision log in an SQLite file: one writer, any number of readers, each commit on the disk before `write` returns.

The file has a write-ahead log beside it. A writer holds a lock for as long as it is open. What is torn at the end when it is
killed, SQLite cuts off when the file is opened again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

from policy_engine.decision_log.stores import (
    UNNAMED,
    VERSION,
    AnotherWriter,
    Batch,
    CheckpointRow,
    Erased,
    Identity,
    Pruned,
    StoredRecord,
    SubtreeRow,
)
from policy_engine.errors import CannotRun, LogUnavailable

APPLICATION = 0x706C6F67
"""What marks an SQLite file as a decision log."""
MIGRATIONS = (
    """
    CREATE TABLE log (origin TEXT NOT NULL, verifier TEXT NOT NULL, next_key INTEGER NOT NULL) STRICT;
    CREATE TABLE entries (position INTEGER PRIMARY KEY, id BLOB UNIQUE, leaf BLOB NOT NULL, entry BLOB) STRICT;
    CREATE TABLE payloads (position INTEGER PRIMARY KEY, key INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE INDEX payloads_by_key ON payloads (key);
    CREATE TABLE accounts (digest BLOB PRIMARY KEY, key INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE subtrees (level INTEGER, number INTEGER, root BLOB NOT NULL, PRIMARY KEY (level, number)) STRICT, WITHOUT ROWID;
    CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
    CREATE TABLE forgotten (key INTEGER PRIMARY KEY) STRICT;
    """,
)
"""What leads from each version of the tables to the next; the last leads to `VERSION`."""
ROWS_A_STATEMENT = 64
NAMES_A_QUESTION = 500
WAIT_SECONDS = 10.0


class SqliteReader:
    """A log in a file, for reading alone; raises `CannotRun` where there is none that can be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = _reading(path)
        with self._asking():
            _check_version(self._connection, path)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turns what SQLite raises into `LogUnavailable`."""
        try:
            yield
        except sqlite3.Error as error:
            raise LogUnavailable(f"the log `{self.path}` cannot be read: {error}") from error

    def _rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._asking():
            return self._connection.execute(query, parameters).fetchall()

    def _stream(self, query: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        with self._asking():
            for row in self._connection.execute(query, parameters):  # noqa: UP028 - it may end after the connection
                yield row

    def _row(self, query: str, *parameters: object) -> tuple[Any, ...] | None:
        rows = self._rows(query, parameters)
        return rows[0] if rows else None

    def _among(self, query: str, names: Collection[object]) -> Iterator[tuple[Any, ...]]:
        """The rows of a query whose `IN (?)` is asked for all of these names."""
        for part in _parts(list(names), NAMES_A_QUESTION):
            yield from self._rows(query.replace("(?)", f"({_marks(len(part))})"), part)

    def snapshot(self) -> None:
        """From now on read the log as it is at this moment, whatever is written meanwhile."""
        self._rows("BEGIN")
        self._rows("SELECT next_key FROM log")

    def identity(self) -> Identity:
        """What the file says of its log; raises `CannotRun` where it says nothing."""
        row = self._row("SELECT origin, verifier FROM log")
        if row is None:
            raise CannotRun(f"the log `{self.path}` {UNNAMED}")
        return Identity(*row)

    def last_checkpoint(self) -> CheckpointRow | None:
        """The newest checkpoint; None in a log without entries."""
        row = self._row("SELECT size, text FROM checkpoints ORDER BY size DESC LIMIT 1")
        return CheckpointRow(*row) if row else None

    def checkpoint(self, size: int) -> CheckpointRow | None:
        """The checkpoint of a size; None where no commit ended there."""
        row = self._row("SELECT size, text FROM checkpoints WHERE size = ?", size)
        return CheckpointRow(*row) if row else None

    def checkpoints(self, start: int, end: int) -> Iterator[CheckpointRow]:
        """The checkpoints of sizes above `start` and up to `end`, in order."""
        query = "SELECT size, text FROM checkpoints WHERE size > ? AND size <= ? ORDER BY size"
        return map(CheckpointRow._make, self._stream(query, (start, end)))

    def records(self, start: int, end: int) -> Iterator[StoredRecord]:
        """The records from a position to before another, in order."""
        query = (
            "SELECT position, id, leaf, entry, key, sealed FROM entries LEFT JOIN payloads USING (position) "
            "WHERE position >= ? AND position < ? ORDER BY position"
        )
        return map(StoredRecord._make, self._stream(query, (start, end)))

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The hashes of the entries from a position to before another that are there, in order."""
        query = "SELECT leaf FROM entries WHERE position >= ? AND position < ? ORDER BY position"
        return [leaf for (leaf,) in self._rows(query, (start, end))]

    def stray_payloads(self) -> list[int]:
        """The positions at which there is a payload and no entry, in order."""
        query = "SELECT position FROM payloads LEFT JOIN entries USING (position) WHERE leaf IS NULL ORDER BY position"
        return [position for (position,) in self._rows(query)]

    def position_of(self, id: bytes) -> int | None:  # noqa: A002 - the word for it
        """Where the record with an id stands; None where there is none."""
        row = self._row("SELECT position FROM entries WHERE id = ?", id)
        return row[0] if row else None

    def positions_of_keys(self, keys: Collection[int]) -> list[int]:
        """Where payloads stand that keys of these numbers open, in order."""
        return sorted(position for (position,) in self._among("SELECT position FROM payloads WHERE key IN (?)", keys))

    def keys_only_before(self, position: int) -> list[int]:
        """The keys of payloads before a position that open none from there on."""
        query = (
            "SELECT DISTINCT key FROM payloads WHERE position < ? "
            "EXCEPT SELECT key FROM payloads WHERE position >= ? ORDER BY key"
        )
        return [key for (key,) in self._rows(query, (position, position))]

    def keys_of(self, digests: Collection[bytes]) -> dict[bytes, int]:
        """The numbers of the keys of those accounts that are known."""
        return dict(self._among("SELECT digest, key FROM accounts WHERE digest IN (?)", digests))

    def accounts_with(self, keys: Collection[int]) -> set[int]:
        """Which of these keys are those of accounts."""
        return {key for (key,) in self._among("SELECT key FROM accounts WHERE key IN (?)", keys)}

    def subtrees(self, level: int, start: int, end: int) -> list[SubtreeRow]:
        """The subtrees of a level from a number to before another that are there, in order."""
        query = (
            "SELECT level, number, root FROM subtrees WHERE level = ? AND number >= ? AND number < ? ORDER BY number"
        )
        return [SubtreeRow(*row) for row in self._rows(query, (level, start, end))]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class SqliteStore(SqliteReader):
    """A log in a file, for its one writer; raises `CannotRun` where it cannot be opened, or is being written already."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        super().close()
        self._lock = _writers_lock(path)
        try:
            self._connection = _writing(path)
        except BaseException:
            self._lock.close()
            raise

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turns what SQLite raises into `LogUnavailable`, and takes back what was begun."""
        try:
            yield
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise LogUnavailable(f"the log `{self.path}` cannot be written: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._asking():
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")

    def known_ids(self, ids: Collection[bytes]) -> set[bytes]:
        """Those of these ids that records have."""
        return {id for (id,) in self._among("SELECT id FROM entries WHERE id IN (?)", ids)}  # noqa: A001

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction, durable when this returns."""
        with self._transaction():
            self._insert("entries", batch.entries)
            self._insert("payloads", batch.payloads)
            self._insert("accounts", batch.accounts)
            self._insert("subtrees", batch.subtrees)
            self._insert("checkpoints", (batch.checkpoint,))
            self._connection.execute("UPDATE log SET next_key = ?", (batch.next_key,))
            self._erase(batch.erased)
            self._prune(batch.pruned)

    def _insert(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        for part in _parts(rows, ROWS_A_STATEMENT):
            row = f"({_marks(len(part[0]))})"
            statement = f"INSERT INTO {table} VALUES {', '.join((row,) * len(part))}"
            self._connection.execute(statement, tuple(chain.from_iterable(part)))

    def _erase(self, erased: Erased | None) -> None:
        if erased:
            delete = self._connection.executemany
            delete("DELETE FROM payloads WHERE position = ?", ((position,) for position in erased.positions))
            delete("DELETE FROM accounts WHERE key = ?", ((key,) for key in erased.accounts))
            self._insert("forgotten", [(key,) for key in erased.keys])

    def _prune(self, pruned: Pruned | None) -> None:
        if pruned:
            self._connection.execute(
                "UPDATE entries SET id = NULL, entry = NULL WHERE position < ? AND entry IS NOT NULL",
                (pruned.entries_before,),
            )
            self._connection.execute("DELETE FROM payloads WHERE position < ?", (pruned.payloads_before,))

    def next_key(self) -> int:
        """The number of the key that is taken next, as the last batch said; no number is taken twice."""
        ((number,),) = self._rows("SELECT next_key FROM log")
        return int(number)

    def forgotten_keys(self) -> list[int]:
        """The keys that an erasure wrote down, and that may not be forgotten yet."""
        return [key for (key,) in self._rows("SELECT key FROM forgotten")]

    def keys_are_forgotten(self, keys: Collection[int]) -> None:
        """Note that keys are gone."""
        with self._transaction():
            self._connection.executemany("DELETE FROM forgotten WHERE key = ?", [(key,) for key in keys])

    def compact(self) -> None:
        """Rewrite the file and empty its write-ahead log, so that nothing is left in them of what was deleted."""
        with self._asking():
            self._connection.execute("VACUUM")
        ((is_kept, _, _),) = self._rows("PRAGMA wal_checkpoint(TRUNCATE)")
        if is_kept:
            raise LogUnavailable(
                f"`{self.path}-wal` still holds bytes of what was deleted, since somebody reads the log; "
                "they go when the log is next opened for writing and nobody reads it"
            )

    def close(self) -> None:
        """Let go of the file and of the lock."""
        super().close()
        self._lock.close()


def create(path: Path, identity: Identity) -> None:
    """Make a log; raises `CannotRun` where there is something already, or nothing can be made."""
    if path.exists():
        raise CannotRun(f"`{path}` is there already; name another file")
    try:
        path.touch(mode=0o600, exist_ok=False)
        connection = _connected(path, "rw")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        _migrate(connection)
        connection.execute("INSERT INTO log VALUES (?, ?, 1)", identity)
        connection.close()
    except OSError as error:
        raise CannotRun(f"the log `{path}` cannot be made: {error.strerror}") from None
    except sqlite3.Error as error:
        path.unlink(missing_ok=True)
        raise CannotRun(f"the log `{path}` cannot be made: {error}") from None


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to this version, each step in a transaction."""
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT")


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raises `CannotRun` where it is no decision log, or one of a newer version."""
    ((application,),) = connection.execute("PRAGMA application_id").fetchall()
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    if application != APPLICATION:
        raise CannotRun(f"`{path}` is no decision log; `policy log init` makes one")
    if version > VERSION:
        raise CannotRun(
            f"the log `{path}` was made by a newer policy_engine (tables of version {version}); install that"
        )


def _reading(path: Path) -> sqlite3.Connection:
    """A connection that only reads; on a medium that cannot be written, of a log that nobody writes."""
    if not path.is_file():
        raise CannotRun(f"there is no log `{path}`; `policy log init {path}` makes one")
    try:
        connection = _connected(path, "ro")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except sqlite3.OperationalError as error:
        if Path(f"{path}-wal").exists():
            raise CannotRun(f"the log `{path}` cannot be read: {error}") from None
        connection = _connected(path, "ro&immutable=1")
    except sqlite3.DatabaseError:
        raise CannotRun(f"`{path}` is no decision log; `policy log init` makes one") from None
    return connection


def _writing(path: Path) -> sqlite3.Connection:
    try:
        connection = _connected(path, "rw")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        _migrate(connection)
    except sqlite3.Error as error:
        raise CannotRun(f"the log `{path}` cannot be opened for writing: {error}") from None
    return connection


def _writers_lock(path: Path) -> sqlite3.Connection:
    """A lock on the file, by whatever link it is named, that only one process has, and that ends with it.

    Raises `AnotherWriter` where another has it.
    """
    connection = sqlite3.connect(f"{path.resolve()}-writer", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        if "locked" in str(error):
            raise AnotherWriter(f"the log `{path}` is open for writing already") from None
        raise CannotRun(f"the log `{path}` cannot be opened for writing: {error}") from None
    return connection


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(
        address, uri=True, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=512
    )


def _parts(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _marks(count: int) -> str:
    return ", ".join("?" * count)
