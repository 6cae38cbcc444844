"""JSON Lines read fast: never otherwise than the strict reading, and the same rows and violations come of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policy_engine.backends.columnar.dtypes import schema_of as columns_of
from policy_engine.backends.columnar.times import in_microseconds
from policy_engine.documents.facts_files import LARGEST_RECORD, line_of, plain_facts
from policy_engine.language.rulesets import FactsSchema
from policy_engine.tables import json_lines
from policy_engine.tables.json_lines import Block, block_columns, validated_lines
from policy_engine.tables.row_validation import INVALID
from tests.support.generated_facts import facts_for
from tests.support.generated_frames import narrow_schemas
from tests.support.tables import ACCOUNT, facts_of, schema_from
from tests.test_fast_validator import broken

THOROUGH = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
MARKS = {"type": "array", "maxItems": 4, "uniqueItems": True, "items": {"type": "number", "multipleOf": 0.1,
         "minimum": -9, "maximum": 10**15}}  # fmt: skip
BOX = {"type": "object", "additionalProperties": False, "required": ["on"], "properties": {
       "on": {"type": "string", "format": "date"}, "n": {"type": "integer", "minimum": -9, "maximum": 10**17}, "marks": MARKS,
       }}  # fmt: skip
FACTS = facts_of({**ACCOUNT, "marks": MARKS, "box": BOX, "boxes": {
                  "type": "array", "maxItems": 9, "items": BOX}})  # fmt: skip


@contextmanager
def read_without(*names: str) -> Iterator[None]:
    """While one or both of the fast readings take no line."""
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(json_lines, name, lambda *_: None)
        yield


def validated(data: bytes, first: int = 3, facts: FactsSchema = FACTS) -> pl.DataFrame:
    """All rows of some lines: canonical columns, and the key and the violations of the invalid ones."""
    valid, invalid = validated_lines(block_columns(Block(first, data), facts), facts)
    assert dict(valid.schema) == dict(columns_of(facts.type))
    assert invalid.schema == INVALID
    return pl.concat([valid, invalid.rename({"key": "(key)", "violations": "(violations)"})], how="diagonal").sort(
        "(row)"
    )


def agree(data: bytes, facts: FactsSchema = FACTS) -> pl.DataFrame:
    """What becomes of lines, which is the same whoever reads them: Polars, orjson, or we, strictly."""
    found = validated(data, facts=facts)
    for without in (["read_lines"], ["plain_facts"], ["read_lines", "plain_facts"]):
        with read_without(*without):
            other = validated(data, facts=facts)
        assert found.schema == other.schema
        assert rows_of(found) == rows_of(other)
    return found


def rows_of(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows with integers for instants, of which Python cannot hold all in UTC."""
    return frame.select(pl.col(name).cast(in_microseconds(kind)) for name, kind in frame.schema.items()).to_dicts()


def exact(value: Any) -> Any:
    """A value with the class of each part, where a float stands for its shortest form."""
    match value:
        case dict():
            return {name: exact(part) for name, part in value.items()}
        case list():
            return list(map(exact, value))
        case float() | Decimal():
            return "decimal", Decimal(str(value))
        case _:
            return type(value), value


def agree_in_reading(raw: bytes) -> bool:
    """Whether a line is read fast; it is then what the strict reading finds, members in the same order."""
    found = plain_facts(raw)
    if found is not None:
        strict = line_of(1, raw)
        assert strict.fault is None
        assert exact(found) == exact(strict.facts)
        assert list(found) == list(strict.facts)
    return found is not None


# What is read fast, and what is not

