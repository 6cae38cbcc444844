"""Facts that are Python's, NumPy's or pandas' own: taken where the schema says what they mean, else refused with what to give."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import json
import pickle
import re
import uuid
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pydantic
import pytest

from policy_engine import Decision, Engine, FactsError, UnknownDecision
from tests.conftest import lay_out
from tests.test_cli import FILES

np: Any = importlib.import_module("numpy")
pd: Any = importlib.import_module("pandas")
DAY = date(2025, 7, 1)
NOON = datetime(2025, 1, 31, 12, tzinfo=UTC)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "n": {"type": "integer", "minimum": 0, "maximum": 99},
        "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 99},
        "day": {"type": "string", "format": "date"},
        "moment": {"type": "string", "format": "date-time"},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "sure": {"type": "boolean"},
        "kinds": {"type": "array", "items": {"type": "string"}},
    },
}
RULES = """
ruleset: python
title: Facts of Python
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: python
sources: {text: {title: The text}}
decisions:
  d:
    question: Is it so?
    source: text
    outcomes: ["y", "n"]
    values: {n: if_known(n), price: if_known(price), day: if_known(day), moment: if_known(moment), kinds: if_known(kinds)}
    rules:
      - {id: a, when: 'default(kind, "b") == "a"', then: "y", because: "It is {kind}."}
      - {id: sure, when: "default(sure, false)", then: "y", because: "{sure}: it is sure."}
    otherwise: {then: "n", because: It is not so.}
"""


class Text(enum.StrEnum):
    A = "a"


class OldText(str, enum.Enum):  # noqa: UP042 - it reads otherwise in an f-string
    A = "a"


class Plain(enum.Enum):
    A = "a"
    YES = True
    FIVE = 5
    NOTHING = object()


class Number(enum.IntEnum):
    FIVE = 5


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A ruleset with a fact of each type."""
    folder = tmp_path_factory.mktemp("python")
    lay_out({"rules/python.yaml": RULES, "schemas/python.schema.json": json.dumps(SCHEMA)}, folder)
    return Engine.load(folder / "rules", folder / "schemas")


@pytest.mark.parametrize(
    ("name", "given", "plain"),
    [
        ("n", np.int64(5), 5),
        ("n", np.uint8(5), 5),
        ("n", np.float64(5.0), 5),
        ("n", Number.FIVE, 5),
        ("n", Plain.FIVE, 5),
        ("n", Decimal("5.00"), 5),
        ("n", Fraction(10, 2), 5),
        ("price", np.float64(1.1), 1.1),
        ("price", np.float32(1.5), 1.5),
        ("price", np.int32(3), 3),
        ("price", Decimal("1.10"), 1.1),
        ("price", Fraction(5, 4), 1.25),
        ("day", date(2025, 1, 31), "2025-01-31"),
        ("day", datetime(2025, 1, 31), "2025-01-31"),  # noqa: DTZ001 - as pandas writes dates
        ("day", pd.Timestamp("2025-01-31"), "2025-01-31"),
        ("day", np.datetime64("2025-01-31"), "2025-01-31"),
        ("day", np.datetime64("2025-01-31", "ns"), "2025-01-31"),
        ("day", np.str_("2025-01-31"), "2025-01-31"),
        ("moment", NOON, "2025-01-31T12:00:00Z"),
        ("moment", pd.Timestamp(NOON), "2025-01-31T12:00:00Z"),
        ("kind", Text.A, "a"),
        ("kind", OldText.A, "a"),
        ("kind", Plain.A, "a"),
        ("kind", np.str_("a"), "a"),
        ("sure", np.bool_(True), True),
        ("sure", Plain.YES, True),
        ("kinds", [Text.A, Plain.A, np.str_("b")], ["a", "a", "b"]),
        ("kinds", ("a", "b"), ["a", "b"]),
        ("n", None, None),
    ],
)
def test_a4_what_the_schema_says_the_meaning_of_is_taken(
    engine: Engine, name: str, given: object, plain: object
) -> None:
    """The answer is that about plain facts, and holds nothing of the caller's types."""
    asked = [engine.decide("python.d", {name: value}, as_of=DAY) for value in (given, plain)]
    assert asked[0] == asked[1]
    assert asked[0].to_json() == asked[1].to_json()
    assert pickle.dumps(asked[0]) == pickle.dumps(asked[1])
    explained = [engine.explain("python.d", {name: value}, as_of=DAY) for value in (given, plain)]
    assert explained[0] == explained[1]
    assert b"test_python_facts" not in pickle.dumps(explained[0])


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        (
            "day",
            NOON,
            "a Python datetime is not a date; give a datetime.date, such as `value.date()` in the time zone that is meant",
        ),
        ("day", pd.NaT, "a Python NaTType is not a date; give None, or leave the fact out"),
        ("day", np.datetime64("NaT"), "a Python datetime64 is not a JSON value; give None, or leave the fact out"),
        ("moment", DAY, "a Python date is not an instant; give a datetime.datetime with a time zone"),
        (
            "moment",
            pd.Timestamp("2025-01-31 12:00"),
            "a Python Timestamp is not an instant; it has no time zone; give one, such as with `value.replace(tzinfo=...)`",
        ),
        ("n", pd.NA, "a Python NAType is not a JSON value; give None, or leave the fact out"),
        ("n", object(), "a Python object is not a JSON value; give an int"),
        ("n", 1j, "a Python complex is not a JSON value; give an int"),
        ("n", np.timedelta64(5, "D"), "a Python timedelta64 is not a JSON value; give a number of days"),
        ("n", timedelta(5), "a Python timedelta is not a JSON value; give a number, such as `value.days`"),
        ("n", Plain.NOTHING, "a Python object is not a JSON value; give an int"),
        (
            "price",
            Fraction(1, 3),
            "a Python Fraction is not a JSON value; no decimal has exactly this value; give a decimal.Decimal",
        ),
        ("price", object(), "a Python object is not a JSON value; give an int or a decimal.Decimal"),
        ("kind", uuid.UUID(int=0), "a Python UUID is not a JSON value; give a text: `str(value)`"),
        ("kind", b"a", "a Python bytes is not a JSON value; give a text: `value.decode()`"),
        ("kind", object(), "a Python object is not a JSON value; give a str"),
        ("sure", object(), "a Python object is not a JSON value; give a bool"),
        ("kinds", {"a"}, "a Python set is not a JSON value; give a list: `sorted(value)`"),
        ("kinds", np.array(["a"]), "a Python ndarray is not a JSON value; give a list: `value.tolist()`"),
        ("kinds", pd.Series(["a"]), "a Python Series is not a JSON value; give a list: `value.tolist()`"),
    ],
)
def test_a4_others_are_refused_with_what_to_give(engine: Engine, name: str, given: object, told: str) -> None:
    for ask in (engine.decide, engine.explain):
        with pytest.raises(FactsError) as caught:
            ask("python.d", {name: given}, as_of=DAY)
        assert [violation.message for violation in caught.value.violations] == [told]
        assert pickle.loads(pickle.dumps(caught.value)) == caught.value


