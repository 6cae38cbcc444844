"""Three decisions in OpenFisca-core: a system of variables whose formulas are vectors of NumPy.

OpenFisca has no instants and no absent values. So it gets days that are coalesced already, in New York's time, and for each
fact that may be absent a second one that says whether it is known. Undetermined is an item of each enum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from openfisca_core.entities import build_entity
from openfisca_core.indexed_enums import Enum, EnumArray
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable
from polars import col

from benchmarks.tables.by_polars import DAYS, Form
from benchmarks.tables.words import AS_OF, CATEGORIES, ROLES

PERIOD = AS_OF.isoformat()
ACCOUNT = build_entity(key="account", plural="accounts", label="An account", is_person=True)


class Outcome(Enum):  # type: ignore[misc]  # the library is not typed
    """All outcomes."""

    undetermined = "undetermined"
    eligible = "eligible"
    not_eligible = "not_eligible"
    replaced_by_upfront_discount = "replaced_by_upfront_discount"
    allow = "allow"
    deny = "deny"


class Rule(Enum):  # type: ignore[misc]
    """All rules."""

    undetermined = "undetermined"
    moved_soon_after_deployment = "moved-soon-after-deployment"
    moved_soon_after_conversion = "moved-soon-after-conversion"
    moved_before_conversion = "moved-before-conversion"
    no_conversion_yet = "no-conversion-yet"
    otherwise = "otherwise"
    single_bill = "single-bill"
    managed_account = "managed-account"
    not_an_administrator = "not-an-administrator"
    on_the_platform = "on-the-platform"
    administrator = "administrator"


Category = Enum("Category", {name: name for name in CATEGORIES})
Role = Enum("Role", {name: name for name in ROLES})


def fact(name: str, kind: Any) -> type[Any]:
    """A variable that is given."""
    if kind in (bool, date):
        return _variable(name, value_type=kind)
    return _variable(name, value_type=Enum, possible_values=kind, default_value=next(iter(kind)))


def _variable(name: str, **members: Any) -> type[Any]:
    return type(name, (Variable,), {"entity": ACCOUNT, "definition_period": DateUnit.DAY, **members})


def decision(name: str, enum: Any, formula: Any, select: Any) -> type[Any]:
    """A variable that is worked out."""

    def worked_out(account: Any, period: Any) -> Any:
        return formula(account, period, select)

    undetermined = enum.undetermined
    return _variable(name, value_type=Enum, possible_values=enum, default_value=undetermined, formula=worked_out)


Case = tuple[Any, Any]
Select = Callable[..., Any]


def select_items(enum: Any, *cases: Case, otherwise: Any) -> Any:
    """The item of the first condition that is true, in each row: as OpenFisca's documentation has it."""
    conditions, items = zip(*cases, strict=True)
    return np.select(conditions, items, otherwise)


def select_numbers(enum: Any, *cases: Case, otherwise: Any) -> Any:
    """The same by the numbers of the items, which OpenFisca need not encode."""
    conditions, items = zip(*cases, strict=True)
    return EnumArray(np.select(conditions, [np.uint8(item.index) for item in items], np.uint8(otherwise.index)), enum)


def happenings(account: Any, period: Any) -> dict[str, Any]:
    """The conditions on the days, in the order of the rules."""
    moved_on, deployed_on, converted_on = (account(f"{day}_on", period) for day in ("moved", "deployed", "converted"))
    window = np.timedelta64(60, "D")
    return {
        "undetermined": ~account("moved_on_is_known", period),
        "moved_soon_after_deployment": moved_on - deployed_on <= window,
        "no_conversion_yet": ~(account("converted_on_is_known", period) & (converted_on <= np.datetime64(AS_OF))),
        "moved_before_conversion": moved_on < converted_on,
        "moved_soon_after_conversion": moved_on - converted_on <= window,
    }


def managed(account: Any, period: Any) -> tuple[Any, Any]:
    """Whether the account is managed, and whether it is managed and in Single Bill."""
    is_managed = account("destination_category", period) == Category.managed
    return is_managed, is_managed & account("enrolled_in_single_bill", period)


def bonus_rules(account: Any, period: Any) -> list[Case]:
    return [(condition, getattr(Rule, name)) for name, condition in happenings(account, period).items()]


def bonus_outcomes(account: Any, period: Any) -> list[Case]:
    found = happenings(account, period)
    in_time = found["moved_soon_after_deployment"] | (
        ~found["no_conversion_yet"] & found["moved_soon_after_conversion"]
    )
    return [(found["undetermined"], Outcome.undetermined), (in_time, Outcome.eligible)]


def new_account_bonus_rule(account: Any, period: Any, select: Select) -> Any:
    return select(Rule, *bonus_rules(account, period), otherwise=Rule.otherwise)


def new_account_bonus_outcome(account: Any, period: Any, select: Select) -> Any:
    return select(Outcome, *bonus_outcomes(account, period), otherwise=Outcome.not_eligible)


