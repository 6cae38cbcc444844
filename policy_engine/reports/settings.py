"""What a report says of itself, such as its title and who prepared it: from a YAML file and from options.

report:
  title: Earnings of the second quarter
  organisation: Example Ltd
  purpose: For the audit committee
  prepared_by: A. Author
  reviewed_by: R. Reviewer
  confidentiality: Internal
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from policy_engine.diagnostics import shown_text, unknown_name
from policy_engine.documents.nodes import MappingNode, ScalarNode
from policy_engine.documents.yaml_reader import read_file
from policy_engine.errors import CannotRun

SETTINGS = ("title", "organisation", "purpose", "prepared_by", "reviewed_by", "confidentiality")
LONGEST = 300
"""The characters of a setting: it stands on every printed page."""


def settings_of(file: str | None, pairs: Iterable[str]) -> dict[str, str]:
    """The settings in a file, and those of `NAME=TEXT` arguments, which come before them; raises `CannotRun`."""
    found = read_settings(Path(file)) if file is not None else {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise CannotRun(f"--setting: `{shown_text(pair)}` is not of the form NAME=TEXT")
        fault = _fault(name, text)
        if fault is not None:
            raise CannotRun(f"--setting: {fault}")
        found[name] = text.strip()
    return {name: found[name] for name in SETTINGS if name in found}


def given_settings(said: Mapping[str, str]) -> dict[str, str]:
    """The settings in a mapping of names to texts; raises `CannotRun` with every fault."""
    faults = [fault for name, text in said.items() if (fault := _fault(name, text)) is not None]
    if faults:
        raise CannotRun("\n".join(faults))
    return {name: said[name].strip() for name in SETTINGS if name in said}


def read_settings(path: Path) -> dict[str, str]:
    """The settings under `report` in a YAML file; raises `CannotRun` with every fault and its place."""
    _, node, found = read_file(path)
    if found:
        raise CannotRun("\n".join(f"{fault.span}: {fault.message}" for fault in found))
    body = node.get("report") if isinstance(node, MappingNode) and len(node.entries) == 1 else None
    if not isinstance(body, MappingNode):
        raise CannotRun(f"{path}: a file of settings has one key, `report`, and under it {', '.join(SETTINGS)}")
    texts = [(key, value.text.value if isinstance(value, ScalarNode) else "") for key, value in body.entries]
    faults = [f"{key.span}: {fault}" for key, text in texts if (fault := _fault(key.value, text)) is not None]
    if faults:
        raise CannotRun("\n".join(faults))
    return {key.value: text.strip() for key, text in texts}


def _fault(name: str, text: str) -> str | None:
    if name not in SETTINGS:
        return unknown_name("setting", shown_text(name), SETTINGS)
    if not text.strip():
        return f"`{name}` is a text, and there is none"
    return f"`{name}` has {len(text):,} characters, and at most {LONGEST} are shown" if len(text) > LONGEST else None
