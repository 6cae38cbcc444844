"""What the templates show: the totals of a report with the texts of its rulesets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate, groupby

from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import DecisionLogic, Matrix, Rules, Ruleset, Source
from policy_engine.language.specialize import parameters_on
from policy_engine.language.traces import Explanation
from policy_engine.language.values import Value, to_json
from policy_engine.reports.arguments import AUDITOR
from policy_engine.reports.counting import CALCULATED, NOTHING_APPLIES
from policy_engine.reports.explanations import Reader, Section, explained
from policy_engine.reports.html.charts import MOST_SERIES, Chart, Slice, looks_of, strip, time_chart
from policy_engine.reports.html.rules import MatrixView, RuleView, matrix_view, rule_views, saying_views
from policy_engine.reports.html.sentences import came_out, trials_in_words
from policy_engine.reports.manifest import Digested, FetchedRows
from policy_engine.reports.rule_pages import members_below
from policy_engine.reports.totals import DecisionTotals, NearMiss, ReportTotals, RulesetTotals, Sample


@dataclass(frozen=True, slots=True)
class Chapter:
    """One ruleset, what it came to, the records drawn from its input, and the sensitive facts that are withheld."""

    ruleset: Ruleset
    totals: RulesetTotals
    samples: tuple[Sample, ...]
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `seed` is the one its samples were drawn with; `files` are inputs and outputs with their digests.

    `fetched` are the rows that came from databases. `unmet` has a sentence for each gate that is not met; `settings` is what the
    report says of itself. One that is `brief` has no chapters, only what they come to.
    """

    engine_version: str
    totals: ReportTotals
    chapters: tuple[Chapter, ...]
    seed: int
    files: tuple[Digested, ...]
    fetched: tuple[FetchedRows, ...] = ()
    unmet: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    audience: str = AUDITOR
    brief: bool = False

    @property
    def title(self) -> str:
        """The title that was given, or that of the only ruleset."""
        own = self.chapters[0].ruleset.title if len(self.chapters) == 1 else "Rule report"
        return self.settings.get("title", own)


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample with its facts as JSON texts and its explanation in sections, of which so many lines are left out."""

    sample: Sample
    facts: Mapping[str, str]
    sections: tuple[Section, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class DecisionView:
    """All that is shown of a decision. `outcomes` has the count of each; `looks` how each is drawn."""

    anchor: str
    logic: DecisionLogic
    totals: DecisionTotals
    sentences: str
    strip: tuple[Slice, ...]
    outcomes: tuple[tuple[str, int], ...]
    looks: Mapping[str, str]
    rules: tuple[RuleView, ...]
    sayings: tuple[RuleView, ...]
    matrix: MatrixView | None
    trials: str
    time: Chart | None
    near: tuple[NearMiss, ...]
    samples: tuple[tuple[str, tuple[Shown, ...]], ...]


@dataclass(frozen=True, slots=True)
class ChapterView:
    """All that is shown of a ruleset: the values of its parameters by name, its sources by id, descriptions by path."""

    anchor: str
    ruleset: Ruleset
    totals: RulesetTotals
    decisions: tuple[DecisionView, ...]
    values: Mapping[str, Value]
    sources: Mapping[str, Source]
    descriptions: Mapping[str, str]
    withheld: tuple[str, ...]


def chapter_views(report: Report) -> tuple[ChapterView, ...]:
    """The chapters of a report as they are shown."""
    return tuple(_chapter(chapter, report) for chapter in report.chapters)


def _chapter(chapter: Chapter, report: Report) -> ChapterView:
    ruleset, totals, as_of = chapter.ruleset, chapter.totals, report.totals.as_of
    by_name = {decision.decision: decision for decision in totals.decisions}
    return ChapterView(
        anchor=ruleset.id,
        ruleset=ruleset,
        totals=totals,
        decisions=tuple(_decision(chapter, logic, by_name[logic.name], report) for logic in ruleset.decisions),
        values=parameters_on(ruleset, as_of),
        sources={source.id: source for source in ruleset.sources},
        descriptions={path: member.description for path, member in members_below(ruleset.facts.type)},
        withheld=chapter.withheld,
    )


def _decision(chapter: Chapter, logic: DecisionLogic, totals: DecisionTotals, report: Report) -> DecisionView:
    as_of = report.totals.as_of
    ordered = logic.outcomes if len(logic.outcomes) <= MOST_SERIES else tuple(totals.outcomes)
    looks = looks_of(ordered, dict(logic.meanings))
    outcomes = tuple(_outcomes(logic, totals))
    body = logic.body
    return DecisionView(
        anchor=f"{chapter.ruleset.id}.{logic.name}",
        logic=logic,
        totals=totals,
        sentences=came_out(logic, totals),
        strip=() if logic.collects else strip(outcomes, looks),
        outcomes=outcomes,
        looks=looks,
        rules=tuple(rule_views(chapter.ruleset, body, totals.rules, as_of)) if isinstance(body, Rules) else (),
        sayings=tuple(saying_views(chapter.ruleset, body, totals.reasons, as_of)) if isinstance(body, Matrix) else (),
        matrix=matrix_view(body, totals.reasons) if isinstance(body, Matrix) else None,
        trials=trials_in_words(totals),
        time=time_chart(totals.over_time, looks) if totals.over_time is not None else None,
        near=tuple(near for near in chapter.totals.near_misses if near.decision == logic.name),
        samples=tuple(_samples(chapter, logic, Reader(report.audience))),
    )


def _outcomes(logic: DecisionLogic, totals: DecisionTotals) -> Iterator[tuple[str, int]]:
    """The outcomes as the ruleset lists them, then what has no outcome; what never came has 0."""
    names = [*logic.outcomes, *(name for name in totals.outcomes if name not in logic.outcomes)]
    yield from ((name, totals.outcomes[name]) for name in names)
    if logic.body is None:
        yield CALCULATED, totals.statuses[Status.DECIDED]
    if logic.collects:
        yield NOTHING_APPLIES, totals.nothing_applies
    yield "(undetermined)", totals.statuses[Status.UNDETERMINED]
    can_gap = isinstance(logic.body, Rules) and not logic.collects and logic.body.otherwise is None
    if totals.statuses[Status.GAP] or can_gap:
        yield "(gap)", totals.statuses[Status.GAP]


def _samples(chapter: Chapter, logic: DecisionLogic, reader: Reader) -> Iterator[tuple[str, tuple[Shown, ...]]]:
    """The samples of a decision by stratum."""
    own = [sample for sample in chapter.samples if sample.decision == logic.name]
    for stratum, group in groupby(sorted(own, key=lambda s: (s.stratum, s.row)), key=lambda s: s.stratum):
        yield stratum, tuple(_shown(chapter.ruleset, sample, reader) for sample in group)


ELSEWHERE = ("Readings", "Sources", "Ruleset")
"""The sections of an explanation that would stand in each sample of a chapter, which says them once."""
HALF_A_PAGE, WIDE = 112, 38
"""The lines that half a printed page has in its three columns, and the characters of each."""


def _shown(ruleset: Ruleset, sample: Sample, reader: Reader) -> Shown:
    facts = {name: json.dumps(value, ensure_ascii=False, default=to_json) for name, value in sample.facts.items()}
    sections = explained(_placed(sample.explanation), ruleset, reader)
    own = tuple(section for section in sections if section.heading not in ELSEWHERE)
    room = HALF_A_PAGE - sum(_printed(f"{name} {value}") for name, value in facts.items())
    first = tuple(_first(own, room))
    return Shown(sample, facts, first, sum(len(s.lines) for s in own) - sum(len(s.lines) for s in first))


def _first(sections: tuple[Section, ...], room: int) -> Iterator[Section]:
    """The sections up to a number of printed lines."""
    for section in sections:
        ends = accumulate(_printed(line.text) for line in section.lines)
        lines = tuple(line for line, end in zip(section.lines, ends, strict=True) if end <= room)
        if lines:
            yield replace(section, lines=lines)
        room -= 1 + sum(_printed(line.text) for line in section.lines)


def _printed(text: str) -> int:
    """The lines that a text takes in a printed column."""
    return 1 + len(text) // WIDE


def _placed(explanation: Explanation) -> Explanation:
    """The explanation with file names in place of paths, so that a report is the same wherever it is made."""
    trace = explanation.trace
    rules = tuple(rule._replace(place=rule.place.replace("\\", "/").rpartition("/")[2]) for rule in trace.rules)
    placed = trace._replace(rules=rules, used=tuple(map(_placed, trace.used)))
    return Explanation(explanation.decision, placed)
