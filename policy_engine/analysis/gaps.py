"""Gaps of coverage as they are told: what no case tries of one condition is said in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from policy_engine.analysis.items import Item, Kind
from policy_engine.source import Span

OF_CONDITIONS = (Kind.CONDITIONS, Kind.DECIDING, Kind.BOUNDARIES)


class Gap(NamedTuple):
    """A place, and what no case tries there."""

    span: Span
    message: str


def told(gaps: Iterable[Item]) -> Iterator[Gap]:
    """Gaps in the order of their places."""
    for (span, _), group in groupby(sorted(gaps, key=_place), _place):
        items = list(group)
        yield from (Gap(span, item.message) for item in items if item.kind not in OF_CONDITIONS)
        yield from (Gap(span, message) for message in _of_condition(items))


def _place(item: Item) -> tuple[Span, str]:
    return item.span, item.of


def _of_condition(items: Sequence[Item]) -> Iterator[str]:
    """What is told of a condition: the less, the more is missing."""
    by_kind = {kind: [item for item in items if item.kind is kind] for kind in OF_CONDITIONS}
    values, deciding, sides = by_kind.values()
    if len(values) > 1:
        yield f"no case depends on `{values[0].of}`"
        return
    yield from (item.message for item in values or deciding)
    if sides:
        yield f"no case stands {_listed([item.what for item in sides])} `{sides[0].of}`"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
