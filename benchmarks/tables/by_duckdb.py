"""The same decisions in DuckDB's SQL, over valid accounts: the outcome, or the outcome, the rule and the reason code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import polars as pl

from benchmarks.tables.by_polars import CELL_ELSE, CELL_IDS, CELL_KINDS, Form
from benchmarks.tables.words import AS_OF, NEW_YORK

DAY = f"DATE '{AS_OF}'"


def _day(name: str) -> str:
    return f"coalesce({name}_date, ({name}_at AT TIME ZONE '{NEW_YORK}')::DATE)"


SPANS = f"""
WITH days AS (
    SELECT account_id, destination_category, enrolled_in_single_bill,
        {_day("move_effective")} AS moved_on,
        {_day("partner_deployment")} AS deployed_on,
        {_day("customer_conversion")} AS converted_on
    FROM accounts
), spans AS (
    SELECT *, moved_on - deployed_on AS since_deployment,
        moved_on - CASE WHEN converted_on <= {DAY} THEN converted_on END AS since_conversion
    FROM days
)"""
BONUS = """CASE
    WHEN moved_on IS NULL THEN NULL
    WHEN since_deployment <= 60 OR since_conversion <= 60 THEN 'eligible'
    ELSE 'not_eligible' END"""
BONUS_RULE = """CASE
    WHEN moved_on IS NULL THEN NULL
    WHEN since_deployment <= 60 THEN 'moved-soon-after-deployment'
    WHEN since_conversion IS NULL THEN 'no-conversion-yet'
    WHEN since_conversion < 0 THEN 'moved-before-conversion'
    WHEN since_conversion <= 60 THEN 'moved-soon-after-conversion'
    ELSE 'otherwise' END"""
SHARE = f"""CASE
    WHEN destination_category = 'managed' AND enrolled_in_single_bill THEN 'replaced_by_upfront_discount'
    WHEN destination_category = 'managed' THEN 'eligible'
    ELSE {BONUS} END"""
SHARE_RULE = f"""CASE
    WHEN destination_category = 'managed' AND enrolled_in_single_bill THEN 'single-bill'
    WHEN destination_category = 'managed' THEN 'managed-account'
    ELSE {BONUS_RULE} END"""
ASKED = """
WITH asked AS (
    SELECT accounts.*, matrix.*, CASE
        WHEN cell = 'client' THEN acting_in = 'client_account'
        WHEN cell IN ('single_bill', 'view_billing')
            THEN acting_in <> 'own_account_non_partner' AND billing_scope_is_single_bill
        WHEN cell = 'reseller' THEN partner_type = 'reseller'
        ELSE cell = 'yes' END AS is_allowed
    FROM accounts LEFT JOIN matrix USING (activity, role)
)"""
LIMIT = """CASE
    WHEN user_role <> 'administrator' THEN 'deny'
    WHEN client_pays_via_billing_platform THEN 'deny'
    WHEN user_role = 'administrator' THEN 'allow' END"""
LIMIT_RULE = """CASE
    WHEN user_role <> 'administrator' THEN 'not-an-administrator'
    WHEN client_pays_via_billing_platform THEN 'on-the-platform'
    WHEN user_role = 'administrator' THEN 'administrator' END"""
REMOVAL = f"""
WITH histories AS (
    SELECT *, list_transform(sender_status_history,
        lambda entry, place: (entry.since, place, entry.status)) AS entries
    FROM accounts
), sorted AS (
    SELECT *, list_sort(list_filter(entries, lambda entry: entry[1] <= {DAY})) AS past FROM histories
), standing AS (
    SELECT *, past[-1][3] AS status,
        list_max(list_filter(past, lambda entry: entry[3] NOT IN ('Healthy', 'At Risk'))) AS fell FROM sorted
), known AS (
    SELECT *, {DAY} - list_min(list_filter(past,
        lambda entry: entry[3] = 'Healthy' AND (fell IS NULL OR entry > fell)))[1] AS days_since_healthy FROM standing
), answered AS (
    SELECT *, CASE
        WHEN actor = 'client_user' THEN 'client-user'
        WHEN actor = 'agency_other' THEN 'not-an-administrator'
        WHEN NOT has_access_to_client THEN 'no-access-to-client'
        WHEN status IN ('Unhealthy', 'Limited') THEN 'status-too-low'
        WHEN status = 'New' THEN 'status-new'
        WHEN status = 'At Risk' AND days_since_healthy IS NULL THEN 'not-healthy-yet'
        WHEN days_since_healthy < 60 THEN 'still-waiting'
        WHEN has_access_to_client AND status IS NOT NULL THEN 'waited-long-enough' END AS rule
    FROM known
)"""


def _columns(name: str, outcome: str, rule: str, reason: str, form: Form) -> str:
    if form == "outcomes":
        return f'{outcome} AS "{name}.outcome"'
    return f'{outcome} AS "{name}.outcome", {rule} AS "{name}.rule", {reason} AS "{name}.reason"'


def query(ruleset: str, form: Form) -> str:
    """The decisions about a table `accounts`; for `user_roles` there must be a table `matrix`."""
    match ruleset:
        case "partner_earnings":
            bonus = _columns("new_account_bonus", BONUS, BONUS_RULE, BONUS_RULE, form)
            return (
                f"{SPANS} SELECT {bonus}, {_columns('revenue_share', SHARE, SHARE_RULE, SHARE_RULE, form)} FROM spans"
            )
        case "user_roles":
            outcome = "CASE WHEN is_allowed THEN 'allow' WHEN NOT is_allowed THEN 'deny' END"
            rule = "CASE WHEN is_allowed IS NOT NULL THEN cell_rule END"
            reason = 'CASE WHEN is_allowed THEN "then" WHEN NOT is_allowed THEN "else" END'
            return f"{ASKED} SELECT {_columns('permission', outcome, rule, reason, form)} FROM asked"
        case "email_limits":
            return f"SELECT {_columns('set_limit', LIMIT, LIMIT_RULE, LIMIT_RULE, form)} FROM accounts"
        case "email_suppression":
            outcome = "CASE WHEN rule = 'waited-long-enough' THEN 'allow' WHEN rule IS NOT NULL THEN 'deny' END"
            return f"{REMOVAL} SELECT {_columns('suppression_removal', outcome, 'rule', 'rule', form)} FROM answered"
    raise KeyError(ruleset)


class Tables:
    """A database in memory with a table `accounts`."""

    def __init__(self, accounts: pl.DataFrame) -> None:
        self.connection: Any = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        for name, frame in {"accounts": accounts, "matrix": MATRIX}.items():
            self.connection.register("given", frame.to_arrow())
            self.connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            self.connection.unregister("given")

    def decide(self, ruleset: str, form: Form) -> None:
        """Put the answers into a table `answers`."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE answers AS {query(ruleset, form)}")

    def answers(self) -> pl.DataFrame:
        """The answers in the order of the accounts."""
        found: pl.DataFrame = self.connection.sql("SELECT * FROM answers").pl()
        return found


MATRIX = pl.DataFrame(
    [(*kind, name, name, other) for kind, name, other in zip(CELL_KINDS, CELL_IDS, CELL_ELSE, strict=True)],
    schema=["activity", "role", "cell", "cell_rule", "then", "else"],
    orient="row",
)
RULESETS: Mapping[str, str] = {
    "partner_earnings": "new_account_bonus, revenue_share",
    "user_roles": "permission",
    "email_limits": "set_limit",
    "email_suppression": "suppression_removal",
}
"""What is decided of each ruleset."""
