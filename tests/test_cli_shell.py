"""The command line around its commands: help, version, completion, terminals of any encoding, interrupts, facts in YAML."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from policy_engine.version import VERSION
from tests.conftest import ROOT, lay_out
from tests.test_cli import DECIDE, FILES, Run, process, refused, run

__all__ = ["run"]
COMMANDS = ("check", "decide", "explain", "test", "compare", "schemas", "report", "rules")


def test_d4_the_version_is_told(run: Run) -> None:
    assert run("--version").out == f"policy_engine {VERSION}\n"


@pytest.mark.parametrize("words", [(), *((command,) for command in COMMANDS), ("report", "verify"), ("rules", "show")])
def test_d4_help_has_a_short_name_and_nothing_of_it_is_cut(run: Run, words: tuple[str, ...]) -> None:
    short, long = run(*words, "-h"), run(*words, "--help")
    assert short == long
    assert short.code == 0
    described = [line for line in short.out.splitlines() if line.startswith("  ")]
    assert not [line for line in described if line.endswith("...")]


COMPLETED = [
    (("decide", "ord"), 2, ["orders"]),
    (("decide", "orders."), 2, ["orders.shipping"]),
    (("explain", "nothing"), 2, []),
    (("rules", "show", ""), 3, ["orders"]),
    (("report", "ord"), 2, ["orders="]),
    (("decide", "orders.shipping", "--reading", "b"), 4, ["boundary=counts", "boundary=counts_not"]),
    (("report", "orders=x.csv", "--over", ""), 4, ["ordered_on"]),
]
READINGS = """\
ruleset: orders
title: Orders
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
readings:
  boundary:
    question: Does the limit itself count?
    choice: counts
    choices: {counts: It does., counts_not: It does not.}
decisions:
  shipping:
    question: Is it free?
    outcomes: [free, charged]
    rules:
      - {id: large, when: 'price > 9 or (price == 9 and boundary == "counts")', then: free, because: It is large.}
    otherwise: {then: charged, because: It is small.}
"""
SCHEMA = """\
{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
 "properties": {"price": {"type": "integer", "minimum": 0, "maximum": 99},
                "ordered_on": {"type": "string", "format": "date"}, "note": {"type": "string"}}}
