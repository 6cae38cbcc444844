"""Who may ask: keys and tokens say who it is, the ruleset `engine_access` whether; everybody else is refused."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from joserfc.jwk import OctKey

from policy_engine.errors import CannotRun
from policy_engine.service.callers import ANYBODY, Caller, Callers, Rates
from policy_engine.service.clock import Clock
from policy_engine.service.keys import KeyRing, add_key, read_keys, revoke_key
from policy_engine.service.problems import Problem
from policy_engine.service.requests import Head
from policy_engine.service.tokens import AGE, SOONEST, JwtTokens, Published, published_keys
from tests.conftest import ROOT
from tests.support.commands import policy
from tests.support.identities import AUDIENCE, ISSUER, Issuer, certified, client, new_key, published
from tests.support.served import JSON, Server, serving, some_rules

DEADLINE = "/v1/decisions/can_spam/opt_out_deadline"
QUESTION = {"facts": {"opt_out_received_on": "2025-06-27"}, "as_of": "2025-06-30"}
SERVICES_EXPLAIN = "explain:     [yes,        serves,"
MORE = ["--keys", "keys.json"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rulesets, where a service may decide and not explain, with keys and the published keys of an issuer."""
    folder = tmp_path_factory.mktemp("callers")
    file = some_rules(folder, ["engine_access", "can_spam"]) / "engine_access.yaml"
    rules = file.read_text("utf-8")
    assert SERVICES_EXPLAIN in rules
    file.write_text(rules.replace(SERVICES_EXPLAIN, "explain:     [yes,        people,"), "utf-8")
    return folder


@pytest.fixture(scope="module")
def keys(folder: Path) -> Mapping[str, str]:
    """Keys by their names, which are those of their roles."""
    return {role: add_key(folder / "keys.json", role, role, "2026-01-01") for role in ("service", "auditor", "analyst")}


@pytest.fixture(scope="module")
def issuer(folder: Path) -> Issuer:
    made = Issuer()
    (folder / "jwks.json").write_text(published(made.key), "utf-8")
    return made


@pytest.fixture(scope="module")
def server(folder: Path, keys: Mapping[str, str], issuer: Issuer) -> Iterator[Server]:
    tokens = {"jwks": folder / "jwks.json", "issuer": ISSUER, "audience": AUDIENCE}
    settings = {"keys": folder / "keys.json", **tokens}
    with serving(folder, "--rules", str(folder / "rules"), settings=settings) as running:
        yield running


def shown(key: str) -> dict[str, str]:
    return {**JSON, "authorization": f"Bearer {key}"}


def test_without_a_key_nothing_is_answered(server: Server) -> None:
    for path in (DEADLINE, "/v1/batch", "/v1/rulesets", "/openapi.json", "/docs"):
        method = "POST" if path in (DEADLINE, "/v1/batch") else "GET"
        answered = server.ask(method, path, QUESTION if method == "POST" else None)
        assert (answered.status, answered.json["type"]) == (401, "/problems/unknown-caller"), path
        assert answered.headers["www-authenticate"] == 'Bearer realm="policy_engine"'
        assert answered.headers["x-request-id"]


def test_what_tells_nothing_of_the_rules_is_open(server: Server) -> None:
    for path in ("/healthz", "/readyz", "/problems/forbidden", "/docs/docs.js"):
        assert server.ask("GET", path).status == 200


def test_a_key_lets_in(server: Server, keys: Mapping[str, str]) -> None:
    answered = server.ask("POST", DEADLINE, QUESTION, shown(keys["service"]))
    assert (answered.status, answered.json["values"]) == (200, {"latest_date": "2025-07-11"})
    assert server.ask("GET", "/v1/rulesets", headers=shown(keys["service"])).status == 200
    assert server.ask("GET", "/openapi.json", headers={"authorization": f"bearer  {keys['service']} "}).status == 200


@pytest.mark.parametrize(
    "wrong", ["pk_" + "A" * 43, "", "Basic", "pk_\u00e9".encode().decode("latin-1"), "x" * 20_000, "a.b.c"]
)
def test_a_wrong_key_does_not(server: Server, wrong: str) -> None:
    answered = server.ask("POST", DEADLINE, QUESTION, shown(wrong))
    assert answered.status == 401
    assert "pk_" not in answered.body.decode()


