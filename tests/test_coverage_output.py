"""What `policy test --coverage` prints and writes: gaps beside the lines, numbers that add up, files that other tools read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser

from tests.conftest import lay_out
from tests.support import browser as browsers
from tests.support.commands import policy
from tests.test_coverage import LATER, LATER_ON, MIDNIGHT, TABLES, decision, run, table

ONE_GAP = "decisions:\n" + decision("d", "days <= 60"), table("days, d", "59, y", "60, y", "62, n")
FILE = """\
rules/c.yaml: 1 gap
  12 |       - id: r
> 13 |         when: days <= 60
     |               ^ no case stands just above `days <= 60`
  14 |         then: y
"""
NUMBERS = """\
c 2: 87.5%: 2 of 2 rules, 2 of 2 conditions both ways, 1 of 1 conditions that decide alone, 2 of 3 sides of boundaries
coverage 87.5%: 7 of 8 items are tried, 9 times in all
"""


def test_a_gap_stands_below_its_line_and_fails(tmp_path: Path) -> None:
    run(tmp_path, *ONE_GAP)
    done = policy("test", "--coverage", folder=tmp_path)
    assert done.out == f"{FILE}{NUMBERS}3 passed, 0 failed\n"
    assert done.code == 1


def test_so_much_may_be_asked_for_and_no_less(tmp_path: Path) -> None:
    run(tmp_path, *ONE_GAP)
    assert policy("test", "--coverage", "--fail-under", "87.5", folder=tmp_path).code == 0
    done = policy("test", "--coverage", "--fail-under", "87.6", folder=tmp_path)
    assert done.out == f"{FILE}{NUMBERS}coverage is below the 87.6% asked for\n3 passed, 0 failed\n"
    assert done.code == 1


def test_fail_under_alone_is_refused(tmp_path: Path) -> None:
    done = policy("test", "--fail-under", "90", folder=tmp_path)
    assert (done.code, done.err) == (2, "--fail-under goes with --coverage and --mutate\n")


def test_what_coverage_cannot_judge_is_counted_and_named(tmp_path: Path) -> None:
    rules = (
        LATER.format(first="days > 60", hit="first", effective="")
        + decision("share", "days / sold >= 0.2")
        + decision("early", "at <= until")
    )
    tests = table("days, sold, d, share", "60, 300, y, y", "61, 1000, n, n", "62, 100, n, y", "59, 59, y, y")
    tests += table(
        "at, until, early", f"{MIDNIGHT}, {MIDNIGHT}, y", f"{LATER_ON}, {MIDNIGHT}, n", f"{MIDNIGHT}, {LATER_ON}, y"
    ).removeprefix(TABLES)
    run(tmp_path, rules, tests)
    done = policy("test", "--coverage", folder=tmp_path)
    assert done.out == (
        "c 2: 100%: 6 of 6 rules, 6 of 6 conditions both ways, 3 of 3 conditions that decide alone, "
        "11 of 11 sides of boundaries\n"
        "coverage 100%: 26 of 26 items are tried, 37 times in all\n"
        "boundaries of ratios or instants, which have no next value: any distance is just above or below: 2\n"
        "boundaries or conditions with a side on which an earlier rule decides: not looked for there: 2\n"
        "7 passed, 0 failed\n"
    )
    assert done.code == 0


def test_a_ruleset_without_any_case_counts_where_its_folder_is_tested(tmp_path: Path) -> None:
    run(tmp_path, *ONE_GAP)
    text = (tmp_path / "rules" / "c.yaml").read_text("utf-8")
    (tmp_path / "rules" / "b.yaml").write_text(text.replace("ruleset: c", "ruleset: b"), "utf-8")
    told = "b 2: 0%: 0 of 2 rules, 0 of 2 conditions both ways, 0 of 1 conditions that decide alone, 0 of 3 sides of boundaries\n"
    assert told in policy("test", "--coverage", folder=tmp_path).out
    assert told in policy("test", "rules", "--coverage", folder=tmp_path).out
    assert "b 2" not in policy("test", "rules/c_test.yaml", "--coverage", folder=tmp_path).out


# ---- files


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The folder with what is written of one gap."""
    run(tmp_path, *ONE_GAP)
    done = policy("test", "--coverage", "--coverage-out", "out", folder=tmp_path)
    assert "written to out: coverage.html, coverage.json, cobertura.xml, lcov.info\n" in done.out
    assert done.code == 1
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("coverage.html", "<!DOCTYPE html>\n<title>My notes</title>\n"),
        ("coverage.json", '{"meta": {"format": 3}}'),
        ("cobertura.xml", '<?xml version="1.0" ?>\n<coverage version="7.6" timestamp="1700000000000"/>\n'),
        ("lcov.info", "TN:\nSF:a.py\nDA:1,1\nend_of_record\n"),
    ],
)
def test_a_file_of_somebody_else_is_not_replaced(name: str, there: str, tmp_path: Path) -> None:
    run(tmp_path, *ONE_GAP)
    lay_out({f"out/{name}": there}, tmp_path)
    done = policy("test", "--coverage", "--coverage-out", "out", folder=tmp_path)
    assert (
        f"`out/{name}` was not written by `policy test --coverage-out`, and is not replaced; name another folder\n"
        in done.err
    )
    assert done.out.endswith("3 passed, 0 failed\n")
    assert done.code == 2
    assert [(path.name, path.read_text("utf-8")) for path in (tmp_path / "out").iterdir()] == [(name, there)]


