"""Generated Python has a text or a helper for every function of the language."""

from __future__ import annotations

import builtins

from policy_engine.backends.python.runtime import NAMES
from policy_engine.language.functions import FUNCTIONS

WRITTEN_OUT = frozenset({"known", "default", "if_known", "len", "round"})
"""The functions that take unknown arguments, and the one that needs the scale of its argument."""


def test_every_function_is_called_or_written_out() -> None:
    called = {name for name, function in FUNCTIONS.items() if function.python or name in NAMES}
    assert called | WRITTEN_OUT == FUNCTIONS.keys()
    assert not {name for name in called & WRITTEN_OUT if FUNCTIONS[name].plain is None}


def test_no_helper_hides_a_function_of_python() -> None:
    hidden = {name for name in FUNCTIONS if name in NAMES and getattr(builtins, name, NAMES[name]) is not NAMES[name]}
    assert hidden <= {"round"}
