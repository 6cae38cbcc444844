"""`policy test` as a programmer uses it: some of the cases, those that failed, again at each change, and through pytest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from policy_engine.cli.case_selection import LAST_FAILED
from policy_engine.cli.failures import MOST_LINES
from tests.conftest import ROOT, lay_out
from tests.support.commands import policy

SCHEMA = json.dumps(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"days": {"type": "integer", "minimum": 0, "maximum": 1000}, "vip": {"type": "boolean"}},
        "additionalProperties": False,
    }
)
RULES = """\
ruleset: s
title: S
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: f
parameters: {limit: {value: 10}}
definitions: {late: days > limit}
decisions:
  d:
    question: Which?
    outcomes: [deny, allow]
    rules:
      - {id: too-late, when: {all: [late, "not default(vip, false)"]}, then: deny, because: Late.}
    otherwise: {then: allow, because: In time.}
"""
TESTS = """\
tests: s
cases:
  - {name: early, as_of: 2025-06-01, facts: {days: 9}, expect: {d: allow}}
  - {name: late, as_of: 2025-06-01, facts: {days: 11, vip: true}, expect: {d: deny}}
  - {name: very late, as_of: 2025-06-01, facts: {days: 99}, expect: {d: allow}}
"""
LATE = """\
failed  rules/s_test.yaml:4:12: late
  facts on 2025-06-01: days: 11, vip: true
  d outcome is `allow`, and the case expects `deny`
  too-late does not apply: not default(vip, false) is false (default(vip, false) = true)
  otherwise applies
"""
VERY_LATE = """\
failed  rules/s_test.yaml:5:12: very late
  facts on 2025-06-01: days: 99
  d outcome is `deny`, and the case expects `allow`
  too-late applies: days > limit is true (days = 99, limit = 10); not default(vip, false) is true (default(vip, false) = false)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lay_out({"rules/s.yaml": RULES, "rules/s_test.yaml": TESTS, "schemas/f.schema.json": SCHEMA}, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "out"),
    [
        ([], 1, f"{LATE}{VERY_LATE}1 passed, 2 failed\n"),
        (["-x"], 1, f"{LATE}1 passed, 1 failed, 1 not run\n"),
        (["-k", "EARLY"], 0, "1 passed, 0 failed, 2 not run\n"),
        (["-k", "very"], 1, f"{VERY_LATE}0 passed, 1 failed, 2 not run\n"),
        (["-k", "s_test"], 1, f"{LATE}{VERY_LATE}1 passed, 2 failed\n"),
        (["-k", "nowhere"], 1, "0 passed, 0 failed, 3 not run\n"),
        (["--last-failed", "-k", "early"], 0, "1 passed, 0 failed, 2 not run\n"),
    ],
)
def test_some_of_the_cases(arguments: list[str], code: int, out: str, folder: Path) -> None:
    ran = policy("test", *arguments, folder=folder)
    assert (ran.code, ran.out) == (code, out)


def test_what_failed_the_last_time_is_run_until_it_passes(folder: Path) -> None:
    policy("test", folder=folder)
    assert policy("test", "--last-failed", folder=folder).out == f"{LATE}{VERY_LATE}0 passed, 2 failed, 1 not run\n"
    (folder / "rules" / "s_test.yaml").write_text(
        TESTS.replace("vip: true}, expect: {d: deny}", "vip: true}, expect: {d: allow}")
    )
    assert policy("test", "--last-failed", folder=folder).out == f"{VERY_LATE}1 passed, 1 failed, 1 not run\n"
    assert policy("test", "-k", "early", folder=folder).out == "1 passed, 0 failed, 2 not run\n"
    assert policy("test", "--last-failed", folder=folder).out == f"{VERY_LATE}0 passed, 1 failed, 2 not run\n"
    (folder / LAST_FAILED).write_text("{")
    assert policy("test", "--last-failed", folder=folder).code == 2


def test_what_x_did_not_come_to_is_run_the_next_time(folder: Path) -> None:
    assert policy("test", "-x", folder=folder).out == f"{LATE}1 passed, 1 failed, 1 not run\n"
    assert policy("test", "--last-failed", folder=folder).out == f"{LATE}{VERY_LATE}0 passed, 2 failed, 1 not run\n"


@pytest.mark.parametrize("option", [["-x"], ["-k", "a"], ["--last-failed"]])
@pytest.mark.parametrize("whole", ["--coverage", "--mutate", "--suggest"])
def test_coverage_and_mutation_are_of_all_cases(whole: str, option: list[str], folder: Path) -> None:
    ran = policy("test", whole, *option, folder=folder)
    assert (ran.code, ran.err) == (
        2,
        "coverage, mutation and suggestions are of all cases: leave out -k, -x and --last-failed\n",
    )


def test_a_failure_takes_few_lines_and_the_trace_all(folder: Path) -> None:
    many = "".join(f"      - {{id: r{n}, when: days == {n + 100}, then: deny, because: No.}}\n" for n in range(30))
    (folder / "rules" / "s.yaml").write_text(RULES.replace("    otherwise", f"{many}    otherwise"))
    ran = policy("test", "-k", "early", folder=folder)
    assert ran.code == 0
    short, full = (policy("test", "-k", "/s_test.yaml s late", *more, folder=folder).out for more in ([], ["--trace"]))
    assert short.splitlines()[MOST_LINES - 1 :] == ["  ... (--trace shows all)", "0 passed, 1 failed, 2 not run"]
    assert "r29" in full
    assert "how it was decided" in full


