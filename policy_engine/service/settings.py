"""Settings of the service, from one TOML file and from environment variables: one table, from which the page of them is made."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.errors import CannotRun

PUBLIC = re.compile(r"https?://[A-Za-z0-9.:\[\]_-]+(/[A-Za-z0-9._~-]+)*")
PREFIX = "POLICY_SERVE_"
"""What the names of environment variables begin with."""


def setting(
    default: Any, what: str, *, least: int = 0, most: int = 1_000_000_000, choices: tuple[str, ...] = ()
) -> Any:
    """A setting with its default, what it is, the least and the most that a number may be, and what a text may be."""
    return field(default=default, metadata={"what": what, "least": least, "most": most, "choices": choices})


REFUSE, ANSWER_AND_COUNT = "refuse", "answer_and_count"
"""What becomes of an answer that cannot be logged."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the service runs."""

    rules: str = setting("rules", "the folder of rule files")
    schemas: str = setting("schemas", "the folder of the schemas of facts")
    authzen: str = setting(
        "", "the AuthZEN mapping (YAML): which decision answers for which subjects, resources and actions"
    )
    public_url: str = setting(
        "",
        "the address by which callers reach the service, such as https://pdp.example.com; the AuthZEN metadata name it",
    )
    host: str = setting(
        "127.0.0.1", "the IP address to listen at; with `keys` or `jwks` it may be another than this machine's own"
    )
    port: int = setting(8000, "the port to listen at", least=1, most=65_535)
    keys: str = setting("", "the file of API keys, which `policy serve keys` writes; it is read again when it changes")
    jwks: str = setting("", "the published keys (JWKS) by which tokens are verified: a file, or an address with https")
    issuer: str = setting("", "who issues the tokens: their claim `iss`")
    audience: str = setting("", "for whom they are issued: their claim `aud`")
    role_claim: str = setting("role", "the claim of a token that names the caller's role")
    open_documentation: bool = setting(
        False, "whether `/docs`, `/openapi.json` and `/v1/rulesets` are shown without a key"
    )
    rate: int = setting(1_000, "requests a second of each known caller in each worker; 0 for any number")
    certificate: str = setting("", "the file of the certificate (PEM); with it the service speaks TLS, 1.2 or later")
    certificate_key: str = setting("", "the file of the certificate's private key (PEM)")
    client_authority: str = setting(
        "", "the file of the certificates (PEM) by one of which every client's must be signed"
    )
    telemetry: str = setting(
        "", "the address that takes spans of OpenTelemetry (OTLP over HTTP), such as http://localhost:4318"
    )
    log_requests: bool = setting(
        False, "whether the log has a line for each request: its id, address, status, caller and time"
    )
    log_location: str = setting(
        "", "the decision log, which `policy log init` makes: a file, or the address of a database with `postgresql://`"
    )
    log_keys: str = setting("", "the folder of its keys; beside a file, as `policy log init` makes it, if left out")
    log_on_failure: str = setting(
        REFUSE,
        "what becomes of an answer that cannot be logged: `refuse`: it is not given; `answer_and_count`: it is, and is counted",
        choices=(REFUSE, ANSWER_AND_COUNT),
    )
    log_seconds: int = setting(10, "seconds in which an answer must be logged", least=1, most=3_600)
    watch: bool = setting(
        False, "whether rules are loaded again when their files or schemas change, and not at SIGHUP alone"
    )
    workers: int = setting(1, "how many processes answer", least=1, most=256)
    connections: int = setting(
        5_000, "how many connections a worker has open at once; others wait", least=1, most=1_000_000
    )
    largest_body: int = setting(1_000_000, "bytes of a body, or of a line of a batch", least=1_000, most=10_000_000)
    longest_batch: int = setting(100_000, "lines of a batch", least=1)
    body_seconds: int = setting(
        30, "seconds in which a body, or the next part of a batch, must have come", least=1, most=3_600
    )
    header_seconds: int = setting(
        10, "seconds in which the headers must have come; a connection on which nothing comes is closed after them",
        least=1, most=3_600,
    )  # fmt: skip
    stop_seconds: int = setting(30, "seconds that requests have to end after SIGTERM", least=1, most=3_600)


def settings_from(path: Path | None, environment: Mapping[str, str], options: Mapping[str, object]) -> Settings:
    """The settings: options given on the command line, else environment variables, else those of a file, else defaults.

    Raises `CannotRun` with a sentence for each fault.
    """
    faults: list[str] = []
    told: dict[str, Any] = {**_from_file(path, faults), **_from_environment(environment, faults)}
    told |= {name: value for name, value in options.items() if value is not None}
    faults += (fault for each in fields(Settings) if each.name in told for fault in _faults(each, told[each.name]))
    if not faults:
        settings = Settings(**told)
        faults += _together(settings)
    if faults:
        raise CannotRun("\n".join(faults))
    return settings


