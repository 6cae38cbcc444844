"""How this back end calls each function of the language: the text of a call over arguments that are all known.

`known`, `default`, `if_known` and `len` take unknown arguments too and are written in `expressions`; `round` needs the scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CALLS: Mapping[str, str] = MappingProxyType(
    {
        "days_between": "({1} - {0}).days",
        "add_days": "add_days({0}, {1})",
        "add_months": "add_months({0}, {1})",
        "add_years": "add_years({0}, {1})",
        "weekday": "{0}.isoweekday()",
        "is_weekday": "({0}.isoweekday() < 6)",
        "add_weekdays": "add_weekdays({0}, {1})",
        "weekdays_between": "weekdays_between({0}, {1})",
        "add_business_days": "add_business_days({0}, {1}, {2})",
        "date_of": "date_of({0}, ZONE)",
        "first_of_month": "{0}.replace(day=1)",
        "last_of_month": "last_of_month({0})",
        "abs": "abs({0})",
        "min": "min({all})",
        "max": "max({all})",
        "starts_with": "{0}.startswith({1})",
        "contains": "({1} in {0})",
    }
)
WRITTEN_OUT = frozenset({"known", "default", "if_known", "len", "round"})
