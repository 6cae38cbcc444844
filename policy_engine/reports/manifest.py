"""The manifest of a report: its inputs, its arguments, its outputs and the program that made it, with their digests.

A manifest is read with suspicion: it is checked field by field, and no name in it leads out of the report's folder.
"""

from __future__ import annotations

import hashlib
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from policy_engine.documents.facts_files import read_json
from policy_engine.errors import CannotRun
from policy_engine.language.date_texts import read_date
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.arguments import AUDIENCES, FORMATS, INPUT_FORMATS, MOST_SAMPLES, MOST_SEED, Arguments
from policy_engine.reports.totals import ReportTotals
from policy_engine.version import VERSION

MANIFEST = "manifest.json"
EDITION = 4
"""Raised whenever a manifest has other fields than before."""
LIBRARIES = ("polars", "xlsxwriter")
"""What writes the tables of a report: another version of them may write the same rows in other bytes."""
LARGEST = 100_000_000
"""Bytes of a manifest; that of a hundred thousand tables has less than a third of it."""
SHA256 = re.compile(r"[0-9a-f]{64}")
UNFIT = re.compile("[\0\ud800-\udfff]")
"""NUL, and half characters: no file can have them in its name."""


@dataclass(frozen=True, slots=True)
class Digested:
    """A file by its name, its size in bytes, and its SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str

    def to_dict(self) -> dict[str, object]:
        """The file in JSON types."""
        return {"name": self.name, "bytes": self.size, "sha256": self.sha256}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Digested:
        """The file in a manifest, whose types were checked when it was read."""
        return cls(content["name"], content["bytes"], content["sha256"])


@dataclass(frozen=True, slots=True)
class FetchedRows:
    """The rows of a table in a database that a ruleset decided: the table's name, their number, and their digest by content."""

    ruleset: str
    name: str
    rows: int
    sha256: str

    def to_dict(self) -> dict[str, object]:
        """The rows in JSON types."""
        return {"ruleset": self.ruleset, "name": self.name, "rows": self.rows, "sha256": self.sha256}


def digested(path: Path, name: str) -> Digested:
    """A file's digest; raises `CannotRun`."""
    try:
        if not path.is_file():
            raise CannotRun(f"`{path}` is not a file" if path.exists() else f"there is no file `{path}`")
        with path.open("rb") as file:
            return Digested(name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror}") from None


def manifest_of(
    rulesets: Iterable[tuple[Ruleset, str, Sequence[str]]],
    arguments: Arguments,
    totals: ReportTotals,
    unmet: Sequence[str],
    inputs: Iterable[Digested],
    outputs: Iterable[Digested],
    fetched: Iterable[FetchedRows] = (),
) -> dict[str, object]:
    """The manifest in JSON types.

    `rulesets` come with the names of their files and the facts that are withheld, `unmet` has the gates that are not met.
    Inputs are files; what was `fetched` from databases has digests of another kind.
    """
    return {
        "manifest": EDITION,
        "engine": VERSION,
        "libraries": libraries(),
        "arguments": arguments.to_dict(),
        "rulesets": [_ruleset(*one) for one in rulesets],
        "inputs": [one.to_dict() for one in inputs],
        "fetched": [one.to_dict() for one in fetched],
        "counts": [
            {"ruleset": one.ruleset, "rows": one.rows, "valid": one.valid, "invalid": one.invalid}
            for one in totals.rulesets
        ],
        "unmet": list(unmet),
        "outputs": [one.to_dict() for one in outputs],
    }


def libraries() -> dict[str, str]:
    """The version of each library that writes tables."""
    return {name: version(name) for name in LIBRARIES}


def _ruleset(ruleset: Ruleset, file: str, withheld: Sequence[str]) -> dict[str, object]:
    """A ruleset and its schema. The ruleset's digest covers the meaning of both; the schema's covers its text."""
    return {
        "id": ruleset.id,
        "version": ruleset.version,
        "digest": ruleset.digest,
        "file": file,
        "schema": {"name": ruleset.facts.name, "sha256": hashlib.sha256(ruleset.facts.document.encode()).hexdigest()},
        "withheld": list(withheld),
    }


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar: what it must be, in words, and the test for it."""

    words: str
    fits: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Each:
    """A list of items of one shape; where `named`, an object with any names."""

    item: Shape
    named: bool = False


Shape: TypeAlias = "Leaf | Each | Mapping[str, Shape]"
"""What JSON must look like; an object has the members of the mapping and no other."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read, every field of its type: `content` is its JSON, `text` its bytes."""

    content: Mapping[str, Any]
    text: bytes
    arguments: Arguments
    inputs: tuple[Digested, ...]
    outputs: tuple[Digested, ...]


def read_manifest(report: Path) -> Manifest:
    """The manifest of a report; raises `CannotRun` with what is wrong with it."""
    path = report / MANIFEST
    text = _bytes_of(report, path)
    try:
        content = read_json(text.decode())
    except UnicodeDecodeError:
        raise CannotRun(f"`{path}` is damaged: it is not UTF-8 text") from None
    except ValueError as error:
        raise CannotRun(f"`{path}` is damaged: {error}") from None
    fault = next(_faults(content, MANIFEST_SHAPE, ""), None)
    edition = content.get("manifest") if isinstance(content, dict) else None
    if _is_whole(edition) and edition != EDITION:
        raise CannotRun(f"`{path}` was written by another edition of this program, and cannot be read by this one")
    if fault is not None:
        raise CannotRun(f"`{path}` is not the manifest of a report, or is damaged: {fault}")
    arguments = Arguments.from_dict(content["arguments"])
    inputs, outputs = (tuple(map(Digested.from_dict, content[name])) for name in ("inputs", "outputs"))
    return Manifest(content, text, arguments, inputs, outputs)


