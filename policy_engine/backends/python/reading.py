"""Reading facts: a JSON value becomes a value of its type, once, where it is first needed."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

from policy_engine.language.types import (
    LIMIT,
    Boolean,
    Date,
    Instant,
    ListOf,
    Member,
    Number,
    Record,
    Text,
    Time,
    Type,
    innermost,
    member_of,
)

if TYPE_CHECKING:
    from policy_engine.backends.python.expressions import Expressions


def read(to: Expressions, record: str, member: Member) -> str:
    """A member of a record as it came, made into a value of its type."""
    name = to.bind(member.name)
    raw = f"{record}[{name}]" if member.required else f"{record}.get({name})"
    made = reader(to, member.type, member.ordered_by)
    if made is None:
        return raw
    if member.required and made.count("{0}") == 1:
        return made.format(raw)
    held = to.writer.named(raw)
    filled = made.format(held)
    return filled if member.required else f"(None if {held} is None else {filled})"


def reader(to: Expressions, kind: Type, ordered_by: str | None = None) -> str | None:
    """The text that makes a JSON value a value of a type, None where it is one already."""
    match kind:
        case Date():
            return "to_date({0})"
        case Instant(zone=str() as zone):
            return f"read_instant({{0}}, {to.bind(zone)})"
        case Instant():
            return "to_instant({0})"
        case Time():
            return "to_time({0})"
        case Number(places=0):
            return "({0} if {0}.__class__ is int else to_integer({0}))"
        case Number(places=places):
            return f"to_units({{0}}, {places})"
        case ListOf(element=element):
            return _list_reader(to, element, ordered_by)
    return None


def _list_reader(to: Expressions, element: Type, ordered_by: str | None) -> str | None:
    if isinstance(element, Record) and ordered_by is not None:
        member = member_of(element, ordered_by)
        assert member is not None
        if isinstance(member.type, Date) or (isinstance(member.type, Number) and member.type.places == 0):
            return _sorted(to.bind(itemgetter(ordered_by)))
        made = reader(to, member.type)
        item = f"item[{to.bind(ordered_by)}]"
        key = made.format(item) if made else item
        return _sorted(f"lambda item: {key}")
    made = reader(to, element)
    return f"[{made.format('item')} for item in {{0}}]" if made else None


def _sorted(key: str) -> str:
    """The text that puts a list in order; most lists are short, and one of a single element is in order already."""
    return f"(sorted({{0}}, key={key}) if len({{0}}) > 1 else {{0}})"


def read_all(to: Expressions, record: str, kind: Record, asked: AbstractSet[str] | None = None) -> None:
    """Read every date and instant of a record, so that one on no calendar is found, and weigh every number.

    Of texts and truths the class is looked at, where they are among those `asked` for, or in any case if that is None.
    """
    looked_at = [member for member in kind.members if asked is None or member.name in asked]
    foreign = [_is_foreign(to, record, member) for member in looked_at if isinstance(member.type, Text | Boolean)]
    if foreign:
        to.writer.line(f"if {' or '.join(foreign)}: raise NotPlain")
    for member in kind.members:
        if isinstance(innermost(member.type), Date | Instant | Time):
            name = f"fact_{member.name}" if record == "facts" else to.writer.fresh()
            to.writer.once(name, partial(read, to, record, member))
        elif not isinstance(member.type, Text | Boolean):
            held = to.writer.named(f"{record}.get({to.bind(member.name)})")
            with to.writer.block(f"if {held} is not None:"):
                _read_below(to, held, member.type)


def _read_below(to: Expressions, held: str, kind: Type) -> None:
    """Read those of a record, of a list of records, or of a list of lists."""
    if isinstance(kind, Record):
        read_all(to, held, kind)
    elif isinstance(kind, ListOf) and isinstance(kind.element, Text | Boolean):
        classes = to.bind(frozenset({_own_class(kind.element)}))
        to.writer.line(f"if not {classes}.issuperset(map(type, {held})): raise NotPlain")
    elif isinstance(kind, ListOf):
        item = to.writer.fresh()
        with to.writer.block(f"for {item} in {held}:"):
            _read_below(to, item, kind.element)
    elif isinstance(kind, Number):
        to.writer.line(f"if not {-LIMIT} <= {held} <= {LIMIT}: raise NotPlain")
    elif isinstance(kind, Date | Instant | Time):
        to.writer.line((reader(to, kind) or "").format(held))


def _is_foreign(to: Expressions, record: str, member: Member) -> str:
    """The text that tells whether a text or a truth is of a class that is not Python's own.

    The validator takes enumerations, which are not equal to what they hold.
    """
    own, name = _own_class(member.type), to.bind(member.name)
    if member.required:
        return f"{record}[{name}].__class__ is not {own.__name__}"
    return f"{record}.get({name}).__class__ not in {to.bind(frozenset({own, type(None)}))}"


def _own_class(kind: Type) -> type:
    return str if isinstance(kind, Text) else bool
