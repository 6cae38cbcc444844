"""Hash trees over entries, as RFC 6962 defines them: hashes, roots, proofs, and the check of proofs.

A tree is read through `Hashes`: the hashes of leaves (level 0), and of complete subtrees of 256, 65,536 ... leaves (levels 1, 2
...). A proof needs a few short runs of these, so its cost grows with the logarithm of the size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

LEVEL_BITS = 8
WIDTH = 1 << LEVEL_BITS
"""So many hashes of a level are below one of the next."""
EMPTY_ROOT = sha256(b"").digest()


class Hashes(Protocol):
    """What the hashes of a tree are read from."""

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        """The hashes of the complete subtrees of 256**level leaves, from number `start` to before `end`."""
        ...


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node with two children."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The greatest power of two below a size of at least two: where a tree parts."""
    return 1 << ((size - 1).bit_length() - 1)


# Trees that are there


def root_of(hashes: Hashes, size: int) -> bytes:
    """The root of the tree of the first `size` entries."""
    return _hash_of(hashes, 0, size) if size else EMPTY_ROOT


def inclusion_proof(hashes: Hashes, position: int, size: int) -> tuple[bytes, ...]:
    """The hashes beside the way from an entry to the root of the tree of `size` entries, from below."""
    if not 0 <= position < size:
        raise ValueError(f"there is no entry {position} in a tree of {size}")
    return tuple(_hash_of(hashes, start, end) for start, end in _beside(position, 0, size))


def _beside(position: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The runs of leaves whose hashes an inclusion proof has."""
    if end - start == 1:
        return
    middle = start + split(end - start)
    if position < middle:
        yield from _beside(position, start, middle)
        yield middle, end
    else:
        yield from _beside(position, middle, end)
        yield start, middle


def consistency_proof(hashes: Hashes, old: int, new: int) -> tuple[bytes, ...]:
    """The hashes that show that the tree of `old` entries is the beginning of that of `new`; none where either is trivial."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} entries has no beginning of {old}")
    if old in (0, new):
        return ()
    return tuple(_hash_of(hashes, start, end) for start, end in _common(old, 0, new, True))


def _common(old: int, start: int, end: int, is_whole: bool) -> Iterator[tuple[int, int]]:
    """The runs of leaves whose hashes a consistency proof has; the old root itself is known, and left out."""
    if old == end:
        if not is_whole:
            yield start, end
        return
    middle = start + split(end - start)
    if old <= middle:
        yield from _common(old, start, middle, is_whole)
        yield middle, end
    else:
        yield from _common(old, middle, end, False)
        yield start, middle


def _hash_of(hashes: Hashes, start: int, end: int) -> bytes:
    """The hash of a run of leaves that begins where a subtree of its size may begin."""
    size = end - start
    if size & (size - 1) == 0:
        return _complete(hashes, start, size.bit_length() - 1)
    middle = start + split(size)
    return node_hash(_hash_of(hashes, start, middle), _hash_of(hashes, middle, end))


def _complete(hashes: Hashes, start: int, height: int) -> bytes:
    level, above = divmod(height, LEVEL_BITS)
    first = start >> (level * LEVEL_BITS)
    return folded(hashes.hashes(level, first, first + (1 << above)))


def folded(row: Sequence[bytes]) -> bytes:
    """The root over a row of hashes, as many as a power of two."""
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


# Trees that grow


@dataclass(frozen=True, slots=True)
class Edge:
    """What is needed of a tree to add to it: its size, and the roots of the complete subtrees it is made of, largest first."""

    size: int = 0
    roots: tuple[bytes, ...] = ()

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        if not self.roots:
            return EMPTY_ROOT
        *others, result = self.roots
        for left in reversed(others):
            result = node_hash(left, result)
        return result


@dataclass(frozen=True, slots=True)
class Subtree:
    """A complete subtree of 256**level leaves, the `number`th of its level, and its root."""

    level: int
    number: int
    root: bytes


def edge_of(hashes: Hashes, size: int) -> Edge:
    """The edge of the tree of the first `size` entries."""
    roots, start = [], 0
    for height in reversed(range(size.bit_length())):
        if size >> height & 1:
            roots.append(_complete(hashes, start, height))
            start += 1 << height
    return Edge(size, tuple(roots))


def grown(edge: Edge, leaves: Sequence[bytes]) -> tuple[Edge, list[Subtree]]:
    """The edge after leaves were added, and the subtrees of whole levels that became complete."""
    roots, size = list(edge.roots), edge.size
    complete: list[Subtree] = []
    for leaf in leaves:
        result, height = leaf, 0
        while size >> height & 1:
            result = node_hash(roots.pop(), result)
            height += 1
            if height % LEVEL_BITS == 0:
                complete.append(Subtree(height // LEVEL_BITS, size >> height, result))
        roots.append(result)
        size += 1
    return Edge(size, tuple(roots)), complete


# Proofs of others


def inclusion_root(leaf: bytes, position: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a tree of `size` must have where the proof is right; None where the proof cannot be one of such a tree."""
    if not 0 <= position < size:
        return None
    result, left, last = leaf, position, size - 1
    for beside in proof:
        if last == 0:
            return None
        if left & 1 or left == last:
            result = node_hash(beside, result)
            while not left & 1 and left:
                left, last = left >> 1, last >> 1
        else:
            result = node_hash(result, beside)
        left, last = left >> 1, last >> 1
    return result if last == 0 else None


def includes(leaf: bytes, position: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf stands at a position of the tree with this size and root."""
    return inclusion_root(leaf, position, size, proof) == root


def is_consistent(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the tree of `old` entries is the beginning of that of `new`."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    return _roots_of(old, old_root, new, proof) == (old_root, new_root)


def _roots_of(old: int, old_root: bytes, new: int, proof: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of both trees by a proof; None where it cannot be one of such trees."""
    left, last = old - 1, new - 1
    while left & 1:
        left, last = left >> 1, last >> 1
    rest = list(proof)
    if left and not rest:
        return None
    first = rest.pop(0) if left else old_root
    older = newer = first
    for beside in rest:
        if last == 0:
            return None
        if left & 1 or left == last:
            older, newer = node_hash(beside, older), node_hash(beside, newer)
            while not left & 1 and left:
                left, last = left >> 1, last >> 1
        else:
            newer = node_hash(newer, beside)
        left, last = left >> 1, last >> 1
    return (older, newer) if last == 0 else None
