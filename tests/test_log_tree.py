"""The hash tree of the decision log: equal to published vectors and to a naive second implementation of RFC 6962."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from random import Random

import pytest

from policy_engine.decision_log.tree import (
    EMPTY_ROOT,
    Edge,
    consistency_proof,
    edge_of,
    grown,
    includes,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    root_of,
)

# The vectors of the certificate-transparency project (merkle_tree_test.cc): entries, roots of their first n, paths, proofs.
ENTRIES = tuple(
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
)
ROOTS = tuple(
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
)
PATHS = {  # (position, size)
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
PROOFS = {  # (old size, new size)
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


# The second implementation: RFC 6962, section 2.1, sentence by sentence


def naive_root(entries: Sequence[bytes]) -> bytes:
    if len(entries) <= 1:
        return sha256(b"\x00" + entries[0]).digest() if entries else sha256().digest()
    k = largest_power_below(len(entries))
    return sha256(b"\x01" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


def naive_path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = largest_power_below(len(entries))
    if m < k:
        return [*naive_path(m, entries[:k]), naive_root(entries[k:])]
    return [*naive_path(m - k, entries[k:]), naive_root(entries[:k])]


def naive_proof(m: int, entries: Sequence[bytes], *, is_root_known: bool = True) -> list[bytes]:
    if m == len(entries):
        return [] if is_root_known else [naive_root(entries)]
    k = largest_power_below(len(entries))
    if m <= k:
        return [*naive_proof(m, entries[:k], is_root_known=is_root_known), naive_root(entries[k:])]
    return [*naive_proof(m - k, entries[k:], is_root_known=False), naive_root(entries[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


class NaiveHashes:
    """What a store offers, worked out anew from entries; it counts what is read."""

    def __init__(self, entries: Sequence[bytes]) -> None:
        self.entries = entries
        self.reads = 0

    def hashes(self, level: int, start: int, end: int) -> list[bytes]:
        self.reads += 1
        width = 256**level
        assert end * width <= len(self.entries), "only complete subtrees are stored"
        return [naive_root(self.entries[at * width : (at + 1) * width]) for at in range(start, end)]


def entries_of(size: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(size)]


SIZES = (*range(1, 18), 255, 256, 257, 511, 700)


def test_roots_of_the_published_vectors() -> None:
    assert [root_of(NaiveHashes(ENTRIES), size) for size in range(9)] == list(ROOTS)
    assert [grown(Edge(), list(map(leaf_hash, ENTRIES[:size])))[0].root for size in range(9)] == list(ROOTS)


@pytest.mark.parametrize(("position", "size"), PATHS)
def test_paths_of_the_published_vectors(position: int, size: int) -> None:
    path = tuple(map(bytes.fromhex, PATHS[position, size]))
    assert inclusion_proof(NaiveHashes(ENTRIES), position, size) == path
    assert includes(leaf_hash(ENTRIES[position]), position, size, path, ROOTS[size])


@pytest.mark.parametrize(("old", "new"), PROOFS)
def test_consistency_proofs_of_the_published_vectors(old: int, new: int) -> None:
    proof = tuple(map(bytes.fromhex, PROOFS[old, new]))
    assert consistency_proof(NaiveHashes(ENTRIES), old, new) == proof
    assert is_consistent(old, ROOTS[old], new, ROOTS[new], proof)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_is_proved_as_the_second_implementation_does(size: int) -> None:
    entries = entries_of(size)
    root = naive_root(entries)
    for position in range(size) if size < 20 else Random(size).sample(range(size), 5):
        proof = inclusion_proof(NaiveHashes(entries), position, size)
        assert list(proof) == naive_path(position, entries)
        assert includes(leaf_hash(entries[position]), position, size, proof, root)


@pytest.mark.parametrize("size", SIZES)
def test_consistency_is_proved_as_the_second_implementation_does(size: int) -> None:
    entries = entries_of(size)
    root = naive_root(entries)
    for old in range(1, size + 1) if size < 20 else Random(size).sample(range(1, size), 5):
        proof = consistency_proof(NaiveHashes(entries), old, size)
        assert list(proof) == naive_proof(old, entries)
        assert is_consistent(old, naive_root(entries[:old]), size, root, proof)


def test_a_tree_grows_as_it_is_worked_out_anew() -> None:
    entries = entries_of(700)
    leaves = list(map(leaf_hash, entries))
    edge, subtrees = Edge(), []
    for start, end in pairwise((0, 1, 3, 250, 259, 511, 512, 699, 700)):
        edge, complete = grown(edge, leaves[start:end])
        subtrees += complete
        assert edge == edge_of(NaiveHashes(entries), end)
        assert edge.root == naive_root(entries[:end])
    assert [(one.level, one.number, one.root) for one in subtrees] == [
        (1, 0, naive_root(entries[:256])),
        (1, 1, naive_root(entries[256:512])),
    ]


def test_a_subtree_of_the_second_level_becomes_complete() -> None:
    edge, complete = grown(Edge(), [leaf_hash(b"")] * 65_536)
    assert [one.level for one in complete].count(1) == 256
    assert complete[-1].level == 2
    assert (complete[-1].number, complete[-1].root) == (0, edge.root)


def test_a_proof_reads_a_few_runs() -> None:
    hashes = NaiveHashes(entries_of(1000))
    inclusion_proof(hashes, 500, 1000)
    assert hashes.reads <= 20


def changed(proof: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    """What a proof might become: a hash another, one less, one more, two the other way round."""
    other = [(*proof[:at], sha256(proof[at]).digest(), *proof[at + 1 :]) for at in range(len(proof))]
    swapped = [(*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]) for at in range(len(proof) - 1)]
    return [*other, *swapped, tuple(proof[1:]), tuple(proof[:-1]), (*proof, EMPTY_ROOT), (EMPTY_ROOT, *proof)]


@pytest.mark.parametrize(("position", "size"), [(0, 2), (5, 8), (2, 3), (6, 7), (12, 13), (3, 100)])
def test_a_changed_inclusion_proof_shows_nothing(position: int, size: int) -> None:
    entries = entries_of(size)
    root, leaf, proof = naive_root(entries), leaf_hash(entries[position]), naive_path(position, entries)
    wrong = [
        *((leaf, position, size, one, root) for one in changed(proof)),
        (leaf_hash(b"another"), position, size, proof, root),
        (leaf, position, size, proof, naive_root(entries[:-1])),
        *((leaf, at, size, proof, root) for at in (position - 1, position + 1, position ^ 2, -1, size)),
        (leaf, position, 0, proof, root),
        (leaf, position, 2 * size, proof, root),
    ]
    assert includes(leaf, position, size, proof, root)
    assert [one[1:3] for one in wrong if includes(*one)] == []


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 4), (4, 8), (6, 8), (7, 13), (64, 100), (99, 100)])
def test_a_changed_consistency_proof_shows_nothing(old: int, new: int) -> None:
    entries = entries_of(new)
    old_root, root, proof = naive_root(entries[:old]), naive_root(entries), naive_proof(old, entries)
    wrong = [
        *((old, old_root, new, root, one) for one in changed(proof)),
        (old, naive_root(entries[1 : old + 1]), new, root, proof),
        (old, old_root, new, naive_root(entries[1:]), proof),
        (old, root, new, old_root, proof),
        (old - 1, old_root, new, root, proof),
        (old + 1, old_root, new, root, proof),
        (old, old_root, 2 * new, root, proof),
        (new, root, old, old_root, proof),
        (old, old_root, new, root, ()),
    ]
    assert is_consistent(old, old_root, new, root, proof)
    assert [one[0] for one in wrong if is_consistent(*one)] == []


@pytest.mark.parametrize(
    ("old", "new", "proof", "is_fine"),
    [
        (0, 0, (), True),
        (0, 3, (), True),
        (3, 3, (), True),
        (3, 3, (EMPTY_ROOT,), False),
        (0, 3, (EMPTY_ROOT,), False),
        (3, 0, (), False),
        (-1, 3, (), False),
    ],
)
def test_consistency_where_nothing_is_to_be_shown(old: int, new: int, proof: tuple[bytes, ...], is_fine: bool) -> None:
    roots = [naive_root(entries_of(max(size, 0))) for size in (old, new)]
    assert is_consistent(old, roots[0], new, roots[1], proof) == is_fine


@pytest.mark.parametrize(("position", "size"), [(3, 3), (-1, 3), (0, 0)])
def test_there_is_no_proof_of_an_entry_that_is_not_there(position: int, size: int) -> None:
    with pytest.raises(ValueError, match=f"there is no entry {position} in a tree of {size}"):
        inclusion_proof(NaiveHashes(entries_of(3)), position, size)


def test_there_is_no_proof_of_a_beginning_that_is_longer() -> None:
    with pytest.raises(ValueError, match="a tree of 3 entries has no beginning of 4"):
        consistency_proof(NaiveHashes(entries_of(4)), 4, 3)
