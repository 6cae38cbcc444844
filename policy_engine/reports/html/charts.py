"""The geometry of charts. Widths are in per cent of the picture, so that text keeps its size on any screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, chain, zip_longest

from policy_engine.language.rulesets import Meaning
from policy_engine.language.types import decimal_places
from policy_engine.reports.counting import CALCULATED, NOTHING_APPLIES
from policy_engine.reports.html.words import number, period, share, spoken
from policy_engine.reports.totals import Margin, MarginBucket, NearMiss, OverTime

HEIGHT = 180
"""The plot's height in pixels."""

MOST_SERIES = 6
"""The number of looks. Where there are more outcomes, the less frequent ones share the last."""

HUES = {Meaning.NEUTRAL: "s", Meaning.FAVOURABLE: "g", Meaning.UNFAVOURABLE: "r", Meaning.OPEN: "o"}
MOST_OF_A_HUE = {"s": MOST_SERIES, "g": 3, "r": 3, "o": 3}
"""The names of colours by meaning, and the number of textures of each."""
OTHER = "other outcomes"
STATUS_LOOKS = {CALCULATED: "s1", NOTHING_APPLIES: "none", "(undetermined)": "open", "(gap)": "gap"}
GAP_SHARE = 0.22
"""The share of a column's width that is left empty."""
MOST_TICKS = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle: its place and size in per cent across and pixels down, and its look."""

    x: float
    y: float
    width: float
    height: float
    look: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place along an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Series:
    """What one colour and texture of a chart stands for, with its count."""

    name: str
    look: str
    total: int


Stack = tuple[str, tuple[int, ...]]
"""A label, and the count of each series."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns over an axis, with lines across; `rows` has the same figures as a table."""

    series: tuple[Series, ...]
    pieces: tuple[Piece, ...]
    lines: tuple[Tick, ...]
    ticks: tuple[Tick, ...]
    rows: tuple[Stack, ...]
    height: int = HEIGHT


def looks_of(outcomes: Sequence[str], meanings: Mapping[str, Meaning]) -> Mapping[str, str]:
    """The look of each outcome, the same in all pictures of a decision.

    Its colour is that of its meaning, and of neutral hues where it has none; its texture tells it from others of that meaning.
    """
    looks: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for name in outcomes:
        kind = HUES[meanings.get(name, Meaning.NEUTRAL)]
        counts[kind] += 1
        looks[name] = f"{kind}{min(counts[kind], MOST_OF_A_HUE[kind])}"
    return looks | STATUS_LOOKS


def time_chart(over: OverTime, looks: Mapping[str, str]) -> Chart:
    """Outcomes over time, stacked."""
    totals: Counter[str] = Counter()
    for bucket in over.buckets:
        totals.update(bucket.counts)
    series = _series(totals, looks)
    columns = [(period(bucket.start, over.unit), _by_series(bucket.counts, series, looks)) for bucket in over.buckets]
    return _chart(series, columns, _ticks([label for label, _ in columns], over.unit))


def _chart(series: tuple[Series, ...], columns: Sequence[Stack], ticks: tuple[Tick, ...]) -> Chart:
    top = _nice(max((sum(counts) for _, counts in columns), default=0))
    stacks = (_stack(at, column, len(columns), series, top) for at, column in enumerate(columns))
    return Chart(series, tuple(chain.from_iterable(stacks)), _lines(top), ticks, tuple(columns))


def _series(totals: Mapping[str, int], looks: Mapping[str, str]) -> tuple[Series, ...]:
    """The series from the bottom up: outcomes in the order of their looks, then what has no outcome."""
    shown: dict[str, Series] = {}
    for name in sorted(totals, key=list(looks).index):
        look = looks[name]
        before = shown.get(look)
        shown[look] = Series(OTHER if before else spoken(name), look, totals[name] + (before.total if before else 0))
    return tuple(shown.values())


def _by_series(counts: Mapping[str, int], series: Sequence[Series], looks: Mapping[str, str]) -> tuple[int, ...]:
    return tuple(sum(count for name, count in counts.items() if looks[name] == one.look) for one in series)


