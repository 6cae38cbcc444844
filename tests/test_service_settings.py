"""Settings of the service come from options, the environment, a file and defaults, and each fault of them is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from policy_engine.errors import CannotRun
from policy_engine.service.settings import Settings, settings_from
from tests.support.commands import policy


def test_options_come_before_the_environment_before_the_file_before_defaults(tmp_path: Path) -> None:
    file = tmp_path / "serve.toml"
    file.write_text('port = 1\nworkers = 2\nrules = "mine"\n', "utf-8")
    settings = settings_from(file, {"POLICY_SERVE_PORT": "3", "POLICY_SERVE_WORKERS": "4", "HOME": "x"}, {"port": 5})
    assert (settings.port, settings.workers, settings.rules) == (5, 4, "mine")
    assert settings.schemas == Settings().schemas


FAULTS: list[tuple[str, dict[str, str], list[str]]] = [
    ("port = 0", {}, ["the setting `port` must be a whole number from 1 to 65535, not `0`"]),
    ("port = true", {}, ["the setting `port` must be a whole number from 1 to 65535, not `True`"]),
    ('port = "8000"', {},
     ["the setting `port` must be a whole number from 1 to 65535, not the text `8000`: leave out the quotes"]),
    ('watch = "true"', {}, ["the setting `watch` must be true or false, not the text `true`: leave out the quotes"]),
    ('watch = "yes"', {}, ["the setting `watch` must be true or false, not `yes`"]),
    ("rules = 7", {}, ["the setting `rules` must be a text, not `7`"]),
    ("ports = 1", {}, ["FILE: there is no setting `ports`; did you mean `port`?"]),
    ("port =", {}, ["FILE: not TOML: Invalid value (at end of document)"]),
    ("", {"POLICY_SERVE_PORT": "-1"}, ["the setting `port` must be a whole number from 1 to 65535, not `-1`"]),
    ("", {"POLICY_SERVE_PORTS": "1"}, ["there is no setting `POLICY_SERVE_PORTS`; did you mean `POLICY_SERVE_PORT`?"]),
    ("open_documentation = 1", {}, ["the setting `open_documentation` must be true or false, not `1`"]),
    ("", {"POLICY_SERVE_OPEN_DOCUMENTATION": "yes"}, ["the setting `open_documentation` must be true or false, not `yes`"]),
    ('issuer = "x"', {}, ["the settings `jwks`, `issuer` and `audience` go together: set all three, or none"]),
    ('certificate = "x"', {}, ["the settings `certificate` and `certificate_key` go together: set both, or none"]),
    ('client_authority = "x"', {},
     ["the setting `client_authority` needs `certificate`: only with TLS clients show certificates"]),
    ("port = 0\nworkers = 0", {}, [
        "the setting `port` must be a whole number from 1 to 65535, not `0`",
        "the setting `workers` must be a whole number from 1 to 256, not `0`",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "environment", "told"), FAULTS)
def test_each_fault_has_a_sentence(tmp_path: Path, text: str, environment: dict[str, str], told: list[str]) -> None:
    file = tmp_path / "serve.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(CannotRun) as raised:
        settings_from(file, environment, {})
    assert str(raised.value).replace(str(file), "FILE").split("\n") == told


COMMANDS: list[tuple[list[str], str]] = [
    (["--config", "nowhere.toml"], "`nowhere.toml` cannot be read: No such file or directory"),
    (["--port", "70000"], "the setting `port` must be a whole number from 1 to 65535, not `70000`"),
    (["--host", "here"], "the setting `host` must be an IP address such as 127.0.0.1, not `here`"),
    (["--host", "127.0.0.1", "--port", "1", "--rules", "nowhere"], "there is no file or folder `nowhere`"),
    (["--host", "0.0.0.0"],
     "the setting `host` is `0.0.0.0`, and everybody there could ask: set `keys` or `jwks`, or listen to this machine alone"),
    (["--rules", "nowhere"], "there is no file or folder `nowhere`"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "told"), COMMANDS, ids=lambda value: str(value)[:30])
def test_what_keeps_the_command_from_serving_is_told_at_once(options: list[str], told: str) -> None:
    ran = policy("serve", *options)
    assert (ran.code, ran.err, ran.out) == (2, f"{told}\n", "")


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = policy("serve", "--port", str(port))
    assert (ran.code, ran.err) == (2, f"nobody can listen at 127.0.0.1, port {port}: Address already in use\n")