FAST = [
    b"{}",
    b"{}\r",
    b'{"seats":1,"plan":"pro"}',
    b'{"seats": 1, "plan": "pro", "tags": ["a", "b"]}\r',
    b'{"seats":1, "plan": "pro"}',
    b'{"plan": "a, b: c,d:e", "a, b": 1, "a,b": 2}',
    b'{"amount": 0.1, "seats": 12345678901234567890}',
    b'{"amount": -0.0, "seats": 1.0}',
    b'{"plan": "\\"\\\\\\n\\t", "since": null}',
    '{"plan": "é\u2028\U0001f600"}'.encode(),
    b'{"plan": "\x7f"}',
    b'{"amount": 1e-7}',
    b'{"seats": 1} ',
    b' {"seats": 1}',
    b'{"seats" : 1}',
    b'{"seats":  1}',
    b'{"seats":\t1}',
    b'{\t"seats":1 ,"tags" : [ "a b" ,"c" ] } \r',
    b'{"a b": 1, "ab": 2, "a  b": 3}',
    b'{"amount": 1.50, "plan": "1.50, 1.500"}',
    b'{"amount": 0.10, "seats": 100.0000}',
    b'{"amount": -10.00, "plan": "10.0"}',
    b'{"amount": 0.5' + b"0" * 20 + b"}",
    b'{"amount": 100.05, "seats": 1.050}',
]
STRICT = [
    b"",
    b"  ",
    b"null",
    b"[]",
    b"1",
    b'{"seats": 1, "seats": 1}',
    b'{"seats": 1, "seats": 2}',
    b'{"box": {"n": 1, "n": 1}}',
    b'{"boxes": [{"n": 1, "n": 2}]}',
    b'{"plan": "a", "pl\\u0061n": "a"}',
    b'{"amount":1e5,"plan":{},"plan":""}',
    b'{"seats": -0}',
    b'{"seats": 1e5}',
    b'{"seats": 1E5}',
    b'{"amount": 1.50e0}',
    b'{"amount": 0.5' + b"0" * 21 + b"}",
    b'{"amount": 0.5' + b"0" * 200 + b"}",
    b'{"amount": 1.05, "seats": 1.5, "seats": 1.5}',
    b'{"amount": 0.1000000000000000055511151231257827}',
    b'{"seats": 123456789012345678901}',
    b'{"seats": 100000000000000000000000.0}',
    b'{"amount": 1e400}',
    b'{"amount": 1e-400}',
    b'{"amount": NaN}',
    b'{"amount": Infinity}',
    b'{"amount": -Infinity}',
    b'{"seats": 01}',
    b'{"seats": +1}',
    b'{"seats": 1.}',
    b'{"seats": .5}',
    b'{"seats": 1,}',
    b'{"tags": ["a",]}',
    b'{"seats": 1} x',
    b'{"seats": 1}\x00',
    b'{"seats": 1}\x0b',
    b'{"seats": 1',
    b"{'seats': 1}",
    b'{"plan": "\x01"}',
    b'{"plan": "a\tb"}',
    b'{"plan": "a\rb"}',
    b'{"plan": "\\u00e9"}',
    b'{"plan": "\\u0000"}',
    b'{"plan": "\\/"}',
    b'{"plan": "\\ud83d\\ude00"}',
    b'{"plan": "\\ud800"}',
    b'{"plan": "\\udc00\\ud800"}',
    b'{"pl\\ud800": 1}',
    b'{"plan": "\xff"}',
    b'{"plan": "\xed\xa0\x80"}',
    b'{"plan": "\xc0\xaf"}',
    b'\xef\xbb\xbf{"plan": "pro"}',
    b'\xff\xfe{\x00}\x00',
    b'{"tags": ' + b"[" * 300 + b"]" * 300 + b"}",
    b'{"tags": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"tags": ' + b"[" * 100_000,
    b'{"plan": "' + b"x" * LARGEST_RECORD + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("raw", FAST, ids=repr)
def test_read_fast(raw: bytes) -> None:
    assert agree_in_reading(raw)
    agree(raw)


@pytest.mark.parametrize("raw", STRICT, ids=lambda raw: repr(raw[:50]))
def test_read_strictly(raw: bytes) -> None:
    assert plain_facts(raw) is None
    agree(raw)


def test_all_together() -> None:
    found = agree(b"\n".join([*FAST, *STRICT, *FAST]))
    blank = STRICT.index(b"") + len(FAST) + 3
    assert found["(row)"].to_list() == [
        n for n in range(3, 3 + 2 * len(FAST) + len(STRICT)) if n not in (blank, blank + 1)
    ]


def test_a_line_is_never_read_together_with_the_next() -> None:
    """Lines that would be whole if the end between them were a comma."""
    found = agree(b'{"tags": ["a"\n"b"]}\n{"plan": "pro"}, {"plan": "pro"}\n{"plan": "pro"}')
    assert found["(violations)"].is_null().to_list() == [False, False, False, True]


def test_plain_valid_lines_do_not_go_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(json_lines, "line_of")
    lines = [
        {"account_id": "A1", "plan": "pro", "seats": 7, "amount": 12.5, "since": "2025-02-28", "tags": ["a", "b"]},
        {"plan": "basic", "seats": 7.0, "amount": 3, "active": True, "seen_at": "2025-06-30T08:00:00-04:00"},
        {"tags": None, "marks": [1, 0.1], "box": {"on": "2025-01-01", "n": 2.0}, "boxes": [{"on": "2025-01-01"}]},
        {},
    ]
    for separators in ((",", ":"), (", ", ": ")):
        data = "\r\n".join(json.dumps(line, separators=separators) for line in lines).encode()
        rows = validated(data, 1).to_dicts()
        assert [(row["(row)"], row["seats"], row["amount"]) for row in rows] == [
            (1, 7, 1250), (2, 7, 300), (3, None, None), (4, None, None)]  # fmt: skip
        assert rows[2]["marks"] == [10, 1]
        assert [row["(violations)"] for row in rows] == [None] * 4


WHOLE = [
    {"account_id": "A1", "plan": "pro", "seats": 7, "amount": 12.5, "since": "2025-02-28", "active": True, "tags": ["a", "b"]},
    {"account_id": "A2", "plan": "basic", "seats": 70, "amount": 3.25, "since": "2025-02-28", "active": False, "tags": []},
    {"account_id": "A3", "plan": "pro", "seats": 1, "amount": 0.5, "since": "2024-02-29", "active": True,
     "tags": ["é, ü: \" \\ \n", "a b"]},
]  # fmt: skip
SPARSE = [
    {"account_id": "A1", "plan": "pro", "seats": 7},
    {"account_id": "A2", "amount": 12.5, "tags": ["a", "b"]},
    {"plan": "pro"},
    {"seats": 7, "active": True, "amount": 0.1},
    {},
    {"box": {"on": "2025-01-01", "marks": [1.5]}, "boxes": [{"on": "2025-01-01"}]},
]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "many",
    [
        WHOLE,
        SPARSE,
        [dict(reversed(one.items())) for one in WHOLE],
        [{**one, "seen_at": None, "active": None} for one in WHOLE],
    ],
)
def test_alike_valid_lines_are_read_by_polars(
    separators: tuple[str, str], ending: str, many: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps(one, separators=separators, ensure_ascii=False) for one in many]
    data = (ending.join([*lines, "", *lines]) + ending).encode()
    found = agree(data)
    assert found["(row)"].to_list() == [*range(3, 3 + len(many)), *range(4 + len(many), 4 + 2 * len(many))]
    monkeypatch.delattr(json_lines, "plain_facts")
    assert validated(data).to_dicts() == found.to_dicts()


