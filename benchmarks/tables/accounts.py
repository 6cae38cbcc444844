"""Invented accounts at any number, of five kinds: each batch becomes a frame of the columns that the kind's schema names.

About 5 % of the rows lack a fact that the answer needs, and 1 % are invalid, each in one way. Distributions are skewed: recent
days, a few roles and a few activities are what most rows are about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import polars as pl

from benchmarks.by_hand import CELLS, COLUMNS
from benchmarks.tables.draw import Draw, Integers, Truths
from benchmarks.tables.words import ACTING_IN, ACTORS, AS_OF, CATEGORIES, NEW_YORK, PARTNER_TYPES, ROLES, STATUSES

TODAY = (AS_OF - date(1970, 1, 1)).days
INVALID, NOT_KNOWN = 0.01, 0.055
Columns = dict[str, pl.Series]
Make = Callable[[Draw], pl.DataFrame]


def account_moves(draw: Draw) -> pl.DataFrame:
    """Moves under a partnership, their days as dates and instants: schemas/account_move.schema.json."""
    moved = TODAY + 20 - draw.between("moved", 0, 1_500, skew=2)
    soon = draw.chance("deployed soon", 0.4)
    deployed = moved - np.where(soon, draw.between("soon", 0, 90), draw.between("late", 90, 2_000, skew=2))
    converted = moved - draw.between("converted", -40, 200)
    is_known, has_converted = ~draw.chance("move not known", NOT_KNOWN), draw.chance("has converted", 0.8)
    wrong = _wrong(draw, 6)
    deployed = np.where(wrong == 3, moved + 1, deployed)
    managed = draw.chance("managed", 0.4)
    columns = {
        "account_id": _where(wrong == 5, _keys(draw, "AC"), "A" * 65),
        "destination_category": _broken(_words(CATEGORIES, managed), wrong, 0, "Managed", 1),
        **_day("move_effective", draw, moved, (is_known | (wrong == 3), wrong == 4)),
        **_day("customer_conversion", draw, converted, (has_converted, wrong == 6)),
        **_day("partner_deployment", draw, deployed, (wrong != 2, wrong == 6)),
        "enrolled_in_single_bill": _truth(
            draw.chance("single bill", 0.4), managed & draw.chance("single bill told", 0.6)
        ),
    }
    return pl.DataFrame(columns)


def account_move_texts(draw: Draw) -> pl.DataFrame:
    """The same moves with every day and instant as an ISO text, some of them malformed."""
    moves, wrong = account_moves(draw), _wrong(draw, 3, "wrong texts", 0.003)
    days, instants = pl.selectors.date(), pl.selectors.datetime()
    texts = moves.with_columns(days.dt.to_string(), instants.dt.convert_time_zone(NEW_YORK).dt.to_string("%FT%T%:z"))
    moved = _broken(_broken(texts["move_effective_date"], wrong, 0, "2025-02-30"), wrong, 1, "03/14/2025")
    deployed = _broken(texts["partner_deployment_at"], wrong, 2, "2021-05-17T09:30:00")
    return texts.with_columns(moved, deployed)


def client_limits(draw: Draw) -> pl.DataFrame:
    """Clients and their limits on e-mail: schemas/client_limits.schema.json."""
    wrong = _wrong(draw, 4)
    role = _words(ROLES, draw.index("role", (60, 14, 10, 8, 5, 3)))
    limit, allowance = (np.rint(10 ** (2 + 5 * draw.unit(what))).astype(np.int64) for what in ("limit", "allowance"))
    columns = {
        "account_id": _keys(draw, "CL"),
        "client_pays_via_billing_platform": _truth(draw.chance("pays", 0.35), wrong != 0),
        "agency_uses_billing_platform": _truth(draw.chance("uses", 0.6), draw.chance("uses told", 0.9)),
        "user_role": _broken(_known(role, ~draw.chance("role not known", 0.08)), wrong, 1, "admin"),
        "email_limit": _where(wrong == 2, _known(pl.Series(limit), draw.chance("has limit", 0.3)), -1),
        "email_allowance": _where(
            wrong == 3, _known(pl.Series(allowance), draw.chance("has allowance", 0.2)), 2_000_000_000
        ),
    }
    return pl.DataFrame(columns)


ACTIVITIES = tuple(CELLS)


def role_questions(draw: Draw) -> pl.DataFrame:
    """Questions about a user's rights: schemas/role_question.schema.json."""
    wrong = _wrong(draw, 3)
    role = _known(_words(COLUMNS, draw.index("role", (30, 40, 20, 10))), ~draw.chance("role not known", 0.03))
    activity = _words(ACTIVITIES, draw.index("activity", [1 / (place + 3) for place in range(len(ACTIVITIES))]))
    columns = {
        "question_id": _keys(draw, "RQ"),
        "role": _broken(role, wrong, 0, "owner"),
        "activity": _broken(activity, wrong, 1, "anything"),
        "acting_in": _broken(_words(ACTING_IN, draw.index("acting in", (25, 25, 50))), wrong, None, None, 2),
        "billing_scope_is_single_bill": _truth(draw.chance("single bill", 0.5), draw.chance("billing told", 0.7)),
        "partner_type": _known(_words(PARTNER_TYPES, draw.chance("reseller", 0.3)), draw.chance("type told", 0.8)),
    }
    return pl.DataFrame(columns)


