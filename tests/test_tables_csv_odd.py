"""CSV as other programs leave it: open quotes, byte order marks, a line `sep=;`, encodings and delimiters that are none."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from policy_engine.tables import csv_records
from tests.support.tables import messages
from tests.test_tables_csv import refusal, validated_csv

HEAD = "account_id,plan\n"
QUOTES = [
    (
        'A1,pro\nA2,"pro\nA3,pro\nA4,basic\n',
        ["A1", "A3", "A4"],
        "2 A2 / cells: line 3 cannot be read as CSV: a quote is opened and never closed; "
        "the lines from 4 on are read by themselves",
    ),
    (
        'A1,pro\nA2,"pro',
        ["A1"],
        "2 A2 / cells: line 3 cannot be read as CSV: a quote is opened and never closed",
    ),
    (
        '"A1,pro\nA2,pro\n"A3",pro\nA4,pro\n',
        ["A2", "A3", "A4"],
        "1 None / cells: line 2 cannot be read as CSV: a quote is opened and closed on line 4 in the middle of a cell; "
        "the lines from 3 on are read by themselves",
    ),
    (
        'A1,"pro\nA2,pro\nA3,pro\nA4,pro\nA5,pro\nA6,pro"\nA7,pro\n',
        ["A2", "A3", "A4", "A5", "A7"],
        "1 A1 / cells: line 2 cannot be read as CSV: a quote is opened and closed on line 7, "
        "behind what seem to be records; the lines from 3 on are read by themselves",
    ),
    (
        'A1,"pro\nx",y\nA2,pro\n',
        ["A2"],
        "1 A1 / cells: line 2 has 3 cells, and the header has 2; in quotes it goes on to line 3",
    ),
]


@pytest.mark.parametrize("at_once", [5, 2_000_000])
@pytest.mark.parametrize(("body", "valid", "message"), QUOTES)
def test_c4_an_open_quote_takes_its_own_line_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, valid: list[str], message: str, at_once: int
) -> None:
    monkeypatch.setattr(csv_records, "AT_ONCE", at_once)  # the quote is opened in one stretch, and swallows others
    found = validated_csv(tmp_path, HEAD + body)
    assert found.valid["account_id"].to_list() == valid
    assert message in messages(found)
    assert found.valid.height + found.invalid.height == len(valid) + found.invalid.height


def test_c4_every_line_behind_an_open_quote_is_a_row(tmp_path: Path) -> None:
    lines = [f"A{number},pro" for number in range(1, 2000)]
    lines[2] = 'A3,"pro'
    found = validated_csv(tmp_path, HEAD + "\n".join(lines) + "\n")
    assert (found.valid.height, found.invalid.height) == (1998, 1)


def test_c4_every_line_may_have_an_open_quote(tmp_path: Path) -> None:
    """Fifty thousand times; where each would be looked at with all lines behind it, this would take hours."""
    found = validated_csv(tmp_path, HEAD + 'A,"pro\n' * 50_000 + "B,pro\n")
    assert (found.valid.height, found.invalid.height) == (1, 50_000)


def test_c4_a_quote_that_is_open_for_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_engine.tables.csv_files.LONGEST_CELL", 30)
    found = validated_csv(tmp_path, HEAD + 'A1,"pro\n' + "A2,pro\n" * 10)
    assert (found.valid.height, found.invalid.height) == (10, 1)
    assert "a quote is opened and not closed within" in messages(found)[0]


def test_c4_a_cell_of_many_lines_is_one_cell(tmp_path: Path) -> None:
    verse = "\n".join("abcdefg")
    found = validated_csv(tmp_path, f'plan,account_id\npro,"{verse[:7]}"\n')
    assert found.valid["account_id"].to_list() == [verse[:7]]


def test_c4_a_header_with_an_open_quote(tmp_path: Path) -> None:
    told = "`accounts.csv`: its header cannot be read: a quote is opened in it and never closed"
    assert refusal(tmp_path, 'account_id,"plan\nA1,pro\n') == told


TEXT = "account_id,plan\nZoë,pro\n"
MARKED = [
    ("utf-8", codecs.BOM_UTF8, (None, "utf-8", "UTF8", "utf_8_sig")),
    ("utf-16-le", codecs.BOM_UTF16_LE, (None, "utf-16", "utf-16-le", "UTF-16LE")),
    ("utf-16-be", codecs.BOM_UTF16_BE, (None, "utf-16", "utf-16-be")),
    ("utf-32-le", codecs.BOM_UTF32_LE, (None, "utf-32", "utf-32-le")),
    ("utf-32-be", codecs.BOM_UTF32_BE, (None, "utf-32", "utf-32-be")),
    ("gb18030", "\ufeff".encode("gb18030"), ("gb18030",)),
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("encoding", "mark", "said"), [(one, mark, name) for one, mark, names in MARKED for name in names]
)
def test_c4_a_byte_order_mark_is_no_part_of_the_first_name(
    tmp_path: Path, encoding: str, mark: bytes, said: str | None, packed: bool
) -> None:
    content = mark + TEXT.encode(encoding)
    name = "a.csv.gz" if packed else "a.csv"
    found = validated_csv(tmp_path, gzip.compress(content) if packed else content, encoding=said, name=name)
    assert (found.valid["account_id"].to_list(), messages(found)) == (["Zoë"], [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-be", "cp1252", "gb18030", "utf-7"])
def test_c4_encodings_without_a_mark(tmp_path: Path, encoding: str) -> None:
    assert validated_csv(tmp_path, TEXT.encode(encoding), encoding=encoding).valid["account_id"].to_list() == ["Zoë"]


UNTRUE = [
    (
        codecs.BOM_UTF8 + TEXT.encode(),
        "cp1252",
        "`accounts.csv` is not cp1252: it begins with the byte order mark of utf-8; leave --encoding out",
    ),
    (
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        "utf-16-le",
        "`accounts.csv` is not utf-16-le: it begins with the byte order mark of utf-16-be; leave --encoding out",
    ),
    (
        TEXT.encode("utf-16-le"),
        None,
        "`accounts.csv` seems to be utf-16-le without a byte order mark; say so: --encoding utf-16-le",
    ),
    (
        TEXT.encode("utf-16-be"),
        None,
        "`accounts.csv` seems to be utf-16-be without a byte order mark; say so: --encoding utf-16-be",
    ),
    (
        TEXT.encode("utf-16-be"),
        "utf-16",
        "`accounts.csv` has no byte order mark, and utf-16 does not say which byte comes first: --encoding utf-16-be",
    ),
]


@pytest.mark.parametrize(("content", "said", "message"), UNTRUE)
def test_c4_an_encoding_that_the_file_contradicts(
    tmp_path: Path, content: bytes, said: str | None, message: str
) -> None:
    assert refusal(tmp_path, content, encoding=said) == message


SAVE = "save the file as UTF-8, or name its encoding: --encoding cp1252 is usual for Excel on Windows"
UNDECODABLE = [
    (b"account_id\rA\r\nB\n\xfcx\n", None, "is not utf-8 text: on line 4 stands the byte 0xFC, which read as cp1252 gives `üx`"),
    (b"account_id\n\xff\xff\n", None, "is not utf-8 text: on line 2 stands the byte 0xFF, which read as cp1252 gives `ÿÿ`"),
    (b"account_id\n- \xa7 -\n", None, "is not utf-8 text: on line 2 stands the byte 0xA7, which read as cp1252 gives `§`"),
    (b"account_id\nM\xc3\x81X\n", "cp1252", "is not cp1252 text: on line 2 stands the byte 0x81, as in utf-8"),
    (b"account_id\nM\x81X\n", "cp1252", "is not cp1252 text: on line 2 stands the byte 0x81"),
    (b"account_id\nM\xfcX\n", "ascii", "is not ascii text: on line 2 stands the byte 0xFC, which read as cp1252 gives `MüX`"),
    ("account_id\nA".encode("utf-16-le") + b"\0", "utf-16-le", "is not utf-16-le text: on line 2 stands the byte 0x00"),
    (b"account_id\n" + b"A\n" * 100_000 + b"\xe4\n", None,
     "is not utf-8 text: on line 100002 stands the byte 0xE4, which read as cp1252 gives `ä`"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "said", "message"), UNDECODABLE)
def test_c4_a_failed_encoding_names_the_line_and_the_byte(
    tmp_path: Path, content: bytes, said: str | None, message: str
) -> None:
    assert refusal(tmp_path, content, encoding=said) == f"`accounts.csv` {message}; {SAVE}"


USUAL = "are utf-8, utf-16, cp1252, latin-1, cp1250, shift_jis, gb18030 and more"
NONE = [
    *(
        (
            "hex",
            "base64",
            "zip",
            "bz2",
            "rot13",
            "uu",
            "quopri",
            "idna",
            "punycode",
            "undefined",
            "unicode_escape",
            "no",
        )
    ),
    *(("", "../x", "a\0b", "ü")),
]


@pytest.mark.parametrize("name", NONE)
def test_c4_an_encoding_that_is_none_of_text(tmp_path: Path, name: str) -> None:
    told = refusal(tmp_path, b"plan\npro\n", encoding=name)
    assert told.startswith("there is no encoding of text `")
    assert told.endswith(USUAL)


def test_c4_an_encoding_that_is_misspelt(tmp_path: Path) -> None:
    told = "there is no encoding of text `latin-99`; did you mean `latin-1`? There "
    assert refusal(tmp_path, b"plan\npro\n", encoding="latin-99") == told + USUAL
    told = "there is no encoding of text `utf-9`; did you mean `utf-8`? There "
    assert refusal(tmp_path, b"plan\npro\n", encoding="utf-9") == told + USUAL


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "sep=;\r", "\ufeffsep=;"])
def test_c4_a_first_line_that_tells_the_delimiter(tmp_path: Path, first: str) -> None:
    found = validated_csv(tmp_path, f"{first}\naccount_id;plan\nA,1;pro\nA2;gold\nA3\n")
    assert found.valid["account_id"].to_list() == ["A,1"]
    assert messages(found) == [
        '2 A2 /plan enum: "gold" is none of basic, pro',
        "3 A3 / cells: line 5 has 1 cell, and the header has 2",
    ]


def test_c4_a_first_line_that_tells_a_tab(tmp_path: Path) -> None:
    assert validated_csv(tmp_path, "sep=\t\naccount_id\tplan\nA\tpro\n").valid.height == 1


def test_c4_blank_lines_before_the_one_that_tells_the_delimiter(tmp_path: Path) -> None:
    assert messages(validated_csv(tmp_path, "\n\r\nsep=;\naccount_id;plan\nA;pro\n\nB\n")) == [
        "2 B / cells: line 7 has 1 cell, and the header has 2"
    ]


def test_c4_what_was_said_comes_before_the_first_line(tmp_path: Path) -> None:
    assert validated_csv(tmp_path, "sep=;\naccount_id|plan\nA;1|pro\n", delimiter="|").valid.height == 1


@pytest.mark.parametrize("said", ["tab", "TAB", "\\t", "\t"])
def test_c4_a_tab_may_be_named(tmp_path: Path, said: str) -> None:
    text = "account_id\tplan\nA,1;2;3\tpro\n"
    assert validated_csv(tmp_path, text, delimiter=said).valid["account_id"].to_list() == ["A,1;2;3"]


@pytest.mark.parametrize("said", [";;", "", '"', "\n", "\r", "\0", "t", "7", "tabs"])
def test_c4_a_delimiter_that_is_none(tmp_path: Path, said: str) -> None:
    shown = said.encode("unicode_escape").decode()
    told = f"--delimiter: `{shown}` is no delimiter; it is one sign such as ; or | or tab"
    assert refusal(tmp_path, TEXT, delimiter=said).replace("\\0", "\\x00") == told.replace("\\0", "\\x00")


def test_c4_a_first_line_that_tells_no_delimiter(tmp_path: Path) -> None:
    told = "`accounts.csv`, line 1 (`sep=;;`): `;;` is no delimiter; it is one sign such as ; or | or tab"
    assert refusal(tmp_path, "sep=;;\naccount_id;plan\n") == told
