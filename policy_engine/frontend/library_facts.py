"""Whether the facts that a library's parts read are the same in a ruleset's schema.

They are where the ruleset's schema has them under the same names, and allows nothing of them that the library's does not: the
same type, within the same bounds, and always there where the library's always are.
"""

from __future__ import annotations

from collections.abc import Iterable

from policy_engine.language.rounding import number_of_units
from policy_engine.language.rulesets import FactsSchema
from policy_engine.language.types import ListOf, Member, Number, Record, Text, Type, members_below, scaled, with_article
from policy_engine.language.values import in_words


def misfits(paths: Iterable[str], library: FactsSchema, own: FactsSchema) -> dict[str, tuple[str, Member]]:
    """Of paths that a library's text reads those that do not fit, each with the reason and the library's member.

    Of what lies below one that does not fit nothing is said.
    """
    if library.document == own.document:
        return {}
    there, here = dict(members_below(library.type)), dict(members_below(own.type))
    found: dict[str, tuple[str, Member]] = {}
    for path in sorted(paths):
        why = "the schema does not have" if path not in here else _why(there[path], here[path])
        if why is not None and not any(path.startswith(f"{above}.") for above in found):
            found[path] = why, there[path]
    return found


def _why(there: Member, here: Member) -> str | None:
    """What the ruleset's schema allows of a fact and the library's does not; None where there is no such thing."""
    if there.required and not here.required:
        return "may be absent here, and is always there for the library"
    if there.ordered_by != here.ordered_by and there.ordered_by is not None:
        return f"is in order of `{there.ordered_by}` for the library, and not here"
    return _why_type(there.type, here.type)


def _why_type(there: Type, here: Type) -> str | None:
    match there, here:
        case ListOf(), ListOf():
            if there.most is not None and (here.most is None or here.most > there.most):
                most = "any number of elements" if here.most is None else f"{here.most} elements"
                return f"may have {most} here, and at most {there.most} for the library"
            return _why_type(there.element, here.element)
        case Record(), Record():
            return None
        case Text(), Text():
            return _why_text(there, here)
        case Number(), Number():
            return _why_number(there, here)
        case _ if type(there) is not type(here):
            return f"is {with_article(here)} here, and {with_article(there)} for the library"
    return None


def _why_text(there: Text, here: Text) -> str | None:
    if there.values is None:
        return None
    if here.values is None:
        return f"may be any text here, and is one of {', '.join(there.values)} for the library"
    other = [value for value in here.values if value not in there.values]
    return f"may be `{other[0]}` here, which the library does not know" if other else None


def _why_number(there: Number, here: Number) -> str | None:
    if here.places > there.places:
        return f"has {here.places} decimal places here, and {there.places} for the library"
    fine = scaled(here, there.places)
    if fine.low >= there.low and fine.high <= there.high:
        return None
    return f"goes {_range(here)} here, and {_range(there)} for the library"


def _range(kind: Number) -> str:
    low, high = (in_words(number_of_units(units, kind.places)) for units in (kind.low, kind.high))
    return f"from {low} to {high}"
