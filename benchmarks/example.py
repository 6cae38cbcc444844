"""The example's ruleset against the same decisions written by hand, one by one and in columns: `python -m benchmarks.example`.

The functions by hand give status, outcome, rule, values and missing facts as `by_hand` does, over facts that are valid. The
columns by hand give outcome and amount. Both are checked against the engine before they are timed.
"""

from __future__ import annotations

import random
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from benchmarks.by_hand import Answer, Facts, decided, undetermined
from benchmarks.questions import ROOT
from benchmarks.timing import WALL, in_turns, middle, ratio
from policy_engine import Engine
from policy_engine.backends import columnar
from policy_engine.backends.columnar.dtypes import ROW

AS_OF = date(2025, 7, 28)
BERLIN = ZoneInfo("Europe/Berlin")
CENT = Decimal("0.01")
VAT = {
    ("AT", "books"): [(date.min, Decimal(10))],
    ("AT", "food"): [(date.min, Decimal(10))],
    ("AT", "other"): [(date.min, Decimal(20))],
    **{
        ("DE", kind): [(date.min, Decimal(7)), (date(2020, 7, 1), Decimal(5)), (date(2021, 1, 1), Decimal(7))]
        for kind in ("books", "food")
    },
    ("DE", "other"): [(date.min, Decimal(19)), (date(2020, 7, 1), Decimal(16)), (date(2021, 1, 1), Decimal(19))],
    ("FR", "books"): [(date.min, Decimal("5.5"))],
    ("FR", "food"): [(date.min, Decimal("5.5"))],
    ("FR", "other"): [(date.min, Decimal(20))],
}
KEPT = {"sealed": Decimal(0), "opened": Decimal(10), "damaged": Decimal(60)}
TIERS, EXTRA = (500, 2000), (0, 15, 30)
LETTERS = (4, 18, 32, 60)
FEES = tuple(map(Decimal, ("0", "0", "5.00", "10.00", "40.00")))


def price_of(facts: Facts) -> Decimal:
    """With VAT, rounded to cents."""
    bought_on = date.fromisoformat(facts["bought_on"])
    rate = next(rate for since, rate in reversed(VAT[facts["country"], facts["kind"]]) if since <= bought_on)
    amount = Decimal(str(facts["amount"]))
    return (amount + amount * rate / 100).quantize(CENT, ROUND_HALF_UP)


def in_time(facts: Facts) -> bool | tuple[str, ...]:
    """Whether it was asked for in time, or what is missing."""
    names = ("delivered_on", "return_asked_at", "spent_last_year")
    missing = tuple(name for name in names if name not in facts)
    if missing:
        return missing
    window = 30 if date.fromisoformat(facts["bought_on"]) >= date(2024, 7, 1) else 14
    window += EXTRA[bisect_right(TIERS, facts["spent_last_year"])]
    asked_on = datetime.fromisoformat(facts["return_asked_at"]).astimezone(BERLIN).date()
    return asked_on <= date.fromisoformat(facts["delivered_on"]) + timedelta(window)


def refund(facts: Facts, as_of: date) -> Answer:
    """`shop.refund`."""
    accepted = in_time(facts)
    if isinstance(accepted, tuple):
        return undetermined(*accepted)
    if not accepted:
        return decided("nothing", "too-late", {"euros": Decimal("0.00")})
    condition = facts.get("condition")
    if condition is None:
        return undetermined("condition")
    price = price_of(facts)
    if condition == "sealed":
        return decided("full", "as-new", {"euros": price})
    kept = (KEPT[condition] * price / 100).quantize(CENT, ROUND_HALF_UP)
    return decided("partial", "otherwise", {"euros": price - kept})


def demand(facts: Facts, as_of: date) -> Answer:
    """`shop.demand`."""
    paid_on = facts.get("paid_on")
    if paid_on is not None and date.fromisoformat(paid_on) <= as_of:
        return decided("none", "paid", {"owed": Decimal("0.00")})
    price, late = price_of(facts), (as_of - date.fromisoformat(facts["due_on"])).days
    step = bisect_right(LETTERS, late)
    interest = (Decimal(5) * price / 100 * max(late, 0) / 365).quantize(CENT, ROUND_HALF_UP)
    values = {"owed": price + FEES[step] + interest}
    if facts.get("is_disputed", False):
        return decided("none", "disputed", values)
    if late < 0:
        return decided("none", "not-due", values)
    outcome = ("none", "reminder", "first_demand", "last_demand", "collection")[step]
    return decided(outcome, ("not-yet", "reminder", "first-demand", "last-demand", "otherwise")[step], values)


