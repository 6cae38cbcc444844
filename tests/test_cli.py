"""The command line: what it prints where, its exit codes, and that nothing makes it show a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import lay_out
from tests.support.commands import Ran, policy, policy_process
from tests.test_engine import ORDER, ORDER_SCHEMA

FAULTY = ORDER.replace("price >= limit", "pirce >= limit")
UNUSED = ORDER.replace("definitions:\n", "definitions:\n  is_idle: price == 0\n")
TESTS = """
tests: orders
cases:
  - {name: large is free, as_of: 2025-07-01, facts: {price: 50}, expect: {shipping: free}}
  - {name: small is charged, as_of: 2025-07-01, facts: {price: 5}, expect: {shipping: charged}}
"""
FILES = {"rules/orders.yaml": ORDER, "schemas/order.schema.json": json.dumps(ORDER_SCHEMA)}
LINES = [
    {"price": 50},
    {"price": 5, "note": "x", "rate": 1},
    {"price": -1},
    "[1]",
    "{",
    '{"price": 1, "price": 2}',
    '{"price": NaN}',
    "",
    {"price": 7.5, "rate": None},
]
JSONL = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in LINES)
DECIDE = ("decide", "orders.shipping", "--as-of", "2025-07-01", "--facts")


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a folder with one ruleset."""
    lay_out(FILES, tmp_path)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: policy(*arguments, folder=Path.cwd())


def process(folder: Path, *arguments: str, stdin: str | bytes = "") -> Ran:
    """A command as a process of its own."""
    return policy_process(*arguments, folder=folder, stdin=stdin.encode() if isinstance(stdin, str) else stdin)


def put(content: str | bytes, name: str = "facts.json") -> str:
    """A file in the current folder."""
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


def refused(ran: Ran, *told: str, code: int | None = None) -> None:
    """A message on standard error, a non-zero exit, nothing on standard output, no traceback."""
    assert ran.code != 0
    assert code is None or ran.code == code
    assert ran.out == ""
    assert "Traceback" not in ran.err
    for words in told:
        assert words in ran.err


# check


def test_check_is_content(run: Run) -> None:
    ran = run("check")
    assert (ran.code, ran.out, ran.err) == (0, "1 rule file, 0 test files: no faults\n", "")


def test_check_tells_faults_as_marked_lines(run: Run) -> None:
    put(FAULTY, "rules/orders.yaml")
    ran = run("check")
    assert ran.code == 1
    line = 1 + FAULTY.splitlines().index(next(text for text in FAULTY.splitlines() if "pirce" in text))
    assert f"rules/orders.yaml:{line}:13: error[unknown-name]: " in ran.out
    assert "\n   |             ^^^^^\n" in ran.out
    assert " = help: did you mean `price`?" in ran.out
    assert ran.out.endswith("\n1 rule file, 0 test files: 1 fault\npolicy check --explain CODE tells more\n")


def test_check_tells_faults_one_a_line(run: Run) -> None:
    put(FAULTY, "rules/orders.yaml")
    ran = run("check", "--format", "line")
    assert ran.code == 1
    (line,) = ran.out.splitlines()
    assert line.endswith("there is no fact, parameter, definition or reading `pirce` (did you mean `price`?)")


def test_check_tells_faults_as_json(run: Run) -> None:
    put(FAULTY, "rules/orders.yaml")
    ran = run("check", "rules", "--format", "json")
    (told,) = json.loads(ran.out)["diagnostics"]
    assert ran.code == 1
    assert (told["code"], told["severity"], told["column"], told["length"]) == ("unknown-name", "error", 13, 5)
    assert told["hint"] == "did you mean `price`?"
    assert json.loads(run("check", "nowhere", "--format", "json").out or "{}") == {}


def test_check_of_no_faults_as_json_and_lines(run: Run) -> None:
    assert json.loads(run("check", "--format", "json").out) == {"diagnostics": []}
    assert run("check", "--format", "line").out == ""


def test_check_tells_warnings_too(run: Run) -> None:
    put(UNUSED, "rules/orders.yaml")
    ran = run("check", "--format", "line")
    assert ran.code == 0
    assert "warning[unused-definition]" in ran.out


@pytest.mark.parametrize("form", ["text", "line", "json"])
def test_d2_warnings_fail_only_where_it_is_strict(run: Run, form: str) -> None:
    put(UNUSED, "rules/orders.yaml")
    assert run("check", "--format", form).code == 0
    assert run("check", "--format", form, "--strict").code == 1


