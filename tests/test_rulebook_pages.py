"""What the rulebook says about itself is true: its pages are current, and the table of what it covers leaves nothing out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from policy_engine.cli.main import app
from policy_engine.language.rulesets import DecisionLogic, Matrix, Ruleset, conclusions_of
from tests.conftest import ROOT
from tests.support.rulebook import shipped

RULESETS = shipped().rulebook.rulesets
NAMES = sorted({ruleset.id for ruleset in RULESETS})
PAGES = ROOT / "docs/rulebook"
COVERAGE = PAGES / "coverage.md"
ROW = re.compile(r"^\| (?P<number>[^|]+) \| (?P<says>[^|]+) \| (?P<carried>[^|]+) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
HEADINGS = re.compile(r"^## (?:(\d+) )?", re.MULTILINE)
Named = tuple[str, str]
"""A thing and its place: a rule and its decision, a reading and its ruleset."""


# ---- the table of what is covered


def _rows() -> list[re.Match[str]]:
    rows = [match for match in ROW.finditer(COVERAGE.read_text("utf-8")) if match["number"] not in ("no.", "---")]
    assert rows
    return rows


def test_every_name_in_the_table_exists() -> None:
    known = {name for place in _known().values() for name in place} | set(_known())
    unknown = [
        f"{row['number']}: {name}"
        for row in _rows()
        for name in CODE.findall(row["carried"])
        if "/" not in name and name not in known
    ]
    assert unknown == []
    assert [
        name for row in _rows() for name in CODE.findall(row["carried"]) if "/" in name and not (ROOT / name).exists()
    ] == []


def test_every_name_belongs_to_the_place_named_before_it() -> None:
    astray = [f"{name} of {place or 'nothing'}" for place, name in _named() if name not in _known().get(place, ())]
    assert astray == []


def test_every_row_names_something_or_says_why_not() -> None:
    silent = [row["says"] for row in _rows() if not CODE.findall(row["carried"]) and not _explained(row["carried"])]
    assert silent == []


def _explained(carried: str) -> bool:
    return carried.startswith(("none: ", "every ruleset"))


@pytest.mark.parametrize("name", NAMES)
def test_every_decision_rule_row_and_reading_is_in_the_table(name: str) -> None:
    named = set(_named())
    places = {place for row in _rows() for place in CODE.findall(row["carried"])}
    versions = shipped().rulebook.versions(name)
    decisions = {f"{name}.{decision.name}" for version in versions for decision in version.decisions}
    assert decisions - places == set()
    assert {needed for version in versions for needed in _needed(version)} - named == set()


def test_it_goes_through_all_sections_in_order() -> None:
    numbers = [number for number in HEADINGS.findall(COVERAGE.read_text("utf-8")) if number]
    assert numbers == [str(number) for number in range(13)]


def test_it_links_to_the_page_of_every_ruleset() -> None:
    links = set(re.findall(r"\]\(([^)]+)\)", COVERAGE.read_text("utf-8")))
    assert links == {f"{name}.md" for name in NAMES}
    assert [link for link in links if not (PAGES / link).is_file()] == []


def _named() -> Iterator[Named]:
    """Every name of the table that follows a place: within a row, the last decision or ruleset named before it."""
    for row in _rows():
        place = ""
        for name in CODE.findall(row["carried"]):
            if name in _known() and name not in _known().get(place, ()):
                place = name
            elif "/" not in name and name != "timezone":
                yield place, name


def _needed(ruleset: Ruleset) -> Iterator[Named]:
    for decision in ruleset.decisions:
        yield from ((f"{ruleset.id}.{decision.name}", rule) for rule in _rules(decision))
    yield from ((ruleset.id, reading.name) for reading in ruleset.readings)


def _rules(decision: DecisionLogic) -> Set[str]:
    """The rules of a decision, or the rows of its matrix."""
    if isinstance(decision.body, Matrix):
        return {str(row) for row in decision.body.row_values}
    return {rule for rule, _ in conclusions_of(decision.body)}


@cache
def _known() -> dict[str, Set[str]]:
    """All that can be named in each decision and in each ruleset, over all versions."""
    known: dict[str, Set[str]] = {}
    for ruleset in RULESETS:
        for decision in ruleset.decisions:
            place = f"{ruleset.id}.{decision.name}"
            cells = {rule for rule, _ in conclusions_of(decision.body)}
            values = {name for name, _ in decision.value_types}
            known[place] = known.get(place, set()) | _rules(decision) | cells | values
        members = {reading.name for reading in ruleset.readings}
        members |= {member.name for member in ruleset.facts.type.members} | {"timezone"}
        known[ruleset.id] = known.get(ruleset.id, set()) | members
    return known


# ---- the generated pages


def test_the_pages_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(app, ["rules", "docs", "--check"])
    assert done.exit_code == 0, done.output


def test_every_ruleset_has_a_page_and_every_page_a_ruleset() -> None:
    pages = {path.stem for path in PAGES.glob("*.md")} - {"README", "coverage"}
    assert pages == set(NAMES)


def test_the_page_on_roles_agrees_with_the_ruleset() -> None:
    matrix = shipped().rulebook.versions("engine_access")[-1].decisions[0].body
    assert isinstance(matrix, Matrix)
    told = dict(_told(ROOT / "docs/roles.md"))
    assert {cell.id: cell.then.outcome == "allow" for cell in matrix.cells} == told


def _told(page: Path) -> Iterator[tuple[str, bool]]:
    """The cells of the page's table that has yes and no in it."""
    table = re.search(r"^\| operation \| (analyst .*) \|\n.*\n((?:\|.*\n)+)", page.read_text("utf-8"), re.MULTILINE)
    assert table is not None
    roles = table[1].split(" | ")
    for line in table[2].splitlines():
        operation, *cells = line.strip("| ").split(" | ")
        yield from ((f"{operation}.{role}", cell == "yes") for role, cell in zip(roles, cells, strict=True))
