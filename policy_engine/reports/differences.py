"""Two tables of decisions about the same accounts, read side by side and compared column by column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from policy_engine.backends.columnar.times import in_microseconds
from policy_engine.language.decisions import Status
from policy_engine.language.values import in_words, instant_text_of

ROWS_AT_ONCE = 50_000
"""The number of rows that are read at once: a row group of the files, so that each is unpacked once."""
STATUSES = [str(status) for status in Status]
DECIDED, UNDETERMINED = str(Status.DECIDED), str(Status.UNDETERMINED)
Place = tuple[str, str, str, str]
"""Decision, part, old and new."""


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row whose answer differs: its number, its key or None, what differs in both versions, and the new reason."""

    row: int
    key: str | None
    old: str
    new: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A kind of difference in the answers to a decision, with the number of rows that have it and some examples.

    `part` is answer (status and outcome), rules, missing or values.NAME. Differences of answers and rules are counted for each
    pair of `old` and `new`; those of the other parts are counted together, and `old` and `new` are empty.
    """

    decision: str
    part: str
    old: str
    new: str
    rows: int
    examples: tuple[ChangedRow, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """The differences found so far in the decisions that both versions have, with at most `examples` of each.

    Rules are told apart from answers, or, where `with_rules`, with them.
    """

    decisions: Sequence[str]
    examples: int
    with_rules: bool = False
    rows: Counter[Place] = field(default_factory=Counter)
    shown: dict[Place, list[ChangedRow]] = field(default_factory=dict)

    def add(self, old: pl.DataFrame, new: pl.DataFrame, keys: pl.Series) -> None:
        """Add a piece: old and new decisions about the same rows, and the keys of these."""
        rows = pl.DataFrame({"row": new["row"], "key": keys})
        for decision in self.decisions:
            before, after = labels(old, decision, new), labels(new, decision, old)
            ruled = f"{decision}.rule" in old.columns and f"{decision}.rule" in new.columns
            if ruled and self.with_rules:
                before, after = _by_rule(before, old[f"{decision}.rule"]), _by_rule(after, new[f"{decision}.rule"])
            moved = before != after
            self._count((decision, "answer"), rows, before, after, moved)
            if ruled and not self.with_rules:
                before, after = ids(old[f"{decision}.rule"]), ids(new[f"{decision}.rule"])
                self._count((decision, "rules"), rows, before, after, (before != after) & ~moved)
            for part in parts_of_both(decision, old, new):
                before, after = old[f"{decision}.{part}"], new[f"{decision}.{part}"]
                if part == "missing":  # whose order is that of the schema, which versions need not share
                    before, after = before.list.sort(), after.list.sort()
                where = differ(before, after) & comparable(decision, part, old, new)
                self._list((decision, part), rows, before, after, where)

    def _count(self, at: tuple[str, str], rows: pl.DataFrame, old: pl.Series, new: pl.Series, where: pl.Series) -> None:
        """Add differences of texts, counted for each pair of old and new."""
        if not where.any():
            return
        frame = rows.with_columns(old=old, new=new).filter(where)
        some = frame.group_by("old", "new", maintain_order=True).agg(
            pl.len(), pl.struct("row", "key").head(self.examples)
        )
        for before, after, count, examples in some.iter_rows():
            self._add((*at, before, after), count, [ChangedRow(**one, old=before, new=after) for one in examples])

    def _list(self, at: tuple[str, str], rows: pl.DataFrame, old: pl.Series, new: pl.Series, where: pl.Series) -> None:
        """Add differences of values, counted together."""
        if not where.any():
            return
        places = where.arg_true()
        first = places.head(self.examples)
        pairs = zip(rows[first].iter_rows(), _values(old[first]), _values(new[first]), strict=True)
        shown = [ChangedRow(row, key, in_words(before), in_words(after)) for (row, key), before, after in pairs]
        self._add((*at, "", ""), len(places), shown)

    def _add(self, place: Place, rows: int, examples: list[ChangedRow]) -> None:
        self.rows[place] += rows
        shown = self.shown.setdefault(place, [])
        shown += examples[: self.examples - len(shown)]

    def all(self) -> Iterator[Difference]:
        """All differences: decisions in their order, in each its answers before the rest, the most frequent first."""
        parts = list(dict.fromkeys(part for _, part, _, _ in self.rows))
        order = sorted(
            self.rows.items(),
            key=lambda entry: (self.decisions.index(entry[0][0]), parts.index(entry[0][1]), -entry[1], entry[0]),
        )
        return (Difference(*place, rows, tuple(self.shown[place])) for place, rows in order)


def labels(frame: pl.DataFrame, decision: str, other: pl.DataFrame) -> pl.Series:
    """Status and outcome as a text: the outcome where it is decided, else the status with the outcomes that are certain.

    Where `other` gives an outcome and this frame a list of them, the list is shown as one.
    """
    status = frame[f"{decision}.status"].cast(pl.String)
    outcome = frame.get_column(f"{decision}.outcome", default=None)
    if outcome is None:
        return status
    if isinstance(outcome.dtype, pl.List):
        there = other.get_column(f"{decision}.outcome", default=outcome)
        return _collected(status, outcome, "{}" if isinstance(there.dtype, pl.List) else "[{}]")
    names = pl.lit(outcome.cast(pl.String))
    decided = pl.when(names.is_in(STATUSES)).then(pl.format("the outcome {}", names)).otherwise(names)
    return pl.select(pl.when(pl.lit(status) == DECIDED).then(decided).otherwise(pl.lit(status))).to_series()


def _collected(status: pl.Series, outcomes: pl.Series, form: str) -> pl.Series:
    """The same of a decision that collects."""
    some, names = pl.lit(outcomes.list.len() > 0), pl.lit(outcomes.list.join(", "))
    decided = pl.when(some).then(pl.format(form, names)).otherwise(pl.lit("(none)"))
    open_ = pl.when(some).then(pl.format("{}, surely {}", pl.lit(status), names)).otherwise(pl.lit(status))
    return pl.select(pl.when(pl.lit(status) == DECIDED).then(decided).otherwise(open_)).to_series()


def ids(rule: pl.Series) -> pl.Series:
    """The ids of rules as a text."""
    ids = rule.list.join(", ") if isinstance(rule.dtype, pl.List) else rule.cast(pl.String)
    return ids.fill_null("none").replace("", "none")


def _by_rule(labels: pl.Series, rule: pl.Series) -> pl.Series:
    """Answers with the rules that gave them, where there are any."""
    names = ids(rule)
    return pl.select(
        pl.when(pl.lit(names) == "none").then(pl.lit(labels)).otherwise(pl.format("{} by {}", labels, names))
    ).to_series()


def parts_of_both(decision: str, old: pl.DataFrame, new: pl.DataFrame) -> Iterator[str]:
    """The parts that both tables have: the values, and the missing facts."""
    for name in new.columns:
        part = name.removeprefix(f"{decision}.")
        if name in old.columns and part != name and (part == "missing" or part.startswith("values.")):
            yield part


def comparable(decision: str, part: str, old: pl.DataFrame, new: pl.DataFrame) -> pl.Series:
    """Where both answers have a part; where only one has it, the statuses differ, which is a difference by itself."""
    status = UNDETERMINED if part == "missing" else DECIDED
    before, after = (frame[f"{decision}.status"] == status for frame in (old, new))
    return before & after


def differ(old: pl.Series, new: pl.Series) -> pl.Series:
    """Where two values differ: numbers by what they are worth, values of different kinds always."""
    old, new = (side.cast(pl.String) if isinstance(side.dtype, pl.Enum) else side for side in (old, new))
    if old.dtype == new.dtype:
        return old.ne_missing(new)
    if all(side.dtype.is_integer() or side.dtype.is_decimal() for side in (old, new)):
        exact = pl.Decimal(38, max(getattr(side.dtype, "scale", 0) for side in (old, new)))
        return old.cast(exact).ne_missing(new.cast(exact))
    pairs = zip(_values(old), _values(new), strict=True)
    return pl.Series([not _same(before, after) for before, after in pairs], dtype=pl.Boolean)


def _same(old: Any, new: Any) -> bool:
    """Whether two values are the same; an integer is the decimal that is worth as much, and never a truth."""
    match old, new:
        case tuple(), tuple():
            return len(old) == len(new) and all(map(_same, old, new))
        case (bool(), _) | (_, bool()):
            return old is new
        case ((int() | Decimal()), (int() | Decimal())):
            return old == new
    return type(old) is type(new) and bool(old == new)


def _values(values: pl.Series) -> list[Any]:
    """The values of a column as the language has them; an instant as its text, since Python cannot hold all in UTC."""
    moments = in_microseconds(values.dtype) != values.dtype
    return [_value(value, moments=moments) for value in values.cast(in_microseconds(values.dtype))]


def _value(value: Any, *, moments: bool) -> Any:
    match value:
        case pl.Series() | list():
            return tuple(_value(part, moments=moments) for part in value)
        case int() if moments:
            return instant_text_of(value)
    return value


class Pieces(NamedTuple):
    """The rows of one range of numbers in both tables."""

    old: pl.DataFrame
    new: pl.DataFrame

    def shared(self) -> Pieces:
        """The rows that both tables have."""
        return Pieces(
            *(mine.filter(is_in(mine, other)) for mine, other in ((self.old, self.new), (self.new, self.old)))
        )

    def only_old(self) -> pl.Series:
        """The numbers of rows that only the old table has."""
        return self.old["row"].filter(~is_in(self.old, self.new))

    def only_new(self) -> pl.Series:
        """The numbers of rows that only the new table has."""
        return self.new["row"].filter(~is_in(self.new, self.old))


def is_in(mine: pl.DataFrame, other: pl.DataFrame) -> pl.Series:
    """Whether another frame has the number of each row."""
    return mine["row"].is_in(other["row"].implode())


def side_by_side(
    old: Path, new: Path, columns: list[str] | None = None, columns_of_new: list[str] | None = None
) -> Iterator[Pieces]:
    """The pieces of two Parquet files that are sorted by their column `row`; `columns` are those to read, None for all.

    `columns_of_new` are those of the new one where they are others.
    """
    readers = _RowsInOrder(old, columns), _RowsInOrder(new, columns_of_new or columns)
    while ends := [reader.end() for reader in readers if reader.fill()]:
        yield Pieces(*(reader.take(min(ends)) for reader in readers))


class _RowsInOrder:
    """Reads the rows of a file up to given numbers."""

    def __init__(self, path: Path, columns: list[str] | None) -> None:
        table = pl.scan_parquet(path, glob=False)
        self.table = table if columns is None else table.select(columns)
        self.held = self.table.head(0).collect()
        self.at = 0

    def fill(self) -> bool:
        """Read the next rows where none are held; False at the end of the file."""
        if not self.held.height:
            self.held = self.table.slice(self.at, ROWS_AT_ONCE).collect()
            self.at += self.held.height
        return bool(self.held.height)

    def end(self) -> int:
        """The last number held."""
        return int(self.held["row"][-1])

    def take(self, end: int) -> pl.DataFrame:
        """Take the rows held up to a number."""
        upto = self.held["row"].search_sorted(end, "right")
        taken, self.held = self.held.head(upto), self.held.slice(upto)
        return taken
