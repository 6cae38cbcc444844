"""Only the rulesets that are asked for are read."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest

from policy_engine import CannotRun, Engine, RulesetError, UnknownDecision

ROOT = Path(__file__).parents[1]
DAY = date(2025, 6, 30)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with a sound ruleset in two versions, another, and a broken one."""
    for name in ("email_suppression.yaml", "email_suppression.before-2024-08-08.yaml", "payouts.yaml"):
        (tmp_path / name).write_text((ROOT / "rules" / name).read_text())
    (tmp_path / "broken.yaml").write_text("ruleset: broken\ndecisions: nothing\n")
    return tmp_path


def test_every_version_of_what_is_asked_for_is_read_and_nothing_else(rules: Path) -> None:
    engine = Engine.load(rules, ROOT / "schemas", only=["email_suppression"])
    assert [ruleset.version for ruleset in engine.rulebook.rulesets] == ["2024-07-09", "2024-08-08"]


def test_without_a_wish_everything_is_read(rules: Path) -> None:
    with pytest.raises(RulesetError, match=r"broken\.yaml"):
        Engine.load(rules, ROOT / "schemas")


def test_where_nothing_has_the_name_everything_is_read_so_that_the_nearest_can_be_told(rules: Path) -> None:
    (rules / "broken.yaml").unlink()
    with pytest.raises(UnknownDecision, match="there is no ruleset `payout`; did you mean `payouts`"):
        Engine.load(rules, ROOT / "schemas", only=["payout"])


# However the line `ruleset:` is written, the file is found.

HEAD = "ruleset: email_suppression\n"
SPELLINGS = {
    "plain": HEAD,
    "a byte order mark": "\ufeff" + HEAD,
    "line ends of Windows": HEAD.replace("\n", "\r\n"),
    "a long comment before it": "# " + "-" * 78 + "\n" + "# who may change this\n" * 400 + HEAD,
    "a comment behind it": "ruleset: email_suppression   # who gets no mail\n",
    "empty lines before it": "\n\n\n" + HEAD,
    "the start of a document": "---\n" + HEAD,
    "the version of YAML": "%YAML 1.2\n---\n" + HEAD,
    "double quotes": 'ruleset: "email_suppression"\n',
    "single quotes": "ruleset: 'email_suppression'\n",
    "an escaped letter": 'ruleset: "email\\u005fsuppression"\n',
    "the key in quotes": '"ruleset": email_suppression\n',
    "blanks before the colon": "ruleset  : email_suppression\n",
    "blanks behind the colon": "ruleset:      email_suppression  \n",
    "a tab behind the colon": "ruleset:\temail_suppression\n",
    "the value on the next line": "ruleset:\n  email_suppression\n",
    "a folded text": "ruleset: >-\n  email_suppression\n",
    "an explicit key": "? ruleset\n: email_suppression\n",
    "a text of the same words before it": "title: |-\n  ruleset: other\n" + HEAD,
}
"""How a file may begin that holds a version of `email_suppression`."""


def spelled(rules: Path, head: str) -> None:
    """Let the newest version of the ruleset begin otherwise."""
    file = rules / "email_suppression.yaml"
    text = file.read_text("utf-8")
    body = text.replace(HEAD, "", 1)
    body = "\n".join(line for line in body.split("\n") if "title: |-" not in head or not line.startswith("title: "))
    comments, found, rest = body.partition("title: " if "title: |-" not in head else "version: ")
    assert found
    assert comments.startswith(("#", "")), "only comments stand before the first key"
    file.write_bytes((head + found + rest).encode())


@pytest.mark.parametrize("name", SPELLINGS)
def test_c12_a_version_is_found_however_its_name_is_written(rules: Path, name: str) -> None:
    (rules / "broken.yaml").unlink()
    spelled(rules, SPELLINGS[name])
    whole = [(r.id, r.version) for r in Engine.load(rules, ROOT / "schemas").rulebook.rulesets]
    found = [
        (r.id, r.version) for r in Engine.load(rules, ROOT / "schemas", only=["email_suppression"]).rulebook.rulesets
    ]
    assert found == [one for one in whole if one[0] == "email_suppression"]
    assert len(found) == 2


UNSURE = {
    "no ruleset": b"title: x\n",
    "a list": b"- ruleset: other\n",
    "a text": b"ruleset\n",
    "nothing": b"",
    "a list for a name": b"ruleset: [other]\n",
    "a tag": b"ruleset: !str other\n",
    "a fault before it": b"title: 'x\nruleset: other\n",
    "an alias of nothing": b"ruleset: *other\n",
    "another encoding": "ruleset: other\n".encode("utf-16"),
    "no text": b"\xff",
}
"""What does not tell whose file it is."""


@pytest.mark.parametrize("name", UNSURE)
def test_c12_a_file_that_does_not_tell_whose_it_is_is_read(rules: Path, name: str) -> None:
    (rules / "unsure.yaml").write_bytes(UNSURE[name])
    with pytest.raises(RulesetError, match=r"unsure\.yaml"):
        Engine.load(rules, ROOT / "schemas", only=["email_suppression"])


def test_c12_a_pipe_among_the_rules_is_told_and_never_waited_for(rules: Path) -> None:
    os.mkfifo(rules / "pipe.yaml")
    with pytest.raises(RulesetError, match=r"pipe\.yaml.* it is not a file"):
        Engine.load(rules, ROOT / "schemas", only=["email_suppression"])
    with pytest.raises(CannotRun, match=r"pipe\.yaml` is neither a file nor a folder$"):
        Engine.load(rules / "pipe.yaml", ROOT / "schemas", only=["email_suppression"])
