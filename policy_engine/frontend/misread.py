"""Parameters whose value YAML takes for a text, and their authors for a number or a date: `1,000`, `60 days`, `2025-01-01`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policy_engine.diagnostics import Diagnostic, say
from policy_engine.frontend.syntax import ParameterSyntax
from policy_engine.language import expressions as tree
from policy_engine.source import Span

AMOUNT = re.compile(
    r"(?P<before>[$\u20ac\u00a3])?\s*(?P<number>[0-9]{1,3}(?:[,\u00a0 ][0-9]{3})+|[0-9]+)(?P<places>\.[0-9]+)?"
    r"\s*(?P<unit>%|[^\W\d_][\w ]*|[$\u20ac\u00a3])?"
)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LONGEST_AMOUNT = 60
UNITS = {"%": "percent", "$": "dollars", "\u20ac": "euros", "\u00a3": "pounds"}


@dataclass(frozen=True, slots=True)
class Misread:
    """A text that was meant otherwise: where its parameter stands, what it was meant to be, and what to write."""

    span: Span
    text: str
    expected: str
    hint: str

    def fault(self) -> Diagnostic:
        """What is said at the parameter."""
        words = {"what": f"`{self.text}`", "expected": self.expected, "found": "a text"}
        return say("wrong-type", self.span, hint=self.hint, words=words)


def misread_parameters(parameters: Iterable[ParameterSyntax]) -> Mapping[str, Misread]:
    """Of the parameters those whose value looks like an amount or a day, and is a text."""
    found = ((parameter.name.value, _misread(parameter)) for parameter in parameters)
    return {name: misread for name, misread in found if misread is not None}


def told_at_parameter(sides: Iterable[tree.Node], misread: Mapping[str, Misread]) -> Diagnostic | None:
    """What is said in place of a fault of types, where a side of it is such a parameter."""
    names = (side.name for side in sides if isinstance(side, tree.Parameter))
    return next((misread[name].fault() for name in names if name in misread), None)


def _misread(parameter: ParameterSyntax) -> Misread | None:
    for _, value in parameter.values:
        if isinstance(value, str):
            if is_day(value):
                return Misread(parameter.name.span, value, "a date", "add `type: date`")
            amount = amount_in(value)
            if amount is not None:
                return Misread(parameter.name.span, value, "a number", _as_number(*amount, parameter.unit))
    return None


def is_day(text: str) -> bool:
    """Whether a text has the form of a date."""
    return bool(DAY.fullmatch(text))


def amount_in(text: str) -> tuple[str, str] | None:
    """The number and the unit, "" where it has none, of a text such as `1,000 euros`; None where it is no amount."""
    amount = AMOUNT.fullmatch(text) if len(text) <= LONGEST_AMOUNT else None
    if amount is None:
        return None
    number = re.sub(r"[,\u00a0 ]", "", amount["number"]).lstrip("0") or "0"
    named = (amount["unit"] or amount["before"] or "").strip()
    return f"{number}{amount['places'] or ''}", UNITS.get(named, named)


def _as_number(number: str, named: str, unit: str | None) -> str:
    behind = f", with `unit: {named}`" if named and unit is None else ""
    return f"write `{number}`{behind}"
