"""(C13) The same digest, the same bytes: rules and schemas that differ only in what no digest covers give the same answers."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from policy_engine import Engine, FactsError
from tests.conftest import lay_out

DAY = date(2025, 6, 1)


class Plain(str):
    """A scalar that stands without quotes: a number, or true and false."""

    __slots__ = ()


RULES: dict[str, Any] = {
    "ruleset": "fees",
    "title": "What a parcel costs",
    "version": "1",
    "effective": {"from": "2025-01-01"},
    "timezone": "UTC",
    "facts": "parcel",
    "sources": {
        "list": {"title": "Price list", "url": "https://example.com/list", "updated": "2025-01-01"},
        "memo": {"title": "Memo", "url": "https://example.com/memo", "updated": "2025-01-01"},
    },
    "parameters": {
        "base": {"value": Plain("4.90"), "source": "list", "meaning": "The least price"},
        "heavy": {"value": Plain("10"), "source": "memo", "meaning": "From here on a parcel is heavy"},
    },
    "definitions": {"is_heavy": "weight >= heavy", "is_far": "zone == 'c' or zone == 'b'"},
    "decisions": {
        "price": {
            "question": "What does it cost?",
            "outcomes": ["cheap", "dear"],
            "source": "list",
            "rules": [
                {
                    "id": "dear-parcel",
                    "when": {"all": ["is_heavy", "is_far", "worth > base"]},
                    "then": "dear",
                    "because": "It weighs {weight}, is worth {worth} and costs at least {base}.",
                }
            ],
            "otherwise": {"then": "cheap", "because": "The least price is {base}."},
            "values": {"least": "base", "twice": "base * 2", "worth_of_it": "worth"},
        }
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": Plain("false"),
    "required": ["zone"],
    "properties": {
        "weight": {"type": "integer", "minimum": Plain("0"), "maximum": Plain("30"), "description": "In kilograms"},
        "zone": {"type": "string", "enum": ["a", "b", "c"]},
        "worth": {
            "type": "number",
            "multipleOf": Plain("0.10"),
            "minimum": Plain("0"),
            "maximum": Plain("99.50"),
            "description": "In euros",
        },
    },
}
FACTS: tuple[dict[str, Any], ...] = (
    {"zone": "a"},
    {"zone": "c"},
    {"zone": "b", "weight": 12},
    {"zone": "b", "weight": 12, "worth": 50.1},
    {"zone": "b", "weight": 12, "worth": 4.9},
    {"zone": "d", "weight": 31, "worth": 0.05},
    {"weight": "x", "worth": 99.6, "colour": "red"},
)


class Written(NamedTuple):
    """A rule file and a schema as texts."""

    rules: str
    schema: str


def written(rules: Any = RULES, schema: Any = SCHEMA, draw: random.Random | None = None) -> Written:
    """The texts; with `draw` in any layout, with comments in the rules, and texts in either kind of quotes."""
    return Written("".join(_yaml(rules, draw)) + "\n", "".join(_json(schema, draw)))


def _yaml(node: Any, draw: random.Random | None) -> Iterator[str]:
    space = "" if draw is None else draw.choice(["", " ", "\n  ", "  # a word\n   "])
    match node:
        case dict():
            pairs = [f'"{name}": {"".join(_yaml(value, draw))}' for name, value in node.items()]
            yield f"{{{space} {', '.join(pairs)}{space} }}"
        case list():
            yield f"[{space} {', '.join(''.join(_yaml(value, draw)) for value in node)}{space} ]"
        case Plain():
            yield str(node)
        case str() if draw is not None and draw.random() < 0.5:
            yield "'" + node.replace("'", "''") + "'"
        case _:
            yield json.dumps(node)


def _json(node: Any, draw: random.Random | None) -> Iterator[str]:
    space = "" if draw is None else draw.choice(["", " ", "\n\t"])
    match node:
        case dict():
            pairs = [f'"{name}":{space}{"".join(_json(value, draw))}' for name, value in node.items()]
            yield f"{{{space}{','.join(pairs)}}}"
        case list():
            yield f"[{space}{','.join(''.join(_json(value, draw)) for value in node)}]"
        case Plain():
            yield str(node)
        case _:
            yield json.dumps(node)


def asked(texts: Written, folder: Path) -> tuple[str, str]:
    """The digest, and all that is answered, as bytes; without the digest itself and the places of rules in their file."""
    lay_out({"rules/a.yaml": texts.rules, "schemas/parcel.schema.json": texts.schema}, folder)
    engine = Engine.load(folder / "rules", folder / "schemas")
    digest = engine.ruleset("fees", DAY).digest
    told = [part for facts in FACTS for part in _answers(engine, facts)]
    return digest, json.dumps(told).replace(digest, "DIGEST")


def _answers(engine: Engine, facts: dict[str, Any]) -> Iterator[object]:
    try:
        yield engine.decide("fees.price", facts, as_of=DAY).to_dict()
        yield _without_places(engine.explain("fees.price", facts, as_of=DAY).to_dict())
    except FactsError as error:
        yield [violation.to_dict() for violation in error.violations]


def _without_places(told: Any) -> Any:
    match told:
        case dict():
            return {name: _without_places(part) for name, part in told.items() if name != "place"}
        case list():
            return [*map(_without_places, told)]
        case _:
            return told


def changed(node: Any, draw: random.Random) -> Any:
    """The same in another order, or a number in another spelling, somewhere."""
    match node:
        case dict() if len(node) > 1 and draw.random() < 0.4:
            names = list(node)
            draw.shuffle(names)
            return {name: node[name] for name in names}
        case dict():
            name = draw.choice(list(node))
            return {**node, name: changed(node[name], draw)}
        case list():
            at = draw.randrange(len(node))
            return [*node[:at], changed(node[at], draw), *node[at + 1 :]]
        case Plain() if str(node)[0].isdigit():
            return Plain(f"{node}0" if "." in node else f"{node}.0")
        case _:
            return node


@pytest.mark.parametrize("seed", range(40))
def test_c13_the_same_digest_the_same_bytes(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    rules, schema = RULES, SCHEMA
    if seed % 2:
        rules, schema = changed(RULES, draw), changed(SCHEMA, draw)
    digest, told = asked(written(), tmp_path / "before")
    other, told_by_other = asked(written(rules, schema, draw), tmp_path / "after")
    is_same = written(rules, schema) == written()
    assert (other == digest) == is_same
    assert not is_same or told_by_other == told


def _with(document: dict[str, Any], path: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    name, _, below = path.partition(".")
    return {**document, name: _with(document[name], below, change) if below else change(document[name])}


def _turned(node: dict[str, Any]) -> dict[str, Any]:
    return dict(reversed(node.items()))


COVERED: dict[str, tuple[Any, Any]] = {
    "the order of facts, in which missing ones are told": (RULES, _with(SCHEMA, "properties", _turned)),
    "the order of values": (_with(RULES, "decisions.price.values", _turned), SCHEMA),
    "a price of 4.9 for 4.90": (_with(RULES, "parameters.base.value", lambda _: Plain("4.9")), SCHEMA),
    "a step of 0.1 for 0.10": (RULES, _with(SCHEMA, "properties.worth.multipleOf", lambda _: Plain("0.1"))),
    "a bound of 99.5 for 99.50": (RULES, _with(SCHEMA, "properties.worth.maximum", lambda _: Plain("99.5"))),
    "the order of listed values": (RULES, _with(SCHEMA, "properties.zone.enum", lambda listed: listed[::-1])),
    "the order of keywords": (RULES, _with(SCHEMA, "properties.worth", _turned)),
}


@pytest.mark.parametrize("name", COVERED)
def test_c13_what_shows_in_an_answer_is_covered(name: str, tmp_path: Path) -> None:
    before, after = asked(written(), tmp_path / "before"), asked(written(*COVERED[name]), tmp_path / "after")
    assert before[0] != after[0]


SHOWS = (
    "the order of facts, in which missing ones are told",
    "the order of values",
    "a step of 0.1 for 0.10",
    "a bound of 99.5 for 99.50",
    "the order of listed values",
)


@pytest.mark.parametrize("name", SHOWS)
def test_c13_these_do_show_in_an_answer(name: str, tmp_path: Path) -> None:
    before, after = asked(written(), tmp_path / "before"), asked(written(*COVERED[name]), tmp_path / "after")
    assert before[1] != after[1]


def test_c13_a_text_is_not_the_number_that_it_spells(tmp_path: Path) -> None:
    answers = {}
    for name, value in (("text", "4.90"), ("number", Plain("4.90"))):
        values = {"question": "Q", "source": "list", "values": {"least": "base", "heaviest": "heavy"}}
        parameters = {**RULES["parameters"], "base": {**RULES["parameters"]["base"], "value": value}}
        rules = {**RULES, "parameters": parameters, "definitions": {}, "decisions": {"price": values}}
        answers[name] = asked(written(rules), tmp_path / name)
    assert answers["text"][0] != answers["number"][0]
