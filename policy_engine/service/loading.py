"""Loading rules in a process of its own: whatever is wrong with them, the service goes on with those that it has."""

from __future__ import annotations

import pickle
import subprocess
import sys

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, RulesetError
from policy_engine.frontend.loader import Rulebook
from policy_engine.service.settings import Settings

PATIENCE = 300
"""Seconds that loading may take."""


def loaded_apart(settings: Settings) -> Rulebook:
    """The rules, read and checked by another process; raises `CannotRun` with a line for each fault."""
    command = [sys.executable, "-m", "policy_engine.service.loading", settings.rules, settings.schemas]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise CannotRun(f"the rules were not loaded within {PATIENCE} seconds") from None
    except OSError as error:
        raise CannotRun(f"no process could be started to load the rules: {error.strerror}") from None
    if done.returncode:
        raise CannotRun(done.stderr.decode("utf-8", "replace").strip() or "the process that loaded the rules failed")
    rulebook = pickle.loads(done.stdout)  # what our own program wrote
    assert isinstance(rulebook, Rulebook)
    return rulebook


def main(rules: str, schemas: str) -> int:
    """Write the rules to standard output, or their faults to standard error; the exit code."""
    try:
        rulebook = Engine.load(rules, schemas).rulebook
    except (RulesetError, CannotRun) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(pickle.dumps(rulebook))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