def test_a_refusal_is_explained_by_the_rules(server: Server, keys: Mapping[str, str]) -> None:
    for asked in ({"explain": "trace"}, {"for": "auditor"}, {"for": "agent"}):
        answered = server.ask("POST", DEADLINE, {**QUESTION, **asked}, shown(keys["service"]))
        assert (answered.status, answered.json["type"]) == (403, "/problems/forbidden")
        assert answered.json["detail"] == "A service asks for answers and their reasons. The rest is for people."
        decision = answered.json["decision"]
        assert (decision["outcome"], decision["rules"]) == ("deny", ["explain.service"])
        assert decision["ruleset"]["id"] == "engine_access"
    assert server.ask("POST", DEADLINE, {**QUESTION, "for": "customer"}, shown(keys["service"])).status == 200
    assert server.ask("POST", DEADLINE, {**QUESTION, "explain": "trace"}, shown(keys["auditor"])).status == 200


def test_each_line_of_a_batch_is_asked_about(server: Server, keys: Mapping[str, str]) -> None:
    line = {"ruleset": "can_spam", "decision": "opt_out_deadline", **QUESTION}
    body = "\n".join(json.dumps({**line, "explain": how}) for how in ("reason", "trace")).encode()
    headers = {**shown(keys["service"]), "content-type": "application/jsonl"}
    told = server.ask("POST", "/v1/batch", body, headers).lines
    assert [each.get("problem", {}).get("status") for each in told] == [None, 403]


def test_keys_come_and_go_without_a_restart(server: Server, folder: Path, keys: Mapping[str, str]) -> None:
    file = folder / "keys.json"
    key = add_key(file, "new", "analyst", "2026-01-02")
    assert _comes_true(lambda: server.ask("POST", DEADLINE, QUESTION, shown(key)).status == 200)
    revoke_key(file, "new")
    assert _comes_true(lambda: server.ask("POST", DEADLINE, QUESTION, shown(key)).status == 401)
    assert server.ask("POST", DEADLINE, QUESTION, shown(keys["service"])).status == 200


def _comes_true(wanted: Callable[[], bool]) -> bool:
    last = time.monotonic() + 20
    while time.monotonic() < last:
        if wanted():
            return True
        time.sleep(0.1)
    return False


def test_a_broken_file_of_keys_leaves_those_that_were_there(tmp_path: Path) -> None:
    now = [0.0]
    key = add_key(tmp_path / "keys", "a", "service", "2026-01-01")
    ring = KeyRing(tmp_path / "keys", Clock(ticks=lambda: now[0]))
    (tmp_path / "keys").write_text("{")
    now[0] = 2.0
    found = ring.find(key)
    assert found is not None
    assert found.name == "a"


