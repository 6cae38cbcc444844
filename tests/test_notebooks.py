"""What notebooks show: answers, traces, decided tables and reports as HTML without scripts, with every text escaped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import polars as pl
import pytest

from policy_engine import Engine
from tests.conftest import lay_out
from tests.support.browser import browser, complaints

DAY = date(2025, 7, 1)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["order"],
    "properties": {
        "order": {"type": "string", "x-key": True},
        "paid": {"type": "integer", "minimum": 0, "maximum": 999},
        "note": {"type": "string"},
    },
}
RULES = """
ruleset: refund
title: "Refunds <b>&"
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
sources: {terms: {title: The text}}
readings:
  big: {question: "Is 5 big?", choice: "yes", choices: {"yes": It is., "no": It is not.}, source: terms}
definitions:
  much: 'paid > 5 or (big == "yes" and paid == 5)'
decisions:
  fee:
    question: How much?
    source: terms
    outcomes: [some, nothing]
    values: {euros: paid}
    rules: [{id: much-was-paid, when: much, then: some, because: "Somebody wrote {note}."}]
    otherwise: {then: nothing, because: Little was paid.}
  grant:
    question: Is it granted?
    source: terms
    outcomes: ["y", "n"]
    rules: [{id: fee-is-due, when: decisions.fee.outcome == "some", then: "y", because: A fee is due.}]
    otherwise: {then: "n", because: No fee is due.}
"""
HOSTILE = '<script>alert(1)</script> & "quoted" \u202eturned'
FACTS = {"order": "a", "paid": 5, "note": HOSTILE}
VOID = {"br", "hr", "img", "input", "meta", "col"}


class Page(HTMLParser):
    """A text as HTML: the elements in it, what it says, and whether they nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data + "\n"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """A decision that uses another."""
    return Engine.from_text({"refund": RULES}, {"order": json.dumps(SCHEMA)})


SHOWN: dict[str, Callable[[Engine], Any]] = {
    "answer": lambda e: e.decide("refund.fee", FACTS, as_of=DAY),
    "explanation": lambda e: e.explain("refund.fee", FACTS, as_of=DAY),
    "table": lambda e: e.decide_table(pl.DataFrame([{**FACTS, HOSTILE: 1}]), "refund", as_of=DAY, reasons=True),
    "pandas": lambda e: e.decide_table(pd.DataFrame([{**FACTS, "order": HOSTILE}]), "refund", as_of=DAY),
}


@pytest.mark.parametrize("form", SHOWN)
def test_every_text_is_escaped_and_nothing_runs(engine: Engine, form: str) -> None:
    text = SHOWN[form](engine)._repr_html_()
    page = Page(text)
    assert "alert(1)" in page.said
    for tag, attributes in page.elements:
        assert tag not in {"script", "iframe", "object", "link", "img"}
        assert not [name for name in attributes if name.startswith("on") or name in {"href", "src"}]


@pytest.mark.parametrize("form", ["answer", "explanation"])
def test_signs_that_turn_a_text_are_spelled_out_and_no_colour_is_set(engine: Engine, form: str) -> None:
    text = SHOWN[form](engine)._repr_html_()
    assert "\u202e" not in text
    assert "\\u202eturned" in text
    assert "color" not in text
    assert "background" not in text


def rows_of(text: str) -> Iterator[str]:
    """What the rows of the first table say."""
    for row in text.split("</table>", maxsplit=1)[0].split("<tr>")[1:]:
        yield Page(row.split("</tr>")[0]).said.strip().replace("\n", ": ")


def test_an_answer_says_what_it_is(engine: Engine) -> None:
    answer = engine.decide("refund.fee", {**FACTS, "note": "much"}, as_of=DAY)
    assert list(rows_of(answer._repr_html_())) == [
        "status: decided",
        "outcome: some",
        "because: Somebody wrote much.",
        "euros: 5",
        "rules: much-was-paid",
        "sources: terms",
        "readings: big = yes",
        "as of: 2025-07-01",
        f"ruleset: refund, version 1, {answer.ruleset.digest[:19]}",
    ]
    assert "<strong>refund.fee</strong>" in answer._repr_html_()
    open_ = engine.decide("refund.grant", {"order": "a"}, as_of=DAY)
    assert list(rows_of(open_._repr_html_()))[2:5] == ["missing: paid", "sources: terms", "readings: big = yes"]


def test_a_trace_is_folded(engine: Engine) -> None:
    explanation = engine.explain("refund.grant", {**FACTS, "note": "much"}, as_of=DAY)
    page = Page(explanation._repr_html_())
    assert [tag for tag, _ in page.elements].count("details") == 4
    for said in (
        "fee-is-due: applies",
        "used: refund.fee",
        "much-was-paid: applies",
        "paid > 5",
        "(fact)",
        "euros",
        "values",
    ):
        assert said in page.said, said
    assert Page(explanation.trace._repr_html_()).said in page.said


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_light_and_dark(engine: Engine, scheme: Literal["light", "dark"]) -> None:
    shown = engine.explain("refund.grant", FACTS, as_of=DAY)._repr_html_().replace("<details>", "<details open>")
    head = '<!doctype html><html lang="en"><title>Cell</title><style>:root {color-scheme: light dark}</style>'
    with browser() as started:
        page = started.new_page(color_scheme=scheme, viewport={"width": 390, "height": 800})
        page.set_content(f"{head}<main><h1>Cell</h1>{shown}</main>")
        assert complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_long_trace_is_cut() -> None:
    parts = [" or ".join(f"paid == {10 * at + number}" for number in range(1, 11)) for at in range(60)]
    named = "".join(f"  part_{at}: {part}\n" for at, part in enumerate(parts))
    whole = " or ".join(f"part_{at}" for at in range(60))
    text = RULES.replace("definitions:\n", f"definitions:\n{named}").replace("paid > 5 or", f"{whole} or")
    engine = Engine.from_text({"refund": text}, {"order": json.dumps(SCHEMA)})
    shown = engine.explain("refund.fee", {"order": "a", "paid": 0}, as_of=DAY)._repr_html_()
    assert "and more" in Page(shown).said
    assert len(shown) < 200_000


def test_frames_that_would_have_to_be_read_are_not(engine: Engine) -> None:
    def never(frame: pl.DataFrame) -> pl.DataFrame:
        raise AssertionError("read")

    lazy = pl.LazyFrame([FACTS]).map_batches(never)
    said = Page(engine.decide_table(lazy, "refund", as_of=DAY)._repr_html_()).said
    assert said.split() == ["decisions", "LazyFrame", "invalid", "rows", "LazyFrame"]


def test_a_report_says_what_came_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out({"rules/refund.yaml": RULES, "schemas/order.schema.json": json.dumps(SCHEMA)}, tmp_path)
    monkeypatch.chdir(tmp_path)
    pl.DataFrame(
        [FACTS, {"order": "b", "paid": None, "note": None}, {"order": "c", "paid": -1, "note": "x"}]
    ).write_parquet("orders.parquet")
    done = Engine.load("rules", "schemas").report({"refund": "orders.parquet"}, "out", as_of=DAY)
    text = done._repr_html_()
    assert list(rows_of(text)) == [
        "version: 1, as of 2025-07-01",
        "accounts: 3 rows, 2 valid, 1 invalid",
        "fee: some: 1, undetermined: 1",
        "grant: y: 1, undetermined: 1",
    ]
    assert "Refunds &lt;b&gt;&amp;" in text
    assert "report.html" in Page(text).said
