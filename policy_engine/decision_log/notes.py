"""Checkpoints as signed notes: what is signed at each commit, printed, kept by others, and signed again by witnesses.

The forms are those of C2SP: signed-note (Ed25519), tlog-checkpoint, and tlog-cosignature for witnesses. Whatever is not of
its form raises `ValueError` with a sentence.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import dataclass, field, replace
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES, ID_BYTES, TIME_BYTES, HASH_BYTES = 32, 4, 8, 32
LONGEST_NOTE = 20_000
"""Characters of a note; one with sixteen signatures of Ed25519 has about three thousand."""
PRIVATE = "PRIVATE+KEY+"
DASH = "\N{EM DASH} "
_NUMBER = re.compile("0|[1-9][0-9]{0,18}")
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class KeyKind(IntEnum):
    """What a key signs: the checkpoints of its log, or those of others, with the time at which it saw them."""

    LOG = 1
    WITNESS = 4


@dataclass(frozen=True, slots=True)
class Signature:
    """A line of a note: who signed, with which key, and the signature (for a witness with its time before it)."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line, with its line break."""
        return f"{DASH}{self.name} {to_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and the root of a log's tree, with the signatures under it."""

    origin: str
    size: int
    root: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def body(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"

    @property
    def text(self) -> str:
        """The signed note."""
        return f"{self.body}\n{''.join(signature.line for signature in self.signatures)}"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with its name, by which signatures are checked."""

    name: str
    kind: KeyKind
    key: bytes

    @property
    def key_id(self) -> bytes:
        """What names the key in signatures."""
        return sha256(f"{self.name}\n".encode() + bytes((self.kind,)) + self.key).digest()[:ID_BYTES]

    @property
    def text(self) -> str:
        """The key as people pass it on."""
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes((self.kind,)) + self.key)}"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name."""

    name: str
    kind: KeyKind
    seed: bytes = field(repr=False)
    _private: Ed25519PrivateKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_private", Ed25519PrivateKey.from_private_bytes(self.seed))

    @property
    def verifier(self) -> Verifier:
        """The public key."""
        return Verifier(self.name, self.kind, self._private.public_key().public_bytes_raw())

    @property
    def text(self) -> str:
        """The private key as it is stored."""
        return f"{PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{to_base64(bytes((self.kind,)) + self.seed)}"

    def signature(self, body: str, seconds: int = 0) -> Signature:
        """The signature of a body; that of a witness says the time, in seconds since 1970."""
        if self.kind is KeyKind.LOG:
            return Signature(self.name, self.verifier.key_id, self._private.sign(body.encode()))
        value = seconds.to_bytes(TIME_BYTES, "big") + self._private.sign(_with_time(body, seconds))
        return Signature(self.name, self.verifier.key_id, value)


def signer(name: str, kind: KeyKind, seed: bytes) -> Signer:
    """A private key of 32 random bytes; raises `ValueError` for a name that cannot stand in a note."""
    if not is_name(name):
        raise ValueError(f"`{name}` cannot be the name of a key: it has no spaces, no + and no control characters")
    return Signer(name, kind, seed)


def is_name(text: str) -> bool:
    """Whether a key may have this name."""
    return _NAME.fullmatch(text) is not None


def signed(checkpoint: Checkpoint, by: Signer, seconds: int = 0) -> Checkpoint:
    """The checkpoint with a signature more, in place of an older one by the same key."""
    signature = by.signature(checkpoint.body, seconds)
    others = (one for one in checkpoint.signatures if (one.name, one.key_id) != (signature.name, signature.key_id))
    return replace(checkpoint, signatures=(*others, signature))


def is_signed(checkpoint: Checkpoint, by: Verifier) -> bool:
    """Whether a checkpoint has a signature of a key, and none of it that is wrong."""
    values = [one.value for one in checkpoint.signatures if (one.name, one.key_id) == (by.name, by.key_id)]
    return bool(values) and all(_is_valid(checkpoint.body, value, by) for value in values)


def witnessed_at(checkpoint: Checkpoint, by: Verifier) -> int | None:
    """When a witness signed a checkpoint, in seconds since 1970; None where it has not, or its signature is wrong."""
    if by.kind is not KeyKind.WITNESS or not is_signed(checkpoint, by):
        return None
    value = next(one.value for one in checkpoint.signatures if (one.name, one.key_id) == (by.name, by.key_id))
    return int.from_bytes(value[:TIME_BYTES], "big")


def _is_valid(body: str, value: bytes, by: Verifier) -> bool:
    message, signature = body.encode(), value
    if by.kind is KeyKind.WITNESS:
        seconds, signature = int.from_bytes(value[:TIME_BYTES], "big"), value[TIME_BYTES:]
        message = _with_time(body, seconds)
    try:
        Ed25519PublicKey.from_public_bytes(by.key).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: no point of the curve
        return False
    return True


def _with_time(body: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


# Reading


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a signed note, its signatures unchecked; raises `ValueError`."""
    body, signatures = read_note(text)
    lines = body.split("\n")
    if len(lines) != 4:
        raise ValueError("a checkpoint has three lines: its log's name, a number of entries, and a root")
    origin, size, root = lines[:3]
    if not is_name(origin):
        raise ValueError("the first line of a checkpoint is the name of its log, without spaces or +")
    if not _NUMBER.fullmatch(size):
        raise ValueError("the second line of a checkpoint is a number of entries")
    return Checkpoint(origin, int(size), _bytes(root, HASH_BYTES, "the root of a checkpoint"), signatures)


def read_note(text: str) -> tuple[str, tuple[Signature, ...]]:
    """The body of a signed note, and its signatures; raises `ValueError`."""
    if len(text) > LONGEST_NOTE:
        raise ValueError(f"a signed note has at most {LONGEST_NOTE:,} characters")
    if _CONTROL.search(text):
        raise ValueError("a signed note has no control characters but line breaks")
    body, blank, rest = text.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise ValueError("a signed note is a text, a blank line, and lines of signatures, each with its line break")
    return body + "\n", tuple(map(_signature, rest[:-1].split("\n")))


def _signature(line: str) -> Signature:
    name, blank, value = line.removeprefix(DASH).partition(" ")
    if not (line.startswith(DASH) and blank and is_name(name)):
        raise ValueError(f"`{line[:80]}` is no line of a signature: that is a dash, a name, and a text in base64")
    content = _bytes(value, None, "a signature")
    if len(content) <= ID_BYTES:
        raise ValueError("a signature has more than four bytes")
    return Signature(name, content[:ID_BYTES], content[ID_BYTES:])


def read_verifier(text: str) -> Verifier:
    """The public key in a text; raises `ValueError`."""
    name, key_id, kind, key = _key_parts(text.strip(), "public")
    found = Verifier(name, kind, key)
    if found.key_id.hex() != key_id:
        raise ValueError("the public key is damaged: its number does not fit its name and key")
    return found


def read_signer(text: str) -> Signer:
    """The private key in a text; raises `ValueError`, which shows nothing of it."""
    stripped = text.strip()
    if not stripped.startswith(PRIVATE):
        raise ValueError("a private key begins with PRIVATE+KEY+")
    name, key_id, kind, seed = _key_parts(stripped.removeprefix(PRIVATE), "private")
    found = Signer(name, kind, seed)
    if found.verifier.key_id.hex() != key_id:
        raise ValueError("the private key is damaged: its number does not fit its name and key")
    return found


def _key_parts(text: str, what: str) -> tuple[str, str, KeyKind, bytes]:
    parts = text.split("+", 2)
    if len(parts) != 3 or not is_name(parts[0]):
        raise ValueError(f"a {what} key is a name, a number and a key, with + between them")
    content = _bytes(parts[2], KEY_BYTES + 1, f"a {what} key")
    if content[0] not in tuple(KeyKind):
        raise ValueError(f"the {what} key is of a kind that is not known here: {content[0]}; known are 1 and 4")
    return parts[0], parts[1], KeyKind(content[0]), content[1:]


def to_base64(content: bytes) -> str:
    """Bytes as base64."""
    return b64encode(content).decode()


def _bytes(text: str, length: int | None, what: str) -> bytes:
    try:
        content = b64decode(text, validate=True)
    except (Error, ValueError):  # ValueError: characters beyond ASCII
        raise ValueError(f"{what} is not base64") from None
    if to_base64(content) != text or (length is not None and len(content) != length):
        raise ValueError(f"{what} does not have {length} bytes" if length else f"{what} is not base64 as it is written")
    return content


def read_hash(line: str) -> bytes:
    """The hash in a line of base64; raises `ValueError`."""
    return _bytes(line, HASH_BYTES, "a hash")
