"""Checking decision tables (`matrix`): each value of both axes occurs once, and each cell has a meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from policy_engine.diagnostics import did_you_mean, nearest, say, say_unknown
from policy_engine.fixes import write
from policy_engine.frontend.context import Context, literal_cell
from policy_engine.frontend.shape_hints import BOOLEAN_WORDS, as_list, separate, several_items
from policy_engine.frontend.syntax import ConclusionSyntax, DecisionSyntax, LegendSyntax, MatrixSyntax, RowSyntax
from policy_engine.language import rulesets
from policy_engine.language.expressions import Condition, Expression
from policy_engine.language.types import Anything, Boolean, Text, Type
from policy_engine.source import Authored

Conclude = Callable[[ConclusionSyntax, tuple[str, ...]], rulesets.Conclusion]
Entry = tuple[Condition | None, rulesets.Conclusion, rulesets.Conclusion | None]


@dataclass(frozen=True, slots=True)
class Axis:
    """The rows or the columns: what chooses one, under its name, the values listed, and the code where one is missing."""

    chosen: Expression
    name: Authored
    values: list[Authored]
    missing: str


def check_matrix(context: Context, decision: DecisionSyntax, conclude: Conclude) -> rulesets.Matrix | None:
    """A decision's matrix, checked."""
    syntax = decision.matrix
    assert syntax is not None
    rows, columns = context.expression(syntax.rows), context.expression(syntax.columns)
    row_names = [row.value for row in syntax.cells]
    for axis in (
        Axis(rows, syntax.rows, row_names, "matrix-missing-row"),
        Axis(columns, syntax.columns, list(syntax.column_values), "matrix-missing-column"),
    ):
        _check_axis(context, axis, whole=not decision.broken)
    cells = tuple(_cells(context, decision, syntax, (rows, columns), conclude))
    _check_legend(context, syntax)
    row_values, column_values = _values(row_names, rows), _values(syntax.column_values, columns)
    return rulesets.Matrix(rows, columns, row_values, column_values, cells)


def _cells(
    context: Context,
    decision: DecisionSyntax,
    syntax: MatrixSyntax,
    axes: tuple[Expression, Expression],
    conclude: Conclude,
) -> Iterator[rulesets.Cell]:
    entries: dict[str, Entry] = {entry.key.value: _entry(context, entry, conclude) for entry in syntax.legend}
    for row in syntax.cells:
        if len(row.cells) != len(syntax.column_values) and not decision.broken:
            _refuse_cells(context, row, len(syntax.column_values))
        sources = context.sources(row.sources)
        for column, label in zip(syntax.column_values, row.cells, strict=False):
            if label.value not in entries:
                entries[label.value] = _labelled(context, decision, label, conclude)
            when, then, otherwise = entries[label.value]
            chosen = (row.value, axes[0]), (column, axes[1])
            told = rulesets.Template(()) if decision.because else _cell_sentence(label, *chosen)
            yield rulesets.Cell(
                id=f"{row.value.value}.{column.value}",
                row=_value(*chosen[0]),
                column=_value(*chosen[1]),
                when=when,
                then=_in_cell(then, told, sources),
                otherwise=_in_cell(otherwise, told, sources) if otherwise is not None else None,
                label=label.value,
                span=label.span,
            )


def _refuse_cells(context: Context, row: RowSyntax, expected: int) -> None:
    """Report a row of too few or too many cells, or one whose cells have no commas between them."""
    words = [word for cell in row.cells for word in separate(cell.value) or [cell.value]]
    hint = as_list(words) if len(words) == expected else None
    context.say("matrix-cells", row.span, hint=hint, words={"found": len(row.cells), "expected": expected})


