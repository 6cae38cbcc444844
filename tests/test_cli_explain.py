"""`policy check --explain CODE`: from a checkout, and from an installed package, which carries the pages with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from policy_engine.diagnostics import WORDINGS
from tests.conftest import ROOT
from tests.support.pages import FOLDER


def explain(code: str, package: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """What the command says about a code, run in a folder with a package that lies where it lies."""
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-P", "-m", "policy_engine", "check", "--explain", code]
    return subprocess.run(command, capture_output=True, encoding="utf-8", cwd=folder, env=environment, check=False)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as setuptools builds it for a wheel."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    for name in ("policy_engine", "docs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(built)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return built


def test_a_checkout_prints_the_page(tmp_path: Path) -> None:
    ran = explain("unknown-name", ROOT, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == (FOLDER / "unknown-name.md").read_text("utf-8")


def test_an_installed_package_prints_the_page(installed: Path, tmp_path: Path) -> None:
    ran = explain("unknown-name", installed, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == (FOLDER / "unknown-name.md").read_text("utf-8")


def test_an_installed_package_has_every_page_and_no_more(installed: Path) -> None:
    carried = {path.name for path in (installed / "policy_engine" / "pages").iterdir()}
    assert carried == {f"{code}.md" for code in WORDINGS}


def test_d5_an_installed_package_carries_its_schemas(installed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "policy_engine", "schemas"]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    written = {path.name: path.read_bytes() for path in (tmp_path / "schemas").iterdir()}
    assert written == {name: (ROOT / "schemas" / name).read_bytes() for name in written}
    assert sorted(written) == [
        "authzen.schema.json",
        "decision.schema.json",
        "ruleset.schema.json",
        "ruleset_library.schema.json",
        "ruleset_test.schema.json",
    ]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("unknown-nam", "no diagnostic has the code `unknown-nam`; did you mean `unknown-name`?\n"),
        ("Unknown_Name", "no diagnostic has the code `Unknown_Name`; did you mean `unknown-name`?\n"),
        ("README", "no diagnostic has the code `README`\n"),
        ("../../README", "no diagnostic has the code `../../README`\n"),
        ("", "no diagnostic has the code ``\n"),
        ("\x1b[31m", "no diagnostic has the code `\\x1b[31m`\n"),
    ],
)
def test_an_unknown_code_is_refused(code: str, told: str, tmp_path: Path) -> None:
    ran = explain(code, ROOT, tmp_path)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", told)
