"""Facts as an attack: whatever a caller hands over is decided or refused with `FactsError`, soon, and is not run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from policy_engine import Decision, Engine, FactsError
from tests.conftest import lay_out
from tests.support.hostile import HEAD, record
from tests.support.time_limit import within_two_seconds

DAY = date(2025, 7, 1)
TEXT = {"type": "string"}
FACTS: dict[str, Any] = {
    "n": {"type": "integer", "minimum": 0, "maximum": 100},
    "price": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1000},
    "word": TEXT,
    "place": {"type": "string", "enum": ["here", "there"]},
    "code": {"type": "string", "pattern": "^[a-z]+$"},
    "day": {"type": "string", "format": "date"},
    "history": {"type": "array", "maxItems": 9, "items": record({"x": {"type": "boolean"}})},
    "tags": {"type": "array", "maxItems": 9, "uniqueItems": True, "items": TEXT},
}
READ_ALL = (
    "default(n, 1) > 3 or default(price, 0.5) > 1 or default(word == \"a\", false) or default(code == \"a\", false)"
    " or default(place == \"here\", false) or default(day == as_of, false) or known(tags)"
    " or default(any(default(h.x, false) for h in history), false)"
)  # fmt: skip
BIG = 10_000_000
RAN: list[str] = []


def engine_in(folder: Path, facts: Mapping[str, Any]) -> Engine:
    """An engine with one decision that reads the facts."""
    rules = {**HEAD, "decisions": {"d": {"question": "Q", "values": {"v": READ_ALL}}}}
    lay_out({"rules/a.yaml": json.dumps(rules), "schemas/facts.schema.json": json.dumps(record(facts))}, folder)
    return Engine.load(folder / "rules", folder / "schemas")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine that has decided once."""
    made = engine_in(tmp_path_factory.mktemp("facts"), FACTS)
    made.decide("hostile.d", {"n": 5}, as_of=DAY)
    return made


def ran(name: str) -> Callable[..., Any]:
    """A method that tells that it was run, and fails."""

    def method(self: object, *arguments: object) -> Any:
        RAN.append(name)
        raise SystemError(name)

    return method


METHODS = (
    "eq", "ne", "str", "repr", "bool", "len", "iter", "int", "index", "float", "lt", "gt", "contains", "getitem", "call",
    "format",
)  # fmt: skip
Trap = type("Trap", (), {f"__{name}__": ran(name) for name in METHODS} | {"__hash__": object.__hash__})
"""A thing whose every method fails."""


