"""Reports to look at: facts drawn at random, decided one by one, and laid out as the files of a report."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from policy_engine.engine import Engine
from policy_engine.errors import FactsError
from policy_engine.language.decisions import Decision, Status
from policy_engine.language.rulesets import DecisionLogic, Matrix, Rules, Ruleset, conclusions_of
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Type
from policy_engine.reports.counting import ELSE, Over, reasons_of, ruleset_totals
from policy_engine.reports.html import Chapter, Report
from policy_engine.reports.manifest import Digested
from policy_engine.reports.totals import MarginBucket, MarginExample, NearMiss, ReportTotals, Sample
from tests.conftest import ROOT
from tests.support.rulebook import shipped

DAY = date(2025, 6, 30)
Facts = dict[str, Any]

VIOLATIONS = pl.List(
    pl.Struct(dict.fromkeys(("pointer", "value", "keyword", "expected", "message", "description"), pl.String()))
)
INVALID = {"row": pl.UInt32(), "key": pl.String(), "violations": VIOLATIONS}


@dataclass(frozen=True)
class Decided:
    """Where the files of one ruleset lie, and the records they are about."""

    ruleset: Ruleset
    decisions: Path
    invalid: Path
    facts: Sequence[Facts]


def decided(
    engine: Engine, name: str, records: Sequence[Facts], folder: Path, *, over: str | None = None, day: date = DAY
) -> Decided:
    """Decide records one by one and write `decisions.parquet` and `invalid.parquet` below a folder."""
    ruleset = engine.ruleset(name, day)
    key = next((member.name for member in ruleset.facts.type.members if member.key), None)
    good: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    for row, facts in enumerate(records, start=1):
        named = facts.get(key) if key else None
        try:
            answers = engine.decide_all(name, facts, as_of=day)
        except FactsError as error:
            told = [{**v.to_dict(), "value": json.dumps(v.value)} for v in error.violations]
            wrong.append({"row": row, "key": named, "violations": told})
        else:
            good.append(
                {"row": row, key or "key": named}
                | {f"{logic.name}.{part}": v for logic in ruleset.decisions for part, v in _cells(logic, answers)}
                | ({over: facts.get(over)} if over else {})
            )
    schema = {"row": pl.UInt32(), key or "key": pl.String(), **dict(_columns(ruleset))} | (
        {over: pl.String()} if over else {}
    )
    table = pl.DataFrame(good, schema=schema)
    folder.mkdir(parents=True, exist_ok=True)
    table.with_columns(pl.col(over).str.to_date() if over else []).write_parquet(folder / "decisions.parquet")
    pl.DataFrame(wrong, schema=INVALID).write_parquet(folder / "invalid.parquet")
    return Decided(ruleset, folder / "decisions.parquet", folder / "invalid.parquet", records)


def _cells(logic: DecisionLogic, answers: Mapping[str, Decision]) -> Iterator[tuple[str, object]]:
    """What a record's row holds about a decision."""
    answer = answers[logic.name]
    is_decided = answer.status is Status.DECIDED
    yield "status", str(answer.status)
    if isinstance(logic.body, Rules) and logic.body.hit == "collect":
        yield "outcome", list(answer.outcome or ()) if is_decided else None
        yield "rule", list(answer.rules) if is_decided else None
    elif logic.body is not None:
        yield "outcome", answer.outcome
        yield "rule", answer.rules[0] if is_decided else None
        yield "reason", _reason(logic, answer) if is_decided else None
    yield from ((f"values.{name}", value) for name, value in answer.values.items())
    yield "missing", list(answer.missing) if answer.status is Status.UNDETERMINED else None


def _reason(logic: DecisionLogic, answer: Decision) -> str:
    if isinstance(logic.body, Matrix):
        cell = next(cell for cell in logic.body.cells if cell.id == answer.rules[0])
        return cell.id if answer.outcome == cell.then.outcome else f"{cell.id}{ELSE}"
    return answer.rules[0]


def _columns(ruleset: Ruleset) -> Iterator[tuple[str, pl.DataType]]:
    for logic in ruleset.decisions:
        yield f"{logic.name}.status", pl.Enum(list(map(str, Status)))
        if isinstance(logic.body, Rules) and logic.body.hit == "collect":
            yield from ((f"{logic.name}.{part}", pl.List(pl.String())) for part in ("outcome", "rule"))
        elif logic.body is not None:
            yield f"{logic.name}.outcome", pl.Enum(logic.outcomes)
            yield f"{logic.name}.rule", pl.Enum(list(dict.fromkeys(id_ for id_, _ in conclusions_of(logic.body))))
            yield f"{logic.name}.reason", pl.Enum(list(reasons_of(logic)))
        yield from ((f"{logic.name}.values.{name}", _dtype(kind)) for name, kind in logic.value_types)
        yield f"{logic.name}.missing", pl.List(pl.String())


