"""The documentation is true: what it shows can be run, what it links to is there, what is generated is current."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policy_engine.documents.yaml_reader import read_text
from tests.support.commands import policy_on_one_stream
from tests.support.conformance import load_cases

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
ASKING = "clients.md"
"""The page that asks a running service; `test_service_docs.py` runs it."""
COPIED = ("rules", "schemas", "fixtures")
FORBIDDEN = ("/home/", "/tmp")
FENCE = re.compile(
    r"^(?:<!-- file: (?P<file>\S+) -->\n+)?```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
FILE_COMMENT = re.compile(r"# file: (\S+)\n")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
ANCHOR = re.compile(r'<a id="([^"]+)">')
SENTENCE = re.compile(r"^\*\*(\d+(?:\.\d+)?)\*\*", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the line it begins on, its language, its text, and the file it is the content of."""

    page: str
    line: int
    language: str
    file: str | None
    body: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[tuple[str, str]]:
        """The commands of a console block, each with the output shown under it."""
        parts = re.split(r"^\$ ", self.body, flags=re.MULTILINE)[1:]
        return [_command(part) for part in parts if part.startswith("policy ")]


def _command(part: str) -> tuple[str, str]:
    """The command, which a backslash at the end of a line continues, and its output."""
    command, _, output = re.sub(r"\\\n\s*", "", part).partition("\n")
    return command, output


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    return [_block(page, text, found) for found in FENCE.finditer(text)]


def _block(page: Path, text: str, found: re.Match[str]) -> Block:
    comment = FILE_COMMENT.match(found["body"])
    file = found["file"] or (comment[1] if comment else None)
    line = text.count("\n", 0, found.start("body"))
    return Block(page.name, line, found["language"], file, found["body"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with copies of the rules, schemas and fixtures, without the shipped tests, which run elsewhere."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*_test.yaml", "__pycache__"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def policy(command: str) -> tuple[str, int]:
    """What a command line prints in the current folder, and its exit code."""
    return policy_on_one_stream(*shlex.split(command)[1:], folder=Path.cwd())


def same_output(shown: str, printed: str) -> bool:
    """Whether an output is as shown; a line `...` stands for any lines, `...` within a line for any text."""
    pattern = ""
    for line in _lines(shown):
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in _lines(printed))) is not None


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").split("\n")]


def run_console(block: Block) -> None:
    """Run the commands of a block; what they print must be what is shown."""
    for command, shown in block.commands:
        printed, _ = policy(command)
        assert same_output(shown, printed), f"{block}: `{command}` printed\n{printed}"


def run_python(block: Block, names: dict[str, Any]) -> None:
    """Run a block of Python, as a session where it has prompts, else as a script."""
    if ">>> " not in block.body:
        exec(compile(block.body, str(block), "exec"), names)
        return
    session = doctest.DocTestParser().get_doctest(block.body, names, str(block), block.page, block.line)
    report: list[str] = []
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session, out=report.append, clear_globs=False)
    names.update(session.globs)
    assert results.failed == 0, "".join(report)


def write_file(block: Block, following: Block | None) -> None:
    """Write a block to its file, and check the rules where the page does not go on to check them itself."""
    assert block.file is not None
    path = Path(block.file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.body, "utf-8")
    shown_next = following is not None and any("policy check" in command for command, _ in following.commands)
    if path.parts[0] == "rules" and not shown_next:
        printed, code = policy("policy check rules --strict")
        assert code == 0, f"{block}: {printed}"


def run_page(blocks: list[Block]) -> None:
    """Do what a page says, in its order."""
    names: dict[str, Any] = {"__name__": "docs"}
    for block, following in zip(blocks, [*blocks, None][1:], strict=True):
        if block.file is not None:
            write_file(block, following)
        elif block.language == "console":
            run_console(block)
        elif block.language == "python":
            run_python(block, names)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks_of(page) and page.name != ASKING], ids=lambda page: page.name
)
def test_what_a_page_shows_is_what_happens(page: Path, folder: Path) -> None:
    run_page(blocks_of(page))


@pytest.mark.parametrize("block", [b for page in PAGES for b in blocks_of(page) if b.language == "yaml"], ids=str)
def test_every_snippet_of_yaml_can_be_read(block: Block) -> None:
    _, faults = read_text(block.body, str(block))
    assert not faults


def test_generated_tables_are_current() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "docs" / "make.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def without_blocks(text: str) -> str:
    """A page without what stands in fences and backticks, where a bracket is no link and a hash no heading."""
    return FENCE.sub("", text)


def slug(heading: str) -> str:
    """The anchor of a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return words.replace(" ", "-")


def anchors_of(page: Path) -> set[str]:
    """The places of a page that a link can name."""
    text = without_blocks(page.read_text("utf-8"))
    return {slug(heading) for heading in HEADING.findall(text)} | set(ANCHOR.findall(text))


def broken_links(page: Path) -> Iterator[str]:
    """The links of a page to files or headings that are not there."""
    for link in LINK.findall(re.sub(r"`[^`\n]*`", "", without_blocks(page.read_text("utf-8")))):
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        outside = "://" in link
        if not outside and (not path.exists() or (anchor and anchor not in anchors_of(path))):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_speaks_of_where_it_was_written(page: Path) -> None:
    text = page.read_text("utf-8")
    assert [word for word in FORBIDDEN if word in text] == []


def test_every_sentence_has_a_case_and_every_case_a_sentence() -> None:
    written = SENTENCE.findall((ROOT / "docs" / "semantics.md").read_text("utf-8"))
    assert len(set(written)) == len(written)
    assert {sentence for case in load_cases() for sentence in case.sentences} == set(written)


def test_the_rule_that_the_readme_shows_stands_in_the_rulebook() -> None:
    first = next(block for block in blocks_of(ROOT / "README.md") if block.language == "yaml")
    written = (ROOT / "rules" / "partner_earnings.yaml").read_text("utf-8")
    assert "".join(f"      {line}\n" for line in first.body.splitlines()) in written


def test_the_readme_is_short() -> None:
    assert (ROOT / "README.md").read_text("utf-8").count("\n") < 130
