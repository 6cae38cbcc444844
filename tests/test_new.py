"""`policy new`: a ruleset, its schema and its tests, that pass as they are, from answers or from a table."""

from __future__ import annotations

import json
import os
import pty
import sys
from datetime import date
from pathlib import Path
from subprocess import Popen

import polars as pl
import pytest

from policy_engine.analysis import beginning
from policy_engine.analysis.beginning import Beginning, fact_names, first_files
from policy_engine.analysis.first_facts import named_fact
from tests.conftest import ROOT
from tests.support.commands import Ran, policy


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*arguments: str) -> Ran:
    """The command in the current folder."""
    return policy("new", *arguments, folder=Path.cwd())


def files() -> list[str]:
    """The files that there are."""
    return sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())


def assert_it_passes() -> None:
    """Whether all files pass what CI runs."""
    checked = policy("check", "--strict", folder=Path.cwd())
    assert checked.code == 0, checked.out
    tested = policy("test", folder=Path.cwd())
    assert (tested.code, tested.err) == (0, ""), tested.out
    assert policy("fmt", "--check", folder=Path.cwd()).code == 0


RULES = """\
# Made by `policy new`. Each line that begins with `# Next` says what to do; take it away when it is done.
ruleset: late_fees
title: Fees for invoices that are paid late
version: "1"
effective: {from: 2025-01-01}
timezone: Europe/Berlin
facts: late_fees

# Next: name the document that says all this, and let the decision cite it by `source: terms`.
# sources:
#   terms: {title: The terms of payment, updated: 2025-01-01, url: "https://example.com/terms"}

parameters:
  # Next: write the right figures, and the unit of each.
  least_amount: {value: 500000.00, meaning: From here on the rule applies}

decisions:
  result:
    question: Is a fee due?
    outcomes: ["yes", "no"]
    rules:
      # Next: say for each outcome when it holds, and why. The first rule that is true decides.
      - id: rule-1
        when: amount >= least_amount
        then: "yes"
        because: "{amount} is at least {least_amount}."
    otherwise:
      # Next: say why this is so where no rule applies.
      then: "no"
      because: No rule says anything else.

silence:
  # Next: `policy check` tells when these are no longer needed.
  - {code: unused-fact, because: The rules that read them are still to be written.}
"""
SCHEMA = """\
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "The facts of late_fees",
  "type": "object",
  "properties": {
    "id": {"type": "string", "maxLength": 256, "x-key": true},
    "amount": {
      "description": "Next: write the least and the greatest number that there can be.",
      "type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000000
    },
    "paid_on": {"type": "string", "format": "date"}
  },
  "required": [],
  "additionalProperties": false
}
"""
OPTIONS = (
    *("--title", "Fees for invoices that are paid late", "--question", "Is a fee due?"),
    *("--outcome", "yes", "--outcome", "no", "--from", "2025-01-01", "--timezone", "Europe/Berlin"),
    *("--fact", "id=text", "--fact", "amount=decimal", "--fact", "paid_on=date", "--key", "id"),
)


def test_options_answer_everything() -> None:
    told = new("late_fees", *OPTIONS)
    assert (told.code, told.err) == (0, "")
    assert told.out == (
        "written: rules/late_fees.yaml\nwritten: schemas/late_fees.schema.json\nwritten: rules/late_fees_test.yaml\n"
        "next: policy check --strict; policy test\n"
    )
    assert Path("rules/late_fees.yaml").read_text("utf-8") == RULES
    assert Path("schemas/late_fees.schema.json").read_text("utf-8") == SCHEMA
    assert "  # Next: is this the right answer? Then take this line away.\n  - name: by rule-1\n" in (
        Path("rules/late_fees_test.yaml").read_text("utf-8")
    )
    assert_it_passes()


TYPES = ["text", "integer", "decimal(3)", "boolean", "date", "date-time", "time", "low|high", "a'b|c: d # e"]


@pytest.mark.parametrize(
    "outcomes", [["only"], ["allow", "deny"], ["a", "b c", "yes", "d: e", "it's # f", "g", "h", "i", "j"]]
)
def test_every_type_and_any_number_of_outcomes_pass(outcomes: list[str]) -> None:
    wanted = [part for outcome in outcomes for part in ("--outcome", outcome)]
    facts = [part for number, kind in enumerate(TYPES) for part in ("--fact", f"x{number}={kind}")]
    told = new("odd_one", "--yes", *facts, "--fact", "least_x1=integer", "--title", 'a "b": {c} # d', *wanted)
    assert (told.code, told.err) == (0, "")
    assert_it_passes()


