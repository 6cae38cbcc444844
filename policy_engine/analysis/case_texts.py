"""Test cases as the YAML of a test file, and adding them to one whose text otherwise stays as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from policy_engine.errors import CannotRun
from policy_engine.files import write_whole
from policy_engine.frontend.rule_cases import RuleCase

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:[ -][A-Za-z0-9_]+)*|\d{4}-\d{2}-\d{2}")
"""Texts that YAML reads as they are, but for `WORDS`."""
WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])
KEY = re.compile(r"^[^\s#]")
CASES = re.compile(r"^cases:\s*(?:#.*)?$")
ITEM = re.compile(r"^( *)- ")
MARK = "Added by `policy test --write`: confirm that this is the right answer."


def case_text(case: RuleCase, indent: str = "  ") -> str:
    """A case as an item of `cases:`, under the remark that somebody has to confirm it."""
    inner = f"{indent}  "
    lines = [f"{indent}# {MARK}", f"{indent}- name: {_flow(case.name)}", f"{inner}as_of: {case.as_of}"]
    if case.readings:
        lines.append(f"{inner}readings: {_flow(case.readings)}")
    lines.append(f"{inner}facts:" if case.facts else f"{inner}facts: {{}}")
    lines += [f"{inner}  {name}: {_flow(value)}" for name, value in case.facts.items()]
    if case.invalid is not None:
        return "\n".join([*lines, f"{inner}invalid: {_flow(case.invalid)}"]) + "\n"
    lines.append(f"{inner}expect:")
    lines += [f"{inner}  {name}: {_flow(parts)}" for name, parts in case.expect.items()]
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    """A value on one line."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            return str(value)
        case Mapping():
            return "{" + ", ".join(f"{_flow(name)}: {_flow(part)}" for name, part in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value)
    plain = PLAIN.fullmatch(text) and text.lower() not in WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def add_cases(path: Path, cases: Sequence[RuleCase]) -> None:
    """Add cases behind those of a test file, or make one; nothing else of its text changes.

    Raises `CannotRun` where it has no such list.
    """
    if not path.exists():
        write_whole(path, f"tests: {cases[0].ruleset}\n\ncases:\n" + "\n".join(map(case_text, cases)))
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if CASES.match(line)), None)
    if start is None:
        raise CannotRun(
            f"`{path}` has no list under `cases:` on lines of its own; write one, and cases can be added to it"
        )
    end = next(
        (at for at in range(start + 1, len(lines)) if KEY.match(lines[at]) and not ITEM.match(lines[at])), len(lines)
    )
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    indent = next((found[1] for line in lines[start + 1 : end] if (found := ITEM.match(line))), "  ")
    if end and not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    added = "".join(f"\n{case_text(case, indent)}" for case in cases)
    write_whole(path, "".join([*lines[:end], added, *lines[end:]]))
