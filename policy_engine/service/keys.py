"""API keys: a file of names, roles and SHA-256 digests. A key itself is shown once, and stored nowhere.

A key has 256 random bits, so nobody finds it by trying, and a quick digest is enough.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from policy_engine.diagnostics import shown_text, unknown_name
from policy_engine.documents.facts_files import read_file_text, read_json
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole
from policy_engine.service.clock import CLOCK, Clock
from policy_engine.service.logs import log_trouble

PREFIX = "pk_"
"""What every key begins with, so that it is told from a token, and found where it should not be."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DIGEST = re.compile(r"[0-9a-f]{64}")
BETWEEN_LOOKS = 1.0
"""Seconds between two looks whether the file of keys has changed."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is stored: whose it is, the role of who shows it, its digest, and the day on which it was made."""

    name: str
    role: str
    sha256: str
    since: str


def digest(key: str) -> str:
    """The digest of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def new_key() -> str:
    """A key of 256 random bits."""
    return f"{PREFIX}{secrets.token_urlsafe(32)}"


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys in a file; raises `CannotRun`."""
    try:
        document = read_json(read_file_text(path))
    except ValueError as error:
        raise CannotRun(f"{path}: {error}") from None
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list):
        raise CannotRun(f"{path}: this is no file of keys; `policy serve keys add` writes one")
    keys = tuple(_key(path, number, member) for number, member in enumerate(members, start=1))
    _refuse_twice(path, [key.name for key in keys])
    return keys


def _key(path: Path, number: int, member: object) -> Key:
    texts = member if isinstance(member, dict) and all(isinstance(value, str) for value in member.values()) else {}
    if texts.keys() != set(Key.__slots__) or not NAME.fullmatch(texts["name"]) or not DIGEST.fullmatch(texts["sha256"]):
        raise CannotRun(f"{path}: key {number} is not as `policy serve keys add` writes it")
    return Key(**texts)


def _refuse_twice(path: Path, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise CannotRun(f"{path}: there are two keys `{twice}`; revoke them, and add one")


def add_key(path: Path, name: str, role: str, day: str) -> str:
    """Add a key to a file, which is made where there is none, and give the key; raises `CannotRun`."""
    if not NAME.fullmatch(name):
        allowed = "letters from A to Z, digits, points, dashes and underscores"
        raise CannotRun(f"`{shown_text(name, 80)}` cannot be the name of a key: use at most 64 {allowed}")
    keys = read_keys(path) if path.exists() else ()
    if any(key.name == name for key in keys):
        raise CannotRun(f"there is a key `{name}` already; revoke it first, or choose another name")
    key = new_key()
    _write(path, [*keys, Key(name, role, digest(key), day)])
    return key


def revoke_key(path: Path, name: str) -> None:
    """Take a key out of a file; raises `CannotRun` where there is none of this name."""
    keys = read_keys(path)
    if all(key.name != name for key in keys):
        raise CannotRun(unknown_name("key", shown_text(name, 80), [key.name for key in keys]))
    _write(path, [key for key in keys if key.name != name])


def _write(path: Path, keys: Iterable[Key]) -> None:
    write_whole(path, json.dumps({"keys": [asdict(key) for key in keys]}, indent=2) + "\n", permissions=0o600)


@dataclass(slots=True)
class KeyRing:
    """The keys of a file, read again when it changes; a file that cannot be read leaves the keys that were there.

    Raises `CannotRun` where the file cannot be read at first.
    """

    path: Path
    clock: Clock = CLOCK
    keys: Mapping[str, Key] = field(default_factory=dict, repr=False)
    _state: object = None
    _looked: float = 0.0

    def __post_init__(self) -> None:
        self.keys, self._state, self._looked = _by_digest(self.path), _state_of(self.path), self.clock.ticks()

    def find(self, key: str) -> Key | None:
        """The key that was shown, None where it is not known."""
        now = self.clock.ticks()
        if now - self._looked >= BETWEEN_LOOKS:
            self._looked = now
            self._look()
        return self.keys.get(digest(key))

    def _look(self) -> None:
        state = _state_of(self.path)
        if state == self._state:
            return
        self._state = state
        try:
            self.keys = _by_digest(self.path)
        except CannotRun as error:
            log_trouble("the file of keys cannot be read; the keys that were there stay", error)


def _by_digest(path: Path) -> Mapping[str, Key]:
    return {key.sha256: key for key in read_keys(path)}


def _state_of(path: Path) -> object:
    """What differs once a file was written again; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