def test_watching_runs_again_when_a_rule_or_a_fixture_changes(folder: Path) -> None:
    command = [sys.executable, "-m", "policy_engine", "test", "--watch", "-k", "sooner"]
    more = "  - {name: sooner, as_of: 2025-06-01, facts: {from: facts.json}, expect: {d: allow}}\n"
    lay_out({"rules/s_test.yaml": TESTS + more, "facts.json": '{"days": 9}'}, folder)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    out = folder / "out.txt"
    with out.open("w") as stream:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=stream)
        try:
            _wait_for("1 passed, 0 failed, 3 not run", out)
            rules = folder / "rules" / "s.yaml"
            rules.write_text(RULES.replace("value: 10", "value: 1"))
            _wait_for("0 passed, 1 failed, 3 not run", out)
            (folder / "facts.json").write_text('{"days": 1}')
            _wait_for("1 passed, 0 failed, 3 not run", out, times=2)
        finally:
            running.terminate()
            running.wait()


def _wait_for(words: str, path: Path, times: int = 1) -> None:
    until = time.monotonic() + 60
    while path.read_text().count(words) < times:
        assert time.monotonic() < until, path.read_text()
        time.sleep(0.1)


def _pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "policy_engine.cli.pytest_plugin"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run(
        [*command, "--rootdir", ".", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


def test_pytest_takes_each_case_as_a_test(folder: Path) -> None:
    lay_out({"other_test.yaml": "suite: of another tool\n", "binary_test.yaml": {"hex": "ff00"}}, folder)
    code, out = _pytest(folder)
    assert code == 1
    assert out.splitlines()[-1].startswith("2 failed, 1 passed")
    for line in (*LATE.splitlines()[1:], "FAILED rules/s_test.yaml::late", "FAILED rules/s_test.yaml::very late"):
        assert line in out


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("rules/s.yaml", RULES.replace("days > limit", "dayz > limit"), "error[unknown-name]"),
        ("rules/s_test.yaml", TESTS.replace("{d: deny}", "{e: deny}"), ": error["),
    ],
)
def test_pytest_shows_faults_of_rules_and_tests(file: str, text: str, words: str, folder: Path) -> None:
    (folder / file).write_text(text)
    code, out = _pytest(folder)
    assert code == 2
    assert words in out


def test_check_speaks_sarif_and_github(folder: Path) -> None:
    (folder / "rules" / "s.yaml").write_text(RULES.replace("days > limit", "dayz > limit"))
    github = policy("check", "--format", "github", folder=folder)
    assert (github.code, github.out.splitlines()[0]) == (
        1,
        "::error file=rules/s.yaml,line=8,col=21,title=unknown-name::there is no fact, parameter, definition or reading `dayz` "
        "(did you mean `days`?)",
    )
    log = json.loads(policy("check", "--format", "sarif", folder=folder).out)
    first = log["runs"][0]["results"][0]
    assert (log["version"], first["ruleId"], first["level"]) == ("2.1.0", "unknown-name", "error")
    place = first["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "rules/s.yaml"},
        "region": {"startLine": 8, "startColumn": 21, "endColumn": 25},
    }


def test_check_speaks_gitlab(folder: Path) -> None:
    """Each fault has a fingerprint of its own, which stays where the line becomes another."""
    faulty = RULES.replace("days > limit", "dayz > limit or dayz > 5")
    (folder / "rules" / "s.yaml").write_text(faulty)
    ran = policy("check", "--format", "gitlab", folder=folder)
    issues = json.loads(ran.out)
    first = {name: value for name, value in issues[0].items() if name != "fingerprint"}
    assert (ran.code, first) == (
        1,
        {
            "description": "there is no fact, parameter, definition or reading `dayz` (did you mean `days`?)",
            "check_name": "unknown-name",
            "severity": "major",
            "location": {"path": "rules/s.yaml", "lines": {"begin": 8}},
        },
    )
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints) > 1
    (folder / "rules" / "s.yaml").write_text(f"# a remark\n{faulty}")
    later = json.loads(policy("check", "--format", "gitlab", folder=folder).out)
    assert [issue["fingerprint"] for issue in later] == prints
    assert later[0]["location"]["lines"] == {"begin": 9}


def test_options_that_ask_for_nothing_are_refused(folder: Path) -> None:
    told = {
        ("--write",): "--write goes with --mutate and --suggest\n",
        ("--fail-under", "95"): "--fail-under goes with --coverage and --mutate\n",
    }
    for options, message in told.items():
        ran = policy("test", *options, folder=folder)
        assert (ran.code, ran.err) == (2, message)


def test_faults_of_test_files_are_errors_of_junit(folder: Path) -> None:
    (folder / "rules" / "t_test.yaml").write_text("tests: s\ncases: [\n")
    policy("test", "--junit", "results.xml", folder=folder)
    suite = ElementTree.parse(folder / "results.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "2", "1")
    assert [one.get("message", "").partition(":")[0] for one in suite.iter("error")] == ["rules/t_test.yaml"]


@pytest.mark.parametrize("text", ['"tests": s\n', "\ufefftests: s\n", "tests:\n  s\n", "tests : s\n"])
def test_pytest_takes_test_files_however_they_begin(text: str, folder: Path) -> None:
    (folder / "rules" / "s_test.yaml").write_text(TESTS.replace("tests: s\n", text), "utf-8")
    assert _pytest(folder)[0] == 1
