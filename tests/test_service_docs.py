"""What the pages show of the service is what it answers: each command is run by a shell against a running server."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.served import Server, serving
from tests.test_docs import ASKING, Block, blocks_of, run_python

SHOWN = "localhost:8000"
START = "policy serve &    # needs `pip install '.[service]'`; see docs/service.md\n"
"""What the README does first, and the tests have done."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    rulesets = ("partner_earnings", "user_roles", "can_spam", "payouts")
    settings = {"authzen": ROOT / "fixtures" / "authzen" / "permissions.yaml"}
    with serving(tmp_path_factory.mktemp("served"), only=rulesets, settings=settings) as running:
        yield running


def exchanges(page: Path) -> list[tuple[Block, Block]]:
    """The commands of a page that ask the service, each with the block that shows the answer."""
    blocks = blocks_of(page)
    return [(asked, told) for asked, told in pairwise(blocks) if SHOWN in asked.body]


PAGES = (ROOT / "README.md", ROOT / "docs" / "service.md", ROOT / "docs" / "authzen.md")
SHOWN_EXCHANGES = [each for page in PAGES for each in exchanges(page)]


def documents(text: str) -> list[Any]:
    """The JSON documents that follow one another in a text."""
    found, decoder, text = [], json.JSONDecoder(), text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].strip()
    return found


def is_shown(shown: Any, got: Any) -> bool:
    """Whether an answer is as shown: `...` at the end of a text stands for its rest, as a name for further members."""
    match shown:
        case dict():
            names = shown.keys() - {"..."}
            whole = "..." in shown or names == set(got)
            return whole and all(name in got and is_shown(shown[name], got[name]) for name in names)
        case list():
            return len(shown) == len(got) and all(map(is_shown, shown, got))
        case str() if shown.endswith("..."):
            return str(got).startswith(shown.removesuffix("..."))
    return bool(shown == got)


def test_there_are_commands_to_run() -> None:
    assert {asked.page for asked, _ in SHOWN_EXCHANGES} == {page.name for page in PAGES}


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize(("asked", "told"), SHOWN_EXCHANGES, ids=str)
def test_an_answer_is_as_the_page_shows(server: Server, asked: Block, told: Block) -> None:
    assert told.language == "json", f"{asked}: no answer is shown"
    command = asked.body.removeprefix(START).replace(SHOWN, f"127.0.0.1:{server.port}")
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    got, shown = documents(ran.stdout), documents(told.body)
    assert is_shown(shown, got), f"{asked}: answered\n{ran.stdout}"


def test_the_python_client_does_what_its_page_shows(server: Server) -> None:
    names: dict[str, Any] = {"__name__": "docs"}
    blocks = [block for block in blocks_of(ROOT / "docs" / ASKING) if block.language == "python"]
    assert blocks
    for block in blocks:
        run_python(replace(block, body=block.body.replace(SHOWN, f"127.0.0.1:{server.port}")), names)
    names["client"].close()


@pytest.mark.parametrize(
    ("shown", "got"),
    [({"a": 1}, {"a": 1, "b": 2}), ({"a": 1, "...": "..."}, {"b": 2}), ([1], [1, 2]), ("sha...", "md5"), (1, 2)],
)
def test_another_answer_than_the_one_shown_is_seen(shown: object, got: object) -> None:
    assert not is_shown(shown, got)
