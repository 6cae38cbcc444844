"""`policy test --mutate`: the faults that no test case would see, each with a case that would."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import Progress

from policy_engine.analysis.case_texts import add_cases, case_text
from policy_engine.analysis.mutants import mutants_of
from policy_engine.analysis.mutation import Fate, Mutation, Tried
from policy_engine.cli.show import console, safe
from policy_engine.errors import CannotRun
from policy_engine.frontend.loader import Rulebook
from policy_engine.frontend.rule_cases import RuleCase


def mutate(
    rulebook: Rulebook, cases: Sequence[RuleCase], tries: int, *, passed: bool, write: bool, fail_under: float | None
) -> bool:
    """Try the mutants of every ruleset that has cases, show the survivors and the score, and tell whether it is enough.

    `cases` pass all. With `write` the cases that kill survivors are added to the test files.
    """
    if not passed:
        console(stderr=True).print(
            "no mutants were made: first all cases have to pass, and with --coverage enough be tried"
        )
    enough = passed
    for ruleset in rulebook.rulesets:
        own = [case for case in cases if case.is_of(ruleset)]
        if own and passed:
            mutation = Mutation(ruleset, own, tries)
            enough &= _show(mutation, list(_with_progress(mutation)), write=write, fail_under=fail_under)
    return enough


def _with_progress(mutation: Mutation) -> Iterator[Tried]:
    """Each mutant, tried, with a bar on a terminal."""
    out, mutants = console(stderr=True), list(mutants_of(mutation.ruleset))
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        yield from map(mutation.tried, progress.track(mutants, description=f"mutants of {mutation.ruleset.id}"))


def _show(mutation: Mutation, tried: Sequence[Tried], *, write: bool, fail_under: float | None) -> bool:
    survivors = [one for one in tried if one.fate is Fate.SURVIVED]
    for one in sorted(survivors, key=lambda one: (one.mutant.span.path, one.mutant.span.line)):
        assert one.case is not None
        console().print(safe(f"{one.mutant.span}: no case fails where {one.mutant.words}; this one would:"))
        show_case(one.case)
    counts = Counter(one.fate for one in tried)
    killed, told = counts[Fate.KILLED], counts[Fate.KILLED] + counts[Fate.SURVIVED]
    console().print(safe(_summary(mutation, killed, told, counts[Fate.NO_DIFFERENCE])))
    enough = not survivors if fail_under is None else 100 * killed >= fail_under * told
    if write and survivors:
        cases = list(mutation.needed(survivors))
        enough &= write_cases(Path(mutation.cases[0].span.path), cases)
    return enough


def show_case(case: RuleCase) -> None:
    """Print a case as a test file has it."""
    for line in case_text(case).splitlines():
        console().print(safe(line), soft_wrap=True)


def write_cases(path: Path, cases: Sequence[RuleCase]) -> bool:
    """Add cases to a test file, and say so, or why it cannot be done; whether it was."""
    try:
        add_cases(path, cases)
    except CannotRun as error:
        console(stderr=True).print(safe(str(error)))
        return False
    console().print(safe(f"{path}: {len(cases)} added; confirm the answer of each"))
    return True


def _summary(mutation: Mutation, killed: int, told: int, same: int) -> str:
    """The score in a sentence; a share that is not all is never 100 %."""
    share = math.floor(1_000 * killed / told) / 10 if told else 100.0
    parts = [f"{mutation.ruleset.id} {mutation.ruleset.version}: {killed} of {told} mutants killed, {share:g}%"]
    if same:
        parts.append(f"of {same} more no difference was found in {mutation.tries:,} tries each")
    if mutation.left_out:
        parts.append(f"{mutation.left_out} cases cannot be tried on mutants")
    return "; ".join(parts)
