"""All combinations of role, activity and place agree with the source's cells (`data/role_matrices.csv`).

What a cell means is said here once more, and independently of the rule files: y; - and what is not stated or not seen, which
refuse; C, in client accounts alone; SB, for billing under Single Bill of a partner or a client; the cell on viewing billing, read
the same way; and the billing of child accounts. Whatever is not known and matters leaves the question undetermined.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import product
from typing import NamedTuple

import pytest

from policy_engine.language.decisions import Status
from policy_engine.language.rulesets import Matrix
from tests.conftest import ROOT
from tests.support.rulebook import shipped

PLACES = ("own_account_non_partner", "partner_account", "client_account")
BILLING = {"view_and_manage_billing", "view_billing_activity", "make_a_payment"}
REFUSED = {"-", "not stated", "not seen"}
VIEWING = "Single Bill only/ Partner and Client accounts"
DAYS = {"2025-03-14": date(2025, 7, 23), "2025-07-24": date(2025, 7, 24), "2025-08-23": date(2025, 8, 23)}
CLIENT_CAPABILITIES = {
    "add_and_manage_client_accounts",
    "client_configuration",
    "client_email_suppression_via_manage_clients",
}
Answer = bool | str
"""Allowed or refused, or the fact that is missing."""


class Cell(NamedTuple):
    """A cell of the source."""

    ruleset: str
    version: str
    section: str
    name: str
    role: str
    cell: str
    note: str

    def __str__(self) -> str:
        return f"{self.ruleset} {self.version} {self.name} {self.role}"


def cells(ruleset: str) -> list[Cell]:
    """The cells of a ruleset."""
    with (ROOT / "tests/data/role_matrices.csv").open(encoding="utf-8", newline="") as file:
        return [Cell(**row) for row in csv.DictReader(file) if row["ruleset"] == ruleset]


USERS, LGC = cells("user_roles"), cells("lgc_roles")


def asked(facts: Mapping[str, object], name: str) -> Answer:
    """A yes-or-no fact, or its name where it is not known."""
    value = facts.get(name)
    return value if isinstance(value, bool) else name


def expected(cell: Cell, facts: Mapping[str, object]) -> Answer:
    """What the source's cell means for these facts."""
    place = facts["acting_in"]
    if cell.name == "access_resources_tab":
        kind = facts.get("partner_type")
        return kind == "reseller" if kind else "partner_type"
    if cell.name in BILLING and place == "own_account_non_partner":
        return cell.role == "account_owner"
    if cell.cell in ("C", "child accounts"):
        return place == "client_account"
    if cell.cell in ("SB", VIEWING):
        return asked(facts, "billing_scope_is_single_bill")
    assert cell.cell in {"y", *REFUSED}
    return cell.cell == "y"


def questions(cell: Cell) -> Iterator[dict[str, object]]:
    """Every combination of the other facts, absent ones included."""
    for place, single, kind in product(PLACES, (True, False, None), ("reseller", "not_reseller", None)):
        facts: dict[str, object] = {"role": cell.role, "activity": cell.name, "acting_in": place}
        more = {"billing_scope_is_single_bill": single, "partner_type": kind}
        yield facts | {name: value for name, value in more.items() if value is not None}


def answer(question: str, facts: Mapping[str, object], day: date) -> Answer:
    """The engine's answer in the same form."""
    found = shipped().decide(question, facts, as_of=day)
    if found.status is Status.DECIDED:
        assert found.missing == ()
        return found.outcome == "allow"
    assert found.status is Status.UNDETERMINED
    (missing,) = found.missing
    return missing


@pytest.mark.parametrize("cell", USERS, ids=str)
def test_user_roles(cell: Cell) -> None:
    wrong = [
        (facts, found, wanted)
        for facts in questions(cell)
        if (found := answer("user_roles.permission", facts, DAYS[cell.version])) != (wanted := expected(cell, facts))
    ]
    assert wrong == []


@pytest.mark.parametrize("cell", LGC, ids=str)
@pytest.mark.parametrize("access", [True, False, None])
def test_lgc_roles(cell: Cell, access: bool | None) -> None:
    facts: dict[str, object] = {"role": cell.role, "capability": cell.name}
    if access is not None:
        facts["has_access_to_client"] = access
    wanted: Answer = cell.cell == "y"
    if cell.cell == "y" and cell.name in CLIENT_CAPABILITIES:
        wanted = asked(facts, "has_access_to_client")
    assert answer("lgc_roles.permission", facts, DAYS[cell.version]) == wanted


def _combinations(ruleset: str, day: date) -> set[tuple[str, str]]:
    """Every role with every activity that the schema knows."""
    (decision,) = shipped().ruleset(ruleset, day).decisions
    assert isinstance(decision.body, Matrix)
    return {(str(cell.row), str(cell.column)) for cell in decision.body.cells}


@pytest.mark.parametrize(("ruleset", "version"), sorted({(cell.ruleset, cell.version) for cell in (*USERS, *LGC)}))
def test_the_source_has_every_combination(ruleset: str, version: str) -> None:
    listed = [(cell.name, cell.role) for cell in (*USERS, *LGC) if (cell.ruleset, cell.version) == (ruleset, version)]
    assert len(set(listed)) == len(listed)
    assert set(listed) == _combinations(ruleset, DAYS[version])


@pytest.mark.parametrize("name", sorted({cell.name for cell in USERS}))
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("version", ["2025-03-14", "2025-07-24"])
def test_without_a_role_nothing_is_decided(name: str, place: str, version: str) -> None:
    facts = {"activity": name, "acting_in": place, "billing_scope_is_single_bill": True, "partner_type": "reseller"}
    assert answer("user_roles.permission", facts, DAYS[version]) == "role"


BOTH = {"single_bill_accounts": "billing_scope_is_single_bill", "any_partner_or_client_account": True}


@pytest.mark.parametrize("cell", [cell for cell in USERS if cell.cell == VIEWING], ids=str)
@pytest.mark.parametrize("choice", BOTH)
def test_viewing_billing_can_be_read_the_other_way(cell: Cell, choice: str) -> None:
    for place in PLACES:
        facts = {"role": cell.role, "activity": cell.name, "acting_in": place}
        found = shipped().decide(
            "user_roles.permission", facts, as_of=DAYS[cell.version], readings={"viewing_billing": choice}
        )
        if place == "own_account_non_partner":
            assert found.outcome == "deny"
        elif choice == "any_partner_or_client_account":
            assert found.outcome == "allow"
        else:
            assert found.missing == ("billing_scope_is_single_bill",)
