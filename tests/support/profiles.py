"""How many rulesets and facts Hypothesis writes: those of CI, the same each time, or as many as the environment asks for."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

WANTED = os.environ.get("AGREEMENT_EXAMPLES")


def agreement(in_ci: int, *phases: Phase) -> settings:
    """So many examples in CI, and `AGREEMENT_EXAMPLES` where that is set; `make fuzz` sets it."""
    return settings(
        max_examples=int(WANTED or in_ci),
        derandomize=WANTED is None,
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
