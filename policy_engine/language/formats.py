"""Formats of the values that sentences name: numbers, money, percentages, dates and plurals as people of a language write them.

Babel knows how that is done. It is imported only where a format or a language other than English is used. No digit is rounded
away, and nothing of the machine's own language is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from policy_engine.language.rounding import number_of_units
from policy_engine.language.types import Date, Number, Type, innermost

if TYPE_CHECKING:
    from babel import Locale

ENGLISH = "en"
DATES: Mapping[str, str] = MappingProxyType({"long": "long", "short": "medium"})
"""The formats of dates, and what Babel calls them; its own `short` leaves the century out."""
NAMES = ("number", "money", "percent", *DATES, "plural")
"""The formats."""
CATEGORIES = ("zero", "one", "two", "few", "many", "other")
"""The categories of plurals, in the order in which their forms are written."""
SAMPLE = 200
"""Languages that tell whole numbers apart do so among fewer; a form for round millions alone is not asked for."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a value reads inside a sentence of a language: by one of the `NAMES`, or plainly where the name is empty.

    `arguments` are the currency of money, the forms of a plural.
    """

    name: str = ""
    language: str = ENGLISH
    arguments: tuple[str, ...] = ()


PLAINLY = Format()


class Words(NamedTuple):
    """The words of a language for values that have no digits."""

    unknown: str
    true: str
    false: str
    none: str


WORDS: Mapping[str, Words] = MappingProxyType(
    {
        ENGLISH: Words("unknown", "true", "false", "none"),
        "da": Words("ukendt", "sandt", "falsk", "ingen"),
        "de": Words("unbekannt", "wahr", "falsch", "keine"),
        "es": Words("desconocido", "verdadero", "falso", "ninguno"),
        "fi": Words("tuntematon", "tosi", "epätosi", "ei mitään"),
        "fr": Words("inconnu", "vrai", "faux", "aucun"),
        "it": Words("sconosciuto", "vero", "falso", "nessuno"),
        "nb": Words("ukjent", "sant", "usant", "ingen"),
        "nl": Words("onbekend", "waar", "onwaar", "geen"),
        "pl": Words("nieznane", "prawda", "fałsz", "brak"),
        "pt": Words("desconhecido", "verdadeiro", "falso", "nenhum"),
        "sv": Words("okänt", "sant", "falskt", "inga"),
    }
)
"""Those of other languages are in English."""


def words_in(language: str) -> Words:
    """The words of a language, by the first part of its tag."""
    return WORDS.get(language.split("-", maxsplit=1)[0].lower(), WORDS[ENGLISH])


def fits(name: str, kind: Type) -> bool:
    """Whether values of a type, or the elements of a list, can be written in a format."""
    return isinstance(innermost(kind), Date if name in DATES else Number)


def unknown_in(written: Format) -> str:
    """How an unknown value reads; a plural is that of no certain number, beside which the word for unknown stands."""
    return written.arguments[-1] if written.name == "plural" else words_in(written.language).unknown


def in_format(value: Any, places: int, written: Format) -> str:
    """A known value, as an answer keeps it, in a format."""
    if written.name in DATES:
        return _date(written.language, DATES[written.name], value)
    if written.name == "plural":
        return _plural(written, number_of_units(value, places))
    return _number(number_form(written, places), value, places)


# What Babel says. Its own formatting of numbers rounds by the caller's context and loses the apostrophes of Swiss numbers, so
# that numbers are put together here from its patterns and signs.


def language_named(word: str) -> str | None:
    """The tag of a language from its English name, or its own; None where there is no such language."""
    asked = word.lower()
    names = locale_of(ENGLISH).languages.items()
    tag = next((tag for tag, name in names if name.lower() == asked), None)
    return None if tag is None else tag.replace("_", "-")


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """What Babel knows of a language; raises `LookupError` where it knows no such tag."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - imported on use

    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError) as unknown:
        raise LookupError(language) from unknown


