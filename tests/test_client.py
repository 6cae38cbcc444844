"""The Python client against the running service: it tells what `Engine.decide` tells, and says what is wrong where it cannot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from inspect import signature
from pathlib import Path

import pytest

from fixtures.samples import SAMPLES, Sample
from policy_engine import Decision
from policy_engine.client import (
    Answer,
    Answered,
    AsyncClient,
    Client,
    Forbidden,
    InvalidFacts,
    NoAnswer,
    NotInForce,
    Question,
    Refused,
    ServiceError,
    UnknownCaller,
    UnknownDecision,
    UnknownReading,
)
from policy_engine.errors import FactsError, PolicyError
from policy_engine.language.values import to_json
from policy_engine.service.keys import add_key
from tests.conftest import ROOT
from tests.support.rulebook import shipped
from tests.support.served import Server, serving, some_rules
from tests.test_service_callers import SERVICES_EXPLAIN

DAY = date(2025, 6, 30)
SHARE = "partner_earnings.revenue_share"
MOVE = {
    "destination_category": "referred",
    "move_effective_date": date(2025, 3, 20),
    "customer_conversion_date": date(2025, 1, 19),
    "partner_deployment_date": date(2022, 9, 1),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(address(server)) as made:
        yield made


def require_same(answer: Answer, decision: Decision) -> None:
    """Fail unless an answer tells what a decision tells."""
    for name in ("decision", "status", "outcome", "rules", "reason", "sources", "readings", "missing", "as_of"):
        assert getattr(answer, name) == getattr(decision, name), name
    for name in ("id", "version", "digest"):
        assert getattr(answer.ruleset, name) == getattr(decision.ruleset, name), name
    told = {name: to_json(value) for name, value in decision.values.items()}
    assert answer.values == {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}


def facts_of(sample: Sample) -> Iterator[dict[str, object]]:
    for line in (ROOT / "fixtures" / sample.file).read_text("utf-8").splitlines():
        yield json.loads(line, parse_float=Decimal)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.file)
def test_every_fixture_has_the_answers_of_the_engine(client: Client, sample: Sample) -> None:
    for told in client.batch(Question(sample.ruleset, facts, DAY) for facts in facts_of(sample)):
        try:
            expected = shipped().decide_all(sample.ruleset, told.question.facts, as_of=DAY)
        except FactsError as error:
            assert isinstance(told.error, InvalidFacts)
            named = [(each.pointer, each.keyword, each.message) for each in error.violations]
            assert [(each.pointer, each.keyword, each.message) for each in told.error.violations] == named
            continue
        assert told.error is None
        assert list(told.answers) == list(expected)
        for name, decision in expected.items():
            require_same(told.answers[name], decision)


def test_one_decision(client: Client) -> None:
    answer = client.decide(SHARE, MOVE, as_of=DAY)
    require_same(answer, shipped().decide(SHARE, MOVE, as_of=DAY))
    assert (answer.outcome, answer.explanation, answer.trace) == ("eligible", None, None)


def test_all_decisions_of_a_ruleset(client: Client) -> None:
    answers = client.decide_all("partner_earnings", MOVE, as_of=DAY)
    expected = shipped().decide_all("partner_earnings", MOVE, as_of=DAY)
    assert list(answers) == list(expected)
    for name, decision in expected.items():
        require_same(answers[name], decision)


def test_readings_are_switched(client: Client) -> None:
    answer = client.decide(SHARE, MOVE, as_of=DAY, readings={"day_60": "does_not_count"})
    assert answer.outcome == "not_eligible"
    assert answer.readings is not None
    assert answer.readings["day_60"] == "does_not_count"


def test_how_much_is_told(server: Server, client: Client) -> None:
    short = client.decide(SHARE, MOVE, as_of=DAY, explain="none")
    assert (short.outcome, short.reason, short.sources, short.readings) == ("eligible", None, None, None)
    long = client.decide(SHARE, MOVE, as_of=DAY, explain="trace")
    body = Question(SHARE, MOVE, DAY, explain="trace").body()
    assert long.trace == server.ask("POST", "/v1/decisions/partner_earnings/revenue_share", body).json["trace"]


def test_what_a_reader_is_told(client: Client) -> None:
    customer = client.decide(SHARE, MOVE, as_of=DAY, reader="customer")
    assert (customer.outcome, customer.rules, customer.values, customer.missing) == ("eligible", None, None, None)
    assert customer.explanation is not None
    assert customer.explanation[0].lines[-1].text == "The account moved 60 days after the conversion; 60 are allowed."
    agent = client.decide(SHARE, MOVE, as_of=DAY, reader="agent")
    assert agent.explanation is not None
    assert "What decided" in [section.heading for section in agent.explanation]


def test_an_answer_carries_the_id_of_its_request(client: Client) -> None:
    one = client.decide(SHARE, MOVE, as_of=DAY, request_id="mine-7")
    other = client.decide(SHARE, MOVE, as_of=DAY)
    assert one.request_id == "mine-7"
    assert other.request_id not in ("", "mine-7")
    assert one == other


def test_rulesets_and_readiness(client: Client) -> None:
    told = {each.id: each for each in client.rulesets()}
    assert list(told) == list(dict.fromkeys(ruleset.id for ruleset in shipped().rulesets))
    roles = told["user_roles"]
    assert roles.decisions == {"permission": "May a user with this role do this in this account?"}
    periods = [(each.version, each.start, each.end) for each in roles.versions]
    assert periods == [
        ("2025-03-14", date(2022, 1, 1), date(2025, 7, 24)),
        ("2025-07-24", date(2025, 7, 24), None),
    ]
    assert client.ruleset("user_roles")["versions"][1]["digest"] == roles.versions[1].digest
    ready = client.ready()
    assert (ready.epoch, ready.rulesets, ready.reload_refused, ready.faults) == (1, len(told), False, ())


@pytest.mark.parametrize(
    ("decision", "facts", "day", "readings", "kind", "says"),
    [
        (SHARE, {}, DAY, None, InvalidFacts,
         "422 The facts are invalid, and nothing was decided: there is 1 violation (request r1): "
         "(the facts): `destination_category` is missing"),
        (f"{SHARE}s", MOVE, DAY, None, UnknownDecision,
         "404 There is no such ruleset or decision: there is no decision of `partner_earnings` `revenue_shares`; "
         "did you mean `revenue_share`? (request r1)"),
        ("a/b?c.d#%2f", MOVE, DAY, None, Refused, None),
        (SHARE, MOVE, date(1999, 1, 1), None, NotInForce,
         "422 No version of the ruleset is in force on this day: `partner_earnings` is not in force on 1999-01-01: "
         "there is version 2025-02-28 from 2022-01-01 (request r1)"),
        (SHARE, MOVE, DAY, {"day_60": "maybe"}, UnknownReading,
         "422 There is no such reading, or no such choice of it: there is no choice of `day_60` `maybe`; "
         "there is counts, does_not_count (request r1)"),
        (SHARE, {"account_id": "x" * 1_000_001}, DAY, None, Refused,
         "413 The body is too large: the body has more than 1000000 bytes (request r1)"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_raised(
    client: Client,
    decision: str,
    facts: object,
    day: date,
    readings: dict[str, str] | None,
    kind: type,
    says: str | None,
) -> None:
    with pytest.raises(PolicyError) as caught:
        client.decide(decision, facts, as_of=day, readings=readings, request_id="r1")
    assert type(caught.value) is kind
    assert says in (None, str(caught.value))


def test_a_violation_tells_where_and_what(client: Client) -> None:
    with pytest.raises(InvalidFacts) as caught:
        client.decide(SHARE, {**MOVE, "destination_category": "Managed"}, as_of=DAY)
    (violation,) = caught.value.violations
    assert (violation.pointer, violation.keyword) == ("/destination_category", "enum")
    assert violation.message == '"Managed" is none of referred, managed'
    assert caught.value.problem.kind == "invalid-facts"


@pytest.mark.parametrize("name", ["partner_earnings", "", ".revenue_share", "partner_earnings."])
def test_a_name_of_no_decision_is_not_sent(client: Client, name: str) -> None:
    with pytest.raises(ValueError, match=r"names no decision: write `ruleset\.decision`"):
        client.decide(name, MOVE)


def test_a_name_of_no_ruleset_is_not_sent(client: Client) -> None:
    with pytest.raises(ValueError, match="names no ruleset: write it without a decision, or call `decide`"):
        client.decide_all(SHARE, MOVE)


@dataclass
class Move:
    """Facts as an object."""

    destination_category: str
    move_effective_date: date
    customer_conversion_date: date
    partner_deployment_date: date | None


def test_facts_may_be_objects(client: Client) -> None:
    moved = Move("referred", date(2025, 3, 20), date(2025, 1, 19), date(2022, 9, 1))
    require_same(client.decide(SHARE, moved, as_of=DAY), shipped().decide(SHARE, moved, as_of=DAY))


def test_numbers_keep_their_digits_both_ways(tmp_path: Path) -> None:
    (tmp_path / "exact.yaml").write_text(EXACT_RULES, "utf-8")
    (tmp_path / "exact.schema.json").write_text(json.dumps(EXACT_SCHEMA), "utf-8")
    with (
        serving(tmp_path, "--rules", str(tmp_path), "--schemas", str(tmp_path)) as server,
        Client(address(server)) as asked,
    ):
        for given, told in (("0.10", "0.20"), ("99999999999999.99", "199999999999999.98"), ("1E+2", "200.00")):
            answer = asked.decide("exact.twice", {"amount": Decimal(given), "count": 123456789012345678}, as_of=DAY)
            assert answer.values == {"doubled": told, "counted": 123456789012345678}
        with pytest.raises(InvalidFacts, match="123456789012345678901234567890"):
            asked.decide("exact.twice", {"amount": 1, "count": 123456789012345678901234567890}, as_of=DAY)


EXACT_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "amount": {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 100000000000000},
        "count": {"type": "integer", "minimum": 0, "maximum": 123456789012345678},
    },
    "required": ["amount", "count"],
    "additionalProperties": False,
}
EXACT_RULES = """
ruleset: exact
title: Exact numbers
version: "1"
effective: {from: 2025-01-01}
timezone: UTC
facts: exact
sources: {terms: {title: Terms}}
decisions:
  twice:
    question: How much is twice the amount?
    source: terms
    values: {doubled: amount * 2, counted: count}
