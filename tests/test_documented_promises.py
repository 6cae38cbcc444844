"""What README and the pages promise and no other test looks at: each promise is tried once."""

from __future__ import annotations

import ast
import re
from datetime import date
from pathlib import Path

import pytest

from policy_engine import Engine, FactsError, PolicyError
from policy_engine.cli.options import Exit
from policy_engine.diagnostics import WORDINGS, Severity
from policy_engine.frontend.loader import load
from tests.conftest import ROOT, lay_out
from tests.support.rulebook import shipped
from tests.test_cli import Run, run

__all__ = ["run"]
DAY = date(2025, 6, 30)
SCHEMA = """{
  "type": "object",
  "properties": {
    "city": {"type": "string"},
    "n": {"type": "integer", "minimum": 0, "maximum": 9}
  },
  "additionalProperties": false
}"""
RULES = """\
ruleset: parcels
title: Parcels
version: 1.10
effective: {from: 2025-01-01}
timezone: UTC
facts: parcel
sources: {list: {title: The list, number: 0042}}
checks:
  - {expect: n != 2, because: Two is no number.}
decisions:
  is_big:
    question: Is it big?
    source: list
    outcomes: ["yes", "no"]
    rules: [{id: big, when: n > 5, then: "yes", because: It is big.}]
    otherwise: {then: "no", because: It is not.}
"""
FILES = {"rules/parcels.yaml": RULES, "schemas/parcel.schema.json": SCHEMA}
COMMAND = ("decide", "parcels.is_big", "--as-of", "2025-06-30", "--facts", "facts.json")


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def faults(tmp_path: Path, files: dict[str, str]) -> list[str]:
    """The codes of the faults that are found, each with its file."""
    lay_out({**FILES, **files}, tmp_path)
    found = load([tmp_path / "rules"], tmp_path / "schemas").diagnostics
    return [f"{Path(d.span.path).stem} {d.code}" for d in found if d.severity is Severity.ERROR]


@pytest.mark.parametrize("name", ["how-to", "language", "editors"])
def test_b5_the_list_at_the_top_of_a_page_names_every_section(name: str) -> None:
    text = page(f"docs/{name}.md")
    top, first, _ = text.partition("\n## ")
    assert re.findall(r"^- \[(.+?)\]", top, re.MULTILINE) == re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert first


def figures(name: str) -> dict[str, str]:
    """What a page of results says was measured for each target."""
    found = re.findall(r"^\| (.+?) \| .+? \| (.+?) \| \S+ \|$", page(name), re.MULTILINE)
    return dict(found)


def test_b5_the_figures_of_the_readme_are_those_of_the_benchmarks() -> None:
    one, many = figures("benchmarks/RESULTS.md"), figures("benchmarks/tables/RESULTS.md")
    others = float(one["the next best engine that gives a reason, against ours"].removesuffix("x"))
    time = many["10,000,000 accounts, Parquet to Parquet, against hand-written"]
    memory = many["10,000,000 accounts, Parquet to Parquet, peak memory"]
    told = re.findall(r"^\| (one decision|the next|10 million).*? \| (.+) \|$", page("README.md"), re.MULTILINE)
    assert told == [
        ("one decision", f"{one['all five, one call each, trusted, against hand-written']} its time"),
        ("the next", f"{int(others)}x ours"),
        ("10 million", f"{time} the time of hand-written Polars, {memory}"),
    ]


def test_b5_the_page_on_errors_names_every_error() -> None:
    section = page("docs/how-to.md").partition("## Handle errors")[2].partition("\n## ")[0]
    assert {error.__name__ for error in PolicyError.__subclasses__()} <= set(re.findall(r"`(\w+)`", section))


def test_b5_the_page_on_errors_names_every_exit_code() -> None:
    section = page("docs/how-to.md").partition("## Handle errors")[2].partition("\n## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)] == sorted(Exit)


def test_b5_the_table_of_warnings_names_every_warning() -> None:
    section = page("docs/language.md").partition("### Warnings and silences")[2].partition("<!-- keys")[0]
    named = {
        code for row in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE) for code in re.findall(r"`([\w-]+)`", row)
    }
    assert named == {code for code, wording in WORDINGS.items() if wording.severity is Severity.WARNING}


