"""Runs every benchmark and writes RESULTS.md and results.json: `python -m benchmarks [--quick]`."""

from __future__ import annotations

import json
import sys
from typing import Any, TypeVar

from benchmarks import generated, measures, processes
from benchmarks.machine import machine
from benchmarks.measures import Asked
from benchmarks.peers import versions
from benchmarks.questions import QUESTIONS, ROOT, check_by_hand, facts_for, load_engine
from benchmarks.report import report

HERE = ROOT / "benchmarks"
T = TypeVar("T")
STEPS = (10, 100, 1_000, 10_000)


def main(quick: bool) -> None:
    """Measure, and write what was found."""
    rounds = 5 if quick else 31
    asked = prepared()
    found: dict[str, Any] = {"machine": machine(), "versions": versions(), "rounds": rounds}
    found["decisions"] = {
        each.question.decision: {
            "fast": measures.row(measures.fast_runs(each), len(each.mix), rounds),
            "slow": measures.row(measures.slow_runs(each), len(each.mix), 3, "trusted"),
        }
        for each in say("the five decisions", asked)
    }
    found["five"] = measures.five_in_turn(say("all five", asked), rounds)
    found["peers"] = {each.question.decision: measures.peers(each, 5) for each in say("other engines", asked)}
    found["sizes"] = {
        "rows of a matrix": measures.sizes(generated.matrix, say("sizes", STEPS), rounds),
        "rules that test one fact": measures.sizes(generated.equalities, STEPS, rounds),
    }
    found["parts"] = {each.question.decision: measures.parts(each, rounds) for each in say("parts", asked)}
    found["loading"] = {
        "100 rulesets of 50 rules": processes.loading(100, 50, say("loading", 3)),
        "1,000 rulesets of 10 rules": processes.loading(1_000, 10, 1),
    }
    found["cold_starts"] = processes.cold_starts(say("cold starts", 5 if quick else 11))
    found["profiles"] = measures.profiles(asked)
    (HERE / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    (HERE / "RESULTS.md").write_text(report(found))


def prepared() -> list[Asked]:
    """The questions with their facts, each answer checked against the one by hand."""
    engine = load_engine()
    asked = [Asked(engine, question, facts_for(engine, question)) for question in QUESTIONS]
    for each in asked:
        check_by_hand(engine, each.question, each.mix)
    return asked


def say(what: str, thing: T) -> T:
    """Tell what is measured next."""
    sys.stderr.write(f"measuring {what}\n")
    return thing


if __name__ == "__main__":
    main("--quick" in sys.argv[1:])
