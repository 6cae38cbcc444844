"""The page of a report: everything is escaped, nothing is fetched, equal reports give equal bytes, and it says what it must."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from policy_engine.language.rulesets import Meaning, Source
from policy_engine.reports.html import Report, report_html
from policy_engine.reports.html.charts import looks_of, margin_chart, threshold
from policy_engine.reports.markdown import web_address
from policy_engine.reports.settings import SETTINGS
from policy_engine.reports.totals import Margin, MarginBucket, MarginExample, NearMiss
from tests.support.report_data import Facts, account_moves, report_about, report_of, senders

VOID = {"meta", "br"}
EVIL = "</script></style><img src=x onerror=alert(1)>\"'`"
TURNED = "\u202egnp.exe\x00\x1b[2J\nrow 1"
FETCHING = ("src", "srcset", "href", "data", "action", "formaction", "poster", "background", "xlink:href", "ping")


class Page(HTMLParser):
    """The elements of a page in order, its text, and whether all that was opened was closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """All text, blanks made single."""
        return " ".join(" ".join(self.words).split())

    def attributes(self, *names: str) -> Iterator[str]:
        """The values of attributes, wherever they stand."""
        yield from (value or "" for _, found in self.elements for name, value in found.items() if name in names)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report over three shipped rulesets."""
    return report_of(tmp_path_factory.mktemp("report"), 150)


@pytest.fixture(scope="module")
def html(report: Report) -> str:
    return report_html(report)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def hostile_moves() -> list[Facts]:
    """Moves whose names, and one whose category, try to break out."""
    moves = account_moves(30)
    for facts, name in zip(moves, ("{{ 7 * 7 }}", EVIL, TURNED, "&amp;<b>", "x" * 64), strict=False):
        facts["account_id"] = name
    return [
        *moves,
        {"account_id": EVIL, "destination_category": EVIL},
        {"account_id": TURNED, "move_effective_date": EVIL},
    ]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report over records that try to break out of it."""
    made = report_about({"partner_earnings": hostile_moves()}, tmp_path_factory.mktemp("hostile"))
    chapter = made.chapters[0]
    near = NearMiss(
        "revenue_share", EVIL, EVIL, EVIL, 1, 1, 0, (MarginBucket(0, True, 1),), (MarginExample(1, EVIL, 0),)
    )
    totals = replace(chapter.totals, title=EVIL, inputs=(EVIL, "\udcff.csv"), near_misses=(near,))
    ruleset = replace(chapter.ruleset, title=EVIL, sources=(Source("evil", EVIL, EVIL, None, "javascript:alert(1)"),))
    return replace(
        made, settings=dict.fromkeys(SETTINGS, EVIL), chapters=(replace(chapter, totals=totals, ruleset=ruleset),)
    )


def test_elements_are_closed_in_turn(page: Page) -> None:
    assert page.open == []


def test_equal_reports_give_equal_bytes(report: Report, html: str, tmp_path: Path) -> None:
    assert report_html(report_of(tmp_path, 150)) == html


def test_names_from_accounts_and_rulesets_cannot_break_out(hostile: Report, report: Report) -> None:
    text = report_html(hostile)
    page = Page(text)
    assert page.open == []
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in Page(report_html(report)).elements}
    assert not {name for _, found in page.elements for name in found if name.startswith("on") or name == "style"}
    assert EVIL in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "javascript:" not in "".join(page.attributes("href"))


def test_no_name_can_turn_or_break_a_line(hostile: Report) -> None:
    text = report_html(hostile)
    assert "\\u202egnp.exe\\x00\\x1b[2J\\nrow 1" in Page(text).text
    assert not set(text) & {"\u202e", "\x00", "\x1b", "\udcff"}
    assert "\\udcff.csv" in text
    text.encode("utf-8")


def test_nothing_is_fetched_and_nothing_is_run(html: str, page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert not tags & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "audio",
        "video",
        "image",
        "use",
    }
    leading = [value for value in page.attributes(*FETCHING) if not value.startswith("#")]
    assert all(tag == "a" for tag, found in page.elements if found.get("href", "#") in leading)
    assert all(value.startswith("https://") for value in leading)
    assert "@import" not in html
    assert set(re.findall(r"url\(([^)]*)\)", html)) <= {
        f"#texture-{look}" for look in ("s2", "s3", "s4", "s5", "s6", "open", "gap", "none")
    }


def test_the_policy_forbids_all_but_the_pages_own_style(html: str, page: Page) -> None:
    policy = next(
        found["content"] for _, found in page.elements if found.get("http-equiv") == "Content-Security-Policy"
    )
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_links_within_the_page_lead_somewhere_and_ids_are_given_once(page: Page) -> None:
    ids = list(page.attributes("id"))
    assert len(set(ids)) == len(ids)
    wanted = {value[1:] for value in page.attributes("href") if value.startswith("#")}
    assert wanted | set(page.attributes("aria-labelledby")) <= set(ids)


def test_headings_go_down_one_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_scopes(page: Page) -> None:
    tags = [tag for tag, _ in page.elements]
    assert tags.count("table") == tags.count("caption") > 0
    assert all("scope" in found for tag, found in page.elements if tag == "th")


