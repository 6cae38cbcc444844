"""Parameters whose value YAML takes for a text, and their authors for a number or a date: `1,000`, `60 days`, `2025-01-01`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.syntax import ParameterSyntax
from policy_engine.language.date_texts import DAY

AMOUNT = re.compile(
    r"(?P<before>[$\u20ac\u00a3])?\s*(?P<number>[0-9]{1,3}(?:[,\u00a0 ][0-9]{3})+|[0-9]+)(?P<places>\.[0-9]+)?"
    r"\s*(?P<unit>%|[^\W\d_][\w ]*|[$\u20ac\u00a3])?"
)
LONGEST_AMOUNT = 60
UNITS = {"%": "percent", "$": "dollars", "\u20ac": "euros", "\u00a3": "pounds"}


def misread_parameters(parameters: Iterable[ParameterSyntax]) -> Mapping[str, Diagnostic]:
    """What is said of the parameters whose value looks like an amount or a day, and is a text."""
    found = ((parameter.name.value, _misread(parameter)) for parameter in parameters)
    return {name: fault for name, fault in found if fault is not None}


def _misread(parameter: ParameterSyntax) -> Diagnostic | None:
    for _, value in parameter.values:
        if isinstance(value, str) and is_day(value):
            return _no_text(parameter, value, "a date", "add `type: date`")
        amount = amount_in(value) if isinstance(value, str) else None
        if amount is not None:
            unit = f", with `unit: {amount[1]}`" if amount[1] and parameter.unit is None else ""
            return _no_text(parameter, str(value), "a number", f"write `{amount[0]}`{unit}")
    return None


def _no_text(parameter: ParameterSyntax, value: str, expected: str, hint: str) -> Diagnostic:
    words = {"what": f"`{value}`", "expected": expected, "found": "a text"}
    return say("wrong-type", parameter.name.span, hint=hint, words=words)


def is_day(text: str) -> bool:
    """Whether a text has the form of a date."""
    return bool(re.fullmatch(DAY, text))


def amount_in(text: str) -> tuple[str, str] | None:
    """The number and the unit, "" where it has none, of a text such as `1,000 euros`; None where it is no amount."""
    amount = AMOUNT.fullmatch(text) if len(text) <= LONGEST_AMOUNT else None
    if amount is None:
        return None
    number = re.sub(r"[,\u00a0 ]", "", amount["number"]).lstrip("0") or "0"
    named = (amount["unit"] or amount["before"] or "").strip()
    return f"{number}{amount['places'] or ''}", UNITS.get(named, named)
