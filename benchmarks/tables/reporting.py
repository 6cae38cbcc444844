"""Our report as the work of a process: the decisions alone, or the whole report with its page."""

from __future__ import annotations

from pathlib import Path

from benchmarks.tables.words import AS_OF
from policy_engine import Engine
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.deciding import decide_table
from policy_engine.reports.jobs import jobs_for
from policy_engine.reports.run import make_report
from policy_engine.tables import Options

ROOT = Path(__file__).resolve().parent.parent.parent
RULES, SCHEMAS = ROOT / "rules", ROOT / "schemas"


def main(what: str, ruleset: str, source: str, folder: str) -> None:
    """Write the two tables (`decisions`), or a whole report (`report`), into a folder."""
    if what == "report":
        arguments = Arguments(((ruleset, source),), AS_OF, str(RULES), str(SCHEMAS))
        make_report(arguments, Path(folder))
        return
    engine = Engine.load(RULES, SCHEMAS, only=[ruleset])
    (job,) = jobs_for(engine, [(ruleset, Path(source))], AS_OF, {}, Options())
    decide_table(job, Path(folder) / "decisions.parquet", Path(folder) / "invalid.parquet")
