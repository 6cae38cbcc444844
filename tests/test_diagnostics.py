"""What must be refused is refused, at the right place and in the right words: `tests/diagnostics/*.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policy_engine.diagnostics import WORDINGS
from tests.conftest import lay_out, read_data, said

FOLDER = Path(__file__).parent / "diagnostics"
SHORT = {"rules": "rules/case.yaml", "schema": "schemas/facts.schema.json", "tests": "rules/case_test.yaml"}
SAYS = "    says: |\n"
COMPUTED = frozenset({"table-too-fine", "not-in-sql"})
"""The codes whose cases are no files: `tests/test_lookup_tables.py` and `tests/test_sql_text.py` have them."""
EXPECTED_LINE = re.compile(r" {6}\S.*\n")


@dataclass(frozen=True)
class Case:
    """A case of a file: its files by path, and the lines that must be said, in order."""

    file: Path
    name: str
    files: Mapping[str, Any]
    says: str
    bug: str | None

    def __str__(self) -> str:
        return f"{self.file.stem}: {self.name}"

    @property
    def codes(self) -> set[str]:
        """The codes that its lines show."""
        return set(re.findall(r": (?:error|warning)\[([a-z-]+)\]: ", self.says))


def load_cases() -> Iterator[Case]:
    """Every case of every file."""
    for path in sorted(FOLDER.glob("*.yaml")):
        document = read_data(path)
        for case in document["cases"]:
            yield Case(path, case["name"], _files(document, case), case.get("says") or "", case.get("bug"))


def _files(document: Any, case: Any) -> Mapping[str, Any]:
    """Short keys written out: rules stand behind the shared head; schema and rules are the shared ones unless given."""
    files: dict[str, Any] = {SHORT["schema"]: document["schema"]} | {
        SHORT[key]: case[key] for key in SHORT if key in case
    }
    if "rules" in case:
        files[SHORT["rules"]] = document["head"] + case["rules"]
    elif "files" not in case:
        files[SHORT["rules"]] = document["head"] + document["body"]
    return {**files, **case.get("files", {})}


def rewrite(case: Case, lines: str) -> None:
    """Put what is said now in place of what a case expects; `says: |` is the last key of each."""
    text = case.file.read_text("utf-8")
    start = text.index(SAYS, text.index(f"  - name: {case.name}\n")) + len(SAYS)
    end = start
    while found := EXPECTED_LINE.match(text, end):
        end = found.end()
    block = "".join(f"      {line}\n" for line in lines.splitlines())
    case.file.write_text(text[:start] + block + text[end:], "utf-8")


CASES = list(load_cases())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_says_exactly(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, golden: bool, request: pytest.FixtureRequest
) -> None:
    lay_out(case.files, tmp_path)
    monkeypatch.chdir(tmp_path)
    if case.bug:
        request.applymarker(pytest.mark.xfail(reason=case.bug, strict=True))
    elif golden:
        rewrite(case, said())
        return
    assert said() == case.says


def test_no_code_lacks_a_case() -> None:
    assert set(WORDINGS) - {code for case in CASES for code in case.codes} == COMPUTED


def test_names_of_cases_differ() -> None:
    names = [(case.file, case.name) for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_lines_speak_in_one_voice(case: Case) -> None:
    for line in case.says.splitlines():
        message = line.split("]: ", 1)[1]
        assert not message.endswith((".", ".)")), line
        assert message[0] == "`" or message[0].islower() or message.startswith("YAML"), line
