"""`policy lsp`: the language server that editors start."""

from __future__ import annotations

import sys
from importlib import import_module

from policy_engine.errors import CannotRun


def lsp() -> None:
    """Talk with an editor over standard input and output: check while somebody types, complete, explain, rename, run tests.

    An editor starts this; docs/editors.md says how.
    """
    try:
        module = import_module("policy_engine.lsp.server")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("policy_engine"):
            raise
        told = f'`policy lsp` needs the package `{error.name}`: pip install "policy_engine[lsp]"'
        raise CannotRun(told) from None
    if sys.stdin.isatty():
        raise CannotRun("an editor starts this and talks with it; docs/editors.md says how")
    module.server.start_io()
