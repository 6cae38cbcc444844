"""Four rulesets of the rulebook as someone who knows Polars well would write them: lazy expressions over columns that are valid.

Each function takes valid accounts and gives every decision of its ruleset, in one of three forms:

- `outcomes`: the outcome of each decision, null where it is undetermined (and the value of what is a calculation);
- `reasons`: the outcome, the rule and the reason code;
- `complete`: also the status, the values and the missing facts.

The columns have the names and the types of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import polars as pl
from polars import col

from benchmarks.by_hand import CELLS, COLUMNS
from benchmarks.tables.words import AS_OF, NEW_YORK

Form: TypeAlias = Literal["outcomes", "reasons", "complete"]
WINDOW = 60
NOTHING = pl.lit([], pl.List(pl.String))
STATUS = pl.Enum(["decided", "undetermined", "gap"])


def told(name: str, outcome: pl.Expr, rule: pl.Expr, missing: pl.Expr, form: Form) -> Iterator[pl.Expr]:
    """The columns of a decision: as many as the form asks for. `missing` is a text of names where there is no outcome."""
    if form == "complete":
        is_decided = outcome.is_not_null()
        status = pl.when(is_decided).then(pl.lit("decided", STATUS)).otherwise(pl.lit("undetermined", STATUS))
        yield status.alias(f"{name}.status")
    yield outcome.alias(f"{name}.outcome")
    if form != "outcomes":
        yield rule.alias(f"{name}.rule")
        yield rule.alias(f"{name}.reason")
    if form == "complete":
        text = pl.when(outcome.is_null()).then(missing)
        yield pl.when(text == "").then(NOTHING).otherwise(text.str.split(" ")).alias(f"{name}.missing")


def names(*items: str) -> pl.Expr:
    """Names of facts as one text, which becomes a list only where it is wanted."""
    return pl.lit(" ".join(items))


def day(name: str) -> pl.Expr:
    """A day that may be given as a date or as an instant."""
    return pl.coalesce(f"{name}_date", col(f"{name}_at").dt.convert_time_zone(NEW_YORK).dt.date())


DAYS = {
    "moved_on": day("move_effective"),
    "deployed_on": day("partner_deployment"),
    "converted_on": day("customer_conversion"),
}
EARNED = pl.Enum(["eligible", "not_eligible"])
SHARED = pl.Enum(["eligible", "not_eligible", "replaced_by_upfront_discount"])
BONUS_RULES = (
    "every-managed-move",
    "moved-soon-after-deployment",
    "moved-soon-after-conversion",
    "moved-before-conversion",
    "no-conversion-yet",
    "moved-too-early",
    "otherwise",
)
BONUS_RULE = pl.Enum(BONUS_RULES)
SHARE_RULE = pl.Enum(["single-bill", "managed-account", *BONUS_RULES[1:]])


def partner_earnings(moves: pl.LazyFrame, form: Form) -> pl.LazyFrame:
    """`new_account_bonus`, `revenue_share` and `latest_referred_move`."""
    return earnings_on(moves.with_columns(**DAYS), form)


def earnings_on(moves: pl.LazyFrame, form: Form) -> pl.LazyFrame:
    """The same where the three days are known."""
    happened_on = pl.when(col("converted_on") <= AS_OF).then("converted_on")
    spans = moves.with_columns(
        since_deployment=(col("moved_on") - col("deployed_on")).dt.total_days(),
        since_conversion=(col("moved_on") - happened_on).dt.total_days(),
    )
    day_of_move = names("move_effective_date", "move_effective_at")
    return spans.select(
        *KEPT,
        *told("new_account_bonus", _bonus(EARNED), _bonus_rule(BONUS_RULE), day_of_move, form),
        *told("revenue_share", _share(), _share_rule(), day_of_move, form),
        *_latest_move(form),
    )


def _bonus(outcomes: pl.Enum) -> pl.Expr:
    in_time = (col("since_deployment") <= WINDOW) | (col("since_conversion") <= WINDOW)
    eligible, not_eligible = pl.lit("eligible", outcomes), pl.lit("not_eligible", outcomes)
    return pl.when(col("moved_on").is_not_null()).then(pl.when(in_time).then(eligible).otherwise(not_eligible))


def _bonus_rule(rules: pl.Enum) -> pl.Expr:
    since_conversion = col("since_conversion")
    return (
        pl.when(col("moved_on").is_null())
        .then(None)
        .when(col("since_deployment") <= WINDOW)
        .then(pl.lit("moved-soon-after-deployment", rules))
        .when(since_conversion.is_null())
        .then(pl.lit("no-conversion-yet", rules))
        .when(since_conversion < 0)
        .then(pl.lit("moved-before-conversion", rules))
        .when(since_conversion <= WINDOW)
        .then(pl.lit("moved-soon-after-conversion", rules))
        .otherwise(pl.lit("otherwise", rules))
    )


IS_MANAGED = col("destination_category") == "managed"


def _share() -> pl.Expr:
    replaced, eligible = pl.lit("replaced_by_upfront_discount", SHARED), pl.lit("eligible", SHARED)
    managed = pl.when("enrolled_in_single_bill").then(replaced).otherwise(eligible)
    return pl.when(IS_MANAGED).then(managed).otherwise(_bonus(SHARED))


def _share_rule() -> pl.Expr:
    single_bill, managed_account = pl.lit("single-bill", SHARE_RULE), pl.lit("managed-account", SHARE_RULE)
    managed = pl.when("enrolled_in_single_bill").then(single_bill).otherwise(managed_account)
    return pl.when(IS_MANAGED).then(managed).otherwise(_bonus_rule(SHARE_RULE))


def _latest_move(form: Form) -> Iterator[pl.Expr]:
    if form == "complete":
        yield pl.lit("decided", STATUS).alias("latest_referred_move.status")
    latest = pl.max_horizontal("deployed_on", "converted_on") + pl.duration(days=WINDOW)
    yield latest.alias("latest_referred_move.values.latest_move_date")
    if form == "complete":
        yield pl.lit(None, pl.List(pl.String)).alias("latest_referred_move.missing")


CONDITIONAL = ("client", "single_bill", "view_billing", "reseller")
CELL_KINDS = [(activity, role, kind) for activity, row in CELLS.items() for role, kind in row.items()]
CELL_IDS = [f"{activity}.{role}" for activity, role, _ in CELL_KINDS]
CELL_ELSE = [
    f"{name}:else" if kind in CONDITIONAL else name for name, (_, _, kind) in zip(CELL_IDS, CELL_KINDS, strict=True)
]
CELL_RULE, CELL_REASON = pl.Enum(CELL_IDS), pl.Enum(list(dict.fromkeys([*CELL_IDS, *CELL_ELSE])))
ACTIVITY, ROLE, KIND = pl.Enum(list(CELLS)), pl.Enum(COLUMNS), pl.Enum(["yes", "no", *CONDITIONAL])
PERMITTED = pl.Enum(["allow", "deny"])


def _at_cell(items: list[str], dtype: pl.Enum) -> pl.Expr:
    """What stands in a cell of the matrix, by the cell's number."""
    return pl.lit(pl.Series(items, dtype=dtype)).gather("cell_number")


