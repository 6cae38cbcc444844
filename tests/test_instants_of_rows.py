"""A row of a table as a caller would have given it: the same moments, also those that no calendar has in UTC."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from policy_engine.language.date_texts import read_instant
from policy_engine.language.values import instant_text, instant_text_of
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.jobs import jobs_for
from policy_engine.reports.run import run_report
from policy_engine.tables import Options
from tests.support.rulebook import shipped
from tests.support.tables import canonical, shipped_schema

MOMENTS = {
    "2025-03-01T23:30:00-05:00": "2025-03-02T04:30:00Z",
    "2025-03-01T23:30:00.25Z": "2025-03-01T23:30:00.250000Z",
    "9999-12-31T23:30:00-05:00": "9999-12-31T04:31:00-23:59",
    "0001-01-01T00:10:00+05:00": "0001-01-01T19:09:00+23:59",
}


@pytest.mark.parametrize("given", MOMENTS)
def test_a_moment_is_written_as_itself(given: str) -> None:
    kind = next(m.type for m in shipped_schema("account_move").type.members if m.name == "move_effective_at")
    written = instant_text_of(canonical(given, kind))
    assert written == MOMENTS[given] == instant_text(read_instant(given))
    assert read_instant(written) == read_instant(given)


def test_a_report_holds_moments_that_no_calendar_has_in_utc(tmp_path: Path) -> None:
    accounts = [
        f'{{"destination_category": "referred", "move_effective_at": "{moment}", "partner_deployment_date": "0001-01-01"}}'
        for moment in MOMENTS
    ]
    (tmp_path / "moves.jsonl").write_text("\n".join(accounts), "utf-8")
    engine = shipped()
    day, pairs = date(2025, 6, 30), [("partner_earnings", tmp_path / "moves.jsonl")]
    jobs = jobs_for(engine, pairs, day, {}, Options(), ["move_effective_at"])
    arguments = Arguments((("partner_earnings", str(tmp_path / "moves.jsonl")),), day, "rules", "schemas")
    done = run_report(engine, jobs, arguments, tmp_path / "out")
    assert done.totals.rulesets[0].valid == len(MOMENTS)
    assert pl.read_parquet(tmp_path / "out" / "decisions.parquet").height == len(MOMENTS)
    assert "9999-12-31T04:31:00-23:59" in (tmp_path / "out" / "report.html").read_text("utf-8")