@pytest.mark.parametrize("form", ["text", "line", "json"])
@pytest.mark.parametrize(("choice", "code", "told"), [("error", 1, True), ("show", 0, True), ("hide", 0, False)])
def test_warnings_are_errors_or_shown_or_hidden(run: Run, form: str, choice: str, code: int, told: bool) -> None:
    put(UNUSED, "rules/orders.yaml")
    ran = run("check", "--format", form, "--warnings", choice)
    assert (ran.code, "unused-definition" in ran.out) == (code, told)


def test_hidden_warnings_are_counted_and_hide_no_fault(run: Run) -> None:
    put(UNUSED, "rules/orders.yaml")
    assert run("check", "--warnings", "hide").out == "1 rule file, 0 test files: no faults, 1 warning\n"
    put(FAULTY, "rules/orders.yaml")
    ran = run("check", "--warnings", "hide", "--format", "line")
    assert (ran.code, "unknown-name" in ran.out) == (1, True)
    ran = run("check", "--warnings", "hide", "--strict")
    assert (ran.code, ran.err) == (
        2,
        "--strict fails on warnings and --warnings hide leaves them out: give one of the two\n",
    )


def test_d2_strict_finds_nothing_where_nothing_is_wrong(run: Run) -> None:
    ran = run("check", "--strict")
    assert (ran.code, ran.out) == (0, "1 rule file, 0 test files: no faults\n")


@pytest.mark.parametrize(
    ("files", "code", "last"),
    [
        ({"orders": UNUSED}, 0, "no faults, 1 warning"),
        ({"orders": UNUSED, "more": UNUSED.replace("ruleset: orders", "ruleset: more")}, 0, "no faults, 2 warnings"),
        ({"orders": FAULTY}, 1, "1 fault"),
        ({"orders": FAULTY, "more": UNUSED.replace("ruleset: orders", "ruleset: more")}, 1, "1 fault, 1 warning"),
    ],
    ids=["a warning", "warnings", "a fault", "both"],
)
def test_d2_the_last_line_counts_faults_and_warnings_apart(
    run: Run, files: dict[str, str], code: int, last: str
) -> None:
    for name, content in files.items():
        put(content, f"rules/{name}.yaml")
    ran = run("check")
    counted = f"{len(files)} rule file{'s' * (len(files) > 1)}, 0 test files: {last}"
    assert ran.code == code
    assert ran.out.splitlines()[-2:] == [counted, "policy check --explain CODE tells more"]


def test_check_reads_test_files(run: Run) -> None:
    put(TESTS.replace("shipping: free", "shiping: free"), "rules/orders_test.yaml")
    ran = run("check", "--format", "line")
    assert ran.code == 1
    assert "rules/orders_test.yaml:4:75: error[test-decision]" in ran.out


@pytest.mark.parametrize("arguments", [("check", "nowhere"), ("check", "--format", "xml"), ("chekc",)])
def test_check_could_not_run(run: Run, arguments: tuple[str, ...]) -> None:
    refused(run(*arguments), code=2)


def test_control_characters_of_a_file_do_not_reach_the_terminal(run: Run) -> None:
    put(ORDER.replace("is_large: price", "is_large: '\x1b[31m' == price"), "rules/orders.yaml")
    for form in ("text", "line", "json"):
        ran = run("check", "--format", form)
        assert ran.code == 1
        assert "\x1b" not in ran.out


# decide and explain


def test_decide_tells_the_answer(run: Run) -> None:
    ran = run(*DECIDE, put('{"price": 50}'))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("orders.shipping: free\n")
    for words in (
        "The price of 50.00 reaches 50.",
        "above = 0.00",
        "The price list",
        "free_from = included",
        "2025-07-01",
    ):
        assert words in ran.out


def test_decide_prints_one_json_object_and_nothing_else(run: Run) -> None:
    ran = run(*DECIDE, put('{"price": 50}'), "--json")
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.out.splitlines()) == 1
    assert json.loads(ran.out)["outcome"] == "free"


def test_decide_without_a_decision_tells_all(run: Run) -> None:
    facts = put("price: 50\nat: 2025-01-01T00:00:00Z\n", "facts.yaml")
    ran = run("decide", "orders", "--as-of", "2025-07-01", "--facts", facts, "--json")
    assert list(json.loads(ran.out)) == ["shipping", "totals", "notes", "only_large"]
    spoken = run("decide", "orders", "--as-of", "2025-07-01", "--facts", facts)
    assert spoken.code == 0
    assert [f"orders.{name}: " in spoken.out for name in ("shipping", "totals", "notes", "only_large")] == [True] * 4


