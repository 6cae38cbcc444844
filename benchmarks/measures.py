"""The measurements, each as plain numbers that can be written as JSON."""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import generated
from benchmarks.digests import RULELISTS, short
from benchmarks.peers import NAMES_THE_RULE, PEERS, Ask, digest_for, expected
from benchmarks.questions import AS_OF, Question, answer_of
from benchmarks.timing import CPU, WALL, Clock, Run, in_turns, middle, ratio
from policy_engine import Engine
from policy_engine.backends.python import prepare
from policy_engine.facts.fast_validator import validator_of

Mix = list[dict[str, Any]]
Row = dict[str, dict[str, float]]
"""For each way of working: nanoseconds for one decision, and the ratio to the first way."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its facts."""

    engine: Engine
    question: Question
    mix: Mix

    def by_hand(self) -> None:
        """Ask the function written by hand."""
        ask = self.question.by_hand
        for facts in self.mix:
            ask(facts, AS_OF)

    def ours(self, *, trusted: bool) -> None:
        """Ask the engine."""
        decide, decision = self.engine.decide, self.question.decision
        for facts in self.mix:
            decide(decision, facts, as_of=AS_OF, trusted=trusted)

    def ours_all_read(self) -> None:
        """Ask the engine and read all that the function by hand gives: also the values, and what is missing."""
        decide, decision = self.engine.decide, self.question.decision
        for facts in self.mix:
            answer = decide(decision, facts, as_of=AS_OF, trusted=True)
            answer.values  # noqa: B018  # only read
            answer.missing  # noqa: B018  # where anything is, reading it works it out

    def ours_missing(self) -> None:
        """Ask the engine and read what is missing, if anything is."""
        decide, decision = self.engine.decide, self.question.decision
        for facts in self.mix:
            decide(decision, facts, as_of=AS_OF, trusted=True).missing  # noqa: B018  # reading it works it out

    def ours_reason(self) -> None:
        """Ask the engine and read the reason in words."""
        decide, decision = self.engine.decide, self.question.decision
        for facts in self.mix:
            decide(decision, facts, as_of=AS_OF, trusted=True).reason  # noqa: B018  # reading it works it out

    def ours_json(self) -> None:
        """Ask the engine and write the answer as JSON."""
        decide, decision = self.engine.decide, self.question.decision
        for facts in self.mix:
            decide(decision, facts, as_of=AS_OF, trusted=True).to_json()

    def ours_many(self) -> None:
        """Ask the engine about all facts with one call."""
        for _ in self.engine.decide_many(self.question.decision, self.mix, as_of=AS_OF, trusted=True):
            pass

    def ours_whole_ruleset(self) -> None:
        """Ask for every decision of the ruleset."""
        decide_all, ruleset = self.engine.decide_all, self.question.ruleset
        for facts in self.mix:
            decide_all(ruleset, facts, as_of=AS_OF, trusted=True)

    def ours_explained(self) -> None:
        """Ask for the decision and its trace."""
        explain, decision = self.engine.explain, self.question.decision
        for facts in self.mix:
            explain(decision, facts, as_of=AS_OF)

    def ours_explained_as_objects(self) -> None:
        """Ask for the decision and its trace, and look at the trace."""
        explain, decision = self.engine.explain, self.question.decision
        for facts in self.mix:
            explain(decision, facts, as_of=AS_OF).trace  # noqa: B018  # reading it makes its objects

    def ours_explained_and_told(self) -> None:
        """Ask for the decision and its trace, and have all of it in JSON types."""
        explain, decision = self.engine.explain, self.question.decision
        for facts in self.mix:
            explain(decision, facts, as_of=AS_OF).to_dict()


def row(runs: Mapping[str, Run], count: int, rounds: int, base: str = "by hand", clock: Clock = CPU) -> Row:
    """Time the ways of working in turns."""
    found = in_turns(runs, rounds, clock)
    return {name: {"ns": middle(found, name, count), "ratio": ratio(found, name, base)} for name in runs}


def fast_runs(asked: Asked) -> dict[str, Run]:
    """The ways that cost about as much as the function by hand."""
    return {
        "by hand": asked.by_hand,
        "trusted": partial(asked.ours, trusted=True),
        "validated": partial(asked.ours, trusted=False),
        "values and missing read": asked.ours_all_read,
        "decide_many": asked.ours_many,
        "decide_all": asked.ours_whole_ruleset,
    }


def slow_runs(asked: Asked) -> dict[str, Run]:
    """The ways that ask for more than the decision."""
    return {
        "trusted": partial(asked.ours, trusted=True),
        "with missing": asked.ours_missing,
        "with reason": asked.ours_reason,
        "to_json": asked.ours_json,
        "explain": asked.ours_explained,
        "explain, as objects": asked.ours_explained_as_objects,
        "explain, as JSON types": asked.ours_explained_and_told,
    }


def together(asked: Iterable[Asked], name: str) -> Run:
    """One way of working, for all questions."""
    runs = [{**fast_runs(each), **slow_runs(each)}[name] for each in asked]

    def run() -> None:
        for each in runs:
            each()

    return run


