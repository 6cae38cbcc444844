"""Columns of many accounts at once: a ruleset becomes Polars expressions over tables of facts."""

from policy_engine.backends.columnar.program import ColumnarProgram, prepare
from policy_engine.backends.columnar.refusals import Refused

__all__ = ["ColumnarProgram", "Refused", "prepare"]