@pytest.mark.parametrize("kind", TYPES)
def test_a_rule_may_ask_any_type(kind: str) -> None:
    asked = Beginning("x", "T", "Q", ("a", "b"), date(2025, 1, 1), "UTC", (named_fact(f"x={kind}"),))
    files = first_files(asked)
    assert "when: " in files.rules
    assert "silence:" not in files.rules
    assert "by rule-1" in files.tests


def test_yes_takes_what_is_proposed() -> None:
    assert new("refunds", "--yes").code == 0
    assert_it_passes()


# Tables.

TABLE = """\
Account ID;Paid On;Amount;Größe;class;Empty;Status;Code
0001;31.01.2025;1.234,50;S;a;;open;1
0002;NA;7,00;M;b;;open;2
0003;01.02.2025;;S;a;;closed;3
0004;28.02.2025;3,25;M;b;;open;4
0005;01.03.2025;12,00;S;a;;closed;5
0006;02.03.2025;1,00;M;c;;open;6
"""


def test_a_table_gives_facts_and_a_mapping_file() -> None:
    Path("fees.csv").write_text(TABLE, "utf-8")
    told = new("fees", "--from-table", "fees.csv", "--yes", "--from", "2025-01-01")
    assert (told.code, told.err) == (0, "")
    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    assert lines[0] == "fees.csv: seen in 6 rows"
    assert "Paid On paid_on date 6 dates, 2025-01-31 to 2025-03-02, written as %d.%m.%Y" in lines
    assert (
        "Amount amount decimal(2), 0 to 100,000 5 numbers with 2 decimal places, 1.00 to 1234.50, written as 1.234,56"
        in lines
    )
    assert "class class_value text 6 texts, 3 different, of a length up to 1" in lines
    assert "Empty - (left out) 0 no value" in lines
    assert "Status status closed|open 6 one of closed, open" in lines
    assert "account_id names a row in reports; code could do so too: --key code" in lines
    assert "fees.csv by the new schema: 6 rows read, 0 invalid" in lines
    assert lines[-1] == "then: policy report fees=fees.csv --map fees.map.yaml --out report"
    schema = json.loads(Path("schemas/fees.schema.json").read_text("utf-8"))["properties"]
    assert schema["amount"] == {
        "description": "The column `Amount`. Seen in 5 of 6 rows: numbers with 2 decimal places, 1.00 to 1234.50, "
        "written as 1.234,56.",
        "type": "number",
        "multipleOf": 0.01,
        "minimum": 0,
        "maximum": 100000,
    }
    assert schema["account_id"]["x-key"] is True
    assert [*schema] == ["account_id", "paid_on", "amount", "groesse", "class_value", "status", "code"]
    assert '  "Größe": groesse\n' in Path("fees.map.yaml").read_text("utf-8")
    assert_it_passes()
    asked = "report fees=fees.csv --map fees.map.yaml --as-of 2025-06-01 --out report"
    told = policy(*asked.split(), folder=Path.cwd())
    assert told.code == 0, told.err
    assert "0 of 6 rows are invalid" in told.out


def test_a_table_whose_columns_are_facts_needs_no_mapping_file() -> None:
    Path("t.csv").write_text("id,amount\nA,1\nB,2\n", "utf-8")
    assert new("plain", "--from-table", "t.csv", "--yes").code == 0
    assert files() == ["rules/plain.yaml", "rules/plain_test.yaml", "schemas/plain.schema.json", "t.csv"]


def test_types_that_somebody_names_come_before_what_was_seen() -> None:
    Path("t.csv").write_text("id,amount,flag,empty\nA,12,1,\nB,2,0,\n", "utf-8")
    named = ("--fact", "flag=boolean", "--fact", "empty=date", "--fact", "amount=decimal(2)", "--key", "id")
    assert new("named", "--from-table", "t.csv", "--yes", *named).code == 0
    schema = json.loads(Path("schemas/named.schema.json").read_text("utf-8"))["properties"]
    assert (schema["flag"]["type"], schema["empty"]["format"]) == ("boolean", "date")
    assert (schema["amount"]["multipleOf"], schema["amount"]["maximum"]) == (0.01, 1000)
    assert_it_passes()


def test_rows_that_the_new_schema_refuses_are_counted() -> None:
    days = "".join(f"2025-01-{day:02}\n" for day in range(1, 31))
    Path("t.csv").write_text(f"day\n{days}31.06.2025\n", "utf-8")
    told = new("days", "--from-table", "t.csv", "--yes")
    assert "dates, 2025-01-01 to 2025-01-30; 1 of 31 different texts are none" in told.out
    assert "t.csv by the new schema: 31 rows read, 1 invalid" in told.out


