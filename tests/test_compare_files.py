"""What a comparison writes: a page, Markdown, JSON, and every account that changes; what it replaces, and what it withholds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser

from policy_engine.engine import Engine
from policy_engine.reports.compare import compare
from policy_engine.reports.comparison.side import Side
from policy_engine.reports.comparison.tally import Sides
from policy_engine.tables.opening_tables import Options
from tests.support import browser as browsers
from tests.support.commands import policy
from tests.test_compare import DAY, ROWS, SCHEMA, calculation, rule, rules, write

OLD = rules(rule("big", "amount > 100"))
NEW = rules(rule("signed", "amount == 77", "no") + rule("big", "amount > 50"))
COMMAND = ("compare", "fee", "--facts", "a.jsonl", "--as-of", "2026-06-01")
FILES = ["changes.parquet", "comparison.html", "comparison.json", "comparison.md"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two versions and four accounts, of which one changes."""
    write(tmp_path, OLD, NEW)
    rows = "".join(f'{{"id": "{key}", "amount": {amount}}}\n' for key, amount in (("A", 10), ("B", 20), ("C", 200)))
    (tmp_path / "a.jsonl").write_text(rows + '{"id": "D|*x*", "amount": 60}\n')
    return tmp_path


def test_every_account_that_changes_is_written_with_both_answers_and_what_made_it(place: Path) -> None:
    ran = policy(*COMMAND, "--out", "out", folder=place)
    assert ran.code == 3
    assert sorted(path.name for path in (place / "out").iterdir()) == FILES
    (one,) = pl.read_parquet(place / "out" / "changes.parquet").to_dicts()
    assert one == {
        "row": 4,
        "key": "D|*x*",
        "decision": "charge",
        "part": "answer",
        "old": "no",
        "new": "yes",
        "difference": None,
        "old_rules": "otherwise",
        "new_rules": "big",
        "why": "condition",
        "rule": "big",
        "condition": "amount > 50",
        "old_condition": "amount > 100",
        "old_value": "false",
        "new_value": "true",
        "old_reason": "Else.",
        "new_reason": "It is yes.",
    }


def test_the_page_markdown_and_json_tell_the_same(place: Path) -> None:
    printed = policy(*COMMAND, "--out", "out", "--format", "markdown", folder=place).out
    assert (place / "out" / "comparison.md").read_text("utf-8") == printed
    assert "| charge | no -\\> yes | 1 | `amount > 50`, which is true, in place of `amount > 100`" in printed
    assert "- row 4 D\\|\\*x\\*: It is yes." in printed
    content = json.loads((place / "out" / "comparison.json").read_text("utf-8"))
    (one,) = content["rulesets"]
    (change,) = one["people"]["changes"]
    assert (one["ruleset"], one["people"]["rows"], one["people"]["compared"]) == ("fee", 4, 4)
    assert [change[name] for name in ("decision", "part", "old", "new", "rows")] == ["charge", "answer", "no", "yes", 1]
    assert one["inputs"][0]["name"] == "a.jsonl"
    assert json.loads(policy(*COMMAND, "--format", "json", folder=place).out)["rulesets"][0]["people"] == one["people"]
    page = (place / "out" / "comparison.html").read_text("utf-8")
    assert "<code>amount &gt; 50</code>, which is true, in place of <code>amount &gt; 100</code>" in page
    assert "D|*x*" in page


