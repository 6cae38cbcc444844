"""The decision log in a PostgreSQL database: one writer, any number of readers, each batch one statement and one commit.

Its tables lie in a schema of their own. The writer holds an advisory lock for as long as its connection lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

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

SCHEMA = "decision_log"
"""The schema of the tables."""
MIGRATIONS = (
    """
    CREATE TABLE log (version integer NOT NULL, origin text NOT NULL, verifier text NOT NULL, next_key bigint NOT NULL);
    CREATE TABLE entries (position bigint PRIMARY KEY, id bytea UNIQUE, leaf bytea NOT NULL, entry bytea);
    CREATE TABLE payloads (position bigint PRIMARY KEY, key bigint NOT NULL, sealed bytea NOT NULL);
    CREATE INDEX payloads_by_key ON payloads (key);
    CREATE TABLE accounts (digest bytea PRIMARY KEY, key bigint NOT NULL);
    CREATE TABLE subtrees (level integer, number bigint, root bytea NOT NULL, PRIMARY KEY (level, number));
    CREATE TABLE checkpoints (size bigint PRIMARY KEY, text text NOT NULL);
    CREATE TABLE forgotten (key bigint PRIMARY KEY);
    """,
)
"""What leads from each version of the tables to the next; the last leads to `VERSION`."""
APPEND = """
    WITH
    entry AS (INSERT INTO entries SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bytea[], %b::bytea[])),
    payload AS (INSERT INTO payloads SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bytea[])),
    account AS (INSERT INTO accounts SELECT * FROM unnest(%b::bytea[], %b::bigint[])),
    subtree AS (INSERT INTO subtrees SELECT * FROM unnest(%b::integer[], %b::bigint[], %b::bytea[])),
    checkpoint AS (INSERT INTO checkpoints VALUES (%b, %b))
    UPDATE log SET next_key = %b
    """
"""All rows of a batch."""
LOCK = int.from_bytes(b"plog")
"""The number of the writer's advisory lock."""
PAGE = 5_000
"""Rows that a long reading asks for at a time."""
WAIT_SECONDS = 5
"""Seconds in which the database must be reached."""
SILENT_SECONDS = 10
"""Seconds after which a connection counts as lost where nothing that was sent arrives."""
Row = tuple[Any, ...]
Connection = psycopg.Connection[Row]
Found = TypeVar("Found")


