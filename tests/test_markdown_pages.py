"""Pages of rulesets and explanations in Markdown: what authors and accounts write is shown, and never becomes a mark."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

from policy_engine import Engine
from policy_engine.reports.explanations import Reader, as_markdown, explained
from policy_engine.reports.rule_pages import index_of, page_of

EVIL = "# a <script>alert(1)</script> | [x](javascript:alert(2)) ![y](http://e.org/z) *b* `c` _d_ &lt; ~~e~~"
RULES = f"""\
ruleset: evil
title: {json.dumps(EVIL)}
version: {json.dumps("1 " + EVIL)}
effective: {{from: 2020-01-01, because: {json.dumps(EVIL)}}}
timezone: UTC
facts: evil
sources:
  good: {{title: {json.dumps(EVIL)}, url: "https://example.com/a (b)"}}
  script: {{title: {json.dumps(EVIL)}, url: "javascript:alert(3)"}}
  data: {{title: Data, url: "data:text/html,<script>alert(4)</script>"}}
readings:
  r:
    question: {json.dumps(EVIL)}
    choice: one
    choices: {{one: {json.dumps(EVIL)}, two: Two.}}
parameters:
  limit: {{value: 5, unit: {json.dumps("EUR <b>")}, meaning: {json.dumps(EVIL)}}}
checks:
  - {{expect: a >= 0, because: {json.dumps(EVIL)}}}
decisions:
  d:
    question: {json.dumps(EVIL)}
    source: [good, script, data]
    outcomes: [yes, no]
    rules:
      - {{id: x, when: 'a > limit and r == "one" and t != "`|<b>"', then: yes, because: {json.dumps(EVIL + " {t}")}}}
    otherwise: {{then: no, because: No.}}
"""
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "a": {"type": "integer", "minimum": 0, "maximum": 9, "description": EVIL},
        "t": {"type": "string"},
    },
    "required": ["a", "t"],
    "additionalProperties": False,
}


def marks_in(page: str) -> list[str]:
    """Tags, links and marks that Markdown would see outside of code and of what the page itself writes."""
    plain = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", page)
    plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", plain)
    links = re.findall(r"\]\(<?([^)#][^)>]*)", plain)
    return [
        *re.findall(r"<(?!!--|br>|https?:)[a-z/][^>]*>", plain),
        *(link for link in links if not link.startswith("http")),
    ]


def engine_in(folder: Path) -> Engine:
    (folder / "evil.yaml").write_text(RULES, "utf-8")
    (folder / "evil.schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    return Engine.load(folder, folder)


def test_c17_the_tool_of_this_test_sees_marks() -> None:
    assert marks_in("a <b>c</b> [d](javascript:e)") == ["<b>", "</b>", "javascript:e"]
    assert marks_in(r"a \<b\> `<i>` ``x ` <i>`` [d](https://e.org) [v](#version-1)") == []


def test_c17_a_page_of_a_ruleset_shows_what_authors_wrote_and_links_to_the_web_alone(tmp_path: Path) -> None:
    ruleset = engine_in(tmp_path).rulebook.rulesets[0]
    page = page_of([ruleset]) + index_of([[ruleset]]).replace("[evil](evil.md)", "")
    assert marks_in(page) == []
    assert "](<https://example.com/a%20(b)>)" in page
    assert "(`javascript:alert(3)`)" in page
    assert r"\<script\>alert(1)\</script\>" in page


def test_c17_an_explanation_in_markdown_shows_what_accounts_hold(tmp_path: Path) -> None:
    engine = engine_in(tmp_path)
    facts = {"a": 9, "t": EVIL}
    told = engine.explain("evil.d", facts, as_of=date(2025, 1, 1))
    for reader in Reader:
        page = as_markdown(explained(told, engine.ruleset("evil", date(2025, 1, 1)), reader))
        assert marks_in(page) == []
