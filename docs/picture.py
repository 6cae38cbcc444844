"""Draws `docs/images/report.png`: the first answers of the report that `make demo` writes, as a browser shows them."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PAGE = Path("build/report/report.html")
PICTURE = Path(__file__).parent / "images" / "report.png"
WIDTH, HEIGHT = 920, 386
BEFORE = 24
"""Pixels above the heading that the picture begins with."""


def main() -> None:
    """Draw the picture; `make demo` must have written its report before, and Debian's `chromium` must be there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 2 * HEIGHT}, device_scale_factor=1.5)
        page.goto(PAGE.resolve().as_uri())
        place = page.get_by_role("heading", name="At a glance").bounding_box()
        if place is None:
            sys.exit(f"{PAGE} has no heading `At a glance`")
        clip = {"x": 0.0, "y": place["y"] - BEFORE, "width": float(WIDTH), "height": float(HEIGHT)}
        page.screenshot(path=PICTURE, clip=clip, full_page=True)  # type: ignore[arg-type]  # a dictionary of floats
        browser.close()


if __name__ == "__main__":
    main()
