"""Tables packed with gzip and zstd: read as if they were not, and told of where they are cut or damaged."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from policy_engine.errors import CannotRun
from policy_engine.tables import source_of
from tests.support.tables import account, run

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXTS = {
    "csv": b"account_id,plan\n" + b"".join(b"A%d,pro\n" % number for number in range(5_000)),
    "jsonl": b"".join(b'{"account_id": "A%d", "plan": "pro"}\n' % number for number in range(5_000)),
}


def zstd_compress(content: bytes) -> bytes:
    """With a checksum, as the program `zstd` does; without one no change of a byte need be seen."""
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


PACK: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd_compress}
NAMES = {".gz": "gzip", ".zst": "zstd"}
every_kind = pytest.mark.parametrize("kind", TEXTS)
every_packing = pytest.mark.parametrize("packing", [*PACK, ".GZ", ".ZST"])


def packed(folder: Path, kind: str, packing: str, change: Callable[[bytes], bytes] = bytes) -> Path:
    """A packed table whose bytes were changed."""
    path = folder / f"a.{kind}{packing}"
    path.write_bytes(change(PACK[packing.lower()](TEXTS[kind])))
    return path


@every_kind
@every_packing
def test_a_packed_table_is_read(tmp_path: Path, kind: str, packing: str) -> None:
    path = packed(tmp_path, kind, packing)
    source = source_of(path, account())
    assert run(source).valid["account_id"].to_list() == [f"A{number}" for number in range(5_000)]
    assert source.progress.done == source.progress.total == path.stat().st_size


@every_packing
def test_parts_that_were_packed_by_themselves_are_one_table(tmp_path: Path, packing: str) -> None:
    path = packed(tmp_path, "jsonl", packing, lambda content: content + content)
    assert run(source_of(path, account())).valid.height == 10_000


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[:-9],
    "cut at its start": lambda content: content[:3],
    "no such file": lambda content: TEXTS["csv"],
    "other bytes within": lambda content: content[:200] + bytes(20) + content[220:],
    "more behind": lambda content: content + b"more",
}


@every_kind
@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_packed_table_is_told(tmp_path: Path, kind: str, packing: str, damage: str) -> None:
    path = packed(tmp_path, kind, packing, DAMAGED[damage])
    with pytest.raises(CannotRun) as caught:
        run(source_of(path, account()))
    assert str(caught.value) == f"`{path}` is not a whole {NAMES[packing]} file; write it again"
