"""Each diagnostic has a page, and what the page shows is what is said: `docs/diagnostics/CODE.md`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policy_engine.diagnostics import WORDINGS
from tests.conftest import lay_out, said
from tests.support.pages import FOLDER, HEADINGS, Page, pages
from tests.test_diagnostics import CASES, COMPUTED
from tests.test_docs import broken_links

PAGES = pages()
SHOWN = [page for page in PAGES if not page.shown_by_tests]
CODE = re.compile(r": (?:error|warning)\[([a-z-]+)\]: ")
HOLE = re.compile(r"\\\{\w+\\\}")
FORBIDDEN = ("/home/", "/tmp")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def message_pattern(code: str) -> str:
    """What the message of a code looks like with something in its holes."""
    return HOLE.sub(".+", re.escape(WORDINGS[code].message.replace("{{", "").replace("}}", "")))


def test_each_code_has_a_page_and_each_page_a_code() -> None:
    assert {page.code for page in PAGES} == set(WORDINGS)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_has_the_form_of_all(page: Page) -> None:
    title, quoted, *meaning = page.head
    assert title == f"# {page.code}"
    assert re.fullmatch(f"> {message_pattern(page.code)}", quoted.replace("{", "").replace("}", ""))
    assert any(meaning)
    assert page.headings == HEADINGS
    assert all(page.section(heading).strip() for heading in HEADINGS)
    assert [word for word in FORBIDDEN if word in page.text] == []


@pytest.mark.parametrize("path", [FOLDER / "README.md", *(page.path for page in PAGES)], ids=lambda path: path.stem)
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    assert list(broken_links(path)) == []


@pytest.mark.parametrize("page", SHOWN, ids=str)
def test_an_example_earns_its_code_and_no_other(page: Page, folder: Path, golden: bool) -> None:
    lay_out(page.files("Example"), folder)
    now = said()
    if golden:
        page.rewrite(now)
        return
    assert now == page.says
    assert set(CODE.findall(now)) == {page.code}


@pytest.mark.parametrize("page", SHOWN, ids=str)
def test_what_a_page_advises_has_no_fault(page: Page, folder: Path) -> None:
    lay_out(page.files("Instead"), folder)
    assert any(block.language in ("yaml", "json") for block in page.blocks("Instead"))
    assert said() == ""


@pytest.mark.parametrize("page", [page for page in PAGES if page.shown_by_tests], ids=str)
def test_what_no_page_can_show_has_a_case(page: Page) -> None:
    assert page.code in COMPUTED.union(code for case in CASES for code in case.codes)
