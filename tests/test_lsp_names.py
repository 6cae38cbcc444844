"""What editors find of names: what they mean, where they are defined, where they stand, and new names for them in all files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from policy_engine.fixes import Edit
from policy_engine.lsp import index
from policy_engine.lsp.hover import hover_at
from policy_engine.lsp.renaming import VALID, CannotRename, edited, rename, renamed_at
from policy_engine.lsp.symbols import Occurrence, Symbol
from policy_engine.lsp.workspace import Project, Snapshot, Workspace
from tests.conftest import ROOT
from tests.support.commands import policy
from tests.support.workspaces import copied, looked_at, marked, project_of, written

RULES = """\
ruleset: visits
title: Whether a visit is paid
version: "1"
effective: {from: 2025-01-01}
timezone: UTC
facts: visit
use:
  days: [long_ago]

sources:
  terms: {title: The terms}

readings:
  same_day:
    question: Is the day itself included?
    choice: counts
    choices: {counts: It is., does_not_count: It is not.}

parameters:
  fee: {value: 20, unit: EUR, source: terms}

definitions:
  is_late: days_between(day, as_of) > 30 if same_day == "counts" else long_ago
  items_paid: sum(item.price for item in items if item.kind != "gift")
  has_gift: extra.kind == "gift" and extra.price > 0

decisions:
  paid:
    question: Is it paid?
    source: terms
    outcomes: [in_full, in part]
    rules:
      - id: all-of-it
        when: items_paid > fee and not is_late
        then: in_full
        because: "{items_paid} is more than {fee}."
        with: {rest: items_paid - fee}
        readings: [same_day]
    otherwise: {then: in part, because: It is late.}
  told:
    question: What is the visitor told?
    source: terms
    outcomes: [nothing, the_rest]
    rules:
      - {id: quiet, when: 'decisions.paid.outcome == "in part"', then: nothing, because: It is not paid.}
      - {id: loud, when: 'decisions.paid.rest > 5 or default(has_gift, false)', then: the_rest, because: "{decisions.paid.rest}."}
    otherwise: {then: nothing, because: There is no rest.}
"""
LIBRARY = """\
library: days
title: Days
version: "1"
facts: day
definitions:
  long_ago: days_between(day, as_of) > 365
"""
VISIT = """\
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "A visit", "type": "object", "additionalProperties": false, "required": ["day", "items"],
  "properties": {
    "day": {"type": "string", "format": "date", "description": "The day of the visit."},
    "items": {"type": "array", "maxItems": 9, "x-ordered-by": "price", "items": {"$ref": "#/$defs/item"}},
    "extra": {"$ref": "#/$defs/item"}
  },
  "$defs": {
    "item": {
      "type": "object", "additionalProperties": false, "required": ["price", "kind"],
      "properties": {
        "price": {"type": "integer", "minimum": 0, "maximum": 999, "x-unit": "EUR"},
        "kind": {"type": "string", "enum": ["gift", "ware"]}
      }
    }
  }
}
"""
DAY = """\
{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A day", "type": "object", "additionalProperties": false,
 "properties": {"day": {"type": "string", "format": "date"}}, "required": ["day"]}
"""
TESTS = """\
tests: visits
cases:
  - name: paid in full
    as_of: 2025-01-05
    facts: {day: 2025-01-01, items: [{price: 30, kind: ware}], extra: {price: 1, kind: gift}}
    expect: {paid: {outcome: in_full, rule: all-of-it, values: {rest: 10}, sources: [terms]}, told: the_rest}
  - name: a part of it
    as_of: 2025-01-05
    facts: {from: fixtures/visit.yaml, with: {day: 2025-01-02}}
    readings: {same_day: does_not_count}
    expect: {paid: in part, told: nothing}
  - name: nothing is known
    as_of: 2025-01-05
    facts: {items: []}
    invalid: [""]
  - {name: wrong, as_of: 2025-01-05, facts: {day: 2025-01-01, items: [{price: -1, kind: ware}]}, invalid: [/items/0/price]}