def risk(facts: Facts, as_of: date) -> Answer:
    """`shop.risk`; the outcomes are written with commas between them."""
    missing = tuple(name for name in ("orders_before", "returns_last_year") if name not in facts)
    if missing:
        return undetermined(*missing)
    found = []
    if facts["orders_before"] == 0:
        found.append(("new_customer", "first-order", 25))
    if facts["returns_last_year"] >= 5:
        found.append(("many_returns", "returns-often", 35))
    card = facts.get("card_country")
    if card is not None and card != facts["country"]:
        found.append(("foreign_card", "card-from-elsewhere", 30))
    if price_of(facts) > 1000:
        found.append(("high_amount", "much-money", 20))
    outcomes, rules = (",".join(each[place] for each in found) for place in (0, 1))  # type: ignore[misc]
    return decided(outcomes, rules, {"score": sum(score for *_, score in found)})


DECISIONS: Mapping[str, Callable[[Facts, date], Answer]] = {"refund": refund, "demand": demand, "risk": risk}


def orders(count: int) -> list[dict[str, Any]]:
    """Orders of every kind, one in twenty of which lacks something."""
    rolled = random.Random(7)
    return [_order(rolled, number) for number in range(count)]


def _order(rolled: random.Random, number: int) -> dict[str, Any]:
    bought_on = date(2020, 1, 1) + timedelta(rolled.randrange(2000))
    delivered_on = bought_on + timedelta(rolled.randrange(1, 9))
    asked = datetime.combine(delivered_on + timedelta(rolled.randrange(1, 70)), time(rolled.randrange(24)), BERLIN)
    facts = {
        "order_id": str(number),
        "country": rolled.choice(("AT", "DE", "FR")),
        "bought_on": bought_on.isoformat(),
        "amount": rolled.randrange(200_000) / 100,
        "kind": rolled.choice(("books", "food", "other")),
        "condition": rolled.choice(("sealed", "opened", "damaged")),
        "delivered_on": delivered_on.isoformat(),
        "return_asked_at": asked.isoformat(),
        "spent_last_year": rolled.randrange(400_000) / 100,
        "orders_before": rolled.randrange(4),
        "returns_last_year": rolled.randrange(9),
        "card_country": rolled.choice(("AT", "DE", "FR", "US")),
        "due_on": (AS_OF - timedelta(rolled.randrange(-10, 90))).isoformat(),
        "is_disputed": rolled.random() < 0.1,
    }
    facts["due_on"] = max(facts["due_on"], facts["bought_on"])
    if rolled.random() < 0.3:
        facts["paid_on"] = (AS_OF - timedelta(rolled.randrange(-5, 60))).isoformat()
    for name in ("delivered_on", "spent_last_year", "orders_before", "card_country"):
        if rolled.random() < 0.0125:
            del facts[name]
    return facts


def _answered(engine: Engine, name: str, facts: Facts) -> Answer:
    found = engine.decide(f"shop.{name}", facts, as_of=AS_OF)
    outcome = ",".join(found.outcome) if isinstance(found.outcome, tuple) else found.outcome
    if found.status != "decided":
        return undetermined(*found.missing)
    return decided(str(outcome), ",".join(found.rules), found.values)


def single(engine: Engine, mix: list[dict[str, Any]], rounds: int) -> None:
    """Single decisions, trusted and validated."""
    for name, by_hand in DECISIONS.items():
        for facts in mix:
            assert _answered(engine, name, facts) == by_hand(facts, AS_OF), (name, facts)

        def hand(by_hand: Callable[[Facts, date], Answer] = by_hand) -> None:
            for facts in mix:
                by_hand(facts, AS_OF)

        def ours(decision: str = f"shop.{name}", trusted: bool = True) -> None:
            for facts in mix:
                engine.decide(decision, facts, as_of=AS_OF, trusted=trusted)

        found = in_turns({"by hand": hand, "ours": ours, "validated": lambda: ours(trusted=False)}, rounds)
        _told(name, found, len(mix))


