"""What several tests share: data files, files laid out from data, and the option that rewrites expectations."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from policy_engine.cli.show import diagnostic_line
from policy_engine.diagnostics import Diagnostic, in_order
from policy_engine.documents.nodes import plain
from policy_engine.documents.yaml_reader import read_file
from policy_engine.frontend.loader import load
from policy_engine.frontend.rule_tests import read_tests

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--golden`: expectations are rewritten rather than compared."""
    parser.addoption(
        "--golden", action="store_true", help="write what is said now into tests/diagnostics/ and docs/diagnostics/"
    )


def pytest_collection_finish() -> None:
    """Tests and modules stay until the end: the garbage collector need not look through them again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> bool:
    """Whether expected texts are to be rewritten rather than compared."""
    return bool(request.config.getoption("--golden"))


def read_data(path: Path) -> Any:
    """A YAML file of test data as plain data."""
    _, node, faults = read_file(path)
    assert node is not None, faults
    assert not faults, faults
    return plain(node)


def lay_out(files: Mapping[str, Any], folder: Path) -> None:
    """Write files: each a text, `{hex: ...}` or `{repeat: text, times: n}` (with `before:`, `after:` and `mode:`).

    Or what is no file: `{link: target}`, `{folder: true}`, `{fifo: true}`.
    """
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match content:
            case {"hex": digits}:
                path.write_bytes(bytes.fromhex(digits))
            case {"repeat": text, "times": times}:
                path.write_text(content.get("before", "") + text * times + content.get("after", ""), "utf-8")
                path.chmod(content.get("mode", 0o644))
            case {"link": target}:
                path.symlink_to(target)
            case {"folder": True}:
                path.mkdir()
            case {"fifo": True}:
                os.mkfifo(path)
            case text:
                path.write_bytes(text.encode("utf-8", "surrogatepass"))


def diagnostics() -> tuple[Diagnostic, ...]:
    """What is wrong with the rules, schemas and tests of the current folder."""
    rulebook = load([Path("rules")], Path("schemas"))
    _, faults = read_tests([Path("rules")], rulebook)
    return in_order([*rulebook.diagnostics, *faults])


def said() -> str:
    """What is said about the current folder, one line each."""
    return "".join(f"{diagnostic_line(diagnostic)}\n" for diagnostic in diagnostics())
