"""A table on standard input: read as from a file, recorded by its digest, and verified where a file has its bytes."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import lay_out
from tests.support.commands import Ran
from tests.support.workbooks import workbook
from tests.test_cli import FILES, process, refused

REPORT = ("report", "orders=-", "--as-of", "2025-07-01", "--out", "out")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with one ruleset."""
    lay_out(FILES, tmp_path)
    monkeypatch.chdir(tmp_path)


def report(content: bytes, *options: str) -> Ran:
    """A report over what is piped in."""
    return process(Path(), *REPORT, *options, stdin=content)


def tables() -> dict[str, bytes]:
    """One table in each format."""
    frame = pl.DataFrame({"price": [50, 5, None], "note": ["a", "b", None]})
    frame.write_parquet("a.parquet")
    workbook(Path("a.xlsx"), [["price", "note"], [50, "a"], [5, "b"]])
    return {
        "csv": b"price,note\n50,a\n5,b\n,\n",
        "jsonl": b'{"price": 50, "note": "a"}\n{"price": 5, "note": "b"}\n{}\n',
        "parquet": Path("a.parquet").read_bytes(),
        "xlsx": Path("a.xlsx").read_bytes(),
    }


def test_each_format_is_read_from_standard_input() -> None:
    for kind, content in tables().items():
        ran = report(content, "--input-format", kind)
        assert (ran.code, ran.err) == (0, ""), kind
        manifest = json.loads(Path("out/manifest.json").read_bytes())
        digest = sha256(content).hexdigest()
        assert manifest["inputs"] == [{"name": "-", "bytes": len(content), "sha256": digest}]
        assert manifest["arguments"]["tables"] == [{"ruleset": "orders", "facts": "-"}]
        assert pl.read_parquet("out/decisions.parquet").height >= 2


def test_a_report_of_standard_input_is_verified_by_a_file_with_its_bytes() -> None:
    content = tables()["csv"]
    report(content, "--input-format", "csv")
    ran = process(Path(), "report", "verify", "out")
    refused(ran, code=2)
    assert " ".join(ran.err.split()) == (
        "the report was made from standard input, which is not there any more: the report cannot be made again; "
        "if a file has its bytes, give the folder of that as --inputs DIR"
    )
    lay_out({"kept/orders.txt": content.decode()}, Path())
    assert process(Path(), "report", "verify", "out", "--inputs", "kept").code == 0


TOLD = [
    ((), b"price\n50\n", "`-` is standard input, and no name tells what it holds; say it: --input-format csv"),
    (("--input-format", "cvs"), b"", "--input-format: `cvs` is none of csv, jsonl, parquet, xlsx"),
    (("--input-format", "csv"), b"", "standard input is empty; its first line must name the columns"),
    (("--input-format", "csv"), b"price,price\n", "standard input: the column `price` stands twice in the header; keep one"),
    (("--input-format", "xlsx"), b"x", "standard input is not a whole Excel workbook; save it again (File is not a zip file)"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "content", "told"), TOLD)
def test_what_is_wrong_with_standard_input(options: tuple[str, ...], content: bytes, told: str) -> None:
    ran = report(content, *options)
    refused(ran, code=2)
    assert " ".join(ran.err.split()) == told
    assert not Path("out").exists()


def test_notes_call_it_by_its_name() -> None:
    ran = report(b"price,remark\n50,\n", "--input-format", "csv")
    assert ran.err.startswith("note: standard input: the column `remark` is no fact")