NEXT_STATUS = np.array([[1, 1, 1, 2], [2, 2, 3, 3], [1, 1, 3, 4], [1, 2, 4, 4], [3, 2, 1, 1]])
LONGEST = 6


def senders(draw: Draw) -> pl.DataFrame:
    """Clients as senders with histories of 1 to 6 entries, one in ten out of order: schemas/sender.schema.json."""
    wrong = _wrong(draw, 4)
    access = draw.index("access", (77, 8, 15))
    columns = {
        "account_id": _keys(draw, "CL"),
        "sender_status_history": _known(_histories(draw, wrong), wrong != 3),
        "actor": _broken(_words(ACTORS, draw.index("actor", (84, 8, 8))), wrong, 0, "administrator"),
        "has_access_to_client": _truth(access == 0, access < 2),
        "suppression_is_off": _truth(draw.chance("off", 0.4), draw.chance("off told", 0.9)),
    }
    return pl.DataFrame(columns)


def _histories(draw: Draw, wrong: Integers) -> pl.Series:
    length = 1 + draw.index("length", (18, 24, 22, 16, 12, 8))
    status = np.array([0, 0, 1, 2])[draw.between("first status", 0, 3)]
    since = TODAY - draw.between("first day", 0, 150) * length
    days, statuses = [], []
    for place in range(LONGEST):
        days.append(since)
        statuses.append(status)
        step = draw.between(f"step {place}", 0, 120)
        since, status = since + step, NEXT_STATUS[status, draw.between(f"next {place}", 0, 3)]
    is_first = np.tile(np.arange(LONGEST) == 0, draw.count)
    mistake = np.where(is_first, np.repeat(wrong, LONGEST), -1)
    names = _broken(_words(STATUSES, np.stack(statuses, 1).ravel()), mistake, 1, "Good")
    dates = _known(pl.Series(np.stack(days, 1).ravel()).cast(pl.Date), mistake != 2)
    return _lists({"since": dates, "status": names}, length, draw.chance("turned", 0.1))


def _lists(members: Columns, length: Integers, is_turned: Truths) -> pl.Series:
    """Lists of records from their members laid end to end, cut to their lengths, some of them in reverse order."""
    records = pl.DataFrame(members).to_struct("lists").reshape((len(length), -1)).arr.to_list()
    frame = pl.DataFrame([records, pl.Series("length", length), pl.Series("turned", is_turned)])
    cut = pl.col("lists").list.head("length")
    return frame.select(pl.when("turned").then(cut.list.reverse()).otherwise(cut)).to_series()


RESULTS = ("failed", "succeeded", "submitted")
MOST_ATTEMPTS = 4


def charges(draw: Draw) -> pl.DataFrame:
    """Charges with 0 to 4 attempts to collect them: schemas/charge.schema.json."""
    wrong, billed = _wrong(draw, 3), TODAY + 5 - draw.between("billed", 0, 700, skew=3)
    has_paid_out = draw.chance("paid out", 0.4)
    columns = {
        "charge_id": _keys(draw, "CH"),
        "billing_date": _known(pl.Series(billed).cast(pl.Date), ~draw.chance("no billing date", NOT_KNOWN)),
        "opted_out_of_platform_billing": _truth(draw.chance("opted out", 0.06), wrong != 0),
        "payment_method": _broken(
            _words(("card", "ach", "sepa", "none"), draw.index("method", (70, 20, 6, 4))), wrong, 1, "cash"
        ),
        "attempts": _attempts(draw, billed, wrong),
        "payout_made": _truth(has_paid_out, draw.chance("payout told", 0.8)),
        "payout_date": _known(pl.Series(billed + 9).cast(pl.Date), has_paid_out),
    }
    return pl.DataFrame(columns)


