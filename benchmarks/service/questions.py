"""What is asked: each request six questions about one user in one account, as ours and as Cerbos take them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, product

from benchmarks.questions import ROOT
from policy_engine import Engine
from policy_engine.language.rulesets import DecisionLogic, Matrix

AS_OF = "2025-09-01"
EACH = 6
"""Questions of a request."""
REQUESTS = 96
ROLES = ("account_owner", "account_manager", "campaign_creator", "partner_manager")
ACCOUNTS = ("own_account_non_partner", "partner_account", "client_account")
PARTNERS = ("reseller", "not_reseller")
RESOURCE = "account"
"""What Cerbos calls the kind of thing that is asked about."""
OURS = ("/v1/batch", "application/jsonl")
CERBOS = ("/api/check/resources", "application/json")
"""The address and the content type of a request with six questions."""
ONE = ("/v1/decisions/user_roles/permission", "application/json")
"""Those of a request with one question."""


@dataclass(frozen=True, slots=True)
class Case:
    """One user in one account, and six things that the user wants to do there."""

    number: int
    role: str
    account: Mapping[str, object]
    activities: Sequence[str]

    def facts(self, activity: str) -> dict[str, object]:
        """The facts of one question."""
        return {"role": self.role, "activity": activity, **self.account}

    @property
    def for_ours(self) -> bytes:
        """A batch of six lines."""
        named = {"ruleset": "user_roles", "decision": "permission", "as_of": AS_OF}
        return b"\n".join(_json({**named, "facts": self.facts(activity)}) for activity in self.activities)

    @property
    def for_cerbos(self) -> bytes:
        """A check of six actions."""
        asked = {
            "requestId": f"request-{self.number}",
            "principal": {"id": "user", "roles": [self.role]},
            "resources": [
                {
                    "resource": {"kind": RESOURCE, "id": "1", "attr": self.account},
                    "actions": self.activities,
                }
            ],
        }
        return _json(asked)


def one_of(case: Case, activity: str) -> bytes:
    """A request with one question."""
    return _json({"facts": case.facts(activity), "as_of": AS_OF})


def in_bytes(place: tuple[str, str], body: bytes) -> bytes:
    """A request as it is sent."""
    address, content_type = place
    head = f"POST {address} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {content_type}\r\n"
    return b"%bcontent-length: %d\r\n\r\n%b" % (head.encode(), len(body), body)


def permission(engine: Engine) -> DecisionLogic:
    """The decision that is asked about."""
    return next(logic for logic in engine.rulesets[-1].decisions if logic.name == "permission")


def load_engine() -> Engine:
    """The engine with the one ruleset."""
    return Engine.load(ROOT / "rules", ROOT / "schemas", only=["user_roles"])


def cases(engine: Engine) -> list[Case]:
    """The requests: each user in each account in turn, until every activity was asked about several times."""
    matrix = permission(engine).body
    assert isinstance(matrix, Matrix)
    activities = cycle(map(str, matrix.row_values))
    users = islice(cycle(_users()), REQUESTS)
    return [Case(number, role, account, list(islice(activities, EACH))) for number, (role, account) in enumerate(users)]


def _users() -> Iterator[tuple[str, dict[str, object]]]:
    for role, place, single_bill, partner in product(ROLES, ACCOUNTS, (True, False), PARTNERS):
        yield role, {"acting_in": place, "billing_scope_is_single_bill": single_bill, "partner_type": partner}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
