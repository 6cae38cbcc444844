"""Schemathesis asks what `/openapi.json` allows and what it forbids, for some seconds: no fault, nothing undescribed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.served import Server, serving

FOLDER = ROOT / "tests" / "openapi"
SECONDS = 6
SEED = 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served"), only=("can_spam", "user_roles", "partner_lifecycle")) as running:
        yield running


def schemathesis(server: Server, document: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What Schemathesis finds with all its checks, by a document that describes the service."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(FOLDER / "schemathesis.toml"), "run"]
    asked = ["--url", f"http://127.0.0.1:{server.port}", "--checks", "all", "--seed", str(SEED), "--no-color", *options]
    variables = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.openapi.schemathesis_hooks", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, str(document), *asked], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def written(document: Any, folder: Path) -> Path:
    (folder / "openapi.json").write_text(json.dumps(document), "utf-8")
    return folder / "openapi.json"


def test_nothing_is_answered_but_what_is_described(server: Server, tmp_path: Path) -> None:
    document = written(server.ask("GET", "/openapi.json").json, tmp_path)
    done = schemathesis(server, document, tmp_path, "--max-time", str(SECONDS))
    assert done.returncode == 0, done.stdout
    assert "generated, " in done.stdout


def test_what_is_not_described_is_found(server: Server, tmp_path: Path) -> None:
    document = server.ask("GET", "/openapi.json").json
    address = "/v1/decisions/can_spam/opt_out_deadline"
    operation = document["paths"][address]["post"]
    del operation["responses"]["422"]
    done = schemathesis(
        server, written(document, tmp_path), tmp_path, "--include-path", address, "--phases", "coverage"
    )
    assert done.returncode == 1
    assert f"POST {address}" in done.stdout
    assert "[422]" in done.stdout
