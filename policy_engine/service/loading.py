"""Loading rules in a process of its own: whatever is wrong with them, the service goes on with those that it has."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from policy_engine.engine import Engine
from policy_engine.errors import CannotRun, RulesetError
from policy_engine.frontend.loader import Rulebook
from policy_engine.service.clock import CLOCK
from policy_engine.service.loaded import Loaded
from policy_engine.service.messages import Basis
from policy_engine.service.settings import Settings

if TYPE_CHECKING:
    from policy_engine.service.authzen.tenants import Tenants

PATIENCE = 300
"""Seconds that loading may take."""


def loaded_apart(settings: Settings) -> Basis:
    """The rules and the AuthZEN mapping, read and checked by another process; raises `CannotRun` with a line for each fault."""
    places = settings.rules, settings.schemas, settings.authzen
    command = [sys.executable, "-m", "policy_engine.service.loading", *places]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise CannotRun(f"the rules were not loaded within {PATIENCE} seconds") from None
    except OSError as error:
        raise CannotRun(f"no process could be started to load the rules: {error.strerror}") from None
    if done.returncode:
        raise CannotRun(done.stderr.decode("utf-8", "replace").strip() or "the process that loaded the rules failed")
    basis = pickle.loads(done.stdout)  # what our own program wrote
    assert isinstance(basis, Basis)
    return basis


def main(rules: str, schemas: str, authzen: str) -> int:
    """Write what was loaded to standard output, or its faults to standard error; the exit code."""
    try:
        basis = _basis(Engine.load(rules, schemas).rulebook, authzen)
    except (RulesetError, CannotRun) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(pickle.dumps(basis))
    return 0


def _basis(rulebook: Rulebook, authzen: str) -> Basis:
    tenants = tenants_of(authzen, rulebook)
    described = Loaded(Engine(rulebook), tenants=tenants).openapi
    if tenants is None:
        return Basis(rulebook, openapi=described)
    return Basis(rulebook, pickle.dumps(tenants), tenants.files, described)


def tenants_of(authzen: str, rulebook: Rulebook) -> Tenants | None:
    """The tenants of the AuthZEN mapping in a file, None where none is named; raises `CannotRun` and `RulesetError`."""
    if not authzen:
        return None
    from policy_engine.service.authzen.tenants import read_tenants  # noqa: PLC0415 - without a mapping nobody needs Polars

    return read_tenants(Path(authzen), rulebook, CLOCK)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