def _together(settings: Settings) -> Iterator[str]:
    """What is wrong with settings that each are as they must be."""
    address = _address(settings.host)
    if address is None:
        yield f"the setting `host` must be an IP address such as 127.0.0.1, not `{shown_text(settings.host, 60)}`"
    elif not address.is_loopback and not (settings.keys or settings.jwks):
        yield (
            f"the setting `host` is `{shown_text(settings.host, 60)}`, and everybody there could ask: "
            "set `keys` or `jwks`, or listen to this machine alone"
        )
    if len({bool(settings.jwks), bool(settings.issuer), bool(settings.audience)}) > 1:
        yield "the settings `jwks`, `issuer` and `audience` go together: set all three, or none"
    if bool(settings.certificate) != bool(settings.certificate_key):
        yield "the settings `certificate` and `certificate_key` go together: set both, or none"
    if settings.public_url and not PUBLIC.fullmatch(settings.public_url):
        shown = shown_text(settings.public_url, 60)
        yield f"the setting `public_url` must be an address such as https://pdp.example.com, not `{shown}`"
    if settings.log_keys and not settings.log_location:
        yield "the setting `log_keys` needs `log_location`: nothing is logged without it"
    if settings.telemetry and not settings.telemetry.startswith(("http://", "https://")):
        shown = shown_text(settings.telemetry, 60)
        yield f"the setting `telemetry` must be an address that begins with http:// or https://, not `{shown}`"
    if settings.client_authority and not settings.certificate:
        yield "the setting `client_authority` needs `certificate`: only with TLS clients show certificates"


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _from_file(path: Path | None, faults: list[str]) -> dict[str, object]:
    """What a TOML file says; names that there are not become faults."""
    if path is None:
        return {}
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CannotRun(f"`{path}` cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CannotRun(f"`{path}` is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise CannotRun(f"{path}: not TOML: {error}") from None
    known = [each.name for each in fields(Settings)]
    given = _flat(told)
    faults += (f"{path}: {_unknown(name, known)}" for name in given if name not in known)
    return {name: value for name, value in given.items() if name in known}


def _flat(told: Mapping[str, object]) -> dict[str, object]:
    """Settings by their names: what stands in a table has the table's name before its own."""
    given: dict[str, object] = {}
    for name, value in told.items():
        given |= {f"{name}_{each}": own for each, own in value.items()} if isinstance(value, dict) else {name: value}
    return given


def _from_environment(environment: Mapping[str, str], faults: list[str]) -> dict[str, object]:
    """What environment variables say; names that there are not become faults."""
    known = {variable(each): each for each in fields(Settings)}
    given = {name: text for name, text in environment.items() if name.startswith(PREFIX)}
    faults += (_unknown(name, list(known)) for name in given if name not in known)
    return {known[name].name: _read(known[name], text) for name, text in given.items() if name in known}


def variable(each: Field[Any]) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{each.name.upper()}"


def _unknown(name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known) or f"there is {', '.join(known)}"
    return f"there is no setting `{shown_text(name)}`; {hint}"


def _read(each: Field[Any], text: str) -> object:
    """The value that a text says; a text that is no such value stays, and is told to be none."""
    if each.type == "bool":
        return {"true": True, "false": False}.get(text, text)
    return int(text) if each.type == "int" and text.isascii() and text.isdigit() and len(text) < 20 else text


def _faults(each: Field[Any], value: object) -> Iterator[str]:
    """What is wrong with the value of a setting."""
    wanted = _wanted(each, value)
    if wanted is not None:
        yield f"the setting `{each.name}` must be {wanted}, not {_shown(each, value)}"


def _shown(each: Field[Any], value: object) -> str:
    shown = shown_text(str(value), 40)
    is_quoted = isinstance(value, str) and _wanted(each, _read(each, value)) is None
    return f"the text `{shown}`: leave out the quotes" if is_quoted else f"`{shown}`"


def _wanted(each: Field[Any], value: object) -> str | None:
    """What a setting must be, None where it is that."""
    match each.type:
        case "int":
            least, most = each.metadata["least"], each.metadata["most"]
            is_right = type(value) is int and least <= value <= most
            return None if is_right else f"a whole number from {least} to {most}"
        case "bool":
            return None if isinstance(value, bool) else "true or false"
    choices = each.metadata["choices"]
    if choices:
        return None if value in choices else f"one of {', '.join(choices)}"
    return None if isinstance(value, str) and (value or not each.default) else "a text"
