"""The sentences of answers in columns: the reason in words, the same text as `Decision.reason`.

Each row is told by one of the texts of its decision. A piece of the table is parted by them, so that a sentence is put together
only for the rows that it is for; constant ones are looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from policy_engine.backends.columnar.answer_columns import Collected, DecisionColumns
from policy_engine.backends.columnar.expressions import Expressions, joined
from policy_engine.backends.columnar.words import words_of
from policy_engine.language import expressions as tree
from policy_engine.language.decisions import Status
from policy_engine.language.mentions import template_expressions
from policy_engine.language.rulesets import Template
from policy_engine.language.rulings import Applied, sentences_of
from policy_engine.language.sentences import Placeholder, Said, sentence_of, text_of, undetermined_text
from policy_engine.language.sentences import words_of as words_of_value
from policy_engine.language.specialize import in_units

SENTENCE = "sentence"
"""The part of an answer that is its reason in words."""
Text = str | pl.Expr
NUMBER = pl.UInt32()


class Piece(NamedTuple):
    """A piece of a sentence, and whether it tells a sensitive fact: two sentences are equal where their pieces are."""

    text: Text
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Sentences:
    """The sentences of a decision: `which` of the `texts` tells a row; these name the `words` of values.

    The text is null where the decision is undetermined although no fact is missing: the cause is not worked out in columns.
    """

    column: str
    which: pl.Expr
    texts: tuple[Text, ...]
    words: Mapping[str, pl.Expr]

    @property
    def reads(self) -> frozenset[str]:
        """The columns that the sentences are made of."""
        texts = (text for text in self.texts if not isinstance(text, str))
        return _roots([self.which, *self.words.values(), *texts]) - self.words.keys()

    def of(self, piece: pl.DataFrame) -> pl.Series:
        """The sentence of each row of a piece of the table."""
        which = piece.select(self.which.cast(NUMBER)).to_series()
        pool = [pl.Series([text if isinstance(text, str) else None for text in self.texts], dtype=pl.String)]
        places, end = which.clone(), len(self.texts)
        for number in which.unique().to_list():
            text = self.texts[number]
            if isinstance(text, str):
                continue
            rows = (which == number).arg_true()
            pool.append(self._told(piece, rows, text))
            places.scatter(rows, pl.int_range(end, end + rows.len(), dtype=NUMBER, eager=True))
            end += rows.len()
        return pl.concat(pool, rechunk=True).gather(places).alias(self.column)

    def _told(self, piece: pl.DataFrame, rows: pl.Series, text: pl.Expr) -> pl.Series:
        """One of the texts for some rows; words first, for Polars may take a function's result from where it saw other rows."""
        roots = _roots([text])
        words = {name: self.words[name] for name in roots & self.words.keys()}
        reads = roots - words.keys() | _roots(words.values())
        named = [words_.alias(name) for name, words_ in words.items()]
        return piece.select(reads)[rows].with_columns(named).select(text.alias("text")).to_series()


def _roots(expressions: Iterable[pl.Expr]) -> frozenset[str]:
    """The columns that expressions read."""
    return frozenset(name for each in expressions for name in each.meta.root_names())


