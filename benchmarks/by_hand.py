"""Five decisions of the rulebook as a Python programmer would write them: same answers, no validation, no engine.

Each function takes facts in JSON types and a day, and gives the status, the outcome, the rule, the values, and what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Facts = Mapping[str, Any]
NEW_YORK = ZoneInfo("America/New_York")
NO_VALUES: Mapping[str, object] = {}


class Answer(NamedTuple):
    """What each function gives."""

    status: str
    outcome: str | None
    rule: str | None
    values: Mapping[str, object] = NO_VALUES
    missing: tuple[str, ...] = ()


def decided(outcome: str, rule: str, values: Mapping[str, object] = NO_VALUES) -> Answer:
    return Answer("decided", outcome, rule, values)


def undetermined(*missing: str) -> Answer:
    return Answer("undetermined", None, None, NO_VALUES, missing)


def day_of(facts: Facts, day: str, moment: str) -> date | None:
    """A day that may be given as a date or as an instant."""
    text = facts.get(day)
    if text is not None:
        return date.fromisoformat(text)
    text = facts.get(moment)
    if text is not None:
        return datetime.fromisoformat(text).astimezone(NEW_YORK).date()
    return None


def new_account_bonus(facts: Facts, as_of: date) -> Answer:
    """`partner_earnings.new_account_bonus`."""
    deployed_on = day_of(facts, "partner_deployment_date", "partner_deployment_at")
    moved_on = day_of(facts, "move_effective_date", "move_effective_at")
    if moved_on is None:
        return undetermined("move_effective_date", "move_effective_at")
    if deployed_on is None:
        return undetermined("partner_deployment_date", "partner_deployment_at")
    if (moved_on - deployed_on).days <= 60:
        return decided("eligible", "moved-soon-after-deployment")
    converted_on = day_of(facts, "customer_conversion_date", "customer_conversion_at")
    if converted_on is None or converted_on > as_of:
        return decided("not_eligible", "no-conversion-yet")
    days = (moved_on - converted_on).days
    if 0 <= days <= 60:
        return decided("eligible", "moved-soon-after-conversion")
    if days < 0:
        return decided("eligible", "moved-before-conversion")
    return decided("not_eligible", "otherwise")


IN_PARTNERSHIPS = ("partner_account", "client_account")
COLUMNS = ("campaign_creator", "account_manager", "account_owner", "partner_manager")
CREATE = ("yes", "yes", "yes", "client")
MANAGE = ("no", "yes", "yes", "client")
OWNER = ("no", "no", "yes", "client")
ROWS: Mapping[str, tuple[str, str, str, str]] = {
    "add_or_manage_user_roles": OWNER,
    "manage_account_settings": MANAGE,
    "view_and_manage_billing": ("no", "single_bill", "yes", "no"),
    "access_accounts_tab": ("yes", "yes", "yes", "yes"),
    "access_resources_tab": ("reseller", "reseller", "reseller", "reseller"),
    "create_and_manage_online_stores": MANAGE,
    "create_automated_email_series": CREATE,
    "delete_or_remove_campaigns": MANAGE,
    "edit_or_activate_automated_email_series": MANAGE,
    "send_test_emails": CREATE,
    "send_schedule_publish_share_email_campaigns": MANAGE,
    "view_add_export_delete_contacts": MANAGE,
    "edit_published_campaigns_or_running_events": MANAGE,
    "create_and_manage_logos": MANAGE,
    "purchase_stock_images_or_plus_campaigns": OWNER,
    "upload_and_edit_library_images": CREATE,
    "view_billing_activity": ("no", "view_billing", "yes", "view_billing"),
    "create_and_edit_emails": CREATE,
    "schedule_or_send_emails": MANAGE,
    "create_social_posts": CREATE,
    "schedule_send_or_publish_social_posts": MANAGE,
    "view_and_respond_to_social_comments": MANAGE,
    "create_and_edit_sms_campaigns": CREATE,
    "schedule_or_send_sms_campaigns": MANAGE,
    "create_events_and_event_emails": CREATE,
    "publish_or_activate_events": MANAGE,
    "create_and_edit_landing_pages": CREATE,
    "publish_or_unpublish_landing_pages": MANAGE,
    "view_reporting_on_campaigns_tab": CREATE,
    "open_reporting_tab": MANAGE,
    "view_deeper_reporting": MANAGE,
    "delete_library_images": MANAGE,
    "manage_contacts_lists_tags": MANAGE,
    "export_contact_lists": MANAGE,
    "create_segments": MANAGE,
    "access_or_edit_signup_forms": MANAGE,
    "view_facebook_lead_ads": CREATE,
    "view_facebook_or_instagram_ads": CREATE,
    "create_facebook_lookalike_audiences": MANAGE,
    "publish_facebook_lead_ads": MANAGE,
    "publish_facebook_or_instagram_ads": MANAGE,
    "publish_google_ads": MANAGE,
    "change_a_users_role": ("no", "no", "yes", "no"),
    "make_a_payment": ("no", "single_bill", "yes", "no"),
}
CELLS = {activity: dict(zip(COLUMNS, row, strict=True)) for activity, row in ROWS.items()}


def permission(facts: Facts, as_of: date) -> Answer:
    """`user_roles.permission`."""
    role = facts.get("role")
    if role is None:
        return undetermined("role")
    activity = facts["activity"]
    cell = CELLS[activity][role]
    if cell in ("single_bill", "view_billing"):
        allowed = facts["acting_in"] in IN_PARTNERSHIPS
        if allowed:
            single_bill = facts.get("billing_scope_is_single_bill")
            if single_bill is None:
                return undetermined("billing_scope_is_single_bill")
            allowed = single_bill
    elif cell == "client":
        allowed = facts["acting_in"] == "client_account"
    elif cell == "reseller":
        partner_type = facts.get("partner_type")
        if partner_type is None:
            return undetermined("partner_type")
        allowed = partner_type == "reseller"
    else:
        allowed = cell == "yes"
    return decided("allow" if allowed else "deny", f"{activity}.{role}")


def add_weekdays(day: date, count: int) -> date:
    """The `count`th weekday after a day; at a weekend counting begins where it would on the Friday before."""
    weekday = min(day.weekday(), 4)
    weeks, rest = divmod(weekday + count, 5)
    return day + timedelta(days=7 * weeks + rest - day.weekday())


def billed_on(facts: Facts) -> date | None:
    day = day_of(facts, "billing_date", "billing_at")
    if day is not None:
        return day
    closed = facts.get("agency_cycle_close_date")
    return None if closed is None else date.fromisoformat(closed) + timedelta(days=1)


def happened(attempt: Facts, day: str, as_of: date) -> bool:
    """Whether what became of an attempt was known by a day; where no day is given it was known at once."""
    text = attempt.get(day)
    return text is None or date.fromisoformat(text) <= as_of


class Tally(NamedTuple):
    """What has been tried so far."""

    made: int
    last_attempt: date | None
    successes: int
    failures: int

    @property
    def under_way(self) -> int:
        return self.made - self.successes - self.failures


def tally(attempts: list[Facts], as_of: date) -> Tally:
    """The attempts made up to a day, and what was known of them."""
    made, last_attempt, successes, failures = 0, None, 0, 0
    for attempt in attempts:
        day = date.fromisoformat(attempt["date"])
        if day > as_of:
            continue
        made += 1
        if last_attempt is None or day > last_attempt:
            last_attempt = day
        if attempt["result"] == "succeeded":
            successes += happened(attempt, "settled_on", as_of)
        elif attempt["result"] == "failed":
            failures += happened(attempt, "known_on", as_of)
    return Tally(made, last_attempt, successes, failures)


def retries_left(retry_dates: tuple[date, ...], tried: Tally, as_of: date) -> list[date]:
    """The retry days to come; none where nothing is to be tried again."""
    if tried.successes or tried.under_way or not 0 < tried.failures < 3 or tried.last_attempt is None:
        return []
    return [day for day in retry_dates if day >= as_of and day > tried.last_attempt]


def charge_status(facts: Facts, as_of: date) -> Answer:
    """`charge_retry.charge_status`."""
    opted_out, method = facts["opted_out_of_platform_billing"], facts["payment_method"]
    billed = billed_on(facts)
    tried = tally(facts["attempts"], as_of)
    retry_dates: tuple[date, ...] = ()
    can_be_charged = not opted_out and method != "none"
    if billed is None and (can_be_charged or not tried.made):
        return undetermined("billing_date", "billing_at", "agency_cycle_close_date")
    if billed is not None and can_be_charged:
        retry_dates = (add_weekdays(billed, 5), add_weekdays(billed, 10))
    left = retries_left(retry_dates, tried, as_of)
    all_failed = not opted_out and not tried.successes and tried.failures >= 3
    values = {
        "retry_dates": retry_dates,
        "next_automatic_attempt": left[0] if left else None,
        "further_automatic_attempts": len(left),
        "agency_may_request_manual_retry": all_failed,
    }
    if not tried.made and billed is not None and billed > as_of:
        return decided("Not Yet Billed", "not-yet-billed", values)
    if opted_out:
        return decided("Agency Invoiced", "opted-out", values)
    if tried.successes:
        if facts.get("payout_made") and happened(facts, "payout_date", as_of):
            return decided("Paid Out", "paid-out", values)
        return decided("Paid", "paid", values)
    if all_failed:
        return decided("Uncollectable", "all-attempts-failed", values)
    return not_collected_yet(method, tried, left, values)


def not_collected_yet(method: str, tried: Tally, left: list[date], values: Mapping[str, object]) -> Answer:
    if method == "none":
        return decided("Uncollectable", "no-payment-method", values)
    if tried.under_way:
        return decided("Pending", "under-way", values)
    if tried.failures:
        return decided("Retrying", "retry-ahead" if left else "no-retry-day-left", values)
    return decided("Pending", "otherwise", values)


GOOD_STANDING = ("Healthy", "At Risk")


def standing(history: list[Facts], as_of: date) -> tuple[str | None, date | None]:
    """The status on a day, and since when the sender counts as Healthy."""
    entries = [(date.fromisoformat(entry["since"]), entry["status"]) for entry in history]
    entries.sort(key=itemgetter(0))
    status = healthy_since = None
    for since, status_then in entries:
        if since > as_of:
            break
        status = status_then
        if status not in GOOD_STANDING:
            healthy_since = None
        elif status == "Healthy" and healthy_since is None:
            healthy_since = since
    return status, healthy_since


def suppression_removal(facts: Facts, as_of: date) -> Answer:
    """`email_suppression.suppression_removal`."""
    status, healthy_since = standing(facts["sender_status_history"], as_of)
    days = earliest = None
    if healthy_since is not None:
        days = (as_of - healthy_since).days
        earliest = healthy_since + timedelta(days=60)
    values = {"healthy_since": healthy_since, "days_since_healthy": days, "earliest_date": earliest}
    has_access = facts.get("has_access_to_client")
    if facts["actor"] == "client_user":
        return decided("deny", "client-user", values)
    if facts["actor"] == "agency_other":
        return decided("deny", "not-an-administrator", values)
    if has_access is False:
        return decided("deny", "no-access-to-client", values)
    if status is None:
        return undetermined()
    refusal = refused_by_status(status, days)
    if refusal is not None:
        return decided("deny", refusal, values)
    if has_access is None:
        return undetermined("has_access_to_client")
    return decided("allow", "waited-long-enough", values)


def refused_by_status(status: str, days: int | None) -> str | None:
    """The rule by which a status, or too few days of it, stand against the switch."""
    if status in ("Unhealthy", "Limited"):
        return "status-too-low"
    if status == "New":
        return "status-new"
    if days is None:
        return "not-healthy-yet"
    return "still-waiting" if days < 60 else None


def set_limit(facts: Facts, as_of: date) -> Answer:
    """`email_limits.set_limit`."""
    role = facts.get("user_role")
    if role is not None and role != "administrator":
        return decided("deny", "not-an-administrator")
    if facts["client_pays_via_billing_platform"]:
        return decided("deny", "on-the-platform")
    if role is None:
        return undetermined("user_role")
    return decided("allow", "administrator")