def test_the_file_holds_no_key(tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys", "a", "service", "2026-01-01")
    text = (tmp_path / "keys").read_text()
    assert key.startswith("pk_")
    assert len(key) == 46
    assert key not in text
    assert key[3:] not in text
    assert oct((tmp_path / "keys").stat().st_mode)[-3:] == "600"


def test_a_token_lets_in(server: Server, issuer: Issuer) -> None:
    for token in (issuer.token(), issuer.token(aud=["other", AUDIENCE]), issuer.token()):
        assert server.ask("POST", DEADLINE, {**QUESTION, "explain": "trace"}, shown(token)).status == 200


WRONG: list[tuple[str, dict[str, object]]] = [
    ("of another issuer", {"iss": "https://other.example"}),
    ("for another audience", {"aud": "other"}),
    ("for nobody", {"aud": None}),
    ("expired", {"exp": 1}),
    ("without an end", {"exp": None}),
    ("not valid yet", {"nbf": 99_999_999_999}),
    ("without a name", {"sub": None}),
    ("without a role", {"role": None}),
    ("with a list of roles", {"role": ["auditor"]}),
    ("signed by another key", {"key": new_key("one")}),
    ("of a key that is not published", {"kid": "two"}),
    ("signed by a secret", {"algorithm": "HS256", "key": OctKey.import_key("x" * 32)}),
]


@pytest.mark.parametrize(("how", "changed"), WRONG, ids=[how for how, _ in WRONG])
def test_a_token_that_is_not_right_does_not(
    server: Server, issuer: Issuer, how: str, changed: dict[str, object]
) -> None:
    token = issuer.token(**changed)  # type: ignore[arg-type]
    assert server.ask("POST", DEADLINE, QUESTION, shown(token)).status == 401


def test_an_unsigned_token_does_not(server: Server, issuer: Issuer) -> None:
    _, claims, signature = issuer.token().split(".")
    for token in (f"eyJhbGciOiJub25lIn0.{claims}.", f"eyJhbGciOiJub25lIn0.{claims}.{signature}"):
        assert server.ask("POST", DEADLINE, QUESTION, shown(token)).status == 401


def test_a_role_that_the_rules_do_not_know_may_nothing(server: Server, issuer: Issuer) -> None:
    answered = server.ask("POST", DEADLINE, QUESTION, shown(issuer.token(role="guest")))
    assert (answered.status, answered.json["detail"]) == (
        403,
        '"guest" is none of analyst, service, auditor, administrator',
    )


def test_nothing_of_callers_is_in_the_log(server: Server, keys: Mapping[str, str], issuer: Issuer) -> None:
    log = server.log.read_text("utf-8")
    assert "pk_" not in log
    assert "eyJ" not in log


def tokens_of(folder: Path, *keys: object) -> tuple[JwtTokens, list[float], list[Callable[[], None]]]:
    """What verifies tokens by keys in a file, with the time, and what is to be done in the background."""
    (folder / "jwks.json").write_text(published(*keys), "utf-8")  # type: ignore[arg-type]
    now, begun = [1_000.0], list[Callable[[], None]]()
    clock = Clock(seconds=lambda: now[0], ticks=lambda: now[0])
    source = Published(str(folder / "jwks.json"), published_keys(str(folder / "jwks.json")), clock, begin=begun.append)
    return JwtTokens(source, ISSUER, AUDIENCE, "role", clock), now, begun


def test_keys_of_an_issuer_are_fetched_again_and_old_ones_forgotten(tmp_path: Path) -> None:
    old, new = Issuer(), Issuer(new_key("two"))
    tokens, now, begun = tokens_of(tmp_path, old.key)
    token = old.token(exp=9_000)
    assert tokens.caller(token) == Caller("tia", "auditor")
    (tmp_path / "jwks.json").write_text(published(new.key), "utf-8")
    now[0] += AGE
    assert tokens.caller(token) == Caller("tia", "auditor")
    begun.pop()()
    assert tokens.caller(token) is None
    assert tokens.caller(new.token(kid="two", exp=9_000)) == Caller("tia", "auditor")


def test_a_key_that_is_missed_is_fetched_soon_and_not_too_often(tmp_path: Path) -> None:
    old, new = Issuer(), Issuer(new_key("two"))
    tokens, now, begun = tokens_of(tmp_path, old.key)
    (tmp_path / "jwks.json").write_text(published(old.key, new.key), "utf-8")
    token = new.token(kid="two", exp=9_000)
    assert tokens.caller(token) is None
    assert begun == []
    now[0] += SOONEST
    assert tokens.caller(token) is None
    assert tokens.caller(token) is None
    begun.pop()()
    assert begun == []
    assert tokens.caller(token) == Caller("tia", "auditor")


def test_keys_that_cannot_be_fetched_leave_those_that_were_there(tmp_path: Path) -> None:
    issuer = Issuer()
    tokens, now, begun = tokens_of(tmp_path, issuer.key)
    (tmp_path / "jwks.json").write_text("{", "utf-8")
    now[0] += AGE
    tokens.caller("x")
    begun.pop()()
    assert tokens.caller(issuer.token(exp=9_000)) == Caller("tia", "auditor")


def test_a_verified_token_is_known_until_it_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer()
    tokens, now, _ = tokens_of(tmp_path, issuer.key)
    token = issuer.token(exp=1_100)
    verified = tokens.caller(token)
    assert tokens.caller(token) is verified
    now[0] = 1_131.0
    assert tokens.caller(token) is None


def test_a_caller_who_asks_too_often_is_told_to_wait() -> None:
    now = [0.0]
    rates = Rates(2, Clock(ticks=lambda: now[0]))
    some, other = Caller("a", "service"), Caller("b", "service")
    rates.spend(some)
    rates.spend(some)
    with pytest.raises(Problem) as refused:
        rates.spend(some)
    assert (refused.value.kind.status, str(refused.value)) == (429, "`a` may ask 2 times a second")
    assert refused.value.headers == (("retry-after", "1"),)
    rates.spend(other)
    now[0] = 0.5
    rates.spend(some)
    with pytest.raises(Problem):
        rates.spend(some)


def test_where_nobody_is_asked_everybody_is_let_in() -> None:
    assert Callers().known(Head("GET", "/", {"authorization": "Bearer pk_x"}.get)) is ANYBODY


KEYS_FAULTS: list[tuple[list[str], str]] = [
    (["add", "a b", "--role", "service", *MORE],
     "`a b` cannot be the name of a key: use at most 64 letters from A to Z, digits, points, dashes and underscores"),
    (["add", "billing", "--role", "service", *MORE], "there is a key `billing` already; revoke it first, or choose another name"),
    (["add", "x", "--role", "boss", *MORE], "  /role: \"boss\" is none of analyst, service, auditor, administrator"),
    (["add", "x", "--role", "service"], "which file of keys? Name it with --keys, or by the setting `keys`"),
    (["revoke", "bill", *MORE], "there is no key `bill`; did you mean `billing`?"),
    (["revoke", "bill", "--keys", "none.json"], "there is no file `none.json`"),
    (["list", "--keys", "other.json"], "other.json: this is no file of keys; `policy serve keys add` writes one"),
    (["list", "--keys", "broken.json"], "broken.json: key 1 is not as `policy serve keys add` writes it"),
]  # fmt: skip


def test_keys_are_managed_from_the_command_line(tmp_path: Path) -> None:
    where = ["serve", "--rules", str(ROOT / "rules"), "--schemas", str(ROOT / "schemas"), "keys"]
    added = policy(*where, "add", "billing", "--role", "service", *MORE, folder=tmp_path)
    assert (added.code, added.err) == (0, "")
    assert added.out.startswith("pk_")
    listed = policy(*where, "list", *MORE, folder=tmp_path)
    assert listed.out == f"billing  service  since {read_keys(tmp_path / 'keys.json')[0].since}\n"
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "broken.json").write_text('{"keys": [{"name": "a"}]}')
    for words, told in KEYS_FAULTS:
        ran = policy(*where, *words, folder=tmp_path)
        assert (ran.code != 0, ran.err.split("\n")[-2]) == (True, told), words
    assert policy(*where, "revoke", "billing", *MORE, folder=tmp_path).code == 0
    assert policy(*where, "list", *MORE, folder=tmp_path).out == ""


