"""Payloads sealed with the key of their account, and the file of those keys.

A payload is sealed together with its salt, so both are gone with the key. Keys lie in a folder of their own, which must never be
in the same backups as the log. Accounts are found by a keyed digest, which tells nobody without the key who they are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from policy_engine.errors import CannotRun, LogUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEY_BYTES, NONCE_BYTES, SALT_BYTES, DIGEST_BYTES = 32, 12, 16, 32
POOL = 1024
"""So many keys are made at a time, before accounts need them: a batch then is one commit in one file."""
KEPT_IN_MEMORY = 100_000

RandomBytes = Callable[[int], bytes]


def sealed(key: bytes, id: bytes, salt: bytes, payload: bytes, nonce: bytes) -> bytes:  # noqa: A002 - the word for it
    """A payload and its salt, sealed; it opens for the record with this id alone."""
    return nonce + AESGCM(key).encrypt(nonce, salt + payload, id)


def opened(key: bytes, id: bytes, content: bytes) -> tuple[bytes, bytes]:  # noqa: A002 - the word for it
    """The salt and the payload; raises `ValueError` where the key, the id or the content is another."""
    try:
        plain = AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], id)
    except (InvalidTag, ValueError):  # ValueError: too short for a nonce
        raise ValueError("the payload does not open with its key") from None
    return plain[:SALT_BYTES], plain[SALT_BYTES:]


def account_digest(index_key: bytes, account: str) -> bytes:
    """What finds an account in the index, without naming it."""
    return blake2b(account.encode("utf-8", "surrogatepass"), key=index_key, digest_size=DIGEST_BYTES).digest()


class KeyFile:
    """The file of keys: those of accounts by their number, and two of the log's own, for the index and for masked facts."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        if not path.is_file():
            raise CannotRun(f"there is no file of keys `{path}`; name the folder of the log's keys with --keys")
        self.path = path
        address = f"file:{quote(str(path.absolute()))}?mode={'rw' if writable else 'ro'}"
        self._known: dict[int, bytes] = {}
        self._end = 0
        try:
            self._connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA secure_delete = ON")
            own = self._connection.execute("SELECT indexing, masking FROM log").fetchall()
        except sqlite3.Error as error:
            raise CannotRun(f"the file of keys `{path}` cannot be read: {error}") from None
        if [[len(key) for key in row] for row in own] != [[KEY_BYTES, KEY_BYTES]]:
            raise CannotRun(f"the file of keys `{path}` is damaged: the two keys of the log itself are not whole")
        ((self.index_key, self.masking_key),) = own

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise LogUnavailable(f"the file of keys `{self.path}` cannot be used: {error}") from error

    def key(self, number: int) -> bytes | None:
        """The key of a number; None where it was forgotten."""
        found = self._known.get(number)
        if found is None:
            with self._asking():
                row = self._connection.execute("SELECT key FROM keys WHERE number = ?", (number,)).fetchone()
            if row is None:
                return None
            found = row[0]
            self._keep([(number, found)])
        return found

    def _keep(self, keys: Sequence[tuple[int, bytes]]) -> None:
        """Keep keys in memory, in the place of all others where those are many."""
        if len(self._known) >= KEPT_IN_MEMORY:
            self._known.clear()
        self._known.update(keys)

    def ensure(self, before: int, random_bytes: RandomBytes) -> None:
        """Have a key for each number before this, made at some time and never made again."""
        if before <= self._end:
            return
        with self._asking():
            ((end,),) = self._connection.execute("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence").fetchall()
            made = [(number, random_bytes(KEY_BYTES)) for number in range(end, before + POOL if end < before else end)]
            if made:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("INSERT INTO keys VALUES (?, ?)", made)
                self._connection.execute("COMMIT")
        self._end = end + len(made)
        self._keep(made)

    def forget(self, numbers: Collection[int]) -> None:
        """Delete keys, and rewrite the file so that nothing of them is left in it."""
        self._known.clear()
        with self._asking():
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("DELETE FROM keys WHERE number = ?", [(number,) for number in numbers])
            self._connection.execute("COMMIT")
            self._connection.execute("VACUUM")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def create_key_file(path: Path, random_bytes: RandomBytes) -> None:
    """Make a file of keys that only its owner reads; raises `CannotRun`."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("CREATE TABLE log (indexing BLOB NOT NULL, masking BLOB NOT NULL) STRICT")
        connection.execute("CREATE TABLE keys (number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL) STRICT")
        connection.execute("INSERT INTO log VALUES (?, ?)", (random_bytes(KEY_BYTES), random_bytes(KEY_BYTES)))
        connection.close()
    except OSError as error:
        raise CannotRun(f"the file of keys `{path}` cannot be made: {error.strerror}") from None
    except sqlite3.Error as error:
        raise CannotRun(f"the file of keys `{path}` cannot be made: {error}") from None