def test_decide_takes_a_reading(run: Run) -> None:
    ran = run(*DECIDE, put('{"price": 50}'), "--reading", "free_from=excluded", "--json")
    assert json.loads(ran.out)["readings"]["free_from"] == "excluded"


def test_without_a_day_it_is_today_and_says_so(run: Run) -> None:
    put(ORDER.replace(", until: 2030-01-01", ""), "rules/orders.yaml")
    ran = run("decide", "orders.shipping", "--facts", put('{"price": 50}'))
    assert ran.code == 0
    assert " (America/New_York)" in ran.out
    told = json.loads(run("decide", "orders.shipping", "--facts", "facts.json", "--json").out)
    assert told["as_of"] in ran.out


def test_decide_reads_standard_input(tmp_path: Path) -> None:
    lay_out(FILES, tmp_path)
    ran = process(tmp_path, *DECIDE, "-", "--json", stdin='{"price": 50}')
    assert (ran.code, ran.err, json.loads(ran.out)["outcome"]) == (0, "", "free")
    refused(process(tmp_path, *DECIDE, "-", stdin="{"), "not JSON")


def test_explain_shows_the_trace(run: Run) -> None:
    ran = run("explain", "orders.shipping", "--as-of", "2025-07-01", "--facts", put('{"price": 50}'))
    assert ran.code == 0
    for words in (
        "how it was decided",
        "large  applies",
        "price = 50.00  fact",
        "limit = 50  parameter: dollars, from 2025-01-01",
    ):
        assert words in ran.out


def test_explain_prints_one_json_object(run: Run) -> None:
    ran = run("explain", "orders.shipping", "--as-of", "2025-07-01", "--facts", put('{"price": 50}'), "--json")
    told = json.loads(ran.out)
    assert told["trace"]["decision"] == "orders.shipping"
    assert told["trace"]["rules"][0]["verdict"] == "applies"
    whole = json.loads(run("explain", "orders", "--as-of", "2025-07-01", "--facts", "facts.json", "--json").out)
    assert set(whole) == {"shipping", "totals", "notes", "only_large"}


BAD_FACTS: tuple[tuple[str | bytes, str], ...] = (
    ("{", "not JSON at line 1, column 1: a bracket is never closed"),
    ("", "not JSON"),
    (b'{"note": "\xff"}', "not UTF-8"),
    ('{"price": 1, "price": 2}', "`price` stands twice"),
    ('{"price": NaN}', "NaN"),
    ('{"price": -Infinity}', "inf"),
    ('{"price": 1e999999999}', "out of range"),
    ("[]", "facts are an object, not a list"),
    ("5", "facts are an object"),
    ("null", "facts are an object"),
    ('{"price": 1, "placed": "2025-02-30"}', "/placed"),
    ('{"price": 1, "placed": "30.2.2025"}', "/placed"),
    ('{"price": 1, "pirce": 1}', "there is no fact `pirce`"),
    ("{}", "`price` is missing"),
    ('{"price": 1, "note": "\\ud800"}', "surrogate"),
    ('{"note": ' + "[" * 100_000, "nested too deep"),
    ('{"note": ' + "[" * 100 + "]" * 100 + "}", "/note"),
    ('{"price": ' + "9" * 90 + "}", "/price"),
    ('{"price": ' + "9" * 4000 + "}", "has more than 100 digits"),
)


@pytest.mark.parametrize("command", ["decide", "explain"])
@pytest.mark.parametrize(("content", "told"), BAD_FACTS, ids=[told for _, told in BAD_FACTS])
def test_bad_facts_are_refused(run: Run, content: str | bytes, told: str, command: str) -> None:
    ran = run(command, *DECIDE[1:], put(content), "--json")
    refused(ran)
    assert told.lower() in ran.err.lower()


@pytest.mark.parametrize("depth", [300, 500, 900])
@pytest.mark.parametrize("command", ["decide", "report"])
def test_deep_facts_are_refused(run: Run, depth: int, command: str) -> None:
    content = '{"price": 1, "note": ' + "[" * depth + "]" * depth + "}"
    if command == "decide":
        refused(run(*DECIDE, put(content)))
        return
    put(content + "\n" + '{"price": 1}\n', "deep.jsonl")
    ran = run("report", "orders=deep.jsonl", "--as-of", "2025-07-01", "--out", "out", "--json")
    assert ran.code == 0
    assert [(job["valid"], job["invalid"]) for job in json.loads(ran.out)["rulesets"]] == [(1, 1)]