class Once(Mapping[str, object]):
    """A mapping that gives another value each time it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __getitem__(self, name: str) -> object:
        self.asked += 1
        return self.asked * 50

    def __iter__(self) -> Iterator[str]:
        return iter(["n"])

    def __len__(self) -> int:
        return 1


class Selfish(Once):
    """A mapping that holds one like itself, twice at every level."""

    def __getitem__(self, name: str) -> object:
        return Selfish()

    def __iter__(self) -> Iterator[str]:
        return iter(["n", "word"])


def nested(levels: int, wrap: Callable[[Any], Any]) -> Any:
    """Something wrapped many times."""
    value: Any = 1
    for _ in range(levels):
        value = wrap(value)
    return value


def circle() -> dict[str, Any]:
    """A dictionary that holds itself."""
    facts: dict[str, Any] = {}
    facts["n"] = facts
    return facts


def looped(times: int) -> list[Any]:
    """A list that holds itself so many times."""
    items: list[Any] = []
    items.extend([items] * times)
    return items


REFUSED: Mapping[str, Callable[[], Any]] = {
    "no facts": lambda: None,
    "a text": lambda: "n",
    "a list": lambda: [1],
    "a trap": Trap,
    "a trap as a value": lambda: {"n": Trap()},
    "a trap as a text": lambda: {"word": Trap()},
    "a trap in a list": lambda: {"history": [Trap()]},
    "a trap under a name that is not there": lambda: {"m": Trap()},
    "a trap as a name": lambda: {Trap(): 1},
    "bytes": lambda: {"word": b"a"},
    "a set": lambda: {"tags": {"a"}},
    "a generator": lambda: {"tags": (item for item in "a")},
    "a range without end": lambda: {"tags": range(10**18)},
    "a function": lambda: {"word": len},
    "a class": lambda: {"word": dict},
    "a name that is a number": lambda: {1: 1},
    "a name that is not a number": lambda: {float("nan"): 1},
    "a circle": circle,
    "a circle in a list": lambda: {"history": [circle()]},
    "a list in itself": lambda: {"history": looped(1)},
    "a list twice in itself": lambda: {"history": looped(2)},
    "a list twice in itself under another name": lambda: {"m": looped(2)},
    "mappings without end": Selfish,
    "doubled at each of sixty levels": lambda: nested(60, lambda value: {"n": value, "word": value}),
    "deep mappings": lambda: nested(100_000, lambda value: {"n": value}),
    "deep lists": lambda: {"history": nested(100_000, lambda value: [value])},
    "a long text in place of a number": lambda: {"n": "x" * BIG},
    "a long text that is no match": lambda: {"code": "x" * BIG + "!"},
    "a long text that is none of these": lambda: {"place": "x" * BIG},
    "a long text that is no day": lambda: {"day": "1" * BIG},
    "a long name": lambda: {"x" * BIG: 1},
    "many names": lambda: {f"m{i}": 1 for i in range(100_000)},
    "a long list": lambda: {"history": [{}] * 1_000_000},
    "a long list of wrong things": lambda: {"history": [1] * 100_000},
    "a long list of the same": lambda: {"tags": ["a"] * 100_000},
    "a long list of lists": lambda: {"tags": [[i] for i in range(5_000)]},
    "a number of 400 digits": lambda: {"n": 10**400},
    "a number of a million digits": lambda: {"n": 10**1_000_000},
    "a number of minus a million digits": lambda: {"n": -(10**1_000_000)},
    "a decimal of 100,000 places": lambda: {"price": Decimal("0." + "1" * 100_000)},
    "a decimal of a million places": lambda: {"price": Decimal("0." + "1" * 1_000_000)},
    "a decimal of a huge exponent": lambda: {"price": Decimal("1e999999")},
    "a decimal of a tiny exponent": lambda: {"price": Decimal("1e-999999")},
    "not a number": lambda: {"price": float("nan")},
    "a signalling one": lambda: {"price": Decimal("sNaN")},
    "infinity": lambda: {"n": float("inf")},
    "half a character": lambda: {"word": "\ud800"},
    "half a character in a name": lambda: {"\ud800": 1},
}
DECIDED: Mapping[str, Callable[[], Any]] = {
    "a long text": lambda: {"word": "x" * BIG},
    "a long text that matches": lambda: {"code": "x" * BIG},
    "a nought in a text": lambda: {"word": "\0"},
    "a mapping that changes": Once,
    "nothing": dict,
}
ASK: Mapping[str, Callable[[Engine, Any], Any]] = {
    "decide": lambda engine, facts: engine.decide("hostile.d", facts, as_of=DAY),
    "decide_all": lambda engine, facts: engine.decide_all("hostile", facts, as_of=DAY)["d"],
    "decide_many": lambda engine, facts: next(engine.decide_many("hostile.d", [facts], as_of=DAY)),
    "explain": lambda engine, facts: engine.explain("hostile.d", facts, as_of=DAY).decision,
}


def answer(engine: Engine, how: str, facts: Any) -> Decision | FactsError:
    """The answer, or that the facts are invalid; anything else is an exception that gets out."""
    RAN.clear()
    with within_two_seconds():
        try:
            found = ASK[how](engine, facts)
        except FactsError as error:
            found = error
    assert isinstance(found, Decision | FactsError)
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_facts_are_refused(name: str, engine: Engine) -> None:
    for how in ASK:
        found = answer(engine, how, REFUSED[name]())
        assert isinstance(found, FactsError), how
        assert found.violations
        assert not RAN, how


@pytest.mark.parametrize("name", DECIDED)
def test_what_is_only_strange_is_decided(name: str, engine: Engine) -> None:
    for how in ASK:
        assert isinstance(answer(engine, how, DECIDED[name]()), Decision), how


def test_a_mapping_is_read_once(engine: Engine) -> None:
    facts = Once()
    assert isinstance(answer(engine, "decide", facts), Decision)
    assert facts.asked == 1


class Liar(dict[str, object]):
    """A dictionary that holds what is valid, and says otherwise."""

    def get(self, name: str, default: object = None) -> Any:
        return 10**9 if name == "n" else default

    def __getitem__(self, name: str) -> object:
        return 10**9


def test_what_is_judged_is_what_is_read(tmp_path: Path) -> None:
    engine = engine_in(tmp_path, FACTS)
    assert ASK["decide"](engine, Liar(n=1)).values == ASK["decide"](engine, {"n": 1}).values
