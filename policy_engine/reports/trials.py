"""Which single fact would decide undetermined records: found by asking again with that fact filled in.

The missing facts of a record do not say it: one fact may decide a record that misses several, where a rule needs only one of
them; and another fact may be needed once the first is there. So a sample of the records is tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from policy_engine.engine import Engine
from policy_engine.facts.candidates import Candidates, candidates, filled_in
from policy_engine.language.decisions import Status
from policy_engine.reports.jobs import Job
from policy_engine.reports.sampling import Draw
from policy_engine.reports.totals import Trials

TRIED = 100
"""The number of undetermined records of a decision that are tried."""


def trials_of(engine: Engine, job: Job, draw: Draw) -> dict[str, Trials]:
    """The trials of each decision, over a sample of its undetermined records."""
    values = candidates(job.ruleset, job.program.as_of)
    found: dict[str, Trials] = {}
    for (decision, _), kept in draw.drawn.items():
        settled = Counter(tuple(_deciding_facts(engine, job, decision, facts, values)) for _, _, facts in kept)
        alternatives = {paths: count for paths, count in settled.items() if paths}
        deciding: Counter[str] = Counter()
        for paths, count in alternatives.items():
            deciding.update(dict.fromkeys(paths, count))
        found[decision] = Trials(len(kept), dict(deciding), alternatives)
    return found


def _deciding_facts(
    engine: Engine, job: Job, decision: str, facts: dict[str, Any], values: Candidates
) -> Iterator[str]:
    """The missing facts of a record each of which decides it alone."""
    ruleset, as_of, readings = job.ruleset.id, job.program.as_of, job.readings
    name = f"{ruleset}.{decision}"
    for path in engine.decide(name, facts, as_of=as_of, readings=readings).missing:
        is_decided = False
        for changed in filled_in(facts, job.ruleset.facts.type, path, values):
            if not engine.is_valid(ruleset, changed, as_of=as_of, readings=readings):
                continue  # this value does not go with the record's other facts
            answer = engine.decide(name, changed, as_of=as_of, readings=readings, trusted=True)
            is_decided = answer.status is Status.DECIDED
            if not is_decided:
                break
        if is_decided:
            yield path
