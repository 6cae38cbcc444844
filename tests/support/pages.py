"""The pages of `docs/diagnostics/`: their parts, and the files that their blocks stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import indent

FOLDER = Path(__file__).parents[2] / "docs" / "diagnostics"
NO_PAGES = ("README.md",)
RULES, SCHEMA = "rules/loyalty.yaml", "schemas/customer.schema.json"
HEADINGS = ("Example", "Instead", "Why")
HEADING = re.compile(r"^## (.+)\n", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TEXT_BLOCK = re.compile(r"(?<=^```text\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
ELSEWHERE = re.compile(r"^<!-- shown by tests: .+ -->$", re.MULTILINE)
OTHER_FILE = re.compile(r"# file: (\S+)\n")
OTHER_SCHEMA = re.compile(r"// file: (\S+)\n")
WHERE = re.compile(r"(?:#|//) (in|replace) (\S+)\n")
STEP, KEYS_OF_SCHEMA = 2, 4


@dataclass(frozen=True)
class Block:
    """A fenced block: its language and its text."""

    language: str
    body: str


@dataclass(frozen=True)
class Page:
    """A page: one code, explained."""

    path: Path

    def __str__(self) -> str:
        return self.code

    @property
    def code(self) -> str:
        """The code it is about."""
        return self.path.stem

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text("utf-8")

    @property
    def head(self) -> list[str]:
        """Its first lines: the code, what it says, and what that means."""
        return self.text.partition("\n## ")[0].splitlines()

    @property
    def headings(self) -> tuple[str, ...]:
        """Its headings, in order."""
        return tuple(HEADING.findall(FENCE.sub("", self.text)))

    @property
    def shown_by_tests(self) -> bool:
        """Whether its example is one that no text on a page can show."""
        return ELSEWHERE.search(self.section("Example")) is not None

    def section(self, heading: str) -> str:
        """What stands under a heading."""
        _, _, rest = self.text.partition(f"\n## {heading}\n")
        return re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]

    def blocks(self, heading: str) -> list[Block]:
        """The fenced blocks under a heading."""
        return [Block(found[1], found[2]) for found in FENCE.finditer(self.section(heading))]

    def files(self, heading: str) -> dict[str, str]:
        """The files that the blocks under a heading stand for: those of the base, changed."""
        files = {
            RULES: (FOLDER / "base.yaml").read_text("utf-8"),
            SCHEMA: (FOLDER / "customer.schema.json").read_text("utf-8"),
        }
        for block in self.blocks(heading):
            files |= _changed(block, files)
        return files

    @property
    def says(self) -> str:
        """The lines that its example is said to earn."""
        return "".join(block.body for block in self.blocks("Example") if block.language == "text")

    def rewrite(self, lines: str) -> None:
        """Put what is said now into its `text` block."""
        self.path.write_text(TEXT_BLOCK.sub(lambda _: lines, self.text, count=1), "utf-8")


def pages() -> list[Page]:
    """Every page there is."""
    return [Page(path) for path in sorted(FOLDER.glob("*.md")) if path.name not in NO_PAGES]


def _changed(block: Block, files: Mapping[str, str]) -> dict[str, str]:
    """The file that a block writes, as it then is."""
    if block.language == "csv":
        head, _, body = block.body.partition("\n")
        return {head.removeprefix("# file: "): body}
    if block.language == "json":
        another = OTHER_SCHEMA.match(block.body)
        if another:
            return {another[1]: block.body[another.end() :]}
        return {SCHEMA: _schema(block.body, files[SCHEMA])}
    if block.language == "yaml":
        other = OTHER_FILE.match(block.body)
        return {other[1]: block.body} if other else {RULES: _rules(block.body, files[RULES])}
    return {}


def _rules(body: str, base: str) -> str:
    lines, where = base.splitlines(keepends=True), WHERE.match(body)
    if where is None:
        return "".join(_merged(lines, body.splitlines(keepends=True), 0))
    path, new = where[2].split("."), body[where.end() :].splitlines(keepends=True)
    start, end = _region(lines, path)
    if where[1] == "in":
        new = [lines[start], *_merged(lines[start + 1 : end], new, STEP * len(path))]
    return "".join([*lines[:start], *new, *lines[end:]])


def _schema(body: str, base: str) -> str:
    where = WHERE.match(body)
    if where is None:
        return body
    lines = base.splitlines(keepends=True)
    start = lines.index(f'{" " * STEP}"{where[2]}": {{\n')
    end = next(n for n in range(start, len(lines)) if re.match(rf" {{{STEP}}}\}}", lines[n]))
    new = indent(body[where.end() :], _missing_indent(body[where.end() :])).splitlines(keepends=True)
    entries = "".join(_merged(_with_comma(lines[start + 1 : end]), _with_comma(new), KEYS_OF_SCHEMA))
    return "".join([*lines[: start + 1], entries.rstrip().removesuffix(","), "\n", *lines[end:]])


def _missing_indent(text: str) -> str:
    return " " * (KEYS_OF_SCHEMA - len(text) + len(text.lstrip(" ")))


def _with_comma(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1].rstrip().removesuffix(",") + ",\n"]


def _region(lines: list[str], path: Iterable[str]) -> tuple[int, int]:
    """Where the entry of that path begins and ends."""
    start, end = 0, len(lines)
    for depth, name in enumerate(path):
        entries = list(_entries(lines, start + (depth > 0), end, STEP * depth))
        start, end = next((first, last) for key, first, last in entries if key == name)
    return start, end


def _entries(lines: list[str], start: int, end: int, depth: int) -> Iterator[tuple[str, int, int]]:
    """The entries of a section: their keys, and where each begins and ends."""
    begins = [n for n in range(start, end) if _key(lines[n], depth)]
    for first, last in zip(begins, [*begins[1:], end], strict=True):
        yield _key(lines[first], depth), first, last


def _key(line: str, depth: int) -> str:
    """The key that a line at that depth begins with, or nothing."""
    found = re.match(rf" {{{depth}}}([^\s#-][^:]*|-+):?", line)
    return found[1].strip('"\n') if found else ""


def _merged(base: list[str], new: list[str], depth: int) -> list[str]:
    """The entries of a section, those of the same keys replaced and others appended."""
    given: dict[str, list[str]] = {}
    for key, first, last in _entries(new, 0, len(new), depth):
        given.setdefault(key, []).extend(new[first:last])
    kept: list[str] = []
    for key, first, last in _entries(base, 0, len(base), depth):
        kept += given.pop(key) if key in given else base[first:last]
    return kept + [line for lines in given.values() for line in lines]
