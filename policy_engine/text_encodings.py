"""Encodings of text: which there are, what a byte order mark says, and where bytes are not the text they should be."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from encodings.aliases import aliases
from functools import cache, partial
from typing import IO

from policy_engine.diagnostics import nearest, shown_text
from policy_engine.errors import CannotRun

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks and what they say; that of UTF-32 before that of UTF-16, with which it begins."""
LONGEST_MARK = 8
"""Bytes of a file in which a mark of any encoding lies."""
NO_FILES = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"})
"""Encodings that Python has for other things than files."""
USUAL = ("utf-8", "utf-16", "cp1252", "latin-1", "cp1250", "shift_jis", "gb18030")
GUESSED = "cp1252"
"""What files that are not UTF-8 are most often: the encoding of Windows in the West."""
SEVERAL_BYTES = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
"""A character of UTF-8 that is not ASCII."""
CHUNK = 1 << 16
AROUND = 20
"""Bytes on each side of a wrong one, in which its word is looked for."""
WORD = re.compile(r"[\w.&'-]+")
LINE_END = re.compile("\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class WrongByte:
    """A byte that is not text of an encoding: its line from 1, its value, the bytes `around` it, and its place `at` in them."""

    line: int
    byte: int
    around: bytes
    at: int


def text_encoding(name: str) -> str:
    """The usual name of an encoding of files; raises `CannotRun` where there is none, or it is none of text."""
    found = _usual_name(name)
    if found is None:
        near = nearest(name, _names())
        hint = f"did you mean `{near}`? There" if near else "there"
        raise CannotRun(f"there is no encoding of text `{shown_text(name)}`; {hint} are {', '.join(USUAL)} and more")
    return found


def _usual_name(name: str) -> str | None:
    try:
        found = codecs.lookup(name).name
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError):
        return None
    return None if found.replace("_", "-") in NO_FILES else found


@cache
def _names() -> tuple[str, ...]:
    """The names of all encodings of text, as people write them."""
    found = {name.replace("_", "-") for name in (*aliases.values(), *USUAL)}
    return tuple(sorted(name for name in found if _usual_name(name) is not None))


def marked(start: bytes, encoding: str | None) -> tuple[str, int]:
    """The encoding of a file that begins so, and how many bytes its mark takes; raises `ValueError` where the two disagree.

    `encoding` is the one that was said, by the name that `text_encoding` gives; without it, and without a mark, it is UTF-8.
    """
    said = "utf-8" if encoding is None or encoding == "utf-8-sig" else encoding
    mark, meant = next(((mark, meant) for mark, meant in MARKS if start.startswith(mark)), (b"", said))
    if not mark:
        return said, _own_mark(start, said)
    if encoding is not None and meant != said and not meant.startswith(f"{said}-"):
        raise ValueError(f"it begins with the byte order mark of {meant}")
    return meant, len(mark)


def _own_mark(start: bytes, encoding: str) -> int:
    """The bytes of a byte order mark in another encoding that can write one."""
    try:
        mark = "\ufeff".encode(encoding)
    except UnicodeError:
        return 0
    return len(mark) if start.startswith(mark) else 0


def unmarked(start: bytes) -> str | None:
    """The encoding of sixteen bits that a file without a mark seems to have, by the zeros in its first two characters."""
    if len(start) < 4:
        return None
    return {(False, True): "utf-16-le", (True, False): "utf-16-be"}.get((not any(start[:4:2]), not any(start[1:4:2])))


def other_encoding(content: bytes) -> str | None:
    """What a file is by its first bytes, where these are not UTF-8."""
    encoding, _ = marked(content[:LONGEST_MARK], None)
    return encoding if encoding != "utf-8" else unmarked(content[:LONGEST_MARK])


def utf_8_text(where: str, content: bytes) -> str:
    """The text of a whole file of UTF-8, without its mark; raises `CannotRun` where it is none, with the line and the byte."""
    other = other_encoding(content)
    if other is not None:
        raise CannotRun(f"{where} is not UTF-8 text: it is {other}, by its first bytes; save it as UTF-8")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError:
        raise CannotRun(f"{not_text(where, 'UTF-8', io.BytesIO(content))}; save it as UTF-8") from None


def not_text(where: str, encoding: str, file: IO[bytes]) -> str:
    """That a file is no text of an encoding: the line, the byte, and what it seems to be. No hints."""
    found = wrong_byte(file, encoding)
    told = f"{where} is not {encoding} text"
    if found is None:  # it is whole now
        return told
    return f"{told}: {described(found, encoding)}"


def described(found: WrongByte, encoding: str) -> str:
    """Where a byte stands that is not text of an encoding, and what it seems to be."""
    return f"on line {found.line} stands the byte 0x{found.byte:02X}{_guess(found, encoding)}"


def _guess(found: WrongByte, encoding: str) -> str:
    """What the byte may be in the encoding that is most likely meant."""
    if encoding.lower() not in ("utf-8", "ascii"):
        characters = SEVERAL_BYTES.finditer(found.around)
        return ", as in utf-8" if any(each.start() <= found.at < each.end() for each in characters) else ""
    text = found.around.decode(GUESSED, "replace")
    word = next((word[0] for word in WORD.finditer(text) if word.start() <= found.at < word.end()), None)
    return f", which read as {GUESSED} gives `{shown_text(word or text[found.at])}`"


def wrong_byte(file: IO[bytes], encoding: str) -> WrongByte | None:
    """The first place where the bytes of a file are not text of an encoding, None where all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, before = 1, ""
    for chunk in iter(partial(file.read, CHUNK), None):
        try:
            text = decoder.decode(chunk, not chunk)
        except UnicodeDecodeError as error:
            good = error.object[: error.start].decode(encoding, "replace")
            return _placed(error, line + _line_ends(before + good) - _line_ends(before))
        if not chunk:
            return None
        line += _line_ends(before + text) - _line_ends(before)
        before = text[-1:] or before
    raise AssertionError("reading ends with an empty chunk")


def _placed(error: UnicodeDecodeError, line: int) -> WrongByte:
    start = max(0, error.start - AROUND)
    return WrongByte(line, error.object[error.start], error.object[start : error.start + AROUND], error.start - start)


def _line_ends(text: str) -> int:
    return len(LINE_END.findall(text))
