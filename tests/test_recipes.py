"""The recipes of the how-to for pre-commit, GitHub and GitLab: valid by the schemas of those, and run step by step."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, read_data
from tests.support.commands import policy
from tests.test_docs import blocks_of

PRE_COMMIT, GITHUB, GITLAB = ".pre-commit-config.yaml", ".github/workflows/rules.yaml", ".gitlab-ci.yml"
SCHEMAS = {GITHUB: "vendor.github-workflows", GITLAB: "vendor.gitlab-ci"}
BIN = Path(sys.executable).parent
STUB = """\
#!/bin/sh
printf '%s\\n' "$@" > {name}.called
"""
"""A program that only notes how it was called."""


@pytest.fixture(scope="module")
def recipes() -> Mapping[str, str]:
    """The files of the how-to."""
    blocks = blocks_of(ROOT / "docs" / "how-to.md")
    return {block.file: block.body for block in blocks if block.file in (PRE_COMMIT, GITHUB, GITLAB)}


@dataclass(frozen=True)
class Project:
    """A project in a repository of git, whose commands find `policy` and stand-ins for what needs a network."""

    folder: Path

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command of a shell that stops at the first that fails, as the shells of GitHub and GitLab do."""
        path = f"{self.folder / 'bin'}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
        known = {
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.folder),
            "PRE_COMMIT_HOME": str(self.folder / "hooks"),
        }
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env={**os.environ, **known, **environment},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def commit(self) -> str:
        """Commit everything, without hooks; the commit."""
        done = self.run("git add -A && git commit -qm x --no-verify && git rev-parse HEAD")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def change(self, old: str, new: str, file: str = "rules/refunds.yaml") -> None:
        """Replace words in a file."""
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def called(self, name: str) -> list[str]:
        """How a stand-in was called."""
        return (self.folder / f"{name}.called").read_text("utf-8").split("\n")[:-1]


@pytest.fixture
def project(tmp_path: Path, recipes: Mapping[str, str]) -> Project:
    """A project with a ruleset and the recipes, all in one commit."""
    made = Project(tmp_path)
    begun = policy("new", "refunds", "--yes", "--from", "2025-01-01", "--fact", "days=integer", folder=tmp_path)
    assert begun.code == 0, begun.err
    for name, text in {
        **recipes,
        "requirements.txt": "policy_engine\n",
        ".gitignore": "bin\nhooks\n*.called\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    policy_here = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m policy_engine "$@"\n'
    for name, text in {
        "policy": policy_here,
        **{name: STUB.format(name=name) for name in ("gh", "curl", "pip")},
    }.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(0o755)
    assert (
        made.run("git init -qb main && git config user.name x && git config user.email x@example.com").returncode == 0
    )
    made.commit()
    return made


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_recipe_is_valid_by_its_schema(name: str, project: Project) -> None:
    checked = project.run(f"check-jsonschema --builtin-schema {SCHEMAS[name]} {name}")
    assert checked.returncode == 0, checked.stdout + checked.stderr


# pre-commit.


def test_the_hooks_stop_a_commit_until_all_is_in_order(project: Project) -> None:
    """One line that is laid out otherwise and names no fact: the first hook mends the layout, the others tell the name."""
    project.change("        when: days >=", "        when:   dayz >=")
    assert project.run("pre-commit install").returncode == 0
    ran = project.run("git commit -qam change")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    for hook in ("policy-fmt", "policy-check", "policy-test"):
        assert f"- hook id: {hook}" in ran.stderr
    assert "- files were modified by this hook" in ran.stderr
    assert "error[unknown-name]: there is no fact, parameter, definition or reading `dayz`" in ran.stderr
    project.change("        when: dayz >=", "        when: days >=")
    project.change("No rule says anything else.", "Nothing speaks for it.")
    ran = project.run("git commit -qam change")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr.count("Passed") == 3


# GitHub.


def run_github(project: Project, *names: str, base: str = "HEAD") -> dict[str, int]:
    """Run steps of a pull request, or all, also behind one that failed; their exit codes by name."""
    environment = {"BASE": base, "NUMBER": "7", "GH_TOKEN": "t"}
    workflow = read_data(project.folder / GITHUB)
    steps = [
        step
        for step in workflow["jobs"]["rules"]["steps"]
        if "run" in step and step["name"] in (names or [step["name"]])
    ]
    return {step["name"]: project.run(step["run"], **environment).returncode for step in steps}


def test_a_change_of_meaning_is_a_comment_and_no_failure(project: Project) -> None:
    project.change("value: 500000", "value: 500001")
    codes = run_github(project)
    assert codes == dict.fromkeys(codes, 0)
    assert len(codes) == 7
    assert "500001, was 500000" in (project.folder / "comparison.md").read_text("utf-8")
    assert '"version": "2.1.0"' in (project.folder / "policy.sarif").read_text("utf-8")
    told = "pr comment 7 --edit-last --create-if-none --body-file comparison.md"
    assert project.called("gh") == told.split()


FAULTY = {
    "Layout": ("        when:", "        when:   "),
    "Faults and warnings": ("days >= least_days", "dayz >= least_days"),
    "Tests": ("days >= least_days", "days < least_days"),
}


@pytest.mark.parametrize("step", FAULTY)
def test_a_step_fails_at_what_it_is_for(step: str, project: Project) -> None:
    project.change(*FAULTY[step])
    assert run_github(project, step) == {step: 1}


def test_a_comparison_that_could_not_be_made_fails(project: Project) -> None:
    step = "What changes for whom"
    assert run_github(project, step, base="0" * 40)[step] != 0


# GitLab.


def run_gitlab(project: Project, job: str) -> list[int]:
    """Run the lines of a job one by one; their exit codes."""
    environment = {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "HEAD",
        "POLICY_TOKEN": "t",
        "CI_API_V4_URL": "https://gitlab.example/api/v4",
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "7",
    }
    lines = read_data(project.folder / GITLAB)[job]["script"]
    return [project.run(line, **environment).returncode for line in lines]


def test_the_comparison_is_a_note(project: Project) -> None:
    project.change("value: 500000", "value: 500001")
    assert run_gitlab(project, "comparison") == [0, 0]
    assert project.called("curl")[-3:] == [
        "--data-urlencode",
        "body@comparison.md",
        "https://gitlab.example/api/v4/projects/3/merge_requests/7/notes",
    ]


def test_a_job_fails_at_a_fault_and_keeps_it_for_the_widget(project: Project) -> None:
    project.change("days >= least_days", "dayz >= least_days")
    assert run_gitlab(project, "rules") == [0, 0, 1, 1]
    assert "unknown-name" in (project.folder / "gl-code-quality.json").read_text("utf-8")
