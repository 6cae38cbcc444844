"""`policy fmt`: one layout for rule and test files, in which they say the same, with each comment in its place."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings

from policy_engine.documents.yaml_layout import comments_of
from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, RulesetError
from policy_engine.frontend import formatting
from policy_engine.frontend.formatting import format_text
from tests.conftest import ROOT
from tests.support.commands import Ran, policy
from tests.support.untidy_yaml import untidy_texts

LAID_OUT = {
    "indentation is two blanks, also of lists": (
        "rules:\n- id: a\n  when:\n        any:\n        - x > 1\n        - y\n",
        "rules:\n  - id: a\n    when:\n      any:\n        - x > 1\n        - y\n",
    ),
    "what a dash holds begins behind it": ("rules:\n  -\n    id: a\n    when: x\n", "rules:\n  - id: a\n    when: x\n"),
    "a list in a list": ("rows:\n-   -  a\n    -  b\n", "rows:\n  - - a\n    - b\n"),
    "one blank behind a colon, none before it": ("a :   1\nb:\t2\n", "a: 1\nb: 2\n"),
    "between brackets": ("a: [ 1,2 , {b : 1,c: [ ]} , ]\n", "a: [1, 2, {b: 1, c: []}]\n"),
    "keys stay in their order": ("because: x\nid: a\nwhen: y\n", "because: x\nid: a\nwhen: y\n"),
    "blank lines: one at most, none at the ends": ("\n\na: 1\n\n\nb:\n\n  c: 2\n\n\n", "a: 1\n\nb:\n  c: 2\n"),
    "blanks at the end of a line go": ("a: 1   \nb: [1,   \n  2]  \n", "a: 1\nb: [1,\n  2]\n"),
    "a last line gets its end": ("a: 1", "a: 1\n"),
    "the marks around a document go": ("---\n# first\na: 1\n...\n", "# first\na: 1\n"),
    # Quotes.
    "words need no quotes": ('because: "The wait is {days} days, so far."\n', "because: The wait is {days} days, so far.\n"),
    "a condition needs none": ("when: 'word == \"x\"'\n", 'when: word == "x"\n'),
    "a single word may be a text or a name": ("then: 'yes'\nb: \"late\"\n", 'then: "yes"\nb: "late"\n'),
    "what would be read as something else": ('a: "x: y"\nb: "c # d"\nc: "12 a"\nd: "{x} y"\n',) * 2,
    "between brackets more is": ('a: ["x y", "x, y", "x [y] z"]\n', 'a: [x y, "x, y", "x [y] z"]\n'),
    "with a comment behind it": ('a: "x y"  #3\n',) * 2,
    "escapes": ('a: "x\\ty z"\nb: \'x\\y "z"\'\n',) * 2,
    # Texts of several lines.
    "a text of several lines keeps its lines": (
        "    when: x\n          and y\n    then:\n      \"a\n      b\"\n",
        "when: x\n      and y\nthen:\n  \"a\n  b\"\n",
    ),
    "a text may begin on a line of its own": (
        "when:  # why\n     # and\n     a > 1  # what\n",
        "when:  # why\n  # and\n  a > 1     # what\n",
    ),
    "literal texts": ("a:\n    b: |-  # as it is\n          x\n\n            y # z\n\n\n    c: 1\n",
                      "a:\n  b: |-  # as it is\n    x\n\n      y # z\n\n  c: 1\n"),
    "a literal text that keeps its last lines": ("a:\n     b: |+\n       x\n\n\n     # c\n     c: 1\n",
                                                 "a:\n  b: |+\n    x\n\n\n  # c\n  c: 1\n"),
    "a literal text that begins with blanks": (
        "a:\n     b: |2\n          x\n         y\n     c:\n     - |1-\n       z\n",
        "a:\n  b: |2\n       x\n      y\n  c:\n    - |1-\n      z\n",
    ),
    "a literal text at the very end": ("a:\n    |\n    x", "a:\n  |\n  x"),
    "brackets over several lines keep them": (
        "    a: [1,   # one\n        2]\n    b: 1\n",
        "a: [1,   # one\n    2]\nb: 1\n",
    ),
    # Comments.
    "comments stand above what follows, as far in": (
        "# file\n\n  # a\na:\n# b\n    b: 1\n        # c\n    c: 1\n",
        "# file\n\n# a\na:\n  # b\n  b: 1\n  # c\n  c: 1\n",
    ),
    "a comment at the end of a block belongs to it": (
        "rules:\n    - id: a\n      # of a\n    # of the rules\n# of b\nb: 1\n    # of b, too\n# end\n",
        "rules:\n  - id: a\n    # of a\n  # of the rules\n# of b\nb: 1\n# of b, too\n# end\n",
    ),
    "below a list that is not indented": ("a:\n- b\n# of c\nc: 1\n", "a:\n  - b\n# of c\nc: 1\n"),
    "behind a line a comment keeps its column": ("a:   1    # x\nlonger: 22 # y\n", "a: 1      # x\nlonger: 22 # y\n"),
    "but two blanks are before it": ('a: [1] # x\nb: # y\n  c: 1\n', "a: [1]  # x\nb:  # y\n  c: 1\n"),
    "no comment stands between a dash and what it holds": (
        "a:\n  - # x\n    # y\n    b: 1\n",
        "a:\n  # x\n  # y\n  - b: 1\n",
    ),
    # Tables.
    "rows of cases line up": (
        "rows:\n  short: [1, abc, x]\n  a longer name: [10, ~, yy]  # why\n",
        "rows:\n  short:          [1,  abc, x]\n  a longer name:  [10, ~,   yy]  # why\n",
    ),
    "rows without names": ("rows:\n- [1, a]\n- [100, b]\n", "rows:\n  - [1,   a]\n  - [100, b]\n"),
    "rows of a look-up table": (
        "rows:\n- {spent: {below: 5}, p: 0}\n- {spent: {from: 5, below: 9}, p: 1}\n- {p: 3, spent: {from: 9}}\n",
        "rows:\n  - {spent: {below: 5},          p: 0}\n  - {spent: {from: 5, below: 9}, p: 1}\n  - {p: 3, spent: {from: 9}}\n",
    ),
    "the cells of a matrix, some with a source": (
        "cells:  # one, two\n  a: [yes, no]\n  # b\n  bb: {cells: [no, unstated], source: [x, y]}\n  c: {cells: [yes, yes]}\n",
        "cells:        # one, two\n  a:           [yes, no]\n  # b\n  bb:  {cells: [no,  unstated], source: [x, y]}\n"
        "  c:   {cells: [yes, yes]}\n",
    ),
    "a heading of other columns stays": (
        "cells:  # in EUR\n  a: [1]\n  bbbbbbbbb: [22]\n",
        "cells:  # in EUR\n  a:          [1]\n  bbbbbbbbb:  [22]\n",
    ),
    "a heading makes columns wider": (
        "cells: # creator, owner\n  send_mails: [no,yes]\n  pay: [yes,no]\n",
        "cells:        # creator, owner\n  send_mails:  [no,      yes]\n  pay:         [yes,     no]\n",
    ),
    "letters that take two columns": ("rows:\n  日本: [1]\n  a: [2]\n", "rows:\n  日本:  [1]\n  a:     [2]\n"),
    "a table that is too wide": (
        f"rows:\n  a: [{'x' * 100}, 1]\n  bb: [y, {'z' * 100}]\n",
        f"rows:\n  a:   [{'x' * 100}, 1]\n  bb:  [y, {'z' * 100}]\n",
    ),
    "a row of several lines is no row of a table": (
        "rows:\n  a: [1,\n      2]\n  bb: [11, 2]\n  c: [3, 4]\n",
        "rows:\n  a: [1,\n      2]\n  bb:  [11, 2]\n  c:   [3,  4]\n",
    ),
    # Ends of lines, and what an editor puts first.
    "ends of lines stay": ("a:   1\r\nb: [1,\r\n  2]\r\n", "a: 1\r\nb: [1,\r\n  2]\r\n"),
    "a mark of the byte order stays": ("\ufeffa:  1\n", "\ufeffa: 1\n"),
    "anchors stay": ("a: &x   1\nb: &y\n    c: *x\nd:\n- &z\n  e: *y\n", "a: &x 1\nb: &y\n  c: *x\nd:\n  - &z\n    e: *y\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", LAID_OUT)
def test_a_text_is_laid_out(name: str) -> None:
    before, after = LAID_OUT[name]
    assert format_text(before, "rules/x.yaml") == after
    assert format_text(after, "rules/x.yaml") == after


@settings(max_examples=150, deadline=None)
@given(untidy_texts())
def test_whatever_the_layout_was_it_is_laid_out_once(text: str) -> None:
    laid_out = format_text(text, "x.yaml")
    assert format_text(laid_out, "x.yaml") == laid_out
    assert comments_of(laid_out.replace("\r\n", "\n")) == comments_of(text.replace("\r\n", "\n"))
    assert ("\r\n" in laid_out) == ("\r\n" in text)


def texts_of_pages() -> Iterator[str]:
    """The blocks of YAML in all pages."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        yield from re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def texts_of_files() -> Iterator[str]:
    for folder in ("rules", "examples", "tests/conformance", "tests/data"):
        yield from (path.read_text("utf-8") for path in sorted((ROOT / folder).rglob("*.yaml")))


