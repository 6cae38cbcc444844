"""How the rules of a collect decision combine the values that they give under one name (sentence 17.3)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from policy_engine.language.functions import AGGREGATES
from policy_engine.language.types import Type
from policy_engine.language.values import Value


class Combination(StrEnum):
    """What becomes of the values of several rules, in the order of the rules: the aggregate of that name over them."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"
    LIST = "list"
    FIRST = "first"
    LAST = "last"

    @property
    def empty(self) -> Value | None:
        """What no values combine to; None where they come to nothing, so that the value is null."""
        return () if self is Combination.LIST else 0 if self is Combination.SUM else None

    @property
    def expected(self) -> str:
        """What the values have to be, in words."""
        return "a number" if self is Combination.SUM else AGGREGATES[self].expected

    def type_of(self, element: Type, givers: int) -> Type | None:
        """The type that values of so many rules combine to; None where values of this type do not."""
        return AGGREGATES[self].result(element, givers)

    def of(self, values: Sequence[Value]) -> Value | None:
        """The values of the rules that apply, all known, as one value; None where there is none."""
        plain = AGGREGATES[self].plain
        assert plain is not None, "any, all and last_run do not combine"
        return plain(tuple(values)) if values else self.empty