def test_other_kinds_of_tables_pass() -> None:
    Path("t.jsonl").write_text('{"id": "A", "tags": ["x"], "of": {"n": 1}, "both": 1}\n{"both": "x"}\n', "utf-8")
    pl.DataFrame({"id": [1, 2], "tags": [["a"], []], "none": [None, None]}).write_parquet("t.parquet")
    for number, table in enumerate(("t.jsonl", "t.parquet")):
        told = new(f"kind_{number}", "--from-table", table, "--yes")
        assert (told.code, told.err) == (0, "")
        assert "2 rows read, 0 invalid" in told.out
    assert_it_passes()


NAMES = {
    "account_id": ["Account ID", "account_id", "accountId", "ACCOUNT-ID"],
    "column_2nd": ["2nd"],
    "class_value": ["class"],
    "as_of_value": ["as_of"],
    "groesse_in_eur": ["Größe (in EUR)"],
    "cafe": ["Café"],
    "column_1": ["数量", "%", ""],
}


@pytest.mark.parametrize(("name", "column"), [(name, column) for name, columns in NAMES.items() for column in columns])
def test_a_column_gets_the_name_of_a_fact(name: str, column: str) -> None:
    assert fact_names([column]) == {column: name}


def test_no_two_columns_get_one_name() -> None:
    assert [*fact_names(["a b", "a_b", "A B", "a_b_2"]).values()] == ["a_b", "a_b_2", "a_b_3", "a_b_2_2"]


# Refusals.


def test_nothing_that_is_there_is_replaced() -> None:
    places = ["rules/refunds.yaml", "rules/refunds_test.yaml", "schemas/refunds.schema.json"]
    for place in places:
        Path(place).parent.mkdir(exist_ok=True)
        Path(place).write_text("mine", "utf-8")
        told = new("refunds", "--yes")
        assert (told.code, told.out) == (2, "")
        assert told.err == f"`{place}` is there already, and is not replaced; nothing was written\n"
        assert files() == [place]
        Path(place).unlink()


def test_a_mapping_file_that_is_there_is_not_replaced() -> None:
    Path("t.csv").write_text("A b\n1\n", "utf-8")
    Path("refunds.map.yaml").write_text("mine", "utf-8")
    told = new("refunds", "--yes", "--from-table", "t.csv")
    assert told.err == "`refunds.map.yaml` is there already, and is not replaced; nothing was written\n"


def test_a_ruleset_in_another_file_is_not_doubled() -> None:
    Path("rules").mkdir()
    Path("rules/other.yaml").write_text("ruleset: refunds\n", "utf-8")
    told = new("refunds", "--yes")
    assert told.err == "`rules/other.yaml` holds the ruleset `refunds` already; nothing was written\n"


def test_files_that_cannot_all_be_written_are_not_left() -> None:
    Path("schemas").write_text("no folder", "utf-8")
    told = new("refunds", "--yes")
    assert (told.code, told.err) == (2, "`schemas` is not a folder; name another\n")
    assert files() == ["schemas"]