def test_it_says_which_text_decided_over_what(report: Report, page: Page) -> None:
    for chapter in report.chapters:
        wanted = (chapter.ruleset.title, chapter.totals.version, chapter.totals.digest, *chapter.totals.inputs)
        assert [words for words in wanted if words not in page.text] == []
    assert "As of 2025-06-30" in page.text
    assert "policy report verify DIR" in page.text


def test_it_says_what_came_out_in_a_sentence(report: Report, page: Page) -> None:
    bonus = report.chapters[0].totals.decisions[0]
    eligible = bonus.outcomes["eligible"]
    assert f"“eligible” for {eligible} of {bonus.rows} valid records" in page.text


def test_rules_have_their_words_sources_readings_and_count(page: Page) -> None:
    assert (
        "eligible moved-soon-after-deployment The account moved days after deployment days after the partner's deployment; "
        "days allowed are allowed. Source: How to move an existing referred account to managed, 000044325 "
        "Readings: day 60 counts (rather than does not count); managed bonus within windows (rather than always)"
    ) in page.text


def test_what_never_came_is_there_with_its_zero(page: Page) -> None:
    assert re.search(r"eligible every-managed-move The account moved to Managed.{0,400}?\b0 ?0%", page.text)


def test_one_record_or_none_can_be_shown(tmp_path: Path) -> None:
    for count in (0, 1):
        page = Page(report_html(report_about({"email_suppression": senders(count)}, tmp_path / str(count))))
        assert page.open == []
    assert "Every valid record got an answer" in page.text


def test_a_switched_reading_is_told(report: Report) -> None:
    chapter = report.chapters[0]
    totals = replace(chapter.totals, readings={**chapter.totals.readings, "day_60": "does_not_count"})
    page = Page(report_html(replace(report, chapters=(replace(chapter, totals=totals),))))
    assert "switched for this report (the ruleset takes counts)" in page.text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        (None, None),
    ],
)
def test_only_addresses_of_the_web_are_linked(url: str | None, expected: str | None) -> None:
    assert web_address(url) == expected


def near_miss(*margins: Margin, within: Margin) -> NearMiss:
    """Two buckets that fail and the rest that hold."""
    buckets = tuple(MarginBucket(margin, at > 1, 5 * at) for at, margin in enumerate(margins))
    return NearMiss("d", "r", "a <= b", "days", within, 1, 1, buckets, ())


def test_a_bucket_of_several_margins_tells_its_first_and_last() -> None:
    days = margin_chart(near_miss(-4, -2, 0, 2, within=3))
    assert [label for label, _ in days.rows] == ["\u22124 to \u22123", "\u22122 to \u22121", "0 to +1", "+2 to +3"]
    single = margin_chart(near_miss(-2, -1, 0, 1, within=1))
    assert [label for label, _ in single.rows] == ["\u22122", "\u22121", "0", "+1"]
    amounts = margin_chart(near_miss(*map(Decimal, ("-1.00", "-0.50", "0.00")), within=Decimal("0.49")))
    assert [label for label, _ in amounts.rows] == [
        "\u22121.00 to \u22120.51",
        "\u22120.50 to \u22120.01",
        "0.00 to +0.49",
    ]


def test_the_threshold_stands_where_the_comparison_changes_its_answer() -> None:
    assert threshold(near_miss(-4, -2, 0, 2, within=3)) == 50
    assert threshold(near_miss(-4, -2, within=1)) is None


def test_no_bar_is_higher_than_its_chart() -> None:
    for most in (1, 3, 7, 11, 135, 999, 1_000, 1_001):
        near = NearMiss("d", "r", "a <= b", "", 0, most, 0, (MarginBucket(0, True, most),), ())
        chart = margin_chart(near)
        assert chart.pieces[0].height <= chart.height
        assert chart.pieces[0].height > chart.height / 2


@pytest.mark.parametrize(
    ("meanings", "looks"),
    [
        ({}, ["s1", "s2", "s3", "s4"]),
        ({"a": "unfavourable", "b": "favourable"}, ["r1", "g1", "s1", "s2"]),
        ({"b": "favourable", "c": "favourable", "d": "open"}, ["s1", "g1", "g2", "o1"]),
        (dict.fromkeys("abcd", "favourable"), ["g1", "g2", "g3", "g3"]),
        ({"c": "neutral"}, ["s1", "s2", "s3", "s4"]),
    ],
)
def test_a_colour_is_that_of_a_meaning_and_never_of_a_place(meanings: dict[str, str], looks: list[str]) -> None:
    found = looks_of("abcd", {name: Meaning(word) for name, word in meanings.items()})
    assert [found[name] for name in "abcd"] == looks


def test_a_page_has_a_colour_and_a_texture_for_each_look() -> None:
    templates = files("policy_engine.reports.html") / "templates"
    style = (templates / "style.css").read_text("utf-8")
    looks = {*looks_of(tuple(map(str, range(9))), {}).values(), *(f"{hue}{n}" for hue in "gro" for n in (1, 2, 3))}
    assert [look for look in looks if not re.search(rf"\.{look}\b[^}}]*(--look:|fill:)", style)] == []
