"""What a report says of itself: on its first page, on each printed page, and in its manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policy_engine.reports.html.page import css_text
from policy_engine.reports.settings import SETTINGS
from tests.test_cli import JSONL, Run, put, refused, run

__all__ = ["run"]
WHOLE = """\
report:
  title: Second quarter
  organisation: Example & Co
  purpose: For the audit committee
  prepared_by: A. Author
  reviewed_by: <b>R</b>
  confidentiality: Internal
"""
SHOWN = (
    "<title>Second quarter, as of 2025-07-01</title>",
    '<p class="eyebrow">Example &amp; Co</p>',
    "<h1>Second quarter</h1>",
    '<p class="purpose">For the audit committee</p>',
    "<div><dt>Prepared by</dt><dd>A. Author</dd></div>",
    "<div><dt>Reviewed by</dt><dd>&lt;b&gt;R&lt;/b&gt;</dd></div>",
    "<div><dt>Confidentiality</dt><dd>Internal</dd></div>",
    f"@top-left {{ content: {css_text('Example & Co. Second quarter. For the audit committee')};",
    f"@top-right {{ content: {css_text('Internal')};",
    f"@bottom-left {{ content: {css_text('Prepared by A. Author. Reviewed by <b>R</b>')};",
)


def report(run: Run, *more: str) -> str:
    """The page of a report."""
    put(JSONL, "orders.jsonl")
    ran = run("report", "orders=orders.jsonl", "--as-of", "2025-07-01", "--out", "out", *more)
    assert (ran.code, ran.err) == (0, "")
    return Path("out/report.html").read_text("utf-8")


def test_settings_are_shown_and_stand_in_the_manifest(run: Run) -> None:
    page = report(run, "--settings", put(WHOLE, "report.yaml"))
    assert [part for part in SHOWN if part not in page] == []
    said = json.loads(Path("out/manifest.json").read_text("utf-8"))["arguments"]["settings"]
    assert list(said.items())[:2] == [("title", "Second quarter"), ("organisation", "Example & Co")]
    Path("report.yaml").unlink()
    assert run("report", "verify", "out").code == 0


def test_an_option_comes_before_the_file(run: Run) -> None:
    put(WHOLE, "report.yaml")
    page = report(run, "--setting", "title=A = B", "--settings", "report.yaml", "--setting", "purpose=None")
    assert ("<h1>A = B</h1>" in page, '<p class="purpose">None</p>' in page) == (True, True)


def test_without_settings_a_report_has_the_title_of_its_ruleset(run: Run) -> None:
    page = report(run)
    assert ("<h1>Orders</h1>" in page, "@top-left" in page, 'purpose">' in page) == (True, False, False)


KEY = f"a file of settings has one key, `report`, and under it {', '.join(SETTINGS)}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "report.yaml:1:1: the file holds nothing"),
        ("[]", f"report.yaml: {KEY}"),
        ("title: x\n", f"report.yaml: {KEY}"),
        ("report: x\n", f"report.yaml: {KEY}"),
        ("report: {title: x}\nmore: 1\n", f"report.yaml: {KEY}"),
        (
            "report:\n  titel: x\n  purpose: ''\n",
            "report.yaml:2:3: there is no setting `titel`; did you mean `title`?\n"
            "report.yaml:3:3: `purpose` is a text, and there is none",
        ),
        ("report: {title: [a]}\n", "report.yaml:1:10: `title` is a text, and there is none"),
        (
            f"report: {{title: {'x' * 301}}}\n",
            "report.yaml:1:10: `title` has 301 characters, and at most 300 are shown",
        ),
        ("report: {title: x\n", "report.yaml:1:9: "),
    ],
)
def test_faults_of_a_file_are_told_with_their_places(run: Run, text: str, told: str) -> None:
    put(JSONL, "orders.jsonl")
    put(text, "report.yaml")
    ran = run("report", "orders=orders.jsonl", "--out", "out", "--settings", "report.yaml")
    refused(ran, told, code=2)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("title", "--setting: `title` is not of the form NAME=TEXT"),
        ("title=", "--setting: `title` is a text, and there is none"),
        ("tilte=x", "--setting: there is no setting `tilte`; did you mean `title`?"),
    ],
)
def test_faults_of_an_option_are_told(run: Run, option: str, told: str) -> None:
    refused(run("report", "orders=orders.jsonl", "--out", "out", "--setting", option), told, code=2)