def _check_axis(context: Context, axis: Axis, *, whole: bool) -> None:
    """Every value of the closed set once, and no other; none is missed where not the whole table could be read."""
    closed = closed_values(axis.chosen.tree.type)
    if closed is None:
        if not isinstance(axis.chosen.tree.type, Anything):
            context.say("matrix-not-closed", axis.name.span, name=axis.name.value)
        return
    seen: set[str] = set()
    for value in axis.values:
        if value.unread:
            continue
        words = separate(value.value)
        if words and set(words) <= set(closed):
            context.faults.append(several_items(value, words))
            seen.update(words)
            continue
        meant = value.value if value.value in closed else _refuse_value(context, axis, value, closed)
        if meant in seen and meant == value.value:
            context.say("duplicate-id", value.span, name=value.value)
        seen.add(meant)
    if whole:
        loose = (value for value in closed if value not in seen)
        context.faults.extend(say(axis.missing, axis.name.span, value=v, name=axis.name.value) for v in loose)


def _refuse_value(context: Context, axis: Axis, value: Authored, closed: tuple[str, ...]) -> str:
    """Report what is no value; the one that was probably meant, so that it is not missed as well."""
    truth = BOOLEAN_WORDS.get(value.value.lower()) if isinstance(axis.chosen.tree.type, Boolean) else None
    meant = truth or nearest(value.value, closed)
    hint = write(value.value, truth) if truth else did_you_mean(value.value, closed) or f"it has {', '.join(closed)}"
    words = {"value": value.value, "name": axis.name.value}
    context.say("matrix-not-a-value", value.span, hint=hint, words=words)
    return meant or value.value


def closed_values(kind: Type) -> tuple[str, ...] | None:
    """The closed set of a type as texts, None where it has none."""
    if isinstance(kind, Boolean):
        return ("false", "true")
    return kind.values if isinstance(kind, Text) else None


def _values(names: Iterable[Authored], chosen: Expression) -> tuple[str | bool, ...]:
    return tuple(_value(name, chosen) for name in names)


def _value(name: Authored, chosen: Expression) -> str | bool:
    return name.value == "true" if isinstance(chosen.tree.type, Boolean) else name.value


def _entry(context: Context, entry: LegendSyntax, conclude: Conclude) -> Entry:
    when = context.condition(entry.when) if entry.when is not None else None
    otherwise = conclude(entry.otherwise, ()) if entry.otherwise is not None else None
    return when, conclude(entry.then, ()), otherwise


def _labelled(context: Context, decision: DecisionSyntax, label: Authored, conclude: Conclude) -> Entry:
    """The meaning of a cell whose word is not in the legend: an outcome, or a literal amount."""
    assert decision.matrix is not None
    bare = ConclusionSyntax(label, None, (), (), (), label.span)
    if decision.matrix.value is not None:
        is_name = label.plain and context.scope.kind_of(label.value) is not None
        if is_name:
            return None, conclude(replace(bare, then=None), ()), None  # which is reported
        named = ((decision.matrix.value, literal_cell(label)),)
        return None, conclude(replace(bare, then=None, values=named), ()), None
    outcomes = [outcome.value for outcome in decision.outcomes]
    if label.unread or (decision.broken and not outcomes):
        bare = replace(bare, then=None)
    elif label.value not in outcomes:
        known = [*(entry.key.value for entry in decision.matrix.legend), *outcomes]
        context.faults.append(say_unknown("unknown-legend-key", label, known, f"there are {', '.join(known)}"))
        bare = replace(bare, then=None)
    return None, conclude(bare, ()), None


def _cell_sentence(
    label: Authored, row: tuple[Authored, Expression], column: tuple[Authored, Expression]
) -> rulesets.Template:
    """The reason of a cell for which the author wrote none: it quotes what row and column were."""
    quoted = [rulesets.Quoted(value.value, chosen) for value, chosen in (row, column)]
    return rulesets.Template((f"The table says {label.value} for ", quoted[0], " and ", quoted[1], "."))


def _in_cell(conclusion: rulesets.Conclusion, told: rulesets.Template, sources: tuple[str, ...]) -> rulesets.Conclusion:
    """The meaning of a word in one cell: with the cell's own reason where the word has none, and with the row's sources."""
    because = conclusion.because if conclusion.because.parts else told
    return replace(conclusion, because=because, sources=sources or conclusion.sources)


def _check_legend(context: Context, syntax: MatrixSyntax) -> None:
    used = {label.value for row in syntax.cells for label in row.cells}
    for entry in syntax.legend:
        if entry.key.value not in used:
            context.say("unused-legend", entry.key.span, name=entry.key.value)
