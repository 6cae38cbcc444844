"""Two versions of a ruleset over the same accounts: every part of an answer, every kind of table, and what is not compared."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from policy_engine import CannotRun, Engine
from policy_engine.cli.comparison_sides import two_versions
from policy_engine.documents.facts_files import read_json
from policy_engine.reports import differences
from policy_engine.reports.compare import Comparison, compare
from policy_engine.reports.comparison.side import Side
from policy_engine.reports.comparison.tally import EXAMPLES
from policy_engine.reports.differences import side_by_side
from policy_engine.reports.jobs import Job
from policy_engine.tables.file_options import FileOptions
from policy_engine.tables.opening_tables import Options
from tests.support.commands import policy
from tests.support.rulebook import shipped

ROOT = Path(__file__).parents[1]
DAY = date(2026, 6, 1)
SCHEMA = """{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "An account", "type": "object", "properties": {
"id": {"type": "string", "x-key": true}, "amount": {"type": "number", "minimum": 0, "maximum": 1000, "multipleOf": 0.01},
"contract": {"type": "boolean"}, "tax_form": {"type": "boolean"}, "since": {"type": "string", "format": "date"}},
"required": ["amount"], "additionalProperties": false}"""
HEAD = """ruleset: fee
title: Fees
version: "{version}"
effective: {{from: {start}}}
timezone: Europe/Berlin
facts: sale
"""
ROWS = """{"id": "A", "amount": 10}
{"id": "B", "amount": 100.00, "contract": true}
{"id": "C", "amount": 100.01, "contract": false, "tax_form": true}
"""


def write(folder: Path, old: str, new: str, schemas: Mapping[str, str] | None = None) -> None:
    """Two versions of a ruleset: what their files say below the head; one may ask for facts of another schema."""
    (folder / "rules").mkdir()
    (folder / "schemas").mkdir()
    for name, schema in (schemas or {"sale": SCHEMA}).items():
        (folder / "schemas" / f"{name}.schema.json").write_text(schema)
    before = HEAD.format(version="2025", start="2025-01-01, until: 2026-01-01")
    (folder / "rules" / "fee.before-2026-01-01.yaml").write_text(before + old)
    (folder / "rules" / "fee.yaml").write_text(HEAD.format(version="2026", start="2026-01-01") + new)


def compared(folder: Path, table: str = "a.jsonl", as_of: date = DAY, options: Options | None = None) -> Comparison:
    """What comparing finds."""
    engine = Engine.load(folder / "rules", folder / "schemas")
    old, new = engine.rulebook.versions("fee")
    return compare(Side(old, as_of), Side(new, as_of), folder / table, options or Options())


def told(found: Comparison) -> list[tuple[Any, ...]]:
    """Each difference in short: its part, what was and is (or the same of its first example), and in how many rows."""
    return [
        (one.part, one.old or one.examples[0].old, one.new or one.examples[0].new, one.rows) for one in found.changes
    ]


def calculation(value: str, more: str = "") -> str:
    """A decision that calculates `fee`."""
    return f"decisions:\n  charge: {{question: What?, values: {{fee: '{value}'}}}}\n{more}"


def rules(first: str, *, outcomes: str = "yes, no", hit: str = "first", otherwise: bool = True) -> str:
    """A decision with the rules given."""
    end = "    otherwise: {then: no, because: Else.}\n" if otherwise else ""
    return f"decisions:\n  charge:\n    question: What?\n    hit: {hit}\n    outcomes: [{outcomes}]\n    rules:\n{first}{end}"


def rule(name: str, when: str, then: str = "yes") -> str:
    """A rule on a line."""
    return f"      - {{id: {name}, when: {when}, then: {then}, because: It is {then}.}}\n"


A_RULE = rules(rule("big", "amount > 100"))
COLLECTED = {"outcomes": "c, t", "hit": "collect", "otherwise": False}
ONE_OBSTACLE, FORM = rule("no-contract", "known(contract) and not contract", "c"), rule("no-form", "not tax_form", "t")

# What the older and the newer version say, and what must be told of three accounts.
DIFFERENCES: Mapping[str, tuple[str, str, list[tuple[Any, ...]]]] = {
    "nothing": (A_RULE, A_RULE, []),
    "a boundary": (A_RULE, rules(rule("big", "amount >= 100")), [("answer", "no", "yes", 1)]),
    "another rule of the same outcome": (
        A_RULE,
        rules(rule("large", "amount > 100")),
        [("rules", "big", "large", 1)],
    ),
    "a status": (A_RULE, rules(rule("big", "amount > 100 and contract")), [("answer", "yes", "no", 1)]),
    "undetermined now": (
        A_RULE,
        rules(rule("big", "contract")),
        [("answer", "no", "undetermined", 1), ("answer", "no", "yes", 1), ("answer", "yes", "no", 1)],
    ),
    "a gap now": (
        A_RULE,
        rules(rule("big", "amount > 100"), otherwise=False),
        [("answer", "no", "gap", 2)],
    ),
    "other missing facts": (
        rules(rule("big", "contract and tax_form")),
        rules(rule("big", "contract and since == as_of")),
        [("missing", "contract, tax_form", "contract, since", 2)],
    ),
    "obstacles that are sure, and undetermined now": (
        rules(ONE_OBSTACLE, **COLLECTED),  # type: ignore[arg-type]
        rules(ONE_OBSTACLE + FORM, **COLLECTED),  # type: ignore[arg-type]
        [("answer", "(none)", "undetermined", 2)],
    ),
    "an outcome where there was a list of one": (
        rules(rule("big", "amount > 0"), outcomes="yes", hit="collect", otherwise=False),
        rules(rule("big", "amount > 0")),
        [("answer", "[yes]", "yes", 3)],
    ),
    "an outcome that is called like a status": (
        rules(rule("big", "contract", "undetermined"), outcomes="undetermined, no"),
        rules(rule("big", "contract or since == as_of", "undetermined"), outcomes="undetermined, no"),
        [("answer", "no", "undetermined", 1), ("missing", "contract", "contract, since", 1)],
    ),
    "a value": (calculation("amount * 0.02"), calculation("amount * 0.03"), [("values.fee", "0.2000", "0.3000", 3)]),
    "a value in one case": (
        calculation("amount"),
        calculation("amount if amount <= 100 else 100.00"),
        [("values.fee", "100.01", "100.00", 1)],
    ),
    "the same value with more places": (calculation("amount"), calculation("amount * 1.0"), []),
    "an integer that is worth the decimal": (calculation("1"), calculation("1.0"), []),
    "an integer that is not": (calculation("1"), calculation("1.1"), [("values.fee", "1", "1.1", 3)]),
    "a truth where there was a number": (calculation("1"), calculation("amount > 0"), [("values.fee", "1", "true", 3)]),
    "a date where there was a text": (
        calculation('"2026-06-01"'),
        calculation("as_of"),
        [("values.fee", "2026-06-01", "2026-06-01", 3)],
    ),
    "an element of a list": (
        calculation("[1, 2]"),
        calculation("[1, 3]"),
        [("values.fee", "1, 2", "1, 3", 3)],
    ),
    "a list whose elements are worth the same": (calculation("[1, 2]"), calculation("[1.0, 2.0]"), []),
    "a value that may be null": (
        calculation("if_known(contract)"),
        calculation("if_known(tax_form)"),
        [("values.fee", "true", "none", 2)],
    ),
}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_b1_every_part_of_an_answer_is_compared(case: str, tmp_path: Path) -> None:
    old, new, wanted = DIFFERENCES[case]
    write(tmp_path, old, new)
    (tmp_path / "a.jsonl").write_text(ROWS)
    found = compared(tmp_path)
    assert (found.rows, found.compared, found.invalid) == (3, 3, ())
    assert told(found) == wanted
    assert found.differs == bool(wanted)


@pytest.mark.parametrize("case", [name for name, (_, _, wanted) in DIFFERENCES.items() if not wanted])
def test_b1_no_difference_is_told_only_where_single_decisions_agree_too(case: str, tmp_path: Path) -> None:
    old, new, _ = DIFFERENCES[case]
    write(tmp_path, old, new)
    engine = Engine.load(tmp_path / "rules", tmp_path / "schemas")
    for line in ROWS.splitlines():
        before, after = (engine.decide("fee.charge", read_json(line), as_of=day) for day in (date(2025, 6, 1), DAY))
        assert (before.status, before.outcome, before.rules) == (after.status, after.outcome, after.rules)
        assert before.values == after.values


def test_b1_each_difference_has_rows_with_keys_and_a_new_answer_has_its_reason(tmp_path: Path) -> None:
    write(tmp_path, A_RULE, rules(rule("big", "amount > 10 - 1")))
    (tmp_path / "a.jsonl").write_text(ROWS)
    (found,) = compared(tmp_path).changes
    assert [(one.row, one.key, one.old, one.new, one.old_reason, one.new_reason) for one in found.examples] == [
        (1, "A", "no", "yes", "Else.", "It is yes."),
        (2, "B", "no", "yes", "Else.", "It is yes."),
    ]


def test_b1_of_many_rows_the_first_are_shown_and_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, A_RULE, rules(rule("big", "amount > 50")))
    (tmp_path / "a.csv").write_text("id,amount\n" + "".join(f"K{n},{n % 101}\n" for n in range(1010)))
    monkeypatch.setattr(differences, "ROWS_AT_ONCE", 7)
    (found,) = compared(tmp_path, "a.csv").changes
    assert (found.old, found.new, found.rows) == ("no", "yes", 500)
    assert [one.row for one in found.examples] == [52, 53, 54]
    assert len(found.examples) == EXAMPLES


# ---- tables


def as_csv(folder: Path) -> str:
    (folder / "a.csv").write_text("id;amount\nÄ;10,50\n".replace(",", "."), "cp1252")
    return "a.csv"


def as_packed_lines(folder: Path) -> str:
    (folder / "a.jsonl.gz").write_bytes(gzip.compress('{"id": "Ä", "amount": 10.50}\n'.encode()))
    return "a.jsonl.gz"


def as_parquet(folder: Path) -> str:
    pl.DataFrame({"id": ["Ä"], "amount": [10.5]}).write_parquet(folder / "a.parquet")
    return "a.parquet"


def as_mapped_csv(folder: Path) -> str:
    (folder / "a.csv").write_text("Konto;Betrag\nÄ;10.50\n", "cp1252")
    (folder / "map.yaml").write_text("columns:\n  Konto: id\n  Betrag: amount\n")
    return "a.csv"


@pytest.mark.parametrize("make", [as_csv, as_packed_lines, as_parquet, as_mapped_csv])
def test_b1_every_table_that_a_report_reads_is_compared(make: Any, tmp_path: Path) -> None:
    write(tmp_path, calculation("amount * 2"), calculation("amount * 3"))
    maps = {"": tmp_path / "map.yaml"} if make is as_mapped_csv else {}
    found = compared(tmp_path, make(tmp_path), options=Options(maps, FileOptions("cp1252", ";")))
    assert [(one.rows, one.examples[0].key, one.examples[0].old, one.examples[0].new) for one in found.changes] == [
        (1, "Ä", "21.00", "31.50")
    ]


# ---- what is not compared


def test_b1_invalid_rows_are_counted_with_examples_and_those_of_one_version_apart(tmp_path: Path) -> None:
    check = "checks:\n  - {expect: amount < 100, because: It is too much.}\n"
    write(tmp_path, calculation("amount", check), calculation("amount"))
    bad = '{"id": "D", "amount": -1}\n{"amount": true}\n'
    (tmp_path / "a.jsonl").write_text(bad + ROWS)
    found = compared(tmp_path)
    assert (found.rows, found.compared, found.changes, found.differs) == (5, 1, (), True)
    assert [(one.to, one.rows, one.examples) for one in found.invalid] == [
        ("both", 2, ((1, "D", "/amount: -1 is not 0 or more"), (2, None, "/amount: true is not a number"))),
        ("old", 2, ((4, "B", "(the record): It is too much."), (5, "C", "(the record): It is too much."))),
    ]


def test_b1_what_the_newer_version_finds_invalid_is_told_as_such(tmp_path: Path) -> None:
    strict = SCHEMA.replace('"maximum": 1000', '"maximum": 100')
    new = calculation("amount")
    write(tmp_path, calculation("amount"), new, {"sale": SCHEMA, "strict": strict})
    path = tmp_path / "rules" / "fee.yaml"
    path.write_text(path.read_text().replace("facts: sale", "facts: strict"))
    (tmp_path / "a.jsonl").write_text(ROWS)
    found = compared(tmp_path)
    assert (found.compared, found.changes, found.differs) == (2, (), True)
    assert [(one.to, one.rows, one.examples) for one in found.invalid] == [
        ("new", 1, ((3, "C", "/amount: 100.01 is not 100 or less"),))
    ]


def test_b1_decisions_and_values_of_one_version_are_told(tmp_path: Path) -> None:
    old = calculation("amount", "  gone: {question: What?, values: {it: amount}}\n")
    new = calculation("amount", "  here: {question: What?, values: {it: amount}}\n").replace(
        "{fee:", "{tax: amount, fee:"
    )
    write(tmp_path, old, new)
    (tmp_path / "a.jsonl").write_text(ROWS)
    found = compared(tmp_path)
    assert [(one.name, one.only) for one in found.one_sided] == [
        ("gone", "old"),
        ("charge.tax", "new"),
        ("here", "new"),
    ]
    assert (found.decisions, found.changes, found.differs) == (("charge",), (), True)


DATED = "parameters:\n  rate: {{values: {{{start}: {rate}}}}}\n"


def test_b1_a_version_is_asked_on_any_day_on_which_it_has_its_values(tmp_path: Path) -> None:
    old = DATED.format(start="2025-01-01", rate=2) + calculation("amount * rate")
    new = DATED.format(start="2026-01-01", rate=3) + calculation("amount * rate")
    write(tmp_path, old, new)
    (tmp_path / "a.jsonl").write_text(ROWS)
    assert told(compared(tmp_path)) == [("values.fee", "20.00", "30.00", 3)]
    with pytest.raises(CannotRun) as refused:
        compared(tmp_path, as_of=date(2025, 12, 31))
    assert str(refused.value) == (
        "the parameter `rate` of version 2026 has no value on 2025-12-31; "
        "ask as of a day on which both versions have all their values (--as-of)"
    )


def test_b1_a_table_that_changes_while_it_is_read_is_not_compared(tmp_path: Path) -> None:
    write(tmp_path, A_RULE, rules(rule("big", "amount > 10 - 1")))
    table = tmp_path / "a.jsonl"
    table.write_text(ROWS)
    old, new = Engine.load(tmp_path / "rules", tmp_path / "schemas").rulebook.versions("fee")

    def announce(job: Job) -> None:
        table.write_text(ROWS.replace('"amount": 10}', '"amount": 1000}'))

    with pytest.raises(CannotRun) as refused:
        compare(Side(old, DAY), Side(new, DAY), table, Options(), announce)
    told = f"`{table}` was changed while it was read, and nothing was compared; compare again when nobody writes to it"
    assert str(refused.value) == told


def test_b1_versions_without_a_decision_in_common_are_not_compared(tmp_path: Path) -> None:
    write(tmp_path, calculation("amount"), calculation("amount").replace("charge", "price"))
    (tmp_path / "a.jsonl").write_text(ROWS)
    with pytest.raises(CannotRun, match=r"^versions 2025 and 2026 of `fee` have no decision in common$"):
        compared(tmp_path)


def test_b1_a_version_is_not_compared_with_itself(tmp_path: Path) -> None:
    write(tmp_path, A_RULE, A_RULE)
    engine = Engine.load(tmp_path / "rules", tmp_path / "schemas")
    with pytest.raises(
        CannotRun, match=r"^version 2026 is the same as itself; name two versions with --old and --new$"
    ):
        two_versions(engine.rulebook.versions("fee"), "fee", "2026", None)


def test_b1_files_are_read_in_step_wherever_their_pieces_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "ROWS_AT_ONCE", 3)
    tables = [1, 2, 5, 6, 7, 9, 10], [2, 3, 4, 5, 10, 11, 12, 13, 14]
    paths = tmp_path / "old.parquet", tmp_path / "new.parquet"
    for rows, path in zip(tables, paths, strict=True):
        pl.DataFrame({"row": rows}).write_parquet(path)
    pieces = list(side_by_side(*paths))
    assert [row for one in pieces for row in one.shared().old["row"]] == [2, 5, 10]
    assert [row for one in pieces for row in one.shared().new["row"]] == [2, 5, 10]
    assert [row for one in pieces for row in one.only_old()] == [1, 6, 7, 9]
    assert [row for one in pieces for row in one.only_new()] == [3, 4, 11, 12, 13, 14]


# ---- the command


# The rows of the table, what is printed, and the exit code; the newer version takes 3 in place of 2 above 100.
RUNS: Mapping[str, tuple[str, str, int]] = {
    "an answer differs": (
        ROWS + '{"id": "D", "amount": -1}\n',
        "4 accounts, 3 compared, 1 invalid\ninvalid to both versions: 1\n  row 4 D: /amount: -1 is not 0 or more\n\n"
        "charge: the value fee differs: 1\n"
        "  `2 if amount <= 100 else 3`, which is 3, in place of `2`: 1\n    row 3 C: 200.02 -> 300.03\n\n"
        "charge: fee: 1 up by 100.01 in sum; from +100.01 to +100.01, half at most +100.01\n",
        3,
    ),
    "none differs": (
        '{"amount": 10}\n',
        "1 account, 1 compared, 0 invalid\nof the accounts compared no answer changes\n",
        0,
    ),
    "all are invalid": (
        '{"amount": "much"}\n',
        "1 account, 0 compared, 1 invalid\ninvalid to both versions: 1\n"
        '  row 1: /amount: "much" is not a number\nnothing was compared\n',
        2,
    ),
    "there is none": ("", "0 accounts, 0 compared, 0 invalid\nnothing was compared\n", 2),
}
TOLD_OF_RULES = """fee: version 2025 against 2026, as of 2026-06-01
  The ruleset is in force from 2026-01-01; it was from 2025-01-01 until 2026-01-01.
  In the value `fee` of `charge`, `amount * 2` became `amount * (2 if amount <= 100 else 3)`.