"""


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"a": float("nan")}, "^/a: NaN and infinities are not numbers"),
        ({"a": [1, {2, 3}]}, r"^/a/1: a Python set is no fact; give a list: `sorted\(value\)`"),
        ({1: 2}, "the facts: a name is a text, not a Python int"),
    ],
)
def test_facts_that_json_cannot_hold_are_not_sent(client: Client, facts: object, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        client.decide(SHARE, facts)


def test_facts_that_hold_themselves_are_not_sent(client: Client) -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(TypeError, match="facts are nested too deep"):
        client.decide(SHARE, {"a": endless})


def questions() -> Iterator[Question]:
    yield Question(SHARE, MOVE, DAY)
    yield Question("nothing.at_all", {}, DAY)
    yield Question("partner_earnings", MOVE, DAY)
    yield Question(SHARE, {}, DAY, reader="customer")


def require_answered(told: list[Answered]) -> None:
    """Fail unless the questions above were answered."""
    first, unknown, every, invalid = told
    assert first.answer.outcome == "eligible"
    assert isinstance(unknown.error, UnknownDecision)
    assert list(every.answers) == [logic.name for logic in shipped().ruleset("partner_earnings", DAY).decisions]
    assert isinstance(invalid.error, InvalidFacts)
    assert [each.question for each in told] == list(questions())


@pytest.mark.parametrize("at_once", [1, 3, 500])
def test_a_batch_answers_each_question_in_order(client: Client, at_once: int) -> None:
    told = list(client.batch(questions(), at_once=at_once))
    require_answered(told)
    with pytest.raises(UnknownDecision):
        assert told[1].answer
    with pytest.raises(ValueError, match="all decisions of `partner_earnings` were asked: see `answers`"):
        assert told[2].answer


def test_a_batch_takes_questions_as_they_are_needed(client: Client) -> None:
    taken: list[int] = []

    def endless() -> Iterator[Question]:
        while True:
            taken.append(1)
            yield Question(SHARE, MOVE, DAY)

    answers = client.batch(endless(), at_once=10)
    assert [next(answers).answer.outcome for _ in range(11)] == ["eligible"] * 11
    assert len(taken) == 20


def test_a_batch_of_nothing_asks_nothing() -> None:
    with Client("http://127.0.0.1:1") as client:
        assert list(client.batch([])) == []
        with pytest.raises(ValueError, match="`at_once` is how many questions are sent together: at least 1, not 0"):
            list(client.batch(questions(), at_once=0))


def test_a_batch_that_is_not_answered_whole_is_told(tmp_path: Path) -> None:
    with (
        serving(tmp_path, only=["can_spam"], settings={"longest_batch": 2}) as server,
        Client(address(server)) as client,
    ):
        asked = [Question("can_spam", {"opt_out": "?"}, DAY)] * 5
        told = client.batch(asked)
        assert [type(next(told).error) for _ in range(3)] == [InvalidFacts, InvalidFacts, Refused]
        with pytest.raises(NoAnswer, match="5 questions were sent, and 3 lines came back"):
            next(told)


async def _asked(server: Server) -> None:
    async with AsyncClient(address(server)) as client:
        first, second = await asyncio.gather(*(client.decide(SHARE, MOVE, as_of=DAY) for _ in range(2)))
        require_same(first, shipped().decide(SHARE, MOVE, as_of=DAY))
        assert first == second
        every = await client.decide_all("partner_earnings", MOVE, as_of=DAY)
        assert every["revenue_share"] == first
        assert (await client.ready()).epoch == 1
        assert "user_roles" in [each.id for each in await client.rulesets()]
        assert (await client.ruleset("user_roles"))["id"] == "user_roles"
        with pytest.raises(UnknownDecision):
            await client.decide("nothing.at_all", {})
        for asked in (questions(), _awaited(questions())):
            require_answered([told async for told in client.batch(asked, at_once=3)])


async def _awaited(questions: Iterable[Question]) -> AsyncIterator[Question]:
    for question in questions:
        await asyncio.sleep(0)
        yield question


def test_the_same_is_answered_to_who_awaits_it(server: Server) -> None:
    asyncio.run(_asked(server))


def test_both_clients_have_the_same_methods() -> None:
    def methods(client: type) -> dict[str, list[str]]:
        public = {name: method for name, method in vars(client).items() if not name.startswith("_")}
        return {name: list(signature(method).parameters) for name, method in public.items()}

    assert methods(Client) == methods(AsyncClient)
    assert methods(Client)["decide"][:3] == ["self", "decision", "facts"]


def test_keys_say_who_asks_and_rules_whether(tmp_path: Path) -> None:
    rules = some_rules(tmp_path, ["engine_access", "can_spam"]) / "engine_access.yaml"
    text = rules.read_text("utf-8")
    assert SERVICES_EXPLAIN in text
    rules.write_text(text.replace(SERVICES_EXPLAIN, "explain:     [yes,        people,"), "utf-8")
    key = add_key(tmp_path / "keys.json", "billing", "service", "2026-01-01")
    name, facts = "can_spam.opt_out_deadline", {"opt_out_received_on": "2025-06-27"}
    with serving(tmp_path, "--rules", str(rules.parent), settings={"keys": tmp_path / "keys.json"}) as server:
        with Client(address(server)) as nobody, pytest.raises(UnknownCaller):
            nobody.decide(name, facts, as_of=DAY)
        with Client(address(server), key=key) as client:
            assert client.decide(name, facts, as_of=DAY).values == {"latest_date": "2025-07-11"}
        with Client(address(server), key=lambda: key) as client, pytest.raises(Forbidden) as refused:
            client.decide(name, facts, as_of=DAY, explain="trace")
    decision = refused.value.decision
    assert decision is not None
    assert (decision.decision, decision.outcome) == ("engine_access.permission", "deny")


def test_a_key_is_never_shown() -> None:
    client = Client("http://127.0.0.1:1", key="pk_secret\n")
    with pytest.raises(ValueError, match="the key has characters that cannot be sent") as caught:
        client.ready()
    assert "secret" not in f"{caught.value!r} {client!r} {client._target!r}"


@pytest.mark.parametrize("place", ["localhost:8000", "ftp://localhost", "http://", "http://a/?b=c"])
def test_what_is_no_address_is_refused(place: str) -> None:
    with pytest.raises(ValueError, match="the address of a service is such as http://localhost:8000, not"):
        Client(place)


def test_an_error_is_a_value(client: Client) -> None:
    with pytest.raises(ServiceError) as one:
        client.decide(SHARE, {})
    with pytest.raises(ServiceError) as other:
        client.decide(SHARE, {})
    assert one.value == other.value
