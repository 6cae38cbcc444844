"""What the templates show: the totals of a report brought together with the words of its rulesets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from policy_engine.language.decisions import Explanation, Status
from policy_engine.language.rulesets import (
    DecisionLogic,
    Matrix,
    Reading,
    Rules,
    Ruleset,
    Source,
)
from policy_engine.language.types import Record, innermost
from policy_engine.language.values import Value
from policy_engine.reports.explanations import Reader, Section, explained
from policy_engine.reports.html.charts import (
    MOST_SERIES,
    Chart,
    Slice,
    looks_of,
    margin_chart,
    strip,
    threshold,
    time_chart,
)
from policy_engine.reports.html.rules import MatrixView, RuleView, matrix_view, rule_views, saying_views
from policy_engine.reports.html.sentences import came_out, settling
from policy_engine.reports.totals import DecisionTotals, MissingFact, NearMiss, ReportTotals, RulesetTotals, Sample

NOTHING_APPLIES = "(nothing applies)"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the report: its name, its SHA-256 digest in hexadecimal, and a note about it, such as its size."""

    name: str
    digest: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One ruleset, what it came to, and the records drawn from its input."""

    ruleset: Ruleset
    totals: RulesetTotals
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `seed` is the one its samples were drawn with; `files` are inputs and outputs with their digests."""

    title: str
    engine_version: str
    totals: ReportTotals
    chapters: tuple[Chapter, ...]
    seed: int
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A name, how many records it has, and the look of its bar."""

    name: str
    count: int
    look: str


@dataclass(frozen=True, slots=True)
class Lack:
    """A fact that is missing, and what the schema says of it."""

    fact: MissingFact
    description: str


@dataclass(frozen=True, slots=True)
class Near:
    """Records close to a threshold, their picture, and where the threshold stands in it, in per cent."""

    near: NearMiss
    chart: Chart
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample with its facts as JSON texts and its explanation in sections."""

    sample: Sample
    facts: Mapping[str, str]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class DecisionView:
    """All that is shown of a decision."""

    anchor: str
    logic: DecisionLogic
    totals: DecisionTotals
    sentences: str
    strip: tuple[Slice, ...]
    outcomes: tuple[Bar, ...]
    is_collect: bool
    rules: tuple[RuleView, ...]
    sayings: tuple[RuleView, ...]
    matrix: MatrixView | None
    lacks: tuple[Lack, ...]
    settling: str
    time: Chart | None
    near: tuple[Near, ...]
    samples: tuple[tuple[str, tuple[Shown, ...]], ...]


@dataclass(frozen=True, slots=True)
class ParameterView:
    """A parameter on the day of the report."""

    name: str
    value: Value
    unit: str
    meaning: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class ReadingView:
    """A reading, the choice taken for the report, and whether that is the ruleset's own."""

    reading: Reading
    choice: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class ChapterView:
    """All that is shown of a ruleset."""

    anchor: str
    ruleset: Ruleset
    totals: RulesetTotals
    decisions: tuple[DecisionView, ...]
    parameters: tuple[ParameterView, ...]
    readings: tuple[ReadingView, ...]


def chapter_views(report: Report) -> tuple[ChapterView, ...]:
    """The chapters of a report as they are shown."""
    return tuple(_chapter(chapter, report.totals.as_of) for chapter in report.chapters)


def _chapter(chapter: Chapter, as_of: date) -> ChapterView:
    ruleset, totals = chapter.ruleset, chapter.totals
    by_name = {decision.decision: decision for decision in totals.decisions}
    return ChapterView(
        anchor=ruleset.id,
        ruleset=ruleset,
        totals=totals,
        decisions=tuple(_decision(chapter, logic, by_name[logic.name], as_of) for logic in ruleset.decisions),
        parameters=tuple(_parameters(ruleset, as_of)),
        readings=tuple(
            ReadingView(reading, totals.readings.get(reading.name, reading.choice), _source(ruleset, reading.source))
            for reading in ruleset.readings
        ),
    )