def test_keys_that_the_rules_do_not_know_keep_the_service_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICY_SERVE_KEYS", str(tmp_path / "keys"))
    assert "there is no file" in policy("serve").err
    add_key(tmp_path / "keys", "a", "boss", "2026-01-01")
    told = 'the role of the key `a`: "boss" is none of analyst, service, auditor, administrator\n'
    assert policy("serve").err == told
    told = "callers are asked who they are, and no rule says what they may: there is no decision `engine_access.permission`\n"
    assert policy("serve", "--rules", "rules/can_spam.yaml").err == told


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "FILE: these are no published keys (JWKS)"), ('{"keys": []}', "FILE: these are no published keys (JWKS)")],
)
def test_published_keys_that_are_none_are_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "jwks").write_text(text)
    with pytest.raises(CannotRun) as raised:
        published_keys(str(tmp_path / "jwks"))
    assert str(raised.value) == told.replace("FILE", str(tmp_path / "jwks"))


def test_published_keys_are_fetched_by_https_alone() -> None:
    with pytest.raises(CannotRun, match="must be a file or an address that begins with https://"):
        published_keys("http://issuer.example/jwks")


def test_tls_encrypts_and_may_ask_clients_for_certificates(tmp_path: Path) -> None:
    authority = certified(tmp_path, "authority")
    own, theirs = certified(tmp_path, "server", authority), certified(tmp_path, "client", authority)
    files = {"certificate": own.certificate, "certificate_key": own.key, "client_authority": authority.certificate}
    options = ("--rules", "rules/can_spam.yaml")
    with serving(tmp_path, *options, tls=client(authority, theirs), settings=files) as server:
        assert server.ask("POST", DEADLINE, QUESTION).status == 200
        stranger = Server(server.port, server.process, server.log, client(authority))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            stranger.ask("POST", DEADLINE, QUESTION)


def test_a_certificate_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none.pem").write_text("none")
    own = certified(tmp_path, "server")
    for name, file in (("CERTIFICATE", own.certificate), ("CERTIFICATE_KEY", own.key)):
        monkeypatch.setenv(f"POLICY_SERVE_{name}", str(file))
    monkeypatch.setenv("POLICY_SERVE_CLIENT_AUTHORITY", str(tmp_path / "none.pem"))
    none = f"`{tmp_path / 'none.pem'}`"
    assert in_one_line(policy("serve").err).startswith(f"the certificate {none} cannot be used: ")
    for name in ("CERTIFICATE", "CERTIFICATE_KEY"):
        monkeypatch.setenv(f"POLICY_SERVE_{name}", str(tmp_path / "none.pem"))
    assert in_one_line(policy("serve").err).startswith(f"the certificate {none} with {none} cannot be used: ")


def in_one_line(text: str) -> str:
    """A text without the breaks that a narrow page needs."""
    return " ".join(text.split())