"""


@pytest.mark.parametrize("case", RUNS)
def test_b1_the_exit_code_says_whether_answers_differ(case: str, tmp_path: Path) -> None:
    rows, shown, code = RUNS[case]
    write(tmp_path, calculation("amount * 2"), calculation("amount * (2 if amount <= 100 else 3)"))
    (tmp_path / "a.jsonl").write_text(rows)
    ran = policy("compare", "fee", "--facts", "a.jsonl", "--as-of", "2026-06-01", folder=tmp_path)
    assert (ran.out, ran.err, ran.code) == (TOLD_OF_RULES + shown, "", code)


# ---- the shipped rulebook

SENDERS = [Side(version, date(2025, 6, 30)) for version in shipped().rulebook.versions("email_suppression")]


@pytest.mark.parametrize(
    ("since", "moves"),
    [("2025-05-01", []), ("2025-05-02", [("allow", "deny")]), ("2025-06-30", [("allow", "deny")])],
)
def test_a_wait_denies_what_was_allowed_until_the_sixtieth_day(
    since: str, moves: list[tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_text(
        f'{{"account_id": "A-1", "sender_status_history": [{{"since": "{since}", "status": "Healthy"}}], '
        '"actor": "agency_administrator", "has_access_to_client": true, "suppression_is_off": false}\n'
    )
    found = compare(SENDERS[0], SENDERS[1], tmp_path / "a.jsonl", Options())
    assert [(one.old, one.new) for one in found.changes if one.part == "answer"] == moves


def test_one_version_cannot_be_compared() -> None:
    with pytest.raises(CannotRun, match="`payouts` has 1 version; two are compared"):
        two_versions(shipped().rulebook.versions("payouts"), "payouts", None, None)


def test_an_unknown_version_is_told_with_those_there_are() -> None:
    with pytest.raises(CannotRun, match="there is no version `2020`; there is 2024-07-09, 2024-08-08"):
        two_versions(shipped().rulebook.versions("email_suppression"), "email_suppression", "2020", None)
