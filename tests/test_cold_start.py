"""What is imported before anything is asked for: no more than the task needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

NEVER = {
    "numpy", "pandas", "polars", "pyarrow", "duckdb", "sqlglot", "z3", "hypothesis", "pytest", "_pytest", "setuptools",
    "pip", "requests", "httpx", "aiohttp", "urllib3", "http.client", "http.server", "socketserver", "ssl", "unittest",
    "pydoc", "tkinter",
}  # fmt: skip
"""Nothing that decides, checks or helps needs these; `socket` alone is what the interpreter's own parts ask for."""
LIST = "import json, sys; print(json.dumps(sorted(sys.modules)))"
RUN = """
import json, sys
sys.argv = json.loads(sys.argv[1])
from policy_engine.cli.main import main
try:
    main()
except SystemExit:
    pass
print()
print(json.dumps(sorted(sys.modules)))
"""
FACTS = '{"activity": "send_test_emails", "role": "account_owner", "acting_in": "client_account"}'


def modules_after(script: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a script."""
    command = [sys.executable, "-X", "utf8", "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8")
    return set(json.loads(done.stdout.splitlines()[-1]))


def after_command(*words: str) -> set[str]:
    """The modules loaded after a run of the command line."""
    return modules_after(RUN, json.dumps(["policy", *words]))


def needless(loaded: set[str]) -> set[str]:
    """What should not be there, beyond what the bare interpreter has."""
    return (loaded - modules_after(LIST)) & NEVER


def test_the_package_imports_what_it_needs() -> None:
    loaded = modules_after(f"import policy_engine; {LIST}")
    assert not needless(loaded)
    assert not loaded & {"typer", "rich", "click", "holidays", "babel"}


def test_help_imports_no_more_than_the_command_line() -> None:
    loaded = after_command("--help")
    assert not needless(loaded)
    assert "holidays" not in loaded


@pytest.fixture
def one_ruleset(tmp_path: Path) -> list[str]:
    """The options that name one rule file, and facts in a file."""
    (tmp_path / "facts.json").write_text(FACTS, "utf-8")
    return ["--rules", "rules/user_roles.yaml", "--facts", str(tmp_path / "facts.json"), "--as-of", "2025-09-01"]


def test_a_decision_imports_no_calendar_it_does_not_name(one_ruleset: list[str]) -> None:
    loaded = after_command("decide", "user_roles.permission", *one_ruleset)
    assert not needless(loaded)
    assert not loaded & {"holidays", "babel"}
    assert "policy_engine.backends.python.program" in loaded


def test_a_calendar_is_imported_where_it_is_named() -> None:
    named = 'from policy_engine.language.calendars import holidays_of; holidays_of(("us_federal",), 2025, 2025)'
    assert "holidays" in modules_after(f"{named}; {LIST}")
