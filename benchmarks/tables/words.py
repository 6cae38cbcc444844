"""The day that tables are asked about, and the closed words of their schemas."""

from __future__ import annotations

from datetime import date

AS_OF = date(2025, 7, 28)
"""The day of `benchmarks.questions`, without the engine."""
NEW_YORK = "America/New_York"
CATEGORIES = ("referred", "managed")
ROLES = ("administrator", "company_manager", "marketing_manager", "sales_manager", "salesperson", "jr_salesperson")
ACTING_IN = ("own_account_non_partner", "partner_account", "client_account")
PARTNER_TYPES = ("not_reseller", "reseller")
STATUSES = ("New", "Healthy", "At Risk", "Unhealthy", "Limited")
ACTORS = ("agency_administrator", "agency_other", "client_user")
ROW_GROUP = 100_000
"""Rows in each part of the Parquet files."""