class PostgresReader:
    """A log in a database, for reading alone; raises `CannotRun` where there is none that can be read."""

    _doing, _options = "read", "-c default_transaction_read_only=on"

    def __init__(self, location: str) -> None:
        self._location, self.name = location, name_of(location)
        try:
            self._connection = self._opened()
        except psycopg.Error as error:
            raise CannotRun(self._told(error)) from None

    def _opened(self) -> Connection:
        connection = connected(self._location, self._options)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: Connection) -> None:
        """See to it that a connection can be used; raises `CannotRun`."""
        _check_version(connection, self.name)

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        """The connection; turns what PostgreSQL raises into `LogUnavailable`."""
        try:
            yield self._connection
        except psycopg.Error as error:
            raise LogUnavailable(self._told(error)) from error

    def _told(self, error: psycopg.Error) -> str:
        return f"the log in {self.name} cannot be {self._doing}: {told(error)}"

    def _rows(self, query: str, *parameters: object) -> list[Row]:
        with self._asking() as connection:
            return connection.execute(query, parameters, binary=True).fetchall()

    def _row(self, query: str, *parameters: object) -> Row | None:
        rows = self._rows(query, *parameters)
        return rows[0] if rows else None

    def _pages(self, query: str, row: Callable[..., Found], start: int, end: int) -> Iterator[Found]:
        """The rows whose first column is from `start` to before `end`, a page at a time; `query` asks for a page of them."""
        while start < end:
            rows = self._rows(f"{query} LIMIT {PAGE}", start, end)
            yield from (row(*each) for each in rows)
            if len(rows) < PAGE:
                return
            start = rows[-1][0] + 1

    def snapshot(self) -> None:
        """From now on read the log as it is at this moment, whatever is written meanwhile."""
        with self._asking() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT next_key FROM log")

    def identity(self) -> Identity:
        """What the database says of its log; raises `CannotRun` where it says nothing."""
        row = self._row("SELECT origin, verifier FROM log")
        if row is None:
            raise CannotRun(f"the log in {self.name} {UNNAMED}")
        return Identity(*row)

    def last_checkpoint(self) -> CheckpointRow | None:
        """The newest checkpoint; None in a log without entries."""
        row = self._row("SELECT size, text FROM checkpoints ORDER BY size DESC LIMIT 1")
        return CheckpointRow(*row) if row else None

    def checkpoint(self, size: int) -> CheckpointRow | None:
        """The checkpoint of a size; None where no commit ended there."""
        row = self._row("SELECT size, text FROM checkpoints WHERE size = %b", size)
        return CheckpointRow(*row) if row else None

    def checkpoints(self, start: int, end: int) -> Iterator[CheckpointRow]:
        """The checkpoints of sizes above `start` and up to `end`, in order."""
        query = "SELECT size, text FROM checkpoints WHERE size >= %b AND size < %b ORDER BY size"
        return self._pages(query, CheckpointRow, start + 1, end + 1)

    def records(self, start: int, end: int) -> Iterator[StoredRecord]:
        """The records from a position to before another, in order."""
        query = (
            "SELECT position, id, leaf, entry, key, sealed FROM entries LEFT JOIN payloads USING (position) "
            "WHERE position >= %b AND position < %b ORDER BY position"
        )
        return self._pages(query, StoredRecord, start, end)

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The hashes of the entries from a position to before another that are there, in order."""
        query = "SELECT leaf FROM entries WHERE position >= %b AND position < %b ORDER BY position"
        return [leaf for (leaf,) in self._rows(query, start, end)]

    def stray_payloads(self) -> list[int]:
        """The positions at which there is a payload and no entry, in order."""
        query = "SELECT position FROM payloads LEFT JOIN entries USING (position) WHERE leaf IS NULL ORDER BY position"
        return [position for (position,) in self._rows(query)]

    def position_of(self, id: bytes) -> int | None:  # noqa: A002 - the word for it
        """Where the record with an id stands; None where there is none."""
        row = self._row("SELECT position FROM entries WHERE id = %b", id)
        return row[0] if row else None

    def positions_of_keys(self, keys: Collection[int]) -> list[int]:
        """Where payloads stand that keys of these numbers open, in order."""
        query = "SELECT position FROM payloads WHERE key = ANY(%b) ORDER BY position"
        return [position for (position,) in self._rows(query, list(keys))]

    def keys_only_before(self, position: int) -> list[int]:
        """The keys of payloads before a position that open none from there on."""
        query = (
            "SELECT DISTINCT key FROM payloads WHERE position < %b "
            "EXCEPT SELECT key FROM payloads WHERE position >= %b ORDER BY key"
        )
        return [key for (key,) in self._rows(query, position, position)]

    def keys_of(self, digests: Collection[bytes]) -> dict[bytes, int]:
        """The numbers of the keys of those accounts that are known."""
        if not digests:
            return {}
        rows = self._rows("SELECT digest, key FROM accounts WHERE digest = ANY(%b)", list(digests))
        return dict(rows)

    def accounts_with(self, keys: Collection[int]) -> set[int]:
        """Which of these keys are those of accounts."""
        return {key for (key,) in self._rows("SELECT key FROM accounts WHERE key = ANY(%b)", list(keys))}

    def subtrees(self, level: int, start: int, end: int) -> list[SubtreeRow]:
        """The subtrees of a level from a number to before another that are there, in order."""
        query = (
            "SELECT level, number, root FROM subtrees WHERE level = %b AND number >= %b AND number < %b ORDER BY number"
        )
        return [SubtreeRow(*row) for row in self._rows(query, level, start, end)]

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


class PostgresStore(PostgresReader):
    """A log in a database, for its one writer; raises `CannotRun` where it cannot be opened, or is being written already.

    A connection that was lost is opened again by whatever is asked next.
    """

    _doing, _options = "written", "-c synchronous_commit=on"

    def _prepare(self, connection: Connection) -> None:
        """Be the one writer, of the newest tables; raises `CannotRun`."""
        version = _check_version(connection, self.name)
        _require_durable(connection, self.name)
        _lock(connection, self.name)
        _migrate(connection, version)

    @contextmanager
    def _asking(self) -> Iterator[Connection]:
        try:
            if self._connection.closed:
                self._connection = self._opened()
            yield self._connection
        except psycopg.Error as error:
            raise LogUnavailable(self._told(error)) from error
        except CannotRun as error:
            raise LogUnavailable(str(error)) from None

    def known_ids(self, ids: Collection[bytes]) -> set[bytes]:
        """Those of these ids that records have."""
        return {id for (id,) in self._rows("SELECT id FROM entries WHERE id = ANY(%b)", list(ids))}  # noqa: A001

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction, durable when this returns."""
        with self._asking() as connection:
            if batch.erased or batch.pruned:
                with connection.transaction():
                    _append(connection, batch)
                    _erase(connection, batch.erased or Erased())
                    _prune(connection, batch.pruned or Pruned())
            else:
                _append(connection, batch)

    def next_key(self) -> int:
        """The number of the key that is taken next, as the last batch said; no number is taken twice."""
        ((number,),) = self._rows("SELECT next_key FROM log")
        return int(number)

    def forgotten_keys(self) -> list[int]:
        """The keys that an erasure wrote down, and that may not be forgotten yet."""
        return [key for (key,) in self._rows("SELECT key FROM forgotten")]

    def keys_are_forgotten(self, keys: Collection[int]) -> None:
        """Note that keys are gone."""
        with self._asking() as connection:
            connection.execute("DELETE FROM forgotten WHERE key = ANY(%b)", (list(keys),))

    def compact(self) -> None:
        """Rewrite the tables, so that nothing is left in them of what was deleted; the server's own log keeps it for a while."""
        with self._asking() as connection:
            for table in ("entries", "payloads", "accounts", "forgotten"):
                connection.execute(f"VACUUM FULL {table}")


