"""The entry point of `policy`, which handles an interrupt even while everything else is still being imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from policy_engine.cli.main import main as run  # noqa: PLC0415 - it is what takes long

        run()
    except KeyboardInterrupt:
        sys.exit(130)
