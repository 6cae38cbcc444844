"""A search of AuthZEN over 100,000 resources takes no longer than somebody notices: all of them are decided at once."""

from __future__ import annotations

import json
from datetime import date
from time import process_time
from typing import Any

import pytest

from policy_engine.engine import Engine
from policy_engine.service.authzen.pages import LARGEST_PAGE, USUAL_PAGE
from policy_engine.service.authzen.tenants import read_tenants
from policy_engine.service.clock import Clock
from policy_engine.service.deciding import Service
from policy_engine.service.loaded import Loaded
from policy_engine.service.settings import Settings
from tests.conftest import ROOT
from tests.test_authzen import RESOURCES
from tests.test_authzen_service import answer

NUMBER = 100_000
MOST_SECONDS = 0.2
"""Of processor time, all threads together."""
ATTEMPTS = 5
ASKED = {
    "subject": {"type": "user", "id": "dave"},
    "action": {"name": "export_contact_lists"},
    "resource": {"type": "account"},
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The shipped mapping, with accounts of which every other one is a client's."""
    folder = tmp_path_factory.mktemp("large")
    for name in ("permissions.yaml", "users.csv"):
        (folder / name).write_bytes((ROOT / "fixtures" / "authzen" / name).read_bytes())
    kinds = ("client_account", "partner_account")
    rows = "".join(f"a{number},{kinds[number % 2]},yes,reseller\n" for number in range(NUMBER))
    (folder / "accounts.csv").write_text(f"account,kind,single_bill,partner_type\n{rows}", "utf-8")
    engine = Engine.load(ROOT / "rules", ROOT / "schemas", only=["user_roles"])
    clock = Clock(lambda timezone: date(2025, 9, 1))
    loaded = Loaded(engine, tenants=read_tenants(folder / "permissions.yaml", engine.rulebook, clock))
    loaded.prepare(clock)
    return Service(loaded, Settings(), clock)


def search(service: Service, **page: object) -> tuple[float, Any]:
    """The processor time of a search, the least of several, and the page that it gives."""
    taken = []
    for _ in range(ATTEMPTS):
        begun = process_time()
        answered = answer(service, RESOURCES, {**ASKED, "page": page})
        taken.append(process_time() - begun)
    assert answered.status == 200
    return min(taken), json.loads(answered.body)


def test_a_search_over_100000_resources_takes_a_fifth_of_a_second_at_most(service: Service) -> None:
    for page, count in (({}, USUAL_PAGE), ({"limit": 10 * LARGEST_PAGE}, LARGEST_PAGE)):
        seconds, told = search(service, **page)
        assert (told["page"]["count"], told["page"]["total"]) == (count, NUMBER // 2)
        assert seconds <= MOST_SECONDS, f"{seconds:.3f} s for a page of {count}"


def test_all_pages_together_have_each_result_once(service: Service) -> None:
    token = ""
    ids: list[str] = []
    while not ids or token:
        _, told = search(service, limit=LARGEST_PAGE, **({"token": token} if token else {}))
        ids += [each["id"] for each in told["results"]]
        token = str(told["page"]["next_token"])
    assert ids == [f"a{number}" for number in range(0, NUMBER, 2)]


def test_a_token_of_a_page_without_a_limit_takes_none_later(service: Service) -> None:
    _, told = search(service)
    token = told["page"]["next_token"]
    changed = answer(service, RESOURCES, {**ASKED, "page": {"token": token, "limit": USUAL_PAGE}})
    assert changed.status == 400
    _, second = search(service, token=token)
    assert second["results"][0] == {"type": "account", "id": f"a{2 * USUAL_PAGE}"}
