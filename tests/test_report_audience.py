"""`policy report --audience customer`: what the schema marks as sensitive stands in no file of the report."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import lay_out
from tests.support.commands import policy

RULES = """\
ruleset: tariff
title: Tariffs
version: "1"
effective: {from: 2000-01-01}
timezone: UTC
facts: person
parameters:
  cut: {value: 1960-01-01, type: date}
decisions:
  tariff:
    question: Which tariff?
    outcomes: [x, y]
    rules:
      - {id: early, when: born_on < cut, then: x, because: "Born on {born_on}, on plan {plan}."}
      - {id: paid, when: paid > 90, then: x, because: "Paid {paid}."}
    otherwise: {then: y, because: Nothing speaks for x.}
    values: {day: born_on, half: paid, next: "add_days(born_on, 1)"}
  by_cell:
    question: Which tariff?
    outcomes: [x, y]
    matrix:
      rows: sex
      columns: {plan: [a, b]}
      cells: {mq: [x, y], fq: [y, x]}
"""
MARKED = {"x-sensitive": True}
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["plan", "paid"],
    "properties": {
        "name": {"type": "string", "maxLength": 20, "x-key": True, **MARKED},
        "sex": {"type": "string", "enum": ["mq", "fq"], **MARKED},
        "born_on": {"type": "string", "format": "date", **MARKED},
        "plan": {"type": "string", "enum": ["a", "b"]},
        "paid": {"type": "integer", "minimum": 0, "maximum": 100},
        "homes": {
            "type": "array",
            "maxItems": 3,
            "x-report": True,
            "items": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "maxLength": 8, **MARKED},
                    "floor": {"type": "integer", "minimum": 0, "maximum": 9},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
ROWS = [
    {
        "name": "Zaphod",
        "sex": "mq",
        "born_on": "1959-12-30",
        "plan": "a",
        "paid": 91,
        "homes": [{"city": "Betel", "floor": 7}],
    },
    {"name": "Trillian", "sex": "fq", "born_on": "1960-01-02", "plan": "b", "paid": 89, "homes": []},
    {"name": "Marvin", "plan": "b", "paid": 50},
    {"name": "Slartibart", "born_on": "1961-02-31", "plan": "b", "paid": 50},
    {"name": "Agrajag", "plan": "q", "paid": 5, "homes": [{"city": "Stavromula", "floor": 77}]},
]
SECRETS = (
    *("Zaphod", "Trillian", "Marvin", "Slartibart", "Agrajag", "Betel", "Stavromula"),
    *("1959-12-30", "1959-12-31", "1960-01-02", "1960-01-03", "1961-02-31"),
)
OF_NO_ROW = ("mq", "fq")
"""Words of the rules, which no row may be said to have."""


def make(folder: Path, audience: str) -> dict[str, str]:
    """The files of a report as texts, by name."""
    lines = "".join(f"{json.dumps(row)}\n" for row in ROWS)
    lay_out(
        {"rules/tariff.yaml": RULES, "schemas/person.schema.json": json.dumps(SCHEMA), "people.jsonl": lines}, folder
    )
    formats = [word for form in ("csv", "jsonl", "xlsx") for word in ("--format", form)]
    ran = policy(
        *("report", "tariff=people.jsonl", "--as-of", "2025-06-30", "--out", "out", "--reasons", "--over", "born_on"),
        *("--audience", audience, *formats),
        folder=folder,
    )
    assert (ran.code, ran.err) == (0, "")
    return {path.name: _text(path) for path in (folder / "out").iterdir()}


def _text(path: Path) -> str:
    if path.suffix == ".parquet":
        return pl.read_parquet(path).write_json()
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return "".join(book.read(name).decode() for name in book.namelist())
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The files of the report for each audience."""
    return {audience: make(tmp_path_factory.mktemp(audience), audience) for audience in ("auditor", "customer")}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_sensitive_fact_is_in_no_file_for_customers(reports: dict[str, dict[str, str]], secret: str) -> None:
    assert [name for name, text in reports["customer"].items() if secret in text] == []
    assert [name for name, text in reports["auditor"].items() if secret in text] != []


@pytest.mark.parametrize("name", ["decisions.parquet", "decisions.csv", "decisions.jsonl", "invalid.parquet"])
def test_no_cell_of_a_matrix_tells_what_a_row_was(reports: dict[str, dict[str, str]], name: str) -> None:
    cells = [reports[audience][name].split("one of")[0] for audience in ("auditor", "customer")]
    assert [word for word in OF_NO_ROW if word in cells[1]] == []
    assert name == "invalid.parquet" or "mq" in cells[0]


def test_the_manifest_and_the_page_say_what_is_withheld(reports: dict[str, dict[str, str]]) -> None:
    manifest = json.loads(reports["customer"]["manifest.json"])
    assert manifest["arguments"]["audience"] == "customer"
    assert manifest["rulesets"][0]["withheld"] == ["name", "sex", "born_on", "homes.city"]
    assert json.loads(reports["auditor"]["manifest.json"])["rulesets"][0]["withheld"] == []
    paths = ", ".join(f"<code>{path}</code>" for path in ("name", "sex", "born_on", "homes.city"))
    told = f"Withheld from this report, as sensitive: {paths}."
    assert (told in reports["customer"]["report.html"], told in reports["auditor"]["report.html"]) == (True, False)


def test_what_is_not_sensitive_is_told(reports: dict[str, dict[str, str]]) -> None:
    columns = list(json.loads(reports["customer"]["decisions.parquet"])[0])
    assert columns == [
        *(
            "row",
            "tariff.status",
            "tariff.outcome",
            "tariff.rule",
            "tariff.reason",
            "tariff.values.half",
            "tariff.missing",
        ),
        *("by_cell.status", "by_cell.outcome", "by_cell.missing"),
    ]
    (ruleset,) = json.loads(reports["customer"]["summary.json"])["rulesets"]
    assert [near["comparison"] for near in ruleset["near_misses"]] == ["paid > 90"]
    messages = [one["examples"][0]["message"] for one in ruleset["violations"]]
    assert sorted(messages) == [
        '"q" is none of a, b',
        "(withheld): a date such as 2025-02-28 was expected",
        "(withheld): a text of at most 8 characters was expected",
        "77 is not 9 or less",
    ]


def test_a_report_for_customers_can_be_verified_and_one_without_sensitive_facts_is_the_same(tmp_path: Path) -> None:
    make(tmp_path, "customer")
    assert policy("report", "verify", "out", folder=tmp_path).code == 0


def test_an_audience_that_is_none_is_refused(tmp_path: Path) -> None:
    ran = policy("report", "tariff=people.jsonl", "--out", "out", "--audience", "press", folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")
