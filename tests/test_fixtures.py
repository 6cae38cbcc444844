"""The sample records are what `fixtures/make.py` makes, and every ruleset has something to decide in them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from fixtures.samples import SAMPLES, Sample
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.run import make_report
from policy_engine.reports.totals import DecisionTotals, RulesetTotals
from tests.conftest import ROOT
from tests.support.rulebook import shipped

FIXTURES = ROOT / "fixtures"
DAY = date(2025, 6, 30)
INVALID_SHARE = 0.2
EACH = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)


def test_every_ruleset_has_a_file() -> None:
    assert {sample.ruleset for sample in SAMPLES} == {ruleset.id for ruleset in shipped().rulebook.rulesets}
    assert {sample.file for sample in SAMPLES} == {path.name for path in FIXTURES.glob("*.jsonl")}


@EACH
def test_the_file_is_current(sample: Sample) -> None:
    assert sample.text == sample.text, "two runs differ"
    assert (FIXTURES / sample.file).read_text(encoding="utf-8") == sample.text, "run `python fixtures/make.py`"


def test_the_script_writes_the_same_bytes(tmp_path: Path) -> None:
    """As a process of its own, whose texts hash differently."""
    for path in ("fixtures", "schemas"):
        (tmp_path / path).symlink_to(ROOT / path)
    script = "import sys; from fixtures.samples import SAMPLES; sys.stdout.write(''.join(s.text for s in SAMPLES))"
    made = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert made.stdout == "".join((FIXTURES / sample.file).read_text(encoding="utf-8") for sample in SAMPLES)


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RulesetTotals]:
    """One report over all files, by ruleset."""
    tables = tuple((sample.ruleset, str(FIXTURES / sample.file)) for sample in SAMPLES)
    arguments = Arguments(tables, DAY, str(ROOT / "rules"), str(ROOT / "schemas"))
    done = make_report(arguments, tmp_path_factory.mktemp("build") / "report")
    return {one.ruleset: one for one in done.totals.rulesets}


@EACH
def test_nothing_is_lost_and_most_is_valid(sample: Sample, summaries: dict[str, RulesetTotals]) -> None:
    lines = (FIXTURES / sample.file).read_text(encoding="utf-8").splitlines()
    summary = summaries[sample.ruleset]
    assert summary.valid + summary.invalid == len(lines) >= 20
    assert 1 <= summary.invalid <= INVALID_SHARE * len(lines)


@EACH
def test_every_decision_comes_out_in_more_than_one_way(sample: Sample, summaries: dict[str, RulesetTotals]) -> None:
    found = {one.decision: _ways(one) for one in summaries[sample.ruleset].decisions}
    decisions = shipped().ruleset(sample.ruleset, DAY).decisions
    expected = {decision.name: min(2, max(1, len(decision.outcomes))) for decision in decisions}
    assert {name: found[name] for name, least in expected.items() if len(found[name]) < least} == {}


def _ways(one: DecisionTotals) -> set[str]:
    """The outcomes that come; a calculation has one, and a collect decision may have none."""
    ways = {outcome for outcome, count in one.outcomes.items() if count}
    nothing = {"(nothing)"} if one.nothing_applies else set()
    return ways | nothing if one.outcomes else {"(calculated)"}


@EACH
def test_most_is_decided_and_something_is_not_known(sample: Sample, summaries: dict[str, RulesetTotals]) -> None:
    statuses: Counter[str] = Counter()
    for counts in summaries[sample.ruleset].decisions:
        statuses.update(counts.statuses)
    assert statuses["decided"] > statuses["undetermined"] > 0
    assert statuses["gap"] == 0
