"""How the file of a table is written, as far as that is said."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from policy_engine.diagnostics import shown_text
from policy_engine.documents.nodes import ScalarNode, YamlNode, plain
from policy_engine.errors import CannotRun
from policy_engine.text_encodings import text_encoding

FILE_KEYS = ("sheet", "header_row", "encoding", "delimiter")
"""What a mapping file may say."""
TABS = ("tab", "\\t")
"""How a tab may be named, which is hard to type."""


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How the file of a table is written; None where that is to be found out.

    `encoding` of CSV: else it is UTF-8, or what its byte order mark says.
    `delimiter` of CSV, one sign, `tab` and `\\t` for a tab: else the header tells.
    `sheet` of a workbook by its name: else the first that is not hidden.
    `header_row` of CSV or a workbook, the line or row that names the columns, from 1: else the first that is not blank.
    `input_format`, one of csv, jsonl, parquet and xlsx: else the ending of its name tells.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    input_format: str | None = None

    def before(self, others: FileOptions) -> FileOptions:
        """These options, and where they say nothing those of others."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        return FileOptions(**{**asdict(others), **said})


def file_option(key: str, node: YamlNode) -> object:
    """What a mapping file says under one of `FILE_KEYS`; raises `CannotRun`."""
    if key == "header_row":
        row = plain(node)
        if type(row) is int and row >= 1:
            return row
        raise CannotRun("`header_row` is the number of a row, from 1")
    if not isinstance(node, ScalarNode):
        raise CannotRun(f"`{key}` is a text")
    text = node.text.value
    match key:
        case "encoding":
            return text_encoding(text)
        case "delimiter":
            return delimiter_of("`delimiter`", text)
    return text


def delimiter_of(where: str, said: str) -> str:
    """The delimiter that was said; raises `CannotRun` where it cannot be one."""
    delimiter = "\t" if said.lower() in TABS else said
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n\0':
        raise CannotRun(f"{where}: `{shown_text(said)}` is no delimiter; it is one sign such as ; or | or tab")
    return delimiter