def five_in_turn(asked: list[Asked], rounds: int) -> dict[str, Row]:
    """All five decisions, one call each, about one of each's facts."""
    count = len(asked[0].mix)
    fast = row({name: together(asked, name) for name in fast_runs(asked[0])}, count, rounds)
    slow = row({name: together(asked, name) for name in slow_runs(asked[0])}, count, max(3, rounds // 5), "trusted")
    return {"fast": fast, "slow": slow}


def peers(asked: Asked, rounds: int) -> Row:
    """Every other engine that can express the decision, in turns with ours and with the digest that theirs leave out."""
    rulelist, name = RULELISTS[asked.question.name], asked.question.name
    known = [facts for facts in asked.mix if asked.question.by_hand(facts, AS_OF).status == "decided"]
    runs: dict[str, Run] = {"ours, trusted": partial(asked.ours, trusted=True)}
    for peer, made_ready in PEERS.items():
        ask = made_ready(name, rulelist)
        if ask is not None:
            runs[peer] = _peer_run(asked, peer, ask, asked.mix if peer in NAMES_THE_RULE else known)
    runs["(the digest alone)"] = lambda: [rulelist.digest(facts, AS_OF) for facts in asked.mix]
    return row(runs, len(asked.mix), rounds, "ours, trusted", WALL)


def _peer_run(asked: Asked, peer: str, ask: Ask, mix: Mix) -> Run:
    """Check an engine's answers against ours; then a run that asks it as often as ours is asked."""
    rulelist = RULELISTS[asked.question.name]
    digests = [digest_for(peer, rulelist.digest(facts, AS_OF)) for facts in mix]
    for facts, digest in zip(mix, digests, strict=True):
        ours = answer_of(asked.engine.decide(asked.question.decision, facts, as_of=AS_OF))
        if ask(digest) != expected(peer, short(ours)):
            raise AssertionError(f"{peer}: {asked.question.decision}: {facts}: {ask(digest)} is not {short(ours)}")
    again = [*digests, *digests][: len(asked.mix)]

    def run() -> None:
        for digest in again:
            ask(digest)

    return run


def sizes(make: Callable[[Path, str, int], None], steps: Iterable[int], rounds: int) -> dict[str, dict[str, float]]:
    """One decision over ever larger rulesets: the last row, the first and one between, in turns."""
    runs: dict[str, Run] = {}
    loads: dict[str, float] = {}
    for size in steps:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), "sized", size)
            start = perf_counter()
            engine = Engine.load(Path(folder) / "rules", Path(folder) / "schemas")
            loads[str(size)] = perf_counter() - start
        runs[str(size)] = _sized_run(engine, size)
    found = in_turns(runs, rounds)
    base = next(iter(runs))
    return {
        size: {"ns": middle(found, size, 100), "ratio": ratio(found, size, base), "load_s": loads[size]}
        for size in runs
    }


def _sized_run(engine: Engine, size: int) -> Run:
    places = [0, size // 2, size - 1, size // 3]
    mix = [{"item": f"v{places[index % 4]}", "side": ("left", "right")[index // 4 % 2]} for index in range(100)]
    day = date(2025, 1, 1)

    def run() -> None:
        for facts in mix:
            engine.decide("sized.answer", facts, as_of=day, trusted=True)

    return run


def parts(asked: Asked, rounds: int) -> Row:
    """A decision taken apart: the generated function, the schema's validation, and the checks with the dates they read."""
    ruleset = asked.engine.ruleset(asked.question.ruleset, AS_OF)
    program = prepare(ruleset, {}, AS_OF)
    decide, checks, validator = (
        program.decide(asked.question.name),
        program.checks(),
        validator_of(ruleset.facts.document),
    )
    mix = asked.mix
    runs: dict[str, Run] = {
        "by hand": asked.by_hand,
        "generated function alone": lambda: [decide(facts, AS_OF) for facts in mix],
        "Engine.decide, trusted": partial(asked.ours, trusted=True),
        "schema alone": lambda: [validator(facts) for facts in mix],
        "checks and dates alone": lambda: [checks(facts, AS_OF) for facts in mix],
        "Engine.decide, validated": partial(asked.ours, trusted=False),
    }
    return row(runs, len(mix), rounds)


def profiles(asked: list[Asked]) -> dict[str, list[dict[str, Any]]]:
    """Where the time goes in what is slow."""
    first = asked[0]
    with tempfile.TemporaryDirectory() as folder:
        for index in range(20):
            generated.mixed(Path(folder), f"ruleset{index}", 50, index)
        load = partial(Engine.load, Path(folder) / "rules", Path(folder) / "schemas")
        return {
            f"{first.question.decision}, `.missing` read": profile(first.ours_missing),
            f"{first.question.decision}, `explain`": profile(first.ours_explained),
            "loading 20 rulesets of 50 rules": profile(load),
        }


def profile(run: Run, lines: int = 8) -> list[dict[str, Any]]:
    """Where the time goes: the functions with the most time of their own."""
    profiler = cProfile.Profile()
    profiler.runcall(run)
    stats: Mapping[Any, Any] = pstats.Stats(profiler).stats  # type: ignore[attr-defined]  # typeshed leaves it out
    total = sum(own for _, _, own, _, _ in stats.values())
    top = sorted(stats.items(), key=lambda item: item[1][2], reverse=True)[:lines]
    return [
        {"function": f"{Path(file).name}:{name}", "calls": calls, "own": own / total, "with callees": whole / total}
        for (file, _, name), (_, calls, own, whole, _) in top
    ]
