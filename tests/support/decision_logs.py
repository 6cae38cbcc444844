"""Decision logs for tests: records of invented accounts, and logs of them in a folder."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from copy import copy
from pathlib import Path
from random import Random

from policy_engine.decision_log.notes import Checkpoint, Verifier
from policy_engine.decision_log.opening import (
    ACCOUNT_KEYS,
    SIGNING_KEY,
    create_log,
    open_reader,
    open_writer,
    read_signing_key,
)
from policy_engine.decision_log.records import Answered, Entry, Record, entry_bytes, payload_digest, time_text, uuid7
from policy_engine.decision_log.sealing import KeyFile
from policy_engine.decision_log.stores import ReadStore
from policy_engine.decision_log.verifying import Verification, verify
from policy_engine.decision_log.writing import LogWriter
from policy_engine.language.decisions import RulesetReference

NAME = "example.com/decisions"
BEGIN = 1_772_357_400_000
"""2026-03-01T09:30:00Z, when the first record was made; each further one a second later."""
OUTCOMES = ("yes", "no")


def record(number: int, account: str = "", *, draw: Random) -> Record:
    """The record of an answer about an account; its payload names the account many times."""
    id_ = uuid7(BEGIN + 1000 * number, draw.randbytes(10))
    salt = draw.randbytes(16)
    payload = f'{{"facts":{{"account":"{account}","note":"{f"of {account}; " * 10}","number":{number}}}}}'.encode()
    outcome = OUTCOMES[number % 2]
    entry = Entry(
        "answer",
        id_,
        time_text(BEGIN + 1000 * number),
        caller=("shop", "crm", "batch")[number % 3],
        question="trial.may_start",
        as_of="2026-03-01",
        ruleset=RulesetReference("trial", "2", "sha256:" + "ab" * 32),
        answers=(Answered("trial.may_start", "decided", outcome, (f"R{number % 5}",)),),
        payload=payload_digest(salt, payload),
    )
    return Record(id_, entry_bytes(entry), payload, salt, account)


def records(count: int, accounts: int = 10, start: int = 0) -> list[Record]:
    """Records of so many accounts in turn, the same every time."""
    draw = Random(start + 17)
    return [record(number, f"account-{number % accounts:04}", draw=draw) for number in range(start, start + count)]


class Log:
    """A log in a folder of a test, with what opens it."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        self.path, self.keys = folder / "decisions.sqlite", folder / "decisions.keys"
        self._draw = Random(4)
        create_log(str(self.path), self.keys, name, self._draw.randbytes)

    def copied(self, path: Path) -> Log:
        """A copy of the file, with the same keys."""
        shutil.copy(self.path, path)
        other = copy(self)
        other.path = path
        return other

    def writer(self) -> LogWriter:
        """The writer of the log."""
        return open_writer(str(self.path), self.keys, self._draw.randbytes)

    def reader(self) -> ReadStore:
        """The log for reading."""
        return open_reader(str(self.path))

    def append(self, *batches: Sequence[Record]) -> None:
        """Append batches, each with a commit of its own."""
        writer = self.writer()
        for batch in batches:
            writer.append(batch)
        writer.close()

    @property
    def verifier(self) -> Verifier:
        """The public key."""
        return read_signing_key(self.keys / SIGNING_KEY).verifier

    def key_file(self) -> KeyFile:
        """The keys of accounts."""
        return KeyFile(self.keys / ACCOUNT_KEYS)

    def verified(self, *kept: Checkpoint) -> Verification:
        """What verifying the whole log gives."""
        reader, keys = self.reader(), self.key_file()
        try:
            return verify(reader, self.verifier, keys, kept)
        finally:
            reader.close()
            keys.close()


def tamper(path: Path, *statements: str) -> None:
    """Run statements on an SQLite file, as somebody might who has it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for statement in statements:
            connection.execute(statement)


def in_batches(made: Sequence[Record], *sizes: int) -> list[Sequence[Record]]:
    """Records in batches of these sizes in turn."""
    batches: list[Sequence[Record]] = []
    start = 0
    while start < len(made):
        size = sizes[len(batches) % len(sizes)]
        batches.append(made[start : start + size])
        start += size
    return batches