def test_a4_rows_of_a_frame_are_facts(engine: Engine) -> None:
    frame = pd.DataFrame({"n": [5, 6], "day": pd.to_datetime(["2025-01-31", "2025-02-01"]), "kind": ["a", "b"]})
    answers = list(engine.decide_many("python.d", frame.to_dict("records"), as_of=DAY))
    assert [getattr(answer, "values", {}).get("day") for answer in answers] == [date(2025, 1, 31), date(2025, 2, 1)]
    (row,) = engine.decide_many("python.d", [OrderedDict(frame.iloc[0])], as_of=DAY)
    assert row == answers[0]


@pytest.mark.parametrize(
    ("only", "told"),
    [
        (["pyhton"], "there is no ruleset `pyhton`; did you mean `python`?"),
        ("pyhton", "there is no ruleset `pyhton`; did you mean `python`?"),
        (["python", "zzz"], "there is no ruleset `zzz`; there is python"),
    ],
)
def test_a4_a_misspelt_ruleset_is_suggested(tmp_path: Path, only: Any, told: str) -> None:
    lay_out({"rules/python.yaml": RULES, "schemas/python.schema.json": json.dumps(SCHEMA)}, tmp_path)
    with pytest.raises(UnknownDecision) as caught:
        Engine.load(tmp_path / "rules", tmp_path / "schemas", only=only)
    assert str(caught.value) == told
    assert Engine.load(tmp_path / "rules", tmp_path / "schemas", only="python").rulebook.rulesets[0].id == "python"


def test_a4_every_error_of_decide_is_documented() -> None:
    assert Engine.decide.__doc__ is not None
    for name in ("FactsError", "UnknownDecision", "NotInForce", "UnknownReading", "TypeError", "EngineFault"):
        assert f"`{name}`" in Engine.decide.__doc__


@pytest.mark.parametrize(
    ("question", "more", "told"),
    [
        (3, {}, "a question must be a text such as `ruleset.decision`, not int"),
        (None, {}, "a question must be a text such as `ruleset.decision`, not NoneType"),
        ("orders.shipping", {"readings": [1]}, "readings must be a mapping of names to choices, not list"),
        ("orders.shipping", {"readings": "a=b"}, "readings must be a mapping of names to choices, not str"),
        ("orders.shipping", {"as_of": "2025-01-01"}, "as_of must be a datetime.date without a time, not str"),
    ],
)
def test_a4_arguments_of_another_type_are_refused_by_name(
    tmp_path: Path, question: Any, more: dict[str, Any], told: str
) -> None:
    lay_out(FILES, tmp_path)
    engine = Engine.load(tmp_path / "rules", tmp_path / "schemas")
    for ask in (engine.decide, engine.explain):
        with pytest.raises(TypeError, match=re.escape(told)):
            ask(question, {"price": 50}, **{"as_of": date(2025, 7, 1), **more})


