"""JSON Lines as a source: validated line by line as the rule of facts says."""

from __future__ import annotations

import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.documents.facts_files import LARGEST_RECORD, read_json
from policy_engine.errors import CannotRun, FactsError
from policy_engine.facts.validation import valid_facts
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables import json_lines, lines_source
from policy_engine.tables.json_lines import Block, block_columns, blocks_of, validated_lines
from policy_engine.tables.mapped_records import RecordMapper
from tests.support.generated_facts import facts_for
from tests.support.generated_frames import narrow_schemas
from tests.support.tables import account, messages, run, schema_from, shipped_schema
from tests.test_fast_validator import broken

FIXTURES = {"account_moves": "account_move", "senders": "sender", "role_questions": "role_question"}


def written(folder: Path, text: str | bytes, name: str = "accounts.jsonl") -> Path:
    """A file with a text."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


LINES = b"""\
\xef\xbb\xbf{"account_id": "A1", "plan": "pro", "seats": 7.0, "amount": 12.50, "since": "2025-02-28", "tags": ["a", "b"]}

{"account_id": "A2", "plan": "pro", "plan": "basic"}
{"account_id": "A3", "plan": null}\r
{"account_id": "A4", "plan": "pro", "since": "2025-02-30"}
["A5"]
{"account_id": "A6",
{"account_id": "A7", "plan": "pro", "amount": 0.0000000000000000001}
{"account_id": "A8", "plan": "pro", "seats": 1e400}
{"account_id": "A9", "plan": "pro", "other": null, "tags": []}
{"account_id": "\xff"}
{"account_id": "A12", "plan": "pro", "seats": true}"""
TOLD = [
    "3 None / json: the name `plan` stands twice in one object",
    "4 A3 / required: `plan` is missing",
    '5 A4 /since format: "2025-02-30" is not a date such as 2025-02-28',
    "6 None / type: facts are an object, not a list",
    "7 None / json: not JSON at column 1: a bracket is never closed",
    "8 A7 /amount multipleOf: 1E-19 is not a multiple of 0.01",
    "9 None / json: the number 1e400 is out of range",
    "11 None / json: not UTF-8 text",
    "12 A12 /seats type: true is not a whole number",
]


def test_lines(tmp_path: Path) -> None:
    path = written(tmp_path, LINES)
    source = lines_source(path, account())
    found = run(source)
    assert messages(found) == TOLD
    assert found.valid.select("(row)", "account_id", "seats", "amount", "since", "tags").rows() == [
        (1, "A1", 7, 1250, date(2025, 2, 28), ["a", "b"]),
        (10, "A9", None, None, None, []),
    ]
    assert source.progress.done == source.progress.total == len(LINES)
    assert source.files == (path,)


def test_packed(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(LINES), "accounts.jsonl.gz")
    assert messages(run(lines_source(path, account()))) == TOLD


@pytest.mark.parametrize("content", [b"", b"\n\n", b" \r\n"])
def test_no_rows(tmp_path: Path, content: bytes) -> None:
    found = run(lines_source(written(tmp_path, content), account()))
    assert (found.valid.height, found.invalid.height) == (0, 0)


def test_a_line_that_is_too_long_is_told_and_passed_over(tmp_path: Path) -> None:
    line = '{"plan": "pro"}\n'
    path = written(tmp_path, line + '{"plan": "' + "x" * 3 * LARGEST_RECORD + '"}\n' + line)
    found = run(lines_source(path, account()))
    assert messages(found) == [f"2 None / json: the line has more than {LARGEST_RECORD} bytes"]
    assert found.valid["(row)"].to_list() == [1, 3]


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read a megabyte at a time."""
    monkeypatch.setattr(json_lines, "BLOCK", 1_000_000)


@pytest.mark.usefixtures("small_blocks")
def test_blocks_are_whole_lines(tmp_path: Path) -> None:
    line = b'{"account_id": "' + b"x" * 300 + b'"}\n'
    path = written(tmp_path, line * 10_000 + b"{}")
    with path.open("rb") as file:
        blocks = list(blocks_of(file))
    assert len(blocks) > 2
    assert b"".join(block.data for block in blocks) == path.read_bytes()
    assert all(block.data.endswith(b"\n") for block in blocks[:-1])
    assert [block.first for block in blocks] == [
        1 + path.read_bytes().index(block.data) // len(line) for block in blocks[:1]
    ] + [1 + sum(before.data.count(b"\n") for before in blocks[:index]) for index in range(1, len(blocks))]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("fixture", FIXTURES)
def test_many_lines_in_several_blocks(tmp_path: Path, fixture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rows in the same order as in one block."""
    facts = shipped_schema(FIXTURES[fixture])
    lines = (Path(__file__).parents[1] / "fixtures" / f"{fixture}.jsonl").read_bytes()
    path = written(tmp_path, lines * (3_000_000 // len(lines)))
    several = run(lines_source(path, facts))
    monkeypatch.setattr(json_lines, "BLOCK", 10_000_000)
    alone = run(lines_source(path, facts))
    assert alone.valid.equals(several.valid)
    assert alone.invalid.equals(several.invalid)


@pytest.mark.usefixtures("small_blocks")
def test_no_more_is_read_where_reading_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def noted(block: Block, facts: FactsSchema, mapper: RecordMapper | None) -> pl.DataFrame:
        read.append(block.first)
        return block_columns(block, facts, mapper)

    monkeypatch.setattr(json_lines, "block_columns", noted)
    path = written(tmp_path, b'{"plan": "pro"}\n' * 2_000_000)
    source = lines_source(path, account())
    assert source.frame.head(1).collect(engine="streaming").height == 1
    with pytest.raises(ZeroDivisionError):
        source.frame.map_batches(lambda frame: 1 // 0, streamable=True).collect(engine="streaming")  # type: ignore[arg-type,return-value]
    json_lines.THREADS.submit(int).result(timeout=10)
    assert len(read) < 32


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CannotRun) as caught:
        lines_source(tmp_path / "no.jsonl", account())
    assert str(caught.value) == f"there is no file `{tmp_path}/no.jsonl`"


def test_a_packed_file_that_is_cut(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(LINES * 100)[:200], "cut.jsonl.gz")
    with pytest.raises(CannotRun, match=r"`.*cut\.jsonl\.gz` is not a whole gzip file; write it again"):
        run(lines_source(path, account()))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A schema of every keyword, and facts for it, some of them broken."""
    document = draw(narrow_schemas())
    schema = json.loads(document, parse_float=Decimal)
    facts = [draw(facts_for(schema)) for _ in range(draw(st.integers(0, 3)))]
    return document, [draw(broken(one)) if draw(st.booleans()) else one for one in facts]


@given(cases())
@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_lines_and_the_rule_of_facts_agree(case: tuple[str, list[Any]]) -> None:
    document, many = case
    facts = schema_from(document)
    texts = [json.dumps(one, default=str, skipkeys=True) for one in many]
    found = validated_lines(block_columns(Block(1, "\n".join(texts).encode()), facts), facts)
    for number, text in enumerate(texts, start=1):
        told = found.invalid.filter(pl.col("(row)") == number)
        assert [one["message"] for row in told["violations"] for one in row] == expected(text, facts)
        assert (number in found.valid["(row)"]) == told.is_empty()


def expected(text: str, facts: Any) -> list[str]:
    """What the rule of facts says of a line."""
    try:
        valid_facts(read_json(text), facts)
    except FactsError as error:
        return [spelled(violation.message) for violation in error.violations]
    except ValueError as error:
        return [spelled(str(error).replace("line 1, ", ""))]
    return []


def spelled(text: str) -> str:
    """The text with half characters spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
