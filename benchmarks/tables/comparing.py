"""Comparing two versions over millions of senders beside one report of them, and checking what is said of single accounts.

python -m benchmarks.tables.comparing FOLDER [ROWS]

Each runs in a process of its own. Printed are the processor time, which other work on the machine hardly changes, and the peak of
the memory.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from benchmarks.tables.files import ROWS, parquet
from policy_engine.engine import Engine
from policy_engine.errors import FactsError
from policy_engine.reports.comparison.side import Side

RULESET, DAY = "email_suppression", date(2025, 6, 30)
NAMED, UNNAMED = 1_000, 10_000
"""The number of accounts that are asked about singly: of those that change, and of the others."""
SEED = 1


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


class Cost(NamedTuple):
    """Seconds of the processor, and megabytes."""

    seconds: float
    megabytes: int


def cost_of(*arguments: str) -> Cost:
    """What a command costs, in a process that is started for it alone."""
    measured = [sys.executable, "-m", "benchmarks.tables.comparing", "--run", *arguments]
    ran = subprocess.run(measured, check=True, capture_output=True, text=True)
    seconds, megabytes = ran.stdout.splitlines()[-1].split()
    return Cost(float(seconds), int(megabytes))


def run(arguments: list[str]) -> None:
    """Run a command, and print what it cost."""
    subprocess.run([sys.executable, "-m", "policy_engine", *arguments], check=False, stdout=subprocess.DEVNULL)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    say(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss // 1024}")


def wrong(table: Path, changes: Path) -> Iterator[str]:
    """Accounts that are named and do not change when asked singly, or the other way round."""
    sides = both_versions()
    accounts = pl.scan_parquet(table).with_row_index("(row)", 1)
    named = pl.read_parquet(changes, columns=["row"])["row"].unique()
    count = accounts.select(pl.len()).collect().item()
    chosen = random.Random(SEED)
    some = set(chosen.sample(named.to_list(), min(NAMED, len(named))))
    others = set(chosen.sample(range(1, count + 1), min(UNNAMED + len(named), count))) - set(named)
    asked = some | set(sorted(others)[:UNNAMED])
    rows = accounts.filter(pl.col("(row)").is_in(sorted(asked))).collect(engine="streaming")
    for row in plain(rows):
        number = row.pop("(row)")
        if changes_singly(row, sides) != (number in some):
            yield f"row {number}"
    say(f"{len(some):,} named and {len(asked) - len(some):,} unnamed accounts were asked singly")


def plain(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Accounts as facts in JSON types."""
    entry = pl.element().struct
    told = entry.with_fields(since=entry.field("since").cast(pl.String))
    for row in rows.with_columns(pl.col("sender_status_history").list.eval(told)).iter_rows(named=True):
        yield {name: value for name, value in row.items() if value is not None}


def changes_singly(facts: dict[str, Any], sides: list[tuple[Engine, date]]) -> bool:
    """Whether both versions, asked one by one, say something else; invalid accounts do not change."""
    try:
        old, new = (engine.decide_all(RULESET, facts, as_of=day) for engine, day in sides)
    except FactsError:
        return False
    return any(parts(old[name]) != parts(new[name]) for name in old)


def parts(answer: Any) -> tuple[Any, ...]:
    """What is compared of an answer."""
    return answer.status, answer.outcome, answer.rules, answer.values, set(answer.missing)


def both_versions() -> list[tuple[Engine, date]]:
    """Each version by itself, asked on the day whatever its period says."""
    rulebook = Engine.load("rules", "schemas", only=[RULESET]).rulebook
    return [(Side(version, DAY).engine(), DAY) for version in rulebook.versions(RULESET)]


def main(folder: Path, rows: int) -> None:
    """Measure a report and a comparison, with and without its folder, and check single accounts."""
    table = parquet("senders", folder, rows)
    asked = ["--facts", str(table), "--as-of", str(DAY)]
    report = cost_of("report", RULESET, *asked, "--out", str(folder / "report"))
    say(f"report: {report.seconds:.1f} s of the processor, {report.megabytes} MB")
    for name, more in (("comparison", []), ("comparison with its folder", ["--out", str(folder / "comparison")])):
        found = cost_of("compare", RULESET, *asked, *more)
        ratio = found.seconds / report.seconds
        say(f"{name}: {found.seconds:.1f} s, {ratio:.2f} times the report, {found.megabytes} MB")
    faults = list(wrong(table, folder / "comparison" / "changes.parquet"))
    say("\n".join(faults) or "all as they are named")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(sys.argv[2:])
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else ROWS)