NESTED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["customer", "lines"],
    "properties": {
        "customer": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"since": {"type": "string", "format": "date"}, "name": {"type": "string"}},
        },
        "lines": {
            "type": "array",
            "maxItems": 9,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["price"],
                "properties": {
                    "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 99},
                    "at": {"type": "string", "format": "date-time"},
                },
            },
        },
    },
}
ORDER_RULES = """
ruleset: order
title: Orders
version: "1"
effective: {from: 2020-01-01}
timezone: UTC
facts: order
sources: {text: {title: The text}}
decisions:
  total:
    question: What does it cost?
    source: text
    values:
      price: sum(line.price for line in lines)
      since: if_known(customer.since)
      latest: if_known(max(line.at for line in lines if known(line.at)))
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    price: Decimal
    at: datetime | None = None


@dataclasses.dataclass
class Customer:
    since: date
    name: str | None = None


@dataclasses.dataclass
class Order:
    customer: Customer
    lines: list[Line]


class LineModel(pydantic.BaseModel):
    price: Decimal
    at: datetime | None = None


class CustomerModel(pydantic.BaseModel, extra="allow"):
    since: date
    name: str | None = None


class OrderModel(pydantic.BaseModel):
    customer: CustomerModel
    lines: tuple[LineModel, ...]


PLAIN_ORDER = {
    "customer": {"since": "2025-01-31"},
    "lines": [{"price": 1.1, "at": "2025-01-31T12:00:00Z"}, {"price": 2}],
}
LINES = [Line(Decimal("1.10"), NOON), Line(Decimal(2))]
MODELS = (LineModel(price=Decimal("1.1"), at=NOON), LineModel(price=Decimal(2)))
ORDERS = {
    "dataclasses": Order(Customer(date(2025, 1, 31)), LINES),
    "models": OrderModel(customer=CustomerModel(since=date(2025, 1, 31)), lines=MODELS),
    "mixed": {"customer": CustomerModel(since=date(2025, 1, 31)), "lines": LINES},
}


@pytest.fixture(scope="module")
def orders() -> Engine:
    """A ruleset over records in records and in lists."""
    return Engine.from_text({"order": ORDER_RULES}, {"order": json.dumps(NESTED)})


@pytest.mark.parametrize("form", ORDERS)
def test_dataclasses_and_models_are_facts_and_records(orders: Engine, form: str) -> None:
    given: Any = ORDERS[form]
    for ask in (orders.decide, orders.explain):
        assert ask("order.total", given, as_of=DAY) == ask("order.total", PLAIN_ORDER, as_of=DAY)
    assert orders.decide_all("order", given, as_of=DAY) == orders.decide_all("order", PLAIN_ORDER, as_of=DAY)
    assert orders.validate("order", given, as_of=DAY) == ()
    (answer,) = orders.decide_many("order.total", [given], as_of=DAY)
    assert answer == orders.decide("order.total", given, as_of=DAY, trusted=True)
    assert isinstance(answer, Decision)
    assert answer.values == {"price": Decimal("3.10"), "since": date(2025, 1, 31), "latest": NOON}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (Order(Customer(NOON), LINES), [("/customer/since", "a Python datetime is not a date")]),
        (Order(Customer(DAY), [Line(Decimal("1.001"))]), [("/lines/0/price", "1.001 is not a multiple of 0.01")]),
        (
            OrderModel(customer=CustomerModel.model_validate({"since": DAY, "colour": "red"}), lines=()),
            [("/customer", "there is no fact `colour`")],
        ),
        (
            Line(Decimal(1)),
            [("", "there is no fact `price`"), ("", "`customer` is missing"), ("", "`lines` is missing")],
        ),
        (Order, [("", "facts are an object, not a Python type")]),
    ],
)
def test_what_is_wrong_in_dataclasses_and_models_is_told_at_its_place(
    orders: Engine, given: Any, told: list[tuple[str, str]]
) -> None:
    found = orders.validate("order", given, as_of=DAY)
    assert [(each.pointer, each.message.split(";")[0]) for each in found] == told


def test_one_dataclass_is_not_many(orders: Engine) -> None:
    given: Any = ORDERS["models"]
    with pytest.raises(TypeError, match=re.escape("not of one; call decide, or give [facts]")):
        orders.decide_many("order.total", given, as_of=DAY)
