"""AuthZEN 1.0 over HTTP: every request of its certification scenario, and every rule of the specification that others broke."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from policy_engine.service.authzen.metadata import ENDPOINTS, WELL_KNOWN
from tests.conftest import ROOT
from tests.support.served import JSON, Answered, Server, serving

DATA = ROOT / "tests" / "data" / "authzen"
ONE, SEVERAL = "/access/v1/evaluation", "/access/v1/evaluations"
SUBJECTS, RESOURCES, ACTIONS = (f"/access/v1/search/{what}" for what in ("subject", "resource", "action"))
Json = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    options = ("--rules", str(DATA / "rules"), "--schemas", str(DATA / "schemas"))
    settings = {"authzen": DATA / "permissions.yaml", "workers": 2}
    with serving(tmp_path_factory.mktemp("authzen"), *options, settings=settings) as running:
        yield running


def named(type_: str, id_: str, **properties: object) -> Json:
    """A subject or a resource."""
    return {"type": type_, "id": id_, **({"properties": properties} if properties else {})}


ALICE, BOB, BOB_AS_ADMIN = named("user", "alice"), named("user", "bob"), named("user", "bob", role="admin")
FIRST, SECOND, ARCHIVED = (
    named("record", "record-1"),
    named("record", "record-2"),
    named("record", "record-2", status="archived"),
)
READ, WRITE = {"name": "read"}, {"name": "write"}


def asked(subject: object, action: object, resource: object, **others: object) -> Json:
    """A question."""
    return {"subject": subject, "action": action, "resource": resource, **others}


READS = asked(ALICE, READ, FIRST)
DECIDED: list[tuple[Json, bool]] = [
    (READS, True),
    (asked(ALICE, WRITE, FIRST), True),
    (asked(BOB, READ, FIRST), True),
    (asked(BOB, WRITE, FIRST), False),
    (asked(ALICE, WRITE, ARCHIVED), False),
    (asked(BOB_AS_ADMIN, WRITE, ARCHIVED), True),
    (asked(ALICE, {"name": "delete", "properties": {"soft": True}}, FIRST), True),
    (asked(ALICE, {"name": "delete", "properties": {"soft": False}}, FIRST), False),
    ({**READS, "context": {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}}, True),
    (
        asked(
            named("user", "alice", department="Sales", role="manager"),
            {**READ, "properties": {"method": "GET"}},
            named("record", "record-1", status="active", owner="bob"),
        ),
        True,
    ),
    ({**READS, "foo": "bar", "futureField": {"nested": True}}, True),
    ({**READS, "subject": {**ALICE, "later": 1, "properties": None}, "context": None}, True),
    ({**READS, "later": -1e214, "\u00e4": "\U0001f600", "context": {"a": [[[{}] * 70]]}}, True),
]


@pytest.mark.parametrize(("question", "decision"), DECIDED, ids=str)
def test_evaluations_of_the_scenario(server: Server, question: Json, decision: bool) -> None:
    answered = server.ask("POST", ONE, question)
    assert (answered.status, answered.headers["content-type"]) == (200, "application/json")
    assert answered.json["decision"] is decision
    assert isinstance(answered.json["context"], dict)
    assert server.ask("POST", ONE, question).json["decision"] is decision


UNDECIDED: list[tuple[Json, str, Json]] = [
    (asked(ALICE, {"name": "delete"}, FIRST), "This cannot be decided without soft.", {"missing": ["soft"]}),
    (asked(named("user", "dave"), WRITE, FIRST), "This cannot be decided without may_write.", {"missing": ["may_write"]}),
    (asked(ALICE, READ, FIRST, context={"closed": True}), "Nobody may do anything now.", {"outcome": "refuse"}),
    (
        asked(ALICE, READ, named("record", "record-1", status="lost")),
        'the facts are invalid: /status: "lost" is none of active, archived',
        {"violations": [{"pointer": "/status"}]},
    ),
    (asked(ALICE, {"name": "raed"}, FIRST), "there is no action of a `user` on a `record` `raed`; did you mean `read`?", {}),
    (asked(ALICE, READ, named("ship", "1")), "no permission is about what a `user` may do with a `ship`", {}),
    (asked(named("robot", "1"), READ, FIRST), "no permission is about what a `robot` may do with a `record`", {}),
]  # fmt: skip


@pytest.mark.parametrize(("question", "reason", "more"), UNDECIDED, ids=str)
def test_everything_but_the_permitting_outcome_is_false_and_says_why(
    server: Server, question: Json, reason: str, more: Json
) -> None:
    answered = server.ask("POST", ONE, question)
    assert (answered.status, answered.json["decision"]) == (200, False)
    context = answered.json["context"]
    assert context["reason"] == reason
    assert "violations" not in more or context.pop("violations")[0].items() >= more.pop("violations")[0].items()
    assert context.items() >= more.items()


def test_the_context_is_the_answer_that_the_service_gives_elsewhere(server: Server) -> None:
    facts = {
        "user": "alice", "role": "member", "may_write": True, "action": "write", "record": "record-1",
        "status": "active", "pages": 12.5, "written_on": "2025-01-02",
    }  # fmt: skip
    decided = server.ask("POST", "/v1/decisions/record_access/access", {"facts": facts})
    assert server.ask("POST", ONE, asked(ALICE, WRITE, FIRST)).json["context"] == decided.json


WRONG: list[tuple[object, str]] = [
    ({"action": READ, "resource": FIRST}, "`subject` is missing"),
    ({"subject": ALICE, "resource": FIRST}, "`action` is missing"),
    ({"subject": ALICE, "action": READ}, "`resource` is missing"),
    ({**READS, "subject": {"id": "alice"}}, "`subject.type` is missing"),
    ({**READS, "subject": {"type": "user"}}, "`subject.id` is missing"),
    ({**READS, "action": {}}, "`action.name` is missing"),
    ({**READS, "resource": {"id": "record-1"}}, "`resource.type` is missing"),
    ({**READS, "resource": {"type": "record"}}, "`resource.id` is missing"),
    ({**READS, "subject": "alice"}, "`subject` must be an object"),
    ({**READS, "subject": None}, "`subject` is missing"),
    ({**READS, "action": {"name": 123}}, "`action.name` must be a text"),
    ({**READS, "resource": {**FIRST, "properties": []}}, "`resource.properties` must be an object"),
    ({**READS, "context": "now"}, "`context` must be an object"),
    (b"", "the body is empty"),
    (b"{", "the body: not JSON at column 1: a bracket is never closed"),
    (b'{"a": 1, "a": 2}', "the body: the name `a` stands twice in one object"),
    (b'{"subject": {"type": "user", "id": "\\ud800"}}',
     "the body: a text holds half a character (a lone surrogate)"),
    (b'{"later": [{"\\udc00": 1}]}', "the body: a text holds half a character (a lone surrogate)"),
    (b'{"context": ' + b'{"a": ' * 63 + b"[1]" + b"}" * 64, "the body is nested more than 64 levels deep"),
    (b'{"context": ' + b"[" * 900 + b"]" * 900 + b"}", "the body is nested more than 64 levels deep"),
    (b'{"context": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "the body: nested too deep"),
    (b'{"context": {"a": ' + b"1" * 101 + b"}}", f"the body: the number {'1' * 20}... has more than 100 digits"),
    (b"[]", "the body must be one JSON object, such as "
     '{"subject": {"type": "user", "id": "alice"}, "action": {...}, "resource": {...}}'),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), WRONG, ids=str)
@pytest.mark.parametrize("path", [ONE, SEVERAL])
def test_a_wrong_request_is_a_bad_request_with_a_message(server: Server, path: str, body: object, message: str) -> None:
    answered = server.ask("POST", path, body)
    assert (answered.status, answered.body.decode()) == (400, f"{message}\n")
    assert answered.headers["content-type"] == "text/plain; charset=utf-8"


def test_another_content_type_is_a_bad_request_here_alone(server: Server) -> None:
    for path in (ONE, SEVERAL, SUBJECTS, RESOURCES, ACTIONS):
        for headers in ({"content-type": "text/plain"}, {}):
            assert server.ask("POST", path, READS, headers).status == 400
    assert server.ask("POST", ONE, READS, {"content-type": "application/json; charset=utf-8"}).status == 200
    assert server.ask("POST", "/v1/decisions/record_access/access", READS, {"content-type": "text/plain"}).status == 415


OTHERS: list[tuple[str, str, object, int]] = [
    ("POST", ONE, READS, 200),
    ("POST", ONE, {}, 400),
    ("GET", ONE, None, 405),
    ("POST", "/access/v1/evaluationz", READS, 404),
    ("POST", "/tenants/nobody/access/v1/evaluation", READS, 404),
    ("GET", f"{WELL_KNOWN}/tenants/nobody", None, 404),
    ("POST", ONE, b'{"a": "' + b"a" * 1_000_001 + b'"}', 413),
    ("GET", WELL_KNOWN, None, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), OTHERS)
def test_the_request_id_comes_back_with_every_answer(
    server: Server, method: str, path: str, body: object, status: int
) -> None:
    answered = server.ask(method, path, body, {**JSON, "x-request-id": "bfe9eb29-ab87"})
    assert (answered.status, answered.headers["x-request-id"]) == (status, "bfe9eb29-ab87")
    kind = "application/json" if status == 200 else "text/plain; charset=utf-8"
    assert answered.headers["content-type"] == kind
    assert server.ask(method, path, body).headers["x-request-id"]


def decisions(answered: Answered) -> list[bool]:
    """The decisions of several evaluations."""
    assert answered.status == 200
    assert list(answered.json) == ["evaluations"]
    return [each["decision"] for each in answered.json["evaluations"]]


BATCHES: list[tuple[Json, list[bool]]] = [
    ({"subject": ALICE, "action": READ, "evaluations": [{"resource": FIRST}, {"resource": SECOND}]}, [True, True]),
    ({"subject": BOB, "resource": FIRST, "evaluations": [{"action": READ}, {"action": WRITE}]}, [True, False]),
    (
        {"subject": ALICE, "action": WRITE,
         "evaluations": [{"resource": named("record", "record-1", status="active")}, {"resource": ARCHIVED}]},
        [True, False],
    ),
    ({"action": WRITE, "resource": ARCHIVED, "evaluations": [{"subject": ALICE}, {"subject": BOB_AS_ADMIN}]}, [False, True]),
    ({"evaluations": [READS, asked(BOB, WRITE, FIRST)]}, [True, False]),
    (
        {"subject": ALICE, "action": READ, "context": {"time": "2025-06-27T18:03-07:00"},
         "evaluations": [{"resource": FIRST}, {"resource": SECOND, "context": {"closed": True}}]},
        [True, False],
    ),
    (
        {"subject": ALICE, "action": WRITE, "resource": {"type": "record"},
         "evaluations": [{"resource": {"id": "record-1", "properties": {"status": "active"}}}, {"resource": ARCHIVED}]},
        [True, False],
    ),
    # two items with one id and different properties
    (
        {"subject": ALICE, "action": WRITE,
         "evaluations": [{"resource": named("record", "new", status=each)} for each in ("active", "archived", "active")]},
        [True, False, True],
    ),
    # an own entity replaces the default as a whole, with its properties
    (
        {"subject": BOB_AS_ADMIN, "action": WRITE, "resource": ARCHIVED,
         "evaluations": [{"subject": ALICE}, {"subject": BOB}, {"resource": named("record", "new")}, {}]},
        [False, True, False, True],
    ),
    (
        {"subject": ALICE, "action": READ, "context": {"closed": True},
         "evaluations": [{"resource": FIRST, "context": {}}, {"resource": FIRST}, {"resource": FIRST, "context": None}]},
        [True, False, False],
    ),
    # what is wrong with an item is its own
    (
        {"subject": ALICE, "action": READ,
         "evaluations": [{"resource": FIRST}, {}, {"resource": 1}, 7, None, {"resource": FIRST, "action": {"name": 1}},
                         {"resource": named("record", "record-1", status="lost")}, {"resource": FIRST}]},
        [True, False, False, False, False, False, False, True],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), BATCHES, ids=str)
def test_several_evaluations(server: Server, body: Json, expected: list[bool]) -> None:
    assert decisions(server.ask("POST", SEVERAL, body)) == expected
    all_ = {**body, "options": {"evaluations_semantic": "execute_all", "another": 1}}
    assert decisions(server.ask("POST", SEVERAL, all_)) == expected


def test_an_item_says_what_is_wrong_with_it(server: Server) -> None:
    body = {"subject": ALICE, "action": READ, "evaluations": [{"resource": {"id": "record-1"}}]}
    message = "`resource.type` is missing"
    error = {"status": 400, "message": message}
    told = {"decision": False, "context": {"reason": message, "error": error}}
    assert server.ask("POST", SEVERAL, body).json == {"evaluations": [told]}


@pytest.mark.parametrize("evaluations", [{}, {"evaluations": []}, {"evaluations": None}])
def test_without_evaluations_it_is_a_single_one(server: Server, evaluations: Mapping[str, object]) -> None:
    for options in ({"evaluations_semantic": "deny_on_first_deny"}, {"evaluations_semantic": "later"}, 7):
        body = {**READS, **evaluations, "options": options}
        assert server.ask("POST", SEVERAL, body).body == server.ask("POST", ONE, READS).body


SETTLED: list[tuple[str, list[str], list[bool]]] = [
    ("deny_on_first_deny", ["read", "write", "read"], [True, False]),
    ("deny_on_first_deny", ["read", "read"], [True, True]),
    ("deny_on_first_deny", ["read", "", "read"], [True, False]),
    ("permit_on_first_permit", ["write", "", "read", "write"], [False, False, True]),
    ("permit_on_first_permit", ["write", "write"], [False, False]),
]


@pytest.mark.parametrize(("semantic", "actions", "expected"), SETTLED)
def test_the_first_that_settles_is_the_last(
    server: Server, semantic: str, actions: list[str], expected: list[bool]
) -> None:
    items = [{"action": {"name": name}} if name else {} for name in actions]
    body = {"subject": BOB, "resource": FIRST, "evaluations": items, "options": {"evaluations_semantic": semantic}}
    assert decisions(server.ask("POST", SEVERAL, body)) == expected


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"evaluations": {}}, "`evaluations` must be a list"),
        ({"evaluations": [{}], "options": 1}, "`options` must be an object"),
        (
            {"evaluations": [{}], "options": {"evaluations_semantic": "first"}},
            "`options.evaluations_semantic`: `first` is none of execute_all, deny_on_first_deny, permit_on_first_permit",
        ),
        ({"evaluations": [{}] * 1_001}, "a request has at most 1000 evaluations, not 1001"),
    ],
)
def test_what_is_wrong_with_all_of_them_is_no_answer(server: Server, more: Json, message: str) -> None:
    answered = server.ask("POST", SEVERAL, {**READS, **more})
    assert (answered.status, answered.body.decode()) == (400, f"{message}\n")


def found(server: Server, path: str, body: Json) -> list[str]:
    """The ids or names of all results."""
    answered = server.ask("POST", path, body)
    assert answered.status == 200, answered.body
    assert list(answered.json) == ["results"]
    name = "name" if path == ACTIONS else "id"
    types = {"user", "record"} if path != ACTIONS else {None}
    assert {each.get("type") for each in answered.json["results"]} <= types
    return [each[name] for each in answered.json["results"]]


USERS, RECORDS = {"type": "user"}, {"type": "record"}
PAGED = asked(ALICE, READ, RECORDS)
SEARCHES: list[tuple[str, Json, list[str]]] = [
    (SUBJECTS, asked(USERS, READ, FIRST), ["alice", "bob", "carol"]),
    (SUBJECTS, asked(USERS, WRITE, FIRST), ["alice", "carol"]),
    (SUBJECTS, asked(USERS, WRITE, ARCHIVED), ["bob"]),
    (SUBJECTS, asked(USERS, READ, FIRST, context={"closed": True}), []),
    (RESOURCES, asked(ALICE, READ, RECORDS), ["record-1", "record-2", "record-3"]),
    (RESOURCES, asked(ALICE, WRITE, RECORDS), ["record-1"]),
    (RESOURCES, asked(BOB_AS_ADMIN, WRITE, RECORDS), ["record-2"]),
    (RESOURCES, asked(ALICE, {"name": "delete", "properties": {"soft": True}}, RECORDS), ["record-1", "record-2", "record-3"]),
    (RESOURCES, asked(ALICE, {"name": "delete"}, RECORDS), []),
    (ACTIONS, {"subject": ALICE, "resource": FIRST}, ["read", "write"]),
    (ACTIONS, {"subject": BOB_AS_ADMIN, "resource": ARCHIVED}, ["read", "write"]),
    (ACTIONS, {"subject": BOB, "resource": FIRST, "action": 7}, ["read"]),
    # the id of what is searched is ignored, and its properties with it
    (SUBJECTS, asked(named("user", "bob", role="nobody"), WRITE, ARCHIVED), ["bob"]),
    (SUBJECTS, asked({"type": "user", "id": 7}, WRITE, ARCHIVED), ["bob"]),
    (RESOURCES, asked(BOB, WRITE, named("record", "record-1", status="active")), ["record-2"]),
    # ids, types and actions that nobody knows
    (SUBJECTS, asked(USERS, READ, named("record", "lost")), []),
    (SUBJECTS, asked({"type": "spaceship"}, READ, FIRST), []),
    (SUBJECTS, asked(USERS, {"name": "fly"}, FIRST), []),
    (RESOURCES, asked(named("user", "nobody"), READ, RECORDS), []),
    (RESOURCES, asked(ALICE, READ, {"type": "spaceship"}), []),
    (RESOURCES, asked(named("robot", "alice"), READ, RECORDS), []),
    (ACTIONS, {"subject": named("user", "nobody"), "resource": FIRST}, []),
    (ACTIONS, {"subject": ALICE, "resource": named("record", "lost")}, []),
    (ACTIONS, {"subject": ALICE, "resource": named("spaceship", "1")}, []),
    # invalid facts are no permission
    (SUBJECTS, asked(USERS, READ, named("record", "record-1", status="lost")), []),
    (RESOURCES, asked(ALICE, READ, RECORDS, context={"today": "2025-02-30"}), ["record-1", "record-3"]),
    (RESOURCES, asked(ALICE, READ, RECORDS, context={"today": "2025-02-28"}), ["record-1", "record-2", "record-3"]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "body", "expected"), SEARCHES, ids=str)
def test_searches(server: Server, path: str, body: Json, expected: list[str]) -> None:
    assert found(server, path, body) == expected


@pytest.mark.parametrize(("path", "body", "expected"), [each for each in SEARCHES if "context" not in each[1]], ids=str)
def test_a_context_that_no_fact_takes_changes_no_results(
    server: Server, path: str, body: Json, expected: list[str]
) -> None:
    assert found(server, path, {**body, "context": {"time": "2025-06-27T18:03-07:00"}, "later": []}) == expected


@pytest.mark.parametrize(("path", "body", "expected"), SEARCHES, ids=str)
def test_what_is_found_is_permitted_and_nothing_else_is(
    server: Server, path: str, body: Json, expected: list[str]
) -> None:
    """Of the entities that are known, evaluated with their ids alone."""
    every = {
        SUBJECTS: [{"subject": named(body["subject"]["type"], name)} for name in ("alice", "bob", "carol")],
        RESOURCES: [{"resource": named(body["resource"]["type"], f"record-{number}")} for number in (1, 2, 3)],
        ACTIONS: [{"action": {"name": name}} for name in ("read", "write", "delete")],
    }[path]
    is_known = {"nobody", "lost"}.isdisjoint(
        each["id"] for each in body.values() if isinstance(each, dict) and "id" in each
    )
    answers = decisions(server.ask("POST", SEVERAL, {**body, "evaluations": every}))
    asked_of = [entity for item in every for entity in item.values()]
    permitted = [each.get("id", each.get("name")) for each, is_so in zip(asked_of, answers, strict=True) if is_so]
    assert expected == (permitted if is_known else [])


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (SUBJECTS, {"subject": USERS, "resource": FIRST}, "`action` is missing"),
        (RESOURCES, {"action": READ, "resource": RECORDS}, "`subject` is missing"),
        (ACTIONS, {"subject": ALICE}, "`resource` is missing"),
        (SUBJECTS, asked(USERS, READ, RECORDS), "`resource.id` is missing"),
        (SUBJECTS, asked({}, READ, FIRST), "`subject.type` is missing"),
        (RESOURCES, asked(USERS, READ, RECORDS), "`subject.id` is missing"),
        (RESOURCES, asked(ALICE, READ, {}), "`resource.type` is missing"),
        (ACTIONS, {"subject": USERS, "resource": FIRST}, "`subject.id` is missing"),
        (RESOURCES, asked(ALICE, READ, RECORDS, page=1), "`page` must be an object"),
        (RESOURCES, asked(ALICE, READ, RECORDS, page={"properties": []}), "`page.properties` must be an object"),
        (RESOURCES, {**PAGED, "page": {"limit": -1}}, "`page.limit` must be a whole number from 0 to 1000000000"),
        (RESOURCES, {**PAGED, "page": {"limit": True}}, "`page.limit` must be a whole number from 0 to 1000000000"),
        (RESOURCES, asked(ALICE, READ, RECORDS, page={"token": 1}),
         "`page.token` must be the text that an answer has as `next_token`"),
    ],
)  # fmt: skip
def test_a_wrong_search_is_a_bad_request(server: Server, path: str, body: Json, message: str) -> None:
    answered = server.ask("POST", path, body)
    assert (answered.status, answered.body.decode()) == (400, f"{message}\n")


def page(server: Server, body: Json, path: str = RESOURCES, **how: object) -> Json:
    """A page of results, as ids, and what is said of it."""
    answered = server.ask("POST", path, {**body, "page": how})
    assert answered.status == 200, answered.body
    told: Json = answered.json
    assert list(told) == ["page", "results"]
    return {**told["page"], "ids": [each.get("id", each.get("name")) for each in told["results"]]}


def test_pages_follow_one_another_whoever_answers(server: Server) -> None:
    """Without the limit the first one holds; each of the workers takes the tokens of the others."""
    for _ in range(8):
        first = page(server, PAGED, limit=2)
        assert {**first, "next_token": ""} == {
            "next_token": "",
            "count": 2,
            "total": 3,
            "ids": ["record-1", "record-2"],
        }
        for limit in (None, 2):
            rest = page(server, PAGED, token=first["next_token"], limit=limit)
            assert rest == {"next_token": "", "count": 1, "total": 3, "ids": ["record-3"]}


def test_every_search_has_pages(server: Server) -> None:
    for path, body, expected in SEARCHES:
        token = ""
        ids: list[str] = []
        while not ids or token:
            told = page(server, body, path, limit=1, token=token or None)
            ids += told["ids"]
            token = told["next_token"]
            if not expected:
                break
        assert ids == expected


def test_a_limit_is_a_whole_number_however_it_is_written(server: Server) -> None:
    body = json.dumps({**PAGED, "page": {"limit": 2}}).replace('"limit": 2', '"limit": 20e-1').encode()
    assert server.ask("POST", RESOURCES, body).json["page"]["count"] == 2
    assert server.ask("POST", RESOURCES, body.replace(b"20e-1", b"1.5")).status == 400


def test_a_page_of_nothing_says_how_much_there_is(server: Server) -> None:
    told = page(server, PAGED, limit=0)
    assert (told["ids"], told["total"]) == ([], 3)
    assert told["next_token"]
    assert page(server, PAGED)["next_token"] == ""


@pytest.mark.parametrize(
    "change",
    [
        {"subject": BOB},
        {"subject": {**ALICE, "properties": {"role": "admin"}}},
        {"action": WRITE},
        {"resource": named("record", "record-1")},
        {"context": {"closed": True}},
        {"context": {}},
    ],
)
def test_a_token_is_refused_where_an_entity_was_changed(server: Server, change: Json) -> None:
    token = page(server, PAGED, limit=1)["next_token"]
    answered = server.ask("POST", RESOURCES, {**PAGED, **change, "page": {"token": token}})
    assert answered.status == 400
    assert answered.body.startswith(
        b"`page.token`: it is no token of this service, or something of the request was changed"
    )
    assert server.ask("POST", RESOURCES, {**PAGED, "later": 1, "page": {"token": token}}).status == 200


def test_a_token_is_refused_where_the_limit_was_changed(server: Server) -> None:
    for first, then in ((1, 2), (2, 1), (0, 1)):
        token = page(server, PAGED, limit=first)["next_token"]
        answered = server.ask("POST", RESOURCES, {**PAGED, "page": {"token": token, "limit": then}})
        assert answered.status == 400
        told = "`page.limit` was changed since the page before; leave it out or begin again\n"
        assert answered.body.decode() == told


def test_a_token_cannot_be_made_or_changed_or_taken_elsewhere(server: Server) -> None:
    token = page(server, PAGED, limit=1)["next_token"]
    changed = [token[:at] + ("A" if sign != "A" else "B") + token[at + 1 :] for at, sign in enumerate(token)]
    for other in [*changed, token[:-1], token + "A", "x", "ä", "====", "A" * 35]:
        assert server.ask("POST", RESOURCES, {**PAGED, "page": {"token": other}}).status == 400, other
    body = asked(ALICE, READ, FIRST)
    token = page(server, body, RESOURCES, limit=1)["next_token"]
    assert server.ask("POST", SUBJECTS, {**body, "page": {"token": token}}).status == 400


def test_the_metadata_name_each_address(server: Server) -> None:
    here = f"http://127.0.0.1:{server.port}"
    expected = {"policy_decision_point": here, **{name: f"{here}{path}" for name, path in ENDPOINTS.items()}}
    answered = server.ask("GET", WELL_KNOWN)
    assert (answered.json, answered.headers["content-type"]) == (expected, "application/json")
    of_tenant = server.ask("GET", f"{WELL_KNOWN}/tenants/library").json
    assert of_tenant == {name: told.replace(here, f"{here}/tenants/library") for name, told in expected.items()}
    assert server.ask("GET", WELL_KNOWN, headers={"host": "evil.example/x"}).status == 400


def test_a_tenant_has_permissions_of_its_own(server: Server) -> None:
    question = asked(named("reader", "alice"), READ, named("book", "1"))
    at = "/tenants/library"
    assert server.ask("POST", f"{at}{ONE}", question).json["decision"] is True
    assert server.ask("POST", ONE, question).json["decision"] is False
    assert server.ask("POST", f"{at}{ONE}", READS).json["decision"] is False
    assert decisions(server.ask("POST", f"{at}{SEVERAL}", {**question, "evaluations": [{}, {"action": WRITE}]})) == [
        True,
        False,
    ]
    assert found_names(server, at, question) == ["read"]
    assert server.ask("POST", f"{at}{RESOURCES}", question).json == {"results": []}
    answered = server.ask("POST", "/tenants/libary/access/v1/evaluation", question)
    assert (answered.status, answered.body.decode()) == (404, "there is no tenant `libary`; did you mean `library`?\n")


def found_names(server: Server, at: str, question: Json) -> list[str]:
    return [each["name"] for each in server.ask("POST", f"{at}{ACTIONS}", question).json["results"]]
