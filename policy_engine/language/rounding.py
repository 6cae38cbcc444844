"""Rounding a ratio or a decimal to a number of places, by name of the mode."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

MODES: Mapping[str, str] = MappingProxyType(
    {
        "half_even": decimal.ROUND_HALF_EVEN,
        "half_up": decimal.ROUND_HALF_UP,
        "half_down": decimal.ROUND_HALF_DOWN,
        "up": decimal.ROUND_UP,
        "down": decimal.ROUND_DOWN,
        "ceiling": decimal.ROUND_CEILING,
        "floor": decimal.ROUND_FLOOR,
    }
)
"""Our names of the modes: half_up rounds ties away from zero, up rounds away from zero, down towards zero."""

TENTHS = (Decimal("0"), Decimal("0.2"), Decimal("0.5"), Decimal("0.7"))


def rounded(value: int | Decimal | Fraction, places: int, mode: str) -> Decimal:
    """The number with `places` decimal places, exactly rounded from its exact value.

    A whole part and a stand-in for the rest (none, less than half, half, more than half) are all that rounding asks for.
    """
    exact = Fraction(value) * 10**places
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    stand_in = (2 * rest > exact.denominator) + (2 * rest >= exact.denominator) + (rest > 0)
    digits = Decimal(whole) + TENTHS[stand_in]
    signed = digits.copy_negate() if exact < 0 else digits
    return (signed.quantize(Decimal(1), rounding=MODES[mode]) + 0).scaleb(-places)  # + 0: there is no minus nought