def test_every_text_of_ours_is_laid_out_once() -> None:
    """What has faults is shown as such; nothing else is refused."""
    texts = [*texts_of_files(), *texts_of_pages()]
    laid_out = [_laid_out(text) for text in texts]
    assert sum(text is not None for text in laid_out) > 100
    assert [text for text in laid_out if text is not None and format_text(text, "x.yaml") != text] == []


def _laid_out(text: str) -> str | None:
    try:
        return format_text(text, "x.yaml")
    except RulesetError:
        return None


def test_a_laid_out_rulebook_has_the_digests_that_it_had(tmp_path: Path) -> None:
    for path in (ROOT / "rules").glob("*.yaml"):
        (tmp_path / path.name).write_text(format_text(path.read_text("utf-8"), path.name), "utf-8")
    before, after = (Engine.load(folder, ROOT / "schemas") for folder in (ROOT / "rules", tmp_path))
    assert [ruleset.digest for ruleset in after.rulesets] == [ruleset.digest for ruleset in before.rulesets]


# Refusals.

FAULTS = {
    "what is no YAML": ("a: [1\n", "yaml-syntax"),
    "a key twice": ("a: 1\na: 2\n", "yaml-duplicate-key"),
    "nothing": ("# a remark\n", "file-empty"),
    "two documents": ("a: 1\n---\nb: 1\n", "yaml-several-documents"),
    "control characters": ("a: \x07\n", "yaml-control-character"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_has_faults_is_not_laid_out(name: str) -> None:
    text, code = FAULTS[name]
    with pytest.raises(RulesetError) as caught:
        format_text(text, "x.yaml")
    assert [fault.code for fault in caught.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("text", "line"),
    [("[1, 2]\n", 1), ("b: 1\n? a\n: 1\n", 2), ("just words\n", 1), ("b: 1\nc:\n  ? d\n  : 1\n", 3)],
)
def test_what_has_no_layout_is_left(text: str, line: int) -> None:
    told = f"`x.yaml` is written on line {line} in a way that cannot be laid out surely, and is left as it is"
    with pytest.raises(CannotRun, match=re.escape(told)):
        format_text(text, "x.yaml")


MISTAKES = {
    "a number changes": ("one_line", lambda leaf, **_: leaf.raw.replace("4.90", "4.9")),
    "a text becomes a number": ("one_line", lambda leaf, **_: leaf.raw.strip('"')),
    "a comment is lost": ("_behind", lambda line, remark: line),
    "comments change places": ("_remarks", lambda remarks, indent: iter(["# b"] if remarks else [])),
    "what comes out is no YAML": ("one_line", lambda leaf, **_: "[" + leaf.raw),
    "an entry is lost": ("_entry", lambda entry, indent: iter([])),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_of_the_formatter_changes_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '# a\nx: "12"\ny: 4.90  # b\n'
    path = tmp_path / "x.yaml"
    path.write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(formatting, *MISTAKES[name])
    told = fmt("x.yaml")
    assert "would say something else in another layout, and is left as it is; please report it" in told.err
    assert (told.code, told.out) == (1, "1 file: 0 laid out, 1 left as it is\n")
    assert path.read_text("utf-8") == text


# The command.


def fmt(*arguments: str) -> Ran:
    """The command in the current folder."""
    return policy("fmt", *arguments, folder=Path.cwd())


UNTIDY, TIDY = "a:   1\n", "a: 1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "tidy.yaml").write_text(TIDY, "utf-8")
    (tmp_path / "rules" / "untidy.yaml").write_text(UNTIDY, "utf-8")
    return tmp_path


def test_a_folder_is_laid_out(folder: Path) -> None:
    (folder / "rules" / "untidy.yaml").chmod(0o640)
    told = fmt()
    assert (told.code, told.out, told.err) == (0, "rules/untidy.yaml\n2 files: 1 laid out\n", "")
    assert (folder / "rules" / "untidy.yaml").read_text("utf-8") == TIDY
    assert (folder / "rules" / "untidy.yaml").stat().st_mode & 0o777 == 0o640
    assert fmt().out == "2 files: 0 laid out\n"


def test_a_file_that_is_protected_from_writing_is_not_replaced(folder: Path) -> None:
    (folder / "rules" / "untidy.yaml").chmod(0o444)
    told = fmt()
    assert (told.code, told.out) == (2, "")
    assert told.err == "`rules/untidy.yaml` is protected from writing, and is not replaced\n"
    assert (folder / "rules" / "untidy.yaml").read_text("utf-8") == UNTIDY


def test_check_writes_nothing(folder: Path) -> None:
    told = fmt("--check", "rules")
    assert (told.code, told.out, told.err) == (1, "rules/untidy.yaml\n2 files: 1 to lay out\n", "")
    assert (folder / "rules" / "untidy.yaml").read_text("utf-8") == UNTIDY
    told = fmt("--check", "rules/tidy.yaml")
    assert (told.code, told.out) == (0, "1 file: 0 to lay out\n")


def test_diff_shows_what_would_change(folder: Path) -> None:
    told = fmt("--diff")
    shown = "--- rules/untidy.yaml\n+++ rules/untidy.yaml\n@@ -1 +1 @@\n-a:   1\n+a: 1\n"
    assert (told.code, told.out, told.err) == (0, shown, "2 files: 1 to lay out\n")
    assert fmt("--diff", "--check").code == 1
    assert (folder / "rules" / "untidy.yaml").read_text("utf-8") == UNTIDY


def test_files_with_faults_are_told_and_the_others_laid_out(folder: Path) -> None:
    (folder / "rules" / "faulty.yaml").write_text("a:  [1\n", "utf-8")
    (folder / "rules" / "latin.yaml").write_bytes(b"a:  \xe4\n")
    told = fmt()
    assert (told.code, told.out) == (1, "rules/untidy.yaml\n4 files: 1 laid out, 2 left as they are\n")
    assert "rules/faulty.yaml:1:5: error[yaml-syntax]: this is not YAML: a bracket is never closed" in told.err
    assert "rules/latin.yaml:1:5: error[file-not-text]" in told.err
    assert (folder / "rules" / "faulty.yaml").read_text("utf-8") == "a:  [1\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere", "there is no file or folder `nowhere`"),
        ("empty", "there is no rule file in empty"),
        ("- rules", "`-` is standard input and goes with no file"),
    ],
)
def test_what_cannot_be_laid_out_is_told(folder: Path, arguments: str, message: str) -> None:
    (folder / "empty").mkdir()
    told = fmt(*arguments.split())
    assert (told.code, told.out, told.err) == (2, "", f"{message}\n")


@pytest.mark.parametrize(
    ("given_bytes", "arguments", "code", "out"),
    [
        (b"a:   1\r\n", "-", 0, "a: 1\r\n"),
        ("a:   größer\n".encode(), "-", 0, "a: größer\n"),
        (b"a:   1\n", "- --check", 1, ""),
        (b"a: 1\n", "- --check", 0, ""),
        (b"a: 1", "- --diff", 0, "--- standard input\n+++ standard input\n@@ -1 +1 @@\n-a: 1\n"
         "\\ No newline at end of file\n+a: 1\n"),
    ],
)  # fmt: skip
def test_an_editor_may_pipe_a_text(
    monkeypatch: pytest.MonkeyPatch, given_bytes: bytes, arguments: str, code: int, out: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given_bytes)))
    told = fmt(*arguments.split())
    assert (told.code, told.out, told.err) == (code, out, "")


def test_a_piped_text_with_faults_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a: [1\n")))
    told = fmt("-")
    assert (told.code, told.out) == (1, "")
    assert "standard input:1:4: error[yaml-syntax]" in told.err
