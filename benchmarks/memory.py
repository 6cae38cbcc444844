"""What an engine holds after very many different questions: `python -m benchmarks.memory [--quick]`.

Every decision of the rulebook is asked on each of 2,000 days, and under each choice of each reading, a million questions in all.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import cycle, islice, product
from pathlib import Path

from benchmarks.questions import load_engine
from policy_engine import Engine, NotInForce, PolicyError
from policy_engine.language.rulesets import Ruleset

FIRST, DAYS, QUESTIONS = date(2022, 1, 1), 2_000, 1_000_000
IN_TURN = 25
"""So many days are asked about under one choice of readings before the next choice."""


def main(questions: int) -> None:
    """Ask, and say how much memory the process holds before, half way and after."""
    engine = load_engine()
    asked = cycle(every_question(engine))
    sys.stdout.write(f"{megabytes():.0f} MB with the rulebook\n")
    for part in range(1, 5):
        failed = sum(not ask(engine, *question) for question in islice(asked, questions // 4))
        gc.collect()
        sys.stdout.write(
            f"{megabytes():.0f} MB after {part * questions // 4:,} questions ({failed:,} in no version's time)\n"
        )
        sys.stdout.flush()


def every_question(engine: Engine) -> Iterator[tuple[str, date, dict[str, str]]]:
    """Decisions, days and readings: stretches of days, and on each all choices of all readings."""
    for start in range(0, DAYS, IN_TURN):
        days = [FIRST + timedelta(start + number) for number in range(IN_TURN)]
        for ruleset in engine.rulebook.rulesets:
            for readings, logic, day in product(choices(ruleset), ruleset.decisions, days):
                yield f"{ruleset.id}.{logic.name}", day, readings


def choices(ruleset: Ruleset) -> list[dict[str, str]]:
    """None, and each choice of each reading that can be switched."""
    return [{}, *({r.name: choice.name} for r in ruleset.readings if not r.fixed for choice in r.choices)]


def ask(engine: Engine, decision: str, day: date, readings: dict[str, str]) -> bool:
    """Ask about nothing that is known; whether some version is in force that has the decision and the reading."""
    try:
        engine.decide(decision, {}, as_of=day, readings=readings, trusted=True)
    except NotInForce:
        return False
    except PolicyError:
        return True
    return True


def megabytes() -> float:
    """What the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main(40_000 if "--quick" in sys.argv[1:] else QUESTIONS)