def user_roles(questions: pl.LazyFrame, form: Form) -> pl.LazyFrame:
    """`permission`."""
    row, column = (col(name).cast(words).to_physical() for name, words in (("activity", ACTIVITY), ("role", ROLE)))
    numbered = questions.with_columns(cell_number=row.cast(pl.UInt32) * len(COLUMNS) + column)
    found = numbered.with_columns(cell=_at_cell([kind for _, _, kind in CELL_KINDS], KIND))
    is_allowed = col("is_allowed")
    allow, deny = pl.lit("allow", PERMITTED), pl.lit("deny", PERMITTED)
    outcome = pl.when(is_allowed).then(allow).when(~is_allowed).then(deny)
    rule = pl.when(is_allowed.is_not_null()).then(_at_cell(CELL_IDS, CELL_RULE))
    then, otherwise = _at_cell(CELL_IDS, CELL_REASON), _at_cell(CELL_ELSE, CELL_REASON)
    reason = pl.when(is_allowed).then(then).when(~is_allowed).then(otherwise).alias("permission.reason")
    missing = (
        pl.when(col("role").is_null())
        .then(names("role"))
        .when(col("activity") == "access_resources_tab")
        .then(names("partner_type"))
        .otherwise(names("billing_scope_is_single_bill"))
    )
    told_columns = list(told("permission", outcome, rule, missing, form))
    columns = [reason if column.meta.output_name() == "permission.reason" else column for column in told_columns]
    return found.with_columns(is_allowed=_is_allowed()).select(*KEPT, *columns)


def _is_allowed() -> pl.Expr:
    cell, acting_in = col("cell"), col("acting_in")
    return (
        pl.when(cell == "client")
        .then(acting_in == "client_account")
        .when(cell.is_in(["single_bill", "view_billing"]))
        .then((acting_in != "own_account_non_partner") & col("billing_scope_is_single_bill"))
        .when(cell == "reseller")
        .then(col("partner_type") == "reseller")
        .otherwise(cell == "yes")
    )


