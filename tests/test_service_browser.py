"""The page `/docs` in a real browser: it shows the questions, asks one, and nothing is fetched from anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.support import browser as browsers
from tests.support.served import Server, serving

WAIT = 60_000.0
"""Milliseconds; a busy machine takes long for the first page."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served"), "--rules", "rules/can_spam.yaml") as running:
        yield running


@pytest.fixture
def page() -> Iterator[Page]:
    with browsers.browser() as started:
        yield started.new_page()


def test_the_page_shows_the_questions_and_fetches_nothing_from_elsewhere(server: Server, page: Page) -> None:
    own = f"http://127.0.0.1:{server.port}/"
    fetched: list[str] = []
    refused: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("console", lambda message: refused.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: refused.append(str(error)))
    page.goto(f"{own}docs#tag/can_spam/POST/v1/decisions/can_spam/opt_out_deadline", timeout=WAIT)
    question = "By when must the opt-out have been honoured?"
    expect(page.get_by_role("heading", name=question)).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Test Request").first.click()
    page.get_by_role("button", name="Send").first.click()
    expect(page.get_by_text("latest_date").first).to_be_visible(timeout=WAIT)
    assert f"{own}v1/decisions/can_spam/opt_out_deadline" in fetched or any("/v1/decisions/" in url for url in fetched)
    assert [url for url in fetched if not url.startswith((own, "data:", "blob:"))] == []
    assert refused == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server: Server, page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(
        f"http://127.0.0.1:{server.port}/docs#tag/can_spam/POST/v1/decisions/can_spam/opt_out_deadline", timeout=WAIT
    )
    question = "By when must the opt-out have been honoured?"
    expect(page.get_by_role("heading", name=question)).to_be_visible(timeout=WAIT)
    expect(page.get_by_role("button", name="Test Request").first).to_be_visible(timeout=WAIT)
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=WAIT)  # which comes last
    assert browsers.complaints(page) == []


def test_scalar_is_sent_packed_to_who_can_unpack_it(server: Server) -> None:
    packed = server.ask("GET", "/docs/scalar-1.46.0.js", headers={"accept-encoding": "gzip, br"})
    plain = server.ask("GET", "/docs/scalar-1.46.0.js", headers={})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 3
    assert "content-encoding" not in plain.headers
    assert b"License: https://github.com/scalar/scalar/blob/main/LICENSE" in plain.body[:1_000]
