"""The changes of a piece of a table: one record for each part of an answer that differs, with both answers and what made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl
from polars.dataframe.group_by import GroupBy

from policy_engine.backends.columnar.times import instant_text, time_text
from policy_engine.backends.columnar.words import words_of
from policy_engine.language.formats import PLAINLY
from policy_engine.reports.comparison.attributions import NEW, OLD, Attribution, Attributions, Why, part_name
from policy_engine.reports.comparison.decision_attributions import DecisionAttributions, decoded
from policy_engine.reports.comparison.pairing import Written, type_of, words
from policy_engine.reports.comparison.prepared import Prepared
from policy_engine.reports.differences import comparable, differ, ids, labels, parts_of_both
from policy_engine.reports.sampling import names_of

ANSWER, RULES, VALIDITY = "answer", "rules", "validity"
KIND = ("decision", "part", "(old)", "(new)")
ATTRIBUTION = ("why", "rule", "condition", "old_condition")
"""What changes are counted by."""
NONE = "none"
"""What a value that is null is called."""
NO_WORDS = pl.lit(None, dtype=pl.String)


@dataclass(frozen=True, slots=True)
class Changes:
    """Finds the changes of pieces of a table. The reasons of both answers are told of all accounts only where they are `said`;
    else of the first `examples` of each kind in a piece, which is a part of the work.

    `scale` is the number of places in which differences of numbers are told.
    """

    old: Prepared
    new: Prepared
    attributions: Attributions
    decisions: tuple[DecisionAttributions, ...]
    said: bool
    examples: int
    scale: int = 0
    schema: pl.Schema = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", self._schema())

    def _schema(self) -> pl.Schema:
        text, rules = pl.String(), [case.id for each in self.decisions for case in each.cases]
        parts = [each.part for each in self.attributions.attributions if each.part is not None]
        told = [_condition(part.new or part.old) for part in parts]
        words_ = pl.Enum(list(dict.fromkeys(told)) or [""])
        return pl.Schema(
            {
                "row": pl.UInt32(),
                "key": text,
                "decision": pl.Enum(["", *(each.name for each in self.decisions)]),
                "part": text,
                "old": text,
                "new": text,
                "difference": pl.Decimal(38, self.scale),
                "old_rules": text,
                "new_rules": text,
                "why": pl.Enum([str(why) for why in Why]),
                "rule": pl.Enum(list(dict.fromkeys(rules)) or [""]),
                "condition": words_,
                "old_condition": text,
                "old_value": text,
                "new_value": text,
                "old_reason": text,
                "new_reason": text,
            }
        )

    def of(self, rows: pl.DataFrame, old: pl.DataFrame, new: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
        """The changes of the same rows of both sides; `rows` has their numbers and keys, `facts` the facts, if they are there."""
        found = [one for each in self.decisions for one in self._decision(each, rows, old, new, facts)]
        if not found:
            return self.schema.to_frame()
        return pl.concat(found).sort("row", maintain_order=True)

    def _decision(
        self,
        attributions: DecisionAttributions,
        rows: pl.DataFrame,
        old: pl.DataFrame,
        new: pl.DataFrame,
        facts: pl.DataFrame,
    ) -> Iterator[pl.DataFrame]:
        """The changes of one decision, part by part."""
        name, parts = attributions.name, list(_parts(attributions.name, old, new))
        at = _anywhere(part.where for part in parts).arg_true()
        if not at.len():
            return
        few_old, few_new = old[at], new[at]
        common = self._common(name, rows[at], few_old, few_new).hstack(self._told(attributions, few_old, few_new))
        answers = [frame.select(_of_decision(name, frame)) for frame in (few_old, few_new)]
        records = [
            self._records(part, common[here], *(frame[here] for frame in answers))
            for part in parts
            if (here := part.where.gather(at).arg_true()).len()
        ]
        yield self._with_reasons(name, pl.concat(records), few_old, few_new, facts, at)

    def _common(self, decision: str, rows: pl.DataFrame, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
        """What is the same in all records of an account's answer, and the place of the account among those that change."""
        return rows.with_row_index("(at)").with_columns(
            decision=pl.lit(decision, dtype=self.schema["decision"]),
            old_rules=_rules(decision, old),
            new_rules=_rules(decision, new),
        )

    def _told(self, attributions: DecisionAttributions, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
        """The columns of attributions, by the part of the answer, and the values of the conditions that they are about."""
        both = pl.concat(
            [
                frame.rename({name: f"{side}{name}" for name in frame.columns})
                for side, frame in ((OLD, old), (NEW, new))
            ],
            how="horizontal",
        )
        for level in self.attributions.levels:
            both = both.with_columns(level)
        columns = {
            ANSWER: attributions.answer,
            **{f"values.{name}": number for name, number in attributions.values.items()},
        }
        numbers = [number.alias(f"(attribution {part})") for part, number in columns.items()]
        values = [pl.col(f"{side}{part_name(part)}") for side in (OLD, NEW) for part in self._asked(side)]
        return both.with_columns(*numbers).select(*(f"(attribution {part})" for part in columns), *values)

    def _asked(self, side: str) -> Iterator[Any]:
        for part in self.attributions.pairing.parts:
            if part.number in self.attributions.asked and (part.old if side == OLD else part.new) is not None:
                yield part

    def _with_reasons(
        self,
        decision: str,
        records: pl.DataFrame,
        old: pl.DataFrame,
        new: pl.DataFrame,
        facts: pl.DataFrame,
        at: pl.Series,
    ) -> pl.DataFrame:
        """The records with the reasons of both answers, of all or of some."""
        told = records["(at)"]
        if not self.said:
            told = grouped(records).agg(pl.col("(at)").head(self.examples))["(at)"].explode()
        few = told.unique().sort()
        reasons = [
            side.said(decision, frame[few], facts[at.gather(few)]).alias(name)
            for name, side, frame in (("old_reason", self.old, old), ("new_reason", self.new, new))
        ]
        place = few.search_sorted(records["(at)"], side="left")
        is_told = few.gather(place.clip(0, len(few) - 1)) == records["(at)"]
        own = pl.select(pl.when(is_told).then(place)).to_series()
        return records.with_columns(reason.gather(own) for reason in reasons).select(self.schema.names())

    def _records(self, part: PartOfAnswer, told: pl.DataFrame, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
        """The records of one part of the answers, for rows where it differs."""
        attribution = f"(attribution {ANSWER if part.name == RULES else part.name})"
        number, rule = decoded(pl.col(attribution) if attribution in told.columns else pl.lit(None, dtype=pl.Int64))
        told = told.with_columns(number.alias("(attribution)"), rule.alias("(rule)"))
        texts = part.texts(old, new)
        made = told.with_columns(
            part=pl.lit(part.name),
            old=texts[0],
            new=texts[1],
            difference=part.difference(old, new, self.scale),
            **self._words(told["(attribution)"].unique().drop_nulls().to_list()),
            rule=self._rule_of(told["decision"][0]),
        )
        names = [name for name in self.schema.names() if not name.endswith("_reason")]
        return made.select("(at)", *names).cast({name: self.schema[name] for name in names})

    def _rule_of(self, decision: str) -> pl.Expr:
        names = next([case.id for case in each.cases] for each in self.decisions if each.name == decision)
        return pl.lit(pl.Series(names, dtype=pl.String)).gather(pl.col("(rule)")) if names else NO_WORDS

    def _words(self, numbers: Sequence[int]) -> Mapping[str, pl.Expr]:
        """What is said of the attributions that there are, each by its number."""
        attributions = {number: self.attributions.attributions[number] for number in sorted(numbers)}
        by_number = partial(_by_number, attributions)
        return {
            "why": by_number(lambda each: pl.lit(str(each.why))),
            "condition": by_number(lambda each: _text(each.part and (each.part.new or each.part.old))),
            "old_condition": by_number(_old_words),
            "old_value": by_number(partial(self._value, OLD)),
            "new_value": by_number(partial(self._value, NEW)),
        }

    def _value(self, side: str, attribution: Attribution) -> pl.Expr:
        """The value of the part that an attribution is about on a side; null where that has none."""
        if attribution.outcomes is not None:
            return pl.lit(attribution.outcomes[0 if side == OLD else 1])
        part = attribution.part
        written = None if part is None else part.old if side == OLD else part.new
        if part is None or written is None or part.number not in self.attributions.asked:
            return NO_WORDS
        return words_of(pl.col(f"{side}{part_name(part)}"), type_of(written), PLAINLY)


def grouped(changes: pl.DataFrame) -> GroupBy:
    """Changes by kind and attribution: those of answers and rules by what was and is, those of values together."""
    is_label = pl.col("part").is_in([ANSWER, RULES])
    labels = [pl.when(is_label).then(side).otherwise(pl.lit("")).alias(f"({side})") for side in ("old", "new")]
    return changes.with_columns(labels).group_by(*KIND, *ATTRIBUTION, maintain_order=True)


def _condition(written: Written | None) -> str:
    return words(written) if written is not None else ""


def _text(written: Written | None) -> pl.Expr:
    return pl.lit(words(written)) if written is not None else NO_WORDS


def _old_words(attribution: Attribution) -> pl.Expr:
    """The words of the older side, where they are others."""
    part = attribution.part
    if part is None or part.old is None or part.new is None or words(part.old) == words(part.new):
        return NO_WORDS
    return _text(part.old)


def _by_number(attributions: Mapping[int, Attribution], say: Any) -> pl.Expr:
    """What a function says of the attribution of each row."""
    found = NO_WORDS
    for number, attribution in attributions.items():
        found = pl.when(pl.col("(attribution)") == number).then(say(attribution)).otherwise(found)
    return found


@dataclass(frozen=True, slots=True)
class PartOfAnswer:
    """A part of the answers to a decision, and where it differs; `column` is its column, "" where it has several."""

    decision: str
    name: str
    where: pl.Series

    def texts(self, old: pl.DataFrame, new: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
        """The part on both sides, in words."""
        match self.name:
            case "answer":
                return labels(old, self.decision, new), labels(new, self.decision, old)
            case "rules":
                return _rules(self.decision, old), _rules(self.decision, new)
        before, after = (_in_words(frame[f"{self.decision}.{self.name}"]) for frame in (old, new))
        return before, after

    def difference(self, old: pl.DataFrame, new: pl.DataFrame, scale: int) -> pl.Series:
        """By how much numbers differ, and dates in days; nulls for other values."""
        exact = pl.Decimal(38, scale)
        if self.name.startswith("values."):
            before, after = (frame[f"{self.decision}.{self.name}"] for frame in (old, new))
            if before.dtype == after.dtype == pl.Date():
                return (after - before).dt.total_days().cast(exact)
            if is_number(before.dtype) and is_number(after.dtype):
                return after.cast(exact) - before.cast(exact)
        return pl.Series([None], dtype=exact).new_from_index(0, old.height)


def is_number(dtype: pl.DataType) -> bool:
    """Whether a column holds exact numbers."""
    return dtype.is_integer() or dtype.is_decimal()


def _parts(decision: str, old: pl.DataFrame, new: pl.DataFrame) -> Iterator[PartOfAnswer]:
    """The parts of the answers to a decision, each with where it differs."""
    moved = _moved(decision, old, new)
    yield PartOfAnswer(decision, ANSWER, moved)
    rule = f"{decision}.rule"
    if rule in old.columns and rule in new.columns:
        yield PartOfAnswer(decision, RULES, _differs(old[rule], new[rule]) & ~moved)
    for name in parts_of_both(decision, old, new):
        yield PartOfAnswer(decision, name, _differs_where_both_have(decision, name, old, new))


def _differs_where_both_have(decision: str, name: str, old: pl.DataFrame, new: pl.DataFrame) -> pl.Series:
    """Where a value, or the missing facts, differ, of the answers that have it on both sides."""
    where = comparable(decision, name, old, new)
    before, after = old[f"{decision}.{name}"], new[f"{decision}.{name}"]
    if name != "missing":
        return differ(before, after) & where
    rows = where.arg_true()
    if not rows.len():
        return where
    before, after = (
        side.gather(rows).list.sort() for side in (before, after)
    )  # sides need not share the schema's order
    return where.scatter(rows, differ(before, after))


def _moved(decision: str, old: pl.DataFrame, new: pl.DataFrame) -> pl.Series:
    """Where status or outcome differ."""
    status, outcome = f"{decision}.status", f"{decision}.outcome"
    columns = [frame.get_column(outcome, default=None) for frame in (old, new)]
    before, after = columns
    if before is None or after is None or not (_is_enum(before) and _is_enum(after)):
        return labels(old, decision, new) != labels(new, decision, old)
    return _differs(old[status], new[status]) | _differs(before, after)


def _differs(old: pl.Series, new: pl.Series) -> pl.Series:
    """Where names or lists of names differ: names by their numbers, which is quicker than by their letters."""
    if not (_is_enum(old) and _is_enum(new)):
        return ids(old) != ids(new)
    numbers = {name: number for number, name in enumerate(names_of(new))}
    table = pl.Series([numbers.get(name, -1) for name in names_of(old)] or [-1], dtype=pl.Int64)
    return table.gather(old.to_physical()).ne_missing(new.to_physical().cast(pl.Int64))


def _anywhere(where: Iterable[pl.Series]) -> pl.Series:
    """Where any of several holds."""
    return (
        pl.DataFrame({str(at): each for at, each in enumerate(where)}).select(pl.any_horizontal(pl.all())).to_series()
    )


def _of_decision(decision: str, frame: pl.DataFrame) -> list[str]:
    return [name for name in frame.columns if name.startswith(f"{decision}.")]


def _is_enum(names: pl.Series) -> bool:
    return isinstance(names.dtype, pl.Enum)


def _rules(decision: str, frame: pl.DataFrame) -> pl.Series:
    """The rules that determined answers."""
    rule = frame.get_column(f"{decision}.rule", default=None)
    return ids(rule) if rule is not None else pl.Series([NONE]).new_from_index(0, frame.height)


def _in_words(values: pl.Series) -> pl.Series:
    """Values of answers in words."""
    return pl.select(_column_in_words(values.dtype, pl.lit(values)).fill_null(NONE)).to_series()


def _column_in_words(dtype: Any, value: pl.Expr) -> pl.Expr:
    match dtype:
        case pl.Date():
            return value.dt.to_string("%Y-%m-%d")
        case pl.Datetime():
            return instant_text(value, dtype.time_unit)
        case pl.Time():
            return time_text(value)
        case pl.List():
            joined = value.list.eval(_column_in_words(dtype.inner, pl.element()).fill_null(NONE)).list.join(", ")
            return pl.when(joined == "").then(pl.lit(NONE)).otherwise(joined)
    return value.cast(pl.String)
