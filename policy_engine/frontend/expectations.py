"""Reading what a test case expects of a decision, checked against the names and types of the ruleset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from policy_engine.diagnostics import say
from policy_engine.documents.nodes import DECIMAL, MappingNode, Plain, ScalarNode, SequenceNode, YamlNode, plain
from policy_engine.fixes import Advice, write
from policy_engine.frontend import shapes
from policy_engine.frontend.case_names import CaseNames
from policy_engine.frontend.fields import Fields, is_empty
from policy_engine.frontend.shape_hints import BOOLEAN_WORDS
from policy_engine.language.date_texts import read_date, read_instant, read_time
from policy_engine.language.types import Boolean, Date, Instant, ListOf, Number, Record, Text, Time, Type, with_article
from policy_engine.source import Authored

PARTS = ("status", "outcome", "rules", "values", "missing", "reason", "sources", "readings")


def expectation(decision: Authored, node: YamlNode, known: CaseNames) -> dict[str, Any]:
    """What a case expects of a decision: its outcome, or parts of its answer, each under its name."""
    known.check("test-decision", decision, known.decisions)
    if not isinstance(node, MappingNode):
        _refuse_nothing(decision, node, known)
        if known.is_value(decision.value):
            check_value(decision.value, decision.value, node, known)
            return {"status": "decided", "values": {decision.value: plain(node)}}
        check_part(decision.value, "outcome", node, known)
        return {"status": "decided", "outcome": plain(node)}
    fields = Fields(node, shapes.TEST_EXPECTATION, known.faults)
    for part, named in node.entries:
        if part.value != "outcome":  # which is null where there is none
            _refuse_nothing(part, named, known)
        check_part(decision.value, part.value, named, known)
    if not node.entries:
        _refuse_nothing(decision, node, known)
    known.check_readings(fields)
    return with_status(_parts(fields, known))


def _parts(fields: Fields, known: CaseNames) -> dict[str, Any]:
    wanted: dict[str, Any] = {part: plain(value) for part in PARTS if (value := fields.node.get(part)) is not None}
    rule = fields.words("rule")
    if rule is not None:
        if "rules" in wanted:
            span = fields.node.key_span("rules")
            known.faults.append(say("test-part-twice", span, name="rules", other="rule"))
        wanted["rules"] = [rule]
    return wanted


def _refuse_nothing(name: Authored, node: YamlNode, known: CaseNames) -> None:
    """A part without content, which any answer would satisfy; an empty list is content."""
    if is_empty(node) or (isinstance(node, MappingNode) and not node.entries):
        hint = f"write what `{name.value}` must be, or leave it out"
        known.faults.append(say("test-empty", name.span, hint=hint))


def check_part(decision: str, part: str, node: YamlNode, known: CaseNames) -> None:
    """The names and values that a part of an expectation holds."""
    if decision not in known.decisions:
        return
    match part, node:
        case "values", MappingNode(entries=entries):
            for name, value in entries:
                known.check_value(decision, name)
                check_value(decision, name.value, value, known)
        case _ if part not in PARTS and part != "rule":
            check_value(decision, part, node, known)
        case _:
            known.check_part(decision, part, node)


def check_value(decision: str, name: str, node: YamlNode, known: CaseNames) -> None:
    """Whether a value can be what a case expects of it, by its type in some version."""
    kinds = known.decisions[decision].values.get(name, [])
    if kinds and not any(_fits(kind, plain(node)) for kind in kinds):
        words = {"name": f"{decision}.{name}", "expected": with_article(kinds[0]), "found": _found(node)}
        known.faults.append(say("test-value", node.span, hint=_better(kinds[0], node), words=words))


def _fits(kind: Type, value: Plain) -> bool:
    """Whether a value of the type could equal what is expected; null is no value of any type."""
    match kind, value:
        case _, None:
            return True
        case (Boolean(), bool()) | (Record(), dict()):
            return True
        case (Boolean() | Number(), bool()) | (Number(places=0), Decimal()):
            return isinstance(kind, Boolean)
        case Number(), int() | Decimal():
            return True
        case Number(places=places), str():
            return places > 0 and DECIMAL.fullmatch(value) is not None
        case Text(), str():
            return True
        case ((Date() | Instant() | Time()), str()):
            return _is_written(value, READERS[type(kind)])
        case ListOf(element=element), list():
            return all(_fits(element, part) for part in value)
    return False


READERS: Mapping[type[Type], Callable[[str], object]] = MappingProxyType(
    {Date: read_date, Instant: read_instant, Time: read_time}
)


def _is_written(text: str, read: Callable[[str], object]) -> bool:
    """Whether a date, an instant or a time can be read in a text."""
    try:
        read(text)
    except ValueError:
        return False
    return True


def _found(node: YamlNode) -> str:
    """What is written, as a message says it."""
    match node, plain(node):
        case MappingNode(), _:
            return "a mapping"
        case SequenceNode(), _:
            return "this list"
        case ScalarNode(text=text), bool():
            return f"the boolean `{text.value}`"
        case ScalarNode(text=text), int() | Decimal():
            return f"the number `{text.value}`"
        case ScalarNode(text=text), _:
            return f"the text `{text.value}`"
    raise AssertionError(node)


def _better(kind: Type, node: YamlNode) -> Advice | None:
    """What to write."""
    match kind, node:
        case Text(), ScalarNode(text=text):
            return write(text.raw, f'"{text.value}"', as_is=True)
        case Boolean(), ScalarNode(text=text) if text.value in BOOLEAN_WORDS:
            return write(text.raw, BOOLEAN_WORDS[text.value], as_is=True)
        case Boolean(), _:
            return "write true or false"
        case Date(), _:
            return "write it as 2025-02-28"
        case Instant(), _:
            return "write it as 2025-02-28T12:00:00Z"
        case Time(), _:
            return "write it as 09:30:00"
        case Number(places=0), _:
            return "write an integer without quotes, such as 30"
        case Number(), _:
            return "write a number without quotes, such as 4.90"
        case ListOf(), ScalarNode(text=text):
            return write(text.raw, f"[{text.value}]", as_is=True)
    return None


def with_status(wanted: dict[str, Any]) -> dict[str, Any]:
    """`missing` alone means undetermined; anything else but a status means decided."""
    if "status" in wanted:
        return wanted
    undetermined = bool(wanted.get("missing")) or set(wanted) == {"missing"}
    return {"status": "undetermined" if undetermined else "decided", **wanted}
