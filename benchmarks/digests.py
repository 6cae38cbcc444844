"""The decisions as lists of rules that other engines can take, over facts that are digested for them.

Other engines have no civil dates, no time zones or no loops over records that could be put in order. So all of them get days
that are counted and lists that are tallied already, and are timed without that work. That is to their benefit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from benchmarks import by_hand
from benchmarks.by_hand import CELLS, COLUMNS, Facts

Digest = dict[str, Any]
Short = tuple[str, str | None, str | None]
"""Status, outcome and rule: what the engines are compared by."""
UNDETERMINED: Short = ("undetermined", None, None)


@dataclass(frozen=True, slots=True)
class Rulelist:
    """A decision for other engines: the first condition that holds names the answer.

    Conditions are written in what all of them understand, with `and`, `or`, `null`, `true` and `false`.
    """

    digest: Callable[[Facts, date], Digest]
    rules: tuple[tuple[str, str], ...]
    answer: Callable[[Digest, str], Short]


def short(answer: by_hand.Answer) -> Short:
    """What is compared."""
    return answer.status, answer.outcome, answer.rule


def _named(outcomes: Mapping[str, str]) -> Callable[[Digest, str], Short]:
    """The answer by the name of its rule."""
    answers: dict[str, Short] = {rule: ("decided", outcome, rule) for rule, outcome in outcomes.items()}
    answers["undetermined"] = UNDETERMINED
    return lambda digest, rule: answers[rule]


def _bonus(facts: Facts, as_of: date) -> Digest:
    deployed = by_hand.day_of(facts, "partner_deployment_date", "partner_deployment_at")
    moved = by_hand.day_of(facts, "move_effective_date", "move_effective_at")
    converted = by_hand.day_of(facts, "customer_conversion_date", "customer_conversion_at")
    if converted is not None and converted > as_of:
        converted = None
    return {
        "since_deployment": (moved - deployed).days if moved and deployed else None,
        "since_conversion": (moved - converted).days if moved and converted else None,
    }


BONUS = Rulelist(
    _bonus,
    (
        ("since_deployment == null", "undetermined"),
        ("since_deployment <= 60", "moved-soon-after-deployment"),
        ("since_conversion == null", "no-conversion-yet"),
        ("since_conversion >= 0 and since_conversion <= 60", "moved-soon-after-conversion"),
        ("since_conversion < 0", "moved-before-conversion"),
        ("true", "otherwise"),
    ),
    _named(
        {
            "moved-soon-after-deployment": "eligible",
            "no-conversion-yet": "not_eligible",
            "moved-soon-after-conversion": "eligible",
            "moved-before-conversion": "eligible",
            "otherwise": "not_eligible",
        }
    ),
)


def _permission(facts: Facts, as_of: date) -> Digest:
    names = ("role", "activity", "acting_in", "partner_type")
    return {**{name: facts.get(name) for name in names}, "single_bill": facts.get("billing_scope_is_single_bill")}


IN_NO_PARTNERSHIP = 'acting_in != "partner_account" and acting_in != "client_account"'
BILLING = (
    (IN_NO_PARTNERSHIP, "deny"),
    ("single_bill == null", "undetermined"),
    ("single_bill == true", "allow"),
    ("true", "deny"),
)
KINDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "yes": (("true", "allow"),),
    "no": (("true", "deny"),),
    "client": (('acting_in == "client_account"', "allow"), ("true", "deny")),
    "single_bill": BILLING,
    "view_billing": BILLING,
    "reseller": (
        ("partner_type == null", "undetermined"),
        ('partner_type == "reseller"', "allow"),
        ("true", "deny"),
    ),
}


def _cells() -> tuple[tuple[str, str], ...]:
    """The matrix as rules: for each role the activities of one kind of cell together."""
    rules = [("role == null", "undetermined")]
    for role in COLUMNS:
        for kind, tests in KINDS.items():
            activities = [activity for activity, row in CELLS.items() if row[role] == kind]
            head = f'role == "{role}" and activity in {json.dumps(activities)}'
            rules += [(f"{head} and ({test})", name) for test, name in tests if activities]
    return tuple((condition.replace(" and (true)", ""), name) for condition, name in rules)


def _cell(digest: Digest, name: str) -> Short:
    if name == "undetermined":
        return UNDETERMINED
    return "decided", name, f"{digest['activity']}.{digest['role']}"


PERMISSION = Rulelist(_permission, _cells(), _cell)


def _charge(facts: Facts, as_of: date) -> Digest:
    billed, tried = by_hand.billed_on(facts), by_hand.tally(facts["attempts"], as_of)
    opted_out, method = facts["opted_out_of_platform_billing"], facts["payment_method"]
    can_be_charged = not opted_out and method != "none"
    days = (by_hand.add_weekdays(billed, 5), by_hand.add_weekdays(billed, 10)) if billed and can_be_charged else ()
    return {
        "made": tried.made,
        "successes": tried.successes,
        "failures": tried.failures,
        "under_way": tried.under_way,
        "opted_out": opted_out,
        "can_be_charged": can_be_charged,
        "method": method,
        "billed_in": (billed - as_of).days if billed else None,
        "paid_out": bool(facts.get("payout_made")) and by_hand.happened(facts, "payout_date", as_of),
        "retries_left": len(by_hand.retries_left(days, tried, as_of)),
    }


CHARGE = Rulelist(
    _charge,
    (
        ("billed_in == null and (can_be_charged or made == 0)", "undetermined"),
        ("made == 0 and billed_in > 0", "not-yet-billed"),
        ("opted_out", "opted-out"),
        ("successes > 0 and paid_out", "paid-out"),
        ("successes > 0", "paid"),
        ("failures >= 3", "all-attempts-failed"),
        ('method == "none"', "no-payment-method"),
        ("under_way > 0", "under-way"),
        ("failures > 0 and retries_left > 0", "retry-ahead"),
        ("failures > 0", "no-retry-day-left"),
        ("true", "otherwise"),
    ),
    _named(
        {
            "not-yet-billed": "Not Yet Billed",
            "opted-out": "Agency Invoiced",
            "paid-out": "Paid Out",
            "paid": "Paid",
            "all-attempts-failed": "Uncollectable",
            "no-payment-method": "Uncollectable",
            "under-way": "Pending",
            "retry-ahead": "Retrying",
            "no-retry-day-left": "Retrying",
            "otherwise": "Pending",
        }
    ),
)


def _suppression(facts: Facts, as_of: date) -> Digest:
    status, since = by_hand.standing(facts["sender_status_history"], as_of)
    days = (as_of - since).days if since else None
    return {"actor": facts["actor"], "access": facts.get("has_access_to_client"), "status": status, "days": days}


SUPPRESSION = Rulelist(
    _suppression,
    (
        ('actor == "client_user"', "client-user"),
        ('actor == "agency_other"', "not-an-administrator"),
        ("access == false", "no-access-to-client"),
        ("status == null", "undetermined"),
        ('status == "Unhealthy" or status == "Limited"', "status-too-low"),
        ('status == "New"', "status-new"),
        ("days == null", "not-healthy-yet"),
        ("days < 60", "still-waiting"),
        ("access == null", "undetermined"),
        ("true", "waited-long-enough"),
    ),
    _named(
        {
            "client-user": "deny",
            "not-an-administrator": "deny",
            "no-access-to-client": "deny",
            "status-too-low": "deny",
            "status-new": "deny",
            "not-healthy-yet": "deny",
            "still-waiting": "deny",
            "waited-long-enough": "allow",
        }
    ),
)

LIMIT = Rulelist(
    lambda facts, as_of: {"role": facts.get("user_role"), "on_platform": facts["client_pays_via_billing_platform"]},
    (
        ('role != null and role != "administrator"', "not-an-administrator"),
        ("on_platform", "on-the-platform"),
        ("role == null", "undetermined"),
        ("true", "administrator"),
    ),
    _named({"not-an-administrator": "deny", "on-the-platform": "deny", "administrator": "allow"}),
)
RULELISTS: Mapping[str, Rulelist] = {
    "new_account_bonus": BONUS,
    "permission": PERMISSION,
    "charge_status": CHARGE,
    "suppression_removal": SUPPRESSION,
    "set_limit": LIMIT,
}
