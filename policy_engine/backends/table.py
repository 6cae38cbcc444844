"""The table of back ends; `tests/test_conformance.py` runs every conformance case over each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from policy_engine.backends import columnar, python
from policy_engine.backends.contract import BackEnd

BACKENDS: Mapping[str, BackEnd] = MappingProxyType(
    {
        "python": python.back_end,
        "columnar": columnar.back_end,
    }
)