def _attempts(draw: Draw, billed: Integers, wrong: Integers) -> pl.Series:
    result = draw_many(draw, "result", lambda what: draw.index(what, (30, 60, 10)))
    day = draw_many(draw, "day", lambda what: billed + 7 * int(what[-1]))
    known = day + draw_many(draw, "known", lambda what: draw.between(what, 0, 6))
    is_first = np.tile(np.arange(MOST_ATTEMPTS) == 0, draw.count)
    mistake = np.where(is_first, np.repeat(wrong, MOST_ATTEMPTS), -1)
    members = {
        "date": pl.Series(day).cast(pl.Date),
        "result": _broken(_words(RESULTS, result), mistake, 2, "lost"),
        "known_on": _known(pl.Series(known).cast(pl.Date), result == 0),
    }
    length = np.where(wrong == 2, 1, draw.index("attempts", (8, 62, 16, 10, 4)))
    return _lists(members, length, draw.chance("turned", 0.1))


def draw_many(draw: Draw, what: str, one: Callable[[str], Integers]) -> Integers:
    """Draw for every attempt of every charge, laid end to end."""
    return np.stack([one(f"{what} {place}") for place in range(MOST_ATTEMPTS)], 1).ravel()


KINDS: Mapping[str, Make] = {
    "account_moves": account_moves,
    "account_move_texts": account_move_texts,
    "client_limits": client_limits,
    "role_questions": role_questions,
    "senders": senders,
    "charges": charges,
}


def _keys(draw: Draw, prefix: str) -> pl.Series:
    return pl.Series(draw.numbers + 1).cast(pl.String).str.zfill(8).str.pad_start(9, "-").str.replace("^", prefix)


def _wrong(draw: Draw, kinds: int, what: str = "wrong", share: float = INVALID) -> Integers:
    """The kind of mistake in each row, or -1."""
    return np.where(draw.chance(what, share), draw.between(f"{what} how", 0, kinds - 1), -1)


def _day(name: str, draw: Draw, day: Integers, known: tuple[Truths, Truths]) -> Columns:
    """A day as a date, seldom as an instant, most seldom as both; where it is to disagree both, a day apart."""
    is_known, disagrees = known
    form = np.where(disagrees, 2, draw.index(f"{name} form", (75, 20, 5)))
    seconds = 3_600 * draw.between(f"{name} hour", 4, 23) + 60 * draw.between(f"{name} minute", 0, 59)
    local = pl.Series((day + disagrees) * 86_400 + seconds).cast(pl.Int64) * 1_000_000
    instant = _known(local, is_known & (form > 0)).cast(pl.Datetime("us")).dt.replace_time_zone(NEW_YORK)
    dates = _known(pl.Series(day).cast(pl.Date), is_known & (form != 1))
    return {f"{name}_date": dates, f"{name}_at": instant.dt.convert_time_zone("UTC")}


def _words(words: tuple[str, ...], place: Integers | Truths) -> pl.Series:
    return pl.Series(words).gather(pl.Series(place.astype(np.uint32)))


def _known(series: pl.Series, known: Truths) -> pl.Series:
    """The series, null where it is not known."""
    return series.zip_with(pl.Series(known), pl.Series([None], dtype=series.dtype))


def _truth(truth: Truths, known: Truths) -> pl.Series:
    return _known(pl.Series(truth), known)


def _where(rows: Truths, series: pl.Series, other: str | int | None) -> pl.Series:
    """The series, with another value in some rows."""
    return series.zip_with(pl.Series(~rows), pl.Series([other], dtype=series.dtype)).alias(series.name)


def _broken(
    words: pl.Series, wrong: Integers, kind: int | None, other: str | None, none: int | None = None
) -> pl.Series:
    """The words with a wrong one where the mistake is `kind`, and with nothing where it is `none`."""
    broken = words if kind is None else _where(wrong == kind, words, other)
    return broken if none is None else _where(wrong == none, broken, None)
