"""Facts that show a change: both sides are asked again, by another engine, and say what was told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Decision, Engine, FactsError
from policy_engine.analysis.change_witnesses import compare_sides
from policy_engine.analysis.changes.sides import sides_of
from policy_engine.analysis.rule_changes import changes, changes_found
from policy_engine.analysis.shrinking import shrunk
from policy_engine.analysis.single_changes import with_change
from policy_engine.frontend.loader import Rulebook
from policy_engine.frontend.rule_cases import RuleCase
from policy_engine.frontend.rule_tests import read_tests
from policy_engine.language.rule_changes import Asked, Effect, SearchedChanges, Witness
from policy_engine.language.rulesets import ALWAYS, Ruleset
from policy_engine.language.witness_words import search_words, whole_words
from policy_engine.source import Span
from tests.conftest import ROOT, lay_out
from tests.support.commands import policy
from tests.test_rule_changes import BASE, EDITED, TEXTS, edited

DAY = date(2025, 6, 1)


def case(**facts: Any) -> RuleCase:
    """A test case about some facts."""
    return RuleCase("", "refunds", DAY, facts, {}, {}, None, False, Span(""))


CASES = [
    case(kind="old", days=1, role="guest", amount=10, opened="2025-05-01", entries=[{"n": 1}], person={"age": 3}),
    case(kind="new", days=6, role="owner", amount=10, entries=[{"n": 9}, {"n": 9}]),
    case(kind="new", days=25, role="guest", amount=7, opened="2025-05-01"),
]


def compared(new: Ruleset, old: Ruleset = BASE, tries: int = 400) -> SearchedChanges:
    """The changes with their witnesses."""
    return compare_sides(Asked(old), Asked(new), CASES, tries)


def answers(ruleset: Ruleset, witness: Witness, at: int) -> Decision | None:
    """What an engine of its own answers, whatever the period of the ruleset; None where the facts are invalid."""
    engine = Engine(Rulebook((replace(ruleset, period=ALWAYS),), ()))
    decision = f"{ruleset.id}.{witness.decision or ruleset.decisions[0].name}"
    try:
        return engine.decide(decision, witness.facts, as_of=witness.days[at], readings=witness.readings[at])
    except FactsError:
        return None


def assert_shows(witness: Witness, old: Ruleset, new: Ruleset) -> None:
    """Both sides say what the witness says they say, and it is not the same."""
    for ruleset, at, said in ((old, 0, witness.old), (new, 1, witness.new)):
        answer = answers(ruleset, witness, at)
        assert answer == (said if isinstance(said, Decision) else None), witness
    assert witness.old != witness.new


UNSEEN = {
    "The ruleset takes days in the time zone Europe/Lisbon; it was Europe/Berlin.",  # no fact is an instant
    "The ruleset is in force from 2020-01-01 until 2030-01-01; it was from 2020-01-01.",
    'In the value `third` of `refund`, `if_known(round(amount / 3, 2, "half_up"))` became '
    '`if_known(round(amount / 3, 2, "half_even"))`.',  # a third is never half a cent
    "In the condition of the rule `too-late` of `refund`, `days > grace` became `days >= grace`.",  # it is late before
    "In the condition of the rule `too-late` of `refund`, `any (late; days > grace)` became `late`.",
    "The parameter `grace` is 31, was 30.",
    "The parameter `states` has AT besides and no longer has FR.",  # only DE is asked
    "In the table `share`, where no row is found stands part 0.60, word c; it was part 0.50, word c.",  # each has a row
    "In the table `share`, where no row is found stands nothing; it was part 0.50, word c.",
    "The keyword `maxItems` of the fact `entries` is 6; it was 5.",  # no list that long is drawn
    "The column `odd` of `permission` is new: owner `deny`; guest `deny`.",  # the old side cannot be asked
    'The decision `notes` is gone: "What is noted?".',
    'The decision `remarks` is new: "What is noted?".',
}
"""Changes that no facts show, or none that are drawn."""


@pytest.mark.parametrize("edits", EDITED, ids=[one["edits"][0]["is"][:50] for one in EDITED])
def test_a_change_that_can_alter_an_answer_has_facts_that_show_it(edits: Mapping[str, Any]) -> None:
    new = edited(*((edit["was"], edit["is"]) for edit in edits["edits"]))
    for searched in compared(new).searched:
        expected = searched.change.effect is Effect.ANSWER and searched.change.message not in UNSEEN
        assert (searched.witness is not None) is expected, searched.change.message
        if searched.witness is not None:
            assert_shows(searched.witness, BASE, new)


@pytest.mark.parametrize("edits", EDITED, ids=[one["edits"][0]["is"][:50] for one in EDITED])
def test_the_old_rules_with_one_change_alone_lack_only_the_others(edits: Mapping[str, Any]) -> None:
    new = edited(*((edit["was"], edit["is"]) for edit in edits["edits"]))
    for found in changes_found(sides_of(BASE, new)):
        made = None if found.patch is None else with_change(sides_of(BASE, new), found.patch)
        if made is not None:
            left = [change.message for change in changes(made, new) if change.effect is Effect.ANSWER]
            others = {change.message for change in changes(BASE, new)} - {found.change.message}
            assert set(left) <= others


def test_each_of_two_changes_gets_facts_that_show_this_one() -> None:
    new = edited(("fee: {value: 4.90}", "fee: {value: 5.90}"), ("guest: [small, deny]", "guest: [small, yes]"))
    told = [line for searched in compared(new).searched for line in search_words(searched)]
    assert told == [
        "With `{kind: old}` on 2025-06-01, `price` of `dates` is `5.90`; it was `4.90`.",
        "With `{kind: old, role: guest}` on 2025-06-01, `permission` is `allow`; it was `deny`.",
    ]


def test_a_change_that_cannot_be_made_alone_is_looked_for_between_both_rulesets() -> None:
    added = '"opened": {"type": "string", "format": "date"}, "city": {"enum": ["Bonn", "Rome"], "type": "string"}'
    new = edited(
        ('"opened": {"type": "string", "format": "date"}', added),
        (
            "      - id: old-one\n",
            '      - {id: roman, when: city == "Rome", then: none_, because: R.}\n      - id: old-one\n',
        ),
    )
    found = {searched.change.message: searched for searched in compared(new).searched}
    rule = found['The rule `roman` of `refund` is new; it gives `none_` where `city == "Rome"`.']
    assert not rule.alone
    assert rule.witness is not None
    assert_shows(rule.witness, BASE, new)
    assert [*search_words(rule)][-1] == (
        "Asked of both rulesets as they are: another change may have made the difference."
    )


def test_the_only_change_that_can_alter_an_answer_made_the_difference() -> None:
    (searched,) = compared(edited(('"minimum": 0, "maximum": 9', '"minimum": 1, "maximum": 9'))).searched
    assert searched.witness is not None
    assert not any("another change" in line for line in search_words(searched))


def test_the_row_that_changed_is_asked_for() -> None:
    last = "      - {days: {from: 500}, percent: 10}\n"
    old, new = (edited((last, rows)) for rows in (ROWS, ROWS.replace("percent: 777", "percent: 778")))
    (searched,) = [each for each in compared(new, old).searched if "1 row is changed" in each.change.message]
    assert searched.witness is not None
    assert searched.witness.facts["days"] == 977


ROWS = "".join(
    f"      - {{days: {{from: {day}, below: {day + 1}}}, percent: {day - 200}}}\n" for day in range(500, 1000)
)


def test_a_change_that_another_hides_is_not_said_to_have_made_the_difference() -> None:
    old, new = (two_rules(*when) for when in (("n == 1", "n == 2"), ("n != 1", "n == 3")))
    hiding, hidden = compare_sides(Asked(old), Asked(new)).searched
    assert hiding.alone
    assert not hidden.alone
    assert [*search_words(hidden)][-1] == (
        "Asked of both rulesets as they are: another change may have made the difference."
    )


def two_rules(first: str, second: str) -> Ruleset:
    """A ruleset of two rules."""
    rules = f"[{{id: a, when: {first}, then: x, because: A.}}, {{id: b, when: {second}, then: y, because: B.}}]"
    text = FEE.replace("full, none_", "x, y, none_").replace(FEE[FEE.index("[{") : FEE.index("}]") + 2], rules)
    schema = FEE_SCHEMA.replace('"code"', '"n"').replace(
        '"string", "maxLength": 9', '"integer", "minimum": 0, "maximum": 9'
    )
    return Engine.from_text({"fee": text}, {"f": schema}).rulesets[0]


def test_facts_that_are_not_found_are_never_a_claim_that_there_are_none() -> None:
    new = edited(("grace: {value: 30, unit: days}", "grace: {value: 31, unit: days}"))
    found = compared(new, tries=40)
    (searched,) = found.searched
    assert searched.witness is found.witness is None
    assert 0 < searched.tries <= 40 + len(CASES)
    assert [*search_words(searched)] == [f"No facts that show it were found in {searched.tries} tries."]
    assert [*whole_words(found)] == [
        f"No facts about which the rulesets answer differently were found in {found.tries} tries."
    ]


def test_nothing_is_tried_where_no_facts_are_valid() -> None:
    never = "  - expect: days != days\n    because: Never.\n  - expect: days != 500"
    old = edited(("  - expect: days != 500", never), ('"required": ["kind"]', '"required": ["kind", "days"]'))
    new = edited(
        ("  - expect: days != 500", never),
        ('"required": ["kind"]', '"required": ["kind", "days"]'),
        ("days < 9", "days < 8"),
    )
    (searched,) = compared(new, old).searched
    assert (searched.witness, searched.tries) == (None, 0)
    assert [*search_words(searched)] == ["No facts show it: no question was found that the rulesets can be asked."]


# Days and readings


def test_two_days_may_differ_though_the_rules_say_the_same() -> None:
    found = compare_sides(Asked(SUPPRESSION, date(2025, 1, 1)), Asked(SUPPRESSION, date(2025, 1, 2)), SUPPRESSION_CASES)
    assert found.searched == ()
    assert [*whole_words(found)] == [
        "The rulesets say the same; the day of the question makes a difference.",
        "With `{sender_status_history: [{since: 2025-01-01, status: Healthy}], actor: agency_administrator}`"
        " on 2025-01-02, before on 2025-01-01,"
        " `days_since_healthy` of `suppression_removal` is `1`; it was `0`.",
    ]


OPENED = "effective: {from: 2020-01-01, because"
DEARER = ("fee: {value: 4.90}", "fee: {value: 5.90}")


@pytest.mark.parametrize(
    ("period", "first"),
    [
        ("from: 2020-01-01, until: 2024-01-01", date(2025, 6, 1)),
        ("from: 2025-03-01", date(2024, 6, 1)),
        ("from: 2030-01-01", DAY),
    ],
)
def test_facts_are_shown_for_days_on_which_both_sides_are_in_force(period: str, first: date) -> None:
    new = edited((OPENED, f"effective: {{{period}, because"), DEARER)
    found = compare_sides(Asked(BASE), Asked(new), CASES, 400, first)
    (witness,) = [searched.witness for searched in found.searched if searched.witness is not None]
    assert_shows(witness, BASE, new)
    assert all(witness.days[0] in side.period for side in (BASE, new))


def test_versions_that_are_never_in_force_together_are_both_asked() -> None:
    old = replace(BASE, period=replace(BASE.period, end=date(2024, 1, 1)))
    new = replace(edited(DEARER), period=replace(BASE.period, start=date(2024, 1, 1)))
    assert [searched.change.kind for searched in compared(new, old).searched if searched.witness] == ["parameter"]


def test_a_small_witness_is_shown_for_the_day_that_is_asked_first() -> None:
    def days(first: date | None) -> list[date]:
        limit = "limit: {values: {2020-01-01: 10, 2025-01-01: 20}"
        new = edited((limit, limit.replace("20}", "21}")))
        found = compare_sides(Asked(BASE), Asked(new), CASES, 400, first)
        return [searched.witness.days[1] for searched in found.searched if searched.witness is not None]

    assert days(date(2025, 8, 8)) == [date(2025, 8, 8)]
    (other,) = days(date(2023, 8, 8))  # the value is the same then
    assert other >= date(2025, 1, 1)


def test_two_choices_differ_at_the_boundary() -> None:
    day = date(2025, 1, 1)
    found = compare_sides(
        Asked(SUPPRESSION, day), Asked(SUPPRESSION, day, {"day_60": "does_not_count"}), SUPPRESSION_CASES
    )
    (searched,) = found.searched
    assert searched.witness is not None
    assert searched.alone
    assert_shows(searched.witness, SUPPRESSION, SUPPRESSION)


def test_the_same_rules_asked_alike_have_no_changes_and_nothing_is_tried() -> None:
    assert compare_sides(Asked(SUPPRESSION), Asked(SUPPRESSION), SUPPRESSION_CASES) == SearchedChanges((), None, 0)


# Shipped versions

SHIPPED = Engine.load(ROOT / "rules", ROOT / "schemas", only=["email_suppression"]).rulebook
BEFORE, SUPPRESSION = SHIPPED.versions("email_suppression")
SUPPRESSION_CASES, _ = read_tests([ROOT / "rules" / "email_suppression_test.yaml"], SHIPPED)


@pytest.mark.parametrize("cases", [SUPPRESSION_CASES, ()], ids=["with the test cases", "from nothing"])
def test_a_new_version_shows_its_wait_at_the_last_day_of_it(cases: Sequence[RuleCase]) -> None:
    found = compare_sides(Asked(BEFORE), Asked(SUPPRESSION), cases)
    waiting = [searched for searched in found.searched if "`still-waiting` of" in searched.change.message]
    (searched,) = [each for each in waiting if each.change.effect is Effect.ANSWER]
    assert searched.witness is not None
    assert searched.alone
    assert_shows(searched.witness, BEFORE, SUPPRESSION)
    outcomes = [
        answer.outcome for answer in (searched.witness.old, searched.witness.new) if isinstance(answer, Decision)
    ]
    assert outcomes == ["allow", "deny"]


def test_what_is_found_is_found_again() -> None:
    first, second = (compare_sides(Asked(BEFORE), Asked(SUPPRESSION), SUPPRESSION_CASES) for _ in range(2))
    assert first == second


def test_facts_are_made_small_but_not_smaller_than_what_holds() -> None:
    facts = {"a": {"b": 1, "c": 2}, "d": [1, 2, 3], "e": "x"}
    assert shrunk(facts, lambda less: 2 in less.get("d", ()) and "b" in less.get("a", {})) == {"a": {"b": 1}, "d": [2]}
    assert shrunk(facts, lambda less: False) == facts


# The command


def test_the_command_tells_facts_that_show_each_change(tmp_path: Path) -> None:
    for folder, fee in (("old", "4.90"), ("new", "5.90")):
        rules = {name: text for name, text in TEXTS.items() if name.endswith(".yaml")}
        rules["refunds.yaml"] = rules["refunds.yaml"].replace("fee: {value: 4.90}", f"fee: {{value: {fee}}}")
        files = {f"{folder}/rules/{name}": text for name, text in rules.items()}
        lay_out({**files, f"{folder}/schemas/f.schema.json": TEXTS["f.schema.json"]}, tmp_path)
    ran = policy("compare", "old/rules", "new/rules", "--as-of", "2025-06-01", "--out", "c", folder=tmp_path)
    assert (ran.code, ran.out) == (
        3,
        "refunds: old/rules against new/rules, as of 2025-06-01\n"
        "  The parameter `fee` is 5.90, was 4.90.\n"
        "    With `{kind: new}` on 2025-06-01, `price` of `dates` is `5.90`; it was `4.90`.\n",
    )
    found = json.loads((tmp_path / "c" / "comparison.json").read_text("utf-8"))["rulesets"][0]["searched"]
    witness = found["changes"][0]["witness"]
    assert (witness["decision"], witness["part"], witness["facts"]) == ("dates", "values.price", {"kind": "new"})
    assert [witness[side]["answer"]["values"]["price"] for side in ("old", "new")] == ["4.90", "5.90"]
    shown = "`price` of `dates` is `5.90`; it was `4.90`."
    assert shown in (tmp_path / "c" / "comparison.md").read_text("utf-8")
    assert shown.replace("`", "") in re.sub("<[^>]*>", "", (tmp_path / "c" / "comparison.html").read_text("utf-8"))


def test_the_command_finds_more_near_the_test_cases(tmp_path: Path) -> None:
    lay_out({"rules/fee.yaml": FEE, "rules/fee_test.yaml": FEE_CASES, "schemas/f.schema.json": FEE_SCHEMA}, tmp_path)
    lay_out({"new/rules/fee.yaml": FEE.replace("AB-1234", "AB-1235")}, tmp_path)
    lay_out({"new/schemas/f.schema.json": FEE_SCHEMA}, tmp_path)
    ran = policy("compare", "rules", "new/rules", "--as-of", "2025-06-01", "--tries", "0", folder=tmp_path)
    assert (ran.code, ran.err) == (3, ""), ran
    assert ran.out.splitlines()[-1] == "    With `{code: AB-1234}` on 2025-06-01, `d` is `none_`; it was `full`."


FEE_SCHEMA = """\
{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
 "properties": {"code": {"type": "string", "maxLength": 9}}, "required": ["code"]}
"""
FEE = """\
ruleset: fee
title: Fees
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: f
decisions:
  d:
    question: Which?
    outcomes: [full, none_]
    rules: [{id: a, when: 'starts_with(code, "AB-1234")', then: full, because: A.}]
    otherwise: {then: none_, because: B.}
"""
FEE_CASES = """\
tests: fee
cases: [{name: a, as_of: 2025-06-01, facts: {code: AB-1234}, expect: {d: full}}]
"""
