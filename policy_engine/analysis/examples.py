"""Examples of facts: for each decision of a ruleset some about which it is decided, found by trying."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from policy_engine.analysis.suggesting import first_question
from policy_engine.analysis.witnesses import Answering, Nearby, Question, numbers_in
from policy_engine.language.decisions import Status
from policy_engine.language.mentions import expressions_in, graph_of
from policy_engine.language.rulesets import Ruleset

TRIES = 1_000
"""How many sets of facts are tried for a ruleset."""


def examples_of(ruleset: Ruleset, tries: int = TRIES) -> Mapping[str, Question]:
    """A question for each decision, by its name: one that is decided where one was found, else any about valid facts.

    Decisions for which no valid facts were found at all are left out. The same ruleset gives the same examples.
    """
    random, answering, asked = Random(ruleset.id), Answering(ruleset), first_question(ruleset)
    names = [member.name for member in ruleset.facts.type.members]
    near = Nearby(ruleset, names, numbers_in(ruleset, expressions_in(ruleset), graph_of(ruleset)), random)
    found: dict[str, Question] = {}
    starts, open_ = [asked], {logic.name for logic in ruleset.decisions}
    for _ in range(tries if names else 1):
        if answering.is_valid(asked):
            decided = {name for name in open_ if answering.answer(name, asked).status is Status.DECIDED}
            found = dict.fromkeys(open_, asked) | found | dict.fromkeys(decided, asked)
            open_ -= decided
            starts.append(asked)
        if not open_:
            break
        asked = near.drawn(random.choice(starts))
    return {logic.name: found[logic.name] for logic in ruleset.decisions if logic.name in found}
