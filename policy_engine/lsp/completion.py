"""What is offered at a caret of a rule or test file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from policy_engine.frontend import shapes
from policy_engine.frontend.case_names import case_names
from policy_engine.frontend.context import Context
from policy_engine.frontend.shapes import Form, Kind, OneOf, Shape
from policy_engine.lsp.case_offers import case_key_offers, case_offers, columns_above
from policy_engine.lsp.expression_offers import expression_offers, placeholder_offers
from policy_engine.lsp.forms import forms_at, shape_of_file
from policy_engine.lsp.offers import Offer, of_keys, of_words, over
from policy_engine.lsp.places import Place, place_at
from policy_engine.lsp.rule_offers import rule_key_offers, rule_offers, value_names
from policy_engine.lsp.workspace import Snapshot

WORD = re.compile(r"[\w-]*")
SENTENCES = ("because", "else_because")


def offers_at(snapshot: Snapshot, path: Path, lines: Sequence[str], line: int, column: int) -> list[Offer]:
    """What may stand at a caret, by the number of its line and of the characters before it, from 0.

    The lines are those of the editor; what names mean is taken from the snapshot, which may be older.
    """
    place = place_at(lines, line, column) if line < len(lines) else None
    if place is None:
        return []
    root = shape_of_file(path, "\n".join(lines[:50]))
    forms = forms_at(root, place.path)
    keys = [] if place.within else _keys(forms, place)
    if root is shapes.TESTS:
        return keys + _in_tests(snapshot, path, lines, line, place, forms)
    context = snapshot.context(path)
    if context is None:
        return keys + over(_words(forms), place.text)
    return keys + _in_rules(snapshot, context, place, forms, lines[line][column:])


def _keys(forms: Sequence[Form], place: Place) -> list[Offer]:
    """The keys of the file format that the mapping does not have yet."""
    if not WORD.fullmatch(place.text):
        return []
    known = (key for form in forms if isinstance(form, Shape) for key in form.keys)
    return over(of_keys(key for key in known if key.name not in place.beside), place.text)


def _words(forms: Sequence[Form]) -> list[Offer]:
    """The words of which one must stand at a place."""
    words = [word for form in forms if isinstance(form, OneOf) for word in form.words]
    return of_words([*words, *(("true", "false") if Kind.FLAG in forms else ())], "value")


def _in_rules(snapshot: Snapshot, context: Context, place: Place, forms: Sequence[Form], after: str) -> list[Offer]:
    if Kind.EXPRESSION in forms or Kind.CONDITION in forms:
        rest = after.split(place.quote, 1)[0] if place.quote else after
        return expression_offers(context, context.scope, place.text, rest, place.quote)
    if place.path[-1:] and place.path[-1] in SENTENCES:
        return placeholder_offers(context, place.text, _values_of(context, place.path))
    names = rule_offers(snapshot, context, place.path)
    chosen = [] if place.within else rule_key_offers(snapshot, context, place.path)
    return over([*names, *_as_keys(chosen, place), *_words(forms)], place.text)


def _values_of(context: Context, path: tuple[str, ...]) -> list[str]:
    """The values of the decision that a path is below."""
    decisions = context.syntax.decisions if path[0] == "decisions" else ()
    return [name for each in decisions if each.name.value == path[1] for name in value_names(each)]


def _in_tests(
    snapshot: Snapshot, path: Path, lines: Sequence[str], line: int, place: Place, forms: Sequence[Form]
) -> list[Offer]:
    if place.path == ("tests",):
        return over(of_words(dict.fromkeys(each.id for each in snapshot.sound.values()), "ruleset"), place.text)
    test = snapshot.tests.get(str(path))
    known = case_names(snapshot.versions(test.ruleset) if test is not None else (), [])
    columns = columns_above(lines, line) if "rows" in place.path else []
    names = case_offers(known, place.path, columns, place.items)
    chosen = [] if place.within else case_key_offers(known, place.path)
    return over([*names, *_as_keys(chosen, place), *_words(forms)], place.text)


def _as_keys(offers: Sequence[Offer], place: Place) -> list[Offer]:
    """Names that stand as keys, each with its colon, without those that are there."""
    return [
        Offer(offer.label, offer.kind, offer.described, f"{offer.label}: ")
        for offer in offers
        if offer.label not in place.beside
    ]