def edition() -> str:
    """The edition of what languages do, which is a part of the digest of a ruleset that asks for it."""
    from babel import __version__  # noqa: PLC0415 - imported on use

    return __version__


class NumberForm(NamedTuple):
    """How numbers are written: what stands before and after those that are not negative and those that are, the sizes of the last
    group of digits and of the others, the signs, and how many places are written at least.
    """

    before: tuple[str, str]
    after: tuple[str, str]
    grouping: tuple[int, int]
    group: str
    point: str
    least: int


@lru_cache(maxsize=256)
def number_form(written: Format, places: int) -> NumberForm:
    """How a `number`, `money` or `percent` of so many places is written."""
    from babel import numbers  # noqa: PLC0415 - imported on use

    locale = locale_of(written.language)
    minus, symbol = numbers.get_minus_sign_symbol(locale), ""
    match written.name:
        case "money":
            currency = written.arguments[0]
            pattern, least = locale.currency_formats["standard"], numbers.get_currency_precision(currency)
            symbol = numbers.get_currency_symbol(currency, locale)
        case "percent":
            pattern, least = locale.percent_formats[None], 0
        case _:
            pattern, least = locale.decimal_formats[None], places

    def affix(text: str) -> str:
        return text.replace("'", "").replace("-", minus).replace("\u00a4", symbol)

    return NumberForm(
        (affix(pattern.prefix[0]), affix(pattern.prefix[1])),
        (affix(pattern.suffix[0]), affix(pattern.suffix[1])),
        pattern.grouping,
        numbers.get_group_symbol(locale),
        numbers.get_decimal_symbol(locale),
        least,
    )


def _number(form: NumberForm, units: int, places: int) -> str:
    """A number of units of 10**-places; zeros at its end that need not be written are left out."""
    digits = str(abs(units)).rjust(places + 1, "0")
    whole, rest = digits[: len(digits) - places], digits[len(digits) - places :]
    rest = rest.rstrip("0").ljust(form.least, "0")
    written = _grouped(whole, form) + (form.point + rest if rest else "")
    return f"{form.before[units < 0]}{written}{form.after[units < 0]}"


def _grouped(whole: str, form: NumberForm) -> str:
    first, others = form.grouping
    groups = [whole[-first:]]
    whole = whole[:-first]
    while whole:
        groups.append(whole[-others:])
        whole = whole[:-others]
    return form.group.join(reversed(groups))


@lru_cache(maxsize=16_384)
def _date(language: str, style: str, day: date) -> str:
    from babel.dates import format_date  # noqa: PLC0415 - imported on use

    return format_date(day, style, locale_of(language))


def _plural(written: Format, number: int | Decimal) -> str:
    """The form for a number; the last one where its category has none of its own."""
    categories = plural_categories(written.language, isinstance(number, Decimal))
    category = locale_of(written.language).plural_form(number if number >= 0 else -number)
    place = categories.index(category) if category in categories else len(categories) - 1
    return written.arguments[place]


@lru_cache(maxsize=256)
def plural_categories(language: str, decimals: bool) -> tuple[str, ...]:
    """The categories of plurals that a language tells apart among whole numbers, and among decimals; `other` comes last."""
    category = locale_of(language).plural_form
    numbers: list[int | Decimal] = list(range(SAMPLE))
    if decimals:
        numbers += [number_of_units(units, places) for places in (1, 2) for units in range(10 * SAMPLE)]
    found = {category(number) for number in numbers}
    return tuple(name for name in CATEGORIES if name in found)


def currency_of(words: str, language: str) -> str | None:
    """The ISO code of the currency that words name: by the code, or by a name in English or the language, in whatever number."""
    asked = " ".join(words.split()).lower()
    for tag in (language, ENGLISH):
        for code, name in locale_of(tag).currencies.items():
            if asked.removesuffix("s") in (code.lower(), name.lower()) or asked in (code.lower(), name.lower()):
                return str(code)
    return None