def refuse_unreadable(arguments: Arguments) -> None:
    """Raise `CannotRun` for arguments that could not be read again from a manifest."""
    fault = next(_faults(arguments.to_dict(), ARGUMENTS, ""), None)
    if fault is not None:
        raise CannotRun(fault)


def _bytes_of(report: Path, path: Path) -> bytes:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise CannotRun(f"`{path}` is not a file, so `{report}` is no report")
        if found.st_size > LARGEST:
            raise CannotRun(f"`{path}` has more than {LARGEST:,} bytes, which is more than a manifest has")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise CannotRun(f"`{report}` holds no report: there is no `{path}`") from None
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror}") from None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and UNFIT.search(value) is None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(read_date(value))
    except ValueError:
        return False


def _is_within(value: Any) -> bool:
    """Whether a name leads to a file within the report, and is written in the one way that a report writes it."""
    parts = value.split("/") if _is_text(value) else [""]
    return all(part not in ("", ".", "..") for part in parts)


TEXT = Leaf("a text", _is_text)
OPTIONAL_TEXT = Leaf("a text or null", lambda value: value is None or _is_text(value))
TRUTH = Leaf("true or false", lambda value: isinstance(value, bool))
WHOLE = Leaf("a whole number from 0", _is_whole)
DIGEST = Leaf("a SHA-256 in hexadecimal", lambda value: isinstance(value, str) and SHA256.fullmatch(value) is not None)
DIGESTED: Mapping[str, Shape] = {"bytes": WHOLE, "sha256": DIGEST}
ARGUMENTS: Shape = {
    "tables": Each({"ruleset": TEXT, "facts": TEXT}),
    "as_of": Leaf("a day such as 2025-02-28", _is_day),
    "rules": TEXT,
    "schemas": TEXT,
    "readings": Each(TEXT, named=True),
    "maps": Each(TEXT, named=True),
    "encoding": OPTIONAL_TEXT,
    "delimiter": OPTIONAL_TEXT,
    "input_format": Leaf(f"one of {', '.join(INPUT_FORMATS)}, or null", (None, *INPUT_FORMATS).__contains__),
    "sheet": OPTIONAL_TEXT,
    "header_row": Leaf(
        "a whole number from 1, or null", lambda value: value is None or (_is_whole(value) and value > 0)
    ),
    "over": Each(TEXT),
    "formats": Each(Leaf(f"one of {', '.join(FORMATS)}", FORMATS.__contains__)),
    "seed": Leaf(f"a whole number up to {MOST_SEED}", lambda value: _is_whole(value) and value <= MOST_SEED),
    "samples": Leaf(f"a whole number up to {MOST_SAMPLES}", lambda value: _is_whole(value) and value <= MOST_SAMPLES),
    "max_invalid": OPTIONAL_TEXT,
    "max_undetermined": OPTIONAL_TEXT,
    "expect": Each(TEXT),
    "settings": Each(TEXT, named=True),
    "audience": Leaf(f"one of {', '.join(AUDIENCES)}", AUDIENCES.__contains__),
    "brief": TRUTH,
    "reasons": TRUTH,
    "keep_formulas": TRUTH,
}
RULESET: Shape = {
    "id": TEXT,
    "version": TEXT,
    "digest": TEXT,
    "file": TEXT,
    "schema": {"name": TEXT, "sha256": DIGEST},
    "withheld": Each(TEXT),
}
MANIFEST_SHAPE: Shape = {
    "manifest": WHOLE,
    "engine": TEXT,
    "libraries": Each(TEXT, named=True),
    "arguments": ARGUMENTS,
    "rulesets": Each(RULESET),
    "inputs": Each({"name": TEXT, **DIGESTED}),
    "fetched": Each({"ruleset": TEXT, "name": TEXT, "rows": WHOLE, "sha256": DIGEST}),
    "counts": Each({"ruleset": TEXT, "rows": WHOLE, "valid": WHOLE, "invalid": WHOLE}),
    "unmet": Each(TEXT),
    "outputs": Each({"name": Leaf("the name of a file within the report", _is_within), **DIGESTED}),
}


def _faults(value: Any, shape: Shape, place: str) -> Iterator[str]:
    """What keeps a value from having a shape, in the order of the shape."""
    match shape:
        case Leaf(words=words, fits=fits):
            if not fits(value):
                yield f"`{place}` is not {words}"
        case Each(item=item, named=named):
            yield from _faults_of_each(value, item, named, place)
        case _:
            yield from _faults_of_members(value, shape, place)


def _faults_of_each(value: Any, item: Shape, named: bool, place: str) -> Iterator[str]:
    if not isinstance(value, dict if named else list | tuple):
        yield f"`{place}` is not {'an object' if named else 'a list'}"
        return
    for key, below in value.items() if isinstance(value, dict) else enumerate(value):
        if named and not _is_text(key):
            yield f"a name in `{place}` is not a text"
        yield from _faults(below, item, f"{place}.{key}" if named else f"{place}[{key}]")


def _faults_of_members(value: Any, shape: Mapping[str, Shape], place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"`{place}` is not an object" if place else "it is not an object"
        return
    start = f"{place}." if place else ""
    yield from (f"there is no `{start}{name}`" for name in shape if name not in value)
    yield from (f"`{start}{name}` is unknown" for name in value if name not in shape)
    for name, below in shape.items():
        yield from _faults(value.get(name), below, f"{start}{name}")