NONE_LEFT = "no column is left from which a fact could be made; name one with its type: --fact NAME=TYPE"
REFUSED = {
    ("Late-Fees", "--yes"): "`Late-Fees` cannot be a ruleset's id; write it as late_fees",
    ("class", "--yes"): "`class` cannot be a ruleset's id; write it as class_value",
    ("x", "--fact", "a=date", "--timezone", "UTC"): "--title is not given, and here nobody can be asked; give it, or ...",
    ("x",): "no --fact is given, and here nobody can be asked; give it, or --yes to take `amount=decimal`",
    ("x", "--from-table", "t.csv"): "what is shown has to be confirmed, and here nobody can be asked; give it, or ...",
    ("x", "--yes", "--fact", "amount"): "--fact: `amount` is not of the form NAME=TYPE; TYPE is text, integer, decimal, ...",
    ("x", "--yes", "--fact", "Amount=decimal"): "--fact: `Amount` cannot be the name of a fact; write it as amount",
    ("x", "--yes", "--fact", "a=datte"): "--fact: `datte` is no type; did you mean `date`?: it is text, integer, ...",
    ("x", "--yes", "--fact", "a=x|x"): "--fact: `x|x` is no type: it is text, integer, decimal, ...",
    ("x", "--yes", "--fact", "a=date", "--fact", "a=text"): "the fact `a` is named twice",
    ("x", "--yes", "--key", "amuont"): "--key: `amuont` is no fact; did you mean `amount`?",
    ("x", "--yes", "--from", "2025-02-30"): "--from: the first day: `2025-02-30` is not a date; write it as 2025-02-28",
    ("x", "--yes", "--timezone", "Berlin"): "--timezone: `Berlin` is no time zone; it is written as Europe/Berlin",
    ("x", "--yes", "--outcome", "a", "--outcome", "a"): "--outcome: write each outcome once, with commas between: allow, deny",
    ("x", "--yes", "--title", " "): "--title: write it in words",
    ("x", "--yes", "--from-table", "none.csv"): "there is no file `none.csv`",
    ("x", "--yes", "--from-table", "head.csv"): "`head.csv` has no row with a value, so nothing can be told of its columns",
    ("x", "--yes", "--from-table", "null.csv"): NONE_LEFT,
    ("x", "--yes", "--from-table", "t.csv", "--fact", "b=date"): "--fact: no column becomes the fact `b`; there are a",
}  # fmt: skip


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_cannot_be_begun_is_told(arguments: tuple[str, ...]) -> None:
    Path("t.csv").write_text("a\n1\n", "utf-8")
    Path("head.csv").write_text("a,b\n", "utf-8")
    Path("null.csv").write_text("a,b\nNA,-\n", "utf-8")
    told = new(*arguments)
    assert told.code == 2
    assert " ".join(told.err.split()).startswith(REFUSED[arguments].removesuffix("..."))
    assert files() == ["head.csv", "null.csv", "t.csv"]


def test_a_mistake_of_the_program_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginning, "SILENCES", {})
    told = new("x", "--yes", "--fact", "a=boolean", "--fact", "b=date")
    assert (told.code, files()) == (2, [])
    assert "nothing was written, for the new files would have faults; please report it\nunused-fact: " in told.err


# Answers on a terminal.


def test_a_person_is_asked_on_the_terminal(folder: Path) -> None:
    """Each question with what is proposed; what cannot be taken is said, and asked again."""
    answers = [
        "amount=decimla",
        "amount=decimal",
        "",
        "Europe/Berlin",
        "",
        "Is a fee due?",
        "yes, no",
        "soon",
        "2025-01-01",
    ]
    code, shown = _typed("new", "late_fees", answers=answers)
    assert code == 0, shown
    assert "`decimla` is no type; did you mean `decimal`?" in shown
    assert "What is it about? [Late fees]: " in shown
    assert "the first day: `soon` is not a date; write it as 2025-02-28" in shown
    text = (folder / "rules" / "late_fees.yaml").read_text("utf-8")
    assert 'title: Late fees\nversion: "1"\neffective: {from: 2025-01-01}\ntimezone: Europe/Berlin\n' in text
    assert 'question: Is a fee due?\n    outcomes: ["yes", "no"]\n' in text


def test_a_person_may_change_types_and_the_key(folder: Path) -> None:
    Path("t.csv").write_text("Acc;Code;amount\n0001;5;1,5\n0002;6;2,5\n", "utf-8")
    answers = ["nope=date", "code=text", "", *[""] * 5, "nope", "code"]
    code, shown = _typed("new", "fees", "--from-table", "t.csv", answers=answers)
    assert code == 0, shown
    assert "no column becomes the fact `nope`; there are acc, code, amount" in shown
    assert "Which fact names a row (acc, code)? [acc]: " in shown
    assert "`nope` is no fact; there are acc, code, amount" in shown
    schema = json.loads((folder / "schemas" / "fees.schema.json").read_text("utf-8"))["properties"]
    assert (schema["code"]["type"], schema["code"]["x-key"]) == ("string", True)


def test_nothing_is_written_where_a_person_ends_it() -> None:
    code, shown = _typed("new", "late_fees", answers=["a=date", "", "UTC", "\x04"])
    assert (code, files()) == (1, []), shown
    assert "Aborted" in shown


def _typed(*arguments: str, answers: list[str]) -> tuple[int, str]:
    """A command on a terminal of its own, where somebody types; its exit code, and what is shown."""
    screen, terminal = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "150", "TERM": "dumb"}
    command = [sys.executable, "-m", "policy_engine", *arguments]
    with Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment) as running:
        os.close(terminal)
        os.write(screen, "".join(f"{answer}\n" for answer in answers).encode())
        shown = b""
        try:
            while part := os.read(screen, 4096):
                shown += part
        except OSError:  # Linux: the other end is closed
            pass
    os.close(screen)
    return running.returncode, shown.decode().replace("\r\n", "\n")