def test_changes_are_also_written_as_csv_and_json_lines(place: Path) -> None:
    assert policy(*COMMAND, "--out", "out", "--also", "csv", "--also", "jsonl", folder=place).code == 3
    (line,) = (place / "out" / "changes.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["condition"] == "amount > 50"
    assert (
        (place / "out" / "changes.csv").read_text("utf-8").splitlines()[1].startswith("4,D|*x*,charge,answer,no,yes,")
    )
    refused = policy(*COMMAND, "--also", "csv", folder=place)
    assert (
        refused.err
        == "--also: accounts are written only with --out FOLDER, and of a table (--facts) or a log (--log)\n"
    )


def test_a_comparison_is_replaced_and_nothing_else_is(place: Path) -> None:
    assert policy(*COMMAND, "--out", "out", folder=place).code == 3
    assert policy(*COMMAND, "--out", "out", folder=place).code == 3
    (place / "out" / "note.txt").write_text("mine")
    ran = policy(*COMMAND, "--out", "out", folder=place)
    assert (ran.err, ran.code) == ("`out` is there already, and is not a comparison; name another folder\n", 2)
    assert (place / "out" / "note.txt").read_text() == "mine"
    ran = policy(*COMMAND, "--out", ".", folder=place)
    assert ran.err == "the input `a.jsonl` lies in `.`, which would be replaced; name another folder\n"
    ran = policy("compare", "fee", "--out", ".", folder=place)
    assert ran.err.startswith("`.` is the folder you are in, or holds it; name a folder in it")
    (place / "data").mkdir()
    (place / "data" / "a.jsonl").write_text(ROWS)
    ran = policy("compare", "fee", "--facts", "data/a.jsonl", "--out", "data", folder=place)
    assert ran.code == 2
    assert sorted(path.name for path in place.iterdir()) == ["a.jsonl", "data", "out", "rules", "schemas"]


def test_where_the_comparison_fails_nothing_is_written(place: Path) -> None:
    ran = policy("compare", "fee", "--facts", "b.jsonl", "--as-of", "2026-06-01", "--out", "new", folder=place)
    assert ran.code == 2
    assert sorted(path.name for path in place.iterdir()) == ["a.jsonl", "rules", "schemas"]


# ---- sides that ask for facts of other schemas


def test_reading_a_table_once_for_each_side_gives_the_same_changes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = "checks:\n  - {expect: amount != 20, because: Not twenty.}\n"
    path = place / "rules" / "fee.yaml"
    path.write_text(path.read_text() + check)
    old, new = Engine.load(place / "rules", place / "schemas").rulebook.versions("fee")
    sides = Side(old, DAY), Side(new, DAY)
    found = []
    for apart in (False, True):
        monkeypatch.setattr(Sides, "share_facts", not apart)
        out = place / f"apart-{apart}"
        out.mkdir()
        told = compare(*sides, place / "a.jsonl", Options(), out=out)
        found.append((told.rows, told.compared, told.invalid, told.changes, pl.read_parquet(out / "changes.parquet")))
    assert found[0][:4] == found[1][:4]
    assert found[0][4].sort("row").equals(found[1][4].sort("row"))
    assert found[0][4].select("row", "part", "new_value").rows() == [
        (2, "validity", "(the record): Not twenty."),
        (4, "answer", "true"),
    ]


# ---- customers

SECRET = SCHEMA.replace('"amount": {', '"amount": {"x-sensitive": true, ')


def test_a_customer_is_told_no_sensitive_fact(tmp_path: Path) -> None:
    write(tmp_path, calculation("amount * 2"), calculation("amount * 3 if amount > 70 else amount"), {"sale": SECRET})
    rows = '{"id": "A", "amount": 71.31}\n{"id": "B", "amount": 61.17}\n{"id": "C", "amount": -12.34}\n'
    (tmp_path / "a.jsonl").write_text(rows)
    told = ["71.31", "61.17", "12.34", "142.62", "213.93", "122.34"]
    for audience, is_told in (("auditor", True), ("customer", False)):
        ran = policy(*COMMAND, "--audience", audience, "--out", audience, "--also", "jsonl", folder=tmp_path)
        assert ran.code == 3
        written = [path.read_text("utf-8") for path in (tmp_path / audience).iterdir() if path.suffix != ".parquet"]
        written += [ran.out, str(pl.read_parquet(tmp_path / audience / "changes.parquet").rows())]
        assert any(amount in text for text in written for amount in told) == is_told
        assert any("(withheld)" in text for text in written) != is_told


FOR_CUSTOMERS = "For customers: facts that a schema marks `x-sensitive` are withheld. "


def written(folder: Path) -> dict[str, str]:
    """The forms of a comparison that are texts, by their ends."""
    return {path.suffix: path.read_text("utf-8") for path in folder.iterdir() if path.suffix != ".parquet"}


def test_a_customer_is_told_that_facts_show_a_change_and_not_which(tmp_path: Path) -> None:
    write(tmp_path, OLD, rules(rule("big", "amount > 423")), {"sale": SECRET})
    cases = "tests:\n  - {name: One, decision: charge, as_of: 2026-06-01, facts: {amount: 417}, outcome: no}\n"
    (tmp_path / "rules" / "fee_test.yaml").write_text(f"ruleset: fee\n{cases}")
    for audience, is_told in (("auditor", True), ("customer", False)):
        asked = ("compare", "fee", "--as-of", "2026-06-01", "--audience", audience)
        forms = [policy(*asked, "--format", form, folder=tmp_path) for form in ("text", "markdown", "json")]
        assert [ran.code for ran in forms] == [3, 3, 3]
        assert policy(*asked, "--out", audience, folder=tmp_path).code == 3
        texts = [*(ran.out for ran in forms), *written(tmp_path / audience).values()]
        assert [("With " in text or '"facts":' in text) for text in texts] == [is_told] * 6
        assert [('"audience": "customer"' in text or "For customers: " in text) for text in texts] == [not is_told] * 6
    assert forms[0].out.startswith(FOR_CUSTOMERS)
    assert "    Facts that show it were found; they are withheld.\n" in forms[0].out
    assert '"witness": {"withheld": true}' in forms[2].out


def test_a_withheld_rule_is_called_so(tmp_path: Path) -> None:
    matrix = "rows: grade\n      columns: {form: [on, off]}\n      cells: {a: [CELL, no], b: [no, no]}\n"
    head = f"decisions:\n  charge:\n    question: What?\n    outcomes: [yes, no]\n    matrix:\n      {matrix}"
    secret = SCHEMA.replace(
        '"contract": {',
        '"grade": {"type": "string", "enum": ["a", "b"], "x-sensitive": true}, '
        '"form": {"type": "string", "enum": ["on", "off"]}, "contract": {',
    )
    write(tmp_path, head.replace("CELL", "no"), head.replace("CELL", "yes"), {"sale": secret})
    (tmp_path / "a.jsonl").write_text('{"id": "A", "amount": 1, "grade": "a", "form": "on"}\n')
    ran = policy(*COMMAND, "--audience", "customer", "--out", "out", folder=tmp_path)
    assert "charge: no -> yes: 1\n  the rule (withheld) gives yes, gave no: 1\n" in ran.out, ran.out + ran.err
    for text in written(tmp_path / "out").values():
        assert "the rule None" not in text
        assert "the rule (withheld)" in text.replace("\\", "")


# ---- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with browsers.browser() as started:
        yield started


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_sound_in_a_browser(width: int, browser: Browser, tmp_path: Path) -> None:
    long = " and ".join(f"amount > {number}" for number in range(30))
    write(tmp_path, OLD, rules(rule("big", f"amount > 10 or ({long})")))
    (tmp_path / "a.jsonl").write_text(ROWS + '{"id": "<script>' + "x" * 120 + '", "amount": 60}\n{"amount": -1}\n')
    assert policy(*COMMAND, "--out", "out", folder=tmp_path).code == 3
    page = browser.new_page(viewport={"width": width, "height": 900})
    try:
        page.goto((tmp_path / "out" / "comparison.html").as_uri())
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert browsers.complaints(page) == []
    finally:
        page.close()