def _dtype(kind: Type) -> pl.DataType:
    match kind:
        case Boolean():
            return pl.Boolean()
        case Number(places=0):
            return pl.Int64()
        case Number(places=places):
            return pl.Decimal(38, places)
        case Date():
            return pl.Date()
        case Instant():
            return pl.Datetime("us", "UTC")
        case ListOf(element=element):
            return pl.List(_dtype(element))
        case _:
            return pl.String()


def _some_day(chance: random.Random, first: date, days: int) -> str:
    return (first + timedelta(chance.randrange(days))).isoformat()


def account_moves(count: int, seed: int = 6) -> list[Facts]:
    """Moves under a partnership; one in fifty is wrong, and one in twelve lacks what it needs."""
    chance = random.Random(seed)
    return [_account_move(chance, number) for number in range(count)]


def _account_move(chance: random.Random, number: int) -> Facts:
    moved = date(2022, 1, 1) + timedelta(int(1270 * chance.random() ** 0.6))
    facts: Facts = {
        "account_id": f"AC-{100_000 + number}",
        "destination_category": chance.choice(["referred", "referred", "managed"]),
        "move_effective_date": moved.isoformat(),
        "partner_deployment_date": (moved - timedelta(int(chance.expovariate(1 / 160)))).isoformat(),
        "customer_conversion_date": (moved - timedelta(int(chance.gauss(70, 60)))).isoformat(),
    }
    if chance.random() < 0.08:
        del facts["move_effective_date"]
    if chance.random() < 0.25:
        del facts["customer_conversion_date"]
    if facts["destination_category"] == "managed" and chance.random() < 0.15:
        facts["enrolled_in_single_bill"] = True
    wrong: list[Facts] = [
        {"destination_category": "partner"},
        {"partner_deployment_date": "2025-02-30"},
        {"move_effective_date": "13/05/2024"},
        {"partner_deployment_date": "2025-06-29", "move_effective_date": "2024-06-29"},
        {"enrolled_in_single_bill": "no"},
    ]
    return facts | (chance.choice(wrong) if chance.random() < 0.02 else {})


def role_questions(count: int, seed: int = 6) -> list[Facts]:
    """Questions about the permissions of users; some do not say who asks or where."""
    chance = random.Random(seed)
    schema = json.loads((ROOT / "schemas/role_question.schema.json").read_text("utf-8"))["properties"]
    return [_role_question(chance, schema, number) for number in range(count)]


def _role_question(chance: random.Random, schema: Mapping[str, Any], number: int) -> Facts:
    facts: Facts = {"question_id": f"RQ-{number:05}"}
    for name, member in schema.items():
        if "enum" in member and chance.random() > 0.03:
            facts[name] = chance.choice(member["enum"])
        elif member["type"] == "boolean" and chance.random() > 0.2:
            facts[name] = chance.random() < 0.5
    if chance.random() < 0.01:
        facts["role"] = "intern"
    return facts


def lgc_questions(count: int) -> list[Facts]:
    """Questions about another product's permissions: those of its fixture, over and over."""
    lines = (ROOT / "fixtures/lgc_roles.jsonl").read_text("utf-8").splitlines()
    return [json.loads(lines[number % len(lines)]) for number in range(count)]


def senders(count: int, seed: int = 6) -> list[Facts]:
    """Clients with a history of statuses."""
    chance = random.Random(seed)
    return [_sender(chance, number) for number in range(count)]


def _sender(chance: random.Random, number: int) -> Facts:
    statuses = chance.choices(["Healthy", "At Risk", "Unhealthy", "Limited", "New"], [6, 3, 2, 1, 1], k=5)
    history = [{"since": _some_day(chance, date(2024, 9, 1), 330), "status": s} for s in statuses]
    facts: Facts = {
        "account_id": f"CL-{number:06}",
        "sender_status_history": history[: chance.randrange(0, 5)],
        "actor": chance.choice(["agency_administrator", "agency_administrator", "agency_other", "client_user"]),
        "has_access_to_client": chance.random() < 0.9,
        "suppression_is_off": chance.random() < 0.4,
    }
    for name in ("has_access_to_client", "suppression_is_off"):
        if chance.random() < 0.07:
            del facts[name]
    if chance.random() < 0.01 and facts["sender_status_history"]:
        facts["sender_status_history"][-1]["since"] = "yesterday"
    return facts