def test_b5_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    other = (
        RULES.replace("ruleset: parcels", "ruleset: letters").replace("n > 5", "m > 5").replace("question", "qestion")
    )
    both = {"rules/letters.yaml": other, "rules/parcels.yaml": RULES.replace('then: "yes"', "then: perhaps")}
    assert faults(tmp_path, both) == ["letters unknown-key", "letters unknown-name", "parcels unknown-outcome"]


def test_b5_what_is_no_yaml_hides_what_else_is_wrong_with_its_file_only(tmp_path: Path) -> None:
    other = RULES.replace("ruleset: parcels", "ruleset: letters").replace("n > 5", "m > 5")
    both = {
        "rules/letters.yaml": other.replace("title: Parcels", 'title: "Letters'),
        "rules/parcels.yaml": RULES.replace("n > 5", "m > 5"),
    }
    assert faults(tmp_path, both) == ["letters yaml-syntax", "parcels unknown-name"]


def test_b5_versions_and_numbers_of_sources_are_texts_as_they_are_written(run: Run) -> None:
    lay_out({**FILES, "facts.json": '{"n": 7}'}, Path())
    told = run(*COMMAND).out
    assert "The list (0042)" in told
    assert "parcels, version 1.10, " in told


def test_b5_checks_are_asked_only_about_facts_that_the_schema_accepts(tmp_path: Path) -> None:
    lay_out(FILES, tmp_path)
    engine = Engine.load(tmp_path / "rules", tmp_path / "schemas")
    for facts, keywords in (({"n": 2, "city": 3}, ["type"]), ({"n": 2, "city": "Ulm"}, ["check"])):
        with pytest.raises(FactsError) as refused:
            engine.decide("parcels.is_big", facts, as_of=DAY)
        assert [violation.keyword for violation in refused.value.violations] == keywords


def test_b5_of_many_violations_a_thousand_are_told(tmp_path: Path) -> None:
    listed = SCHEMA.replace('"city"', '"list": {"type": "array", "items": {"type": "boolean"}},\n    "city"')
    lay_out({**FILES, "schemas/parcel.schema.json": listed}, tmp_path)
    engine = Engine.load(tmp_path / "rules", tmp_path / "schemas")
    with pytest.raises(FactsError) as refused:
        engine.decide("parcels.is_big", {"list": [0] * 1_500}, as_of=DAY)
    assert len(refused.value.violations) == 1_000


def test_b5_texts_never_stand_in_generated_code() -> None:
    engine = shipped()
    rulesets = {ruleset.id: ruleset for ruleset in engine.rulebook.rulesets}
    asked = [(one.id, name) for one in rulesets.values() for name in (decision.name for decision in one.decisions)]
    assert asked
    for ruleset, name in asked:
        tree = ast.parse(engine.code(f"{ruleset}.{name}", DAY))
        constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
        assert {type(value) for value in constants} <= {int, bool, type(None)}


@pytest.mark.parametrize(("expression", "codes"), [
    ('city == "Zürich"', []),
    ("stadt_größe > 5", ["parcels expression-character"]),
])  # fmt: skip
def test_b5_signs_outside_ascii_stand_in_quoted_texts_only(expression: str, codes: list[str], tmp_path: Path) -> None:
    assert faults(tmp_path, {"rules/parcels.yaml": RULES.replace("when: n > 5", f"when: '{expression}'")}) == codes


def test_b5_a_table_from_standard_input_says_what_it_is(run: Run) -> None:
    lay_out(FILES, Path())
    for command in (("report", "parcels=-", "--out", "r"), ("report", "parcels", "--facts", "-", "--out", "r")):
        ran = run(*command, "--as-of", "2025-06-30")
        assert ran.code == 2
        assert ran.err == "`-` is standard input, and no name tells what it holds; say it: --input-format csv\n"


ROWS = "city,n\n,x\n"


def test_b5_an_invalid_row_without_a_key_is_named_by_its_place(run: Run) -> None:
    lay_out({**FILES, "rows.csv": ROWS}, Path())
    ran = run("report", "parcels=rows.csv", "--as-of", "2025-06-30", "--out", "r")
    assert "rows.csv: 1 row, 0 valid, 1 invalid\n" in ran.out
    assert "\n  row 1: /n: line 2: `x` is not a number" in ran.out
    assert ran.code == 0  # whatever its rows hold
