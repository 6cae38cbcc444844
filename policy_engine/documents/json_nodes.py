"""Parsing JSON to nodes with places, by the YAML reader."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policy_engine.diagnostics import Diagnostic, say, shown_text
from policy_engine.documents.json_faults import json_fault
from policy_engine.documents.nodes import MappingNode, ScalarNode, SequenceNode, YamlNode, is_huge
from policy_engine.documents.yaml_reader import read_text
from policy_engine.source import Span

ESCAPES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|\\.")
"""An escape, its groups set where it is a character in two halves (a surrogate pair), which YAML does not read."""


def json_nodes(text: str, path: str) -> tuple[YamlNode | None, list[Diagnostic]]:
    """The document of a JSON text, None where it cannot be read, and its faults."""
    fault = json_fault(text)
    if fault is not None:
        return None, [say("schema-not-json", Span(path, fault.line, fault.column), why=fault.why)]
    # outside of its texts JSON may have tabs, and within them none
    node, faults = read_text(ESCAPES.sub(_whole_character, text.replace("\t", " ")), path)
    return node, faults or list(_huge_numbers(node))


def _whole_character(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return escape.group()
    halves = bytes.fromhex(escape[1] + escape[2])
    return f"\\U{ord(halves.decode('utf-16-be')):08X}"


def _huge_numbers(node: YamlNode | None) -> Iterator[Diagnostic]:
    """Reports numbers that are too long to be meant, before anything calculates with them."""
    match node:
        case ScalarNode(text=text) if is_huge(text):
            what = f"`{shown_text(text.value, 40)}` has"
            yield say("too-many-digits", text.span, hint="write fewer digits", what=what)
        case SequenceNode(items=items):
            for item in items:
                yield from _huge_numbers(item)
        case MappingNode(entries=entries):
            for _, value in entries:
                yield from _huge_numbers(value)