def _decision(chapter: Chapter, logic: DecisionLogic, totals: DecisionTotals, as_of: date) -> DecisionView:
    looks = looks_of(logic.outcomes if len(logic.outcomes) <= MOST_SERIES else tuple(totals.outcomes))
    outcomes = tuple(_outcomes(logic, totals, looks))
    body = logic.body
    is_collect = isinstance(body, Rules) and body.hit == "collect"
    return DecisionView(
        anchor=f"{chapter.ruleset.id}.{logic.name}",
        logic=logic,
        totals=totals,
        sentences=came_out(logic, totals),
        strip=() if is_collect else strip([(bar.name, bar.count) for bar in outcomes], looks),
        outcomes=outcomes,
        is_collect=is_collect,
        rules=tuple(rule_views(chapter.ruleset, body, totals.rules, as_of)) if isinstance(body, Rules) else (),
        sayings=tuple(saying_views(chapter.ruleset, body, totals.reasons, as_of)) if isinstance(body, Matrix) else (),
        matrix=matrix_view(body, totals.reasons) if isinstance(body, Matrix) else None,
        lacks=tuple(_lacks(chapter.ruleset, totals)),
        settling=settling(totals),
        time=time_chart(totals.over_time, looks) if totals.over_time is not None else None,
        near=tuple(
            Near(near, margin_chart(near), threshold(near))
            for near in chapter.totals.near_misses
            if near.decision == logic.name
        ),
        samples=tuple(_samples(chapter, logic)),
    )


def _outcomes(logic: DecisionLogic, totals: DecisionTotals, looks: Mapping[str, str]) -> Iterator[Bar]:
    """The outcomes as the ruleset lists them, then what has none; what never came is there with 0."""
    names = [*logic.outcomes, *(name for name in totals.outcomes if name not in logic.outcomes)]
    yield from (Bar(name, totals.outcomes[name], looks[name]) for name in names)
    if logic.body is None:
        yield Bar("(calculated)", totals.statuses[Status.DECIDED], "s1")
    if isinstance(logic.body, Rules) and logic.body.hit == "collect":
        yield Bar(NOTHING_APPLIES, totals.nothing_applies, looks[NOTHING_APPLIES])
    yield Bar("(undetermined)", totals.statuses[Status.UNDETERMINED], looks["(undetermined)"])
    if totals.statuses[Status.GAP] or can_gap(logic.body):
        yield Bar("(gap)", totals.statuses[Status.GAP], looks["(gap)"])


def can_gap(body: Rules | Matrix | None) -> bool:
    """Whether a decision can fall into a gap: only where the first true rule decides and nothing stands behind them."""
    return isinstance(body, Rules) and body.hit == "first" and body.otherwise is None


def _lacks(ruleset: Ruleset, totals: DecisionTotals) -> Iterator[Lack]:
    descriptions = dict(_descriptions(ruleset.facts.type, ""))
    yield from (Lack(fact, descriptions.get(fact.path, "")) for fact in totals.missing)


def _descriptions(record: Record, prefix: str) -> Iterator[tuple[str, str]]:
    for member in record.members:
        yield prefix + member.name, member.description
        kind = innermost(member.type)
        if isinstance(kind, Record):
            yield from _descriptions(kind, f"{prefix}{member.name}.")


def _samples(chapter: Chapter, logic: DecisionLogic) -> Iterator[tuple[str, tuple[Shown, ...]]]:
    """The samples of a decision by stratum."""
    own = [sample for sample in chapter.samples if sample.decision == logic.name]
    for stratum, group in groupby(sorted(own, key=lambda s: (s.stratum, s.row)), key=lambda s: s.stratum):
        yield stratum, tuple(_shown(chapter.ruleset, sample) for sample in group)


def _shown(ruleset: Ruleset, sample: Sample) -> Shown:
    facts = {name: json.dumps(value, ensure_ascii=False, default=str) for name, value in sample.facts.items()}
    return Shown(sample, facts, explained(_placed(sample.explanation), ruleset, Reader.AUDITOR))


def _placed(explanation: Explanation) -> Explanation:
    """An explanation whose places name files without their folders, so that a report reads alike wherever it is made."""
    trace = explanation.trace
    rules = tuple(rule._replace(place=rule.place.replace("\\", "/").rpartition("/")[2]) for rule in trace.rules)
    placed = trace._replace(rules=rules, used=tuple(map(_placed, trace.used)))
    return Explanation(explanation.decision, placed)


def _parameters(ruleset: Ruleset, as_of: date) -> Iterable[ParameterView]:
    for parameter in ruleset.parameters:
        value = next(value.value for value in parameter.values if as_of in value.period)
        source = _source(ruleset, parameter.source)
        yield ParameterView(parameter.name, value, parameter.unit or "", parameter.meaning or "", source)


def _source(ruleset: Ruleset, id_: str | None) -> Source | None:
    return next((source for source in ruleset.sources if source.id == id_), None)