def revenue_share_rule(account: Any, period: Any, select: Select) -> Any:
    is_managed, in_single_bill = managed(account, period)
    settled = (in_single_bill, Rule.single_bill), (is_managed, Rule.managed_account)
    return select(Rule, *settled, *bonus_rules(account, period), otherwise=Rule.otherwise)


def revenue_share_outcome(account: Any, period: Any, select: Select) -> Any:
    is_managed, in_single_bill = managed(account, period)
    settled = (in_single_bill, Outcome.replaced_by_upfront_discount), (is_managed, Outcome.eligible)
    return select(Outcome, *settled, *bonus_outcomes(account, period), otherwise=Outcome.not_eligible)


def set_limit(account: Any, period: Any, enum: Any, items: tuple[Any, Any, Any], select: Select) -> Any:
    is_known, is_admin = account("user_role_is_known", period), account("user_role", period) == Role.administrator
    pays = account("client_pays_via_billing_platform", period)
    conditions = (is_known & ~is_admin, pays, is_known)
    return select(enum, *zip(conditions, items, strict=True), otherwise=enum.undetermined)


def set_limit_rule(account: Any, period: Any, select: Select) -> Any:
    return set_limit(
        account, period, Rule, (Rule.not_an_administrator, Rule.on_the_platform, Rule.administrator), select
    )


def set_limit_outcome(account: Any, period: Any, select: Select) -> Any:
    return set_limit(account, period, Outcome, (Outcome.deny, Outcome.deny, Outcome.allow), select)


FORMULAS = {
    "new_account_bonus": (new_account_bonus_outcome, new_account_bonus_rule),
    "revenue_share": (revenue_share_outcome, revenue_share_rule),
    "set_limit": (set_limit_outcome, set_limit_rule),
}
DECISIONS = {"partner_earnings": ("new_account_bonus", "revenue_share"), "email_limits": ("set_limit",)}
FACTS = {
    "partner_earnings": {
        **{f"{day}_on": date for day in ("moved", "deployed", "converted")},
        **{f"{day}_on_is_known": bool for day in ("moved", "converted")},
        "destination_category": Category,
        "enrolled_in_single_bill": bool,
    },
    "email_limits": {"user_role": Role, "user_role_is_known": bool, "client_pays_via_billing_platform": bool},
}


def digest(ruleset: str, accounts: pl.DataFrame) -> dict[str, Any]:
    """The facts as OpenFisca takes them, an array each."""
    days = accounts.with_columns(**DAYS) if ruleset == "partner_earnings" else accounts
    known = days.with_columns(pl.selectors.ends_with("_on", "user_role").is_not_null().name.suffix("_is_known"))
    filled = known.with_columns(
        pl.selectors.boolean().fill_null(False),
        pl.selectors.date().fill_null(date(1970, 1, 1)),
        pl.selectors.by_name("user_role", require_all=False).fill_null(ROLES[0]),
    )
    return {name: _array(filled[name], kind) for name, kind in FACTS[ruleset].items()}


def _array(series: pl.Series, kind: Any) -> Any:
    if kind in (bool, date):
        return series.to_numpy()
    return EnumArray(series.cast(pl.Enum([item.name for item in kind])).to_physical().to_numpy(), kind)


class System:
    """A simulation over the accounts."""

    def __init__(self, ruleset: str, accounts: pl.DataFrame, select: Select = select_items) -> None:
        self.ruleset = ruleset
        self.names = DECISIONS[ruleset]
        system = TaxBenefitSystem([ACCOUNT])
        for name, kind in FACTS[ruleset].items():
            system.add_variable(fact(name, kind))
        for name in self.names:
            outcome, rule = FORMULAS[name]
            system.add_variable(decision(f"{name}_outcome", Outcome, outcome, select))
            system.add_variable(decision(f"{name}_rule", Rule, rule, select))
        self.simulation = SimulationBuilder().build_default_simulation(system, accounts.height)
        self.give(accounts)

    def give(self, accounts: pl.DataFrame) -> None:
        """Digest the accounts and hand them over."""
        for name, array in digest(self.ruleset, accounts).items():
            self.simulation.delete_arrays(name)
            self.simulation.set_input(name, PERIOD, array)

    def decide(self, form: Form) -> Mapping[str, Any]:
        """Work out the outcomes, or the outcomes and the rules, anew."""
        wanted = ("outcome",) if form == "outcomes" else ("outcome", "rule")
        variables = [f"{name}_{what}" for name in self.names for what in wanted]
        for variable in variables:
            self.simulation.delete_arrays(variable)
        return {variable: self.simulation.calculate(variable, PERIOD) for variable in variables}

    def answers(self) -> pl.DataFrame:
        """The outcomes and the rules, null where a decision is undetermined."""
        found = {variable.rpartition("_"): array for variable, array in self.decide("reasons").items()}
        columns = {f"{name}.{what}": _texts(array) for (name, _, what), array in found.items()}
        return pl.DataFrame(columns).with_columns(col(pl.String).replace("undetermined", None))


def _texts(found: Any) -> pl.Series:
    return pl.Series([item.value for item in found.possible_values]).gather(np.asarray(found).astype(np.uint32))