def test_coverage_is_written_again_over_its_own_files_and_empty_ones(written: Path) -> None:
    (written / "lcov.info").write_text("", "utf-8")
    before = (written / "coverage.html").read_text("utf-8")
    done = policy("test", "--coverage", "--coverage-out", "out", folder=written.parent)
    assert (done.err, done.code) == ("", 1)
    assert (written / "coverage.html").read_text("utf-8") == before
    assert (written / "lcov.info").read_text("utf-8").startswith("TN:\n")


@pytest.mark.parametrize("options", [("--junit", "file/j.xml"), ("--coverage", "--coverage-out", "file")])
def test_what_passed_is_told_where_something_cannot_be_written(options: tuple[str, ...], tmp_path: Path) -> None:
    run(tmp_path, *ONE_GAP)
    lay_out({"file": "x"}, tmp_path)
    done = policy("test", *options, folder=tmp_path)
    assert (done.out.splitlines()[-1], done.code) == ("3 passed, 0 failed", 2)


def test_json_has_every_item_with_its_place_and_the_number_of_cases(written: Path) -> None:
    told = json.loads((written / "coverage.json").read_text("utf-8"))
    items = [[one[name] for name in ("line", "kind", "of", "what", "cases")] for one in told["files"][0]["items"]]
    assert items == [
        [8, "rules", "", "d: otherwise -> n", 1],
        [12, "rules", "", "d: r -> y", 2],
        [13, "conditions both ways", "days <= 60", "true", 2],
        [13, "conditions both ways", "days <= 60", "false", 1],
        [13, "conditions that decide alone", "days <= 60", "alone", 1],
        [13, "sides of boundaries", "days <= 60", "just below", 1],
        [13, "sides of boundaries", "days <= 60", "at", 1],
        [13, "sides of boundaries", "days <= 60", "just above", 0],
    ]
    assert told["files"][0]["items"][-1]["gap"] == "no case stands just above `days <= 60`"
    numbers = [told[name] for name in ("percent", "tried", "items", "times", "mcdc")]
    assert numbers == [87.5, 7, 8, sum(one[-1] for one in items), "masking"]


def test_lcov_has_the_lines_with_items_and_the_items_as_branches(written: Path) -> None:
    assert (written / "lcov.info").read_text("utf-8").splitlines() == [
        *("TN:", "SF:rules/c.yaml"),
        *("BRDA:8,0,0,1", "BRDA:12,0,0,2"),
        *(f"BRDA:13,0,{at},{cases}" for at, cases in enumerate((2, 1, 1, 1, 1, 0))),
        *("BRF:8", "BRH:7", "DA:8,1", "DA:12,2", "DA:13,2", "LF:3", "LH:3", "end_of_record"),
    ]


PARTS = {
    "coverage": ("sources", "packages"),
    "packages": ("package",),
    "package": ("classes",),
    "classes": ("class",),
    "class": ("methods", "lines"),
    "line": ("conditions",),
    "conditions": ("condition",),
}
RATES = {"line-rate", "branch-rate", "complexity"}
COUNTED = {"lines-covered", "lines-valid", "branches-covered", "branches-valid", "version", "timestamp"}
NEEDED: dict[str, set[str]] = {
    "coverage": RATES | COUNTED,
    "package": RATES | {"name"},
    "class": RATES | {"name", "filename"},
    "line": {"number", "hits", "branch", "condition-coverage"},
    "condition": {"number", "type", "coverage"},
}


def test_cobertura_has_the_elements_and_attributes_that_its_readers_ask_for(written: Path) -> None:
    root = ElementTree.parse(written / "cobertura.xml").getroot()
    for element in root.iter():
        assert set(element.attrib) == NEEDED.get(element.tag, set())
        assert tuple(child.tag for child in element) == PARTS.get(element.tag, ()) or element.tag in (
            "lines",
            "sources",
        )
    lines = [[line.get("number"), line.get("hits"), line.get("condition-coverage")] for line in root.iter("line")]
    assert lines == [["8", "1", "100% (1/1)"], ["12", "2", "100% (1/1)"], ["13", "2", "83% (5/6)"]]
    assert [root.get(name) for name in ("line-rate", "branch-rate")] == ["1.0000", "0.8750"]
    assert [element.get("filename") for element in root.iter("class")] == ["rules/c.yaml"]


def test_nothing_is_written_where_the_folder_cannot_be_made(tmp_path: Path) -> None:
    run(tmp_path, *ONE_GAP)
    (tmp_path / "out").write_text("a file", "utf-8")
    done = policy("test", "--coverage", "--coverage-out", "out", folder=tmp_path)
    assert (done.code, done.err) == (2, "`out` is not a folder; name another\n")
    assert policy("test", "--coverage-out", "out", folder=tmp_path).err == "--coverage-out goes with --coverage\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with browsers.browser() as started:
        yield started


HOSTILE = "decisions:\n" + decision("d", "days <= 60") + f"# </code><script>alert(1)</script>{'x' * 500}\n"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_shows_each_line_with_its_gaps_to_everybody(
    tmp_path: Path, browser: Browser, width: int, scheme: Any
) -> None:
    run(tmp_path, HOSTILE, ONE_GAP[1])
    policy("test", "--coverage", "--coverage-out", "out", folder=tmp_path)
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    try:
        page.goto((tmp_path / "out" / "coverage.html").as_uri())
        assert browsers.complaints(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("script").count() == 0
        line = page.locator(".source > li.partly")
        assert line.locator("code").text_content() == "        when: days <= 60"
        assert "# </code><script>alert(1)</script>xx" in page.locator(".source").inner_text()
        assert line.locator("ul").inner_text() == "no case stands just above `days <= 60`"
    finally:
        page.close()
