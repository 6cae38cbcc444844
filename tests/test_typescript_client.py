"""The TypeScript client: its own tests against the running service, and that its types are those of the shipped rulesets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.commands import policy
from tests.support.served import Server, serving

FOLDER = ROOT / "clients" / "typescript"
TOOLS = FOLDER / "node_modules"
SCHEMA = Path("src", "schema.ts")
SHOWN = re.compile(r"```ts\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    """Skip, or fail in CI, where the compiler is not there."""
    if not (shutil.which("npm") and (TOOLS / "typescript").is_dir()):
        missing = "the TypeScript client needs Node.js 18 or later with npm: install them, then run `make typescript`"
        (pytest.fail if os.environ.get("CI") or shutil.which("npm") else pytest.skip)(missing)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    rulesets = ("partner_earnings", "can_spam", "partner_lifecycle")
    with serving(tmp_path_factory.mktemp("served"), only=rulesets) as running:
        yield running


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The client in a folder of its own, with the tools of the other."""
    made = tmp_path / "typescript"
    shutil.copytree(FOLDER, made, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (made / "node_modules").symlink_to(TOOLS)
    return made


def npm(folder: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a script of the package does."""
    command = ["npm", "run", "--silent", script]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )


def test_it_passes_its_tests_and_does_what_its_page_shows(copy: Path, server: Server) -> None:
    shown = SHOWN.search((FOLDER / "README.md").read_text("utf-8"))
    assert shown is not None
    page = shown[1].replace('"policy-engine-client"', '"../src/index.js"')
    asked = page.replace('"http://localhost:8000"', 'process.env["POLICY_SERVICE"]!')
    (copy / "test" / "readme.ts").write_text(asked, "utf-8")
    done = npm(copy, "test", POLICY_SERVICE=f"http://127.0.0.1:{server.port}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The account moved 60 days after the conversion; 60 are allowed." in done.stdout
    assert "# skipped 0" in done.stdout


def test_its_types_are_those_of_the_shipped_rulesets(copy: Path, tmp_path: Path) -> None:
    done = policy("serve", "openapi", folder=ROOT)
    assert done.code == 0, done.err
    (tmp_path / "openapi.json").write_text(done.out, "utf-8")
    made = npm(copy, "generate", POLICY_OPENAPI=str(tmp_path / "openapi.json"))
    assert made.returncode == 0, made.stderr
    assert (copy / SCHEMA).read_bytes() == (FOLDER / SCHEMA).read_bytes(), "run `make typescript-types`"
