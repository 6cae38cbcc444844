"""Answers of the service as values: what `Engine.decide` gives, as far as JSON tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, TypeAlias

Json: TypeAlias = "bool | int | str | tuple[Json, ...] | None"
"""A value of an answer: decimals, dates and instants are texts with all their digits."""


@dataclass(frozen=True, slots=True)
class RulesetReference:
    """Which text decided: the ruleset's id, version and digest."""

    id: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of what a reader is told, indented by `depth`."""

    depth: int
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a heading, which the first section of an explanation does not have."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question. Names and meanings are those of `policy_engine.Decision`.

    `outcome` is a text, for `collect` a tuple of texts, and None for a calculation and where nothing was decided. What was not
    told is None: `reason`, `sources` and `readings` with `explain="none"`, these and `rules`, `values` and `missing` with
    `reader="customer"`. `explanation` is there with a reader, `trace`, in JSON types, with `explain="trace"`. `request_id` is
    that of the HTTP answer; equal answers may have different ones.
    """

    decision: str
    status: Literal["decided", "undetermined", "gap"]
    outcome: str | tuple[str, ...] | None
    as_of: date
    ruleset: RulesetReference
    rules: tuple[str, ...] | None = None
    reason: str | None = None
    values: Mapping[str, Json] | None = None
    sources: tuple[str, ...] | None = None
    readings: Mapping[str, str] | None = None
    missing: tuple[str, ...] | None = None
    explanation: tuple[Section, ...] | None = None
    trace: Mapping[str, Any] | None = field(default=None, repr=False)
    request_id: str = field(default="", compare=False, repr=False)

    __hash__ = None  # type: ignore[assignment]  # its mappings have none


STATUSES = ("decided", "undetermined", "gap")


def answer_of(told: Mapping[str, Any], request_id: str) -> Answer:
    """The answer in a JSON object; raises `KeyError`, `TypeError` or `ValueError` where it is none."""
    if told["status"] not in STATUSES:
        raise ValueError(told["status"])
    values, explanation = told.get("values"), told.get("explanation")
    return Answer(
        decision=told["decision"],
        status=told["status"],
        outcome=_fixed(told["outcome"]),
        as_of=date.fromisoformat(told["as_of"]),
        ruleset=RulesetReference(**told["ruleset"]),
        rules=_fixed(told.get("rules")),
        reason=told.get("reason"),
        values=None if values is None else {name: _fixed(value) for name, value in values.items()},
        sources=_fixed(told.get("sources")),
        readings=told.get("readings"),
        missing=_fixed(told.get("missing")),
        explanation=None if explanation is None else tuple(map(_section, explanation)),
        trace=told.get("trace"),
        request_id=request_id,
    )


def answers_of(told: Mapping[str, Any], request_id: str) -> dict[str, Answer]:
    """The answers to all decisions of a ruleset by their names; raises like `answer_of`."""
    return {name: answer_of(each, request_id) for name, each in told.items()}


def _section(told: Mapping[str, Any]) -> Section:
    return Section(told["heading"], tuple(Line(line["depth"], line["text"]) for line in told["lines"]))


def _fixed(value: Any) -> Any:
    """A value whose lists are tuples."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value
