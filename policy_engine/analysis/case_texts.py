"""Test cases as the YAML of a test file, and adding them to one whose text otherwise stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from policy_engine.diagnostics import Diagnostic
from policy_engine.documents.nodes import YamlNode, plain
from policy_engine.documents.yaml_reader import given_text, read_file, read_text
from policy_engine.documents.yaml_values import in_yaml
from policy_engine.errors import CannotRun
from policy_engine.files import write_whole
from policy_engine.frontend.rule_cases import RuleCase

KEY = re.compile(r"^[^\s#]")
CASES = re.compile(r"^cases:\s*(?:#.*)?$")
ITEM = re.compile(r"^( *)-(?: |$)")
MARK = "Added by `policy test --write`: confirm that this is the right answer."


def case_text(case: RuleCase, indent: str = "  ", mark: str = MARK) -> str:
    """A case as an item of `cases:`, under the remark that somebody has to confirm it."""
    inner = f"{indent}  "
    lines = [f"{indent}# {mark}", f"{indent}- name: {in_yaml(case.name)}", f"{inner}as_of: {case.as_of}"]
    if case.readings:
        lines.append(f"{inner}readings: {in_yaml(case.readings)}")
    lines.append(f"{inner}facts:" if case.facts else f"{inner}facts: {{}}")
    lines += [f"{inner}  {name}: {in_yaml(value)}" for name, value in case.facts.items()]
    if case.invalid is not None:
        return "\n".join([*lines, f"{inner}invalid: {in_yaml(case.invalid)}"]) + "\n"
    lines.append(f"{inner}expect:")
    lines += [f"{inner}  {name}: {in_yaml(parts)}" for name, parts in case.expect.items()]
    return "\n".join(lines) + "\n"


def add_cases(path: Path, cases: Sequence[RuleCase]) -> None:
    """Add cases behind those of a test file, or make one; nothing else of it changes, its ends of lines neither.

    Raises `CannotRun` where the file has faults, is of another ruleset, or is written so that nothing can be added surely.
    """
    if not path.exists():
        write_whole(path, f"tests: {cases[0].ruleset}\n\ncases:\n" + "\n".join(map(case_text, cases)))
        return
    _, node, faults = read_file(path)
    before = _plain(path, node, faults)
    with path.open(encoding="utf-8", newline="") as file:
        text = file.read()
    if before.get("tests") != cases[0].ruleset:
        raise CannotRun(
            f"`{path}` has the tests of `{before.get('tests')}`, so no case of `{cases[0].ruleset}` is added to it"
        )
    added = list(_with_own_names(cases, {str(case.get("name")) for case in before.get("cases") or []}))
    changed = _with_cases(text, added, has_cases="cases" in before)
    after = _parsed(path, changed)
    if after.get("cases") != [*(before.get("cases") or []), *(_parsed(path, case_text(case, ""))[0] for case in added)]:
        raise _by_hand(path)
    if {**after, "cases": None} != {**before, "cases": None}:
        raise _by_hand(path)
    write_whole(path, changed)


def _by_hand(path: Path) -> CannotRun:
    return CannotRun(f"`{path}` is written so that no case can be added surely; add them by hand, as they are shown")


def _parsed(path: Path, text: str) -> Any:
    plain_text, faults = given_text(str(path), text)
    return _plain(path, *(read_text(plain_text, str(path)) if not faults else (None, faults)))


def _plain(path: Path, node: YamlNode | None, faults: Sequence[Diagnostic]) -> Any:
    """What a test file holds; raises `CannotRun` where it cannot be read."""
    if faults or node is None:
        raise _by_hand(path)
    return plain(node)


def _with_own_names(cases: Iterable[RuleCase], there: set[str]) -> Iterator[RuleCase]:
    """The cases, numbered where another case has the same name."""
    for case in cases:
        names = chain([case.name], (f"{case.name}, {number}" for number in count(2)))
        name = next(name for name in names if name not in there)
        there.add(name)
        yield replace(case, name=name)


def _with_cases(text: str, cases: Sequence[RuleCase], *, has_cases: bool) -> str:
    """The text of a test file with cases behind those that it has, in the form in which these stand."""
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.split("\n")
    start = next((at for at, line in enumerate(lines) if CASES.match(line.rstrip())), None)
    if start is None:
        head = [] if has_cases else ["", "cases:"]
        return newline.join([text.rstrip(), *head, *_lines(cases, "  ")]) + newline
    keys = (at for at in range(start + 1, len(lines)) if KEY.match(lines[at]) and not ITEM.match(lines[at]))
    end = next(keys, len(lines))
    while end < len(lines) and lines[end - 1].startswith("#"):
        end -= 1  # such a comment belongs to the next key
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    indent = next((found[1] for line in lines[start + 1 : end] if (found := ITEM.match(line))), "  ")
    added = [line + ("\r" if newline == "\r\n" else "") for line in ["", *_lines(cases, indent)]]
    last = lines[end:] or [""]
    return "\n".join([*lines[:end], *added, *last])


def _lines(cases: Sequence[RuleCase], indent: str) -> list[str]:
    return "\n".join(case_text(case, indent) for case in cases).split("\n")[:-1]
