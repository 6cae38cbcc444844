"""Runs every benchmark of tables and writes RESULTS.md and results.json: `python -m benchmarks.tables [--quick]`."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from typing import Any, TypeVar

from benchmarks.machine import machine
from benchmarks.tables import by_duckdb, by_openfisca, measures, ours
from benchmarks.tables.agreement import KIND_OF, SAMPLE, sample
from benchmarks.tables.child import ROOT
from benchmarks.tables.report import report

HERE = ROOT / "benchmarks" / "tables"
FOLDER = ROOT / "build" / "tables"
"""The accounts are kept here between runs."""
PACKAGES = ("polars", "duckdb", "OpenFisca-Core", "numpy", "pandas", "zen-engine")
T = TypeVar("T")


def main(quick: bool) -> None:
    """Check, measure, and write what was found."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    in_memory, in_files, rounds, few = (200_000, 1_000_000, 3, 1) if quick else (1_000_000, 10_000_000, 9, 3)
    texts = (100_000,) if quick else (1_000_000, 3_000_000)
    engine = ours.load_engine()
    samples = {ruleset: sample(engine, ruleset) for ruleset in say("that all agree", KIND_OF)}
    for one in samples.values():
        measures.check_peers(engine, one)
    found: dict[str, Any] = {"machine": machine(), "versions": {name: version(name) for name in PACKAGES}}
    sizes = {"memory": in_memory, "files": in_files, "rounds": rounds, "file rounds": few, "sample": SAMPLE}
    found |= {"sizes": sizes, "duckdb": by_duckdb.RULESETS}
    found["memory"] = {one: measures.in_memory(engine, one, in_memory, rounds) for one in say("memory", KIND_OF)}
    found["validation"] = {one: measures.validation(engine, one, in_memory, rounds) for one in say("checks", KIND_OF)}
    found["openfisca"] = {
        one: measures.openfisca(engine, one, in_memory, rounds) for one in say("OpenFisca", by_openfisca.DECISIONS)
    }
    found["rows"] = {name: measures.row_by_row(engine, one, few) for name, one in say("rows", samples).items()}
    found["accounted"] = measures.accounted(FOLDER, say("that all rows are accounted for", in_files))
    found["parquet"] = _paced(measures.parquet(FOLDER, say("Parquet", in_files), few), in_files)
    found["parts"] = _paced(measures.by_parts(FOLDER, say("parts", in_files), few), in_files)
    found["morsels"] = _paced(measures.morsels(FOLDER, say("morsels", in_files), few), in_files)
    found["texts"] = measures.texts(FOLDER, say("JSON Lines and CSV", texts), few)
    for name, one in found["texts"].items():
        one["rows_s"] = int(name.split(", ", 1)[1].removesuffix(" rows").replace(",", "")) / one["seconds"]
    (HERE / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    (HERE / "RESULTS.md").write_text(report(found))


def _paced(processes: measures.Processes, rows: int) -> measures.Processes:
    return {name: {**one, "rows_s": rows / one["seconds"]} for name, one in processes.items()}


def say(what: str, thing: T) -> T:
    """Tell what is measured next."""
    sys.stderr.write(f"measuring {what}\n")
    return thing


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