@dataclass(frozen=True, slots=True)
class SentenceWriter:
    """Writes the sentences of one decision; `missing` is the column of the facts that it misses."""

    to: Expressions
    columns: DecisionColumns
    missing: str
    is_sensitive: Callable[[tree.Expression], bool]
    words: dict[str, pl.Expr] = field(default_factory=dict)

    def write(self) -> Sentences:
        """The sentences of the decision."""
        columns, column = self.columns, f"{self.columns.logic.name}.{SENTENCE}"
        if columns.collected is not None:
            decided = self._collected(columns.collected)
            which = pl.when(columns.undetermined).then(1).otherwise(0)
            return Sentences(column, which, (decided, self._still_open(columns.collected)), self.words)
        texts = [self._own(Status.DECIDED, [("", each)]) for each in columns.conclusions]
        texts = [*(texts or [self._own(Status.DECIDED)]), self._own(Status.GAP), self._undetermined()]
        gap, undetermined = len(texts) - 2, len(texts) - 1
        code = columns.reason.to_physical().cast(NUMBER).fill_null(gap)
        return Sentences(
            column, pl.when(columns.undetermined).then(undetermined).otherwise(code), tuple(texts), self.words
        )

    def _own(self, status: Status, applied: Applied = ()) -> Text:
        """The text of an answer to which one rule led, or none."""
        (sentence,) = sentences_of(self.columns.logic, status, applied)
        return _text(self._pieces(sentence))

    def _undetermined(self) -> pl.Expr:
        """The text that names the missing facts; null where there are none."""
        before, after = undetermined_text(["\0"], ()).split("\0")
        paths = pl.col(self.missing)
        return pl.when(paths.list.len() > 0).then(_text([Piece(before), Piece(paths.list.join(", ")), Piece(after)]))

    def _collected(self, collected: Collected) -> Text:
        """The sentences of all rules that apply; where these have none, the decision's own."""
        found = self._of_rules(collected)
        own = self._own(Status.DECIDED)
        if not found:
            return own
        applies = joined("any", [each.applies.fill_null(False) for each in found])
        return pl.when(applies).then(_together(found)).otherwise(_as_column(own))

    def _still_open(self, collected: Collected) -> pl.Expr:
        """The sentences of all rules that surely apply, and what is missing to say whether others do."""
        undetermined = self._undetermined()
        found = [*self._of_rules(collected), Collecting(pl.lit(True), [Piece(undetermined)])]
        return pl.when(undetermined.is_not_null()).then(_together(found))

    def _of_rules(self, collected: Collected) -> list[Collecting]:
        rules = zip(collected.rules, collected.applies, strict=True)
        return [Collecting(flag, self._pieces(rule.then.because)) for rule, flag in rules if rule.then.because.parts]

    def _pieces(self, template: Template) -> list[Piece]:
        """The pieces of a sentence, as `language.sentences.pieces` has them."""
        expressions = template_expressions(template)
        return [self._piece(part, expressions) for part in sentence_of(template, self.is_sensitive)]

    def _piece(self, part: str | Said | Placeholder, expressions: Iterator[tree.Expression]) -> Piece:
        if not isinstance(part, Placeholder):
            return Piece(text_of(part), isinstance(part, Said) and part.sensitive)
        node = next(expressions).tree
        if isinstance(node, tree.Literal):
            return Piece(words_of_value(in_units(node.value, node.type), part), part.sensitive)
        value = self.to.named(node, "told")
        name = f"({value.meta.output_name()} as {part.format})"
        self.words[name] = words_of(value, node.type, part.format)
        return Piece(pl.col(name), part.sensitive)


class Collecting(NamedTuple):
    """A sentence of a collect decision, and whether its rule applies; null is no."""

    applies: pl.Expr
    pieces: Sequence[Piece]


def _text(pieces: Sequence[Piece]) -> Text:
    """Pieces as one text."""
    texts: list[Text] = [""]
    for text, _ in pieces:
        last = texts[-1]
        if isinstance(text, str) and isinstance(last, str):
            texts[-1] = last + text
        else:
            texts.append(text)
    return texts[0] if len(texts) == 1 else pl.concat_str(map(_as_column, texts))


def _together(found: Sequence[Collecting]) -> pl.Expr:
    """Sentences with blanks between these; of equal sentences only the first."""
    told = []
    for place, each in enumerate(found):
        equal = [(earlier.applies, same) for earlier in found[:place] if (same := _same(earlier, each)) is not None]
        said = joined("all", [each.applies, *(~(applies & same).fill_null(False) for applies, same in equal)])
        told.append(pl.when(said).then(_as_column(_text(each.pieces))))
    return pl.concat_str(told, separator=" ", ignore_nulls=True)


def _same(one: Collecting, other: Collecting) -> pl.Expr | None:
    """Whether two sentences are equal, piece by piece; None where they never are."""
    if [piece.sensitive for piece in one.pieces] != [piece.sensitive for piece in other.pieces]:
        return None
    pairs = [(left.text, right.text) for left, right in zip(one.pieces, other.pieces, strict=True)]
    if any(isinstance(left, str) and isinstance(right, str) and left != right for left, right in pairs):
        return None
    varying = [(_as_column(left), _as_column(right)) for left, right in pairs]
    equal = [left == right for left, right in varying if not left.meta.eq(right)]
    return joined("all", equal) if equal else pl.lit(True)


def _as_column(text: Text) -> pl.Expr:
    return pl.lit(text) if isinstance(text, str) else text
