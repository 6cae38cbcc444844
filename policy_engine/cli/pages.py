"""The pages about the diagnostics: `docs/diagnostics` in a checkout; an installed package carries them with it."""

from __future__ import annotations

from pathlib import Path

from policy_engine.diagnostics import WORDINGS, did_you_mean, shown_text
from policy_engine.errors import CannotRun

PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE.parent / "docs" / "diagnostics", PACKAGE / "pages")


def page_about(code: str) -> str:
    """What there is to say about the code of a diagnostic; raises `CannotRun`."""
    if code not in WORDINGS:
        near = did_you_mean(code, WORDINGS)
        raise CannotRun(f"no diagnostic has the code `{shown_text(code)}`{f'; {near}' if near else ''}")
    for folder in FOLDERS:
        path = folder / f"{code}.md"
        if path.is_file():
            return path.read_text("utf-8")
    raise CannotRun(f"the page about `{code}` is not installed")
