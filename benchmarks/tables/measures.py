"""The measurements of tables, each as plain numbers that can be written as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.tables import by_duckdb, by_openfisca, by_polars, by_polars_files, by_rows, child, files, ours, parts
from benchmarks.tables.agreement import KIND_OF, Sample, require_same
from benchmarks.tables.by_polars import Form
from benchmarks.tables.words import ROW_GROUP
from benchmarks.timing import WALL, Run, in_turns, middle, ratio
from policy_engine import Engine

FORMS: tuple[Form, ...] = ("outcomes", "reasons", "complete")
BY_HAND, OURS = "by hand, {}", "ours, {}"
Ways = dict[str, dict[str, float]]
"""For each way of working: rows a second, and the ratio of its time to the first way's (and to others, by name)."""
EARNINGS = "partner_earnings"
MORSELS = (100_000, 50_000, 20_000, 10_000, 5_000)
ROW_GROUPS = (25_000, 100_000, 1_000_000)


def timed(runs: Mapping[str, Run], rows: int, rounds: int) -> Ways:
    """Time the ways of working in turns, each over so many rows; ours also against each of the others."""
    found, base = in_turns(runs, rounds, WALL), next(iter(runs))
    ways = {name: {"rows_s": 1e9 / middle(found, name, rows), "ratio": ratio(found, name, base)} for name in runs}
    for form in FORMS:
        one = f"ours, {form}"
        if one in runs:
            ways[one] |= {f"against {other}": ratio(found, one, other) for other in runs if form in other}
    return ways


def valid_accounts(ruleset: str, rows: int) -> pl.DataFrame:
    """So many accounts, less those that are invalid."""
    accounts = files.frame(KIND_OF[ruleset], rows)
    checked = by_polars_files.checked(accounts.lazy(), ruleset).filter("is_valid")
    return checked.select(accounts.columns).collect().rechunk()


def check_peers(engine: Engine, sample: Sample) -> None:
    """Raise where a peer, or our columns, answer otherwise than the engine does over a sample."""
    ruleset, valid = sample.ruleset, sample.valid
    marked = by_polars_files.checked(sample.accounts.lazy(), ruleset).select("is_valid").collect().to_series()
    if not marked.equals(sample.is_valid):
        raise AssertionError(f"{ruleset}: by hand other accounts are valid")
    require_same(
        "ours", sample.answers, ours.program(engine, ruleset)(ours.canonical(engine, ruleset, valid), "complete")
    )
    for form in FORMS:
        require_same(f"by hand, {form}", sample.answers, by_polars.RULESETS[ruleset](valid.lazy(), form).collect())
    tables = by_duckdb.Tables(valid)
    for form in FORMS[:2]:
        tables.decide(ruleset, form)
        require_same(f"DuckDB, {form}", sample.answers, tables.answers())
    if ruleset in by_openfisca.DECISIONS:
        for select in (by_openfisca.select_items, by_openfisca.select_numbers):
            require_same("OpenFisca", sample.answers, by_openfisca.System(ruleset, valid, select).answers())


def in_memory(engine: Engine, ruleset: str, rows: int, rounds: int) -> Ways:
    """Valid accounts in memory, decided by hand, by ours, and by what else works on columns."""
    accounts = valid_accounts(ruleset, rows)
    runs: dict[str, Run] = {}
    for form in FORMS:
        runs[f"by hand, {form}"] = partial(_by_hand, ruleset, accounts, form)
    facts, decide = ours.canonical(engine, ruleset, accounts), ours.program(engine, ruleset)
    for form in FORMS:
        runs[f"ours, {form}"] = partial(decide, facts, form)
    tables = by_duckdb.Tables(accounts)
    for form in FORMS[:2]:
        runs[f"DuckDB, {form}"] = partial(tables.decide, ruleset, form)
    return timed(runs, accounts.height, rounds)


def _by_hand(ruleset: str, accounts: pl.DataFrame, form: Form) -> pl.DataFrame:
    """By hand, on Polars' streaming engine, on which ours runs, and which `collect` takes by itself."""
    return by_polars.RULESETS[ruleset](accounts.lazy(), form).collect(engine="streaming")


def openfisca(engine: Engine, ruleset: str, rows: int, rounds: int) -> Ways:
    """Ours, Polars by hand, and OpenFisca as it is documented and at its best, with and without the digest that it needs."""
    accounts = valid_accounts(ruleset, rows)
    decide = ours.program(engine, ruleset, by_openfisca.DECISIONS[ruleset])
    facts = ours.canonical(engine, ruleset, accounts)
    documented = by_openfisca.System(ruleset, accounts)
    best = by_openfisca.System(ruleset, accounts, by_openfisca.select_numbers)
    runs: dict[str, Run] = {f"ours, {form}": partial(decide, facts, form) for form in FORMS[:2]}
    for form in FORMS[:2]:
        runs[f"by hand, {form}"] = partial(_by_hand, ruleset, accounts, form)
        runs[f"OpenFisca, {form}, digest included"] = _digested(documented, accounts, form)
        runs[f"OpenFisca, {form}"] = partial(documented.decide, form)
        runs[f"OpenFisca by numbers, {form}, digest included"] = _digested(best, accounts, form)
        runs[f"OpenFisca by numbers, {form}"] = partial(best.decide, form)
    return timed(runs, accounts.height, rounds)