# A value of each kind in the place of each other

VALUES = [
    "null", "true", "false", "0", "1", "7", "1.0", "-1", "-0.0", "0.5", "0.1", "0.07", "999.99", "999.999", "1001", "1e15",
    "100000000000000000", "99999999999999999", "9007199254740993", "9223372036854775807", "9223372036854775808",
    "18446744073709551615", "123456789012.3", "0.30000000000000004", "4.35", "1e22", "5e-324", "1.7976931348623157e308",
    '""', '"1"', '"true"', '"pro"', '"basic, pro"', '"2025-02-28"', '"2025-02-30"', '"2025-2-28"', '"0000-01-01"',
    '"2025-06-30T08:00:00-04:00"', '"2025-06-30t08:00:00.5z"', '"2025-06-30T08:00:60Z"', '"2025-06-30T08:00:00"',
    "[]", "[null]", '["a"]', "[1]", "[true]", "[1, 1.0]", "[0, -0.0]", "[0.1, 0.2]", "[0.15]", "[1, true]", '["a", 1]', "[[]]",
    "[1000000000000000, 123456789012.3]", "{}", '{"on": "2025-01-01"}', '{"on": "2025-02-30"}', '{"on": 1}', '{"on": null}',
    '{"on": "2025-01-01", "n": 1.0}', '{"on": "2025-01-01", "n": 1.5}', '{"on": "2025-01-01", "n": true}',
    '{"on": "2025-01-01", "n": 99999999999999999}', '{"on": "2025-01-01", "marks": [1, 1.0]}',
    '{"on": "2025-01-01", "other": 1}', '{"on": "2025-01-01", "other": null}', '{"on": "2025-01-01", "marks": null}',
    '[{"on": "2025-01-01", "marks": [0.1]}, {"on": "2025-01-01"}]', '[{"on": "2025-01-01"}, null]', '[{"on": "2025-01-01"}, 1]',
    '[{"on": "2025-01-01", "other": null}]',
]  # fmt: skip


@pytest.mark.parametrize("name", [*ACCOUNT, "marks", "box", "boxes", "other"])
def test_each_value_as_each_fact(name: str) -> None:
    """Nothing is ever made another type's value."""
    agree("\n".join(f'{{"{name}": {value}, "plan": "pro"}}' for value in VALUES).encode())