def create(location: str, identity: Identity) -> None:
    """Make a log; raises `CannotRun` where there is something already, or nothing can be made."""
    name = name_of(location)
    try:
        with connected(location, "") as connection, connection.transaction():
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
            connection.execute(MIGRATIONS[0])
            connection.execute("INSERT INTO log VALUES (1, %b, %b, 1)", identity)
            _migrate(connection, 1)
    except psycopg.errors.DuplicateSchema:
        raise CannotRun(f"there is a log in {name} already; name another database") from None
    except psycopg.Error as error:
        raise CannotRun(f"the log in {name} cannot be made: {told(error)}") from None


def connected(location: str, options: str) -> Connection:
    """A connection that looks for tables in our schema; raises what psycopg raises."""
    return psycopg.connect(
        location,
        autocommit=True,
        connect_timeout=WAIT_SECONDS,
        tcp_user_timeout=SILENT_SECONDS * 1000,
        options=f"-c search_path={SCHEMA} {options}",
        application_name="policy_engine decision log",
    )


def name_of(location: str) -> str:
    """A database as sentences name it, without its password; raises `CannotRun` where the address cannot be read."""
    try:
        parts = conninfo_to_dict(location)
    except psycopg.ProgrammingError:  # its text has the address, and so a password
        raise CannotRun(
            "the address of the database cannot be read; write it as `postgresql://user@host/database`"
        ) from None
    database = parts.get("dbname") or parts.get("user") or ""
    return f"the database `{database}` at `{parts.get('host') or 'this machine'}`"


def told(error: psycopg.Error) -> str:
    """What PostgreSQL says, in a line, and what to do where that is known."""
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return f"{_line(error)}; grant it to the user of the address, or name another user"
    return _line(error)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _check_version(connection: Connection, name: str) -> int:
    """The version of the tables; raises `CannotRun` where there are none, or those of a newer version."""
    try:
        row = connection.execute("SELECT version FROM log").fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    if row is None:
        raise CannotRun(f"there is no decision log in {name}; `policy log init` makes one")
    if row[0] > VERSION:
        raise CannotRun(
            f"the log in {name} was made by a newer policy_engine (tables of version {row[0]}); install that"
        )
    return int(row[0])


def _require_durable(connection: Connection, name: str) -> None:
    """Raises `CannotRun` where a commit is not on the disk when the server says that it is."""
    row = connection.execute("SHOW fsync").fetchone()
    if row != ("on",):
        raise CannotRun(f"{name} keeps nothing safe from a loss of power: set `fsync = on` on its server")


def _lock(connection: Connection, name: str) -> None:
    """Be the one writer until the connection ends; raises `AnotherWriter` where another is."""
    row = connection.execute("SELECT pg_try_advisory_lock(%b)", (LOCK,)).fetchone()
    if row != (True,):
        raise AnotherWriter(f"the log in {name} is being written by another process")


def _migrate(connection: Connection, version: int) -> None:
    """Bring the tables to this version, each step in a transaction."""
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        with connection.transaction():
            connection.execute(script)
            connection.execute("UPDATE log SET version = %b", (number,))


def _append(connection: Connection, batch: Batch) -> None:
    columns = [
        *_columns(batch.entries, 4),
        *_columns(batch.payloads, 3),
        *_columns(batch.accounts, 2),
        *_columns(batch.subtrees, 3),
    ]
    connection.execute(APPEND, (*columns, *batch.checkpoint, batch.next_key), prepare=True)


def _columns(rows: Sequence[Row], width: int) -> list[list[Any]]:
    """The columns of rows."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _erase(connection: Connection, erased: Erased) -> None:
    connection.execute("DELETE FROM payloads WHERE position = ANY(%b)", (list(erased.positions),))
    connection.execute("DELETE FROM accounts WHERE key = ANY(%b)", (list(erased.accounts),))
    connection.execute("INSERT INTO forgotten SELECT * FROM unnest(%b::bigint[])", (list(erased.keys),))


def _prune(connection: Connection, pruned: Pruned) -> None:
    connection.execute(
        "UPDATE entries SET id = NULL, entry = NULL WHERE position < %b AND entry IS NOT NULL", (pruned.entries_before,)
    )
    connection.execute("DELETE FROM payloads WHERE position < %b", (pruned.payloads_before,))
