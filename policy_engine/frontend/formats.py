"""The formats that placeholders of sentences ask for: what stands behind the colon in `{amount:money}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain

from policy_engine.diagnostics import Diagnostic, did_you_mean, meaning, say
from policy_engine.frontend.syntax import RulesetSyntax, conclusions_written
from policy_engine.language import expressions as tree
from policy_engine.language.formats import (
    DATES,
    ENGLISH,
    NAMES,
    PLAINLY,
    Format,
    currency_of,
    fits,
    language_named,
    locale_of,
    plural_categories,
)
from policy_engine.language.types import Anything, Instant, Number, innermost, with_article
from policy_engine.language.units import PERCENT, Unit, Units, unit_of
from policy_engine.source import Authored, Span

FORM = re.compile(r" *([a-z_]+) *(?:\((.*)\) *)?")
IN_SENTENCE = re.compile(r"\{[a-z][a-z0-9_.]*: *[a-z]")
TAKING_ARGUMENTS = ("money", "plural")


@dataclass(frozen=True, slots=True)
class FormatSyntax:
    """A format as it is written behind the name of a value."""

    name: str
    text: str
    span: Span


def is_form(text: str) -> bool:
    """Whether a text looks like a format, whether or not there is one of that name."""
    return FORM.fullmatch(text) is not None


def uses_formats(syntax: RulesetSyntax) -> bool:
    """Whether some sentence of a rule file asks for a format."""
    decided = chain.from_iterable(map(conclusions_written, syntax.decisions))
    sentences = [*(each.because for each in syntax.decisions), *(each.because for each in decided)]
    return any(sentence is not None and IN_SENTENCE.search(sentence.value) for sentence in sentences)


def checked_language(tag: Authored | None) -> tuple[str, Diagnostic | None]:
    """The language of a ruleset's sentences; English, with a fault, where the tag is not known."""
    language = ENGLISH if tag is None or tag.unread else tag.value.strip()
    try:
        known = language == ENGLISH or bool(locale_of(language))
    except LookupError:
        known = False
    if known or tag is None:
        return language, None
    meant = language_named(language)
    hint = meaning(tag.value, meant, sure=False) if meant else None
    return ENGLISH, say("unknown-language", tag.span, hint=hint, name=language)


def format_of(written: FormatSyntax, node: tree.Node, language: str, units: Units) -> tuple[Format, Diagnostic | None]:
    """The format for the values of an expression, and what is wrong with it."""
    found = FORM.fullmatch(written.text)
    assert found is not None
    name, given = found[1], found[2]
    if name not in NAMES or (given is not None and name not in TAKING_ARGUMENTS):
        hint = did_you_mean(name, NAMES) if name not in NAMES else f"write `{name}`"
        words = {"name": written.text.strip(), "names": ", ".join(NAMES)}
        return PLAINLY, say("unknown-format", written.span, hint=hint, words=words)
    if isinstance(innermost(node.type), Anything):
        return PLAINLY, None  # a fault that was reported
    unit = units.of(node)
    if not fits(name, node.type) or (name == "percent" and unit not in (None, unit_of(PERCENT))):
        return PLAINLY, _wrong_type(written, name, node, unit)
    if name == "money":
        return _money(written, language, unit, given)
    if name == "plural":
        return _plural(written, node, language, given)
    return Format(name, language), None


def _wrong_type(written: FormatSyntax, name: str, node: tree.Node, unit: Unit | None) -> Diagnostic:
    expected = "a date" if name in DATES else "a number of percent" if name == "percent" else "a number"
    numeric = isinstance(innermost(node.type), Number)
    counted = f"a number of {unit.name}" if numeric and unit is not None else with_article(node.type)
    hint = "make a definition with `date_of(...)`, and name it here" if isinstance(node.type, Instant) else None
    words = {"format": name, "expected": expected, "name": written.name, "found": counted}
    return say("format-type", written.span, hint=hint, words=words)


def _money(
    written: FormatSyntax, language: str, unit: Unit | None, given: str | None
) -> tuple[Format, Diagnostic | None]:
    counted = [] if unit is None else [unit.words, unit.name]
    own = next((code for words in counted if (code := currency_of(words, language))), None)
    currency = own if given is None else currency_of(given, language)
    if own is not None and currency not in (None, own):
        why = f"`{written.name}` counts {own}, not {currency}"
        return PLAINLY, say("format-currency", written.span, hint=f"write `{{{written.name}:money}}`", why=why)
    if currency is not None:
        return Format("money", language, (currency,)), None
    why = f"the unit of `{written.name}` is not known"
    if given is not None:
        why = f"`{given}` is none"
    elif unit is not None:
        why = f"`{written.name}` counts {unit.name}"
    return PLAINLY, say("format-currency", written.span, why=why, name=written.name)


def _plural(
    written: FormatSyntax, node: tree.Node, language: str, given: str | None
) -> tuple[Format, Diagnostic | None]:
    kind = innermost(node.type)
    categories = plural_categories(language, isinstance(kind, Number) and kind.places > 0)
    forms = tuple(form.strip() for form in given.split(",")) if given is not None else ()
    if len(forms) == len(categories):
        return Format("plural", language, forms), None
    several = "1 form" if len(categories) == 1 else f"{len(categories)} forms ({', '.join(categories)})"
    example = ", ".join(("day", "days") if categories == ("one", "other") else categories)
    words = {"expected": several, "language": language, "found": len(forms), "name": written.name, "forms": example}
    return PLAINLY, say("plural-forms", written.span, words=words)
