"""`policy log` as a person uses it: made, verified, read, proved, witnessed, exported, erased from and pruned."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from random import Random
from runpy import run_path
from typing import Any

import polars as pl
import pytest

from policy_engine.cli import log_options
from policy_engine.decision_log.notes import KeyKind, read_checkpoint, read_signer, read_verifier, witnessed_at
from policy_engine.decision_log.records import milliseconds_of
from tests.conftest import ROOT
from tests.support.commands import Ran, policy
from tests.support.decision_logs import Log, in_batches, record, records, tamper

CHECKER = ROOT / "docs" / "check_log_proof.py"
check_proof = run_path(str(CHECKER))["check"]
SIZE = 300


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Log:
    log = Log(tmp_path_factory.mktemp("made"))
    log.append(*in_batches(records(SIZE), 64, 7))
    return log


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path)
    log.append(*in_batches(records(SIZE), 64, 7))
    return log


def run(log: Log, command: str, *arguments: str) -> Ran:
    """A command about a log, which has to be fine."""
    ran = policy("log", command, log.path.name, *arguments, folder=log.path.parent)
    assert (ran.code, ran.err) == (0, "")
    return ran


def refused(log: Log, command: str, *arguments: str, code: int = 2) -> str:
    """What a command says where it does not do it."""
    ran = policy("log", command, log.path.name, *arguments, folder=log.path.parent)
    assert ran.code == code, ran
    return ran.err.rstrip("\n")


def queried(log: Log, *arguments: str) -> list[dict[str, Any]]:
    """What is found, whatever else is said of it."""
    ran = policy("log", "query", log.path.name, "--json", "--limit", "1000", *arguments, folder=log.path.parent)
    assert ran.code == 0
    return [json.loads(line) for line in ran.out.splitlines()]


# Making


def test_a_log_is_made_with_its_keys(tmp_path: Path) -> None:
    ran = policy("log", "init", "answers.sqlite", "--name", "example.com/answers", folder=tmp_path)
    key = (tmp_path / "answers.keys" / "verifier.key").read_text().strip()
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "made: answers.sqlite, and its keys in answers.keys",
        "hand out the public key, which also stands in answers.keys/verifier.key:",
        key,
    ]
    assert read_verifier(key).name == "example.com/answers"
    assert read_signer((tmp_path / "answers.keys" / "signing.key").read_text()).verifier.text == key
    assert policy("log", "verify", "answers.sqlite", folder=tmp_path).out.startswith("answers.sqlite: 0 records")


def test_keys_are_made_where_they_are_wanted(tmp_path: Path) -> None:
    policy("log", "init", "a.sqlite", "--name", "a", "--keys", "elsewhere", folder=tmp_path)
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == [
        "keys.sqlite",
        "signing.key",
        "verifier.key",
    ]
    assert not (tmp_path / "a.keys").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("decisions.sqlite", "--name", "a", "--keys", "more.keys"),
            "`decisions.sqlite` is there already; name another file",
        ),
        (
            ("more.sqlite", "--name", "a", "--keys", "decisions.keys"),
            "`decisions.keys` is there already; name another folder for the keys with --keys",
        ),
        (
            ("more.sqlite", "--name", "two words"),
            "--name: `two words` cannot be the name of a key: it has no spaces, no + and no control characters",
        ),
        (
            ("nowhere/more.sqlite", "--name", "a", "--keys", "more.keys"),
            "the log `nowhere/more.sqlite` cannot be made: No such file or directory",
        ),
    ],
)
def test_nothing_is_made_where_something_is_wrong(made: Log, arguments: tuple[str, ...], sentence: str) -> None:
    before = sorted(path.name for path in made.path.parent.rglob("*"))
    ran = policy("log", "init", *arguments, folder=made.path.parent)
    assert (ran.code, ran.err) == (2, f"{sentence}\n")
    assert sorted(path.name for path in made.path.parent.rglob("*")) == before


def test_without_its_library_the_command_says_how_to_install_it(made: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_options, "find_spec", lambda _: None)
    told = '`policy log` needs the package `cryptography`: pip install "policy_engine[log]"'
    assert refused(made, "verify") == told


# Verifying


def test_a_log_that_verifies(made: Log) -> None:
    run(made, "checkpoint", "--size", "64", "--out", "kept.txt")
    ran = run(made, "verify", "--kept", "kept.txt", "--verifier", made.verifier.text)
    assert ran.out.splitlines() == [
        "decisions.sqlite: 300 records, and 10 checkpoints",
        "payloads: 300 fit their entries, 0 were erased or pruned",
        f"signed by {made.verifier.text}",
        "no faults",
    ]


def test_what_is_taken_at_the_word_of_the_log_and_what_is_not_checked_is_said(made: Log, tmp_path: Path) -> None:
    copy = made.copied(tmp_path / "copy.sqlite")
    assert run(copy, "verify").out.splitlines() == [
        "copy.sqlite: 300 records, and 9 checkpoints",
        "payloads: 0 fit their entries, 0 were erased or pruned",
        "not checked: 300 payloads, whose keys are not at hand; name their folder with --keys",
        f"signed by {made.verifier.text}, by the word of the log itself; give --verifier",
        "no faults",
    ]


def test_faults_are_told_in_order_and_end_with_code_1(log: Log) -> None:
    tamper(
        log.path,
        "UPDATE payloads SET sealed = x'00' WHERE position >= 9",
        "UPDATE entries SET entry = x'00' WHERE position = 5",
    )
    ran = policy("log", "verify", log.path.name, folder=log.path.parent)
    lines = ran.out.splitlines()
    assert ran.code == 1
    assert lines[3] == "fault: the entry of record 5 was changed: its hash is another"
    assert lines[4] == "fault: the payload of record 9 is not what its entry says"
    assert lines[-2:] == ["and 272 faults more", "292 faults"]
    found = json.loads(policy("log", "verify", log.path.name, "--json", folder=log.path.parent).out)
    assert (found["fault_count"], found["payloads"], len(found["faults"])) == (292, 8, 292)
    assert found["faults"][0] == {"position": 5, "sentence": "the entry of record 5 was changed: its hash is another"}


def test_a_cut_tail_is_told_by_a_checkpoint_that_was_kept(log: Log) -> None:
    run(log, "checkpoint", "--out", "kept.txt")
    for table, column in (("entries", "position >= 71"), ("payloads", "position >= 71"), ("checkpoints", "size > 71")):
        tamper(log.path, f"DELETE FROM {table} WHERE {column}")
    assert run(log, "verify").out.endswith("no faults\n")
    ran = policy("log", "verify", log.path.name, "--kept", "kept.txt", folder=log.path.parent)
    assert ran.code == 1
    assert ran.out.splitlines()[3:] == [
        "fault: records 71 to 299 are missing: the checkpoint that was kept of 300",
        "1 fault",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--kept", "nothing.txt"), "`nothing.txt` cannot be read: No such file or directory"),
        (("--kept", "decisions.sqlite"), "`decisions.sqlite` is not UTF-8"),
        (
            ("--kept", "decisions.keys/verifier.key"),
            "`decisions.keys/verifier.key` is no checkpoint: a signed note is a text, a blank line, and lines of signatures, "
            "each with its line break",
        ),
        (("--verifier", "nothing.key"), "`nothing.key` cannot be read: No such file or directory"),
        (("--verifier", "a+b+c"), "--verifier: a public key is not base64"),
        (
            ("--keys", "nothing"),
            "there is no file of keys `nothing/keys.sqlite`; name the folder of the log's keys with --keys",
        ),
    ],
)
def test_what_a_log_cannot_be_verified_with_is_told(made: Log, arguments: tuple[str, ...], sentence: str) -> None:
    assert refused(made, "verify", *arguments) == sentence


def test_a_log_of_another_key_does_not_verify(made: Log) -> None:
    other = read_signer("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").verifier.text
    ran = policy("log", "verify", made.path.name, "--verifier", other, folder=made.path.parent)
    assert ran.code == 1
    assert ran.out.splitlines()[3] == f"fault: the checkpoint of 64 is not signed by {other}"


@pytest.mark.parametrize("command", ["verify", "stats", "query", "checkpoint"])
def test_there_has_to_be_a_log(tmp_path: Path, command: str) -> None:
    ran = policy("log", command, "a.sqlite", folder=tmp_path)
    assert (ran.code, ran.err) == (2, "there is no log `a.sqlite`; `policy log init a.sqlite` makes one\n")
    assert list(tmp_path.iterdir()) == []


# Reading


def test_a_record_is_shown_with_its_payload(made: Log) -> None:
    one = records(SIZE)[5]
    lines = run(made, "show", one.id).out.splitlines()
    assert lines[:3] == [
        "record 5",
        'answers: [{"decision": "trial.may_start", "outcome": "no", "rules": ["R0"], "status": "decided"}]',
        "as_of: 2026-03-01",
    ]
    assert lines[-2].startswith('payload: {"facts":{"account":"account-0005"')
    shown = json.loads(run(made, "show", one.id, "--json").out)
    assert (shown["position"], shown["payload_state"]) == (5, "there")
    assert (shown["entry"], shown["payload"]) == (json.loads(one.entry), json.loads(one.payload))


def test_a_record_without_its_key_is_shown_without_its_payload(made: Log, tmp_path: Path) -> None:
    copy = made.copied(tmp_path / "copy.sqlite")
    lines = run(copy, "show", records(SIZE)[5].id).out.splitlines()
    assert lines[-1] == "the payload is sealed, and its key is not at hand"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x", "`x` is no id of a record; that is a UUID"),
        (
            "00000000-0000-7000-8000-000000000000",
            "there is no record `00000000-0000-7000-8000-000000000000` in the log; if there was one, it is pruned",
        ),
    ],
)
def test_a_record_that_is_not_there(made: Log, name: str, sentence: str) -> None:
    assert refused(made, "show", name) == sentence
    assert refused(made, "prove", name) == sentence


QUERIES: dict[tuple[str, ...], list[int]] = {
    ("--account", "account-0003"): [*range(3, SIZE, 10)],
    ("--account", "nobody"): [],
    ("--decision", "trial.may_start"): [*range(SIZE)],
    ("--decision", "trial"): [*range(SIZE)],
    ("--decision", "tria"): [],
    ("--decision", "trial.may"): [],
    ("--outcome", "yes"): [*range(0, SIZE, 2)],
    ("--outcome", "ye"): [],
    ("--status", "decided"): [*range(SIZE)],
    ("--status", "gap"): [],
    ("--rule", "R3"): [*range(3, SIZE, 5)],
    ("--caller", "crm"): [*range(1, SIZE, 3)],
    ("--kind", "erasure"): [],
    ("--since", "2026-03-01T09:30:10", "--until", "2026-03-01T09:30:12Z"): [10, 11],
    ("--since", "2026-03-02"): [],
    ("--until", "2026-03-01"): [],
    ("--since", "2026-03-01T09:34:59.000Z"): [299],
    ("--account", "account-0003", "--outcome", "no", "--rule", "R3", "--caller", "shop"): [*range(3, SIZE, 30)],
}


@pytest.mark.parametrize("arguments", QUERIES, ids=" ".join)
def test_records_are_found_by(made: Log, arguments: tuple[str, ...]) -> None:
    assert [one["position"] for one in queried(made, *arguments)] == QUERIES[arguments]


def test_a_list_of_records_says_where_it_ends(made: Log) -> None:
    ran = policy("log", "query", made.path.name, "--limit", "2", folder=made.path.parent)
    lines = [line for line in ran.out.splitlines() if "trial" in line]
    assert [line.split()[0] for line in lines] == ["2026-03-01T09:30:00.000Z", "2026-03-01T09:30:01.000Z"]
    assert lines[0].split()[2:] == ["trial.may_start", "decided", "yes", "R0", "shop", "there"]
    assert ran.out.endswith("2 records\n")
    assert ran.err == "there are more than 2; ask for more with --limit, or narrow the question\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--kind", "erasures"), "--kind: `erasures` is none; did you mean `erasure`?"),
        (
            ("--since", "yesterday"),
            "--since: `yesterday` is no time; write it as 2026-03-01 or 2026-03-01T09:30:00, in UTC",
        ),
        (
            ("--until", "2026-03-01 9:30"),
            "--until: `2026-03-01 9:30` is no time; write it as 2026-03-01 or 2026-03-01T09:30:00, in UTC",
        ),
        (
            ("--until", "2026-13-01"),
            "--until: `2026-13-01` is no time; write it as 2026-03-01 or 2026-03-01T09:30:00, in UTC",
        ),
        (
            ("--since", "2026-03-01T24:00"),
            "--since: `2026-03-01T24:00` is no time; write it as 2026-03-01 or 2026-03-01T09:30:00, in UTC",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_told(made: Log, arguments: tuple[str, ...], sentence: str) -> None:
    assert refused(made, "query", *arguments) == sentence


@pytest.mark.parametrize(
    ("arguments", "sentences"),
    [
        (("--outcome", "yess"), "no record has the outcome `yess`; did you mean `yes`?"),
        (("--caller", "nobody-at-all"), "no record has the caller `nobody-at-all`"),
        (("--kind", "search"), "no record has the kind `search`"),
        (("--until", "2020-01-01"), ""),
        (
            ("--account", "nobody", "--status", "decidd"),
            "no record has the status `decidd`; did you mean `decided`?\n"
            "the index has no such account; it has no record, or all of them were erased or pruned",
        ),
    ],
)
@pytest.mark.parametrize("command", ["query", "export"])
def test_where_nothing_is_found_it_says_which_names_are_not_in_the_log(
    made: Log, tmp_path: Path, command: str, arguments: tuple[str, ...], sentences: str
) -> None:
    out = (str(tmp_path / "x.jsonl"),) if command == "export" else ()
    ran = policy("log", command, made.path.name, *out, *arguments, folder=made.path.parent)
    assert (ran.code, ran.err.rstrip("\n")) == (0, sentences)
    assert "0 records" in ran.out


REPLAYED = ("replay", "--rules", str(ROOT / "rules"), "--schemas", str(ROOT / "schemas"))


@pytest.mark.parametrize(
    "arguments", [("verify",), ("query", "--account", "account-0003"), ("export", "x.jsonl"), REPLAYED]
)
def test_the_keys_of_another_log_are_told_and_accuse_nobody(
    made: Log, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    policy("log", "init", "o.sqlite", "--name", "other", folder=tmp_path)
    told = f"`{tmp_path}/o.keys` has the keys of another log, by its `verifier.key`; name those of this with --keys"
    assert refused(made, *arguments, "--keys", f"{tmp_path}/o.keys") == told


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM log", "the log `decisions.sqlite` is damaged: it does not say its name and its key"),
        (
            "UPDATE log SET verifier = 'decisions.sqlite'",
            "the key that the log itself names is damaged: a public key is a name, a number and a key, "
            "with + between them; give its public key with --verifier",
        ),
    ],
)
def test_a_log_that_does_not_name_its_key_is_told(log: Log, statement: str, sentence: str) -> None:
    tamper(log.path, statement)
    assert refused(log, "verify") == sentence


@pytest.mark.parametrize("statement", ["DELETE FROM log", "UPDATE log SET indexing = zeroblob(100)"])
def test_a_damaged_file_of_keys_is_told(log: Log, statement: str) -> None:
    tamper(log.keys / "keys.sqlite", statement)
    told = "the file of keys `decisions.keys/keys.sqlite` is damaged: the two keys of the log itself are not whole"
    assert refused(log, "query", "--account", "account-0003") == told


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("", "`` names no file; name that of the log, such as `decisions.sqlite`"),
        (".", "`.` names no file; name that of the log, such as `decisions.sqlite`"),
        ("a" * 300, f"the log `{'a' * 300}` cannot be read: File name too long"),
        (
            "POSTGRESQL://user:secret@host/base",
            "the address of a log's database begins with `postgresql://`; others are not known",
        ),
    ],
)
@pytest.mark.parametrize("command", [("init", "--name", "a"), ("verify",)])
def test_what_cannot_be_a_log_is_told(tmp_path: Path, command: tuple[str, ...], location: str, sentence: str) -> None:
    ran = policy("log", command[0], location, *command[1:], folder=tmp_path)
    assert (ran.code, "".join(ran.err.split())) == (2, "".join(sentence.split()))
    assert list(tmp_path.iterdir()) == []


def test_an_account_is_found_by_keys_alone(made: Log, tmp_path: Path) -> None:
    copy = made.copied(tmp_path / "copy.sqlite")
    told = "an account is found by its keys alone; name their folder with --keys"
    assert refused(copy, "query", "--account", "account-0003") == told


def test_what_is_in_a_log_is_counted(log: Log) -> None:
    run(log, "erase", "account-0003")
    found = json.loads(run(log, "stats", "--json").out)
    assert (found["records"], found["checkpoints"], found["first"]) == (301, 10, "2026-03-01T09:30:00.000Z")
    assert found["kinds"] == {"answer": 300, "erasure": 1}
    assert found["payloads"] == {"there": 270, "erased or pruned": 30}
    assert found["answers"] == {"trial.may_start: yes": 150, "trial.may_start: no": 150}
    assert "  answer: 300\n" in run(log, "stats").out


def test_records_are_written_for_other_programs(made: Log, tmp_path: Path) -> None:
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    asked = ("--account", "account-0003")
    assert run(made, "export", str(lines), *asked).out == f"written: 30 records to {lines}\n"
    assert run(made, "export", str(table), *asked).out == f"written: 30 records to {table}\n"
    expected = records(SIZE)[3::10]
    read = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [(one["entry"], one["payload"]) for one in read] == [
        (json.loads(one.entry), json.loads(one.payload)) for one in expected
    ]
    frame = pl.read_parquet(table)
    assert frame["payload"].to_list() == [one.payload.decode() for one in expected]
    assert frame.select("decision", "status", "outcomes", "rules").row(0) == (
        "trial.may_start",
        "decided",
        ["no"],
        ["R3"],
    )


def test_an_export_may_leave_personal_data_out(made: Log, tmp_path: Path) -> None:
    for ending in ("jsonl", "parquet"):
        file = tmp_path / f"a.{ending}"
        run(made, "export", str(file), "--without-payloads")
        assert b"account-0003" not in file.read_bytes()
    assert pl.read_parquet(tmp_path / "a.parquet").height == SIZE


def test_an_export_of_nothing_is_a_file_with_its_columns(made: Log, tmp_path: Path) -> None:
    run(made, "export", str(tmp_path / "a.parquet"), "--until", "2020-01-01")
    frame = pl.read_parquet(tmp_path / "a.parquet")
    assert (frame.height, frame.columns[:3]) == (0, ["position", "id", "time"])


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("a.csv", "`a.csv`: the name of the file ends in .jsonl or .parquet"),
        ("nowhere/a.jsonl", "`nowhere/a.jsonl` cannot be written: No such file or directory"),
    ],
)
def test_an_export_that_cannot_be_written(made: Log, file: str, sentence: str) -> None:
    assert refused(made, "export", file) == sentence


# Proving


@pytest.fixture
def proof(made: Log, tmp_path: Path) -> tuple[str, bytes]:
    run(made, "prove", records(SIZE)[77].id, "--out", str(tmp_path / "p"), "--payload", str(tmp_path / "payload"))
    return (tmp_path / "p").read_text(), (tmp_path / "payload").read_bytes()


def test_a_proof_is_checked_without_this_package(made: Log, proof: tuple[str, bytes], tmp_path: Path) -> None:
    one = records(SIZE)[77]
    files = (str(tmp_path / "p"), made.verifier.text, str(tmp_path / "payload"))
    without = "import sys; sys.modules['policy_engine'] = None; sys.argv[:] = sys.argv[1:]; "
    program = f"{without}import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    ran = subprocess.run(
        [sys.executable, "-c", program, str(CHECKER), *files], capture_output=True, check=True, cwd=tmp_path
    )
    assert ran.stdout.decode() == f"record 77 of 300: {one.entry.decode()}\n{one.payload.decode()}\n"
    assert proof[1] == one.salt + one.payload


def test_no_changed_proof_passes_the_checker(made: Log, proof: tuple[str, bytes]) -> None:
    text, payload = proof
    key = made.verifier.text
    assert check_proof(text, key, payload).startswith("record 77 of 300")
    passed = []
    for at in range(0, len(text), 3):
        changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        if shows(changed, key, payload):
            passed.append((at, text[at : at + 10]))
    assert passed == []
    assert not shows(text, key, payload[:-1] + b" ")
    assert not shows(text, made.verifier.text.replace("example", "another"), payload)


def shows(proof: str, key: str, payload: bytes | None = None) -> bool:
    """Whether the checker is convinced; whatever it raises says that it is not."""
    try:
        check_proof(proof, key, payload)
    except Exception:  # a script of sixty lines raises what comes
        return False
    return True


@pytest.mark.parametrize(("old", "new"), [(64, 71), (71, 300), (64, 300), (300, 300), (277, 284)])
def test_consistency_is_checked_without_this_package(made: Log, old: int, new: int) -> None:
    text = run(made, "prove", "--consistency", str(old), str(new)).out
    assert check_proof(text, made.verifier.text) == f"the log of {new} records begins with that of {old}"
    for at in range(0, len(text), 5):
        changed = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        assert not shows(changed, made.verifier.text), text[at : at + 20]


def test_consistency_with_a_checkpoint_that_was_kept(log: Log, tmp_path: Path) -> None:
    run(log, "checkpoint", "--out", "kept.txt")
    log.append(records(20, start=SIZE))
    text = run(log, "prove", "--consistency", "kept.txt", "320").out
    assert check_proof(text, log.verifier.text) == "the log of 320 records begins with that of 300"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "prove what? give the id of a record, or --consistency OLD NEW"),
        (("--consistency", "71", "64"), "the older checkpoint has 71 records, and the newer 64; give the older first"),
        (("--consistency", "65", "71"), "no commit of the log ended at 65 records"),
        (("--consistency", "nothing.txt", "71"), "`nothing.txt` cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_proved_is_told(made: Log, arguments: tuple[str, ...], sentence: str) -> None:
    assert refused(made, "prove", *arguments) == sentence


def test_a_kept_checkpoint_of_another_log_is_told(made: Log, tmp_path: Path) -> None:
    other = Log(tmp_path)
    other.append(records(64, start=7))
    run(other, "checkpoint", "--out", "other.txt")
    told = "the checkpoints of 64 and 300 records are not of one log; run `policy log verify`"
    assert refused(made, "prove", "--consistency", str(tmp_path / "other.txt"), "300") == told


# Witnesses


@pytest.fixture
def witnessed(log: Log) -> Log:
    """A log whose checkpoint of 64 is signed by a witness, in `old.txt`; a newer one is in `new.txt`."""
    folder = log.path.parent
    assert policy("log", "witness-key", "witness.example/w1", "--key", "w.key", folder=folder).code == 0
    run(log, "checkpoint", "--size", "64", "--out", "first.txt")
    run(log, "checkpoint", "--out", "new.txt")
    arguments = ("--key", "w.key", "--verifier", log.verifier.text, "--first", "--out", "old.txt")
    assert policy("log", "witness", "first.txt", *arguments, folder=folder).code == 0
    run(log, "prove", "--consistency", "old.txt", "new.txt", "--out", "p.txt")
    return log


def test_a_witness_signs_what_continues_the_checkpoint_that_it_signed_before(witnessed: Log) -> None:
    folder = witnessed.path.parent
    key = read_signer((folder / "w.key").read_text())
    assert (key.kind, (folder / "w.key").stat().st_mode & 0o077) == (KeyKind.WITNESS, 0)
    arguments = ("--key", "w.key", "--verifier", witnessed.verifier.text, "--proof", "p.txt")
    found = read_checkpoint(policy("log", "witness", "new.txt", *arguments, folder=folder).out)
    assert found.size == SIZE
    signed_at = witnessed_at(found, key.verifier)
    assert signed_at is not None
    assert signed_at > 1_700_000_000
    (folder / "both.txt").write_text(found.text)
    assert run(witnessed, "verify", "--kept", "both.txt").out.endswith("no faults\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("new.txt",),
            "give --proof, made by `policy log prove --consistency OLD NEW`; or --first, for the first checkpoint",
        ),
        (("first.txt", "--proof", "p.txt"), "`p.txt` leads to another checkpoint, of 300 records"),
        (
            ("new.txt", "--proof", "new.txt"),
            "`new.txt` is no proof: a consistency proof begins with `policy_engine consistency proof, form 1`, "
            "and has hashes and two checkpoints",
        ),
        (
            ("new.txt", "--proof", "unsigned.txt"),
            "the older checkpoint in `unsigned.txt` is not signed by this witness; make the proof from the one that is",
        ),
        (
            ("new.txt", "--proof", "wrong.txt"),
            "`wrong.txt` does not show that the log only grew, and nothing was signed",
        ),
        (("forged.txt", "--first"), "`forged.txt` is not signed by the key of the log, and was not signed"),
    ],
)
def test_a_witness_signs_nothing_else(witnessed: Log, arguments: tuple[str, ...], sentence: str) -> None:
    folder = witnessed.path.parent
    run(witnessed, "prove", "--consistency", "first.txt", "new.txt", "--out", "unsigned.txt")
    lines = (folder / "p.txt").read_text().split("\n")
    (folder / "wrong.txt").write_text("\n".join([lines[0], *lines[2:3], *lines[2:]]))
    (folder / "forged.txt").write_text((folder / "new.txt").read_text().replace("300", "301"))
    ran = policy("log", "witness", *arguments, "--key", "w.key", "--verifier", witnessed.verifier.text, folder=folder)
    assert (ran.code, ran.out, ran.err) == (2, "", f"{sentence}\n")


def test_the_key_of_a_log_is_no_witness_of_it(witnessed: Log) -> None:
    arguments = ("--key", "decisions.keys/signing.key", "--verifier", witnessed.verifier.text, "--first")
    ran = policy("log", "witness", "new.txt", *arguments, folder=witnessed.path.parent)
    told = "`decisions.keys/signing.key` is the key of a log, and no witness of it; `policy log witness-key` makes one"
    assert (ran.code, ran.err) == (2, f"{told}\n")


def test_no_key_is_replaced(witnessed: Log) -> None:
    ran = policy("log", "witness-key", "w", "--key", "w.key", folder=witnessed.path.parent)
    assert (ran.code, ran.err) == (2, "`w.key` is there already; name another file\n")


# Erasing and pruning


def test_accounts_are_erased(log: Log) -> None:
    (log.path.parent / "accounts.txt").write_text("\ufeffaccount-0004\naccount-0005\n", "utf-8")
    ran = policy(
        "log",
        "erase",
        log.path.name,
        "account-0003",
        "nobody",
        "--from",
        "accounts.txt",
        "--by",
        "dpo",
        folder=log.path.parent,
    )
    assert (ran.code, ran.out) == (0, "erased: 90 payloads; the log has 301 records\n")
    assert ran.err == "the index of the log has nothing of `nobody`\n"
    ran = policy("log", "query", log.path.name, "--account", "account-0003", folder=log.path.parent)
    told = "the index has no such account; it has no record, or all of them were erased or pruned\n"
    assert (ran.out, ran.err) == ("0 records\n", told)
    (entry,) = queried(log, "--kind", "erasure")
    assert (entry["entry"]["caller"], entry["entry"]["count"]) == ("dpo", 90)
    assert run(log, "verify").out.splitlines()[1] == "payloads: 210 fit their entries, 90 were erased or pruned"
    erased = records(SIZE)[3]
    assert run(log, "show", erased.id).out.splitlines()[-1] == "the payload is erased or pruned"
    told = f"the payload of `{erased.id}` is erased or pruned"
    assert refused(log, "prove", erased.id, "--payload", "p") == told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "whose payloads? name accounts, or records with --id, or a file with --from"),
        (("--id", "x"), "--id: `x` is no id of a record; that is a UUID"),
        (("nobody",), "the index of the log has nothing of `nobody`\nnothing was erased"),
        (("--from", "nothing"), "`nothing` cannot be read: No such file or directory"),
        (
            ("a", "--keys", "nowhere"),
            "the signing key `nowhere/signing.key` cannot be read: No such file or directory; "
            "name the folder of keys with --keys",
        ),
    ],
)
def test_what_cannot_be_erased_is_told(made: Log, arguments: tuple[str, ...], sentence: str) -> None:
    assert refused(made, "erase", *arguments) == sentence
    assert made.verified().records == SIZE


def test_a_log_is_pruned_by_a_retention_rule(log: Log) -> None:
    day = 86_400
    draw_from = 2 * day
    log.append([record(draw_from + number, "account-0001", draw=Random(number)) for number in range(5)])
    told = run(log, "prune", "--payloads-before", "2026-03-02").out
    assert told == "pruned: the first 0 entries, and the payloads of the first 300 records; the log has 306 records\n"
    told = run(log, "prune", "--entries-before", "2026-03-03").out
    assert told == "pruned: the first 300 entries, and the payloads of the first 300 records; the log has 307 records\n"
    assert run(log, "verify").out.splitlines()[:2] == [
        "decisions.sqlite: 307 records, of 300 of them the hash alone, and 12 checkpoints",
        "payloads: 5 fit their entries, 0 were erased or pruned",
    ]
    assert (
        refused(log, "prune", "--entries-before", "2026-03-03") == "nothing is as old as that, and nothing was pruned"
    )
    assert len(queried(log)) == 7
    ran = policy("log", "query", log.path.name, folder=log.path.parent)
    assert ran.err == "not read: 300 pruned entries, of which only hashes are left\n"
    assert json.loads(run(log, "stats", "--json").out)["kinds"] == {"pruned": 300, "answer": 5, "pruning": 2}


def test_an_age_in_days_is_counted_from_today(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policy_engine.cli.log_writing.today_in", lambda _: date(2026, 3, 11))
    told = "nothing is as old as that, and nothing was pruned"
    assert refused(log, "prune", "--entries-before", "10d") == told
    assert run(log, "prune", "--entries-before", "9d").out.startswith("pruned: the first 300 entries")
    assert milliseconds_of(queried(log)[0]["entry"]["id"]) > 1_700_000_000_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "which? give --entries-before or --payloads-before, a day such as 2019-01-01 or an age such as 3650d"),
        (("--entries-before", "soon"), "--entries-before: `soon` is not a date; write it as 2025-02-28"),
        (("--payloads-before", "999999d"), "--payloads-before: `999999d` is before the first year"),
        (("--entries-before", "2020-01-01"), "nothing is as old as that, and nothing was pruned"),
        (("--entries-before", "9999-12-31"), "--entries-before: `9999-12-31` is after today, and nothing was pruned"),
    ],
)
def test_what_cannot_be_pruned_is_told(made: Log, arguments: tuple[str, ...], sentence: str) -> None:
    assert refused(made, "prune", *arguments) == sentence


def test_a_log_that_is_being_written_is_read_and_not_erased_from(log: Log) -> None:
    writer = log.writer()
    told = (
        "the log `decisions.sqlite` is open for writing already; "
        "there is one writer at a time; stop the other, such as `policy serve`, and try again"
    )
    assert refused(log, "erase", "account-0003") == told
    assert run(log, "verify").out.endswith("no faults\n")
    writer.close()
