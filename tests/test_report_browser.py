"""The page of a report in a real browser: axe finds nothing, nothing runs over the edge, nothing is asked of a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from policy_engine.reports.html import report_html
from policy_engine.reports.settings import SETTINGS
from tests.support import browser as browsers
from tests.support.report_data import report_about, report_of
from tests.test_report_html import hostile_moves

WIDTHS = (1280, 390)
FEW = 1
"""Samples are alike, and axe looks at each of their lines."""

OPEN_ALL = "for (const one of document.querySelectorAll('details')) one.open = true"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with browsers.browser() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with every part a report can have: rules, a matrix, outcomes over time, near misses, samples."""
    folder = tmp_path_factory.mktemp("report")
    report = report_of(folder, 60, ["partner_earnings", "lgc_roles"])
    chapters = tuple(replace(chapter, samples=chapter.samples[:FEW]) for chapter in report.chapters)
    (folder / "report.html").write_text(report_html(replace(report, chapters=chapters)), "utf-8")
    return folder / "report.html"


@contextmanager
def shown(browser: Browser, file: Path, width: int, scheme: str = "light") -> Iterator[Page]:
    """The page at a width, in light or dark, with all that can be folded open."""
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    try:
        page.goto(file.as_uri())
        page.evaluate(OPEN_ALL)
        yield page
    finally:
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(browser: Browser, file: Path, width: int, scheme: str) -> None:
    with shown(browser, file, width, scheme) as page:
        assert browsers.complaints(page) == []


@pytest.fixture(scope="module")
def hostile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about records whose names try to break out, or to be too long."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "report.html").write_text(
        report_html(report_about({"partner_earnings": hostile_moves()}, folder)), "utf-8"
    )
    return folder / "report.html"


@pytest.mark.parametrize("width", [*WIDTHS, 320])
def test_nothing_runs_over_the_edge(browser: Browser, file: Path, hostile_file: Path, width: int) -> None:
    for one in (file, hostile_file):
        with shown(browser, one, width) as page:
            assert page.evaluate("document.documentElement.scrollWidth") == width


def test_no_request_is_made_and_no_rule_of_the_page_is_broken(browser: Browser, hostile_file: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(hostile_file.as_uri())
    page.evaluate(OPEN_ALL)
    page.wait_for_load_state("networkidle")
    assert (asked, said) == ([hostile_file.as_uri()], [])
    page.close()


def test_the_style_sheet_is_let_in_by_the_policy(browser: Browser, file: Path) -> None:
    with shown(browser, file, 1280) as page:
        assert page.evaluate("getComputedStyle(document.querySelector('.contents')).position") == "sticky"


def test_what_is_folded_is_printed(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    page.goto(file.as_uri())
    folded = "getComputedStyle(document.querySelector('.sample'), '::details-content').contentVisibility"
    assert page.evaluate(folded) == "hidden"
    page.emulate_media(media="print")
    assert page.evaluate(folded) == "visible"
    page.close()


HALF_A_PAGE = (297 - 18 - 20) / 25.4 * 96 / 2
"""The height of half a printed page within its margins, in pixels."""
WITHIN = round((210 - 2 * 16) / 25.4 * 96)


def test_a_sample_takes_at_most_half_a_printed_page(browser: Browser, tmp_path: Path) -> None:
    report = report_of(tmp_path, 60, ["partner_earnings"])
    (tmp_path / "report.html").write_text(report_html(report), "utf-8")
    page = browser.new_page(viewport={"width": WITHIN, "height": 900})
    page.goto((tmp_path / "report.html").as_uri())
    page.emulate_media(media="print")
    heights = page.evaluate("[...document.querySelectorAll('.sample')].map(one => one.getBoundingClientRect().height)")
    assert 0 < max(heights) <= HALF_A_PAGE
    assert page.evaluate("document.body.textContent.includes('policy explain shows all')")
    page.close()


@pytest.fixture(scope="module")
def brief(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The short form of a report on three rulesets, one of them with a matrix, with all that it may say of itself."""
    folder = tmp_path_factory.mktemp("brief")
    report = report_of(folder, 60, ["partner_earnings", "lgc_roles", "email_suppression"])
    said = {name: f"The {name} of this report" for name in SETTINGS}
    short = replace(
        report, brief=True, settings=said, unmet=("--max-invalid 1% is not met: 9 of 160 rows are invalid",)
    )
    (folder / "report.html").write_text(report_html(short), "utf-8")
    return folder / "report.html"


def test_three_rulesets_in_brief_are_two_printed_pages(browser: Browser, brief: Path) -> None:
    page = browser.new_page()
    page.goto(brief.as_uri())
    printed = page.pdf(format="A4", prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type /Page\b", printed)) == 2
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_in_a_brief_report(browser: Browser, brief: Path, width: int, scheme: str) -> None:
    with shown(browser, brief, width, scheme) as page:
        assert browsers.complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("place", ["CI", "at home"])
def test_without_a_browser_the_tests_are_skipped_but_not_in_ci(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", "true" if place == "CI" else "")
    outcome = pytest.fail.Exception if place == "CI" else pytest.skip.Exception
    with pytest.raises(outcome, match=re.escape("apt-get install chromium")):
        browsers.program()