LIMIT_RULE = pl.Enum(["not-an-administrator", "on-the-platform", "administrator"])
ALLOWANCE_RULE = pl.Enum(["not-an-administrator", "on-the-platform", "agency-without-platform", "administrator"])


def email_limits(clients: pl.LazyFrame, form: Form) -> pl.LazyFrame:
    """`set_limit`, `set_allowance` and `limit_violations`."""
    allow, deny = pl.lit("allow", PERMITTED), pl.lit("deny", PERMITTED)
    other_role, is_admin = col("user_role") != "administrator", col("user_role") == "administrator"
    on_platform = col("client_pays_via_billing_platform")
    outcome = pl.when(other_role | on_platform).then(deny).when(is_admin).then(allow)
    refused = pl.when(other_role).then(pl.lit("not-an-administrator", LIMIT_RULE))
    limit_rule = refused.when(on_platform).then(pl.lit("on-the-platform", LIMIT_RULE))
    refused = pl.when(other_role).then(pl.lit("not-an-administrator", ALLOWANCE_RULE))
    allowance_rule = refused.when(on_platform).then(pl.lit("on-the-platform", ALLOWANCE_RULE))
    without_platform = is_admin & ~col("agency_uses_billing_platform")
    allowance_rule = allowance_rule.when(without_platform).then(pl.lit("agency-without-platform", ALLOWANCE_RULE))
    role = names("user_role")
    return clients.select(
        *KEPT,
        *told("set_limit", outcome, limit_rule.when(is_admin).then(pl.lit("administrator", LIMIT_RULE)), role, form),
        *told(
            "set_allowance",
            outcome,
            allowance_rule.when(is_admin).then(pl.lit("administrator", ALLOWANCE_RULE)),
            role,
            form,
        ),
        *_limit_violations(form),
    )


def _limit_violations(form: Form) -> Iterator[pl.Expr]:
    if form == "complete":
        yield pl.lit("decided", STATUS).alias("limit_violations.status")
    yield _both("limit_on_platform_client", "allowance_on_platform_client").alias("limit_violations.outcome")
    if form != "outcomes":
        yield _both("limit-on-platform-client", "allowance-on-platform-client").alias("limit_violations.rule")
    if form == "complete":
        yield pl.lit(None, pl.List(pl.String)).alias("limit_violations.missing")


def texts(*items: str) -> pl.Expr:
    """A list of texts, the same in every row."""
    return pl.lit(list(items), pl.List(pl.String))


def _both(limit: str, allowance: str) -> pl.Expr:
    """What applies of two things, as a list."""
    on_platform = col("client_pays_via_billing_platform")
    has_limit, has_allowance = col("email_limit").is_not_null(), col("email_allowance").is_not_null()
    return (
        pl.when(on_platform & has_limit & has_allowance)
        .then(texts(limit, allowance))
        .when(on_platform & has_limit)
        .then(texts(limit))
        .when(on_platform & has_allowance)
        .then(texts(allowance))
        .otherwise(texts())
    )


HEALTH = pl.Enum(["New", "Unhealthy", "Limited", "At Risk", "Healthy"])
"""The first three are not in good standing."""
NEW, AT_RISK, HEALTHY = 0, 3, 4
LONGEST = 6
"""No history of these accounts is longer."""
REMOVAL_RULE = pl.Enum(
    [
        "client-user",
        "not-an-administrator",
        "no-access-to-client",
        "status-too-low",
        "status-new",
        "not-healthy-yet",
        "still-waiting",
        "no-wait-applies",
        "waited-long-enough",
    ]
)
FORCED, FORCED_RULE = pl.Enum(["yes", "no"]), pl.Enum(["off-while-status-too-low", "otherwise"])
TIMED, TIMED_RULE = pl.Enum(["in_force"]), pl.Enum(["never-switched-off"])


