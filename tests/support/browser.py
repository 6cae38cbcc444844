"""A real browser for the tests of what a person sees: Debian's Chromium, driven by Playwright; nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = "chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def program() -> str:
    """Where Chromium is. Without it tests are skipped, but in CI they fail."""
    found = shutil.which(CHROMIUM)
    if found is None:
        missing = f"`{CHROMIUM}` is not installed; these tests need it (on Debian: apt-get install {CHROMIUM})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser, closed at the end."""
    path = program()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()


def axe_source() -> str:
    """The text of axe-core, which finds what keeps people from using a page."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


def complaints(page: Page) -> list[str]:
    """What axe finds wrong with a page: the rule, and where."""
    page.evaluate(axe_source())
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
