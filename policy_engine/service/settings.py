"""Settings of the service, from one TOML file and from environment variables: one table, from which the page of them is made."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import did_you_mean, shown_text
from policy_engine.errors import CannotRun

PREFIX = "POLICY_SERVE_"
"""What the names of environment variables begin with."""


def setting(default: Any, what: str, *, least: int = 0, most: int = 1_000_000_000) -> Any:
    """A setting with its default, what it is, and the least and the most that a number may be."""
    return field(default=default, metadata={"what": what, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class Settings:
    """How the service runs."""

    rules: str = setting("rules", "the folder of rule files")
    schemas: str = setting("schemas", "the folder of the schemas of facts")
    host: str = setting(
        "127.0.0.1", "the address to listen at; others than this machine reach only an address of its own"
    )
    port: int = setting(8000, "the port to listen at", least=1, most=65_535)
    workers: int = setting(1, "how many processes answer", least=1, most=256)
    connections: int = setting(
        1_000, "how many connections a worker has open at once; others wait", least=1, most=1_000_000
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
    if faults:
        raise CannotRun("\n".join(faults))
    return Settings(**told)


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
    faults += (f"{path}: {_unknown(name, known)}" for name in told if name not in known)
    return {name: value for name, value in told.items() if name in known}


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
    """The value that a text says; a text that is no number stays, and is told to be none."""
    return int(text) if each.type == "int" and text.isascii() and text.isdigit() and len(text) < 20 else text


def _faults(each: Field[Any], value: object) -> Iterator[str]:
    """What is wrong with the value of a setting."""
    least, most = each.metadata["least"], each.metadata["most"]
    if each.type == "int":
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            yield f"the setting `{each.name}` must be a whole number from {least} to {most}, not `{shown_text(str(value), 40)}`"
    elif not isinstance(value, str) or not value:
        yield f"the setting `{each.name}` must be a text, not `{shown_text(str(value), 40)}`"