def _told(name: str, found: Mapping[str, list[float]], count: int) -> None:
    for way in found:
        text = f"{name}, {way}: {middle(found, way, count):,.0f} ns, {ratio(found, way, 'by hand'):.2f}x\n"
        sys.stdout.write(text)


def table_by_hand(frame: pl.DataFrame) -> pl.DataFrame:
    """`shop.demand` in columns: outcome, rule and amount; money in cents."""
    rates = [(c, k, s, int(rate * 10)) for (c, k), rows in VAT.items() for s, rate in rows]
    vat = pl.DataFrame(
        rates, schema={"country": pl.String, "kind": pl.String, "since": pl.Date, "rate": pl.Int64}, orient="row"
    )
    joined = frame.with_row_index().sort("bought_on").join_asof(
        vat.sort("since"), left_on="bought_on", right_on="since", by=["country", "kind"], check_sortedness=False
    ).sort("index")  # fmt: skip
    late = (pl.lit(AS_OF) - pl.col("due_on")).dt.total_days()
    amount = pl.col("amount") * (1000 + pl.col("rate"))  # thousandths of a cent
    price = (amount + 500) // 1000
    step = late.cut(list(LETTERS), left_closed=True).to_physical()
    fee = step.replace_strict(range(5), [int(fee * 100) for fee in FEES], return_dtype=pl.Int64)
    interest = (5 * price * pl.max_horizontal(late, 0) * 2 + 36_500) // 73_000
    paid = pl.col("paid_on") <= AS_OF
    words = ["none", "reminder", "first_demand", "last_demand", "collection"]
    rules = ["not-yet", "reminder", "first-demand", "last-demand", "otherwise"]
    letters, ids = pl.Enum(words), pl.Enum([*rules, "paid", "disputed", "not-due"])
    letter = step.replace_strict(range(5), words, return_dtype=letters)
    rule = step.replace_strict(range(5), rules, return_dtype=ids)
    disputed = pl.col("is_disputed").fill_null(value=False)
    is_paid = paid.fill_null(value=False)
    return joined.select(
        pl.when(is_paid | disputed).then(pl.lit("none", dtype=letters)).otherwise(letter).alias("outcome"),
        pl.when(is_paid).then(pl.lit("paid", dtype=ids))
        .when(disputed).then(pl.lit("disputed", dtype=ids))
        .when(late < 0).then(pl.lit("not-due", dtype=ids)).otherwise(rule).alias("rule"),
        pl.when(is_paid).then(0).otherwise(price + fee + interest).alias("owed"),
    )  # fmt: skip


def columns(engine: Engine, count: int, rounds: int) -> None:
    """`shop.demand` over a table of typed columns."""
    ruleset = engine.ruleset("shop", AS_OF)
    program = columnar.prepare(ruleset, {}, AS_OF)
    few = orders(2_000)
    names = ("country", "kind", "bought_on", "amount", "due_on", "paid_on", "is_disputed")
    rows = [{name: facts.get(name) for name in names} for facts in few]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("bought_on", "due_on", "paid_on").str.to_date(), (pl.col("amount") * 100).round().cast(pl.Int64)
    )
    frame = pl.concat([frame] * (count // len(few))).with_row_index(ROW, 1)
    outcome, owed = pl.col("demand.outcome").cast(pl.String), pl.col("demand.values.owed")

    def ours() -> pl.DataFrame:
        return program.answered(frame.lazy(), decisions=["demand"]).collect(engine="streaming")

    found, expected = ours(), table_by_hand(frame)
    assert found.select(outcome).to_series().to_list() == expected["outcome"].cast(pl.String).to_list()
    assert (found.select(owed).to_series() * 100).cast(pl.Int64).to_list() == expected["owed"].to_list()
    _told("demand in columns", in_turns({"by hand": lambda: table_by_hand(frame), "ours": ours}, rounds, WALL), count)


def main() -> None:
    """Check and measure."""
    engine = Engine.load(ROOT / "examples" / "rules", ROOT / "examples" / "schemas")
    single(engine, orders(400), 15)
    columns(engine, 1_000_000, 5)


if __name__ == "__main__":
    main()
