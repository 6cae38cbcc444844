"""Every function of the language has its place in the Python back end's tables."""

from __future__ import annotations

from policy_engine.backends.python.functions import CALLS, WRITTEN_OUT
from policy_engine.language.functions import FUNCTIONS


def test_every_function_is_called_or_written_out() -> None:
    assert CALLS.keys() | WRITTEN_OUT == FUNCTIONS.keys()
    assert not CALLS.keys() & WRITTEN_OUT
