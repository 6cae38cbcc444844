"""Gates: what a report must come to, such as at most 1% invalid rows. It is written also where a gate is not met."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from policy_engine.diagnostics import did_you_mean, unknown_name
from policy_engine.errors import CannotRun
from policy_engine.language.rulesets import Ruleset
from policy_engine.reports.arguments import Arguments
from policy_engine.reports.totals import ReportTotals, RulesetTotals

BOUND = re.compile(r"([0-9]{1,12}(?:[.][0-9]{1,6})?)%|([0-9]{1,12})")
EXPECTATION = re.compile(r"\s*([^<>=\s]+)\s*(>=|<=|==)\s*(\S+)\s*")
SIGNS: Mapping[str, tuple[Callable[[Decimal, Decimal], bool], str]] = MappingProxyType(
    {
        "<=": (operator.le, "at most {} may be"),
        ">=": (operator.ge, "at least {} must be"),
        "==": (operator.eq, "exactly {} must be"),
    }
)
MOST_INVALID, MOST_UNDETERMINED, EXPECT = "--max-invalid", "--max-undetermined", "--expect"


@dataclass(frozen=True, slots=True)
class Gate:
    """A bound for a number of rows of one ruleset: those with an outcome of a decision, or the invalid or undetermined ones.

    `asked` is the option as it was given; `bound` is a number of rows, or a share in per cent of `counted_in`.
    """

    asked: str
    ruleset: str
    decision: str
    outcome: str
    sign: str
    bound: Decimal
    is_share: bool

    def unmet(self, totals: RulesetTotals) -> str | None:
        """Why the gate is not met, as a sentence; None where it is."""
        count, whole, kind = self._found(totals)
        compare, wanted = SIGNS[self.sign]
        part, bound = (Decimal(100 * count), self.bound * whole) if self.is_share else (Decimal(count), self.bound)
        if compare(part, bound):
            return None
        said = wanted.format(f"{self.bound}%" if self.is_share else f"{self.bound:,}")
        return f"{self.asked} is not met: {count:,} of {whole:,} {kind}; {said}"

    def _found(self, totals: RulesetTotals) -> tuple[int, int, str]:
        """The number of rows, the rows among which they are counted, and both in words."""
        if not self.decision:
            if self.asked.startswith(MOST_INVALID):
                return totals.invalid, totals.rows, f"rows of `{self.ruleset}` are invalid"
            return totals.undetermined, totals.valid, f"valid rows of `{self.ruleset}` are undetermined"
        outcomes = next(one.outcomes for one in totals.decisions if one.decision == self.decision)
        words = f"valid rows of `{self.ruleset}` are `{self.outcome}` by `{self.decision}`"
        return outcomes[self.outcome], totals.valid, words


def gates_of(arguments: Arguments, rulesets: Sequence[Ruleset]) -> list[Gate]:
    """The gates that the arguments ask for; raises `CannotRun`."""
    found = []
    for option, bound in ((MOST_INVALID, arguments.max_invalid), (MOST_UNDETERMINED, arguments.max_undetermined)):
        if bound is not None:
            limit = _bound(option, bound)
            found += [Gate(f"{option} {bound}", ruleset.id, "", "", "<=", *limit) for ruleset in rulesets]
    return [*found, *(_expected(text, rulesets) for text in arguments.expect)]


def unmet(gates: Sequence[Gate], totals: ReportTotals) -> Iterator[str]:
    """A sentence for each gate that is not met."""
    by_name = {one.ruleset: one for one in totals.rulesets}
    said = (gate.unmet(by_name[gate.ruleset]) for gate in gates)
    return (sentence for sentence in said if sentence is not None)


def _bound(option: str, text: str) -> tuple[Decimal, bool]:
    """A number of rows or a share in per cent, and whether it is a share."""
    matched = BOUND.fullmatch(text)
    if matched is None or (matched[1] and Decimal(matched[1]) > 100):
        raise CannotRun(f"{option}: `{text}` is neither a number of rows, such as 20, nor a share, such as 1% or 0.5%")
    return Decimal(matched[1] or matched[2]), bool(matched[1])


def _expected(text: str, rulesets: Sequence[Ruleset]) -> Gate:
    matched = EXPECTATION.fullmatch(text)
    parts = matched[1].split(".") if matched is not None else []
    if matched is None or len(parts) not in (2, 3):
        example = "shipping.free>=100, with >=, <= or =="
        raise CannotRun(f"{EXPECT}: `{text}` is not of the form DECISION.OUTCOME>=N; write it like {example}")
    ruleset, (decision, outcome) = _ruleset(parts[:-2], parts[-2], rulesets), parts[-2:]
    names = [logic.name for logic in ruleset.decisions]
    if decision not in names:
        raise CannotRun(f"{EXPECT}: {unknown_name('decision', decision, names)}")
    outcomes = ruleset.decision(decision).outcomes
    if outcome not in outcomes:
        hint = did_you_mean(outcome, outcomes) or f"it has {', '.join(outcomes) or 'none, for it is a calculation'}"
        raise CannotRun(f"{EXPECT}: `{decision}` has no outcome `{outcome}`; {hint}")
    return Gate(f"{EXPECT} {text}", ruleset.id, decision, outcome, matched[2], *_bound(EXPECT, matched[3]))


def _ruleset(named: list[str], decision: str, rulesets: Sequence[Ruleset]) -> Ruleset:
    """The ruleset that is named, or the only one that has the decision."""
    by_name = {ruleset.id: ruleset for ruleset in rulesets}
    if named and named[0] not in by_name:
        raise CannotRun(f"{EXPECT}: {unknown_name('ruleset', named[0], list(by_name))}")
    having = [one for one in rulesets if decision in [logic.name for logic in one.decisions]]
    if not named and len(having) > 1:
        several = " and ".join(f"`{one.id}`" for one in having)
        raise CannotRun(f"{EXPECT}: {several} have a decision `{decision}`; write {having[0].id}.{decision}.OUTCOME")
    return by_name[named[0]] if named else having[0] if having else rulesets[0]