tables:
  - name: items
    as_of: 2025-01-05
    facts: {day: 2025-01-01}
    columns: [items, readings.same_day, paid, paid.rule, told]
    rows:
      none: [[], counts, in part, otherwise, nothing]
      two: [[{price: 15, kind: ware}, {price: 6, kind: ware}], counts, in_full, all-of-it, nothing]
"""
FIXTURE = "day: 2025-01-01\nitems: [{price: 3, kind: gift}]\n"
FILES = {
    "rules/visits.yaml": RULES,
    "rules/days.yaml": LIBRARY,
    "rules/visits_test.yaml": TESTS,
    "schemas/visit.schema.json": VISIT,
    "schemas/day.schema.json": DAY,
    "fixtures/visit.yaml": FIXTURE,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a small project."""
    return written(FILES.items(), tmp_path)


def opened(folder: Path, name: str = "rules/visits.yaml") -> tuple[Workspace, Project, Path]:
    """A workspace in which one file is open."""
    workspace = Workspace()
    return workspace, project_of(workspace, folder / name), folder / name


def at(folder: Path, place: str) -> tuple[Snapshot, Path, int, int]:
    """The file that has a line with a mark `|` in it, without it, and where the mark is, from 0."""
    line = place.replace("|", "")
    name = next(name for name, text in FILES.items() if line in text)
    caret = marked(FILES[name].replace(line, place, 1))
    workspace, project, path = opened(folder, name)
    return workspace.look(project), path, caret.line, caret.column


def new_name(folder: Path, place: str, name: str) -> dict[str, int]:
    """The files that a renaming changes, each with the number of places; the change is made."""
    snapshot, path, line, column = at(folder, place)
    workspace, project, _ = opened(folder)
    found = renamed_at(snapshot, path, line + 1, column + 1)
    edits = rename(workspace, project, found, name)
    for changed, text in edited(workspace, edits).items():
        changed.write_text(text, "utf-8")
    names = [Path(edit.path).relative_to(folder).as_posix() for edit in edits]
    return {name: names.count(name) for name in sorted(set(names))}


def passes(folder: Path) -> None:
    """Check and test a folder as its author would."""
    checked = policy("check", "--strict", folder=folder)
    assert checked.code == 0, checked.out
    tested = policy("test", folder=folder)
    assert tested.code == 0, tested.out


def test_the_small_project_is_sound(folder: Path) -> None:
    passes(folder)


HOVERS = (
    ("items_p|aid > fee", "`items_paid`: integer of EUR, 0 to 8991\n\n```yaml\nsum(item.price"),
    ("is more than {f|ee}", "`fee`: integer of EUR\n\nValue: `20`\n\nBy the source `terms`.\n\nA parameter."),
    ("days_|between(day, as_of) > 30", "`days_between`: days_between(start, end)\n\nCivil days"),
    ("days_between(d|ay, as_of) > 30", "`day`: date\n\nThe day of the visit.\n\nA fact of the schema `visit`."),
    ("sum(item.pr|ice", "`items.price`: integer of EUR, 0 to 999\n\nA fact of the schema `visit`."),
    ('if same_day == "co|unts"', "`counts`: a choice of `same_day`\n\nIt is."),
    ("not is_late\n        then: in_f|ull", "`in_full`: an outcome"),
    ("      - id: all-of-it\n        wh|en:", "`when`: required\n\nthe condition: one expression"),
    ("        readings: [same|_day]", "`same_day`: reading, `counts` is taken\n\nIs the day itself included?"),
    ("    source: ter|ms\n    outcomes: [in_full", "`terms`: a source\n\nThe terms"),
    ("'decisions.pa|id.outcome", "`paid`: decision\n\nIs it paid?\n\nOutcomes: `in_full`, `in part`"),
    ('is_late: days_between(day, as_of) > 30 if same_day == "counts" else long|_ago', "`long_ago`: boolean"),
    ("rule: all-o|f-it", "`all-of-it`: a rule of `paid`"),
    ("facts: {d|ay: 2025-01-01, items: [{price: 30", "`day`: date\n\nThe day of the visit."),
    ("[{pr|ice: 30", "`items.price`: integer"),
    ("    exp|ect: {paid: {outcome", "`expect`: a key\n\nwhat each decision"),
    ('    "d|ay": {"type": "string", "format": "date", "desc', "`day`: date"),
    ("title: Whether a vi|sit is paid", None),
)


