"""A first mapping file for a table: what its cells tell of their form, each guess marked, so that somebody checks it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType

import polars as pl

from policy_engine.language.date_forms import written_as
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import Boolean, Date, Instant, Member, Number, Text, Time, member_of
from policy_engine.tables.cells import ABSENT, AS_FACTS, BLANKS, CellStyle, format_of_type, read_cell
from policy_engine.tables.file_options import FILE_KEYS, FileOptions
from policy_engine.tables.inspecting import meant, same_name
from policy_engine.tables.number_forms import NumberForm

CHECK = "# guessed: check"
MOST_CELLS = 1_000
"""So many different cells of a column tell its form."""
DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d%m%Y")
CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%H:%M:%S.%f")
MOMENTS = tuple(f"{day}{sign}{clock}" for day in (*DAYS, "%Y-%m-%d") for sign in " T" for clock in CLOCKS)
OWN_MOMENTS = tuple(f"%Y-%m-%dT%H:%M:%S{part}{offset}" for part in ("", ".%f") for offset in ("%z", ""))
OWN = ("%Y-%m-%d", *OWN_MOMENTS, "%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
"""The forms that need not be said, unless others are."""
TIMES = ("%H.%M", "%H:%M", "%I:%M %p", "%I:%M:%S %p", "%H%M", "%H.%M.%S")
NUMBERS = (
    NumberForm(","),
    NumberForm(",", "."),
    NumberForm(".", ","),
    NumberForm(",", " "),
    NumberForm(".", " "),
    NumberForm(".", "'"),
    NumberForm(",", "'"),
)
WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("ja", "j", "y", "t", "oui", "si", "wahr", "vrai", "x", "on"), "true"),
        **dict.fromkeys(("nein", "n", "f", "non", "falsch", "faux", "off"), "false"),
    }
)
"""What files write for true and false, in small letters, beside what is read anyway."""
ANY_ZONE = "UTC"
"""In place of a time zone that nobody knows yet."""
NOTHING_KNOWN: Mapping[str, str | None] = MappingProxyType({})
SAMPLE = 20
"""So many cells rule out most forms."""


@dataclass(slots=True)
class _Parts:
    """The parts of a mapping file, each as lines of YAML."""

    columns: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    times: list[str] = field(default_factory=list)
    timezone: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)


def first_mapping(
    table: pl.DataFrame, facts: FactsSchema, file: FileOptions, known: Mapping[str, str | None] = NOTHING_KNOWN
) -> str:
    """The text of a mapping file for the raw columns of a table; `known` has for columns the fact that they are, or None."""
    parts = _Parts()
    taken = {*table.columns, *known.values()}
    free = [member.name for member in facts.type.members if member.name not in taken]
    for column in table.columns:
        fact, note = _fact_of(column, facts, free, known)
        if fact != column:
            parts.columns.append(f"  {_quoted(column)}: {fact or 'null'}{note}")
        if fact is None:
            continue
        free = [name for name in free if name != fact]
        member = member_of(facts.type, fact)
        assert member is not None
        _guess(parts, member, table[column])
    said = asdict(file)
    options = [f"{key}: {json.dumps(said[key], ensure_ascii=False)}" for key in FILE_KEYS if said[key] is not None]
    sections = {name: lines for name, lines in asdict(parts).items() if lines}
    blocks = [line for name, lines in sections.items() for line in (f"{name}:", *lines)]
    return "\n".join([*options, *blocks] or ["columns: {}"]) + "\n"


def _fact_of(
    column: str, facts: FactsSchema, free: Sequence[str], known: Mapping[str, str | None]
) -> tuple[str | None, str]:
    """The fact that a column is, and what is to be remarked on that."""
    if column in known:
        return known[column], ""
    if member_of(facts.type, column) is not None:
        return column, ""
    fact = meant(column, free)
    if fact is None:
        return None, f"    {CHECK}; it is no fact, and is not read"
    return fact, "" if same_name(column, free) == fact else f"    {CHECK}"


def _guess(parts: _Parts, member: Member, column: pl.Series) -> None:
    """Add what the cells of a column tell."""
    if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is None:
        parts.timezone.extend(_of_zone(member))
    if not isinstance(column.dtype, pl.String):
        return
    cells = column.drop_nulls().unique(maintain_order=True).to_list()
    unread = [cell for cell in cells[:MOST_CELLS] if not _reads(member, AS_FACTS, cell)]
    none = [cell for cell in unread if cell.strip(BLANKS).lower() in ABSENT]
    if none:
        listed = ", ".join(_quoted(cell.strip(BLANKS)) for cell in none)
        parts.absent.append(f"  {member.name}: [{listed}]    {CHECK}")
    rest = [cell for cell in unread if cell not in none]
    if not rest:
        return
    known = [cell for cell in cells if _reads(member, AS_FACTS, cell)]
    match member.type:
        case Date():
            parts.dates.extend(_of_forms(member, _best_forms(member, DAYS + MOMENTS, rest, known)))
        case Time():
            parts.times.extend(_of_forms(member, _best_forms(member, TIMES, rest, known)))
        case Instant():
            _guess_instants(parts, member, rest, known)
        case Number():
            parts.numbers.extend(_of_numbers(member, rest, known))
        case Boolean() | Text():
            parts.values.extend(_of_values(member, rest))


def _reads(member: Member, style: CellStyle, cell: str) -> bool:
    """Whether a cell can be read; a text of a closed set is one of it."""
    if isinstance(member.type, Text):
        return member.type.values is None or cell in member.type.values
    return not read_cell(member, style, cell)[1]


def _reads_all(member: Member, style: CellStyle, cells: Sequence[str]) -> bool:
    return all(_reads(member, style, cell) for cell in cells)


def _best(member: Member, styles: Sequence[CellStyle], cells: Sequence[str]) -> list[CellStyle]:
    """The styles by which most cells can be read, if any can."""
    counts = [sum(_reads(member, style, cell) for cell in cells) for style in styles]
    most = max(counts, default=0)
    return [style for style, count in zip(styles, counts, strict=True) if count == most] if most else []


def best_styles(member: Member, cells: Sequence[str]) -> tuple[list[CellStyle], list[str]]:
    """The styles by which most cells can be read as a fact, and the cells that the first cannot read.

    Cells that mean absent are passed over.
    """
    cells = [cell for cell in cells if cell.strip(BLANKS).lower() not in ABSENT]
    unread = [cell for cell in cells if not _reads(member, AS_FACTS, cell)]
    known = [cell for cell in cells if _reads(member, AS_FACTS, cell)]
    styles = (_styles(member, unread, known) if unread else []) or [AS_FACTS]
    return styles, [cell for cell in unread if not _reads(member, styles[0], cell)]


def _styles(member: Member, cells: Sequence[str], known: Sequence[str]) -> list[CellStyle]:
    """The styles by which most cells can be read that cannot be read as facts are written, and all that can."""
    if isinstance(member.type, Number):
        found = _best(member, [CellStyle(numbers=form) for form in NUMBERS], cells)
        return [style for style in found if _reads_all(member, style, known)]
    instants = tuple(form + offset for form in MOMENTS for offset in ("%z", " %z", ""))
    forms = {Date: DAYS + MOMENTS, Time: TIMES, Instant: instants}.get(type(member.type), ())
    few = [style.forms[0] for style in _best(member, [CellStyle(forms=(form,)) for form in forms], cells[:SAMPLE])]
    return _best_forms(member, few, cells, known) if few else []


def _best_forms(member: Member, forms: Sequence[str], cells: Sequence[str], known: Sequence[str]) -> list[CellStyle]:
    """The forms by which most cells can be read, each with those that are needed for what is read without any form."""
    best = _best(member, [CellStyle(forms=(form,)) for form in forms], cells)
    found = [CellStyle(forms=(*style.forms, *_own_forms(member, style, known))) for style in best]
    return [style for style in found if _reads_all(member, style, known)]


def _own_forms(member: Member, style: CellStyle, known: Sequence[str]) -> list[str]:
    """The forms of facts that read cells which a style does not."""
    rest = [cell for cell in known if not _reads(member, style, cell)]
    forms = [form for form in OWN if written_as(format_of_type(member.type), form) is not None] if rest else []
    return [form for form in forms if any(_reads(member, CellStyle(forms=(form,)), cell) for cell in rest)]


def _of_forms(member: Member, best: Sequence[CellStyle]) -> Iterator[str]:
    if best:
        listed = ", ".join(map(_quoted, best[0].forms))
        forms = listed if len(best[0].forms) == 1 else f"[{listed}]"
        others = f"; it could be {best[1].forms[0]} too" if len(best) > 1 else ""
        yield f"  {member.name}: {forms}    {CHECK}{others}"


def _has_zone(member: Member) -> bool:
    """Whether a fact is an instant for which the schema has a time zone, or no instant."""
    return not isinstance(member.type, Instant) or member.type.zone is not None


def _of_zone(member: Member) -> Iterator[str]:
    """The time zone of an instant, unless the schema has one for it."""
    if not _has_zone(member):
        yield f"  {member.name}: {ANY_ZONE}    {CHECK}; the file does not say it"


def _guess_instants(parts: _Parts, member: Member, cells: Sequence[str], known: Sequence[str]) -> None:
    """The form of instants, and a time zone where they have no offset."""
    local = member if _has_zone(member) else replace(member, type=Instant(ANY_ZONE))
    if _reads_all(local, AS_FACTS, cells):
        parts.timezone.extend(_of_zone(member))
        return
    forms = [form + offset for form in MOMENTS for offset in ("%z", " %z", "")]
    best = _best_forms(local, forms, cells, known)
    if best and not best[0].forms[0].endswith("%z"):
        parts.timezone.extend(_of_zone(member))
    parts.dates.extend(_of_forms(local, best))


def _of_numbers(member: Member, cells: Sequence[str], known: Sequence[str]) -> Iterator[str]:
    best = _best(member, [CellStyle(numbers=form) for form in NUMBERS], cells)
    best = [style for style in best if _reads_all(member, style, known)]
    if not best or best[0].numbers is None:
        return
    read = [[read_cell(member, style, cell) for cell in cells] for style in best]
    other = next((style.numbers for style, values in zip(best, read, strict=True) if values != read[0]), None)
    others = f"; it could be {other.expected} too" if other else ""
    signs = {"decimal": best[0].numbers.decimal, "thousands": best[0].numbers.thousands}
    form = ", ".join(f"{key}: {_quoted(sign)}" for key, sign in signs.items() if sign)
    yield f"  {member.name}: {{{form}}}    {CHECK}{others}"


def _of_values(member: Member, cells: Sequence[str]) -> Iterator[str]:
    """Cells that stand for values by another case, or in another language."""
    found: dict[str, list[str]] = {}
    allowed = member.type.values or () if isinstance(member.type, Text) else ()
    for cell in cells:
        word = cell.strip(BLANKS).lower()
        value = WORDS.get(word) if isinstance(member.type, Boolean) else same_name(word, allowed)
        if value is not None:
            found.setdefault(value, []).append(_quoted(cell))
    if found:
        yield f"  {member.name}:    {CHECK}"
        yield from (f"    {_quoted(value)}: [{', '.join(texts)}]" for value, texts in found.items())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
