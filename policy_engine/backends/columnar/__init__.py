"""Columns of many accounts at once: a ruleset becomes Polars expressions over tables of facts."""

from policy_engine.backends.columnar.program import ColumnarProgram, prepare
from policy_engine.backends.columnar.rows import back_end

__all__ = ["ColumnarProgram", "back_end", "prepare"]
