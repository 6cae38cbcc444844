"""A fix does what its hint says: it takes its diagnostic away, and brings no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

import pytest

from policy_engine.cli.show import diagnostic_line
from policy_engine.diagnostics import Diagnostic, did_you_mean
from policy_engine.fixes import Edit, Fix, applied, is_slip, together
from tests.conftest import diagnostics, lay_out
from tests.support.pages import pages
from tests.test_diagnostics import CASES, Case

WITH_FILES = [case for case in CASES if case.says]
"""The cases that say anything."""
SLIPS = (
    ("statsu", "status"),  # two letters swapped
    ("days_a_custmer", "days_a_customer"),  # one missing
    ("refundd_days", "refund_days"),  # one too many
    ("waitad", "waited"),  # one wrong
    ("At_risk", "At Risk"),  # case, and the sign between words
)
NO_SLIPS = (
    ("limit_2", "limit_1"),  # a digit tells names apart
    ("paid_at", "paid_by"),  # and so does a letter of a short word
    ("order_late", "order_date"),  # and a first letter
    ("min_age", "max_age"),
    ("invalid", "valid"),
    ("statement", "status"),
)


@pytest.mark.parametrize(("name", "meant"), SLIPS)
def test_a_slip_of_the_keyboard_is_surely_mended(name: str, meant: str) -> None:
    hint = did_you_mean(name, [meant, "something_else"])
    assert hint is not None
    assert (hint.old, hint.new, hint.sure) == (name, meant, True)


@pytest.mark.parametrize(("name", "other"), NO_SLIPS)
def test_two_names_that_are_alike_are_no_slip(name: str, other: str) -> None:
    assert not is_slip(name, other, [other])


def test_a_slip_for_either_of_two_names_is_for_neither() -> None:
    assert is_slip("order_dayz", "order_days", ["order_days"])
    assert not is_slip("order_dayz", "order_days", ["order_days", "order_dayx"])


def test_edits_keep_line_ends() -> None:
    edits = [Edit("a", 2, 3, "b\nc", "x\ny"), Edit("a", 1, 1, "one", "1"), Edit("a", 4, 1, "", "new ")]
    assert applied("one\r\n  b\r\nc d\r\nend\r\n", edits) == "1\r\n  x\r\ny d\r\nnew end\r\n"


def test_of_fixes_that_touch_one_place_the_first_is_taken() -> None:
    first, over, beside = (Fix("", (Edit("a", 1, at, "abc", "x"),)) for at in (1, 3, 4))
    assert together([first, over, beside, first]) == [first, beside]


def fixed(diagnostic: Diagnostic) -> None:
    """Make the edits of a diagnostic in the files of the current folder."""
    assert diagnostic.fix is not None
    for path in {edit.path for edit in diagnostic.fix.edits}:
        edits = [edit for edit in diagnostic.fix.edits if edit.path == path]
        text = Path(path).read_bytes().decode("utf-8")
        Path(path).write_bytes(applied(text, edits).encode())


def key(diagnostic: Diagnostic) -> tuple[str, str]:
    """What is said, wherever."""
    return diagnostic.code, diagnostic.message


def told(found: tuple[Diagnostic, ...]) -> Counter[tuple[str, str]]:
    """How often each thing is said."""
    return Counter(map(key, found))


REVEALING = {
    "a library that is not there, with the nearest": {"unused-part"},
    "tables and columns that nothing asks for": {"unused-column", "unused-table"},
    "no ruleset to test": {"test-no-cases"},
    "(d3) param camel": {"unknown-name"},
    "(d3) assign text": {"unknown-name"},
    "(d3) number underscore": {"constant-condition"},
    "a lost dash": {"unreachable-rule"},
    "a tag that is no lost not": {"expression-syntax"},
    "(d3) bang start": {"expression-syntax"},
    "signs that YAML gives a meaning": {"expression-syntax"},
    "other signs that YAML gives a meaning": {"expression-syntax"},
    "a comparison that begins with its sign": {"expression-syntax"},
    "an expression that begins with a list": {"not-comparable"},
    "names that cannot be names": {"unknown-source"},
    "rules under a misspelt key": {"impossible-value", "unknown-decision-part"},
    "keys of a table that are not there, or not of their kind": {"wrong-kind"},
}
"""Cases in which faults stand behind one that is mended, and were not looked for before: the codes of what then is told."""


@pytest.mark.parametrize("case", WITH_FILES, ids=str)
def test_each_fix_takes_its_diagnostic_away_and_brings_no_other(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lay_out(case.files, tmp_path)
    before, brought = diagnostics(), set[str]()
    for diagnostic in before:
        if diagnostic.fix is not None and diagnostic.fix.sure:
            fixed(diagnostic)
            after = told(diagnostics())
            lay_out({edit.path: case.files[edit.path] for edit in diagnostic.fix.edits}, tmp_path)
            assert after[key(diagnostic)] < told(before)[key(diagnostic)], diagnostic_line(diagnostic)
            brought |= {code for code, _ in after - told(before)}
    assert brought == REVEALING.get(case.name, set())


NEVER: Mapping[str, str] = {
    "two ways lead on, and only the author knows which": (
        "yaml-key yaml-merge yaml-not-finite yaml-several-documents reserved-name name-clash shadowed-name "
        "duplicate-id decision-mixed value-twice matrix-else collect-otherwise text-as-name name-as-text name-in-cell "
        "template-doubled template-brace expression-comment schema-contradiction schema-null test-ignored "
        "test-part-twice test-twice test-fixed test-no-cases unused-reading unused-column unused-part unused-outcome "
        "unused-legend unused-fact constant-condition unreachable-rule versions-overlap version-twice rows-overlap "
        "uncited-rule check-constant row-not-a-value calendar-day"
    ),
    "something is missing that only the author can say": (
        "file-empty missing-key one-of-keys schema-account schema-bounds schema-places schema-type schema-format decision-empty "
        "test-empty cell-missing column-missing table-gap uncovered-case unmentioned-value parameter-hole "
        "calendar-years calendar-period library-period library-fact library-misfit generator-needed generator-form "
        "format-type format-currency plural-forms"
    ),
    "it would take another design, or changes of many places": (
        "file-too-large file-not-text yaml-too-big schema-too-big schema-recursive schema-reference schema-open "
        "schema-pattern pattern schema-name chain-too-long expression-too-long expression-too-deep too-many-digits "
        "too-wide-for-tables csv-syntax outdented-key matrix-not-closed"
    ),
    "what is written means something else than was wanted, and the answer would change": (
        "not-comparable no-order not-addable zero-denominator if-known-place unknown-place ratio-place value-type "
        "not-dated collected-value counted-condition unit-mismatch percent-multiplied bad-period range-empty "
        "text-form unknown-timezone"
    ),
}
"""The codes with hints of which no fix comes, with the reason."""
ASKED = (
    "yaml-alias unknown-language unknown-table unknown-reading unknown-legend-key unknown-part unused-source unused-parameter "
    "unused-table unused-definition needless-default repeated-number"
)
"""The codes whose fixes here are all guesses, which a person confirms."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Diagnostic]:
    """All that is said in any case."""
    everything: list[Diagnostic] = []
    for case in WITH_FILES:
        folder = tmp_path_factory.mktemp("case")
        lay_out(case.files, folder)
        with chdir(folder):
            everything += diagnostics()
    return everything


def test_each_hint_has_a_fix_or_a_reason_why_not(found: list[Diagnostic]) -> None:
    fixed = {each.code for each in found if each.fix is not None}
    hinted = {each.code for each in found if each.hint} - fixed
    assert sorted(" ".join(NEVER.values()).split()) == sorted(hinted)


def test_pages_say_what_fix_does(found: list[Diagnostic]) -> None:
    mended = {each.code for each in found if each.fix is not None and each.fix.sure}
    assert {page.code for page in pages() if "`policy check --fix` does this" in page.section("Instead")} == mended
    assert {each.code for each in found if each.fix is not None} - mended == set(ASKED.split())
