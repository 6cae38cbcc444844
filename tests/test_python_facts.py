"""Facts that are Python's, NumPy's or pandas' own: taken where the schema says what they mean, else refused with what to give."""

from __future__ import annotations

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

import pytest

from policy_engine import Engine, FactsError, UnknownDecision
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