@pytest.mark.parametrize(("place", "says"), HOVERS)
def test_what_is_said_of_a_name(folder: Path, place: str, says: str | None) -> None:
    snapshot, path, line, column = at(folder, place)
    found = hover_at(snapshot, path, path.read_text("utf-8").split("\n"), line, column)
    assert (found is None) == (says is None)
    assert found is None or says is None or found.text[: len(says)] == says


DEFINED = (
    ("items_p|aid > fee", "|items_paid: sum"),
    ("days_between(d|ay, as_of) > 30", '"|day": {"type": "string", "format": "date", "desc'),
    ("sum(item.pr|ice", '"|price": {'),
    ("extra.pr|ice", '"|price": {'),
    ("[{pr|ice: 30", '"|price": {'),
    ("else long|_ago", "|long_ago: days_between"),
    ("days: [long|_ago]", "|long_ago: days_between"),
    ("rule: all-o|f-it", "- id: |all-of-it"),
    ("'decisions.paid.outcome == \"in p|art\"'", "outcomes: [in_full, |in part]"),
    ("readings.same|_day, paid", "|same_day:\n"),
    ("facts: vis|it\n", VISIT.replace("{", "|{", 1)),
    ("tests: vis|its", "ruleset: |visits"),
)


@pytest.mark.parametrize(("place", "where"), DEFINED)
def test_where_a_name_is_defined(folder: Path, place: str, where: str) -> None:
    snapshot, path, line, column = at(folder, place)
    _, wanted, wanted_line, wanted_column = at(folder, where)
    found = index.at(snapshot, path, line + 1, column + 1)
    assert found is not None
    spans = {str(each.span) for each in index.places_of(snapshot, found.symbol) if each.defines}
    assert f"{wanted}:{wanted_line + 1}:{wanted_column + 1}" in spans


RENAMED = (
    ("days_between(d|ay, as_of) > 30", "visited_on", {
        "fixtures/visit.yaml": 1, "rules/days.yaml": 1, "rules/visits.yaml": 1, "rules/visits_test.yaml": 4,
        "schemas/day.schema.json": 2, "schemas/visit.schema.json": 2}),
    ("sum(item.pr|ice", "cost", {
        "fixtures/visit.yaml": 1, "rules/visits.yaml": 2, "rules/visits_test.yaml": 6, "schemas/visit.schema.json": 3}),
    ("> f|ee and", "charge", {"rules/visits.yaml": 4}),
    ("not is_l|ate", "is_overdue", {"rules/visits.yaml": 2}),
    ("else long|_ago", "very_old", {"rules/days.yaml": 1, "rules/visits.yaml": 2}),
    ("readings: [same|_day]", "day_itself", {"rules/visits.yaml": 3, "rules/visits_test.yaml": 2}),
    ('if same_day == "co|unts"', "included", {"rules/visits.yaml": 3, "rules/visits_test.yaml": 2}),
    ("id: all-o|f-it", "whole", {"rules/visits.yaml": 1, "rules/visits_test.yaml": 2}),
    ("outcomes: [in_full, in p|art]", "partly", {"rules/visits.yaml": 3, "rules/visits_test.yaml": 2}),
    ("outcomes: [in_f|ull, in part]", "whole sum", {"rules/visits.yaml": 2, "rules/visits_test.yaml": 2}),
    ("'decisions.pa|id.outcome", "is_paid", {"rules/visits.yaml": 4, "rules/visits_test.yaml": 4}),
    ("with: {re|st: items_paid", "left", {"rules/visits.yaml": 3, "rules/visits_test.yaml": 1}),
    ("  ter|ms: {title", "general-terms", {"rules/visits.yaml": 4, "rules/visits_test.yaml": 1}),
)  # fmt: skip