# Generated lines

NASTY = [
    "-0", "1e3", "1.50", "0.070", "2.00", "0.10000000000000000000000000", "1.50e1", "1E5",
    "NaN", "-Infinity", "1e400", "123456789012345678901", "01", "1.", '"\\u00e9"', '"\\ud800"',
    '"\\/"', '"a\tb"', '"\x00"', "'a'", '"é, ü: ß"', '"\\n, \\": "', '{"n": 1, "n": 1}', '{"n":1,"n":2}', '{"a":{"b":1,"b":1}}',
    "", "[1,]", "[" * 260 + "]" * 260, "nul", '"',
]  # fmt: skip
NAMES = [*ACCOUNT, "a, b", "a,b", "marks", "box", "boxes", "other", "", "pl\\u0061n", "plan"]
KINDS: dict[str, list[str]] = {
    "account_id": ['"A1"', '"a, b: c"'], "plan": ['"pro"'], "seats": ["1", "7.0", "1000"], "amount": ["0.1", "12.5", "3"],
    "since": ['"2025-02-28"'], "seen_at": ['"2025-06-30T08:00:00-04:00"'], "active": ["true"], "tags": ['["a", "b"]', "[]"],
    "marks": ["[0.1, 2]"], "box": ['{"on": "2025-01-01", "n": 1}'], "boxes": ['[{"on":"2025-01-01","marks":[0.5]}]'],
}  # fmt: skip


@st.composite
def members(draw: st.DrawFn) -> str:
    """A member of an object, most of them as they should be."""
    name = draw(st.sampled_from(NAMES))
    value = draw(st.sampled_from(draw(st.sampled_from([KINDS.get(name, VALUES), VALUES, NASTY]))))
    return f'"{name}"' + draw(st.sampled_from([":", ": ", ": ", " : ", ":  "])) + value


@st.composite
def written_lines(draw: st.DrawFn) -> bytes:
    """An object's text, sometimes damaged."""
    comma = draw(st.sampled_from([",", ", ", ", ", " , "]))
    text = ("{" + comma.join(draw(st.lists(members(), max_size=5))) + "}").encode("utf-8", "surrogatepass")
    before, behind = draw(
        st.sampled_from([("", ""), ("", ""), ("", "\r"), ("\ufeff", ""), (" ", " "), ("", ","), ("[", "]")])
    )
    raw = before.encode() + text + behind.encode()
    if draw(st.integers(0, 3)):
        return raw
    at, until = sorted((draw(st.integers(0, len(raw))), draw(st.integers(0, len(raw)))))
    odd = st.sampled_from([b"", b",", b'"', b" ", b"\\", b"\xff", b"\xed\xa0\x80", b"\x01", b"}", b"0", b"e5", b": "])
    return raw[:at] + draw(odd) + raw[min(until, at + 2) :]


@given(st.lists(written_lines(), min_size=1, max_size=9))
@settings(THOROUGH, max_examples=200)
def test_written_lines(lines: list[bytes]) -> None:
    lines = b"\n".join(lines).split(b"\n")
    for raw in lines:
        agree_in_reading(raw)
    agree(b"\n".join(lines))
    agree(b"\n".join(raw for raw in lines if is_json(raw)))  # one that is not keeps Polars from all


def is_json(raw: bytes) -> bool:
    """Whether a line is JSON to a lenient reader."""
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return True


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([", ", ": ", ",", '"']),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=4), parts, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(max_size=4), JSON, max_size=5), st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans()
)
@settings(THOROUGH, max_examples=300)
def test_any_json(value: Any, separators: tuple[str, str], in_ascii: bool) -> None:
    text = json.dumps(value, separators=separators, ensure_ascii=in_ascii)
    agree_in_reading(text.encode("utf-8", "surrogatepass"))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[Any]]:
    """A schema of every keyword, and facts for it, some of them broken."""
    document = draw(narrow_schemas())
    schema = json.loads(document, parse_float=Decimal)
    facts = [draw(facts_for(schema)) for _ in range(draw(st.integers(1, 4)))]
    return document, [draw(broken(one)) if not draw(st.integers(0, 2)) else one for one in facts]


@given(cases())
@settings(THOROUGH, max_examples=200)
def test_facts_of_any_schema(case: tuple[str, list[Any]]) -> None:
    document, many = case
    texts = [json.dumps(one, default=lambda part: float(part) if isinstance(part, Decimal) else str(part), skipkeys=True)
             for one in many]  # fmt: skip
    agree("\n".join(texts).encode(), schema_from(document))
