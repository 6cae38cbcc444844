"""The recipes in `examples/deploying`: the unit, the proxy and both frameworks are real; what is not here is skipped."""

from __future__ import annotations

import asyncio
import importlib
import os
import re
import shutil
import ssl
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest

from policy_engine.client import Client, Question
from policy_engine.service.keys import add_key
from policy_engine.service.settings import Settings, variable
from tests.conftest import ROOT
from tests.support.identities import certified, client
from tests.support.served import PATIENCE, free_port, serving, some_rules

FOLDER = ROOT / "examples" / "deploying"
DEADLINE = {
    "by": "2025-07-11",
    "because": "Ten business days after the opt-out of 2025-06-27 the latest date is 2025-07-11.",
}


def needed(program: str) -> str:
    """Where a program of Debian is. Without it tests are skipped, but in CI they fail."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"`{program}` is not installed; this recipe needs it")
    return found


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    program, unit = needed("systemd-analyze"), (FOLDER / "policy-engine.service").read_text("utf-8")
    command = "/opt/policy_engine/bin/policy"
    assert f"ExecStart={command} serve --config" in unit
    for text, fault in ((unit, ""), (unit.replace("ProtectHome=yes", "ProtectHome=perhaps"), "perhaps")):
        path = tmp_path / "policy-engine.service"
        path.write_text(text.replace(command, "/bin/true"), "utf-8")
        done = subprocess.run([program, "verify", str(path)], capture_output=True, text=True, check=False)
        assert done.stderr == "" if not fault else fault in done.stderr


def test_the_settings_of_the_recipes_are_settings() -> None:
    known = {each.name for each in fields(Settings)}
    assert set(tomllib.loads((FOLDER / "serve.toml").read_text("utf-8"))) <= known
    named = re.findall(r"(POLICY_SERVE_\w+)=", (FOLDER / "Containerfile").read_text("utf-8"))
    assert named
    assert set(named) <= {variable(each) for each in fields(Settings)}


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[tuple[str, ssl.SSLContext, str]]:
    """The address of nginx before a service, who trusts it, and a key."""
    program, port = needed("nginx"), free_port()
    identity = certified(tmp_path, "localhost")
    rules = some_rules(tmp_path, ["engine_access", "can_spam"])
    key = add_key(tmp_path / "keys.json", "billing", "service", "2026-01-01")
    with serving(tmp_path, "--rules", str(rules), settings={"keys": tmp_path / "keys.json"}) as server:
        text = (FOLDER / "nginx.conf").read_text("utf-8")
        for shown, real in {
            "listen 443": f"listen 127.0.0.1:{port}",
            "127.0.0.1:8000": f"127.0.0.1:{server.port}",
            "/etc/ssl/pdp.example.com.pem": str(identity.certificate),
            "/etc/ssl/private/pdp.example.com.key": str(identity.key),
        }.items():
            assert shown in text
            text = text.replace(shown, real)
        (tmp_path / "nginx.conf").write_text(f"daemon off; pid {tmp_path}/pid; user root;\n{text}", "utf-8")
        command = [program, "-p", str(tmp_path), "-e", str(tmp_path / "errors"), "-c", str(tmp_path / "nginx.conf")]
        with subprocess.Popen(command) as process:
            try:
                yield f"https://localhost:{port}", client(identity), key
            finally:
                process.terminate()
                process.wait(PATIENCE)


def test_nginx_passes_on_what_the_service_answers(proxied: tuple[str, ssl.SSLContext, str]) -> None:
    address, trusted, key = proxied
    with httpx.Client(verify=trusted, timeout=PATIENCE) as http, Client(address, key=key, http=http) as asking:
        facts = {"opt_out_received_on": "2025-06-27"}
        answer = asking.decide("can_spam.opt_out_deadline", facts, request_id="mine-7")
        assert (answer.values, answer.request_id) == ({"latest_date": "2025-07-11"}, "mine-7")
        question = Question("can_spam.opt_out_deadline", {**facts, "message_id": "x" * 64})
        told = list(asking.batch([question] * 10_000, at_once=10_000))
        assert {each.answer.outcome for each in told} == {answer.outcome}
        assert len(told) == 10_000
        assert http.get(f"{address}/metrics", headers={"authorization": f"Bearer {key}"}).status_code == 404
        refused = http.post(f"{address}/v1/decisions/can_spam", headers={"content-type": "application/json"})
        assert (refused.status_code, refused.json()["type"]) == (401, "/problems/unknown-caller")


async def _asked(application: Any) -> list[httpx.Response]:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        body = {"facts": {"opt_out_received_on": "2025-06-27"}, "as_of": "2025-06-30"}
        return [
            await http.get("/opt-outs/2025-06-27", params={"as_of": "2025-06-30"}),
            await http.get("/opt-outs/tomorrow", params={"as_of": "2025-06-30"}),
            await http.post("/policy/v1/decisions/can_spam/opt_out_deadline", json=body),
            await http.get("/policy/nothing"),
            await http.get("/v1/rulesets"),
        ]


@pytest.mark.parametrize(("name", "attribute"), [("fastapi_app", "app"), ("django_app", "application")])
def test_the_engine_answers_within_frameworks(name: str, attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.chdir(ROOT)
    module = importlib.import_module(name)
    own, invalid, below, nothing, outside = asyncio.run(_asked(getattr(module, attribute)))
    assert (own.status_code, own.json()["by"]) == (200, "2025-07-11")
    assert invalid.status_code == 422
    assert below.json()["values"] == {"latest_date": "2025-07-11"}
    assert own.json()["because"] == below.json()["reason"]
    assert (nothing.status_code, nothing.json()["detail"]) == (404, "there is nothing at `/nothing`")
    assert outside.status_code == 404