@pytest.mark.parametrize(("place", "name", "places"), RENAMED)
def test_a_new_name_in_all_files_leaves_them_sound(folder: Path, place: str, name: str, places: dict[str, int]) -> None:
    assert new_name(folder, place, name) == places
    passes(folder)


REFUSED = (
    (
        "> f|ee and",
        "Fee",
        "`Fee` cannot be the name of a parameter: use small letters, digits and underscores, beginning",
    ),
    ("> f|ee and", "as_of", "`as_of` cannot be the name of a parameter"),
    ("> f|ee and", "from", "`from` cannot be the name of a parameter"),
    ("> f|ee and", "is_late", "this would leave a fault: rules/visits.yaml:23:3: `is_late` already names a parameter"),
    ("> f|ee and", "day", "this would leave a fault: rules/visits.yaml:20:3: `day` already names a fact of the schema"),
    ("> f|ee and", "item", "this would leave a fault: rules/visits.yaml:24:34: `item` already names a parameter"),
    ("id: all-o|f-it", "All of it", "`All of it` cannot be the name of a rule: use small letters, digits and hyphens"),
    ("id: all-o|f-it", "otherwise", "`otherwise` cannot be the name of a rule"),
    ("outcomes: [in_f|ull, in part]", "in part", "there is already an outcome `in part`, at rules/visits.yaml:31:25"),
    ("outcomes: [in_f|ull, in part]", "no", "`no` cannot be the name of an outcome"),
    ("outcomes: [in_f|ull, in part]", "a: b", "`a: b` cannot be the name of an outcome"),
    ("days_between(d|ay, as_of) > 30", "items", "there is already a fact `items`, at schemas/visit.schema.json:6:6"),
    ("days_|between(day, as_of) > 30", "x", "`days_between` is a function, and cannot be renamed here"),
    ("sum(it|em.price", "x", "`item` is a variable, and cannot be renamed here"),
    ("title: Whether a vi|sit is paid", "x", "there is no name here that could be renamed"),
)


@pytest.mark.parametrize(("place", "name", "why"), REFUSED)
def test_a_new_name_is_refused_in_a_sentence(folder: Path, place: str, name: str, why: str) -> None:
    with pytest.raises(CannotRename) as refused:
        new_name(folder, place, name)
    assert str(refused.value).replace(f"{folder}/", "").startswith(why)
    passes(folder)


def test_no_name_is_changed_while_some_place_of_it_cannot_be_read(folder: Path) -> None:
    path = folder / "rules" / "visits.yaml"
    path.write_text(RULES.replace("items_paid > fee and", "items_paid > fee fee and"), "utf-8")
    workspace, project, _ = opened(folder)
    found = renamed_at(workspace.look(project), path, 20, 4)
    with pytest.raises(
        CannotRename,
        match=r"mend the faults first, so that no place of the name is overlooked: .*:34:32: this is not an expression",
    ):
        rename(workspace, project, found, "charge")
    workspace.put(path, "ruleset: [")
    broken = workspace.look(project)
    assert index.at(broken, path, 20, 4) is None
    assert {Path(each.span.path).name for each in index.occurrences(broken)} >= {"days.yaml"}


def test_facts_of_a_fixture_that_changed_on_the_disk_are_read_again(folder: Path) -> None:
    workspace, project, _ = opened(folder)
    fixture = folder / "fixtures" / "visit.yaml"

    def prices() -> list[object]:
        tests = workspace.look(project).tests[str(folder / "rules" / "visits_test.yaml")]
        return [case.facts["items"][0]["price"] for case in tests.cases if case.name == "a part of it"]

    assert prices() == [3]
    fixture.write_text(FIXTURE.replace("price: 3", "price: 4"), "utf-8")
    workspace.put(fixture, fixture.read_text("utf-8"))
    assert workspace.changed_on_disk([fixture]) == [project]
    assert prices() == [4]
    assert workspace.changed_on_disk([folder / "rules" / "visits.yaml", folder.parent / "other.yaml"]) == []


