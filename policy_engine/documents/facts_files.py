"""Facts as they lie in files: JSON, YAML 1.2, or JSON Lines; exact numbers, no key twice."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import IO, Any

import orjson

from policy_engine.documents.json_reader import fault_at
from policy_engine.documents.nodes import plain
from policy_engine.documents.yaml_reader import read_text
from policy_engine.errors import CannotRun
from policy_engine.text_encodings import utf_8_text

LONGEST_NUMBER = 100
"""Characters of a number."""
LARGEST_RECORD = 1_000_000
"""Bytes of one record of a JSON Lines file."""
LARGEST_FACTS = 10_000_000
"""Bytes of a file with one set of facts."""
OPEN_FILES = ("/dev/fd", "/proc/self/fd")
"""Folders of files that are open already, such as the pipes that a shell makes of `<(...)`."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a JSON Lines file: its number from 1, its size in bytes, and its facts, or why it cannot be read."""

    number: int
    size: int
    facts: Any
    fault: str | None = None


def read_json(text: str) -> Any:
    """The value of a JSON text; raises `ValueError` with a sentence for a person."""
    try:
        return _STRICT.decode(text)
    except json.JSONDecodeError as error:
        fault = fault_at(text, error)
        raise ValueError(f"not JSON at line {fault.line}, column {fault.column}: {fault.why}") from None
    except RecursionError:
        raise ValueError("nested too deep") from None


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"the number {text[:20]}... has more than {LONGEST_NUMBER} digits")
    return int(text)


def _exact(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= LONGEST_NUMBER else None
    except ArithmeticError:
        number = None
    if number is None or not -400 < number.adjusted() < 400:
        raise ValueError(f"the number {text[:40]} is out of range")
    return number


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the name `{twice}` stands twice in one object")
    return members


_STRICT = json.JSONDecoder(parse_float=_exact, parse_int=_integer, object_pairs_hook=_unique)


def read_facts(path: Path, text: str) -> Any:
    """The facts in a text; raises `CannotRun`.

    They are YAML where the name ends in .yaml or .yml, or where it has no ending (standard input, a pipe) and the text does not
    begin as a JSON object or list does. All else is JSON.
    """
    if path.suffix in (".yaml", ".yml") or (not path.suffix and not text.lstrip().startswith(("{", "["))):
        node, faults = read_text(text, str(path))
        if node is None or faults:
            raise CannotRun("\n".join(f"{fault.span}: {fault.message}" for fault in faults))
        return plain(node)
    try:
        return read_json(text)
    except ValueError as error:
        raise CannotRun(f"{path}: {error}") from None


def read_file_text(path: Path) -> str:
    """The text of a UTF-8 file with one set of facts; raises `CannotRun`.

    What is no regular file is read only where it is open already, as `<(...)` is: opening a named pipe might wait for ever.
    """
    try:
        if not (path.is_file() or str(path.parent) in OPEN_FILES or path == Path("/dev/stdin")):
            raise CannotRun(f"`{path}` is not a file" if path.exists() else f"there is no file `{path}`")
        with path.open("rb") as file:
            return text_of(f"`{path}`", file)
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror}") from None


def text_of(where: str, file: IO[bytes]) -> str:
    """The UTF-8 text of an opened file, or of standard input, with one set of facts; raises `CannotRun`."""
    try:
        content = file.read(LARGEST_FACTS + 1)
    except OSError as error:
        raise CannotRun(f"{where} cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_FACTS:
        raise CannotRun(f"{where} has more than {LARGEST_FACTS} bytes, which is more than one set of facts has")
    return utf_8_text(where, content).replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> Iterator[Line]:
    """The records of a JSON Lines file, one at a time; a bad line is told and passed over. Raises `CannotRun`."""
    try:
        if path.exists() and not path.is_file():
            raise CannotRun(f"`{path}` is not a file")
        with path.open("rb") as file:
            for number, raw in enumerate(iter(partial(whole_line, file), b""), start=1):
                if raw.strip():
                    yield line_of(number, raw)
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror}") from None


def whole_line(file: IO[bytes]) -> bytes:
    """The rest of a line, b"" at the end of the file.

    Of one that is too long, so that it is never held as a whole, its beginning, which is not blank where the line is not.
    """
    line = file.readline(LARGEST_RECORD + 1)
    part = line
    while part and not part.endswith(b"\n"):
        part = file.readline(LARGEST_RECORD + 1)
        if not line.strip():
            line += part.strip()[:1]
    return line


def line_of(number: int, raw: bytes) -> Line:
    """A line that is not blank; of one that is too long it is enough to give its beginning."""
    size = len(raw)
    if size > LARGEST_RECORD:
        return Line(number, size, None, f"the line has more than {LARGEST_RECORD} bytes")
    try:
        return Line(number, size, read_json(raw.removeprefix(BOM_UTF8).decode()))
    except UnicodeDecodeError:
        return Line(number, size, None, "not UTF-8 text")
    except ValueError as error:
        return Line(number, size, None, str(error).replace("line 1, ", ""))


def plain_facts(raw: bytes) -> dict[str, Any] | None:
    """The object that a line holds, read fast; None where it is not sure that `line_of` finds the same.

    A decimal is a float here, whose shortest form is the number that is written. The object is sure where writing it again
    gives the line: then no name stood twice in an object, and no number was changed.
    """
    if len(raw) > LARGEST_RECORD or ESCAPED in raw:
        return None
    try:
        found = orjson.loads(raw)
        again = orjson.dumps(found)
    except (ValueError, TypeError):
        return None
    return found if isinstance(found, dict) and (again == raw or _is_same(again, raw)) else None


def facts_text(facts: Any) -> bytes | None:
    """Facts as JSON, numbers exact and members in their order; None where they are not dictionaries, lists and plain values."""
    try:
        return orjson.dumps(facts, _exact_text, PASSED_THROUGH)
    except TypeError:
        return None


def _exact_text(value: object) -> orjson.Fragment:
    if type(value) is Decimal and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(value)


PASSED_THROUGH = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
"""What orjson would write in a way of its own."""
ESCAPED = b"\\u"
"""A character that would not be escaped where it is written again, most likely."""
BLANKS = b" \t\r\n"
ZEROS = re.compile(rb"(\.[0-9]*?)0{1,20}(?![0-9])")
"""Zeros at the end of a decimal, not so many that the number could be too long."""


def _is_same(one: bytes, other: bytes) -> bool:
    """Whether two JSON texts have the same names in the same order, and the same numbers.

    What means nothing outside of texts is left out, within texts as well: names and numbers stay as many as they were.
    """
    one, other = one.translate(None, BLANKS), other.translate(None, BLANKS)
    return one == other or ZEROS.sub(rb"\1", one) == ZEROS.sub(rb"\1", other)
