"""What changed of the constants of a ruleset: parameters with their values over time, and look-up tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from policy_engine.analysis.changes.normal_forms import NormalForms, places_of
from policy_engine.analysis.changes.sides import (
    Found,
    Patch,
    Sides,
    decimals,
    few,
    one_sided,
    paired,
    quoted,
    sentence,
    text_changes,
    wording,
)
from policy_engine.language.lookup_tables import LookupTable, TableRow, key_in_words
from policy_engine.language.rule_changes import Effect, Kind, RuleChange
from policy_engine.language.rulesets import Parameter, Period
from policy_engine.language.types import name_of
from policy_engine.language.values import Holidays, Value, in_words
from policy_engine.language.weekdays import DAYS

DESCRIBED = MappingProxyType(
    {"unit": Effect.NOTHING, "meaning": Effect.NOTHING, "source": Effect.REASON, "library": Effect.REASON}
)
OF_TABLES = MappingProxyType({name: effect for name, effect in DESCRIBED.items() if name != "unit"})


def parameter_changes(sides: Sides) -> Iterator[Found]:
    """What changed of the parameters; one that only one side has stands in normal forms for its value."""
    for name, old, new in paired(sides.old.parameters, sides.new.parameters, lambda parameter: parameter.name):
        what = f"the parameter {quoted(name)}"
        if old is not None and new is not None:
            yield from _parameter(sides, what, old, new)
        elif (only := new or old) is not None:
            words = ", ".join(f"{quoted(in_words(each.value))} {each.period}" for each in only.values)
            yield Found(one_sided(sides, Kind.PARAMETER, name, Effect.NOTHING, what, words, (old, new)))


def _parameter(sides: Sides, what: str, old: Parameter, new: Parameter) -> Iterator[Found]:
    effect = sides.effect_of("parameter", new.name)
    told = [wording(_over_time(parameter), parameter) for parameter in (old, new)]
    stretches = list(_stretches(sides, old, new))
    if stretches:
        message = f"{sentence(what)} {few(map(_in_stretch, stretches), '; ')}."
        patch = Patch((("parameters", new.name),), new)
        yield Found(sides.change(Kind.PARAMETER, new.name, effect, message, *told), patch)
    elif places_of(old.type) != places_of(new.type):
        message = f"{sentence(what)} has {decimals(places_of(new.type))}; it had {places_of(old.type)}."
        read = Effect.REASON if effect is Effect.ANSWER else effect
        yield Found(sides.change(Kind.PARAMETER, new.name, read, message, *told))
    yield from text_changes(sides, Kind.PARAMETER, new.name, what, (old, new), DESCRIBED)


def _over_time(parameter: Parameter) -> str:
    return "; ".join(f"{in_words(each.value)} {each.period}" for each in parameter.values)


class Stretch(NamedTuple):
    """The value of a parameter on both sides over some days, None where a side has none."""

    period: Period
    old: Value | None
    new: Value | None


def _stretches(sides: Sides, old: Parameter, new: Parameter) -> Iterator[Stretch]:
    """The stretches of days on which the values differ, each as long as it can be; none while neither side is in force."""
    for stretch in _all_stretches(sides, old, new):
        if any(stretch.period.overlaps(side.period) for side in (sides.old, sides.new)):
            yield stretch


def _all_stretches(sides: Sides, old: Parameter, new: Parameter) -> Iterator[Stretch]:
    ordered = new.name in sides.ordered
    starts = sorted(
        {each.period.start for parameter in (old, new) for each in parameter.values} | _ends(old) | _ends(new)
    )
    open_: Stretch | None = None
    for start in starts:
        here = Stretch(Period(start), _value_on(old, start), _value_on(new, start))
        if open_ is not None and (here.old, here.new) == (open_.old, open_.new):
            continue
        if open_ is not None and _differs(sides, open_, ordered=ordered):
            yield open_._replace(period=Period(open_.period.start, start))
        open_ = here
    if open_ is not None and _differs(sides, open_, ordered=ordered):
        yield open_


def _ends(parameter: Parameter) -> set[date]:
    return {each.period.end for each in parameter.values if each.period.end is not None}


def _value_on(parameter: Parameter, day: date) -> Value | None:
    return next((each.value for each in parameter.values if day in each.period), None)


def _differs(sides: Sides, stretch: Stretch, *, ordered: bool) -> bool:
    if stretch.old is None or stretch.new is None:
        return stretch.old is not stretch.new
    if not ordered and isinstance(stretch.old, tuple) and isinstance(stretch.new, tuple):
        return {*map(sides.old_forms.value, stretch.old)} != {*map(sides.new_forms.value, stretch.new)}
    return sides.old_forms.value(stretch.old) != sides.new_forms.value(stretch.new)


def _in_stretch(stretch: Stretch) -> str:
    """What a parameter is on some days, and what it was."""
    when = "" if stretch.period == Period() else f" {stretch.period}"
    match stretch.old, stretch.new:
        case (Holidays() as old, Holidays() as new):
            return f"{' and '.join(_of_calendar(old, new))}{when}"
        case (tuple() as old, tuple() as new) if {*old} != {*new}:
            return f"{' and '.join(_of_list(old, new))}{when}"
        case old, None:
            return f"has no value{when}, was {_plain(old)}"
        case None, new:
            return f"is {_plain(new)}{when}, had no value"
    return f"is {_plain(stretch.new)}{when}, was {_plain(stretch.old)}"


def _plain(value: Value | None) -> str:
    """A value in words; a whole number without the decimal places that other values of the parameter have."""
    is_whole = isinstance(value, Decimal) and value == value.to_integral_value()
    return f"{value:.0f}" if is_whole else in_words(value)


def _of_list(old: Sequence[Value], new: Sequence[Value]) -> Iterator[str]:
    if added := [value for value in new if value not in old]:
        yield f"has {few(in_words(value) for value in added)} besides"
    if gone := [value for value in old if value not in new]:
        yield f"no longer has {few(in_words(value) for value in gone)}"


def _of_calendar(old: Holidays, new: Holidays) -> Iterator[str]:
    if (old.first, old.last) != (new.first, new.last):
        yield f"has the years {new.first} to {new.last}, no longer {old.first} to {old.last}"
    years = range(max(old.first, new.first), min(old.last, new.last) + 1)
    before, after = ([day for day in side.dates if day.year in years] for side in (old, new))
    yield from _of_list(before, after)
    if old.weekend != new.weekend:
        yield f"has the weekend {_weekend(new)}, no longer {_weekend(old)}"


def _weekend(calendar: Holidays) -> str:
    if calendar.weekend is None:
        return "of the ruleset"
    return " and ".join(DAYS[day - 1] for day in calendar.weekend) or "of no day"


# Look-up tables


def table_changes(sides: Sides) -> Iterator[Found]:
    """What changed of the look-up tables; one that only one side has stands in normal forms for its rows."""
    for name, old, new in paired(sides.old.tables, sides.new.tables, lambda table: table.name):
        what = f"the table {quoted(name)}"
        if old is not None and new is not None:
            changed = list(_table(sides, old, new))
            patch = Patch((("tables", name),), new) if len(changed) == 1 else None
            yield from (Found(change, patch) for change in changed)
            yield from text_changes(sides, Kind.TABLE, name, what, (old, new), OF_TABLES)
            yield from _units(sides, old, new)
        elif (only := new or old) is not None:
            words = f"{len(only.rows)} rows, asked as {quoted(only.asked)}"
            yield Found(one_sided(sides, Kind.TABLE, name, Effect.NOTHING, what, words, (old, new)))


def _table(sides: Sides, old: LookupTable, new: LookupTable) -> Iterator[RuleChange]:
    effect = sides.effect_of("table", new.name)
    for message, before, after in _of_table(sides, old, new):
        words = wording(before, old), wording(after, new)
        told = f"In the table {quoted(new.name)}, {message}."
        yield sides.change(Kind.TABLE, new.name, effect, told, *words)


def _of_table(sides: Sides, old: LookupTable, new: LookupTable) -> Iterator[tuple[str, str, str]]:
    """What changed, and the words of both sides; rows are not compared where keys or columns are others."""
    for what in ("keys", "columns"):
        before, after = (_shape(getattr(table, what)) for table in (old, new))
        if before != after:
            yield f"the {what} are {after}; they were {before}", before, after
            return
    for message, examples in _rows(sides, old, new):
        yield f"{message}: {few(examples, '; ')}", f"{len(old.rows)} rows", f"{len(new.rows)} rows"
    if _otherwise(sides.old_forms, old) != _otherwise(sides.new_forms, new):
        before, after = (
            "nothing" if table.otherwise is None else _cells(table, table.otherwise) for table in (old, new)
        )
        yield f"where no row is found stands {after}; it was {before}", before, after


def _units(sides: Sides, old: LookupTable, new: LookupTable) -> Iterator[Found]:
    for name in _shared(old, new):
        columns = old.column(name), new.column(name)
        what = f"the column {quoted(name)} of the table {quoted(new.name)}"
        yield from text_changes(sides, Kind.TABLE, new.name, what, columns, {"unit": Effect.NOTHING})


def _shape(parts: Sequence[Any]) -> str:
    """The names and types of keys or columns; of columns the order does not matter."""
    shown = [f"{quoted(part.name)} ({_type_of(part)})" for part in parts]
    return ", ".join(shown if any(hasattr(part, "ranged") for part in parts) else sorted(shown))


def _type_of(part: Any) -> str:
    return f"range of {name_of(part.type)}s" if getattr(part, "ranged", False) else name_of(part.type)


def _otherwise(forms: NormalForms, table: LookupTable) -> int | None:
    return None if table.otherwise is None else forms.row(table, table.otherwise)


def _rows(sides: Sides, old: LookupTable, new: LookupTable) -> Iterator[tuple[str, list[str]]]:
    """What was done to how many rows, and which these are."""
    before, after = _by_keys(sides.old_forms, old), _by_keys(sides.new_forms, new)
    added = [row for keys, row in after.items() if keys not in before]
    gone = [row for keys, row in before.items() if keys not in after]
    both = [(row, after[keys]) for keys, row in before.items() if keys in after]
    changed = [
        (one, other)
        for one, other in both
        if sides.old_forms.row(old, one.cells) != sides.new_forms.row(new, other.cells)
    ]
    if added:
        yield f"{_count(added)} new", [f"{_name(new, row)} with {_cells(new, row.cells)}" for row in added]
    if gone:
        yield f"{_count(gone)} gone", [f"{_name(old, row)} with {_cells(old, row.cells)}" for row in gone]
    if changed:
        told = [f"{_name(new, other)}, where {_became(old, one, new, other)}" for one, other in changed]
        yield f"{_count(changed)} changed", told


def _by_keys(forms: NormalForms, table: LookupTable) -> dict[tuple[int, ...], TableRow]:
    return {tuple(map(forms.key, row.keys)): row for row in table.rows}


def _count(rows: Sequence[object]) -> str:
    return "1 row is" if len(rows) == 1 else f"{len(rows):,} rows are"


def _name(table: LookupTable, row: TableRow) -> str:
    """A row by its keys."""
    named = [key_in_words(key, value) for key, value in zip(table.keys, row.keys, strict=True)]
    return ", ".join(part for part in named if part)


def _cells(table: LookupTable, cells: Sequence[Value]) -> str:
    return ", ".join(f"{column.name} {in_words(cell)}" for column, cell in zip(table.columns, cells, strict=True))


def _became(old: LookupTable, one: TableRow, new: LookupTable, other: TableRow) -> str:
    """The cells of a row that changed, of the columns that both sides have."""
    cells = [(name, one.cells[old.place_of(name)], other.cells[new.place_of(name)]) for name in _shared(old, new)]
    return ", ".join(f"{name} is {in_words(b)} and was {in_words(a)}" for name, a, b in cells if a != b)


def _shared(old: LookupTable, new: LookupTable) -> list[str]:
    names = {column.name for column in old.columns}
    return [column.name for column in new.columns if column.name in names]