def test_a_number_of_five_thousand_digits_is_told_in_our_words(run: Run) -> None:
    ran = run(*DECIDE, put('{"price": ' + "9" * 5000 + "}"))
    refused(ran)
    assert "set_int_max_str_digits" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("orders.shiping", "--facts", "facts.json"), "did you mean `shipping`"),
        (("order", "--facts", "facts.json"), "did you mean `orders`"),
        (("orders.shipping", "--facts", "nowhere.json"), "nowhere.json"),
        (("orders.shipping", "--facts", "rules"), "rules"),
        (("orders.shipping", "--facts", "facts.json", "--as-of", "2025-02-30"), "`2025-02-30` is not a date"),
        (("orders.shipping", "--facts", "facts.json", "--as-of", "20250228"), "`20250228` is not a date"),
        (("orders.shipping", "--facts", "facts.json", "--as-of", "today"), "`today` is not a date"),
        (("orders.shipping", "--facts", "facts.json", "--as-of", "2035-01-01"), "version 2 from 2025-01-01"),
        (("orders.shipping", "--facts", "facts.json", "--reading", "free_from"), "NAME=CHOICE"),
        (("orders.shipping", "--facts", "facts.json", "--reading", "free_form=included"), "did you mean `free_from`"),
        (("orders.shipping", "--facts", "facts.json", "--reading", "free_from=include"), "did you mean `included`"),
        (("orders.shipping", "--facts", "facts.json", "--reading", "rounding=half_up"), "fixed"),
        (("orders.shipping", "--facts", "facts.json", "--rules", "nowhere"), "nowhere"),
        (("orders.shipping", "--facts", "facts.json", "--schemas", "nowhere"), "there is no schema `order`"),
        (("orders.shipping",), "--facts"),
        (("orders.shipping", "--facts", "facts.json", "--no-such-option"), "--no-such-option"),
    ],
)
def test_bad_arguments_are_refused(run: Run, arguments: tuple[str, ...], told: str) -> None:
    put('{"price": 50}')
    day = () if "--as-of" in arguments else ("--as-of", "2025-07-01")
    refused(run("decide", *arguments, *day), told)


def test_exit_codes_of_decide(run: Run) -> None:
    facts = put('{"price": -1}')
    assert run(*DECIDE, facts).code == 1
    assert run(*DECIDE, "nowhere.json").code == 2
    put(FAULTY, "rules/orders.yaml")
    refused(run(*DECIDE, facts), "error[unknown-name]", code=1)


def test_a_process_ends_with_the_same_codes(tmp_path: Path) -> None:
    lay_out({**FILES, "good.json": '{"price": 50}', "bad.json": "{}"}, tmp_path)
    codes = [process(tmp_path, *DECIDE, facts).code for facts in ("good.json", "bad.json", "nowhere.json")]
    assert codes == [0, 1, 2]
    refused(process(tmp_path, *DECIDE, "bad.json"), "`price` is missing")


# test


def test_test_passes(run: Run) -> None:
    put(TESTS, "rules/orders_test.yaml")
    ran = run("test")
    assert (ran.code, ran.out, ran.err) == (0, "2 passed, 0 failed\n", "")


def test_a_failing_case_shows_how_it_came_about(run: Run) -> None:
    put(TESTS.replace("shipping: charged", "shipping: free"), "rules/orders_test.yaml")
    ran = run("test", "--trace", "--junit", "results.xml")
    assert ran.code == 1
    for words in (
        "rules/orders_test.yaml:5:12: small is charged",
        "shipping outcome is `charged`, and the case expects `free`",
        "how it was decided",
        "large  does not apply",
        "price = 5.00  fact",
    ):
        assert words in ran.out
    assert ran.out.endswith("1 passed, 1 failed\n")
    suite = ElementTree.parse("results.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "shipping outcome is `charged`, and the case expects `free`"


def test_test_without_cases_or_with_faults_fails(run: Run) -> None:
    assert run("test").code == 1
    put(TESTS.replace("shipping: free", "shiping: free"), "rules/orders_test.yaml")
    ran = run("test")
    assert ran.code == 1
    assert "error[test-decision]" in ran.err
    refused(run("test", "nowhere"), "nowhere", code=2)
    put(TESTS, "rules/orders_test.yaml")
    ran = run("test", "--junit", "nowhere/results.xml")
    assert (ran.code, ran.out) == (2, "2 passed, 0 failed\n")
    assert ran.err == "`nowhere/results.xml` cannot be written: No such file or directory\n"