def _digested(system: by_openfisca.System, accounts: pl.DataFrame, form: Form) -> Run:
    def run() -> None:
        system.give(accounts)
        system.decide(form)

    return run


def row_by_row(engine: Engine, sample: Sample, rounds: int) -> Ways:
    """One row at a time, over few rows."""
    return timed(by_rows.runs(engine, sample), by_rows.ROWS, rounds)


def validation(engine: Engine, ruleset: str, rows: int, rounds: int) -> Ways:
    """Accounts as they come, of which 1 % are invalid, judged in columns."""
    accounts = files.frame(KIND_OF[ruleset], rows)
    lazy = by_polars_files.checked(accounts.lazy(), ruleset).select("is_valid")
    runs: dict[str, Run] = {"by hand": lazy.collect}
    runs["ours"] = partial(ours.validation(engine, ruleset), accounts)
    return timed(runs, rows, rounds)


Processes = dict[str, child.Found]


def parquet(folder: Path, rows: int, rounds: int) -> Processes:
    """Parquet to Parquet: checked and decided, by hand and by ours, each in a process of its own."""
    source, out = files.parquet("account_moves", folder, rows), _empty(folder / "out")
    commands: dict[str, Sequence[str]] = {}
    for form in FORMS[::-1]:
        commands[f"by hand, {form}"] = _by_hand_command(source, out, form)
    commands["by hand, complete, morsels of 20,000"] = _by_hand_command(source, out, "complete", 20_000)
    commands["ours, no HTML"] = ours.decisions_alone(EARNINGS, source, _empty(folder / "decisions"))
    commands["ours, with HTML"] = ours.whole_report(EARNINGS, source, folder / "report")
    return child.in_turns(commands, rounds)


def _by_hand_command(source: Path, out: Path, form: Form, morsel: int | None = None) -> list[str]:
    command = ["benchmarks.tables.by_polars_files", EARNINGS, str(source), str(out), form]
    return command if morsel is None else [*command, str(morsel)]


def by_parts(folder: Path, rows: int, rounds: int) -> Processes:
    """Where the time and the memory of the pass by hand go."""
    source, out = files.parquet("account_moves", folder, rows), _empty(folder / "out")
    return child.in_turns(
        {part: ["benchmarks.tables.parts", part, str(source), str(out)] for part in parts.PARTS}, rounds
    )


def morsels(folder: Path, rows: int, rounds: int) -> Processes:
    """The pass by hand with morsels and row groups of several sizes."""
    out, commands = _empty(folder / "out"), {}
    for group in ROW_GROUPS:
        source = files.parquet("account_moves", folder, rows, group)
        for morsel in MORSELS if group == ROW_GROUP else (MORSELS[0], 20_000):
            commands[f"row groups of {group:,}, morsels of {morsel:,}"] = _by_hand_command(
                source, out, "complete", morsel
            )
    return child.in_turns(commands, rounds)


def texts(folder: Path, sizes: Sequence[int], rounds: int) -> Processes:
    """JSON Lines and CSV of several sizes, by ours."""
    write: Mapping[str, Callable[[str, Path, int], Path]] = {"JSON Lines": files.jsonl, "CSV": files.csv}
    commands = {}
    for what, make in write.items():
        for rows in sizes:
            source = make("account_move_texts", folder, rows)
            commands[f"{what}, {rows:,} rows"] = ours.decisions_alone(EARNINGS, source, _empty(folder / "decisions"))
    return child.in_turns(commands, rounds)


def accounted(folder: Path, rows: int) -> dict[str, dict[str, int]]:
    """How many rows there are, and what became of them, by hand and by ours."""
    source, out = files.parquet("account_moves", folder, rows), _empty(folder / "out")
    by_polars_files.run(EARNINGS, source, out)
    found = {"by hand": _counts(out)}
    decisions = _empty(folder / "decisions")
    child.in_turns({"ours": ours.decisions_alone(EARNINGS, source, decisions)}, 1)
    found["ours"] = _counts(decisions)
    for who, counts in found.items():
        if counts["valid"] + counts["invalid"] != rows or counts != found["by hand"]:
            raise AssertionError(f"{who}: {counts} of {rows} rows, by hand {found['by hand']}")
    return found


def _counts(folder: Path) -> dict[str, int]:
    valid, invalid = (pl.scan_parquet(folder / f"{name}.parquet") for name in ("decisions", "invalid"))
    status = pl.col("new_account_bonus.status").cast(pl.String)
    counted = valid.select(valid=pl.len(), undetermined=(status == "undetermined").sum()).collect(engine="streaming")
    return {**counted.row(0, named=True), "invalid": invalid.select(pl.len()).collect().item()}


def _empty(folder: Path) -> Path:
    """A folder with no file in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    return folder