def test_a_file_that_changed_on_the_disk_is_not_edited_blindly(folder: Path) -> None:
    snapshot, path, line, column = at(folder, "> f|ee and")
    workspace, project, _ = opened(folder)
    workspace.look(project)
    (folder / "fixtures" / "visit.yaml").write_text(f"# more\n{FIXTURE}", "utf-8")
    (folder / "rules" / "visits_test.yaml").write_text(f"# more\n{TESTS}", "utf-8")
    found = renamed_at(snapshot, path, line + 1, column + 1)
    assert len(rename(workspace, project, found, "charge")) == 4
    decision = index.at(snapshot, path, RULES[: RULES.index("  paid:")].count("\n") + 1, 4)
    assert decision is not None
    with pytest.raises(CannotRename, match="a file has changed since it was read"):
        rename(workspace, project, decision, "is_paid")


@cache
def shipped(name: str) -> Snapshot:
    """What is known of the project of a shipped file."""
    return looked_at(ROOT / name)


@pytest.mark.parametrize("name", ["rules/partner_earnings.yaml", "examples/rules/shop.yaml"])
def test_every_place_holds_the_name_that_stands_there(name: str) -> None:
    places = [place for place in index.occurrences(shipped(name)) if place.symbol.kind != "schema"]
    assert len(places) > 300
    lines = {path: Path(path).read_text("utf-8").split("\n") for path in {place.span.path for place in places}}
    assert [place for place in places if _text_at(place, lines[place.span.path]) != place.symbol.word] == []


def _text_at(place: Occurrence, lines: list[str]) -> str:
    return lines[place.span.line - 1][place.span.column - 1 :][: place.span.length]


def test_every_fact_of_the_shipped_files_can_be_renamed_and_all_tests_pass(tmp_path: Path) -> None:
    folder = copied(tmp_path, "rules", "schemas", "fixtures")
    workspace, project, path = opened(folder, "rules/payouts.yaml")
    snapshot = workspace.look(project)
    facts = sorted({each.symbol for each in index.occurrences(snapshot) if each.symbol.kind == "fact" and each.defines})
    places = index.index_of(snapshot)
    edits = {edit for symbol in facts for edit in _renamed(places, symbol)}
    assert len(facts) > 150
    assert {each.path for each in edits} >= {str(path), str(folder / "schemas" / "sender.schema.json")}
    for changed, text in edited(workspace, sorted(edits)).items():
        changed.write_text(text, "utf-8")
    passes(folder)


def _renamed(found: index.Index, symbol: Symbol) -> list[Edit]:
    places = [place.span for place in found.places_of(symbol)]
    return [Edit(span.path, span.line, span.column, symbol.word, f"new_{symbol.word}") for span in places]


def test_the_shipped_files_have_names_of_each_kind_that_can_be_renamed() -> None:
    """Names of most kinds are renamed in `RENAMED`; look-up tables stand in the examples."""
    files = ("rules/partner_earnings.yaml", "examples/rules/shop.yaml")
    kinds = {each.symbol.kind for name in files for each in index.occurrences(shipped(name))}
    assert VALID.keys() - kinds == set()


def test_a_look_up_table_of_a_library_is_renamed_in_all_files(tmp_path: Path) -> None:
    folder = copied(tmp_path, "examples/rules", "examples/schemas", "examples/fixtures")
    workspace, project, _ = opened(folder, "rules/trade.yaml")
    places = index.occurrences(workspace.look(project))
    table = next(each for each in places if each.symbol == Symbol("table", "trade", "vat") and each.defines)
    edits = rename(workspace, project, table, "vat_rates")
    assert {Path(edit.path).name for edit in edits} == {"trade.yaml"}
    for path, text in edited(workspace, edits).items():
        path.write_text(text, "utf-8")
    passes(folder)
