"""The sides of `policy compare`: folders, files, versions, days, readings and git revisions, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.commands import policy
from tests.test_compare import HEAD, ROWS, SCHEMA, calculation, rule, rules

TABLE = ("--facts", "a.jsonl", "--as-of", "2026-06-01")
READINGS = """readings:
  limit:
    question: How much?
    choice: low
    choices: {low: Little., high: Much.}
definitions:
  most: 50 if limit == "low" else 100
"""
DATED = "parameters:\n  rate: {values: {2026-01-01: 2, 2026-07-01: 3}}\n" + calculation("amount * rate")


def ruleset(folder: Path, text: str, name: str = "fee", version: str = "2026") -> None:
    """A folder with one ruleset in `rules`, and its schema in `schemas`."""
    for each in ("rules", "schemas"):
        (folder / each).mkdir(parents=True, exist_ok=True)
    head = HEAD.format(version=version, start="2026-01-01").replace("ruleset: fee", f"ruleset: {name}")
    (folder / "rules" / f"{name}.yaml").write_text(head + text)
    (folder / "schemas" / "sale.schema.json").write_text(SCHEMA)


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder, as somebody who has a name."""
    own = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *own, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A repository: what an account pays was doubled on `main`, and is tripled in the folder; `old` holds another copy."""
    ruleset(tmp_path, calculation("amount * 2"))
    ruleset(tmp_path / "old", calculation("amount * 4"))
    (tmp_path / "a.jsonl").write_text(ROWS)
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "One")
    ruleset(tmp_path, calculation("amount * 3"))
    return tmp_path


# What is compared, how it is called, and the first value on both sides.
SIDES: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "two folders": (("old/rules", "rules"), "fee: old/rules against rules, as of 2026-06-01", "40.00 -> 30.00"),
    "two files": (
        ("old/rules/fee.yaml", "rules/fee.yaml"),
        "fee: old/rules/fee.yaml against rules/fee.yaml, as of 2026-06-01",
        "40.00 -> 30.00",
    ),
    "a git revision": (("main:rules", "rules"), "fee: main:rules against rules, as of 2026-06-01", "20.00 -> 30.00"),
    "a file in one": (
        ("HEAD:old/rules/fee.yaml", "rules"),
        "fee: HEAD:old/rules/fee.yaml against rules, as of 2026-06-01",
        "40.00 -> 30.00",
    ),
    "a folder and a version at hand": (
        ("old/rules", "fee@2026"),
        "fee: old/rules against version 2026, as of 2026-06-01",
        "40.00 -> 30.00",
    ),
}


@pytest.mark.parametrize("case", SIDES)
def test_a_side_may_lie_elsewhere(case: str, place: Path) -> None:
    sides, title, moved = SIDES[case]
    ran = policy("compare", *sides, *TABLE, folder=place)
    assert ran.out.splitlines()[0] == title
    assert f"    row 1 A: {moved}\n" in ran.out
    assert (ran.err, ran.code) == ("", 3)


def test_one_version_is_compared_under_two_readings(tmp_path: Path) -> None:
    ruleset(tmp_path, READINGS + rules(rule("big", "amount > most")))
    (tmp_path / "a.jsonl").write_text(ROWS)
    ran = policy("compare", "fee", "--new-reading", "limit=high", *TABLE, folder=tmp_path)
    assert ran.out.startswith("fee: version 2026 against 2026 with limit high, as of 2026-06-01\n")
    assert "charge: yes -> no: 1\n  `limit` is high, was low (rule big): 1\n" in ran.out
    same = policy("compare", "fee", "--new-reading", "limit=low", *TABLE, folder=tmp_path)
    assert (same.out.splitlines()[-1], same.code) == ("of the accounts compared no answer changes", 0)


@pytest.mark.parametrize(
    "sides", [("fee@2026-06-01", "fee@2026-08-01"), ("fee", "--old-as-of", "2026-06-01", "--new-as-of", "2026-08-01")]
)
def test_one_version_is_compared_on_two_days(sides: tuple[str, ...], tmp_path: Path) -> None:
    ruleset(tmp_path, DATED)
    (tmp_path / "a.jsonl").write_text(ROWS)
    ran = policy("compare", *sides, "--facts", "a.jsonl", folder=tmp_path)
    assert ran.out.startswith("fee: version 2026 as of 2026-06-01 against 2026 as of 2026-08-01\n")
    assert "charge: the value fee differs: 3\n  `rate` is 3, was 2: 3\n    row 1 A: 20.00 -> 30.00\n" in ran.out


def test_rulesets_that_mean_the_same_are_told_in_one_line(tmp_path: Path) -> None:
    for name, factor in {"fee": 3, "tip": 2, "toll": 2}.items():
        ruleset(tmp_path, calculation(f"amount * {factor}"), name)
        ruleset(tmp_path / "old", calculation("amount * 2"), name)
    same = "2 rulesets mean the same: tip, toll"
    day = ("--as-of", "2026-06-01")
    told = policy("compare", "old/rules", "rules", *day, folder=tmp_path)
    assert told.code == 3
    assert told.out.count("as of 2026-06-01") == 1
    assert told.out.endswith(f"\n\n{same}\n")
    written = policy("compare", "old/rules", "rules", "--format", "markdown", "--out", "out", *day, folder=tmp_path)
    assert written.out.endswith(f"\n\n{same}.\n")
    assert f"<p>{same}.</p>" in (tmp_path / "out/comparison.html").read_text()
    alone = policy("compare", "old/rules", "rules", "--ruleset", "tip", *day, folder=tmp_path)
    assert (alone.code, alone.out) == (0, "tip: old/rules against rules, as of 2026-06-01\n  the rules mean the same\n")


def test_all_rulesets_of_two_folders_are_compared_and_those_of_one_are_told(tmp_path: Path) -> None:
    for folder, factor in (("old", 2), ("new", 3)):
        ruleset(tmp_path / folder, calculation(f"amount * {factor}"))
        ruleset(tmp_path / folder, calculation(f"amount * {factor}"), "toll")
    ruleset(tmp_path / "old", calculation("amount"), "gone")
    ruleset(tmp_path / "new", calculation("amount"), "come")
    (tmp_path / "a.jsonl").write_text(ROWS)
    ran = policy("compare", "old/rules", "new/rules", "--as-of", "2026-06-01", folder=tmp_path)
    assert ran.out == (
        "fee: old/rules against new/rules, as of 2026-06-01\n"
        "  In the value `fee` of `charge`, `amount * 2` became `amount * 3`.\n"
        "    With `{amount: 3.01}` on 2026-06-01, `fee` of `charge` is `9.03`; it was `6.02`.\n\n"
        "toll: old/rules against new/rules, as of 2026-06-01\n"
        "  In the value `fee` of `charge`, `amount * 2` became `amount * 3`.\n"
        "    With `{amount: 3.01}` on 2026-06-01, `fee` of `charge` is `9.03`; it was `6.02`.\n"
        "only the old side has the ruleset gone\nonly the new side has the ruleset come\n"
    )
    assert ran.code == 3
    over = policy(
        "compare", "old/rules", "new/rules", "--facts", "toll=a.jsonl", "--as-of", "2026-06-01", folder=tmp_path
    )
    fee, toll = over.out.split("\n\n", 1)
    assert fee.splitlines()[0] == "fee: old/rules against new/rules, as of 2026-06-01"
    assert "3 accounts, 3 compared" in toll
    assert "3 accounts" not in fee


@pytest.mark.parametrize("rows", ["", '{"amount": -1}\n'], ids=["empty", "invalid"])
def test_a_table_of_which_nothing_was_compared_passes_no_gate(rows: str, tmp_path: Path) -> None:
    for name in ("fee", "toll"):
        ruleset(tmp_path, calculation("amount * 3"), name)
        ruleset(tmp_path / "old", calculation("amount * 3" if name == "toll" else "amount * 2"), name)
    (tmp_path / "a.jsonl").write_text(ROWS)
    (tmp_path / "b.jsonl").write_text(rows)
    codes = {}
    for fee, toll in (("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")):
        tables = ("--facts", f"fee={fee}.jsonl", "--facts", f"toll={toll}.jsonl")
        codes[fee + toll] = policy("compare", "old/rules", "rules", *tables, folder=tmp_path).code
    assert codes == {"aa": 3, "ab": 2, "ba": 2, "bb": 2}


def test_faults_in_the_rules_of_a_side_have_the_exit_code_of_faults(place: Path) -> None:
    (place / "old" / "rules" / "fee.yaml").write_text("ruleset: fee\n")
    ran = policy("compare", "old/rules", "rules", *TABLE, folder=place)
    assert (ran.out, ran.code) == ("", 1)
    assert "old/rules/fee.yaml:1:1" in ran.err


# What is asked for, and the sentence that refuses it.
REFUSED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "no such revision": (
        ("nowhere:rules", "rules"),
        "there is no git revision `nowhere` here; `git branch -a` and `git tag` list some",
    ),
    "a revision that looks like an option": (
        ("-x:rules", "rules"),
        "No such option: -x",
    ),
    "no such path in it": (("main:regeln", "rules"), "the git revision `main` has no `regeln` in this folder"),
    "a path out of the folder": (
        ("main:../rules", "rules"),
        "`main:../rules`: name a path below the folder you are in, such as `main:rules`",
    ),
    "no such file": (("rule/fee.yaml", "rules"), "there is no file or folder `rule/fee.yaml`"),
    "a table of another ruleset": (
        ("old/rules", "rules", "--facts", "feed=a.jsonl"),
        "--facts: there is no ruleset that is compared `feed`; did you mean `fee`?",
    ),
    "one folder": (("rules",), "`rules` is to be compared with what? name a second side: a folder, `main:rules`"),
    "no such ruleset": (("fees",), "there is no ruleset `fees`; did you mean `fee`?"),
    "one version": (
        ("fee",),
        "`fee` has 1 version; two are compared, or one on two days (--new-as-of) or under two readings (--new-reading)",
    ),
    "no such version": (("fee@2024", "fee"), "there is no version `2024`; there is 2026"),
    "a day before all periods": (
        ("fee@2025-06-30", "fee@2026-06-30"),
        "`fee` is not in force on 2025-06-30: there is version 2026 from 2026-01-01",
    ),
    "a day of one side out of force": (
        ("old/rules", "fee@2025-06-30"),
        "`fee` is not in force on 2025-06-30: there is version 2026 from 2026-01-01",
    ),
    "the same day twice": (
        ("fee@2026-06-30", "fee@2026-06-30"),
        "`fee` has 1 version; two are compared, or one on two days (--new-as-of) or under two readings (--new-reading)",
    ),
    "no such reading": (
        ("old/rules", "rules", "--new-reading", "x=y"),
        "no ruleset that is compared has a reading `x` that can be switched",
    ),
    "nothing in common": (
        ("old/rules", "rules", "--ruleset", "toll"),
        "there is no ruleset `toll`; there is fee",
    ),
    "two tables": (
        ("old/rules", "rules", "--facts", "b.jsonl"),
        "--facts: there are two tables; write RULESET=TABLE for each",
    ),
    "a table of nobody": (
        ("old/rules", "rules", "--format", "xml"),
        "--format: `xml` is none of text, markdown, json",
    ),
    "a day that is none": (("fee", "--new-as-of", "soon"), "--as-of: `soon` is not a date; write it as 2025-02-28"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_compared_is_refused_with_a_sentence(case: str, place: Path) -> None:
    sides, sentence = REFUSED[case]
    ran = policy("compare", *sides, *TABLE, folder=place)
    assert sentence in ran.err
    assert (ran.out, ran.code) == ("", 2)
    assert "Traceback" not in ran.err


def test_faults_in_a_revision_are_told_by_its_name(place: Path) -> None:
    (place / "rules" / "fee.yaml").write_text("ruleset: fee\n")
    git(place, "commit", "-am", "Two")
    ruleset(place, calculation("amount"))
    ran = policy("compare", "main:rules", "rules", *TABLE, folder=place)
    assert "main:rules/fee.yaml" in ran.err
    assert ran.code == 1


def test_without_git_or_a_repository_it_says_so(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(place / ".git")
    ran = policy("compare", "main:rules", "rules", *TABLE, folder=place)
    assert (
        ran.err
        == "`main:rules` names a git revision, and this folder is in no git repository; name a folder of rules\n"
    )
    monkeypatch.setenv("PATH", str(place))
    ran = policy("compare", "main:rules", "rules", *TABLE, folder=place)
    assert ran.err == "`main:rules` is in git, and there is no program `git` here; install it, or name a folder\n"
    assert ran.code == 2


def test_a_link_that_leads_out_of_a_revision_is_refused(place: Path) -> None:
    (place / "rules" / "more.yaml").symlink_to("/etc/hosts")
    git(place, "add", ".")
    git(place, "commit", "-m", "Link")
    ran = policy("compare", "main:rules", "rules", *TABLE, folder=place)
    assert ran.err.startswith("`main:rules` cannot be laid out: ")
    assert ran.code == 2


# ---- what has gone wrong before, from end to end

EARLIER: Mapping[str, tuple[str, str, str, int]] = {
    "a version that begins tomorrow, with a dated parameter": (
        "2026-05-31",
        ROWS,
        "the parameter `rate` of version 2027 has no value on 2026-05-31; "
        "ask as of a day on which both versions have all their values (--as-of)\n",
        2,
    ),
    "no valid account": ("2026-06-01", '{"amount": "much"}\n', "nothing was compared\n", 2),
}


@pytest.mark.parametrize("case", EARLIER)
def test_nothing_compared_is_never_no_difference(case: str, tmp_path: Path) -> None:
    as_of, rows, told, code = EARLIER[case]
    ruleset(tmp_path, "parameters:\n  rate: {values: {2026-01-01: 2}}\n" + calculation("amount * rate"))
    late = "parameters:\n  rate: {values: {2026-06-01: 3}}\n" + calculation("amount * rate")
    old = tmp_path / "rules" / "fee.yaml"
    old.write_text(
        old.read_text().replace("effective: {from: 2026-01-01}", "effective: {from: 2026-01-01, until: 2026-06-01}")
    )
    (tmp_path / "rules" / "fee.from-june.yaml").write_text(HEAD.format(version="2027", start="2026-06-01") + late)
    (tmp_path / "a.jsonl").write_text(rows)
    ran = policy("compare", "fee", "--facts", "a.jsonl", "--as-of", as_of, folder=tmp_path)
    assert (ran.out + ran.err).endswith(told)
    assert ran.code == code
