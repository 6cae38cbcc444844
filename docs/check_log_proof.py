"""Checks a proof of a decision log without policy_engine: python check_log_proof.py PROOF VERIFIER [PAYLOAD]

PROOF is a file by `policy log prove`, VERIFIER the public key of the log, PAYLOAD a file by `policy log prove --payload`.
It needs the package `cryptography`. RFC 6962 says what the hashes are, C2SP's signed-note what is signed.
"""

import json
import sys
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PAYLOAD = b"policy_engine decision log: payload, form 1\n" + (16).to_bytes(8)


def digest(*parts):
    return sha256(b"".join(parts)).digest()


def require(is_so, sentence):
    if not is_so:
        raise ValueError(sentence)


def checkpoint(body, signatures, verifier):
    """The size and the root of a checkpoint; raises an exception where the key has not signed it."""
    name, number, key = verifier.strip().split("+", 2)
    require(digest(name.encode(), b"\n", b64decode(key))[:4].hex() == number, "the public key is damaged")
    begin = f"\u2014 {name} "
    signed = [b64decode(line.removeprefix(begin)) for line in signatures.splitlines() if line.startswith(begin)]
    signature = next(one[4:] for one in signed if one[:4].hex() == number)
    Ed25519PublicKey.from_public_bytes(b64decode(key)[1:]).verify(signature, f"{body}\n".encode())
    origin, size, root = body.split("\n")
    require(origin == name, "the checkpoint is of another log")
    return int(size), b64decode(root)


def roots(old, new, known, hashes, is_known=True):
    """The roots of the first `old` and of all `new` leaves, of which `known` is the root of the old ones where is_known."""
    if old == new:
        require(len(hashes) == (not is_known), "the proof has too many hashes, or too few")
        return (known, known) if is_known else (hashes[0], hashes[0])
    middle, beside = 1 << (new - 1).bit_length() - 1, hashes[-1]
    if old <= middle:
        older, newer = roots(old, middle, known, hashes[:-1], is_known)
        return older, digest(b"\1", newer, beside)
    older, newer = roots(old - middle, new - middle, known, hashes[:-1], False)
    return digest(b"\1", beside, older), digest(b"\1", beside, newer)


def root(position, size, leaf, hashes):
    """The root over a leaf at a position."""
    if size == 1:
        require(not hashes, "the proof has too many hashes")
        return leaf
    middle, beside = 1 << (size - 1).bit_length() - 1, hashes[-1]
    if position < middle:
        return digest(b"\1", root(position, middle, leaf, hashes[:-1]), beside)
    return digest(b"\1", beside, root(position - middle, size - middle, leaf, hashes[:-1]))


def check(proof, verifier, payload=None):
    """What a proof shows, in words; raises an exception where it shows nothing."""
    head, *notes = proof.split("\n\n")
    form, *lines = head.split("\n")
    size, top = checkpoint(*notes[-2:], verifier)
    if form == "c2sp.org/tlog-proof@v1":
        entry, position = b64decode(lines[0].removeprefix("extra ")), int(lines[1].removeprefix("index "))
        leaf, hashes = digest(b"\0", entry), [b64decode(line) for line in lines[2:]]
        require(0 <= position < size and root(position, size, leaf, hashes) == top, "the entry is not in the log")
        if payload is not None:
            require(digest(PAYLOAD, payload).hex() == json.loads(entry)["payload"], "the payload is another")
        return f"record {position} of {size}: {entry.decode()}" + (f"\n{payload[16:].decode()}" if payload else "")
    require(form == "policy_engine consistency proof, form 1", "this is no proof")
    old, known = checkpoint(*notes[:2], verifier)
    hashes = [b64decode(line) for line in lines]
    require(old <= size and roots(old, size, known, hashes) == (known, top), "the log did not only grow")
    return f"the log of {size} records begins with that of {old}"


if __name__ == "__main__":
    text, key, *rest = sys.argv[1:]
    sys.stdout.write(check(Path(text).read_text("utf-8"), key, *(Path(one).read_bytes() for one in rest)) + "\n")
