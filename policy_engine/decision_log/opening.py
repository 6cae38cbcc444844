"""Opening the decision log where it is: a file, or a database, and the folder of its keys.

The folder holds the signing key (`signing.key`), the public key to hand out (`verifier.key`), and the keys of accounts
(`keys.sqlite`). Keep it apart from the log, and never in the same backups.
"""

from __future__ import annotations

import shutil
from importlib import import_module
from pathlib import Path
from types import ModuleType

from policy_engine.decision_log import sqlite_store
from policy_engine.decision_log.notes import KeyKind, Signer, read_signer, signer
from policy_engine.decision_log.sealing import KEY_BYTES, KeyFile, RandomBytes, create_key_file
from policy_engine.decision_log.stores import Identity, ReadStore, Store
from policy_engine.decision_log.writing import LogWriter
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole

SIGNING_KEY, VERIFIER_KEY, ACCOUNT_KEYS = "signing.key", "verifier.key", "keys.sqlite"
DATABASES = ("postgresql://", "postgres://")


def default_keys(location: str) -> Path:
    """The folder of the keys of a log in a file; raises `CannotRun` for a database, whose folder has to be named."""
    if is_database(location):
        raise CannotRun("name the folder of the log's keys with --keys, or `keys=` in Python")
    return _file(location).with_suffix(".keys")


def is_database(location: str) -> bool:
    """Whether a log is in a database, and not in a file."""
    return location.startswith(DATABASES)


def _file(location: str) -> Path:
    """The file that a location names; raises `CannotRun` where it can name none, and never tells a password of it."""
    if "://" in location:
        raise CannotRun("the address of a log's database begins with `postgresql://`; others are not known")
    path = Path(location)
    if not path.name:
        raise CannotRun(f"`{location}` names no file; name that of the log, such as `decisions.sqlite`")
    try:
        path.exists()
    except OSError as error:
        raise CannotRun(f"the log `{location}` cannot be read: {error.strerror}") from None
    return path


def open_writer(location: str, keys: Path, random_bytes: RandomBytes) -> LogWriter:
    """The writer of a log; raises `CannotRun` where it cannot be opened, or is being written already."""
    store = _store(location)
    try:
        signing = read_signing_key(keys / SIGNING_KEY)
        return LogWriter(store, KeyFile(keys / ACCOUNT_KEYS, writable=True), signing, random_bytes)
    except BaseException:
        store.close()
        raise


def open_reader(location: str) -> ReadStore:
    """A log for reading; raises `CannotRun`."""
    if is_database(location):
        reader: ReadStore = _postgres().PostgresReader(location)
        return reader
    return sqlite_store.SqliteReader(_file(location))


def _store(location: str) -> Store:
    if is_database(location):
        store: Store = _postgres().PostgresStore(location)
        return store
    return sqlite_store.SqliteStore(_file(location))


def create_log(location: str, keys: Path, name: str, random_bytes: RandomBytes) -> Signer:
    """Make a log and its keys; raises `CannotRun`, and then leaves neither."""
    try:
        signing = signer(name, KeyKind.LOG, random_bytes(KEY_BYTES))
    except ValueError as error:
        raise CannotRun(f"--name: {error}") from None
    if keys.exists():
        raise CannotRun(f"`{keys}` is there already; name another folder for the keys with --keys")
    _create_keys(keys, signing, random_bytes)
    try:
        _create_tables(location, Identity(name, signing.verifier.text))
    except CannotRun:
        shutil.rmtree(keys)
        raise
    return signing


def _create_keys(folder: Path, signing: Signer, random_bytes: RandomBytes) -> None:
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise CannotRun(f"the folder of keys `{folder}` cannot be made: {error.strerror}") from None
    write_whole(folder / SIGNING_KEY, signing.text + "\n", 0o600)
    write_whole(folder / VERIFIER_KEY, signing.verifier.text + "\n")
    create_key_file(folder / ACCOUNT_KEYS, random_bytes)


def _create_tables(location: str, identity: Identity) -> None:
    if is_database(location):
        _postgres().create(location, identity)
    else:
        sqlite_store.create(_file(location), identity)


def _postgres() -> ModuleType:
    """The store in PostgreSQL; raises `CannotRun` where what it needs is not installed."""
    try:
        return import_module("policy_engine.decision_log.postgres_store")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("policy_engine"):
            raise
        told = f'a decision log in a database needs the package `{error.name}`: pip install "policy_engine[postgres]"'
        raise CannotRun(told) from None


def read_signing_key(path: Path) -> Signer:
    """The private key in a file; raises `CannotRun`."""
    try:
        return read_signer(path.read_text("utf-8"))
    except OSError as error:
        raise CannotRun(
            f"the signing key `{path}` cannot be read: {error.strerror}; name the folder of keys with --keys"
        ) from None
    except ValueError as error:
        raise CannotRun(f"`{path}`: {error}") from None