"""


def completed(folder: Path, words: tuple[str, ...], at: int) -> list[str]:
    """What bash proposes for the word at a place."""
    asked = {"_POLICY_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(("policy", *words)), "COMP_CWORD": str(at)}
    script = "import sys; sys.argv = ['policy']; from policy_engine.cli.start import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **asked}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_d4_a_shell_completes_what_the_rule_files_name(tmp_path: Path) -> None:
    lay_out({"rules/orders.yaml": READINGS, "schemas/order.schema.json": SCHEMA}, tmp_path)
    assert [completed(tmp_path, words, at) for words, at, _ in COMPLETED] == [names for _, _, names in COMPLETED]


def test_b5_a_shell_completes_readings_of_the_ruleset_that_is_asked_only(tmp_path: Path) -> None:
    other = READINGS.replace("ruleset: orders", "ruleset: others").replace("boundary", "edge")
    lay_out({"rules/orders.yaml": READINGS, "rules/others.yaml": other, "schemas/order.schema.json": SCHEMA}, tmp_path)
    choices = ["edge=counts", "edge=counts_not"]
    assert completed(tmp_path, ("decide", "others.shipping", "--reading", ""), 4) == choices
    assert completed(tmp_path, ("report", "others=x.csv", "--reading", ""), 4) == choices
    assert completed(tmp_path, ("decide", "others.shipping", "--facts", "x", "--reading", ""), 6) == choices


def test_d4_a_shell_is_shown_no_error_where_there_are_no_rule_files(tmp_path: Path) -> None:
    assert completed(tmp_path, ("decide", "o"), 2) == []


@pytest.mark.parametrize(("encoding", "bar"), [("cp1252", "#"), ("ascii", "#"), ("utf-8", "\u2588")])
def test_d4_a_terminal_that_lacks_a_character_is_shown_another(tmp_path: Path, encoding: str, bar: str) -> None:
    lay_out({"rules/orders.yaml": READINGS, "schemas/order.schema.json": SCHEMA}, tmp_path)
    lay_out({"orders.jsonl": '{"price": 50}\n', "f.yaml": "price: 9\nnote: \u015b\n"}, tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    command = [sys.executable, "-m", "policy_engine", "report", "orders=orders.jsonl", "--as-of", "2025-01-01"]
    done = subprocess.run([*command, "--out", "out"], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bar * 10 in done.stdout.decode(encoding)
    assert "manifest.json" in os.listdir(tmp_path / "out")


INTERRUPTED = """
import importlib.abc, runpy, signal, sys
place, sys.argv[1:] = sys.argv[1], ["check"]
class Interrupt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == place:
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
runpy.run_module("policy_engine", run_name="__main__")
"""


@pytest.mark.parametrize("module", ["typer", "policy_engine.engine", "rich.console", "policy_engine.frontend.loader"])
def test_d4_an_interrupt_while_the_program_starts_is_quiet(tmp_path: Path, module: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", INTERRUPTED, module]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


YAML_FACTS = [
    ("price: 50\nnote: a # b\n", "free"),
    ("# a comment\n{price: 5}\n", "charged"),
    ('{"price": 50}', "free"),
    ("\n  [", None),
]


@pytest.mark.parametrize(("text", "outcome"), YAML_FACTS)
def test_d4_standard_input_may_hold_yaml(tmp_path: Path, text: str, outcome: str | None) -> None:
    lay_out(FILES, tmp_path)
    ran = process(tmp_path, *DECIDE, "-", stdin=text)
    if outcome is None:
        refused(ran, "standard input: not JSON at line 2, column 3: a bracket is never closed", code=2)
    else:
        assert ran.out.startswith(f"orders.shipping: {outcome}\n")


def test_d4_a_fault_of_yaml_on_standard_input_is_told_at_its_place(tmp_path: Path) -> None:
    lay_out(FILES, tmp_path)
    ran = process(tmp_path, *DECIDE, "-", stdin="price: 50\nprice: 5\n")
    refused(ran, "standard input:2:1: ", "`price`", code=2)


def test_d4_markdown_needs_no_reader(tmp_path: Path) -> None:
    lay_out({**FILES, "f.json": '{"price": 50}'}, tmp_path)
    question = ("explain", "orders.shipping", "--as-of", "2025-07-01", "--facts", "f.json")
    ran = process(tmp_path, *question, "--markdown")
    assert (ran.code, ran.err) == (0, "")
    assert ran == process(tmp_path, *question, "--markdown", "--for", "auditor")


SENSITIVE = """\
ruleset: orders
title: Orders
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
decisions:
  shipping:
    question: Is it free?
    outcomes: [free, charged]
    rules:
      - {id: large, when: price > 9, then: free, because: It is large.}
    otherwise: {then: charged, because: It is small.}
    with: {twice: price * 2, left: 99 - income, days_open: "5"}
"""
SENSITIVE_SCHEMA = """\
{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
 "required": ["price", "income"],
 "properties": {"price": {"type": "integer", "minimum": 0, "maximum": 99},
                "income": {"type": "integer", "minimum": 0, "maximum": 99, "x-sensitive": true}}}
"""


def test_d4_a_customer_is_told_the_values_that_are_not_sensitive(tmp_path: Path) -> None:
    files = {"rules/orders.yaml": SENSITIVE, "schemas/order.schema.json": SENSITIVE_SCHEMA}
    lay_out({**files, "f.json": '{"price": 50, "income": 7}'}, tmp_path)
    ran = process(
        tmp_path, "explain", "orders.shipping", "--as-of", "2025-07-01", "--facts", "f.json", "--for", "customer"
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "The answer to \u201cIs it free?\u201d is free.\nIt is large.\n\n"
        "Values\n  twice: 100\n  left: (withheld)\n  days open: 5\n"
    )