def _stack(at: int, column: Stack, columns: int, series: Sequence[Series], top: int) -> list[Piece]:
    """The pieces of one column, from the bottom up."""
    label, counts = column
    x, wide = 100 * (at + GAP_SHARE / 2) / columns, 100 * (1 - GAP_SHARE) / columns
    heights = [HEIGHT * count / top for count in counts]
    return [
        Piece(x, HEIGHT - end, wide, height, one.look, f"{label}, {one.name}: {number(count)}")
        for one, count, height, end in zip(series, counts, heights, accumulate(heights), strict=True)
        if count
    ]


def _nice(most: int) -> int:
    """The lowest round number that is not below: the top of the axis."""
    size = 1
    while size * 10 < most:
        size *= 10
    tops = (size * halves // 2 for halves in (2, 3, 4, 5, 6, 8, 10, 12, 16, 20))
    return next(top for top in tops if top >= max(most, 1))


def _lines(top: int) -> tuple[Tick, ...]:
    """Lines across at the top and half way up, where that is a whole number."""
    values = [top, top // 2] if top % 2 == 0 else [top]
    return tuple(Tick(HEIGHT - HEIGHT * value / top, number(value)) for value in values)


def _ticks(labels: Sequence[str], unit: str) -> tuple[Tick, ...]:
    """A label where a year begins, or at every so many years or days; the first where no year begins."""
    found = list(enumerate(labels))
    if unit in ("month", "quarter"):
        found = [(at, label[:4]) for at, label in found if label[4:] in ("-01", " Q1")] or found[:1]
    found = found[:: -(-len(found) // MOST_TICKS) or 1]
    return tuple(Tick(100 * at / len(labels), label) for at, label in found)


def margin_chart(near: NearMiss) -> Chart:
    """How many records lie at each margin: where the comparison fails on the left, where it holds on the right."""
    series = (Series("fails", "s2", near.fails), Series("holds", "s1", near.holds))
    counts = [(0, bucket.rows) if bucket.holds else (bucket.rows, 0) for bucket in near.buckets]
    columns = list(zip(_ranges(near), counts, strict=True))
    return _chart(series, columns, _margin_ticks(near.buckets))


def _ranges(near: NearMiss) -> Iterator[str]:
    """The margins of each bucket: from its own to the last before that of the next."""
    following = [bucket.margin for bucket in near.buckets[1:]]
    for bucket, end in zip_longest(near.buckets, following):
        last = near.within if end is None else end - _smallest(end)
        yield _signed(bucket.margin) if last == bucket.margin else f"{_signed(bucket.margin)} to {_signed(last)}"


def _smallest(margin: Margin) -> Margin:
    """One unit of the last place: 1 for a whole number, 0.01 for 2.50."""
    return 1 if isinstance(margin, int) else Decimal(1).scaleb(-decimal_places(margin))


def _signed(margin: Margin) -> str:
    return f"+{number(margin)}" if margin > 0 else number(margin)


def _margin_ticks(buckets: Sequence[MarginBucket]) -> tuple[Tick, ...]:
    """The outermost margins and the one nearest to the threshold."""
    wanted = {0, len(buckets) - 1, *(at for at, bucket in enumerate(buckets) if bucket.margin == 0)}
    return tuple(
        Tick(100 * (at + 0.5) / len(buckets), _signed(buckets[at].margin)) for at in sorted(wanted) if at < len(buckets)
    )


def threshold(near: NearMiss) -> float | None:
    """Where, in per cent, the comparison changes its answer; None where all lie on one side."""
    changes = [at for at in range(1, len(near.buckets)) if near.buckets[at - 1].holds != near.buckets[at].holds]
    return 100 * changes[0] / len(near.buckets) if changes else None


@dataclass(frozen=True, slots=True)
class Slice:
    """A piece of one long bar, in per cent."""

    name: str
    share: str
    x: str
    width: str
    look: str


def strip(counts: Sequence[tuple[str, int]], looks: Mapping[str, str]) -> tuple[Slice, ...]:
    """All outcomes as one long bar: the most frequent first, and last what has no outcome."""
    counts = sorted(counts, key=lambda entry: (entry[0].startswith("("), -entry[1]))
    whole = sum(count for _, count in counts) or 1
    ends = list(accumulate((count for _, count in counts), initial=0))
    return tuple(
        Slice(name, share(count, whole), f"{100 * begin / whole:.2f}%", f"{100 * count / whole:.2f}%", looks[name])
        for begin, (name, count) in zip(ends, counts, strict=False)
        if count
    )