def near_deployment_window(records: Iterable[Facts], within: int = 14) -> NearMiss:
    """Moves close to the sixtieth day after the partner's deployment."""
    margins: list[tuple[int, str, int]] = []
    for row, facts in enumerate(records, start=1):
        try:
            moved = date.fromisoformat(facts["move_effective_date"])
            margin = 60 - (moved - date.fromisoformat(facts["partner_deployment_date"])).days
        except (KeyError, ValueError):
            continue
        if abs(margin) <= within:
            margins.append((row, facts["account_id"], margin))
    found = [margin for _, _, margin in margins]
    buckets = tuple(MarginBucket(m, m >= 0, found.count(m)) for m in range(-within, within + 1))
    nearest = sorted(margins, key=lambda entry: (abs(entry[2]), entry[0]))[:6]
    return NearMiss(
        decision="new_account_bonus",
        rule="moved-soon-after-deployment",
        comparison="days_after_deployment <= days_allowed",
        unit="days",
        within=within,
        holds=sum(m >= 0 for m in found),
        fails=sum(m < 0 for m in found),
        buckets=buckets,
        examples=tuple(MarginExample(*entry) for entry in nearest),
    )


def samples(engine: Engine, data: Decided, each: int = 1, day: date = DAY) -> tuple[Sample, ...]:
    """The first records of each outcome, or lack of one, of each decision."""
    taken: dict[tuple[str, str], list[Sample]] = {}
    key = next((member.name for member in data.ruleset.facts.type.members if member.key), "")
    for row, facts in enumerate(data.facts, start=1):
        try:
            answers = engine.decide_all(data.ruleset.id, facts, as_of=day)
        except FactsError:
            continue
        for name, answer in answers.items():
            stratum = _stratum(answer)
            group = taken.setdefault((name, stratum), [])
            if len(group) < each:
                explanation = engine.explain(f"{data.ruleset.id}.{name}", facts, as_of=day)
                group.append(Sample(row, facts.get(key), name, stratum, facts, explanation))
    return tuple(sample for _, group in sorted(taken.items()) for sample in group)


def _stratum(answer: Decision) -> str:
    if answer.status is not Status.DECIDED:
        return str(answer.status)
    return (
        ", ".join(answer.outcome) or "nothing applies"
        if isinstance(answer.outcome, tuple)
        else answer.outcome or "calculated"
    )


MAKERS: dict[str, Callable[[int], list[Facts]]] = {
    "partner_earnings": account_moves,
    "user_roles": role_questions,
    "email_suppression": senders,
}
SMALL: dict[str, Callable[[int], list[Facts]]] = {"lgc_roles": lgc_questions}
OVER = {"partner_earnings": "move_effective_date"}


def report_of(folder: Path, count: int = 400, names: Iterable[str] = MAKERS) -> Report:
    """A report over drawn records of some shipped rulesets."""
    return report_about({name: (MAKERS | SMALL)[name](count) for name in names}, folder)


def report_about(records: Mapping[str, Sequence[Facts]], folder: Path) -> Report:
    """A report over records, by ruleset."""
    engine = shipped()
    chapters = []
    for name, facts in records.items():
        data = decided(engine, name, facts, folder / name, over=OVER.get(name))
        near = [near_deployment_window(facts)] if name == "partner_earnings" else []
        chapters.append(chapter_of(engine, data, near))
    inputs = [Digested(f"{name}.jsonl", 100 * len(facts), "0f" * 32) for name, facts in records.items()]
    return Report(
        engine_version="0.1.0",
        totals=ReportTotals(DAY, tuple(chapter.totals for chapter in chapters)),
        chapters=tuple(chapters),
        seed=7,
        files=tuple(inputs),
        settings={"title": "Quarterly rule report"},
    )


def chapter_of(engine: Engine, data: Decided, near: Iterable[NearMiss] = ()) -> Chapter:
    """The chapter of a report about one ruleset."""
    readings = {reading.name: reading.choice for reading in data.ruleset.readings}
    totals = ruleset_totals(
        data.ruleset,
        data.decisions,
        data.invalid,
        inputs=[f"{data.ruleset.id}.jsonl"],
        readings=readings,
        over=Over(day, day) if (day := OVER.get(data.ruleset.id)) is not None else None,
        near_misses=near,
    )
    return Chapter(data.ruleset, totals, samples(engine, data))
