"""What rulesets there are, and all of one: its versions with rules in words, sources, readings, questions, schema and digest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from policy_engine.language.rulesets import DecisionLogic, Period, Reading, Ruleset, Source
from policy_engine.reports.rule_pages import GENERATED, page_of


def overview(versions: Sequence[Ruleset]) -> dict[str, object]:
    """A ruleset in short, in JSON types."""
    newest = versions[-1]
    return {
        "id": newest.id,
        "title": newest.title,
        "versions": [{"version": each.version, **_period(each.period), "digest": each.digest} for each in versions],
        "decisions": [{"name": logic.name, "question": logic.question} for logic in newest.decisions],
    }


def whole(versions: Sequence[Ruleset]) -> dict[str, object]:
    """A ruleset with all that its versions say, the oldest first, and `page`: the rules in words, as Markdown."""
    newest = versions[-1]
    page = page_of(versions).removeprefix(GENERATED).lstrip()
    return {"id": newest.id, "title": newest.title, "versions": list(map(_version, versions)), "page": page}


def _version(ruleset: Ruleset) -> dict[str, object]:
    return {
        "version": ruleset.version,
        **_period(ruleset.period),
        "timezone": ruleset.timezone,
        "digest": ruleset.digest,
        "decisions": list(map(_decision, ruleset.decisions)),
        "readings": list(map(_reading, ruleset.readings)),
        "sources": list(map(_source, ruleset.sources)),
        "facts": json.loads(ruleset.facts.document),
    }


def _period(period: Period) -> dict[str, object]:
    """The first day, and the day before which it ends; null for what is open."""
    return {
        "from": None if period.start == date.min else period.start.isoformat(),
        "until": period.end and period.end.isoformat(),
    }


def _decision(logic: DecisionLogic) -> dict[str, object]:
    return {
        "name": logic.name,
        "question": logic.question,
        "outcomes": list(logic.outcomes),
        "collects": logic.collects,
        "values": [name for name, _ in logic.answer_types],
        "sources": list(logic.sources),
        "readings": list(logic.readings),
    }


def _reading(reading: Reading) -> dict[str, object]:
    return {
        "name": reading.name,
        "question": reading.question,
        "choice": reading.choice,
        "fixed": reading.fixed,
        "choices": {choice.name: choice.argument for choice in reading.choices},
    }


def _source(source: Source) -> dict[str, object]:
    updated = source.updated and source.updated.isoformat()
    return {"id": source.id, "title": source.title, "number": source.number, "updated": updated, "url": source.url}
