"""Puts the pages of `docs/diagnostics` into the wheel, where `policy check --explain` finds them."""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PAGES = Path("docs", "diagnostics")
NO_PAGES = ("README.md",)


class BuildWithPages(build_py):
    """Copies the package, and the pages into it."""

    def run(self) -> None:
        """Build; an editable installation has the pages beside it."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "policy_engine", "pages")
        self.mkpath(str(target))
        for page in sorted(PAGES.glob("*.md")):
            if page.name not in NO_PAGES:
                self.copy_file(str(page), str(target / page.name))


setup(cmdclass={"build_py": BuildWithPages})