def standing(senders: pl.LazyFrame) -> pl.LazyFrame:
    """The status on the day (as its number) and since when the sender counts as Healthy.

    Each entry becomes one number, of its day, its place and its status, so that the latest entry is the largest.
    """
    entries = {f"entry {place}": _entry(place) for place in range(LONGEST)}
    numbers = [col(name) for name in entries]
    fell = [pl.when(number % 8 < AT_RISK).then(number) for number in numbers]
    healthy = [pl.when((number % 8 == HEALTHY) & (number > col("fell"))).then(number) for number in numbers]
    numbered = senders.with_columns(**entries)
    last = numbered.with_columns(
        status=pl.max_horizontal(numbers) % 8, fell=pl.max_horizontal(fell).fill_null(pl.Int32.min())
    )
    return last.with_columns(healthy_since=(pl.min_horizontal(healthy) // 64).cast(pl.Date))


def _entry(place: int) -> pl.Expr:
    entry = col("sender_status_history").list.get(place, null_on_oob=True)
    since, status = entry.struct.field("since"), entry.struct.field("status").cast(HEALTH)
    return pl.when(since <= AS_OF).then(since.to_physical() * 64 + place * 8 + status.to_physical().cast(pl.Int32))


def email_suppression(senders: pl.LazyFrame, form: Form) -> pl.LazyFrame:
    """`suppression_removal`, `suppression_forced_on` and `time_based_suppression`."""
    known = standing(senders).with_columns(days_since_healthy=(AS_OF - col("healthy_since")).dt.total_days())
    answered = known.with_columns(rule=_removal_rule())
    allow, deny = pl.lit("allow", PERMITTED), pl.lit("deny", PERMITTED)
    outcome = pl.when(col("rule") == "waited-long-enough").then(allow).when(col("rule").is_not_null()).then(deny)
    access = pl.when(col("has_access_to_client").is_null()).then(names("has_access_to_client")).otherwise(names())
    return answered.select(
        *KEPT,
        *told("suppression_removal", outcome, col("rule"), access, form),
        *_removal_values(form),
        *_forced_on(form),
        *_time_based(form),
    )


def _removal_rule() -> pl.Expr:
    status, days, has_access = col("status"), col("days_since_healthy"), col("has_access_to_client")
    return (
        pl.when(col("actor") == "client_user")
        .then(pl.lit("client-user", REMOVAL_RULE))
        .when(col("actor") == "agency_other")
        .then(pl.lit("not-an-administrator", REMOVAL_RULE))
        .when(~has_access)
        .then(pl.lit("no-access-to-client", REMOVAL_RULE))
        .when(status == NEW)
        .then(pl.lit("status-new", REMOVAL_RULE))
        .when(status < AT_RISK)
        .then(pl.lit("status-too-low", REMOVAL_RULE))
        .when((status == AT_RISK) & days.is_null())
        .then(pl.lit("not-healthy-yet", REMOVAL_RULE))
        .when(days < WINDOW)
        .then(pl.lit("still-waiting", REMOVAL_RULE))
        .when(has_access & status.is_not_null())
        .then(pl.lit("waited-long-enough", REMOVAL_RULE))
    )


def _removal_values(form: Form) -> Iterator[pl.Expr]:
    if form == "complete":
        is_decided = col("rule").is_not_null()
        earliest = col("healthy_since") + pl.duration(days=WINDOW)
        yield pl.when(is_decided).then("healthy_since").alias("suppression_removal.values.healthy_since")
        yield pl.when(is_decided).then("days_since_healthy").alias("suppression_removal.values.days_since_healthy")
        yield pl.when(is_decided).then(earliest).alias("suppression_removal.values.earliest_date")


def _forced_on(form: Form) -> Iterator[pl.Expr]:
    is_low = (col("status") > NEW) & (col("status") < AT_RISK)
    is_forced = col("suppression_is_off") & is_low
    yes, no = pl.lit("yes", FORCED), pl.lit("no", FORCED)
    rule, otherwise = pl.lit("off-while-status-too-low", FORCED_RULE), pl.lit("otherwise", FORCED_RULE)
    switch = pl.when(col("suppression_is_off").is_null()).then(names("suppression_is_off")).otherwise(names())
    yield from told(
        "suppression_forced_on",
        pl.when(is_forced).then(yes).when(~is_forced).then(no),
        pl.when(is_forced).then(rule).when(~is_forced).then(otherwise),
        switch,
        form,
    )


def _time_based(form: Form) -> Iterator[pl.Expr]:
    none = pl.lit(None, pl.String)
    in_force, rule = pl.lit("in_force", TIMED), pl.lit("never-switched-off", TIMED_RULE)
    yield from told("time_based_suppression", in_force, rule, none, form)


KEPT = (pl.selectors.by_name("row", "account_id", "question_id", require_all=False),)
"""What tells whose decision it is, where it is there."""
RULESETS = {
    "partner_earnings": partner_earnings,
    "user_roles": user_roles,
    "email_limits": email_limits,
    "email_suppression": email_suppression,
}
